/* SPDX-License-Identifier: MIT */
/* Law 6: a call into the engine from one of its own callbacks does nothing, whichever call and whichever callback. */
#include "support.h"

/* What is called from inside: a real job, a real request and a real operation, so that each call would otherwise do
 * something. */
struct reentry {
    struct host *h;
    npj_job job;
    npj_req req;
    npj_op op;
    unsigned times;
};

/* In addition, handles and parameters that are wrong: re-entry is the first of the errors. */
static void reenter_wrongly(struct reentry *r)
{
    npj_srv *const srv = r->h->srv;
    const npj_status want = NPJ_STATUS_INVALID_DEVICE_STATE;
    cr_assert_eq(npj_add_job(srv, 1, 2, 3, 4, NULL), want);
    cr_assert_eq(npj_connect(srv, 0, 1), want);
    cr_assert_eq(npj_write(srv, 0, 1, NULL, 1, 0, NULL), want);
    cr_assert_eq(npj_close(srv, 0, 1), want);
    cr_assert_eq(npj_cancel(srv, 0), want);
    cr_assert_eq(npj_job_added(srv, 0, NPJ_STATUS_PENDING, NULL, 1), want);
    cr_assert_eq(npj_opened(srv, 0, NPJ_STATUS_PENDING, (npj_pipe_mode)9), want);
    cr_assert_eq(npj_written(srv, 0, NPJ_STATUS_PENDING, 1), want);
    cr_assert_eq(npj_done(srv, 0, NPJ_STATUS_PENDING), want);
    cr_assert_eq(npj_abort(srv, 0, 0), want);
    cr_assert_eq(npj_client_gone(srv, 1, 0), want);
    cr_assert_eq(npj_shutdown(srv, (npj_shutdown_how)9), want);
}

static void reenter(struct reentry *r)
{
    npj_srv *const srv = r->h->srv;
    const npj_status want = NPJ_STATUS_INVALID_DEVICE_STATE;
    npj_job job = 77;
    npj_req req = 77;
    npj_action action;
    r->times++;
    cr_assert_eq(npj_add_job(srv, 1, 2, 3, 4, &job), want);
    cr_assert_eq(job, 77);
    cr_assert_eq(npj_connect(srv, r->job, 1), want);
    cr_assert_eq(npj_write(srv, r->job, 1, "a", 1, NPJ_COPY, &req), want);
    cr_assert_eq(req, 77);
    cr_assert_eq(npj_close(srv, r->job, 1), want);
    cr_assert_eq(npj_cancel(srv, r->req), want);
    cr_assert_eq(npj_job_added(srv, r->op, NPJ_STATUS_SUCCESS, &path_of_pipe, 1), want);
    cr_assert_eq(npj_opened(srv, r->op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE), want);
    cr_assert_eq(npj_written(srv, r->op, NPJ_STATUS_SUCCESS, 1), want);
    cr_assert_eq(npj_done(srv, r->op, NPJ_STATUS_SUCCESS), want);
    cr_assert_eq(npj_abort(srv, r->job, NPJ_STATUS_PRINT_CANCELLED), want);
    cr_assert_eq(npj_client_gone(srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), want);
    cr_assert_eq(npj_provider_gone(srv, PROVIDER), want);
    cr_assert_eq(npj_shutdown(srv, NPJ_ABORT), want);
    cr_assert_eq(npj_advance(srv, NPJ_NEVER - 1), want);
    cr_assert_eq(npj_trim(srv), want);
    cr_assert_not(npj_next(srv, &action));
    npj_srv *same = srv;
    npj_srv_free(&same);
    cr_assert_eq(same, srv, "npj_srv_free took the engine from inside a callback");
    reenter_wrongly(r);
}

static void from_allocator(void *user, bool releasing)
{
    (void)releasing;
    reenter(user);
}

static void from_trace(void *user)
{
    reenter(user);
}

static struct reentry arm(struct host *h, const struct job *job)
{
    return (struct reentry){h, job->id, job->req, job->op, 0};
}

/* That nothing of what was called from inside has happened: the job goes on to its honest end. */
static void expect_unharmed(struct host *h, const struct job *job, unsigned more_writes)
{
    h->pool.inside = NULL;
    h->inside_trace = NULL;
    expect_written(h, job->op, TAG_WRITE, 3);
    for (unsigned i = 1; i <= more_writes; i++)
        take_whole(h, TAG_WRITE + i, "d");
    close_and_schedule(h, job->id);
    expect_nothing(h);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.accepted, 4 + more_writes);
    npj_job next;
    expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, 4, &next));
    host_end(h);
}

Test(law6, from_alloc_of_a_write)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 1, "d", 1, NPJ_COPY, NULL));
    cr_assert_geq(r.times, 1);
    expect_unharmed(h, &job, 1);
}

Test(law6, from_alloc_that_then_fails)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    h->pool.fail_all = true;
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, TAG_WRITE + 1, "d", 1, NPJ_COPY, NULL));
    npj_job none;
    refused(h, INSUFFICIENT_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &none));
    cr_assert_geq(r.times, 2);
    h->pool.fail_all = false;
    expect_unharmed(h, &job, 0);
}

Test(law6, from_alloc_of_a_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    npj_job other;
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    cr_assert_geq(r.times, 1);
    expect(h, SUCCESS, npj_abort(h->srv, other, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, 4, PRINT_CANCELLED, 0);
    h->pool.inside = NULL;
    expect_written(h, job.op, TAG_WRITE, 3);
    host_end(h);
}

Test(law6, from_release_while_a_reply_is_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 3));
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    cr_assert_geq(r.times, 1, "the packet was not released with its reply");
    h->pool.inside = NULL;
    expect_state(h, job.id, NPJ_STATE_OPEN);
    expect_nothing(h);
    host_end(h);
}

Test(law6, from_release_while_a_job_ends)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    struct reentry r = arm(h, &job);
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    cr_assert_geq(r.times, 1, "the job was not released with its last reply");
    h->pool.inside = NULL;
    expect_nothing(h);
    host_end(h);
}

Test(law6, from_release_of_trim)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 1 << 16));
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    take_whole(h, TAG_WRITE, "abc");
    struct reentry r = arm(h, &job);
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect(h, SUCCESS, npj_trim(h->srv));
    cr_assert_geq(r.times, 1, "nothing was kept for reuse, or trim kept it");
    h->pool.inside = NULL;
    host_end(h);
}

Test(law6, from_release_of_free)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    npj_srv_free(&h->srv);
    cr_assert_eq(r.times, 3, "a packet, a job and the engine were to be released");
    cr_assert_eq(h->pool.blocks, 0);
    h->pool.inside = NULL;
    host_free(h);
}

Test(law6, from_trace_of_a_request)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    h->inside_trace = from_trace;
    h->inside_trace_user = &r;
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 1, "d", 1, NPJ_COPY, NULL));
    refused(h, INVALID_PIPE_STATE, npj_connect(h->srv, job.id, TAG_CONNECT));
    cr_assert_geq(r.times, 2);
    expect_unharmed(h, &job, 1);
}

Test(law6, from_trace_of_everything_that_ends_jobs)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct reentry r = arm(h, &job);
    h->inside_trace = from_trace;
    h->inside_trace_user = &r;
    h->pool.inside = from_allocator;
    h->pool.inside_user = &r;
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect(h, SUCCESS, npj_advance(h->srv, 1 + STALL_TIMEOUT));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
    cr_assert_geq(r.times, 6);
    host_end(h);
}

/* What a callback saw when it only looked. */
struct sight {
    struct host *h;
    npj_job job;
    unsigned times;
};

static void look(void *user)
{
    struct sight *sight = user;
    npj_stats stats;
    npj_job_info info;
    npj_stats_get(sight->h->srv, &stats);
    cr_assert_eq(stats.jobs.live, 1);
    cr_assert_eq(npj_job_query(sight->h->srv, sight->job, &info), NPJ_STATUS_SUCCESS);
    cr_assert_eq(info.cookie, COOKIE);
    cr_assert_neq(npj_digest(sight->h->srv), 0);
    npj_deadline(sight->h->srv);
    sight->times++;
}

Test(law6, looking_is_allowed_from_inside)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    struct sight sight = {h, job.id, 0};
    h->inside_trace = look;
    h->inside_trace_user = &sight;
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    cr_assert_geq(sight.times, 1);
    h->inside_trace = NULL;
    host_end(h);
}

/* What a release callback saw while the engine was being freed. */
struct last_sight {
    const npj_srv *srv;
    uint64_t deadlines[8];
    uint64_t jobs[8];
    unsigned times;
};

static void look_at_what_is_left(void *user, bool releasing)
{
    struct last_sight *sight = user;
    npj_stats stats;
    cr_assert(releasing && sight->times < 8);
    npj_check(sight->srv); /* it may well complain: it sees a change half made */
    npj_digest(sight->srv);
    npj_stats_get(sight->srv, &stats);
    sight->jobs[sight->times] = stats.jobs.live;
    sight->deadlines[sight->times] = npj_deadline(sight->srv);
    sight->times++;
}

/* Each job leaves the line, its deadlines and its keys before its memory goes. */
Test(law6, looking_is_allowed_from_inside_free)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    job_closing(h); /* stall and drain */
    expect(h, SUCCESS, npj_advance(h->srv, 10));
    job_closing(h);
    expect(h, SUCCESS, npj_advance(h->srv, 20));
    job_adding(h);
    job_accept_for(h, CLIENT, PROVIDER, COOKIE); /* in line */
    struct last_sight sight = {.srv = h->srv};
    h->pool.inside = look_at_what_is_left;
    h->pool.inside_user = &sight;
    npj_srv_free(&h->srv);
    /* Packet and job, packet and job, job, job, engine. */
    static const uint64_t jobs[] = {4, 3, 3, 2, 1, 0, 0};
    static const uint64_t deadlines[] = {20 + ADD_TIMEOUT, 20 + ADD_TIMEOUT, 20 + ADD_TIMEOUT, 20 + ADD_TIMEOUT,
                                         20 + ADD_TIMEOUT, NPJ_NEVER,        NPJ_NEVER};
    cr_assert_eq(sight.times, 7);
    for (unsigned i = 0; i < 7; i++) {
        cr_assert_eq(sight.jobs[i], jobs[i], "at release %u", i);
        cr_assert_eq(sight.deadlines[i], deadlines[i], "at release %u", i);
    }
    h->pool.inside = NULL;
    host_free(h);
}

/* Only the engine that called is closed to its callback. */
static void use_the_other(void *user)
{
    struct sight *sight = user;
    npj_job job;
    if (sight->times++ == 0)
        cr_assert_eq(npj_add_job(sight->h->srv, 1, 2, 3, 4, &job), NPJ_STATUS_PENDING);
}

Test(law6, another_engine_may_be_called_from_inside)
{
    struct host *h = host_start(NULL);
    struct host *other = host_start(NULL);
    struct job job = job_writing(h);
    struct sight sight = {other, 0, 0};
    h->inside_trace = use_the_other;
    h->inside_trace_user = &sight;
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    cr_assert_geq(sight.times, 1);
    h->inside_trace = NULL;
    take(other, NPJ_ADD_JOB);
    host_end(other);
    host_end(h);
}
