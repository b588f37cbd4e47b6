/* SPDX-License-Identifier: MIT */
/* The laws that are held against the server after every event, whatever the event was. */
#include "driver_state.h"

/* -------------------------------------------------------------------------------------------------------- allocator */

/** Blocks that engine and jobs may take, or UINT64_MAX if the subject does not say what one holds. */
static uint64_t blocks_of_jobs(const struct npjt_driver *d)
{
    const npjt_subject *subject = d->subject;
    if (subject->engine_blocks == 0)
        return UINT64_MAX;
    return subject->engine_blocks + (uint64_t)d->jobs * subject->idle_job_blocks;
}

static uint64_t blocks_of_packets(const struct npjt_driver *d)
{
    return (uint64_t)d->packets * d->subject->packet_blocks;
}

static void check_explained(struct npjt_driver *d, uint64_t live)
{
    uint64_t explained = blocks_of_jobs(d);
    if (explained == UINT64_MAX)
        return;
    explained += blocks_of_packets(d);
    if (live > explained)
        npjt_violate(d, NPJT_LAW_PACKETS, "%llu blocks are live where %u jobs and %u packets explain %llu",
                     (unsigned long long)live, (unsigned)d->jobs, (unsigned)d->packets, (unsigned long long)explained);
}

/** What is live when there is no packet. A job may take a block of its own late, if the subject says how many it may
 * have: bytes may be more than they were only where blocks are. */
void npjt_check_growth(struct npjt_driver *d, bool trimmed)
{
    if (d->limits.reuse && !trimmed)
        return;
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    uint64_t blocks = pool->blocks.live, bytes = pool->bytes.live;
    check_explained(d, blocks);
    if (d->packets > 0)
        return;
    uint8_t jobs = d->jobs;
    bool more_blocks = blocks > d->base_blocks[jobs];
    if (!d->base_set[jobs] || (more_blocks && blocks_of_jobs(d) != UINT64_MAX)) {
        d->base_blocks[jobs] = blocks;
        if (!d->base_set[jobs] || bytes > d->base_bytes[jobs])
            d->base_bytes[jobs] = bytes;
        d->base_set[jobs] = true;
    } else if (more_blocks || bytes > d->base_bytes[jobs]) {
        npjt_violate(d, NPJT_LAW_PACKETS,
                     "memory has grown: with %u jobs and no packet %llu blocks and %llu bytes are live, %llu and %llu "
                     "before; %llu bytes have been written",
                     (unsigned)jobs, (unsigned long long)blocks, (unsigned long long)bytes,
                     (unsigned long long)d->base_blocks[jobs], (unsigned long long)d->base_bytes[jobs],
                     (unsigned long long)d->bytes_taken);
    }
}

/* ----------------------------------------------------------------------------------------------------- the counters */

static void equal(struct npjt_driver *d, unsigned law, const char *what, uint64_t says, uint64_t right)
{
    if (says != right)
        npjt_violate(d, law, "the server counts %llu %s, not %llu", (unsigned long long)says, what,
                     (unsigned long long)right);
}

bool npjt_is_cause(struct npjt_driver *d, unsigned law)
{
    if (npjt_is_off(d, law))
        return false;
    npjt_take_many(d, 0);
    if (d->result->finding >= 0)
        return false;
    d->stop = false; /* where a law is off, an action may have ended the run */
    return true;
}

static void equal_at_last(struct npjt_driver *d, unsigned law, const char *what, uint64_t says, uint64_t right)
{
    if (says == right || npjt_is_off(d, law))
        return;
    d->miscounted = true;
    if (npjt_is_cause(d, law))
        equal(d, law, what, says, right);
}

/** Whether a job may have taken a block of its own that nobody has seen without packets yet. */
static bool base_is_low(const struct npjt_driver *d, uint64_t blocks)
{
    uint64_t base = d->base_blocks[d->jobs], most = blocks_of_jobs(d);
    return most != UINT64_MAX && base < most && blocks > base + blocks_of_packets(d);
}

/** What is live beyond what so many jobs take without a packet is in packets, or kept for them. */
static void check_pool_bound(struct npjt_driver *d)
{
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    uint64_t most = d->limits.max_pool_bytes, live = pool->bytes.live;
    if (most > 0 && d->base_set[d->jobs] && live > d->base_bytes[d->jobs] + most && !base_is_low(d, pool->blocks.live))
        npjt_violate(d, NPJT_LAW_BOUNDS, "packets take %llu bytes of memory, more than max_pool_bytes",
                     (unsigned long long)(live - d->base_bytes[d->jobs]));
}

/** What the server says of its memory adds up to what it has: else more could be kept, or lost, than it says. A job's
 * share of the engine's own block is counted twice. */
static void check_sum(struct npjt_driver *d, const npj_stats *stats)
{
    uint64_t live = npjt_counting_stats_of(&d->pool)->bytes.live;
    uint64_t sum = d->engine_bytes + stats->jobs.live * stats->job_bytes + stats->pool_bytes.live + stats->idle_bytes;
    if (stats->job_bytes > 0 && live > sum)
        npjt_violate(d, NPJT_LAW_PACKETS, "%llu bytes are live that are of no job and no packet, nor kept for reuse",
                     (unsigned long long)(live - sum));
}

void npjt_check_call(struct npjt_driver *d)
{
    check_pool_bound(d);
    if (d->stop || !d->subject->stats)
        return;
    npj_stats stats;
    d->subject->stats(d->srv, &stats);
    equal(d, NPJT_LAW_COUNTS, "bytes accepted", stats.bytes_accepted, d->bytes_accepted);
    equal(d, NPJT_LAW_COUNTS, "bytes taken", stats.bytes_taken, d->bytes_taken);
    equal_at_last(d, NPJT_LAW_PACKETS, "live packets", stats.packets.live, d->packets);
    if (d->packets == 0)
        equal_at_last(d, NPJT_LAW_PACKETS, "bytes in packets", stats.pool_bytes.live, 0);
    equal_at_last(d, NPJT_LAW_PACKETS, "live packets of adds, connects and closes", stats.reserved_packets.live,
                  d->reserved);
    equal_at_last(d, NPJT_LAW_RECLAIM, "live jobs", stats.jobs.live, d->jobs);
    equal_at_last(d, NPJT_LAW_ANSWERS, "accepted requests", stats.accepted, d->accepted);
    equal_at_last(d, NPJT_LAW_ANSWERS, "replies", stats.replies, d->replies);
    equal_at_last(d, NPJT_LAW_OPERATIONS, "operations", stats.operations, d->operations);
    if (stats.jobs.live > d->limits.max_jobs || stats.packets.live > d->limits.max_packets)
        npjt_violate(d, NPJT_LAW_BOUNDS, "more jobs or packets than the configuration allows");
    if (d->limits.max_pool_bytes && stats.pool_bytes.live + stats.idle_bytes > d->limits.max_pool_bytes)
        npjt_violate(d, NPJT_LAW_BOUNDS, "more memory in packets than max_pool_bytes");
    if (stats.idle_bytes > d->limits.max_idle_bytes)
        npjt_violate(d, NPJT_LAW_BOUNDS, "more memory is kept for reuse than max_idle_bytes");
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    equal_at_last(d, NPJT_LAW_PACKETS, "bytes of memory", stats.memory_bytes, pool->bytes.live);
    check_sum(d, &stats);
}

void npjt_check_gone(struct npjt_driver *d, const struct a_job *job)
{
    npj_job_info info = {0};
    if (d->subject->query && d->subject->query(d->srv, job->handle, &info) != NPJ_STATUS_INVALID_HANDLE)
        npjt_violate(d, NPJT_LAW_RECLAIM, "a job that has ended is in state %s", npj_state_name(info.state));
}

/** Looks at one job through the server's own eyes. */
static void check_job(struct npjt_driver *d, struct a_job *job)
{
    if (job->gone) {
        npjt_check_gone(d, job);
        return;
    }
    npj_job_info info = {0};
    npj_status status = d->subject->query(d->srv, job->handle, &info);
    if (status != NPJ_STATUS_SUCCESS) {
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a live job's handle is refused");
        return;
    }
    bool failed = info.failure != NPJ_STATUS_SUCCESS;
    if (failed && !job->failed)
        npjt_violate(d, NPJT_LAW_ISOLATION, "a job has failed with %s for no reason of its own, in state %s",
                     npj_status_name(info.failure), npj_state_name(info.state));
    else if (!failed && job->failed)
        npjt_violate(d, job->forget || job->provider_gone ? NPJT_LAW_RECLAIM : NPJT_LAW_BOUNDS,
                     "a job should have failed with %s and is in state %s", npj_status_name(job->failure),
                     npj_state_name(info.state));
    else if (npjt_may_be_failure(job, info.failure))
        npjt_learn_failure(d, job, info.failure);
    else if (info.failure != job->failure)
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "a job's first failure is %s, not %s", npj_status_name(info.failure),
                     npj_status_name(job->failure));
    equal_at_last(d, NPJT_LAW_PACKETS, "packets in a job", info.packets, job->packets);
    equal_at_last(d, NPJT_LAW_PACKETS, "bytes in a job", info.bytes, job->bytes);
    if (info.client != job->client || info.provider != job->provider || info.cookie != job->cookie ||
        info.job_id != job->job_id)
        npjt_violate(d, NPJT_LAW_ISOLATION, "a job has the client, provider, cookie or JobId of another");
}

void npjt_check_event(struct npjt_driver *d)
{
    if (d->stop || !d->srv)
        return;
    const char *wrong = d->subject->check ? d->subject->check(d->srv) : NULL;
    if (wrong)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "an invariant of the server does not hold: %s", wrong);
    npjt_check_call(d);
    for (uint8_t i = 0; d->subject->query && i < d->jobs && !d->stop; i++)
        check_job(d, &d->job[d->order[i]]);
    npjt_check_deadline(d);
    npjt_mix_state(d);
}

/* ----------------------------------------------------------------------------------------------- nothing more to do */

/** Why a reply that is due should have come. */
static unsigned law_of_reply(const struct a_job *job)
{
    if (job->forget || job->provider_gone)
        return NPJT_LAW_RECLAIM;
    return job->failed ? NPJT_LAW_BOUNDS : NPJT_LAW_ANSWERS;
}

/** The server says that there is nothing to do: then nothing may be due. */
static void check_nothing_due(struct npjt_driver *d, const struct a_job *job)
{
    bool due = false, waiting = false, return_due = false;
    for (unsigned kind = 0; kind < 4; kind++) {
        due |= job->phase[kind] == ANSWERED;
        waiting |= job->phase[kind] == WAITING;
    }
    for (const struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write)) {
        due |= write->answered && !write->replied;
        waiting |= !write->answered;
        return_due |= write->held && !write->in_op;
    }
    if (due)
        npjt_violate(d, law_of_reply(job), "a REPLY is due, and the server has nothing to say");
    if (return_due)
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RETURN is due, and the server has nothing to say");
    if (waiting && job->op == 0)
        npjt_violate(d, NPJT_LAW_BOUNDS, "a request waits, and no operation is in flight that could answer it");
    if (job->cancel_owed)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a CANCEL is due, and the server has nothing to say");
    if (job->failed && job->op == 0 && job->pipe_open)
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "a failed job's pipe is not closed");
    else if (job->failed && job->op == 0 && job->has_job && !job->provider_gone && !job->finished_with_provider)
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "a failed job is not abandoned");
    if (job->resume_owed && npjt_resume_due(d, job))
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RESUME is due, and the server has nothing to say");
}

void npjt_check_quiet(struct npjt_driver *d)
{
    for (uint8_t i = 0; i < d->jobs; i++)
        check_nothing_due(d, &d->job[d->order[i]]);
    if (d->miscounted) /* what is left follows from that */
        return;
    if (d->stopping && d->jobs == 0 && !d->idle_taken)
        npjt_violate(d, NPJT_LAW_BOUNDS, "nothing is left after a shutdown, and IDLE has not come");
    npjt_check_growth(d, false);
}
