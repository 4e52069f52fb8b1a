/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_options_test.c - -v, --mount and --tmpfs. */
#include "cmd/mount_options.h"

#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "support.h"

static char *show(const struct spec_mount *mount)
{
	static const char *const types[] = { "bind", "volume", "tmpfs", "image" };

	cleanup_free char *words = strv_join(mount->tmpfs_options, "+");
	cleanup_free char *labels = strv_join(mount->labels, "+");

	return xasprintf("%s %s %s%s%s%s%s%s%s%s%s%s%s%s size=%llu mode=%o%s%s", types[mount->type],
		mount->anonymous ? "?"
		: mount->source	 ? mount->source
				 : "-",
		mount->destination, mount->read_only ? " ro" : "",
		mount->create_host_path ? " create" : "", mount->no_copy ? " nocopy" : "",
		mount->anonymous ? " anonymous" : "", mount->propagation ? " " : "",
		mount->propagation ? mount->propagation : "",
		mount->recursion == MOUNT_RECURSE_NOT	     ? " alone"
		: mount->recursion == MOUNT_RECURSE_READONLY ? " all-ro"
							     : "",
		mount->subpath ? " part=" : "", mount->subpath ? mount->subpath : "",
		*labels ? " labels=" : "", labels, (unsigned long long)mount->tmpfs_size,
		mount->tmpfs_mode, *words ? " " : "", words);
}

/* The spec's mounts, a line each, or the message. Heap. */
static char *apply(char kind, const char *text)
{
	char *words[] = { (char *)text, NULL };
	struct mount_options options = { .cwd = "/here" };
	cleanup_error struct error err = ERROR_INIT;
	struct strbuf out = STRBUF_INIT;
	struct spec spec = { 0 };
	int r;

	if (kind == 'v')
		options.volumes = words;
	else if (kind == 'm')
		options.mounts = words;
	else
		options.tmpfs = words;
	r = mount_options_apply(&options, &spec, &err);
	if (r < 0)
		strbuf_addf(&out, "error: %s", error_text(&err));
	for (size_t i = 0; i < spec.mount_count; i++) {
		cleanup_free char *line = show(&spec.mounts[i]);

		strbuf_add_str(&out, line);
	}
	spec_release(&spec);
	return strbuf_steal(&out);
}

static void spellings(void **state)
{
	static const struct {
		char kind;
		const char *text;
		const char *expected;
	} cases[] = {
		{ 'v', "/src:/dst", "bind /src /dst create size=0 mode=0" },
		{ 'v', "/src:/dst:ro", "bind /src /dst ro create size=0 mode=0" },
		{ 'v', "./a/../b:/dst:rw,rslave", "bind /here/b /dst create rslave size=0 mode=0" },
		{ 'v', "..:/dst", "bind / /dst create size=0 mode=0" },
		{ 'v', "data:/dst", "volume data /dst size=0 mode=0" },
		{ 'v', "data:/dst:ro,nocopy,z", "volume data /dst ro nocopy size=0 mode=0" },
		{ 'v', "/dst", "volume ? /dst anonymous size=0 mode=0" },
		{ 'v', "/src:/dst:nope",
			"error: invalid volume specification: '/src:/dst:nope': unknown mode: "
			"nope" },
		{ 'v', "/src:/dst:nocopy",
			"error: invalid volume specification: '/src:/dst:nocopy': unknown mode: "
			"nocopy" },
		{ 'v', "a:/dst",
			"error: create a: volume name is too short, names should be at least two "
			"alphanumeric characters" },
		{ 'v', ":/dst", "error: invalid volume specification: ':/dst'" },
		{ 'v', "a:", "error: invalid volume specification: 'a:'" },
		{ 'v', "a::ro", "error: invalid volume specification: 'a::ro'" },
		{ 'v', "a:/b:ro:x", "error: invalid volume specification: 'a:/b:ro:x'" },
		{ 'v', "a/b:/dst",
			"error: create a/b: \"a/b\" includes invalid characters for a local volume "
			"name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to "
			"pass a host directory, use absolute path" },
		{ 'm', "type=bind,source=/s,target=/t,readonly", "bind /s /t ro size=0 mode=0" },
		{ 'm', "type=bind,src=x,dst=/t,bind-propagation=shared",
			"bind /here/x /t shared size=0 mode=0" },
		{ 'm', "source=vol,target=/t,volume-nocopy=true",
			"volume vol /t nocopy size=0 mode=0" },
		{ 'm', "target=/t", "volume ? /t anonymous size=0 mode=0" },
		{ 'm', "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770",
			"tmpfs - /t size=1048576 mode=1770" },
		{ 'm', "type=bind,target=/t",
			"error: invalid argument \"type=bind,target=/t\" for \"--mount\" flag: "
			"source is required" },
		{ 'm', "type=nfs,target=/t",
			"error: invalid argument \"type=nfs,target=/t\" for \"--mount\" flag: "
			"invalid value for type: nfs" },
		{ 'm', "source=v",
			"error: invalid argument \"source=v\" for \"--mount\" flag: target is "
			"required" },
		{ 'm', "bogus=1,target=/t",
			"error: invalid argument \"bogus=1,target=/t\" for \"--mount\" flag: "
			"unexpected key 'bogus'" },
		{ 't', "/run", "tmpfs - /run size=0 mode=0" },
		{ 't', "/run:size=64k,mode=755,noexec,ro",
			"tmpfs - /run ro size=65536 mode=755 noexec" },
		{ 't', "/run:exec,uid=7,size=50%",
			"tmpfs - /run size=0 mode=0 exec+uid=7+size=50%" },
		{ 't', "/run:ro,rw", "tmpfs - /run size=0 mode=0" },
		{ 't', "/run:nope", "error: /run:nope: invalid tmpfs option \"nope\"" },
		{ 'm', "type=bind,src=/s,dst=/t,bind-recursive=disabled",
			"bind /s /t alone size=0 mode=0" },
		{ 'm', "type=bind,src=/s,dst=/t,ro,bind-recursive=readonly",
			"bind /s /t ro all-ro size=0 mode=0" },
		{ 'm', "type=bind,src=/s,dst=/t,bind-recursive=maybe",
			"error: invalid argument \"type=bind,src=/s,dst=/t,bind-recursive=maybe\" "
			"for \"--mount\" flag: invalid value for bind-recursive: maybe" },
		{ 'm',
			"type=volume,src=vol,dst=/t,volume-subpath=a/b,volume-label=x=y,"
			"volume-driver=local,consistency=cached",
			"volume vol /t part=a/b labels=x=y size=0 mode=0" },
		{ 'm', "type=image,src=redis:7,dst=/t,image-subpath=usr",
			"image redis:7 /t ro part=usr size=0 mode=0" },
		{ 'm', "type=image,dst=/t",
			"error: invalid argument \"type=image,dst=/t\" for \"--mount\" flag: "
			"source is required" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *shown = apply(cases[i].kind, cases[i].text);

		assert_string_equal(shown, cases[i].expected);
	}
}

static void two_for_one_place_are_an_error(void **state)
{
	char *volumes[] = { (char *)"aa:/x", (char *)"bb:/x/", NULL };
	struct mount_options options = { .volumes = volumes, .cwd = "/" };
	cleanup_error struct error err = ERROR_INIT;
	struct spec spec = { 0 };

	(void)state;
	assert_int_equal(mount_options_apply(&options, &spec, &err), -EINVAL);
	assert_string_equal(error_text(&err), "Duplicate mount point: /x/");
	assert_int_equal(spec.mount_count, 0);
}

static void a_given_mount_takes_the_place_of_the_specs_own(void **state)
{
	char *volumes[] = { (char *)"mine:/data/", NULL };
	struct mount_options options = { .volumes = volumes, .cwd = "/" };
	cleanup_error struct error err = ERROR_INIT;
	struct spec spec = { 0 };
	struct spec_mount *mount = array_add(spec.mounts, spec.mount_count);

	(void)state;
	mount->type = MOUNT_VOLUME;
	mount->source = xstrdup("old");
	mount->destination = xstrdup("/data");
	mount->anonymous = true;
	assert_int_equal(mount_options_apply(&options, &spec, &err), 0);
	assert_int_equal(spec.mount_count, 1);
	assert_string_equal(spec.mounts[0].source, "mine");
	assert_false(spec.mounts[0].anonymous);
	spec_release(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings),
		cmocka_unit_test(two_for_one_place_are_an_error),
		cmocka_unit_test(a_given_mount_takes_the_place_of_the_specs_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
