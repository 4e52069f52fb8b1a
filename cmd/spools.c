/* SPDX-License-Identifier: GPL-2.0-or-later
 * spools.c - two spools beside one supervisor. */
#include "cmd/spools.h"

#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

#define DRAIN_NS      NS_PER_SEC
#define DRAIN_LOOK_MS 100

static void has_room(void *arg)
{
	const struct spools *spools = arg;

	if (!spools_are_full(spools))
		supervisor_read_on(spools->supervisor);
}

static void out_gone(void *arg)
{
	const struct spools *spools = arg;

	spools->reader_gone(LOG_STDOUT, spools->arg);
}

static void err_gone(void *arg)
{
	const struct spools *spools = arg;

	spools->reader_gone(LOG_STDERR, spools->arg);
}

int spools_open(struct spools *spools, struct supervisor *supervisor,
	void (*reader_gone)(enum log_stream stream, void *arg), void *arg, struct error *err)
{
	const struct spool_options out = { has_room, out_gone, spools };
	const struct spool_options other = { has_room, err_gone, spools };
	struct loop *loop = supervisor_loop(supervisor);
	int r;

	*spools =
		(struct spools){ .supervisor = supervisor, .reader_gone = reader_gone, .arg = arg };
	r = spool_new(loop, STDOUT_FILENO, &out, &spools->streams[LOG_STDOUT], err);
	if (r == 0)
		r = spool_new(loop, STDERR_FILENO, &other, &spools->streams[LOG_STDERR], err);
	if (r < 0)
		spools_close(spools);
	return r;
}

void spools_close(struct spools *spools)
{
	for (size_t i = 0; i < ARRAY_LEN(spools->streams); i++)
		spool_free(spools->streams[i]);
	*spools = (struct spools){ 0 };
}

FILE *spools_stream(const struct spools *spools, enum log_stream stream)
{
	if (spools->streams[stream])
		return spool_stream(spools->streams[stream]);
	return stream == LOG_STDERR ? stderr : stdout;
}

bool spools_are_full(const struct spools *spools)
{
	for (size_t i = 0; i < ARRAY_LEN(spools->streams); i++)
		if (spools->streams[i] && spool_is_full(spools->streams[i]))
			return true;
	return false;
}

static bool are_empty(const struct spools *spools)
{
	for (size_t i = 0; i < ARRAY_LEN(spools->streams); i++)
		if (spools->streams[i] && !spool_is_empty(spools->streams[i]))
			return false;
	return true;
}

void spools_drain(struct spools *spools, const unsigned int *signals)
{
	const unsigned int before = *signals;
	const int64_t deadline_ns = time_monotonic() + DRAIN_NS;

	while (!are_empty(spools)) {
		if (*signals > before || (before && time_monotonic() > deadline_ns))
			break;
		if (loop_run_once(supervisor_loop(spools->supervisor), DRAIN_LOOK_MS, NULL) < 0)
			break;
	}
}
