/* SPDX-License-Identifier: Apache-2.0 */
/* path.h — which paths and reference names a repository accepts. Pure. */
#ifndef BALLAST_GIT_PATH_H
#define BALLAST_GIT_PATH_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

/* NULL when the path is safe, else a phrase that says what is wrong with it. */
const char *git_path_fault(struct str path);
/* E_UNPROCESSABLE naming the path and the fault. */
must_check err git_path_check(struct str path);
/* One component (as found in a pushed tree). */
const char *git_name_fault(struct str name);
/* git's rules for a full reference name, and one of the name spaces served: refs/heads/, refs/tags/, refs/pr/. */
bool git_ref_name_ok(struct str ref);
#endif
