/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_bytes.h - tars written byte by byte, so that a test can write what no archiver would. */
#ifndef TESTS_UNIT_ENGINE_IMAGE_TAR_BYTES_H
#define TESTS_UNIT_ENGINE_IMAGE_TAR_BYTES_H

#include <stdint.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

#define TAR_BLOCK 512

struct tar_raw {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' link, '3' char, '4' block, '5' directory, '6'
		      FIFO */
	unsigned int mode; /* 0: 0644, directories 0755 */
	uint64_t uid, gid; /* above 07777777 as base-256 */
	const char *link;
	const char *data;
	size_t length;	  /* of data; 0: strlen */
	const char *size; /* 12 raw bytes of the size field instead of data's length */
	unsigned int dev_major, dev_minor;
	bool bad_checksum;
};

/* Entries for tables. */
#define TAR_FILE(path, content)                                \
	{                                                      \
		.name = (path), .type = '0', .data = (content) \
	}
#define TAR_DIR(path)                       \
	{                                   \
		.name = (path), .type = '5' \
	}
#define TAR_LINK(path, text)                                \
	{                                                   \
		.name = (path), .type = '2', .link = (text) \
	}
#define TAR_HARD(path, source)                                \
	{                                                     \
		.name = (path), .type = '1', .link = (source) \
	}
#define TAR_FIFO(path)                      \
	{                                   \
		.name = (path), .type = '6' \
	}
#define TAR_NODE(path, kind, major_, minor_)                                                 \
	{                                                                                    \
		.name = (path), .type = (kind), .dev_major = (major_), .dev_minor = (minor_) \
	}

static inline void tar_octal(char *field, size_t width, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)width - 1, (unsigned long long)value);
	memcpy(field, text, width);
}

static inline void tar_number(char *field, size_t width, uint64_t value)
{
	if (value < (1ULL << (3 * (width - 1)))) {
		tar_octal(field, width, value);
		return;
	}
	memset(field, 0, width);
	field[0] = (char)0x80;
	for (size_t i = 0; i < 8 && i + 1 < width; i++)
		field[width - 1 - i] = (char)(value >> (8 * i));
}

static inline void tar_header(struct strbuf *out, const struct tar_raw *raw, size_t size)
{
	char header[TAR_BLOCK] = { 0 };
	char type = raw->type ? raw->type : '0';
	unsigned int sum = 0;

	memcpy(header, raw->name, strlen(raw->name) < 100 ? strlen(raw->name) : 100);
	tar_octal(header + 100, 8, raw->mode ? raw->mode : type == '5' ? 0755 : 0644);
	tar_number(header + 108, 8, raw->uid);
	tar_number(header + 116, 8, raw->gid);
	tar_octal(header + 124, 12, size);
	if (raw->size)
		memcpy(header + 124, raw->size, 12);
	tar_octal(header + 136, 12, 1700000000);
	header[156] = type;
	if (raw->link)
		memcpy(header + 157, raw->link, strlen(raw->link) < 100 ? strlen(raw->link) : 100);
	memcpy(header + 257, "ustar\00000", 8);
	tar_octal(header + 329, 8, raw->dev_major);
	tar_octal(header + 337, 8, raw->dev_minor);
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	tar_octal(header + 148, 7, raw->bad_checksum ? sum + 1 : sum);
	strbuf_add(out, header, sizeof(header));
}

static inline void tar_pad(struct strbuf *out, size_t size)
{
	static const char zeros[TAR_BLOCK];

	if (size % TAR_BLOCK)
		strbuf_add(out, zeros, TAR_BLOCK - size % TAR_BLOCK);
}

static inline void tar_add(struct strbuf *out, struct tar_raw raw)
{
	size_t length = raw.length ? raw.length : raw.data ? strlen(raw.data) : 0;

	tar_header(out, &raw, length);
	strbuf_add(out, raw.data ? raw.data : "", length);
	tar_pad(out, length);
}

static inline void tar_end(struct strbuf *out)
{
	static const char zeros[2 * TAR_BLOCK];

	strbuf_add(out, zeros, sizeof(zeros));
}

/* A pax record "LENGTH key=value\n", whose length counts itself. */
static inline void tar_pax_record(
	struct strbuf *records, const char *key, const void *value, size_t value_length)
{
	size_t rest = strlen(key) + value_length + 3;
	size_t length = rest + 1;
	char text[24];

	while ((size_t)snprintf(text, sizeof(text), "%zu", length) + rest != length)
		length = rest + strlen(text);
	strbuf_addf(records, "%zu %s=", length, key);
	strbuf_add(records, value, value_length);
	strbuf_add_char(records, '\n');
}

/* The pax header for the entry that follows. */
static inline void tar_pax(struct strbuf *out, const struct strbuf *records)
{
	tar_add(out, (struct tar_raw){ .name = "PaxHeaders/x",
			     .type = 'x',
			     .data = records->data,
			     .length = records->length });
}

static inline void tar_pax_one(
	struct strbuf *out, const char *key, const void *value, size_t length)
{
	struct strbuf records = STRBUF_INIT;

	tar_pax_record(&records, key, value, length);
	tar_pax(out, &records);
	strbuf_release(&records);
}

static inline void tar_pax_text(struct strbuf *out, const char *key, const char *value)
{
	tar_pax_one(out, key, value, strlen(value));
}

#endif
