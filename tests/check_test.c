/* SPDX-License-Identifier: MIT */
/* npj_check() names what does not hold between jobs, and in the engine: where a job is found, and what is counted. */
#include "check_support.h"

Test(check, a_null_engine_is_well)
{
    cr_assert_null(npj_check(NULL));
}

/* --------------------------------------------------------------------------------------- where a job is to be found */

#define IN_LINE   "a job is in line exactly if it has something to say"
#define LINE      "the line holds the jobs that say so"
#define ARMED     "a deadline is armed and in its ring"
#define DRAIN     "a waiting close has a drain deadline"
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
    broken(h, in->deadline.when, STALL_TIMEOUT + 1, ARMED);
    allowed(h, in->deadline.when, 0);
    broken(h, in->deadline.link, alone(&in->deadline.link), ARMED);
    broken(h, in->drain.when, NPJ_NEVER, DRAIN);
    broken(h, in->drain.when, DRAIN_TIMEOUT + 1, DRAIN);
    broken(h, in->drain.link, alone(&in->drain.link), DRAIN);
    broken(h, h->srv->timers[NPJI_TIMER_STALL], alone(&h->srv->timers[NPJI_TIMER_STALL]), DEADLINES);
    broken(h, h->srv->timers[NPJI_TIMER_DRAIN], alone(&h->srv->timers[NPJI_TIMER_DRAIN]), DEADLINES);
    host_end(h);

    h = host_start(NULL);
    job = job_open(h);
    in = inside(h, &job);
    broken(h, in->drain.when, 5, DRAIN);
    broken(h, in->deadline.when, 5, ARMED);
    npji_link_last(&h->srv->timers[NPJI_TIMER_STALL], &in->deadline.link);
    names(h, ARMED);
    with(in->deadline.when, 5, names(h, ARMED));
    npji_unlink(&in->deadline.link);
    well(h);
    host_end(h);
}

Test(check, a_deadline_that_never_comes)
{
    struct host *h = host_start(limits_with(.stall_timeout = NPJ_NEVER));
    struct job job = job_writing(h);
    struct npji_job *in = inside(h, &job);
    well(h);
    broken(h, in->deadline.when, 5, ARMED);
    host_end(h);
}

Test(check, deadlines_are_in_order_of_time)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    job_adding(h);
    expect(h, SUCCESS, npj_advance(h->srv, 5));
    struct job second = job_adding(h);
    struct npji_job *in = inside(h, &second);
    broken(h, in->deadline.when, ADD_TIMEOUT - 1, "a ring of deadlines is in order of time");
    allowed(h, in->deadline.when, ADD_TIMEOUT);
    host_end(h);

    h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    job_closing(h);
    expect(h, SUCCESS, npj_advance(h->srv, 5));
    second = job_closing(h);
    in = inside(h, &second);
    broken(h, in->deadline.when, STALL_TIMEOUT - 1, "a ring of deadlines is in order of time");
    broken(h, in->drain.when, DRAIN_TIMEOUT - 1, "a ring of deadlines is in order of time");
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
    broken(h, h->srv->index[NPJI_PROVIDER][0], &in->members[NPJI_PROVIDER], "a job is found by its provider");
    host_end(h);
}

/* ------------------------------------------------------------------------------------------- what the engine counts */

#define KEPT        "what is kept for reuse is counted and bounded"
#define ALL_JOBS    "jobs are counted and bounded"
#define ALL_PACKETS "packets are counted and bounded"
#define POOL        "the pool is counted and bounded"

Test(check, what_is_counted)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 4096));
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
    broken(h, (*kept)->size_class, (uint8_t)((*kept)->size_class + 1), "what is kept for reuse is with its like");
    const unsigned classes = npji_classes(srv);
    broken(h, srv->idle_turn, classes + 1, "a class of blocks is the next to make way");
    allowed(h, srv->idle_turn, classes);
    struct npji_packet behind = {.size_class = (uint8_t)((*kept)->size_class + 1)};
    broken(h, (*kept)->next, &behind, "what is kept for reuse is with its like");
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

#define SLOT "a slot is a job's or free"

Test(check, every_slot_is_a_jobs_or_free)
{
    struct host *h = host_start(NULL);
    struct job ended[] = {job_added(h), job_added(h)}, last = job_added(h);
    for (unsigned i = 0; i < 2; i++) {
        expect(h, SUCCESS, npj_abort(h->srv, ended[i].id, NPJ_STATUS_PRINT_CANCELLED));
        expect(h, SUCCESS, npj_done(h->srv, take(h, NPJ_ABANDON_JOB).op, NPJ_STATUS_SUCCESS));
    }
    struct npj_srv *srv = h->srv;
    cr_assert_eq(srv->slots_used, 3);
    broken(h, srv->slot_free, 0, SLOT);
    broken(h, srv->slot_free, 1, SLOT);
    broken(h, srv->slot_free, 4, SLOT);
    broken(h, srv->slots[0], 2 << 1 | 1, SLOT);
    broken(h, srv->slot_free, npji_handle_slot(last.id) + 1, "a free slot has no job");
    broken(h, srv->slots[1], (npji_slot)(npji_handle_slot(last.id) + 1) << 1 | 1, "a free slot has no job");
    broken(h, srv->stats.memory_bytes, srv->stats.memory_bytes - 1, "all memory is accounted for");
    broken(h, srv->config.max_jobs, 2, SLOT);
    allowed(h, srv->config.max_jobs, 3);
    host_end(h);
}

/* The leader of a key is in the bucket of another. */
Test(check, a_key_is_in_its_bucket)
{
    struct host *h = host_start(limits_with(.max_jobs = 16));
    job_adding(h);
    struct npji_member **index = h->srv->index[NPJI_CLIENT];
    uint32_t bucket = 0;
    while (index[bucket] == NULL)
        bucket++;
    const uint32_t other = (bucket + 1) % h->srv->buckets;
    cr_assert_neq(other, bucket);
    struct npji_member *leader = index[bucket];
    well(h);
    index[bucket] = NULL;
    index[other] = leader;
    names(h, BY_CLIENT);
    index[other] = NULL;
    index[bucket] = leader;
    well(h);
    host_end(h);
}

Test(check, a_shutdown)
{
    struct host *h = host_start(NULL);
    broken(h, h->srv->idle_owed, true, "only a shutdown ends in IDLE");
    broken(h, h->srv->shutdown_deadline, 5, "only a drain has a deadline");
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    allowed(h, h->srv->shutdown_deadline, 5);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
    broken(h, h->srv->shutdown_deadline, 5, "only a drain has a deadline");
    host_end(h);
}
