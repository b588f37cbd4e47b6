/* SPDX-License-Identifier: MIT */
/* tape_shrink TAPE OUT: makes a tape on which npjob breaks a law, or is not as the reference model, small enough to be
 * read. */
#include <stdio.h>

#include "npjob-testkit/shrink.h"

static uint8_t tape[NPJT_TAPE_MAX];

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: tape_shrink TAPE OUT\n");
        return 2;
    }
    FILE *in = fopen(argv[1], "rb");
    if (in == NULL) {
        perror(argv[1]);
        return 2;
    }
    size_t size = fread(tape, 1, sizeof tape, in);
    const int unread = ferror(in);
    (void)fclose(in);
    if (unread) {
        (void)fprintf(stderr, "tape_shrink: %s: cannot be read\n", argv[1]);
        return 2;
    }
    const npjt_options beside = {.model = true};
    if (npjt_shrink(&npjt_subject_npjob, NULL, tape, size, tape, &size) < 0 &&
        npjt_shrink(&npjt_subject_npjob, &beside, tape, size, tape, &size) < 0) {
        (void)fprintf(stderr, "tape_shrink: on %s npjob breaks no law and is as the model\n", argv[1]);
        return 1;
    }
    FILE *out = fopen(argv[2], "wb");
    if (out == NULL || fwrite(tape, 1, size, out) != size || fclose(out) != 0) {
        perror(argv[2]);
        return 2;
    }
    return 0;
}
