/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i18n.h — user-facing text in English (the msgid) and Chinese, from po/zh_CN.po compiled into the
 * binary (tools/po2c.py). Machine-readable codes are never translated.
 */
#ifndef BALLAST_I18N_H
#define BALLAST_I18N_H

#include "base.h"
#include "str.h"

enum lang { LANG_EN = 0, LANG_ZH = 1, LANG_COUNT };
/* The text for `lang`, or msgid itself where no translation stands. Never NULL. */
/* format_arg: the compiler checks arguments against msgid; po2c.py checks that the translation has the same ones. */
__attribute__((format_arg(2))) const char *i18n(enum lang lang, const char *msgid);
/* Marks a literal for the catalogue without translating it here. */
#define N_(msgid) msgid
/* Best language for an Accept-Language header; `dflt` when it names neither. */
enum lang i18n_accept(struct str accept_language, enum lang dflt);
const char *i18n_tag(enum lang lang); /* "en", "zh-CN" */

/* One catalogue row; the table is sorted by msgid (generated). */
struct i18n_row {
    const char *id, *zh;
};
extern const struct i18n_row i18n_table[];
extern const size_t i18n_table_len;
#endif
