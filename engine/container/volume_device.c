/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_device.c - read the options of a volume; make a mount of what they name. */
#include "engine/container/volume_device.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_words.h"

static const char *const keys[] = { "type", "o", "device" };

static int check_keys(char *const *options, struct error *err)
{
	for (; options && *options; options++) {
		cleanup_free char *key = xstrndup(*options, strcspn(*options, "="));
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known |= strcmp(keys[i], key) == 0;
		if (strcmp(key, "size") == 0)
			return error_set(
				err, -EOPNOTSUPP, "quota size requested but no quota support");
		if (!known)
			return error_set(err, -EINVAL, "invalid option: \"%s\"", key);
	}
	return 0;
}

static const char *value_of(char *const *options, const char *key)
{
	const char *value = env_get(options, key);

	return value && *value ? value : NULL;
}

/* "bind" makes it one whatever the type says. */
static void sort_words(const char *o, struct volume_device *ret)
{
	cleanup_strv char **words = strv_split(o, ",");

	for (char **text = words; text && *text; text++) {
		const struct mount_word *word = mount_word_find(*text);

		if (strcmp(*text, "bind") == 0 || strcmp(*text, "rbind") == 0)
			ret->kind = VOLUME_BIND;
		else if (word && !word->is_option)
			ret->attributes = mount_word_apply(word, ret->attributes);
		else if (**text)
			strv_add(&ret->options, *text);
	}
}

int volume_device_parse(char *const *options, struct volume_device *ret, struct error *err)
{
	const char *o = value_of(options, "o");
	struct volume_device device = {
		.type = value_of(options, "type"),
		.device = value_of(options, "device"),
	};
	int r = check_keys(options, err);

	if (r < 0)
		return r;
	if (device.device && !device.type)
		return error_set(err, -EINVAL, "missing required option: \"type\"");
	if ((device.type || o) && !device.device)
		return error_set(err, -EINVAL, "missing required option: \"device\"");
	if (device.type) {
		device.kind = strcmp(device.type, "tmpfs") == 0 || strcmp(device.type, "ramfs") == 0
				      ? VOLUME_MEMORY
				      : VOLUME_OTHER;
		sort_words(o ? o : "", &device);
	}
	if (device.kind == VOLUME_BIND && device.device[0] != '/') {
		strv_free(device.options);
		return error_set(err, -EINVAL, "device '%s' of a bound volume is no absolute path",
			device.device);
	}
	*ret = device;
	return 0;
}

void volume_device_release(struct volume_device *device)
{
	strv_free(device->options);
	*device = (struct volume_device){ 0 };
}

/* The kernel wants addresses: docker resolves the names of servers for these, and so do we. NULL:
 * the option names none. */
static const char *server_name(const struct volume_device *device, const char *option)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found = NULL;

	if (strncmp(option, "addr=", 5) != 0 ||
		(strncmp(device->type, "nfs", 3) != 0 && strcmp(device->type, "cifs") != 0))
		return NULL;
	if (getaddrinfo(option + 5, NULL, &hints, &found) != 0)
		return option + 5;
	freeaddrinfo(found);
	return NULL;
}

static int set_options(
	int fs_fd, const struct volume_device *device, char **ret_server, struct error *err)
{
	int r = mount_context_set(fs_fd, device->type, "source", device->device, err);

	for (char **option = device->options; r == 0 && option && *option; option++) {
		cleanup_free char *text = xstrdup(*option);
		const char *server = server_name(device, *option);
		char *value = strchr(text, '=');

		if (server) {
			free(*ret_server);
			*ret_server = xstrdup(server);
			continue;
		}
		if (value)
			*value++ = '\0';
		r = mount_context_set(fs_fd, device->type, text, value, err);
	}
	return r;
}

static int address_find(const char *server, char *address, size_t size, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int r = getaddrinfo(server, NULL, &hints, &found);

	if (r == 0) {
		r = getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)size, NULL,
			0, NI_NUMERICHOST);
		freeaddrinfo(found);
	}
	return r == 0 ? 0
		      : error_set(err, r == EAI_SYSTEM ? -errno : -EHOSTUNREACH, "addr=%s: %s",
				server, gai_strerror(r));
}

int volume_device_find_server(int context_fd, const char *server, int netns_fd, struct error *err)
{
	cleanup_fd int own_fd = file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0, err);
	char address[128];
	int r;

	if (own_fd < 0)
		return own_fd;
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter the host's network");
	r = address_find(server, address, sizeof(address), err);
	if (setns(own_fd, CLONE_NEWNET) < 0 && r == 0)
		r = error_sys(err, -errno, "return from the host's network");
	return r < 0 ? r : mount_context_set(context_fd, "volume", "addr", address, err);
}

int volume_device_open(const struct volume_device *device, char **ret_server, struct error *err)
{
	cleanup_fd int fs_fd = mount_context_open(device->type, err);
	cleanup_free char *server = NULL;
	int r = fs_fd < 0 ? fs_fd : set_options(fs_fd, device, &server, err);

	/* Read-only of the mount alone would still write to a disk. */
	if (r == 0 && device->attributes & MOUNT_ATTR_RDONLY)
		r = mount_context_set(fs_fd, device->type, "ro", NULL, err);
	if (r < 0)
		return error_wrap(err, "volume device '%s'", device->device);
	*ret_server = steal_ptr(server);
	return steal_fd(&fs_fd);
}

int volume_device_mount(int context_fd, unsigned int attributes, struct error *err)
{
	return mount_context_create(context_fd, "volume", attributes, err);
}
