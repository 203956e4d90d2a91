/* SPDX-License-Identifier: Apache-2.0 */
/* hub_mime.h — types and names of served files. */
#ifndef BALLAST_HUB_MIME_H
#define BALLAST_HUB_MIME_H

#include "base/arena.h"
#include "base/str.h"

const char *hub_mime_type(struct str path);
/* inline; filename*=UTF-8''…; filename="…"; */
struct str hub_mime_disposition(struct arena *a, struct str path, bool attachment);
#endif
