/* SPDX-License-Identifier: GPL-2.0-or-later
 * record.h - struct network and struct endpoint as JSON, both ways by one field table each.
 * May depend on: engine/base/, network.h. */
#ifndef MYCOMPOSE_NET_RECORD_H
#define MYCOMPOSE_NET_RECORD_H

#include "engine/base/json.h"
#include "engine/net/network.h"

struct json *network_to_json(const struct network *network);
int network_from_json(const struct json *json, struct network **ret, struct error *err);
struct json *endpoint_to_json(const struct endpoint *endpoint);
/* *ret needs endpoint_release. */
int endpoint_from_json(const struct json *json, struct endpoint *ret, struct error *err);

#endif
