/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_grants.c - configs and secrets of a service become files of its container. */
#include "compose/service_grants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "compose/labels.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/grant.h"

/* What differs between the two. */
struct grant_kind {
	const char *section;
	const char *noun;
	size_t size_max;
	const struct file_source *(*find)(const struct project *project, const char *key);
};

static const struct grant_kind config_kind = { "configs", "config", CONFIG_SIZE_MAX,
	project_find_config };
static const struct grant_kind secret_kind = { "secrets", "secret", SECRET_SIZE_MAX,
	project_find_secret };

static int wrap_source(
	struct error *err, const struct grant_kind *kind, const struct file_source *source)
{
	if (!source->mark.file)
		return error_wrap(err, "%s.%s", kind->section, source->key);
	return error_wrap(err, "%s:%u:%u: %s.%s", source->mark.file, source->mark.line,
		source->mark.column, kind->section, source->key);
}

static int too_large(const struct grant_kind *kind, struct error *err)
{
	return error_set(err, -EFBIG,
		"it holds more than the %zu KiB that a %s may have; a bind mount has no such bound",
		kind->size_max >> 10, kind->noun);
}

static int read_source(const struct grant_kind *kind, const struct file_source *source,
	struct grant_content *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t length;
	int r;

	if (source->environment && !source->content)
		return error_set(err, -ENOENT,
			"environment variable \"%s\" required by %s \"%s\" is not set",
			source->environment, kind->noun, source->key);
	if (source->content) {
		length = strlen(source->content);
		if (length > kind->size_max)
			return too_large(kind, err);
		grant_content_set(ret, source->content, length);
		return 0;
	}
	if (!source->file)
		return error_set(err, -EINVAL, "nothing says where its content comes from");
	r = file_read(AT_FDCWD, source->file, kind->size_max, &data, &length, err);
	if (r == -EFBIG)
		return too_large(kind, err);
	if (r < 0)
		return r;
	grant_content_set(ret, data, length);
	explicit_bzero(data, length);
	return 0;
}

static int fill(const struct project *project, const struct grant_kind *kind,
	const struct file_grant *grants, size_t count, struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct file_source *source = kind->find(project, grants[i].source);
		struct spec_grant *to = array_add(spec->grants, spec->grant_count);
		int r;

		to->name = xasprintf("%s '%s'", kind->noun, grants[i].source);
		to->destination = xstrdup(grants[i].target);
		to->uid = grants[i].uid;
		to->gid = grants[i].gid;
		to->mode =
			grants[i].mode & 0555; /* write bits have no effect, the others neither */
		r = read_source(kind, source, &to->content, err);
		if (r < 0)
			return wrap_source(err, kind, source);
	}
	return 0;
}

int service_fill_grants(const struct project *project, const struct service *service,
	struct spec *spec, struct error *err)
{
	int r = fill(project, &config_kind, service->configs, service->config_count, spec, err);

	return r < 0 ? r
		     : fill(project, &secret_kind, service->secrets, service->secret_count, spec,
			       err);
}

static void take_contents(struct spec *from, struct spec *to)
{
	for (size_t i = 0; i < to->grant_count; i++) {
		for (size_t j = 0; j < from->grant_count; j++) {
			if (strcmp(to->grants[i].name, from->grants[j].name) != 0 ||
				strcmp(to->grants[i].destination, from->grants[j].destination) != 0)
				continue;
			grant_content_release(&to->grants[i].content);
			to->grants[i].content = from->grants[j].content;
			from->grants[j].content = (struct grant_content){ 0 };
		}
	}
}

int service_restore_grants(const struct engine *engine, const struct project *project,
	struct container *container, struct error *err)
{
	const char *name = container_label(container, LABEL_SERVICE);
	const struct service *service =
		project && name ? project_find_service(project, name) : NULL;
	struct spec now = { 0 };
	int r;

	if (!service || grants_are_stored(engine, container))
		return 0;
	r = service_fill_grants(project, service, &now, err);
	if (r == 0) {
		take_contents(&now, &container->spec);
		r = grants_store(engine, container, err);
	}
	spec_release(&now);
	return r;
}
