/* SPDX-License-Identifier: MIT */
/*
 * What no key of a state tells: a call that changes nothing else leads to a state that is known, and has to be found at
 * once or be told apart from it.
 */
#include <criterion/criterion.h>

#include "explore_faults.h"

static void draw_a_generation(npj_srv *srv)
{
    srv->generation++;
}

Test(explore_key, a_refused_call_that_leaves_a_trace_is_found)
{
    explore_fault.refusal = draw_a_generation;
    cr_expect(explore_finds("kinds", "a call that was refused with STATUS_INVALID_PIPE_STATE has changed the engine"),
              "%s", explore_seen.sentence);
}

Test(explore_key, a_clock_that_stands_still_is_found)
{
    explore_fault.sleeps = true;
    cr_expect(explore_finds("kinds", "the engine's deadline is not the model's"), "%s", explore_seen.sentence);
}

/* The first in line gives way to the second, but only where a job that is added stands before one that writes. */
static void change_the_line(npj_srv *srv)
{
    struct npji_link *first = srv->ready.next;
    if (first == &srv->ready || first->next == &srv->ready)
        return;
    if (NPJI_OWNER(first, struct npji_job, ready)->state == NPJ_STATE_ADDING &&
        NPJI_OWNER(first->next, struct npji_job, ready)->state == NPJ_STATE_OPEN) {
        npji_unlink(first);
        npji_link_last(&srv->ready, first);
    }
}

Test(explore_key, a_line_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_line;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}

/* The job that was added first becomes the last of its client. */
static void change_the_order_of_adding(npj_srv *srv)
{
    struct npji_job *job = npji_index_first(srv, NPJI_CLIENT, 1);
    if (job) {
        npji_index_remove(srv, job, NPJI_CLIENT);
        npji_index_add(srv, job, NPJI_CLIENT);
    }
}

Test(explore_key, an_order_of_adding_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_order_of_adding;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}

/* Of two that fall together, the deadline that was armed first comes second. */
static void change_the_order_of_arming(npj_srv *srv)
{
    struct npji_link *ring = &srv->timers[NPJI_TIMER_ADD], *first = ring->next;
    if (npji_linked(ring) && first->next != ring &&
        NPJI_OWNER(first, struct npji_deadline, link)->when ==
            NPJI_OWNER(first->next, struct npji_deadline, link)->when) {
        npji_unlink(first);
        npji_link_last(ring, first);
    }
}

Test(explore_key, an_order_of_arming_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_order_of_arming;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}
