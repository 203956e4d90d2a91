/* SPDX-License-Identifier: Apache-2.0 */
/* hub_yaml.h — YAML of cards as JSON. */
#ifndef BALLAST_HUB_YAML_H
#define BALLAST_HUB_YAML_H

#include "base/buf.h"
#include "base/json.h"

enum { HUB_YAML_MAX = 512 * 1024, HUB_YAML_JSON_MAX = 1024 * 1024, HUB_YAML_DEPTH = 32 };
/*
 * Append one JSON value. Plain scalars follow the YAML 1.2 core schema (true, false, null, numbers; `no` and dates stay
 * text). Aliases are expanded within HUB_YAML_JSON_MAX bytes of output, so no document can grow without bound.
 * Duplicate keys, a second document and non-scalar keys are errors: "line L, column C: what".
 */
must_check err hub_yaml_json(struct str yaml, struct buf *out);
#endif
