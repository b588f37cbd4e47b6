/* SPDX-License-Identifier: MIT */
/*
 * oom_test FOLDER: every tape of the corpus, once for each allocation that it makes, with that one failing, and again
 * with that one and all after it failing. Exactly those fail; each is reported by the call in which it was made, and no
 * other call says so; a call that reports one leaves the digest as it was; the tape is played to its end. The driver
 * sees to each call, the reference model beside npjob to what it counts, this program to the whole. Servers that do
 * otherwise, each in one of these, must be found.
 */
#include <stdio.h>
#include <stdlib.h>

#include "npjob-testkit/driver.h"
#include "oom_faults.h"
#include "tape_files.h"

/* A sweep: one server, all tapes, all allocations. */
struct sweep {
    npjt_driver *driver;
    const npjt_subject *subject;
    bool model; /* the reference model runs beside it */
    bool quiet;
    uint32_t laws_broken;
    uint64_t runs, injected, reported;
    unsigned bad;
    const char *tape;
};

static void found(void *user, const npjt_violation *finding)
{
    struct sweep *sweep = user;
    sweep->laws_broken |= UINT32_C(1) << finding->law;
    if (sweep->quiet)
        return;
    (void)fprintf(stderr, "%s:\n", sweep->tape);
    npjt_violation_print(finding);
}

static void complain(struct sweep *sweep, uint64_t n, const char *what)
{
    sweep->bad++;
    if (!sweep->quiet)
        (void)fprintf(stderr, "%s, allocation %llu: %s\n", sweep->tape, (unsigned long long)n, what);
}

static npjt_result play(struct sweep *sweep, const struct tape_file *file, npjt_fault_mode mode, uint64_t n)
{
    npjt_result result;
    npjt_options options = {.finding = found,
                            .user = sweep,
                            .model = sweep->model,
                            .fault_override = true,
                            .fault = mode,
                            .fault_at = (uint32_t)n};
    bool good = npjt_driver_run(sweep->driver, sweep->subject, file->bytes, file->size, &options, &result);
    sweep->runs++;
    sweep->injected += result.failures;
    sweep->reported += result.failures_reported;
    if (!good)
        complain(sweep, n, "a law is broken");
    if (result.live_blocks != 0)
        complain(sweep, n, "something is live at the end");
    if (result.failures_reported != result.failures)
        complain(sweep, n, "failures injected and reported differ");
    return result;
}

static void fail_one(struct sweep *sweep, const struct tape_file *file, npjt_fault_mode mode, uint64_t n,
                     uint32_t events)
{
    npjt_result result = play(sweep, file, mode, n);
    uint64_t due = mode == NPJT_FAULT_ONCE ? 1 : result.allocations - (n - 1);
    if (result.allocations < n || result.failures != due)
        complain(sweep, n, "other allocations failed than were to");
    if (result.events != (n == 1 ? 0 : events)) /* the first is the engine itself */
        complain(sweep, n, "the tape was not played to its end");
}

static void sweep_tape(struct sweep *sweep, const struct tape_file *file)
{
    sweep->tape = file->name;
    npjt_result whole = play(sweep, file, NPJT_FAULT_NONE, 0);
    if (whole.failures != 0)
        complain(sweep, 0, "an allocation failed that was not to");
    for (uint64_t n = 1; n <= whole.allocations; n++) {
        fail_one(sweep, file, NPJT_FAULT_ONCE, n, whole.events);
        fail_one(sweep, file, NPJT_FAULT_FROM, n, whole.events);
    }
    /* One more than there are: as without. */
    npjt_result beyond = play(sweep, file, NPJT_FAULT_ONCE, whole.allocations + 1);
    if (beyond.failures != 0 || beyond.digest != whole.digest)
        complain(sweep, whole.allocations + 1,
                 "a tape without that allocation has failed it, or come to something else");
}

static struct sweep sweep_all(npjt_driver *driver, const npjt_subject *subject, const struct tape_file *files,
                              size_t count, bool quiet)
{
    /* A faulty server is to be found by the laws, npjob may not differ from the model either. */
    struct sweep sweep = {.driver = driver, .subject = subject, .model = !quiet, .quiet = quiet};
    for (size_t i = 0; i < count; i++)
        sweep_tape(&sweep, &files[i]);
    return sweep;
}

/* Whether every faulty server is found, by its law. */
static bool faults_are_found(npjt_driver *driver, const struct tape_file *files, size_t count)
{
    bool good = true;
    size_t faults;
    const struct oom_fault *fault = oom_faults(&faults);
    for (size_t i = 0; i < faults; i++, fault++) {
        struct sweep sweep = sweep_all(driver, &fault->subject, files, count, true);
        bool is_found = sweep.bad > 0 && (sweep.laws_broken >> fault->law & 1) != 0;
        if (!is_found)
            (void)fprintf(stderr, "%s: not found by law %d; %u complaints, laws 0x%x\n", fault->name, fault->law,
                          sweep.bad, (unsigned)sweep.laws_broken);
        good &= is_found;
    }
    (void)printf("%zu faulty servers, %s\n", faults, good ? "all found" : "not all found");
    return good;
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
    struct sweep sweep = sweep_all(driver, &npjt_subject_npjob, files, count, false);
    (void)printf("%zu tapes, %llu runs, %llu failures injected, %llu reported, %u faults\n", count,
                 (unsigned long long)sweep.runs, (unsigned long long)sweep.injected, (unsigned long long)sweep.reported,
                 sweep.bad);
    bool good = sweep.bad == 0 && sweep.injected > 0;
    good &= faults_are_found(driver, files, count);
    npjt_driver_free(driver);
    free(files);
    return good ? 0 : 1;
}
