/* SPDX-License-Identifier: MIT */
/* A script with a finding, made small enough to be read. */
#include <string.h>

#include "twin_state.h"

struct search {
    npjt_twin *twin;
    const npjt_subject *subject;
    npjt_twin_options options;
    bool found;
};

static void note(void *user, const npjt_difference *finding)
{
    (void)finding;
    ((struct search *)user)->found = true;
}

static bool is_found(struct search *search, const uint8_t *script, size_t size)
{
    search->found = false;
    (void)npjt_twin_run(search->twin, search->subject, script, size, &search->options, NULL);
    return search->found;
}

/* Leaves out @steps steps at a time, wherever the finding stays; whether any could go. */
static bool leave_out(struct search *search, uint8_t *script, size_t *size, size_t steps)
{
    uint8_t shorter[NPJT_TWIN_MAX];
    bool any = false;
    size_t part = 3 * steps;
    for (size_t at = NPJT_TWIN_HEADER; at + part <= *size;) {
        memcpy(shorter, script, at);
        memcpy(shorter + at, script + at + part, *size - at - part);
        if (is_found(search, shorter, *size - part)) {
            *size -= part;
            memcpy(script, shorter, *size);
            any = true;
        } else {
            at += 3;
        }
    }
    return any;
}

bool npjt_twin_shrink(npjt_twin *twin, const npjt_subject *subject, uint8_t *script, size_t *size)
{
    struct search search = {.twin = twin, .subject = subject};
    search.options = (npjt_twin_options){.finding = note, .user = &search};
    if (*size > NPJT_TWIN_MAX)
        *size = NPJT_TWIN_MAX;
    if (*size > NPJT_TWIN_HEADER)
        *size -= (*size - NPJT_TWIN_HEADER) % 3;
    if (!is_found(&search, script, *size))
        return false;
    for (size_t steps = NPJT_TWIN_STEPS; steps > 0; steps /= 2)
        while (leave_out(&search, script, size, steps))
            ;
    return true;
}
