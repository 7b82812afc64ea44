#!/usr/bin/python3
"""List the RFC sections that product code cites and no test names.

    check_citations.py [--strict] [ROOT]

A rule stands as `/* RFC 5321 4.1.1.4: ... */` at its branch, and the same
"RFC 5321 4.1.1.4" stands in the test that holds it.  Without --strict the
missing ones are printed and the exit status is zero.
"""
import pathlib
import re
import sys

import csource

CITATION = re.compile(r"RFC (\d{3,5}),? (?:section )?(\d+(?:\.\d+)*|[A-Z](?:\.\d+)+)")


def citations(text):
    """(line, "RFC n s") for each citation; `RFC 5321 4.1, 4.2` counts once."""
    for found in CITATION.finditer(text):
        yield (text.count("\n", 0, found.start()) + 1,
               f"RFC {found.group(1)} {found.group(2)}")


def comments(text):
    """Only the comments, line numbers kept."""
    kept = csource.blank(text, keep_strings=True)
    return "".join(a if a == "\n" or b == " " else " "
                   for a, b in zip(text, kept))


def tested(root):
    names = set()
    for path in (root / "tests").rglob("*"):
        if path.suffix in (".c", ".h", ".py", ".tsv", ".def") and path.is_file():
            if path.parent.name == "tools":
                continue
            text = path.read_text(errors="replace").replace("§", "")
            names.update(key for _, key in citations(text))
    return names


def check(root):
    """Citations in .c files that no test names, each one printable line."""
    root = pathlib.Path(root)
    known = tested(root)
    missing = []
    for path in csource.product_files(root, (".c",)):
        for line, key in citations(comments(path.read_text())):
            if key not in known:
                missing.append(f"{csource.rel(path, root)}:{line}: {key}: no test names it")
    return missing


if __name__ == "__main__":
    arguments = sys.argv[1:]
    strict = "--strict" in arguments
    places = [a for a in arguments if a != "--strict"]
    found = check(places[0] if places else ".")
    print("\n".join(found), end="\n" if found else "")
    if found:
        print(f"{len(found)} citations without a test")
    sys.exit(bool(found) and strict)
