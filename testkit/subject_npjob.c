/* SPDX-License-Identifier: MIT */
/* npjob behind the table of functions that the driver knows. */
#include "npjob-testkit/subject.h"

static npj_status srv_new(const npj_config *config, void **out)
{
    npj_srv *srv = NULL;
    npj_status status = npj_srv_new(config, &srv);
    if (status == NPJ_STATUS_SUCCESS)
        *out = srv;
    return status;
}

static void srv_free(void **srv)
{
    npj_srv *engine = *srv;
    npj_srv_free(&engine);
    *srv = engine;
}

static npj_status add_job(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out)
{
    return npj_add_job(srv, client, provider, cookie, tag, out);
}

static npj_status connect_job(void *srv, npj_job job, uint64_t tag)
{
    return npj_connect(srv, job, tag);
}

static npj_status write_job(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                            npj_req *out)
{
    return npj_write(srv, job, tag, bytes, length, flags, out);
}

static npj_status close_job(void *srv, npj_job job, uint64_t tag)
{
    return npj_close(srv, job, tag);
}

static npj_status cancel(void *srv, npj_req request)
{
    return npj_cancel(srv, request);
}

static npj_status job_added(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    return npj_job_added(srv, op, status, path, job_id);
}

static npj_status opened(void *srv, npj_op op, npj_status status, npj_pipe_mode mode)
{
    return npj_opened(srv, op, status, mode);
}

static npj_status written(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    return npj_written(srv, op, status, transferred);
}

static npj_status done(void *srv, npj_op op, npj_status status)
{
    return npj_done(srv, op, status);
}

static npj_status abort_job(void *srv, npj_job job, npj_status reason)
{
    return npj_abort(srv, job, reason);
}

static npj_status client_gone(void *srv, uint64_t client, npj_status reason)
{
    return npj_client_gone(srv, client, reason);
}

static npj_status provider_gone(void *srv, uint64_t provider)
{
    return npj_provider_gone(srv, provider);
}

static npj_status shutdown_srv(void *srv, npj_shutdown_how how)
{
    return npj_shutdown(srv, how);
}

static npj_status advance(void *srv, uint64_t now)
{
    return npj_advance(srv, now);
}

static uint64_t deadline(const void *srv)
{
    return npj_deadline(srv);
}

static bool next(void *srv, npj_action *out)
{
    return npj_next(srv, out);
}

static void stats(const void *srv, npj_stats *out)
{
    npj_stats_get(srv, out);
}

static npj_status query(const void *srv, npj_job job, npj_job_info *out)
{
    return npj_job_query(srv, job, out);
}

static npj_status trim(void *srv)
{
    return npj_trim(srv);
}

static const char *check(const void *srv)
{
    return npj_check(srv);
}

static uint64_t digest(const void *srv)
{
    return npj_digest(srv);
}

const npjt_subject npjt_subject_npjob = {
    .name = "npjob",
    .engine_blocks = 1,
    .idle_job_blocks = 1,
    .packet_blocks = 1,
    .srv_new = srv_new,
    .srv_free = srv_free,
    .add_job = add_job,
    .connect = connect_job,
    .write = write_job,
    .close = close_job,
    .cancel = cancel,
    .job_added = job_added,
    .opened = opened,
    .written = written,
    .done = done,
    .abort = abort_job,
    .client_gone = client_gone,
    .provider_gone = provider_gone,
    .shutdown = shutdown_srv,
    .advance = advance,
    .deadline = deadline,
    .next = next,
    .stats = stats,
    .query = query,
    .trim = trim,
    .check = check,
    .digest = digest,
};
