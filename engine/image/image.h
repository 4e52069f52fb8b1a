/* SPDX-License-Identifier: GPL-2.0-or-later
 * image.h - what the rest of the engine needs to know of an image: its config, its layers, its
 * names. May depend on: engine/base/. Names and meanings: OCI image-spec, config.md and
 * manifest.md.
 *
 * The store is an OCI image layout in <data>/images (oci-layout, index.json, blobs/sha256/HEX), one
 * index entry a name (annotation org.opencontainers.image.ref.name holds the familiar reference,
 * "redis:7"); an image without a name keeps an entry without annotation. Beside it
 * <data>/layers/CHAINHEX/diff is the unpacked form that overlay takes as lowerdir; CHAINHEX is the
 * chain ID. One flock (<run>/images.lock) covers every change of the index; blobs and layers appear
 * by rename and are immutable. store.h tells how an image gets in and what a kill leaves. */
#ifndef MYCOMPOSE_IMAGE_IMAGE_H
#define MYCOMPOSE_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

/* The part of the OCI image config that containers use ("config" object), plus identity. */
struct image_config {
	char *user;
	char **exposed_ports; /* "80/tcp" */
	char **env;
	char **entrypoint; /* NULL = absent */
	char **cmd;	   /* NULL = absent */
	char **volumes;	   /* absolute paths in the image */
	char *working_dir;
	char **labels; /* "key=value" */
	char *stop_signal;
	char **shell;		/* of commands given as a line, NULL = /bin/sh -c; docker's */
	char *healthcheck_json; /* docker's Healthcheck object as text, NULL = none; kept untouched
				 */
};

struct image {
	char *id;	       /* "sha256:HEX" of the config blob, docker's image ID */
	char *manifest_digest; /* "sha256:HEX" */
	char **names;	       /* familiar references of this image in the store, maybe empty */
	char *architecture;
	char *os;
	int64_t created_ns;   /* 0 when unknown */
	uint64_t size;	      /* bytes of the layers' uncompressed tars (docker's SIZE) */
	char **diff_ids;      /* "sha256:HEX" of each uncompressed layer tar, base first */
	char **chain_ids;     /* "sha256:HEX", base first; layers/HEX/diff is the folder */
	char **layer_digests; /* "sha256:HEX" of the blobs as stored, base first */
	struct image_config config;
};

#define cleanup_image __attribute__((cleanup(image_cleanup)))
void image_free(struct image *image); /* NULL is fine */
void image_cleanup(struct image **image);

/* A reference: [registry/]repository[:tag][@digest]. */
struct image_ref {
	char *familiar;	  /* "redis:7", "quay.io/a/b:1", "redis@sha256:…": as docker shows it, tag
			     filled in with latest */
	char *repository; /* familiar repository part: "redis" */
	char *tag;	  /* NULL with a digest only */
	char *digest;	  /* "sha256:HEX" or NULL */
};
void image_ref_release(struct image_ref *ref);
/* Parse and normalise (docker.io/library/redis -> redis:latest). -EINVAL with docker's "invalid
 * reference format". */
int image_ref_parse(const char *text, struct image_ref *ret_ref, struct error *err);

/* The same with registry: "docker.io/library/redis:7". Heap. */
char *image_ref_canonical(const struct image_ref *ref);

/* Find by reference, by full id or by unique id prefix (at least 2 hex digits; a name wins).
 * -ENOENT: "No such image: X". */
int image_find(
	const struct engine *engine, const char *text, struct image **ret, struct error *err);
/* Every image, newest first, each once (names collects its references). One that cannot be read is
 * told by log_warning and left out. */
int image_list(
	const struct engine *engine, struct image ***ret, size_t *ret_count, struct error *err);
void image_list_free(struct image **images, size_t count);

/* Absolute paths of the layer folders for overlay's lowerdir, top layer first (the order overlay
 * wants). Heap strv. */
int image_layer_paths(const struct engine *engine, const struct image *image, char ***ret_paths,
	struct error *err);
/* The same from a container's record (chain ids, base first), without reading the image. */
int image_chain_paths(
	const struct engine *engine, char *const *chain_ids, char ***ret_paths, struct error *err);

/* Give an image one more name (moving the name from another image), take a name off. */
int image_tag(const struct engine *engine, const struct image *image, const char *reference,
	struct error *err);
/* `docker rmi`: remove a name; when it was the last one, the image, and the blobs and layers nobody
 * else uses. By ID: the image with its name; several names need `force` (-EBUSY). `force` on an
 * image in use takes its names off and keeps it. `in_use` says for an image id whether a container
 * needs it (-EBUSY then unless only a name is taken off); chains in `keep_chains` (of containers
 * whose image is gone) stay. Prints nothing: ret_untagged/ret_deleted name what went. */
struct image_removal {
	char **untagged; /* "redis:7" */
	char **deleted;	 /* "sha256:HEX": the image id, then layers */
};
void image_removal_release(struct image_removal *removal);
int image_remove(const struct engine *engine, const char *text, bool force,
	bool (*in_use)(const char *image_id, void *arg), void *arg, char *const *keep_chains,
	struct image_removal *ret, struct error *err);

/* `import`: a root file system tar (any compression libarchive knows) becomes a one-layer image.
 * `changes`: Dockerfile-like lines, "CMD [\"redis-server\"]", "ENV A=b", "EXPOSE 6379",
 * "ENTRYPOINT", "USER", "WORKDIR", "LABEL", "VOLUME", "STOPSIGNAL", "HEALTHCHECK". The tar is read
 * from tar_fd (a pipe will do), its name is for messages. reference and message may be NULL. The
 * same tar, changes and reference again change nothing and give the image that is there. Errors
 * leave the store as it was. */
int image_import(const struct engine *engine, int tar_fd, const char *tar_name,
	const char *reference, char *const *changes, const char *message, struct image **ret,
	struct error *err);
/* Check one --change line and apply it to a config (also used by commit). */
int image_config_change(struct image_config *config, const char *line, struct error *err);

/* `load`: docker-archive (docker save) or OCI archive, from a tar stream of any compression; or an
 * OCI layout directory, opened. All images of it or none; of an index, the one for this machine.
 * Names found become the store's. ret_loaded: a familiar reference for each, or "sha256:HEX" where
 * there is none. */
int image_load(const struct engine *engine, int tar_fd, const char *tar_name, char ***ret_loaded,
	struct error *err);
/* `save`: one tar that is both docker-archive and OCI layout (as docker >= 25 writes). By ID:
 * without names. */
int image_save(const struct engine *engine, char *const *references, int out_fd, struct error *err);

/* `commit`: the writable layer (upperdir_fd, overlay form) on top of `parent` becomes a new image:
 * whiteout devices and opaque xattrs are turned into .wh. entries, overlay's own xattrs are
 * dropped. `config` is the new container config. reference and options may be NULL. The upper
 * directory must come from a mount with redirect_dir=off and metacopy=off, else -EOPNOTSUPP. */
struct image_commit_options {
	const char *author;
	const char *message;
	char *const *changes;
};
int image_commit(const struct engine *engine, const struct image *parent, int upperdir_fd,
	const struct image_config *config, const char *reference,
	const struct image_commit_options *options, struct image **ret, struct error *err);

#endif
