/* SPDX-License-Identifier: MIT */
/*
 * What is pending is known for sure in two cases only, for an engine does not tell what it has answered before the
 * REPLY is taken: a write whose cancel was taken was pending until then; and when there is nothing more to take,
 * whatever has had no REPLY is pending.
 */
#include "depth_goal.h"

#include <stdbool.h>
#include <string.h>

#include "npjob-testkit/tape.h"

/* A write that was accepted, and whose REPLY has not been taken. */
struct watched_write {
    npj_job job;
    npj_req request;
    uint64_t tag;
    bool cancelled;
    bool of_full_job; /* one of those that filled their job */
};

static struct {
    void (*reached)(uint32_t packets);
    uint32_t max_job_packets;
    uint32_t count;
    struct watched_write write[NPJT_MAX_LIVE_PACKETS];
} watch;

static uint32_t count_pending(npj_job job, bool of_full_job)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < watch.count; i++) {
        const struct watched_write *write = &watch.write[i];
        count += write->job == job && !write->cancelled && write->of_full_job >= of_full_job;
    }
    return count;
}

static void mark_job(npj_job job, bool full)
{
    for (uint32_t i = 0; i < watch.count; i++)
        if (watch.write[i].job == job)
            watch.write[i].of_full_job = full;
}

static void reach(npj_job job)
{
    mark_job(job, false);
    if (watch.max_job_packets >= DEPTH_LEAST_PACKETS)
        watch.reached(watch.max_job_packets);
}

static npj_status watched_new(const npj_config *config, void **out)
{
    watch.count = 0;
    watch.max_job_packets = config->max_job_packets;
    return npjt_subject_npjob.srv_new(config, out);
}

static void watched_free(void **srv)
{
    npjt_subject_npjob.srv_free(srv);
    if (!*srv)
        watch.count = 0;
}

static npj_status watched_write(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                unsigned flags, npj_req *out)
{
    npj_req request = 0;
    const npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out ? &request : NULL);
    if (status != NPJ_STATUS_PENDING || watch.count == NPJT_MAX_LIVE_PACKETS)
        return status;
    if (out)
        *out = request;
    watch.write[watch.count++] = (struct watched_write){.job = job, .request = request, .tag = tag};
    if (count_pending(job, false) == watch.max_job_packets)
        mark_job(job, true);
    return status;
}

static npj_status watched_cancel(void *srv, npj_req request)
{
    const npj_status status = npjt_subject_npjob.cancel(srv, request);
    for (uint32_t i = 0; i < watch.count && status == NPJ_STATUS_SUCCESS; i++) {
        struct watched_write *write = &watch.write[i];
        if (write->request == request && !write->cancelled) {
            write->cancelled = true;
            if (write->of_full_job && count_pending(write->job, true) == 0)
                reach(write->job);
        }
    }
    return status;
}

/* Whoever is answered otherwise than by a cancel was perhaps not pending while the others were cancelled. */
static void replied(uint64_t tag)
{
    for (uint32_t i = 0; i < watch.count; i++) {
        struct watched_write *write = &watch.write[i];
        if (write->tag == tag) {
            if (!write->cancelled)
                mark_job(write->job, false);
            memmove(write, write + 1, (--watch.count - i) * sizeof *write);
            return;
        }
    }
}

/* From inside a callback "nothing to take" means nothing; any other call of the engine tells. */
static bool inside_callback(void *srv)
{
    return npjt_subject_npjob.cancel(srv, 0) == NPJ_STATUS_INVALID_DEVICE_STATE;
}

static bool watched_next(void *srv, npj_action *out)
{
    const bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE)
        replied(out->tag);
    for (uint32_t i = 0; i < watch.count && !more; i++) {
        const struct watched_write *write = &watch.write[i];
        if (write->of_full_job && !write->cancelled && count_pending(write->job, true) <= 2 && !inside_callback(srv))
            reach(write->job);
    }
    return more;
}

const npjt_subject *depth_subject(void (*reached)(uint32_t packets))
{
    static npjt_subject subject;
    watch.reached = reached;
    subject = npjt_subject_npjob;
    subject.srv_new = watched_new;
    subject.srv_free = watched_free;
    subject.write = watched_write;
    subject.cancel = watched_cancel;
    subject.next = watched_next;
    return &subject;
}
