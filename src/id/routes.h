/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h — helpers of this room's handlers. */
#ifndef BALLAST_ID_ROUTES_H
#define BALLAST_ID_ROUTES_H

#include "id/id_int.h"

must_check err json_begin(struct buf *b, struct jw *w);
void json_time(struct jw *w, const char *key, int64_t ms); /* 0 = null */
void json_owner(struct jw *w, const struct owner_rec *o);
void json_hf_user(struct jw *w, const struct owner_rec *o, const char *role /* NULL = left out */);
may_suspend err json_reply(struct http_req *r, int status, struct buf *b) must_check;
#endif
