/* SPDX-License-Identifier: MIT */
/*
 * The deadlines of a job. Each kind of deadline has one timeout, so its ring is in order of time when new ones go last:
 * arming, stopping and finding the earliest are O(1).
 */
#ifndef NPJOB_LIB_DEADLINE_H
#define NPJOB_LIB_DEADLINE_H

#include "engine.h"

static inline uint64_t npji_timeout(const struct npj_srv *srv, enum npji_timer timer)
{
    switch (timer) {
    case NPJI_TIMER_ADD:
        return srv->config.add_timeout;
    case NPJI_TIMER_CONNECT:
        return srv->config.connect_timeout;
    case NPJI_TIMER_STALL:
        return srv->config.stall_timeout;
    default: /* DRAIN */
        return srv->config.drain_timeout;
    }
}

/* The job that a deadline in the ring of @timer belongs to. */
static inline struct npji_job *npji_deadline_job(struct npji_deadline *deadline, enum npji_timer timer)
{
    return timer == NPJI_TIMER_DRAIN ? NPJI_OWNER(deadline, struct npji_job, drain)
                                     : NPJI_OWNER(deadline, struct npji_job, deadline);
}

static inline void npji_deadline_stop(struct npji_deadline *deadline)
{
    npji_unlink(&deadline->link);
    deadline->when = NPJ_NEVER;
}

static inline void npji_deadline_arm(struct npj_srv *srv, struct npji_deadline *deadline, enum npji_timer timer)
{
    npji_deadline_stop(deadline);
    uint64_t when = npji_add_saturated(srv->now, npji_timeout(srv, timer));
    if (when == NPJ_NEVER)
        return;
    deadline->when = when;
    npji_link_last(&srv->timers[timer], &deadline->link);
}

/* The deadline of the job's state. */
static inline enum npji_timer npji_timer_wanted(const struct npji_job *job)
{
    switch (job->state) {
    case NPJ_STATE_ADDING:
        return NPJI_TIMER_ADD;
    case NPJ_STATE_CONNECTING:
        return NPJI_TIMER_CONNECT;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
        return npji_packets_waiting(&job->writes) ? NPJI_TIMER_STALL : NPJI_NO_TIMER;
    default:
        return NPJI_NO_TIMER;
    }
}

static inline void npji_deadlines_settle(struct npj_srv *srv, struct npji_job *job)
{
    enum npji_timer wanted = npji_timer_wanted(job);
    if (wanted != job->timer || (job->facts & NPJI_PROGRESS)) {
        if (wanted == NPJI_NO_TIMER)
            npji_deadline_stop(&job->deadline);
        else
            npji_deadline_arm(srv, &job->deadline, wanted);
        job->timer = (uint8_t)wanted;
        job->facts &= ~(uint32_t)NPJI_PROGRESS;
    }

    bool draining = job->facts & NPJI_WAITING(NPJ_REQUEST_CLOSE);
    if (draining != (job->drain.when != NPJ_NEVER)) {
        if (draining)
            npji_deadline_arm(srv, &job->drain, NPJI_TIMER_DRAIN);
        else
            npji_deadline_stop(&job->drain);
    }
}

static inline void npji_deadlines_stop(struct npji_job *job)
{
    npji_deadline_stop(&job->deadline);
    npji_deadline_stop(&job->drain);
}

#endif
