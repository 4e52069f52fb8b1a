/* SPDX-License-Identifier: GPL-2.0-or-later
 * exec.c - a further process inside a running container.
 *
 * The container is named by a pidfd whose start time was compared (a recycled pid joins nobody);
 * all its namespaces are entered through that one fd. Capabilities, filter, limits and
 * no_new_privs are those of the container. */
#include "engine/container/launch.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/setup.h"

#define EXIT_EXEC_REFUSED 126 /* docker exec's, when nothing fits better */

static int begin(struct setup *setup, const struct container_state *state,
	const struct exec_request *request, struct launch *ret, struct error *err)
{
	const struct container *container = setup->container;
	int r;

	if (state->status == CONTAINER_PAUSED)
		return error_set(err, -EBUSY,
			"container %s is paused, unpause the container before exec",
			container->name);
	if (state->status != CONTAINER_RUNNING)
		return error_set(err, -ESRCH, "container %s is not running", container->name);
	setup->env = strv_copy(container->spec.env);
	env_merge(&setup->env, request->env);
	r = setup_process(setup, err);
	if (r < 0)
		return r;
	setup->namespaces.enter_fd = process_open(&state->process, err);
	if (setup->namespaces.enter_fd < 0)
		return setup->namespaces.enter_fd;
	r = cgroup_open(setup->host, container_cgroup_parent(setup->engine, container),
		container->id, &setup->cgroup, err);
	if (r < 0)
		return r;
	setup->namespaces.enter_pid = state->process.pid;
	return launch_clone(setup,
		spec_is_mapped(&container->spec) ? child_enter_mapped : child_enter, ret, err);
}

int exec_begin(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct container_state *state,
	const struct exec_request *request, const struct launch_stdio *stdio, struct launch *ret,
	struct error *err)
{
	struct setup setup;
	int r;

	setup_init(&setup, engine, host, container, stdio);
	setup.args = request->args;
	setup.terminal = request->terminal;
	setup.console_rows = request->console_rows;
	setup.console_columns = request->console_columns;
	setup.keep_stdio = request->keep_stdio;
	setup.adopts_orphans = request->adopts_orphans;
	if (request->cwd && *request->cwd)
		setup.cwd = request->cwd;
	if (request->user && *request->user)
		setup.user = request->user;
	if (request->privileged)
		setup.capabilities = capabilities_all();
	r = begin(&setup, state, request, ret, err);
	setup_release(&setup);
	return r;
}

int exec_finish(struct launch *launch, int *ret_console, struct error *err)
{
	struct error local = ERROR_INIT;
	int r = launch_outcome(launch, ret_console, &local);

	if (r >= 0)
		return r;
	if (local.exit_code == 0)
		local.exit_code = EXIT_EXEC_REFUSED;
	launch_release(launch);
	return error_move(err, &local);
}
