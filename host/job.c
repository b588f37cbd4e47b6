/* SPDX-License-Identifier: MIT */
/* A job's beginning and end, and what its client may ask. */
#include <string.h>

#include "state.h"
#include "text.h"

/* ---------------------------------------------------------------------------------------------- beginning and end */

static void link_job(npjp_job *job)
{
    npjp_host *host = job->host;
    job->next = host->jobs;
    job->link = &host->jobs;
    if (job->next != NULL)
        job->next->link = &job->next;
    host->jobs = job;
}

static void unlink_job(npjp_job *job)
{
    *job->link = job->next;
    if (job->next != NULL)
        job->next->link = job->link;
}

void npjpi_job_hold(npjp_job *job)
{
    job->holders++;
}

void npjpi_job_let_go(npjp_job *job)
{
    if (--job->holders > 0)
        return;
    npjp_host *host = job->host;
    host->mem.release(host->mem.user, job, job->bytes);
    npjpi_host_let_go(host);
}

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 1;
}

static const char *copy_to(char **room, const char *text)
{
    size_t length = length_of(text);
    char *copy = memcpy(*room, text != NULL ? text : "", length);
    *room += length;
    return copy;
}

/* One block: the job, the iovecs of a batch, the strings. */
static npjp_job *allocate(npjp_host *host, const npjp_job_options *options)
{
    size_t iov_bytes = host->max_batch * sizeof(struct iovec);
    size_t bytes = sizeof(npjp_job) + iov_bytes + length_of(options->printer) + length_of(options->name) +
                   length_of(options->user_name) + length_of(options->client_name);
    npjp_job *job = host->mem.alloc(host->mem.user, bytes);
    if (job == NULL)
        return NULL;
    memset(job, 0, sizeof *job);
    job->host = host;
    job->bytes = bytes;
    job->asked = *options;
    job->iov = (struct iovec *)(job + 1);
    char *room = (char *)(job + 1) + iov_bytes;
    job->asked.printer = copy_to(&room, options->printer);
    job->asked.name = copy_to(&room, options->name);
    job->asked.user_name = copy_to(&room, options->user_name);
    job->asked.client_name = copy_to(&room, options->client_name);
    return job;
}

static bool are_good(const npjp_job_options *options)
{
    const npjp_provider_calls *provider = options->provider;
    return provider != NULL && provider->add_job != NULL && provider->schedule_job != NULL &&
           provider->abandon_job != NULL && options->calls != NULL && (unsigned)options->mode <= NPJ_MESSAGE_MODE;
}

static void end_provider(npjp_job *job)
{
    if (job->asked.provider->end != NULL)
        job->asked.provider->end(job->asked.provider_user, job);
}

/* The provider first: what the engine has accepted, it has. */
static npj_status begin(npjp_job *job, uint64_t tag)
{
    const npjp_job_options *asked = &job->asked;
    npj_status status = NPJ_STATUS_SUCCESS;
    if (asked->provider->begin != NULL)
        status = asked->provider->begin(asked->provider_user, job);
    if (status != NPJ_STATUS_SUCCESS)
        return npj_status_is_error(status) ? status : NPJ_STATUS_INVALID_PARAMETER;
    uint64_t cookie = (uint64_t)(uintptr_t)job;
    status = npj_add_job(npjpi_call(job->host), asked->client, asked->provider_key, cookie, tag, &job->handle);
    if (status != NPJ_STATUS_PENDING)
        end_provider(job);
    return status;
}

npj_status npjp_job_add(npjp_host *host, const npjp_job_options *options, uint64_t tag, npjp_job **out)
{
    if (host == NULL || options == NULL || out == NULL || !are_good(options))
        return NPJ_STATUS_INVALID_PARAMETER;
    npjp_job *job = allocate(host, options);
    if (job == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    npj_status status = begin(job, tag);
    if (status != NPJ_STATUS_PENDING) {
        host->mem.release(host->mem.user, job, job->bytes);
        return status;
    }
    npjpi_host_hold(host);
    npjpi_job_hold(job);
    link_job(job);
    npjpi_pipe_start(job);
    *out = job;
    return status;
}

void npjpi_job_end(npjp_job *job)
{
    unlink_job(job);
    npjpi_pipe_stop(job);
    end_provider(job);
    npjpi_job_let_go(job);
}

/* ---------------------------------------------------------------------------------------------- requests */

npj_status npjp_job_connect(npjp_job *job, uint64_t tag)
{
    return job != NULL ? npj_connect(npjpi_call(job->host), job->handle, tag) : NPJ_STATUS_INVALID_PARAMETER;
}

npj_status npjp_job_write(npjp_job *job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags, npj_req *out)
{
    if (job == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    return npj_write(npjpi_call(job->host), job->handle, tag, bytes, length, flags, out);
}

npj_status npjp_job_cancel(npjp_job *job, npj_req request)
{
    return job != NULL ? npj_cancel(npjpi_call(job->host), request) : NPJ_STATUS_INVALID_PARAMETER;
}

npj_status npjp_job_close(npjp_job *job, uint64_t tag)
{
    return job != NULL ? npj_close(npjpi_call(job->host), job->handle, tag) : NPJ_STATUS_INVALID_PARAMETER;
}

npj_status npjp_job_abort(npjp_job *job, npj_status reason)
{
    return job != NULL ? npj_abort(npjpi_call(job->host), job->handle, reason) : NPJ_STATUS_INVALID_PARAMETER;
}

/* ---------------------------------------------------------------------------------------------- looking in */

const npjp_job_options *npjp_job_asked(const npjp_job *job)
{
    return job != NULL ? &job->asked : NULL;
}

void npjp_job_report_get(const npjp_job *job, npjp_job_report *out)
{
    if (out == NULL)
        return;
    *out = job != NULL ? job->report : (npjp_job_report){0};
    out->handle = job != NULL ? job->handle : 0;
    out->path = job != NULL ? job->path : "";
    out->trouble = job != NULL ? job->trouble : "";
}

const char *npjp_job_trouble(const npjp_job *job)
{
    return job != NULL ? job->trouble : "";
}

static void add_clean(npjp_job *job, const char *text)
{
    size_t length = strlen(job->trouble);
    length += npjpi_text_clean(text, strlen(text), job->trouble + length, sizeof job->trouble - 1 - length);
    job->trouble[length] = '\0';
}

void npjp_job_tell(npjp_job *job, const char *step, const char *what)
{
    if (job == NULL || step == NULL || what == NULL)
        return;
    if (job->trouble[0] != '\0')
        add_clean(job, "; ");
    add_clean(job, step);
    if (what[0] != '\0') {
        add_clean(job, ": ");
        add_clean(job, what);
    }
}

/* What was told later is set behind a "; ", or what of it had room: not where it becomes the first. */
void npjpi_job_untell(npjp_job *job, size_t from, size_t to)
{
    const char *later = job->trouble + to;
    if (from == to)
        return;
    if (from == 0)
        later += strnlen(later, 2);
    memmove(job->trouble + from, later, strlen(later) + 1);
}
