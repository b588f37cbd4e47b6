/* SPDX-License-Identifier: MIT */
/* Servers that ask or answer at the wrong moment in the life of a job. */
#include "driver_faults_internal.h"

/* ----------------------------------------------------------------------------- an action more, or another, or late */

/** Changes the first action of which @p is says so. */
static bool changed(void *srv, npj_action *out, bool (*is)(const npj_action *said), void (*change)(npj_action *said))
{
    bool more = GOOD.next(srv, out);
    if (more && out && !memory.have && is(out)) {
        memory.have = true;
        change(out);
    }
    return more;
}

/** Says one more action behind the first of which @p is says so. @p make makes it of that one, which it is at first. */
static bool one_more(void *srv, npj_action *out, bool (*is)(const npj_action *said), void (*make)(npj_action *more))
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && out && !memory.have && is(out)) {
        memory.have = memory.armed = true;
        memory.kept = *out;
        make(&memory.kept);
    }
    return more;
}

/** Says the first action of which @p is says so behind the one that follows it. */
static bool one_late(void *srv, npj_action *out, bool (*is)(const npj_action *said))
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && out && !memory.have && is(out)) {
        memory.have = true;
        memory.kept = *out;
        memory.armed = GOOD.next(srv, out);
    }
    return more;
}

static bool is_add(const npj_action *said)
{
    return said->kind == NPJ_ADD_JOB;
}

static bool is_cancel(const npj_action *said)
{
    return said->kind == NPJ_CANCEL;
}

static bool is_close_pipe(const npj_action *said)
{
    return said->kind == NPJ_CLOSE_PIPE;
}

static bool is_idle(const npj_action *said)
{
    return said->kind == NPJ_IDLE;
}

static bool is_open(const npj_action *said)
{
    return said->kind == NPJ_OPEN;
}

static bool is_resume(const npj_action *said)
{
    return said->kind == NPJ_RESUME;
}

static bool is_return(const npj_action *said)
{
    return said->kind == NPJ_RETURN;
}

static bool is_schedule(const npj_action *said)
{
    return said->kind == NPJ_SCHEDULE_JOB;
}

static bool is_abandon(const npj_action *said)
{
    return said->kind == NPJ_ABANDON_JOB;
}

static bool is_write(const npj_action *said)
{
    return said->kind == NPJ_WRITE;
}

static bool is_reply_to_add(const npj_action *said)
{
    return said->kind == NPJ_REPLY && said->request == NPJ_REQUEST_ADD;
}

static bool is_reply_to_connect(const npj_action *said)
{
    return said->kind == NPJ_REPLY && said->request == NPJ_REQUEST_CONNECT;
}

static bool is_reply_to_write(const npj_action *said)
{
    return said->kind == NPJ_REPLY && said->request == NPJ_REQUEST_WRITE;
}

/** An action of the same job, with no more than its kind and an operation of its own. */
static void make(npj_action *action, npj_action_kind kind, npj_op op)
{
    *action = (npj_action){.kind = kind, .job = action->job, .cookie = action->cookie, .op = op};
}

static void same_again(npj_action *action)
{
    (void)action;
}

static void a_return(npj_action *action)
{
    uint64_t tag = action->tag;
    make(action, NPJ_RETURN, 0);
    action->tag = tag;
}

static void a_resume(npj_action *action)
{
    make(action, NPJ_RESUME, 0);
}

static void a_cancel(npj_action *action)
{
    make(action, NPJ_CANCEL, action->op);
}

static void an_idle(npj_action *action)
{
    *action = (npj_action){.kind = NPJ_IDLE};
}

static void an_add(npj_action *action)
{
    make(action, NPJ_ADD_JOB, MADE_UP);
}

static void an_open(npj_action *action)
{
    make(action, NPJ_OPEN, MADE_UP);
}

static void a_close_pipe(npj_action *action)
{
    make(action, NPJ_CLOSE_PIPE, MADE_UP);
}

static void close_pipe_instead(npj_action *action)
{
    make(action, NPJ_CLOSE_PIPE, action->op);
}

static void schedule_instead(npj_action *action)
{
    make(action, NPJ_SCHEDULE_JOB, action->op);
}

static void open_instead(npj_action *action)
{
    make(action, NPJ_OPEN, action->op);
}

/** A WRITE of one byte, or another action that is one. */
static void a_write(npj_action *action)
{
    make(action, NPJ_WRITE, action->op != 0 ? action->op : MADE_UP);
    memory.iov = (npj_iov){memory.bytes, 1};
    action->iov = &memory.iov;
    action->iov_count = 1;
    action->count = 1;
}

static void abandon_instead(npj_action *action)
{
    action->kind = NPJ_ABANDON_JOB;
}

static void a_pending_write_is_done(npj_action *action)
{
    make(action, NPJ_REPLY, 0);
    action->request = NPJ_REQUEST_WRITE;
    action->tag = memory.tag;
}

static void another_op(npj_action *action)
{
    action->op ^= UINT64_C(1) << 40;
}

static void no_op(npj_action *action)
{
    action->op = 0;
}

static void another_status(npj_action *action)
{
    action->status = NPJ_STATUS_IO_TIMEOUT;
}

/** A server whose next changes an action, says one more, or one late. */
#define CHANGING(name, is, change)                                                                                     \
    static bool name(void *srv, npj_action *out)                                                                       \
    {                                                                                                                  \
        return changed(srv, out, is, change);                                                                          \
    }
#define SAYING_MORE(name, is, make)                                                                                    \
    static bool name(void *srv, npj_action *out)                                                                       \
    {                                                                                                                  \
        return one_more(srv, out, is, make);                                                                           \
    }
#define SAYING_LATE(name, is)                                                                                          \
    static bool name(void *srv, npj_action *out)                                                                       \
    {                                                                                                                  \
        return one_late(srv, out, is);                                                                                 \
    }

SAYING_MORE(next_replies_to_write_twice, is_reply_to_write, same_again)
SAYING_MORE(next_replies_to_pending_write, is_write, a_pending_write_is_done)
SAYING_MORE(next_returns_twice, is_return, same_again)
SAYING_MORE(next_returns_early, is_reply_to_write, a_return)
SAYING_MORE(next_resumes_twice, is_resume, same_again)
SAYING_MORE(next_resumes_early, is_write, a_resume)
SAYING_MORE(next_cancels_unasked, is_write, a_cancel)
SAYING_MORE(next_is_idle_twice, is_idle, same_again)
SAYING_MORE(next_is_idle_always, is_reply_to_add, an_idle)
SAYING_MORE(next_is_idle_early, is_write, an_idle)
SAYING_MORE(next_adds_again, is_reply_to_add, an_add)
SAYING_MORE(next_opens_again, is_reply_to_connect, an_open)
SAYING_MORE(next_closes_while_writing, is_write, a_close_pipe)
SAYING_MORE(next_opens_unasked, is_reply_to_add, an_open)
SAYING_MORE(next_writes_unopened, is_reply_to_add, a_write)
SAYING_MORE(next_closes_unasked, is_reply_to_connect, a_close_pipe)
CHANGING(next_opens_unadded, is_add, open_instead)
CHANGING(next_writes_after_failure, is_close_pipe, a_write)
CHANGING(next_cancels_another, is_cancel, another_op)
CHANGING(next_has_no_handle, is_open, no_op)
CHANGING(next_closes_before_writing, is_write, close_pipe_instead)
CHANGING(next_schedules_before_closing, is_close_pipe, schedule_instead)
CHANGING(next_schedules_unopened, is_open, schedule_instead)
CHANGING(next_abandons_what_is_whole, is_schedule, abandon_instead)
CHANGING(next_abandons_for_another_reason, is_abandon, another_status)
SAYING_LATE(next_writes_before_replying, is_reply_to_write)

/* --------------------------------------------------------------------------------- what another call has set going */

static npj_status write_keeps_tag(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                  unsigned flags, npj_req *out)
{
    memory.tag = tag;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

/** Is to say an action of a job before all else. */
static void say_first(npj_action_kind kind, npj_request_kind request, npj_job job, uint64_t tag, npj_op op)
{
    memory.kept.kind = kind;
    memory.kept.request = request;
    memory.kept.job = job;
    memory.kept.tag = tag;
    memory.kept.op = op;
    memory.armed = true;
}

static bool next_says_first(void *srv, npj_action *out)
{
    if (!memory.armed || !out)
        return GOOD.next(srv, out);
    memory.armed = false;
    *out = memory.kept;
    return true;
}

static npj_status add_keeps_cookie(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                   npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    memory.kept.cookie = cookie;
    memory.kept.job = status == NPJ_STATUS_PENDING ? *out : 0;
    return status;
}

static npj_status connect_answers(void *srv, npj_job job, uint64_t tag)
{
    say_first(NPJ_REPLY, NPJ_REQUEST_CONNECT, job, tag, 0);
    return GOOD.connect(srv, job, tag);
}

static npj_status close_answers(void *srv, npj_job job, uint64_t tag)
{
    say_first(NPJ_REPLY, NPJ_REQUEST_CLOSE, job, tag, 0);
    return GOOD.close(srv, job, tag);
}

static npj_status provider_gone_adds(void *srv, uint64_t provider)
{
    say_first(NPJ_ADD_JOB, NPJ_REQUEST_ADD, memory.kept.job, 0, MADE_UP);
    return GOOD.provider_gone(srv, provider);
}

/** A pipe has been closed, and now the provider is asked to abandon the job. */
static npj_status done_abandons(void *srv, npj_op op, npj_status status)
{
    npj_status said = GOOD.done(srv, op, status);
    memory.kept.status = NPJ_STATUS_PIPE_DISCONNECTED;
    memory.kept.job_id = UINT32_C(0x00010000);
    say_first(NPJ_ABANDON_JOB, NPJ_REQUEST_ADD, memory.kept.job, 0, MADE_UP);
    return said;
}

/** AddJob has failed, and the provider is asked to abandon what it has not. */
static npj_status added_abandons(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    memory.kept.status = status;
    say_first(NPJ_ABANDON_JOB, NPJ_REQUEST_ADD, memory.kept.job, 0, MADE_UP);
    return GOOD.job_added(srv, op, status, path, job_id);
}

/** A job has been abandoned, behind its pipe, and once is not enough. */
static npj_status done_abandons_again(void *srv, npj_op op, npj_status status)
{
    memory.kept.status = NPJ_STATUS_PIPE_BROKEN;
    memory.kept.job_id = UINT32_C(0x00010000);
    if (++memory.count == 2)
        say_first(NPJ_ABANDON_JOB, NPJ_REQUEST_ADD, memory.kept.job, 0, MADE_UP);
    return GOOD.done(srv, op, status);
}

/** All jobs have the first operation's handle. */
static bool next_has_one_name(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && is_add(out))
        out->op = memory.kept.op = memory.kept.op != 0 ? memory.kept.op : out->op;
    return more;
}

/** Keeps the REPLY to a write back until that to the close has been said. */
static bool next_replies_to_close_first(void *srv, npj_action *out)
{
    return one_late(srv, out, is_reply_to_write);
}

/* ------------------------------------------------------------------------------- all operations have the same name */

static bool next_names_all_alike(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind <= NPJ_ABANDON_JOB) {
        memory.kept.op = out->op;
        out->op = MADE_UP;
    }
    return more;
}

static npj_status added_by_name(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    return GOOD.job_added(srv, op == MADE_UP ? memory.kept.op : op, status, path, job_id);
}

static npj_status opened_by_name(void *srv, npj_op op, npj_status status, npj_pipe_mode mode)
{
    return GOOD.opened(srv, op == MADE_UP ? memory.kept.op : op, status, mode);
}

/* --------------------------------------------------------------------------------------------------------- the list */

#define CLOSES WRITE_ONE "close\nhost\n"

static size_t early_and_twice(struct fault *faults, size_t n)
{
    FAULT("a write is answered twice", 1, WRITE_ONE "next\n", next, next_replies_to_write_twice);
    SAYS("a write that was not accepted or has been answered");
    FAULT("a lent write is answered twice while the pipe reads", 1, LENT, next, next_replies_to_write_twice);
    SAYS("a write that was not accepted or has been answered");
    FAULT("a connect is answered before its pipe is open", 1, WRITE_ONE, next, next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.connect = connect_answers;
    SAYS("connect is answered with STATUS_SUCCESS before");
    FAULT("a CANCEL that nobody asked for", 3, WRITE_ONE, next, next_cancels_unasked);
    SAYS("that nobody asked for");
    FAULT("a CANCEL names another operation", 3, CANCELLED, next, next_cancels_another);
    SAYS("that is not in flight");
    FAULT("a pipe is closed while it is written to", 3, WRITE_ONE, next, next_closes_while_writing);
    SAYS("while an operation of the job is in flight");
    FAULT("an operation has no handle", 3, WRITE_ONE, next, next_has_no_handle);
    SAYS("without a new handle");
    FAULT("operations have the handle of each other", 3, WRITE_ONE, next, next_names_all_alike);
    faults[n - 1].subject.job_added = added_by_name;
    faults[n - 1].subject.opened = opened_by_name;
    SAYS("the handle of an operation that has ended");
    FAULT("a job is added twice", 3, WRITE_ONE, next, next_adds_again);
    SAYS("ADD_JOB out of turn");
    FAULT("a pipe is opened twice", 3, WRITE_ONE, next, next_opens_again);
    SAYS("OPEN out of turn");
    FAULT("a job is scheduled before its pipe is closed", 3, CLOSES, next, next_schedules_before_closing);
    SAYS("SCHEDULE_JOB out of turn");
    FAULT("a job is scheduled whose pipe was not open", 3, "tape 1\nadd\nconnect\nclose\nhost\n", next,
          next_schedules_unopened);
    SAYS("SCHEDULE_JOB out of turn");
    FAULT("a pipe is opened for a job that is not added", 3, "tape 1\nadd\nconnect\nnext\n", next, next_opens_unadded);
    SAYS("OPEN out of turn");
    FAULT("a pipe is opened that nobody asked for", 3, "tape 1\nadd\nnext\ncomplete\nnext\n", next, next_opens_unasked);
    SAYS("OPEN out of turn");
    FAULT("a pipe is written to before it is open", 3, "tape 1\nadd\nnext\ncomplete\nnext\n", next,
          next_writes_unopened);
    SAYS("WRITE out of turn");
    FAULT("a failed job's pipe is written to", 3, FAIL_ONE, next, next_writes_after_failure);
    SAYS("WRITE out of turn");
    FAULT("two jobs' operations have one handle", 3, "tape 1\nadd\nadd\nnext\n", next, next_has_one_name);
    SAYS("without a new handle");
    FAULT("a job is abandoned that the provider has not", 3, "tape 1\nadd\nnext\nfail status=access_denied\nnext\n",
          next, next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.job_added = added_abandons;
    SAYS("ABANDON_JOB out of turn");
    FAULT("a job is abandoned twice", 3, "tape 1\nopen\nwrite length=16\nnext\nfail status=pipe_broken\nhost\n", next,
          next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.done = done_abandons_again;
    SAYS("ABANDON_JOB out of turn");
    FAULT("a WRITE comes before the REPLY of the one before", 7,
          "tape 1 max_batch=1\nopen\nwrites length=4 count=2\nhost\n", next, next_writes_before_replying);
    SAYS("before the REPLY of a write that has been answered");
    FAULT("a close is answered before its write", 7,
          "tape 1\nopen\nwrite length=4\nclose\nabort status=print_cancelled\nhost\n", next,
          next_replies_to_close_first);
    SAYS("a close is answered before a write of its job");
    FAULT("a write is answered while it is pending", 8, WRITE_ONE, next, next_replies_to_pending_write);
    faults[n - 1].subject.write = write_keeps_tag;
    SAYS("while it is pending");
    return n;
}

static size_t unasked(struct fault *faults, size_t n)
{
    FAULT("a RETURN is said twice", 9, LENT, next, next_returns_twice);
    SAYS("whose bytes are not held");
    FAULT("a RETURN comes while the pipe reads", 9, LENT, next, next_returns_early);
    SAYS("the operation in flight still uses");
    FAULT("a RESUME is said twice", 9, FILL, next, next_resumes_twice);
    SAYS("that is not owed");
    FAULT("a RESUME comes too early", 9, FILL, next, next_resumes_early);
    SAYS("although a write of the largest size does not fit");
    FAULT("IDLE is said twice", 9, WRITE_ONE, next, next_is_idle_twice);
    SAYS("for a second time");
    FAULT("IDLE is said without a shutdown", 9, WRITE_ONE, next, next_is_idle_always);
    SAYS("without a shutdown");
    FAULT("IDLE is said while a job is left", 9, "tape 1\nopen\nwrite length=16\nshutdown how=drain\nhost\n", next,
          next_is_idle_early);
    SAYS("while something is left");
    FAULT("a provider that has gone is asked to add a job", 10, "tape 1\nadd\nprovider_gone\nhost\n", next,
          next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.provider_gone = provider_gone_adds;
    SAYS("ADD_JOB for a provider that has gone");
    FAULT("a provider that has gone is asked to abandon a job", 10, "tape 1\nopen\nprovider_gone\nhost\n", next,
          next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.done = done_abandons;
    SAYS("ABANDON_JOB for a provider that has gone");
    FAULT("a close is answered before its job is scheduled", 12, CLOSES, next, next_says_first);
    faults[n - 1].subject.add_job = add_keeps_cookie;
    faults[n - 1].subject.close = close_answers;
    SAYS("close is answered with STATUS_SUCCESS before");
    FAULT("a pipe is closed before its writes were taken", 12, "tape 1\nopen\nwrite length=4\nclose\nhost\n", next,
          next_closes_before_writing);
    SAYS("before all writes were taken");
    FAULT("a pipe is closed that nobody closes", 12, "tape 1\nopen\nhost\n", next, next_closes_unasked);
    SAYS("before all writes were taken");
    FAULT("a whole job is abandoned", 12, CLOSES, next, next_abandons_what_is_whole);
    SAYS("of a job that has not failed");
    FAULT("a job is abandoned for another reason", 12, FAIL_ONE, next, next_abandons_for_another_reason);
    SAYS("ABANDON_JOB carries STATUS_IO_TIMEOUT");
    return n;
}

size_t driver_faults_in_the_life(struct fault *faults, size_t n)
{
    return unasked(faults, early_and_twice(faults, n));
}
