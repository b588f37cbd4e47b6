/* SPDX-License-Identifier: MIT */
/* Strict UTF-8 and UTF-16LE, one code point at a time. */
#ifndef NPJOB_LIB_UTF_H
#define NPJOB_LIB_UTF_H

#include <stddef.h>
#include <stdint.h>

#include "npjob/path.h"

/* What npji_utf_next() returns beside code points; both lie beyond U+10FFFF. */
#define NPJI_UTF_LAST       UINT32_C(0x10FFFF)
#define NPJI_UTF_END        UINT32_C(0xFFFFFFFF)
#define NPJI_UTF_ILL_FORMED UINT32_C(0xFFFFFFFE)

/* A place in borrowed text. UTF-16 is read byte by byte, so no alignment is needed. */
typedef struct npji_utf_cursor {
    const unsigned char *at;
    const unsigned char *end;
    npj_path_encoding encoding; /* NPJ_PATH_UTF8 or NPJ_PATH_UTF16LE */
} npji_utf_cursor;

/* The next code point, or NPJI_UTF_END, or NPJI_UTF_ILL_FORMED, from which there is no going on. */
uint32_t npji_utf_next(npji_utf_cursor *cursor);

/* Writes a code point, which must be one that npji_utf_next() can return, and returns its length in bytes. */
size_t npji_utf_encode(uint32_t code, npj_path_encoding encoding, unsigned char out[4]);

#endif
