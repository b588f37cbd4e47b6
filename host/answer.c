/* SPDX-License-Identifier: MIT */
/* What a print provider answers. */
#include <string.h>

#include "state.h"

/* The path as the engine is to see it: one that cannot be kept is malformed, as an empty one is. */
static npj_path keep_path(npjp_job *job, const char *path)
{
    size_t length = strnlen(path, sizeof job->path);
    if (length == sizeof job->path) {
        npjp_job_tell(job, "path of the pipe", "longer than a path may be");
        length = 0;
    }
    memcpy(job->path, path, length);
    job->path[length] = '\0';
    return (npj_path){.encoding = NPJ_PATH_OPAQUE, .bytes = job->path, .length = length};
}

npj_status npjp_job_added(npjp_job *job, npj_op op, npj_status status, const char *path, uint32_t job_id)
{
    if (job == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (job->op == 0 || job->op != op || job->op_kind != NPJ_ADD_JOB)
        return NPJ_STATUS_INVALID_HANDLE;
    bool added = !npj_status_is_error(status) && path != NULL;
    npj_path kept = added ? keep_path(job, path) : (npj_path){0};
    job->op = 0;
    npj_status result = npj_job_added(npjpi_call(job->host), op, status, added ? &kept : NULL, job_id);
    if (added && result == NPJ_STATUS_SUCCESS) {
        job->report.added = true;
        job->report.job_id = job_id;
    } else {
        job->path[0] = '\0'; /* a bad claim: there is no job that it would be the path of */
    }
    return result;
}

npj_status npjp_job_done(npjp_job *job, npj_op op, npj_status status)
{
    if (job == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (job->op == 0 || job->op != op || (job->op_kind != NPJ_SCHEDULE_JOB && job->op_kind != NPJ_ABANDON_JOB))
        return NPJ_STATUS_INVALID_HANDLE;
    job->op = 0;
    npj_status result = npj_done(npjpi_call(job->host), op, status);
    if (job->op_kind == NPJ_SCHEDULE_JOB && result == NPJ_STATUS_SUCCESS && !npj_status_is_error(status))
        job->report.scheduled = true;
    return result;
}

void npjp_job_keep(npjp_job *job, void *kept)
{
    if (job != NULL)
        job->kept = kept;
}

void *npjp_job_kept(const npjp_job *job)
{
    return job != NULL ? job->kept : NULL;
}
