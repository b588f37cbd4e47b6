/* SPDX-License-Identifier: MIT */
/* The earliest deadline of all jobs, and of the engine. */
#include "deadline.h"

uint64_t npji_host_time(const struct npj_srv *srv, uint64_t when)
{
    return npji_add_saturated(srv->origin, when);
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
        *job = npji_deadline_job(deadline, (enum npji_timer)timer);
    }
    return when;
}

uint64_t npj_deadline(const npj_srv *srv)
{
    struct npji_job *job;
    return srv != NULL ? npji_host_time(srv, npji_earliest(srv, &job)) : NPJ_NEVER;
}
