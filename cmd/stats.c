/* SPDX-License-Identifier: GPL-2.0-or-later
 * stats.c - `stats`: what containers use, of a project or of the host, drawn anew each second. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/usage.h"

#define INTERVAL_NS NS_PER_SEC
#define CLEAR	    "\033[2J\033[H"
#define HOME	    "\033[H\033[J"

struct stats_options {
	bool all;
	bool no_stream;
	bool no_trunc;
	char *format;
};

#define S(field) offsetof(struct stats_options, field)
static const struct flag stats_flags[] = {
	{ 'a', "all", FLAG_BOOL, S(all), NULL, "Show all containers, not only running ones", 0 },
	{ 0, "format", FLAG_STRING, S(format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	{ 0, "no-stream", FLAG_BOOL, S(no_stream), NULL, "Print once and return", 0 },
	{ 0, "no-trunc", FLAG_BOOL, S(no_trunc), NULL, "Do not cut ids", 0 },
	FLAG_END,
};

static const struct format_column columns[] = {
	{ "ID", "CONTAINER ID", true },
	{ "Name", "NAME", true },
	{ "CPUPerc", "CPU %", true },
	{ "MemUsage", "MEM USAGE / LIMIT", true },
	{ "MemPerc", "MEM %", true },
	{ "NetIO", "NET I/O", true },
	{ "BlockIO", "BLOCK I/O", true },
	{ "PIDs", "PIDS", true },
	{ "Container", "CONTAINER", false },
	{ NULL, NULL, false },
};

/* A time on the processors, and when that was so. */
struct sample {
	uint64_t cpu_ns;
	int64_t taken_ns;
};

struct view {
	const struct app *app;
	const struct stats_options *options;
	char *const *words; /* services or containers; empty: all */
	bool is_project;    /* words are services */
	struct cgroup_host *host;
	struct strmap samples; /* container id -> struct sample of the time before */
};

static bool names(const struct container *container, const char *word)
{
	return !strcmp(container->name, word) ||
	       (*word && !strncmp(container->id, word, strlen(word)));
}

static bool is_wanted(const struct listed *listed, void *arg)
{
	const struct view *view = arg;

	if (view->is_project && strv_length(view->words) &&
		!strv_contains(view->words, listed_service(listed)))
		return false;
	if (!view->is_project && strv_length(view->words)) {
		for (char *const *word = view->words; *word; word++)
			if (names(listed->container, *word))
				return true;
		return false;
	}
	return view->options->all || listed_is_up(listed);
}

static uint64_t memory_of_host(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

/* Of one processor; 0 until there are two samples. */
static double cpu_percent(struct view *view, const char *id, const struct container_usage *usage)
{
	struct sample *before = strmap_get(&view->samples, id);
	double percent = 0;

	if (before && usage->taken_ns > before->taken_ns &&
		usage->cgroup.cpu_usage_ns >= before->cpu_ns)
		percent = 100.0 * (double)(usage->cgroup.cpu_usage_ns - before->cpu_ns) /
			  (double)(usage->taken_ns - before->taken_ns);
	if (!before) {
		before = xcalloc(1, sizeof(*before));
		strmap_set(&view->samples, id, before);
	}
	*before = (struct sample){ usage->cgroup.cpu_usage_ns, usage->taken_ns };
	return percent;
}

static void set_pair(
	struct json *json, const char *key, char *(*format)(uint64_t bytes), uint64_t a, uint64_t b)
{
	cleanup_free char *first = format(a);
	cleanup_free char *second = format(b);
	cleanup_free char *both = xasprintf("%s / %s", first, second);

	json_set_string(json, key, both);
}

static void set_percent(struct json *json, const char *key, double percent)
{
	cleanup_free char *text = xasprintf("%.2f%%", percent);

	json_set_string(json, key, text);
}

static void set_usage(
	struct view *view, const char *id, const struct container_usage *usage, struct json *json)
{
	const struct cgroup_stats *stats = &usage->cgroup;
	uint64_t host = memory_of_host();
	uint64_t limit = stats->memory_limit && (!host || stats->memory_limit < host)
				 ? stats->memory_limit
				 : host;
	cleanup_free char *pids = xasprintf("%llu", (unsigned long long)stats->pids);

	set_percent(json, "CPUPerc", cpu_percent(view, id, usage));
	set_pair(json, "MemUsage", format_size_binary, stats->memory_usage, limit);
	set_percent(
		json, "MemPerc", limit ? 100.0 * (double)stats->memory_usage / (double)limit : 0);
	set_pair(json, "NetIO", format_size, usage->network_received, usage->network_sent);
	set_pair(json, "BlockIO", format_size, stats->io_read_bytes, stats->io_write_bytes);
	json_set_string(json, "PIDs", pids);
}

static void set_nothing(struct json *json)
{
	static const char *const keys[] = { "CPUPerc", "MemPerc", "PIDs" };
	static const char *const pairs[] = { "MemUsage", "NetIO", "BlockIO" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_set_string(json, keys[i], "--");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		json_set_string(json, pairs[i], "-- / --");
}

static void add_item(struct view *view, const struct listed *listed, struct format_items *items)
{
	const struct container *container = listed->container;
	cleanup_free char *id =
		xstrndup(container->id, view->options->no_trunc ? ID_LENGTH : ID_SHORT_LENGTH);
	struct json *json = json_new_object();
	struct container_usage usage;

	json_set_string(json, "Container", id);
	json_set_string(json, "ID", id);
	json_set_string(json, "Name", container->name);
	/* One that ends just now has nothing to show, like one that has ended. */
	if (container_usage_read(
		    &view->app->engine, view->host, container, &listed->state, &usage, NULL) == 0)
		set_usage(view, container->id, &usage, json);
	else
		set_nothing(json);
	format_items_add(items, json, container->labels);
}

/* With `out` NULL only the samples are taken. */
static int draw(struct view *view, const char *before, FILE *out, struct error *err)
{
	static const struct format_listing listing = { columns, 10, false };
	const struct app *app = view->app;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_listed struct listed_set set = LISTED_INIT;
	int r = listed_load(&app->engine, view->is_project ? app->project_name : NULL, &set, err);

	if (r < 0)
		return r;
	listed_filter(&set, is_wanted, view);
	if (view->is_project)
		listed_sort_by_name(&set);
	else
		listed_sort_newest_first(&set);
	for (size_t i = 0; i < set.count; i++)
		add_item(view, &set.items[i], &items);
	if (!out)
		return 0;
	fputs(before, out);
	r = format_print(view->options->format, &listing, &items, out, err);
	if (r == 0 && fflush(out) != 0)
		r = error_sys(err, -errno, "write");
	return r;
}

static void wait_interval(void)
{
	const struct timespec interval = { INTERVAL_NS / NS_PER_SEC, INTERVAL_NS % NS_PER_SEC };

	nanosleep(&interval, NULL);
}

/* A rate needs two samples: a single listing comes a second late, as docker's does; the first of
 * many shows no rate yet. */
static int stream(struct view *view, struct error *err)
{
	bool redraws = isatty(STDOUT_FILENO);
	const char *before = redraws ? CLEAR : "";
	int r;

	if (view->options->no_stream) {
		r = draw(view, "", NULL, err);
		if (r < 0)
			return r;
		wait_interval();
		return draw(view, "", stdout, err);
	}
	for (;;) {
		r = draw(view, before, stdout, err);
		if (r < 0)
			return r;
		before = redraws ? HOME : "";
		wait_interval();
	}
}

/* Said once, before anything is shown. */
static int check_words(const struct view *view, struct error *err)
{
	for (char *const *word = view->words; word && *word; word++) {
		cleanup_container struct container *container = NULL;
		int r;

		if (view->is_project && !app_is_service(view->app, *word))
			return error_set(err, -EINVAL, "no such service: %s", *word);
		if (view->is_project)
			continue;
		r = container_find(&view->app->engine, *word, &container, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_stats(struct app *app, void *options, char **args, struct error *err)
{
	struct view view = { .app = app, .options = options, .words = args };
	enum target_kind kind = TARGET_CONTAINERS;
	int r = 0;

	if (args[0])
		r = target_kind_of(app, args[0], &kind, err);
	else if (app->project_name && !app->ad_hoc_only)
		kind = TARGET_SERVICES;
	else if (app->project_error.code)
		return error_move(err, &app->project_error);
	view.is_project = kind == TARGET_SERVICES;
	if (r == 0)
		r = check_words(&view, err);
	if (r == 0)
		r = cgroup_host_open(&view.host, err);
	if (r == 0)
		r = stream(&view, err);
	cgroup_host_free(view.host);
	strmap_release_with(&view.samples, free);
	return r;
}

const struct verb verb_stats = {
	.name = "stats",
	.usage = "[OPTIONS] [SERVICE|CONTAINER...]",
	.summary = "Show what containers use, drawn anew each second",
	.flags = stats_flags,
	.options_size = sizeof(struct stats_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_stats,
};
