/* SPDX-License-Identifier: MIT */
/*
 * twin_transcripts SCRIPTS TEXTS: plays every twin script of one folder, and writes into another, NAME.txt, what the
 * host has done: the script, each call of either side with what it came to, and what the pipes have taken. The text is
 * the same on every machine.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"
#include "twin_state.h"

#define GOOD npjt_subject_npjob

typedef unsigned long long number;

/* ------------------------------------------------------------------------------------------------ names of handles */

enum { HANDLES = TWIN_JOBS + TWIN_TAGS + TWIN_ACTIONS };

/* An engine, and what its handles are called: "job 2", "write 17", by their cookies and tags, and "operation 5". */
static struct engine {
    void *srv;
    uint32_t count, operations;
    struct {
        uint64_t handle;
        const char *kind;
        number name;
    } handle[HANDLES];
} engines[2];

static FILE *out;

static struct engine *engine_of(const void *srv)
{
    return &engines[srv == engines[1].srv];
}

static void keep(const void *srv, uint64_t handle, const char *kind, number name)
{
    struct engine *engine = engine_of(srv);
    engine->handle[engine->count].handle = handle;
    engine->handle[engine->count].kind = kind;
    engine->handle[engine->count++].name = name;
}

/* Until the next call. */
static const char *name(const void *srv, uint64_t handle)
{
    static char text[48];
    const struct engine *engine = engine_of(srv);
    for (uint32_t at = engine->count; at-- > 0;)
        if (engine->handle[at].handle == handle) {
            (void)snprintf(text, sizeof text, "%s %llu", engine->handle[at].kind, engine->handle[at].name);
            return text;
        }
    return handle ? "what is not" : "nothing";
}

/* A line of a side. */
static void say(const void *srv, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const void *srv, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(out, "%c ", "ab"[engine_of(srv) - engines]);
    (void)vfprintf(out, format, arguments);
    (void)fputc('\n', out);
    va_end(arguments);
}

/* ------------------------------------------------------------------------------------------- the calls of a host */

static const char *text(npj_status status)
{
    return npj_status_name(status);
}

static unsigned hash_of(const void *bytes, size_t length)
{
    unsigned hash = 0;
    for (size_t i = 0; i < length; i++)
        hash = (hash * 31U + ((const uint8_t *)bytes)[i]) & 0xFFFFFFU;
    return hash;
}

static npj_status new_engine(const npj_config *config, void **srv)
{
    struct engine *engine = &engines[engines[0].srv != NULL];
    npj_status status = GOOD.srv_new(config, srv);
    engine->srv = *srv;
    say(*srv, "new: %u jobs, packets %u, %u in a job, %u in a WRITE, %u idle bytes", config->max_jobs,
        config->max_packets, config->max_job_packets, config->max_batch, (unsigned)config->max_idle_bytes);
    say(*srv, "new: bytes %u in a write, %u in a job, %u in all, timeouts %u %u %u %u", config->max_write_bytes,
        (unsigned)config->max_job_bytes, (unsigned)config->max_pool_bytes, (unsigned)config->add_timeout,
        (unsigned)config->connect_timeout, (unsigned)config->stall_timeout, (unsigned)config->drain_timeout);
    return status;
}

static npj_status add_job(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *job)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, job);
    if (status == NPJ_STATUS_PENDING)
        keep(srv, *job, "job", cookie);
    say(srv, "add_job %s, client %u, provider %u, tag %u: %s", name(srv, job ? *job : 0), (unsigned)client,
        (unsigned)provider, (unsigned)tag, text(status));
    return status;
}

static npj_status connect(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.connect(srv, job, tag);
    say(srv, "connect %s, tag %u: %s", name(srv, job), (unsigned)tag, text(status));
    return status;
}

static npj_status write(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                        npj_req *request)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, request);
    if (status == NPJ_STATUS_PENDING && request)
        keep(srv, *request, "write", tag);
    say(srv, "write %s, tag %u, %u bytes (%06x), flags %u: %s", name(srv, job), (unsigned)tag, length,
        hash_of(bytes, bytes ? length : 0), flags, text(status));
    return status;
}

static npj_status close(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.close(srv, job, tag);
    say(srv, "close %s, tag %u: %s", name(srv, job), (unsigned)tag, text(status));
    return status;
}

static npj_status cancel(void *srv, npj_req request)
{
    npj_status status = GOOD.cancel(srv, request);
    say(srv, "cancel %s: %s", name(srv, request), text(status));
    return status;
}

static npj_status job_added(void *srv, npj_op op, npj_status with, const npj_path *path, uint32_t job_id)
{
    npj_status status = GOOD.job_added(srv, op, with, path, job_id);
    say(srv, "job_added %s, %s, %.*s, JobId %u: %s", name(srv, op), text(with), path ? (int)path->length : 7,
        path ? (const char *)path->bytes : "no path", job_id, text(status));
    return status;
}

static npj_status opened(void *srv, npj_op op, npj_status with, npj_pipe_mode mode)
{
    npj_status status = GOOD.opened(srv, op, with, mode);
    say(srv, "opened %s, %s, %s mode: %s", name(srv, op), text(with), mode == NPJ_MESSAGE_MODE ? "message" : "byte",
        text(status));
    return status;
}

static npj_status written(void *srv, npj_op op, npj_status with, uint64_t transferred)
{
    npj_status status = GOOD.written(srv, op, with, transferred);
    say(srv, "written %s, %s, %llu bytes: %s", name(srv, op), text(with), (number)transferred, text(status));
    return status;
}

static npj_status done(void *srv, npj_op op, npj_status with)
{
    npj_status status = GOOD.done(srv, op, with);
    say(srv, "done %s, %s: %s", name(srv, op), text(with), text(status));
    return status;
}

static npj_status abort_job(void *srv, npj_job job, npj_status reason)
{
    npj_status status = GOOD.abort(srv, job, reason);
    say(srv, "abort %s, %s: %s", name(srv, job), text(reason), text(status));
    return status;
}

static npj_status client_gone(void *srv, uint64_t client, npj_status reason)
{
    npj_status status = GOOD.client_gone(srv, client, reason);
    say(srv, "client_gone %u, %s: %s", (unsigned)client, text(reason), text(status));
    return status;
}

static npj_status provider_gone(void *srv, uint64_t provider)
{
    npj_status status = GOOD.provider_gone(srv, provider);
    say(srv, "provider_gone %u: %s", (unsigned)provider, text(status));
    return status;
}

static npj_status shut_down(void *srv, npj_shutdown_how how)
{
    npj_status status = GOOD.shutdown(srv, how);
    say(srv, "shutdown %d: %s", (int)how, text(status));
    return status;
}

static npj_status advance(void *srv, uint64_t now)
{
    npj_status status = GOOD.advance(srv, now);
    say(srv, "advance %llu: %s", (number)now, text(status));
    return status;
}

/* That there is nothing more to take is not told: to ask once more is no difference. */
static bool next(void *srv, npj_action *action)
{
    if (!GOOD.next(srv, action))
        return false;
    if (action->kind <= NPJ_ABANDON_JOB)
        keep(srv, action->op, "operation", engine_of(srv)->operations++);
    unsigned hash = 0;
    for (uint32_t i = 0; i < action->iov_count; i++)
        hash = hash * 31 + hash_of(action->iov[i].base, action->iov[i].length);
    say(srv, "next %s: %s, cookie %llu, tag %u, %s, %llu bytes (%06x)%s",
        name(srv, action->op ? action->op : action->job), npjt_action_name(action->kind), (number)action->cookie,
        (unsigned)action->tag, text(action->status), (number)action->count, hash, action->held ? ", held" : "");
    return true;
}

/* --------------------------------------------------------------------------------------------- and those that look */

static uint64_t deadline(const void *srv)
{
    uint64_t when = GOOD.deadline(srv);
    say(srv, "deadline: %llu", (number)when);
    return when;
}

static void stats(const void *srv, npj_stats *said)
{
    GOOD.stats(srv, said);
    say(srv, "stats: %u packets live", (unsigned)said->packets.live);
}

static npj_status query(const void *srv, npj_job job, npj_job_info *info)
{
    npj_status status = GOOD.query(srv, job, info);
    say(srv, "query %s: %s", name(srv, job), text(status));
    return status;
}

static npj_status trim(void *srv)
{
    say(srv, "trim");
    return GOOD.trim(srv);
}

static const char *check(const void *srv)
{
    say(srv, "check");
    return GOOD.check(srv);
}

/* ----------------------------------------------------------------------------------------------------- transcripts */

static void script_text(const struct tape_file *file)
{
    static const npjt_twin_options none;
    struct twin_script script;
    char line[160];
    npjt_twin_decode(&script, file->bytes, file->size, &none);
    (void)fprintf(out, "%s, engine 0x%02x, seed %u\n", npjt_relation_name(script.relation), script.engine, script.seed);
    for (uint32_t i = 0; i < script.count; i++) {
        npjt_twin_text(line, sizeof line, &script.steps[i]);
        (void)fprintf(out, "%s\n", line);
    }
}

static void pipes_text(const struct twin_run *run, const void *srv)
{
    for (uint32_t i = 0; i < run->job_count; i++) {
        const struct twin_pipe *pipe = &run->jobs[i].pipe;
        say(srv, "pipe of %s: %llu bytes (%016llx), %llu messages, %u RESUMEs", name(srv, run->jobs[i].handle),
            (number)pipe->bytes, (number)pipe->hash, (number)pipe->messages, run->jobs[i].resumes);
    }
}

static void play(npjt_twin *twin, const struct tape_file *script)
{
    npjt_subject subject = {.name = GOOD.name,
                            .engine_blocks = GOOD.engine_blocks,
                            .idle_job_blocks = GOOD.idle_job_blocks,
                            .packet_blocks = GOOD.packet_blocks,
                            .srv_new = new_engine,
                            .srv_free = GOOD.srv_free,
                            .add_job = add_job,
                            .connect = connect,
                            .write = write,
                            .close = close,
                            .cancel = cancel,
                            .job_added = job_added,
                            .opened = opened,
                            .written = written,
                            .done = done,
                            .abort = abort_job,
                            .client_gone = client_gone,
                            .provider_gone = provider_gone,
                            .shutdown = shut_down,
                            .advance = advance,
                            .deadline = deadline,
                            .next = next,
                            .stats = stats,
                            .query = query,
                            .trim = trim,
                            .check = check,
                            .digest = GOOD.digest};
    npjt_twin_result result;
    memset(engines, 0, sizeof engines);
    npjt_twin_run(twin, &subject, script->bytes, script->size, NULL, &result); /* a finding is printed, and aborts */
    pipes_text(&twin->run[0], engines[0].srv);
    pipes_text(&twin->run[1], engines[1].srv);
    (void)fprintf(out, "%u steps, %llu actions, %llu packets, %llu refusals, %llu queries\n", result.steps,
                  (number)result.actions, (number)result.packets, (number)result.refusals, (number)result.queries);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: twin_transcripts SCRIPTS TEXTS\n");
        return 2;
    }
    size_t count;
    struct tape_file *scripts = tape_files(argv[1], &count);
    npjt_twin *twin = npjt_twin_new();
    if (!twin)
        return 2;
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s.txt", argv[2], scripts[i].name);
        out = fopen(path, "w");
        if (!out) {
            (void)fprintf(stderr, "twin_transcripts: %s: %s\n", path, strerror(errno));
            return 2;
        }
        script_text(&scripts[i]);
        play(twin, &scripts[i]);
        if (fclose(out) != 0)
            return 2;
    }
    npjt_twin_free(twin);
    free(scripts);
    return 0;
}
