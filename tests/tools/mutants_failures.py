#!/usr/bin/python3
"""Is what happens around failures guarded?  Break one place at a time, and see a test fail.

    mutants_failures.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

FAILURES = "tests/integration/test_failures.py"
FULL, TOLD = f"{FAILURES} disk_is_full", f"{FAILURES} without_anybody"
LEFT, INTAKE = f"{FAILURES} leaves_the_reserve", "unit:intake_test"
SET, FLOW, BASE = f"{FAILURES} clock_is_set", "unit:queue_flow_test", "unit:base_test"
FEEDBACK = "unit:queue_feedback_test"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    ("nobody hears of a full spool", "mta/receive/receive.c", "\troom_look(receive);", "", TOLD),
    ("it is full for good", "mta/receive/room.c", "if (full == receive->full ||",
     "if (receive->full ||", TOLD),
    ("who was refused for want of room is not told", "mta/receive/inbound_mail.c",
     "inbound_no_room(in, &err);", "", FULL),
    ("the reserve is used up", "queue/spool.c",
     "space.available < spool->reserve + size", "false", FULL),
    ("a large body goes into the reserve", "mta/intake_body.c", "if (!setup->into_reserve &&",
     "if (false &&", INTAKE),
    ("each short piece is written", "mta/intake_body.c",
     "if (buf_add(&message->body, bytes) == 0)\n\t\treturn 0;\n\tif (intake_flush(message, err) < 0)",
     "if (intake_flush(message, err) < 0)", INTAKE),
    ("the last of a large body is acknowledged unwritten", "mta/intake.c",
     "intake_flush(message, &message->err) < 0 ||", "", INTAKE),
    ("no room for the last of a large body is none of the matter", "mta/intake.c",
     "intake_flush(message, &message->err) < 0 ||",
     "(buf_clear(&message->body), false) ||", INTAKE),
    ("what collects for a large body is not counted", "mta/intake_body.c",
     "count(message, INTAKE_COLLECT);", "", INTAKE),
    ("what collects for a large body takes what is not there", "mta/intake_body.c",
     "if (INTAKE_COLLECT > intake->setup.memory - intake->memory)", "if (false)", INTAKE),
    ("a notification waits at the reserve", "mta/intake_body.c", "if (!setup->into_reserve &&",
     "if (", INTAKE),
    ("what a filter is to judge goes into the reserve", "mta/receive/keep.c",
     "if (queue_space(&keep->receive->spool, bytes.n, err) < 0)", "if (false)", LEFT),
    ("a clock that is set back holds mail up", "mta/queue/queue.c",
     "queue_set_back(q->queue, back);", "", SET),
    ("a step in the first second is not seen", "mta/queue/queue.c",
     "\tmind_clock(q);\n\tif (config_asks", "\tif (config_asks", SET),
    ("a step is told again and again", "base/clock.c",
     "*watch = (struct clock_watch){wall, mono_ms};",
     "if (watch->mono_ms == 0)\n\t\t*watch = (struct clock_watch){wall, mono_ms};", BASE),
    ("what is slewed is a step", "base/clock.c", "#define SET_BACK_LEAST 10",
     "#define SET_BACK_LEAST 9", BASE),
    ("jobs stay where they were", "queue/setback.c",
     "index->heap[i]->due -= seconds;", ";", FLOW),
    ("destinations stay where they were", "queue/setback.c",
     "to->until -= seconds;", ";", FLOW),
    ("a batch ends before all of it were told", "mta/intake.c", "intake->untold > 0", "false",
     INTAKE),
    ("who was to try again is gone for good", "queue/line.c",
     "\tif (awaited)\n\t\tindex_relay(index, job->to);", "\t(void)awaited;", FEEDBACK),
    ("who found it dead and bounced is to try again", "queue/settle.c",
     "if (found_dead && job->state", "if (false && job->state", FEEDBACK),
    ("each that bounces has another wait", "queue/settle.c",
     "if (found_dead && job->state", "if (job->state", FEEDBACK),
    ("a dead one is tried again at once", "queue/line.c",
     "if (to->until != 0 && to->ready.last != NULL)", "if (false)", FEEDBACK),
    ("a job is given back that somebody else has", "queue/work.c",
     "&&\n\t\t    picked.job->slot == owner)", ")", FLOW),
    ("a wait may be of years", "queue/recover.c", "setback_bound(queue, now);", "", FLOW),
    ("a wait is cut short", "queue/setback.c", "now + longest + longest / 4", "now + longest",
     FLOW),
    ("a large message of a program holds up the small", "mta/receive/pickup_file.c",
     "if (rules_sender(pickup_receive(file->pickup), 0, &none) < 0)", "if (true)",
     "tests/integration/test_failures.py holds_up_no_other"),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
