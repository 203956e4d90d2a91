/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.h — the examination inside the sandboxed child: one dispatcher by content, one parser a format.
 *
 * Rules: (1) a parser reads only its span; (2) it adds facts and lowers coverage, it judges nothing;
 * (3) names are hints for wording and for text, never for routing binary content; (4) every loop over
 * hostile counts asks scan_late(); (5) memory beyond the span comes from the budgets below.
 */
#ifndef BALLAST_REVIEW_SCAN_H
#define BALLAST_REVIEW_SCAN_H

#include "base/base.h"
#include "base/str.h"
#include "facts.h"

struct span {
    const uint8_t *p;
    size_t n;
};
static inline struct span span_sub(struct span s, size_t from, size_t n) {
    if (from > s.n) from = s.n;
    if (n > s.n - from) n = s.n - from;
    return (struct span){s.p + from, n};
}
static inline struct span span_from(struct span s, size_t from) {
    return span_sub(s, from, SIZE_MAX);
}
static inline struct str span_str(struct span s) {
    return str_make(s.p, s.n);
}
bool span_is(struct span s, size_t at, const void *bytes, size_t n);
static inline uint16_t le16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t le64(const uint8_t *p) {
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}
static inline uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

enum {
    SCAN_DEPTH_MAX = 8,       /* containers inside containers */
    SCAN_MEMBERS_MAX = 50000, /* archive members of one file, all levels together */
    SCAN_NESTED_MAX = 256,    /* literals inside pickles that are tried as formats of their own */
    SCAN_RATIO = 20,          /* decompressed bytes per byte of the file, in all */
};
#define SCAN_EXPAND_MIN (32 * MiB)
#define SCAN_EXPAND_MAX (1024 * MiB)
#define SCAN_MEMORY_MAX (80 * MiB) /* decompressed bytes held at one time */

/* Storages that the pickles of a torch archive refer to: hash of key -> bytes. */
struct storages {
    struct storage {
        uint64_t key_hash, bytes;
        uint64_t item;
        bool seen;
    } * list;
    size_t n, cap;
    bool full;
};
void storages_add(struct storages *s, struct str key, uint64_t bytes, uint64_t item);
const struct storage *storages_find(const struct storages *s, struct str key);
/* A storage of this key and size exists; it counts as found from now on. */
bool storages_match(struct storages *s, struct str key, uint64_t bytes);
void storages_release(struct storages *s);

struct scan {
    struct facts *f;
    struct storages *storages; /* of the torch container around us, else NULL */
    uint64_t expand_left, memory_left;
    uint32_t members_left, nested_left;
    unsigned depth;
    int64_t deadline_ns;
    bool late;
};
/* Heap sort in place: qsort of the C library asks the system how much memory there is, which the sandbox forbids. */
void scan_sort(void *base, size_t n, size_t size /* <= 32 */, int (*order)(const void *, const void *));
void scan_init(struct scan *s, struct facts *f, uint64_t file_bytes);
/* True when time is up; then the caller stops, and coverage is already partial. */
bool scan_late(struct scan *s);

/* Examine bytes by content. `name` is a hint. Adds facts under the current path. */
void scan_bytes(struct scan *s, struct span b, struct str name);
/* As scan_bytes, one level deeper, under member `name`. */
void scan_member(struct scan *s, struct span b, struct str name);
/* Bytes already explained (tensor payload): only look for a program or pickle at the start. */
void scan_payload(struct scan *s, struct span b, struct str name);

/* --- parsers: true when the bytes are of that format (facts added), false when not ------------------- */
struct pickle_end {
    size_t used;  /* bytes up to and including the last STOP that was understood */
    bool stopped; /* reached STOP */
    bool called;  /* saw a call or import with a plausible name */
    bool error;
    unsigned streams;
};
/* One stream. probe: facts are recorded only when the bytes turn out to be a pickle. */
void pickle_stream(struct scan *s, struct span b, size_t from, bool joblib, struct pickle_end *end);
bool pickle_scan(struct scan *s, struct span b, struct str name, bool sure);
/* Look for calls of dangerous objects in bytes nobody could parse. */
void pickle_carve(struct scan *s, struct span b);
bool torch_legacy_scan(struct scan *s, struct span b);
bool numpy_scan(struct scan *s, struct span b);
bool safetensors_scan(struct scan *s, struct span b, struct str name);
bool gguf_scan(struct scan *s, struct span b);
bool zip_scan(struct scan *s, struct span b, struct str name);
/* A control character (NUL, DEL too) other than those in `allowed`. */
bool span_has_control(struct span b, const char *allowed);
bool zip_at_end(struct span b); /* a valid end record in the last 64 KiB */
bool tar_scan(struct scan *s, struct span b);
bool tar_sniff(struct span b);
bool wrap_scan(struct scan *s, struct span b, struct str name); /* gzip, bzip2, xz, lzma, zstd, lz4, zlib */
bool exe_scan(struct scan *s, struct span b);
bool image_scan(struct scan *s, struct span b, struct str name);
bool hdf5_scan(struct scan *s, struct span b);
bool proto_scan(struct scan *s, struct span b, struct str name);  /* onnx, tensorflow */
bool opaque_scan(struct scan *s, struct span b, struct str name); /* recognised, not entered */
bool text_scan(struct scan *s, struct span b, struct str name);
/* Chat template text; adds facts only. */
void jinja_scan(struct scan *s, struct str text);
void json_scan(struct scan *s, struct span b, struct str name);
void code_scan(struct scan *s, struct str text, struct str name);
void jit_scan(struct scan *s, struct str text); /* TorchScript source inside a torch archive */
void secrets_scan(struct scan *s, struct str text);
/* A dotted Python name that a configuration asks to instantiate. */
void target_fact(struct scan *s, struct str dotted);
/* Does the text look like a command, an address or a path? */
bool text_is_evidence(struct str s);
#endif
