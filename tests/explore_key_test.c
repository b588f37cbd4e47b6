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
