/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_test.c - ports, addresses, names and rules come with a run and go with it, in a netns of
 * the test's own. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "engine/net/network.h"
#include "tests/unit/engine/supervisor/group.h"

struct netted {
	struct group *group;
	int home_netns;
};

static void loopback_up(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static int net_setup(void **state)
{
	struct netted *netted;
	cleanup_free char *lock = NULL;
	void *group;

	if (group_setup(&group) < 0)
		return -1;
	*state = NULL;
	if (!group)
		return 0;
	netted = xcalloc(1, sizeof(*netted));
	netted->group = group;
	netted->home_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	loopback_up();
	lock = xasprintf("%s/xtables.lock", netted->group->box->world->path);
	setenv("XTABLES_LOCKFILE", lock, 1);
	*state = netted;
	return 0;
}

static int net_teardown(void **state)
{
	struct netted *netted = *state;
	void *group;
	int r;

	if (!netted)
		return 0;
	group = netted->group;
	r = group_teardown(&group);
	assert_int_equal(setns(netted->home_netns, CLONE_NEWNET), 0);
	close(netted->home_netns);
	free(netted);
	return r;
}

#define net_test(f) cmocka_unit_test_setup_teardown(f, net_setup, net_teardown)

static void make_network(struct group *group, const char *name, bool internal)
{
	struct network_request request = { .name = name, .internal = internal };
	cleanup_network struct network *network = NULL;
	cleanup_error struct error err = ERROR_INIT;

	check_ok(network_create(group->engine, &request, &network, &err), &err);
}

static void attach(struct container *container, const char *network)
{
	struct container_attachment *attachment =
		array_add(container->attachments, container->attachment_count);

	attachment->network = xstrdup(network);
}

static void publish(struct container *container, uint16_t host_port, uint16_t container_port)
{
	struct published_port *port = array_add(container->ports, container->port_count);

	port->host_port = host_port;
	port->container_port = container_port;
	snprintf(port->protocol, sizeof(port->protocol), "tcp");
}

static struct sockaddr_in local_port(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool port_is_free(uint16_t port)
{
	struct sockaddr_in address = local_port(port);
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
}

/* What the service behind a published port says; the supervisor works on meanwhile. */
static bool port_answers(struct group *group, uint16_t port, const char *expected)
{
	struct sockaddr_in address = local_port(port);

	for (int attempt = 0; attempt < 200; attempt++) {
		cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct timeval limit = { .tv_usec = 200000 };
		char text[32] = "";

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			read(fd, text, sizeof(text) - 1) > 0)
			return strcmp(text, expected) == 0;
		pump_for(group, 20);
	}
	return false;
}

/* The container's first endpoint; its port numbers are copied out. */
static size_t endpoint_of(struct group *group, const struct container *container,
	char address[static INET_ADDRSTRLEN], uint16_t ports[static 2])
{
	struct endpoint *endpoints = NULL;
	size_t count = 0;

	assert_int_equal(
		endpoint_of_container(group->engine, container->id, &endpoints, &count, NULL), 0);
	if (count > 0) {
		snprintf(address, INET_ADDRSTRLEN, "%s", endpoints[0].address);
		for (size_t i = 0; i < 2 && i < endpoints[0].port_count; i++)
			ports[i] = endpoints[0].ports[i].host_port;
	}
	endpoint_list_free(endpoints, count);
	return count;
}

static char *rules(void)
{
	struct strbuf text = STRBUF_INIT;
	FILE *pipe = popen("iptables-legacy -S; iptables-legacy -t nat -S", "re");
	int c;

	assert_non_null(pipe);
	while ((c = fgetc(pipe)) != EOF)
		strbuf_add_char(&text, (char)c);
	assert_int_equal(pclose(pipe), 0);
	return strbuf_steal(&text);
}

#define netted_or_skip(state)                       \
	({                                          \
		if (!*(state))                      \
			skip();                     \
		((struct netted *)*(state))->group; \
	})

static const char server[] =
	"trap 'exit 1' TERM; while :; do echo hi | busybox nc -l -p 80; done & wait";

static void ports_and_rules_come_with_a_start_and_go_with_the_end(void **state)
{
	struct group *group = netted_or_skip(state);
	cleanup_container struct container *container = group_container("web", server);
	char address[INET_ADDRSTRLEN];
	cleanup_free char *before = NULL, *during = NULL, *after = NULL;
	uint16_t ports[2] = { 0, 0 };

	make_network(group, "front", false);
	attach(container, "front");
	publish(container, 18080, 80);
	publish(container, 0, 80);
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	before = rules();
	must(group, OPERATION_START, container);
	/* As soon as the start is told, the rules stand. */
	during = rules();
	check_contains(during, "18080");
	assert_int_equal(endpoint_of(group, container, address, ports), 1);
	assert_int_equal(ports[0], 18080);
	assert_int_not_equal(ports[1], 0);
	assert_false(port_is_free(18080));
	assert_false(port_is_free(ports[1]));
	assert_true(port_answers(group, 18080, "hi\n"));
	assert_true(port_answers(group, ports[1], "hi\n"));
	must(group, OPERATION_KILL, container);
	next_event(group, EVENT_EXITED, container);
	assert_int_equal(endpoint_of(group, container, address, ports), 0);
	assert_true(port_is_free(18080));
	pump_for(group, 100);
	after = rules();
	assert_null(strstr(after, "18080"));
	assert_int_equal(network_remove(group->engine, "front", NULL), 0);
	free(after);
	after = rules();
	assert_string_equal(after, before);
}

static void an_automatic_restart_keeps_address_and_ports(void **state)
{
	struct group *group = netted_or_skip(state);
	cleanup_container struct container *container = group_container("web", server);
	struct request request = request_for(OPERATION_KILL, container);
	char first[INET_ADDRSTRLEN], second[INET_ADDRSTRLEN];
	uint16_t first_ports[2] = { 0, 0 }, second_ports[2] = { 0, 0 };

	container->restart = RESTART_ON_FAILURE;
	container->stop_signal = SIGINT;
	make_network(group, "front", false);
	attach(container, "front");
	publish(container, 0, 80);
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_int_equal(endpoint_of(group, container, first, first_ports), 1);
	assert_true(port_answers(group, first_ports[0], "hi\n"));
	request.signal = SIGTERM; /* its own end, not a stop */
	assert_int_equal(control_call(group->control, &request, NULL), 0);
	assert_true(next_event(group, EVENT_EXITED, container).restarting);
	assert_false(port_is_free(first_ports[0]));
	next_event(group, EVENT_STARTED, container);
	assert_int_equal(endpoint_of(group, container, second, second_ports), 1);
	assert_string_equal(first, second);
	assert_int_equal(first_ports[0], second_ports[0]);
	assert_true(port_answers(group, second_ports[0], "hi\n"));
	must(group, OPERATION_STOP, container);
}

static void row_12_15_a_port_in_use_refuses_the_start_and_leaves_nothing(void **state)
{
	struct group *group = netted_or_skip(state);
	cleanup_container struct container *container = group_container("web", server);
	struct request request = request_for(OPERATION_START, container);
	struct sockaddr_in taken = local_port(18081);
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_error struct error err = ERROR_INIT;
	char address[INET_ADDRSTRLEN];
	uint16_t ports[2];

	assert_int_equal(bind(fd, (struct sockaddr *)&taken, sizeof(taken)), 0);
	assert_int_equal(listen(fd, 1), 0);
	make_network(group, "front", false);
	attach(container, "front");
	publish(container, 18081, 80);
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(control_call(group->control, &request, &err), -EADDRINUSE);
	check_contains(error_text(&err), "18081");
	assert_int_equal(endpoint_of(group, container, address, ports), 0);
	check_no_run(group, container);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 0);
}

static void containers_find_each_other_by_name(void **state)
{
	struct group *group = netted_or_skip(state);
	cleanup_container struct container *web = group_container("web", "exec sleep 1000");
	cleanup_container struct container *asker = group_container(
		"asker", "busybox nslookup web; busybox nslookup nosuch.invalid || echo none");
	char address[INET_ADDRSTRLEN];
	uint16_t ports[2];

	make_network(group, "back", true);
	attach(web, "back");
	attach(asker, "back");
	group_create(group, web);
	group_create(group, asker);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, web);
	must(group, OPERATION_START, asker);
	assert_int_equal(endpoint_of(group, web, address, ports), 1);
	next_event(group, EVENT_EXITED, asker);
	check_contains(strbuf_text(&group->output), address);
	check_contains(strbuf_text(&group->output), "none");
	must(group, OPERATION_KILL, web);
	next_event(group, EVENT_EXITED, web);
}

static void an_adopted_container_s_ports_are_held_again(void **state)
{
	struct group *group = netted_or_skip(state);
	cleanup_container struct container *container = group_container("web", server);
	uint16_t ports[2] = { 0, 0 };
	char address[INET_ADDRSTRLEN];

	make_network(group, "front", false);
	attach(container, "front");
	publish(container, 0, 80);
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_int_equal(endpoint_of(group, container, address, ports), 1);
	group_close(group);
	assert_true(port_is_free(ports[0]));
	group_open(group, CONTROL_FOREGROUND);
	assert_false(port_is_free(ports[0]));
	assert_true(port_answers(group, ports[0], "hi\n"));
	must(group, OPERATION_KILL, container);
	next_event(group, EVENT_EXITED, container);
	assert_true(port_is_free(ports[0]));
}

struct cycle {
	struct group *group;
	struct container *container;
};

/* A supervisor's whole work on one container, in a process that is killed on the way. */
static int start_and_stop(void *arg)
{
	struct cycle *cycle = arg;
	struct group own = { .engine = cycle->group->engine, .box = cycle->group->box };
	struct request request = request_for(OPERATION_STOP, cycle->container);

	if (control_open(own.engine, GROUP, CONTROL_FOREGROUND, NULL, &own.control, NULL) < 0 ||
		ask(&own, OPERATION_START, cycle->container) < 0)
		return 1;
	request.timeout_ns = 0;
	if (control_call(own.control, &request, NULL) < 0)
		return 1;
	group_close(&own);
	return 0;
}

static void check_nothing_of(struct group *group, const struct container *container)
{
	cleanup_free char *now = rules();
	char address[INET_ADDRSTRLEN];
	uint16_t ports[2];

	check_no_run(group, container);
	assert_int_equal(endpoint_of(group, container, address, ports), 0);
	assert_null(strstr(now, "18090"));
	assert_true(port_is_free(18090));
}

static void row_13_1_killed_at_any_moment_leaves_nothing_that_the_next_cannot_clear(void **state)
{
	enum { STEP = 23 };
	struct group *group = netted_or_skip(state);
	bool ended = false;

	make_network(group, "front", false);
	for (unsigned int call = 1; !ended; call += STEP) {
		cleanup_container struct container *container =
			group_container("victim", "exec sleep 1000");
		struct cycle cycle = { group, container };
		struct request request = request_for(OPERATION_STOP, container);
		cleanup_error struct error err = ERROR_INIT;

		attach(container, "front");
		publish(container, 18090, 80);
		group_create(group, container);
		ended = killed_at(call, start_and_stop, &cycle);
		/* As `down` would. */
		group_open(group, CONTROL_FOREGROUND);
		request.timeout_ns = 0;
		check_ok(control_call(group->control, &request, &err), &err);
		check_ok(container_remove(group->engine, container, true, NULL, &err), &err);
		group_close(group);
		check_ok(firewall_sync(group->engine, &err), &err); /* network_remove's */
		check_nothing_of(group, container);
		assert_false(run_exists(group, "groups/" GROUP));
	}
}

static const struct CMUnitTest tests[] = {
	net_test(row_13_1_killed_at_any_moment_leaves_nothing_that_the_next_cannot_clear),
	net_test(ports_and_rules_come_with_a_start_and_go_with_the_end),
	net_test(an_automatic_restart_keeps_address_and_ports),
	net_test(row_12_15_a_port_in_use_refuses_the_start_and_leaves_nothing),
	net_test(containers_find_each_other_by_name),
	net_test(an_adopted_container_s_ports_are_held_again),
};

box_main("uplink", tests)
