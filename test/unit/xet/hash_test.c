/* SPDX-License-Identifier: Apache-2.0 */
/* The published hash vectors (reference xet.md section 4, hf-wire section 1.10). */
#include "xet_test.h"

#include "base/hash.h"
#include "xet/gear.h"
#include "xet/shard.h"

static void test_string_form(void **s) {
    struct xet_hash h;
    for (unsigned i = 0; i < 32; i++) h.b[i] = (uint8_t)i;
    assert_hash(&h, "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918");
    const uint8_t raw[32] = {22,  175, 58, 132, 4,   75,  131, 214, 190, 153, 138, 66,  226, 3,   153, 242,
                             204, 86,  80, 234, 249, 153, 80,  99,  159, 80,  65,  138, 236, 231, 149, 78};
    memcpy(h.b, raw, 32);
    assert_hash(&h, "d6834b04843aaf16f29903e2428a99be635099f9ea5056cc4e95e7ec8a41509f");
    struct xet_hash back;
    assert_true(xet_hash_parse(STR("d6834b04843aaf16f29903e2428a99be635099f9ea5056cc4e95e7ec8a41509f"), &back));
    assert_memory_equal(back.b, raw, 32);
}

static void test_string_refused(void **s) {
    struct xet_hash h;
    static const char *bad[] = {"", "d6", "D6834b04843aaf16f29903e2428a99be635099f9ea5056cc4e95e7ec8a41509f",
                                "d6834b04843aaf16f29903e2428a99be635099f9ea5056cc4e95e7ec8a41509g",
                                "d6834b04843aaf16f29903e2428a99be635099f9ea5056cc4e95e7ec8a41509f0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(xet_hash_parse(str_of(bad[i]), &h));
}

struct vec {
    const char *text, *chunk, *file, *range;
};
static void test_small(void **s) {
    static const struct vec v[] = {
        {"Hello World!", "d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb",
         "a9dae0ad88b060bdd7e7c87abdcf95b132c95a0414b06d4f6beb68d287b87165",
         "89cb63458e98cb4c75be6b50a5a7b7234b82f05d5348e6925fb71aaf5dc3862b"},
        {"a", "a4d4ed80fcb2fe5177fc59321d3e6f90faf23e35a48d58303114bf073f34178a",
         "49a7fffaf5f34109d4a191757f3e541e26437dcd1e0e83153454a503757856be",
         "1856127f86e6e067d17ce895d84d9963bd53565e566fc0be2a8cee4cf198e63c"},
        {"hello world", "4e39378b9d359f118190557a1f44130219a54e5fcfa07bd96cf50b466fe651b1",
         "f15edd43b7e85cfd25e2758ffe13b99fdd09dfa817e8d9f6548722a7a126db7f",
         "22ef2fdcff5cea306e42ad7e15ed8a0c5e789e7d2ec34658c10d2758946847da"},
    };
    struct test_file t;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        test_chunk(&t, (const uint8_t *)v[i].text, strlen(v[i].text), 5);
        assert_int_equal(t.n, 1);
        assert_hash(&t.chunk[0], v[i].chunk);
        assert_hash(&t.xorb, v[i].chunk); /* one chunk: the xorb hash is the chunk hash */
        assert_hash(&t.file, v[i].file);
        assert_hash(&t.range, v[i].range);
    }
    test_chunk(&t, NULL, 0, 1);
    assert_true(xhash_is_zero(&t.file));
    assert_true(xhash_is_zero(&t.xorb));
    assert_hash(&t.range, "b81ce0cc7ce434c719c5f31801bc0825ead2a9ebae7419605afc00726961e5d9");
    uint8_t *zero = test_alloc(8191);
    test_chunk(&t, zero, 8191, 8191);
    assert_hash(&t.chunk[0], "461b3d677f5a6e106501096980089da139bbf22ab66ca36345727adcb5e8ad84");
    assert_hash(&t.file, "80c25c0cf8afd7a10eabd09184c813addb4328bd727089be2b62a77028848772");
    free(zero);
}

static const struct {
    const char *h;
    uint64_t len;
} leaf[8] = {{"0000000000000000000000000000000000000000000000000000000000000000", 0},
             {"cfc5d07f6f03c29bbf424132963fe08d19a37d5757aaf520bf08119f05cd56d6", 100},
             {"c3e67584b5c4fc2a89837ec39e40f2c8a6bb0b2987ac94cd4b31e5fbdd210a72", 200},
             {"0d2beb91b9196929a5ddec9f6e306924ddf4a24268e3e59fd8464738d525af37", 300},
             {"adf8773496a9b7319b2e50dc98093f344053b17d8ad37100b9c07d9805988784", 400},
             {"4ac202caf347fc1e9c874b1ef6a1c5e619141eb775a6f43f0f0124ccd0060d9e", 500},
             {"b3b28636f65c149ea52eb1f94669466f70f033b54cea792824c696ba6ef3c389", 600},
             {"0e2c1a002aae913d2c0fc8ddfa4e9e14b7b311b3b0d458726d5d9f6a6318013c", 700}};

static void check_list(const unsigned *idx, size_t n, const char *root, const char *file) {
    struct merkle a, b;
    merkle_init(&a);
    merkle_init(&b);
    for (size_t i = 0; i < n; i++) {
        struct xet_hash h = test_hash(leaf[idx[i]].h);
        merkle_add(&a, &h, leaf[idx[i]].len);
        merkle_add(&b, &h, leaf[idx[i]].len);
    }
    struct xet_hash out;
    merkle_root(&a, &out);
    assert_hash(&out, root);
    merkle_file(&b, &out);
    assert_hash(&out, file);
}

static void test_merkle(void **s) {
    const unsigned one[] = {1}, l123[] = {1, 2, 3}, l1111[] = {1, 1, 1, 1}, l121234[] = {1, 2, 1, 2, 3, 4},
                   all[] = {0, 1, 2, 3, 4, 5, 6, 7};
    unsigned l64[64];
    for (unsigned i = 0; i < 64; i++) l64[i] = i % 8;
    check_list(one, 1, leaf[1].h, "8e16257caa3fe079d484d872a8975264b2ff683b0d6db9028cc7c0f968a45661");
    check_list(l123, 3, "71ec1275fca074724e2dd666921b3277c7cee603e4d025bcab2d4050015be2bc",
               "54e55dccc6653c612bdb5576c5d3cb34bb31bc4e100248abccf4c908b3ef7715");
    check_list(l1111, 4, "89f2ada89ff8c96763c6b25010e6dd76a4c05b1466207633ea559acf2093211b",
               "2cdba690d0e09563596e0cda626d43eb4c96ef1e994fe72d9b2f5a83cfcd36dd");
    check_list(l121234, 6, "52c826f99507aa05d0b45e9837fa1709e0485425cfbcb1e80db3905cf98b3ee9",
               "91d21684db364c8883ab8209fa5eb2e781cf07f37e1fa43e731c30839afe422f");
    check_list(all, 8, "f62abe77e3fb9c954fe52b0028027ddc90c064c45951a4fd2211d87e5c0011db",
               "d1b068be5bbdb38992269e8efe61f601881e39f7a7585fd76883cc6ea5c23b44");
    check_list(l64, 64, "6554007c9b5d0a5e7918f79596a1b68815c1407535585435f5735db761f21b88",
               "a8640ab81d48854e00078e12b1ea8be5d90be0ffb5f73a15b7009981d093ddd8");
}

static void test_one_node(void **s) {
    struct xet_hash a = test_hash("c28f58387a60d4aa200c311cda7c7f77f686614864f5869eadebf765d0a14a69"),
                    b = test_hash("6e4e3263e073ce2c0e78cc770c361e2778db3b054b98ab65e277fc084fa70f22"), out;
    struct merkle m;
    merkle_init(&m);
    merkle_add(&m, &a, 100);
    merkle_add(&m, &b, 200);
    merkle_root(&m, &out);
    assert_hash(&out, "be64c7003ccd3cf4357364750e04c9592b3c36705dee76a71590c011766b6c14");
    struct xhash_range r;
    xhash_range_init(&r);
    xhash_range_add(&r, &a);
    xhash_range_add(&r, &b);
    xhash_range_done(&r, &out);
    assert_hash(&out, "eb06a8ad81d588ac05d1d9a079232d9c1e7d0b07232fa58091caa7bf333a2768");
}

static void test_sha256_record(void **s) {
    uint8_t digest[32], rec[32];
    hash_sha256("some data", 9, digest);
    shard_sha256_swap(digest, rec);
    struct xet_hash h;
    memcpy(h.b, rec, 32);
    assert_hash(&h, "1307990e6ba5ca145eb35e99182a9bec46531bc54ddf656a602c780fa0240dee");
}

static void test_gear_table(void **s) {
    struct hasher *h = hasher_new("SHA256");
    for (unsigned i = 0; i < 256; i++) {
        char line[24];
        int n = snprintf(line, sizeof line, "0x%016" PRIx64 "\n", gear_table[i]);
        hasher_add(h, line, (size_t)n);
    }
    uint8_t got[32], want[32];
    hasher_done(h, got);
    static const char hex[] = "1e28659c1e21d4f4f3273eb3a484e4829a986d5527935c5b2a4be95672a94ce7";
    for (unsigned i = 0; i < 32; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        want[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    assert_memory_equal(got, want, 32);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_string_form), cmocka_unit_test(test_string_refused),
                                   cmocka_unit_test(test_small),       cmocka_unit_test(test_merkle),
                                   cmocka_unit_test(test_one_node),    cmocka_unit_test(test_sha256_record),
                                   cmocka_unit_test(test_gear_table)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
