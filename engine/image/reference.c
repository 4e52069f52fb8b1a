/* SPDX-License-Identifier: GPL-2.0-or-later
 * reference.c - image references, read by the grammar of the distribution project: lower-case
 * paths, a first component with '.', ':' or "localhost" is a registry, else it is docker.io. */
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/ascii.h"
#include "engine/image/digest.h"
#include "engine/image/image.h"

#define REPOSITORY_MAX 255
#define TAG_MAX	       128

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* The length of a separator inside a path component: one '.', one or two '_', any number of '-'. */
static size_t separator_length(const char *s)
{
	if (*s == '.')
		return 1;
	if (*s == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* alnum+ ( separator alnum+ )*, components joined by '/'. */
static bool path_is_valid(const char *s)
{
	for (;;) {
		if (!is_lower_alnum(*s))
			return false;
		while (is_lower_alnum(*s))
			s++;
		if (!*s)
			return true;
		if (*s == '/') {
			s++;
			continue;
		}
		if (separator_length(s) == 0)
			return false;
		s += separator_length(s);
	}
}

static bool port_is_valid(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* host[:port] with host a dotted name or [IPv6]. */
static bool registry_is_valid(const char *s)
{
	if (*s == '[') {
		size_t length = strspn(s + 1, "0123456789abcdefABCDEF:");

		if (length == 0 || s[1 + length] != ']')
			return false;
		s += length + 2;
		return !*s || (*s == ':' && port_is_valid(s + 1));
	}
	for (;;) {
		if (!is_alnum(*s))
			return false;
		while (is_alnum(*s) || (*s == '-' && (is_alnum(s[1]) || s[1] == '-')))
			s++;
		if (!*s)
			return true;
		if (*s == ':')
			return port_is_valid(s + 1);
		if (*s != '.')
			return false;
		s++;
	}
}

static bool tag_is_valid(const char *s)
{
	size_t length = strlen(s);

	if (length == 0 || length > TAG_MAX || *s == '.' || *s == '-')
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr("_.-", *s))
			return false;
	return true;
}

static bool is_registry(const char *component)
{
	if (strpbrk(component, ".:") || strcmp(component, "localhost") == 0)
		return true;
	for (; *component; component++)
		if (ascii_is_upper(*component))
			return true;
	return false;
}

/* "docker.io/library/redis" -> "redis", "docker.io/a/b" -> "a/b"; others stay. */
static char *familiar_repository(const char *name)
{
	static const char *const hubs[] = { "docker.io/", "index.docker.io/" };

	for (size_t i = 0; i < ARRAY_LEN(hubs); i++) {
		size_t length = strlen(hubs[i]);

		if (strncmp(name, hubs[i], length) != 0)
			continue;
		name += length;
		if (strncmp(name, "library/", 8) == 0 && !strchr(name + 8, '/'))
			name += 8;
		return xstrdup(name);
	}
	if (strncmp(name, "library/", 8) == 0 && !strchr(name + 8, '/'))
		name += 8;
	return xstrdup(name);
}

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, -EINVAL, "invalid reference format%s: '%.300s'", why, text);
}

/* registry and path, both checked; `name` is what stands before tag and digest. */
static int check_name(const char *text, const char *name, struct error *err)
{
	const char *slash = strchr(name, '/');
	cleanup_free char *first = slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
	const char *path = name;

	if (first && is_registry(first)) {
		if (!registry_is_valid(first))
			return refuse(text, "", err);
		path = slash + 1;
	}
	if (!path_is_valid(path)) {
		cleanup_free char *lower = xstrdup(path);

		for (char *c = lower; *c; c++)
			*c = ascii_to_lower(*c);
		return refuse(text,
			path_is_valid(lower) ? ": repository name must be lowercase" : "", err);
	}
	if (strlen(name) > REPOSITORY_MAX)
		return refuse(
			text, ": repository name must not be longer than 255 characters", err);
	if (!slash && strlen(name) == SHA256_HEX_LENGTH &&
		strspn(name, "0123456789abcdef") == SHA256_HEX_LENGTH)
		return refuse(text, ": a name cannot be 64 hexadecimal digits", err);
	return 0;
}

static int split(char *name, const char *text, struct image_ref *ref, struct error *err)
{
	char *at = strchr(name, '@');
	char *colon;

	if (at) {
		*at = '\0';
		if (!digest_is_valid(at + 1))
			return refuse(
				text, ": a digest is 'sha256:' and 64 hexadecimal digits", err);
		ref->digest = xstrdup(at + 1);
	}
	colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		if (!tag_is_valid(colon + 1))
			return refuse(text, "", err);
		ref->tag = xstrdup(colon + 1);
	}
	return check_name(text, name, err);
}

int image_ref_parse(const char *text, struct image_ref *ret_ref, struct error *err)
{
	cleanup_free char *name = xstrdup(text);
	struct image_ref ref = { 0 };
	int r = split(name, text, &ref, err);

	if (r < 0) {
		image_ref_release(&ref);
		return r;
	}
	if (!ref.tag && !ref.digest)
		ref.tag = xstrdup("latest");
	ref.repository = familiar_repository(name);
	ref.familiar = xasprintf("%s%s%s%s%s", ref.repository, ref.tag ? ":" : "",
		ref.tag ? ref.tag : "", ref.digest ? "@" : "", ref.digest ? ref.digest : "");
	*ret_ref = ref;
	return 0;
}

char *image_ref_canonical(const struct image_ref *ref)
{
	const char *slash = strchr(ref->repository, '/');
	cleanup_free char *first =
		slash ? xstrndup(ref->repository, (size_t)(slash - ref->repository)) : NULL;

	if (!first)
		return xasprintf("docker.io/library/%s", ref->familiar);
	return xasprintf("%s%s", is_registry(first) ? "" : "docker.io/", ref->familiar);
}

void image_ref_release(struct image_ref *ref)
{
	free(ref->familiar);
	free(ref->repository);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct image_ref){ 0 };
}
