/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.c — a tree of path segments.
 *
 * A request path is cut at '/' in its RAW form and each segment is matched before it is decoded, so
 * "%2F" inside a segment never becomes a separator. At one place of the tree a literal beats a
 * parameter with a suffix ("{x}.git"), that beats a plain parameter, that beats "{x...}"; when the
 * better branch leads nowhere (or lacks the method) the next one is tried. Depth is bounded by
 * MAX_SEGMENTS, the number of branches by the patterns registered.
 */
#include "base/hex.h"
#include "http/conn.h"

enum { MAX_SEGMENTS = 32, MAX_NODES = 4096, MAX_ROUTES = 1024, MAX_AT_NODE = 8 };
enum node_kind { NODE_LITERAL, NODE_SUFFIX, NODE_PARAM, NODE_REST };

struct node {
    enum node_kind kind;
    struct str text;    /* literal, or suffix behind the parameter */
    struct node *child; /* ordered by kind: best first */
    struct node *next;
    struct {
        const struct http_route *route;
        void *ctx;
        size_t index; /* in `all` */
    } at[MAX_AT_NODE];
    unsigned n_at;
};

struct http_router {
    struct arena arena;
    struct node root;
    const struct http_route *all[MAX_ROUTES];
    size_t n, n_nodes;
};

struct http_router *http_router_new(void) {
    struct http_router *rt = calloc(1, sizeof *rt);
    BUG_ON(rt == NULL);
    arena_init(&rt->arena, 4 * MiB);
    return rt;
}

void http_router_free(struct http_router *rt) {
    if (rt == NULL) return;
    arena_release(&rt->arena);
    free(rt);
}

size_t http_router_count(const struct http_router *rt) {
    return rt->n;
}
const struct http_route *http_router_at(const struct http_router *rt, size_t i) {
    return i < rt->n ? rt->all[i] : NULL;
}

/* Kind and fixed text of one pattern segment; false when malformed. */
static bool segment_kind(struct str seg, enum node_kind *kind, struct str *text) {
    ptrdiff_t open = str_chr(seg, '{'), close = str_chr(seg, '}');
    if (open < 0 && close < 0) {
        *kind = NODE_LITERAL;
        *text = seg;
        return true;
    }
    if (open != 0 || close < 2) return false;
    struct str name = str_sub(seg, 1, (size_t)close - 1);
    *text = str_from(seg, (size_t)close + 1);
    if (str_ends(name, "...")) {
        *kind = NODE_REST;
        return text->n == 0 && name.n > 3;
    }
    *kind = text->n > 0 ? NODE_SUFFIX : NODE_PARAM;
    return str_chr(*text, '{') < 0;
}

static struct node *node_child(struct http_router *rt, struct node *parent, enum node_kind kind, struct str text) {
    struct node **at = &parent->child;
    for (; *at != NULL && (*at)->kind <= kind; at = &(*at)->next)
        if ((*at)->kind == kind && str_eq((*at)->text, text)) return *at;
    BUG_ON(++rt->n_nodes > MAX_NODES);
    struct node *nd = arena_new(&rt->arena, struct node);
    nd->kind = kind;
    nd->text = text;
    nd->next = *at;
    *at = nd;
    return nd;
}

static err route_add(struct http_router *rt, const struct http_route *route, void *ctx) {
    struct str rest = str_of(route->pattern), seg;
    if (rest.n == 0 || rest.p[0] != '/')
        return err_fail(E_INTERNAL, "route %s: the pattern must begin with a slash", route->pattern);
    if (route->auth == AUTH_NONE_DECLARED)
        return err_fail(E_INTERNAL, "route %s declares no authorisation class", route->pattern);
    if (route->methods == 0 || route->fn == NULL || route->name == NULL)
        return err_fail(E_INTERNAL, "route %s needs methods, a handler and a name", route->pattern);
    if (rt->n == MAX_ROUTES) return err_fail(E_INTERNAL, "more than %d routes", MAX_ROUTES);
    struct node *nd = &rt->root;
    rest = str_from(rest, 1);
    unsigned depth = 0, params = 0;
    for (bool more = true; more;) {
        ptrdiff_t slash = str_chr(rest, '/');
        more = slash >= 0;
        seg = more ? str_sub(rest, 0, (size_t)slash) : rest;
        if (more) rest = str_from(rest, (size_t)slash + 1);
        enum node_kind kind;
        struct str text;
        if (!segment_kind(seg, &kind, &text) || ++depth >= MAX_SEGMENTS ||
            (kind != NODE_LITERAL && ++params > HTTP_MAX_PARAMS) || (kind == NODE_REST && more))
            return err_fail(E_INTERNAL, "route %s: malformed pattern", route->pattern);
        nd = node_child(rt, nd, kind, text);
    }
    for (unsigned i = 0; i < nd->n_at; i++)
        if ((nd->at[i].route->methods & route->methods) != 0)
            return err_fail(E_INTERNAL, "routes %s and %s conflict", nd->at[i].route->pattern, route->pattern);
    if (nd->n_at == MAX_AT_NODE)
        return err_fail(E_INTERNAL, "route %s: too many routes at one pattern", route->pattern);
    nd->at[nd->n_at].route = route;
    nd->at[nd->n_at].index = rt->n;
    nd->at[nd->n_at++].ctx = ctx;
    rt->all[rt->n++] = route;
    return OK;
}

err http_router_add(struct http_router *rt, const struct http_route *routes, size_t n, void *ctx) {
    for (size_t i = 0; i < n; i++) TRY(route_add(rt, &routes[i], ctx));
    return OK;
}

struct match {
    struct str seg[MAX_SEGMENTS];  /* raw segments of the request path */
    struct str tail[MAX_SEGMENTS]; /* the path from that segment on */
    unsigned n;
    struct str raw[HTTP_MAX_PARAMS];
    unsigned n_raw;
    unsigned method;
    unsigned allowed;
    const struct node *found;
    unsigned at;
};

static bool node_accept(struct match *m, const struct node *nd) {
    for (unsigned i = 0; i < nd->n_at; i++) {
        unsigned methods = nd->at[i].route->methods;
        if ((methods & HTTP_GET) != 0) methods |= HTTP_HEAD;
        m->allowed |= methods;
        if ((methods & m->method) == 0) continue;
        m->found = nd;
        m->at = i;
        return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by MAX_SEGMENTS */
static bool node_match(struct match *m, const struct node *parent, unsigned i) {
    if (i == m->n) return node_accept(m, parent);
    struct str seg = m->seg[i];
    for (const struct node *nd = parent->child; nd != NULL; nd = nd->next) {
        struct str value = seg;
        switch (nd->kind) {
        case NODE_LITERAL:
            if (str_eq(seg, nd->text) && node_match(m, nd, i + 1)) return true;
            continue;
        case NODE_SUFFIX:
            if (seg.n <= nd->text.n || !str_eq(str_from(seg, seg.n - nd->text.n), nd->text)) continue;
            value.n -= nd->text.n;
            break;
        case NODE_PARAM:
            if (seg.n == 0) continue;
            break;
        case NODE_REST:
        default: value = m->tail[i]; break;
        }
        if (m->n_raw == HTTP_MAX_PARAMS) continue;
        m->raw[m->n_raw++] = value;
        if (nd->kind == NODE_REST ? node_accept(m, nd) : node_match(m, nd, i + 1)) return true;
        m->n_raw--;
    }
    return false;
}

static bool path_split(struct match *m, struct str path) {
    size_t at = 1;
    for (;;) {
        if (m->n == MAX_SEGMENTS) return true; /* the rest is reachable through tail only */
        m->tail[m->n] = str_from(path, at);
        ptrdiff_t slash = str_chr(m->tail[m->n], '/');
        m->seg[m->n] = slash < 0 ? m->tail[m->n] : str_sub(m->tail[m->n], 0, (size_t)slash);
        m->n++;
        if (slash < 0) return true;
        at += (size_t)slash + 1;
    }
}

/* Names of the pattern's parameters, in order, beside the raw values found. */
static bool params_bind(struct http_req *r, const struct match *m) {
    struct str pat = str_of(r->route->pattern);
    for (r->n_params = 0; r->n_params < m->n_raw; r->n_params++) {
        ptrdiff_t open = str_chr(pat, '{'), close = str_chr(pat, '}');
        BUG_ON(open < 0 || close < open);
        struct str name = str_sub(pat, (size_t)open + 1, (size_t)(close - open) - 1);
        if (str_ends(name, "...")) name.n -= 3;
        pat = str_from(pat, (size_t)close + 1);
        struct http_param *p = &r->params[r->n_params];
        *p = (struct http_param){name.p, name.n, m->raw[r->n_params], m->raw[r->n_params]};
        if (str_chr(p->raw, '%') < 0) continue;
        if (!uri_decode(r->arena, p->raw, false, &p->value)) return false;
    }
    return true;
}

enum route_result router_match(const struct http_router *rt, struct http_req *r, unsigned *allowed, size_t *index) {
    struct match m;
    m.n = m.n_raw = m.allowed = 0;
    m.method = r->method;
    m.found = NULL;
    if (r->path.n == 0 || r->path.p[0] != '/') return ROUTE_NOT_FOUND;
    path_split(&m, r->path);
    /* A path with more segments than a pattern can have matches through "{x...}" only. */
    bool found = node_match(&m, &rt->root, 0);
    *allowed = m.allowed;
    if (!found) return m.allowed != 0 ? ROUTE_METHOD : ROUTE_NOT_FOUND;
    r->route = m.found->at[m.at].route;
    r->ctx = m.found->at[m.at].ctx;
    *index = m.found->at[m.at].index;
    return params_bind(r, &m) ? ROUTE_OK : ROUTE_BAD;
}
