/* SPDX-License-Identifier: MIT */
/* What the system says of a pipe, errno by errno: docs/host.md has the same table. And a file that takes a pipe's
 * place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_support.h"

static const char text[] = "what is to be printed";

/* What the system says once of the pipe's path, and of a write of the text; 0: what it says by itself. */
static int of_path, of_write;

/* The pipe's path, and a file that takes its place as soon as it was looked at; NULL: none. */
static const char *watched, *instead;

/* These two stand before those of the C library. */
int stat(const char *path, struct stat *out)
{
    const bool it = watched != NULL && strcmp(path, watched) == 0;
    if (it && of_path != 0) {
        errno = of_path;
        of_path = 0;
        return -1;
    }
    const int result = fstatat(AT_FDCWD, path, out, 0);
    if (it && instead != NULL)
        cr_assert_eq(rename(instead, path), 0);
    return result;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    if (of_write != 0 && length == sizeof text) {
        errno = of_write;
        of_write = 0;
        return -1;
    }
    return syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
}

static struct rig *start(struct seen *s, enum kind kind, bool wait)
{
    struct rig *r = rig_start(NULL);
    npjp_job_options options = job_options(s);
    options.wait_for_pipe = wait;
    reader_listen(r, kind);
    watched = r->path;
    job_start(r, s, options);
    return r;
}

static void end(struct rig *r)
{
    cr_assert_eq(of_path + of_write, 0, "nobody has asked");
    watched = NULL;
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ OPEN */

static const struct of_open {
    int error;
    npj_status status;
    bool may_come;
} of_open[] = {
    {ENOENT, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, true},
    {ENOTDIR, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, true},
    {ECONNREFUSED, NPJ_STATUS_PIPE_NOT_AVAILABLE, true},
    {ENXIO, NPJ_STATUS_PIPE_NOT_AVAILABLE, true},
    {EAGAIN, NPJ_STATUS_PIPE_BUSY, true},
    {EMFILE, NPJ_STATUS_INSUFFICIENT_RESOURCES, true},
    {ENFILE, NPJ_STATUS_INSUFFICIENT_RESOURCES, true},
    {ENOMEM, NPJ_STATUS_INSUFFICIENT_RESOURCES, true},
    {ENOBUFS, NPJ_STATUS_INSUFFICIENT_RESOURCES, true},
    {EACCES, NPJ_STATUS_ACCESS_DENIED, false},
    {EPERM, NPJ_STATUS_ACCESS_DENIED, false},
    {EROFS, NPJ_STATUS_ACCESS_DENIED, false},
    {ENAMETOOLONG, NPJ_STATUS_OBJECT_NAME_INVALID, false},
    {ELOOP, NPJ_STATUS_OBJECT_NAME_INVALID, false},
    {EPROTOTYPE, NPJ_STATUS_INVALID_DEVICE_REQUEST, false},
    {EIO, NPJ_STATUS_INVALID_DEVICE_REQUEST, false},
};
enum { OF_OPEN = sizeof of_open / sizeof *of_open };

/* The job fails with it, and says so. */
static void fails(struct rig *r, struct seen *s, const struct of_open *row)
{
    char trouble[100];
    snprintf(trouble, sizeof trouble, "open: %s", strerror(row->error));
    until(r, s, false, has_ended);
    expect_reply(s, NPJ_REQUEST_CONNECT, TAG_CONNECT, row->status);
    cr_assert_eq(s->why, row->status);
    cr_assert_str_eq(s->trouble, trouble);
}

Test(host_errno, of_an_open)
{
    for (int i = 0; i < OF_OPEN; i++) {
        struct seen s = {0};
        of_path = of_open[i].error;
        struct rig *r = start(&s, STREAM, false);
        fails(r, &s, &of_open[i]);
        end(r);
    }
}

/* Only what may be otherwise in a moment is tried again. */
Test(host_errno, of_an_open_that_waits)
{
    for (int i = 0; i < OF_OPEN; i++) {
        struct seen s = {0};
        of_path = of_open[i].error;
        struct rig *r = start(&s, STREAM, true);
        if (of_open[i].may_come) {
            until(r, &s, false, is_connected);
            expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
            cr_assert_str_eq(npjp_job_trouble(s.job), "");
        } else {
            fails(r, &s, &of_open[i]);
        }
        end(r);
    }
}

/* It was a FIFO when it was looked at, and a file when it was opened: nothing is written to that. */
Test(host_errno, a_file_in_the_place_of_a_fifo)
{
    struct seen s = {0};
    struct stat there;
    char file[128];
    struct rig *r = rig_start(NULL);
    snprintf(file, sizeof file, "%s/file", r->folder);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    reader_listen(r, FIFO);
    watched = r->path;
    instead = file;
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, text, sizeof text, NPJ_COPY);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_INVALID_DEVICE_REQUEST);
    cr_assert_str_eq(s.trouble, "neither a socket nor a FIFO");
    instead = NULL;
    cr_assert_eq(lstat(r->path, &there), 0);
    cr_assert(S_ISREG(there.st_mode) && there.st_size == 0);
    end(r);
}

/* ------------------------------------------------------------------------------------------------ WRITE */

static const struct of_a_write {
    int error;
    npj_status status;
} of_a_write[] = {
    {EPIPE, NPJ_STATUS_PIPE_BROKEN},
    {ECONNRESET, NPJ_STATUS_PIPE_BROKEN},
    {ENOTCONN, NPJ_STATUS_PIPE_BROKEN},
    {ENOBUFS, NPJ_STATUS_INSUFFICIENT_RESOURCES},
    {ENOMEM, NPJ_STATUS_INSUFFICIENT_RESOURCES},
    {EMSGSIZE, NPJ_STATUS_INVALID_PARAMETER},
    {EFAULT, NPJ_STATUS_INVALID_PARAMETER},
    {EIO, NPJ_STATUS_INVALID_DEVICE_REQUEST},
};

Test(host_errno, of_a_write)
{
    for (size_t i = 0; i < sizeof of_a_write / sizeof *of_a_write; i++) {
        struct seen s = {0};
        char trouble[100];
        struct rig *r = start(&s, STREAM, false);
        until(r, &s, false, is_connected);
        of_write = of_a_write[i].error;
        must_write(&s, TAG_WRITE, text, sizeof text, NPJ_COPY);
        cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
        until(r, &s, false, has_ended);
        expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE, of_a_write[i].status);
        expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, of_a_write[i].status);
        snprintf(trouble, sizeof trouble, "write: %s", strerror(of_a_write[i].error));
        cr_assert_str_eq(s.trouble, trouble);
        cr_assert_eq(s.report.pipe_writes, 0);
        end(r);
    }
}

/* A signal, and a pipe that was full for a moment, are nobody's business. */
Test(host_errno, that_means_nothing)
{
    static const int errors[] = {EINTR, EAGAIN};
    for (int i = 0; i < 2; i++) {
        struct seen s = {0};
        struct rig *r = start(&s, STREAM, false);
        until(r, &s, false, is_connected);
        of_write = errors[i];
        must_write(&s, TAG_WRITE, text, sizeof text, NPJ_COPY);
        cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
        until(r, &s, true, has_ended);
        expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
        until(r, &s, false, is_at_end);
        cr_assert_eq(r->got_length, sizeof text);
        cr_assert_eq(s.report.pipe_writes, 1);
        cr_assert_str_eq(s.trouble, "");
        end(r);
    }
}
