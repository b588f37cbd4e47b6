/* SPDX-License-Identifier: MIT */
/* How a run ends that finds something: a faulty server is in no known state, and is asked for nothing more. */
#include <stddef.h>

#include "driver_faults.h"
#include "tape_support.h"

/* The server that is played against, as long as nothing was found. */
static npjt_subject judged;
static unsigned findings, asked;

static void ask(void)
{
    asked++;
}

/* From here on whatever is called is ask(). */
static void leave_alone(void *user, const npjt_violation *finding)
{
    void (*const any)(void) = ask;
    found(user, finding);
    findings++;
    for (size_t at = offsetof(npjt_subject, srv_new); at < sizeof judged; at += sizeof any)
        memcpy((char *)&judged + at, &any, sizeof any);
}

Test(driver, a_faulty_server_is_left_alone)
{
    size_t count;
    const struct fault *faults = driver_faults(&count);
    for (size_t i = 0; i < 2 * count; i++) {
        const struct fault *fault = &faults[i / 2];
        driver_fault_reset();
        judged = fault->subject;
        findings = asked = 0;
        (void)play_text(&judged, fault->tape, (npjt_options){.finding = leave_alone, .model = i % 2});
        cr_expect_eq(findings, 1, "%s", fault->name);
        cr_expect_eq(asked, 0, "%s: asked %u times after: %s", fault->name, asked, sentence);
    }
}
