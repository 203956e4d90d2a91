/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c — scrypt records "scrypt$N$r$p$SALT$HASH" (base64url), made and checked on a work thread.
 *
 * N=32768, r=8, p=1 costs 32 MiB and some 60–100 ms; one runs at a time, which bounds the memory and
 * what a flood of sign-ins can take from the work threads. A check against a missing or damaged record
 * runs the same derivation and fails, so the answer's time does not tell whether a user exists.
 */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "id/id_int.h"

enum { SALT_LEN = 16, KEY_LEN = 32, COST_N = 32768, COST_R = 8, COST_P = 1, MEM_MAX = 80 << 20 };

struct record {
    uint64_t n, r, p;
    uint8_t salt[SALT_LEN], hash[KEY_LEN];
};

struct job {
    struct record rec;
    struct str password;
    uint8_t key[KEY_LEN];
};

static err derive(void *arg) {
    struct job *j = arg;
    if (EVP_PBE_scrypt(j->password.p, j->password.n, j->rec.salt, SALT_LEN, j->rec.n, j->rec.r, j->rec.p, MEM_MAX,
                       j->key, KEY_LEN) == 1)
        return OK;
    ERR_clear_error();
    return err_fail(E_NOMEM, "not enough memory to check a password now; try again");
}

static err derive_alone(struct id *id, struct job *j) {
    if (j->password.p == NULL) j->password = STR("");
    fmutex_lock(id->kdf_mu);
    err e = work_run(derive, j);
    fmutex_unlock(id->kdf_mu);
    return e;
}

static bool field(struct str *rest, struct str *out) {
    return str_split(rest, '$', out);
}

static bool decode(struct str s, uint8_t *out, size_t n) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 128);
    bool ok = base64_decode(&b, s) && !b.failed && b.n == n;
    if (ok) memcpy(out, b.p, n);
    return ok;
}

static bool record_parse(struct str s, struct record *rec) {
    struct str kind, n, r, p, salt, hash;
    if (!field(&s, &kind) || !field(&s, &n) || !field(&s, &r) || !field(&s, &p) || !field(&s, &salt) ||
        !field(&s, &hash))
        return false;
    if (!str_eqz(kind, "scrypt") || !str_to_u64(n, &rec->n) || !str_to_u64(r, &rec->r) || !str_to_u64(p, &rec->p))
        return false;
    return decode(salt, rec->salt, SALT_LEN) && decode(hash, rec->hash, KEY_LEN);
}

err password_hash(struct id *id, struct str password, char out[PASSWORD_RECORD_MAX]) {
    struct job j = {.rec = {.n = COST_N, .r = COST_R, .p = COST_P}, .password = password};
    rnd_bytes(j.rec.salt, SALT_LEN);
    TRY(derive_alone(id, &j));
    struct buf b cleanup(buf_release);
    buf_init(&b, PASSWORD_RECORD_MAX - 1);
    buf_printf(&b, "scrypt$%d$%d$%d$", COST_N, COST_R, COST_P);
    base64url_encode(&b, j.rec.salt, SALT_LEN);
    buf_char(&b, '$');
    base64url_encode(&b, j.key, KEY_LEN);
    TRY(buf_ok(&b, "password record"));
    memcpy(out, b.p, b.n);
    out[b.n] = 0;
    explicit_bzero(&j, sizeof j);
    return OK;
}

err password_verify(struct id *id, struct str record, struct str password, bool *ok) {
    struct job j = {.password = password};
    bool usable = password.n <= PASSWORD_MAX && record_parse(record, &j.rec);
    if (!usable) {
        j.rec = (struct record){.n = COST_N, .r = COST_R, .p = COST_P};
        j.password = str_sub(password, 0, PASSWORD_MAX);
    }
    *ok = false;
    TRY(derive_alone(id, &j));
    *ok = hash_equal(j.key, j.rec.hash, KEY_LEN) && usable;
    explicit_bzero(&j, sizeof j);
    return OK;
}

err password_policy(struct str name, struct str password) {
    if (password.n < PASSWORD_MIN)
        return err_fail(E_UNPROCESSABLE, "password: at least %d characters are needed", PASSWORD_MIN);
    if (password.n > PASSWORD_MAX)
        return err_fail(E_UNPROCESSABLE, "password: at most %d bytes are allowed", PASSWORD_MAX);
    if (str_ieq(name, password)) return err_fail(E_UNPROCESSABLE, "password: it must differ from the user name");
    return OK;
}
