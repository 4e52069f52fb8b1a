/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_words.h - mount(8)'s words for what mount_setattr(2) and fsmount(2) call attributes.
 * May depend on: nothing. */
#ifndef MYCOMPOSE_CONTAINER_MOUNT_WORDS_H
#define MYCOMPOSE_CONTAINER_MOUNT_WORDS_H

#include <stdbool.h>

struct mount_word {
	const char *name;
	unsigned int set; /* MOUNT_ATTR_* */
	unsigned int clear;
	bool is_option; /* of the file system, without value ("sync") */
};

/* NULL: none of them. Those that ask for what is the case anyway change nothing. */
const struct mount_word *mount_word_find(const char *name);
unsigned int mount_word_apply(const struct mount_word *word, unsigned int attributes);

#endif
