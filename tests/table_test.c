/* SPDX-License-Identifier: MIT */
/*
 * The table, cell by cell: what npj_table_cell() says, what a real job in that state does when the event meets it, and
 * what the trace tells of it. The expectations are written by hand from the contract, not taken from the table.
 */
#include "table_expect.h"

/* ------------------------------------------------------------------------------------------------- what it says */

static void check_cell(int state, int event)
{
    const struct expectation want = expectation_of((npj_state)state, (npj_event)event);
    const npj_cell cell = npj_table_cell((npj_state)state, (npj_event)event);
    const char *const state_name = npj_state_name((npj_state)state);
    const char *const event_name = npj_event_name((npj_event)event);
    cr_assert_eq(cell.status, want.status, "%s x %s: the table says %s, expected %s", state_name, event_name,
                 npj_status_name(cell.status), npj_status_name(want.status));
    cr_assert_eq(cell.next, want.next, "%s x %s: the table goes to %s, expected %s", state_name, event_name,
                 npj_state_name(cell.next), npj_state_name(want.next));
}

enum { STATES = NPJ_STATE_COUNT, EVENTS = NPJ_EVENT_COUNT, CELLS = STATES * EVENTS };

TestEachBelow(int *state, table, says, STATES)
{
    for (int event = 0; event < EVENTS; event++)
        check_cell(*state, event);
}

Test(table, has_twelve_states_and_fourteen_events)
{
    cr_assert_eq(NPJ_STATE_COUNT, 12);
    cr_assert_eq(NPJ_EVENT_COUNT, 14);
}

Test(table, out_of_range_is_an_invalid_parameter)
{
    npj_cell cell = npj_table_cell(NPJ_STATE_COUNT, NPJ_EVENT_CONNECT);
    cr_assert_eq(cell.status, NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(cell.next, NPJ_STATE_COUNT);
    cell = npj_table_cell(NPJ_STATE_OPEN, NPJ_EVENT_COUNT);
    cr_assert_eq(cell.status, NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(cell.next, NPJ_STATE_OPEN);
    cell = npj_table_cell((npj_state)255, (npj_event)255);
    cr_assert_eq(cell.status, NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq((int)cell.next, 255);
}

Test(table, names_are_those_of_the_lists)
{
#define NPJ_X(name) cr_assert_str_eq(npj_state_name(NPJ_STATE_##name), #name);
    NPJ_STATE_LIST(NPJ_X)
#undef NPJ_X
#define NPJ_X(name) cr_assert_str_eq(npj_event_name(NPJ_EVENT_##name), #name);
    NPJ_EVENT_LIST(NPJ_X)
#undef NPJ_X
    cr_assert_str_eq(npj_state_name(NPJ_STATE_COUNT), "(unknown)");
    cr_assert_str_eq(npj_event_name(NPJ_EVENT_COUNT), "(unknown)");
}

/* ------------------------------------------------------------------------------------------------- what it does */

/* One number for each cell: state * EVENTS + event. */
TestEachBelow(int *cell, table, does, CELLS)
{
    const npj_state state = (npj_state)(*cell / EVENTS);
    const npj_event event = (npj_event)(*cell % EVENTS);
    const struct expectation want = expectation_of(state, event);
    struct host *h = host_start(NULL);
    struct job job = bring_to(h, state, event);
    const struct before before = before_of(h);
    const npj_status got = present(h, &job, state, event);
    const npj_status answer = want.status ? want.status : answer_of(state, event);
    cr_assert_eq(got, answer, "%s x %s: returned %s, expected %s", npj_state_name(state), npj_event_name(event),
                 npj_status_name(got), npj_status_name(answer));
    if (want.status)
        refused_at(h, before, want.status, got, npj_event_name(event), HERE);
    expect_state(h, job.id, want.settled);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------- what it tells */

/* The first line that the event of this cell left, or NULL. */
static const npj_trace *line_of(const struct host *h, npj_event event)
{
    for (size_t i = 0; i < h->trace_count; i++)
        if (h->traces[i].kind == NPJ_TRACE_EVENT && h->traces[i].event == event)
            return &h->traces[i];
    return NULL;
}

static void check_trace(npj_state state, npj_event event)
{
    const struct expectation want = expectation_of(state, event);
    struct host *h = host_start(NULL);
    struct job job = bring_to(h, state, event);
    h->trace_count = 0;
    present(h, &job, state, event);
    const npj_trace *line = line_of(h, event);
    cr_assert(line || !meets_the_job(state, event), "%s x %s: no trace", npj_state_name(state), npj_event_name(event));
    if (line) {
        cr_assert_eq(line->from, state, "from %s", npj_state_name(line->from));
        cr_assert_eq(line->to, want.next, "to %s", npj_state_name(line->to));
        cr_assert_eq(line->status, want.status, "%s", npj_status_name(line->status));
        cr_assert_eq(line->job, job.id);
        cr_assert_eq(line->cookie, COOKIE);
    }
    /* What follows is the engine's own: each line begins where the one before ended, and the last ends where the job
     * is. */
    npj_state at = state;
    for (size_t i = 0; i < h->trace_count; i++) {
        cr_assert_eq(h->traces[i].from, at, "%s follows %s", npj_state_name(h->traces[i].from), npj_state_name(at));
        at = h->traces[i].to;
    }
    cr_assert_eq(at, want.settled, "%s x %s: the trace ends in %s, expected %s", npj_state_name(state),
                 npj_event_name(event), npj_state_name(at), npj_state_name(want.settled));
    host_end(h);
}

TestEachBelow(int *state, table, tells, STATES)
{
    for (int event = 0; event < EVENTS; event++)
        check_trace((npj_state)*state, (npj_event)event);
}
