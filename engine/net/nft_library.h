/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_library.h - run nftables commands: the only place that speaks to libnftables.
 * May depend on: engine/base/.
 *
 * The library is loaded when rules are written (dlopen), not linked: with what it brings along
 * (libgmp, libjansson, libxtables) it would cost each start of the program a millisecond or two,
 * and most hosts have their rules in the legacy tables. */
#ifndef MYCOMPOSE_NET_NFT_LIBRARY_H
#define MYCOMPOSE_NET_NFT_LIBRARY_H

#include "engine/base/errors.h"

/* Can it be loaded? -EOPNOTSUPP names the package that brings it. */
int nft_library_check(struct error *err);
/* All commands of the text in one transaction: they all hold, or none does. */
int nft_run(const char *commands, struct error *err);

#endif
