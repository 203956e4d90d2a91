/* SPDX-License-Identifier: Apache-2.0 */
/* hub.c — opening the room and mounting its routes; the parts live in files of their own. */
#include "hub/hub_internal.h"
#include "hub/hub_parts.h"

err hub_open(const struct hub_opts *o, struct hub **out) {
    struct hub *h = calloc(1, sizeof *h);
    if (h == NULL) return err_fail(E_NOMEM, "no memory for the hub");
    h->store = o->store;
    h->git = o->git;
    h->xet = o->xet;
    h->id = o->id;
    h->inline_limit = o->inline_limit > 0 ? o->inline_limit : 10 * MiB;
    h->gate_hold_ms = o->gate_hold_ms > 0 ? o->gate_hold_ms : 1500;
    h->counts = hub_counts_new();
    *out = h;
    return OK;
}

void hub_close(struct hub *h) {
    if (h == NULL) return;
    hub_counts_free(h->counts);
    free(h);
}

struct git *hub_git(struct hub *h) {
    return h->git;
}
struct xet *hub_xet(struct hub *h) {
    return h->xet;
}

err hub_routes(struct hub *h, struct http_router *rt) {
    static const struct {
        const struct http_route *routes;
        const size_t *n;
    } parts[] = {
        {hub_repos_route, &hub_repos_n},         {hub_info_route, &hub_info_n},
        {hub_listing_route, &hub_listing_n},     {hub_tree_route, &hub_tree_n},
        {hub_resolve_route, &hub_resolve_n},     {hub_token_route, &hub_token_n},
        {hub_preupload_route, &hub_preupload_n}, {hub_commit_route, &hub_commit_n},
        {hub_refs_route, &hub_refs_n},           {hub_commits_route, &hub_commits_n},
        {hub_validate_route, &hub_validate_n},   {hub_later_route, &hub_later_n},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) TRY(http_router_add(rt, parts[i].routes, *parts[i].n, h));
    TRY(hub_lfs_routes(h, rt));
    return hub_git_http_routes(h, rt);
}
