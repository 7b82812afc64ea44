"""Reading our C well enough to judge it: files, code without comments, functions.

This is no C parser.  It relies on the house format (clang-format is checked
before): return type on its own line, a function's braces in column one.
"""
import pathlib
import re
from dataclasses import dataclass

PRODUCT = ("base", "dnssec", "tlsa", "policy", "queue", "reporting", "mta")

NOT_CODE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.S | re.X,
)


@dataclass
class Function:
    """A function definition; line numbers count from one."""
    name: str
    params: list
    first: int
    last: int
    body: str

    @property
    def lines(self):
        return self.last - self.first + 1


def c_files(root, folders, suffixes=(".c", ".h")):
    """The C files below the named folders, in a stable order."""
    root = pathlib.Path(root)
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(path)
    return sorted(found)


def product_files(root, suffixes=(".c", ".h")):
    return c_files(root, PRODUCT, suffixes)


def rel(path, root):
    return pathlib.Path(path).relative_to(root).as_posix()


def blank(text, keep_strings=False):
    """Text with comments (and strings) turned to spaces; line ends stay.

    A // comment is kept: it is banned, and somebody has to see it.
    """
    def replace(match):
        token = match.group(0)
        if token.startswith("//") or (keep_strings and token[0] in "\"'"):
            return token
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)

    return NOT_CODE.sub(replace, text)


def _split_params(text):
    """Cut a parameter list at the commas outside of parentheses."""
    depth = 0
    params = [""]
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            params.append("")
        else:
            params[-1] += char
    params = [" ".join(p.split()) for p in params]
    return [] if params in ([""], ["void"]) else params


HEAD = re.compile(r"(?m)^(\w+)(\((?:[^;{}])*\))[^;{}()=]*(?:__attribute__[^;{}]*)?\n\{")


def functions(text):
    """The function definitions of a file, in order."""
    code = blank(text)
    found = []
    for match in HEAD.finditer(code):
        end = code.find("\n}", match.end())
        if end < 0:
            continue
        arguments = match.group(2)
        first = code.count("\n", 0, match.start()) + 1
        last = code.count("\n", 0, end) + 2
        found.append(Function(
            name=match.group(1),
            params=_split_params(arguments[1:arguments.rindex(")")]),
            first=first,
            last=last,
            body=code[match.end():end],
        ))
    return found


def top_level(text):
    """(line, declaration) for each statement outside of all braces.

    Preprocessor lines are dropped; what stood in braces becomes "{}".
    """
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                  lambda m: "\n" * m.group(0).count("\n"), blank(text))
    depth = 0
    line = start = 1
    current = ""
    out = []
    for char in code:
        if not current.strip():
            start = line
        line += char == "\n"
        if char == "}":
            depth -= 1
            if depth == 0:
                current += "}"
                if re.search(r"\)\s*(__attribute__\s*\(\(.*\)\)\s*)?\{\}$", current):
                    out.append((start, " ".join(current.split())))
                    current = ""
            continue
        if depth == 0:
            current += char
            if char == ";":
                out.append((start, " ".join(current.split())))
                current = ""
        depth += char == "{"
    return out


def struct_bodies(text):
    """(line, name, body) for each struct definition, innermost text included."""
    code = blank(text)
    for match in re.finditer(r"\bstruct\s+(\w+)\s*\{", code):
        depth = 1
        at = match.end()
        while depth and at < len(code):
            depth += (code[at] == "{") - (code[at] == "}")
            at += 1
        line = code.count("\n", 0, match.start()) + 1
        yield line, match.group(1), code[match.end():at - 1]
