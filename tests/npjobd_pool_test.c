/* SPDX-License-Identifier: MIT */
/* The pool of buffers: one for each job, whatever the others have; the rest first come, first served. */
#include <criterion/criterion.h>
#include <stdbool.h>

#include "pool.h"

/* As a job holds its buffers. */
typedef struct job {
    size_t count;
    pool_buffer *buffers[16];
} job;

static bool take(pool *from, job *into)
{
    pool_buffer *buffer = pool_take(from, into->count);
    if (buffer != NULL)
        into->buffers[into->count++] = buffer;
    return buffer != NULL;
}

static void give(pool *to, job *from)
{
    from->count--;
    pool_give(to, from->buffers[from->count], from->count);
}

static void give_all(pool *to, job *from)
{
    while (from->count > 0)
        give(to, from);
}

/* Ten buffers, of which each of four jobs has one set aside: six are shared. */
Test(npjobd_pool, one_job_leaves_one_buffer_to_each_of_the_others)
{
    pool self = {0};
    job greedy = {0};
    job others[3] = {{0}};
    pool_limit(&self, 10 * POOL_BUFFER_BYTES, 4);

    while (greedy.count < 16 && take(&self, &greedy))
        continue;
    cr_expect_eq(greedy.count, 7);
    for (int i = 0; i < 3; i++) {
        cr_expect(take(&self, &others[i]), "a job gets its first buffer");
        cr_expect_not(take(&self, &others[i]), "and no second one");
    }
    cr_expect_eq(self.live, 10);

    give(&self, &greedy);
    cr_expect(take(&self, &others[0]), "what one gives back another may have");
    give_all(&self, &greedy);
    for (int i = 0; i < 3; i++)
        give_all(&self, &others[i]);
    cr_expect_eq(self.live, 0);
    cr_expect_eq(self.shared, 0);
    cr_expect(take(&self, &greedy));
    cr_expect_eq(self.peak, 10, "the most that ever were out, not the last");
    give_all(&self, &greedy);
    pool_end(&self);
}

/* Memory that does not suffice for one buffer a job: each has its one all the same, and nothing is shared. */
Test(npjobd_pool, too_little_memory_is_one_buffer_for_each)
{
    pool self = {0};
    job jobs[3] = {{0}};
    pool_limit(&self, POOL_BUFFER_BYTES, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect(take(&self, &jobs[i]));
        cr_expect_not(take(&self, &jobs[i]));
    }
    for (int i = 0; i < 3; i++)
        give_all(&self, &jobs[i]);
    pool_end(&self);
}

/* A limit that becomes smaller takes nothing away, and holds from then on. */
Test(npjobd_pool, the_limit_may_be_lowered)
{
    pool self = {0};
    job one = {0};
    pool_limit(&self, 10 * POOL_BUFFER_BYTES, 2);
    while (one.count < 8)
        cr_assert(take(&self, &one));
    pool_limit(&self, 4 * POOL_BUFFER_BYTES, 2);
    cr_expect_not(take(&self, &one));
    while (one.count > 2)
        give(&self, &one);
    cr_expect(take(&self, &one));
    cr_expect_not(take(&self, &one));
    give_all(&self, &one);
    pool_end(&self);
}

/* A job whose reader takes much at once gives many buffers back at once, and takes them again for the next reads. */
Test(npjobd_pool, a_busy_one_keeps_as_many_as_are_out)
{
    pool self = {0};
    job jobs[3] = {{0}};
    pool_limit(&self, 100 * POOL_BUFFER_BYTES, 3);
    for (int i = 0; i < 3; i++)
        while (jobs[i].count < 16)
            cr_assert(take(&self, &jobs[i]));
    give_all(&self, &jobs[0]);
    while (jobs[1].count > 8)
        give(&self, &jobs[1]);
    cr_expect_eq(self.live, 24);
    cr_expect_eq(self.idle_length, 24);
    give(&self, &jobs[1]);
    cr_expect_eq(self.idle_length, 23);
    while (jobs[1].count < 16)
        cr_assert(take(&self, &jobs[1]));
    cr_expect_eq(self.idle_length, 14);
    give_all(&self, &jobs[1]);
    give_all(&self, &jobs[2]);
    pool_end(&self);
}

/* What lies idle is bounded: a pool that has been large becomes small again. */
Test(npjobd_pool, no_more_than_a_few_are_kept)
{
    pool self = {0};
    job one = {0};
    pool_limit(&self, 100 * POOL_BUFFER_BYTES, 1);
    while (one.count < 16)
        cr_assert(take(&self, &one));
    job other = {0};
    while (other.count < 16)
        cr_assert(take(&self, &other));
    give_all(&self, &one);
    give_all(&self, &other);
    cr_expect_eq(self.live, 0);
    cr_expect_eq(self.idle_length, 16);
    pool_end(&self);
    cr_expect_eq(self.idle_length, 0);
}
