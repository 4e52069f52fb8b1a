/* SPDX-License-Identifier: GPL-2.0-or-later
 * restart.c - whether and when a container that has ended is started again. */
#include "engine/supervisor/restart.h"

#include "engine/base/times.h"

#define DELAY_FIRST (100 * NS_PER_MS)
#define DELAY_MAX   (60 * NS_PER_SEC)
#define RUN_GOOD    (10 * NS_PER_SEC)

bool restart_is_due(const struct restart_question *question)
{
	if (question->stopped_by_user)
		return false;
	if (question->max_retries && question->restarts >= question->max_retries)
		return false;
	if (question->unhealthy)
		return true;
	switch (question->policy) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return question->exit_code > 0;
	case RESTART_NO:
		break;
	}
	return false;
}

uint32_t restart_attempts(uint32_t restarts, int64_t window_ns, int64_t ran_ns)
{
	return window_ns > 0 && ran_ns >= window_ns ? 0 : restarts;
}

bool restart_is_due_after_absence(enum restart_policy policy, bool stopped_by_user)
{
	struct restart_question question = {
		.policy = policy, .exit_code = -1, .stopped_by_user = stopped_by_user
	};

	return restart_is_due(&question);
}

int64_t restart_delay(int64_t last_delay_ns, int64_t ran_ns)
{
	if (last_delay_ns <= 0 || ran_ns >= RUN_GOOD)
		return DELAY_FIRST;
	return last_delay_ns >= DELAY_MAX / 2 ? DELAY_MAX : last_delay_ns * 2;
}
