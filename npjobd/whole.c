/* SPDX-License-Identifier: MIT */
/* The first bytes and the last ones are kept, and judged when the job has ended. */
#include "whole.h"

#include <string.h>

/* The end of a job, from which lines are taken backwards. */
typedef struct ending {
    const unsigned char *bytes;
    size_t length;
} ending;

typedef struct word {
    const char *text;
    size_t length;
} word;

#define WORD(text) {text, sizeof(text) - 1}

static const word ps_head = WORD("%!PS");
static const word pdf_head = WORD("%PDF-");
static const word uel = WORD("\x1B%-12345X");
static const word end_of_file = WORD("%%EOF");
static const word startxref = WORD("startxref");

const char *whole_format_name(whole_format format)
{
    static const char *const names[WHOLE_FORMAT_COUNT] = {"eof", "ps", "pdf", "pjl", "any"};
    return (unsigned)format < WHOLE_FORMAT_COUNT ? names[format] : "(unknown)";
}

static bool ends_line(unsigned char byte)
{
    return byte == '\n' || byte == '\r' || byte == '\f' || byte == 4;
}

static bool is_blank(unsigned char byte)
{
    return ends_line(byte) || byte == ' ' || byte == '\t' || byte == 0;
}

/* ------------------------------------------------------------------------------------------------ as the bytes pass */

void whole_begin(whole_stream *stream, whole_format format)
{
    *stream = (whole_stream){.format = format};
}

static void feed_head(whole_stream *stream, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length && stream->head_length < WHOLE_HEAD_SIZE; i++)
        if (stream->head_length > 0 || !is_blank(bytes[i]))
            stream->head[stream->head_length++] = bytes[i];
        else
            stream->blanks++;
}

static void feed_tail(whole_stream *stream, const unsigned char *bytes, size_t length)
{
    size_t added = length < WHOLE_TAIL_SIZE ? length : WHOLE_TAIL_SIZE;
    size_t room = WHOLE_TAIL_SIZE - added;
    size_t kept = stream->tail_length < room ? stream->tail_length : room;
    memmove(stream->tail, stream->tail + stream->tail_length - kept, kept);
    memcpy(stream->tail + kept, bytes + length - added, added);
    stream->tail_length = kept + added;
}

void whole_feed(whole_stream *stream, const void *bytes, size_t length)
{
    if (length > 0) {
        feed_head(stream, bytes, length);
        feed_tail(stream, bytes, length);
        stream->bytes += length;
    }
}

/* ------------------------------------------------------------------------------------------- when they have ended */

static bool has_head(const whole_stream *stream, const word *head)
{
    return stream->head_length >= head->length && memcmp(stream->head, head->text, head->length) == 0;
}

/* Whether more bytes might have made this head of the stream. */
static bool begins_head(const whole_stream *stream, const word *head)
{
    return stream->head_length > 0 && stream->head_length < head->length &&
           memcmp(stream->head, head->text, stream->head_length) == 0;
}

static void strip_blanks(ending *end)
{
    while (end->length > 0 && is_blank(end->bytes[end->length - 1]))
        end->length--;
}

/* Takes a word off the end, if it is there. */
static bool take_word(ending *end, const word *last)
{
    if (end->length < last->length || memcmp(end->bytes + end->length - last->length, last->text, last->length) != 0)
        return false;
    end->length -= last->length;
    return true;
}

/* Whether what was taken off is all of its line. The tail begins with a line only if it is the whole stream. */
static bool is_line_start(const ending *end)
{
    return end->length > 0 && ends_line(end->bytes[end->length - 1]);
}

static bool take_line(ending *end, const word *last)
{
    strip_blanks(end);
    return take_word(end, last) && is_line_start(end);
}

/* Takes a line off that is a number; one that is too large for the result becomes the largest there is. */
static bool take_number_line(ending *end, uint64_t *value)
{
    strip_blanks(end);
    size_t behind = end->length;
    while (end->length > 0 && end->bytes[end->length - 1] >= '0' && end->bytes[end->length - 1] <= '9')
        end->length--;
    *value = 0;
    for (size_t i = end->length; i < behind; i++)
        *value = *value > (UINT64_MAX - 9) / 10 ? UINT64_MAX : *value * 10 + (end->bytes[i] - (uint64_t)'0');
    return end->length < behind && is_line_start(end);
}

static whole_verdict judge_ps(const whole_stream *stream, ending end)
{
    if (!has_head(stream, &ps_head))
        return (whole_verdict){false, "ps: it does not begin with %!PS"};
    if (!take_line(&end, &end_of_file))
        return (whole_verdict){false, "ps: the last line is not %%EOF"};
    return (whole_verdict){true, "ps: the last line is %%EOF"};
}

static whole_verdict judge_pdf(const whole_stream *stream, ending end)
{
    uint64_t place = 0;
    if (!has_head(stream, &pdf_head))
        return (whole_verdict){false, "pdf: it does not begin with %PDF-"};
    if (!take_line(&end, &end_of_file))
        return (whole_verdict){false, "pdf: the last line is not %%EOF"};
    if (!take_number_line(&end, &place) || !take_line(&end, &startxref))
        return (whole_verdict){false, "pdf: there is no startxref before %%EOF"};
    if (place == 0 || place >= stream->bytes - stream->blanks)
        return (whole_verdict){false, "pdf: the startxref before %%EOF leads nowhere"};
    return (whole_verdict){true, "pdf: the last line is %%EOF"};
}

static whole_verdict judge_pjl(const whole_stream *stream, ending end)
{
    if (!has_head(stream, &uel))
        return (whole_verdict){false, "pjl: it does not begin with UEL"};
    strip_blanks(&end);
    size_t behind = stream->tail_length - end.length;
    if (!take_word(&end, &uel))
        return (whole_verdict){false, "pjl: it does not end with UEL"};
    if (stream->bytes - behind - stream->blanks == uel.length)
        return (whole_verdict){false, "pjl: there is nothing but one UEL"};
    return (whole_verdict){true, "pjl: it ends with UEL"};
}

static whole_verdict judge_any(const whole_stream *stream, ending end)
{
    if (has_head(stream, &ps_head))
        return judge_ps(stream, end);
    if (has_head(stream, &pdf_head))
        return judge_pdf(stream, end);
    if (has_head(stream, &uel))
        return judge_pjl(stream, end);
    if (begins_head(stream, &ps_head) || begins_head(stream, &pdf_head) || begins_head(stream, &uel))
        return (whole_verdict){false, "any: it ends within its first word"};
    return (whole_verdict){true, "eof: it begins as no known format"};
}

whole_verdict whole_judge(const whole_stream *stream)
{
    ending end = {stream->tail, stream->tail_length};
    switch (stream->format) {
    case WHOLE_PS:
        return judge_ps(stream, end);
    case WHOLE_PDF:
        return judge_pdf(stream, end);
    case WHOLE_PJL:
        return judge_pjl(stream, end);
    case WHOLE_ANY:
        return judge_any(stream, end);
    default:
        return (whole_verdict){true, "eof: the end of the bytes"};
    }
}
