/* SPDX-License-Identifier: MIT */
/*
 * Deadlines. Each kind of deadline has one timeout, so its ring is in order of time when new ones go last: arming,
 * stopping and finding the earliest are O(1).
 */
#include "engine.h"

static uint64_t timeout_of(const struct npj_srv *srv, enum npji_timer timer)
{
    const npj_config *config = &srv->config;
    const uint64_t timeouts[NPJI_TIMERS] = {
        [NPJI_TIMER_ADD] = config->add_timeout,
        [NPJI_TIMER_CONNECT] = config->connect_timeout,
        [NPJI_TIMER_STALL] = config->stall_timeout,
        [NPJI_TIMER_DRAIN] = config->drain_timeout,
    };
    return timeouts[timer];
}

uint64_t npji_host_time(const struct npj_srv *srv, uint64_t when)
{
    return npji_add_saturated(srv->origin, when);
}

static void stop(struct npji_deadline *deadline)
{
    npji_unlink(&deadline->link);
    deadline->when = NPJ_NEVER;
}

static void arm(struct npj_srv *srv, struct npji_deadline *deadline, enum npji_timer timer)
{
    stop(deadline);
    uint64_t when = npji_add_saturated(srv->now, timeout_of(srv, timer));
    if (when == NPJ_NEVER)
        return;
    deadline->when = when;
    npji_link_last(&srv->timers[timer], &deadline->link);
}

enum npji_timer npji_timer_wanted(const struct npji_job *job)
{
    switch (job->state) {
    case NPJ_STATE_ADDING:
        return NPJI_TIMER_ADD;
    case NPJ_STATE_CONNECTING:
        return NPJI_TIMER_CONNECT;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
        return job->queue.head != NULL ? NPJI_TIMER_STALL : NPJI_NO_TIMER;
    default:
        return NPJI_NO_TIMER;
    }
}

void npji_deadlines_settle(struct npj_srv *srv, struct npji_job *job)
{
    enum npji_timer wanted = npji_timer_wanted(job);
    if (wanted != job->timer || (job->facts & NPJI_PROGRESS)) {
        if (wanted == NPJI_NO_TIMER)
            stop(&job->deadline);
        else
            arm(srv, &job->deadline, wanted);
        job->timer = (uint8_t)wanted;
    }
    job->facts &= ~(uint32_t)NPJI_PROGRESS;

    bool draining = job->facts & NPJI_WAITING(NPJ_REQUEST_CLOSE);
    if (draining != (job->drain.when != NPJ_NEVER)) {
        if (draining)
            arm(srv, &job->drain, NPJI_TIMER_DRAIN);
        else
            stop(&job->drain);
    }
}

void npji_deadlines_stop(struct npji_job *job)
{
    stop(&job->deadline);
    stop(&job->drain);
}

static struct npji_deadline *earliest_of(const struct npj_srv *srv, unsigned timer)
{
    const struct npji_link *head = &srv->timers[timer];
    return npji_linked(head) ? NPJI_OWNER(head->next, struct npji_deadline, link) : NULL;
}

/* The earliest deadline on the engine's clock, the job's that it belongs to, or NULL for the engine's own. */
uint64_t npji_earliest(const struct npj_srv *srv, struct npji_job **job)
{
    uint64_t when = srv->stats.jobs.live > 0 ? srv->shutdown_deadline : NPJ_NEVER;
    *job = NULL;
    /* Of those that fall together the first kind comes first, and shutdown last: so from the last kind to the first. */
    for (unsigned timer = NPJI_TIMERS; timer-- > 0;) {
        struct npji_deadline *deadline = earliest_of(srv, timer);
        if (deadline == NULL || deadline->when > when)
            continue;
        when = deadline->when;
        *job = timer == NPJI_TIMER_DRAIN ? NPJI_OWNER(deadline, struct npji_job, drain)
                                         : NPJI_OWNER(deadline, struct npji_job, deadline);
    }
    return when;
}

uint64_t npj_deadline(const npj_srv *srv)
{
    struct npji_job *job;
    return srv != NULL ? npji_host_time(srv, npji_earliest(srv, &job)) : NPJ_NEVER;
}
