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
        const npjt_result result =
            play_text(&judged, fault->tape, (npjt_options){.finding = leave_alone, .model = i % 2, .digest_all = true});
        cr_expect_not(result.cut_short, "%s", fault->name);
        cr_expect_eq(findings, 1, "%s", fault->name);
        cr_expect_eq(asked, 0, "%s: asked %u times after: %s", fault->name, asked, sentence);
    }
}

/* What is found in each part of a run; it ends with the server. */
static char phase[16];

static void note_phase(void *user, const npjt_violation *finding)
{
    found(user, finding);
    cr_expect_eq(finding->size >= NPJT_HEADER_BYTES, finding->tape != NULL);
    cr_expect_geq(finding->size, NPJT_HEADER_BYTES);
    (void)snprintf(phase, sizeof phase, "%s", finding->phase);
}

Test(driver, a_finding_names_its_phase)
{
    static const struct {
        const char *fault, *tape, *phase;
        uint32_t off;
    } cases[] = {
        {"a refused new keeps memory", NULL, "new", 0}, {"new loses the engine", NULL, "new", 0x20},
        {"the wrong error", NULL, "event", 0},          {"IDLE never comes", "tape 1\n", "drain", 0},
        {"free does not free", "tape 1\n", "free", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fault *fault = driver_fault_of(cases[i].fault);
        phase[0] = '\0';
        (void)play_text(&fault->subject, cases[i].tape ? cases[i].tape : fault->tape,
                        (npjt_options){.finding = note_phase, .laws_off = cases[i].off});
        cr_expect_str_eq(phase, cases[i].phase, "%s: %s", cases[i].fault, sentence);
    }
}

Test(driver, nothing_is_played_after_free)
{
    cr_expect_eq(play_text(&npjt_subject_npjob, "tape 1\nfree\nopen\nadd\n", (npjt_options){0}).events, 1);
}

/* A driver that is kept has forgotten the run before: it has all its places again, and no stale handles. */
Test(driver, a_run_does_not_know_the_one_before)
{
    static const char *const tapes[] = {
        "tape 1\nopen\nwrite\nhost\nclose\nhost\nopen\n", "tape 1\nopen\nopen\nwrite\nconnect\n",
        "tape 1\nadd\nconnect job=ended\ncancel write=answered\nwritten op=ended\n",
        ("tape 1 max_jobs=16\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\n")};
    static uint8_t tape[NPJT_TAPE_MAX];
    const npjt_subject *wrong = &driver_fault_of("the wrong error")->subject;
    npjt_driver *driver = npjt_driver_new();
    cr_assert_not_null(driver);
    for (size_t i = 0; i < sizeof tapes / sizeof *tapes; i++) {
        const npjt_options options = {.finding = found};
        npjt_result kept;
        (void)npjt_driver_run(driver, i == 1 ? wrong : &npjt_subject_npjob, tape, tape_of(tapes[i], tape), &options,
                              &kept);
        cr_expect_eq(kept.finding, i == 1 ? NPJT_LAW_ALL_OR_NOTHING : -1, "%s", sentence);
        if (i != 1)
            cr_expect_eq(kept.digest, play_text(&npjt_subject_npjob, tapes[i], (npjt_options){0}).digest, "%zu", i);
    }
    npjt_driver_free(driver);
    npjt_driver_free(NULL);
}

/* What a server keeps is told, and no finding where the law is off that it breaks. */
Test(driver, what_is_left_is_told)
{
    const struct fault *fault = driver_fault_of("free does not free");
    const npjt_result result = play_text(&fault->subject, "tape 1\n", (npjt_options){.laws_off = 0x400});
    cr_expect_eq(result.finding, -1, "%s", sentence);
    cr_expect_eq(result.live_blocks, 1);
    cr_expect_gt(result.live_bytes, 1000);
}

static void note_status(void *user, uint32_t number, const npjt_record *record, npj_status status)
{
    npj_status *statuses = user;
    (void)record;
    statuses[number] = status;
}

Test(driver, an_event_has_the_status_of_its_last_call)
{
    npj_status statuses[5] = {9, 9, 9, 9, 9};
    cr_expect_eq(play_text(&npjt_subject_npjob,
                           "tape 1\nconnect job=null\nreenter from=any call=trim\nadd\noom fail=none\n",
                           (npjt_options){.event = note_status, .user = statuses})
                     .finding,
                 -1);
    cr_expect_eq(statuses[0], 9);
    cr_expect_eq(statuses[1], NPJ_STATUS_INVALID_HANDLE);
    cr_expect_eq(statuses[2], 0);
    cr_expect_eq(statuses[3], NPJ_STATUS_PENDING);
    cr_expect_eq(statuses[4], 0);
}
