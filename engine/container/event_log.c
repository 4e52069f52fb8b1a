/* SPDX-License-Identifier: GPL-2.0-or-later
 * event_log.c - append to the log of events, and read it across its rotations. */
#include "engine/container/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

#define DIRECTORY     "events"
#define NAME	      "log"
#define OLD_NAME      "log.1"
#define BLOCK	      16384
#define LINE_KEPT_MAX (256 * 1024)

static char *line_of(const struct container *container, const char *action, const char *attribute)
{
	cleanup_json struct json *object = json_new_object();
	cleanup_free char *text = NULL;

	json_set_int(object, "time", time_now());
	json_set_string(object, "action", action);
	json_set_string(object, "id", container->id);
	json_set_string(object, "name", container->name);
	json_set_string(object, "image", container->image_ref);
	json_set_strv(object, "labels", container->labels);
	if (attribute) {
		struct json *attributes = json_new_array();

		json_append_string(attributes, attribute);
		json_set(object, "attributes", attributes);
	}
	text = json_print(object);
	return xasprintf("%s\n", text);
}

/* Still the file of that name, or has another writer moved it away? */
static bool is_current(int dir_fd, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && fstatat(dir_fd, NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* The lock is on the file itself, so of two writers the second finds it moved already. */
static void rotate(int dir_fd, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < EVENT_LOG_SIZE_MAX || flock(fd, LOCK_EX) < 0)
		return;
	if (is_current(dir_fd, fd))
		renameat(dir_fd, NAME, dir_fd, OLD_NAME);
}

void event_log_add(const struct engine *engine, const struct container *container,
	const char *action, const char *attribute)
{
	cleanup_free char *line = NULL;
	cleanup_fd int dir_fd = dir_make_open(engine->run_fd, DIRECTORY, 0700, NULL);
	cleanup_fd int fd = -1;

	if (dir_fd < 0)
		return;
	fd = openat(dir_fd, NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	line = line_of(container, action, attribute);
	/* One write with O_APPEND: lines of several processes do not mix. */
	if (write(fd, line, strlen(line)) > 0)
		rotate(dir_fd, fd);
}

void event_record_release(struct event_record *record)
{
	free(record->action);
	free(record->id);
	free(record->name);
	free(record->image);
	strv_free(record->labels);
	strv_free(record->attributes);
	*record = (struct event_record){ 0 };
}

struct event_reader {
	int dir_fd;
	int fd; /* -1: there is no log yet */
	int inotify_fd;
	struct strbuf pending; /* read, not yet told */
};

static int open_log(struct event_reader *reader, const char *name, struct error *err)
{
	reader->fd = openat(reader->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (reader->fd < 0 && errno != ENOENT)
		return error_sys(err, -errno, "open the log of events");
	return 0;
}

static int open_inotify(const struct event_reader *reader)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", reader->dir_fd);
	cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -1;
	return steal_fd(&fd);
}

int event_reader_open(const struct engine *engine, enum event_start start,
	struct event_reader **ret, struct error *err)
{
	struct event_reader *reader = xcalloc(1, sizeof(*reader));
	int r;

	reader->fd = reader->inotify_fd = -1;
	r = reader->dir_fd = dir_make_open(engine->run_fd, DIRECTORY, 0700, err);
	if (r >= 0) {
		reader->inotify_fd = open_inotify(reader); /* before the first look */
		r = start == EVENTS_FROM_FIRST ? open_log(reader, OLD_NAME, err) : 0;
	}
	if (r >= 0 && reader->fd < 0)
		r = open_log(reader, NAME, err);
	if (r >= 0 && reader->fd >= 0 && start == EVENTS_FROM_NOW)
		lseek(reader->fd, 0, SEEK_END);
	if (r < 0) {
		event_reader_free(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

void event_reader_free(struct event_reader *reader)
{
	if (!reader)
		return;
	close_fd(&reader->dir_fd);
	close_fd(&reader->fd);
	close_fd(&reader->inotify_fd);
	strbuf_release(&reader->pending);
	free(reader);
}

void event_reader_cleanup(struct event_reader **reader)
{
	event_reader_free(*reader);
}

int event_reader_fd(const struct event_reader *reader)
{
	return reader->inotify_fd;
}

static int parse(const char *line, size_t length, struct event_record *ret, struct error *err)
{
	cleanup_event_record struct event_record record = { 0 };
	cleanup_json struct json *object = NULL;
	int r = json_parse(line, length, &object, err);

	if (r == 0)
		r = json_get_int(object, "time", &record.time_ns, err);
	if (r == 0)
		r = json_get_string(object, "action", &record.action, err);
	if (r == 0)
		r = json_get_string(object, "id", &record.id, err);
	if (r == 0)
		r = json_get_string(object, "name", &record.name, err);
	if (r == 0)
		r = json_opt_string(object, "image", &record.image, err);
	if (r == 0)
		r = json_opt_strv(object, "labels", &record.labels, err);
	if (r == 0)
		r = json_opt_strv(object, "attributes", &record.attributes, err);
	if (r < 0)
		return r;
	*ret = record;
	record = (struct event_record){ 0 };
	return 0;
}

/* The first whole line of what has been read: 1 = *ret is filled, 0 = more is needed. */
static int take_line(struct event_reader *reader, struct event_record *ret)
{
	for (;;) {
		const char *text = strbuf_text(&reader->pending);
		const char *end = memchr(text, '\n', reader->pending.length);
		cleanup_error struct error ignored = ERROR_INIT;
		int r;

		if (!end && reader->pending.length > LINE_KEPT_MAX)
			strbuf_clear(&reader->pending);
		if (!end)
			return 0;
		r = parse(text, (size_t)(end - text), ret, &ignored);
		strbuf_consume(&reader->pending, (size_t)(end - text) + 1);
		if (r == 0)
			return 1;
	}
}

/* What is written to a file after it was moved away is read as well: the name is looked at before
 * the last read, not after it. */
static int read_more(struct event_reader *reader, struct error *err)
{
	char block[BLOCK];
	bool moved = reader->fd >= 0 && !is_current(reader->dir_fd, reader->fd);
	ssize_t length = reader->fd < 0 ? 0 : read(reader->fd, block, sizeof(block));
	int r;

	if (length < 0)
		return error_sys(err, -errno, "read the log of events");
	strbuf_add(&reader->pending, block, (size_t)length);
	if (length > 0)
		return 1;
	if (reader->fd >= 0 && !moved)
		return 0;
	close_fd(&reader->fd);
	r = open_log(reader, NAME, err);
	return r < 0 ? r : reader->fd >= 0;
}

/* Emptied before the look: what comes after it wakes the waiter again. */
static void drain_inotify(const struct event_reader *reader)
{
	char bytes[4096];

	while (reader->inotify_fd >= 0 && read(reader->inotify_fd, bytes, sizeof(bytes)) > 0)
		;
}

int event_reader_next(struct event_reader *reader, struct event_record *ret, struct error *err)
{
	int r;

	drain_inotify(reader);
	do {
		if (take_line(reader, ret))
			return 1;
		r = read_more(reader, err);
	} while (r > 0);
	return r;
}
