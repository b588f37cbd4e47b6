/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The lines of a configuration: sections and settings, in the way of smb.conf. What they mean is settings.h's business.
 *
 *     # a comment, or ; a comment: the whole line
 *     [section]
 *     key = value, which may be \
 *           continued behind a backslash at the end of a line
 *
 * Blanks around sections, keys and values do not belong to them; those within a value do, also where a line was
 * continued. A comment is not continued. A carriage return before the end of a line does not count.
 */
#ifndef NPJOBD_INI_H
#define NPJOBD_INI_H

#include <stddef.h>
#include <stdint.h>

typedef enum ini_kind {
    INI_END,     /**< there is nothing more */
    INI_SECTION, /**< name */
    INI_SETTING, /**< name and value */
    INI_WRONG    /**< name: a static sentence that says what is wrong. Do not go on */
} ini_kind;

/** What a line says. The texts lie in the reader's room. */
typedef struct ini_entry {
    ini_kind kind;
    uint32_t line; /**< from 1; of a continued line the first one. At the end, the last line of all */
    const char *name;
    const char *value; /**< may be empty; never ends with a backslash, and has no control character but the tab */
} ini_entry;

/** Where the reading is. The members are private. */
typedef struct ini_reader {
    const char *at;
    const char *end;
    char *room;
    uint32_t line;
} ini_reader;

/**
 * Makes ready to read a text.
 *
 * @param text borrowed until the last call of ini_next(); needs no terminator.
 * @param room the caller's, @p length + 1 bytes. It holds the texts of all entries, and so has to outlive them.
 */
void ini_begin(ini_reader *reader, const char *text, size_t length, char *room);

/** The next section or setting. */
ini_entry ini_next(ini_reader *reader);

#endif
