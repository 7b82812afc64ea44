#!/usr/bin/python3
"""Is every member of a decision record in its documentation, as it says there?

    decision_record.py DECISION_SAMPLE DOCS

Reads the tables of DECISION-RECORD.md and decision.schema.json, and holds them
against what tests/support/decision_sample.c prints.  Prints TAP.
"""
import json
import pathlib
import re
import subprocess
import sys

ROW = re.compile(r"\| `([\w.\[\]]+)` \| ([^|]+) \| ([^|]*) \|")
TYPES = {"string": str, "boolean": bool, "integer": int, "object": dict,
         "array": list, "null": type(None)}


def documented(text):
    """{path: (types, the words it may be, or None for any)} of the tables."""
    found = {}
    members = re.search(r"## Members\n(.*?)## ", text, re.S).group(1)
    for path, types, meaning in ROW.findall(members):
        words = types.split(", ")
        listed = [w.strip("`") for w in words if w.startswith("`")]
        plain = [w for w in words if not w.startswith("`")]
        assert path not in found, f"{path} twice"
        assert meaning.strip(), f"{path} means nothing"
        assert all(w in TYPES for w in plain), f"{path}: {plain}"
        found[path] = set(plain), set(listed)
    return found


def members(value, path=""):
    """(path, value) of everything in a record, and of it itself."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from members(inner, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for inner in value:
            yield from members(inner, f"{path}[]")
    if path:
        yield path, value


def in_schema(schema, path=""):
    """{path: its enum or None} of a JSON schema."""
    found = {}
    for key, inner in schema.get("properties", {}).items():
        name = f"{path}.{key}" if path else key
        found[name] = set(inner["enum"]) if "enum" in inner else None
        found.update(in_schema(inner, name))
        if "items" in inner:
            found[f"{name}[]"] = None
    return found


def complaints(records, table):
    """What in the records is not as the table says, and what never came."""
    seen = {path: set() for path in table}
    for record in records:
        for path, value in members(record):
            if path not in table:
                yield f"{path} is not documented"
                continue
            types, words = table[path]
            if isinstance(value, str) and words:
                seen[path].add(value)
            elif not any(type(value) is TYPES[t] for t in types):
                yield f"{path}: {value!r} is none of {types | words}"
            else:
                seen[path].add(type(value))
    for path, (types, words) in table.items():
        for word in words ^ {w for w in seen[path] if isinstance(w, str)}:
            yield f"{path}: {word!r} is in one of documentation and records"
        for kind in types - ({"string"} if words else set()):
            if TYPES[kind] not in seen[path]:
                yield f"{path} never was {kind}"


def differences(table, schema):
    """What one of the two documents says and the other does not."""
    for path in table.keys() ^ schema.keys():
        yield f"{path} is in one of table and schema"
    for path in table.keys() & schema.keys():
        if schema[path] is not None and schema[path] != table[path][1]:
            yield f"{path}: {schema[path] ^ table[path][1]} in one of them"
        if schema[path] is None and table[path][1]:
            yield f"{path}: the schema takes any word"


def example(text):
    """The first JSON document in it."""
    return json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1))


def main():
    sample, docs = sys.argv[1], pathlib.Path(sys.argv[2])
    text = (docs / "DECISION-RECORD.md").read_text()
    table = documented(text)
    printed = subprocess.run([sample], check=True, stdout=subprocess.PIPE)
    first, brief, *rest = map(json.loads, printed.stdout.splitlines())
    schema = json.loads((docs / "decision.schema.json").read_text())
    results = {
        "every member is as documented": list(complaints([first] + rest, table)),
        "the schema says the same": list(differences(table, in_schema(schema))),
        "the example is real": [] if example(text) == first else [json.dumps(first)],
        "what is kept has the same words": [] if brief == {
            "wanted": first["plan"]["wanted"], "got": first["seen"]["got"],
            "source": first["plan"]["source"], "rule": first["plan"]["rule"],
        } and "/".join(brief.values()) == first["tls"] else [json.dumps(brief)],
        "rules are listed": [
            f"rule {rule} is not in the documentation" for rule in
            sorted({r["plan"]["rule"] for r in rest}) if f"| `{rule}` |" not in text],
    }
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results.items(), 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in sorted(set(wrong))[:20]:
            print(f"# {line}")


main()
