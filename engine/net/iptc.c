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
#define LOCK_TIMEOUT_MS	   60000
#define DEFAULT_LOCK_FILE  "/run/xtables.lock"
#define TABLE_NAMES_FILE   "/proc/net/ip_tables_names"
#define MODPROBE_PATH_FILE "/proc/sys/kernel/modprobe"

/* libiptc reads the whole label. */
static const xt_chainlabel user_chain = USER_CHAIN_NAME;

int xtables_lock(struct error *err)
{
	/* The same override that iptables knows: it is the host's agreement, not an option of
	 * ours. */
	const char *path = secure_getenv("XTABLES_LOCKFILE");

	return lock_take(
		AT_FDCWD, path && *path ? path : DEFAULT_LOCK_FILE, LOCK_TIMEOUT_MS, NULL, err);
}

static int iptc_error(struct error *err, const char *table, const char *what)
{
	int code = errno ? -errno : -EIO;

	return error_set(
		err, code, "%s iptables table '%s': %s", what, table, iptc_strerror(-code));
}

/* As iptables does: the kernel loads the modules of tables and matches itself, but only once
 * ip_tables is there to be asked. */
static void modules_load(const char *table)
{
	cleanup_free char *program = NULL, *module = xasprintf("iptable_%s", table);
	char *argv[] = { NULL, (char *)"-q", (char *)"-a", (char *)"ip_tables", module, NULL };
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

static int table_open(const char *table, struct xtc_handle **ret, struct error *err)
{
	struct xtc_handle *handle = iptc_init(table);

	if (!handle && (errno == ENOPROTOOPT || errno == ENOENT)) {
		modules_load(table);
		handle = iptc_init(table);
	}
	if (handle) {
		*ret = handle;
		return 0;
	}
	if (errno == ENOPROTOOPT || errno == ENOENT)
		return error_set(
			err, -EOPNOTSUPP, "this kernel offers no iptables %s table", table);
	return iptc_error(err, table, "read");
}

/* Opening a table makes the kernel create it for this netns, so one nobody uses is left unopened.
 */
static bool table_exists(const char *table)
{
	cleanup_free char *names = NULL;
	size_t length;

	if (file_read(AT_FDCWD, TABLE_NAMES_FILE, 4096, &names, &length, NULL) < 0)
		return false;
	for (char *rest = names, *name; (name = strtok_r(rest, "\n", &rest));)
		if (strcmp(name, table) == 0)
			return true;
	return false;
}

static bool table_is_wanted(const char *table, const struct firewall *wanted)
{
	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		if (wanted->chains[i].count && strcmp(wanted->chains[i].table, table) == 0)
			return true;
	return false;
}

/* A table being compared and changed. */
struct edit {
	struct xtc_handle *handle;
	const char *table;
	bool changed;
	struct udp_changes *changes;
	struct error *err;
};

static int edit_fail(const struct edit *edit)
{
	return iptc_error(edit->err, edit->table, "change");
}

static void udp_note(struct edit *edit, const struct ipt_entry *entry, const char *target)
{
	uint16_t port = iptc_rule_udp_port(entry, target);

	if (port)
		*array_add(edit->changes->ports, edit->changes->count) = port;
}

/* The wanted rules of one chain as the kernel has them. */
struct built {
	struct ipt_entry **entries;
	size_t count;
};

static struct built built_new(const struct rule_chain *chain)
{
	struct built built = { NULL, 0 };

	for (size_t i = 0; i < chain->count; i++)
		*array_add(built.entries, built.count) = iptc_rule_build(&chain->rules[i]);
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
	const struct ipt_entry *present = iptc_first_rule(name, edit->handle);

	for (size_t i = 0; i < built->count; i++) {
		if (!present || !iptc_rule_equal(built->entries[i], present,
					iptc_get_target(present, edit->handle)))
			return false;
		present = iptc_next_rule(present, edit->handle);
	}
	return !present;
}

static bool chain_holds(const struct edit *edit, const char *name, const struct ipt_entry *entry)
{
	for (const struct ipt_entry *present = iptc_first_rule(name, edit->handle); present;
		present = iptc_next_rule(present, edit->handle))
		if (iptc_rule_equal(entry, present, iptc_get_target(present, edit->handle)))
			return true;
	return false;
}

static bool built_holds(
	const struct built *built, const struct ipt_entry *entry, const char *target)
{
	for (size_t i = 0; i < built->count; i++)
		if (iptc_rule_equal(built->entries[i], entry, target))
			return true;
	return false;
}

/* Which UDP DNAT rules are in one of the two lists only. */
static void udp_compare(struct edit *edit, const char *name, const struct built *built)
{
	for (size_t i = 0; i < built->count; i++) {
		const char *target = iptc_rule_target(built->entries[i]);

		if (iptc_rule_udp_port(built->entries[i], target) &&
			!chain_holds(edit, name, built->entries[i]))
			udp_note(edit, built->entries[i], target);
	}
	for (const struct ipt_entry *present = iptc_first_rule(name, edit->handle); present;
		present = iptc_next_rule(present, edit->handle)) {
		const char *target = iptc_get_target(present, edit->handle);

		if (iptc_rule_udp_port(present, target) && !built_holds(built, present, target))
			udp_note(edit, present, target);
	}
}

/* Make an existing or new chain hold exactly these rules. */
static int chain_write(struct edit *edit, const char *name, const struct built *built)
{
	edit->changed = true;
	if (!iptc_flush_entries(name, edit->handle))
		return edit_fail(edit);
	for (size_t i = 0; i < built->count; i++)
		if (!iptc_append_entry(name, built->entries[i], edit->handle))
			return edit_fail(edit);
	return 0;
}

static int chain_fill(struct edit *edit, const struct rule_chain *chain)
{
	struct built built;
	int r = 0;

	if (!iptc_is_chain(chain->name, edit->handle)) {
		edit->changed = true;
		if (!iptc_create_chain(chain->name, edit->handle))
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
	const struct edit *edit, const struct rule_chain *chain, const struct ipt_entry *wanted)
{
	bool others = false, found = false;

	for (const struct ipt_entry *entry = iptc_first_rule(chain->hook, edit->handle); entry;
		entry = iptc_next_rule(entry, edit->handle)) {
		const char *target = iptc_get_target(entry, edit->handle);

		if (strcmp(target, chain->name) == 0) {
			if (found || others || !iptc_rule_equal(wanted, entry, target))
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

	for (const struct ipt_entry *entry = iptc_first_rule(chain->hook, edit->handle); entry;) {
		if (strcmp(iptc_get_target(entry, edit->handle), chain->name) != 0) {
			entry = iptc_next_rule(entry, edit->handle);
			position++;
			continue;
		}
		if (!iptc_delete_num_entry(chain->hook, position, edit->handle))
			return edit_fail(edit);
		edit->changed = true;
		/* The list is another one now: from the top, over what was kept. */
		entry = iptc_first_rule(chain->hook, edit->handle);
		for (unsigned int i = 0; i < position && entry; i++)
			entry = iptc_next_rule(entry, edit->handle);
	}
	return 0;
}

static int jump_place(struct edit *edit, const struct rule_chain *chain)
{
	cleanup_free struct ipt_entry *entry = iptc_rule_build(&chain->jump);
	int r;

	if (jump_is_right(edit, chain, entry))
		return 0;
	r = jumps_remove(edit, chain);
	if (r < 0)
		return r;
	edit->changed = true;
	return iptc_insert_entry(chain->hook, entry, 0, edit->handle) ? 0 : edit_fail(edit);
}

static int chain_remove(struct edit *edit, const struct rule_chain *chain)
{
	const struct built none = { NULL, 0 };
	int r;

	if (!iptc_is_chain(chain->name, edit->handle))
		return 0;
	udp_compare(edit, chain->name, &none);
	edit->changed = true;
	r = jumps_remove(edit, chain);
	if (r < 0)
		return r;
	if (!iptc_flush_entries(chain->name, edit->handle) ||
		!iptc_delete_chain(chain->name, edit->handle))
		return edit_fail(edit);
	return 0;
}

/* The user's chain is there while something of ours jumps to it, and stays while it has rules. */
static int user_chain_keep(struct edit *edit, bool wanted)
{
	unsigned int references = 0;
	int there = iptc_is_chain(user_chain, edit->handle);

	if (wanted && !there) {
		edit->changed = true;
		return iptc_create_chain(user_chain, edit->handle) ? 0 : edit_fail(edit);
	}
	if (wanted || !there || iptc_first_rule(user_chain, edit->handle))
		return 0;
	if (!iptc_get_references(&references, user_chain, edit->handle) || references)
		return 0;
	edit->changed = true;
	return iptc_delete_chain(user_chain, edit->handle) ? 0 : edit_fail(edit);
}

static int chains_edit(struct edit *edit, const struct firewall *wanted)
{
	bool is_filter = strcmp(edit->table, "filter") == 0;
	int r = 0;

	if (is_filter && table_is_wanted(edit->table, wanted))
		r = user_chain_keep(edit, true);
	for (size_t i = 0; i < FIREWALL_CHAINS && r == 0; i++) {
		const struct rule_chain *chain = &wanted->chains[i];

		if (strcmp(chain->table, edit->table) != 0)
			continue;
		if (!chain->count) {
			r = chain_remove(edit, chain);
			continue;
		}
		r = chain_fill(edit, chain);
		if (r == 0)
			r = jump_place(edit, chain);
	}
	if (r == 0 && is_filter && !table_is_wanted(edit->table, wanted))
		r = user_chain_keep(edit, false);
	return r;
}

/* -EAGAIN: the table was changed between reading and writing. */
static int sync_once(const char *table, const struct firewall *wanted, struct udp_changes *changes,
	struct error *err)
{
	struct edit edit = { .table = table, .changes = changes, .err = err };
	int r = table_open(table, &edit.handle, err);

	if (r < 0)
		return r;
	r = chains_edit(&edit, wanted);
	if (r == 0 && edit.changed)
		r = iptc_commit(edit.handle) ? 1 : iptc_error(err, table, "commit");
	iptc_free(edit.handle);
	return r;
}

int iptc_sync(const char *table, const struct firewall *wanted, struct udp_changes *changes,
	struct error *err)
{
	int r = -EAGAIN;

	if (!table_is_wanted(table, wanted) && !table_exists(table))
		return 0;
	for (int try = 0; try < COMMIT_TRIES && r == -EAGAIN; try++) {
		const struct timespec pause = { 0, try ? RETRY_PAUSE_NS : 0 };

		nanosleep(&pause, NULL);
		r = sync_once(table, wanted, changes, err);
	}
	return r;
}
