/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_repo.c — creating and deleting repositories: the record first, then git; deletion the other way round.
 *
 * Invariant: a record whose git half is missing (the server died between the two) has an empty head; creating the
 * same name again completes it instead of leaving a name that can neither be used nor made.
 */
#include "base/clock.h"
#include "hub/hub_repo.h"

#include "hub/hub_db.h"
#include "hub/hub_parts.h"

static struct git_author author_of(struct arena *a, const struct principal *who) {
    return (struct git_author){who->name, arena_printf(a, STR_FMT "@users.noreply.ballast", STR_ARG(who->name)),
                               clock_wall_ms()};
}

/* The git half and its recording; also completes a half that an earlier attempt left. */
static err repo_fill(struct hub *h, struct arena *a, const struct principal *who, const struct repo_rec *repo,
                     const struct git_file *files, size_t n_files) {
    struct git_author author = author_of(a, who);
    char head[GIT_OID_HEX + 1];
    err e = git_repo_create(h->git, repo->id, &author, files, n_files, head);
    if (e == E_CONFLICT) e = git_resolve(h->git, repo->id, STR("main"), head);
    TRY(e);
    struct hub_ref_change c = {STR("refs/heads/main"), STR_NULL, {head, GIT_OID_HEX}};
    return hub_refs_record(h, repo->id, who->user_id, "api", STR("initial commit"), &c, 1);
}

static err owner_for(struct hub *h, struct arena *a, const struct principal *who, enum repo_type t, struct str owner,
                     struct owner_rec *out) {
    enum role role = ROLE_NONE;
    err e = id_owner_find(h->id, a, owner, out);
    if (e == OK) e = id_role_on_owner(h->id, who, out->id, &role);
    if (e != OK && e != E_NOT_FOUND) return e;
    if (e != OK || role < ROLE_WRITE)
        return err_fail(E_FORBIDDEN,
                        "You don't have the rights to create a %s under the namespace \"" STR_FMT
                        "\"; nothing was created. "
                        "Use your own namespace or an organisation you may write to.",
                        repo_type_name(t), STR_ARG(owner));
    return OK;
}

err hub_repo_make(struct hub *h, struct arena *a, const struct principal *who, const struct hub_repo_wish *wish,
                  struct repo_rec *out) {
    struct owner_rec owner;
    TRY(owner_for(h, a, who, wish->type, wish->owner, &owner));
    TRY(id_name_check(wish->name, false));
    int64_t id;
    bool moved = false;
    err e = hub_db_repo_add(h, who->user_id, wish->type, owner.id, owner.name, wish->name, wish->is_private, &id);
    if (e == E_CONFLICT) {
        TRY(repo_find(h->id, a, wish->type, wish->owner, wish->name, out, &moved));
        if (moved) { /* burned (repo_name_claim); where it went, and to whom, is not told here */
            out->owner = owner.name;
            out->name = wish->name;
            return err_fail(E_CONFLICT,
                            "the name " STR_FMT
                            " redirects to a repository that was moved to another owner; choose another",
                            STR_ARG(wish->name));
        }
        char head[GIT_OID_HEX + 1];
        TRY(hub_db_head(db_reader(h->store), out->id, head));
        if (head[0] != 0)
            return err_fail(E_CONFLICT, "You already created this %s repo: " STR_FMT "/" STR_FMT,
                            repo_type_name(out->type), STR_ARG(out->owner), STR_ARG(out->name));
        return repo_fill(h, a, who, out, wish->files, wish->n_files);
    }
    TRY(e);
    TRY(repo_get(h->id, a, id, out));
    e = repo_fill(h, a, who, out, wish->files, wish->n_files);
    /* A repository that could not be filled is taken back, so that the next attempt starts clean. The first error
     * counts. */
    if (e != OK) IGNORE_ERR(hub_db_repo_drop(h, who->user_id, out));
    return e;
}

err hub_repo_create(struct hub *h, const struct principal *who, enum repo_type t, struct str owner, struct str name,
                    bool is_private, struct repo_rec *out) {
    struct arena a;
    arena_init(&a, 4 * MiB);
    struct hub_repo_wish wish = {.type = t, .owner = owner, .name = name, .is_private = is_private};
    struct repo_rec made;
    err e = hub_repo_make(h, &a, who, &wish, &made);
    if (e == OK) {
        *out = made;
        /* The caller's strings outlive ours; case may differ only in the owner's part, which pages show by look-up. */
        out->owner = owner;
        out->name = name;
        out->gated = STR("");
    }
    arena_release(&a);
    return e;
}

err hub_repo_delete(struct hub *h, const struct principal *who, const struct repo_rec *repo) {
    struct repo_rec copy = *repo;
    TRY(repo_access(h->id, who, &copy, ROLE_WRITE));
    TRY(hub_db_repo_drop(h, who->user_id, repo));
    return git_repo_delete(h->git, repo->id);
}
