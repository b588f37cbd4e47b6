/* SPDX-License-Identifier: MIT */
/* A law that was broken: said once, and the run is over. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver_state.h"

static const char *const laws[NPJT_LAW_COUNT] = {
    "allocator", "answers", "packets", "operations", "allocation", "all-or-nothing", "re-entry",
    "order",     "counts",  "bounds",  "reclaim",    "isolation",  "honest-close",   "model",
};

const char *npjt_law_name(unsigned law)
{
    return law < NPJT_LAW_COUNT ? laws[law] : "(unknown)";
}

const char *npjt_action_name(npj_action_kind kind)
{
    static const char *const names[] = {
        [NPJ_ADD_JOB] = "ADD_JOB",
        [NPJ_OPEN] = "OPEN",
        [NPJ_WRITE] = "WRITE",
        [NPJ_CLOSE_PIPE] = "CLOSE_PIPE",
        [NPJ_SCHEDULE_JOB] = "SCHEDULE_JOB",
        [NPJ_ABANDON_JOB] = "ABANDON_JOB",
        [NPJ_CANCEL] = "CANCEL",
        [NPJ_REPLY] = "REPLY",
        [NPJ_RETURN] = "RETURN",
        [NPJ_RESUME] = "RESUME",
        [NPJ_IDLE] = "IDLE",
    };
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "(unknown)";
}

void npjt_violation_print(const npjt_violation *finding)
{
    char line[NPJT_LINE_MAX];
    (void)fprintf(stderr, "%s breaks law %u (%s): %s\n", finding->subject, finding->law, npjt_law_name(finding->law),
                  finding->sentence);
    if (finding->record) {
        npjt_record_text(line, sizeof line, finding->record);
        (void)fprintf(stderr, "at event %u: %s\n", (unsigned)finding->event, line);
    } else {
        (void)fprintf(stderr, "after event %u, in the phase \"%s\"\n", (unsigned)finding->event, finding->phase);
    }
    (void)npjt_tape_print(stderr, finding->tape, finding->size, finding->records);
    (void)fflush(stderr);
}

void npjt_violate(struct npjt_driver *d, unsigned law, const char *format, ...)
{
    if (d->stop || npjt_is_off(d, law))
        return;
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    d->stop = true;
    d->result->finding = (int)law;
    npjt_violation finding = {law,     sentence, d->event, d->record, d->phase, d->subject->name,
                              d->tape, d->size,  d->event};
    if (d->options->finding) {
        d->options->finding(d->options->user, &finding);
        return;
    }
    npjt_violation_print(&finding);
    abort();
}

uint32_t npjt_cells_reached(uint8_t cells[NPJ_STATE_COUNT][NPJ_EVENT_COUNT])
{
    uint32_t reached = 0;
    for (unsigned state = 0; state < NPJ_STATE_COUNT; state++)
        for (unsigned event = 0; event < NPJ_EVENT_COUNT; event++)
            reached += cells[state][event] != 0;
    return reached;
}
