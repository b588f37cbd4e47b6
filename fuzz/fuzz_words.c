/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes command lines. The first byte of an input says of which command, what follows is the line. It is taken apart
 * and filled with the values of two jobs: every word has to be in its place, a value has to be where it may be and
 * nowhere else, and the same words, each in quotation marks, have to come out again.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "property.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a command has no value for is NULL, as in provider.c. */
static npjpi_values values_of(npjp_command which, bool other)
{
    return (npjpi_values){.printer = other ? "ink" : "laser",
                          .name = other ? "ink-2 $(reboot)" : "laser-1",
                          .user = other ? "\xFF" : "",
                          .client = other ? "-h\n'" : "192.0.2.7",
                          .job_id = which == NPJP_ADD_JOB ? NULL
                                    : other               ? "4294967295"
                                                          : "74",
                          .reason = which != NPJP_ABANDON_JOB ? NULL
                                    : other                   ? "STATUS_IO_TIMEOUT"
                                                              : "STATUS_PIPE_BROKEN"};
}

/* ------------------------------------------------------------------------------------------------ taking apart */

/* A line that can be taken apart, in blocks of just the size that is promised to suffice. */
typedef struct line {
    npjpi_words words;
    char *text;
} line;

static bool split(line *out, npjp_command which, const char *bytes)
{
    char wrong[NPJP_WRONG_MAX] = "", again[NPJP_WRONG_MAX] = "";
    npjpi_words checked;
    out->text = fuzz_obtain(strlen(bytes) + 1);
    npj_status status = npjpi_words_split(&out->words, out->text, which, bytes, wrong);
    fuzz_require(npjpi_words_split(&checked, NULL, which, bytes, again) == status, "a check comes to the same");
    fuzz_require(strcmp(wrong, again) == 0, "a check says the same");
    if (status != NPJ_STATUS_SUCCESS) {
        fuzz_require(wrong[0] != '\0', "what is wrong is said");
        free(out->text);
        return false;
    }
    fuzz_require(checked.length == out->words.length && checked.count == out->words.count, "a check counts the same");
    fuzz_require(out->words.length <= strlen(bytes) + 1, "words are no longer than their line");
    return true;
}

/* ------------------------------------------------------------------------------------------------ filling in */

typedef struct filled {
    char **argv;
    char *room;
} filled;

static filled fill(const npjpi_words *words, const npjpi_values *values)
{
    size_t size = npjpi_words_size(words, values);
    filled made = {fuzz_obtain((words->count + 1) * sizeof *made.argv), fuzz_obtain(size)};
    memset(made.room, 'x', size); /* no terminator is there by chance */
    for (size_t i = 0; i <= words->count; i++)
        made.argv[i] = made.room;
    npjpi_words_fill(words, values, made.room, made.argv);
    fuzz_require(made.argv[words->count] == NULL, "the words end with a null pointer");
    char *end = made.room;
    for (size_t i = 0; i < words->count; i++) {
        fuzz_require(made.argv[i] == end, "a word stands behind the one before it");
        end += strnlen(end, size - (size_t)(end - made.room)) + 1;
        fuzz_require(end <= made.room + size, "a word ends within the room");
    }
    return made;
}

static void discard(filled *made)
{
    free(made->argv);
    free(made->room);
}

/* ------------------------------------------------------------------------------------------------ the properties */

/* Nobody decides what is run but who wrote the line. */
static void check_places(const npjpi_words *words, const filled *one, const filled *other)
{
    for (size_t i = 0; i < words->count; i++) {
        bool is_code = i > 0 && strcmp(one->argv[i - 1], "-c") == 0;
        bool same = strcmp(one->argv[i], other->argv[i]) == 0;
        fuzz_require(same || i > 0, "the first word takes no value");
        fuzz_require(same || !is_code, "a word behind -c takes no value");
    }
}

static size_t put(char *out, size_t at, const char *bytes)
{
    for (; *bytes != '\0'; bytes++)
        out[at++] = *bytes;
    return at;
}

/* The words as a line again. */
static char *quote(const npjpi_words *words, char *const *argv)
{
    size_t at = 0, size = 1;
    for (size_t i = 0; i < words->count; i++)
        size += 3 + 4 * strlen(argv[i]);
    char *quoted = fuzz_obtain(size);
    for (size_t i = 0; i < words->count; i++) {
        at = put(quoted, at, "'");
        for (const char *c = argv[i]; *c != '\0'; c++) {
            const char one[] = {*c, '\0'};
            at = put(quoted, at, *c == '\'' ? "'\\''" : *c == '%' ? "%%" : one);
        }
        at = put(quoted, at, "' ");
    }
    quoted[at] = '\0';
    return quoted;
}

static void check_again(npjp_command which, const npjpi_words *words, const npjpi_values *values, char *const *argv)
{
    char *quoted = quote(words, argv);
    line again;
    fuzz_require(split(&again, which, quoted), "quoted words are a line");
    fuzz_require(again.words.count == words->count, "quoted words are as many");
    filled made = fill(&again.words, values);
    for (size_t i = 0; i < words->count; i++)
        fuzz_require(strcmp(made.argv[i], argv[i]) == 0, "a quoted word is the word");
    discard(&made);
    free(again.text);
    free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    line made;
    fuzz_campaign()->executions++;
    if (size == 0)
        return 0;
    npjp_command which = (npjp_command)(data[0] % (NPJP_ABANDON_JOB + 1));
    char *bytes = fuzz_obtain(size);
    memcpy(bytes, data + 1, size - 1);
    bytes[size - 1] = '\0';
    if (split(&made, which, bytes)) {
        npjpi_values values = values_of(which, false), others = values_of(which, true);
        filled one = fill(&made.words, &values), other = fill(&made.words, &others);
        check_places(&made.words, &one, &other);
        check_again(which, &made.words, &values, one.argv);
        discard(&one);
        discard(&other);
        free(made.text);
    }
    free(bytes);
    return 0;
}
