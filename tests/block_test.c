/* SPDX-License-Identifier: MIT */
/* Memory: what an engine, a job and a packet cost, and that nothing is read before it is written. */
#include <stdlib.h>

#include "support.h"

static struct host *host_for(uint32_t jobs)
{
    return host_start(&(npj_config){.size = sizeof(npj_config), .max_jobs = jobs});
}

/* Two indexes of pointers: the largest power of two that is no more than half of the jobs, and at least one. */
static uint64_t index_bytes(uint32_t jobs)
{
    uint64_t buckets = 1;
    for (uint64_t more = 2; more <= jobs / 2; more *= 2)
        buckets = more;
    return buckets * 2 * sizeof(void *);
}

static const uint32_t limits_of_jobs[] = {1, 2, 3, 4, 5, 6, 8, 100, 1024, NPJ_MAX_JOBS};
enum { LIMITS = sizeof limits_of_jobs / sizeof *limits_of_jobs };

Test(block, an_engine_costs_its_slots_and_its_index)
{
    struct host *one = host_for(1);
    const uint64_t rest = stats_of(one).memory_bytes - sizeof(void *) - index_bytes(1);
    host_free(one);
    cr_assert_leq(rest, 8192);
    for (unsigned i = 0; i < LIMITS; i++) {
        const uint32_t jobs = limits_of_jobs[i];
        struct host *h = host_for(jobs);
        cr_expect_eq(stats_of(h).memory_bytes - rest, jobs * sizeof(void *) + index_bytes(jobs), "%u jobs",
                     (unsigned)jobs);
        host_free(h);
    }
}

Test(block, a_job_is_told_to_cost_itself_its_slot_and_its_share)
{
    for (unsigned i = 0; i < LIMITS; i++) {
        const uint32_t jobs = limits_of_jobs[i];
        struct host *h = host_for(jobs);
        const npj_stats before = stats_of(h);
        job_accept_for(h, 1, 2, 3);
        const uint64_t itself = stats_of(h).memory_bytes - before.memory_bytes;
        cr_expect_eq(before.job_bytes, itself + sizeof(void *) + (index_bytes(jobs) + jobs - 1) / jobs, "%u jobs",
                     (unsigned)jobs);
        host_free(h);
    }
}

/* A handle may name the slot behind the last that was given out, whose memory nobody has written. */
Test(block, a_slot_not_given_out_is_not_read)
{
    struct host *h = host_for(4);
    const npj_job job = job_accept_for(h, 1, 2, 3).id;
    for (npj_job slot = 1; slot < 8; slot++)
        expect_state(h, job + slot * 4, NPJ_STATE_GONE);
    host_free(h);
}

/* The default of max_job_bytes is 16 MiB, or one write if that is more. */
Test(block, a_long_write_raises_the_default_of_a_job)
{
    for (int more = -1; more <= 1; more += 2) {
        const uint32_t most = (uint32_t)((16 << 20) + more);
        struct host *h = host_start(limits_with(.max_job_bytes = 0, .max_write_bytes = most));
        struct job job = job_open(h);
        char *bytes = calloc(1, most);
        expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, most, NPJ_LEND, NULL));
        if (more < 0)
            expect(h, PENDING, npj_write(h->srv, job.id, 2, bytes, 1, NPJ_LEND, NULL));
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 3, bytes, 1, NPJ_LEND, NULL));
        host_free(h);
        free(bytes);
    }
}

Test(block, a_copy_wastes_a_quarter_at_the_most)
{
    static char bytes[70000];
    struct host *h = host_start(limits_with(.max_write_bytes = sizeof bytes));
    const uint32_t header = stats_of(h).packet_bytes;
    struct job job = job_open(h);
    for (uint32_t length = 65; length <= sizeof bytes; length += 1 + length / 9) {
        expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, length, NPJ_COPY, NULL));
        const uint64_t payload = stats_of(h).pool_bytes.live - header;
        cr_expect(payload >= length && payload <= length + length / 4 + 1, "%u bytes in %u", (unsigned)length,
                  (unsigned)payload);
        expect(h, SUCCESS, npj_written(h->srv, take(h, NPJ_WRITE).op, NPJ_STATUS_SUCCESS, length));
        (void)take(h, NPJ_REPLY);
    }
    host_free(h);
}

/* Blocks that are kept are given back for want of room, and not before. */
Test(block, what_is_kept_stays_while_there_is_room)
{
    struct host *any = host_for(1);
    const uint32_t header = stats_of(any).packet_bytes, kept = header + 64;
    host_free(any);
    /* A packet of up to 64 bytes, and one that is lent. */
    struct host *h = host_start(limits_with(.max_idle_bytes = 4096, .max_pool_bytes = kept + header));
    struct job job = job_open(h);
    job_write(h, &job, 1, "a");
    expect(h, SUCCESS, npj_written(h->srv, take(h, NPJ_WRITE).op, NPJ_STATUS_SUCCESS, 1));
    expect_reply(h, 1, SUCCESS, 1);
    cr_assert_eq(stats_of(h).idle_bytes, kept);
    job_lend(h, &job, 2, "b");
    cr_assert_eq(stats_of(h).idle_bytes, kept);
    job_lend(h, &job, 3, "c");
    cr_assert_eq(stats_of(h).idle_bytes, 0);
    host_free(h);
}

/* Writes @count times @length bytes, lets the pipe take them, and takes the replies; returns what is kept then. */
static uint64_t kept_after(struct host *h, const struct job *job, unsigned count, uint32_t length, unsigned flags)
{
    static const char bytes[1024];
    for (unsigned i = 0; i < count; i++)
        expect(h, PENDING, npj_write(h->srv, job->id, i, bytes, length, flags, NULL));
    expect(h, SUCCESS, npj_written(h->srv, take(h, NPJ_WRITE).op, NPJ_STATUS_SUCCESS, (uint64_t)count * length));
    for (unsigned i = 0; i < count; i++)
        (void)take(h, NPJ_REPLY);
    return stats_of(h).idle_bytes;
}

/* Of what was written first, one block of each size makes way in each call, and no more than is needed. */
Test(block, what_is_written_now_is_kept)
{
    struct host *any = host_for(1);
    const uint64_t lent = stats_of(any).packet_bytes, small = lent + 64, large = lent + 512;
    host_free(any);
    struct host *h = host_start(limits_with(.max_write_bytes = 600, .max_idle_bytes = large));
    struct job job = job_open(h);
    const unsigned smalls = (unsigned)((large - 2 * lent) / small);
    const uint64_t full = 2 * lent + smalls * small;
    (void)kept_after(h, &job, 2, 64, NPJ_LEND);
    cr_assert_eq(kept_after(h, &job, smalls, 64, NPJ_COPY), full);

    cr_assert_eq(kept_after(h, &job, 3, 64, NPJ_LEND), full - small + lent,
                 "one that is lent takes the place of another");
    cr_assert_eq(kept_after(h, &job, smalls, 64, NPJ_COPY), full, "and that the place of one that is lent");
    cr_assert_eq(kept_after(h, &job, 1, 600, NPJ_COPY), full, "what never fits takes no place");
    cr_assert_eq(kept_after(h, &job, 1, 512, NPJ_COPY), full - lent - small);
    cr_assert_eq(kept_after(h, &job, 1, 512, NPJ_COPY), full - 2 * (lent + small));
    for (unsigned left = smalls - 2; left > 1; left--)
        cr_assert_eq(kept_after(h, &job, 1, 512, NPJ_COPY), (left - 1) * small);
    cr_assert_eq(kept_after(h, &job, 1, 512, NPJ_COPY), large);
    const uint64_t allocs = h->pool.allocs;
    cr_assert_eq(kept_after(h, &job, 1, 512, NPJ_COPY), large);
    cr_assert_eq(h->pool.allocs, allocs, "and is used again");

    cr_assert_eq(kept_after(h, &job, 1, 64, NPJ_COPY), small, "the largest makes way as well");
    host_free(h);
}

/* A large block that nobody asks for any more makes way for small ones, of which some are kept as well. */
Test(block, what_was_large_makes_way)
{
    /* That one is kept, and less than two small ones. */
    struct host *h = host_start(limits_with(.max_write_bytes = 1024, .max_idle_bytes = 1200));
    struct job job = job_open(h);
    const uint64_t small = stats_of(h).packet_bytes + 64;
    cr_assert_gt(kept_after(h, &job, 1, 1024, NPJ_COPY), 1200 - 2 * small);
    cr_assert_eq(kept_after(h, &job, 2, 64, NPJ_COPY), 2 * small);
    const uint64_t allocs = h->pool.allocs;
    cr_assert_eq(kept_after(h, &job, 2, 64, NPJ_COPY), 2 * small);
    cr_assert_eq(h->pool.allocs, allocs, "and are used again");
    host_free(h);
}

/* One that nobody asks for any more makes way as well where it would fit beside each size of now, but not beside both.
 */
Test(block, what_was_written_once_makes_way)
{
    struct host *h = host_start(limits_with(.max_write_bytes = 1024, .max_idle_bytes = 1024 + 448 + 400));
    struct job job = job_open(h);
    (void)kept_after(h, &job, 1, 1024, NPJ_COPY);
    for (unsigned i = 0; i < 4; i++) {
        (void)kept_after(h, &job, 1, 384, NPJ_COPY);
        (void)kept_after(h, &job, 1, 448, NPJ_COPY);
    }
    const uint64_t allocs = h->pool.allocs;
    cr_assert_eq(kept_after(h, &job, 1, 384, NPJ_COPY), kept_after(h, &job, 1, 448, NPJ_COPY));
    cr_assert_eq(h->pool.allocs, allocs, "and both of now are used again");
    host_free(h);
}

/* With writes of 2 GiB there are as many sizes as there can be: behind the last stands what is no block. */
Test(block, all_sizes_make_way)
{
    struct host *h =
        host_start(limits_with(.max_write_bytes = UINT32_C(1) << 31, .max_job_bytes = 0, .max_idle_bytes = 1000));
    struct job job = job_open(h);
    const uint64_t small = kept_after(h, &job, 8, 64, NPJ_COPY);
    cr_assert_lt(kept_after(h, &job, 1, 800, NPJ_COPY), small);
    host_free(h);
}
