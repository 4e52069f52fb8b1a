/* SPDX-License-Identifier: GPL-2.0-or-later
 * top.c - `top`: the processes of services' containers in one table, or those of one container. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/table.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/processes.h"

#define DAY_NS (24 * 3600 * NS_PER_SEC)

#define PROCESS_HEADERS "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD", NULL

static bool is_shown(const struct listed *listed, void *services)
{
	if (listed->state.status != CONTAINER_RUNNING && listed->state.status != CONTAINER_PAUSED)
		return false;
	if (strv_length(services))
		return strv_contains(services, listed_service(listed));
	return !listed_is_one_off(listed);
}

/* As ps(1): the hour on the first day, the date afterwards. */
static void start_text(int64_t started_ns, char text[static 16])
{
	time_t seconds = (time_t)(started_ns / NS_PER_SEC);
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, 16, time_now() - started_ns < DAY_NS ? "%H:%M" : "%b%d", &local);
}

static void add_process(struct table *table, const struct process_entry *entry)
{
	const struct passwd *user = getpwuid(entry->uid);
	int64_t seconds = entry->cpu_seconds;
	char started[16];

	start_text(entry->started_ns, started);
	if (user)
		table_cell(table, user->pw_name);
	else
		table_cellf(table, "%u", (unsigned int)entry->uid);
	table_cellf(table, "%d", (int)entry->pid);
	table_cellf(table, "%d", (int)entry->ppid);
	table_cellf(table, "%u", entry->cpu_percent);
	table_cell(table, started);
	table_cell(table, entry->tty);
	table_cellf(table, "%02lld:%02lld:%02lld", (long long)(seconds / 3600),
		(long long)(seconds / 60 % 60), (long long)(seconds % 60));
	table_cell(table, entry->command);
}

/* The cells before each process are the service and the replica, where there is one. */
static int add_container(const struct app *app, const struct cgroup_host *host,
	const struct listed *listed, bool with_service, struct table *table, struct error *err)
{
	struct process_entry *entries = NULL;
	size_t count = 0;
	int r = processes_list(&app->engine, host, listed->container, &entries, &count, err);

	if (r == -ENOENT) { /* it has just ended */
		error_release(err);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (with_service) {
			table_cell(table, listed_service(listed));
			if (listed_number(listed))
				table_cellf(table, "%u", listed_number(listed));
			else
				table_cell(table, "-");
		}
		add_process(table, &entries[i]);
	}
	processes_free(entries, count);
	return r;
}

static int top_project(struct app *app, char **services, struct error *err)
{
	static const char *const headers[] = { "SERVICE", "#", PROCESS_HEADERS };
	cleanup_listed struct listed_set set = LISTED_INIT;
	struct cgroup_host *host = NULL;
	struct table *table;
	int r = 0;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = listed_load(&app->engine, app->project_name, &set, err);
	if (r == 0)
		r = cgroup_host_open(&host, err);
	if (r < 0)
		return r;
	listed_filter(&set, is_shown, services);
	listed_sort_by_name(&set);
	table = table_new(headers, 4);
	table_set_gap(table, 2);
	for (size_t i = 0; r == 0 && i < set.count; i++)
		r = add_container(app, host, &set.items[i], true, table, err);
	if (r == 0 && set.count)
		table_print(table, stdout);
	table_free(table);
	cgroup_host_free(host);
	return r;
}

static int top_container(struct app *app, const char *name, struct error *err)
{
	static const char *const headers[] = { PROCESS_HEADERS };
	cleanup_container struct container *container = NULL;
	struct cgroup_host *host = NULL;
	struct listed listed = { 0 };
	struct table *table;
	int r = container_find(&app->engine, name, &container, err);

	if (r == 0)
		r = container_load_state(&app->engine, container->id, &listed.state, err);
	if (r < 0)
		return r;
	listed.container = container;
	if (!is_shown(&listed, (char *[]){ NULL }))
		r = error_set(err, -ESRCH, "container %s is not running", container->id);
	container_state_release(&listed.state);
	if (r == 0)
		r = cgroup_host_open(&host, err);
	if (r < 0)
		return r;
	table = table_new(headers, 20);
	r = add_container(app, host, &listed, false, table, err);
	if (r == 0)
		table_print(table, stdout);
	table_free(table);
	cgroup_host_free(host);
	return r;
}

static int run_top(struct app *app, void *options, char **args, struct error *err)
{
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	(void)options;
	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return top_project(app, args, err);
	r = app_need_operands(app, args, 1, 1, err);
	return r < 0 ? r : top_container(app, args[0], err);
}

const struct verb verb_top = {
	.name = "top",
	.usage = "[SERVICE...|CONTAINER]",
	.summary = "Show the processes that run in containers",
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_top,
};
