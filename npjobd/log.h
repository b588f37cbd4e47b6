/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The log of the daemon: one event, one line on stderr, in one write.
 *
 * Under systemd's journal (JOURNAL_STREAM names our stderr) a line begins with its priority, "<6>"; elsewhere with the
 * time in UTC and the word for the priority. Whatever a line is made of, it stays one line of printable text: text that
 * comes from outside is quoted by log_text(), and any control character that is left becomes '?'. One that a full disk
 * has cut is ended before the next one begins.
 */
#ifndef NPJOBD_LOG_H
#define NPJOBD_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO: the priorities, as syslog numbers them */

/** Looks at once whether stderr is the journal's. Until then lines carry the time. */
void log_start(void);

/** Writes one line. What is longer than LOG_LINE bytes is cut. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The longest line, its newline included. */
enum { LOG_LINE = 2048 };

/** A line of key=value pairs that is being made. Start with an empty one: `log_record record = {.length = 0};` */
typedef struct log_record {
    size_t length;
    char bytes[LOG_LINE];
} log_record;

/** Adds key=NUMBER. */
void log_number(log_record *record, const char *key, uint64_t value);

/** Adds key=WORD. @p word is ours: a name out of a table, without spaces. */
void log_word(log_record *record, const char *key, const char *word);

/**
 * Adds key="TEXT". @p text may come from anyone: a quote and a backslash get a backslash, and each byte that is no part
 * of printable UTF-8 becomes \xNN. At most 256 bytes of it are shown; "..." stands for the rest.
 */
void log_text(log_record *record, const char *key, const char *text);

/** Writes the line. */
void log_end(int priority, const log_record *record);

#endif
