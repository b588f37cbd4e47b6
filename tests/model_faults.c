/* SPDX-License-Identifier: MIT */
#include "model_faults.h"

#include <stddef.h>
#include <string.h>

#define GOOD npjt_subject_npjob

/** What the faults remember between calls. */
static struct {
    npj_action kept;
    bool have;
    npj_job closed;
} memory;

void model_fault_reset(void)
{
    memset(&memory, 0, sizeof memory);
}

/* ------------------------------------------------------------------------------------------------ order of actions */

/** Says two actions that follow each other, and of which @p swap says so, in the wrong order. */
static bool next_swapping(void *srv, npj_action *out, bool (*swap)(const npj_action *first, const npj_action *second))
{
    if (!out)
        return GOOD.next(srv, out);
    if (memory.have) {
        memory.have = false;
        *out = memory.kept;
        return true;
    }
    npj_action second;
    if (!GOOD.next(srv, out))
        return false;
    if (out->kind == NPJ_WRITE || !GOOD.next(srv, &second))
        return true;
    memory.have = true;
    memory.kept = second;
    if (swap(out, &second)) {
        memory.kept = *out;
        *out = second;
    }
    return true;
}

static bool of_two_jobs(const npj_action *first, const npj_action *second)
{
    return first->job != second->job && second->job != 0;
}

static bool next_breaks_turns(void *srv, npj_action *out)
{
    return next_swapping(srv, out, of_two_jobs);
}

static bool cancel_and_reply(const npj_action *first, const npj_action *second)
{
    return first->kind == NPJ_CANCEL && second->kind == NPJ_REPLY;
}

static bool next_replies_before_cancel(void *srv, npj_action *out)
{
    return next_swapping(srv, out, cancel_and_reply);
}

static bool two_write_replies(const npj_action *first, const npj_action *second)
{
    return first->kind == NPJ_REPLY && second->kind == NPJ_REPLY && first->request == NPJ_REQUEST_WRITE &&
           second->request == NPJ_REQUEST_WRITE;
}

static bool next_swaps_writes(void *srv, npj_action *out)
{
    return next_swapping(srv, out, two_write_replies);
}

/* ------------------------------------------------------------------------------------------- members of an action */

static bool next_without_cancelled(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->status == NPJ_STATUS_CANCELLED)
        out->status = NPJ_STATUS_SUCCESS;
    return more;
}

static bool next_leaves_rubbish(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_OPEN)
        out->count = 1;
    return more;
}

/* ---------------------------------------------------------------------------------------------------------- calls */

static npj_status close_remembers(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.close(srv, job, tag);
    if (status == NPJ_STATUS_PENDING)
        memory.closed = job;
    return status;
}

static npj_status write_after_close(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                    unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status != NPJ_STATUS_PIPE_CLOSING || job != memory.closed)
        return status;
    if (out)
        *out = 0;
    return NPJ_STATUS_PENDING;
}

static npj_status cancel_forgets(void *srv, npj_req request)
{
    (void)srv;
    (void)request;
    return NPJ_STATUS_NOT_FOUND;
}

static npj_status add_wants_memory(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                   npj_job *out)
{
    (void)out;
    (void)GOOD.add_job(srv, client, provider, cookie, tag, NULL); /* counts as refused */
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

static npj_status write_wants_memory(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                     unsigned flags, npj_req *out)
{
    (void)flags;
    (void)GOOD.write(srv, job, tag, bytes, length, 0, out); /* counts as refused */
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

/** A RESUME where there is nothing to say, once. */
static bool next_says_more(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY)
        memory.kept = (npj_action){.kind = NPJ_RESUME, .job = out->job, .cookie = out->cookie};
    if (more || !out || memory.have || memory.kept.job == 0)
        return more;
    memory.have = true;
    *out = memory.kept;
    return true;
}

/* ----------------------------------------------------------------------------------------------- limits and sight */

static npj_status new_one_by_one(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_batch = 1;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_too_late(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.add_timeout++;
    return GOOD.srv_new(&changed, out);
}

static void stats_forget_refused(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->refused = 0;
}

static void stats_forget_peak(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->packets.peak = out->packets.live;
}

static void stats_count_headers(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->pool_bytes.live = out->packets.live * out->packet_bytes;
}

static npj_status query_says_open(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = GOOD.query(srv, job, out);
    if (status == NPJ_STATUS_SUCCESS && out->state == NPJ_STATE_CLOSING)
        out->state = NPJ_STATE_OPEN;
    return status;
}

/* --------------------------------------------------------------------------------------------------------- the list */

#define NO_LAW    (-1)
#define WRITE_ONE "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext\n"
#define TWO_JOBS  "tape 1\nopen\nopen\nwrite job=newest length=16\nwrite job=newest-1 length=16\nhost\n"
#define CANCELLED                                                                                                      \
    "tape 1\nopen\nwrite length=16\nnext\ncancel write=newest\nnext\nwritten status=cancelled amount=0\nclose\nhost\n"

const struct model_fault *model_faults(size_t *count)
{
    static struct model_fault faults[20];
    size_t n = 0;
#define FAULT(text, number, events, member, function)                                                                  \
    do {                                                                                                               \
        faults[n] = (struct model_fault){text, number, events, GOOD};                                                  \
        faults[n].subject.name = "npjob with a fault";                                                                 \
        faults[n++].subject.member = function;                                                                         \
    } while (0)
    FAULT("a write is accepted after close", 5, "tape 1\nopen\nwrite length=16\nclose\nwrite length=16\nhost\n", write,
          write_after_close);
    faults[n - 1].subject.close = close_remembers;
    FAULT("an add wants for memory that is there", 5, "tape 1\nadd\n", add_job, add_wants_memory);
    FAULT("a write wants for memory that is there", 5, WRITE_ONE, write, write_wants_memory);
    FAULT("a RESUME comes out of nowhere", 9, "tape 1\nopen\n", next, next_says_more);
    FAULT("a cancel's status is lost", 8, CANCELLED, next, next_without_cancelled);
    FAULT("a cancel is not taken", 5, CANCELLED, cancel, cancel_forgets);
    FAULT("replies of writes change places", 7, "tape 1\nopen\nwrites length=4 count=3\nhost\n", next,
          next_swaps_writes);
    FAULT("jobs do not take turns", NO_LAW, TWO_JOBS, next, next_breaks_turns);
    FAULT("a REPLY comes before a CANCEL", NO_LAW,
          "tape 1\nopen\nwrite length=16\nnext\nabort status=print_cancelled\nnext\ncomplete\nhost\n", next,
          next_replies_before_cancel);
    FAULT("a member that the action does not name is not zero", 1, "tape 1\nopen\n", next, next_leaves_rubbish);
    FAULT("writes go out one by one", NO_LAW, "tape 1\nopen\nwrites length=4 count=3\nhost\n", srv_new, new_one_by_one);
    FAULT("a deadline comes too late", 9, "tape 1\nadd\n", srv_new, new_too_late);
    FAULT("refused requests are not counted", NO_LAW, "tape 1\nopen\nconnect\n", stats, stats_forget_refused);
    FAULT("a peak is forgotten", NO_LAW, WRITE_ONE, stats, stats_forget_peak);
    FAULT("only headers count as memory", 2, WRITE_ONE, stats, stats_count_headers);
    FAULT("a closing job says that it is open", NO_LAW, "tape 1\nopen\nwrite length=16\nclose\nhost\n", query,
          query_says_open);
#undef FAULT
    *count = n;
    return faults;
}
