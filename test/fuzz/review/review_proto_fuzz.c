/* SPDX-License-Identifier: Apache-2.0 */
/* review_proto_fuzz.c — protobuf walk, HDF5, images, opaque formats. */
#include "review_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct facts f;
    struct scan s;
    struct span b = {data, size};
    if (size > 65536) return 0;
    facts_init(&f);
    scan_init(&s, &f, size);
    s.expand_left = 4 * MiB; /* bombs are tested elsewhere; here speed counts */
    proto_scan(&s, b, STR("m.onnx"));
    hdf5_scan(&s, b);
    image_scan(&s, b, STR("x"));
    opaque_scan(&s, b, STR("x"));
    fuzz_judge(&f);
    return 0;
}
