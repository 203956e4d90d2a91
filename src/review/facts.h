/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h — what an examination learned about one file, before any judgement.
 *
 * Parsers (in the sandboxed child) only add facts; rules (in the parent, rules.c) turn facts into
 * findings. A fact is a kind, a subject (callee, member name, key …), a place and a count. Equal
 * facts are merged, so a file of ten million calls yields a handful.
 *
 * Invariants: at most FACTS_MAX facts; when full, a more severe fact replaces the mildest one and
 * FACT_MANY is set. Coverage only ever falls. Nothing here allocates after facts_init.
 */
#ifndef BALLAST_REVIEW_FACTS_H
#define BALLAST_REVIEW_FACTS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/verdict.h"

/* name, rule severity, English message (at most one %s = subject). The order is part of no format: names are. */
#define FACT_KINDS(X)                                                                                                  \
    X(PICKLE_CALL, "pickle.call", PENDING, "The pickle calls %s when it is loaded.")                                   \
    X(PICKLE_CALL_EVIDENCE, "pickle.call.evidence", PENDING,                                                           \
      "The pickle calls %s with an argument that looks like a command, an address or a path.")                         \
    X(PICKLE_CALL_ODD, "pickle.call.odd", REVIEW, "The pickle calls %s with arguments that its known use never has.")  \
    X(PICKLE_PROVEN, "pickle.proven", PASS, "Known call shape: %s.")                                                   \
    X(PICKLE_IMPORT, "pickle.import", PENDING, "The pickle imports %s without calling it.")                            \
    X(PICKLE_CALL_COMPUTED, "pickle.call.computed", REVIEW,                                                            \
      "The pickle calls something that it computes itself (%s).")                                                      \
    X(PICKLE_GLOBAL_WRITE, "pickle.global.write", BLOCK, "The pickle changes attributes of the imported object %s.")   \
    X(PICKLE_DUNDER, "pickle.dunder", BLOCK, "The pickle installs the special attribute %s on an object.")             \
    X(PICKLE_EXT, "pickle.ext", REVIEW,                                                                                \
      "The pickle names an object by extension number %s; what it is is not in the file.")                             \
    X(PICKLE_EXT_CALL, "pickle.ext.call", BLOCK, "The pickle calls an object it names only by extension number %s.")   \
    X(PICKLE_NAME_COMPUTED, "pickle.name.computed", REVIEW,                                                            \
      "The pickle imports by a name that is not a literal (%s).")                                                      \
    X(PICKLE_PERSID, "pickle.persid", NOTICE,                                                                          \
      "The pickle refers to outside objects by persistent id, without a known container.")                             \
    X(PICKLE_PERSID_BAD, "pickle.persid.bad", REVIEW, "A tensor storage reference is not of the known form (%s).")     \
    X(PICKLE_STORAGE, "pickle.storage", REVIEW,                                                                        \
      "Tensor storage %s is missing from the archive or has another size than declared.")                              \
    X(PICKLE_FRAME, "pickle.frame", BLOCK, "Pickle frames are cut so that loaders read different code (%s).")          \
    X(PICKLE_PROTO, "pickle.proto", REVIEW, "A pickle protocol mark is misplaced or unknown (%s).")                    \
    X(PICKLE_MALFORMED, "pickle.malformed", REVIEW, "The pickle breaks off or contradicts itself (%s).")               \
    X(PICKLE_TRAILING, "pickle.trailing", REVIEW, "Bytes behind the end of the pickle could not be explained.")        \
    X(PICKLE_CARVED, "pickle.carved", BLOCK, "Unparsed bytes hold a pickle call of %s.")                               \
    X(PICKLE_LIMIT, "pickle.limit", REVIEW, "The pickle exceeds what is examined (%s).")                               \
    X(PICKLE_BUFFER, "pickle.buffer", REVIEW, "The pickle takes out-of-band buffers that are not in the file.")        \
    X(NUMPY_HEADER, "numpy.header", REVIEW, "The numpy header is not valid (%s).")                                     \
    X(NUMPY_SIZE, "numpy.size", REVIEW, "The numpy array has another size than its header says (%s).")                 \
    X(NUMPY_OBJECT, "numpy.object", NOTICE, "The numpy array holds Python objects: loading it unpickles.")             \
    X(ST_HEADER, "safetensors.header", BLOCK, "The safetensors header is not valid (%s).")                             \
    X(ST_TILING, "safetensors.tiling", BLOCK, "Tensors do not tile the data exactly (%s).")                            \
    X(ST_TRAILING, "safetensors.trailing", BLOCK, "Bytes stand behind the last tensor (%s).")                          \
    X(ST_DTYPE, "safetensors.dtype", REVIEW,                                                                           \
      "A tensor has an unknown type or a size that does not fit its shape (%s).")                                      \
    X(ST_NAME, "safetensors.name", BLOCK, "A tensor name could escape a directory: %s.")                               \
    X(ST_META, "safetensors.metadata", NOTICE, "The safetensors metadata holds an address or code (%s).")              \
    X(ST_DUP, "safetensors.duplicate", BLOCK, "A key stands twice in the safetensors header: %s.")                     \
    X(GGUF_HEADER, "gguf.header", BLOCK, "The GGUF structure is not valid (%s).")                                      \
    X(GGUF_TENSOR, "gguf.tensor", BLOCK, "A GGUF tensor lies outside the file or overflows (%s).")                     \
    X(GGUF_VERSION, "gguf.version", REVIEW, "This GGUF version is not examined (%s).")                                 \
    X(GGUF_TYPE, "gguf.type", REVIEW, "A GGUF tensor has a type this review does not know (%s).")                      \
    X(GGUF_DUP, "gguf.duplicate", REVIEW, "A GGUF key stands twice: %s.")                                              \
    X(GGUF_TRAILING, "gguf.trailing", REVIEW, "Bytes stand behind the last GGUF tensor (%s).")                         \
    X(GGUF_TRUNCATED, "gguf.truncated", REVIEW, "The GGUF file is shorter than its header says (%s).")                 \
    X(TPL_EXEC, "template.exec", BLOCK, "The chat template reaches for Python internals (%s).")                        \
    X(TPL_CONTENT, "template.content", REVIEW,                                                                         \
      "The chat template behaves differently for certain message contents (%s).")                                      \
    X(TPL_INCLUDE, "template.include", REVIEW, "The chat template loads other templates (%s).")                        \
    X(TPL_MALFORMED, "template.malformed", REVIEW, "The chat template cannot be parsed (%s).")                         \
    X(TPL_UNKNOWN, "template.unknown", REVIEW, "The chat template calls something that is not in the known set (%s).") \
    X(CFG_AUTO_MAP, "config.auto_map", REVIEW, "The configuration makes loaders run code of the repository (%s).")     \
    X(CFG_REMOTE, "config.remote_code", REVIEW,                                                                        \
      "The configuration makes loaders run code of another repository (%s).")                                          \
    X(CFG_TARGET, "config.target", REVIEW, "The configuration names a Python object to instantiate (%s).")             \
    X(CFG_TARGET_EXEC, "config.target.exec", BLOCK,                                                                    \
      "The configuration names a dangerous Python object to instantiate (%s).")                                        \
    X(CFG_KERAS_EXEC, "keras.exec", BLOCK, "The Keras configuration runs code when loaded (%s).")                      \
    X(CFG_KERAS_CUSTOM, "keras.custom", REVIEW, "The Keras configuration uses an object outside Keras (%s).")          \
    X(CFG_SKOPS, "skops.type", REVIEW, "The skops schema names a type outside the known set (%s).")                    \
    X(CFG_SKOPS_EXEC, "skops.exec", BLOCK, "The skops schema reaches a dangerous object (%s).")                        \
    X(YAML_PYTHON, "yaml.python", BLOCK, "The YAML makes unsafe loaders construct Python objects (%s).")               \
    X(JSON_BAD, "json.invalid", NOTICE, "The JSON is not valid (%s).")                                                 \
    X(XML_DTD, "xml.entity", REVIEW, "The XML declares external entities or a document type (%s).")                    \
    X(XML_NATIVE, "xml.native", BLOCK, "The XML names a native library to load (%s).")                                 \
    X(XML_SCRIPT, "xml.script", NOTICE, "The document holds scripts (%s).")                                            \
    X(SECRET, "secret.token", NOTICE, "The file holds what looks like an access token (%s).")                          \
    X(SECRET_KEY, "secret.private_key", NOTICE, "The file holds a private key.")                                       \
    X(CODE_PYTHON, "code.python", NOTICE, "Python source: it runs only if somebody imports it.")                       \
    X(CODE_SIGNAL, "code.signal", REVIEW, "The source starts programs, loads code or opens connections (%s).")         \
    X(CODE_SHELL, "code.shell", REVIEW, "Shell script.")                                                               \
    X(CODE_SHELL_PIPE, "code.shell.pipe", BLOCK, "The script downloads something and runs it at once (%s).")           \
    X(CODE_NOTEBOOK, "code.notebook", REVIEW, "The notebook runs shell commands (%s).")                                \
    X(TEXT_BIDI, "text.bidi", REVIEW, "The text holds invisible control characters that change how it reads.")         \
    X(EXE, "executable", BLOCK, "The file is a native executable or library (%s).")                                    \
    X(EXE_BYTECODE, "executable.bytecode", REVIEW, "The file is compiled bytecode (%s).")                              \
    X(EXE_TEST, "executable.eicar", BLOCK, "The file is the EICAR anti-virus test file.")                              \
    X(ZIP_MISMATCH, "zip.mismatch", BLOCK, "Two readers of this zip see different members (%s).")                      \
    X(ZIP_FLAGS, "zip.flags", REVIEW, "A zip member carries flags or a checksum that some readers refuse (%s).")       \
    X(ZIP_OVERLAP, "zip.overlap", BLOCK, "Zip members share the same bytes (%s).")                                     \
    X(ZIP_DUP, "zip.duplicate", BLOCK, "A zip member stands twice: %s.")                                               \
    X(ZIP_GAP, "zip.gap", REVIEW, "Bytes in the zip belong to no member (%s).")                                        \
    X(ZIP_ENCRYPTED, "zip.encrypted", REVIEW, "A zip member is encrypted and was not examined (%s).")                  \
    X(ZIP_METHOD, "zip.method", REVIEW, "A zip member uses a compression that is not examined (%s).")                  \
    X(ZIP_BROKEN, "zip.broken", REVIEW, "The zip structure is damaged (%s).")                                          \
    X(ARC_NAME, "archive.name", BLOCK, "A member name would leave the target directory: %s.")                          \
    X(ARC_LINK, "archive.link", REVIEW, "The archive holds a link: %s.")                                               \
    X(ARC_LINK_OUT, "archive.link.out", BLOCK, "The archive holds a link that leaves the target directory: %s.")       \
    X(ARC_DEVICE, "archive.device", BLOCK, "The archive holds a device node: %s.")                                     \
    X(ARC_BOMB, "archive.bomb", REVIEW, "The archive expands beyond the examined amount (%s).")                        \
    X(ARC_DEPTH, "archive.depth", REVIEW, "Archives are nested deeper than is examined (%s).")                         \
    X(ARC_MEMBERS, "archive.members", REVIEW, "The archive has more members than are examined (%s).")                  \
    X(ARC_BROKEN, "archive.broken", REVIEW, "The archive is damaged (%s).")                                            \
    X(ARC_CLOSED, "archive.unexamined", REVIEW, "The content of this archive was not examined (%s).")                  \
    X(POLYGLOT, "polyglot", BLOCK, "The file is two formats at once (%s).")                                            \
    X(PREFIX, "archive.prefix", REVIEW, "Bytes stand before the archive (%s).")                                        \
    X(ONNX_EXTERNAL, "onnx.external", BLOCK, "An ONNX tensor takes its data from outside the model (%s).")             \
    X(ONNX_DOMAIN, "onnx.domain", REVIEW, "The ONNX model uses operators that load native code (%s).")                 \
    X(TF_OP, "tensorflow.op", BLOCK, "The TensorFlow graph reads or writes files or runs code (%s).")                  \
    X(H5_EXTERNAL, "hdf5.external", REVIEW, "The HDF5 file refers to other files (%s).")                               \
    X(ARROW_PICKLE, "arrow.pickle", BLOCK, "The Arrow schema carries a pickled extension type (%s).")                  \
    X(T7_CODE, "torch7.code", REVIEW, "The Torch7 file holds functions (%s).")                                         \
    X(SVG_SCRIPT, "svg.script", REVIEW, "The image holds scripts (%s).")                                               \
    X(IMG_BROKEN, "image.broken", NOTICE, "The image does not follow its format (%s).")                                \
    X(JIT_CODE, "torch.jit_code", REVIEW, "The TorchScript code touches files or runs host code (%s).")                \
    X(TORCH_PACKAGE, "torch.package", REVIEW,                                                                          \
      "The archive is a torch package: loading it runs its Python sources (%s).")                                      \
    X(POINTER, "pointer", NOTICE, "The file only points to content that was not reviewed.")                            \
    X(UNKNOWN, "unknown.format", REVIEW, "The format is not known; the content was not examined (%s).")                \
    X(PARTIAL, "coverage.partial", REVIEW, "Only a part was examined (%s).")                                           \
    X(PARTIAL_DATA, "coverage.data", NOTICE, "The structure was recognised, the content was not examined (%s).")       \
    X(NOT_EXAMINED, "not_examined", REVIEW, "The file was not examined: %s")                                           \
    X(MANY, "facts.many", REVIEW, "There is more to say about this file than is kept.")

enum fact_kind {
#define X(k, name, sev, msg) FACT_##k,
    FACT_KINDS(X)
#undef X
        FACT_KIND_COUNT
};

/* Moves when parsers find more or other facts in the same bytes: records of an older version are examined again. */
enum { FACTS_VERSION = 2 };
enum { FACTS_MAX = 256, FACT_SUBJECT_MAX = 160, FACT_WHERE_MAX = 200, FACT_FORMAT_MAX = 48 };

struct fact {
    enum fact_kind kind;
    int rank; /* how grave it may become; decides who stays in a full record */
    uint32_t count;
    char subject[FACT_SUBJECT_MAX];
    char where[FACT_WHERE_MAX];
};
struct facts {
    struct fact list[FACTS_MAX];
    size_t n;
    char format[FACT_FORMAT_MAX];
    enum coverage coverage;
    bool many;
    /* where we are, "a.zip!b.pkl" */
    char path[FACT_WHERE_MAX];
    size_t n_path;
};

const char *fact_name(enum fact_kind k);
bool fact_parse(struct str name, enum fact_kind *out);
const char *fact_message(enum fact_kind k); /* English msgid */
/* The severity the rule pack gives this kind by itself; PENDING: decided by subject (calls and imports). */
enum verdict fact_severity(enum fact_kind k);

void facts_init(struct facts *f);
/* off < 0: no offset. subject may hold any byte; what does not print becomes '?'. */
void facts_add(struct facts *f, enum fact_kind k, struct str subject, int64_t off);
void facts_addz(struct facts *f, enum fact_kind k, const char *subject, int64_t off);
void facts_addf(struct facts *f, enum fact_kind k, int64_t off, const char *fmt, ...) printf_like(4, 5);
void facts_cover(struct facts *f, enum coverage c); /* lowers only */
/* The first format said wins (outermost). */
void facts_format(struct facts *f, const char *format);
/* Enter a member: returns the mark to give back to facts_leave. */
size_t facts_enter(struct facts *f, struct str member);
void facts_leave(struct facts *f, size_t mark);
bool facts_has(const struct facts *f, enum fact_kind k);
/* Any fact of at least this severity by its kind, or an undecided call. */
bool facts_alarming(const struct facts *f);

/* The wire form between child and parent and in the records: docs/formats/verdict.md. */
void facts_json(const struct facts *f, struct buf *b);
/* Strict: unknown kinds, missing fields or oversize strings are errors. */
must_check err facts_from_json(struct arena *a, struct str json, struct facts *out);
#endif
