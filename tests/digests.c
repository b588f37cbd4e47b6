/* SPDX-License-Identifier: MIT */
/*
 * digests FOLDER [PINNED]: plays every tape of a folder and prints a line for each, its digest and its name. With a
 * file of such lines it prints what differs from that instead, and fails if anything does. The digests are the same on
 * every machine and from every compiler: one file of them is for all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"

enum { NAME = 64 };

struct seed {
    char name[NAME];
    uint64_t digest;
};

struct seeds {
    struct seed *seed;
    size_t count;
};

static void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "digests: %s: %s\n", what, why);
    exit(2);
}

static void add(struct seeds *seeds, const char *name, size_t length, uint64_t digest)
{
    struct seed *more = realloc(seeds->seed, (seeds->count + 1) * sizeof *more);
    if (!more)
        give_up(name, "out of memory");
    if (length >= NAME)
        give_up(name, "the name is too long");
    seeds->seed = more;
    struct seed *seed = &more[seeds->count++];
    memset(seed, 0, sizeof *seed);
    memcpy(seed->name, name, length);
    seed->digest = digest;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct seed *)a)->name, ((const struct seed *)b)->name);
}

/* ---------------------------------------------------------------------------------------------------------- playing */

static void mix(uint64_t *digest, uint64_t value)
{
    *digest = (*digest ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    *digest ^= *digest >> 29;
}

/** The tape, all that the driver has seen, and what the run came to. */
static uint64_t digest_of(const uint8_t *tape, size_t size, const npjt_result *result)
{
    uint64_t digest = result->digest;
    for (size_t i = 0; i < size; i++)
        mix(&digest, tape[i]);
    const uint64_t counts[] = {result->events,      result->calls,
                               result->actions,     result->operations,
                               result->reentries,   result->packets_allocated,
                               result->allocations, result->packets_released,
                               result->failures,    result->failures_reported,
                               result->bytes_taken, result->bytes_accepted};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        mix(&digest, counts[i]);
    for (size_t state = 0; state < NPJ_STATE_COUNT; state++)
        for (size_t event = 0; event < NPJ_EVENT_COUNT; event++)
            mix(&digest, result->cells[state][event]);
    return digest;
}

static struct seeds play_all(const char *folder)
{
    static const npjt_options options = {.digest_all = true}; /* a finding is printed, and aborts */
    struct seeds seeds = {0};
    size_t count;
    struct tape_file *files = tape_files(folder, &count);
    npjt_driver *driver = npjt_driver_new();
    if (!driver)
        give_up(folder, "out of memory");
    for (size_t i = 0; i < count; i++) {
        npjt_result result;
        npjt_driver_run(driver, &npjt_subject_npjob, files[i].bytes, files[i].size, &options, &result);
        add(&seeds, files[i].name, strlen(files[i].name), digest_of(files[i].bytes, files[i].size, &result));
    }
    npjt_driver_free(driver);
    free(files);
    return seeds;
}

/* -------------------------------------------------------------------------------------------------------- comparing */

static struct seeds read_pinned(const char *path)
{
    struct seeds pinned = {0};
    char line[2 * NAME];
    FILE *file = fopen(path, "r");
    if (!file)
        give_up(path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        char *name = NULL;
        uint64_t digest = strtoull(line, &name, 16);
        size_t length = strcspn(name, "\n");
        if (*name != ' ' || length < 2)
            give_up(path, "a line is not a digest and a name");
        add(&pinned, name + 1, length - 1, digest);
    }
    (void)fclose(file);
    if (pinned.count == 0)
        give_up(path, "there is no digest in it");
    qsort(pinned.seed, pinned.count, sizeof *pinned.seed, by_name);
    return pinned;
}

/** Both are in the order of their names. @return how many differ. */
static size_t compare(const struct seeds *seeds, const struct seeds *pinned)
{
    size_t differ = 0;
    for (size_t i = 0, k = 0; i < seeds->count || k < pinned->count;) {
        const struct seed *seed = i < seeds->count ? &seeds->seed[i] : NULL;
        const struct seed *pin = k < pinned->count ? &pinned->seed[k] : NULL;
        int order = !seed ? 1 : !pin ? -1 : strcmp(seed->name, pin->name);
        if (order < 0)
            (void)printf("%s: not pinned\n", seed->name);
        else if (order > 0)
            (void)printf("%s: pinned, but there is no such seed\n", pin->name);
        else if (seed->digest != pin->digest)
            (void)printf("%s: %016" PRIx64 ", pinned as %016" PRIx64 "\n", seed->name, seed->digest, pin->digest);
        differ += order != 0 || seed->digest != pin->digest;
        i += order <= 0;
        k += order >= 0;
    }
    return differ;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        (void)fprintf(stderr, "usage: digests FOLDER [PINNED]\n");
        return 2;
    }
    struct seeds seeds = play_all(argv[1]), pinned = {0};
    size_t differ = 0;
    if (argc == 3) {
        uint64_t combined = 0;
        pinned = read_pinned(argv[2]);
        differ = compare(&seeds, &pinned);
        for (size_t i = 0; i < seeds.count; i++)
            mix(&combined, seeds.seed[i].digest);
        const uint16_t one = 1;
        (void)printf("digests: words=%zu byte_order=%s seeds=%zu combined=%016" PRIx64 " differ=%zu\n",
                     8 * sizeof(void *), *(const uint8_t *)&one == 1 ? "little" : "big", seeds.count, combined, differ);
        if (differ > 0)
            (void)printf("If that was meant, pin them anew: scripts/determinism --pin\n");
    } else {
        for (size_t i = 0; i < seeds.count; i++)
            (void)printf("%016" PRIx64 " %s\n", seeds.seed[i].digest, seeds.seed[i].name);
    }
    free(seeds.seed);
    free(pinned.seed);
    return differ > 0 ? 1 : 0;
}
