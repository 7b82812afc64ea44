#!/usr/bin/python3
"""Is the search for an MTA-STS policy guarded, and what deliveries make of one?

    mutants_sts_find.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

FINDER, LEARN = "unit:sts_finder_test", "unit:sts_learn_test"
TEND, FETCH, TABLE = "unit:sts_walk_test", "unit:sts_fetch_test", "unit:sts_table_test"
FACTS, SURVEY = "unit:facts_test", "unit:sts_survey_test"
CHANGES = "tests/integration/test_lab_sts_changes.py"
COMMAND = "tests/integration/test_lab_sts_command.py"
FINDER_C, SEARCH_C = "mta/sts/finder.c", "mta/sts/search.c"
TABLE_C, DISK_C, TEND_C = "mta/sts/table.c", "mta/sts/disk.c", "mta/sts/tend.c"
FETCH_C, KNOWN_C, FACTS_C = "mta/sts/fetch.c", "mta/sts/known.c", "mta/facts.c"
DELIVERY_C, DELIVER_C = "mta/deliver/delivery_policy.c", "mta/deliver/deliver.c"
SURVEY_C, CONTROL_C = "mta/explain/survey.c", "mta/supervisor/control.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- what is in memory
    ("who only looks wants a folder", FINDER_C,
     "if (!setup->only_look || access(path, R_OK | W_OK) == 0)",
     "if (path[0] != '\\0')", FINDER),
    ("who only looks has no file", FINDER_C,
     "if (!setup->only_look || access(path, R_OK | W_OK) == 0)",
     "if (!setup->only_look)", FINDER),
    ("what DNS said counts for ever", FINDER_C,
     "row->record_until <= loop_now(finder->setup.loop))", "false)", LEARN),
    ("a refresh that is due is forgotten", FINDER_C,
     "(answer.step != STS_STEP_USE || is_news(row, now))",
     "(!sts_step_applies(answer.step) || is_news(row, now))", FINDER),
    ("the first use of a day is no news", FINDER_C,
     "return entry.state == STS_ENTRY_POLICY && sts_cache_used(&entry, now);",
     "return entry.state == STS_ENTRY_POLICY && now < 0;", TEND),
    ("an answer outlives its policy", FINDER_C, "if (life < (int64_t)left)", "if (0)", LEARN),
    ("nobody may insist", FINDER_C,
     "search->insist |= insist || finder->setup.ask_anew;", "(void)insist;", LEARN),
    ("a delivery is no use", FINDER_C, "search->tending = false;", "", TEND),
    ("who leaves is remembered", FINDER_C,
     "find->next->link = find->link;\n\tmem_free", "(void)0;\n\tmem_free", FINDER),
    ("one is forgotten, all are not", FINDER_C,
     "sts_table_forget(finder->table);", "", FINDER),
    ("unknown is none", FINDER_C,
     "case STS_STEP_FETCH:\n\t\tbreak;", "case STS_STEP_FETCH:\n\t\treturn STS_NONE;", FINDER),
    ("a policy that is away is none", FINDER_C, "? STS_UNKNOWN\n", "? STS_NONE\n", FINDER),
    # --- a search: DNS
    ("an answer of DNS lives as long as it says", SEARCH_C,
     "answer->ttl < RECORD_TTL_MOST ? answer->ttl", "true ? answer->ttl", LEARN),
    ("a failed lookup is remembered", SEARCH_C,
     "if (row->record.state != STS_RECORD_FAILED)", "", LEARN),
    ("without a store it answers from inside", SEARCH_C,
     "&&\n\t    search->finder->disk != NULL) {", ") {", FINDER),
    # --- the store
    ("a failed read is no policy", SEARCH_C,
     "\t\ttake_unreadable(search);\n",
     "\t\ttake_unreadable(search), learn_nothing(search);\n", FINDER),
    ("what is on disk is newer", SEARCH_C, "if (known == NULL || entry->fetched_at >",
     "if (true || entry->fetched_at >", FINDER),
    ("what is in memory is newer", SEARCH_C, "if (known == NULL || entry->fetched_at > known->entry.fetched_at)",
     "if (known == NULL)", LEARN),
    # --- the decision
    ("who insists may do so at any time", SEARCH_C,
     "return sts_cache_may_insist(&row->known->entry, now);",
     "return true;", LEARN),
    ("a fetch each time", SEARCH_C,
     "if (!search->insist || row->known == NULL)", "if (row->known == NULL)", LEARN),
    ("who asks from the callback is never told", SEARCH_C,
     "/* Some came after the others had been told. */\n\tif (search->waiting != NULL) {",
     "if (0) {", LEARN),
    ("to be tended is to be used", SEARCH_C, "if (search->tending ||", "if (", TEND),
    ("no use is noted", SEARCH_C, "if (sts_cache_used(&known->entry, now))", "if (0)", FINDER),
    ("what could not be tried is done", SEARCH_C,
     "} else if (search->answer.step == STS_STEP_FETCH) {", "} else if (0) {",
     "unit:sts_fault_test"),
    ("who only looks refreshes", SEARCH_C,
     "search->answer.step == STS_STEP_REFRESH &&\n\t\t        !search->finder->setup.only_look;",
     "search->answer.step == STS_STEP_REFRESH;", FINDER),
    ("nothing is refreshed", SEARCH_C, "if (again)\n", "if (0)\n", FINDER),
    ("a refresh keeps mail waiting", SEARCH_C,
     "if (search->answer.step == STS_STEP_FETCH ||",
     "if (search->answer.step >= STS_STEP_REFRESH ||", FINDER),
    # --- the fetch
    ("it is told before it is written", SEARCH_C, "keep(search, on_kept);",
     "decide(search);", LEARN),
    ("nothing is written", SEARCH_C,
     "search->changed |= end->fetched != STS_FETCHED_NOT_TRIED;", "", FINDER),
    ("what is forgotten meanwhile is gone", SEARCH_C,
     "if (row->known == NULL)\n\t\tsts_row_forget(row);\n\tlearn_nothing(search);",
     "if (row->known == NULL)\n\t\treturn;", LEARN),
    ("a policy that came is as a try that failed", SEARCH_C,
     "if (end->fetched == STS_FETCHED_POLICY) {", "if (0) {", LEARN),
    ("trouble stays", SEARCH_C, "\tsts_row_trouble(row, \"\", \"\");\n\tsts_table_learn(", "\tsts_table_learn(", LEARN),
    ("what is written is not held", SEARCH_C,
     "search->written = sts_known_hold(known);", "search->written = known;", FINDER),
    ("it fetches until something comes", SEARCH_C, "search->round = ROUND_FETCHED;", "",
     FINDER),
    ("the administrator is not told", "mta/sts/log.c",
     ": sts_cache_alerts(entry, clock_wall())",
     ": false",
     f"{CHANGES} refresh_that_fails"),
    ("he is told of each", "mta/sts/log.c",
     "sts_cache_alerts(entry, clock_wall())",
     "entry->failures > 0", f"{CHANGES} nobody_is_told"),
    # --- the table, the known
    ("the new row goes", TABLE_C, "row != spared &&", "", TABLE),
    ("what is worked on goes", TABLE_C, "&& row->search == NULL", "", TABLE),
    ("the first that came goes first", TABLE_C,
     "unlink_row(table, row);\n\t\tlink_newest(table, row);\n\t\treturn row;", "return row;",
     TABLE),
    ("rows are without end", TABLE_C, "table->rows > table->rows_max ||", "", TABLE),
    ("octets are without end", TABLE_C, "table->octets > table->octets_max;", "false;", TABLE),
    ("octets are counted twice", TABLE_C, "table->octets -= row->size;\n\trow->size =",
     "row->size =", TABLE),
    ("a record is not forgotten", TABLE_C, "row->record_until = 0;", "", TABLE),
    ("who holds a policy does not count", KNOWN_C, "known->holders++;", "", LEARN),
    ("nobody lets go of a policy", KNOWN_C, "--known->holders > 0", "known->holders > 0",
     TABLE),
    ("a policy weighs nothing", KNOWN_C, "AROUND + 3 * known->entry.policy.text.n;", "0;",
     TABLE),
    # --- the disk
    ("who comes while it works waits for ever", DISK_C,
     "if (disk->waiting != NULL && !atomic_load(&disk->closing))", "if (0)", LEARN),
    ("the last of a batch is its end", DISK_C, "for (struct sts_disk_job *job = disk->batch; "
     "job != NULL;\n\t     job = job->next)", "struct sts_disk_job *job = disk->batch;\n", LEARN),
    ("a disk that ends is none", DISK_C, "struct sts_disk *disk = *diskp;\n",
     "struct sts_disk *disk = *diskp;\n\t*diskp = NULL;\n", TEND),
    ("what runs is not waited for", DISK_C, "while (disk->batch != NULL)\n", "if (0)\n", FINDER),
    # --- tending
    ("all are due at once", TEND_C, "sts_cache_is_due(entry, tend->now, sts_jitter(domain)))",
     "entry != NULL)", TEND),
    ("what is over stays", TEND_C,
     "return sts_store_sweep(store, tend->now, DUE_MAX, &dropped, &job->err);",
     "(void)dropped;\n\treturn 0;", "unit:sts_tend_test"),
    ("deliveries have no place", TEND_C, "mta_sts.fetches / 2;", "mta_sts.fetches;", TEND),
    ("half of one is none", TEND_C, "(places == 0 ? 1 : places)", "places", TEND),
    ("what is tended is a delivery's", TEND_C,
     "search->tending = search->tended = true;", "search->tended = true;",
     TEND),
    ("a delivery's search is tending", TEND_C, "if (row->search == NULL) {", "if (1) {", TEND),
    ("it walks once", TEND_C, "timer_start(tend->timer,\n\t    tend->at < tend->ndue ||",
     "if (tend->at < tend->ndue)\n\t\ttimer_start(tend->timer,\n\t    tend->at < tend->ndue ||",
     TEND),
    ("what cannot be read ends it", TEND_C,
     "tend->more = tend->ndue == DUE_MAX;",
     "if (job->rc < 0)\n\t\treturn;\n\ttend->more = tend->ndue == DUE_MAX;", TEND),
    # --- one fetch
    ("the domain is its policy host", FETCH_C, '#define HOST_PREFIX "mta-sts."',
     '#define HOST_PREFIX ""', FETCH),
    ("another file", FETCH_C, '"/.well-known/mta-sts.txt"', '"/mta-sts.txt"', FETCH),
    ("the usual port", FETCH_C, "run->port, &addresses[i]);", "80, &addresses[i]);", FETCH),
    ("a certificate is as good as none", FETCH_C, 'return "sts-webpki-invalid";', "break;",
     FETCH),
    ("an invalid policy is a failed fetch", FETCH_C, 'end->result_type = "sts-policy-invalid";',
     "", FETCH),
    ("what is ours is the host's", FETCH_C, "if (https_is_ours(result->kind)) {", "if (0) {",
     FETCH),
    ("who cancels is told", FETCH_C, "https_cancel(&run->get);", "", FETCH),
    # --- whose policy
    ("a smart host has none", FACTS_C, "if (!target_is_smtp(target))\n\t\t*ret_why",
     "if (target->kind != TARGET_MX)\n\t\t*ret_why", FACTS),
    ("LMTP has one", FACTS_C, "if (!target_is_smtp(target))\n\t\t*ret_why", "if (0)\n\t\t*ret_why",
     FACTS),
    ("it cannot be switched off", FACTS_C, "else if (!config->mta_sts.enabled)", "else if (0)",
     FACTS),
    ("an exempted next hop is looked up", FACTS_C,
     "else if (is_exempt(facts))\n\t\t*ret_why", "else if (0)\n\t\t*ret_why", FACTS),
    ("a literal is looked up", FACTS_C, "else if (facts_literal(target->host, &literal))",
     "else if ((void)literal, 0)", FACTS),
    ("what was a fact before stays one", FACTS_C,
     "facts->sts = STS_NOT_EVALUATED;\n\t*ret_why", "*ret_why", FACTS),
    # --- deliveries
    ("what is not known is none", DELIVERY_C, "d->sts_step = found->answer.step;",
     "d->sts_step = found->answer.step == STS_STEP_DEFER ? STS_STEP_NONE\n"
     "\t\t\t\t\t\t: found->answer.step;", f"{CHANGES} cannot_be_read"),
    ("each delivery insists", DELIVERY_C, "d->job->target.host, false, on_policy, d);",
     "d->job->target.host, true, on_policy, d);", f"{CHANGES} same_id"),
    ("a host that was not named is no doubt", DELIVERY_C,
     "decision->facts.sts == STS_NO_MATCH ||", "", f"{CHANGES} looked_at_again"),
    ("nor is a certificate", DELIVERY_C, "VERDICT_DELIVER))", "VERDICT_DELIVER && false))",
     f"{CHANGES} shows_the_wrong"),
    ("a host that is down is one", DELIVERY_C,
     "decision->seen.got != TLS_GOT_NOTHING &&", "", f"{CHANGES} that_is_down"),
    ("the same policy is another", DELIVERY_C,
     "!span_eq(\n\t\t   found->known->entry.policy.text, d->sts->entry.policy.text);", "true;",
     f"{CHANGES} shows_the_wrong"),
    ("another policy is for the next attempt", DELIVERY_C, "d->step = &FIND_HOSTS;",
     "d->step = &GIVE_UP;", f"{CHANGES} shows_the_wrong"),
    ("a connection outlives its policy", DELIVERY_C, "if (until < d->good_until)", "if (0)",
     f"{COMMAND} outlive"),
    ("nothing is forgotten on command", DELIVER_C,
     "sts_finder_forget(deliver->sts, domain);", "", f"{COMMAND} goes_by_it"),
    ("what rests is not closed", DELIVER_C,
     "sts_finder_forget(deliver->sts, domain);\n\tclose_all_idle(deliver);",
     "sts_finder_forget(deliver->sts, domain);", f"{COMMAND} was_known"),
    ("nobody tends", DELIVER_C, "deliver->role->index == 0 &&", "deliver->role->index > 99 &&",
     f"{COMMAND} nobody_sends"),
    ("no process is told", CONTROL_C, "c->kind == ROLE_DELIVER && c->channel != NULL",
     "c->kind == ROLE_QUEUE && c->channel == NULL", f"{COMMAND} goes_by_it"),
    ("one process is told", CONTROL_C,
     "channel_send(\n\t\t\t    c->channel, IPC_STS, span_of(request->domain));",
     "{\n\t\t\tchannel_send(\n\t\t\t    c->channel, IPC_STS, span_of(request->domain));\n"
     "\t\t\tbreak;\n\t\t}", f"{COMMAND} each_process"),
    # --- what is explained
    ("nobody is asked", SURVEY_C, "survey->finder != NULL;", "false;", SURVEY),
    ("the domain is its host", SURVEY_C,
     "survey->sts.known, survey->sts.answer.step, host->name);",
     "survey->sts.known, survey->sts.answer.step, survey->target.host);", SURVEY),
    ("what is known is no fact", SURVEY_C, "if (survey->sts.asked)", "if (0)", SURVEY),
    ("nobody holds the policy", SURVEY_C, "sts->known = sts_known_hold(found->known);",
     "sts->known = found->known;", SURVEY),
    ("trouble is not told", SURVEY_C,
     "(void)text_copy(sts->trouble, sizeof(sts->trouble), found->trouble);", "", SURVEY),
    ("who asks outlives his question", SURVEY_C, "sts_find_cancel(&survey->find);", "", SURVEY),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
