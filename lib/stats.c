/* SPDX-License-Identifier: MIT */
/* Looking in: the counters, one job, and giving back what is kept. */
#include "job.h"

void npj_stats_get(const npj_srv *srv, npj_stats *out)
{
    if (out == NULL)
        return;
    if (srv == NULL) {
        memset(out, 0, sizeof *out);
        return;
    }
    *out = srv->stats;
    out->accepted = out->packets.total + out->reserved_packets.total;
}

npj_status npj_job_query(const npj_srv *srv, npj_job handle, npj_job_info *out)
{
    if (srv == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    const struct npji_job *job = npji_job_of(srv, handle);
    if (job == NULL || job->state == NPJ_STATE_GONE)
        return NPJ_STATUS_INVALID_HANDLE;
    if (out == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    *out = (npj_job_info){.state = (npj_state)job->state,
                          .failure = job->failure,
                          .client = job->keys[NPJI_CLIENT],
                          .provider = job->keys[NPJI_PROVIDER],
                          .cookie = job->cookie,
                          .bytes = job->bytes,
                          .packets = job->packets,
                          .job_id = job->job_id};
    return NPJ_STATUS_SUCCESS;
}

npj_status npj_trim(npj_srv *srv)
{
    NPJI_ENTER(srv);
    npji_packets_trim(srv);
    return NPJ_STATUS_SUCCESS;
}
