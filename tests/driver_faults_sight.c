/* SPDX-License-Identifier: MIT */
/* Servers that keep to themselves what is due, or say what is not so when they are looked at. */
#include "driver_faults_internal.h"

/* ---------------------------------------------------------------------------------------------- what does not come */

#define WITHOUT(name, kind)                                                                                            \
    static bool name(void *srv, npj_action *out)                                                                       \
    {                                                                                                                  \
        return driver_fault_without(srv, out, kind);                                                                   \
    }
WITHOUT(next_without_open, NPJ_OPEN)
WITHOUT(next_without_cancel, NPJ_CANCEL)
WITHOUT(next_without_close_pipe, NPJ_CLOSE_PIPE)
WITHOUT(next_without_abandon, NPJ_ABANDON_JOB)

WITHOUT(next_without_write, NPJ_WRITE)

static bool next_drops_reply_to_write(void *srv, npj_action *out)
{
    npj_action action;
    bool more = GOOD.next(srv, &action);
    if (more && action.kind == NPJ_REPLY && action.request == NPJ_REQUEST_WRITE)
        more = GOOD.next(srv, &action);
    if (more && out)
        *out = action;
    return more;
}

/** The REPLY to a write that was taken has the reason for which its job has failed since. */
static bool next_replies_with_reason(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE && out->status == NPJ_STATUS_SUCCESS)
        out->status = NPJ_STATUS_IO_TIMEOUT;
    return more;
}

static npj_status new_that_tells_nothing(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.trace = NULL;
    return GOOD.srv_new(&changed, out);
}

/** No operation of the pipe's end or of the provider fails. */
static npj_status done_hides_failure(void *srv, npj_op op, npj_status status)
{
    return GOOD.done(srv, op, npj_status_is_error(status) ? NPJ_STATUS_SUCCESS : status);
}

static uint64_t no_deadline(const void *srv)
{
    (void)srv;
    return NPJ_NEVER;
}

/* -------------------------------------------------------------------------------------------------- what it says */

#define COUNTS(name, statement)                                                                                        \
    static void name(const void *srv, npj_stats *out)                                                                  \
    {                                                                                                                  \
        GOOD.stats(srv, out);                                                                                          \
        statement;                                                                                                     \
    }
COUNTS(stats_of_reserved, out->reserved_packets.live++)
COUNTS(stats_of_jobs, out->jobs.live++)
COUNTS(stats_of_accepted, out->accepted++)
COUNTS(stats_of_replies, out->replies++)
COUNTS(stats_of_operations, out->operations++)
COUNTS(stats_of_memory, out->memory_bytes++)
COUNTS(stats_of_bytes_accepted, out->bytes_accepted++)
COUNTS(stats_of_idle, out->idle_bytes += 2048)
COUNTS(stats_of_pool, out->pool_bytes.live += out->packets.live * 1024)

/** Keeps whatever it has room for, and says that it keeps nothing. */
COUNTS(stats_hide_what_is_kept, out->idle_bytes = 0)

static npj_status new_keeping_all(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_idle_bytes = UINT64_C(1) << 30;
    return GOOD.srv_new(&changed, out);
}

#define SEES(name, statement)                                                                                          \
    static npj_status name(const void *srv, npj_job job, npj_job_info *out)                                            \
    {                                                                                                                  \
        npj_status status = GOOD.query(srv, job, out);                                                                 \
        if (status == NPJ_STATUS_SUCCESS && out) {                                                                     \
            statement;                                                                                                 \
        }                                                                                                              \
        return status;                                                                                                 \
    }
SEES(query_of_packets, out->packets++)
SEES(query_of_bytes, out->bytes++)
SEES(query_of_client, out->client++)
SEES(query_of_cookie, out->cookie++)
SEES(query_of_job_id, out->job_id++)

static npj_status query_knows_nobody(const void *srv, npj_job job, npj_job_info *out)
{
    (void)srv, (void)job, (void)out;
    return NPJ_STATUS_INVALID_HANDLE;
}

/** A job that has ended is as it was when it was seen last. */
static npj_status query_remembers(const void *srv, npj_job job, npj_job_info *out)
{
    static npj_job_info last;
    npj_status status = GOOD.query(srv, job, out);
    if (status == NPJ_STATUS_SUCCESS && out)
        last = *out;
    else if (out)
        *out = last;
    return NPJ_STATUS_SUCCESS;
}

static const char *check_is_never_content(const void *srv)
{
    (void)srv;
    return "all is well";
}

/* --------------------------------------------------------------------------------------------------------- the list */

static size_t kept_back(struct fault *faults, size_t n)
{
    FAULT("CANCEL never comes", 3, CANCELLED, next, next_without_cancel);
    SAYS("a CANCEL is due");
    FAULT("OPEN never comes", 9, WRITE_ONE, next, next_without_open);
    SAYS("a request waits, and no operation is in flight");
    FAULT("WRITE never comes", 9, WRITE_ONE, next, next_without_write);
    SAYS("a request waits, and no operation is in flight");
    FAULT("a write is never answered", 1, WRITE_ONE, next, next_drops_reply_to_write);
    SAYS("a REPLY is due");
    FAULT("a write that was taken is answered with the failure of its job", 8,
          "tape 1 max_batch=1 stall_timeout=10 drain_timeout=10\nadvance to=+0\nopen\nwrites length=4 count=2\nnext\n"
          "complete\nshutdown how=drain\nadvance to=+10\nnext\n",
          next, next_replies_with_reason);
    faults[n - 1].subject.query = NULL;
    FAULT("a deadline is kept back", 9, STALL, deadline, no_deadline);
    SAYS("the server has no deadline where 10 is right");
    FAULT("a failed job's pipe is left open", 12, FAIL_ONE, next, next_without_close_pipe);
    SAYS("a failed job's pipe is not closed");
    FAULT("a failed job is left to its provider", 12, FAIL_ONE, next, next_without_abandon);
    SAYS("a failed job is not abandoned");
    FAULT("a job whose pipe would not close is scheduled",
          12, /* the deadline that it then has is no more than a sign */
          "tape 1\nopen\nclose\nnext\nfail status=access_denied\n", done, done_hides_failure);
    faults[n - 1].subject.srv_new = new_that_tells_nothing;
    faults[n - 1].subject.query = NULL;
    SAYS("SCHEDULE_JOB of a job that is truncated or has failed");
    return n;
}

static size_t miscounted(struct fault *faults, size_t n)
{
    FAULT("a request is counted twice", 1, WRITE_ONE, stats, stats_of_accepted);
    SAYS("accepted requests");
    FAULT("a REPLY is counted twice", 1, WRITE_ONE, stats, stats_of_replies);
    SAYS("replies");
    FAULT("a reserved packet is counted that is not there", 2, WRITE_ONE, stats, stats_of_reserved);
    SAYS("live packets of adds, connects and closes");
    FAULT("memory is counted that is not there", 2, WRITE_ONE, stats, stats_of_memory);
    SAYS("bytes of memory");
    FAULT("what is kept for reuse is not counted", 2, "tape 1 reuse=little\nopen\nwrite length=512\nhost\n", stats,
          stats_hide_what_is_kept);
    faults[n - 1].subject.srv_new = new_keeping_all;
    SAYS("that are of no job and no packet, nor kept for reuse");
    FAULT("an operation is counted twice", 3, WRITE_ONE, stats, stats_of_operations);
    SAYS("operations");
    FAULT("accepted bytes are miscounted", 8, WRITE_ONE, stats, stats_of_bytes_accepted);
    SAYS("bytes accepted");
    FAULT("packets take more than the pool", 9, "tape 1 max_pool=1024\nopen\nwrite length=16\nhost\n", stats,
          stats_of_pool);
    SAYS("more memory in packets than max_pool_bytes");
    FAULT("what is kept takes more than the pool", 9, "tape 1 max_pool=1024 reuse=on\nopen\nwrite length=16\nhost\n",
          stats, stats_of_idle);
    SAYS("more memory in packets than max_pool_bytes");
    FAULT("a job is counted that is not there", 10, WRITE_ONE, stats, stats_of_jobs);
    SAYS("live jobs");
    return n;
}

size_t driver_faults_in_sight(struct fault *faults, size_t n)
{
    n = miscounted(faults, kept_back(faults, n));
    FAULT("a job has a packet too many", 2, WRITE_ONE, query, query_of_packets);
    SAYS("packets in a job");
    FAULT("a job has a byte too many", 2, WRITE_ONE, query, query_of_bytes);
    SAYS("bytes in a job");
    FAULT("no job is known", 3, WRITE_ONE, query, query_knows_nobody);
    SAYS("a live job's handle is refused");
    FAULT("an invariant never holds", 5, WRITE_ONE, check, check_is_never_content);
    SAYS("an invariant of the server does not hold: all is well");
    FAULT("a job that has ended is remembered", 10, "tape 1\nopen\nclose\nnext\ncomplete\nnext\ncomplete\nnext\n",
          query, query_remembers);
    SAYS("a job that has ended is in state");
    FAULT("a job has another's client", 11, WRITE_ONE, query, query_of_client);
    FAULT("a job has another's cookie", 11, WRITE_ONE, query, query_of_cookie);
    FAULT("a job has another's JobId", 11, WRITE_ONE, query, query_of_job_id);
    return n;
}
