/* SPDX-License-Identifier: MIT */
/* What the search does when the engine, or who looks on, does wrong. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "explore_faults.h"

static npjt_explore_end search(uint64_t max_states)
{
    return explore_search("kinds", max_states);
}

/* The tape is to have so many events. */
static void expect_finding(const char *sentence, size_t events)
{
    cr_expect_eq(explore_seen.findings, 1);
    cr_expect_str_eq(explore_seen.sentence, sentence);
    cr_expect_eq(explore_seen.size, NPJT_HEADER_BYTES + events * NPJT_RECORD_BYTES);
}

static void expect_found(const char *sentence, size_t events)
{
    cr_expect_eq(search(0), NPJT_EXPLORE_FINDING);
    expect_finding(sentence, events);
}

/* ----------------------------------------------------------------------------------------------------------- scopes */

static npjt_explore_end search_with(uint32_t packets, uint32_t job_packets, uint32_t batch, uint32_t timeout)
{
    npjt_scope scope = {.name = "any",
                        .jobs = 2,
                        .packets = packets,
                        .job_packets = job_packets,
                        .batch = batch,
                        .timeout = timeout,
                        .clients = 1};
    return npjt_explore(&scope, &(npjt_explore_options){.max_states = 10}, NULL);
}

Test(explore_fault, a_scope_that_no_tape_can_say_is_refused)
{
    cr_expect_eq(search_with(4, 4, 4, 10), NPJT_EXPLORE_DONE);
    cr_expect_eq(search_with(8, 8, 8, 1000), NPJT_EXPLORE_DONE);
    cr_expect_eq(search_with(7, 4, 4, 10), NPJT_EXPLORE_TROUBLE);
    cr_expect_eq(search_with(4, 5, 4, 10), NPJT_EXPLORE_TROUBLE);
    cr_expect_eq(search_with(4, 4, 5, 10), NPJT_EXPLORE_TROUBLE);
    cr_expect_eq(search_with(4, 4, 4, 3), NPJT_EXPLORE_TROUBLE);
}

Test(explore_fault, as_many_packets_as_the_jobs_may_have_can_be_said)
{
    cr_expect_eq(search_with(6, 3, 4, 10), NPJT_EXPLORE_DONE);
    cr_expect_eq(search_with(6, 4, 4, 10), NPJT_EXPLORE_TROUBLE);
}

/* A search that has lost a state must not say that there are no more. */
Test(explore_fault, a_search_that_wants_for_memory_does_not_close)
{
    bool refused;
    do {
        npjt_explored result = {0};
        explore_seen.allocations = 0;
        explore_fault.wants_memory++;
        const npjt_explore_end end = npjt_explore(explore_scope("unset"), NULL, &result);
        refused = explore_seen.allocations >= explore_fault.wants_memory;
        cr_expect_eq(end, refused ? NPJT_EXPLORE_TROUBLE : NPJT_EXPLORE_DONE, "%u", explore_fault.wants_memory);
        cr_expect_eq(result.closed, !refused, "%u", explore_fault.wants_memory);
    } while (refused);
    cr_expect_gt(explore_fault.wants_memory, 6 + 1, "one for each thing that it keeps");
}

/* -------------------------------------------------------------------------------------------------- the first state */

Test(explore_fault, an_engine_that_refuses_its_configuration_is_told)
{
    explore_fault.refuses = true;
    expect_found("the engine refuses the scope's configuration", 1);
}

Test(explore_fault, an_engine_that_is_not_there_is_told)
{
    explore_fault.gives_none = true;
    expect_found("npj_srv_new() says SUCCESS and gives no engine", 1);
}

Test(explore_fault, what_is_wrong_before_any_event_is_told)
{
    explore_fault.breaks_law = true;
    expect_found("an invariant of the engine does not hold: it is wrong", 1);
}

/* ------------------------------------------------------------------------------------------------ hangs and crashes */

Test(explore_fault, an_engine_that_hangs_is_found)
{
    explore_fault.hangs = true;
    expect_found("the engine does not come back from this", 5);
}

/* What an event has left in a tangle may hang only who walks it. */
Test(explore_fault, an_engine_that_hangs_when_it_is_looked_at_is_found)
{
    explore_fault.check_hangs = true;
    expect_found("the engine does not come back from this", 3);
}

Test(explore_fault, an_engine_that_aborts_is_found)
{
    explore_fault.aborts = true;
    expect_found("the engine crashes", 5);
}

Test(explore_fault, an_engine_that_answers_does_not_hang_however_many_events_lie_between_two_alarms)
{
    explore_fault.alarm_at_65536 = true;
    cr_expect_eq(search(9000), NPJT_EXPLORE_DONE, "%s", explore_seen.sentence);
    cr_expect_gt(explore_seen.events, 65536 + 10);
}

Test(explore_fault, a_table_that_takes_long_to_grow_is_no_hang)
{
    explore_fault.alarm_in_table = true;
    cr_expect_eq(search(33000), NPJT_EXPLORE_DONE, "%s", explore_seen.sentence);
}

static bool slow_progress(void *user, const npjt_explored *so_far)
{
    (void)user, (void)so_far;
    explore_alarms(3);
    return true;
}

Test(explore_fault, progress_that_is_slow_is_no_hang)
{
    const npjt_explore_options options = {
        .max_states = 2000, .progress = slow_progress, .finding = explore_keep_finding};
    cr_expect_eq(npjt_explore(npjt_scope_at(0), &options, NULL), NPJT_EXPLORE_DONE, "%s", explore_seen.sentence);
}

static void slow_finding(void *user, const char *sentence, const uint8_t *tape, size_t size)
{
    explore_keep_finding(user, sentence, tape, size);
    if (explore_seen.findings == 1) /* again and again would be without end */
        explore_alarms(3);
}

Test(explore_fault, a_finding_is_told_once_however_slowly)
{
    const npjt_explore_options options = {.finding = slow_finding};
    explore_fault.aborts = true;
    cr_expect_eq(npjt_explore(npjt_scope_at(0), &options, NULL), NPJT_EXPLORE_FINDING);
    expect_finding("the engine crashes", 5);
}

static bool crash_in_progress(void *user, const npjt_explored *so_far)
{
    (void)user, (void)so_far;
    abort();
}

Test(explore_fault, a_crash_of_who_looks_on_is_not_the_engines, .signal = SIGABRT)
{
    const npjt_explore_options options = {.progress = crash_in_progress};
    (void)npjt_explore(npjt_scope_at(0), &options, NULL);
}

/* ----------------------------------------------------------------------------------------------------------- traces */

static void trace_of_no_state(npj_trace *trace)
{
    trace->from = (npj_state)(trace->kind == NPJ_TRACE_EVENT ? 1000000 : trace->from);
}

Test(explore_fault, a_trace_of_a_state_that_is_not_there_is_found)
{
    explore_fault.trace = trace_of_no_state;
    expect_found("a trace tells of event 0 in state 1000000, and there is no such cell", 5);
}

static void trace_of_no_event(npj_trace *trace)
{
    trace->event = (npj_event)(trace->kind == NPJ_TRACE_EVENT ? 1000000 : trace->event);
}

Test(explore_fault, a_trace_of_an_event_that_is_not_there_is_found)
{
    explore_fault.trace = trace_of_no_event;
    expect_found("a trace tells of event 1000000 in state 0, and there is no such cell", 5);
}

static void trace_without_kind(npj_trace *trace)
{
    trace->kind = NPJ_TRACE_EVENT;
}

Test(explore_fault, an_event_2019_that_is_traced_as_another_is_found)
{
    explore_fault.trace = trace_without_kind;
    cr_expect_eq(search(0), NPJT_EXPLORE_FINDING);
    cr_expect_str_eq(explore_seen.sentence, "Event 2019 is traced 0 times where 1 is right");
}
