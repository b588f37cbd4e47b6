/* SPDX-License-Identifier: MIT */
/* tape_asm IN.tape OUT: reads a tape in its text form and writes its bytes. For the build of the corpus. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/tape.h"

int main(int argc, char **argv)
{
    static char text[1 << 20];
    static uint8_t tape[NPJT_TAPE_MAX];
    if (argc != 3) {
        (void)fprintf(stderr, "usage: tape_asm IN.tape OUT\n");
        return 2;
    }
    FILE *in = fopen(argv[1], "rb");
    if (!in) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    size_t length = fread(text, 1, sizeof text, in);
    bool whole = !ferror(in) && length < sizeof text;
    (void)fclose(in);
    if (!whole) {
        (void)fprintf(stderr, "%s: cannot be read, or is longer than 1 MiB\n", argv[1]);
        return 1;
    }
    npjt_text_error error;
    size_t size = 0;
    if (!npjt_tape_parse(text, length, tape, sizeof tape, &size, &error)) {
        (void)fprintf(stderr, "%s:%u:%u: %s\n", argv[1], (unsigned)error.line, (unsigned)error.column, error.message);
        return 1;
    }
    FILE *out = fopen(argv[2], "wb");
    if (!out || fwrite(tape, 1, size, out) != size || fclose(out) != 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    return 0;
}
