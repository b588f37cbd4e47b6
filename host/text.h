/* SPDX-License-Identifier: MIT */
/** @file Text from strangers, made fit to be printed. */
#ifndef NPJOB_POSIX_TEXT_H
#define NPJOB_POSIX_TEXT_H

#include <stddef.h>

/**
 * The bytes of the printable character that begins @p length bytes, one at least; 0 if there is none in well-formed
 * UTF-8. Controls, line and paragraph separators, what turns the direction of a line, and what is not seen at all, are
 * not printable.
 */
size_t npjpi_text_printable(const char *text, size_t length);

/**
 * Copies text, with a "_" for each character that is not printable, and for each byte that is no part of one.
 *
 * @param text     @p length bytes; may hold NUL bytes.
 * @param out      receives at most @p capacity bytes and no terminator. It may be @p text itself.
 * @param capacity where it is too small, the copy ends after the last character that fits.
 * @return the length of the copy: never more than @p length.
 */
size_t npjpi_text_clean(const char *text, size_t length, char *out, size_t capacity);

#endif
