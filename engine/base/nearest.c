/* SPDX-License-Identifier: GPL-2.0-or-later
 * nearest.c - names by their distance from a word. */
#include "engine/base/nearest.h"

#include <stdint.h>
#include <string.h>

#define LONGEST 63 /* no name that somebody types by hand is longer */

/* Damerau-Levenshtein without substrings edited twice; rows of `b` kept for the two previous
 * letters of `a`. */
static size_t edit_distance(const char *a, size_t a_length, const char *b)
{
	size_t b_length = strlen(b);
	size_t rows[3][LONGEST + 1];

	if (a_length > LONGEST || b_length > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3],
		       *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				two_above[j - 2] + 1 < best)
				best = two_above[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a_length % 3][b_length];
}

void nearest_begin(struct nearest *nearest, const char *word, size_t length)
{
	*nearest = (struct nearest){
		.word = word,
		.length = length,
		.limit = length <= 4   ? 2
			 : length <= 8 ? 3
				       : 4,
	};
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t distance = edit_distance(nearest->word, nearest->length, name);

	if (distance >= nearest->limit)
		return;
	nearest->limit = distance;
	nearest->name = name;
}
