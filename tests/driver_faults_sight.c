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

static bool drops_reply(void *srv, npj_action *out, npj_request_kind request)
{
    npj_action action;
    bool more = GOOD.next(srv, &action);
    if (more && action.kind == NPJ_REPLY && action.request == request)
        more = GOOD.next(srv, &action);
    if (more && out)
        *out = action;
    return more;
}

static bool next_drops_reply_to_write(void *srv, npj_action *out)
{
    return drops_reply(srv, out, NPJ_REQUEST_WRITE);
}

static bool next_drops_reply_to_close(void *srv, npj_action *out)
{
    return drops_reply(srv, out, NPJ_REQUEST_CLOSE);
}

/** The REPLY to a write that was taken has the reason for which its job has failed since. */
static bool next_replies_with_reason(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE && out->status == NPJ_STATUS_SUCCESS)
        out->status = NPJ_STATUS_IO_TIMEOUT;
    return more;
}

npj_status driver_fault_untraced(const npj_config *config, void **out)
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
COUNTS(stats_of_two, out->accepted = ++out->bytes_accepted + 1000)
COUNTS(stats_of_idle, out->idle_bytes += 2048)
COUNTS(stats_between_writes, out->bytes_accepted += memory.count == 1)
COUNTS(stats_after_written, out->accepted += memory.have)
COUNTS(stats_until_next, out->bytes_taken += memory.have)
COUNTS(stats_of_pool, out->pool_bytes.live += out->packets.live * 1024)

static npj_status write_counts(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out)
{
    memory.count++;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status written_miscounts(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    memory.have = true;
    return GOOD.written(srv, op, status, transferred);
}

static bool next_counts_anew(void *srv, npj_action *out)
{
    memory.have = false;
    return GOOD.next(srv, out);
}

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
SEES(query_of_early_job_id, out->job_id += out->state == NPJ_STATE_ADDING)
SEES(query_hides_failure, out->failure = NPJ_STATUS_SUCCESS)

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

/* --------------------------------------------------------------------------------------- when it is about to end */

static npj_status provider_stays(void *srv, uint64_t provider)
{
    (void)srv, (void)provider;
    return NPJ_STATUS_SUCCESS;
}

/** From here on a job is miscounted. */
static npj_status shutdown_miscounts(void *srv, npj_shutdown_how how)
{
    memory.have = true;
    return GOOD.shutdown(srv, how);
}

COUNTS(stats_count_one_more, out->jobs.live += memory.have)
COUNTS(stats_count_one_less, out->jobs.live -= memory.have)

WITHOUT(next_without_idle, NPJ_IDLE)

/** IDLE comes before all else. */
static bool next_is_idle_first(void *srv, npj_action *out)
{
    if (!out || memory.armed || !memory.have)
        return GOOD.next(srv, out);
    memory.armed = true;
    *out = (npj_action){.kind = NPJ_IDLE};
    return true;
}

static npj_status new_is_idle(const npj_config *config, void **out)
{
    memory.have = true;
    return GOOD.srv_new(config, out);
}

/** Of two reasons the first action has the one, and the next ones the other. */
static bool next_changes_reason(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && npj_status_is_error(out->status) && memory.count++ == 0)
        out->status =
            out->status == NPJ_STATUS_IO_TIMEOUT ? NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS : NPJ_STATUS_IO_TIMEOUT;
    return more;
}

/** It is the one in all actions, and the other where it is asked for. */
SEES(query_of_another_reason,
     out->failure = out->failure == NPJ_STATUS_IO_TIMEOUT ? NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS : out->failure)

static size_t at_the_end(struct fault *faults, size_t n)
{
    FAULT("a job is counted that is not there, and waited for", 10, "tape 1\nopen\nclose\nhost\nshutdown how=abort\n",
          stats, stats_count_one_more);
    faults[n - 1].subject.shutdown = shutdown_miscounts;
    faults[n - 1].subject.next = next_without_idle;
    SAYS("the server counts 1 live jobs, not 0");
    FAULT("a job is not counted, and not waited for", 10, "tape 1\nopen\nshutdown how=drain\n", stats,
          stats_count_one_less);
    faults[n - 1].subject.shutdown = shutdown_miscounts;
    faults[n - 1].subject.next = next_is_idle_first;
    SAYS("the server counts 0 live jobs, not 1");
    FAULT("a job is not waited for", 9, "tape 1\nopen\nshutdown how=drain\nnext\n", next, next_is_idle_first);
    faults[n - 1].subject.shutdown = shutdown_miscounts;
    SAYS("IDLE while something is left");
    FAULT("IDLE comes from the start", 9, "tape 1\nnext\n", next, next_is_idle_first);
    faults[n - 1].subject.srv_new = new_is_idle;
    SAYS("IDLE without a shutdown");
    FAULT("a provider that goes keeps its jobs", 10, "tape 1\nopen\nprovider_gone\n", provider_gone, provider_stays);
    faults[n - 1].subject.srv_new = driver_fault_untraced;
    SAYS("a job should have failed with STATUS_PIPE_DISCONNECTED");
    FAULT("a failure has two reasons, and nobody asks", 12, TWO_REASONS "complete\nnext\n", next, next_changes_reason);
    faults[n - 1].subject.query = NULL;
    SAYS("where STATUS_SERVER_SHUTDOWN_IN_PROGRESS is right");
    FAULT("a failure has another reason for those who ask", 8, TWO_REASONS, query, query_of_another_reason);
    SAYS("is answered with STATUS_IO_TIMEOUT where STATUS_SERVER_SHUTDOWN_IN_PROGRESS is right");
    return n;
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
    FAULT("the close of a failed job is never answered", 9, FAIL_ONE, next, next_drops_reply_to_close);
    SAYS("a REPLY is due");
    FAULT("a write is never answered whose job was aborted", 10, LENT, next, next_drops_reply_to_write);
    SAYS("a REPLY is due");
    FAULT("a write is never answered whose provider has gone", 10,
          "tape 1\nopen\nwrite length=16\nnext\nprovider_gone\nnext\n", next, next_drops_reply_to_write);
    SAYS("a REPLY is due");
    FAULT("a write that was taken is answered with the failure of its job", 8,
          "tape 1 max_batch=1 stall_timeout=10 drain_timeout=10\nadvance to=+0\nopen\nwrites length=4 count=2\nnext\n"
          "complete\nshutdown how=drain\nadvance to=+10\nnext\n",
          next, next_replies_with_reason);
    faults[n - 1].subject.query = NULL;
    FAULT("a deadline is kept back", 9, STALL, deadline, no_deadline);
    SAYS("the server has no deadline where 10 is right");
    FAULT("a write that has waited for its pipe has no deadline", 9,
          "tape 1 add_timeout=never connect_timeout=never\nadd\nconnect\nwrite\nnext\ncomplete\nnext\ncomplete\n",
          deadline, no_deadline);
    SAYS("the server has no deadline where 1000 is right");
    FAULT("a failed job's pipe is left open", 12, FAIL_ONE, next, next_without_close_pipe);
    SAYS("a failed job's pipe is not closed");
    FAULT("a failed job is left to its provider", 12, FAIL_ONE, next, next_without_abandon);
    SAYS("a failed job is not abandoned");
    FAULT("a job whose pipe would not close is scheduled",
          12, /* the deadline that it then has is no more than a sign */
          "tape 1\nopen\nclose\nnext\nfail status=access_denied\n", done, done_hides_failure);
    faults[n - 1].subject.srv_new = driver_fault_untraced;
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
    SAYS("544 bytes are live that are of no job and no packet, nor kept for reuse");
    FAULT("a wrong count brings out an action that abuses the allocator", 0,
          "tape 1\nopen\nwrite length=16\nnext\ncomplete\n", stats, stats_after_written);
    faults[n - 1].subject.written = written_miscounts;
    faults[n - 1].subject.srv_new = driver_fault_wrong_size;
    FAULT("an operation is counted twice", 3, WRITE_ONE, stats, stats_of_operations);
    SAYS("operations");
    FAULT("accepted bytes are miscounted", 8, WRITE_ONE, stats, stats_of_bytes_accepted);
    SAYS("bytes accepted");
    FAULT("accepted bytes and requests are miscounted", 8, WRITE_ONE, stats, stats_of_two);
    SAYS("bytes accepted");
    FAULT("accepted bytes are miscounted between two writes", 8, "tape 1\nopen\nwrites length=1 count=2\n", stats,
          stats_between_writes);
    faults[n - 1].subject.write = write_counts;
    SAYS("bytes accepted");
    FAULT("what the pipe took is miscounted until next is asked", 8, "tape 1\nopen\nwrite length=16\nhost\n", stats,
          stats_until_next);
    faults[n - 1].subject.written = written_miscounts;
    faults[n - 1].subject.next = next_counts_anew;
    SAYS("bytes taken");
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
    n = at_the_end(faults, miscounted(faults, kept_back(faults, n)));
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
    FAULT("a job has a JobId before it is added", 11, "tape 1\nadd\n", query, query_of_early_job_id);
    FAULT("a failed job does not say so", 9, FAIL_ONE, query, query_hides_failure);
    SAYS("a job should have failed with STATUS_PIPE_BROKEN");
    return n;
}
