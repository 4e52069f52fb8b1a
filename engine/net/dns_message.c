/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_message.c - the part of the DNS wire format that the name service needs. */
#include "engine/net/dns_message.h"

#include <errno.h>
#include <string.h>

#include "engine/net/address.h"

#define FLAG_RESPONSE	       0x8000
#define FLAG_TRUNCATED	       0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_RECURSION_OFFERED 0x0080
#define LABEL_MAX	       63
#define NAME_MAX_WIRE	       255
#define POINTER_TO_QUESTION    0xc00c /* compression: offset 12 */
#define QUESTION_TAIL	       4      /* type and class */
#define RECORD_TAIL	       10     /* type, class, TTL, data length */
#define OPT_LENGTH	       11

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Offset behind the name at `at`, its text in `name`; 0 when malformed. A question has nothing to
 * point back to, so compression is malformed here. */
static size_t question_name(const uint8_t *message, size_t length, size_t at, char *name)
{
	size_t start = at, used = 0;
	bool textual = true;

	while (at < length && message[at]) {
		uint8_t label = message[at++];

		if (label > LABEL_MAX || at + label >= length ||
			at + label - start >= NAME_MAX_WIRE)
			return 0;
		if (used)
			name[used++] = '.';
		for (; label; label--, at++) {
			textual &= message[at] && message[at] != '.';
			name[used++] = (char)lower(message[at]);
		}
	}
	if (at >= length)
		return 0;
	name[textual ? used : 0] = '\0';
	return at + 1;
}

/* Offset behind any name, compressed or not; 0 when malformed. */
static size_t name_skip(const uint8_t *message, size_t length, size_t at)
{
	while (at < length && message[at] && message[at] < 0xc0) {
		if (message[at] > LABEL_MAX)
			return 0;
		at += (size_t)message[at] + 1;
	}
	if (at >= length)
		return 0;
	at += message[at] ? 2 : 1;
	return at <= length ? at : 0;
}

static uint16_t udp_size_clamp(uint16_t size)
{
	return size < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : size > DNS_UDP_MAX ? DNS_UDP_MAX : size;
}

/* The only record of interest in a query is OPT. */
static int additional_read(
	const uint8_t *message, size_t length, size_t at, struct dns_query *query)
{
	for (uint16_t left = get16(message + 10); left; left--) {
		uint16_t type;

		at = name_skip(message, length, at);
		if (!at || length - at < RECORD_TAIL)
			return DNS_FORMERR;
		type = get16(message + at);
		if (type == DNS_TYPE_OPT && query->has_edns) /* RFC 6891 6.1.1: one at most */
			return DNS_FORMERR;
		if (type == DNS_TYPE_OPT) {
			query->has_edns = true;
			query->udp_size = udp_size_clamp(get16(message + at + 2));
		}
		if (length - at - RECORD_TAIL < get16(message + at + 8))
			return DNS_FORMERR;
		at += RECORD_TAIL + (size_t)get16(message + at + 8);
	}
	return DNS_NOERROR;
}

int dns_query_parse(const uint8_t *message, size_t length, struct dns_query *ret)
{
	uint16_t flags;
	size_t at;

	memset(ret, 0, sizeof(*ret));
	ret->udp_size = DNS_UDP_PLAIN;
	if (length < DNS_HEADER)
		return -EBADMSG;
	flags = get16(message + 2);
	if (flags & FLAG_RESPONSE)
		return -EBADMSG;
	ret->id = get16(message);
	ret->recursion_desired = flags & FLAG_RECURSION_DESIRED;
	ret->opcode = flags >> 11 & 15;
	if (ret->opcode)
		return DNS_NOTIMP;
	if (get16(message + 4) != 1 || get16(message + 6) || get16(message + 8))
		return DNS_FORMERR;
	at = question_name(message, length, DNS_HEADER, ret->name);
	if (!at || length - at < QUESTION_TAIL)
		return DNS_FORMERR;
	ret->type = get16(message + at);
	ret->class = get16(message + at + 2);
	ret->question_end = at + QUESTION_TAIL;
	return additional_read(message, length, ret->question_end, ret);
}

void dns_reply_begin(struct dns_reply *reply, uint8_t *bytes, size_t limit, const uint8_t *message,
	const struct dns_query *query, enum dns_rcode rcode)
{
	uint16_t flags =
		(uint16_t)(FLAG_RESPONSE | FLAG_RECURSION_OFFERED | query->opcode << 11 | rcode);

	*reply = (struct dns_reply){
		.bytes = bytes,
		.limit = limit,
		.length = DNS_HEADER,
		.has_edns = query->has_edns,
	};
	if (query->recursion_desired)
		flags |= FLAG_RECURSION_DESIRED;
	memset(bytes, 0, DNS_HEADER);
	put16(bytes, query->id);
	put16(bytes + 2, flags);
	if (!query->question_end)
		return;
	put16(bytes + 4, 1);
	memcpy(bytes + DNS_HEADER, message + DNS_HEADER, query->question_end - DNS_HEADER);
	reply->length = query->question_end;
}

/* Room for a record's name, fixed part and data, with what OPT will need kept free. */
static uint8_t *record_begin(
	struct dns_reply *reply, uint16_t type, uint32_t ttl, size_t data_length)
{
	size_t needed = 2 + RECORD_TAIL + data_length + (reply->has_edns ? OPT_LENGTH : 0);
	uint8_t *at = reply->bytes + reply->length;

	if (reply->truncated || reply->limit - reply->length < needed) {
		reply->truncated = true;
		return NULL;
	}
	put16(at, POINTER_TO_QUESTION);
	put16(at + 2, type);
	put16(at + 4, DNS_CLASS_IN);
	put32(at + 6, ttl);
	put16(at + 10, (uint16_t)data_length);
	reply->length += 2 + RECORD_TAIL + data_length;
	reply->answers++;
	return at + 2 + RECORD_TAIL;
}

bool dns_reply_add_a(struct dns_reply *reply, uint32_t ttl, uint32_t address)
{
	uint8_t *data = record_begin(reply, DNS_TYPE_A, ttl, 4);

	if (data)
		put32(data, address);
	return data != NULL;
}

bool dns_reply_add_aaaa(struct dns_reply *reply, uint32_t ttl, const uint8_t address[static 16])
{
	uint8_t *data = record_begin(reply, DNS_TYPE_AAAA, ttl, 16);

	if (data)
		memcpy(data, address, 16);
	return data != NULL;
}

/* Length on the wire, 0 if the text is no DNS name. */
static size_t name_encode(const char *name, uint8_t *out)
{
	size_t used = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		if (!label || label > LABEL_MAX || used + label + 2 > NAME_MAX_WIRE)
			return 0;
		out[used++] = (uint8_t)label;
		memcpy(out + used, name, label);
		used += label;
		name += label + (name[label] == '.');
	}
	out[used++] = 0;
	return used;
}

bool dns_reply_add_ptr(struct dns_reply *reply, uint32_t ttl, const char *name)
{
	uint8_t wire[NAME_MAX_WIRE];
	size_t length = name_encode(name, wire);
	uint8_t *data = length ? record_begin(reply, DNS_TYPE_PTR, ttl, length) : NULL;

	if (data)
		memcpy(data, wire, length);
	return data != NULL;
}

size_t dns_reply_end(struct dns_reply *reply)
{
	put16(reply->bytes + 6, reply->answers);
	if (reply->truncated)
		put16(reply->bytes + 2, get16(reply->bytes + 2) | FLAG_TRUNCATED);
	if (reply->has_edns && reply->limit - reply->length >= OPT_LENGTH) {
		uint8_t *at = reply->bytes + reply->length;

		memset(at, 0, OPT_LENGTH);
		put16(at + 1, DNS_TYPE_OPT);
		put16(at + 3, DNS_UDP_MAX);
		put16(reply->bytes + 10, 1);
		reply->length += OPT_LENGTH;
	}
	return reply->length;
}

static bool equal_without_case(const uint8_t *a, const uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool dns_answers(const uint8_t *answer, size_t length, const uint8_t *query, size_t query_length,
	uint16_t id)
{
	struct dns_query parsed;
	size_t end;

	if (dns_query_parse(query, query_length, &parsed) != DNS_NOERROR)
		return false;
	end = parsed.question_end;
	return length >= end && get16(answer) == id && get16(answer + 2) & FLAG_RESPONSE &&
	       get16(answer + 4) == 1 &&
	       equal_without_case(answer + DNS_HEADER, query + DNS_HEADER, end - DNS_HEADER);
}

uint8_t dns_rcode_of(const uint8_t *answer)
{
	return answer[3] & 15;
}

void dns_set_id(uint8_t *message, uint16_t id)
{
	put16(message, id);
}

size_t dns_answer_adapt(uint8_t *answer, size_t length, const uint8_t *query,
	const struct dns_query *parsed, size_t limit)
{
	put16(answer, parsed->id);
	memcpy(answer + DNS_HEADER, query + DNS_HEADER, parsed->question_end - DNS_HEADER);
	if (length <= limit)
		return length;
	put16(answer + 2, get16(answer + 2) | FLAG_TRUNCATED);
	memset(answer + 6, 0, 6);
	return parsed->question_end;
}

int dns_reverse_parse(const char *name, uint32_t *ret)
{
	static const char suffix[] = ".in-addr.arpa";
	size_t length = strlen(name);
	char text[ADDRESS_TEXT];
	uint32_t reversed;

	if (length < sizeof(suffix) || length - (sizeof(suffix) - 1) >= sizeof(text) ||
		strcmp(name + length - (sizeof(suffix) - 1), suffix) != 0)
		return -EINVAL;
	memcpy(text, name, length - (sizeof(suffix) - 1));
	text[length - (sizeof(suffix) - 1)] = '\0';
	if (address_parse(text, &reversed) < 0)
		return -EINVAL;
	*ret = reversed << 24 | (reversed & 0xff00) << 8 | (reversed >> 8 & 0xff00) |
	       reversed >> 24;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int dns_reverse6_parse(const char *name, uint8_t ret[static 16])
{
	static const char suffix[] = "ip6.arpa";
	uint8_t bytes[16] = { 0 };

	if (strlen(name) != 64 + sizeof(suffix) - 1 || strcmp(name + 64, suffix) != 0)
		return -EINVAL;
	for (size_t i = 0; i < 32; i++) {
		int digit = hex_digit(name[2 * i]);

		if (digit < 0 || name[2 * i + 1] != '.')
			return -EINVAL;
		bytes[15 - i / 2] |= (uint8_t)(i % 2 ? digit << 4 : digit);
	}
	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}
