"""The programs of the release build, made when they are not there."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


def folder():
    """The build folder: that of $DANELAWD, or build-release/."""
    named = os.environ.get("DANELAWD")
    return pathlib.Path(named).resolve().parents[1] if named \
        else ROOT / "build-release"


def program(name):
    """The path of a program, "mta/danelawd" or "tests/bench/smtp_load"."""
    path = folder() / name
    if (folder() / "build.ninja").exists() and name.startswith("tests/"):
        done = subprocess.run(["ninja", "-C", str(folder()), name], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: {name} cannot be built\n{done.stdout}")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"bench: no {path} (./dev build release)")
    return str(path)


def commit():
    """What is measured, for the record: "abc1234", with a + when changed."""
    def git(*words):
        done = subprocess.run(["git", "-C", str(ROOT), *words], check=False,
                              capture_output=True, text=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "base",
                  "dnssec", "mta", "policy", "queue", "tlsa")
    return (git("rev-parse", "--short", "HEAD") or "?") + ("+" if changed else "")
