/* SPDX-License-Identifier: MIT */
#include "twin_faults.h"
#include "twin_scripts.h"

#include <string.h>

#define GOOD npjt_subject_npjob

/* What the faults remember of one engine. */
static struct {
    npj_mem mem;
    void *srv;
    npj_job last_job;
    npj_op last_op; /* what the last npj_next() handed out; 0 if there was nothing */
    npj_job first_job;
    npj_action first_add; /* taken, and not yet handed out */
    bool starved, many, late, again, resumed;
    uint64_t now, looks, looked; /* queries, all and those behind which an action was asked for */
    npj_action last;
    npj_iov iov;
    uint8_t bytes[4096];
} memory;

static npj_status new_with_memory(const npj_config *config, void **out)
{
    memset(&memory, 0, sizeof memory);
    memory.mem = config->mem;
    npj_status status = GOOD.srv_new(config, out);
    memory.srv = *out;
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- commute */

static npj_status write_noting_job(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                   unsigned flags, npj_req *out)
{
    memory.last_job = job;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status abort_last_written(void *srv, npj_job job, npj_status reason)
{
    return GOOD.abort(srv, memory.last_job ? memory.last_job : job, reason);
}

static npj_status add_noting_first(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                   npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING && !memory.first_job)
        memory.first_job = *out;
    return status;
}

static bool next_with_first_last(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out->kind == NPJ_ADD_JOB && out->job == memory.first_job) {
        memory.first_add = *out;
        more = GOOD.next(srv, out);
    }
    if (more || !memory.first_add.op)
        return more;
    *out = memory.first_add;
    memory.first_add.op = 0;
    return true;
}

/* ------------------------------------------------------------------------------------------------------------- lent */

static npj_status write_lends_less(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                   unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, tag, bytes, flags == NPJ_LEND && length > 0 ? length - 1 : length, flags, out);
}

static npj_status write_lends_less_to_second(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                             unsigned flags, npj_req *out)
{
    memory.first_job = memory.first_job != 0 ? memory.first_job : job;
    length -= flags == NPJ_LEND && job != memory.first_job && length > 0;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static bool next_never_held(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    out->held = false;
    return more;
}

static bool next_without_return(void *srv, npj_action *out)
{
    bool more;
    do
        more = GOOD.next(srv, out);
    while (more && out->kind == NPJ_RETURN);
    return more;
}

/* --------------------------------------------------------------------------------------------------------- deferred */

static bool next_noting_op(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    memory.last_op = more && out->kind <= NPJ_ABANDON_JOB ? out->op : 0;
    return more;
}

static npj_status written_at_once_counts_less(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    return GOOD.written(srv, op, status, transferred > 1 && op == memory.last_op ? transferred - 1 : transferred);
}

/* Whether the operation that has been completed was not the last thing that was said. */
static void note_late(npj_op op)
{
    memory.late |= op != memory.last_op;
}

static npj_status written_noting_late(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    note_late(op);
    return GOOD.written(srv, op, status, transferred);
}

static bool next_repeats_late_reply(void *srv, npj_action *out)
{
    if (memory.again) {
        memory.again = false;
        *out = memory.last;
        return true;
    }
    bool more = next_noting_op(srv, out);
    memory.again = more && memory.late && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE;
    memory.last = *out;
    return more;
}

/* Changes actions of a kind behind a completion that came late. */
static bool next_changed_late(void *srv, npj_action *out, npj_action_kind kind, void (*change)(npj_action *said))
{
    bool more = next_noting_op(srv, out);
    if (more && memory.late && out->kind == kind)
        change(out);
    return more;
}

static void counted_short(npj_action *said)
{
    said->count -= said->request == NPJ_REQUEST_WRITE;
}

static bool next_counts_short_late(void *srv, npj_action *out)
{
    return next_changed_late(srv, out, NPJ_REPLY, counted_short);
}

static void broken(npj_action *said)
{
    said->status = NPJ_STATUS_PIPE_BROKEN;
}

static bool next_replies_broken_late(void *srv, npj_action *out)
{
    return next_changed_late(srv, out, NPJ_REPLY, broken);
}

static bool next_closes_broken_late(void *srv, npj_action *out)
{
    return next_changed_late(srv, out, NPJ_CLOSE_PIPE, broken);
}

static void abandoned(npj_action *said)
{
    said->kind = NPJ_ABANDON_JOB;
}

static bool next_abandons_late(void *srv, npj_action *out)
{
    return next_changed_late(srv, out, NPJ_SCHEDULE_JOB, abandoned);
}

static npj_status write_refused_otherwise_late(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                               unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    return memory.late && status == NPJ_STATUS_PIPE_CLOSING ? NPJ_STATUS_INVALID_PARAMETER : status;
}

static void another_id(npj_action *said)
{
    said->job_id += 100;
}

static bool next_schedules_another_late(void *srv, npj_action *out)
{
    return next_changed_late(srv, out, NPJ_SCHEDULE_JOB, another_id);
}

static npj_status connect_cannot_wait(void *srv, npj_job job, uint64_t tag)
{
    npj_job_info info;
    if (GOOD.query(srv, job, &info) == NPJ_STATUS_SUCCESS && info.state == NPJ_STATE_ADDING)
        return NPJ_STATUS_INVALID_PIPE_STATE;
    return GOOD.connect(srv, job, tag);
}

/* ------------------------------------------------------------------------------------------------------------ retry */

static npj_status connect_aborts(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.connect(srv, job, tag);
    if (status == NPJ_STATUS_INVALID_PIPE_STATE)
        (void)GOOD.abort(srv, job, NPJ_STATUS_PRINT_CANCELLED);
    return status;
}

static npj_status write_loses_heart(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                    unsigned flags, npj_req *out)
{
    if (memory.starved)
        return NPJ_STATUS_PIPE_BROKEN;
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    memory.starved = status == NPJ_STATUS_INSUFFICIENT_RESOURCES;
    return status;
}

/* Where a write is refused, its job is aborted if @status is why. */
static npj_status write_aborts(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out, npj_status why)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == why)
        (void)GOOD.abort(srv, job, NPJ_STATUS_PRINT_CANCELLED);
    return status;
}

static npj_status write_starved_aborts(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                       unsigned flags, npj_req *out)
{
    return write_aborts(srv, job, tag, bytes, length, flags, out, NPJ_STATUS_INSUFFICIENT_RESOURCES);
}

static npj_status write_crowded_aborts(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                       unsigned flags, npj_req *out)
{
    return write_aborts(srv, job, tag, bytes, length, flags, out, NPJ_STATUS_QUOTA_EXCEEDED);
}

static npj_status cancel_always_good(void *srv, npj_req request)
{
    (void)GOOD.cancel(srv, request);
    return NPJ_STATUS_PENDING;
}

static bool next_without_resume(void *srv, npj_action *out)
{
    bool more;
    do
        more = GOOD.next(srv, out);
    while (more && out->kind == NPJ_RESUME);
    return more;
}

static bool next_with_one_resume(void *srv, npj_action *out)
{
    bool more;
    do
        more = GOOD.next(srv, out);
    while (more && out->kind == NPJ_RESUME && memory.resumed);
    memory.resumed |= more && out->kind == NPJ_RESUME;
    return more;
}

/* ------------------------------------------------------------------------------------------------------------ query */

static npj_status query_takes_action(const void *srv, npj_job job, npj_job_info *out)
{
    npj_action lost;
    (void)GOOD.next(memory.srv, &lost);
    return GOOD.query(srv, job, out);
}

static npj_status query_is_counted(const void *srv, npj_job job, npj_job_info *out)
{
    memory.looks++;
    return GOOD.query(srv, job, out);
}

static void stats_count_queries(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->jobs.total += memory.looks;
}

static bool next_loses_close_of_queried(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    bool lost = more && memory.looks > 0 && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_CLOSE;
    return lost ? GOOD.next(srv, out) : more;
}

static bool next_behind_queries(void *srv, npj_action *out)
{
    memory.looked = memory.looks;
    return GOOD.next(srv, out);
}

static uint64_t digest_of_queries(const void *srv)
{
    return GOOD.digest(srv) + (srv == memory.srv ? memory.looked : 0);
}

static void stats_count_themselves(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->refused += memory.looks++;
}

static uint64_t deadline_comes_nearer(const void *srv)
{
    return GOOD.deadline(srv) - memory.looks++;
}

static const char *check_is_never_content(const void *srv)
{
    (void)srv;
    return "all is well";
}

static npj_status advance_both_ways(void *srv, uint64_t now)
{
    npj_status status = GOOD.advance(srv, now < memory.now ? memory.now + 100000 : now);
    memory.now = now > memory.now ? now : memory.now;
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ batch */

static bool next_noting_batch(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out->kind == NPJ_WRITE)
        memory.many = out->iov_count > 1;
    return more;
}

static bool next_counts_batch_short(void *srv, npj_action *out)
{
    bool more = next_noting_batch(srv, out);
    if (more && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE && memory.many && out->count > 0)
        out->count--;
    return more;
}

/* Once there were many, a RESUME is lost. */
static bool next_loses_resume_of_many(void *srv, npj_action *out)
{
    bool more;
    do {
        more = GOOD.next(srv, out);
        memory.again |= more && out->kind == NPJ_WRITE && out->iov_count > 1;
    } while (more && memory.again && out->kind == NPJ_RESUME);
    return more;
}

/* Of many packets the pipe is given the first with its last byte changed. */
static bool next_changes_many(void *srv, npj_action *out)
{
    static npj_iov pieces[64];
    bool more = GOOD.next(srv, out);
    if (more && out->kind == NPJ_WRITE && out->iov_count > 1) {
        memcpy(pieces, out->iov, out->iov_count * sizeof *pieces);
        memcpy(memory.bytes, pieces[0].base, pieces[0].length);
        memory.bytes[pieces[0].length - 1] ^= 1;
        pieces[0].base = memory.bytes;
        out->iov = pieces;
    }
    return more;
}

static npj_status written_many_loses_action(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    npj_status said = GOOD.written(srv, op, status, transferred);
    if (memory.many && transferred > 0) {
        npj_action early; /* what would be taken later is taken now, and lost */
        (void)GOOD.next(srv, &early);
    }
    return said;
}

const uint8_t *twin_plain_script(size_t *size)
{
    *size = sizeof plain;
    return plain;
}

/* --------------------------------------------------------------------------------------------------------- the list */

const struct twin_fault *twin_faults(size_t *count)
{
    static struct twin_fault faults[48];
    size_t n = 0;
#define FAULT(text, found_by, says, steps, member, function)                                                           \
    do {                                                                                                               \
        faults[n] = (struct twin_fault){text, NPJT_RELATION_##found_by, says, steps, sizeof(steps), GOOD};             \
        faults[n].subject.name = "npjob with a fault";                                                                 \
        faults[n].subject.srv_new = new_with_memory;                                                                   \
        faults[n++].subject.member = function;                                                                         \
    } while (0)
    FAULT("an abort ends the job that was last written to", COMMUTE, "in another order: ", aborted, abort,
          abort_last_written);
    faults[n - 1].subject.write = write_noting_job;
    FAULT("the job that was added first has the last turn", COMMUTE, "in another order: job 2, ADD_JOB", crossed, next,
          next_with_first_last);
    faults[n - 1].subject.add_job = add_noting_first;
    FAULT("the last lent byte is not written", LENT, "WRITE of 8 bytes", plain, write, write_lends_less);
    FAULT("RETURN never comes", LENT, "lent payloads are not returned", aborted, next, next_without_return);
    FAULT("a held write is said not to be", LENT, "the pipe of job 0", aborted, next, next_never_held);
    FAULT("a completion that comes at once counts short", DEFERRED, "the pipe of job 0", plain, written,
          written_at_once_counts_less);
    faults[n - 1].subject.next = next_noting_op;
    FAULT("a connect cannot wait for AddJob", DEFERRED, "the request of tag 2", pipelined, connect,
          connect_cannot_wait);
    FAULT("a refused connect aborts", RETRY, "a second connect has changed the digest", connected_twice, connect,
          connect_aborts);
    FAULT("a write that wanted for memory cannot be made again", RETRY, "STATUS_PIPE_BROKEN", starved, write,
          write_loses_heart);
    FAULT("RESUME never comes", RETRY, "never made", crowded, next, next_without_resume);
    FAULT("RESUME never comes again", RETRY, "never made", crowded, next, next_with_one_resume);
    FAULT("a query takes an action", QUERY, "a query of a job has changed the digest", looked_at, query,
          query_takes_action);
    FAULT("a query takes an action, and there is no digest", QUERY, "with queries: ", looked_at, query,
          query_takes_action);
    faults[n - 1].subject.digest = NULL;
    FAULT("a time gone by counts", QUERY, "an advance to a time gone by has changed the digest", turned_back, advance,
          advance_both_ways);
    FAULT("a WRITE of many counts its writes short", BATCH, "tag ", plain, next, next_counts_batch_short);
    FAULT("after a WRITE of many an action is lost", BATCH, "tag ", plain, written, written_many_loses_action);
    faults[n - 1].subject.next = next_noting_batch;
    FAULT("a completion that comes late is answered twice", DEFERRED, ", more than once", plain, next,
          next_repeats_late_reply);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("after a completion that comes late another job is scheduled", DEFERRED, "asked for one thing", plain, next,
          next_schedules_another_late);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("a write that wants for memory aborts", RETRY, "refused for want of memory has changed the digest", starved,
          write, write_starved_aborts);
    FAULT("a write that wants for room aborts", RETRY, "refused for want of room has changed the digest", crowded,
          write, write_crowded_aborts);
    FAULT("a cancel of nothing is taken", RETRY, "a cancel of nothing is not refused", cancelled_nothing, cancel,
          cancel_always_good);
    FAULT("a query counts as a job", QUERY, "the statistics at the end differ", looked_at, query, query_is_counted);
    faults[n - 1].subject.stats = stats_count_queries;
    FAULT("a query shows in the digest, later", QUERY, "the digests at the end differ", looked_at, query,
          query_is_counted);
    faults[n - 1].subject.digest = digest_of_queries;
    faults[n - 1].subject.next = next_behind_queries;
    FAULT("the statistics count those who ask for them", QUERY, "statistics asked for twice differ", counted, stats,
          stats_count_themselves);
    FAULT("a deadline comes nearer when it is asked for", QUERY, "the deadline asked for twice differs", timed,
          deadline, deadline_comes_nearer);
    FAULT("an invariant never holds", QUERY, "an invariant does not hold: all is well", checked, check,
          check_is_never_content);
    FAULT("a RESUME is lost behind a WRITE of many", BATCH, "RESUMEs", crowded_twice, next, next_loses_resume_of_many);
    FAULT("a WRITE of many has a byte changed", BATCH, "the pipe of job 0", plain, next, next_changes_many);
    FAULT("the last lent byte of a second job is not written", LENT, "job 1, WRITE of 15 bytes", plain, write,
          write_lends_less_to_second);
    FAULT("a completion that comes late counts short", DEFERRED, "the request of tag", plain, next,
          next_counts_short_late);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("a completion that comes late is answered with another status", DEFERRED, "STATUS_PIPE_BROKEN", plain, next,
          next_replies_broken_late);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("after a completion that comes late the pipe is reset", DEFERRED, "asked for one thing", plain, next,
          next_closes_broken_late);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("after a completion that comes late the job is abandoned", DEFERRED, "asked for one thing", plain, next,
          next_abandons_late);
    faults[n - 1].subject.written = written_noting_late;
    FAULT("after a completion that comes late a write is refused otherwise", DEFERRED,
          "refused with STATUS_INVALID_PARAMETER", written_late, write, write_refused_otherwise_late);
    faults[n - 1].subject.next = next_noting_op;
    faults[n - 1].subject.written = written_noting_late;
    FAULT("the REPLY to a close is lost behind a query", QUERY, "with queries: nothing more", looked_at, query,
          query_is_counted);
    faults[n - 1].subject.next = next_loses_close_of_queried;
#undef FAULT
    *count = n;
    return faults;
}
