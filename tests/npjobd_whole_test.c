/* SPDX-License-Identifier: MIT */
/* Whether a job is whole: what each format asks of it, and that the way in which its bytes come makes no difference. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "whole.h"

#define ROWS(table)   (sizeof(table) / sizeof(table)[0])
#define LITERAL(text) text, sizeof(text) - 1
#define UEL           "\x1B%-12345X"
#define PS            "%!PS-Adobe-3.0\nshowpage\n"
#define PDF           "%PDF-1.4\n1 0 obj<<>>endobj\nxref\n0 1\ntrailer<<>>\n" /* its table is at 27 */

/* A job, and the words of its verdict. */
typedef struct example {
    whole_format format;
    const char *job;
    size_t length;
    bool whole;
    const char *words;
} example;

static const example examples[] = {
    {WHOLE_EOF, LITERAL(""), true, "eof: the end of the bytes"},
    {WHOLE_EOF, LITERAL("\0\x04"), true, "eof: the end of the bytes"},
    {WHOLE_EOF, LITERAL("%!PS\nshow"), true, "eof: the end of the bytes"},

    {WHOLE_PS, LITERAL(PS "%%EOF"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF\n"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF\r\n\x04"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF\x04"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF \t\r\n \0\0"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS "\r%%EOF\r\r\r"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL("%!PS\f%%EOF\f"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL("\x04\r\n" PS "%%EOF\n"), true, "ps: the last line is %%EOF"},
    {WHOLE_PS, LITERAL(PS), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EO"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%eof\n"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF?\n"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS " %%EOF\n"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS "(x) %%EOF\n"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(PS "%%EOF\nx"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL("%!PS%%EOF"), false, "ps: the last line is not %%EOF"},
    {WHOLE_PS, LITERAL(""), false, "ps: it does not begin with %!PS"},
    {WHOLE_PS, LITERAL("%!P"), false, "ps: it does not begin with %!PS"},
    {WHOLE_PS, LITERAL("%!\nshowpage\n%%EOF\n"), false, "ps: it does not begin with %!PS"},
    {WHOLE_PS, LITERAL("%\n!PS\n%%EOF\n"), false, "ps: it does not begin with %!PS"},
    {WHOLE_PS, LITERAL("x" PS "%%EOF\n"), false, "ps: it does not begin with %!PS"},
    {WHOLE_PS, LITERAL("%%EOF"), false, "ps: it does not begin with %!PS"},

    {WHOLE_PDF, LITERAL(PDF "startxref\n27\n%%EOF\n"), true, "pdf: the last line is %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\r27\r%%EOF"), true, "pdf: the last line is %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref \r\n0027 \r\n%%EOF\r\n\x04"), true, "pdf: the last line is %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n0\n%%EOF\n\nstartxref\n27\n%%EOF\n"), true, "pdf: the last line is %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n27\n%%EOF\n2 0 obj"), false, "pdf: the last line is not %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n27\n%%EO"), false, "pdf: the last line is not %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "27\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "xstartxref\n27\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref 27\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n-27\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n/\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n:\n%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n0\n%%EOF\n"), false, "pdf: the startxref before %%EOF leads nowhere"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n66\n%%EOF\n"), true, "pdf: the last line is %%EOF"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n67\n%%EOF\n"), false, "pdf: the startxref before %%EOF leads nowhere"},
    {WHOLE_PDF, LITERAL("\n" PDF "startxref\n67\n%%EOF\n"), false, "pdf: the startxref before %%EOF leads nowhere"},
    {WHOLE_PDF, LITERAL(PDF "startxref\n18446744073709551643\n%%EOF\n"), false,
     "pdf: the startxref before %%EOF leads nowhere"},
    {WHOLE_PDF, LITERAL("%PDF1.4\nstartxref\n1\n%%EOF\n"), false, "pdf: it does not begin with %PDF-"},
    {WHOLE_PDF, LITERAL(""), false, "pdf: it does not begin with %PDF-"},

    {WHOLE_PJL,
     LITERAL(UEL "@PJL\r\n\x1B"
                 "E.\x1B"
                 "E" UEL),
     true, "pjl: it ends with UEL"},
    {WHOLE_PJL, LITERAL("\0\0" UEL "x" UEL "\r\n\0"), true, "pjl: it ends with UEL"},
    {WHOLE_PJL, LITERAL(UEL UEL), true, "pjl: it ends with UEL"},
    {WHOLE_PJL, LITERAL(UEL "x" UEL "x"), false, "pjl: it does not end with UEL"},
    {WHOLE_PJL, LITERAL(UEL "x\x1B%-12345"), false, "pjl: it does not end with UEL"},
    {WHOLE_PJL, LITERAL(UEL), false, "pjl: there is nothing but one UEL"},
    {WHOLE_PJL, LITERAL("\n" UEL "\n"), false, "pjl: there is nothing but one UEL"},
    {WHOLE_PJL,
     LITERAL("\x1B"
             "E" UEL),
     false, "pjl: it does not begin with UEL"},
    {WHOLE_PJL, LITERAL(""), false, "pjl: it does not begin with UEL"},

    {WHOLE_ANY, LITERAL(PS "%%EOF"), true, "ps: the last line is %%EOF"},
    {WHOLE_ANY, LITERAL("%!PS"), false, "ps: the last line is not %%EOF"},
    {WHOLE_ANY, LITERAL(PDF "startxref\n27\n%%EOF\n"), true, "pdf: the last line is %%EOF"},
    {WHOLE_ANY, LITERAL(PDF "%%EOF\n"), false, "pdf: there is no startxref before %%EOF"},
    {WHOLE_ANY, LITERAL(UEL "@PJL ENTER LANGUAGE=POSTSCRIPT\n" PS "%%EOF\n\x04" UEL), true, "pjl: it ends with UEL"},
    {WHOLE_ANY, LITERAL(UEL PS "%%EOF\n"), false, "pjl: it does not end with UEL"},
    {WHOLE_ANY, LITERAL(""), true, "eof: it begins as no known format"},
    {WHOLE_ANY, LITERAL("\n\0 "), true, "eof: it begins as no known format"},
    {WHOLE_ANY, LITERAL("Hello"), true, "eof: it begins as no known format"},
    {WHOLE_ANY,
     LITERAL("\x1B"
             "EHello\x1B"
             "E"),
     true, "eof: it begins as no known format"},
    {WHOLE_ANY, LITERAL("%!\nshowpage\n"), true, "eof: it begins as no known format"},
    {WHOLE_ANY, LITERAL("%"), false, "any: it ends within its first word"},
    {WHOLE_ANY, LITERAL("%!P"), false, "any: it ends within its first word"},
    {WHOLE_ANY, LITERAL(" %PDF"), false, "any: it ends within its first word"},
    {WHOLE_ANY, LITERAL("\x1B%-12345"), false, "any: it ends within its first word"},
};

/* Every piece is a block of its own. */
static void feed(whole_stream *stream, const char *bytes, size_t length)
{
    char *block = malloc(length + 1);
    cr_assert_not_null(block);
    memcpy(block + 1, bytes, length);
    whole_feed(stream, block + 1, length);
    free(block);
}

static void expect(const whole_stream *stream, bool whole, const char *words, const char *how)
{
    whole_verdict verdict = whole_judge(stream);
    cr_assert_eq(verdict.whole, whole, "%s: %s", how, words);
    cr_assert_str_eq(verdict.words, words, "%s: %s, not %s", how, verdict.words, words);
}

Test(whole, what_each_format_asks_at_every_split)
{
    for (size_t i = 0; i < ROWS(examples); i++) {
        const example *one = &examples[i];
        for (size_t split = 0; split <= one->length; split++) {
            whole_stream stream;
            whole_begin(&stream, one->format);
            feed(&stream, one->job, split);
            feed(&stream, one->job + split, one->length - split);
            expect(&stream, one->whole, one->words, "in two pieces");
        }
        whole_stream bytewise;
        whole_begin(&bytewise, one->format);
        for (size_t at = 0; at < one->length; at++)
            feed(&bytewise, one->job + at, 1);
        expect(&bytewise, one->whole, one->words, "byte by byte");
    }
}

/* A job cut anywhere before its last word is not whole, by any format that has an end. */
Test(whole, what_is_cut_short_is_not_whole)
{
    for (size_t i = 0; i < ROWS(examples); i++) {
        const example *one = &examples[i];
        size_t last = one->length;
        if (!one->whole || one->words[0] == 'e' || strstr(one->job, "\n\nstartxref") != NULL)
            continue; /* judged by its end alone, or made of two documents */
        while (last > 0 && one->job[last - 1] != 'F' && one->job[last - 1] != 'X')
            last--;
        for (size_t length = 1; length < last; length++) {
            whole_stream stream;
            whole_begin(&stream, one->format);
            feed(&stream, one->job, length);
            whole_verdict verdict = whole_judge(&stream);
            /* Blanks before the beginning: any does not know yet. */
            cr_assert(!verdict.whole || strncmp(verdict.words, "eof", 3) == 0, "example %zu cut at %zu", i, length);
        }
    }
}

/* However long the job, and however its pieces lie about the last 1024 bytes. */
Test(whole, the_end_is_found_behind_any_middle)
{
    static const char end[] = "\n%%EOF\n";
    char middle[3000];
    memset(middle, 'x', sizeof middle);
    for (size_t length = 0; length <= sizeof middle; length += 7) {
        for (size_t piece = 1; piece <= 2049; piece = 2 * piece + (piece == 1)) {
            whole_stream stream;
            whole_begin(&stream, WHOLE_PS);
            whole_feed(&stream, LITERAL("%!PS"));
            for (size_t at = 0; at < length; at += piece)
                whole_feed(&stream, middle + at, length - at < piece ? length - at : piece);
            whole_feed(&stream, end, 3);
            expect(&stream, false, "ps: the last line is not %%EOF", "before its end");
            whole_feed(&stream, end + 3, sizeof end - 1 - 3);
            expect(&stream, true, "ps: the last line is %%EOF", "at its end");
            cr_assert_eq(stream.bytes, 4 + length + sizeof end - 1);
        }
    }
}

/* The line end before %%EOF, those five bytes, and 1018 more: one further, and it is not known to be a line, though the
 * last byte that is known of the beginning is the end of one. */
Test(whole, blanks_at_the_end_up_to_the_limit)
{
    whole_stream stream;
    whole_begin(&stream, WHOLE_PS);
    whole_feed(&stream, LITERAL("%!PS-3.0\n%%EOF"));
    for (size_t blanks = 0; blanks <= 1018; blanks++) {
        expect(&stream, true, "ps: the last line is %%EOF", "with blanks");
        whole_feed(&stream, "", 1);
    }
    expect(&stream, false, "ps: the last line is not %%EOF", "with 1019 blanks");
}

/* The same where all of it comes as one piece, behind another. */
Test(whole, blanks_at_the_end_of_one_piece)
{
    for (size_t blanks = 1018; blanks <= 1019; blanks++) {
        char piece[4000] = "";
        whole_stream stream;
        memset(piece, 'x', 2000);
        memcpy(piece + 2000, "\n%%EOF", 6);
        whole_begin(&stream, WHOLE_PS);
        whole_feed(&stream, LITERAL("%!PS"));
        whole_feed(&stream, piece, 2006 + blanks);
        cr_assert_eq(whole_judge(&stream).whole, blanks == 1018, "with %zu blanks", blanks);
    }
}

Test(whole, blanks_before_the_beginning_have_no_limit)
{
    whole_stream stream;
    whole_begin(&stream, WHOLE_PJL);
    for (size_t i = 0; i < 5000; i++)
        whole_feed(&stream, "\0\0\0", 3);
    whole_feed(&stream, LITERAL(UEL));
    expect(&stream, false, "pjl: there is nothing but one UEL", "after blanks");
    whole_feed(&stream, LITERAL("@PJL EOJ\r\n" UEL));
    expect(&stream, true, "pjl: it ends with UEL", "after blanks");
}

Test(whole, formats_have_names)
{
    cr_expect_str_eq(whole_format_name(WHOLE_EOF), "eof");
    cr_expect_str_eq(whole_format_name(WHOLE_PS), "ps");
    cr_expect_str_eq(whole_format_name(WHOLE_PDF), "pdf");
    cr_expect_str_eq(whole_format_name(WHOLE_PJL), "pjl");
    cr_expect_str_eq(whole_format_name(WHOLE_ANY), "any");
    cr_expect_str_eq(whole_format_name(WHOLE_FORMAT_COUNT), "(unknown)");
}
