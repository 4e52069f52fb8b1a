/* SPDX-License-Identifier: GPL-2.0-or-later
 * document.c - the image config document: what it holds beside the container config, and the
 * platform it is made for. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/image/config.h"
#include "engine/image/digest.h"
#include "engine/image/manifest.h"

static const struct {
	const char *machine; /* of uname(2) */
	const char *architecture;
	const char *variant;
} machines[] = {
	{ "x86_64", "amd64", NULL },
	{ "aarch64", "arm64", "v8" },
	{ "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" },
	{ "i686", "386", NULL },
	{ "ppc64le", "ppc64le", NULL },
	{ "riscv64", "riscv64", NULL },
	{ "s390x", "s390x", NULL },
};

void platform_host(struct platform *ret)
{
	struct utsname name;

	*ret = (struct platform){ .os = "linux", .architecture = "unknown" };
	if (uname(&name) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		if (strcmp(machines[i].machine, name.machine) == 0) {
			ret->architecture = machines[i].architecture;
			ret->variant = machines[i].variant;
		}
	}
}

static int parse_diff_ids(const struct json *rootfs, struct image *image, struct error *err)
{
	cleanup_free char *type = NULL;
	const struct json *diff_ids = json_get(rootfs, "diff_ids");
	int r = json_get_string(rootfs, "type", &type, err);

	if (r < 0)
		return error_wrap(err, "rootfs");
	if (strcmp(type, "layers") != 0 || !json_is_array(diff_ids) ||
		json_count(diff_ids) > LAYERS_MAX)
		return error_set(
			err, -EBADMSG, "'rootfs': must list at most %d layers", LAYERS_MAX);
	json_for_each (item, diff_ids) {
		const char *diff_id = json_string(item);
		size_t count = strv_length(image->chain_ids);
		const char *below = count ? image->chain_ids[count - 1] : NULL;

		if (!digest_is_valid(diff_id))
			return error_set(err, -EBADMSG, "'rootfs.diff_ids': not a sha256 digest");
		strv_add(&image->diff_ids, diff_id);
		strv_take(&image->chain_ids, digest_chain(below, diff_id));
	}
	return 0;
}

static int parse(const struct json *json, struct image *image, struct error *err)
{
	const char *created = json_string(json_get(json, "created"));
	int r;

	if (!json_is_object(json))
		return error_set(err, -EBADMSG, "not an object");
	r = json_get_string(json, "architecture", &image->architecture, err);
	if (r == 0)
		r = json_get_string(json, "os", &image->os, err);
	if (r == 0)
		r = parse_diff_ids(json_get(json, "rootfs"), image, err);
	if (r == 0)
		r = config_from_json(json_get(json, "config"), &image->config, err);
	if (r < 0)
		return r;
	/* Informative only: an image whose date nobody can read still runs. */
	if (!created || time_parse_rfc3339(created, &image->created_ns) < 0)
		image->created_ns = 0;
	return 0;
}

int image_document_parse(const char *bytes, size_t length, struct image *image, struct error *err)
{
	cleanup_json struct json *json = NULL;
	int r = json_parse(bytes, length, &json, err);

	if (r == 0)
		r = parse(json, image, err);
	if (r < 0) {
		image_document_release(image);
		return error_wrap(err, "image config");
	}
	return 0;
}

void image_document_release(struct image *image)
{
	free(steal_ptr(image->architecture));
	free(steal_ptr(image->os));
	strv_free(steal_ptr(image->diff_ids));
	strv_free(steal_ptr(image->chain_ids));
	config_release(&image->config);
}
