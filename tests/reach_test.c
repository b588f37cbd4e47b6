/* SPDX-License-Identifier: MIT */
/*
 * Laws 10 and 11: what ends the jobs of one client, of one provider, or one job, reaches no other job, and what is O(1)
 * none but neighbours. The others are each on pages of their own, which cannot be read while the calls are made.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "inside.h"

enum { OTHERS = 50, OWN = 3, ROOM = 4096 };

static void *paged_alloc(void *user, size_t bytes)
{
    (void)user;
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block != MAP_FAILED ? block : NULL;
}

static void paged_release(void *user, void *block, size_t bytes)
{
    (void)user;
    cr_assert_eq(munmap(block, bytes), 0);
}

/* Does whatever there is to do, with success. */
static void run(npj_srv *srv)
{
    for (npj_action todo; npj_next(srv, &todo);)
        if (todo.kind == NPJ_ADD_JOB)
            cr_assert_eq(npj_job_added(srv, todo.op, NPJ_STATUS_SUCCESS, &path_of_pipe, 1), NPJ_STATUS_SUCCESS);
        else if (todo.kind == NPJ_OPEN)
            cr_assert_eq(npj_opened(srv, todo.op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE), NPJ_STATUS_SUCCESS);
        else if (todo.kind < NPJ_CANCEL)
            cr_assert_eq(npj_done(srv, todo.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

static npj_job open_job(npj_srv *srv, uint64_t client, uint64_t provider)
{
    npj_job job;
    cr_assert_eq(npj_add_job(srv, client, provider, COOKIE, TAG_ADD, &job), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_connect(srv, job, TAG_CONNECT), NPJ_STATUS_PENDING);
    run(srv);
    return job;
}

struct crowd {
    npj_srv *srv;
    npj_job own[OWN];
    npj_job others[OTHERS];
};

static npj_srv *new_engine(void)
{
    npj_srv *srv = NULL;
    const npj_config config = {
        .size = sizeof config, .mem = {paged_alloc, paged_release, NULL}, .max_jobs = ROOM, .max_packets = OTHERS + 1};
    cr_assert_eq(npj_srv_new(&config, &srv), NPJ_STATUS_SUCCESS);
    return srv;
}

/* The jobs of one client and provider among those of another, from whose bucket nothing leads to them; all are idle. */
static void gather(struct crowd *crowd)
{
    crowd->srv = new_engine();
    for (unsigned i = 0; i < OTHERS; i++) {
        crowd->others[i] = open_job(crowd->srv, CLIENT + 1, PROVIDER + 1);
        if (i < OWN)
            crowd->own[i] = open_job(crowd->srv, CLIENT, PROVIDER);
    }
    for (enum npji_key key = 0; key < NPJI_KEYS; key++)
        for (uint32_t i = 0; i < crowd->srv->buckets; i++)
            cr_assert(crowd->srv->index[key][i] == NULL || crowd->srv->index[key][i]->chain == NULL);
}

/* Jobs or packets. */
static void protect(void *const *blocks, unsigned count, int protection)
{
    for (unsigned i = 0; i < count; i++)
        cr_assert_eq(mprotect(blocks[i], 1, protection), 0);
}

static void end_jobs(const struct crowd *crowd, int how)
{
    if (how == 0)
        cr_assert_eq(npj_client_gone(crowd->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
    else if (how == 1)
        cr_assert_eq(npj_provider_gone(crowd->srv, PROVIDER), NPJ_STATUS_SUCCESS);
    for (unsigned i = 0; i < OWN && how != 0; i++)
        cr_assert_eq(npj_abort(crowd->srv, crowd->own[i], NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
}

/* client_gone, provider_gone and abort, abort alone */
TestEach(int *how, reach, nobody_elses_job, 0, 1, 2)
{
    struct crowd crowd;
    void *jobs[OTHERS];
    gather(&crowd);
    for (unsigned i = 0; i < OTHERS; i++)
        jobs[i] = npji_job_at(crowd.srv, crowd.others[i]);
    protect(jobs, OTHERS, PROT_NONE);
    end_jobs(&crowd, *how);
    run(crowd.srv);
    npj_stats stats;
    npj_stats_get(crowd.srv, &stats);
    protect(jobs, OTHERS, PROT_READ | PROT_WRITE);
    cr_assert_eq(stats.jobs.live, OTHERS);
    cr_assert_null(npj_check(crowd.srv));
    npj_srv_free(&crowd.srv);
}

/* All of one client and provider, and each with a deadline. A whole life behind them, and what looks at time and
 * engine, meet the first of them and the last. */
Test(reach, neighbours_only)
{
    npj_srv *srv = new_engine();
    void *jobs[OTHERS];
    npj_action action;
    npj_stats stats;
    npj_req write;
    cr_assert_eq(npj_advance(srv, 1), NPJ_STATUS_SUCCESS);
    for (unsigned i = 0; i < OTHERS; i++) {
        npj_job job;
        cr_assert_eq(npj_add_job(srv, CLIENT, PROVIDER, COOKIE, TAG_ADD, &job), NPJ_STATUS_PENDING);
        cr_assert(npj_next(srv, &action));
        jobs[i] = npji_job_at(srv, job);
    }
    const uint64_t deadline = npj_deadline(srv);
    protect(jobs + 1, OTHERS - 2, PROT_NONE);
    cr_assert_eq(npj_advance(srv, 2), NPJ_STATUS_SUCCESS);
    const npj_job job = open_job(srv, CLIENT, PROVIDER);
    cr_assert_eq(npj_write(srv, job, TAG_WRITE, "a", 1, NPJ_COPY, &write), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_cancel(srv, write), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npj_close(srv, job, TAG_CLOSE), NPJ_STATUS_PENDING);
    run(srv);
    cr_assert_eq(npj_trim(srv), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npj_deadline(srv), deadline);
    npj_stats_get(srv, &stats);
    protect(jobs + 1, OTHERS - 2, PROT_READ | PROT_WRITE);
    cr_assert_eq(stats.jobs.live, OTHERS);
    npj_srv_free(&srv);
}

static void write_others(npj_srv *srv, npj_job job, void **packets)
{
    npj_req write;
    for (unsigned i = 0; i < OTHERS; i++) {
        cr_assert_eq(npj_write(srv, job, TAG_WRITE, "a", 1, NPJ_COPY, &write), NPJ_STATUS_PENDING);
        packets[i] = npji_packets_last(&npji_job_at(srv, job)->writes);
    }
}

/* However many writes wait, one more, and the close, meet the first of them and the last. */
Test(reach, neighbours_only_among_writes)
{
    npj_srv *srv = new_engine();
    const npj_job job = open_job(srv, CLIENT, PROVIDER);
    void *packets[OTHERS];
    npj_job_info info;
    npj_req write;
    write_others(srv, job, packets);
    protect(packets + 1, OTHERS - 2, PROT_NONE);
    cr_assert_eq(npj_write(srv, job, TAG_WRITE, "a", 1, NPJ_COPY, &write), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_close(srv, job, TAG_CLOSE), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_job_query(srv, job, &info), NPJ_STATUS_SUCCESS);
    cr_assert_eq(info.packets, OTHERS + 1);
    protect(packets + 1, OTHERS - 2, PROT_READ | PROT_WRITE);
    npj_srv_free(&srv);
}

/* However many writes a WRITE carried, its completion meets the last of them. */
Test(reach, the_last_that_was_written)
{
    npj_srv *srv = new_engine();
    const npj_job job = open_job(srv, CLIENT, PROVIDER);
    void *packets[OTHERS];
    npj_action action;
    write_others(srv, job, packets);
    cr_assert(npj_next(srv, &action) && action.kind == NPJ_WRITE && action.count == OTHERS);
    protect(packets, OTHERS - 1, PROT_NONE);
    cr_assert_eq(npj_written(srv, action.op, NPJ_STATUS_SUCCESS, OTHERS), NPJ_STATUS_SUCCESS);
    protect(packets, OTHERS - 1, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < OTHERS; i++)
        cr_assert(npj_next(srv, &action) && action.kind == NPJ_REPLY && action.count == 1);
    npj_srv_free(&srv);
}

/* However many wait behind those that a WRITE was given, and however many were cancelled, its completion meets the
 * first of these and the last of those: one whose bytes have to be counted, too. */
TestEach(int *shift, reach, neighbours_of_a_write, 0, 31)
{
    enum { BATCH = 2, WAITING = OTHERS / 2 };
    const uint32_t length = UINT32_C(1) << *shift;
    const npj_config config = {.size = sizeof config,
                               .mem = {paged_alloc, paged_release, NULL},
                               .max_batch = BATCH,
                               .max_write_bytes = length,
                               .max_job_bytes = UINT64_MAX};
    npj_srv *srv = NULL;
    void *packets[OTHERS];
    npj_req writes[OTHERS];
    npj_action action;
    cr_assert_eq(npj_srv_new(&config, &srv), NPJ_STATUS_SUCCESS);
    const npj_job job = open_job(srv, CLIENT, PROVIDER);
    for (unsigned i = 0; i < OTHERS; i++) {
        cr_assert_eq(npj_write(srv, job, TAG_WRITE, "a", length, NPJ_LEND, &writes[i]), NPJ_STATUS_PENDING);
        packets[i] = npji_packets_last(&npji_job_at(srv, job)->writes);
    }
    cr_assert(npj_next(srv, &action) && action.kind == NPJ_WRITE && action.iov_count == BATCH);
    for (unsigned i = WAITING; i < OTHERS; i++)
        cr_assert_eq(npj_cancel(srv, writes[i]), NPJ_STATUS_SUCCESS);
    protect(packets + BATCH + 1, WAITING - BATCH - 1, PROT_NONE);
    protect(packets + WAITING, OTHERS - WAITING - 1, PROT_NONE);
    cr_assert_eq(npj_written(srv, action.op, NPJ_STATUS_SUCCESS, action.count), NPJ_STATUS_SUCCESS);
    protect(packets, OTHERS, PROT_READ | PROT_WRITE);
    for (unsigned i = WAITING; i < OTHERS; i++)
        cr_assert(npj_next(srv, &action) && action.kind == NPJ_REPLY && action.status == NPJ_STATUS_CANCELLED);
    for (unsigned i = 0; i < BATCH; i++)
        cr_assert(npj_next(srv, &action) && action.kind == NPJ_REPLY && action.count == length);
    npj_srv_free(&srv);
}
