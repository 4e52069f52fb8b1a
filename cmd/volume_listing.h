/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_listing.h - volumes in a listing: what `volume ls` and `volumes` share. */
#ifndef MYCOMPOSE_CMD_VOLUME_LISTING_H
#define MYCOMPOSE_CMD_VOLUME_LISTING_H

#include "cmd/format.h"
#include "engine/container/volume.h"

extern const struct format_listing volume_listing;
void volume_listing_add(const struct volume *volume, struct format_items *items);
/* Does it pass "label=KEY[=VALUE]" and "name=PART"? 1 = yes, 0 = no, -EINVAL: `invalid filter`. */
int volume_passes(const struct volume *volume, char *const *filters, struct error *err);

#endif
