/* SPDX-License-Identifier: GPL-2.0-or-later
 * device_bpf.c - cgroup v2 has no device files: a small program decides each access instead.
 *
 * The kernel runs it on open and mknod with struct bpf_cgroup_dev_ctx; 0 denies with EPERM. It asks
 * the rules from the last to the first, so that a later one wins, and denies what none speaks of.
 */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Programs on one of our groups: one, or two after a crash in an update. */
#define LOADED_LIMIT 64

enum {
	REG_RESULT = 0,
	REG_CTX = 1,
	REG_TYPE = 2,
	REG_ACCESS = 3,
	REG_MAJOR = 4,
	REG_MINOR = 5,
	REG_TMP = 6
};

struct program {
	struct bpf_insn *insns;
	size_t count;
};

static int bpf(int command, union bpf_attr *attr, struct error *err, const char *what)
{
	int r = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? error_sys(err, -errno, "device rules: %s", what) : r;
}

static size_t emit(struct program *program, uint8_t code, uint8_t dst, uint8_t src, int16_t offset,
	int32_t immediate)
{
	*array_add(program->insns, program->count) = (struct bpf_insn){
		.code = code,
		.dst_reg = dst & 0xf,
		.src_reg = src & 0xf,
		.off = offset,
		.imm = immediate,
	};
	return program->count - 1;
}

static void emit_load(struct program *program, uint8_t dst, size_t ctx_offset)
{
	emit(program, BPF_LDX | BPF_MEM | BPF_W, dst, REG_CTX, (int16_t)ctx_offset, 0);
}

static void emit_alu(struct program *program, uint8_t operation, uint8_t dst, int32_t immediate)
{
	emit(program, (uint8_t)(BPF_ALU64 | BPF_K | operation), dst, 0, 0, immediate);
}

static void emit_return(struct program *program, int32_t value)
{
	emit(program, BPF_ALU64 | BPF_MOV | BPF_K, REG_RESULT, 0, 0, value);
	emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int32_t access_bits(const char *access)
{
	return (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) |
	       (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
	       (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* access_type is (access << 16) | device type. */
static void emit_prologue(struct program *program)
{
	emit_load(program, REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(program, BPF_ALU64 | BPF_MOV | BPF_X, REG_ACCESS, REG_TYPE, 0, 0);
	emit_alu(program, BPF_AND, REG_TYPE, 0xffff);
	emit_alu(program, BPF_RSH, REG_ACCESS, 16);
	emit_load(program, REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(program, REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/* An allow must cover all that is asked for; a deny holds as soon as it covers a part of it. */
static size_t emit_access_test(struct program *program, const struct cgroup_device *rule)
{
	int32_t bits = access_bits(rule->access);

	emit(program, BPF_ALU64 | BPF_MOV | BPF_X, REG_TMP, REG_ACCESS, 0, 0);
	emit_alu(program, BPF_AND, REG_TMP, rule->allow ? ~bits : bits);
	return emit(program, BPF_JMP | BPF_K | (rule->allow ? BPF_JNE : BPF_JEQ), REG_TMP, 0, 0, 0);
}

static void emit_rule(struct program *program, const struct cgroup_device *rule)
{
	size_t skips[4];
	size_t skip_count = 0;

	skips[skip_count++] = emit(program, BPF_JMP | BPF_JNE | BPF_K, REG_TYPE, 0, 0,
		rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	skips[skip_count++] = emit_access_test(program, rule);
	if (rule->major >= 0)
		skips[skip_count++] = emit(
			program, BPF_JMP | BPF_JNE | BPF_K, REG_MAJOR, 0, 0, (int32_t)rule->major);
	if (rule->minor >= 0)
		skips[skip_count++] = emit(
			program, BPF_JMP | BPF_JNE | BPF_K, REG_MINOR, 0, 0, (int32_t)rule->minor);
	emit_return(program, rule->allow ? 1 : 0);
	for (size_t i = 0; i < skip_count; i++) /* to the next rule */
		program->insns[skips[i]].off = (int16_t)(program->count - skips[i] - 1);
}

static int load(const struct device_rules *rules, struct error *err)
{
	struct program program = { 0 };
	union bpf_attr attr;
	int r;

	emit_prologue(&program);
	for (size_t i = rules->count; i > 0; i--)
		emit_rule(&program, &rules->items[i - 1]);
	emit_return(&program, 0);
	memset(&attr, 0, sizeof(attr)); /* padding must be zero as well */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program.insns;
	attr.insn_cnt = (uint32_t)program.count;
	attr.license = (uintptr_t) "GPL";
	memcpy(attr.prog_name, "mycompose_dev", sizeof("mycompose_dev"));
	r = bpf(BPF_PROG_LOAD, &attr, err, "load program"); /* the fd is close-on-exec */
	free(program.insns);
	return r;
}

/* Ids of the programs attached here, not those that ancestors add. */
static int attached(
	int group_fd, uint32_t ids[static LOADED_LIMIT], size_t *ret_count, struct error *err)
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)group_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = LOADED_LIMIT;
	r = bpf(BPF_PROG_QUERY, &attr, err, "query attached programs");
	if (r < 0)
		return r;
	*ret_count = attr.query.prog_cnt;
	return 0;
}

static int open_id(uint32_t id, struct error *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr, err, "open attached program");
}

static int attach(int group_fd, int program_fd, int replaced_fd, struct error *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)group_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced_fd >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced_fd;
	}
	return bpf(BPF_PROG_ATTACH, &attr, err, "attach program");
}

static int detach(int group_fd, uint32_t id, struct error *err)
{
	cleanup_fd int program_fd = open_id(id, err);
	union bpf_attr attr;

	if (program_fd < 0)
		return program_fd;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)group_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return bpf(BPF_PROG_DETACH, &attr, err, "detach program");
}

/* Programs stack, and each must say yes: the new one takes the place of the first in one step, so
 * that there is no moment without rules, and any other goes. */
static int replace(int group_fd, int program_fd, struct error *err)
{
	uint32_t ids[LOADED_LIMIT];
	cleanup_fd int first_fd = -1;
	size_t count = 0;
	int r;

	r = attached(group_fd, ids, &count, err);
	if (r < 0)
		return r;
	if (program_fd >= 0 && count > 0) {
		first_fd = open_id(ids[0], err);
		if (first_fd < 0)
			return first_fd;
	}
	if (program_fd >= 0)
		r = attach(group_fd, program_fd, first_fd, err);
	for (size_t i = program_fd >= 0 ? 1 : 0; r >= 0 && i < count; i++)
		r = detach(group_fd, ids[i], err);
	return r < 0 ? r : 0;
}

int device_bpf_apply(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	cleanup_fd int group_fd = -1;
	cleanup_fd int program_fd = -1;
	struct device_rules rules = { 0 };
	int r;

	if (fresh && resources->all_devices)
		return 0; /* no program, no rules */
	group_fd = group_open(group, NULL, O_RDONLY | O_DIRECTORY, err);
	if (group_fd < 0)
		return group_fd;
	if (!resources->all_devices) {
		r = device_rules_make(resources, &rules, err);
		if (r < 0)
			return r;
		program_fd = load(&rules, err);
		free(rules.items);
		if (program_fd < 0)
			return program_fd;
	}
	return replace(group_fd, program_fd, err);
}
