/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Whether a job is whole, told from its bytes.
 *
 * smbd ends a pipe in the same way whether the client has closed it or its connection was lost in the middle of a job.
 * What is left to go by is how a job of its kind begins and ends. The bytes are looked at as they pass; how they are
 * split makes no difference. Nothing is allocated, and a stream has the same size whatever passes.
 *
 *     eof  the end of the bytes is enough
 *     ps   begins with %!PS; the last line is %%EOF
 *     pdf  begins with %PDF-; the last three lines are startxref, the place of the cross-reference table, which lies
 *          within the job and is not 0 (as in the first part of a linearised file), and %%EOF
 *     pjl  begins with the Universal Exit Language sequence, ESC%-12345X, and ends with another one
 *     any  whichever of ps, pdf and pjl it begins as; one that begins as none of them is judged by eof, and
 *          one that ends within the first word of one of them is not whole
 *
 * Blanks before the beginning and behind the end are not looked at: space, tab, line feed, form feed, carriage return,
 * NUL and ^D. They may be any number before, but the end has to lie within the last WHOLE_TAIL_SIZE bytes.
 *
 * A job that was cut just behind a document within it, which ends as the job itself would, is taken for whole.
 */
#ifndef NPJOBD_WHOLE_H
#define NPJOBD_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a printer's jobs are judged. */
typedef enum whole_format { WHOLE_EOF, WHOLE_PS, WHOLE_PDF, WHOLE_PJL, WHOLE_ANY, WHOLE_FORMAT_COUNT } whole_format;

/** How a format is written in a configuration, "eof"; "(unknown)" when out of range. Static, never NULL. */
const char *whole_format_name(whole_format format);

/** The bytes looked at for the end of a job: those in which readers of PDF look for it too. */
#define WHOLE_TAIL_SIZE 1024

/** The bytes looked at for the beginning of a job. */
#define WHOLE_HEAD_SIZE 9

/** A stream that is being looked at. The members are private; it may be copied and thrown away at any time. */
typedef struct whole_stream {
    whole_format format;
    uint64_t bytes;
    uint64_t blanks; /* before the head */
    size_t head_length;
    size_t tail_length;
    unsigned char head[WHOLE_HEAD_SIZE];
    unsigned char tail[WHOLE_TAIL_SIZE];
} whole_stream;

/** What there is to say of a stream. */
typedef struct whole_verdict {
    bool whole;
    /** For a log: the format by which it was judged, and why, as in "ps: the last line is not %%EOF". Static, printable
     * ASCII without quotation marks. */
    const char *words;
} whole_verdict;

/** Makes ready for the bytes of one job. @p stream is filled, whatever it held. */
void whole_begin(whole_stream *stream, whole_format format);

/** Looks at the next bytes, which are borrowed for the call. But for the blanks before the beginning, many of them cost
 * no more than WHOLE_TAIL_SIZE. */
void whole_feed(whole_stream *stream, const void *bytes, size_t length);

/** The verdict on all bytes so far, as if they were the whole job. The stream is unchanged, and may go on. */
whole_verdict whole_judge(const whole_stream *stream);

#endif
