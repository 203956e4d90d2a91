/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.c — simple signals in source text (Python, shell): starting programs, loading code, opening
 * connections. Comments are skipped. This tells a reviewer where to look; it does not prove absence.
 */
#include "scan.h"

struct signal {
    const char *text, *say;
};
static const struct signal python[] = {
    {"os.system(", "os.system"},
    {"os.popen(", "os.popen"},
    {"os.exec", "os.exec"},
    {"os.spawn", "os.spawn"},
    {"subprocess.", "subprocess"},
    {"pty.spawn", "pty.spawn"},
    {"eval(", "eval"},
    {"exec(", "exec"},
    {"__import__(", "__import__"},
    {"marshal.loads", "marshal.loads"},
    {"pickle.loads", "pickle.loads"},
    {"ctypes.", "ctypes"},
    {"socket.socket", "socket"},
    {"socket.create_connection", "socket"},
    {"urllib.request", "urllib.request"},
    {"requests.get(", "requests"},
    {"requests.post(", "requests"},
    {"http.client", "http.client"},
    {"base64.b64decode", "base64"},
    {"codecs.decode", "codecs.decode"},
    {"winreg", "winreg"},
    {".ssh/", ".ssh"},
    {"torch.ops.load_library", "load_library"},
};
static const struct signal shell[] = {
    {"/dev/tcp/", "/dev/tcp"}, {"base64 -d", "base64"},  {"nc -e", "nc"},
    {".ssh/", ".ssh"},         {"rm -rf /", "rm -rf /"}, {"Invoke-Expression", "Invoke-Expression"},
};

static bool word_before(struct str line, size_t at) {
    if (at == 0) return false;
    char c = line.p[at - 1];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* curl … | sh, also inside a string handed to os.system */
static bool pipes_to_shell(struct str line) {
    bool fetch =
        str_find(line, STR("curl ")) >= 0 || str_find(line, STR("wget ")) >= 0 || str_find(line, STR("iwr ")) >= 0;
    if (!fetch) return false;
    static const char *const sinks[] = {"|sh",      "| sh",   "|bash", "| bash", "|python",
                                        "| python", "| sudo", "|sudo", "| iex"};
    for (size_t i = 0; i < ARRAY_LEN(sinks); i++)
        if (str_find(line, str_of(sinks[i])) >= 0) return true;
    return false;
}

/* In Python a mention (a help text, a docstring) is pointed at; handed to something that starts programs it is more. */
static bool starts_program(struct str line) {
    static const char *const calls[] = {"system(",       "popen(", "Popen(", "subprocess.", "check_call(",
                                        "check_output(", "run(",   "call(",  "spawn",       "exec"};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (str_find(line, str_of(calls[i])) >= 0) return true;
    return false;
}

/*
 * "# coding: utf-7" in the first two lines makes Python read other characters than stand here, so that no signal can be
 * trusted. The usual names of encodings in which ASCII is ASCII are fine.
 */
static bool odd_encoding(struct str t, struct str *name) {
    static const char *const plain[] = {"utf-8",   "utf8",   "utf_8",      "ascii", "us-ascii",
                                        "latin-1", "latin1", "iso-8859-1", "cp1252"};
    struct str rest = str_sub(t, 0, 1024), line;
    for (int i = 0; i < 2 && str_split(&rest, '\n', &line); i++) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] != '#') continue;
        ptrdiff_t at = str_find(line, STR("coding"));
        if (at < 0 || (size_t)at + 6 >= line.n || (line.p[at + 6] != ':' && line.p[at + 6] != '=')) continue;
        struct str v = str_from(line, (size_t)at + 7);
        while (v.n && (v.p[0] == ' ' || v.p[0] == '\t')) v = str_from(v, 1);
        size_t n = 0;
        while (n < v.n && v.p[n] && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", v.p[n]))
            n++;
        *name = str_sub(v, 0, n);
        for (size_t k = 0; k < ARRAY_LEN(plain); k++)
            if (str_ieqz(*name, plain[k]) || n == 0) return false;
        return true;
    }
    return false;
}

void code_scan(struct scan *s, struct str t, struct str name) {
    bool sh = strcmp(verdict_kind(name), "sh") == 0;
    const struct signal *list = sh ? shell : python;
    size_t n = sh ? ARRAY_LEN(shell) : ARRAY_LEN(python);
    facts_addz(s->f, sh ? FACT_CODE_SHELL : FACT_CODE_PYTHON, "", -1);
    struct str rest = t, line, encoding;
    if (!sh && odd_encoding(t, &encoding)) facts_add(s->f, FACT_CODE_SIGNAL, encoding, 0);
    while (str_split(&rest, '\n', &line)) {
        int64_t off = line.p - t.p;
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#') continue;
        if (pipes_to_shell(line)) {
            if (sh || starts_program(line)) facts_add(s->f, FACT_CODE_SHELL_PIPE, line, off);
            else facts_addz(s->f, FACT_CODE_SIGNAL, "curl | sh", off);
        }
        for (size_t i = 0; i < n; i++) {
            ptrdiff_t at = str_find(line, str_of(list[i].text));
            if (at >= 0 && !word_before(line, (size_t)at)) facts_addz(s->f, FACT_CODE_SIGNAL, list[i].say, off);
        }
    }
}

/*
 * TorchScript sources in a torch archive: a subset of Python compiled by the JIT. What they may not hold
 * is an import of a host module; what touches files is named.
 */
void jit_scan(struct scan *s, struct str t) {
    static const char *const marks[] = {"torch.save(",
                                        "torch.load(",
                                        "torch.from_file(",
                                        "aten.from_file",
                                        "aten.save",
                                        "aten::save",
                                        "aten::from_file",
                                        "os.system",
                                        "subprocess",
                                        "__import__",
                                        "open(",
                                        "eval(",
                                        "exec("};
    struct str rest = t, line;
    while (str_split(&rest, '\n', &line)) {
        int64_t off = line.p - t.p;
        line = str_trim(line);
        if (str_starts(line, "import ") && !str_starts(line, "import __torch__"))
            facts_add(s->f, FACT_JIT_CODE, line, off);
        for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
            ptrdiff_t at = str_find(line, str_of(marks[i]));
            if (at >= 0 && !word_before(line, (size_t)at)) facts_addz(s->f, FACT_JIT_CODE, marks[i], off);
        }
    }
}
