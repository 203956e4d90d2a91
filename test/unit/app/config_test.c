/* SPDX-License-Identifier: Apache-2.0 */
/* config_test.c — the configuration file: values, bounds, places in messages, suggestions, the generated page. */
#include "unit.h"

#include <unistd.h>

#include "app/config.h"

static char path[] = "/tmp/ballast-config-XXXXXX";

static err load(const char *text, struct config **c) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return config_load(path, c);
}

static void refused(const char *text, const char *message) {
    struct config *c;
    assert_err(load(text, &c), E_UNPROCESSABLE);
    char want[512];
    snprintf(want, sizeof want, "%s%s", path, message);
    assert_string_equal(err_text(), want);
}

static void defaults_without_a_file(void **st) {
    (void)st;
    struct config *c;
    assert_ok(config_load(NULL, &c));
    assert_str(c->listen_host, "127.0.0.1");
    assert_int_equal(c->listen_port, 8620);
    assert_str(c->data, "./data");
    assert_int_equal(c->inline_limit_bytes, 10485760);
    assert_true(c->log_access);
    config_free(c);
}

static void reads_every_kind_of_value(void **st) {
    (void)st;
    struct config *c;
    setenv("BALLAST_TEST_KEY", "sk-secret", 1);
    assert_ok(
        load("listen: '[::1]:99'\npublic_url: https://hub.example.org/\ntrusted_proxies: [10.0.0.0/8, 127.0.0.1]\n"
             "log: {format: json, access: false}\nreview:\n  hold_ms: 7\nproviders:\n"
             "  - name: a\n    base_url: http://127.0.0.1:9000/v1\n    key_env: BALLAST_TEST_KEY\n    models:\n"
             "      - {name: m, upstream: u, input_price: 0.15}\n      - name: n\n",
             &c));
    assert_str(c->listen_host, "::1");
    assert_int_equal(c->listen_port, 99);
    assert_str(c->public_url, "https://hub.example.org");
    assert_int_equal(c->trusted_proxies.n, 2);
    assert_false(c->log_access);
    assert_int_equal(c->review_hold_ms, 7);
    assert_int_equal(c->n_providers, 1);
    assert_ok(config_resolve(c));
    assert_str(c->providers[0].key, "sk-secret");
    assert_int_equal(c->providers[0].n_models, 2);
    assert_true(c->providers[0].models[0].input_price > 0.149);
    assert_int_equal(c->providers[0].connect_timeout_ms, 1000);
    config_free(c);
}

static void messages_name_file_line_and_remedy(void **st) {
    (void)st;
    refused("data: x\nlog:\n  levle: info\n", ":3: unknown key: levle (did you mean \"level\"?)");
    refused("frobnicate: 1\n", ":1: unknown key: frobnicate");
    refused("review:\n  workers: 99\n", ":2: workers: expected a whole number from 1 to 32, got \"99\"");
    refused("log: {level: loud}\n", ":1: level: expected one of debug|info|warn|error, got \"loud\"");
    refused("log: {access: yes}\n", ":1: access: expected true or false, got \"yes\"");
    refused("data: a\ndata: b\n", ":2: key given twice: data");
    refused("providers:\n  - base_url: http://x\n", ":2: required key is missing: name");
    refused("providers: {}\n", ":1: expected a list of entries: providers");
    refused("log: 3\n", ":1: expected keys and values: 3");
    struct config *c;
    assert_err(load("a: [\n", &c), E_UNPROCESSABLE);
    refused("\nlisten: nowhere\n", ":2: listen: expected HOST:PORT, got \"nowhere\"");
    refused("listen: hub.example.org:80\n",
            ":1: listen: expected an IP address before the port, got \"hub.example.org\"");
    refused("log: {level: info}\ntls:\n  cert: a\n", ":3: tls: cert and key are needed together");
    refused("data:\n", ":1: data: expected a directory, got nothing");
    refused("trusted_proxies:\n  - 10.0.0.0/8\n  - nonsense\n",
            ":3: trusted_proxies: expected an address or a CIDR range, got \"nonsense\"");
    refused("data: a\n---\ndata: b\n", ":3: expected one YAML document, here begins a second");
    refused("engines:\n  - {name: a, argv: [x]}\n  - {name: b, argv: []}\n", ":3: engines: argv is empty");
    refused("providers:\n  - {name: a, base_url: 'http://x'}\n  - {name: a, base_url: 'http://y'}\n",
            ":3: providers: the name \"a\" is used twice");
    refused("providers:\n  - {name: 'a b', base_url: 'http://x'}\n",
            ":2: providers: name: expected 1 to 64 of A-Z a-z 0-9 . _ -, got \"a b\"");
    refused("providers:\n  - {name: a, base_url: 'http://x', key_env: A, key_file: B}\n",
            ":2: providers: give key_env or key_file, not both");
    refused("providers:\n  - name: a\n    base_url: http://x\n    models:\n      - name: m\n      - name: m\n",
            ":6: models: the name \"m\" is used twice");
    assert_err(config_load("/nonexistent/ballast.yaml", &c), E_NOT_FOUND);
}

static void addresses_hold_no_secret_and_nothing_that_breaks_links(void **st) {
    (void)st;
    static const char *const bad[] = {"ftp://x",         "https://",       "https://user:pw@x",
                                      "http://x?q=1",    "http://x/#f",    "http://x y",
                                      "hub.example.org", "http://x:99999", "https://x/\\\"<>"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "public_url: '%s'\n", bad[i]);
        refused(
            text,
            ":1: public_url: expected http://HOST or https://HOST, with a path at most (no user, query or fragment)");
    }
    struct config *c;
    assert_ok(load("public_url: 'https://[::1]:8443/base//'\n", &c));
    assert_str(c->public_url, "https://[::1]:8443/base");
    config_free(c);
}

/* A command must work where the service's secrets cannot be read; the server must not start without them. */
static void secrets_are_read_by_the_server_only(void **st) {
    (void)st;
    static const char *const lacking[] = {"providers: [{name: a, base_url: 'http://x', key_env: BALLAST_NO_SUCH}]\n",
                                          "providers: [{name: a, base_url: 'http://x', key_file: /no/such}]\n",
                                          "tls: {cert: /no/such/cert.pem, key: /no/such/key.pem}\n"};
    for (size_t i = 0; i < ARRAY_LEN(lacking); i++) {
        struct config *c;
        assert_ok(load(lacking[i], &c));
        assert_non_null(config_resolve(c));
        assert_non_null(strstr(err_text(), i == 0 ? "BALLAST_NO_SUCH is not set" : "No such file"));
        config_free(c);
    }
}

static char differ[256];
static void note(const char *key) {
    snprintf(differ + strlen(differ), sizeof differ - strlen(differ), "%s ", key);
}

static void a_reload_says_what_needs_a_restart(void **st) {
    (void)st;
    struct config *a, *b;
    assert_ok(load("engines: [{name: e, argv: [x, y]}]\nproviders: [{name: p, base_url: 'http://x'}]\n", &a));
    assert_ok(
        load("engines: [{name: e, argv: [x, z]}]\nlisten: 127.0.0.1:1\nreview: {hold_ms: 2, responsible: me}\n"
             "public_url: http://x\nlog: {level: warn}\nserver: {drain_s: 3, loops: 2}\ntrusted_proxies: [10.0.0.1]\n"
             "language: zh\n",
             &b));
    config_needs_restart(a, b, note);
    assert_string_equal(differ, "listen server.loops review.responsible review.hold_ms engines ");
    differ[0] = 0;
    config_needs_restart(a, a, note);
    assert_string_equal(differ, "");
    config_free(a);
    config_free(b);
}

static void environment_wins_over_the_file(void **st) {
    (void)st;
    struct config *c;
    setenv("BALLAST_LISTEN", "127.0.0.2:1234", 1);
    assert_ok(load("listen: 127.0.0.1:1\n", &c));
    unsetenv("BALLAST_LISTEN");
    assert_int_equal(c->listen_port, 1234);
    config_free(c);
    setenv("BALLAST_PUBLIC_URL", "nonsense", 1);
    assert_err(load("listen: 127.0.0.1:1\n", &c), E_UNPROCESSABLE);
    unsetenv("BALLAST_PUBLIC_URL");
    assert_true(str_starts(str_of(err_text()), "BALLAST_PUBLIC_URL: public_url: expected"));
}

static void documentation_is_current(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, MiB);
    config_doc(&b);
    const char *root = getenv("BALLAST_SOURCE");
    char page[4096];
    snprintf(page, sizeof page, "%s/docs/operations/config.md", root != NULL ? root : ".");
    FILE *f = fopen(page, "r");
    assert_non_null(f);
    char *have = calloc(1, MiB);
    size_t n = fread(have, 1, MiB, f);
    fclose(f);
    /* Redo it with: ballast help --config-doc > docs/operations/config.md */
    assert_true(str_eq(buf_view(&b), str_make(have, n)));
    free(have);
    buf_release(&b);
}

int main(void) {
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_without_a_file),
        cmocka_unit_test(reads_every_kind_of_value),
        cmocka_unit_test(messages_name_file_line_and_remedy),
        cmocka_unit_test(addresses_hold_no_secret_and_nothing_that_breaks_links),
        cmocka_unit_test(secrets_are_read_by_the_server_only),
        cmocka_unit_test(a_reload_says_what_needs_a_restart),
        cmocka_unit_test(environment_wins_over_the_file),
        cmocka_unit_test(documentation_is_current),
    };
    int rc = cmocka_run_group_tests_name("app_config", tests, NULL, NULL);
    unlink(path);
    return rc;
}
