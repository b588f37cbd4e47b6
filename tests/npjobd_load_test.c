/* SPDX-License-Identifier: MIT */
/* The configuration on the disk: in pieces, at its longest, and where there is none to be read. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

#define LASER "[laser]\naddjob command = a\nschedule command = s\nabandon command = a\n"

/* Of the file "disk": how much of it one read gives, or why it gives nothing. */
static size_t most = SIZE_MAX;
static int failure;

static bool is_disk(int fd)
{
    struct stat one;
    struct stat other;
    return fstat(fd, &one) == 0 && stat("disk", &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* In place of the C library's. */
ssize_t read(int fd, void *bytes, size_t count)
{
    if (!is_disk(fd))
        return syscall(SYS_read, fd, bytes, count);
    if (failure == 0)
        return syscall(SYS_read, fd, bytes, count < most ? count : most);
    errno = failure;
    return -1;
}

static char folder[4096];
static char wrong[LOAD_WRONG];

static void set_up(void)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/npjobd_load.XXXXXX", place != NULL ? place : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void tear_down(void)
{
    for (size_t i = 0; i < 3; i++)
        unlink((const char *[]){"conf", "disk", "fifo"}[i]);
    rmdir(folder);
}

TestSuite(npjobd_load, .init = set_up, .fini = tear_down);

static void make_file(const char *name, const char *text, size_t length)
{
    FILE *file = fopen(name, "w");
    cr_assert(file != NULL && fwrite(text, 1, length, file) == length && fclose(file) == 0);
}

/* The descriptor that comes next: another one when one was left open. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static settings *load(const char *path, uid_t *smbd)
{
    int before = next_descriptor();
    settings *made = load_settings(path, smbd, wrong);
    cr_assert_eq(next_descriptor(), before, "%s was left open", path);
    return made;
}

static void expect_wrong(const char *path, const char *sentence)
{
    cr_assert_null(load(path, NULL), "it should say: %s", sentence);
    cr_expect_str_eq(wrong, sentence);
}

Test(npjobd_load, the_file_may_come_in_pieces)
{
    static const char text[] = "[global]\nmax jobs = 9\nsmbd user = 12345\n" LASER;
    uid_t smbd = 0;
    make_file("disk", text, sizeof text - 1);
    most = 1;
    settings *made = load("disk", &smbd);
    cr_assert_not_null(made, "%s", wrong);
    cr_expect_eq(made->max_jobs, 9);
    cr_expect_eq(smbd, 12345);
    settings_free(made);
}

Test(npjobd_load, what_is_wrong_names_the_file)
{
    static const char metrics[] = "[global]\nmetrics file = %s/./conf\n" LASER;
    static const char user[] = "[global]\nsmbd user = no-such-user\n" LASER;
    char text[sizeof folder + sizeof metrics];
    expect_wrong("nowhere", "nowhere: No such file or directory");
    expect_wrong("no\nwhere\x7f", "no?where?: No such file or directory");
    expect_wrong(".", ".: it is a folder, and no regular file");
    expect_wrong("/dev/zero", "/dev/zero: it is a device, and no regular file");
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    expect_wrong("fifo", "fifo: it is a FIFO, and no regular file");
    failure = EIO;
    make_file("disk", LASER, sizeof LASER - 1);
    expect_wrong("disk", "disk: Input/output error");
    make_file("conf", user, sizeof user - 1);
    expect_wrong("conf", "conf: smbd user: there is no user \"no-such-user\"");
    make_file("conf", text, (size_t)snprintf(text, sizeof text, metrics, folder));
    expect_wrong("conf", "conf: the \"metrics file\" is this file");
}

/* One byte more is read, and told by the parser. */
Test(npjobd_load, the_longest_file)
{
    char *text = malloc(SETTINGS_TEXT_MAX + 1);
    cr_assert_not_null(text);
    memset(text, '\n', SETTINGS_TEXT_MAX + 1);
    memcpy(text, LASER, sizeof LASER - 1);
    make_file("conf", text, SETTINGS_TEXT_MAX);
    settings *made = load("conf", NULL);
    cr_expect_not_null(made, "%s", wrong);
    settings_free(made);
    make_file("conf", text, SETTINGS_TEXT_MAX + 1);
    expect_wrong("conf", "conf:1: the file is longer than 1048576 bytes");
    free(text);
}
