/* SPDX-License-Identifier: MIT */
/* A command line: words as sh quotes them, and nothing else of a shell. */
#include "words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* ---------------------------------------------------------------------------------------------- taking apart */

typedef struct splitter {
    npjpi_words *words;
    npjp_command which;
    const char *at; /* in the line */
    bool is_code;   /* the word: it stands behind -c */
    size_t own;     /* bytes of the word that are no value */
    char start[2];  /* the first of these */
    bool has_value; /* the word */
    char *wrong;
} splitter;

/* @before and @after may be empty; @what is the character that is wrong. */
static bool refuse(const splitter *split, const char *before, char what, const char *after)
{
    snprintf(split->wrong, NPJP_WRONG_MAX, "%s%c%s", before, what, after);
    return false;
}

static bool refuse_line(char *wrong, const char *what)
{
    snprintf(wrong, NPJP_WRONG_MAX, "%s", what);
    return false;
}

static void put(const splitter *split, char byte)
{
    npjpi_words *words = split->words;
    if (words->text != NULL)
        words->text[words->length] = byte;
    words->length++;
}

/* A percent sign that is none of a value is two, like "%%". */
static void put_own(splitter *split, char byte)
{
    if (byte == '%')
        put(split, byte);
    put(split, byte);
    if (split->own < sizeof split->start)
        split->start[split->own] = byte;
    split->own++;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

/* A value's letter stays as it is, and is put in later. */
static bool take_percent(splitter *split)
{
    static const char *const known[] = {
        [NPJP_ADD_JOB] = "pJus%", [NPJP_SCHEDULE_JOB] = "pJusj%", [NPJP_ABANDON_JOB] = "pJusjr%"};
    char letter = *split->at;
    if (letter == '\0')
        return refuse(split, "a ", '%', " at the end");
    if (strchr(known[split->which], letter) == NULL)
        return refuse(split, "%", letter, " is no value of this command");
    split->at++;
    if (letter == '%') {
        put_own(split, letter);
        return true;
    }
    if (split->words->count == 0)
        return refuse(split, "%", letter, " in the first word, which takes no value");
    if (split->is_code)
        return refuse(split, "%", letter, " in the word behind -c, which a shell would run: hand it over as \"$1\"");
    put(split, '%');
    put(split, letter);
    split->has_value = true;
    return true;
}

static bool take_single_quoted(splitter *split)
{
    while (*split->at != '\'') {
        char byte = *split->at++;
        if (byte == '\0')
            return refuse(split, "a ", '\'', " is not closed");
        if (byte != '%')
            put_own(split, byte);
        else if (!take_percent(split))
            return false;
    }
    split->at++;
    return true;
}

static bool take_double_quoted(splitter *split)
{
    while (*split->at != '"') {
        char byte = *split->at++;
        if (byte == '\\' && *split->at != '\0' && strchr("\\\"$`", *split->at) != NULL)
            put_own(split, *split->at++);
        else if (byte == '\0')
            return refuse(split, "a ", '"', " is not closed");
        else if (byte != '%')
            put_own(split, byte);
        else if (!take_percent(split))
            return false;
    }
    split->at++;
    return true;
}

static bool take_plain(splitter *split, char byte)
{
    switch (byte) {
    case '\'':
        return take_single_quoted(split);
    case '"':
        return take_double_quoted(split);
    case '%':
        return take_percent(split);
    case '\\':
        if (*split->at == '\0')
            return refuse(split, "a ", '\\', " at the end");
        put_own(split, *split->at++);
        return true;
    default:
        if (strchr("|&;<>()$`", byte) != NULL)
            return refuse(split, "a ", byte, " that is not quoted: no shell reads this");
        put_own(split, byte);
        return true;
    }
}

/* Whether the word is -c, or comes to that by a value: by one that is empty, or is "c". */
static bool may_be_option(const splitter *split)
{
    if (split->own == 1)
        return split->has_value && split->start[0] == '-';
    return split->own == 2 && memcmp(split->start, "-c", 2) == 0;
}

static bool take_word(splitter *split)
{
    npjpi_words *words = split->words;
    split->own = 0;
    split->has_value = false;
    while (*split->at != '\0' && !is_blank(*split->at))
        if (!take_plain(split, *split->at++))
            return false;
    if (words->count == 0 && split->own == 0)
        return refuse_line(split->wrong, "an empty first word");
    split->is_code = may_be_option(split);
    put(split, '\0');
    words->count++;
    return true;
}

npj_status npjpi_words_split(npjpi_words *words, char *text, npjp_command which, const char *line, char *wrong)
{
    splitter split = {.words = words, .which = which, .at = line, .wrong = wrong};
    *words = (npjpi_words){.text = text};
    for (;;) {
        while (is_blank(*split.at))
            split.at++;
        if (*split.at == '\0')
            break;
        if (!take_word(&split))
            return NPJ_STATUS_INVALID_PARAMETER;
    }
    bool good = words->count > 0 || refuse_line(wrong, "no command");
    return good ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
}

/* ---------------------------------------------------------------------------------------------- filling in */

static const char *value_of(const npjpi_values *values, char letter)
{
    switch (letter) {
    case 'p':
        return values->printer;
    case 'J':
        return values->name;
    case 'u':
        return values->user;
    case 's':
        return values->client;
    case 'j':
        return values->job_id;
    case 'r':
        return values->reason;
    default:
        return "%";
    }
}

size_t npjpi_words_size(const npjpi_words *words, const npjpi_values *values)
{
    size_t size = words->length;
    for (size_t i = 0; i < words->length; i++)
        if (words->text[i] == '%')
            size += strlen(value_of(values, words->text[++i]));
    return size;
}

/* A value is clean, and does not look like an option. */
static size_t put_value(const char *value, char *room)
{
    size_t length = strlen(value);
    size_t put = npjpi_text_clean(value, length, room, length);
    if (put > 0 && room[0] == '-')
        room[0] = '_';
    return put;
}

void npjpi_words_fill(const npjpi_words *words, const npjpi_values *values, char *room, char **argv)
{
    bool begins = true;
    for (size_t i = 0; i < words->length; i++) {
        if (begins)
            *argv++ = room;
        char byte = words->text[i];
        begins = byte == '\0';
        if (byte == '%')
            room += put_value(value_of(values, words->text[++i]), room);
        else
            *room++ = byte;
    }
    *argv = NULL;
}
