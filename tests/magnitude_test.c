/* SPDX-License-Identifier: MIT */
/* What is large: keys, jobs, generations, JobIds, batches and payloads. Where few and small ones go right, a field that
 * is too narrow shows here. */
#include <stdlib.h>

#include "inside.h"

/* ------------------------------------------------------------------------------------------------------------ keys */

/* Keys are pointers and counters of the host: of two that differ in one bit, each has its own jobs. They share the one
 * bucket that an index of two jobs has. */
Test(magnitude, keys_have_64_bits)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        struct host *h = host_start(limits_with(.max_jobs = 2));
        const uint64_t other = CLIENT ^ UINT64_C(1) << bit;
        struct job gone = job_accept_for(h, CLIENT, other, COOKIE);
        struct job stays = job_accept_for(h, other, CLIENT, COOKIE);
        npj_job_info info;
        expect(h, SUCCESS, npj_job_query(h->srv, stays.id, &info));
        cr_assert_eq(info.client, other);
        expect(h, SUCCESS, npj_job_query(h->srv, gone.id, &info));
        cr_assert_eq(info.provider, other);
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
        expect_reply(h, TAG_ADD, NETWORK_NAME_DELETED, 0);
        expect_state(h, gone.id, NPJ_STATE_GONE);
        expect_state(h, stays.id, NPJ_STATE_ADDING);
        expect(h, SUCCESS, npj_provider_gone(h->srv, other));
        expect_state(h, stays.id, NPJ_STATE_ADDING);
        expect(h, SUCCESS, npj_provider_gone(h->srv, CLIENT));
        expect_reply(h, TAG_ADD, PIPE_DISCONNECTED, 0);
        expect_state(h, stays.id, NPJ_STATE_GONE);
        host_end(h);
    }
}

/* The most keys in one bucket of an index. */
static unsigned longest_chain(const npj_srv *srv, enum npji_key key)
{
    unsigned longest = 0;
    for (uint32_t bucket = 0; bucket < srv->buckets; bucket++) {
        unsigned length = 0;
        for (const struct npji_member *at = srv->index[key][bucket]; at != NULL; at = at->chain)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* To find a key costs what it costs to walk its bucket: counters, pointers and handles have to spread over them. */
Test(magnitude, keys_spread_over_the_buckets)
{
    enum { KEYS = 1024, MOST = 16 };
    for (unsigned shift = 0; shift < 52; shift++) {
        struct host *h = host_start(limits_with(.max_jobs = KEYS));
        npj_job job;
        for (uint64_t i = 0; i < KEYS; i++)
            cr_assert_eq(npj_add_job(h->srv, i << shift, ~i << shift, COOKIE, TAG_ADD, &job), NPJ_STATUS_PENDING);
        cr_assert_leq(longest_chain(h->srv, NPJI_CLIENT), MOST, "keys of %d, shifted by %u", KEYS, shift);
        cr_assert_leq(longest_chain(h->srv, NPJI_PROVIDER), MOST, "keys of %d, shifted by %u", KEYS, shift);
        host_free(h);
    }
}

/* ------------------------------------------------------------------------------------------------------------ jobs */

enum { JOBS = 70000 };

struct many {
    struct host *h;
    npj_job jobs[JOBS];
    npj_req writes[JOBS];
    npj_op adds[JOBS];
};

/* A job of the one client, with a write, both of number @i. */
static void begin_job(struct many *many, unsigned i)
{
    npj_srv *srv = many->h->srv;
    cr_assert_eq(npj_add_job(srv, CLIENT, i, i, TAG_ADD, &many->jobs[i]), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_connect(srv, many->jobs[i], TAG_CONNECT), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_write(srv, many->jobs[i], i, "a", 1, NPJ_COPY, &many->writes[i]), NPJ_STATUS_PENDING);
}

static void begin_adds(struct many *many)
{
    for (npj_action action; npj_next(many->h->srv, &action);) {
        cr_assert_eq(action.kind, NPJ_ADD_JOB);
        cr_assert_eq(action.job, many->jobs[action.cookie]);
        many->adds[action.cookie] = action.op;
    }
}

/* Each is reached by all of its handles, and by none of another's. */
static void ask_each(struct many *many)
{
    npj_srv *srv = many->h->srv;
    for (unsigned i = 0; i < JOBS; i++) {
        npj_job_info info;
        cr_assert_eq(npj_job_query(srv, many->jobs[i], &info), NPJ_STATUS_SUCCESS, "job %u", i);
        cr_assert_eq(info.cookie, i);
        cr_assert_eq(npj_cancel(srv, many->writes[i]), NPJ_STATUS_SUCCESS, "the write of job %u", i);
        npj_action reply;
        cr_assert(npj_next(srv, &reply));
        cr_assert_eq(reply.cookie, i);
        cr_assert_eq(reply.tag, i);
        cr_assert_eq(npj_job_added(srv, many->adds[i], NPJ_STATUS_ACCESS_DENIED, NULL, 0), NPJ_STATUS_SUCCESS,
                     "the operation of job %u", i);
        for (unsigned replies = 0; replies < 2; replies++) {
            cr_assert(npj_next(srv, &reply));
            cr_assert_eq(reply.cookie, i);
        }
        cr_assert_eq(npj_job_query(srv, many->jobs[i], &info), NPJ_STATUS_INVALID_HANDLE, "job %u", i);
    }
}

Test(magnitude, each_of_many_jobs_is_reached_by_its_handles)
{
    struct many *many = calloc(1, sizeof *many);
    many->h = host_start(limits_with(.max_jobs = JOBS, .max_packets = JOBS));
    for (unsigned round = 0; round < 2; round++) { /* the second takes slots that were given back */
        for (unsigned i = 0; i < JOBS; i++)
            begin_job(many, i);
        npj_job none;
        refused(many->h, INSUFF_SERVER_RESOURCES, npj_add_job(many->h->srv, 1, 2, 3, 4, &none));
        cr_assert_null(npj_check(many->h->srv)); /* which walks the jobs of a key once, and not once for each */
        begin_adds(many);
        ask_each(many);
    }
    host_end(many->h);
    free(many);
}

/* What ends jobs ends all of them, in one call. */

static npj_status let_the_adds_expire(npj_srv *srv)
{
    cr_assert_eq(npj_advance(srv, 1), NPJ_STATUS_SUCCESS);
    return npj_advance(srv, npj_deadline(srv));
}

static npj_status let_the_client_go(npj_srv *srv)
{
    return npj_client_gone(srv, CLIENT, NPJ_STATUS_IO_TIMEOUT);
}

static npj_status let_the_provider_go(npj_srv *srv)
{
    return npj_provider_gone(srv, PROVIDER);
}

static npj_status shut_down(npj_srv *srv)
{
    return npj_shutdown(srv, NPJ_ABORT);
}

Test(magnitude, all_jobs_end_at_once)
{
    static npj_status (*const ends[])(npj_srv *) = {let_the_adds_expire, let_the_client_go, let_the_provider_go,
                                                    shut_down};
    for (unsigned way = 0; way < sizeof ends / sizeof *ends; way++) {
        struct host *h = host_start(limits_with(.max_jobs = JOBS));
        npj_job job;
        for (unsigned i = 0; i < JOBS; i++)
            cr_assert_eq(npj_add_job(h->srv, CLIENT, PROVIDER, i, TAG_ADD, &job), NPJ_STATUS_PENDING);
        cr_assert_eq(ends[way](h->srv), NPJ_STATUS_SUCCESS);
        unsigned replies = 0;
        for (npj_action action; npj_next(h->srv, &action); replies += action.kind == NPJ_REPLY)
            cr_assert(action.kind == NPJ_REPLY || action.kind == NPJ_IDLE, "way %u: %u is asked for", way,
                      (unsigned)action.kind);
        cr_assert_eq(replies, JOBS, "way %u", way);
        cr_assert_eq(stats_of(h).jobs.live, 0, "way %u", way);
        host_free(h);
    }
}

/* Of as many jobs as there can be, the last are reached, and their slots are used again. */
Test(magnitude, the_last_of_all_slots)
{
    enum { LAST = 2 };
    struct host *h = host_start(limits_with(.max_jobs = NPJ_MAX_JOBS));
    npj_srv *srv = h->srv;
    srv->slots_used = NPJ_MAX_JOBS - LAST; /* as if there were all the others */
    srv->stats.jobs.live = NPJ_MAX_JOBS - LAST;
    for (unsigned round = 0; round < 3; round++) {
        npj_job jobs[LAST], none;
        npj_job_info info;
        for (unsigned i = 0; i < LAST; i++)
            cr_assert_eq(npj_add_job(srv, CLIENT, PROVIDER, i, TAG_ADD, &jobs[i]), NPJ_STATUS_PENDING);
        cr_assert_eq(npj_add_job(srv, CLIENT, PROVIDER, 0, TAG_ADD, &none), NPJ_STATUS_INSUFF_SERVER_RESOURCES);
        for (unsigned i = 0; i < LAST; i++) {
            cr_assert_geq(npji_handle_slot(jobs[i]), NPJ_MAX_JOBS - LAST);
            cr_assert_eq(npj_job_query(srv, jobs[i], &info), NPJ_STATUS_SUCCESS);
            cr_assert_eq(info.cookie, i);
            cr_assert_eq(npj_abort(srv, jobs[i], NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
        }
        for (npj_action action; npj_next(srv, &action);)
            cr_assert_eq(action.kind, NPJ_REPLY);
        cr_assert_eq(srv->stats.jobs.live, NPJ_MAX_JOBS - LAST);
    }
    srv->slots_used = 0;
    host_free(h);
}

/* --------------------------------------------------------------------------------------------------------- packets */

Test(magnitude, a_job_has_as_many_packets_as_it_may)
{
    const uint32_t most = 65537;
    struct host *h = host_start(limits_with(.max_job_packets = most, .max_packets = most + 1));
    struct job job = job_open(h);
    for (uint32_t i = 0; i < most; i++)
        cr_assert_eq(npj_write(h->srv, job.id, i, "a", 1, NPJ_LEND, NULL), NPJ_STATUS_PENDING);
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, most, "a", 1, NPJ_LEND, NULL));
    host_end(h);
}

/* A copied write, whose block is then kept. */
static void write_and_keep(struct host *h, struct job *job)
{
    job_write(h, job, TAG_WRITE, "abc");
    take_whole(h, TAG_WRITE, "abc");
    cr_assert_gt(stats_of(h).idle_bytes, 0);
}

/* All ones is no limit. */
Test(magnitude, limits_of_bytes_have_64_bits)
{
    for (unsigned bit = 32; bit <= 64; bit++) {
        const uint64_t most = bit < 64 ? UINT64_C(1) << bit : UINT64_MAX;
        struct host *h = host_start(limits_with(.max_packets = UINT32_MAX, .max_job_packets = 2, .max_job_bytes = most,
                                                .max_pool_bytes = most, .max_idle_bytes = most));
        struct job job = job_open(h);
        write_and_keep(h, &job);
        job_lend(h, &job, TAG_WRITE + 1, "defg");
        cr_assert_gt(stats_of(h).idle_bytes, 0, "what was kept need not make way");
        job_write(h, &job, TAG_WRITE, "abc");
        cr_assert_eq(stats_of(h).idle_bytes, 0, "and is used again");
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, TAG_WRITE, "abc", 3, NPJ_COPY, NULL));
        expect(h, SUCCESS, npj_cancel(h->srv, job.req));
        expect_reply(h, TAG_WRITE, CANCELLED, 0);
        take(h, NPJ_RESUME);
        host_end(h);
    }
}

/* Beside four gigabytes of other packets. */
Test(magnitude, the_pool_has_64_bits)
{
    const uint64_t others = UINT64_C(4) << 30;
    struct host *h = host_start(limits_with(.max_pool_bytes = others + 128, .max_idle_bytes = 128));
    struct job job = job_open(h);
    npj_stats *stats = &h->srv->stats;
    write_and_keep(h, &job);
    stats->pool_bytes.live += others;
    cr_assert_eq(npj_write(h->srv, job.id, TAG_WRITE, "abc", 3, NPJ_LEND, NULL), NPJ_STATUS_PENDING);
    cr_assert_eq(stats->idle_bytes, 0, "what was kept has made way");
    cr_assert_eq(stats->pool_bytes.peak, others + stats->packet_bytes);
    cr_assert_eq(npj_write(h->srv, job.id, TAG_WRITE, "abc", 3, NPJ_COPY, NULL), NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    stats->pool_bytes.live -= others;
    host_end(h);
}

/* Each goes on where 32 bits end. */
Test(magnitude, counters_have_64_bits)
{
    struct host *h = host_start(NULL);
    npj_stats *stats = &h->srv->stats;
    uint64_t *const counters[] = {&stats->jobs.total,       &stats->packets.total,  &stats->reserved_packets.total,
                                  &stats->pool_bytes.total, &stats->refused,        &stats->replies,
                                  &stats->operations,       &stats->bytes_accepted, &stats->bytes_taken};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        *counters[i] = UINT32_MAX;
    struct job job = job_cleanup(h);
    refused(h, PIPE_CLOSING, npj_close(h->srv, job.id, TAG_CLOSE));
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        cr_assert_gt(*counters[i], UINT32_MAX, "counter %zu", i);
    host_free(h);
}

/* ------------------------------------------------------------------------------------------------------- deadlines */

/* What arms each, alone. */

static void accept_a_job(struct host *h)
{
    job_accept_for(h, CLIENT, PROVIDER, COOKIE);
}

static void connect_a_job(struct host *h)
{
    job_connecting(h);
}

static void write_to_a_job(struct host *h)
{
    job_writing(h);
}

static void close_a_job(struct host *h)
{
    job_cleanup(h);
}

static void drain_a_job(struct host *h)
{
    job_open(h);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
}

static const struct {
    size_t timeout;
    void (*arm)(struct host *h);
} deadlines[] = {{offsetof(npj_config, add_timeout), accept_a_job},
                 {offsetof(npj_config, connect_timeout), connect_a_job},
                 {offsetof(npj_config, stall_timeout), write_to_a_job},
                 {offsetof(npj_config, drain_timeout), close_a_job},
                 {offsetof(npj_config, drain_timeout), drain_a_job}};

/* One is armed at @p now, and falls when it is due and not before. */
static void expect_to_fall(unsigned which, uint64_t now, uint64_t timeout)
{
    npj_config limits = *limits_with();
    memcpy((char *)&limits + deadlines[which].timeout, &timeout, sizeof timeout);
    struct host *h = host_start(&limits);
    expect(h, SUCCESS, npj_advance(h->srv, now));
    deadlines[which].arm(h);
    cr_assert_eq(npj_deadline(h->srv), now + timeout, "deadline %u", which);
    expect(h, SUCCESS, npj_advance(h->srv, now + timeout - 1));
    expect(h, SUCCESS, npj_advance(h->srv, now - 1)); /* ignored */
    cr_assert_eq(npj_deadline(h->srv), now + timeout, "deadline %u", which);
    expect(h, SUCCESS, npj_advance(h->srv, now + timeout));
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER, "deadline %u", which);
    host_end(h);
}

/* A host may count in nanoseconds, */
Test(magnitude, a_timeout_has_64_bits)
{
    for (unsigned which = 0; which < sizeof deadlines / sizeof *deadlines; which++)
        for (unsigned bit = 32; bit < 64; bit++)
            expect_to_fall(which, 1, UINT64_C(1) << bit);
}

/* and from long ago. */
Test(magnitude, the_clock_has_64_bits)
{
    for (unsigned which = 0; which < sizeof deadlines / sizeof *deadlines; which++)
        for (unsigned bit = 1; bit < 64; bit++)
            expect_to_fall(which, (UINT64_C(1) << bit) - 1, 1000);
}

/* ---------------------------------------------------------------------------------------------------- generations */

struct handles {
    npj_job job;
    npj_req write;
    npj_op op;
};

/* Of a job that draws its generations from there on, and that has ended. */
static struct handles handles_from(struct host *h, uint64_t generation)
{
    h->srv->generation = generation;
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    const npj_req write = job_write(h, &job, TAG_WRITE, "abc");
    return (struct handles){job.id, write, take(h, NPJ_ADD_JOB).op};
}

static void end_by(struct host *h, const struct handles *handles)
{
    expect(h, SUCCESS, npj_job_added(h->srv, handles->op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    for (unsigned replies = 0; replies < 3; replies++)
        take(h, NPJ_REPLY);
    expect_state(h, handles->job, NPJ_STATE_GONE);
}

/* Old handles name nothing, though the new ones stand in the same slot and differ in one bit only. */
Test(magnitude, generations_have_40_bits)
{
    struct host *h = host_start(NULL);
    for (unsigned bit = 0; bit < 40; bit++) {
        const struct handles old = handles_from(h, 0);
        end_by(h, &old);
        const struct handles now = handles_from(h, UINT64_C(1) << bit);
        refused(h, INVALID_HANDLE, npj_job_query(h->srv, old.job, &(npj_job_info){0}));
        refused(h, NOT_FOUND, npj_cancel(h->srv, old.write));
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, old.op, NPJ_STATUS_CANCELLED, NULL, 0));
        end_by(h, &now);
    }
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------- bytes and JobIds */

Test(magnitude, a_write_of_the_default_largest_size_arrives)
{
    const npj_config defaults = {.size = sizeof defaults};
    const uint32_t length = 8u << 20;
    struct host *h = host_start(&defaults);
    struct job job = job_open(h);
    unsigned char *bytes = malloc(length);
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(i * UINT32_C(2654435761) >> 24);
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE, bytes, length, NPJ_COPY, NULL));
    const npj_action action = take_write_at(h, bytes, length, HERE);
    free(bytes);
    expect(h, SUCCESS, npj_written(h->srv, action.op, 0, length));
    expect_reply(h, TAG_WRITE, SUCCESS, length);
    host_end(h);
}

/* The provider's own number, which nobody else reads. */
Test(magnitude, job_ids_have_32_bits)
{
    static const uint32_t ids[] = {0, UINT32_MAX, UINT32_C(0x89ABCDEF)};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        for (unsigned whole = 0; whole < 2; whole++) {
            struct host *h = host_start(NULL);
            struct job job = job_adding(h);
            npj_job_info info;
            expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_pipe, ids[i]));
            expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
            cr_assert_eq(info.job_id, ids[i]);
            expect_reply(h, TAG_ADD, SUCCESS, 0);
            if (whole) {
                expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
                expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
                expect_opened(h, take(h, NPJ_OPEN).op);
                finish(h, NPJ_CLOSE_PIPE, SUCCESS);
                cr_assert_eq(take(h, NPJ_SCHEDULE_JOB).job_id, ids[i]);
            } else {
                expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
                cr_assert_eq(take(h, NPJ_ABANDON_JOB).job_id, ids[i]);
            }
            host_free(h);
        }
    }
}
