"""Reading logfmt: key=value, values quoted where they need it."""
import re

PAIR = re.compile(r'([^\s=]+)=("(?:\\.|[^"\\])*"|\S*)')
ESCAPE = re.compile(r'\\(x[0-9A-Fa-f]{2}|.)')


def _unquote(value):
    if not value.startswith('"'):
        return value

    def plain(match):
        code = match.group(1)
        if len(code) == 3:
            return chr(int(code[1:], 16))
        return {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)

    return ESCAPE.sub(plain, value[1:-1])


def parse_line(line):
    """A dict of one log line; {} when it is none."""
    return {key: _unquote(value) for key, value in PAIR.findall(line)}


def parse(text):
    """The lines that are events."""
    lines = [parse_line(line) for line in text.splitlines()]
    return [line for line in lines if "event" in line]
