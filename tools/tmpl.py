#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tmpl.py — compiles the console's page templates to C.  Syntax and rules: src/web/README.md.

    tmpl.py OUT.c PAGE.html...        one C function `page_NAME(struct tmpl *t, const struct VIEW *v)` a page
    tmpl.py --msgids PAGE.html...     the translatable texts, one JSON object a line (for the catalogue check)
"""
import json
import re
import sys

URL_ATTRS = {"href", "src", "action", "formaction", "poster", "cite", "data"}
IDENT = r"[A-Za-z_][A-Za-z0-9_]*"


class Bad(Exception):
    pass


def c_str(text):
    out = []
    for b in text.encode():
        if b in (0x22, 0x5C):
            out.append("\\" + chr(b))
        elif b == 0x0A:
            out.append("\\n")
        elif 0x20 <= b < 0x7F and b != 0x3F:  # '?': no trigraphs
            out.append(chr(b))
        else:
            out.append("\\%03o" % b)
    return '"' + "".join(out) + '"'


# ---------------------------------------------------------------- tokens of the page
def scan(text, name):
    """Yields (kind, value, line). Kinds: lit, out, stmt, t, n. A {t …} ends at the first } outside quotes."""
    i, start = 0, 0

    def line():
        return text.count("\n", 0, i) + 1

    while i < len(text):
        two = text[i : i + 2]
        end = None
        if two == "{{":
            end = text.find("}}", i)
            kind, close = "out", 2
        elif two == "{%":
            end = text.find("%}", i)
            kind, close = "stmt", 2
        elif two == "{#":
            end = text.find("#}", i)
            kind, close = "note", 2
        elif re.match(r"\{[tna] ", text[i : i + 3]):
            kind, close, end, quoted = text[i + 1], 1, i + 3, False
            while end < len(text) and (quoted or text[end] != "}"):
                if text[end] == "\\":
                    end += 1
                elif text[end] == '"':
                    quoted = not quoted
                end += 1
            end = end if end < len(text) else -1
        else:
            i += 1
            continue
        if end == -1:
            raise Bad("%s:%d: %s is not closed" % (name, line(), two))
        if start < i:
            yield "lit", text[start:i], line()
        if kind != "note":
            yield kind, text[i + (3 if close == 1 else 2) : end].strip(), line()
        i = start = end + close
    if start < len(text):
        yield "lit", text[start:], text.count("\n") + 1


# ---------------------------------------------------------------- expressions
class Scope:
    def __init__(self):
        self.pointers, self.values = [{"v"}], [set()]

    def push(self, pointer=None):
        self.pointers.append({pointer} if pointer else set())
        self.values.append(set())

    def pop(self):
        self.pointers.pop()
        self.values.pop()

    def path(self, p):
        parts = p.split(".")
        if any(parts[0] in s for s in self.values):
            return p
        if any(parts[0] in s for s in self.pointers):
            return parts[0] if len(parts) == 1 else "%s->%s" % (parts[0], ".".join(parts[1:]))
        if len(parts) == 1 and re.fullmatch(r"[A-Z][A-Z0-9_]*", p):
            return p  # an enumerator
        raise Bad("unknown name %s" % parts[0])


EXPR = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\d+|[<>=!]=|[<>()]|%s(?:\.%s)*)' % (IDENT, IDENT))


def cond(scope, text):
    """a, not a, a == "x", a > 3, and / or / parentheses."""
    toks, i = [], 0
    text = text.strip()
    while i < len(text):
        m = EXPR.match(text, i)
        if not m:
            raise Bad("cannot read the condition %r" % text)
        toks.append(m.group(1))
        i = m.end()
    out, i = [], 0
    while i < len(toks):
        k = toks[i]
        if k in ("and", "or", "not", "(", ")"):
            out.append({"and": "&&", "or": "||", "not": "!"}.get(k, k))
            i += 1
            continue
        if i + 2 < len(toks) + 0 and toks[i + 1] in ("==", "!=", "<", ">", "<=", ">="):
            a, op, b = scope.path(k), toks[i + 1], toks[i + 2]
            if b.startswith('"'):
                if op not in ("==", "!="):
                    raise Bad("texts compare with == and != only")
                out.append("%stmpl_eq(%s, %s)" % ("" if op == "==" else "!", a, b))
            else:
                out.append("(%s %s %s)" % (a, op, b if b.isdigit() else scope.path(b)))
            i += 3
            continue
        out.append("tmpl_true(%s)" % scope.path(k))
        i += 1
    return " ".join(out)


def put(scope, text, how="show"):
    """The C call that writes `path` or `path | filter`; how: "put" in an attribute, "show" in text."""
    parts = [p.strip() for p in text.split("|")]
    if not re.fullmatch(r"%s(\.%s)*" % (IDENT, IDENT), parts[0]):
        raise Bad("expected NAME.FIELD, found %r" % parts[0])
    c = scope.path(parts[0])
    if len(parts) == 1:
        return "tmpl_%s(t, %s)" % (how, c)
    if len(parts) == 2 and re.fullmatch(IDENT, parts[1]):
        return "tmpl_f_%s(t, %s)" % (parts[1], c)
    raise Bad("one filter at most: %r" % text)


def text_args(body, plural):
    """(count path or None, [msgids], [(name, expression)]) of a {t …} or {n …}."""
    count = None
    if plural:
        count, body = body.split(None, 1)
    ids = []
    for _ in range(2 if plural else 1):
        m = re.match(r'\s*"((?:[^"\\]|\\.)*)"', body)
        if not m:
            raise Bad('expected "text"')
        ids.append(m.group(1).replace('\\"', '"').replace("\\\\", "\\"))
        body = body[m.end() :]
    args = []
    for m in re.finditer(r"\s*(%s)=([^\s=]+)|\s*(\S+)" % IDENT, body):
        if m.group(3):
            raise Bad("expected name=value, found %r" % m.group(3))
        args.append((m.group(1), m.group(2)))
    names = {a for a, _ in args} | ({"n"} if plural else set())
    for s in ids:
        unknown = set(re.findall(r"\{(\w+)\}", s)) - names
        if unknown:
            raise Bad("the text names {%s} but no such value is given" % "}, {".join(sorted(unknown)))
    return count, ids, args


# ---------------------------------------------------------------- one page
class Page:
    def __init__(self, path):
        self.path = path
        self.name = re.sub(r"\.html$", "", path.rsplit("/", 1)[-1])
        self.view, self.body, self.msgids = None, [], []
        self.scope, self.stack, self.depth, self.seen = Scope(), [], 1, ""
        self.uniq, self.lists = 0, []

    def emit(self, s):
        self.body.append("    " * self.depth + s)

    def lit(self, text):
        text = re.sub(r"[ \t]*\n\s*", "\n", text)
        text = re.sub(r"[ \t]{2,}", " ", text)
        self.seen = (self.seen + text)[-4000:]
        if text:
            self.emit("tmpl_lit(t, %s, %d);" % (c_str(text), len(text.encode())))

    def check_place(self, expr):
        """Values stand in text or in quoted attributes ("show", "put"); a URL attribute takes only made-safe URLs."""
        tag = self.seen[self.seen.rfind("<") :] if self.seen.rfind("<") > self.seen.rfind(">") else ""
        if re.search(r"=\s*$", tag):
            raise Bad("attribute values must be quoted")
        if re.match(r"<(script|style)\b", tag) and ">" in tag:
            raise Bad("no values inside script or style")
        m = re.search(r'([\w-]+)="([^"]*)$', tag)
        if not m:
            if tag and not tag.endswith('"') and not re.search(r"\s$", tag):
                raise Bad("a value inside a tag must be in a quoted attribute")
            return "show"
        attr = m.group(1).lower()
        if attr == "style" or attr.startswith("on"):
            raise Bad("no values in %s" % attr)
        if attr in URL_ATTRS and not m.group(2).startswith("#"):
            path, _, filt = [x.strip() for x in expr.partition("|")]
            last = path.split(".")[-1]
            if filt not in ("uri", "uripath") and not (last == "url" or last.endswith("_url")):
                raise Bad("%s takes a field named url or …_url, or the filter uri" % attr)
        return "put"

    def stmt(self, text):
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if word == "view":
            self.view = rest
        elif word == "include":
            m = re.fullmatch(r'"([\w-]+)\.html"(?: with (\S+))?', rest)
            if not m:
                raise Bad('expected include "name.html" with value')
            c = self.scope.path(m.group(2) or "v")
            is_pointer = "->" not in c and "." not in c
            self.emit("page_%s(t, %s%s);" % (m.group(1), "" if is_pointer else "&", c))
            self.seen = ""
        elif word in ("if", "elif"):
            if word == "elif":
                self.depth -= 1
                if not self.stack or self.stack[-1] != "if":
                    raise Bad("elif without if")
                self.emit("} else if (%s) {" % cond(self.scope, rest))
            else:
                self.emit("if (%s) {" % cond(self.scope, rest))
                self.stack.append("if")
            self.depth += 1
        elif word == "else":
            if not self.stack or self.stack[-1] not in ("if", "for"):
                raise Bad("else without if or for")
            if self.stack[-1] == "for":
                self.end_for(empty=True)
            else:
                self.depth -= 1
                self.emit("} else {")
                self.depth += 1
        elif word == "for":
            m = re.fullmatch(r"(%s) in (\S+)" % IDENT, rest)
            if not m:
                raise Bad("expected for NAME in LIST")
            c = self.scope.path(m.group(2))
            c = "(*%s)" % c if re.fullmatch(IDENT, c) else c
            i = "i%d_" % self.uniq
            self.uniq += 1
            self.emit("for (size_t %s = 0; %s < %s.n; %s++) {" % (i, i, c, i))
            self.depth += 1
            self.emit("const __typeof__(*%s.p) *%s = &%s.p[%s];" % (c, m.group(1), c, i))
            self.stack.append("for")
            self.lists.append(c)
            self.scope.push(m.group(1))
        elif word == "set":
            if not re.fullmatch(IDENT, rest):
                raise Bad("expected set NAME")
            self.emit("size_t %s_mark_ = tmpl_mark(t);" % rest)
            self.stack.append("set " + rest)
        elif word == "end":
            if not self.stack:
                raise Bad("end without a beginning")
            kind = self.stack[-1]
            if kind == "for":
                self.end_for(empty=False)
                self.stack.pop()
            elif kind.startswith("set "):
                name = kind[4:]
                self.emit("struct html %s = tmpl_cut(t, %s_mark_);" % (name, name))
                self.scope.values[-1].add(name)
                self.stack.pop()
            else:
                self.depth -= 1
                self.emit("}")
                self.stack.pop()
        else:
            raise Bad("unknown statement %r" % word)

    def end_for(self, empty):
        self.depth -= 1
        self.emit("}")
        self.scope.pop()
        c = self.lists.pop()
        if empty:
            self.emit("if (%s.n == 0) {" % c)
            self.depth += 1
            self.stack[-1] = "if"

    def text(self, body, plural):
        count, ids, args = text_args(body, plural)
        self.msgids.append(ids)
        tag = self.seen[self.seen.rfind("<") :] if self.seen.rfind("<") > self.seen.rfind(">") else ""
        if tag and tag.count('"') % 2 == 0:
            raise Bad("a text inside a tag must be in a quoted attribute")
        self.emit("{")
        self.depth += 1
        for k, (_, e) in enumerate(args):
            self.emit("size_t m%d_ = tmpl_mark(t); %s; struct html a%d_ = tmpl_cut(t, m%d_);" % (k, put(self.scope, e), k, k))
        rows = ", ".join('{"%s", a%d_}' % (n, k) for k, (n, _) in enumerate(args))
        table = "(const struct tmpl_arg[]){%s}, %d" % (rows, len(args)) if args else "NULL, 0"
        if plural:
            self.emit("tmpl_count(t, (int64_t)(%s), %s, %s, %s);" % (self.scope.path(count), c_str(ids[0]), c_str(ids[1]), table))
        else:
            self.emit("tmpl_text(t, %s, %s);" % (c_str(ids[0]), table))
        self.depth -= 1
        self.emit("}")

    def compile(self):
        line = 0
        try:
            for kind, value, line in scan(open(self.path, encoding="utf-8").read(), self.path):
                if kind == "lit":
                    if self.view is None and value.strip() == "":
                        continue
                    self.lit(value)
                elif kind == "out":
                    self.emit(put(self.scope, value, self.check_place(value)) + ";")
                elif kind == "stmt":
                    self.stmt(value)
                elif kind == "a":
                    m = re.fullmatch(r'"([\w./-]+)"', value)
                    if not m:
                        raise Bad('expected {a "file"}')
                    self.emit("tmpl_asset(t, %s);" % c_str(m.group(1)))
                else:
                    self.text(value, kind == "n")
            if self.stack:
                raise Bad("%s is not ended" % self.stack[-1])
            if not self.view:
                raise Bad("no {% view struct … %} line")
        except Bad as e:
            sys.exit("%s:%d: %s" % (self.path, line, e))
        return self


def main():
    args = sys.argv[1:]
    if args and args[0] == "--msgids":
        for path in args[1:]:
            for ids in Page(path).compile().msgids:
                print(json.dumps({"page": path, "one": ids[0] if len(ids) == 2 else None, "msgid": ids[-1]}, ensure_ascii=False))
        return
    out, pages = args[0], [Page(p).compile() for p in args[1:]]
    with open(out, "w", encoding="utf-8") as f:
        f.write('/* generated by tools/tmpl.py */\n#include "web/view.h"\n')
        for p in pages:
            f.write("\nvoid page_%s(struct tmpl *t, const %s *v) {\n    (void)v;\n%s\n}\n" % (p.name.replace("-", "_"), p.view, "\n".join(p.body)))


main()
