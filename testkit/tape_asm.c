/* SPDX-License-Identifier: MIT */
/* tape_asm IN.tape OUT: reads a tape in its text form and writes its bytes. For the build of the corpus. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tape_files.h"

int main(int argc, char **argv)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    if (argc != 3) {
        (void)fprintf(stderr, "usage: tape_asm IN.tape OUT\n");
        return 2;
    }
    size_t size = tape_of_text(argv[1], tape);
    FILE *out = fopen(argv[2], "wb");
    if (!out || fwrite(tape, 1, size, out) != size || fclose(out) != 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    return 0;
}
