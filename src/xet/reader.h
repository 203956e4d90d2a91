/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h — the reader's room-private entry: an xfile in memory instead of a database row. */
#ifndef BALLAST_XET_READER_H
#define BALLAST_XET_READER_H

#include "xet/xorb_file.h"

/*
 * The whole of f, whose terms are taken over (f is emptied). verify false skips the chunk hashes: for bytes that
 * were verified at ingest and are being hashed end to end anyway.
 */
must_check err xreader_open_file(struct xet *x, struct xfile *f, bool verify, struct xet_reader **out);
#endif
