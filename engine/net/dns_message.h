/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_message.h - the part of the DNS wire format that the name service needs. Pure, every access
 * bounded. RFC 1035 section 4, RFC 6891 section 6.
 * May depend on: libc. */
#ifndef MYCOMPOSE_NET_DNS_MESSAGE_H
#define MYCOMPOSE_NET_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER	12
#define DNS_NAME_TEXT	256  /* 253 letters and dots, NUL; the wire form has at most 255 bytes */
#define DNS_UDP_PLAIN	512  /* what an asker without EDNS takes */
#define DNS_UDP_MAX	1232 /* what fits every link unfragmented (DNS flag day 2020) */
#define DNS_MESSAGE_MAX 65535

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_ANY = 255
};
enum dns_class { DNS_CLASS_IN = 1, DNS_CLASS_ANY = 255 };
enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

struct dns_query {
	uint16_t id;
	bool recursion_desired;
	uint8_t opcode;
	uint16_t type;
	uint16_t class;
	/* Lower case, dots between labels, none at the end. Empty for the root, and for a name that
	 * has no such text (a dot or NUL inside a label): such names are nobody's here. */
	char name[DNS_NAME_TEXT];
	size_t question_end; /* offset behind the question, 0 if there is none to repeat */
	bool has_edns;
	uint16_t udp_size; /* what the asker takes by UDP */
};

/* DNS_NOERROR: *ret is whole. Another rcode: *ret holds enough to answer with it. -EBADMSG: not a
 * query at all, to be dropped. */
int dns_query_parse(const uint8_t *message, size_t length, struct dns_query *ret);

/* A reply being written. `limit` bytes at most; what does not fit is left out and the reply marked
 * as truncated. */
struct dns_reply {
	uint8_t *bytes;
	size_t limit;
	size_t length;
	uint16_t answers;
	bool truncated;
	bool has_edns;
};
/* `limit` must hold the header and the longest question (DNS_UDP_PLAIN does). */
void dns_reply_begin(struct dns_reply *reply, uint8_t *bytes, size_t limit, const uint8_t *message,
	const struct dns_query *query, enum dns_rcode rcode);
/* The answer's name is the question's. False when there is no room. */
bool dns_reply_add_a(struct dns_reply *reply, uint32_t ttl, uint32_t address);
bool dns_reply_add_aaaa(struct dns_reply *reply, uint32_t ttl, const uint8_t address[static 16]);
bool dns_reply_add_ptr(struct dns_reply *reply, uint32_t ttl, const char *name);
/* Returns the length of the whole. */
size_t dns_reply_end(struct dns_reply *reply);

/* Is this an answer to that query (question compared without case), sent with this id? */
bool dns_answers(const uint8_t *answer, size_t length, const uint8_t *query, size_t query_length,
	uint16_t id);
uint8_t dns_rcode_of(const uint8_t *answer);
void dns_set_id(uint8_t *message, uint16_t id);
/* Give a foreign answer the letters of the asker's question, and cut it down to the question with
 * the truncation mark if it is longer than `limit`. Returns the length. */
size_t dns_answer_adapt(uint8_t *answer, size_t length, const uint8_t *query,
	const struct dns_query *parsed, size_t limit);
/* "4.3.2.1.in-addr.arpa" to an address; -EINVAL. */
int dns_reverse_parse(const char *name, uint32_t *ret);
/* 32 digits and dots before "ip6.arpa" (RFC 3596 2.5). */
int dns_reverse6_parse(const char *name, uint8_t ret[static 16]);

#endif
