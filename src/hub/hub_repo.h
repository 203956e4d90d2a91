/* SPDX-License-Identifier: Apache-2.0 */
/* hub_repo.h — making a repository with everything a request may ask for. */
#ifndef BALLAST_HUB_REPO_H
#define BALLAST_HUB_REPO_H

#include "hub/hub_internal.h"

struct hub_repo_wish {
    enum repo_type type;
    struct str owner, name;
    bool is_private;
    const struct git_file *files; /* besides .gitattributes */
    size_t n_files;
};
/* E_CONFLICT: *out is the repository that has the name. */
may_suspend err hub_repo_make(struct hub *h, struct arena *a, const struct principal *who,
                              const struct hub_repo_wish *wish, struct repo_rec *out) must_check;
#endif
