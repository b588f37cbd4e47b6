/* SPDX-License-Identifier: MIT */
/* What counts as the deep state of fuzz_depth, and what does not. */
#include <stdbool.h>
#include <stdio.h>

#include "depth_goal.h"
#include "npjob-testkit/driver.h"

static unsigned times_reached;

static void on_reached(uint32_t packets)
{
    (void)packets;
    times_reached++;
}

/* Plays @before, so many cancels of writes not yet answered, and @after. */
static unsigned play(const char *before, unsigned cancels, const char *after)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    char text[2048];
    size_t size = 0;
    npjt_text_error error;
    npjt_result result;
    int length = snprintf(text, sizeof text, "tape 1 %s\n", before);
    for (unsigned i = 0; i < cancels; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "cancel write=%s%.0u\n",
                           i % 8 ? (i < 8 ? "newest-" : "oldest+") : (i < 8 ? "newest" : "oldest"), i % 8);
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "%s\n", after);
    times_reached = 0;
    if (!npjt_tape_parse(text, (size_t)length, tape, sizeof tape, &size, &error)) {
        printf("# %u:%u: %s\n", (unsigned)error.line, (unsigned)error.column, error.message);
        return ~0U;
    }
    return npjt_run(depth_subject(on_reached), tape, size, NULL, &result) ? times_reached : ~0U;
}

int main(void)
{
    static const char full[] = "max_job_packets=16\nopen\nwrites";
    const struct {
        const char *name;
        unsigned reached;
        unsigned expected;
    } tests[] = {
        {"all but two", play(full, 14, "next"), 1},
        {"all but three", play(full, 13, "next"), 0},
        {"all of them", play(full, 16, "next"), 1},
        {"known at the end of the tape", play(full, 14, "query"), 1},
        {"a job that was never full", play("max_job_packets=16\nopen\nwrites count=12\nwrites count=3", 14, "next"), 0},
        {"a job of few packets", play("max_job_packets=8\nopen\nwrites", 6, "next"), 0},
        {"the others were answered before", play(full, 14, "abort status=print_cancelled\nnext"), 0},
        {"two were written before the job was full",
         play("max_job_packets=16 max_batch=2\nopen\nwrites count=2\nnext\ncomplete\nwrites", 14, "next"), 0},
        {"from inside a callback nothing is known",
         play(full, 14, "reenter from=release call=next\nabort status=print_cancelled\nnext"), 0},
    };
    const unsigned count = sizeof tests / sizeof *tests;
    unsigned failed = 0;
    for (unsigned i = 0; i < count; i++) {
        const bool passed = tests[i].reached == tests[i].expected;
        failed += !passed;
        printf("%sok %u - %s\n", passed ? "" : "not ", i + 1, tests[i].name);
    }
    printf("1..%u\n", count);
    return failed != 0;
}
