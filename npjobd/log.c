/* SPDX-License-Identifier: MIT */
/* The log of the daemon. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../host/text.h"

enum { SHOWN_TEXT = 256 };

static bool to_journal;
static bool cut; /* the end of the last line could not be written */

/* JOURNAL_STREAM is "DEVICE:INODE" of the stream that leads to the journal; stderr may have been sent elsewhere since.
 */
void log_start(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat ours;
    char name[64];
    if (stream == NULL || fstat(STDERR_FILENO, &ours) != 0)
        return;
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)ours.st_dev, (uintmax_t)ours.st_ino);
    to_journal = strcmp(stream, name) == 0;
}

static const char *word_of(int priority)
{
    switch (priority) {
    case LOG_ERR:
        return "error";
    case LOG_WARNING:
        return "warning";
    case LOG_NOTICE:
        return "notice";
    default:
        return "info";
    }
}

static size_t write_prefix(char *line, size_t room, int priority)
{
    if (to_journal)
        return (size_t)snprintf(line, room, "<%d>", priority);
    struct timespec now;
    struct tm utc;
    char date[32];
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    return (size_t)snprintf(line, room, "%s.%03ldZ %s ", date, now.tv_nsec / 1000000, word_of(priority));
}

static void write_line(int priority, const char *text)
{
    char line[1 + LOG_LINE] = "\n"; /* the end of a line that was cut */
    size_t length = 1 + write_prefix(line + 1, LOG_LINE, priority);
    size_t size = strnlen(text, sizeof line - length - 1);
    for (size_t i = 0; i < size; i++)
        line[length++] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    line[length++] = '\n';

    /* A pipe may take a part, or nothing, if another who shares it never wants to wait; a log that cannot be written to
     * has nobody to tell. */
    for (size_t done = cut ? 0 : 1; done < length;) {
        ssize_t count = write(STDERR_FILENO, line + done, length - done);
        if (count < 0 && errno == EAGAIN)
            (void)poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        else if (count < 0 && errno != EINTR)
            return;
        if (count > 0) {
            done += (size_t)count;
            cut = done > 1 && done < length;
        }
    }
}

void log_line(int priority, const char *format, ...)
{
    char text[LOG_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_line(priority, text);
}

/* ---------------------------------------------------------------------------------------------- records */

static void add(log_record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(log_record *record, const char *format, ...)
{
    size_t room = sizeof record->bytes - record->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(record->bytes + record->length, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        record->length += (size_t)length < room ? (size_t)length : room - 1;
}

static const char *separator(const log_record *record)
{
    return record->length == 0 ? "" : " ";
}

void log_number(log_record *record, const char *key, uint64_t value)
{
    add(record, "%s%s=%" PRIu64, separator(record), key, value);
}

void log_word(log_record *record, const char *key, const char *word)
{
    add(record, "%s%s=%s", separator(record), key, word);
}

void log_text(log_record *record, const char *key, const char *text)
{
    const char *next = text, *end = text + strlen(text);
    add(record, "%s%s=\"", separator(record), key);
    while (next < end && next - text < SHOWN_TEXT) {
        size_t length = npjpi_text_printable(next, (size_t)(end - next));
        if (length == 0)
            add(record, "\\x%02x", (unsigned char)*next);
        else
            add(record, "%s%.*s", *next == '"' || *next == '\\' ? "\\" : "", (int)length, next);
        next += length == 0 ? 1 : length;
    }
    add(record, next < end ? "...\"" : "\"");
}

void log_end(int priority, const log_record *record)
{
    write_line(priority, record->bytes);
}
