/* SPDX-License-Identifier: MIT */
/*
 * oom_test FOLDER: every tape of the corpus, once for each allocation that it makes, with that one failing, and again
 * with that one and all after it failing. A failure is reported if, and only if, one was injected; no law is broken.
 */
#include <stdio.h>
#include <stdlib.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"

static void found(void *user, const npjt_violation *finding)
{
    (void)fprintf(stderr, "%s:\n", (const char *)user);
    npjt_violation_print(finding);
}

/** Whether the tape sets faults of its own, which take the place of ours. */
static bool has_own_faults(const struct tape_file *file)
{
    npjt_reader reader;
    npjt_record record;
    npjt_tape_begin(&reader, file->bytes, file->size, NULL);
    while (npjt_tape_next(&reader, &record))
        if (record.opcode == NPJT_OOM_EVENT)
            return true;
    return false;
}

struct sums {
    uint64_t runs, injected, reported;
    unsigned bad;
};

static void complain(struct sums *sums, const struct tape_file *file, uint64_t n, const char *what)
{
    (void)fprintf(stderr, "%s, allocation %llu: %s\n", file->name, (unsigned long long)n, what);
    sums->bad++;
}

static void run(npjt_driver *driver, struct tape_file *file, npjt_fault_mode mode, uint64_t n, bool must_inject,
                struct sums *sums)
{
    npjt_result result;
    npjt_options options = {
        .finding = found, .user = file->name, .fault_override = true, .fault = mode, .fault_at = (uint32_t)n};
    bool good = npjt_driver_run(driver, &npjt_subject_npjob, file->bytes, file->size, &options, &result);
    sums->runs++;
    sums->injected += result.failures;
    sums->reported += result.failures_reported;
    if (!good)
        complain(sums, file, n, "a law is broken");
    if (result.live_blocks != 0)
        complain(sums, file, n, "something is live at the end");
    if (result.failures_reported != result.failures)
        complain(sums, file, n, "failures injected and reported differ");
    if (must_inject && result.failures == 0)
        complain(sums, file, n, "nothing was injected");
    if (must_inject && mode == NPJT_FAULT_ONCE && result.failures != 1)
        complain(sums, file, n, "more than one failure was injected");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: oom_test FOLDER\n");
        return 2;
    }
    size_t count;
    struct tape_file *files = tape_files(argv[1], &count);
    npjt_driver *driver = npjt_driver_new();
    if (!driver)
        return 2;
    struct sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        npjt_result whole;
        npjt_options none = {.finding = found, .user = files[i].name, .fault_override = true, .fault = NPJT_FAULT_NONE};
        if (!npjt_driver_run(driver, &npjt_subject_npjob, files[i].bytes, files[i].size, &none, &whole))
            sums.bad++;
        bool own = has_own_faults(&files[i]);
        for (uint64_t n = 1; n <= whole.allocations; n++) {
            run(driver, &files[i], NPJT_FAULT_ONCE, n, !own, &sums);
            run(driver, &files[i], NPJT_FAULT_FROM, n, !own, &sums);
        }
        uint64_t before = sums.injected;
        run(driver, &files[i], NPJT_FAULT_ONCE, whole.allocations + 1, false, &sums);
        if (!own && sums.injected != before)
            complain(&sums, &files[i], whole.allocations + 1, "a tape without that allocation has failed it");
    }
    if (sums.injected < sums.runs)
        sums.bad++;
    (void)printf("%zu tapes, %llu runs, %llu failures injected, %llu reported, %u faults\n", count,
                 (unsigned long long)sums.runs, (unsigned long long)sums.injected, (unsigned long long)sums.reported,
                 sums.bad);
    npjt_driver_free(driver);
    free(files);
    return sums.bad == 0 ? 0 : 1;
}
