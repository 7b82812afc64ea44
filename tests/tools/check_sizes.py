#!/usr/bin/python3
"""Fail when a file, a function or a struct outgrows the house.

No exception list: what is too long has a second idea in it.  A header aims
at ten prototypes; what lies between the aim and the limit is only told.
"""
import pathlib
import re
import sys

import csource

FILE_LINES = 500
FUNCTION_LINES = 60
NESTING = 3
PARAMETERS = 7
PROTOTYPES_AIM = 10
PROTOTYPES = 24
BOOLEANS = 4
# The form of a callback is its library's.
FORMS = {("mta/net/http_server.c", "on_access")}  # MHD_AccessHandlerCallback


def nesting(body):
    """How many blocks deep a body goes, by the tabs of the house format."""
    deepest = 0
    for line in body.splitlines():
        if re.match(r"\t+(if|for|while|do|switch)\b", line):
            deepest = max(deepest, len(line) - len(line.lstrip("\t")))
    return deepest


def judge_functions(rel, text):
    for function in csource.functions(text):
        where = f"{rel}:{function.first}: {function.name}()"
        if function.lines > FUNCTION_LINES:
            yield f"{where} has {function.lines} lines, limit {FUNCTION_LINES}"
        if len(function.params) > PARAMETERS and (rel, function.name) not in FORMS:
            yield (f"{where} has {len(function.params)} parameters, "
                   f"limit {PARAMETERS}")
        depth = nesting(function.body)
        if depth > NESTING:
            yield f"{where} nests {depth} deep, limit {NESTING}"


def prototypes(text):
    return [d for _, d in csource.top_level(text)
                  if "(" in d and d.endswith(";")
                  and not re.match(r"typedef|static|_Static_assert|static_assert", d)
                  and not re.match(r"(struct|enum|union) \w+ \{\};", d)]


def judge_header(rel, text):
    count = len(prototypes(text))
    if count > PROTOTYPES:
        yield f"{rel}:1: {count} prototypes, limit {PROTOTYPES}"


def judge_structs(rel, text):
    for line, name, body in csource.struct_bodies(text):
        booleans = sum(len(m.group(1).split(","))
                       for m in re.finditer(r"\bbool\s+([^;(]*);", body))
        if booleans > BOOLEANS:
            yield (f"{rel}:{line}: struct {name} has {booleans} booleans, "
                   f"limit {BOOLEANS}: is it an enum?")


def check(root):
    """All violations below root, each one printable line."""
    root = pathlib.Path(root)
    bad = []
    product = csource.product_files(root)
    for path in product + csource.c_files(root, ["tests"]):
        rel = csource.rel(path, root)
        text = path.read_text()
        lines = text.count("\n")
        if lines > FILE_LINES:
            bad.append(f"{rel}:1: {lines} lines, limit {FILE_LINES}")
        bad += judge_functions(rel, text)
        if path not in product:
            continue
        bad += judge_structs(rel, text)
        if path.suffix == ".h":
            bad += judge_header(rel, text)
    return bad


def remarks(root):
    """Headers beyond the aim but within the limit."""
    told = []
    for path in csource.product_files(root, (".h",)):
        count = len(prototypes(path.read_text()))
        if PROTOTYPES_AIM < count <= PROTOTYPES:
            told.append(f"note: {csource.rel(path, root)}: {count} prototypes, "
                        f"aim {PROTOTYPES_AIM}")
    return told


if __name__ == "__main__":
    place = sys.argv[1] if len(sys.argv) > 1 else "."
    violations = check(place)
    print("\n".join(remarks(pathlib.Path(place))))
    print("\n".join(violations), end="\n" if violations else "")
    sys.exit(bool(violations))
