/* SPDX-License-Identifier: MIT */
/* What the host must do: jobs that have something to say take turns, one action each. */
#include "job.h"
#include "packet.h"

static bool take_cancel(struct npji_job *job, npj_action *out)
{
    if (!npji_cancel_due(job))
        return false;
    job->facts |= NPJI_CANCEL_TAKEN;
    out->kind = NPJ_CANCEL;
    out->op = job->op;
    return true;
}

static bool take_reply(struct npj_srv *srv, struct npji_job *job, npj_request_kind request, npj_action *out)
{
    if (!(job->facts & NPJI_ANSWERED(request)))
        return false;
    job->facts &= ~NPJI_ANSWERED(request);
    srv->stats.reserved_packets.live--;
    srv->stats.replies++;
    out->kind = NPJ_REPLY;
    out->request = request;
    out->tag = *npji_tag(job, request);
    out->status = job->facts & NPJI_GOOD(request) ? NPJ_STATUS_SUCCESS : job->failure;
    return true;
}

/* The REPLY of a write, or the RETURN of one whose REPLY has been taken. */
static bool take_packet(struct npj_srv *srv, struct npji_job *job, npj_action *out)
{
    if (!npji_packets_due(&job->writes))
        return false;
    struct npji_packet *packet = npji_packets_take(&job->writes, &job->writes.head);
    out->tag = packet->tag;
    if (packet->flags & NPJI_PACKET_REPLIED) {
        out->kind = NPJ_RETURN;
        npji_packet_release(srv, job, packet);
        return true;
    }
    out->kind = NPJ_REPLY;
    out->request = NPJ_REQUEST_WRITE;
    out->status = packet->status;
    out->count = npji_packet_count(job, packet);
    srv->stats.replies++;
    if (npji_packet_held(job, packet)) {
        out->held = packet->flags & NPJI_PACKET_LENT;
        packet->flags |= NPJI_PACKET_REPLIED;
        npji_packets_append(&job->writes, packet);
    } else {
        npji_packet_release(srv, job, packet);
    }
    return true;
}

static bool take_resume(struct npj_srv *srv, struct npji_job *job, npj_action *out)
{
    if (!npji_resume_due(srv, job))
        return false;
    job->facts &= ~(uint32_t)NPJI_RESUME_OWED;
    out->kind = NPJ_RESUME;
    return true;
}

/* Byte mode: as many writes as a batch holds, up to an empty one, which waits for its turn. Message mode: one. */
static void gather(struct npj_srv *srv, struct npji_job *job, npj_action *out)
{
    npj_iov *iov = srv->iov, *const end = iov + (job->mode == NPJ_MESSAGE_MODE ? 1 : srv->config.max_batch);
    uint64_t count = 0;
    struct npji_packet **at = job->writes.waiting;
    for (struct npji_packet *packet; (packet = *at) != NULL && iov < end; at = &packet->next) {
        if (npji_packet_is_nothing(job, packet))
            break;
        uint32_t length = packet->length - packet->taken;
        *iov++ = (npj_iov){packet->bytes != NULL ? packet->bytes + packet->taken : NULL, length};
        count += length;
        packet->flags |= NPJI_PACKET_IN_OP;
    }
    job->op_end = at;
    job->op_bytes = npji_op_bytes(count);
    out->count = count;
    out->iov = srv->iov;
    out->iov_count = (uint32_t)(iov - srv->iov);
}

/* What is left to be said when nothing else is: no packet of the last WRITE among it, as npji_packet_held() takes for
 * granted. */
static void take_op(struct npj_srv *srv, struct npji_job *job, npj_action *out)
{
    npj_action_kind kind;
    (void)npji_op_due(job, &kind);
    job->op = npji_handle(npji_generation(srv), npji_handle_slot(job->handle), NPJI_HANDLE_OP);
    job->op_kind = (uint8_t)kind;
    srv->stats.operations++;
    out->kind = kind;
    out->op = job->op;
    out->status = job->failure; /* of a failed job, of which only CLOSE_PIPE and ABANDON_JOB are left */
    if (kind == NPJ_WRITE)
        gather(srv, job, out);
    if (kind == NPJ_SCHEDULE_JOB || kind == NPJ_ABANDON_JOB)
        out->job_id = job->job_id;
}

static bool take_idle(struct npj_srv *srv, npj_action *out)
{
    if (!srv->idle_owed || srv->stats.jobs.live > 0)
        return false;
    srv->idle_owed = false;
    *out = (npj_action){.kind = NPJ_IDLE};
    return true;
}

/* What is told before the REPLYs of writes, if any of these facts stands. */
#define EARLY (NPJI_CANCEL_ASKED | NPJI_ANSWERED(NPJ_REQUEST_ADD) | NPJI_ANSWERED(NPJ_REQUEST_CONNECT))

static NPJI_RARE bool take_early(struct npj_srv *srv, struct npji_job *job, npj_action *out)
{
    return take_cancel(job, out) || take_reply(srv, job, NPJ_REQUEST_ADD, out) ||
           take_reply(srv, job, NPJ_REQUEST_CONNECT, out);
}

/*
 * After the first job in line has been asked: if it has more to say, it goes to the end. What is taken moves no
 * deadline, and finishes no state but GONE.
 */
static void end_turn(struct npj_srv *srv, struct npji_job *job)
{
    bool more = npji_has_action(srv, job);
    if (more && job->ready.next == &srv->ready)
        return;
    npji_unlink(&job->ready);
    if (more)
        npji_link_last(&srv->ready, &job->ready);
    else if (job->state == NPJ_STATE_GONE)
        npji_settle(srv, job);
}

bool npj_next(npj_srv *srv, npj_action *out)
{
    if (srv == NULL || srv->busy || out == NULL)
        return false;
    if (!npji_linked(&srv->ready))
        return take_idle(srv, out);
    struct npji_job *job = NPJI_OWNER(srv->ready.next, struct npji_job, ready);
    *out = (npj_action){.job = job->handle, .cookie = job->cookie};
    bool told = (job->facts & EARLY) && take_early(srv, job, out);
    if (!told && !take_packet(srv, job, out) && !take_reply(srv, job, NPJ_REQUEST_CLOSE, out) &&
        !take_resume(srv, job, out))
        take_op(srv, job, out);
    end_turn(srv, job);
    return true;
}
