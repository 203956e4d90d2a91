/* SPDX-License-Identifier: Apache-2.0 */
/* hex.h — hexadecimal, base64 (standard and URL alphabets) and percent-encoding. */
#ifndef BALLAST_HEX_H
#define BALLAST_HEX_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "str.h"

/* Lower-case; out gets 2n chars and a NUL. */
void hex_encode(const void *in, size_t n, char *out);
struct str hex_str(struct arena *a, const void *in, size_t n);
/* False unless s is exactly 2n hex digits. */
bool hex_decode(struct str s, void *out, size_t n);
/* Standard alphabet with padding / URL alphabet without. */
void base64_encode(struct buf *b, const void *in, size_t n);
void base64url_encode(struct buf *b, const void *in, size_t n);
/* Accepts both alphabets, optional padding, no white space. Decoded bytes are appended; false on bad input. */
bool base64_decode(struct buf *b, struct str s);
/* Percent-decoding into the arena; '+' stays '+' unless form. False on bad escapes. */
bool uri_decode(struct arena *a, struct str s, bool form, struct str *out);
/* Encode all but unreserved; keep_slash leaves '/' as it is. */
void uri_encode(struct buf *b, struct str s, bool keep_slash);
/* Value of query/form parameter `name`, number `nth` from 0, decoded; false when absent. */
bool uri_param(struct arena *a, struct str query, const char *name, unsigned nth, struct str *out);
#endif
