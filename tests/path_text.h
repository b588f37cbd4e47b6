/* SPDX-License-Identifier: MIT */
/* Paths for tests: each in a heap block of its exact size, at an odd address, so that a sanitizer sees an over-read. */
#ifndef NPJOB_TESTS_PATH_TEXT_H
#define NPJOB_TESTS_PATH_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "npjob/path.h"

typedef struct text {
    unsigned char *block;
    npj_path path;
} text;

static inline void *text_room(size_t bytes)
{
    void *room = malloc(bytes);

    if (room == NULL)
        abort();
    return room;
}

static inline text text_of(const void *bytes, size_t length, npj_path_encoding encoding)
{
    text made = {text_room(length + 1), {NULL, length, encoding}};

    memcpy(made.block + 1, bytes, length);
    made.path.bytes = made.block + 1;
    return made;
}

/* The same text, which must be well-formed UTF-8, in either encoding. */
static inline text text_in(const char *utf8, size_t length, npj_path_encoding encoding)
{
    unsigned char *wide = text_room(2 * length + 1);
    size_t used = 0;

    if (encoding == NPJ_PATH_UTF8) {
        free(wide);
        return text_of(utf8, length, encoding);
    }
    for (size_t i = 0; i < length;) {
        const unsigned char *in = (const unsigned char *)utf8 + i;
        unsigned long code = in[0];
        unsigned long units[2] = {0, 0};

        if (in[0] < 0x80) {
            i += 1;
        } else if (in[0] < 0xE0) {
            code = (in[0] & 0x1FUL) << 6 | (in[1] & 0x3FUL);
            i += 2;
        } else if (in[0] < 0xF0) {
            code = (in[0] & 0x0FUL) << 12 | (in[1] & 0x3FUL) << 6 | (in[2] & 0x3FUL);
            i += 3;
        } else {
            code = (in[0] & 0x07UL) << 18 | (in[1] & 0x3FUL) << 12 | (in[2] & 0x3FUL) << 6 | (in[3] & 0x3FUL);
            i += 4;
        }
        units[0] = code;
        if (code > 0xFFFF) {
            units[0] = 0xD7C0 + (code >> 10);
            units[1] = 0xDC00 + (code & 0x3FF);
        }
        for (unsigned u = 0; u < (code > 0xFFFF ? 2u : 1u); u++) {
            wide[used++] = (unsigned char)(units[u] & 0xFF);
            wide[used++] = (unsigned char)(units[u] >> 8);
        }
    }
    text made = text_of(wide, used, encoding);
    free(wide);
    return made;
}

static inline void text_free(text *made)
{
    free(made->block);
    made->block = NULL;
}

#endif
