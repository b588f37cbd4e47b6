/* SPDX-License-Identifier: MIT */
/* Every limit at its bound and one past it, and memory that runs out at every point. */
#define _GNU_SOURCE
#include "support.h"

#include <sys/mman.h>

static npj_status write_bytes(struct host *h, const struct job *job, const void *bytes, uint32_t length)
{
    return npj_write(h->srv, job->id, TAG_WRITE, bytes, length, NPJ_COPY, NULL);
}

/* Lets the pipe take all that is queued, and takes all replies. */
static void flush(struct host *h)
{
    for (npj_action action; npj_next(h->srv, &action);) {
        cr_assert(action.kind == NPJ_WRITE || action.kind == NPJ_REPLY || action.kind == NPJ_RESUME);
        if (action.kind == NPJ_WRITE)
            expect(h, SUCCESS, npj_written(h->srv, action.op, NPJ_STATUS_SUCCESS, action.count));
    }
}

/* --------------------------------------------------------------------------------------------- counts and lengths */

TestEach(int *most, limits, max_jobs, 1, 2, 3, 16)
{
    struct host *h = host_start(limits_with(.max_jobs = (uint32_t)*most));
    npj_job job = 0;
    npj_job last = 0;
    for (int i = 0; i < *most; i++, last = job)
        expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, TAG_ADD, &job));
    for (int i = 0; i < 3; i++)
        refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, TAG_ADD, &job));
    cr_assert_eq(stats_of(h).jobs.live, (uint64_t)*most);
    /* A job that has ended holds its slot until its last reply is taken. */
    expect(h, SUCCESS, npj_abort(h->srv, last, NPJ_STATUS_PRINT_CANCELLED));
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, TAG_ADD, &job));
    for (npj_action action; npj_next(h->srv, &action);)
        if (action.kind == NPJ_ADD_JOB)
            h->operations[h->operation_count++] = (struct operation){action.op, action.kind};
    expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, TAG_ADD, &job));
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, TAG_ADD, &job));
    host_end(h);
}

TestEach(int *most, limits, max_packets, 1, 2, 7)
{
    struct host *h = host_start(limits_with(.max_packets = (uint32_t)*most));
    struct job a = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE);
    for (int i = 0; i < *most; i++) /* of all jobs together */
        expect(h, PENDING, write_bytes(h, i % 2 ? &a : &b, "x", 1));
    refused(h, INSUFF_SERVER_RESOURCES, write_bytes(h, &a, "x", 1));
    refused(h, INSUFF_SERVER_RESOURCES, write_bytes(h, &b, NULL, 0)); /* an empty write is a packet */
    flush(h);
    expect(h, PENDING, write_bytes(h, &a, "x", 1));
    host_end(h);
}

TestEach(int *most, limits, max_job_packets, 1, 2, 7)
{
    struct host *h = host_start(limits_with(.max_job_packets = (uint32_t)*most));
    struct job a = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE);
    for (int i = 0; i < *most; i++)
        expect(h, PENDING, write_bytes(h, &a, "x", 1));
    refused(h, QUOTA_EXCEEDED, write_bytes(h, &a, "x", 1));
    refused(h, QUOTA_EXCEEDED, write_bytes(h, &a, NULL, 0));
    expect(h, PENDING, write_bytes(h, &b, "x", 1));
    npj_job_info info;
    expect(h, SUCCESS, npj_job_query(h->srv, a.id, &info));
    cr_assert_eq(info.packets, (uint32_t)*most);
    flush(h);
    expect(h, PENDING, write_bytes(h, &a, "x", 1));
    host_end(h);
}

Test(limits, max_job_bytes_counts_copied_and_lent)
{
    struct host *h = host_start(limits_with(.max_write_bytes = 100, .max_job_bytes = 250));
    struct job job = job_open(h);
    static const char bytes[101];
    expect(h, PENDING, write_bytes(h, &job, bytes, 100));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, 100, NPJ_LEND, NULL));
    refused(h, QUOTA_EXCEEDED, write_bytes(h, &job, bytes, 51));
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 1, bytes, 51, NPJ_LEND, NULL));
    expect(h, PENDING, write_bytes(h, &job, bytes, 50));
    refused(h, QUOTA_EXCEEDED, write_bytes(h, &job, bytes, 1));
    expect(h, PENDING, write_bytes(h, &job, NULL, 0)); /* no byte more */
    npj_job_info info;
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.bytes, 250);
    cr_assert_eq(info.packets, 4);
    flush(h);
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.bytes, 0);
    host_end(h);
}

Test(limits, max_write_bytes)
{
    struct host *h = host_start(limits_with(.max_write_bytes = 100));
    struct job job = job_open(h);
    static const char bytes[101];
    expect(h, PENDING, write_bytes(h, &job, bytes, 100));
    refused(h, INVALID_PARAMETER, write_bytes(h, &job, bytes, 101));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, 100, NPJ_LEND, NULL));
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, bytes, 101, NPJ_LEND, NULL));
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, bytes, UINT32_MAX, NPJ_LEND, NULL));
    host_end(h);
}

TestEach(int *most, limits, max_batch, 1, 2, 5, 64, 65, 257, 1024)
{
    struct host *h =
        host_start(limits_with(.max_batch = (uint32_t)*most, .max_job_packets = 1025, .max_packets = 1025));
    struct job job = job_open(h);
    for (int i = 0; i <= *most; i++)
        expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE, "xy", 2, i % 2 ? NPJ_COPY : NPJ_LEND, NULL));
    const npj_action action = take(h, NPJ_WRITE);
    cr_assert_eq(action.iov_count, (uint32_t)*most);
    cr_assert_eq(action.count, 2 * (uint64_t)*most);
    host_end(h);
}

/* Room alone, never read: nothing is written to a pipe here. */
static void *two_gigabytes(void)
{
    void *bytes = mmap(NULL, (size_t)2 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(bytes, MAP_FAILED);
    return bytes;
}

/* Lends them to a new job eight times, all in one WRITE. */
static npj_action lend_sixteen_gigabytes(struct host *h, struct job *job, void *bytes)
{
    *job = job_open(h);
    for (unsigned i = 0; i < 8; i++)
        expect(h, PENDING, npj_write(h->srv, job->id, TAG_WRITE + i, bytes, UINT32_C(2) << 30, NPJ_LEND, NULL));
    const npj_action action = take(h, NPJ_WRITE);
    cr_assert_eq(action.iov_count, 8);
    cr_assert_eq(action.count, UINT64_C(16) << 30);
    return action;
}

/* Whatever a host may lend in all, no sum wraps. */
Test(limits, sums_of_lengths_do_not_wrap)
{
    struct host *h = host_start(
        limits_with(.max_write_bytes = UINT32_C(2) << 30, .max_job_bytes = UINT64_MAX, .max_job_packets = 8));
    struct job job;
    void *bytes = two_gigabytes();
    const npj_action action = lend_sixteen_gigabytes(h, &job, bytes);
    expect(h, SUCCESS, npj_written(h->srv, action.op, 0, (UINT64_C(16) << 30) - 1));
    for (unsigned i = 0; i < 7; i++)
        expect_reply(h, TAG_WRITE + i, SUCCESS, UINT64_C(2) << 30);
    cr_assert_eq(take(h, NPJ_WRITE).count, 1);
    cr_assert_eq(stats_of(h).bytes_accepted, UINT64_C(16) << 30);
    cr_assert_eq(stats_of(h).bytes_taken, (UINT64_C(16) << 30) - 1);
    host_end(h);
    munmap(bytes, (size_t)2 << 30);
}

/* Nor is a job that is full of them taken for an empty one, or for one without a WRITE when it has failed, however many
 * of the REPLYs have been taken. */
TestEach(int *taken, limits, sums_of_lengths_do_not_wrap_in_a_full_job, 0, 1, 7, 8)
{
    struct host *h = host_start(limits_with(.max_write_bytes = UINT32_C(2) << 30, .max_job_bytes = UINT64_C(16) << 30));
    struct job job;
    void *bytes = two_gigabytes();
    const npj_action action = lend_sixteen_gigabytes(h, &job, bytes);
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, TAG_WRITE, bytes, 1, NPJ_LEND, NULL));
    expect_nothing(h); /* no RESUME */
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    for (int i = 0; i < *taken; i++)
        cr_assert(take(h, NPJ_REPLY).held);
    expect(h, SUCCESS, npj_written(h->srv, action.op, NPJ_STATUS_CANCELLED, (UINT64_C(16) << 30) - 1));
    cr_assert_eq(stats_of(h).bytes_taken, (UINT64_C(16) << 30) - 1);
    host_end(h);
    munmap(bytes, (size_t)2 << 30);
}

/* The bytes of a WRITE are those that its writes have left, whatever waits behind it, and not one more. */
TestEachBelow(int *of, limits, claims_of_seven_gigabytes, 4)
{
    const bool more = *of & 1, failed = *of & 2;
    const uint64_t gigabyte = UINT64_C(1) << 30;
    struct host *h = host_start(
        limits_with(.max_write_bytes = UINT32_C(2) << 30, .max_job_bytes = UINT64_C(16) << 30, .max_batch = 4));
    struct job job = job_open(h);
    void *bytes = two_gigabytes();
    for (unsigned i = 0; i < 8; i++)
        expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + i, bytes, UINT32_C(2) << 30, NPJ_LEND, NULL));
    expect(h, SUCCESS, npj_written(h->srv, take(h, NPJ_WRITE).op, 0, gigabyte));
    const npj_action action = take(h, NPJ_WRITE);
    cr_assert_eq(action.count, 7 * gigabyte);
    cr_assert_null(npj_check(h->srv));
    if (failed)
        expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    npj_status status = npj_written(h->srv, action.op, 0, 7 * gigabyte + more);
    cr_assert_eq(status, more ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS);
    cr_assert_eq(stats_of(h).bytes_taken, more ? gigabyte : 8 * gigabyte);
    host_end(h);
    munmap(bytes, (size_t)2 << 30);
}

Test(limits, a_copy_of_two_gigabytes_is_refused_by_the_pool_and_not_wrapped)
{
    struct host *h = host_start(limits_with(.max_write_bytes = UINT32_C(2) << 30, .max_job_bytes = UINT64_MAX));
    struct job job = job_open(h);
    static const char byte[1];
    const uint64_t allocs = h->pool.allocs;
    refused(h, INSUFF_SERVER_RESOURCES, write_bytes(h, &job, byte, UINT32_C(2) << 30));
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------------ the pool */

/* What one copied write of @p length costs. */
static uint64_t cost_of(uint32_t length)
{
    static const char bytes[4096];
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    expect(h, PENDING, write_bytes(h, &job, bytes, length));
    const npj_stats stats = stats_of(h);
    cr_assert_geq(stats.pool_bytes.live, stats.packet_bytes + length);
    const uint64_t cost = stats.pool_bytes.live;
    host_end(h);
    return cost;
}

TestEach(int *length, limits, max_pool_bytes, 1, 100, 4096)
{
    static const char bytes[4096];
    const uint64_t cost = cost_of((uint32_t)*length);
    for (uint64_t less = 0; less < 2; less++) {
        struct host *h = host_start(limits_with(.max_pool_bytes = 5 * cost - less));
        struct job job = job_open(h);
        for (uint64_t i = 0; i < 5 - less; i++)
            expect(h, PENDING, write_bytes(h, &job, bytes, (uint32_t)*length));
        refused(h, INSUFF_SERVER_RESOURCES, write_bytes(h, &job, bytes, (uint32_t)*length));
        refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, job.id, 1, bytes, 4096, NPJ_COPY, NULL));
        cr_assert_leq(stats_of(h).pool_bytes.live, h->config.max_pool_bytes);
        flush(h);
        cr_assert_eq(stats_of(h).pool_bytes.live, 0);
        expect(h, PENDING, write_bytes(h, &job, bytes, (uint32_t)*length));
        host_end(h);
    }
}

Test(limits, lent_bytes_cost_the_pool_a_header)
{
    struct host *h = host_start(limits_with(.max_pool_bytes = 2 * cost_of(0)));
    struct job job = job_open(h);
    static const char bytes[4096];
    refused(h, INSUFF_SERVER_RESOURCES, write_bytes(h, &job, bytes, 4096));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, 4096, NPJ_LEND, NULL));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, 4096, NPJ_LEND, NULL));
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, job.id, 1, bytes, 1, NPJ_LEND, NULL));
    host_end(h);
}

/* What is kept for reuse counts, and gives way: memory that nobody uses refuses nobody. */
Test(limits, memory_kept_for_reuse_gives_way_to_a_write)
{
    const uint64_t cost = cost_of(4096);
    struct host *h = host_start(limits_with(.max_pool_bytes = cost, .max_idle_bytes = cost));
    struct job job = job_open(h);
    static const char bytes[4096];
    for (unsigned i = 0; i < 8; i++)
        expect(h, PENDING, write_bytes(h, &job, bytes, 100));
    flush(h);
    cr_assert_eq(stats_of(h).packets.live, 0);
    expect(h, PENDING, write_bytes(h, &job, bytes, 4096));
    cr_assert_leq(stats_of(h).pool_bytes.live + stats_of(h).idle_bytes, cost);
    flush(h);
    for (unsigned i = 0; i < 8; i++) {
        expect(h, PENDING, write_bytes(h, &job, bytes, 100));
        cr_assert_leq(stats_of(h).pool_bytes.live + stats_of(h).idle_bytes, cost);
    }
    host_end(h);
}

TestEach(int *most, limits, max_idle_bytes, 1, 100, 1000, 10000, 100000)
{
    static const char bytes[4096];
    struct host *h = host_start(limits_with(.max_idle_bytes = (uint64_t)*most));
    struct job job = job_open(h);
    const uint64_t at_rest = h->pool.bytes;
    for (unsigned round = 0; round < 5; round++) {
        for (uint32_t length = 0; length <= 4096; length += 256)
            expect(h, PENDING, write_bytes(h, &job, bytes, length));
        flush(h);
        const npj_stats stats = stats_of(h);
        cr_assert_leq(stats.idle_bytes, (uint64_t)*most);
        cr_assert_eq(stats.memory_bytes, h->pool.bytes);
        cr_assert_eq(h->pool.bytes, at_rest + stats.idle_bytes);
        if (*most == 1)
            cr_assert_eq(stats.idle_bytes, 0);
    }
    const uint64_t digest = npj_digest(h->srv);
    expect(h, SUCCESS, npj_trim(h->srv));
    cr_assert_eq(npj_digest(h->srv), digest);
    cr_assert_eq(stats_of(h).idle_bytes, 0);
    cr_assert_eq(h->pool.bytes, at_rest);
    expect(h, PENDING, write_bytes(h, &job, bytes, 100)); /* and it goes on */
    flush(h);
    host_end(h);
}

/* -------------------------------------------------------------------------------------------------- out of memory */

/* Fails the n-th allocation of a call for n = 1, 2, ... until the call gets by without: each failure is reported,
 * changes nothing, and the next call succeeds. */
#define exhaust(h, call)                                                                                               \
    do {                                                                                                               \
        uint64_t index_ = 0;                                                                                           \
        for (npj_status status_ = NPJ_STATUS_INSUFFICIENT_RESOURCES; status_ != NPJ_STATUS_PENDING;) {                 \
            const struct before before_ = before_of(h);                                                                \
            (h)->pool.fail_in = ++index_;                                                                              \
            status_ = (call);                                                                                          \
            if ((h)->pool.fail_in == 0)                                                                                \
                refused_at(h, before_, NPJ_STATUS_INSUFFICIENT_RESOURCES, status_, #call, HERE);                       \
            else                                                                                                       \
                expect_at(h, NPJ_STATUS_PENDING, status_, #call, HERE);                                                \
        }                                                                                                              \
        (h)->pool.fail_in = 0;                                                                                         \
        cr_assert_gt(index_, 1, "%s allocated nothing", #call);                                                        \
    } while (0)

Test(limits, out_of_memory_at_every_allocation)
{
    struct host *h = host_start(NULL);
    struct job job = {.id = 0};
    exhaust(h, npj_add_job(h->srv, CLIENT, PROVIDER, COOKIE, TAG_ADD, &job.id));
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    exhaust(h, npj_write(h->srv, job.id, TAG_WRITE, "abc", 3, NPJ_COPY, NULL));
    exhaust(h, npj_write(h->srv, job.id, TAG_WRITE + 1, "def", 3, NPJ_LEND, NULL));
    exhaust(h, npj_write(h->srv, job.id, TAG_WRITE + 2, NULL, 0, NPJ_COPY, NULL));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_added(h, take(h, NPJ_ADD_JOB).op);
    expect_opened(h, take(h, NPJ_OPEN).op);
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdef").op, 0, 6));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 3);
    expect_reply(h, TAG_WRITE + 2, SUCCESS, 0);
    finish_close(h);
    host_end(h);
}

Test(limits, out_of_memory_for_a_time)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    h->pool.fail_all = true;
    for (unsigned i = 0; i < 100; i++)
        refused(h, INSUFFICIENT_RESOURCES, write_bytes(h, &job, "def", 3));
    take_whole(h, TAG_WRITE, "abc");
    expect_nothing(h);
    h->pool.fail_all = false;
    job_write(h, &job, TAG_WRITE + 1, "def");
    take_write(h, "def");
    host_end(h);
}

/* Memory kept for reuse serves while the allocator cannot. */
Test(limits, out_of_memory_with_memory_kept_for_reuse)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 1 << 16));
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    flush(h);
    h->pool.fail_all = true;
    job_write(h, &job, TAG_WRITE, "def");
    flush(h);
    expect_packets(h, 0);
    host_end(h);
}

Test(limits, out_of_memory_for_an_engine)
{
    struct host *h = host_start(NULL);
    npj_srv *untouched = h->srv;
    npj_srv *srv = untouched;
    const uint64_t blocks = h->pool.blocks;
    h->pool.fail_in = 1;
    cr_assert_eq(npj_srv_new(&h->config, &srv), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_assert_eq(srv, untouched);
    cr_assert_eq(h->pool.blocks, blocks);
    host_end(h);
}

Test(limits, max_idle_bytes_keeps_as_much_and_no_more)
{
    const uint64_t cost = cost_of(64);
    for (uint64_t less = 0; less < 2; less++) {
        struct host *h = host_start(limits_with(.max_idle_bytes = 2 * cost - less));
        struct job job = job_open(h);
        static const char bytes[64];
        for (unsigned i = 0; i < 3; i++)
            expect(h, PENDING, write_bytes(h, &job, bytes, 64));
        flush(h);
        cr_assert_eq(stats_of(h).idle_bytes, (2 - less) * cost);
        host_end(h);
    }
}
