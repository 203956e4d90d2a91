/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgit2.h — libgit2 with three of its type names moved out of the way.
 *
 * Our contract (git.h) has functions git_tree() and git_blob() and a struct git_commit; C has one name space for
 * functions and typedefs. Whole-token renaming touches only the three types, not the functions named after them.
 */
#ifndef BALLAST_GIT_LIBGIT2_H
#define BALLAST_GIT_LIBGIT2_H

#define git_tree git2_tree
#define git_blob git2_blob
#define git_commit git2_commit
#include <git2.h>
#include <git2/sys/alloc.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#undef git_tree
#undef git_blob
#undef git_commit
#endif
