/* SPDX-License-Identifier: GPL-2.0-or-later
 * archive_bytes.h - image archives written by hand: layers given as tables of entries, documents
 * that a test may spoil. */
#ifndef TESTS_UNIT_ENGINE_IMAGE_ARCHIVE_BYTES_H
#define TESTS_UNIT_ENGINE_IMAGE_ARCHIVE_BYTES_H

#include "engine/image/digest.h"
#include "engine/image/manifest.h"

#include "support.h"

#define ENTRIES_MAX 8
#define PARTS_MAX   8

struct layer_entries {
	struct tar_raw entries[ENTRIES_MAX];
};

static inline void build_layer(struct strbuf *out, const struct layer_entries *layer)
{
	for (size_t i = 0; i < ENTRIES_MAX && layer->entries[i].name; i++)
		tar_add(out, layer->entries[i]);
	tar_end(out);
}

/* The documents and layers of one image, before they are put into an archive. */
struct parts {
	struct strbuf layers[PARTS_MAX];
	size_t layer_count;
	struct strbuf config;
	struct strbuf manifest; /* OCI */
	struct strbuf index;
};

static inline void parts_release(struct parts *parts)
{
	for (size_t i = 0; i < parts->layer_count; i++)
		strbuf_release(&parts->layers[i]);
	strbuf_release(&parts->config);
	strbuf_release(&parts->manifest);
	strbuf_release(&parts->index);
}

static inline char *bytes_digest(const struct strbuf *bytes)
{
	return digest_of(strbuf_text(bytes), bytes->length);
}

static inline void add_descriptor(
	struct strbuf *out, const char *media_type, const struct strbuf *content)
{
	cleanup_free char *digest = bytes_digest(content);

	strbuf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu", media_type, digest,
		content->length);
}

static inline void build_config(struct parts *parts)
{
	strbuf_clear(&parts->config);
	strbuf_add_str(&parts->config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=b\"]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	for (size_t i = 0; i < parts->layer_count; i++) {
		cleanup_free char *digest = bytes_digest(&parts->layers[i]);

		strbuf_addf(&parts->config, "%s\"%s\"", i ? "," : "", digest);
	}
	strbuf_add_str(&parts->config, "]}}");
}

static inline void build_manifest(struct parts *parts)
{
	struct strbuf *out = &parts->manifest;

	strbuf_clear(out);
	strbuf_add_str(out, "{\"schemaVersion\":2,\"config\":");
	add_descriptor(out, "application/vnd.oci.image.config.v1+json", &parts->config);
	strbuf_add_str(out, "},\"layers\":[");
	for (size_t i = 0; i < parts->layer_count; i++) {
		strbuf_add_str(out, i ? "," : "");
		add_descriptor(out, "application/vnd.oci.image.layer.v1.tar", &parts->layers[i]);
		strbuf_add_char(out, '}');
	}
	strbuf_add_str(out, "]}");
}

static inline void build_index(struct parts *parts)
{
	struct strbuf *out = &parts->index;

	strbuf_clear(out);
	strbuf_add_str(out, "{\"schemaVersion\":2,\"manifests\":[");
	add_descriptor(out, "application/vnd.oci.image.manifest.v1+json", &parts->manifest);
	strbuf_add_str(out, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"t:1\"}}]}");
}

static inline void build_parts(
	struct parts *parts, const struct layer_entries *layers, size_t layer_count)
{
	for (size_t i = 0; i < layer_count; i++)
		build_layer(&parts->layers[parts->layer_count++], &layers[i]);
	build_config(parts);
	build_manifest(parts);
	build_index(parts);
}

static inline void add_member(
	struct strbuf *archive, const char *name, const struct strbuf *content)
{
	tar_add(archive,
		(struct tar_raw){
			.name = name, .data = strbuf_text(content), .length = content->length });
}

static inline void add_text(struct strbuf *archive, const char *name, const char *text)
{
	tar_add(archive, (struct tar_raw){ .name = name, .data = text });
}

static inline void add_blob(struct strbuf *archive, const struct strbuf *content)
{
	cleanup_free char *digest = bytes_digest(content);
	cleanup_free char *name = xasprintf("blobs/sha256/%s", digest_hex(digest));

	add_member(archive, name, content);
}

static inline void oci_archive(struct strbuf *archive, const struct parts *parts)
{
	add_text(archive, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	add_member(archive, "index.json", &parts->index);
	add_blob(archive, &parts->manifest);
	add_blob(archive, &parts->config);
	for (size_t i = 0; i < parts->layer_count; i++)
		add_blob(archive, &parts->layers[i]);
	tar_end(archive);
}

/* As `docker save` of old: config.json and 0.tar, 1.tar … */
static inline void docker_archive(
	struct strbuf *archive, const struct parts *parts, const char *reference)
{
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;

	strbuf_addf(&manifest, "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[",
		reference);
	for (size_t i = 0; i < parts->layer_count; i++) {
		cleanup_free char *name = xasprintf("%zu.tar", i);

		add_member(archive, name, &parts->layers[i]);
		strbuf_addf(&manifest, "%s\"%s\"", i ? "," : "", name);
	}
	strbuf_add_str(&manifest, "]}]");
	add_member(archive, "config.json", &parts->config);
	add_member(archive, "manifest.json", &manifest);
	tar_end(archive);
}

/* An image of these layers, loaded and found. */
static inline int load_layers(const struct world *world, const struct layer_entries *layers,
	size_t count, const char *reference, struct image **ret, struct error *err)
{
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	cleanup_strv char **names = NULL;
	struct parts parts = { 0 };
	int r;

	build_parts(&parts, layers, count);
	docker_archive(&archive, &parts, reference);
	parts_release(&parts);
	r = load_bytes(world, &archive, &names, err);
	return r < 0 ? r : image_find(&world->engine, reference, ret, err);
}

/* Mount what a container of the image would see, below the world's "merged"; upper and work
 * directories are made in "up" when `writable`. The mount goes with the caller's mount namespace.
 */
static inline int mount_image(const struct world *world, const struct image *image, bool writable)
{
	cleanup_strv char **paths = NULL;
	cleanup_free char *lower = NULL;
	cleanup_free char *options = NULL;
	cleanup_free char *merged = xasprintf("%s/merged", world->path);

	assert_int_equal(image_layer_paths(&world->engine, image, &paths, NULL), 0);
	assert_int_equal(dir_make(world->fd, "merged", 0755, NULL), 0);
	assert_int_equal(dir_make(world->fd, "empty", 0755, NULL), 0);
	strv_take(&paths, xasprintf("%s/empty", world->path));
	lower = strv_join(paths, ":");
	if (writable) {
		assert_int_equal(dir_make(world->fd, "up/upper", 0755, NULL), 0);
		assert_int_equal(dir_make(world->fd, "up/work", 0755, NULL), 0);
		options = xasprintf("lowerdir=%s,upperdir=%s/up/upper,workdir=%s/up/work,"
				    "redirect_dir=off,metacopy=off",
			lower, world->path, world->path);
	} else {
		options = xasprintf("lowerdir=%s", lower);
	}
	if (mount("overlay", merged, "overlay", writable ? 0 : MS_RDONLY, options) < 0)
		fail_msg("mount overlay: %s", strerror(errno));
	return open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void unmount_image(const struct world *world)
{
	cleanup_free char *merged = xasprintf("%s/merged", world->path);

	assert_int_equal(umount2(merged, 0), 0);
}

#endif
