/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c — the page of an error: what happened, in its own words, and where to go on. */
#include "web/web_int.h"

static const char *heading(int status) {
    switch (status) {
    case 400: return N_("The request was not understood");
    case 401: return N_("Please sign in");
    case 403: return N_("Not allowed");
    case 404: return N_("Not found");
    case 405: return N_("Not possible here");
    case 409: return N_("In conflict with what is there");
    case 413: return N_("Too large");
    case 422: return N_("Something in the form does not fit");
    case 429: return N_("Too many requests");
    case 503: return N_("Not available right now");
    default: return status >= 500 ? N_("Something failed on our side") : N_("This did not work");
    }
}

err web_html_error(void *web, struct http_req *r, err e) {
    (void)web;
    struct str text = web_err_text(r);
    int status = e->status;
    bool stranger = r->who == NULL || r->who->user_id == 0;
    /* to a stranger a hidden repository and a missing one are the same: signing in may help with either */
    bool ask = stranger && (status == 401 || e == E_REPO_NOT_FOUND || status == 403);
    if (e == E_UNAUTHORIZED && (r->method & (HTTP_GET | HTTP_HEAD))) { /* the form itself, which leads back here */
        struct view_signin s = {.f = web_frame(r, web_text(r, N_("Sign in")), ""), .needed = true};
        s.next = s.f.self;
        WEB_REPLY(r, status, page_signin, &s);
    }
    struct view_error v = {.f = web_frame(r, web_text(r, heading(status)), ""),
                           .status = status,
                           .heading = heading(status),
                           .text = text,
                           .request_id = str_of(r->id),
                           .offer_signin = ask};
    if (status >= 500 && e != E_UNAVAILABLE && e != E_PENDING)
        v.text = web_text(r, N_("Nothing of your request was kept. Try again; if it stays, tell the administrator the "
                                "request number below."));
    WEB_REPLY(r, status, page_error, &v);
}
