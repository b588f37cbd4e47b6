/* SPDX-License-Identifier: MIT */
/*
 * npj_check() names the invariant that does not hold: each is broken by one change to a sound engine, and named, and
 * holds again when the change is undone. What an invariant just allows is not named.
 */
#include "inside.h"

static void well_at(const struct host *h, struct place at)
{
    const char *named = npj_check(h->srv);
    cr_assert_null(named, "%s:%d: npj_check: %s", at.file, at.line, named);
}

static void names_at(const struct host *h, const char *want, struct place at)
{
    const char *named = npj_check(h->srv);
    cr_assert(named != NULL && strcmp(named, want) == 0, "%s:%d: npj_check: %s, expected: %s", at.file, at.line,
              named != NULL ? named : "all is well", want);
}

#define well(h)        well_at(h, HERE)
#define names(h, want) names_at(h, want, HERE)

/** Asserts that @p want is named while @p field holds @p wrong, and nothing before and after. */
#define broken(h, field, wrong, want)                                                                                  \
    do {                                                                                                               \
        well(h);                                                                                                       \
        with(field, wrong, names(h, want));                                                                            \
        well(h);                                                                                                       \
    } while (0)

/** Asserts that nothing is named while @p field holds @p value. */
#define allowed(h, field, value) with(field, value, well(h))

static uint8_t more(uint8_t flags, unsigned flag)
{
    return (uint8_t)(flags | flag);
}

static uint8_t less(uint8_t flags, unsigned flag)
{
    return (uint8_t)(flags & ~flag);
}

/* ------------------------------------------------------------------------------------------------- lists of writes */

#define LIMITS  "a job stays within its limits"
#define COUNTS  "a job counts the packets and bytes that it has"
#define QUEUE   "a job's queue is whole"
#define DUE     "a job's list of answered writes is whole"
#define UNREPLY "a write in the queue of a live job has no reply"
#define RETURNS "only lent bytes are returned"

/* "abc" in flight, "defg" behind it. */
static struct job job_writing_and_waiting(struct host *h)
{
    struct job job = job_writing(h);
    job_write(h, &job, TAG_WRITE + 1, "defg");
    return job;
}

Test(check, a_null_engine_is_well)
{
    cr_assert_null(npj_check(NULL));
}

Test(check, the_writes_that_wait)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    struct npji_job *in = inside(h, &job);
    struct npji_packet *first = in->queue.head;
    struct npji_packet *last = first->next;
    broken(h, in->queue.end, &first->next, QUEUE);
    broken(h, in->queue.end, &in->queue.head, QUEUE);
    broken(h, last->next, first, QUEUE);
    broken(h, first->taken, 4, QUEUE);
    allowed(h, first->taken, 3);
    broken(h, in->packets, 3, COUNTS);
    broken(h, in->packets, 1, COUNTS);
    broken(h, in->bytes, 8, COUNTS);
    broken(h, in->bytes, 6, COUNTS);
    broken(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED), UNREPLY);
    broken(h, h->srv->config.max_job_packets, 1, LIMITS);
    allowed(h, h->srv->config.max_job_packets, 2);
    broken(h, h->srv->config.max_job_bytes, 6, LIMITS);
    allowed(h, h->srv->config.max_job_bytes, 7);
    host_end(h);
}

Test(check, the_writes_that_are_answered)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    job_write(h, &job, TAG_WRITE + 2, "hi");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    struct npji_job *in = inside(h, &job);
    struct npji_packet *first = in->due.head;
    struct npji_packet *last = first->next;
    broken(h, in->due.end, &first->next, DUE);
    broken(h, in->due.end, &in->due.head, DUE);
    broken(h, last->next, first, DUE);
    broken(h, last->taken, 3, DUE);
    broken(h, first->flags, more(first->flags, NPJI_PACKET_IN_OP), "an answered write of a live job is not in flight");
    broken(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED), RETURNS);
    allowed(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED | NPJI_PACKET_LENT));
    host_end(h);
}

Test(check, the_writes_that_a_failed_job_keeps)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    struct npji_job *in = inside(h, &job);
    cr_assert_not_null(in->due.head, "answered, and in flight");
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    struct npji_packet *kept = in->queue.head;
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_IN_OP),
           "a failed job keeps a replied write only for the WRITE in flight");
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_REPLIED), UNREPLY);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    cr_assert_eq(in->due.head, kept, "lent, and to be returned");
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_LENT), RETURNS);
    host_end(h);
}

Test(check, a_write_in_flight_has_its_writes)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    struct npji_job *in = inside(h, &job);
    const struct npji_job kept = *in;
    npji_packets_init(&in->queue);
    in->packets = 0;
    in->bytes = 0;
    names(h, "a WRITE in flight has its writes");
    in->queue = kept.queue;
    in->packets = kept.packets;
    in->bytes = kept.bytes;
    well(h);
    host_end(h);
}

/* ---------------------------------------------------------------------------------------------------- facts of a job
 */

#define PIPE     "an ended job owes nothing to the pipe"
#define PROVIDED "an ended job owes nothing to its provider"

Test(check, a_request_is_answered_once_and_at_once)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->facts, in->facts | NPJI_ANSWERED(NPJ_REQUEST_ADD), "a request is answered once");
    host_end(h);

    h = host_start(NULL);
    job = job_broken(h);
    in = inside(h, &job);
    static const npj_request_kind requests[] = {NPJ_REQUEST_ADD, NPJ_REQUEST_CONNECT, NPJ_REQUEST_CLOSE};
    for (int i = 0; i < 3; i++)
        broken(h, in->facts, in->facts | NPJI_WAITING(requests[i]), "a failed job holds no unanswered request");
    host_end(h);

    h = host_start(NULL);
    job = job_connecting(h);
    in = inside(h, &job);
    cr_assert_eq(npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    cr_assert_eq(in->state, NPJ_STATE_ABORTING);
    broken(h, in->facts, in->facts | NPJI_WAITING(NPJ_REQUEST_CLOSE), "a failed job holds no unanswered request");
    host_end(h);
}

Test(check, a_failure_and_a_failed_state)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->failure, NPJ_STATUS_PIPE_BROKEN, "a job with a failure has failed");
    broken(h, in->facts, in->facts | NPJI_CANCEL_ASKED, "only an operation in flight is cancelled");
    host_end(h);

    h = host_start(NULL);
    job = job_broken(h);
    in = inside(h, &job);
    broken(h, in->failure, NPJ_STATUS_SUCCESS, "a failed job has its first failure");
    broken(h, in->op, 1, "a broken job has no operation");
    host_end(h);
}

Test(check, an_ended_job_owes_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    struct npji_job *in = inside(h, &job);
    cr_assert_eq(in->state, NPJ_STATE_GONE);
    broken(h, in->op, job.op, PIPE);
    broken(h, in->facts, in->facts | NPJI_HAS_PIPE, PIPE);
    broken(h, in->facts, in->facts | NPJI_HAS_JOB, PROVIDED);
    host_end(h);
}

Test(check, an_ended_job_owes_nothing_to_a_provider_that_has_gone)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    struct npji_job *in = inside(h, &job);
    cr_assert_eq(in->state, NPJ_STATE_GONE);
    broken(h, in->facts, in->facts & ~(uint32_t)NPJI_PROVIDER_GONE, PROVIDED);
    host_end(h);
}

Test(check, a_job_in_its_state)
{
    struct host *h = host_start(NULL);
    job_adding(h); /* so that the other is not in the first slot */
    struct job job = job_added(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->facts, in->facts | NPJI_CONNECT_ACCEPTED, "a state that is finished has been left");
    broken(h, in->state, NPJ_STATE_COUNT, "a job is in a state");
    broken(h, in->handle, in->handle & ~(uint64_t)4, "a job is in the slot of its handle");
    host_end(h);
}

/* ------------------------------------------------------------------------------------------- where a job is to be
 * found */

#define IN_LINE   "a job is in line exactly if it has something to say"
#define LINE      "the line holds the jobs that say so"
#define ARMED     "a deadline is in its ring exactly if it is armed"
#define DEADLINES "a ring of deadlines holds the jobs that say so"
#define BY_CLIENT "a job is found by its client"

/* A link in no ring. */
static struct npji_link alone(struct npji_link *link)
{
    return (struct npji_link){link, link};
}

Test(check, the_line)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    struct npji_job *in = inside(h, &job);
    well(h);
    npji_link_last(&h->srv->ready, &in->ready);
    names(h, IN_LINE);
    npji_unlink(&in->ready);
    well(h);

    job_write(h, &job, TAG_WRITE, "abc");
    broken(h, in->ready, alone(&in->ready), IN_LINE);
    broken(h, h->srv->ready, alone(&h->srv->ready), LINE);
    broken(h, in->ready.prev, &in->ready, LINE);
    broken(h, h->srv->ready.prev, &h->srv->ready, LINE);
    struct npji_link stranger;
    npji_link_last(&h->srv->ready, &stranger);
    names(h, LINE);
    npji_unlink(&stranger);
    well(h);
    host_end(h);
}

Test(check, the_deadlines_of_a_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->timer, NPJI_TIMER_ADD, "a job has the deadline of its state");
    broken(h, in->deadline.when, NPJ_NEVER, ARMED);
    broken(h, in->drain.when, NPJ_NEVER, ARMED);
    broken(h, in->deadline.link, alone(&in->deadline.link), ARMED);
    broken(h, in->drain.link, alone(&in->drain.link), ARMED);
    broken(h, h->srv->timers[NPJI_TIMER_STALL], alone(&h->srv->timers[NPJI_TIMER_STALL]), DEADLINES);
    broken(h, h->srv->timers[NPJI_TIMER_DRAIN], alone(&h->srv->timers[NPJI_TIMER_DRAIN]), DEADLINES);
    host_end(h);

    h = host_start(NULL);
    job = job_open(h);
    in = inside(h, &job);
    broken(h, in->drain.when, 5, "only a waiting close has a drain deadline");
    broken(h, in->deadline.when, 5, ARMED);
    host_end(h);
}

Test(check, deadlines_are_in_order_of_time)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    struct job first = job_adding(h);
    expect(h, SUCCESS, npj_advance(h->srv, 5));
    job_adding(h);
    struct npji_job *in = inside(h, &first);
    broken(h, in->deadline.when, ADD_TIMEOUT + 6, "a ring of deadlines is in order of time");
    allowed(h, in->deadline.when, ADD_TIMEOUT + 5);
    host_end(h);
}

Test(check, a_job_is_found_by_its_keys)
{
    struct host *h = host_start(NULL);
    struct job leader = job_open(h);
    struct job other = job_open(h);
    struct npji_job *in = inside(h, &other);
    broken(h, in->keys[NPJI_CLIENT], CLIENT + 1, BY_CLIENT);
    broken(h, in->keys[NPJI_PROVIDER], PROVIDER + 1, "a job is found by its provider");
    struct npji_member *first = &inside(h, &leader)->members[NPJI_CLIENT];
    broken(h, first->ring, alone(&first->ring), BY_CLIENT);
    broken(h, first->ring.prev, &first->ring, BY_CLIENT);
    broken(h, first->chain, first, BY_CLIENT);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    well(h);
    host_end(h);
}

/* -------------------------------------------------------------------------------------------- what the engine counts
 */

#define KEPT        "what is kept for reuse is counted and bounded"
#define ALL_JOBS    "jobs are counted and bounded"
#define ALL_PACKETS "packets are counted and bounded"
#define POOL        "the pool is counted and bounded"

Test(check, what_is_counted)
{
    npj_config limits = host_limits();
    limits.max_idle_bytes = 4096;
    struct host *h = host_start(&limits);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_lend(h, &job, TAG_WRITE + 1, "defg");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdefg").op, NPJ_STATUS_SUCCESS, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    struct npj_srv *srv = h->srv;
    npj_stats *stats = &srv->stats;
    const uint64_t idle = stats->idle_bytes;
    const uint64_t pool = stats->pool_bytes.live;
    cr_assert(idle > 0 && pool > 0, "one block is in use, and one kept");

    broken(h, stats->idle_bytes, idle + 1, KEPT);
    struct npji_packet **kept = srv->idle;
    while (*kept == NULL)
        kept++;
    broken(h, (*kept)->next, *kept, KEPT);
    broken(h, srv->config.max_idle_bytes, idle - 1, KEPT);
    allowed(h, srv->config.max_idle_bytes, idle);
    broken(h, stats->jobs.live, 2, ALL_JOBS);
    broken(h, srv->config.max_jobs, 0, ALL_JOBS);
    allowed(h, srv->config.max_jobs, 1);
    broken(h, stats->packets.live, 2, ALL_PACKETS);
    broken(h, srv->config.max_packets, 0, ALL_PACKETS);
    allowed(h, srv->config.max_packets, 1);
    broken(h, stats->reserved_packets.live, 2, "reserved packets are counted");
    broken(h, stats->reserved_packets.live, 0, "reserved packets are counted");
    broken(h, stats->pool_bytes.live, pool + 1, POOL);
    broken(h, srv->config.max_pool_bytes, pool + idle - 1, POOL);
    allowed(h, srv->config.max_pool_bytes, pool + idle);
    broken(h, stats->memory_bytes, stats->memory_bytes + 1, "all memory is accounted for");
    host_end(h);
}
