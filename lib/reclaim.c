/* SPDX-License-Identifier: MIT */
/* Ends by force: of one job, of a client's, of a provider's, of all. */
#include "job.h"

npj_status npj_abort(npj_srv *srv, npj_job handle, npj_status reason)
{
    NPJI_ENTER(srv);
    struct npji_job *job;
    npj_status status = npji_verdict(srv, handle, NPJ_EVENT_ABORT, &job);
    if (status == NPJ_STATUS_SUCCESS && !npj_status_is_error(reason))
        status = NPJ_STATUS_INVALID_PARAMETER;
    if (status != NPJ_STATUS_SUCCESS)
        return npji_refuse(srv, job, NPJ_EVENT_ABORT, status);
    job->facts |= NPJI_FORGET;
    npji_fail(srv, job, NPJ_EVENT_ABORT, reason);
    npji_settle(srv, job);
    return NPJ_STATUS_SUCCESS;
}

/* A job whose close was accepted ends by itself. */
static void lose_client(struct npj_srv *srv, struct npji_job *job, npj_status reason)
{
    if (!npji_failed(job) && (job->facts & NPJI_CLOSE_ACCEPTED)) {
        npji_trace_event(srv, job, NPJ_EVENT_CLIENT_GONE, (npj_state)job->state, NPJ_STATUS_SUCCESS);
        return;
    }
    job->facts |= NPJI_FORGET;
    npji_fail(srv, job, NPJ_EVENT_CLIENT_GONE, reason);
    npji_settle(srv, job);
}

npj_status npj_client_gone(npj_srv *srv, uint64_t client, npj_status reason)
{
    NPJI_ENTER(srv);
    if (!npj_status_is_error(reason))
        return NPJ_STATUS_INVALID_PARAMETER;
    struct npji_job *job = npji_index_first(srv, NPJI_CLIENT, client);
    if (job == NULL)
        return NPJ_STATUS_SUCCESS;
    /* Settling a job may end it, but only that one: the next, and the last of the ring, stay where they are. */
    for (bool more = true; more;) {
        struct npji_job *next = npji_index_next(job, NPJI_CLIENT);
        more = next != npji_index_first(srv, NPJI_CLIENT, client);
        lose_client(srv, job, reason);
        job = next;
    }
    return NPJ_STATUS_SUCCESS;
}

npj_status npj_provider_gone(npj_srv *srv, uint64_t provider)
{
    NPJI_ENTER(srv);
    struct npji_job *job;
    while ((job = npji_index_first(srv, NPJI_PROVIDER, provider)) != NULL) {
        npji_index_remove(srv, job, NPJI_PROVIDER);
        job->facts |= NPJI_PROVIDER_GONE;
        npji_fail(srv, job, NPJ_EVENT_PROVIDER_GONE, NPJ_STATUS_PIPE_DISCONNECTED);
        npji_settle(srv, job);
    }
    return NPJ_STATUS_SUCCESS;
}

void npji_abort_all(struct npj_srv *srv)
{
    srv->shutdown = 1 + NPJ_ABORT;
    srv->shutdown_deadline = NPJ_NEVER;
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        struct npji_job *job = npji_slot_job(srv->slots[slot]);
        if (job == NULL)
            continue;
        npji_fail(srv, job, NPJ_EVENT_EXPIRE, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
        npji_settle(srv, job);
    }
}

npj_status npj_shutdown(npj_srv *srv, npj_shutdown_how how)
{
    NPJI_ENTER(srv);
    if (how != NPJ_DRAIN && how != NPJ_ABORT)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (srv->shutdown > (uint8_t)how)
        return NPJ_STATUS_SUCCESS;
    if (!srv->shutdown)
        srv->idle_owed = true;
    if (how == NPJ_ABORT) {
        npji_abort_all(srv);
    } else {
        srv->shutdown = 1 + NPJ_DRAIN;
        srv->shutdown_deadline = npji_add_saturated(srv->now, srv->config.drain_timeout);
    }
    return NPJ_STATUS_SUCCESS;
}
