/* SPDX-License-Identifier: MIT */
/* How states are come to: the driver, playing a tape of the search, comes to what the search gave it for. */
#include <criterion/criterion.h>

#include "npjob-testkit/driver.h"
#include "npjob-testkit/explore.h"

/* A tape that is played, and what is to be seen at its end: by the last event, which takes up to four records. */
struct play {
    const npj_trace *outcome;
    uint32_t records, played;
    bool seen;
};

static void note_trace(void *user, const npj_trace *trace)
{
    struct play *play = user;
    const npj_trace *outcome = play->outcome;
    if (play->played < play->records && play->played + 4 >= play->records && trace->kind == outcome->kind &&
        trace->from == outcome->from && trace->event == outcome->event && trace->to == outcome->to &&
        trace->status == outcome->status)
        play->seen = true;
}

static void note_event(void *user, uint32_t number, const npjt_record *record, npj_status status)
{
    struct play *play = user;
    (void)number, (void)record, (void)status;
    play->played++;
}

static const npjt_scope *scope;
static unsigned seeds;

static void play_seed(void *user, const npj_trace *outcome, const uint8_t *tape, size_t size)
{
    struct play play = {.outcome = outcome, .records = (uint32_t)((size - NPJT_HEADER_BYTES) / NPJT_RECORD_BYTES)};
    const npjt_options options = {.trace = note_trace, .event = note_event, .user = &play, .model = true};
    npjt_result result;
    (void)user;
    cr_expect(npjt_run(&npjt_subject_npjob, tape, size, &options, &result));
    cr_expect(play.seen, "%s: %s in state %s, %s", scope->name, npj_event_name(outcome->event),
              npj_state_name(outcome->from), npj_status_name(outcome->status));
    seeds++;
}

Test(explore_way, each_tape_ends_in_its_outcome)
{
    for (uint32_t i = 0; (scope = npjt_scope_at(i)) != NULL; i++) {
        const npjt_explore_options options = {.max_states = 5000, .seed = play_seed};
        cr_expect_eq(npjt_explore(scope, &options, NULL), NPJT_EXPLORE_DONE);
    }
    cr_expect_gt(seeds, 1000);
}
