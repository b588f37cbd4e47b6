/* SPDX-License-Identifier: MIT */
/* tape_print FILE: prints a tape, such as a fuzzer saves, in its text form. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/tape.h"

int main(int argc, char **argv)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    if (argc != 2) {
        fputs("usage: tape_print FILE\n", stderr);
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    const size_t size = file ? fread(tape, 1, sizeof tape, file) : 0;
    if (!file || ferror(file)) {
        fprintf(stderr, "tape_print: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fclose(file);
    return npjt_tape_print(stdout, tape, size, UINT32_MAX) && fflush(stdout) == 0 ? 0 : 1;
}
