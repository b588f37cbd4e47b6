/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdlib.h>

#include "npjob-testkit/driver.h"

#define PIPE_TEXT      "\\\\.\\pipe\\spool\x20one"
#define FILE_TEXT      "C:\\spool\\00001.SPL"
#define MALFORMED_TEXT "\\\\.\\pipe\\a\\b"

const npj_path path_of_pipe = {PIPE_TEXT, sizeof PIPE_TEXT - 1, NPJ_PATH_UTF8};
const npj_path path_of_file = {FILE_TEXT, sizeof FILE_TEXT - 1, NPJ_PATH_UTF8};
const npj_path path_malformed = {MALFORMED_TEXT, sizeof MALFORMED_TEXT - 1, NPJ_PATH_UTF8};

/* ---------------------------------------------------------------------------------------------------- the allocator */

/* In front of each block: its size, so that a release of another size is noticed. */
union prefix {
    size_t bytes;
    max_align_t aligned;
};

static void *pool_alloc(void *user, size_t bytes)
{
    struct pool *pool = user;
    cr_assert_gt(bytes, 0, "the engine asked for no bytes");
    pool->allocs++;
    if (pool->inside)
        pool->inside(pool->inside_user, false);
    if (pool->fail_all)
        return NULL;
    if (pool->fail_in) {
        pool->fail_in--;
        if (pool->fail_in == 0)
            return NULL;
    }
    union prefix *block = malloc(sizeof *block + bytes);
    cr_assert_not_null(block);
    block->bytes = bytes;
    /* What no host has put there: an even number, which a slot would take for the address of a job. */
    memset(block + 1, 0x42, bytes);
    pool->blocks++;
    pool->bytes += bytes;
    return block + 1;
}

static void pool_release(void *user, void *memory, size_t bytes)
{
    struct pool *pool = user;
    cr_assert_not_null(memory, "the engine released NULL");
    union prefix *block = (union prefix *)memory - 1;
    cr_assert_eq(block->bytes, bytes, "a block of %zu bytes was released as one of %zu", block->bytes, bytes);
    if (pool->inside)
        pool->inside(pool->inside_user, true);
    pool->blocks--;
    pool->bytes -= bytes;
    memset(block, 0xDD, sizeof *block + bytes);
    free(block);
}

npj_mem pool_mem(struct pool *pool)
{
    return (npj_mem){pool_alloc, pool_release, pool};
}

static void record_trace(void *user, const npj_trace *trace)
{
    struct host *h = user;
    if (h->trace_count < TRACES)
        h->traces[h->trace_count++] = *trace;
    if (h->inside_trace)
        h->inside_trace(h->inside_trace_user);
}

size_t count_traces(const struct host *h, npj_trace_kind kind, npj_event event)
{
    size_t count = 0;
    for (size_t i = 0; i < h->trace_count; i++)
        count += h->traces[i].kind == kind && h->traces[i].event == event;
    return count;
}

/* ------------------------------------------------------------------------------------------------ beginning and end */

struct host *host_start(const npj_config *limits)
{
    struct host *h = calloc(1, sizeof *h);
    cr_assert_not_null(h);
    h->config = *(limits != NULL ? limits : limits_with());
    h->config.mem = pool_mem(&h->pool);
    h->config.trace = record_trace;
    h->config.trace_user = h;
    const npj_status status = npj_srv_new(&h->config, &h->srv);
    cr_assert_eq(status, NPJ_STATUS_SUCCESS, "npj_srv_new: %s", npj_status_name(status));
    cr_assert_not_null(h->srv);
    return h;
}

static void check(struct host *h, struct place at)
{
    const char *wrong = npj_check(h->srv);
    cr_assert_null(wrong, "%s:%d: npj_check: %s", at.file, at.line, wrong);
}

npj_status complete(struct host *h, npj_action_kind kind, npj_op op, npj_status status)
{
    switch (kind) {
    case NPJ_ADD_JOB:
        return npj_job_added(h->srv, op, status, &path_of_pipe, JOB_ID);
    case NPJ_OPEN:
        return npj_opened(h->srv, op, status, NPJ_BYTE_MODE);
    case NPJ_WRITE:
        return npj_written(h->srv, op, status, 0);
    default:
        return npj_done(h->srv, op, status);
    }
}

void host_free_at(struct host *h, struct place at)
{
    npj_srv_free(&h->srv);
    cr_assert_null(h->srv, "%s:%d: npj_srv_free left its pointer", at.file, at.line);
    cr_assert_eq(h->pool.blocks, 0, "%s:%d: %llu blocks live after npj_srv_free", at.file, at.line,
                 (unsigned long long)h->pool.blocks);
    cr_assert_eq(h->pool.bytes, 0);
    free(h);
}

void host_end_at(struct host *h, struct place at)
{
    cr_assert_eq(npj_shutdown(h->srv, NPJ_ABORT), NPJ_STATUS_SUCCESS);
    size_t completed = 0;
    unsigned idle = 0;
    for (bool more = true; more;) {
        npj_action action;
        more = false;
        while (npj_next(h->srv, &action)) {
            idle += action.kind == NPJ_IDLE;
            if (action.kind <= NPJ_ABANDON_JOB && h->operation_count < OPERATIONS)
                h->operations[h->operation_count++] = (struct operation){action.op, action.kind};
            more = true;
        }
        for (; completed < h->operation_count; completed++, more = true)
            complete(h, h->operations[completed].kind, h->operations[completed].op, NPJ_STATUS_CANCELLED);
        check(h, at);
    }
    const npj_stats stats = stats_of(h);
    cr_assert_leq(idle, 1, "%s:%d: %u times IDLE", at.file, at.line, idle);
    cr_assert_eq(stats.jobs.live, 0, "%s:%d: a job is left", at.file, at.line);
    cr_assert_eq(stats.packets.live, 0, "%s:%d: a packet is left", at.file, at.line);
    cr_assert_eq(stats.reserved_packets.live, 0, "%s:%d: a reserved packet is left", at.file, at.line);
    cr_assert_eq(stats.accepted, stats.replies, "%s:%d: %llu requests accepted, %llu replies", at.file, at.line,
                 (unsigned long long)stats.accepted, (unsigned long long)stats.replies);
    host_free_at(h, at);
}

/* ------------------------------------------------------------------------------------------------------------ steps */

void expect_at(struct host *h, npj_status want, npj_status got, const char *call, struct place at)
{
    cr_assert_eq(got, want, "%s:%d: %s: %s (%08x), expected %s", at.file, at.line, call, npj_status_name(got), got,
                 npj_status_name(want));
    check(h, at);
}

struct before before_of(const struct host *h)
{
    return (struct before){.digest = npj_digest(h->srv), .stats = stats_of(h), .blocks = h->pool.blocks};
}

void refused_at(struct host *h, struct before before, npj_status want, npj_status got, const char *call,
                struct place at)
{
    expect_at(h, want, got, call, at);
    cr_assert_eq(npj_digest(h->srv), before.digest, "%s:%d: %s: refused, but something changed", at.file, at.line,
                 call);
    cr_assert_eq(h->pool.blocks, before.blocks, "%s:%d: %s: refused, but memory changed hands", at.file, at.line, call);
    const npj_stats after = stats_of(h);
    cr_assert(after.accepted == before.stats.accepted && after.packets.total == before.stats.packets.total &&
                  after.packets.live == before.stats.packets.live && after.jobs.live == before.stats.jobs.live &&
                  after.bytes_accepted == before.stats.bytes_accepted && after.bytes_taken == before.stats.bytes_taken,
              "%s:%d: %s: refused, but the counters moved", at.file, at.line, call);
}

npj_action take_at(struct host *h, npj_action_kind kind, struct place at)
{
    npj_action action = {.tag = 0};
    cr_assert(npj_next(h->srv, &action), "%s:%d: nothing to take, expected %s", at.file, at.line,
              npjt_action_name(kind));
    cr_assert_eq(action.kind, kind, "%s:%d: took %s (tag %llu, %s), expected %s", at.file, at.line,
                 npjt_action_name(action.kind), (unsigned long long)action.tag, npj_status_name(action.status),
                 npjt_action_name(kind));
    if (kind <= NPJ_ABANDON_JOB) {
        cr_assert_neq(action.op, 0, "%s:%d: an operation without a handle", at.file, at.line);
        cr_assert_lt(h->operation_count, OPERATIONS);
        h->operations[h->operation_count++] = (struct operation){action.op, kind};
    }
    check(h, at);
    return action;
}

npj_action take_write_at(struct host *h, const void *bytes, size_t length, struct place at)
{
    const npj_action action = take_at(h, NPJ_WRITE, at);
    size_t seen = 0;
    cr_assert_geq(action.iov_count, 1, "%s:%d: a WRITE without an iovec", at.file, at.line);
    for (uint32_t i = 0; i < action.iov_count; i++) {
        const npj_iov iov = action.iov[i];
        cr_assert_leq(iov.length, length - seen, "%s:%d: the WRITE is longer than %zu", at.file, at.line, length);
        if (iov.length)
            cr_assert_eq(memcmp(iov.base, (const char *)bytes + seen, iov.length), 0, "%s:%d: other bytes", at.file,
                         at.line);
        seen += iov.length;
    }
    cr_assert_eq(seen, length, "%s:%d: the WRITE has %zu bytes, expected %zu", at.file, at.line, seen, length);
    cr_assert_eq(action.count, length, "%s:%d: the WRITE's count is not the sum of its iovec", at.file, at.line);
    return action;
}

npj_action expect_reply_at(struct host *h, uint64_t tag, npj_status status, uint64_t count, struct place at)
{
    const npj_action action = take_at(h, NPJ_REPLY, at);
    cr_assert_eq(action.tag, tag, "%s:%d: a reply to %llu, expected one to %llu", at.file, at.line,
                 (unsigned long long)action.tag, (unsigned long long)tag);
    cr_assert_eq(action.status, status, "%s:%d: replied %s (%08x), expected %s", at.file, at.line,
                 npj_status_name(action.status), action.status, npj_status_name(status));
    cr_assert_eq(action.count, count, "%s:%d: replied a count of %llu, expected %llu", at.file, at.line,
                 (unsigned long long)action.count, (unsigned long long)count);
    return action;
}

void take_whole_at(struct host *h, uint64_t tag, const char *text, struct place at)
{
    expect_written_at(h, take_write_at(h, text, strlen(text), at).op, tag, strlen(text), at);
}

void expect_nothing_at(struct host *h, struct place at)
{
    npj_action action;
    if (npj_next(h->srv, &action))
        cr_assert_fail("%s:%d: took %s (tag %llu, %s), expected nothing", at.file, at.line,
                       npjt_action_name(action.kind), (unsigned long long)action.tag, npj_status_name(action.status));
    check(h, at);
}

void expect_state_at(struct host *h, npj_job job, npj_state state, struct place at)
{
    npj_job_info info;
    const npj_status status = npj_job_query(h->srv, job, &info);
    if (state == NPJ_STATE_GONE) {
        cr_assert_eq(status, NPJ_STATUS_INVALID_HANDLE, "%s:%d: the job is %s, expected GONE", at.file, at.line,
                     status ? npj_status_name(status) : npj_state_name(info.state));
        return;
    }
    cr_assert_eq(status, NPJ_STATUS_SUCCESS, "%s:%d: the job is gone (%s), expected %s", at.file, at.line,
                 npj_status_name(status), npj_state_name(state));
    cr_assert_eq(info.state, state, "%s:%d: the job is %s, expected %s", at.file, at.line, npj_state_name(info.state),
                 npj_state_name(state));
}

npj_stats stats_of(const struct host *h)
{
    npj_stats stats;
    npj_stats_get(h->srv, &stats);
    return stats;
}

void expect_packets_at(struct host *h, uint64_t live, struct place at)
{
    const uint64_t found = stats_of(h).packets.live;
    cr_assert_eq(found, live, "%s:%d: %llu live packets, expected %llu", at.file, at.line, (unsigned long long)found,
                 (unsigned long long)live);
}
