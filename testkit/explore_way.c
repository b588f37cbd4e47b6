/* SPDX-License-Identifier: MIT */
/* How states were come to: the tape that leads to one, and the outcomes that were seen on the way. */
#include <stdlib.h>

#include "explore_state.h"

bool npjt_explore_way_add(struct way *way, uint32_t parent, explore_event event)
{
    if (way->count == way->room) {
        size_t room = way->room ? way->room * 2 : 1 << 16;
        struct step *steps = realloc(way->steps, room * sizeof *steps);
        if (steps == NULL)
            return false;
        way->steps = steps;
        way->room = room;
    }
    way->steps[way->count++] = (struct step){parent, event};
    return true;
}

uint64_t npjt_explore_way_bytes(const struct way *way)
{
    return way->room * sizeof *way->steps;
}

void npjt_explore_way_free(struct way *way)
{
    free(way->steps);
}

/* The tape that leads to a state and then to one more event, if any. It is played anew, in a world of its own. */
size_t npjt_explore_way_tape(const struct way *way, const npjt_scope *scope, uint32_t state, const explore_event *event,
                             uint8_t tape[NPJT_TAPE_MAX])
{
    struct explorer x;
    static explore_event events[NPJT_MAX_RECORDS / 4];
    uint32_t length = 0;
    if (event != NULL)
        events[length++] = *event;
    for (; state != 0 && length < NPJT_MAX_RECORDS / 4; state = way->steps[state].parent)
        events[length++] = way->steps[state].event;
    npjt_header header;
    npjt_explore_header(scope, &header);
    npjt_tape_put_header(tape, &header);
    size_t size = NPJT_HEADER_BYTES;
    if (!npjt_explore_world_new(&x, scope))
        return 0;
    if (!scope->unset) {
        npjt_tape_put_record(tape + size, &(npjt_record){NPJT_ADVANCE_EVENT, {0}});
        size += NPJT_RECORD_BYTES;
    }
    while (length > 0) {
        npjt_record records[4];
        uint32_t count = npjt_explore_records(&x, events[--length], records);
        for (uint32_t i = 0; i < count; i++, size += NPJT_RECORD_BYTES)
            npjt_tape_put_record(tape + size, &records[i]);
        if (length > 0) {
            (void)npjt_explore_apply(&x, events[length]);
            npjt_explore_note_ended(&x);
        }
    }
    npjt_explore_world_free(&x);
    return size;
}

bool npjt_explore_outcome_note(struct outcomes *outcomes, const npj_trace *trace, uint32_t state, explore_event event)
{
    if ((unsigned)trace->from >= NPJ_STATE_COUNT || (unsigned)trace->event >= NPJ_EVENT_COUNT)
        return false;
    uint16_t *at = &outcomes->first[trace->from][trace->event];
    for (; *at != 0; at = &outcomes->outcome[*at - 1].next) {
        const npj_trace *seen = &outcomes->outcome[*at - 1].trace;
        if (seen->to == trace->to && seen->status == trace->status)
            return true;
    }
    if (outcomes->count == OUTCOMES_MAX)
        return true;
    outcomes->outcome[outcomes->count++] = (struct outcome){*trace, state, event, 0};
    *at = (uint16_t)outcomes->count;
    return true;
}
