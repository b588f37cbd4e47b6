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
    if (!file) {
        fprintf(stderr, "tape_print: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    const size_t size = fread(tape, 1, sizeof tape, file);
    const bool unread = ferror(file) != 0;
    fclose(file);
    if (unread) {
        fprintf(stderr, "tape_print: %s: cannot be read\n", argv[1]);
        return 1;
    }
    return npjt_tape_print(stdout, tape, size, UINT32_MAX) && fflush(stdout) == 0 ? 0 : 1;
}
