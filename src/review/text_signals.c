/* SPDX-License-Identifier: Apache-2.0 */
/* text_signals.c — does a string look like a command, an address, code or a path? Used on call arguments only. */
#include "scan.h"

static bool has(struct str s, const char *z) {
    return str_find(s, str_of(z)) >= 0;
}

bool text_is_evidence(struct str s) {
    static const char *const marks[] = {
        "://",         "/bin/",     "/etc/",      "/tmp/",      "/dev/",  "/proc/",   "/usr/",    "/root",
        "~/",          "\\\\",      "C:\\",       "curl ",      "wget ",  "bash",     "sh -c",    "cmd.exe",
        "powershell",  "python -c", "python3 -c", "nc -",       "chmod ", "rm -",     "cat ",     "echo ",
        "touch ",      "whoami",    "import ",    "__import__", "exec(",  "eval(",    "compile(", "open(",
        "system(",     "popen(",    "subprocess", "os.",        "sys.",   "lambda",   "print(",   "getattr",
        "; ",          "&& ",       " | ",        "`",          "$(",     "base64",   "socket",   "<script",
        "http.server", "id >",      "calc.exe",   ".ssh",       "passwd", "\nimport", "def "};
    static const char *const whole[] = {"id",     "ls",    "sh",   "calc", "uname",    "whoami", "os", "subprocess",
                                        "system", "popen", "eval", "exec", "builtins", "posix",  "nt"};
    if (s.n < 2) return false;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (str_eqz(s, whole[i])) return true;
    struct str head = str_sub(s, 0, 4096);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (has(head, marks[i])) return true;
    if (s.p[0] == '/' && s.n > 3 && !memchr(s.p, '\n', s.n) && !memchr(s.p, ' ', s.n) && memchr(s.p + 1, '/', s.n - 1))
        return true;
    /* 1.2.3.4 */
    unsigned dots = 0, digits = 0;
    for (size_t i = 0; i < head.n; i++) {
        if (head.p[i] == '.') dots++;
        else if (head.p[i] >= '0' && head.p[i] <= '9') digits++;
        else if (dots >= 3 && digits >= 4) break;
        else dots = digits = 0;
    }
    return dots == 3 && digits >= 4;
}
