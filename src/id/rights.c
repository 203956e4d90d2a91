/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.c — "may X do Y on Z".
 *
 *  1. On its own namespace a user is ADMIN; on an organisation's it has its member role; an administrator of
 *     the instance is ADMIN everywhere.
 *  2. A public repository gives READ to everybody.
 *  3. The token's role caps everything: a read token of an owner reads.
 *  4. Who has no READ must not learn that a repository exists.
 */
#include "id/id_int.h"

static enum role capped(const struct principal *p, enum role r) {
    return MIN(r, p->token_role);
}

err id_role_on_owner(struct id *id, const struct principal *p, int64_t owner_id, enum role *out) {
    *out = ROLE_NONE;
    if (p->user_id == 0 && !p->is_admin) return OK; /* the command line acts as the system: admin without a user */
    enum role r = ROLE_ADMIN;
    if (p->user_id != owner_id && !p->is_admin) TRY(member_db_role(db_reader(id->store), owner_id, p->user_id, &r));
    *out = capped(p, r);
    return OK;
}

err repo_access(struct id *id, const struct principal *p, struct repo_rec *repo, enum role need) {
    TRY(id_role_on_owner(id, p, repo->owner_id, &repo->my_role));
    if (repo->my_role == ROLE_NONE && !repo->is_private) repo->my_role = ROLE_READ;
    if (repo->my_role >= need) return OK;
    if (repo->my_role == ROLE_NONE)
        return err_fail(E_REPO_NOT_FOUND, "repository " STR_FMT "/" STR_FMT " does not exist, or you may not see it",
                        STR_ARG(repo->owner), STR_ARG(repo->name));
    if (p->user_id == 0 && !p->is_admin) return err_fail(E_UNAUTHORIZED, "sign in or send a token to do this");
    return err_fail(E_FORBIDDEN, "you need the role %s on " STR_FMT "/" STR_FMT ", this token gives %s",
                    id_role_name(need), STR_ARG(repo->owner), STR_ARG(repo->name), id_role_name(repo->my_role));
}
