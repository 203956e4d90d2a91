/* SPDX-License-Identifier: Apache-2.0 */
/* asset.c — look-up in the embedded table (a dozen rows: a scan is enough). */
#include "web/asset.h"

const struct asset *asset_get(const char *name) {
    for (size_t i = 0; i < asset_table_len; i++)
        if (strcmp(asset_table[i].name, name) == 0) return &asset_table[i];
    bool embedded = false;
    BUG_ON(!embedded);
    return NULL;
}

const struct asset *asset_by_url(struct str path) {
    for (size_t i = 0; i < asset_table_len; i++)
        if (str_eqz(path, asset_table[i].url)) return &asset_table[i];
    return NULL;
}
