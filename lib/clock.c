/* SPDX-License-Identifier: MIT */
/* The engine's clock. It starts at 0, is set against the host's by the first npj_advance(), and ends what is overdue.
 */
#include "engine.h"

static bool set_clock(struct npj_srv *srv, uint64_t now)
{
    if (!srv->clock_set) {
        srv->clock_set = true;
        srv->origin = now;
        return false;
    }
    if (now < npji_host_time(srv, srv->now))
        return false;
    srv->now = now - srv->origin;
    return true;
}

npj_status npj_advance(npj_srv *srv, uint64_t now)
{
    NPJI_ENTER(srv);
    if (!set_clock(srv, now))
        return NPJ_STATUS_SUCCESS;
    for (;;) {
        struct npji_job *job;
        uint64_t when = npji_earliest(srv, &job);
        if (when > srv->now || npji_host_time(srv, when) == NPJ_NEVER)
            return NPJ_STATUS_SUCCESS;
        if (job == NULL) {
            npji_abort_all(srv);
            continue;
        }
        npji_fail(srv, job, NPJ_EVENT_EXPIRE, NPJ_STATUS_IO_TIMEOUT);
        npji_settle(srv, job);
    }
}
