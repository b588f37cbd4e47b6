/* SPDX-License-Identifier: MIT */
/* The lines of a configuration: what they say, and what is wrong with one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ini.h"

#define LITERAL(text) text, sizeof(text) - 1

static size_t say(const ini_entry *entry, char *room, size_t size)
{
    unsigned line = (unsigned)entry->line;
    switch (entry->kind) {
    case INI_SECTION:
        return (size_t)snprintf(room, size, "%u [%s] ", line, entry->name);
    case INI_SETTING:
        return (size_t)snprintf(room, size, "%u %s=%s ", line, entry->name, entry->value);
    case INI_WRONG:
        return (size_t)snprintf(room, size, "%u: %s", line, entry->name);
    default:
        return (size_t)snprintf(room, size, "%u.", line);
    }
}

/* All entries of a text, each with its line. Text and room are blocks of their size, behind a byte that is none of
 * theirs. */
static const char *entries_of(const char *text, size_t length)
{
    static char said[1024];
    char *block = malloc(length + 1);
    char *room = malloc(length + 1);
    size_t used = 0;
    ini_reader reader;
    ini_entry entry;
    cr_assert(block != NULL && room != NULL);
    block[0] = '\r';
    memcpy(block + 1, text, length);
    ini_begin(&reader, block + 1, length, room);
    do {
        entry = ini_next(&reader);
        used += say(&entry, said + used, sizeof said - used);
    } while (entry.kind == INI_SECTION || entry.kind == INI_SETTING);
    free(block);
    free(room);
    return said;
}

#define SAYS(text, what) cr_expect_str_eq(entries_of(LITERAL(text)), what)

Test(ini, sections_and_settings)
{
    SAYS("", "1.");
    SAYS("\n\n", "2.");
    SAYS("[a]\nkey = value\n[b]\n", "1 [a] 2 key=value 3 [b] 3.");
    SAYS("[a]\nkey=value", "1 [a] 2 key=value 2.");
    SAYS(" \t[ a b ]\t \n\tmy  key \t= \t my \t value \t\n", "1 [a b] 2 my  key=my \t value 2.");
    SAYS("[]\n[ ]\n", "1 [] 2 [] 2.");
    SAYS("k=\nk =  \nk=v=w\nk= [v]\n", "1 k= 2 k= 3 k=v=w 4 k=[v] 4.");
}

Test(ini, comments_and_blank_lines_say_nothing)
{
    SAYS("# a\n  ; b\\\n\t#\n \t\n[a]\n", "5 [a] 5.");
    SAYS("k = v # w ; x\n", "1 k=v # w ; x 1.");
    SAYS("#\x01\0\n", "1.");
}

Test(ini, a_carriage_return_before_the_end_of_a_line_does_not_count)
{
    SAYS("\r\n[a]\r\n\r\nk = v\r\n# b\r\n \r\nk = w\r", "2 [a] 4 k=v 7 k=w 7.");
    SAYS("\nk = v\r\r\n", "2: there is a control character");
}

Test(ini, lines_are_continued)
{
    SAYS("k = v\\\nw\\\n\\\n  x\nl = y\n", "1 k=vw  x 5 l=y 5.");
    SAYS("k = v\\\r\nw\n", "1 k=vw 2.");
    SAYS("[a\\\nb]\n\\\n# c = d\n", "1 [ab] 3 # c=d 4.");
    SAYS("k = \\\\\nv\n", "1 k=\\v 2.");
}

#define BACKSLASH "a value does not end with a backslash; one that continues it has nothing behind it, not even a blank"

Test(ini, what_is_wrong)
{
    SAYS("\n[a\n", "2: a section's name ends with ], and nothing follows it");
    SAYS("[a] # b\n", "1: a section's name ends with ], and nothing follows it");
    SAYS("[", "1: a section's name ends with ], and nothing follows it");
    SAYS("hello\n", "1: this is neither [section] nor key = value");
    SAYS("\\\n\n", "1: this is neither [section] nor key = value");
    SAYS("[a]\n = v\n", "1 [a] 2: there is no key before =");
    SAYS("=", "1: there is no key before =");
    SAYS("k = v\nk = v \\", "1 k=v 2: a backslash at the end of the file continues nothing");
    SAYS("k = v \\\n", "1: a backslash at the end of the file continues nothing");
    SAYS("k = v \\ \n", "1: " BACKSLASH);
    SAYS("k = \\ \n", "1: " BACKSLASH);
    SAYS("k = v\x01", "1: there is a control character");
    SAYS("k = \x1F\n", "1: there is a control character");
    SAYS("\nk = \\\n\x7F\n", "2: there is a control character");
    SAYS("[a]\rk = v", "1: there is a control character");
    SAYS("k = v\0\n", "1: there is a control character");
    SAYS("[a\0b]\n", "1: there is a control character");
}
