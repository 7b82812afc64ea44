#!/usr/bin/python3
"""Are the reports we write what docs/tlsrpt.schema.json says?

    report_schema.py REPORT_SAMPLE DOCS

Holds what tests/support/report_sample.c prints against the schema, which was
written from RFC 8460 4.4; then breaks a report in one place after the other,
to see that the schema notices.  Prints TAP.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

TYPES = {"object": dict, "array": list, "string": str, "integer": int}
KNOWN = {"$schema", "title", "type", "required", "additionalProperties", "properties",
         "items", "minItems", "minLength", "minimum", "maximum", "pattern", "enum"}

FIRST = ("policies", 0)
DETAIL = FIRST + ("failure-details", 0)
ABSENT = object()
# where, and what must not stand there
BROKEN = [
    (("organization-name",), ABSENT), (("organization-name",), ""), (("organization-name",), 1),
    (("date-range",), ABSENT), (("date-range", "start-datetime"), ABSENT),
    (("date-range", "start-datetime"), "2016-04-01T00:00:00+02:00"),
    (("date-range", "start-datetime"), "2016-04-01T01:00:00Z"),
    (("date-range", "start-datetime"), "2016-04-01"), (("date-range", "start-datetime"), 0),
    (("date-range", "end-datetime"), ABSENT), (("date-range", "end-datetime"), "2016-04-02T00:00:00Z"),
    (("contact-info",), ABSENT), (("contact-info",), "nobody"), (("contact-info",), "<a@b.example>"),
    (("report-id",), ABSENT), (("report-id",), ""), (("policies",), ABSENT), (("policies",), {}),
    (("x",), 1), (FIRST, None), (FIRST + ("policy",), ABSENT),
    (FIRST + ("policy", "policy-type"), ABSENT), (FIRST + ("policy", "policy-type"), "dane"),
    (FIRST + ("policy", "policy-string"), "version: STSv1"), (FIRST + ("policy", "policy-string"), []),
    (FIRST + ("policy", "policy-string"), [["mx: a"]]), (FIRST + ("policy", "policy-domain"), ABSENT),
    (FIRST + ("policy", "policy-domain"), "b\u00fccher.example"),
    (FIRST + ("policy", "mx-host"), "*.b.example"), (FIRST + ("policy", "mx-host"), ["*.*.b.example"]),
    (FIRST + ("policy", "mx-host-pattern"), ["a"]), (FIRST + ("summary",), ABSENT),
    (FIRST + ("summary", "total-successful-session-count"), ABSENT),
    (FIRST + ("summary", "total-successful-session-count"), "1"),
    (FIRST + ("summary", "total-successful-session-count"), -1),
    (FIRST + ("summary", "total-successful-session-count"), True),
    (FIRST + ("summary", "total-failure-session-count"), ABSENT),
    (FIRST + ("summary", "total-failure-session-count"), 2 ** 53),
    (FIRST + ("failure-details",), []), (DETAIL + ("result-type",), ABSENT),
    (DETAIL + ("result-type",), "other"), (DETAIL + ("sending-mta-ip",), "mx.b.example"),
    (DETAIL + ("receiving-ip",), "IPv6:2001:db8::1"), (DETAIL + ("failed-session-count",), ABSENT),
    (DETAIL + ("failed-session-count",), 0), (DETAIL + ("failed-session-count",), 1.5),
    (DETAIL + ("additional-information",), "see below"),
    (DETAIL + ("additional-info-uri",), "https://b.example/"),
]


def complaints(value, schema, path="report"):
    """What is wrong with the value; a schema with words unknown to us is, too."""
    unknown = set(schema) - KNOWN
    if unknown:
        yield f"{path}: the schema says {unknown}"
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or isinstance(value, bool):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    if kind is str and len(value) < schema.get("minLength", 0):
        yield f"{path}: empty"
    if kind is int and not schema["minimum"] <= value <= schema["maximum"]:
        yield f"{path}: {value} is too small or too large"
    if kind is list:
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: empty"
        for number, item in enumerate(value):
            yield from complaints(item, schema["items"], f"{path}[{number}]")
    if kind is dict:
        yield from (f"{path}: no {name}" for name in schema["required"] if name not in value)
        for name, item in value.items():
            if name in schema["properties"]:
                yield from complaints(item, schema["properties"][name], f"{path}.{name}")
            elif not schema["additionalProperties"]:
                yield f"{path}: {name} is not known"


def once(pairs):
    """RFC 7493 2.3: no name twice."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)


def broken(report, path, value):
    """A copy with one place changed, or without it."""
    report = copy.deepcopy(report)
    place = report
    for step in path[:-1]:
        place = place[step]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return report


def main():
    schema = json.loads((pathlib.Path(sys.argv[2]) / "tlsrpt.schema.json").read_text())
    printed = subprocess.run([sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout
    reports = [json.loads(line.decode("utf-8"), object_pairs_hook=once)
               for line in printed.splitlines()]
    rows = [broken(reports[0], *row) for row in BROKEN]
    results = {
        "three reports": [] if len(reports) == 3 else [len(reports)],
        "reports are as the schema says": [w for r in reports for w in complaints(r, schema)],
        "the schema notices": [f"{path} = {value!r}" for (path, value), row in zip(BROKEN, rows)
                               if not list(complaints(row, schema))],
    }
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results.items(), 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in wrong[:20]:
            print(f"# {line}")
    return any(results.values())


if __name__ == "__main__":
    sys.exit(main())
