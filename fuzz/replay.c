/* SPDX-License-Identifier: MIT */
/*
 * main() for a fuzz target without a fuzzing engine: runs it once on every file named, and on every file below every
 * folder named, in the order of their names. Built with any compiler; the corpus is replayed as a test with it, and a
 * fuzzer that does not instrument (afl-fuzz -n) can drive it.
 */
#define _GNU_SOURCE
#include "campaign.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static bool names;

static struct {
    uint64_t inputs;
    uint64_t bytes;
    uint64_t errors;
} replayed;

static void complain(const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    replayed.errors++;
}

/* The input is copied into a block of exactly its size, so that a checker of memory sees a read past its end. */
static void replay_stream(FILE *stream, const char *path)
{
    static uint8_t buffer[INPUT_MAX + 1];
    const size_t size = fread(buffer, 1, sizeof buffer, stream);
    if (ferror(stream)) {
        complain(path);
        return;
    }
    if (size > INPUT_MAX) {
        errno = EFBIG;
        complain(path);
        return;
    }
    uint8_t *input = malloc(size ? size : 1);
    if (!input) {
        complain(path);
        return;
    }
    memcpy(input, buffer, size);
    if (names) {
        puts(path);
        fflush(stdout);
    }
    LLVMFuzzerTestOneInput(input, size);
    free(input);
    replayed.inputs++;
    replayed.bytes += size;
}

static void replay_path(const char *path);

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, visible, alphasort);
    if (count < 0) {
        complain(folder);
        return;
    }
    for (int i = 0; i < count; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
            abort();
        replay_path(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

static void replay_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        complain(path);
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        replay_folder(path);
        return;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        complain(path);
        return;
    }
    replay_stream(file, path);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("usage: %s [--names] FILE|FOLDER|-...\n"
               "Runs the fuzz target once on every file; - is the standard input. Ends with what was counted.\n"
               "With --names, each file is named before it is run.\n"
               "A finding aborts. Exit status: 0; 1 if a file could not be read; 2 if there was none.\n",
               argv[0]);
        return argc < 2 ? 2 : 0;
    }
    names = strcmp(argv[1], "--names") == 0;
    for (int i = names ? 2 : 1; i < argc; i++)
        if (strcmp(argv[i], "-") == 0)
            replay_stream(stdin, "the standard input");
        else
            replay_path(argv[i]);
    const struct fuzz_campaign *counted = fuzz_campaign();
    printf("replay: inputs=%" PRIu64 " bytes=%" PRIu64 " events=%" PRIu64 " packets_allocated=%" PRIu64
           " packets_released=%" PRIu64 " live=%" PRIu64 "\n",
           replayed.inputs, replayed.bytes, counted->events, counted->packets_allocated, counted->packets_released,
           counted->packets_allocated - counted->packets_released);
    if (replayed.errors)
        return 1;
    if (replayed.inputs == 0) {
        fprintf(stderr, "replay: there was nothing to replay\n");
        return 2;
    }
    return 0;
}
