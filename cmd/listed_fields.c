/* SPDX-License-Identifier: GPL-2.0-or-later
 * listed_fields.c - a container as the fields that `ps` shows, in docker's and Compose's form.
 * Members are set in alphabetical order: that is how both print them. */
#include <stdlib.h>
#include <string.h>

#include "cmd/listed.h"
#include "cmd/tree_size.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/ports_text.h"

#define COMMAND_SHOWN 20 /* characters of a command in a table */
#define MOUNT_SHOWN   15

/* At most `most` characters, the last of which is an ellipsis when something is cut. Heap. */
static char *ellipsis(const char *text, size_t most)
{
	size_t characters = 0, cut = 0, i;

	for (i = 0; text[i]; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (characters == most - 1)
			cut = i;
		characters++;
	}
	if (characters <= most)
		return xstrdup(text);
	return xasprintf("%.*s…", (int)cut, text);
}

/* Go's strconv.Quote, as far as bytes below 0x80 go. */
static char *go_quote(const char *text)
{
	static const char named[] = "\a\b\f\n\r\t\v\"\\", names[] = "abfnrtv\"\\";
	struct strbuf out = STRBUF_INIT;

	strbuf_add_char(&out, '"');
	for (; *text; text++) {
		const char *known = strchr(named, *text);

		if (known)
			strbuf_addf(&out, "\\%c", names[known - named]);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			strbuf_addf(&out, "\\x%02x", (unsigned char)*text);
		else
			strbuf_add_char(&out, *text);
	}
	strbuf_add_char(&out, '"');
	return strbuf_steal(&out);
}

/* As docker's engine: an argument with a blank in it is put in single quotes, the program is not.
 */
static char *join_args(char *const *args)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; args && args[i]; i++) {
		const char *quote = i > 0 && strchr(args[i], ' ') ? "'" : "";

		strbuf_addf(&out, "%s%s%s%s", i ? " " : "", quote, args[i], quote);
	}
	return strbuf_steal(&out);
}

char *listed_command_text(char *const *args, bool no_trunc)
{
	cleanup_free char *joined = join_args(args);
	cleanup_free char *cut = no_trunc ? xstrdup(joined) : ellipsis(joined, COMMAND_SHOWN);

	return go_quote(cut);
}

static char *short_id(const struct listed *listed, const struct listed_view *view)
{
	return xstrndup(listed->container->id, view->no_trunc ? ID_LENGTH : ID_SHORT_LENGTH);
}

static char *networks_text(const struct container *container)
{
	cleanup_strv char **names = NULL;

	for (size_t i = 0; i < container->attachment_count; i++)
		strv_add(&names, container->attachments[i].network);
	if (container->spec.network.mode == NAMESPACE_HOST)
		strv_add(&names, "host");
	else if (!names && container->spec.network.mode == NAMESPACE_PRIVATE)
		strv_add(&names, "none");
	strv_sort(names);
	return strv_join(names, ",");
}

static char *mounts_text(const struct container *container, bool no_trunc, size_t *ret_volumes)
{
	cleanup_strv char **names = NULL;
	size_t volumes = 0;

	for (size_t i = 0; i < container->spec.mount_count; i++) {
		const struct spec_mount *mount = &container->spec.mounts[i];

		if (mount->type == MOUNT_TMPFS || !mount->source)
			continue;
		volumes += mount->type == MOUNT_VOLUME;
		strv_take(&names,
			no_trunc ? xstrdup(mount->source) : ellipsis(mount->source, MOUNT_SHOWN));
	}
	*ret_volumes = volumes;
	return strv_join(names, ",");
}

/* What the writable layer holds, when asked for; docker prints 0B otherwise. */
static char *size_text(const struct listed *listed, const struct listed_view *view)
{
	cleanup_free char *path = NULL;
	cleanup_free char *size = NULL;
	uint64_t bytes = 0;

	if (!view->with_size)
		return xstrdup("0B");
	path = xasprintf("containers/%s/upper", listed->container->id);
	if (tree_size(view->engine->data_fd, path, &bytes, NULL) < 0)
		return xstrdup("0B");
	size = format_size(bytes);
	return xasprintf("%s", size);
}

struct texts {
	char *command, *created_at, *id, *labels, *mounts, *networks, *ports, *running_for, *size,
		*status, *volumes;
};

static void texts_fill(
	const struct listed *listed, const struct listed_view *view, struct texts *texts)
{
	const struct container *container = listed->container;
	int64_t age = view->now_ns - container->created_ns;
	cleanup_free char *human = time_format_human(age > 0 ? age : 0);
	size_t volumes = 0;

	texts->command = listed_command_text(container->spec.args, view->no_trunc);
	texts->created_at = time_format_created_at(container->created_ns);
	texts->id = short_id(listed, view);
	texts->labels = strv_join(container->labels, ",");
	texts->mounts = mounts_text(container, view->no_trunc, &volumes);
	texts->networks = networks_text(container);
	texts->ports = container_ports_text(view->engine, container, &listed->state);
	texts->running_for = xasprintf("%s ago", human);
	texts->size = size_text(listed, view);
	texts->status = container_status_text(&listed->state, view->now_ns);
	texts->volumes = xasprintf("%zu", volumes);
}

static void texts_release(struct texts *texts)
{
	char **all[] = { &texts->command, &texts->created_at, &texts->id, &texts->labels,
		&texts->mounts, &texts->networks, &texts->ports, &texts->running_for, &texts->size,
		&texts->status, &texts->volumes };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(*all[i]);
}

void listed_add_docker(
	const struct listed *listed, const struct listed_view *view, struct format_items *items)
{
	struct json *fields = json_new_object();
	struct texts texts;

	texts_fill(listed, view, &texts);
	json_set_string(fields, "Command", texts.command);
	json_set_string(fields, "CreatedAt", texts.created_at);
	json_set_string(fields, "ID", texts.id);
	json_set_string(fields, "Image", listed->container->image_ref);
	json_set_string(fields, "Labels", texts.labels);
	json_set_string(fields, "LocalVolumes", texts.volumes);
	json_set_string(fields, "Mounts", texts.mounts);
	json_set_string(fields, "Names", listed->container->name);
	json_set_string(fields, "Networks", texts.networks);
	json_set_string(fields, "Ports", texts.ports);
	json_set_string(fields, "RunningFor", texts.running_for);
	json_set_string(fields, "Size", texts.size);
	json_set_string(fields, "State", container_status_name(listed->state.status));
	json_set_string(fields, "Status", texts.status);
	texts_release(&texts);
	format_items_add(items, fields, listed->container->labels);
}

static void add_publisher(struct json *array, const char *url, uint16_t target, uint16_t published,
	const char *protocol)
{
	struct json *publisher = json_new_object();

	json_set_string(publisher, "URL", url);
	json_set_int(publisher, "TargetPort", target);
	json_set_int(publisher, "PublishedPort", published);
	json_set_string(publisher, "Protocol", protocol);
	json_append(array, publisher);
}

/* "6379/tcp" that no published port covers. */
static void add_exposed(
	struct json *array, const char *exposed, const struct published_port *ports, size_t count)
{
	cleanup_free char *number = xstrndup(exposed, strcspn(exposed, "/"));
	const char *protocol = strchr(exposed, '/') ? strchr(exposed, '/') + 1 : "tcp";
	uint64_t port;

	if (parse_u64(number, 1, UINT16_MAX, &port) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (ports[i].container_port == port && !strcmp(ports[i].protocol, protocol))
			return;
	add_publisher(array, "", (uint16_t)port, 0, protocol);
}

static struct json *publishers(const struct listed *listed, const struct listed_view *view)
{
	const struct container *container = listed->container;
	struct json *array = json_new_array();
	struct endpoint *endpoints = NULL;
	const struct published_port *ports = NULL;
	size_t endpoint_count = 0, count = 0;

	if (!listed_is_up(listed))
		return array;
	/* The endpoint knows the ephemeral ports that were chosen. */
	(void)endpoint_of_container(view->engine, container->id, &endpoints, &endpoint_count, NULL);
	for (size_t i = 0; i < endpoint_count; i++) {
		if (endpoints[i].port_count) {
			ports = endpoints[i].ports;
			count = endpoints[i].port_count;
		}
	}
	for (size_t i = 0; i < count; i++)
		add_publisher(array, ports[i].host_ip ? ports[i].host_ip : "0.0.0.0",
			ports[i].container_port, ports[i].host_port, ports[i].protocol);
	for (size_t i = 0; i < strv_length(container->exposed); i++)
		add_exposed(array, container->exposed[i], ports, count);
	endpoint_list_free(endpoints, endpoint_count);
	return array;
}

/* Of what runs only, as Compose has it. */
static const char *health_text(const struct listed *listed)
{
	const struct container_state *state = &listed->state;

	if (state->health == HEALTH_NONE || !container_is_up(state->status) ||
		state->status == CONTAINER_RESTARTING)
		return "";
	return container_health_name(state->health);
}

void listed_add_compose(
	const struct listed *listed, const struct listed_view *view, struct format_items *items)
{
	const struct container *container = listed->container;
	const char *project = container_label(container, LABEL_PROJECT);
	struct json *fields = json_new_object();
	struct texts texts;

	texts_fill(listed, view, &texts);
	json_set_string(fields, "Command", texts.command);
	json_set_string(fields, "CreatedAt", texts.created_at);
	json_set_int(fields, "ExitCode", listed_is_up(listed) ? 0 : listed->state.exit_code);
	json_set_string(fields, "Health", health_text(listed));
	json_set_string(fields, "ID", texts.id);
	json_set_string(fields, "Image", container->image_ref);
	json_set_string(fields, "Labels", texts.labels);
	json_set_string(fields, "LocalVolumes", texts.volumes);
	json_set_string(fields, "Mounts", texts.mounts);
	json_set_string(fields, "Name", container->name);
	json_set_string(fields, "Names", container->name);
	json_set_string(fields, "Networks", texts.networks);
	json_set_string(fields, "Ports", texts.ports);
	json_set_string(fields, "Project", project ? project : "");
	json_set(fields, "Publishers", publishers(listed, view));
	json_set_string(fields, "RunningFor", texts.running_for);
	json_set_string(fields, "Service", listed_service(listed));
	json_set_string(fields, "Size", texts.size);
	json_set_string(fields, "State", container_status_name(listed->state.status));
	json_set_string(fields, "Status", texts.status);
	texts_release(&texts);
	format_items_add(items, fields, container->labels);
}
