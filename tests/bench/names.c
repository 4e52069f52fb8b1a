/* SPDX-License-Identifier: GPL-2.0-or-later
 * names.c - how many names a second the name service looks up: A, AAAA and PTR questions of one
 * container by UDP, with asker and service taking turns on one core, and what of that is the
 * service's own time. Two figures on standard output; works as root in network namespaces of its
 * own. */
#include "tests/unit/engine/net/resolver_scene.h"

#include <sched.h>
#include <time.h>

enum { BURST = 64, ROUNDS = 2000, REPEATS = 5 };

static const struct question {
	const char *name;
	uint16_t type;
} questions[] = {
	{ "db", DNS_TYPE_A },
	{ "web.front", DNS_TYPE_A },
	{ "db", DNS_TYPE_AAAA },
	{ "2.0.30.172.in-addr.arpa", DNS_TYPE_PTR },
};

static void one_core(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

struct figures {
	double all;	/* look-ups a second, asker's work and kernel's included */
	double service; /* a second of the time spent in resolver_run */
};

static struct figures round_measure(struct resolver *resolver, int fd)
{
	uint8_t query[ARRAY_LEN(questions)][DNS_UDP_PLAIN], answer[DNS_UDP_PLAIN];
	size_t length[ARRAY_LEN(questions)], answered = 0;
	int64_t began = cpu_time(), service = 0;

	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		length[i] = query_make(query[i], questions[i].name, questions[i].type, 1);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t before;

		for (size_t i = 0; i < BURST; i++) {
			size_t which = i % ARRAY_LEN(questions);

			assert_int_equal(
				send(fd, query[which], length[which], 0), (ssize_t)length[which]);
		}
		before = cpu_time();
		resolver_run(resolver);
		service += cpu_time() - before;
		while (recv(fd, answer, sizeof(answer), 0) > 0)
			answered++;
	}
	assert_int_equal(answered, BURST * ROUNDS); /* lost ones would pass for fast ones */
	return (struct figures){ (double)answered * 1e9 / (double)(cpu_time() - began),
		(double)answered * 1e9 / (double)service };
}

static void names_a_second(void **state)
{
	struct sockaddr_in address = address_of("172.30.0.1", DNS_PORT);
	struct figures best = { 0, 0 };
	struct scene s;
	int fd;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	one_core();
	fd = socket_in(s.web_ns, SOCK_DGRAM, NULL, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	for (int i = 0; i < REPEATS; i++) {
		struct figures figures = round_measure(s.resolver, fd);

		if (figures.all > best.all)
			best = figures;
	}
	printf("look-ups a second, asker and service on one core: %.0f\n", best.all);
	printf("look-ups a second of the service's own time: %.0f\n", best.service);
	close(fd);
	scene_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { host_test(names_a_second) };

	return cmocka_run_group_tests_name("names", tests, mounts_private, NULL);
}
