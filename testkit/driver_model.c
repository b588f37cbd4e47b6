/* SPDX-License-Identifier: MIT */
/*
 * The reference model beside the server. It stands where the driver expects the server: each call goes to the server
 * first and then to the model, and what they say must be the same. A call from inside a callback is not made on the
 * model, as it must change nothing.
 */
#include <stdlib.h>

#include "driver_state.h"
#include "npjob-testkit/model.h"

/* ------------------------------------------------------------------------------------------------- what is compared */

static void differ(struct npjt_driver *d, const char *what, const char *member, uint64_t says, uint64_t right)
{
    if (says != right)
        npjt_violate(d, NPJT_LAW_MODEL, "%s: %s is 0x%llx, and the model says 0x%llx", what, member,
                     (unsigned long long)says, (unsigned long long)right);
}

static void differ_in_status(struct npjt_driver *d, const char *what, const char *member, npj_status says,
                             npj_status right)
{
    if (says != right)
        npjt_violate(d, NPJT_LAW_MODEL, "%s: %s is %s (0x%08x), and the model says %s (0x%08x)", what, member,
                     npj_status_name(says), (unsigned)says, npj_status_name(right), (unsigned)right);
}

static npj_status same(struct npjt_driver *d, const char *call, npj_status says, npj_status right)
{
    if (says != right)
        npjt_violate(d, NPJT_LAW_MODEL, "%s returned %s, and the model says %s", call, npj_status_name(says),
                     npj_status_name(right));
    return says;
}

static void same_action(struct npjt_driver *d, const npj_action *says, const npj_action *right)
{
    const char *what = npjt_action_name(says->kind);
    if (says->kind != right->kind)
        npjt_violate(d, NPJT_LAW_MODEL, "the server says %s of job 0x%llx, and the model %s of job 0x%llx", what,
                     (unsigned long long)says->job, npjt_action_name(right->kind), (unsigned long long)right->job);
    differ(d, what, "job", says->job, right->job);
    differ(d, what, "request", says->request, right->request);
    differ(d, what, "cookie", says->cookie, right->cookie);
    differ(d, what, "op", says->op, right->op);
    differ(d, what, "tag", says->tag, right->tag);
    differ_in_status(d, what, "status", says->status, right->status);
    differ(d, what, "job_id", says->job_id, right->job_id);
    differ(d, what, "count", says->count, right->count);
    differ(d, what, "iov_count", says->iov_count, right->iov_count);
    differ(d, what, "held", says->held, right->held);
    differ(d, what, "having an iov", says->iov != NULL, right->iov != NULL);
    for (uint32_t i = 0; i < right->iov_count && says->iov && right->iov && !d->stop; i++) {
        differ(d, what, "an iovec's length", says->iov[i].length, right->iov[i].length);
        if (right->iov[i].base)
            differ(d, what, "a lent iovec's base", (uintptr_t)says->iov[i].base, (uintptr_t)right->iov[i].base);
    }
}

static void same_gauge(struct npjt_driver *d, const char *what, const npj_gauge *says, const npj_gauge *right)
{
    differ(d, what, "live", says->live, right->live);
    differ(d, what, "peak", says->peak, right->peak);
    differ(d, what, "total", says->total, right->total);
}

/* -------------------------------------------------------------------------------------------------------- the calls */

/** Begins a call of the server that the driver is asked to make. */
static struct npjt_driver *enter(void *srv)
{
    struct npjt_driver *d = srv;
    d->inside++;
    return d;
}

/** Ends it. @return whether the model is to make it too. */
static bool leave(struct npjt_driver *d)
{
    return --d->inside == 0 && !d->stop;
}

static npj_status beside_new(const npj_config *config, void **out)
{
    struct npjt_driver *d = config->trace_user;
    npj_stats stats;
    void *const untouched = *out;
    d->inside++;
    npj_status status = d->judged->srv_new(config, out);
    d->inside--;
    if (!*out || *out == untouched)
        return status;
    d->judged_srv = *out;
    d->judged->stats(d->judged_srv, &stats);
    size_t size = npjt_model_size(config);
    if (size > d->model_room) {
        free(d->model);
        d->model = malloc(size);
        d->model_room = d->model ? size : 0;
    }
    if (d->model)
        npjt_model_init(d->model, config, stats.packet_bytes);
    else
        npjt_violate(d, NPJT_LAW_MODEL, "no memory for the model");
    *out = d;
    return status;
}

static void beside_free(void **srv)
{
    struct npjt_driver *d = enter(*srv);
    d->judged->srv_free(&d->judged_srv);
    d->inside--;
    if (!d->judged_srv)
        *srv = NULL;
}

static npj_status beside_add_job(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                 npj_job *out)
{
    struct npjt_driver *d = enter(srv);
    uint64_t refused = npjt_failed_allocations(d);
    npj_status status = d->judged->add_job(d->judged_srv, client, provider, cookie, tag, out);
    if (!leave(d))
        return status;
    npjt_said said = {npjt_failed_allocations(d) != refused, out ? *out : 0};
    return same(d, "add_job", status, npjt_model_add_job(d->model, client, provider, cookie, tag, out != NULL, said));
}

static npj_status beside_write(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out)
{
    struct npjt_driver *d = enter(srv);
    uint64_t refused = npjt_failed_allocations(d);
    npj_status status = d->judged->write(d->judged_srv, job, tag, bytes, length, flags, out);
    if (!leave(d))
        return status;
    npjt_said said = {npjt_failed_allocations(d) != refused, out ? *out : 0};
    return same(d, "write", status, npjt_model_write(d->model, job, tag, bytes, length, flags, said));
}

/** The calls that need nothing but their arguments. */
#define BESIDE(call, parameters, arguments)                                                                            \
    static npj_status beside_##call parameters                                                                         \
    {                                                                                                                  \
        struct npjt_driver *d = enter(srv);                                                                            \
        npj_status said = d->judged->call(d->judged_srv, UNPACK arguments);                                            \
        return leave(d) ? same(d, #call, said, npjt_model_##call(d->model, UNPACK arguments)) : said;                  \
    }
#define UNPACK(...) __VA_ARGS__

BESIDE(connect, (void *srv, npj_job job, uint64_t tag), (job, tag))
BESIDE(close, (void *srv, npj_job job, uint64_t tag), (job, tag))
BESIDE(cancel, (void *srv, npj_req request), (request))
BESIDE(opened, (void *srv, npj_op op, npj_status status, npj_pipe_mode mode), (op, status, mode))
BESIDE(written, (void *srv, npj_op op, npj_status status, uint64_t amount), (op, status, amount))
BESIDE(done, (void *srv, npj_op op, npj_status status), (op, status))
BESIDE(abort, (void *srv, npj_job job, npj_status reason), (job, reason))
BESIDE(client_gone, (void *srv, uint64_t client, npj_status reason), (client, reason))
BESIDE(provider_gone, (void *srv, uint64_t provider), (provider))
BESIDE(shutdown, (void *srv, npj_shutdown_how how), (how))
BESIDE(advance, (void *srv, uint64_t now), (now))

static npj_status beside_job_added(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    struct npjt_driver *d = enter(srv);
    npj_status said = d->judged->job_added(d->judged_srv, op, status, path, job_id);
    if (!leave(d))
        return said;
    return same(d, "job_added", said, npjt_model_job_added(d->model, op, status, d->path_good, d->path_means, job_id));
}

static bool beside_next(void *srv, npj_action *out)
{
    struct npjt_driver *d = enter(srv);
    npj_action right;
    bool more = d->judged->next(d->judged_srv, out);
    if (!leave(d) || !out)
        return more;
    bool expected = npjt_model_next(d->model, more ? out : NULL, &right);
    if (more && expected)
        same_action(d, out, &right);
    else if (more != expected)
        npjt_violate(d, NPJT_LAW_MODEL, "%s says %s, and %s nothing", more ? "the server" : "the model",
                     npjt_action_name(more ? out->kind : right.kind), more ? "the model" : "the server");
    return more;
}

/* ------------------------------------------------------------------------------------------------------- looking in */

static uint64_t beside_deadline(const void *srv)
{
    struct npjt_driver *d = (struct npjt_driver *)srv;
    uint64_t says = d->judged->deadline(d->judged_srv);
    if (d->inside == 0 && !d->stop)
        differ(d, "the server", "deadline", says, npjt_model_deadline(d->model));
    return says;
}

static void beside_stats(const void *srv, npj_stats *out)
{
    struct npjt_driver *d = (struct npjt_driver *)srv;
    npj_stats right;
    d->judged->stats(d->judged_srv, out);
    if (d->inside != 0 || d->stop)
        return;
    npjt_model_stats(d->model, &right);
    same_gauge(d, "stats of jobs", &out->jobs, &right.jobs);
    same_gauge(d, "stats of packets", &out->packets, &right.packets);
    same_gauge(d, "stats of reserved packets", &out->reserved_packets, &right.reserved_packets);
    same_gauge(d, "stats of pool bytes", &out->pool_bytes, &right.pool_bytes);
    differ(d, "stats", "accepted", out->accepted, right.accepted);
    differ(d, "stats", "refused", out->refused, right.refused);
    differ(d, "stats", "replies", out->replies, right.replies);
    differ(d, "stats", "operations", out->operations, right.operations);
    differ(d, "stats", "bytes_accepted", out->bytes_accepted, right.bytes_accepted);
    differ(d, "stats", "bytes_taken", out->bytes_taken, right.bytes_taken);
}

static npj_status beside_query(const void *srv, npj_job job, npj_job_info *out)
{
    struct npjt_driver *d = (struct npjt_driver *)srv;
    npj_job_info right = {0};
    npj_status says = d->judged->query(d->judged_srv, job, out);
    if (d->inside != 0 || d->stop)
        return says;
    same(d, "query", says, npjt_model_query(d->model, job, out != NULL, &right));
    if (d->stop || says != NPJ_STATUS_SUCCESS || !out)
        return says;
    if (out->state != right.state)
        npjt_violate(d, NPJT_LAW_MODEL, "a job is in state %s, and the model says %s", npj_state_name(out->state),
                     npj_state_name(right.state));
    differ_in_status(d, "query", "failure", out->failure, right.failure);
    differ(d, "query", "client", out->client, right.client);
    differ(d, "query", "provider", out->provider, right.provider);
    differ(d, "query", "cookie", out->cookie, right.cookie);
    differ(d, "query", "bytes", out->bytes, right.bytes);
    differ(d, "query", "packets", out->packets, right.packets);
    differ(d, "query", "job_id", out->job_id, right.job_id);
    return says;
}

static npj_status beside_trim(void *srv)
{
    struct npjt_driver *d = enter(srv);
    npj_status status = d->judged->trim(d->judged_srv);
    d->inside--;
    return status;
}

static const char *beside_check(const void *srv)
{
    const struct npjt_driver *d = srv;
    return d->judged->check(d->judged_srv);
}

static uint64_t beside_digest(const void *srv)
{
    const struct npjt_driver *d = srv;
    return d->judged->digest(d->judged_srv);
}

void npjt_put_model_beside(struct npjt_driver *d)
{
    const npjt_subject *judged = d->subject;
    d->judged = judged;
    d->beside = (npjt_subject){
        .name = judged->name,
        .engine_blocks = judged->engine_blocks,
        .idle_job_blocks = judged->idle_job_blocks,
        .packet_blocks = judged->packet_blocks,
        .copies_only = judged->copies_only,
        .srv_new = beside_new,
        .srv_free = beside_free,
        .add_job = beside_add_job,
        .connect = beside_connect,
        .write = beside_write,
        .close = beside_close,
        .cancel = beside_cancel,
        .job_added = beside_job_added,
        .opened = beside_opened,
        .written = beside_written,
        .done = beside_done,
        .abort = beside_abort,
        .client_gone = beside_client_gone,
        .provider_gone = beside_provider_gone,
        .shutdown = beside_shutdown,
        .advance = beside_advance,
        .deadline = beside_deadline,
        .next = beside_next,
        .stats = beside_stats,
        .query = judged->query ? beside_query : NULL,
        .trim = judged->trim ? beside_trim : NULL,
        .check = judged->check ? beside_check : NULL,
        .digest = judged->digest ? beside_digest : NULL,
    };
    d->subject = &d->beside;
    if (!judged->stats)
        npjt_violate(d, NPJT_LAW_MODEL, "the model needs a server with stats: it asks for the size of a packet");
}
