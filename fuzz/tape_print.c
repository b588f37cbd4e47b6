/* SPDX-License-Identifier: MIT */
/* tape_print FILE: prints a tape, such as a fuzzer saves, in its text form. */
#include <stdio.h>

#include "tape_files.h"

int main(int argc, char **argv)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    if (argc != 2) {
        (void)fputs("usage: tape_print FILE\n", stderr);
        return 2;
    }
    const size_t size = tape_of_bytes(argv[1], tape);
    return npjt_tape_print(stdout, tape, size, UINT32_MAX) && fflush(stdout) == 0 ? 0 : 1;
}
