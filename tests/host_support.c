/* SPDX-License-Identifier: MIT */
/* A host for the tests, with a client, a provider and a reader. */
#include "host_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, GOT_MAX = 64 << 20 };

/* ------------------------------------------------------------------------------------------------ beginning and end */

size_t descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

npjp_config rig_limits(void)
{
    return (npjp_config){.size = sizeof(npjp_config),
                         .engine.max_write_bytes = 65536,
                         .engine.max_idle_bytes = 1,
                         .engine.add_timeout = NPJ_NEVER,
                         .engine.connect_timeout = NPJ_NEVER,
                         .engine.stall_timeout = NPJ_NEVER,
                         .engine.drain_timeout = NPJ_NEVER};
}

static void on_stopped(npjp_host *host, void *user)
{
    struct rig *r = user;
    cr_assert_eq(host, r->host);
    r->stopped++;
}

/* libuv keeps some descriptors of the process for good from its first loop on. */
static void let_libuv_begin(void)
{
    uv_loop_t loop;
    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

/* $TMPDIR, unless it is too long for a socket's address, or the tests' command lines would have to quote it. */
static const char *place_for_folders(void)
{
    const char *place = getenv("TMPDIR");
    bool good = place != NULL && *place != '\0' && strlen(place) <= 80 && strpbrk(place, " \t'") == NULL;
    return good ? place : "/tmp";
}

struct rig *rig_start(const npjp_config *limits)
{
    struct rig *r = calloc(1, sizeof *r);
    cr_assert_not_null(r);
    r->got = malloc(GOT_MAX);
    cr_assert_not_null(r->got);
    let_libuv_begin();
    r->descriptors = descriptors();
    r->listener = r->reader = -1;
    snprintf(r->folder, sizeof r->folder, "%s/npjob-host.XXXXXX", place_for_folders());
    cr_assert_not_null(mkdtemp(r->folder));
    snprintf(r->path, sizeof r->path, "%s/pipe", r->folder);
    npjt_counting_init(&r->pool, NULL);
    cr_assert_eq(uv_loop_init(&r->loop), 0);
    npjp_config config = limits != NULL ? *limits : rig_limits();
    config.loop = &r->loop;
    config.engine.mem = npjt_counting_mem(&r->pool);
    config.stopped = on_stopped;
    config.user = r;
    cr_assert_eq(npjp_host_new(&config, &r->host), NPJ_STATUS_SUCCESS);
    return r;
}

static void remove_folder(struct rig *r)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", r->folder);
    cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a folder that this program has named
}

void rig_end_at(struct rig *r, int line)
{
    if (r->host != NULL)
        cr_assert_null(npj_check(npjp_host_srv(r->host)), "line %d", line);
    npjp_host_free(&r->host);
    cr_assert_null(r->host);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&r->loop), 0, "line %d: handles are left", line);
    reader_close(r);
    if (r->listener >= 0)
        close(r->listener);
    size_t left = descriptors();
    cr_assert_eq(left, r->descriptors, "line %d: %zu descriptors, and %zu before", line, left, r->descriptors);
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "line %d: a child is left", line);
    uint64_t bytes = npjt_counting_stats_of(&r->pool)->bytes.live;
    cr_assert_eq(bytes, 0, "line %d: %llu bytes are left", line, (unsigned long long)bytes);
    cr_assert_eq(npjt_counting_finish(&r->pool), 0, "line %d: the allocator was misused", line);
    remove_folder(r);
    free(r->got);
    free(r);
}

/* ------------------------------------------------------------------------------------------------ the reader */

void reader_listen(struct rig *r, enum kind kind)
{
    r->kind = kind;
    if (kind == FIFO) {
        cr_assert_eq(mkfifo(r->path, 0600), 0);
        return;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, r->path, strlen(r->path) + 1);
    r->listener = socket(AF_UNIX, (kind == STREAM ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(r->listener, 0);
    cr_assert_eq(bind(r->listener, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(r->listener, 1), 0);
}

void reader_accept(struct rig *r)
{
    if (r->kind == FIFO)
        r->reader = open(r->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    else
        r->reader = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    cr_assert_geq(r->reader, 0, "%s", strerror(errno));
}

ssize_t reader_read(struct rig *r, size_t most)
{
    size_t room = GOT_MAX - r->got_length;
    ssize_t count = read(r->reader, r->got + r->got_length, most < room ? most : room);
    if (count > 0) {
        r->got_length += (size_t)count;
        r->messages++;
    }
    return count;
}

void reader_close(struct rig *r)
{
    if (r->reader >= 0)
        close(r->reader);
    r->reader = -1;
}

/* ------------------------------------------------------------------------------------------------ the client */

static void on_reply(npjp_job *job, void *user, const npj_action *reply)
{
    struct seen *s = user;
    cr_assert_eq(job, s->job);
    cr_assert_lt(s->reply_count, REPLIES);
    cr_assert_null(reply_to(s, reply->request, reply->tag), "answered twice");
    s->replies[s->reply_count++] = *reply;
    if (s->on_reply != NULL)
        s->on_reply(s);
}

static void on_returned(npjp_job *job, void *user, uint64_t tag)
{
    struct seen *s = user;
    cr_assert_eq(job, s->job);
    const npj_action *reply = reply_to(s, NPJ_REQUEST_WRITE, tag);
    cr_assert(reply != NULL && reply->held, "bytes that were not held are returned");
    for (size_t i = 0; i < s->returned_count; i++)
        cr_assert_neq(s->returned[i], tag, "returned twice");
    s->returned[s->returned_count++] = tag;
}

static void on_resume(npjp_job *job, void *user)
{
    struct seen *s = user;
    cr_assert_eq(job, s->job);
    s->resumes++;
}

static void on_ended(npjp_job *job, void *user)
{
    struct seen *s = user;
    cr_assert_eq(job, s->job);
    s->ended++;
    npjp_job_report_get(job, &s->report);
    snprintf(s->trouble, sizeof s->trouble, "%s", s->report.trouble);
    s->job = NULL;
    if (s->on_ended != NULL)
        s->on_ended(s);
}

const npjp_job_calls client_calls = {
    .reply = on_reply, .returned = on_returned, .resume = on_resume, .ended = on_ended};

const npj_action *reply_to(const struct seen *s, npj_request_kind request, uint64_t tag)
{
    for (size_t i = 0; i < s->reply_count; i++)
        if (s->replies[i].request == request && s->replies[i].tag == tag)
            return &s->replies[i];
    return NULL;
}

void expect_reply_at(const struct seen *s, npj_request_kind request, uint64_t tag, npj_status want, int line)
{
    const npj_action *reply = reply_to(s, request, tag);
    cr_assert_not_null(reply, "line %d: no answer", line);
    cr_assert_eq(reply->status, want, "line %d: answered %s, not %s", line, npjp_status_name(reply->status),
                 npjp_status_name(want));
}

/* ------------------------------------------------------------------------------------------------ the provider */

static npj_status begin(void *user, npjp_job *job)
{
    struct seen *s = user;
    if (s->begin_status != NPJ_STATUS_SUCCESS)
        return s->begin_status;
    s->begun++;
    npjp_job_keep(job, s);
    return NPJ_STATUS_SUCCESS;
}

static void end(void *user, npjp_job *job)
{
    struct seen *s = user;
    cr_assert_eq(npjp_job_kept(job), s);
    s->let_go++;
    if (job == s->job)
        s->job = NULL;
}

static void add_job(void *user, npjp_job *job, npj_op op)
{
    struct seen *s = user;
    s->added++;
    s->op = op;
    if (s->on_add_job != NULL)
        s->on_add_job(s);
    if (s->provider_waits)
        return;
    const char *path = s->path != NULL ? s->path : s->rig->path;
    cr_assert_eq(npjp_job_added(job, op, s->add_status, path, JOB_ID), NPJ_STATUS_SUCCESS);
}

static void schedule_job(void *user, npjp_job *job, npj_op op, uint32_t job_id)
{
    struct seen *s = user;
    cr_assert_eq(job_id, JOB_ID);
    s->scheduled++;
    s->op = op;
    if (!s->provider_waits)
        cr_assert_eq(npjp_job_done(job, op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

static void abandon_job(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why)
{
    struct seen *s = user;
    cr_assert_eq(job_id, JOB_ID);
    s->abandoned++;
    s->why = why;
    s->op = op;
    if (!s->provider_waits)
        cr_assert_eq(npjp_job_done(job, op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

static void cancel(void *user, npjp_job *job, npj_op op)
{
    struct seen *s = user;
    cr_assert_eq(job, s->job);
    cr_assert_eq(op, s->op);
    s->cancels++;
}

const npjp_provider_calls provider_calls = {.add_job = add_job,
                                            .schedule_job = schedule_job,
                                            .abandon_job = abandon_job,
                                            .cancel = cancel,
                                            .begin = begin,
                                            .end = end};

npjp_job_options job_options(struct seen *s)
{
    return (npjp_job_options){.client = CLIENT,
                              .provider_key = PROVIDER,
                              .provider = &provider_calls,
                              .provider_user = s,
                              .calls = &client_calls,
                              .user = s};
}

npjp_job *job_start(struct rig *r, struct seen *s, npjp_job_options options)
{
    s->rig = r;
    options.mode = r->kind == SEQPACKET ? NPJ_MESSAGE_MODE : NPJ_BYTE_MODE;
    if (r->kind == FIFO && r->reader < 0 && !options.wait_for_pipe)
        reader_accept(r);
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &s->job), NPJ_STATUS_PENDING);
    cr_assert_eq(npjp_job_connect(s->job, TAG_CONNECT), NPJ_STATUS_PENDING);
    return s->job;
}

void connect_to(struct rig *r, struct seen *s, enum kind kind)
{
    reader_listen(r, kind);
    job_start(r, s, job_options(s));
    until(r, s, false, is_connected);
    if (kind != FIFO)
        reader_accept(r);
}

/* ------------------------------------------------------------------------------------------------ time */

void settle(struct rig *r)
{
    for (int i = 0; i < 20; i++)
        uv_run(&r->loop, UV_RUN_NOWAIT);
}

void until_at(struct rig *r, struct seen *s, bool reads, bool (*done)(struct seen *s), int line)
{
    const uint64_t begun = uv_hrtime();
    while (!done(s)) {
        uv_run(&r->loop, UV_RUN_NOWAIT);
        if (reads && r->reader < 0 && r->listener >= 0)
            r->reader = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        bool some = reads && r->reader >= 0 && reader_read(r, READ_BYTES) > 0;
        cr_assert_lt((uv_hrtime() - begun) / 1000000, PATIENCE_MS, "line %d: it does not come to that", line);
        if (!some)
            usleep(200);
    }
}

bool is_connected(struct seen *s)
{
    return reply_to(s, NPJ_REQUEST_CONNECT, TAG_CONNECT) != NULL;
}

bool has_ended(struct seen *s)
{
    return s->ended > 0;
}

bool is_at_end(struct seen *s)
{
    struct rig *r = s->rig;
    ssize_t count = r->reader >= 0 ? reader_read(r, READ_BYTES) : -1;
    return count == 0;
}

char *pattern(size_t length)
{
    char *bytes = malloc(length);
    cr_assert_not_null(bytes);
    uint32_t state = 1;
    for (size_t i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (char)(state >> 24);
    }
    return bytes;
}
