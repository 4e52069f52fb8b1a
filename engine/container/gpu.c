/* SPDX-License-Identifier: GPL-2.0-or-later
 * gpu.c - the device nodes behind docker's --gpus.
 *
 * Docker hands such a request to the vendor's container toolkit, which brings nodes and user-space
 * driver. Here the nodes are given where the host has them, and the driver is the image's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/spec.h"

#define CARDS_MAX 64

static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

static int refuse(const struct spec_gpus *gpus, const char *why, struct error *err)
{
	cleanup_free char *capabilities = strv_join(gpus->capabilities, " ");

	return error_set(err, -ENODEV,
		"could not select device driver \"%s\" with capabilities: [[%s]]: %s",
		gpus->driver ? gpus->driver : "",
		capabilities && *capabilities ? capabilities : "gpu", why);
}

static int add_card(
	struct spec *spec, const char *number, const struct spec_gpus *gpus, struct error *err)
{
	cleanup_free char *path = xasprintf("/dev/nvidia%s", number);
	uint64_t value;

	if (parse_u64(number, 0, CARDS_MAX - 1, &value) < 0)
		return refuse(gpus, "device ids are numbers of /dev/nvidiaN here", err);
	if (!is_device(path)) {
		cleanup_free char *why = xasprintf("there is no %s on this host", path);

		return refuse(gpus, why, err);
	}
	return spec_add_device(spec, path, NULL, NULL, err);
}

static int add_counted(struct spec *spec, const struct spec_gpus *gpus, struct error *err)
{
	int64_t found = 0;

	for (int i = 0; i < CARDS_MAX && (gpus->count < 0 || found < gpus->count); i++) {
		cleanup_free char *number = xasprintf("%d", i);
		cleanup_free char *path = xasprintf("/dev/nvidia%d", i);
		int r;

		if (!is_device(path))
			continue;
		r = add_card(spec, number, gpus, err);
		if (r < 0)
			return r;
		found++;
	}
	if (found == 0 || found < gpus->count)
		return refuse(gpus, "this host has not that many", err);
	return 0;
}

int spec_add_gpus(struct spec *spec, const struct spec_gpus *gpus, struct error *err)
{
	static const char *const common[] = { "/dev/nvidiactl", "/dev/nvidia-uvm",
		"/dev/nvidia-uvm-tools", "/dev/nvidia-modeset" };
	int r = 0;

	if (gpus->driver && *gpus->driver && strcmp(gpus->driver, "nvidia") != 0)
		return refuse(gpus, "only nvidia's nodes are known here", err);
	if (!strv_contains(gpus->capabilities, "gpu") && strv_length(gpus->capabilities))
		return refuse(gpus, "only the capability gpu is known here", err);
	if (gpus->count > 0 && strv_length(gpus->ids))
		return error_set(
			err, -EINVAL, "cannot set both Count and DeviceIDs on device request");
	if (!is_device(common[0]))
		return refuse(gpus,
			"this host has no /dev/nvidiactl; give other devices by their paths "
			"(devices:)",
			err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(common); i++)
		if (is_device(common[i]))
			r = spec_add_device(spec, common[i], NULL, NULL, err);
	for (size_t i = 0; r == 0 && i < strv_length(gpus->ids); i++)
		r = add_card(spec, gpus->ids[i], gpus, err);
	if (r == 0 && !strv_length(gpus->ids))
		r = add_counted(spec, gpus, err);
	if (r == 0)
		log_warning(
			"gpus: the device nodes are given; the user-space driver has to be in the "
			"image");
	return r;
}
