/* SPDX-License-Identifier: MIT */
/* What the server calls: the allocator, and (driver_trace.c) the trace. From here the driver tries to call it again. */

#include "driver_state.h"

/** Makes a call of the server, with arguments that would do something. @return its status. */
static npj_status call_again(struct npjt_driver *d, unsigned call, uint64_t *handle)
{
    const npjt_subject *subject = d->subject;
    npj_job job = npjt_select_job(d, JOB_NEWEST);
    npj_op op = npjt_select_op(d, OP_NEWEST, ~0U);
    npj_path path = {"spool", 5, NPJ_PATH_UTF8};
    switch (call) {
    case CALL_ADD_JOB:
        return subject->add_job(d->srv, 1, 1, 1, 1, handle);
    case CALL_CONNECT:
        return subject->connect(d->srv, job, 1);
    case CALL_WRITE:
        return subject->write(d->srv, job, 1, "x", 1, NPJ_COPY, handle);
    case CALL_CLOSE:
        return subject->close(d->srv, job, 1);
    case CALL_CANCEL:
        return subject->cancel(d->srv, npjt_select_write(d, job, WRITE_NEWEST));
    case CALL_JOB_ADDED:
        return subject->job_added(d->srv, op, NPJ_STATUS_SUCCESS, &path, 1);
    case CALL_OPENED:
        return subject->opened(d->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE);
    case CALL_WRITTEN:
        return subject->written(d->srv, op, NPJ_STATUS_SUCCESS, 1);
    case CALL_DONE:
        return subject->done(d->srv, op, NPJ_STATUS_SUCCESS);
    case CALL_ABORT:
        return subject->abort(d->srv, job, NPJ_STATUS_PRINT_CANCELLED);
    case CALL_CLIENT_GONE:
        return subject->client_gone(d->srv, 1, NPJ_STATUS_NETWORK_NAME_DELETED);
    case CALL_PROVIDER_GONE:
        return subject->provider_gone(d->srv, 1);
    case CALL_SHUTDOWN:
        return subject->shutdown(d->srv, NPJ_ABORT);
    case CALL_ADVANCE:
        return subject->advance(d->srv, NPJ_NEVER - 1);
    default:
        return subject->trim ? subject->trim(d->srv) : NPJ_STATUS_INVALID_DEVICE_STATE;
    }
}

/** The calls that only look: what they see may be in the middle of a change, but they are not refused. */
static void look_again(struct npjt_driver *d)
{
    const npjt_subject *subject = d->subject;
    npj_job_info info;
    npj_stats stats;
    if (subject->stats)
        subject->stats(d->srv, &stats);
    if (subject->check)
        (void)subject->check(d->srv);
    if (subject->digest)
        (void)subject->digest(d->srv);
    (void)subject->deadline(d->srv);
    if (subject->query &&
        subject->query(d->srv, npjt_select_job(d, JOB_NEWEST), &info) == NPJ_STATUS_INVALID_DEVICE_STATE)
        npjt_violate(d, NPJT_LAW_REENTRY, "query is refused inside a callback");
}

/** A server that does not promise law 6 is not called: what it would do, nobody could follow. */
void npjt_reenter(struct npjt_driver *d, unsigned callback)
{
    if (d->stop || !d->armed || !d->srv || npjt_is_off(d, NPJT_LAW_REENTRY) ||
        (d->armed_callback != CALLBACK_ANY && d->armed_callback != callback))
        return;
    d->armed = false;
    d->result->calls++;
    d->result->reentries++;
    if (d->armed_call == CALL_NEXT) {
        npj_action action;
        if (d->subject->next(d->srv, &action))
            npjt_violate(d, NPJT_LAW_REENTRY, "next handed out an action inside a callback");
    } else if (d->armed_call == CALL_FREE) {
        void *srv = d->srv;
        d->subject->srv_free(&srv);
        if (srv == d->srv)
            return;
        npjt_violate(d, NPJT_LAW_REENTRY, "the engine was freed inside a callback");
        d->srv = NULL;
    } else if (d->armed_call == CALL_QUERY) {
        look_again(d);
    } else {
        const char *name = npjt_operand_word(NPJT_CALL, d->armed_call);
        uint64_t handle = UNTOUCHED;
        npj_status status = call_again(d, d->armed_call, &handle);
        if (status != NPJ_STATUS_INVALID_DEVICE_STATE)
            npjt_violate(d, NPJT_LAW_REENTRY, "%s returned %s inside a callback, not STATUS_INVALID_DEVICE_STATE", name,
                         npj_status_name(status));
        else if (handle != UNTOUCHED)
            npjt_violate(d, NPJT_LAW_REENTRY, "%s wrote a handle inside a callback", name);
    }
}

void npjt_hook(void *user, npjt_moment moment, size_t bytes)
{
    struct npjt_driver *d = user;
    (void)bytes;
    if (moment == NPJT_MOMENT_ALLOC && !d->may_allocate)
        npjt_violate(d, NPJT_LAW_ALLOCATION, "%s allocates, which only new, add_job and write may",
                     d->call ? d->call : "a call that only looks");
    npjt_reenter(d, moment == NPJT_MOMENT_ALLOC ? CALLBACK_ALLOC : CALLBACK_RELEASE);
}

void npjt_abused(void *user, const npjt_finding *finding)
{
    npjt_violate(user, NPJT_LAW_ALLOCATOR, "%s", finding->text);
}
