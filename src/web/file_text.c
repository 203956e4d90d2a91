/* SPDX-License-Identifier: Apache-2.0 */
/* file_text.c — lines with numbers, bytes as hex, CSV and JSONL as tables. */
#include "base/json.h"
#include "web/file_view.h"

bool view_is_text(struct str s) {
    if (s.n > 0 && memchr(s.p, 0, s.n) != NULL) return false;
    for (size_t back = 0; back < 4 && back <= s.n; back++)
        if (str_is_utf8(str_sub(s, 0, s.n - back))) return true;
    return false;
}

/* Cuts between characters and says that it cut. */
struct str view_clip(struct arena *a, struct str s, size_t max) {
    if (s.n <= max) return s;
    size_t n = max;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return arena_printf(a, STR_FMT "…", STR_ARG(str_sub(s, 0, n)));
}

void view_lines(struct arena *a, struct str text, struct view_file *v) {
    struct line_row *rows = arena_array(a, struct line_row, VIEW_LINES);
    size_t k = 0;
    struct str rest = text, line;
    while (rest.n > 0 && k < VIEW_LINES && str_split(&rest, '\n', &line)) {
        if (str_ends(line, "\r")) line.n--;
        rows[k] = (struct line_row){(int64_t)k + 1, view_clip(a, line, VIEW_LINE_MAX)};
        k++;
    }
    v->kind = "text";
    v->cut = v->cut || rest.n > 0;
    v->lines.p = rows, v->lines.n = k;
}

void view_hex(struct arena *a, struct str head, struct view_file *v) {
    head = str_sub(head, 0, VIEW_HEX);
    size_t n = (head.n + 15) / 16;
    struct hex_row *rows = arena_array(a, struct hex_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        char hex[16 * 3 + 2], ascii[17];
        size_t at = 0, len = MIN((size_t)16, head.n - i * 16);
        for (size_t j = 0; j < len; j++) {
            unsigned char c = (unsigned char)head.p[i * 16 + j];
            at += (size_t)snprintf(hex + at, sizeof hex - at, j == 8 ? " %02x " : "%02x ", c);
            ascii[j] = c >= 0x20 && c < 0x7F ? (char)c : '.';
        }
        rows[i] = (struct hex_row){arena_printf(a, "%08zx", i * 16), arena_str(a, str_make(hex, at > 0 ? at - 1 : 0)),
                                   arena_str(a, str_make(ascii, len))};
    }
    v->kind = "hex";
    v->cut = v->bytes > head.n;
    v->hex.p = rows, v->hex.n = n;
}

/* --- CSV --------------------------------------------------------------------------------------- */
/* One field from *at on; *end tells that the record ends behind it. Quotes are undone. */
static struct str csv_field(struct arena *a, struct str s, size_t *at, char sep, bool *end) {
    struct str f;
    size_t i = *at;
    if (i < s.n && s.p[i] == '"') {
        char *out = arena_alloc(a, VIEW_CELL_MAX + 8);
        size_t n = 0;
        for (i++; i < s.n; i++) {
            if (s.p[i] == '"' && (i + 1 >= s.n || s.p[i + 1] != '"')) break;
            if (s.p[i] == '"') i++;
            if (n < VIEW_CELL_MAX + 4) out[n++] = s.p[i];
        }
        f = str_make(out, n);
        while (i < s.n && s.p[i] != sep && s.p[i] != '\n') i++;
    } else {
        size_t from = i;
        while (i < s.n && s.p[i] != sep && s.p[i] != '\n') i++;
        f = str_sub(s, from, i - from);
        if (str_ends(f, "\r")) f.n--;
    }
    *end = i >= s.n || s.p[i] == '\n';
    *at = i < s.n ? i + 1 : i;
    return view_clip(a, f, VIEW_CELL_MAX);
}

bool view_csv(struct arena *a, struct str text, char sep, struct view_file *v) {
    struct cell_row *rows = arena_array(a, struct cell_row, VIEW_ROWS + 1);
    size_t n_rows = 0, at = 0, widest = 0;
    while (at < text.n && n_rows <= VIEW_ROWS) {
        struct word *cells = arena_array(a, struct word, VIEW_COLUMNS);
        size_t k = 0;
        bool end = false;
        while (!end) {
            struct str f = csv_field(a, text, &at, sep, &end);
            if (k < VIEW_COLUMNS) cells[k++].text = f;
        }
        rows[n_rows].cells.p = cells;
        rows[n_rows++].cells.n = k;
        widest = MAX(widest, k);
    }
    if (n_rows < 1 || widest < 2) return false;
    v->cut = v->cut || at < text.n;
    v->kind = "table";
    v->columns.p = rows[0].cells.p, v->columns.n = rows[0].cells.n;
    v->rows.p = rows + 1, v->rows.n = n_rows - 1;
    return true;
}

/* --- JSONL -------------------------------------------------------------------------------------- */
struct jsonl {
    struct word columns[VIEW_COLUMNS];
    size_t n_columns;
};

static size_t column_of(struct jsonl *t, struct str key) {
    for (size_t i = 0; i < t->n_columns; i++)
        if (str_eq(t->columns[i].text, key)) return i;
    if (t->n_columns == VIEW_COLUMNS) return VIEW_COLUMNS;
    t->columns[t->n_columns].text = key;
    return t->n_columns++;
}

static void jsonl_row(struct arena *a, struct jsonl *t, struct jv obj, struct cell_row *row) {
    struct word *cells = arena_array(a, struct word, VIEW_COLUMNS);
    for (struct jv_iter it = jv_iter(obj); jv_next(&it);) {
        size_t c = column_of(t, it.key);
        if (c == VIEW_COLUMNS) continue;
        struct str text = jv_type(it.val) == JSON_STRING ? jv_str(it.val, STR("")) : jv_raw(it.val);
        cells[c].text = view_clip(a, text, VIEW_CELL_MAX);
    }
    row->cells.p = cells;
}

bool view_jsonl(struct arena *a, struct str text, struct view_file *v) {
    struct jsonl *t = arena_new(a, struct jsonl);
    struct cell_row *rows = arena_array(a, struct cell_row, VIEW_ROWS);
    const struct json_limits lim = {.max_bytes = VIEW_TEXT_MAX, .max_depth = 64, .max_nodes = 20000};
    size_t n = 0;
    struct str rest = text, line;
    while (rest.n > 0 && n < VIEW_ROWS && str_split(&rest, '\n', &line)) {
        struct jv obj;
        if (str_trim(line).n == 0) continue;
        if (json_parse(a, line, &lim, &obj) != OK || jv_type(obj) != JSON_OBJECT) {
            if (n == 0 || rest.n > 0) return false; /* only the last line may be cut by our window */
            break;
        }
        jsonl_row(a, t, obj, &rows[n++]);
    }
    if (n == 0 || t->n_columns == 0) return false;
    for (size_t i = 0; i < n; i++) rows[i].cells.n = t->n_columns;
    v->cut = v->cut || rest.n > 0;
    v->kind = "table";
    v->columns.p = t->columns, v->columns.n = t->n_columns;
    v->rows.p = rows, v->rows.n = n;
    return true;
}
