/* SPDX-License-Identifier: MIT */
/*
 * threads [--without-lock] FOLDER: two engines on two threads, each with the tapes of a folder, which share nothing;
 * and one engine that four threads share under a lock. Every run must be what it is on a thread alone. To be run under
 * ThreadSanitizer as well, which --without-lock is to show at work.
 */
#include "threads.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"

enum { ENGINES = 2, ROUNDS = 5, CALLS = 5000 };

struct player {
    const struct tape_file *files;
    size_t count;
    unsigned rounds;
    uint64_t digest; /* of all runs, in order */
    uint64_t events;
    bool bad;
};

static void *play(void *user)
{
    static const npjt_options options = {.digest_all = true};
    struct player *player = user;
    npjt_driver *driver = npjt_driver_new();
    player->bad = driver == NULL;
    for (unsigned round = 0; driver && round < player->rounds; round++) {
        for (size_t i = 0; i < player->count; i++) {
            npjt_result result;
            npjt_driver_run(driver, &npjt_subject_npjob, player->files[i].bytes, player->files[i].size, &options,
                            &result);
            player->bad |= result.live_blocks > 0;
            player->digest = player->digest * UINT64_C(0x9E3779B97F4A7C15) ^ result.digest;
            player->events += result.events;
        }
    }
    npjt_driver_free(driver);
    return NULL;
}

/** The same tapes on two threads at once, and then on this one. */
static bool two_engines(const struct tape_file *files, size_t count)
{
    struct player alone = {.files = files, .count = count, .rounds = ROUNDS}, player[ENGINES];
    pthread_t thread[ENGINES];
    for (unsigned i = 0; i < ENGINES; i++) {
        player[i] = alone;
        if (pthread_create(&thread[i], NULL, play, &player[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < ENGINES; i++)
        pthread_join(thread[i], NULL);
    play(&alone);
    bool good = !alone.bad;
    for (unsigned i = 0; i < ENGINES; i++)
        good &= !player[i].bad && player[i].digest == alone.digest && player[i].events == alone.events;
    (void)printf("two engines: threads=%u tapes=%zu events=%" PRIu64 " digests=%s\n", (unsigned)ENGINES, count,
                 player[0].events + player[1].events, good ? "equal" : "different");
    return good && alone.events > 0;
}

int main(int argc, char **argv)
{
    bool lock = !(argc == 3 && strcmp(argv[1], "--without-lock") == 0);
    if (argc != (lock ? 2 : 3)) {
        (void)fprintf(stderr, "usage: threads [--without-lock] FOLDER\n");
        return 2;
    }
    size_t count;
    struct tape_file *files = tape_files(argv[argc - 1], &count);
    bool good = two_engines(files, count);
    good &= share_one_engine(CALLS, lock);
    free(files);
    return good ? 0 : 1;
}
