/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bg4.h — byte grouping by four: byte i goes to plane i mod 4, planes stored one after another.
 * When n mod 4 = r, the first r planes are one byte longer. in and out must not overlap.
 */
#ifndef BALLAST_XET_BG4_H
#define BALLAST_XET_BG4_H

#include "base/base.h"

void bg4_split(const uint8_t *in, uint8_t *out, size_t n);   /* bytes -> planes */
void bg4_regroup(const uint8_t *in, uint8_t *out, size_t n); /* planes -> bytes */
#endif
