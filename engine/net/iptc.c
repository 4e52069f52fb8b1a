/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc.c - the kernel's tables: read our chains, compare, commit. */
#include "engine/net/iptc.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/net/iptc_rule.h"

#define OWN_PREFIX	   "MYCOMPOSE"
#define COMMIT_TRIES	   100
#define RETRY_PAUSE_NS	   2000000
#define DEFAULT_LOCK_FILE  "/run/xtables.lock"
#define MODPROBE_PATH_FILE "/proc/sys/kernel/modprobe"

/* libiptc reads the whole label. */
static const xt_chainlabel user_chain = USER_CHAIN_NAME;

static int xtables_lock(struct error *err)
{
	/* The same override that iptables knows: it is the host's agreement, not an option of
	 * ours. */
	const char *path = secure_getenv("XTABLES_LOCKFILE");

	return lock_take(
		AT_FDCWD, path && *path ? path : DEFAULT_LOCK_FILE, TABLES_LOCK_WAIT_MS, NULL, err);
}

static int iptc_error(struct error *err, enum firewall_family family,
	const struct iptc_calls *calls, const char *table, const char *what)
{
	int code = errno ? -errno : -EIO;

	return error_set(err, code, "%s %s table '%s': %s", what, iptc_families[family].tool, table,
		calls->strerror(-code));
}

/* As iptables does: the kernel loads the modules of tables and matches itself, but only once
 * ip_tables is there to be asked. */
static void modules_load(const struct iptc_family *family, const char *table)
{
	cleanup_free char *program = NULL, *core = xstrdup(family->module),
			  *module = xasprintf("%s%s", family->module_table, table);
	char *argv[] = { NULL, (char *)"-q", (char *)"-a", core, module, NULL };
	char *envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	size_t length;
	pid_t pid;
	int status;

	if (file_read(AT_FDCWD, MODPROBE_PATH_FILE, 4096, &program, &length, NULL) < 0)
		return;
	program[strcspn(program, "\n")] = '\0';
	argv[0] = program;
	if (*program && posix_spawn(&pid, program, NULL, NULL, argv, envp) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
}

static bool is_absent(int code)
{
	return code == ENOPROTOOPT || code == ENOENT || code == EAFNOSUPPORT;
}

static int table_open(enum firewall_family family, const struct iptc_calls *calls,
	const char *table, struct xtc_handle **ret, struct error *err)
{
	struct xtc_handle *handle = calls->init(table);

	if (!handle && is_absent(errno)) {
		modules_load(&iptc_families[family], table);
		handle = calls->init(table);
	}
	if (handle) {
		*ret = handle;
		return 0;
	}
	if (is_absent(errno))
		return error_set(err, -EOPNOTSUPP, "this kernel offers no %s %s table",
			iptc_families[family].tool, table);
	return iptc_error(err, family, calls, table, "read");
}

int iptc_check(struct error *err)
{
	const struct iptc_family *family = &iptc_families[FIREWALL_V4];

	if (access(family->names_file, R_OK) < 0)
		modules_load(family, "filter");
	if (access(family->names_file, R_OK) < 0)
		return error_set(err, -EOPNOTSUPP, "this kernel offers no %s tables", family->tool);
	return iptc_load(FIREWALL_V4, err) ? 0 : -EOPNOTSUPP;
}

/* Opening a table makes the kernel create it for this netns, so one nobody uses is left unopened.
 */
static bool table_exists(const struct iptc_family *family, const char *table)
{
	cleanup_free char *names = NULL;
	size_t length;

	if (file_read(AT_FDCWD, family->names_file, 4096, &names, &length, NULL) < 0)
		return false;
	for (char *rest = names, *name; (name = strtok_r(rest, "\n", &rest));)
		if (strcmp(name, table) == 0)
			return true;
	return false;
}

/* A table being compared and changed. */
struct edit {
	const struct iptc_calls *calls;
	enum firewall_family family;
	struct xtc_handle *handle;
	const char *table;
	bool wanted; /* there are rules for this table */
	bool changed;
	struct udp_changes *changes;
	struct error *err;
};

static int edit_fail(const struct edit *edit)
{
	return iptc_error(edit->err, edit->family, edit->calls, edit->table, "change");
}

static void udp_note(struct edit *edit, const void *entry, const char *target)
{
	uint16_t port = iptc_rule_udp_port(edit->family, entry, target);

	if (port)
		*array_add(edit->changes->ports, edit->changes->count) = port;
}

/* The wanted rules of one chain as the kernel has them. */
struct built {
	void **entries;
	size_t count;
};

static struct built built_new(const struct rule_chain *chain)
{
	struct built built = { NULL, 0 };

	for (size_t i = 0; i < chain->count; i++)
		*array_add(built.entries, built.count) =
			iptc_rule_build(&chain->rules[i], chain->family);
	return built;
}

static void built_release(struct built *built)
{
	for (size_t i = 0; i < built->count; i++)
		free(built->entries[i]);
	free(built->entries);
}

static bool chain_is_equal(const struct edit *edit, const char *name, const struct built *built)
{
	const void *present = edit->calls->first_rule(name, edit->handle);

	for (size_t i = 0; i < built->count; i++) {
		if (!present || !iptc_rule_equal(edit->family, built->entries[i], present,
					edit->calls->get_target(present, edit->handle)))
			return false;
		present = edit->calls->next_rule(present, edit->handle);
	}
	return !present;
}

static bool chain_holds(const struct edit *edit, const char *name, const void *entry)
{
	for (const void *present = edit->calls->first_rule(name, edit->handle); present;
		present = edit->calls->next_rule(present, edit->handle))
		if (iptc_rule_equal(edit->family, entry, present,
			    edit->calls->get_target(present, edit->handle)))
			return true;
	return false;
}

static bool built_holds(
	const struct edit *edit, const struct built *built, const void *entry, const char *target)
{
	for (size_t i = 0; i < built->count; i++)
		if (iptc_rule_equal(edit->family, built->entries[i], entry, target))
			return true;
	return false;
}

/* Which UDP DNAT rules are in one of the two lists only. */
static void udp_compare(struct edit *edit, const char *name, const struct built *built)
{
	for (size_t i = 0; i < built->count; i++) {
		const char *target = iptc_rule_target(edit->family, built->entries[i]);

		if (iptc_rule_udp_port(edit->family, built->entries[i], target) &&
			!chain_holds(edit, name, built->entries[i]))
			udp_note(edit, built->entries[i], target);
	}
	for (const void *present = edit->calls->first_rule(name, edit->handle); present;
		present = edit->calls->next_rule(present, edit->handle)) {
		const char *target = edit->calls->get_target(present, edit->handle);

		if (iptc_rule_udp_port(edit->family, present, target) &&
			!built_holds(edit, built, present, target))
			udp_note(edit, present, target);
	}
}

/* Make an existing or new chain hold exactly these rules. */
static int chain_write(struct edit *edit, const char *name, const struct built *built)
{
	edit->changed = true;
	if (!edit->calls->flush_entries(name, edit->handle))
		return edit_fail(edit);
	for (size_t i = 0; i < built->count; i++)
		if (!edit->calls->append_entry(name, built->entries[i], edit->handle))
			return edit_fail(edit);
	return 0;
}

static int chain_fill(struct edit *edit, const struct rule_chain *chain)
{
	struct built built;
	int r = 0;

	if (!edit->calls->is_chain(chain->name, edit->handle)) {
		edit->changed = true;
		if (!edit->calls->create_chain(chain->name, edit->handle))
			return edit_fail(edit);
	}
	built = built_new(chain);
	if (!chain_is_equal(edit, chain->name, &built)) {
		udp_compare(edit, chain->name, &built);
		r = chain_write(edit, chain->name, &built);
	}
	built_release(&built);
	return r;
}

/* One jump, as it should be, with nothing but jumps of ours before it. */
static bool jump_is_right(
	const struct edit *edit, const struct rule_chain *chain, const void *wanted)
{
	bool others = false, found = false;

	for (const void *entry = edit->calls->first_rule(chain->hook, edit->handle); entry;
		entry = edit->calls->next_rule(entry, edit->handle)) {
		const char *target = edit->calls->get_target(entry, edit->handle);

		if (strcmp(target, chain->name) == 0) {
			if (found || others ||
				!iptc_rule_equal(edit->family, wanted, entry, target))
				return false;
			found = true;
		}
		others |= strncmp(target, OWN_PREFIX, strlen(OWN_PREFIX)) != 0;
	}
	return found;
}

static int jumps_remove(struct edit *edit, const struct rule_chain *chain)
{
	unsigned int position = 0;

	for (const void *entry = edit->calls->first_rule(chain->hook, edit->handle); entry;) {
		if (strcmp(edit->calls->get_target(entry, edit->handle), chain->name) != 0) {
			entry = edit->calls->next_rule(entry, edit->handle);
			position++;
			continue;
		}
		if (!edit->calls->delete_num_entry(chain->hook, position, edit->handle))
			return edit_fail(edit);
		edit->changed = true;
		/* The list is another one now: from the top, over what was kept. */
		entry = edit->calls->first_rule(chain->hook, edit->handle);
		for (unsigned int i = 0; i < position && entry; i++)
			entry = edit->calls->next_rule(entry, edit->handle);
	}
	return 0;
}

static int jump_place(struct edit *edit, const struct rule_chain *chain)
{
	cleanup_free void *entry = iptc_rule_build(&chain->jump, chain->family);
	int r;

	if (jump_is_right(edit, chain, entry))
		return 0;
	r = jumps_remove(edit, chain);
	if (r < 0)
		return r;
	edit->changed = true;
	return edit->calls->insert_entry(chain->hook, entry, 0, edit->handle) ? 0 : edit_fail(edit);
}

static int chain_remove(struct edit *edit, const struct rule_chain *chain)
{
	const struct built none = { NULL, 0 };
	int r;

	if (!edit->calls->is_chain(chain->name, edit->handle))
		return 0;
	udp_compare(edit, chain->name, &none);
	edit->changed = true;
	r = jumps_remove(edit, chain);
	if (r < 0)
		return r;
	if (!edit->calls->flush_entries(chain->name, edit->handle) ||
		!edit->calls->delete_chain(chain->name, edit->handle))
		return edit_fail(edit);
	return 0;
}

/* The user's chain is there while something of ours jumps to it, and stays while it has rules. */
static int user_chain_keep(struct edit *edit, bool wanted)
{
	unsigned int references = 0;
	int there = edit->calls->is_chain(user_chain, edit->handle);

	if (wanted && !there) {
		edit->changed = true;
		return edit->calls->create_chain(user_chain, edit->handle) ? 0 : edit_fail(edit);
	}
	if (wanted || !there || edit->calls->first_rule(user_chain, edit->handle))
		return 0;
	if (!edit->calls->get_references(&references, user_chain, edit->handle) || references)
		return 0;
	edit->changed = true;
	return edit->calls->delete_chain(user_chain, edit->handle) ? 0 : edit_fail(edit);
}

static bool is_of(const struct rule_chain *chain, const char *table, enum firewall_family family)
{
	return chain->family == family && strcmp(chain->table, table) == 0;
}

static int chains_edit(struct edit *edit, const struct firewall *wanted)
{
	bool is_filter = strcmp(edit->table, "filter") == 0;
	int r = 0;

	if (is_filter && edit->wanted)
		r = user_chain_keep(edit, true);
	for (size_t i = 0; i < FIREWALL_CHAINS && r == 0; i++) {
		const struct rule_chain *chain = &wanted->chains[i];

		if (!is_of(chain, edit->table, edit->family))
			continue;
		if (!chain->count) {
			r = chain_remove(edit, chain);
			continue;
		}
		r = chain_fill(edit, chain);
		if (r == 0)
			r = jump_place(edit, chain);
	}
	if (r == 0 && is_filter && !edit->wanted)
		r = user_chain_keep(edit, false);
	return r;
}

/* -EAGAIN: the table was changed between reading and writing. */
static int sync_once(struct edit *edit, const struct firewall *wanted)
{
	int r = table_open(edit->family, edit->calls, edit->table, &edit->handle, edit->err);

	if (r < 0)
		return r;
	edit->changed = false;
	r = chains_edit(edit, wanted);
	if (r == 0 && edit->changed)
		r = edit->calls->commit(edit->handle) ? 1
						      : iptc_error(edit->err, edit->family,
								edit->calls, edit->table, "commit");
	edit->calls->free(edit->handle);
	return r;
}

static int table_sync(enum firewall_family family, const char *table, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err)
{
	struct edit edit = {
		.family = family,
		.table = table,
		.changes = changes,
		.err = err,
	};
	int r = -EAGAIN;

	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		edit.wanted |= is_of(&wanted->chains[i], table, family) && wanted->chains[i].count;
	if (!edit.wanted && !table_exists(&iptc_families[family], table))
		return 0;
	edit.calls = iptc_load(family, err);
	if (!edit.calls)
		return -EOPNOTSUPP;
	for (int try = 0; try < COMMIT_TRIES && r == -EAGAIN; try++) {
		const struct timespec pause = { 0, try ? RETRY_PAUSE_NS : 0 };

		nanosleep(&pause, NULL);
		r = sync_once(&edit, wanted);
	}
	return r;
}

int iptc_sync(const struct firewall *wanted, struct udp_changes *changes, struct error *err)
{
	/* Isolation first, then what leads packets in. */
	static const char *const tables[] = { "filter", "nat" };
	cleanup_fd int lock_fd = -1;
	int changed = 0;

	lock_fd = xtables_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (enum firewall_family family = 0; family < FIREWALL_FAMILIES; family++) {
			int r = table_sync(family, tables[i], wanted, changes, err);

			if (r < 0)
				return r;
			changed |= r;
		}
	return changed;
}

/* No condition: addresses, interfaces and protocol are all zero, and there is no match. */
static bool is_unconditional(const struct iptc_family *family, const void *entry)
{
	static const char zeros[sizeof(struct ip6t_ip6)];

	return memcmp(entry, zeros, family->header_size) == 0 &&
	       entry_number(entry, family->target_offset_at) == family->entry_size;
}

bool iptc_forward_drops(enum firewall_family of)
{
	const struct iptc_family *family = &iptc_families[of];
	const struct iptc_calls *calls;
	struct xtc_handle *handle;
	struct xt_counters counters;
	const char *policy;
	bool drops;

	if (!table_exists(family, "filter"))
		return false;
	calls = iptc_load(of, NULL);
	handle = calls ? calls->init("filter") : NULL;
	if (!handle)
		return false;
	policy = calls->get_policy("FORWARD", &counters, handle);
	drops = policy && strcmp(policy, "DROP") == 0;
	for (const void *entry = calls->first_rule("FORWARD", handle); entry && !drops;
		entry = calls->next_rule(entry, handle)) {
		const char *target = calls->get_target(entry, handle);

		drops = is_unconditional(family, entry) &&
			(strcmp(target, "DROP") == 0 || strcmp(target, "REJECT") == 0);
	}
	calls->free(handle);
	return drops;
}
