/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_backend.c - which of the kernel's rule sets ours are in.
 *
 * Where they are not in the first one, <run>/networks/.firewall says where, so that every command
 * looks for them in the same place whatever its environment says; it goes with the rules. */
#include "engine/net/firewall_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/net/firewall_host.h"
#include "engine/net/iptc.h"
#include "engine/net/nft.h"

#define RECORD_FOLDER "networks"
#define RECORD_FILE   ".firewall"
#define RECORD_PATH   RECORD_FOLDER "/" RECORD_FILE
#define RECORD_LIMIT  32

/* In the order of preference. */
static const struct firewall_backend backends[] = {
	{ "legacy", "the kernel has iptables' legacy tables", iptc_check, iptc_sync },
	{ "nft", "the kernel has no legacy tables", nft_check, nft_sync },
};

static const struct firewall_backend *backend_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (strcmp(backends[i].name, name) == 0)
			return &backends[i];
	return NULL;
}

/* What the environment asks for: NULL when it does not. -EINVAL when it asks for what there is not.
 */
static int forced_read(const struct firewall_backend **ret, struct error *err)
{
	const char *name = secure_getenv(FIREWALL_ENVIRONMENT);

	*ret = NULL;
	if (!name || !*name)
		return 0;
	*ret = backend_find(name);
	return *ret ? 0
		    : error_set(err, -EINVAL,
			      FIREWALL_ENVIRONMENT "=%s is not known: it may be legacy or nft",
			      name);
}

/* Where our rules are. */
static const struct firewall_backend *record_read(const struct engine *engine)
{
	const struct firewall_backend *backend;
	cleanup_free char *text = NULL;
	size_t length;

	if (file_read(engine->run_fd, RECORD_PATH, RECORD_LIMIT, &text, &length, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	backend = backend_find(text);
	return backend;
}

static int record_write(
	const struct engine *engine, const struct firewall_backend *backend, struct error *err)
{
	cleanup_fd int dir_fd = dir_make_open(engine->run_fd, RECORD_FOLDER, 0700, err);

	return dir_fd < 0 ? dir_fd
			  : file_replace(dir_fd, RECORD_FILE, backend->name, strlen(backend->name),
				    0600, FILE_VOLATILE, err);
}

static void record_remove(const struct engine *engine)
{
	unlinkat(engine->run_fd, RECORD_PATH, 0);
}

/* What legacy tables accept, iptables on nftables drops after all. */
static bool only_nft_is_heard(void)
{
	cleanup_error struct error err = ERROR_INIT;

	return nft_iptables_drops() && nft_check(&err) == 0;
}

static const char *answer(const char *name, const char *reason, struct strbuf *why)
{
	if (why)
		strbuf_add_str(why, reason);
	return name;
}

const char *firewall_backend_name(const struct engine *engine, struct strbuf *why)
{
	cleanup_strbuf struct strbuf problems = STRBUF_INIT;
	const struct firewall_backend *backend;
	cleanup_error struct error err = ERROR_INIT;

	if (forced_read(&backend, &err) < 0)
		return answer(NULL, error_text(&err), why);
	if (backend && backend->check(&err) < 0)
		return answer(NULL, error_text(&err), why);
	if (backend)
		return answer(backend->name, FIREWALL_ENVIRONMENT " asks for it", why);
	backend = record_read(engine);
	if (backend)
		return answer(backend->name, "the rules in place are there", why);
	if (only_nft_is_heard())
		return answer("nft",
			"iptables on nftables drops forwarded packets, and only rules there let "
			"them "
			"pass",
			why);
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (backends[i].check(&err) == 0)
			return answer(backends[i].name, backends[i].why, why);
		strbuf_addf(&problems, "%s%s", i ? "; " : "", error_text(&err));
	}
	return answer(NULL, strbuf_text(&problems), why);
}

/* The rules of a run root that moves from one rule set to the other. */
static int clear(const struct firewall_backend *backend, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err)
{
	struct firewall none;
	int r;

	firewall_build(NULL, 0, wanted->world, &none);
	r = backend->sync(&none, changes, err);
	firewall_release(&none);
	return r == -EOPNOTSUPP ? 0 : r;
}

/* Written after the commit: a kill between them leaves rules that the next command of the same mind
 * finds right. */
static int record_agree(const struct engine *engine, const struct firewall_backend *backend,
	const struct firewall_backend *before, const struct firewall *wanted, struct error *err)
{
	if (backend == &backends[0] || firewall_is_empty(wanted)) {
		if (before)
			record_remove(engine);
		return 0;
	}
	return backend == before ? 0 : record_write(engine, backend, err);
}

static int commit_by(const struct engine *engine, const struct firewall_backend *backend,
	const struct firewall *wanted, struct udp_changes *changes, struct error *err)
{
	const struct firewall_backend *before = record_read(engine);
	int changed = backend->sync(wanted, changes, err), r = 0;

	if (changed < 0)
		return changed;
	if (backend != (before ? before : &backends[0]))
		r = clear(before ? before : &backends[0], wanted, changes, err);
	if (r >= 0)
		changed |= r;
	if (r >= 0)
		r = record_agree(engine, backend, before, wanted, err);
	return r < 0 ? r : changed;
}

/* One after the other, until one can: what a kernel offers shows when it is asked. */
static int commit_by_first(const struct engine *engine, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err)
{
	cleanup_strbuf struct strbuf problems = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		int r = commit_by(engine, &backends[i], wanted, changes, err);

		if (r != -EOPNOTSUPP)
			return r;
		strbuf_addf(&problems, "%s%s", i ? "; " : "", error_text(err));
	}
	return error_set(err, -EOPNOTSUPP, "%s", strbuf_text(&problems));
}

int firewall_commit(const struct engine *engine, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err)
{
	const struct firewall_backend *backend;
	int r = forced_read(&backend, err);

	if (r < 0)
		return r;
	if (!backend)
		backend = record_read(engine);
	if (!backend && !firewall_is_empty(wanted) && only_nft_is_heard())
		backend = backend_find("nft");
	if (backend)
		return commit_by(engine, backend, wanted, changes, err);
	return commit_by_first(engine, wanted, changes, err);
}
