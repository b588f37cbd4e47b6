/* SPDX-License-Identifier: MIT */
/*
 * What clients and administrators ask of the server. The laws leave no choice in what each call returns, so that the
 * status is known before the call is made.
 */
#include <string.h>

#include "driver_state.h"

/* ---------------------------------------------------------------------------------------------------- what is right */

static bool is_error(npj_status status)
{
    return npj_status_is_error(status);
}

uint64_t npjt_before(struct npjt_driver *d, const char *call, npj_status expected)
{
    bool wanted = d->subject->digest && (is_error(expected) || d->faulty);
    uint64_t digest = d->refused_digest;
    if (wanted && digest == 0)
        digest = d->subject->digest(d->srv);
    d->call = call;
    return wanted ? digest : 0;
}

/** The law that a wrong status breaks. */
static unsigned law_of(npj_status status, npj_status expected)
{
    if (expected == NPJ_STATUS_INVALID_HANDLE)
        return NPJT_LAW_OPERATIONS;
    if (!is_error(status) && (expected == NPJ_STATUS_QUOTA_EXCEEDED || expected == NPJ_STATUS_INSUFF_SERVER_RESOURCES))
        return NPJT_LAW_BOUNDS;
    if (!is_error(expected) && (status == NPJ_STATUS_QUOTA_EXCEEDED || status == NPJ_STATUS_INSUFF_SERVER_RESOURCES))
        return NPJT_LAW_ISOLATION;
    if (expected == NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS)
        return NPJT_LAW_RECLAIM;
    return NPJT_LAW_ALL_OR_NOTHING;
}

void npjt_judge(struct npjt_driver *d, npj_status status, npj_status expected, uint64_t before)
{
    const char *call = d->call;
    d->call = NULL;
    d->status = status;
    npjt_mix(d, status);
    d->result->calls++;
    if (status != expected)
        npjt_violate(d, law_of(status, expected), "%s returned %s (0x%08X) where %s is right", call,
                     npj_status_name(status), (unsigned)status, npj_status_name(expected));
    if (is_error(status) && before != 0 && !d->stop && d->subject->digest(d->srv) != before)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "%s returned %s and changed something", call, npj_status_name(status));
    npjt_check_told(d, call, status);
    d->refused_digest = is_error(status) ? before : 0;
}

uint64_t npjt_failed_allocations(const struct npjt_driver *d)
{
    const npjt_counting_stats *stats = npjt_counting_stats_of(&d->pool);
    return stats->injected + stats->exhausted;
}

/** What a call that allocates must have returned, now that it is known whether an allocation failed in it: whatever
 * else is against the call comes first. */
static npj_status after_allocating(struct npjt_driver *d, npj_status status, npj_status expected,
                                   uint64_t failed_before)
{
    d->may_allocate = false;
    d->result->failures_reported += status == NPJ_STATUS_INSUFFICIENT_RESOURCES;
    bool no_memory = expected == NPJ_STATUS_PENDING && npjt_failed_allocations(d) > failed_before;
    return no_memory ? NPJ_STATUS_INSUFFICIENT_RESOURCES : expected;
}

/** Event 2019 is traced once, until a call of that kind succeeds again. */
static void check_no_pool(struct npjt_driver *d, npj_status status, bool *traced)
{
    bool refused = status == NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    uint32_t expected = refused && !*traced;
    if (d->tracing && d->no_pool_traced != expected)
        npjt_violate(d, NPJT_LAW_BOUNDS, "the engine's cap was traced %u times in a call, not %u",
                     (unsigned)d->no_pool_traced, (unsigned)expected);
    if (refused)
        *traced = true;
    else if (status == NPJ_STATUS_PENDING)
        *traced = false;
    d->no_pool_traced = 0;
}

/* ----------------------------------------------------------------------------------------------------- the requests */

/** All tags but those of adds, which are 0, have these bits: one that is cut to 32 or to 16 is another. */
#define TAGS UINT64_C(0x7A6E000000010000)

static npj_status expected_add(const struct npjt_driver *d, bool null_out)
{
    if (null_out)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (d->stopping)
        return NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
    return d->jobs >= d->limits.max_jobs ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : NPJ_STATUS_PENDING;
}

static void job_accepted(struct npjt_driver *d, npj_job handle, uint64_t client, uint64_t provider, uint64_t cookie,
                         uint64_t tag)
{
    if (handle == 0 || npjt_job_by_handle(d, handle))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a new job has the handle of another, or none");
    if (npjt_has_ended(d->ended_job, d->jobs_ended, handle))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a new job has the handle of one that has ended");
    struct a_job *job = npjt_job_begin(d);
    if (!job) { /* only when a law is switched off */
        d->stop = true;
        return;
    }
    job->handle = handle;
    job->client = client;
    job->provider = provider;
    job->cookie = cookie;
    job->tag[NPJ_REQUEST_ADD] = tag;
    job->next_tag = TAGS + 1;
    job->phase[NPJ_REQUEST_ADD] = WAITING;
    job->add_start = d->now;
    d->accepted++;
    d->reserved++;
}

void npjt_add_job(struct npjt_driver *d, uint64_t client, uint64_t provider, bool null_out)
{
    npj_job handle = UNTOUCHED;
    const uint64_t tag = 0, cookie = UINT64_C(0xC00C1E0000000000) | (d->next_serial + 1);
    npj_status expected = expected_add(d, null_out);
    uint64_t before = npjt_before(d, "add_job", expected), failed_before = npjt_failed_allocations(d);
    d->may_allocate = true;
    npjt_watch(d, 1U << NPJ_EVENT_COUNT, NULL);
    npj_status status = d->subject->add_job(d->srv, client, provider, cookie, tag, null_out ? NULL : &handle);
    expected = after_allocating(d, status, expected, failed_before);
    npjt_judge(d, status, expected, before);
    npjt_mix(d, status == NPJ_STATUS_PENDING ? handle : 0);
    check_no_pool(d, status, &d->no_pool_jobs);
    if (status == NPJ_STATUS_PENDING)
        job_accepted(d, handle, client, provider, cookie, tag);
    else if (handle != UNTOUCHED)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "a refused add_job wrote a handle");
}

static uint64_t next_tag(struct a_job *job)
{
    return job ? job->next_tag++ : 0;
}

/** A request that is part of the job has been accepted. */
static void accepted(struct npjt_driver *d, struct a_job *job, npj_request_kind kind, uint64_t tag)
{
    if (job->phase[kind] != NOT_ASKED) { /* only when a law is switched off */
        d->stop = true;
        return;
    }
    job->phase[kind] = WAITING;
    job->tag[kind] = tag;
    d->accepted++;
    d->reserved++;
    if (job->failed)
        npjt_answer(job, kind, job->failure);
    npjt_settle(d, job);
}

void npjt_connect(struct npjt_driver *d, npj_job handle)
{
    struct a_job *job = npjt_job_by_handle(d, handle);
    uint64_t tag = next_tag(job);
    npj_status expected = NPJ_STATUS_PENDING;
    if (!job)
        expected = NPJ_STATUS_INVALID_HANDLE;
    else if (job->failed || job->phase[NPJ_REQUEST_CONNECT] != NOT_ASKED)
        expected = NPJ_STATUS_INVALID_PIPE_STATE;
    uint64_t before = npjt_before(d, "connect", expected);
    npjt_watch(d, 1U << NPJ_EVENT_CONNECT, npjt_job_of_handle(d, handle));
    npj_status status = d->subject->connect(d->srv, handle, tag);
    npjt_judge(d, status, expected, before);
    if (status == NPJ_STATUS_PENDING && job)
        accepted(d, job, NPJ_REQUEST_CONNECT, tag);
}

void npjt_close(struct npjt_driver *d, npj_job handle)
{
    struct a_job *job = npjt_job_by_handle(d, handle);
    uint64_t tag = next_tag(job);
    npj_status expected = NPJ_STATUS_PENDING;
    if (!job)
        expected = NPJ_STATUS_INVALID_HANDLE;
    else if (job->phase[NPJ_REQUEST_CLOSE] != NOT_ASKED)
        expected = NPJ_STATUS_PIPE_CLOSING;
    else if (!job->failed && job->phase[NPJ_REQUEST_CONNECT] == NOT_ASKED)
        expected = NPJ_STATUS_INVALID_PIPE_STATE;
    uint64_t before = npjt_before(d, "close", expected);
    npjt_watch(d, 1U << NPJ_EVENT_CLOSE, npjt_job_of_handle(d, handle));
    npj_status status = d->subject->close(d->srv, handle, tag);
    npjt_judge(d, status, expected, before);
    if (status == NPJ_STATUS_PENDING && job) {
        job->drain_start = d->now;
        accepted(d, job, NPJ_REQUEST_CLOSE, tag);
    }
}

/* ------------------------------------------------------------------------------------------------------------ write */

/** Whether the cap on the engine's memory may refuse a write: the sizes of blocks are the server's own affair, that of
 * a packet's header too, unless it says so. */
static bool pool_may_refuse(const struct npjt_driver *d, uint64_t length)
{
    if (d->limits.max_pool_bytes == 0)
        return false;
    if (!d->subject->stats)
        return true;
    npj_stats stats;
    d->subject->stats(d->srv, &stats);
    return stats.pool_bytes.live + stats.idle_bytes + stats.packet_bytes + length + length / 4 + 128 >
           d->limits.max_pool_bytes;
}

static npj_status expected_write(const struct npjt_driver *d, const struct a_job *job, uint64_t length, unsigned how)
{
    bool null = how == HOW_COPY_NULL || how == HOW_LEND_NULL;
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    if (how >= HOW_NEITHER || length > d->limits.max_write_bytes || (null && length > 0))
        return NPJ_STATUS_INVALID_PARAMETER;
    if (job->failed)
        return NPJ_STATUS_PIPE_BROKEN;
    if (job->phase[NPJ_REQUEST_CONNECT] == NOT_ASKED)
        return NPJ_STATUS_INVALID_PIPE_STATE;
    if (job->phase[NPJ_REQUEST_CLOSE] != NOT_ASKED)
        return NPJ_STATUS_PIPE_CLOSING;
    if (job->packets >= d->limits.max_job_packets || job->bytes + length > d->limits.max_job_bytes)
        return NPJ_STATUS_QUOTA_EXCEEDED;
    if (d->packets >= d->limits.max_packets)
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    return NPJ_STATUS_PENDING;
}

static void write_accepted(struct npjt_driver *d, struct a_job *job, uint64_t tag, uint32_t length, bool lent,
                           npj_req request)
{
    if (length > NPJT_MAX_WRITE_BYTES + 1) { /* only when a law is switched off: there are no such bytes */
        d->stop = true;
        return;
    }
    struct a_write *write = npjt_write_begin(d, job);
    if (!write) { /* likewise */
        d->stop = true;
        return;
    }
    write->tag = tag;
    write->request = request;
    write->offset = job->given;
    write->length = length;
    write->lent = lent;
    job->given += length;
    job->bytes += length;
    d->accepted++;
    d->bytes_accepted += length;
    d->result->packets_allocated++;
    if (job->failed) /* only when a law is switched off */
        npjt_answer_write(d, write, job->failure, job->failure);
    npjt_settle(d, job);
}

/**
 * Where the bytes of a write are: lent ones in memory of their own, others at the very end of a block, so that reading
 * on is seen.
 */
static uint8_t *room_for(struct npjt_driver *d, uint64_t length, bool lent)
{
    if (length > NPJT_MAX_WRITE_BYTES + 1)
        return d->scratch;
    if (!lent || d->free_write == NONE)
        return d->scratch + NPJT_MAX_WRITE_BYTES + 1 - length;
    return npjt_lend(&d->write[d->free_write], (size_t)length) ? d->write[d->free_write].bytes : NULL;
}

/** A write that must be refused needs no bytes of its own, unless that law is off. */
static bool needs_bytes(const struct npjt_driver *d, npj_status expected)
{
    return expected == NPJ_STATUS_PENDING || d->options->laws_off != 0;
}

/** The handle of a new write, or what stands there when there is none. */
static void check_request(struct npjt_driver *d, npj_status status, npj_req request)
{
    if (status != NPJ_STATUS_PENDING) {
        if (request != UNTOUCHED)
            npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "a refused write wrote a handle");
        return;
    }
    if (request == 0 || npjt_write_by_request(d, request))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a new write has the handle of another, or none");
    if (npjt_has_ended(d->answered_write, d->writes_answered, request))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a new write has the handle of one that has been answered");
}

void npjt_write(struct npjt_driver *d, npj_job handle, uint64_t length, unsigned how, bool null_out)
{
    static const unsigned flags[] = {NPJ_COPY, NPJ_LEND, NPJ_COPY, NPJ_LEND, 0, NPJ_COPY | NPJ_LEND, 5};
    if (d->subject->copies_only)
        how = how == HOW_LEND ? HOW_COPY : how == HOW_LEND_NULL ? HOW_COPY_NULL : how;
    struct a_job *job = npjt_job_by_handle(d, handle);
    bool lent = flags[how] == NPJ_LEND, null = how == HOW_COPY_NULL || how == HOW_LEND_NULL;
    uint8_t *bytes = room_for(d, length, lent);
    if (!bytes) {
        d->stop = true; /* the driver itself is out of memory */
        return;
    }
    npj_req request = null_out ? 0 : UNTOUCHED;
    uint64_t tag = next_tag(job);
    npj_status expected = expected_write(d, job, length, how);
    if (job && length <= NPJT_MAX_WRITE_BYTES + 1 && needs_bytes(d, expected))
        npjt_fill(bytes, job->serial, job->given, (size_t)length);
    bool pool = expected == NPJ_STATUS_PENDING && pool_may_refuse(d, length);
    uint64_t before = npjt_before(d, "write", pool ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : expected),
             failed_before = npjt_failed_allocations(d);
    d->may_allocate = true;
    npjt_watch(d, 1U << NPJ_EVENT_WRITE, npjt_job_of_handle(d, handle));
    npj_status status = d->subject->write(d->srv, handle, tag, null ? NULL : bytes, (uint32_t)length, flags[how],
                                          null_out ? NULL : &request);
    expected = after_allocating(d, status, expected, failed_before);
    if (pool && status == NPJ_STATUS_INSUFF_SERVER_RESOURCES)
        expected = status;
    if (!lent && !is_error(status) && length <= NPJT_MAX_WRITE_BYTES)
        memset(bytes, 0xEE, (size_t)length); /* copied bytes are the client's again */
    npjt_judge(d, status, expected, before);
    npjt_mix(d, status == NPJ_STATUS_PENDING ? request : 0);
    check_no_pool(d, status, &d->no_pool_writes);
    if (!null_out)
        check_request(d, status, request);
    if (status == NPJ_STATUS_PENDING && job)
        write_accepted(d, job, tag, (uint32_t)length, lent, request);
    else if (status == NPJ_STATUS_QUOTA_EXCEEDED && job)
        job->resume_owed = true;
}

void npjt_cancel(struct npjt_driver *d, npj_req request)
{
    struct a_write *write = npjt_write_by_request(d, request);
    npj_status expected = write && !write->answered ? NPJ_STATUS_SUCCESS : NPJ_STATUS_NOT_FOUND;
    uint64_t before = npjt_before(d, "cancel", expected);
    npjt_watch(d, 1U << NPJ_EVENT_CANCEL, write ? &d->job[write->job] : NULL);
    npj_status status = d->subject->cancel(d->srv, request);
    npjt_judge(d, status, expected, before);
    if (status != NPJ_STATUS_SUCCESS || !write || write->answered)
        return;
    struct a_job *job = &d->job[write->job];
    if (write->in_op) {
        write->cancelled = true;
        job->cancel_owed = !job->cancel_taken;
    } else {
        npj_status cut = write->taken > 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED;
        npjt_answer_write(d, write, cut, cut);
        job->truncated = true;
        npjt_settle(d, job);
    }
}

/* --------------------------------------------------------------------------------------------------------- by force */

void npjt_abort(struct npjt_driver *d, npj_job handle, npj_status reason)
{
    struct a_job *job = npjt_job_by_handle(d, handle);
    npj_status expected = !job               ? NPJ_STATUS_INVALID_HANDLE
                          : is_error(reason) ? NPJ_STATUS_SUCCESS
                                             : NPJ_STATUS_INVALID_PARAMETER;
    uint64_t before = npjt_before(d, "abort", expected);
    npjt_watch(d, 1U << NPJ_EVENT_ABORT, npjt_job_of_handle(d, handle));
    npj_status status = d->subject->abort(d->srv, handle, reason);
    npjt_judge(d, status, expected, before);
    if (status != NPJ_STATUS_SUCCESS || !job)
        return;
    npjt_fail(d, job, reason);
    job->forget = true;
    npjt_settle(d, job);
}

/* The trace alone shows that a job was told which stays as it is when its client or provider goes, or at a shutdown. */

static bool stays_without_client(const struct a_job *job, uint64_t client)
{
    return job->client == client && (job->failed || job->phase[NPJ_REQUEST_CLOSE] != NOT_ASKED);
}

static bool stays_without_provider(const struct a_job *job, uint64_t provider)
{
    return job->provider == provider && job->failed && !job->provider_gone;
}

void npjt_client_gone(struct npjt_driver *d, uint64_t client, npj_status reason)
{
    npj_status expected = is_error(reason) ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
    uint64_t before = npjt_before(d, "client_gone", expected);
    if (expected == NPJ_STATUS_SUCCESS)
        npjt_watch_many(d, NPJ_EVENT_CLIENT_GONE, stays_without_client, client);
    else
        npjt_watch(d, 1U << NPJ_EVENT_CLIENT_GONE, NULL);
    npj_status status = d->subject->client_gone(d->srv, client, reason);
    npjt_judge(d, status, expected, before);
    for (uint8_t i = d->jobs; status == NPJ_STATUS_SUCCESS && i-- > 0;) {
        struct a_job *job = &d->job[d->order[i]];
        if (job->client != client || job->phase[NPJ_REQUEST_CLOSE] != NOT_ASKED)
            continue;
        npjt_fail(d, job, reason);
        job->forget = true;
        npjt_settle(d, job);
    }
}

void npjt_provider_gone(struct npjt_driver *d, uint64_t provider)
{
    d->call = "provider_gone";
    npjt_watch_many(d, NPJ_EVENT_PROVIDER_GONE, stays_without_provider, provider);
    npj_status status = d->subject->provider_gone(d->srv, provider);
    npjt_judge(d, status, NPJ_STATUS_SUCCESS, 0);
    for (uint8_t i = d->jobs; status == NPJ_STATUS_SUCCESS && i-- > 0;) {
        struct a_job *job = &d->job[d->order[i]];
        if (job->provider != provider || job->gone)
            continue;
        job->provider_gone = true;
        npjt_fail(d, job, NPJ_STATUS_PIPE_DISCONNECTED);
        npjt_settle(d, job);
    }
}

void npjt_shutdown(struct npjt_driver *d, npj_shutdown_how how)
{
    bool known = how == NPJ_DRAIN || how == NPJ_ABORT;
    npj_status expected = known ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
    uint64_t before = npjt_before(d, "shutdown", expected);
    if (how == NPJ_ABORT && d->stopping < 1 + NPJ_ABORT)
        npjt_watch_many(d, NPJ_EVENT_EXPIRE, NULL, 0);
    else
        npjt_watch(d, 1U << NPJ_EVENT_EXPIRE, NULL);
    npj_status status = d->subject->shutdown(d->srv, how);
    npjt_judge(d, status, expected, before);
    if (status != NPJ_STATUS_SUCCESS || !known || d->stopping >= 1 + how)
        return;
    d->stopping_start = d->now; /* of an abort nobody asks for it */
    d->stopping = (uint8_t)(1 + how);
    for (uint8_t i = d->jobs; how == NPJ_ABORT && i-- > 0;) {
        struct a_job *job = &d->job[d->order[i]];
        npjt_fail(d, job, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
        job->forget = true;
        npjt_settle(d, job);
    }
}

/* ---------------------------------------------------------------------------------------------------------- looking */

void npjt_query(struct npjt_driver *d, npj_job handle, bool null_out)
{
    if (!d->subject->query)
        return;
    npj_job_info info;
    npj_status expected = !npjt_job_by_handle(d, handle) ? NPJ_STATUS_INVALID_HANDLE
                          : null_out                     ? NPJ_STATUS_INVALID_PARAMETER
                                                         : NPJ_STATUS_SUCCESS;
    uint64_t before = npjt_before(d, "query", expected);
    npjt_judge(d, d->subject->query(d->srv, handle, null_out ? NULL : &info), expected, before);
}

void npjt_trim(struct npjt_driver *d)
{
    if (!d->subject->trim)
        return;
    d->call = "trim";
    npjt_judge(d, d->subject->trim(d->srv), NPJ_STATUS_SUCCESS, 0);
    npjt_check_growth(d, true);
}
