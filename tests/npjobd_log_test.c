/* SPDX-License-Identifier: MIT */
/* The log: whatever others say stays within its quotation marks, and within its line. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static unsigned refused; /* writes to stderr for which its pipe had no room */

/* In place of the C library's. */
ssize_t write(int fd, const void *bytes, size_t count)
{
    ssize_t written = syscall(SYS_write, fd, bytes, count);
    refused += fd == STDERR_FILENO && written < 0 && errno == EAGAIN;
    return written;
}

/* What a text looks like in a record. */
static const char *shown(const char *text)
{
    static log_record record;
    record.length = 0;
    log_text(&record, "x", text);
    return record.bytes;
}

Test(npjobd_log, plain_text_stays)
{
    cr_assert_str_eq(shown(""), "x=\"\"");
    cr_assert_str_eq(shown("192.0.2.7, a b=c"), "x=\"192.0.2.7, a b=c\"");
}

Test(npjobd_log, a_quotation_mark_does_not_end_the_text)
{
    cr_assert_str_eq(shown("a\" status=OK"), "x=\"a\\\" status=OK\"");
    cr_assert_str_eq(shown("\\"), "x=\"\\\\\"");
}

Test(npjobd_log, control_characters_are_shown)
{
    cr_assert_str_eq(shown("a\nb\r\t\x1b[31m\x7f"), "x=\"a\\x0ab\\x0d\\x09\\x1b[31m\\x7f\"");
}

Test(npjobd_log, characters_of_utf8_stay)
{
    cr_assert_str_eq(shown("Büro \xe2\x82\xac \xf0\x9f\x96\xa8"), "x=\"Büro \xe2\x82\xac \xf0\x9f\x96\xa8\"");
}

/* Cut, overlong, a surrogate, beyond the last one, a stray continuation. */
Test(npjobd_log, what_is_no_utf8_is_shown_in_bytes)
{
    cr_assert_str_eq(shown("\xc3"), "x=\"\\xc3\"");
    cr_assert_str_eq(shown("\xe2\x82"), "x=\"\\xe2\\x82\"");
    cr_assert_str_eq(shown("\xc0\xaf"), "x=\"\\xc0\\xaf\"");
    cr_assert_str_eq(shown("\xe0\x80\xaf"), "x=\"\\xe0\\x80\\xaf\"");
    cr_assert_str_eq(shown("\xed\xa0\x80"), "x=\"\\xed\\xa0\\x80\"");
    cr_assert_str_eq(shown("\xf4\x90\x80\x80"), "x=\"\\xf4\\x90\\x80\\x80\"");
    cr_assert_str_eq(shown("\x80"), "x=\"\\x80\"");
    cr_assert_str_eq(shown("\xff"), "x=\"\\xff\"");
}

/* C1 controls, a separator of lines, an override and a mark of direction, a mark of byte order, no characters. */
Test(npjobd_log, characters_that_change_what_is_seen_are_shown_in_bytes)
{
    cr_assert_str_eq(shown("\xc2\x9b"), "x=\"\\xc2\\x9b\"");
    cr_assert_str_eq(shown("\xe2\x80\xa8"), "x=\"\\xe2\\x80\\xa8\"");
    /* Byte by byte: nobody need be misled by the source of this file. */
    const char override[] = {'\xe2', '\x80', '\xae', '\0'};
    cr_assert_str_eq(shown(override), "x=\"\\xe2\\x80\\xae\"");
    cr_assert_str_eq(shown("\xef\xbb\xbf"), "x=\"\\xef\\xbb\\xbf\"");
    cr_assert_str_eq(shown("\xd8\x9c"), "x=\"\\xd8\\x9c\"");
    cr_assert_str_eq(shown("\xef\xb7\x90"), "x=\"\\xef\\xb7\\x90\"");
    cr_assert_str_eq(shown("\xef\xbf\xbf"), "x=\"\\xef\\xbf\\xbf\"");
}

Test(npjobd_log, a_long_text_is_cut)
{
    char text[400];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *is = shown(text);
    cr_assert_eq(strlen(is), 3 + 256 + 4);
    cr_assert_str_eq(is + 3 + 256, "...\"");
}

/* However much is added, the record stays a string within its bounds. */
Test(npjobd_log, a_record_has_an_end)
{
    char text[257];
    log_record record = {.length = 0};
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 10; i++)
        log_text(&record, "x", text);
    log_number(&record, "n", UINT64_MAX);
    log_word(&record, "w", "word");
    cr_assert_eq(record.length, sizeof record.bytes - 1);
    cr_assert_eq(strlen(record.bytes), record.length);
    record.length = sizeof record.bytes - 5; /* there is room for " k=v" */
    log_word(&record, "k", "vv");
    cr_assert_eq(record.length, sizeof record.bytes - 1);
}

Test(npjobd_log, a_record_is_pairs)
{
    log_record record = {.length = 0};
    log_number(&record, "job", 7);
    log_word(&record, "printer", "laser");
    log_text(&record, "client", "a");
    cr_assert_str_eq(record.bytes, "job=7 printer=laser client=\"a\"");
}

/* ---------------------------------------------------------------------------------------------- lines */

/* A file in the place of stderr, and what has been written there. */
static FILE *file;
static int before;

static void begin_file(void)
{
    file = tmpfile();
    before = dup(STDERR_FILENO);
    cr_assert(file != NULL && before >= 0);
    dup2(fileno(file), STDERR_FILENO);
}

static const char *end_file(void)
{
    static char text[2 * LOG_LINE];
    dup2(before, STDERR_FILENO);
    close(before);
    const ssize_t length = pread(fileno(file), text, sizeof text - 1, 0);
    cr_assert_geq(length, 0);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* The time is that of Greenwich, wherever we are. */
Test(npjobd_log, a_line_has_the_time_and_a_word)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO};
    static const char *const words[] = {"error", "warning", "notice", "info"};
    setenv("TZ", "NPJ-5", 1);
    tzset();
    for (int i = 0; i < 4; i++) {
        char want[64];
        struct tm when = {0};
        begin_file();
        log_line(priorities[i], "%d lines", 1);
        const char *line = end_file();
        snprintf(want, sizeof want, "Z %s 1 lines\n", words[i]);
        cr_expect_str_eq(line + 23, want);
        cr_assert_not_null(strptime(line, "%Y-%m-%dT%H:%M:%S", &when));
        cr_expect_lt(labs((long)(time(NULL) - timegm(&when))), 600, "%s", line);
    }
}

/* @p stream: in JOURNAL_STREAM; NULL: the file's. */
static const char *line_under(const char *stream)
{
    struct stat there;
    char own[64];
    begin_file();
    cr_assert_eq(fstat(fileno(file), &there), 0);
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)there.st_dev, (uintmax_t)there.st_ino);
    setenv("JOURNAL_STREAM", stream != NULL ? stream : own, 1);
    log_start();
    log_line(LOG_WARNING, "a line");
    return end_file();
}

/* If the stream that leads there is ours, and not that of somebody who has started us. */
Test(npjobd_log, the_journal_has_the_number_of_a_priority)
{
    cr_expect_str_eq(line_under(NULL), "<4>a line\n");
    cr_expect_str_eq(line_under("1:2") + 23, "Z warning a line\n");
}

/* Whatever it is made of. What is left of it when it is too long ends as any line does. */
Test(npjobd_log, a_line_stays_one_line)
{
    char text[2 * LOG_LINE];
    begin_file();
    log_line(LOG_NOTICE, "a\nb\x1b\x1f\x7f~\xc3\xa9");
    cr_expect_str_eq(end_file() + 24, " notice a?b???~\xc3\xa9\n");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    begin_file();
    log_line(LOG_NOTICE, "%s", text);
    log_line(LOG_NOTICE, "another");
    const char *lines = end_file();
    cr_expect_eq(memcmp(lines + LOG_LINE - 2, "x\n", 2), 0);
    cr_expect_str_eq(lines + LOG_LINE + 24, " notice another\n");
}

/* As far as a file may grow: the disk is full behind that. */
static void limit_file(rlim_t size)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What was cut is ended before the next line begins, and once. */
Test(npjobd_log, a_line_that_was_cut_is_ended)
{
    signal(SIGXFSZ, SIG_IGN);
    begin_file();
    limit_file(40); /* a line's beginning has 32 */
    log_line(LOG_NOTICE, "one that is cut");
    log_line(LOG_NOTICE, "lost");
    limit_file(41); /* and for no more than the end of that line */
    log_line(LOG_NOTICE, "lost as well");
    limit_file(RLIM_INFINITY);
    log_line(LOG_NOTICE, "two");
    log_line(LOG_NOTICE, "three");
    const char *text = end_file();
    cr_assert_eq(strlen(text), 40 + 1 + 36 + 38);
    cr_expect_eq(memcmp(text + 24, " notice one that\n", 17), 0);
    cr_expect_eq(memcmp(text + 41 + 24, " notice two\n", 12), 0);
    cr_expect_str_eq(text + 41 + 36 + 24, " notice three\n");
}

/* A child reads a pipe to its end, late, and exits with whether it was so many lines. */
static pid_t read_late(const int ends[2], int lines)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char byte;
    close(ends[1]);
    usleep(100000);
    while (read(ends[0], &byte, 1) == 1)
        lines -= byte == '\n';
    _exit(lines == 0 ? 0 : 1);
}

/* Who shares a pipe may have made it one that does not wait: nothing is lost all the same, and it is not tried without
 * end. */
Test(npjobd_log, a_full_pipe_is_waited_for)
{
    enum { LINES = 1000 };
    int ends[2];
    int status = -1;
    char text[200] = "";
    before = dup(STDERR_FILENO);
    memset(text, 'x', sizeof text - 1);
    cr_assert(before >= 0 && pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = read_late(ends, LINES);
    cr_assert(child > 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < LINES; i++)
        log_line(LOG_NOTICE, "%s", text);
    dup2(before, STDERR_FILENO);
    close(ends[1]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_expect(refused > 0 && refused < LINES, "%u", refused);
}
