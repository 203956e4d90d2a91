/* SPDX-License-Identifier: Apache-2.0 */
/* le.h — little-endian integers at any address (private to the room). */
#ifndef BALLAST_XET_LE_H
#define BALLAST_XET_LE_H

#include "base/base.h"

static inline uint32_t le24(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}
static inline uint32_t le32(const uint8_t *p) {
    return le24(p) | (uint32_t)p[3] << 24;
}
static inline uint64_t le64(const uint8_t *p) {
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}
static inline void put_le(uint8_t *p, uint64_t v, unsigned n) {
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
}
#endif
