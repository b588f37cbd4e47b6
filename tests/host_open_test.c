/* SPDX-License-Identifier: MIT */
/* OPEN: every way in which a path may be no pipe, waiting for one, and a system that has no descriptors left. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_support.h"

/* AddJob's answer is @added. The job fails with @want, is abandoned, and says @trouble. */
static void expect_failed(struct rig *r, struct seen *s, npj_status added, npj_status want, const char *trouble)
{
    until(r, s, false, has_ended);
    expect_reply(s, NPJ_REQUEST_ADD, TAG_ADD, added);
    expect_reply(s, NPJ_REQUEST_CONNECT, TAG_CONNECT, want);
    cr_assert_str_eq(s->trouble, trouble);
    cr_assert_eq(s->abandoned, 1);
    cr_assert_eq(s->why, want);
    cr_assert_not(s->report.opened);
}

static void expect_no_pipe(struct rig *r, struct seen *s, npj_status want, const char *trouble)
{
    expect_failed(r, s, NPJ_STATUS_SUCCESS, want, trouble);
}

static void start(struct rig *r, struct seen *s, npj_pipe_mode mode)
{
    npjp_job_options options = job_options(s);
    options.mode = mode;
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &s->job), NPJ_STATUS_PENDING);
    cr_assert_eq(npjp_job_connect(s->job, TAG_CONNECT), NPJ_STATUS_PENDING);
}

/* A job whose AddJob returns @path (NULL: the rig's). */
static void refuses(struct rig *r, const char *path, npj_pipe_mode mode, npj_status want, const char *trouble)
{
    struct seen s = {.rig = r, .path = path};
    start(r, &s, mode);
    expect_no_pipe(r, &s, want, trouble);
}

/* A path that is malformed: the client hears of it from AddJob already. */
static void refuses_in_add(struct rig *r, const char *path, const char *trouble)
{
    struct seen s = {.rig = r, .path = path};
    start(r, &s, NPJ_BYTE_MODE);
    expect_failed(r, &s, NPJ_STATUS_OBJECT_NAME_INVALID, NPJ_STATUS_OBJECT_NAME_INVALID, trouble);
}

Test(open, paths_that_are_no_pipes)
{
    struct rig *r = rig_start(NULL);
    const npj_pipe_mode bytes = NPJ_BYTE_MODE;
    char path[128];
    refuses(r, NULL, bytes, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, "open: No such file or directory");
    refuses(r, r->folder, bytes, NPJ_STATUS_INVALID_DEVICE_REQUEST, "neither a socket nor a FIFO");
    refuses(r, "/dev/null", bytes, NPJ_STATUS_INVALID_DEVICE_REQUEST, "neither a socket nor a FIFO");
    refuses_in_add(r, "", "");
    snprintf(path, sizeof path, "%s/file", r->folder);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    refuses(r, path, bytes, NPJ_STATUS_INVALID_DEVICE_REQUEST, "neither a socket nor a FIFO");
    snprintf(path, sizeof path, "%s/file/below", r->folder);
    refuses(r, path, bytes, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, "open: Not a directory");
    snprintf(path, sizeof path, "%s/link", r->folder);
    cr_assert_eq(symlink(path, path), 0);
    refuses(r, path, bytes, NPJ_STATUS_OBJECT_NAME_INVALID, "open: Too many levels of symbolic links");
    rig_end(r);
}

/* A path of PATH_MAX - 1 bytes is asked of the system, which knows no such name; a longer one is not even kept. */
Test(open, paths_that_are_too_long)
{
    struct rig *r = rig_start(NULL);
    char *path = calloc(1, 2 * PATH_MAX);
    memset(path, 'p', PATH_MAX);
    refuses_in_add(r, path, "path of the pipe: longer than a path may be");
    path[PATH_MAX - 1] = '\0';
    path[0] = '/';
    refuses(r, path, NPJ_BYTE_MODE, NPJ_STATUS_OBJECT_NAME_INVALID, "open: File name too long");
    free(path);
    rig_end(r);
}

/* A socket that listens at a path of @length bytes. */
static struct rig *listen_at_length(size_t length, char path[300])
{
    struct rig *r = rig_start(NULL);
    char before[PATH_MAX];
    snprintf(path, 300, "%s/%0*d", r->folder, (int)(length - strlen(r->folder) - 3), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_not_null(getcwd(before, sizeof before));
    cr_assert_eq(chdir(path), 0);
    strcpy(r->path, "s");
    reader_listen(r, STREAM);
    cr_assert_eq(chdir(before), 0);
    strcat(path, "/s");
    cr_assert_eq(strlen(path), length);
    return r;
}

/* An address has room for 108 bytes, one of which is the terminator. */
Test(open, a_socket_whose_path_is_too_long_for_an_address)
{
    char path[300];
    struct rig *r = listen_at_length(108, path);
    refuses(r, path, NPJ_BYTE_MODE, NPJ_STATUS_OBJECT_NAME_INVALID, "connect: File name too long");
    rig_end(r);
}

Test(open, a_socket_whose_path_just_fits_into_an_address)
{
    char path[300];
    struct rig *r = listen_at_length(107, path);
    struct seen s = {.rig = r, .path = path};
    start(r, &s, NPJ_BYTE_MODE);
    until(r, &s, false, is_connected);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    rig_end(r);
}

Test(open, a_fifo_without_a_reader)
{
    struct rig *r = rig_start(NULL);
    reader_listen(r, FIFO);
    refuses(r, NULL, NPJ_BYTE_MODE, NPJ_STATUS_PIPE_NOT_AVAILABLE, "open: No such device or address");
    refuses(r, NULL, NPJ_MESSAGE_MODE, NPJ_STATUS_INVALID_DEVICE_REQUEST,
            "a FIFO carries no messages, a SOCK_SEQPACKET socket does");
    rig_end(r);
}

Test(open, a_socket_of_another_type)
{
    struct rig *r = rig_start(NULL);
    reader_listen(r, SEQPACKET);
    refuses(r, NULL, NPJ_BYTE_MODE, NPJ_STATUS_INVALID_DEVICE_REQUEST, "connect: Protocol wrong type for socket");
    rig_end(r);
}

Test(open, a_socket_without_a_server)
{
    struct rig *r = rig_start(NULL);
    reader_listen(r, STREAM);
    close(r->listener);
    r->listener = -1;
    refuses(r, NULL, NPJ_BYTE_MODE, NPJ_STATUS_PIPE_NOT_AVAILABLE, "connect: Connection refused");
    rig_end(r);
}

/* Root may open anything: it is nobody for a moment. */
Test(open, a_pipe_of_somebody_else)
{
    struct rig *r = rig_start(NULL);
    const bool root = geteuid() == 0;
    reader_listen(r, STREAM);
    cr_assert_eq(chmod(r->path, 0), 0);
    cr_assert_eq(chmod(r->folder, 0755), 0);
    if (root)
        cr_assert_eq(seteuid(65534), 0);
    refuses(r, NULL, NPJ_BYTE_MODE, NPJ_STATUS_ACCESS_DENIED, "connect: Permission denied");
    if (root)
        cr_assert_eq(seteuid(0), 0);
    rig_end(r);
}

/* Connects until the queue of the listener is full. Returns how many. */
static int fill_queue(struct rig *r, int *sockets, int most)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, r->path, strlen(r->path) + 1);
    for (int i = 0; i < most; i++) {
        sockets[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sockets[i] < 0)
            return i;
        if (connect(sockets[i], (const struct sockaddr *)&address, sizeof address) != 0) {
            close(sockets[i]);
            return i;
        }
    }
    return most;
}

Test(open, a_server_that_is_busy)
{
    struct rig *r = rig_start(NULL);
    int sockets[16];
    reader_listen(r, STREAM);
    int count = fill_queue(r, sockets, 16);
    cr_assert_lt(count, 16, "the queue does not become full");
    refuses(r, NULL, NPJ_BYTE_MODE, NPJ_STATUS_PIPE_BUSY, "connect: Resource temporarily unavailable");
    while (count > 0)
        close(sockets[--count]);
    rig_end(r);
}

/* Descriptors that a child of this process would have, were it to run another program. */
static int heritable(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        const int flags = fcntl(fd, F_GETFD);
        count += flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    return count;
}

Test(open, a_pipe_is_not_handed_down)
{
    for (int kind = STREAM; kind < KINDS; kind++) {
        struct rig *r = rig_start(NULL);
        struct seen s = {0};
        const int before = heritable();
        reader_listen(r, (enum kind)kind);
        job_start(r, &s, job_options(&s));
        until(r, &s, false, is_connected);
        expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
        cr_assert_eq(heritable(), before);
        rig_end(r);
    }
}

/* ------------------------------------------------------------------------------------------------ waiting */

static bool has_trouble(struct seen *s)
{
    return npjp_job_trouble(s->job)[0] != '\0';
}

/* Nothing is there, then a reader comes. The trouble of the tries is forgotten. */
TestEachBelow(const int *kind, open, it_waits_for_the_pipe, KINDS)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    r->kind = (enum kind) * kind;
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    until(r, &s, false, has_trouble);
    cr_assert_str_eq(npjp_job_trouble(s.job), "open: No such file or directory");
    reader_listen(r, (enum kind) * kind);
    if (*kind == FIFO) {
        uv_run(&r->loop, UV_RUN_ONCE);
        cr_assert_not(is_connected(&s), "a FIFO without a reader was opened");
        reader_accept(r);
    }
    until(r, &s, false, is_connected);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    cr_assert_str_eq(npjp_job_trouble(s.job), "");
    rig_end(r);
}

/* Of what is said before a try, and between two, nothing is forgotten with what the tries say. */
static void tells_between_tries(bool before, const char *waiting, const char *open)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    if (before)
        npjp_job_tell(s.job, "before", "");
    settle(r);
    npjp_job_tell(s.job, "provider", "slow today");
    npjp_job_tell(s.job, "again", "");
    for (int i = 0; i < 3; i++) {
        uv_run(&r->loop, UV_RUN_ONCE);
        settle(r);
    }
    cr_assert_str_eq(npjp_job_trouble(s.job), waiting);
    reader_listen(r, STREAM);
    until(r, &s, false, is_connected);
    cr_assert_str_eq(npjp_job_trouble(s.job), open);
    rig_end(r);
}

Test(open, what_is_told_between_tries_stays)
{
    tells_between_tries(false, "provider: slow today; again; open: No such file or directory",
                        "provider: slow today; again");
    tells_between_tries(true, "before; provider: slow today; again; open: No such file or directory",
                        "before; provider: slow today; again");
}

Test(open, it_waits_no_longer_than_the_connect_deadline)
{
    npjp_config limits = rig_limits();
    limits.engine.connect_timeout = 200;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    const uint64_t begun = uv_hrtime();
    job_start(r, &s, options);
    expect_no_pipe(r, &s, NPJ_STATUS_IO_TIMEOUT, "open: No such file or directory");
    cr_assert_geq((uv_hrtime() - begun) / 1000000, 199); /* the engine is told whole milliseconds */
    cr_assert_eq(uv_loop_alive(&r->loop), 0, "somebody still waits");
    rig_end(r);
}

/* What will not come by waiting is not waited for. */
Test(open, it_does_not_wait_for_what_is_no_pipe)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.path = "/dev/null"};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    expect_no_pipe(r, &s, NPJ_STATUS_INVALID_DEVICE_REQUEST, "neither a socket nor a FIFO");
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ want of room */

static rlim_t limit_descriptors(rlim_t limit)
{
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    rlim_t before = now.rlim_cur;
    now.rlim_cur = limit;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

/* One job fails, one that has its pipe goes on, and the next one opens again. */
Test(open, without_descriptors_one_job_fails_and_no_other)
{
    struct rig *r = rig_start(NULL);
    static struct seen first;
    static struct seen second;
    static struct seen third;
    reader_listen(r, STREAM);
    job_start(r, &first, job_options(&first));
    until(r, &first, false, is_connected);
    rlim_t before = limit_descriptors(3);
    job_start(r, &second, job_options(&second));
    expect_no_pipe(r, &second, NPJ_STATUS_INSUFFICIENT_RESOURCES, "socket: Too many open files");
    limit_descriptors(before);
    reader_accept(r);
    must_write(&first, TAG_WRITE, "goes on", 7, NPJ_COPY);
    cr_assert_eq(npjp_job_close(first.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &first, true, has_ended);
    expect_reply(&first, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    job_start(r, &third, job_options(&third));
    until(r, &third, false, is_connected);
    expect_reply(&third, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    rig_end(r);
}

/* Nor does that one fail, if it waits for its pipe. */
Test(open, it_waits_for_descriptors)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    reader_listen(r, STREAM);
    rlim_t before = limit_descriptors(3);
    job_start(r, &s, options);
    until(r, &s, false, has_trouble);
    cr_assert_str_eq(npjp_job_trouble(s.job), "socket: Too many open files");
    settle(r);
    limit_descriptors(before);
    until(r, &s, false, is_connected);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    cr_assert_str_eq(npjp_job_trouble(s.job), "");
    rig_end(r);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
}

/* libuv refuses to watch a descriptor whose number it still watches for somebody who closed it. The reader has had one
 * connection, and is not to see another. */
Test(open, a_pipe_that_cannot_be_watched_is_closed)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    uv_poll_t stale;
    int ends[2];
    reader_listen(r, STREAM);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(uv_poll_init(&r->loop, &stale, ends[0]), 0);
    cr_assert_eq(uv_poll_start(&stale, UV_READABLE, on_poll), 0);
    uv_run(&r->loop, UV_RUN_NOWAIT); /* it asks the system to watch it */
    close(ends[0]);
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    expect_no_pipe(r, &s, NPJ_STATUS_INSUFFICIENT_RESOURCES, "poll: File exists");
    uv_close((uv_handle_t *)&stale, NULL);
    close(ends[1]);
    rig_end(r);
}
