#!/usr/bin/python3
"""Are all status codes of ours among those that are registered?

    check_codes.py [ROOT]

RFC 3463 2: nobody makes up a code.  RFC 5248 has the registry, as of 2026.
Looked at is what stands behind a class of errors or a code of three digits, in
the C sources of the product.
"""
import pathlib
import re
import sys

import csource

# subject: the last detail that is registered
REGISTERED = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}
UNASSIGNED = {"7.19"}
CODE = re.compile(r'"(?:(?:220|250|214|221|252|4\d\d|5\d\d) )?([245])\.(\d+)\.(\d+)(?=[" ])')
# Sections of RFCs are written alike.
CITED = re.compile(r'RFC \d+[^"]*$|(?:rfc|section)\s*=\s*$')


def is_registered(subject, detail):
    return (str(int(subject)) == subject and str(int(detail)) == detail and
            int(detail) <= REGISTERED.get(int(subject), -1) and
            f"{subject}.{detail}" not in UNASSIGNED)


def check(root):
    """Codes that are none, each one printable line."""
    root = pathlib.Path(root)
    bad = []
    for path in csource.product_files(root, (".c", ".h")):
        for n, line in enumerate(path.read_text().splitlines(), 1):
            for found in CODE.finditer(line):
                if CITED.search(line[:found.start()]):
                    continue
                if not is_registered(found.group(2), found.group(3)):
                    bad.append(f"{csource.rel(path, root)}:{n}: {found.group(0)[1:]}: "
                               "no registered status code (RFC 3463 2)")
    return bad


if __name__ == "__main__":
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) if problems else "ok")
    sys.exit(bool(problems))
