#!/usr/bin/python3
"""Fail on what the house does not write: banned calls, goto, //, mutable globals."""
import pathlib
import re
import sys

import csource

CALL = r"(?<![\w.>])(?:%s)\s*\("
NUMBERS = "atoi|atol|atoll|atof|strtol|strtoll|strtoul|strtoull"
MEMORY = "malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf"

# (pattern, why, files that may)
EVERYWHERE = [
    (CALL % "strcpy|strcat|stpcpy|sprintf|vsprintf|strncpy|strncat|gets|scanf|sscanf",
     "writes without a bound we can see", ()),
    (CALL % "strtok|strtok_r", "use a cursor (base/wire.h)", ()),
    (CALL % NUMBERS, "numbers are parsed with their bounds (base/)", ()),
    (CALL % "alloca", "the stack is no heap", ()),
    (CALL % "setjmp|longjmp|sigsetjmp|siglongjmp", "jumps past cleanups", ()),
    (r"\bgoto\b", "no goto: CLEANUP() and early return", ()),
    (r"//", "comments are /* */", ()),
    (CALL % "system|popen", "no shell", ()),
    (CALL % "tmpnam|tempnam|mktemp", "a race for a file name", ()),
]
PRODUCT_ONLY = [
    (CALL % MEMORY, "memory comes from base/mem.h", ("base/",)),
    (CALL % "exit", "only main ends the process", ("mta/main.c", "mta/ctl/main.c")),
    (CALL % "abort", "only base/ gives up", ("base/",)),
    (CALL % "rand|srand|random", "use base/'s random numbers", ("base/",)),
    (CALL % "strerror", "not thread-safe: strerrordesc_np or err_errno()", ()),
    (CALL % "gethostbyname|getaddrinfo|res_query", "names are asked by dnssec/", ()),
    (CALL % "uv_getaddrinfo", "never on the worker pool", ()),
]

# File-scope variables that may change; where the log goes is all we allow.
# A process has one log, and counts on one page.
MUTABLE = {("base/log.c", "sink"), ("mta/metrics.c", "mine"),
           ("mta/metrics.c", "nobody_looks")}
NOT_A_VARIABLE = re.compile(
    r"^(typedef|extern|struct \w+;|enum \w+;|union \w+;|_Static_assert|static_assert"
    r"|struct \w+ \{\};|enum \w* ?\{\};|union \w+ \{\};)")


def judge_words(rel, code, rules):
    for pattern, why, allowed in rules:
        if any(rel == a or (a.endswith("/") and rel.startswith(a)) for a in allowed):
            continue
        for found in re.finditer(pattern, code):
            line = code.count("\n", 0, found.start()) + 1
            yield f"{rel}:{line}: {found.group(0).strip(' (')}: {why}"


def function_types(texts):
    """Names of all `typedef ret name(args);` in these texts."""
    names = set()
    for text in texts:
        for _, declaration in csource.top_level(text):
            found = re.match(r"typedef [^()]*?\b(\w+)\(", declaration)
            if found:
                names.add(found.group(1))
    return names


def is_mutable(declaration, functions):
    """The name of a mutable file-scope variable declared here, or None."""
    if NOT_A_VARIABLE.match(declaration) or not declaration.endswith(";"):
        return None
    declaration = re.sub(r"__attribute__\s*\(\(.*?\)\)\s*", "", declaration)
    head = re.sub(r"\[[^\]]*\]", "", declaration.split("=")[0]).rstrip("; ")
    if "(" in head:
        return None  # a prototype, or a macro that makes definitions
    words = re.findall(r"\w+", head)
    if len(words) < 2 or functions & set(words[:-1]):
        return None
    if "*" in head:
        return None if re.search(r"\*\s*const\b", head) else words[-1]
    return None if "const" in words else words[-1]


def judge_globals(rel, text, functions):
    for line, declaration in csource.top_level(text):
        name = is_mutable(declaration, functions)
        if name and (rel, name) not in MUTABLE:
            yield f"{rel}:{line}: {name}: a global that can change"


def judge_statics(rel, text):
    """static locals that can change are globals in disguise."""
    for function in csource.functions(text):
        for found in re.finditer(r"\bstatic\b((?:[^;={]|\{[^}]*\})*)[;=]",
                                 function.body):
            head = re.sub(r"\[[^\]]*\]|\{[^}]*\}", "", found.group(1))
            constant = (re.search(r"\*\s*const\b", head) if "*" in head
                        else "const" in head)
            if not constant:
                line = function.first + function.body.count("\n", 0, found.start())
                yield f"{rel}:{line}: static in {function.name}() can change"


def check(root):
    """All violations below root, each one printable line."""
    root = pathlib.Path(root)
    product = csource.product_files(root)
    tests = csource.c_files(root, ["tests"])
    texts = {path: path.read_text() for path in product + tests}
    functions = function_types(texts[path] for path in product)
    bad = []
    for path, text in texts.items():
        rel = csource.rel(path, root)
        code = csource.blank(text)
        bad += judge_words(rel, code, EVERYWHERE)
        if path in product:
            bad += judge_words(rel, code, PRODUCT_ONLY)
            bad += judge_globals(rel, text, functions)
            bad += judge_statics(rel, text)
    return bad


if __name__ == "__main__":
    violations = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(violations), end="\n" if violations else "")
    sys.exit(bool(violations))
