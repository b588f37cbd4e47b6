/* SPDX-License-Identifier: MIT */
/*
 * A line, with those that continue it, is copied into the room, and taken apart there. A terminator takes the place of
 * the line's end, so that the room needs to be no longer than the text, and one more for a last line that has no end.
 */
#include "ini.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7F;
}

void ini_begin(ini_reader *reader, const char *text, size_t length, char *room)
{
    *reader = (ini_reader){.at = text, .end = text + length, .room = room};
}

/* Takes one line off the text, without its end. */
static const char *take_line(ini_reader *reader, size_t *length)
{
    const char *line = reader->at;
    size_t left = (size_t)(reader->end - line);
    const char *newline = memchr(line, '\n', left);
    *length = newline != NULL ? (size_t)(newline - line) : left;
    reader->at = newline != NULL ? newline + 1 : reader->end;
    reader->line++;
    if (*length > 0 && line[*length - 1] == '\r')
        --*length;
    return line;
}

/* Whether a line says nothing: a comment, or blank. */
static bool says_nothing(const char *line, size_t length)
{
    size_t i = 0;
    while (i < length && is_blank(line[i]))
        i++;
    return i == length || line[i] == '#' || line[i] == ';';
}

/* Takes the next line that says something, joins those to it that continue it, and puts a terminator behind it. Returns
 * NULL at the end of the text. */
static char *take_joined(ini_reader *reader, ini_entry *entry)
{
    char *joined = reader->room;
    const char *line = NULL;
    size_t length = 0;
    do {
        if (reader->at == reader->end) {
            entry->line = reader->line > 0 ? reader->line : 1;
            return NULL;
        }
        line = take_line(reader, &length);
    } while (says_nothing(line, length));
    entry->line = reader->line;
    for (;;) {
        bool goes_on = length > 0 && line[length - 1] == '\\';
        memcpy(reader->room, line, length - goes_on);
        reader->room += length - goes_on;
        if (!goes_on)
            break;
        if (reader->at == reader->end) {
            *entry = (ini_entry){INI_WRONG, reader->line, "a backslash at the end of the file continues nothing", NULL};
            break;
        }
        line = take_line(reader, &length);
    }
    *reader->room++ = '\0';
    return joined;
}

static char *trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        text[--length] = '\0';
    while (is_blank(*text))
        text++;
    return text;
}

static void read_section(char *text, ini_entry *entry)
{
    char *last = text + strlen(text) - 1;
    if (*last != ']') {
        entry->name = "a section's name ends with ], and nothing follows it";
        return;
    }
    *last = '\0';
    entry->kind = INI_SECTION;
    entry->name = trim(text + 1);
}

static void read_setting(char *text, ini_entry *entry)
{
    char *sign = strchr(text, '=');
    if (sign == NULL) {
        entry->name = "this is neither [section] nor key = value";
        return;
    }
    *sign = '\0';
    char *name = trim(text);
    char *value = trim(sign + 1);
    size_t length = strlen(value);
    if (*name == '\0') {
        entry->name = "there is no key before =";
    } else if (length > 0 && value[length - 1] == '\\') {
        entry->name =
            "a value does not end with a backslash; one that continues it has nothing behind it, not even a blank";
    } else {
        entry->kind = INI_SETTING;
        entry->name = name;
        entry->value = value;
    }
}

ini_entry ini_next(ini_reader *reader)
{
    ini_entry entry = {.kind = INI_END};
    char *text = take_joined(reader, &entry);
    if (text == NULL || entry.kind == INI_WRONG)
        return entry;
    entry.kind = INI_WRONG;
    for (const char *c = text; c + 1 < reader->room; c++) {
        if (is_control(*c)) {
            entry.name = "there is a control character";
            return entry;
        }
    }
    text = trim(text);
    if (*text == '[')
        read_section(text, &entry);
    else
        read_setting(text, &entry);
    return entry;
}
