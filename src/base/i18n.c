/* SPDX-License-Identifier: Apache-2.0 */
/* i18n.c — catalogue look-up and language choice. */
#include "base/i18n.h"

const char *i18n(enum lang lang, const char *msgid) {
    if (lang != LANG_ZH) return msgid;
    size_t lo = 0, hi = i18n_table_len;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(msgid, i18n_table[mid].id);
        if (c == 0) return i18n_table[mid].zh;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return msgid;
}

const char *i18n_tag(enum lang lang) {
    return lang == LANG_ZH ? "zh-CN" : "en";
}

enum lang i18n_accept(struct str accept, enum lang dflt) {
    struct str rest = accept, item;
    enum lang best = dflt;
    double best_q = -1;
    while (accept.n > 0 && str_split(&rest, ',', &item)) {
        struct str tag, params = item;
        str_split(&params, ';', &tag);
        tag = str_trim(tag);
        double q = 1;
        struct str p = str_trim(params);
        if (str_starts(p, "q=") && !str_to_double(str_from(p, 2), &q)) q = 0;
        enum lang l;
        if (str_ieq(str_sub(tag, 0, 2), STR("zh"))) l = LANG_ZH;
        else if (str_ieq(str_sub(tag, 0, 2), STR("en"))) l = LANG_EN;
        else continue;
        if (q > best_q) best_q = q, best = l;
    }
    return best;
}
