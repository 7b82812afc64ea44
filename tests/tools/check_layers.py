#!/usr/bin/python3
"""Fail when an #include points the wrong way.  The tables are the architecture.

A folder is a station on a message's way; an arrow between two folders is an
entry of MAY_USE.  A header of somebody else lives in the files of ONLY_IN.
"""
import pathlib
import re
import sys

import csource

ALL_PURE = {"base", "dnssec", "tlsa", "policy", "queue", "reporting"}

# The longest folder name that matches a file decides.  A file may always use
# its own folder; an entry that ends in .h opens that header alone.
MAY_USE = {
    "base": set(),
    "dnssec": {"base"},
    "tlsa": {"base", "dnssec"},
    "policy": {"base", "dnssec", "tlsa"},
    "queue": {"base"},
    "reporting": {"base", "dnssec", "tlsa", "policy"},
    "mta/smtp": {"base", "queue/envelope.h"},
    "mta/message": {"base", "queue/envelope.h"},
    "mta/milter": {"base"},
    "mta/net": {"base", "dnssec", "tlsa", "policy"},
    # A role knows no other role: they talk over channels.
    "mta/receive": {"base", "dnssec", "queue", "reporting/inbound.h", "mta", "mta/net", "mta/smtp",
                    "mta/message", "mta/lookup", "mta/milter"},
    # Who exists, asked of others.
    "mta/lookup": {"base", "mta", "mta/net", "mta/smtp"},
    "mta/queue": {"base", "queue", "mta", "mta/net", "mta/message", "mta/ctl", "mta/lookup"},
    "mta/report": {"base", "dnssec", "reporting", "mta", "mta/net", "mta/ctl"},
    "mta/deliver": ALL_PURE | {"mta", "mta/net", "mta/smtp", "mta/sts"},
    "mta/web": {"base", "mta", "mta/net"},
    # Renewed certificates against what is published about us.
    "mta/gate": {"base", "dnssec", "tlsa", "policy", "mta", "mta/net", "mta/sts"},
    "mta/supervisor": {"base", "dnssec/health.h", "policy/renewal.h", "queue", "mta", "mta/net",
                       "mta/ctl", "mta/sandbox"},
    # What a role may do, by its configuration; it knows no role.
    "mta/sandbox": {"base", "mta", "mta/net/tls_web.h"},
    # MTA-STS: the cache on disk, and who looks up and fetches policies.
    "mta/sts": {"base", "dnssec", "policy", "mta", "mta/net"},
    "mta/explain": {"base", "dnssec", "tlsa", "policy", "mta", "mta/net", "mta/smtp",
                    "mta/sts"},
    # Commands that work without the daemon: records, lookups, a handshake.
    "mta/ctl": {"base", "dnssec", "tlsa", "reporting", "mta", "mta/net", "mta/explain",
                "mta/sts", "mta/report/compose.h", "mta/report/course.h", "mta/report/places.h", "mta/lookup"},
    "mta/sendmail": {"base", "queue", "mta", "mta/smtp", "mta/message", "mta/ctl"},
    "mta": ALL_PURE,
}

# Foreign header (or its prefix) -> the files that may know it, as patterns.
ONLY_IN = {
    "uv.h": ["mta/net/*"],
    "openssl/": ["mta/net/tls*.[ch]", "mta/net/cert*.[ch]", "tlsa/*.c",
                 "reporting/dkim_crypto.c", "reporting/reverse_path.c"],
    "curl/": ["mta/net/https*.[ch]"],
    "microhttpd.h": ["mta/net/http_server.c"],
    "unbound.h": ["dnssec/resolver.c"],
    "unbound-event.h": ["dnssec/resolver.c"],
    "ldns/": ["dnssec/*.c", "tlsa/*.c"],
    "idn2.h": ["dnssec/name.c"],
    "confuse.h": ["mta/config*.c"],
    "jansson.h": ["mta/ctl/*.c", "mta/supervisor/*.c", "mta/**/*json*.c",
                  "mta/*json*.c", "reporting/*json*.[ch]"],
    "xxhash.h": ["base/*.c", "queue/*.c"],
    "zlib.h": ["reporting/gzip.c", "reporting/gunzip.c"],
    "gmime/": ["reporting/mime_read.c"],
    "seccomp.h": ["mta/report/reader_filter.c", "mta/sandbox/filter*.c"],
    "sqlite3.h": ["base/db.[ch]", "mta/lookup/sqlite.c", "mta/audit_store*.[ch]", "mta/sts/store*.[ch]",
                  "reporting/*store*.[ch]"],
}

# What a C library and a Linux kernel bring; everything else is foreign.
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/")
SYSTEM = set("""
assert ctype dirent endian errno fcntl fnmatch getopt glob grp ifaddrs inttypes
iconv langinfo libgen limits link locale malloc math netdb paths poll pthread pwd sched
search signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib
stdnoreturn string strings sysexits syslog termios time unistd wchar sanitizer/asan_interface
""".split())

INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def folder_of(rel):
    """The entry of MAY_USE a file belongs to, or None."""
    parts = pathlib.PurePosixPath(rel).parts[:-1]
    for n in range(len(parts), 0, -1):
        name = "/".join(parts[:n])
        if name in MAY_USE:
            return name
    return None


def matches(rel, pattern):
    path = pathlib.PurePosixPath(rel)
    if "**" in pattern:
        head, tail = pattern.split("/**/", 1)
        return rel.startswith(head + "/") and path.match(tail)
    return len(path.parts) == len(pattern.split("/")) and path.match(pattern)


def judge_ours(rel, used, root):
    """Why this file may not use that file of ours, or None."""
    mine, theirs = folder_of(rel), folder_of(used)
    if used.startswith("tests/"):
        return f'nothing uses tests/ ("{used}")'
    if theirs is None or not (
            (root / used).is_file() or (root / (used + ".in")).is_file()):
        return f'"{used}" is no file of ours; name it from the root'
    own_family = theirs.split("/")[0] == mine
    if theirs == mine or own_family or MAY_USE[mine] & {theirs, used}:
        return None
    return f"{mine}/ may not use {theirs}/"


def judge_foreign(rel, used):
    """Why this file may not know that foreign header, or None."""
    for header, files in ONLY_IN.items():
        if used == header or (header.endswith("/") and used.startswith(header)):
            if any(matches(rel, pattern) for pattern in files):
                return None
            return f"<{used}> belongs in {', '.join(files)}"
    if used.startswith(SYSTEM_FOLDERS) or used.removesuffix(".h") in SYSTEM:
        return None
    return f"<{used}> stands in no table of check_layers.py"


def check(root):
    """All violations below root, each one printable line."""
    root = pathlib.Path(root)
    bad = []
    for path in csource.product_files(root):
        rel = csource.rel(path, root)
        text = csource.blank(path.read_text(), keep_strings=True)
        for n, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            ours, foreign = found.groups()
            why = (judge_ours(rel, ours, root) if ours
                   else judge_foreign(rel, foreign))
            if why:
                bad.append(f"{rel}:{n}: {why}")
    return bad


if __name__ == "__main__":
    violations = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(violations), end="\n" if violations else "")
    sys.exit(bool(violations))
