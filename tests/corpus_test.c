/* SPDX-License-Identifier: MIT */
/*
 * corpus_test FOLDER: plays every tape of the corpus against npjob. No law may be broken, the same tape must be the
 * same run a second time and when nobody reads the trace, there must be a seed for each of the 32 scenarios, and
 * together they must reach every cell of the table. A server that copies what is lent to it breaks no law if it says
 * so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"

enum { SCENARIOS = 32, CELLS = (int)NPJ_STATE_COUNT * (int)NPJ_EVENT_COUNT };

static void found(void *user, const npjt_violation *finding)
{
    (void)fprintf(stderr, "%s:\n", (const char *)user);
    npjt_violation_print(finding);
}

static void ignored(void *user, const npjt_violation *finding)
{
    (void)user;
    (void)finding;
}

static bool same(const npjt_result *a, const npjt_result *b)
{
    return a->digest == b->digest && a->events == b->events && a->calls == b->calls && a->actions == b->actions &&
           a->operations == b->operations && a->allocations == b->allocations && a->bytes_taken == b->bytes_taken &&
           a->packets_allocated == b->packets_allocated && a->packets_released == b->packets_released &&
           memcmp(a->cells, b->cells, sizeof a->cells) == 0;
}

static npj_status new_untraced(const npj_config *config, void **out)
{
    npj_config untraced = *config;
    untraced.trace = NULL;
    return npjt_subject_npjob.srv_new(&untraced, out);
}

static uint64_t lent_to_it;

static npj_status write_copied(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out)
{
    lent_to_it += flags == NPJ_LEND;
    return npjt_subject_npjob.write(srv, job, tag, bytes, length, flags == NPJ_LEND ? NPJ_COPY : flags, out);
}

/** Whether a server that always copies passes, by the laws and by the model, and is lent nothing if it says so. */
static bool passes_copied(npjt_driver *driver, struct tape_file *file, bool said)
{
    npjt_subject copying = npjt_subject_npjob;
    copying.write = write_copied;
    copying.copies_only = said;
    lent_to_it = 0;
    for (unsigned model = 0; model < 2; model++) {
        npjt_options options = {.finding = said ? found : ignored, .user = file->name, .model = model};
        if (!npjt_driver_run(driver, &copying, file->bytes, file->size, &options, NULL))
            return false;
    }
    return !said || lent_to_it == 0;
}

/** Plays one tape three times. @return whether all was well. */
static bool play(npjt_driver *driver, struct tape_file *file, npjt_result *result)
{
    npjt_result again;
    npjt_options options = {.finding = found, .user = file->name};
    if (!npjt_driver_run(driver, &npjt_subject_npjob, file->bytes, file->size, &options, result))
        return false;
    bool good = npjt_run(&npjt_subject_npjob, file->bytes, file->size, &options, &again);
    if (!good || !same(result, &again)) {
        (void)fprintf(stderr, "%s: a second run is another\n", file->name);
        return false;
    }
    npjt_subject untraced = npjt_subject_npjob;
    untraced.srv_new = new_untraced;
    good = npjt_run(&untraced, file->bytes, file->size, &options, &again);
    if (!good || again.digest != result->digest) {
        (void)fprintf(stderr, "%s: it is another run when nobody reads the trace\n", file->name);
        return false;
    }
    if (result->events == 0 || result->live_blocks != 0 || result->live_bytes != 0 ||
        result->packets_allocated < result->packets_released || result->digest == 0) {
        (void)fprintf(stderr, "%s: the counters make no sense\n", file->name);
        return false;
    }
    return true;
}

static unsigned missing_cells(uint8_t cells[NPJ_STATE_COUNT][NPJ_EVENT_COUNT])
{
    unsigned missing = 0;
    for (unsigned state = 0; state < NPJ_STATE_COUNT; state++) {
        for (unsigned event = 0; event < NPJ_EVENT_COUNT; event++) {
            if (cells[state][event] == 0) {
                (void)fprintf(stderr, "no seed reaches %s x %s\n", npj_state_name((npj_state)state),
                              npj_event_name((npj_event)event));
                missing++;
            }
        }
    }
    return missing;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: corpus_test FOLDER\n");
        return 2;
    }
    size_t count;
    struct tape_file *files = tape_files(argv[1], &count);
    npjt_driver *driver = npjt_driver_new();
    if (!driver)
        return 2;
    static uint8_t cells[NPJ_STATE_COUNT][NPJ_EVENT_COUNT];
    bool scenario[SCENARIOS + 1] = {false};
    unsigned bad = 0, unsaid = 0;
    uint64_t reentries = 0, failures = 0, events = 0;
    for (size_t i = 0; i < count; i++) {
        npjt_result result;
        bad += !play(driver, &files[i], &result);
        bad += !passes_copied(driver, &files[i], true);
        unsaid += !passes_copied(driver, &files[i], false);
        reentries += result.reentries;
        failures += result.failures;
        events += result.events;
        for (unsigned state = 0; state < NPJ_STATE_COUNT; state++)
            for (unsigned event = 0; event < NPJ_EVENT_COUNT; event++)
                cells[state][event] |= result.cells[state][event];
        long row = strtol(files[i].name, NULL, 10);
        if (row > 0 && row <= SCENARIOS)
            scenario[row] = true;
    }
    for (int row = 1; row <= SCENARIOS; row++) {
        if (!scenario[row]) {
            (void)fprintf(stderr, "no seed for scenario %d\n", row);
            bad++;
        }
    }
    bad += missing_cells(cells);
    if (unsaid == 0) {
        (void)fprintf(stderr, "no seed tells a server that copies what it was lent\n");
        bad++;
    }
    if (reentries < 30 || failures < 8) {
        (void)fprintf(stderr, "the seeds re-enter %llu times and fail %llu allocations: too few\n",
                      (unsigned long long)reentries, (unsigned long long)failures);
        bad++;
    }
    (void)printf("%zu seeds, %llu events, %u of %u cells, %llu re-entries, %llu failed allocations, %u faults\n", count,
                 (unsigned long long)events, (unsigned)npjt_cells_reached(cells), (unsigned)CELLS,
                 (unsigned long long)reentries, (unsigned long long)failures, bad);
    npjt_driver_free(driver);
    free(files);
    return bad == 0 ? 0 : 1;
}
