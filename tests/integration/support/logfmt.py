"""Reading logs: logfmt, which is key=value, quoted where it needs it, or JSON."""
import json
import re

PAIR = re.compile(r'([^\s=]+)=("(?:\\.|[^"\\])*"|\S*)')


def _unquote(value):
    """What is quoted is a string of JSON; in lines of others it may be none."""
    try:
        return json.loads(value) if value.startswith('"') else value
    except ValueError:
        return value[1:-1]


def parse_line(line):
    """A dict of one log line; {} when it is none."""
    if line.startswith('{"time":'):
        return json.loads(line)   # log_format = json
    return {key: _unquote(value) for key, value in PAIR.findall(line)}


def parse(text):
    """The lines that are events."""
    lines = [parse_line(line) for line in text.splitlines()]
    return [line for line in lines if "event" in line]
