/* SPDX-License-Identifier: MIT */
/* The host: takes actions, each of which must be right, and completes operations. */
#include <string.h>

#include "driver_state.h"

/** More actions than this without an end mean that there is none. */
#define MANY_ACTIONS 4096

/* -------------------------------------------------------------------------------------------------- what is told */

/** Whether a status is what it has to be: that of a failure that is not learnt yet may be this one, and is learnt. */
static bool fits(struct npjt_driver *d, struct a_job *job, npj_status status, npj_status expected)
{
    if (expected != job->failure || !npjt_may_be_failure(job, status))
        return status == expected;
    npjt_learn_failure(d, job, status);
    return true;
}

/** Whether a REPLY of a write is due that comes before @p than's: answered by an earlier call, or by the same one and
 * accepted earlier. NULL: any. */
static bool due_before(struct npjt_driver *d, const struct a_job *job, const struct a_write *than)
{
    bool earlier = true;
    for (const struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write)) {
        earlier = earlier && write != than;
        if (write->answered && !write->replied &&
            (!than || write->turn < than->turn || (write->turn == than->turn && earlier)))
            return true;
    }
    return false;
}

static void replied(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    static const char *const names[] = {"add", "connect", "write", "close"};
    unsigned kind = (unsigned)action->request;
    unsigned law = action->request == NPJ_REQUEST_CLOSE ? NPJT_LAW_HONEST_CLOSE : NPJT_LAW_ANSWERS;
    if (kind >= 4 || action->tag != job->tag[kind] || (job->phase[kind] != ANSWERED && job->phase[kind] != WAITING)) {
        npjt_violate(d, NPJT_LAW_ANSWERS, "a REPLY to a request that was not made, was refused, or has been answered");
        return;
    }
    if (job->phase[kind] == WAITING)
        npjt_violate(d, law, "%s is answered with %s before what it asks for has been done", names[kind],
                     npj_status_name(action->status));
    else if (!fits(d, job, action->status, job->answer[kind]))
        npjt_violate(d, law, "%s is answered with %s where %s is right", names[kind], npj_status_name(action->status),
                     npj_status_name(job->answer[kind]));
    if (action->request == NPJ_REQUEST_CLOSE && due_before(d, job, NULL))
        npjt_violate(d, NPJT_LAW_ORDER, "a close is answered before a write of its job");
    job->phase[kind] = REPLIED;
    d->reserved--;
}

static struct a_write *write_by_tag(struct npjt_driver *d, struct a_job *job, uint64_t tag)
{
    struct a_write *write = npjt_first_write(d, job);
    while (write && write->tag != tag)
        write = npjt_next_write(d, write);
    return write;
}

static void write_replied(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    struct a_write *write = write_by_tag(d, job, action->tag);
    unsigned long long tag = action->tag;
    if (!write || write->replied) {
        npjt_violate(d, NPJT_LAW_ANSWERS, "a REPLY to tag %llx, a write that was not accepted or has been answered",
                     tag);
        return;
    }
    if (!write->answered)
        npjt_violate(d, NPJT_LAW_COUNTS, "the write of tag %llx is answered with %s while it is pending", tag,
                     npj_status_name(action->status));
    else if (!fits(d, job, action->status, write->status) && action->status != write->or_else)
        npjt_violate(d, NPJT_LAW_COUNTS, "the write of tag %llx is answered with %s where %s is right", tag,
                     npj_status_name(action->status), npj_status_name(write->status));
    if (due_before(d, job, write))
        npjt_violate(d, NPJT_LAW_ORDER, "the REPLY to tag %llx comes before that of a write answered earlier", tag);
    if (action->count != write->taken)
        npjt_violate(d, NPJT_LAW_COUNTS,
                     "the write of tag %llx is answered with a count of %llu where the pipe took %u", tag,
                     (unsigned long long)action->count, (unsigned)write->taken);
    if (action->held != (write->lent && write->in_op))
        npjt_violate(d, NPJT_LAW_BOUNDS, "the REPLY to tag %llx %s", tag,
                     action->held ? "says held where the bytes are not in use"
                                  : "does not say held where the bytes are still in use");
    write->replied = true;
    write->held = write->lent && write->in_op;
    d->answered_write[d->writes_answered++ % ENDED_KEPT] = write->request;
    if (write->lent && !write->held)
        npjt_take_back(d, write);
    npjt_release_packets(d, job);
}

static void returned(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    struct a_write *write = write_by_tag(d, job, action->tag);
    if (!write || !write->held) {
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RETURN of tag %llx, whose bytes are not held",
                     (unsigned long long)action->tag);
        return;
    }
    if (write->in_op) {
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RETURN of tag %llx, whose bytes the operation in flight still uses",
                     (unsigned long long)action->tag);
        d->stop = true; /* where the law is off: nobody knows whose they are now */
        return;
    }
    npjt_take_back(d, write);
    write->held = false;
    npjt_release_packets(d, job);
}

static void resumed(struct npjt_driver *d, struct a_job *job)
{
    if (!job->resume_owed)
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RESUME that is not owed");
    else if (!npjt_resume_due(d, job))
        npjt_violate(d, NPJT_LAW_BOUNDS, "a RESUME although a write of the largest size does not fit");
    job->resume_owed = false;
}

static void told_to_cancel(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    if (action->op != job->op)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a CANCEL of an operation that is not in flight");
    else if (!job->cancel_owed)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "a CANCEL that nobody asked for");
    job->cancel_owed = false;
    job->cancel_taken = true;
}

static void idle(struct npjt_driver *d)
{
    bool wrong = !d->stopping || d->jobs > 0 || d->idle_taken;
    if (wrong && !d->miscounted)
        npjt_violate(d, NPJT_LAW_BOUNDS, "IDLE %s",
                     d->idle_taken  ? "for a second time"
                     : !d->stopping ? "without a shutdown"
                                    : "while something is left");
    d->idle_taken = true;
}

/* ---------------------------------------------------------------------------------------------------- what is to do */

/** Whether a job whose pipe has been open is whole: asked to close, and every accepted write taken in full. Else the
 * last answer would have failed it, and a failure answers the close. */
static bool whole(struct npjt_driver *d, const struct a_job *job)
{
    return job->phase[NPJ_REQUEST_CLOSE] == WAITING && !npjt_has_unanswered_write(d, job);
}

static void check_close_pipe(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    if (!job->pipe_open)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "CLOSE_PIPE of a pipe that is not open");
    else if (!job->failed && !whole(d, job))
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "CLOSE_PIPE before all writes were taken");
    else if (!fits(d, job, action->status, job->failure))
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "CLOSE_PIPE carries %s where %s is right",
                     npj_status_name(action->status), npj_status_name(job->failure));
}

static void check_provider_op(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    bool schedule = action->kind == NPJ_SCHEDULE_JOB;
    if (job->provider_gone)
        npjt_violate(d, NPJT_LAW_RECLAIM, "%s for a provider that has gone", npjt_action_name(action->kind));
    else if (!job->has_job || job->pipe_open || (schedule ? !job->connect_good : job->abandon_issued))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s out of turn", schedule ? "SCHEDULE_JOB" : "ABANDON_JOB");
    else if (schedule && !whole(d, job))
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "SCHEDULE_JOB of a job that is truncated or has failed");
    else if (!schedule && !job->failed)
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "ABANDON_JOB of a job that has not failed");
    else if (!fits(d, job, action->status, job->failure))
        npjt_violate(d, NPJT_LAW_HONEST_CLOSE, "%s carries %s where %s is right", npjt_action_name(action->kind),
                     npj_status_name(action->status), npj_status_name(job->failure));
    if (action->job_id != job->job_id)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s carries the JobId of another job", npjt_action_name(action->kind));
    job->abandon_issued |= !schedule;
}

static void check_start(struct npjt_driver *d, const struct a_job *job, const npj_action *action)
{
    bool good = false;
    switch (action->kind) {
    case NPJ_ADD_JOB:
        good = job->phase[NPJ_REQUEST_ADD] == WAITING;
        break;
    case NPJ_OPEN:
        good = job->added && job->phase[NPJ_REQUEST_CONNECT] == WAITING;
        break;
    case NPJ_WRITE:
        good = !job->failed && job->pipe_open;
        break;
    default:
        return;
    }
    if (job->provider_gone && action->kind == NPJ_ADD_JOB)
        npjt_violate(d, NPJT_LAW_RECLAIM, "%s for a provider that has gone", npjt_action_name(action->kind));
    if (!good)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s out of turn, or for a job that has failed",
                     npjt_action_name(action->kind));
}

static void started(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    if (job->op != 0 || action->op == 0 || npjt_job_by_op(d, action->op)) {
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s while an operation of the job is in flight, or without a new handle",
                     npjt_action_name(action->kind));
        d->stop = true;
        return;
    }
    if (npjt_has_ended(d->ended_op, d->ops_ended, action->op))
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s has the handle of an operation that has ended",
                     npjt_action_name(action->kind));
    if (due_before(d, job, NULL))
        npjt_violate(d, NPJT_LAW_ORDER, "%s before the REPLY of a write that has been answered",
                     npjt_action_name(action->kind));
    check_start(d, job, action);
    if (action->kind == NPJ_CLOSE_PIPE)
        check_close_pipe(d, job, action);
    else if (action->kind == NPJ_SCHEDULE_JOB || action->kind == NPJ_ABANDON_JOB)
        check_provider_op(d, job, action);
    else if (action->kind == NPJ_WRITE)
        npjt_pipe_offered(d, job, action);
    npjt_op_begin(d, job, action);
    d->operations++;
}

/* --------------------------------------------------------------------------------------------------- taking actions */

static struct a_job *job_of(struct npjt_driver *d, const npj_action *action)
{
    struct a_job *job = npjt_job_by_cookie(d, action->cookie);
    return job && job->handle == action->job ? job : NULL;
}

/** What an action does not name is zero. */
static void check_members(struct npjt_driver *d, const npj_action *action)
{
    enum { REQUEST = 1, OP = 2, TAG = 4, STATUS = 8, JOB_ID = 16, COUNT = 32, IOV = 64, HELD = 128, JOB = 256 };
    static const unsigned named[] = {
        [NPJ_ADD_JOB] = JOB | OP,
        [NPJ_OPEN] = JOB | OP,
        [NPJ_WRITE] = JOB | OP | COUNT | IOV,
        [NPJ_CLOSE_PIPE] = JOB | OP | STATUS,
        [NPJ_SCHEDULE_JOB] = JOB | OP | JOB_ID,
        [NPJ_ABANDON_JOB] = JOB | OP | STATUS | JOB_ID,
        [NPJ_CANCEL] = JOB | OP,
        [NPJ_REPLY] = JOB | REQUEST | TAG | STATUS,
        [NPJ_RETURN] = JOB | TAG,
        [NPJ_RESUME] = JOB,
        [NPJ_IDLE] = 0,
    };
    bool of_write = action->request == NPJ_REQUEST_WRITE;
    unsigned given = (action->request != 0 ? REQUEST : 0) | (action->op != 0 ? OP : 0) | (action->tag != 0 ? TAG : 0) |
                     (action->status != 0 ? STATUS : 0) | (action->job_id != 0 ? JOB_ID : 0) |
                     (action->count != 0 ? COUNT : 0) | (action->iov || action->iov_count != 0 ? IOV : 0) |
                     (action->held ? HELD : 0) | (action->job != 0 || action->cookie != 0 ? JOB : 0);
    if (given & ~(named[action->kind] | (of_write ? COUNT | HELD : 0)))
        npjt_violate(d, NPJT_LAW_ANSWERS, "%s has a member that its kind does not name",
                     npjt_action_name(action->kind));
}

static void act(struct npjt_driver *d, const npj_action *action)
{
    if ((unsigned)action->kind > NPJ_IDLE) {
        npjt_violate(d, NPJT_LAW_OPERATIONS, "an action of an unknown kind, %u", (unsigned)action->kind);
        d->stop = true;
        return;
    }
    check_members(d, action);
    if (action->kind == NPJ_IDLE) {
        idle(d);
        return;
    }
    struct a_job *job = job_of(d, action);
    if (action->kind == NPJ_REPLY)
        d->replies++;
    if (!job) {
        npjt_violate(d, NPJT_LAW_ANSWERS, "%s for a job that has ended or never was: it was owed nothing more",
                     npjt_action_name(action->kind));
        return;
    }
    if (action->kind == NPJ_REPLY && action->request == NPJ_REQUEST_WRITE)
        write_replied(d, job, action);
    else if (action->kind == NPJ_REPLY)
        replied(d, job, action);
    else if (action->kind == NPJ_RETURN)
        returned(d, job, action);
    else if (action->kind == NPJ_RESUME)
        resumed(d, job);
    else if (action->kind == NPJ_CANCEL)
        told_to_cancel(d, job, action);
    else
        started(d, job, action);
    npjt_settle(d, job);
}

/** Whether @p bytes, an action, are all as they were filled, those between its members too. */
static bool is_untouched(const unsigned char *bytes)
{
    return bytes[0] == UNTOUCHED_BYTE && memcmp(bytes, bytes + 1, sizeof(npj_action) - 1) == 0;
}

/** One action. @return whether there was one, and the run goes on. */
static bool take_one(struct npjt_driver *d)
{
    npj_action action;
    memset(&action, UNTOUCHED_BYTE, sizeof action);
    npjt_pipe_keeps_offer(d);
    if (d->stop)
        return false;
    d->result->calls++;
    d->refused_digest = 0;
    d->call = "next";
    bool more = d->subject->next(d->srv, &action);
    d->call = NULL;
    if (!more) {
        if (!is_untouched((const unsigned char *)&action))
            npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "next said false, and wrote an action");
        npjt_check_quiet(d);
        return false;
    }
    d->result->actions++;
    npjt_mix_action(d, &action);
    if (d->options->action)
        d->options->action(d->options->user, &action);
    act(d, &action);
    return !d->stop;
}

void npjt_take_many(struct npjt_driver *d, uint32_t count)
{
    bool all = count == 0;
    for (uint32_t left = all ? MANY_ACTIONS : count; left > 0 && !d->stop; left--)
        if (!take_one(d))
            return;
    if (all)
        npjt_violate(d, NPJT_LAW_BOUNDS, "%u actions in a row, and no end", (unsigned)MANY_ACTIONS);
}

bool npjt_host_round(struct npjt_driver *d)
{
    uint64_t before = d->result->actions;
    npjt_take_many(d, 0);
    uint8_t list[JOBS], live = d->ops_live;
    memcpy(list, d->ops, sizeof list);
    for (uint8_t i = 0; i < live && !d->stop; i++)
        if (d->job[list[i]].used && d->job[list[i]].op != 0)
            npjt_complete(d, list[i]);
    return !d->stop && (d->result->actions > before || live > 0);
}
