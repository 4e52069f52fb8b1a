/* SPDX-License-Identifier: GPL-2.0-or-later
 * attached.c - show, wait, stop: the foreground life of `up`. */
#include "cmd/attached.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/service_manager.h"
#include "cmd/spools.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/container.h"

#define EXIT_INTERRUPTED 130
#define EXIT_UNHEARD	 141 /* as of a command that SIGPIPE has ended */

/* One container that is shown or waited for. */
struct shown {
	char *id;
	char *service;
	size_t source; /* of the printer; SIZE_MAX = not shown */
	bool active;
	struct log_reader *reader; /* only when the supervisor is another process */
	struct loop_source *reader_source;
	struct attached *attached;
};

struct attached {
	struct project_run *run;
	struct attached_options options;
	struct log_printer *printer;
	struct spools spools; /* where we are the supervisor */
	bool unheard;	      /* nobody reads stdout any more */
	int64_t began_ns;
	struct loop *loop; /* the supervisor's, or our own */
	struct loop *own_loop;
	struct strmap containers; /* id -> struct shown */
	unsigned int signals;	  /* how many have come */
	bool stopping;
	bool killed;
	bool aborted;
	int exit_code; /* of the container that decides it, -1 = none yet */
};

static bool is_shown(const struct attached *attached, const char *service)
{
	return strv_contains(attached->options.services, service);
}

/* The record that an id stands for, made on first sight: containers get their ids only while the
 * plan is applied. */
static struct shown *shown_for(
	struct attached *attached, const char *id, const struct container *container)
{
	struct shown *shown = strmap_get(&attached->containers, id);
	cleanup_container struct container *loaded = NULL;
	const char *service, *one_off;

	if (shown)
		return shown;
	if (!container) {
		if (container_load(&attached->run->app->engine, id, &loaded, NULL) < 0)
			return NULL;
		container = loaded;
	}
	one_off = container_label(container, LABEL_ONE_OFF);
	service = container_label(container, LABEL_SERVICE);
	if (!service || (one_off && !strcmp(one_off, "True")))
		return NULL;
	shown = xcalloc(1, sizeof(*shown));
	shown->id = xstrdup(id);
	shown->service = xstrdup(service);
	shown->attached = attached;
	shown->source = SIZE_MAX;
	if (is_shown(attached, service))
		shown->source = log_printer_add(attached->printer,
			log_printer_short_name(attached->run->app->project_name, container->name));
	strmap_set(&attached->containers, id, shown);
	return shown;
}

static void shown_free(void *value)
{
	struct shown *shown = value;

	loop_remove(shown->reader_source);
	log_reader_free(shown->reader);
	free(shown->service);
	free(shown->id);
	free(shown);
}

static void on_output(const struct container *container, enum log_stream stream, int64_t time_ns,
	const char *bytes, size_t length, void *arg)
{
	struct attached *attached = arg;
	struct shown *shown = shown_for(attached, container->id, container);

	if (!shown || shown->source == SIZE_MAX)
		return;
	progress_hide(attached->run->progress);
	log_printer_bytes(attached->printer, shown->source, stream, time_ns, bytes, length);
}

static void read_log(struct shown *shown)
{
	struct log_record record;

	while (shown->reader && log_reader_next(shown->reader, &record, NULL) > 0) {
		progress_hide(shown->attached->run->progress);
		log_printer_line(shown->attached->printer, shown->source, record.stream,
			record.time_ns, record.text, record.length);
	}
	fflush(stdout);
}

static void on_log_ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	read_log(arg);
}

/* With another process as the supervisor. */
static int follow_log(struct shown *shown, int64_t since_ns, struct error *err)
{
	struct log_reader_options options = { .tail = -1, .since_ns = since_ns };
	int r;

	if (!shown->attached->own_loop || shown->reader || shown->source == SIZE_MAX)
		return 0;
	r = log_reader_open(
		&shown->attached->run->app->engine, shown->id, &options, &shown->reader, err);
	if (r < 0)
		return r;
	return loop_add_fd(shown->attached->loop, log_reader_fd(shown->reader), EPOLLIN,
		on_log_ready, shown, &shown->reader_source, err);
}

static void notice_exit(struct attached *attached, struct shown *shown, const struct event *event)
{
	const struct attached_options *options = &attached->options;
	bool decides = options->exit_code_from ? !strcmp(options->exit_code_from, shown->service)
					       : attached->exit_code < 0;
	bool failed = event->exit_code != 0;

	read_log(shown);
	if (shown->source != SIZE_MAX) {
		progress_hide(attached->run->progress);
		log_printer_flush(attached->printer, shown->source);
		FILE *out = spools_stream(&attached->spools, LOG_STDOUT);

		fprintf(out, "%s exited with code %d%s\n",
			log_printer_label(attached->printer, shown->source), event->exit_code,
			event->restarting ? " (restarting)" : "");
		fflush(out);
	}
	if (event->restarting)
		return;
	shown->active = false;
	if (!options->abort_on_exit && !(options->abort_on_failure && failed))
		return;
	if (decides)
		attached->exit_code = event->exit_code < 0 ? 1 : event->exit_code;
	if (!attached->aborted && !attached->stopping) {
		attached->aborted = true;
		fprintf(stderr, "Aborting on container exit...\n");
	}
}

static void on_event(const struct event *event, void *arg)
{
	struct attached *attached = arg;
	struct shown *shown = shown_for(attached, event->id, NULL);

	if (!shown)
		return;
	if (event->kind == EVENT_STARTED) {
		shown->active = true;
		/* What it has written before we heard of its start is shown as well. */
		follow_log(shown, attached->began_ns, NULL);
	} else if (event->kind == EVENT_EXITED) {
		notice_exit(attached, shown, event);
	}
}

static void on_signal(int signal, void *arg)
{
	struct attached *attached = arg;

	(void)signal;
	attached->signals++;
}

static bool on_is_full(void *arg)
{
	return spools_are_full(&((const struct attached *)arg)->spools);
}

static void on_reader_gone(enum log_stream stream, void *arg)
{
	if (stream == LOG_STDOUT)
		((struct attached *)arg)->unheard = true;
}

static void redirect(struct attached *attached)
{
	log_printer_redirect(attached->printer, spools_stream(&attached->spools, LOG_STDOUT),
		spools_stream(&attached->spools, LOG_STDERR));
}

static void close_spools(struct attached *attached)
{
	spools_close(&attached->spools);
	redirect(attached);
}

static bool is_to_stop(const struct attached *attached)
{
	return attached->signals || attached->aborted || attached->unheard;
}

static void kill_all(struct attached *attached)
{
	attached->killed = true;
	strmap_for_each (entry, &attached->containers) {
		const struct shown *shown = entry->value;
		struct request request = { .operation = OPERATION_KILL, .signal = SIGKILL };
		uint64_t tag;

		snprintf(request.id, sizeof(request.id), "%s", shown->id);
		if (shown->active)
			(void)control_submit(attached->run->control, &request, &tag, NULL);
	}
}

static int on_tick(void *arg)
{
	struct attached *attached = arg;

	if (attached->own_loop)
		(void)loop_run_once(attached->own_loop, 0, NULL);
	if (!attached->stopping)
		return is_to_stop(attached) ? -EINTR : 0;
	if (attached->signals > 1 && !attached->killed)
		kill_all(attached);
	return 0;
}

static void print_attaching(struct attached *attached)
{
	const struct plan *plan = &attached->run->plan;
	cleanup_strv char **names = NULL;
	cleanup_free char *text = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];
		const char *label =
			log_printer_short_name(attached->run->app->project_name, action->name);

		if (!action->service || !is_shown(attached, action->service->name) ||
			(action->kind != PLAN_START && action->kind != PLAN_KEEP) ||
			strv_contains(names, label))
			continue;
		log_printer_add(attached->printer, label);
		strv_add(&names, label);
	}
	text = strv_join(names, ", ");
	printf("Attaching to %s\n", text);
	fflush(stdout);
}

int attached_begin(struct project_run *run, const struct attached_options *options,
	struct attached **ret, struct error *err)
{
	struct attached *attached = xcalloc(1, sizeof(*attached));

	(void)err;
	attached->run = run;
	attached->options = *options;
	attached->exit_code = -1;
	attached->began_ns = time_now();
	attached->printer = log_printer_new(run->app, &options->printer);
	print_attaching(attached);
	run->hooks = (struct supervisor_hooks){
		.output = on_output, .output_is_full = on_is_full, .arg = attached
	};
	run->tick = on_tick;
	run->event = on_event;
	run->arg = attached;
	*ret = attached;
	return 0;
}

int attached_connect(struct attached *attached, struct error *err)
{
	struct project_run *run = attached->run;
	struct supervisor *supervisor = control_supervisor(run->control);
	sigset_t signals;
	int r = 0;

	if (!supervisor)
		r = loop_new(&attached->own_loop, err);
	if (r < 0)
		return r;
	attached->loop = supervisor ? supervisor_loop(supervisor) : attached->own_loop;
	for (size_t i = 0; i < run->observed.container_count; i++) {
		const struct observed_container *container = &run->observed.containers[i];
		struct shown *shown = shown_for(attached, container->id, NULL);

		if (!shown || container->status == OBSERVED_CREATED ||
			container->status == OBSERVED_EXITED)
			continue;
		shown->active = true;
		r = follow_log(shown, time_now(), err);
		if (r < 0)
			return r;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	r = loop_watch_signals(attached->loop, &signals, on_signal, attached, err);
	if (r == 0 && supervisor)
		r = spools_open(&attached->spools, supervisor, on_reader_gone, attached, err);
	redirect(attached);
	return r;
}

static bool any_active(const struct attached *attached)
{
	strmap_for_each (entry, &attached->containers) {
		const struct shown *shown = entry->value;

		if (shown->active && strv_contains(attached->options.awaited, shown->service))
			return true;
	}
	return false;
}

static int stop_all(struct attached *attached, struct error *err)
{
	struct project_run *run = attached->run;
	struct plan_down_options options = { 0 };
	int r;

	if (attached->signals)
		fprintf(stderr, "Gracefully stopping... (press Ctrl+C again to force)\n");
	service_manager_tell("STOPPING=1");
	attached->stopping = true;
	plan_release(&run->plan);
	observed_release(&run->observed);
	r = observe_project(&run->app->engine, run->app->project_name, &run->observed, err);
	if (r == 0)
		r = plan_down(run->app->project, &run->observed, &options, &run->plan, err);
	if (r == 0)
		r = project_run_apply(run, CONTROL_FOREGROUND, err);
	return r;
}

static int pump(struct attached *attached, struct error *err)
{
	struct event event = { 0 };
	int r = control_wait(attached->run->control, 100, &event, err);

	if (r > 0) {
		on_event(&event, attached);
		event_release(&event);
	}
	(void)on_tick(attached);
	return r < 0 ? r : 0;
}

static int run(struct attached *attached, struct error *err)
{
	int r = 0;

	while (r == 0 && !is_to_stop(attached) && any_active(attached))
		r = pump(attached, err);
	if (r == 0 && is_to_stop(attached))
		r = stop_all(attached, err);
	if (r < 0)
		return r;
	if (attached->signals)
		return EXIT_INTERRUPTED;
	if (attached->unheard)
		return EXIT_UNHEARD;
	return attached->exit_code > 0 ? attached->exit_code : 0;
}

int attached_run(struct attached *attached, int r, struct error *err)
{
	if (r == 0 || is_to_stop(attached)) {
		error_release(err);
		r = run(attached, err);
	}
	spools_drain(&attached->spools, &attached->signals);
	close_spools(attached);
	return r;
}

void attached_free(struct attached *attached)
{
	if (!attached)
		return;
	strmap_release_with(&attached->containers, shown_free);
	log_printer_free(attached->printer);
	loop_free(attached->own_loop);
	free(attached);
}
