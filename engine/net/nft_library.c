/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_library.c - run nftables commands by libnftables. */
#include "engine/net/nft_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/library.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

/* The name that the library's ABI has had since nftables 0.9.0. */
#define LIBRARY "libnftables.so.1"

#define LIBNFTABLES_CALLS(X)        \
	X(nft_ctx_new)              \
	X(nft_ctx_free)             \
	X(nft_ctx_buffer_output)    \
	X(nft_ctx_buffer_error)     \
	X(nft_ctx_get_error_buffer) \
	X(nft_run_cmd_from_buffer)

struct libnftables {
	void *handle;
#define LIBNFTABLES_MEMBER(name) __typeof__(name) *name;
	LIBNFTABLES_CALLS(LIBNFTABLES_MEMBER)
#undef LIBNFTABLES_MEMBER
};

static const struct library_call calls[] = {
#define LIBNFTABLES_ROW(name) { #name, offsetof(struct libnftables, name) },
	LIBNFTABLES_CALLS(LIBNFTABLES_ROW)
#undef LIBNFTABLES_ROW
};

/* It stays loaded: a second time only counts. */
static int library_load(struct libnftables *ret, struct error *err)
{
	const char *missing;

	ret->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!ret->handle)
		return error_set(err, -EOPNOTSUPP,
			"nftables needs libnftables (Debian: libnftables1): %s", dlerror());
	missing = library_resolve(ret->handle, "", calls, ARRAY_LEN(calls), ret);
	return missing ? error_set(err, -EOPNOTSUPP, "%s is too old: %s", LIBRARY, missing) : 0;
}

int nft_library_check(struct error *err)
{
	struct libnftables library;

	return library_load(&library, err);
}

/* "/dev/stdin:1:5-9: Error: TEXT", the command and a line that points into it, for each failure:
 * the first text and its command. */
static int failure_tell(const char *text, struct error *err)
{
	const char *begin = strstr(text, "Error: ");
	const char *message = begin ? begin + strlen("Error: ") : text;
	size_t length = strcspn(message, "\n");
	const char *command = message[length] ? message + length + 1 : "";

	if (!*text)
		return error_set(err, -EIO, "libnftables failed and does not say why");
	return error_set(err, -EIO, "%.*s (%.*s)", (int)length, message,
		(int)strcspn(command, "\n"), command);
}

int nft_run(const char *commands, struct error *err)
{
	struct libnftables library;
	struct nft_ctx *context;
	int r = library_load(&library, err);

	if (r < 0)
		return r;
	context = library.nft_ctx_new(NFT_CTX_DEFAULT);
	if (!context)
		return error_set(err, -EIO, "libnftables cannot be started");
	if (library.nft_ctx_buffer_output(context) != 0 ||
		library.nft_ctx_buffer_error(context) != 0)
		r = error_set(err, -ENOMEM, "libnftables cannot be started");
	else if (library.nft_run_cmd_from_buffer(context, commands) != 0)
		r = failure_tell(library.nft_ctx_get_error_buffer(context), err);
	library.nft_ctx_free(context);
	return r;
}
