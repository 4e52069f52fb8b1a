/* SPDX-License-Identifier: GPL-2.0-or-later
 * scalar.c - resolve plain scalars as the users' YAML reader does. */
#include "compose/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"

enum special {
	SPECIAL_NULL,
	SPECIAL_TRUE,
	SPECIAL_FALSE,
	SPECIAL_INF,
	SPECIAL_MINUS_INF,
	SPECIAL_NAN
};

static const struct {
	const char *text;
	enum special meaning;
} specials[] = {
	{ "", SPECIAL_NULL },
	{ "~", SPECIAL_NULL },
	{ "null", SPECIAL_NULL },
	{ "Null", SPECIAL_NULL },
	{ "NULL", SPECIAL_NULL },
	{ "true", SPECIAL_TRUE },
	{ "True", SPECIAL_TRUE },
	{ "TRUE", SPECIAL_TRUE },
	{ "false", SPECIAL_FALSE },
	{ "False", SPECIAL_FALSE },
	{ "FALSE", SPECIAL_FALSE },
	{ ".inf", SPECIAL_INF },
	{ ".Inf", SPECIAL_INF },
	{ ".INF", SPECIAL_INF },
	{ "+.inf", SPECIAL_INF },
	{ "+.Inf", SPECIAL_INF },
	{ "+.INF", SPECIAL_INF },
	{ "-.inf", SPECIAL_MINUS_INF },
	{ "-.Inf", SPECIAL_MINUS_INF },
	{ "-.INF", SPECIAL_MINUS_INF },
	{ ".nan", SPECIAL_NAN },
	{ ".NaN", SPECIAL_NAN },
	{ ".NAN", SPECIAL_NAN },
};

static const struct {
	const char *word;
	bool value;
} bool_words[] = {
	{ "true", true },
	{ "false", false },
	{ "y", true },
	{ "n", false },
	{ "yes", true },
	{ "no", false },
	{ "on", true },
	{ "off", false },
};

static bool resolve_special(struct node *node)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
		if (strcmp(node->text, specials[i].text) != 0)
			continue;
		switch (specials[i].meaning) {
		case SPECIAL_NULL:
			node->kind = NODE_NULL;
			break;
		case SPECIAL_TRUE:
		case SPECIAL_FALSE:
			node->kind = NODE_BOOL;
			node->boolean = specials[i].meaning == SPECIAL_TRUE;
			break;
		case SPECIAL_INF:
		case SPECIAL_MINUS_INF:
		case SPECIAL_NAN:
			node->kind = NODE_FLOAT;
			node->real = specials[i].meaning == SPECIAL_NAN	  ? NAN
				     : specials[i].meaning == SPECIAL_INF ? INFINITY
									  : -INFINITY;
			break;
		}
		return true;
	}
	return false;
}

static bool digits_only(const char *s, const char *allowed)
{
	return *s && strspn(s, allowed) == strlen(s);
}

/* Sign, then 0x, 0o, 0b, a leading zero for octal, or decimal. The text has no underscores any
 * more. */
static bool parse_based_int(const char *text, int64_t *ret)
{
	static const struct {
		const char *prefix;
		int base;
		const char *digits;
	} bases[] = {
		{ "0x", 16, "0123456789abcdefABCDEF" },
		{ "0X", 16, "0123456789abcdefABCDEF" },
		{ "0o", 8, "01234567" },
		{ "0O", 8, "01234567" },
		{ "0b", 2, "01" },
		{ "0B", 2, "01" },
	};
	bool negative = *text == '-';
	const char *s = text + (*text == '-' || *text == '+');
	const char *digits = "0123456789";
	int base = 10;
	unsigned long long value;

	for (size_t i = 0; i < ARRAY_LEN(bases); i++)
		if (strncmp(s, bases[i].prefix, 2) == 0) {
			base = bases[i].base;
			digits = bases[i].digits;
			s += 2;
			break;
		}
	if (base == 10 && s[0] == '0' && s[1]) {
		base = 8;
		digits = "01234567";
	}
	if (!digits_only(s, digits))
		return false;
	errno = 0;
	value = strtoull(s, NULL, base);
	if (errno || value > (unsigned long long)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* [-+]? ( .digits | digits [. digits*] ) [ e [+-] digits ] */
static bool looks_like_float(const char *s)
{
	size_t whole, fraction = 0;

	s += *s == '-' || *s == '+';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		fraction = strspn(s + 1, "0123456789");
		s += 1 + fraction;
		if (whole == 0 && fraction == 0)
			return false;
	} else if (whole == 0) {
		return false;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		if (!ascii_is_digit(*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

static bool resolve_number(struct node *node)
{
	char plain[72];
	size_t length = 0;

	if (!strchr("+-.0123456789", node->text[0]) || strlen(node->text) >= sizeof(plain))
		return false;
	for (const char *p = node->text; *p; p++)
		if (*p != '_')
			plain[length++] = *p;
	plain[length] = '\0';
	if (parse_based_int(plain, &node->integer)) {
		node->kind = NODE_INT;
		return true;
	}
	if (!looks_like_float(plain))
		return false;
	/* Whole numbers beyond 63 bits are only ever shown; their digits stay in the text
	 * (node_scalar_text). */
	node->real = strtod(plain, NULL);
	if (!isfinite(node->real))
		return false;
	node->kind = NODE_FLOAT;
	return true;
}

static bool month_has_day(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

/* Read 1 or 2 digits. */
static bool take_number(const char **s, int *ret)
{
	if (!ascii_is_digit(**s))
		return false;
	*ret = *(*s)++ - '0';
	if (ascii_is_digit(**s))
		*ret = *ret * 10 + (*(*s)++ - '0');
	return true;
}

struct civil_time {
	int year, month, day, hour, minute, second;
	char fraction[10];
	int zone_minutes;
	bool zone_is_utc;
};

static bool take_zone(const char **s, struct civil_time *t)
{
	int sign, hours, minutes = 0;

	if (**s == 'Z') {
		(*s)++;
		t->zone_is_utc = true;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	sign = *(*s)++ == '-' ? -1 : 1;
	if (!take_number(s, &hours) || *(*s)++ != ':' || !take_number(s, &minutes))
		return false;
	t->zone_minutes = sign * (hours * 60 + minutes);
	return true;
}

/* What follows the date: "T5:4:3.21Z", or " 5:4:3.21" which takes no zone. */
static bool take_clock(const char **s, struct civil_time *t)
{
	bool wants_zone = **s != ' ';

	(*s)++;
	if (!take_number(s, &t->hour) || *(*s)++ != ':' || !take_number(s, &t->minute) ||
		*(*s)++ != ':' || !take_number(s, &t->second))
		return false;
	if (t->hour > 23 || t->minute > 59 || t->second > 59)
		return false;
	if (**s == '.') {
		size_t length = strspn(*s + 1, "0123456789");

		if (length == 0 || length > 9)
			return false;
		memcpy(t->fraction, *s + 1, length);
		*s += 1 + length;
		for (; length > 0 && t->fraction[length - 1] == '0'; length--)
			t->fraction[length - 1] = '\0';
	}
	t->zone_is_utc = !wants_zone;
	return !wants_zone || take_zone(s, t);
}

static bool resolve_timestamp(struct arena *arena, struct node *node)
{
	const char *s = node->text;
	struct civil_time t = { 0 };
	char zone[16] = "+0000 UTC";

	if (strspn(s, "0123456789") != 4 || s[4] != '-')
		return false;
	t.year = (int)strtol(s, NULL, 10);
	s += 5;
	if (!take_number(&s, &t.month) || *s++ != '-' || !take_number(&s, &t.day) ||
		!month_has_day(t.year, t.month, t.day))
		return false;
	t.zone_is_utc = true;
	if (*s && (!strchr("Tt ", *s) || !take_clock(&s, &t)))
		return false;
	if (*s)
		return false;
	if (!t.zone_is_utc && t.zone_minutes != 0) {
		int minutes = abs(t.zone_minutes);

		snprintf(zone, sizeof(zone), "%c%02u%02u", t.zone_minutes < 0 ? '-' : '+',
			(unsigned int)minutes / 60 % 100, (unsigned int)minutes % 60);
		node->text = arena_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d%s%s %s %s", t.year,
			t.month, t.day, t.hour, t.minute, t.second, *t.fraction ? "." : "",
			t.fraction, zone, zone);
	} else {
		node->text = arena_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d%s%s %s", t.year,
			t.month, t.day, t.hour, t.minute, t.second, *t.fraction ? "." : "",
			t.fraction, zone);
	}
	node->kind = NODE_TIMESTAMP;
	return true;
}

void scalar_resolve(struct arena *arena, struct node *node)
{
	if (resolve_special(node) || resolve_number(node) || resolve_timestamp(arena, node))
		return;
	node->kind = NODE_STRING;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(.[0-9_]*)? */
static bool is_base_60(const char *s)
{
	s += *s == '-' || *s == '+';
	if (!ascii_is_digit(*s))
		return false;
	s += strspn(s, "0123456789_");
	if (*s != ':')
		return false;
	while (*s == ':') {
		s++;
		if (*s >= '0' && *s <= '5' && ascii_is_digit(s[1]))
			s++;
		if (!ascii_is_digit(*s))
			return false;
		s++;
	}
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789_");
	return *s == '\0';
}

/* The three spellings YAML 1.1 knows: yes, Yes, YES. */
static bool is_yaml_1_1_bool(const char *text)
{
	size_t length = strlen(text);
	bool rest_is_lower = true, rest_is_upper = true;

	for (size_t i = 0; i < ARRAY_LEN(bool_words); i++) {
		if (strcasecmp(text, bool_words[i].word) != 0)
			continue;
		for (size_t j = 1; j < length; j++) {
			rest_is_lower = rest_is_lower && ascii_is_lower(text[j]);
			rest_is_upper = rest_is_upper && ascii_is_upper(text[j]);
		}
		return rest_is_lower || (rest_is_upper && ascii_is_upper(text[0]));
	}
	return false;
}

bool scalar_needs_quotes(const char *text)
{
	struct node node = { .kind = NODE_STRING, .text = text };

	if (resolve_special(&node) || resolve_number(&node) || strcmp(text, "<<") == 0)
		return true;
	if (strspn(text, "0123456789") == 4 && text[4] == '-') {
		struct arena *arena = arena_new();
		bool is_time = resolve_timestamp(arena, &node);

		arena_free(arena);
		if (is_time)
			return true;
	}
	return is_yaml_1_1_bool(text) || is_base_60(text);
}

bool scalar_parse_bool(const char *text, bool *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(bool_words); i++)
		if (strcasecmp(text, bool_words[i].word) == 0) {
			*ret = bool_words[i].value;
			return true;
		}
	return false;
}

bool scalar_parse_int(const char *text, int64_t *ret)
{
	long long value;
	const char *digits = text + (*text == '-' || *text == '+');

	if (!digits_only(digits, "0123456789"))
		return false;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno)
		return false;
	*ret = value;
	return true;
}

bool scalar_parse_float(const char *text, double *ret)
{
	if (!looks_like_float(text))
		return false;
	*ret = strtod(text, NULL);
	return isfinite(*ret);
}
