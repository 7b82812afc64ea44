#!/usr/bin/python3
"""Is the enumeration of crashes worth its time?  Break the spool and see.

    ./dev crash --mutants
    mutants.py [WORDS]

Each line below takes one thing out of queue/ that a promise rests on: a sync,
a check, an order.  It is compiled into a folder of its own and run against the
quick enumeration, and then against some unit tests, one of which has to fail.
The last line adds it up.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import mutation

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build-crash" / "mutants"
UNITS = ["tests/unit/queue_intake_test.c", "tests/unit/queue_move_test.c",
         "tests/unit/queue_segment_test.c", "tests/unit/queue_trouble_test.c"]
SOURCES = ["base/*.c", "queue/*.c", "tests/support/fake_*.c",
           "tests/support/spool_kit.c", "tests/crash/*.c",
           *UNITS]
NOT = {"base/db.c", "tests/support/fake_dns.c", "tests/support/fake_https.c"}
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-O1", "-w",
         "-I" + str(ROOT)]
TESTS = ["every_call_fails_once", "nothing_acknowledged_is_lost",
         "a_failure_before_the_crash"]
SECONDS = 600

# what is broken, where, what stands there, what instead
MUTANTS = [
    ("a batch is not synced", "queue/wal.c",
     "return disk_sync(batch->disk, batch->fd, err);", "return 0;"),
    ("a failed fdatasync is trusted", "queue/wal.c",
     "return disk_sync(batch->disk, batch->fd, err);",
     "(void)disk_sync(batch->disk, batch->fd, err); return 0;"),
    ("a failed fdatasync is tried again", "queue/wal.c",
     "return disk_sync(batch->disk, batch->fd, err);",
     "return disk_sync(batch->disk, batch->fd, err) < 0 ? "
     "disk_sync(batch->disk, batch->fd, err) : 0;"),
    ("a file goes on after a failed batch", "queue/wal.c",
     "wal->broken = true;", "(void)wal;"),
    ("the name of a segment is not synced", "queue/segment.c",
     "if (disk_sync_dir(&spool->disk, folder, err) < 0)\n\t\treturn -1;", ""),
    ("the name of a journal file is not synced", "queue/journal.c",
     "return disk_sync_dir(&spool->disk, folder, err);", "return 0;"),
    ("a journal file that failed stays", "queue/journal.c",
     "\tdrop_useless(journal);", ""),
    ("a journal file goes that a batch is in", "queue/journal.c",
     "wal->fd < 0 || wal->durable > SEGMENT_HEADER", "wal->fd < 0"),
    ("a segment that has no header stays", "queue/segment.c",
     "give_up(spool, header.number, &fd);", "disk_close(&spool->disk, &fd);"),
    ("a segment goes that may be known", "queue/segment.c",
     "&err) == 0 && stat.size == 0)", "&err) == 0)"),
    ("a large file is not synced", "queue/large.c",
     "if (disk_sync(&large->spool->disk, large->fd, err) < 0)", "if (0)"),
    ("the name of a large file is not synced", "queue/large.c",
     "return disk_sync_dir(&large->spool->disk, folder, err);", "return 0;"),
    ("the removal of a segment is not synced", "queue/chore.c",
     "return disk_sync_dir(&spool->disk, folder, err);", "return 0;"),
    ("a segment goes before the journal is durable", "queue/chore.c",
     "place->settled <= queue->journal.durable &&", "true &&"),
    ("a large file goes before the journal is durable", "queue/chore.c",
     "queue->dead[chore->nlarges].batch <= journal->durable", "true"),
    ("a journal file goes before the next is complete", "queue/chore.c",
     "queue->oldest + chore->njournals < journal->complete",
     "queue->oldest + chore->njournals < journal->header.number"),
    ("a journal is called complete too soon", "queue/checkpoint.c",
     "if (round->bucket < queue->index.nbuckets)\n\t\treturn;",
     "if (round->bucket < 2)\n\t\treturn;"),
    ("what a failed batch held is not written again", "queue/journal.c",
     "if (!ok)\n\t\tkeep(journal,", "if (0)\n\t\tkeep(journal,"),
    ("recipients that are done are not written down", "queue/settle.c",
     "entry_put_done(out, message->id, how, gone, n);", "0;"),
    ("the last batch of a segment is taken without a look", "queue/intake.c",
     "scan_seek(place->scan, place->cursor, 0, last);",
     "scan_seek(place->scan, place->cursor, 0, UINT64_MAX);"),
    ("what a dead writer left is not synced", "queue/intake.c",
     "if (sync_unread(place, err) < 0 ||", "if ("),
    ("what a living writer has is not synced at the start", "queue/intake.c",
     "if (sync_unread(place, err) < 0)\n\t\treturn -1;", ""),
    ("a torn end hides what stands before", "queue/intake.c",
     "done = go_past(queue, place->scan, end, err);", "done = -1;"),
    ("orphans are left", "queue/recover.c",
     "if (disk_unlink(&queue->spool->disk, path, err) < 0)", "if (0)"),
    ("a body goes with its lost record", "queue/recover.c",
     "queue->found.damaged > 0 || queue->unread", "queue->unread"),
    ("a body goes that was not looked for", "queue/recover.c",
     "queue->found.damaged > 0 || queue->unread", "queue->found.damaged > 0"),
    ("a copy is not synced", "queue/move.c",
     "done = batch_commit(batch, err);",
     "done = disk_write(batch->disk, batch->fd, batch->bytes.p, "
     "batch->bytes.n, batch->offset, err);"),
    ("a copy counts although its batch failed", "queue/move.c",
     "done = batch_commit(batch, err);",
     "done = batch_commit(batch, err) * 0;"),
    ("a copy is trusted while the original is there", "queue/replay.c",
     "if (message != NULL && (place == NULL || place->gone)) {",
     "if (message != NULL) {"),
    ("a new journal forgets what is being copied", "queue/checkpoint.c",
     "queue->round.active || queue->mover.busy ||", "queue->round.active ||"),
    ("a move forgets how far its segment is known", "queue/move.c",
     "know_all_of(queue, place, move->durable);", "(void)0;"),
    ("what is under way is moved", "queue/move.c",
     "message->offset != survivor->offset || is_under_way(message))",
     "message->offset != survivor->offset)"),
    ("an interrupted write is taken for a failed one", "queue/disk.c",
     "if (put == -EINTR)\n\t\t\tcontinue;", "(void)0;"),
    ("a short write is taken for a whole one", "queue/disk.c",
     "done += (size_t)put;", "done = n;"),
    ("a short read is taken for the end", "queue/disk.c",
     "done += (size_t)got;", "done += (size_t)got; break;"),
]


def sources():
    return sorted(p for pattern in SOURCES for p in ROOT.glob(pattern)
                  if str(p.relative_to(ROOT)) not in NOT)


def compile_one(source, target, text=None):
    source = pathlib.Path(source)
    if text is not None:
        source = target.with_suffix(".c")
        source.write_text(text)
    subprocess.run(["ccache" if shutil.which("ccache") else "env", "cc", *FLAGS, "-c",
                    str(source), "-o", str(target)], check=True)
    return target


def link(objects, target):
    subprocess.run(["cc", *map(str, objects), "-o", str(target), "-lcmocka", "-lxxhash"],
                   check=True)


def failure(command):
    """How this program fails, or None."""
    try:
        done = subprocess.run(command, text=True, check=False, timeout=SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode == 0:
        return None
    said = re.findall(r"(?m)ERROR(?:: |\s*\] --- (?!\[))(.*\S)", done.stdout)
    return said[0] if said else done.stdout[-200:].strip()


def try_mutant(number, objects):
    """(what became of it, which test fails and how)"""
    name, file, before, after = MUTANTS[number]
    text, problem = mutation.broken(file, before, after)
    if text is None:
        return mutation.UNFIT, problem
    mine = compile_one(file, WORK / f"mutant{number}.o", text)
    own = ROOT / file
    made = {source: mine if source == own else done for source, done in objects.items()}
    tests = {ROOT / unit for unit in UNITS}
    crash = WORK / f"mutant{number}"
    link([o for s, o in made.items() if s not in tests], crash)
    commands = [[crash, test] for test in TESTS]
    for test in sorted(tests):
        unit = WORK / f"mutant{number}-{test.stem}"
        link([o for s, o in made.items() if "crash" not in s.parts
              and s not in tests - {test}], unit)
        commands.append([unit])
    for command in commands:
        why = failure(command)
        if why:
            name = pathlib.Path(command[-1]).name.removeprefix(f"mutant{number}-")
            return mutation.CAUGHT, f"{name}: {why}"
    return mutation.SURVIVED, ""


def main(words=""):
    WORK.mkdir(parents=True, exist_ok=True)
    chosen = [n for n, m in enumerate(MUTANTS) if words in m[0]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = sources()
        targets = [WORK / (str(s.relative_to(ROOT)).replace("/", "_") + ".o")
                   for s in found]
        objects = dict(zip(found, pool.map(compile_one, found, targets)))
        results = pool.map(lambda n: try_mutant(n, objects), chosen)
        return mutation.report([MUTANTS[n][0] for n in chosen], results)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
