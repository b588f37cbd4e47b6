/* SPDX-License-Identifier: MIT */
/* How a finding of the twins reads. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <setjmp.h>
#include <signal.h>

#include "npjob-testkit/twin.h"

TestSuite(twin_report, .init = cr_redirect_stderr);

#define STEP(kind, lane, more, a, b) NPJT_TWIN_##kind | (lane) << 4 | (more), a, b

Test(twin_report, each_step_as_text)
{
    static const uint8_t script[] = {0,
                                     0xE5,
                                     7,
                                     STEP(ADD, 0, 0, 0x4B, 127),
                                     STEP(ADD, 1, 128, 5, 128),
                                     STEP(ADD, 2, 0, 0, 255),
                                     STEP(CONNECT, 3, 0, 1, 1),
                                     STEP(WRITE, 0, 0, 7, 1),
                                     STEP(WRITE_2, 1, 64 | 128, 16 + 15, 1),
                                     STEP(CLOSE, 0, 0, 1, 1),
                                     STEP(COMPLETE, 0, 0, 7, 255),
                                     STEP(COMPLETE_2, 2, 0, 8 + 4, 9),
                                     STEP(DRAIN, 0, 0, 1, 1),
                                     STEP(NEXT, 0, 0, 8 + 7, 1),
                                     STEP(CANCEL, 0, 0, 200, 1),
                                     STEP(EXTRA, 0, 0, 6, 20),
                                     STEP(ABORT, 0, 0, 0, 1),
                                     STEP(CLIENT_GONE, 0, 0, 8, 1),
                                     STEP(PROVIDER_GONE, 0, 0, 1, 1),
                                     STEP(ADVANCE, 0, 0, 25, 1),
                                     STEP(SHUTDOWN, 0, 0, 2, 1),
                                     STEP(SHUTDOWN, 0, 0, 3, 1)};
    npjt_difference_print(&(npjt_difference){.relation = NPJT_RELATION_COMMUTE,
                                             .sentence = "it differs",
                                             .subject = "a server",
                                             .script = script,
                                             .size = sizeof script});
    cr_assert_stderr_eq_str("a server breaks relation commute: it differs\n"
                            "engine 0xe5, seed 7\n"
                            "  1 add lane=0 outcomes=0x4b room=-1\n"
                            "  2 add lane=1 outcomes=0x05 room=0 starved\n"
                            "  3 add lane=2 outcomes=0x00 room=1016\n"
                            "  4 connect lane=3\n"
                            "  5 write lane=0 length=31\n"
                            "  6 write lane=1 length=4096 lent starved\n"
                            "  7 close lane=0\n"
                            "  8 complete lane=0 how=7 bytes=255\n"
                            "  9 complete lane=2 how=4 bytes=9\n"
                            " 10 drain lane=0\n"
                            " 11 next lane=0 count=8\n"
                            " 12 cancel lane=0 write=200\n"
                            " 13 extra lane=0 which=6 back=20\n"
                            " 14 abort lane=0 reason=0xc00000c8\n"
                            " 15 client_gone lane=0 reason=0xc0000120\n"
                            " 16 provider_gone lane=0\n"
                            " 17 advance lane=0 by=250\n"
                            " 18 shutdown lane=0 how=drain\n"
                            " 19 shutdown lane=0 how=abort\n");
}

static jmp_buf aborted;

static void on_abort(int number)
{
    (void)number;
    longjmp(aborted, 1);
}

static npj_status new_fails(const npj_config *config, void **out)
{
    (void)config, (void)out;
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

Test(twin_report, a_finding_that_nobody_receives_is_printed_and_aborts)
{
    static const uint8_t batch = NPJT_RELATION_BATCH;
    npjt_twin *twin = npjt_twin_new();
    npjt_subject none = {.name = "no server", .srv_new = new_fails};
    cr_assert_not_null(twin);
    cr_assert_neq(signal(SIGABRT, on_abort), SIG_ERR);
    if (setjmp(aborted) == 0) {
        npjt_twin_run(twin, &none, &batch, sizeof batch, NULL, NULL);
        cr_assert_fail("it goes on");
    }
    npjt_twin_free(twin);
    cr_assert_stderr_eq_str("no server breaks relation batch: no engine could be made: 0xc000009a\n"
                            "engine 0x00, seed 0\n");
}
