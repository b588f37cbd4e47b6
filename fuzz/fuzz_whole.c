/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the verdict on whether a job is whole. The first byte of an input says by which format, what follows is the
 * job. It is looked at whole, byte by byte and in pieces of many sizes; each time the verdict has to be that of a
 * second, plainer reading, which has all bytes at hand and goes forwards, line by line.
 */
#include <string.h>

#include "campaign.h"
#include "property.h"
#include "whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ----------------------------------------------------------------------------------------------- the second reading */

typedef struct job {
    const uint8_t *bytes;
    size_t size;
    size_t begin; /* behind the blanks before it */
    size_t end;   /* before those behind it */
    size_t seen;  /* what stands before is too far from the end */
} job;

static bool is_one_of(uint8_t byte, const char *set, size_t count)
{
    return memchr(set, byte, count) != NULL;
}

#define ENDS_LINE(byte) is_one_of(byte, "\n\r\f\x04", 4)
#define IS_BLANK(byte)  is_one_of(byte, "\n\r\f\x04 \t\0", 7)

static job read_job(const uint8_t *bytes, size_t size)
{
    job read = {bytes, size, 0, size, size > WHOLE_TAIL_SIZE ? size - WHOLE_TAIL_SIZE : 0};
    while (read.begin < size && IS_BLANK(bytes[read.begin]))
        read.begin++;
    while (read.end > read.seen && IS_BLANK(bytes[read.end - 1]))
        read.end--;
    return read;
}

static bool has_text_at(const job *read, size_t at, const char *text)
{
    return at <= read->size && strlen(text) <= read->size - at && memcmp(read->bytes + at, text, strlen(text)) == 0;
}

/* The last lines that are not blank, the last one first; without the blanks behind them. */
typedef struct line {
    size_t start;
    size_t length;
} line;

static void find_lines(const job *read, line last[3])
{
    size_t start = SIZE_MAX; /* of the first line that is seen, nobody knows the start */
    size_t length = 0;
    memset(last, 0, 3 * sizeof *last);
    for (size_t at = read->seen; at <= read->end; at++) {
        if (at < read->end && !ENDS_LINE(read->bytes[at])) {
            if (start != SIZE_MAX && !IS_BLANK(read->bytes[at]))
                length = at - start + 1;
            continue;
        }
        if (length > 0) {
            last[2] = last[1];
            last[1] = last[0];
            last[0] = (line){start, length};
        }
        start = at + 1;
        length = 0;
    }
}

static bool is_line(const job *read, const line *one, const char *text)
{
    return one->length == strlen(text) && has_text_at(read, one->start, text);
}

static bool leads_somewhere(const job *read, const line *one)
{
    uint64_t place = 0;
    for (size_t i = 0; i < one->length; i++) {
        uint8_t byte = read->bytes[one->start + i];
        if (byte < '0' || byte > '9')
            return false;
        place = place >= read->size ? read->size : 10 * place + byte - '0';
    }
    return place > 0 && place < read->size - read->begin;
}

static bool ask_model(const job *read, whole_format format)
{
    static const char uel[] = "\x1B%-12345X";
    static const char *const heads[] = {"%!PS", "%PDF-", uel};
    line last[3];
    if (format == WHOLE_ANY) {
        for (unsigned i = 0; i < 3; i++) {
            if (has_text_at(read, read->begin, heads[i]))
                return ask_model(read, (whole_format)(WHOLE_PS + i));
            if (read->begin < read->size && read->size - read->begin < strlen(heads[i]) &&
                memcmp(read->bytes + read->begin, heads[i], read->size - read->begin) == 0) {
                return false;
            }
        }
        return true;
    }
    if (format == WHOLE_EOF)
        return true;
    if (!has_text_at(read, read->begin, heads[format - WHOLE_PS]))
        return false;
    if (format == WHOLE_PJL) {
        return read->end >= read->seen + strlen(uel) && read->end - strlen(uel) > read->begin &&
               has_text_at(read, read->end - strlen(uel), uel);
    }
    find_lines(read, last);
    return is_line(read, &last[0], "%%EOF") &&
           (format == WHOLE_PS || (leads_somewhere(read, &last[1]) && is_line(read, &last[2], "startxref")));
}

/* --------------------------------------------------------------------------------------------------- the properties */

static whole_verdict check_verdict(const whole_stream *stream)
{
    whole_verdict verdict = whole_judge(stream);
    fuzz_require(verdict.words != NULL && verdict.words[0] != '\0', "a verdict has words");
    for (const char *c = verdict.words; *c != '\0'; c++)
        fuzz_require(*c >= ' ' && *c <= '~' && *c != '"', "the words can be put into a log");
    return verdict;
}

static whole_verdict judge(const uint8_t *bytes, size_t size, whole_format format, fuzz_pieces pieces)
{
    whole_stream stream;
    whole_begin(&stream, format);
    for (size_t at = 0; at < size;) {
        const uint8_t *piece = fuzz_next_piece(&pieces, bytes + at, size - at);
        whole_feed(&stream, piece, pieces.length);
        at += pieces.length;
        if (pieces.fixed == 0)
            check_verdict(&stream); /* which changes nothing */
    }
    fuzz_end_pieces(&pieces);
    return check_verdict(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_campaign()->executions++;
    if (size == 0)
        return 0;
    whole_format format = (whole_format)(data[0] % WHOLE_FORMAT_COUNT);
    job read = read_job(data + 1, size - 1);
    whole_verdict verdict = judge(read.bytes, read.size, format, fuzz_one_piece());
    fuzz_require(verdict.whole == ask_model(&read, format), "the verdict is the model's");
    fuzz_require(judge(read.bytes, read.size, format, fuzz_bytewise()).words == verdict.words,
                 "the verdict is the same byte by byte");
    fuzz_require(judge(read.bytes, read.size, format, fuzz_many_pieces(data, size)).words == verdict.words,
                 "the verdict is the same in pieces");
    return 0;
}
