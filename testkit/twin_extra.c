/* SPDX-License-Identifier: MIT */
/* The calls that one side makes beyond the script: those that are refused, and those that only look. */
#include <string.h>

#include "twin_state.h"

uint64_t npjt_twin_digest(const struct twin_run *run)
{
    return run->subject->digest ? run->subject->digest(run->srv) : 0;
}

void npjt_twin_unchanged(struct twin_run *run, uint64_t before, const char *what)
{
    if (npjt_twin_digest(run) != before)
        npjt_twin_differ(run->twin, "%s has changed the digest", what);
}

/* ---------------------------------------------------------------------------------------------------- refused calls */

/* What the calls are made on: a handle that holds, if there is one, and others that do not. */
struct target {
    struct twin_job *job; /* of the lane, or NULL */
    npj_job handle, forged;
    npj_req request;
    npj_op op;
};

typedef npj_status refused_call(struct twin_run *run, const struct target *at);

static npj_status connect_nothing(struct twin_run *run, const struct target *at)
{
    (void)at;
    return run->subject->connect(run->srv, 0, 1);
}

static npj_status connect_twice(struct twin_run *run, const struct target *at)
{
    bool connected = at->job && at->job->connected;
    return run->subject->connect(run->srv, connected ? at->handle : at->forged, 1);
}

static npj_status write_forged(struct twin_run *run, const struct target *at)
{
    return run->subject->write(run->srv, at->forged, 1, "x", 1, NPJ_COPY, NULL);
}

static npj_status write_null(struct twin_run *run, const struct target *at)
{
    return run->subject->write(run->srv, at->handle, 1, NULL, 5, NPJ_COPY, NULL);
}

static npj_status write_without_flag(struct twin_run *run, const struct target *at)
{
    return run->subject->write(run->srv, at->handle, 1, "x", 1, 0, NULL);
}

static npj_status write_with_both(struct twin_run *run, const struct target *at)
{
    return run->subject->write(run->srv, at->handle, 1, "x", 1, NPJ_COPY | NPJ_LEND, NULL);
}

static npj_status write_too_long(struct twin_run *run, const struct target *at)
{
    static const uint8_t zeros[TWIN_MAX_WRITE + 1];
    return run->subject->write(run->srv, at->handle, 1, zeros, sizeof zeros,
                               run->subject->copies_only ? NPJ_COPY : NPJ_LEND, NULL);
}

/* Before the connect or behind the close. */
static bool takes_writes(const struct target *at)
{
    return at->job && at->job->connected && !at->job->closed;
}

static npj_status write_out_of_turn(struct twin_run *run, const struct target *at)
{
    return run->subject->write(run->srv, takes_writes(at) ? at->forged : at->handle, 1, "x", 1, NPJ_COPY, NULL);
}

/* A job that has failed takes a close without a connect. */
static npj_status close_twice(struct twin_run *run, const struct target *at)
{
    bool closed = at->job && at->job->closed;
    return run->subject->close(run->srv, closed ? at->handle : at->forged, 1);
}

static npj_status close_forged(struct twin_run *run, const struct target *at)
{
    return run->subject->close(run->srv, at->forged, 1);
}

static npj_status cancel_nothing(struct twin_run *run, const struct target *at)
{
    (void)at;
    return run->subject->cancel(run->srv, 0);
}

static npj_status cancel_job(struct twin_run *run, const struct target *at)
{
    return run->subject->cancel(run->srv, at->handle);
}

static npj_status cancel_answered(struct twin_run *run, const struct target *at)
{
    return run->subject->cancel(run->srv, at->request);
}

static npj_status abort_for_success(struct twin_run *run, const struct target *at)
{
    return run->subject->abort(run->srv, at->handle, NPJ_STATUS_SUCCESS);
}

static npj_status abort_forged(struct twin_run *run, const struct target *at)
{
    return run->subject->abort(run->srv, at->forged, NPJ_STATUS_PRINT_CANCELLED);
}

static npj_status gone_for_success(struct twin_run *run, const struct target *at)
{
    (void)at;
    return run->subject->client_gone(run->srv, 1, NPJ_STATUS_SUCCESS);
}

static npj_status add_without_out(struct twin_run *run, const struct target *at)
{
    (void)at;
    return run->subject->add_job(run->srv, 1, 1, 0, 1, NULL);
}

static npj_status shut_somehow(struct twin_run *run, const struct target *at)
{
    (void)at;
    /* Nonsense is what is tried. NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange) */
    return run->subject->shutdown(run->srv, (npj_shutdown_how)7);
}

/* A completion of what is in flight, but of another kind. */
static npj_status complete_as_another(struct twin_run *run, const struct target *at)
{
    if (at->job && at->job->op.kind == NPJ_WRITE)
        return run->subject->done(run->srv, at->job->op.op, NPJ_STATUS_SUCCESS);
    return run->subject->written(run->srv, at->job ? at->job->op.op : 0, NPJ_STATUS_SUCCESS, 0);
}

static npj_status complete_again(struct twin_run *run, const struct target *at)
{
    return run->subject->done(run->srv, at->op, NPJ_STATUS_SUCCESS);
}

static npj_status write_again(struct twin_run *run, const struct target *at)
{
    return run->subject->written(run->srv, at->op, NPJ_STATUS_SUCCESS, 0);
}

static npj_status open_nothing(struct twin_run *run, const struct target *at)
{
    return run->subject->opened(run->srv, at->forged, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE);
}

static const struct {
    const char *what;
    refused_call *call;
} refused_calls[] = {
    {"connect of no job", connect_nothing},
    {"a second connect", connect_twice},
    {"a write on a forged handle", write_forged},
    {"a write without bytes", write_null},
    {"a write without a flag", write_without_flag},
    {"a write with both flags", write_with_both},
    {"a write that is too long", write_too_long},
    {"a write out of its turn", write_out_of_turn},
    {"a second close", close_twice},
    {"a close of a forged handle", close_forged},
    {"a cancel of nothing", cancel_nothing},
    {"a cancel of a job", cancel_job},
    {"a cancel of what is answered", cancel_answered},
    {"an abort for success", abort_for_success},
    {"an abort of a forged handle", abort_forged},
    {"a client gone for success", gone_for_success},
    {"an add without a place for its handle", add_without_out},
    {"a shutdown of no kind", shut_somehow},
    {"a completion of another kind", complete_as_another},
    {"a second completion", complete_again},
    {"a second completion as a write", write_again},
    {"a completion of a forged open", open_nothing},
};

/* A write that has been answered: its handle is stale. */
static npj_req answered_of(const struct twin_run *run, const struct twin_job *job)
{
    for (uint32_t i = 0; i < job->write_count; i++)
        if (run->replied[job->writes[i]])
            return run->requests[job->writes[i]];
    return 0;
}

static void refuse(struct twin_run *run, uint8_t lane, uint8_t which)
{
    unsigned choice = which % (sizeof refused_calls / sizeof refused_calls[0]);
    struct target at = {0};
    if (run->lane_job[lane] != TWIN_NOBODY) {
        at.job = &run->jobs[run->lane_job[lane]];
        at.handle = at.job->handle;
        at.op = at.job->last_op;
        at.request = answered_of(run, at.job);
    }
    at.forged = at.handle ^ UINT64_C(1) << 40;
    uint64_t before = npjt_twin_digest(run);
    npj_status status = refused_calls[choice].call(run, &at);
    run->twin->result.refusals++;
    if (!npj_status_is_error(status))
        npjt_twin_differ(run->twin, "%s is not refused but answered 0x%08x (%s)", refused_calls[choice].what,
                         (unsigned)status, npj_status_name(status));
    npjt_twin_unchanged(run, before, refused_calls[choice].what);
}

/* ---------------------------------------------------------------------------------------------------------- queries */

typedef void query_call(struct twin_run *run, const struct twin_step *step);

static void look_at_stats(struct twin_run *run, const struct twin_step *step)
{
    npj_stats first = {0}, second = {0}; /* a server need not fill all of it */
    (void)step;
    if (!run->subject->stats)
        return;
    run->subject->stats(run->srv, &first);
    run->subject->stats(run->srv, &second);
    if (memcmp(&first, &second, sizeof first) != 0)
        npjt_twin_differ(run->twin, "statistics asked for twice differ");
}

static void look_at_job(struct twin_run *run, const struct twin_step *step)
{
    uint8_t job = run->lane_job[step->lane];
    npj_job_info info;
    if (run->subject->query)
        (void)run->subject->query(run->srv, job == TWIN_NOBODY ? 0 : run->jobs[job].handle, &info);
}

static void look_at_deadline(struct twin_run *run, const struct twin_step *step)
{
    (void)step;
    uint64_t first = run->subject->deadline(run->srv);
    if (run->subject->deadline(run->srv) != first)
        npjt_twin_differ(run->twin, "the deadline asked for twice differs");
}

static void look_at_invariants(struct twin_run *run, const struct twin_step *step)
{
    (void)step;
    const char *broken = run->subject->check ? run->subject->check(run->srv) : NULL;
    if (broken)
        npjt_twin_differ(run->twin, "an invariant does not hold: %s", broken);
}

static void look_at_digest(struct twin_run *run, const struct twin_step *step)
{
    (void)step;
    (void)npjt_twin_digest(run);
}

static void trim(struct twin_run *run, const struct twin_step *step)
{
    (void)step;
    if (run->subject->trim)
        (void)run->subject->trim(run->srv);
}

static void go_back(struct twin_run *run, const struct twin_step *step)
{
    if (run->clock_set)
        (void)run->subject->advance(run->srv, run->now - (step->b < run->now ? step->b : run->now));
}

static const struct {
    const char *what;
    query_call *call;
} queries[] = {
    {"a look at the statistics", look_at_stats},
    {"a query of a job", look_at_job},
    {"a look at the deadline", look_at_deadline},
    {"a check", look_at_invariants},
    {"a digest", look_at_digest},
    {"a trim", trim},
    {"an advance to a time gone by", go_back},
};

static void query(struct twin_run *run, const struct twin_step *step)
{
    unsigned choice = step->a % (sizeof queries / sizeof queries[0]);
    uint64_t before = npjt_twin_digest(run);
    queries[choice].call(run, step);
    run->twin->result.queries++;
    npjt_twin_unchanged(run, before, queries[choice].what);
}

void npjt_twin_extra(struct twin_run *run, const struct twin_step *step)
{
    if (run->side.extra == TWIN_REFUSED)
        refuse(run, step->lane, step->a);
    else if (run->side.extra == TWIN_QUERIES)
        query(run, step);
}
