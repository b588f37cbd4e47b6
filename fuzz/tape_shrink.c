/* SPDX-License-Identifier: MIT */
/* tape_shrink [--model] TAPE OUT: makes a tape on which npjob breaks a law, or with --model is not as the reference
 * model, small enough to be read. */
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/shrink.h"
#include "tape_files.h"

static uint8_t tape[NPJT_TAPE_MAX];

int main(int argc, char **argv)
{
    const npjt_options options = {.model = argc > 1 && strcmp(argv[1], "--model") == 0};
    char *const *files = argv + (options.model ? 2 : 1);
    if (argv + argc != files + 2) {
        (void)fprintf(stderr, "usage: tape_shrink [--model] TAPE OUT\n");
        return 2;
    }
    size_t size = tape_of_bytes(files[0], tape);
    if (npjt_shrink(&npjt_subject_npjob, &options, tape, size, tape, &size) < 0) {
        (void)fprintf(stderr, "tape_shrink: on %s npjob breaks no law%s\n", files[0],
                      options.model ? " and is as the model" : "");
        return 1;
    }
    FILE *out = fopen(files[1], "wb");
    if (out == NULL || fwrite(tape, 1, size, out) != size || fclose(out) != 0) {
        perror(files[1]);
        return 2;
    }
    return 0;
}
