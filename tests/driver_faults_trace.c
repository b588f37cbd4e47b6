/* SPDX-License-Identifier: MIT */
/* Servers whose trace is not what npjob.h says of it. */
#include "driver_faults_internal.h"

/** Changes a line of the trace, and says whether it is told. */
static bool (*changes)(npj_trace *trace);

static void trace_changed(void *user, const npj_trace *trace)
{
    npj_trace changed = *trace;
    (void)user;
    if (changes(&changed))
        memory.trace(memory.trace_user, &changed);
}

npj_status driver_fault_tracing(const npj_config *config, void **out, bool (*change)(npj_trace *trace))
{
    npj_config changed = *config;
    memory.trace = config->trace;
    memory.trace_user = config->trace_user;
    changed.trace = trace_changed;
    changes = change;
    return GOOD.srv_new(&changed, out);
}

static bool to_broken(npj_trace *trace)
{
    trace->to = NPJ_STATE_BROKEN;
    return true;
}

static bool gone_with_client(npj_trace *trace)
{
    if (trace->event == NPJ_EVENT_CLIENT_GONE)
        trace->to = NPJ_STATE_GONE;
    return true;
}

static bool moved_by_refusal(npj_trace *trace)
{
    if (trace->status != NPJ_STATUS_SUCCESS)
        trace->to = NPJ_STATE_GONE;
    return true;
}

static bool taken(npj_trace *trace)
{
    trace->status = NPJ_STATUS_SUCCESS;
    return true;
}

static bool without_finish(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_FINISH;
}

static bool from_nowhere(npj_trace *trace)
{
    trace->from = NPJ_STATE_COUNT;
    return true;
}

static bool to_nowhere(npj_trace *trace)
{
    trace->to = NPJ_STATE_COUNT;
    return true;
}

static bool of_no_event(npj_trace *trace)
{
    trace->event = NPJ_EVENT_COUNT;
    return true;
}

static bool of_no_kind(npj_trace *trace)
{
    trace->kind = (npj_trace_kind)7;
    return true;
}

static bool without_job(npj_trace *trace)
{
    trace->job = 0;
    return true;
}

static bool without_cookie(npj_trace *trace)
{
    trace->cookie = 0;
    return true;
}

/** The first job is taken for that of every write. */
static bool of_first_job(npj_trace *trace)
{
    if (!memory.have)
        memory.kept = (npj_action){.job = trace->job, .cookie = trace->cookie};
    memory.have = true;
    if (trace->event == NPJ_EVENT_WRITE) {
        trace->job = memory.kept.job;
        trace->cookie = memory.kept.cookie;
    }
    return true;
}

static bool refused_otherwise(npj_trace *trace)
{
    if (trace->status != NPJ_STATUS_SUCCESS)
        trace->status = NPJ_STATUS_INVALID_HANDLE;
    return true;
}

/** Lines of an event have this status. */
static bool always(npj_trace *trace, npj_event event, npj_status status)
{
    if (trace->event == event)
        trace->status = status;
    return true;
}

static bool writes_refused(npj_trace *trace)
{
    return always(trace, NPJ_EVENT_WRITE, NPJ_STATUS_QUOTA_EXCEEDED);
}

/** A refused write, as if it had been taken. */
static bool writes_taken(npj_trace *trace)
{
    return always(trace, NPJ_EVENT_WRITE, NPJ_STATUS_SUCCESS);
}

static bool stale_taken(npj_trace *trace)
{
    return always(trace, NPJ_EVENT_WRITTEN, NPJ_STATUS_SUCCESS);
}

static bool without_writes(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_WRITE;
}

static bool without_completions(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_WRITTEN || trace->status != NPJ_STATUS_SUCCESS;
}

static bool without_refused_cancels(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_CANCEL || trace->status == NPJ_STATUS_SUCCESS;
}

static bool without_refusals_when_gone(npj_trace *trace)
{
    return trace->from != NPJ_STATE_GONE || trace->status == NPJ_STATUS_SUCCESS;
}

static bool without_refusals(npj_trace *trace)
{
    return trace->status == NPJ_STATUS_SUCCESS;
}

static bool without_client_gone(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_CLIENT_GONE;
}

/** Only what fails by its client's going is told of it. */
static bool without_spared(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_CLIENT_GONE || trace->to != trace->from;
}

/** Only what fails by its provider's going is told of it. */
static bool without_failed_at_provider_gone(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_PROVIDER_GONE || trace->from < NPJ_STATE_ABORTING;
}

static bool without_closes(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_CLOSE || trace->status == NPJ_STATUS_SUCCESS;
}

static bool without_aborts(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_ABORT || trace->status == NPJ_STATUS_SUCCESS;
}

static bool without_provider_gone(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_PROVIDER_GONE;
}

static bool is_end(const npj_trace *trace)
{
    return trace->event == NPJ_EVENT_FINISH && trace->from == NPJ_STATE_GONE;
}

static bool without_end(npj_trace *trace)
{
    return !is_end(trace);
}

/** The end is told when the job is GONE, and actions of it follow. */
static bool end_early(npj_trace *trace)
{
    if (is_end(trace))
        return false;
    if (trace->to == NPJ_STATE_GONE) {
        memory.trace(memory.trace_user, trace);
        trace->event = NPJ_EVENT_FINISH;
        trace->from = NPJ_STATE_GONE;
    }
    return true;
}

static bool end_twice(npj_trace *trace)
{
    if (is_end(trace))
        memory.trace(memory.trace_user, trace);
    return true;
}

static bool finish_stays(npj_trace *trace)
{
    if (trace->event == NPJ_EVENT_FINISH)
        trace->to = trace->from;
    return true;
}

static bool cancels_twice(npj_trace *trace)
{
    if (trace->event == NPJ_EVENT_CANCEL)
        memory.trace(memory.trace_user, trace);
    return true;
}

static bool without_failed_at_shutdown(npj_trace *trace)
{
    return trace->event != NPJ_EVENT_EXPIRE || trace->from < NPJ_STATE_ABORTING;
}

/** The last job that was told of. */
static npj_trace last;

static bool kept(npj_trace *trace)
{
    last = *trace;
    return true;
}

/** Tells of an event that leaves that job where it is. */
static void tell_of(npj_event event)
{
    npj_trace trace = last;
    trace.event = event;
    trace.from = trace.to;
    trace.status = NPJ_STATUS_SUCCESS;
    memory.trace(memory.trace_user, &trace);
}

static npj_status client_gone_tells_all(void *srv, uint64_t client, npj_status reason)
{
    if (!npj_status_is_error(reason))
        tell_of(NPJ_EVENT_CLIENT_GONE);
    return GOOD.client_gone(srv, client, reason);
}

static npj_status client_gone_only_tells(void *srv, uint64_t client, npj_status reason)
{
    (void)srv;
    (void)client;
    (void)reason;
    tell_of(NPJ_EVENT_CLIENT_GONE);
    return NPJ_STATUS_SUCCESS;
}

static npj_status shutdown_tells_all(void *srv, npj_shutdown_how how)
{
    if (how != NPJ_DRAIN && how != NPJ_ABORT)
        tell_of(NPJ_EVENT_EXPIRE);
    return GOOD.shutdown(srv, how);
}

/** Tells that a job has ended. */
static void free_tells(void **srv)
{
    const npj_trace trace = {.event = NPJ_EVENT_FINISH, .from = NPJ_STATE_GONE, .to = NPJ_STATE_GONE};
    memory.trace(memory.trace_user, &trace);
    GOOD.srv_free(srv);
}

TRACING(to_broken)
TRACING(gone_with_client)
TRACING(moved_by_refusal)
TRACING(taken)
TRACING(without_finish)
TRACING(from_nowhere)
TRACING(to_nowhere)
TRACING(of_no_event)
TRACING(of_no_kind)
TRACING(without_job)
TRACING(without_cookie)
TRACING(of_first_job)
TRACING(refused_otherwise)
TRACING(writes_refused)
TRACING(writes_taken)
TRACING(stale_taken)
TRACING(without_writes)
TRACING(without_refused_cancels)
TRACING(without_refusals_when_gone)
TRACING(without_completions)
TRACING(without_refusals)
TRACING(without_client_gone)
TRACING(without_provider_gone)
TRACING(without_spared)
TRACING(without_failed_at_provider_gone)
TRACING(without_closes)
TRACING(without_aborts)
TRACING(finish_stays)
TRACING(kept)
TRACING(without_end)
TRACING(end_early)
TRACING(end_twice)
TRACING(cancels_twice)
TRACING(without_failed_at_shutdown)

/* --------------------------------------------------------------------------------------------------------- the list */

#define REFUSED "tape 1\nopen\nconnect\nwrite length=16 how=neither\n"
#define ENDS    WRITE_ONE "close\nhost\nnext\n"

size_t driver_faults_in_the_trace(struct fault *faults, size_t n)
{
    FAULT("the trace has a step that the table has not", 3, WRITE_ONE, srv_new, new_to_broken);
    SAYS("it leads to another state");
    FAULT("the trace has such a step where a call is to be made from inside", 3,
          "tape 1\nreenter from=trace call=trim\nadd\n", srv_new, new_to_broken);
    SAYS("it leads to another state");
    FAULT("the trace has a client that takes its job along", 3, "tape 1\nopen\nclient_gone status=cancelled\n", srv_new,
          new_gone_with_client);
    SAYS("it leads to another state");
    FAULT("the trace has a step that stays", 3, WRITE_ONE, srv_new, new_finish_stays);
    SAYS("it leads to another state");
    FAULT("the trace has a refusal that moves", 3, REFUSED, srv_new, new_moved_by_refusal);
    SAYS("it leads to another state");
    FAULT("the trace has a refusal as taken", 3, REFUSED, srv_new, new_taken);
    SAYS("the table refuses it");
    FAULT("the trace leaves out a step", 3, WRITE_ONE, srv_new, new_without_finish);
    SAYS("the job was in another state");
    FAULT("the trace has a state that is none", 3, WRITE_ONE, srv_new, new_from_nowhere);
    SAYS("no kind, state or event");
    FAULT("the trace leads to a state that is none", 3, WRITE_ONE, srv_new, new_to_nowhere);
    SAYS("no kind, state or event");
    FAULT("the trace has an event that is none", 3, WRITE_ONE, srv_new, new_of_no_event);
    SAYS("no kind, state or event");
    FAULT("the trace has a line of no kind", 3, WRITE_ONE, srv_new, new_of_no_kind);
    SAYS("no kind, state or event");
    FAULT("the trace names no job", 3, WRITE_ONE, srv_new, new_without_job);
    SAYS("its job has another handle");
    FAULT("the trace has no cookie", 3, WRITE_ONE, srv_new, new_without_cookie);
    SAYS("its job has ended or never was");
    FAULT("the trace takes a write for another job's", 3, TWO_PROVIDERS "write job=newest length=1\nhost\n", srv_new,
          new_of_first_job);
    SAYS("the call was of another job");
    FAULT("a refusal is traced with another error", 5, REFUSED, srv_new, new_refused_otherwise);
    SAYS("STATUS_INVALID_PIPE_STATE, and is traced with");
    FAULT("an accepted write is traced as refused", 5, WRITE_ONE, srv_new, new_writes_refused);
    SAYS("is traced as refused");
    FAULT("a refused write is traced as taken", 5, REFUSED, srv_new, new_writes_taken);
    SAYS("is traced as taken");
    FAULT("a stale completion is traced as taken", 5,
          "tape 1\nopen\nwrite length=16\nnext\nwritten amount=1\nnext\nwritten op=ended\n", srv_new, new_stale_taken);
    SAYS("is traced as taken");
    FAULT("no write is traced", 3, WRITE_ONE, srv_new, new_without_writes);
    SAYS("is not traced as others were");
    FAULT("no completion of a WRITE is traced", 3, ENDS, srv_new, new_without_completions);
    SAYS("is not traced as others were");
    FAULT("no refusal is traced", 3, REFUSED, srv_new, new_without_refusals);
    SAYS("connect was refused, and is not traced as others were");
    FAULT("a closing job's client goes untraced", 3, WRITE_ONE "close\nclient_gone status=cancelled\nhost\n", srv_new,
          new_without_client_gone);
    SAYS("client_gone was taken, and is not traced as others were");
    FAULT("a failed job's provider goes untraced", 3, "tape 1\nopen\nabort status=cancelled\nprovider_gone\nhost\n",
          srv_new, new_without_provider_gone);
    SAYS("provider_gone was taken, and is not traced as others were");
    FAULT("a failed job's client goes untraced", 3,
          "tape 1\nopen\nabort status=cancelled\nclient_gone status=cancelled\n", srv_new, new_without_client_gone);
    SAYS("client_gone was taken, and is not traced as others were");
    FAULT("a client whose going is refused is told as gone", 5, "tape 1\nopen\nclose\nclient_gone status=success\n",
          client_gone, client_gone_tells_all);
    faults[n - 1].subject.srv_new = new_kept;
    SAYS("client_gone returned STATUS_INVALID_PARAMETER, and is traced as taken");
    FAULT("a shutdown that is refused is told of", 5, "tape 1\nopen\nabort status=cancelled\nshutdown how=unknown\n",
          shutdown, shutdown_tells_all);
    faults[n - 1].subject.srv_new = new_kept;
    SAYS("shutdown returned STATUS_INVALID_PARAMETER, and is traced as taken");
    FAULT("a closing job's client goes untraced, another's does not", 3,
          "tape 1\nopen\nopen\nclose job=oldest\nclient_gone status=cancelled\nhost\n", srv_new, new_without_spared);
    SAYS("client_gone was taken, and is not traced as others were");
    FAULT("a failed job's provider goes untraced, another's does not", 3,
          "tape 1\nopen\nopen\nabort job=newest status=cancelled\nprovider_gone\nhost\n", srv_new,
          new_without_failed_at_provider_gone);
    SAYS("provider_gone was taken, and is not traced as others were");
    FAULT("a refused close is not traced", 3, "tape 1\nopen\nwrite length=1\nclose\nclose\nhost\n", srv_new,
          new_without_closes);
    SAYS("close was refused, and is not traced as others were");
    FAULT("a refused abort is not traced", 3, "tape 1\nopen\nabort status=success\nhost\n", srv_new,
          new_without_aborts);
    SAYS("abort was refused, and is not traced as others were");
    FAULT("a refused cancel of a write whose bytes are held is not traced", 3,
          "tape 1\nopen\nwrite length=16 how=lend\nnext\nabort status=print_cancelled\nnext\ncancel "
          "write=answered\nhost\n",
          srv_new, new_without_refused_cancels);
    SAYS("cancel was refused, and is not traced as others were");
    FAULT("a refused connect of a job that is gone is not traced", 3,
          "tape 1\nopen\nclose\nnext\ncomplete\nnext\ncomplete\nconnect job=ended\nhost\n", srv_new,
          new_without_refusals_when_gone);
    SAYS("connect was refused, and is not traced as others were");
    FAULT("a cancel is traced twice", 3, CANCELLED, srv_new, new_cancels_twice);
    SAYS("cancel is traced 2 times");
    FAULT("a failed job is not told of a shutdown", 3,
          "tape 1\nopen\nnext\nabort status=cancelled\nshutdown how=abort\n", srv_new, new_without_failed_at_shutdown);
    SAYS("shutdown was taken, and is not traced as others were");
    FAULT("a failed job is not told that a drain becomes an abort", 3,
          "tape 1\nopen\nnext\nabort status=cancelled\nshutdown how=drain\nshutdown how=abort\n", srv_new,
          new_without_failed_at_shutdown);
    SAYS("shutdown was taken, and is not traced as others were");
    FAULT("the end of the engine is traced", 3, WRITE_ONE "free\n", srv_new, new_without_failed_at_shutdown);
    faults[n - 1].subject.srv_free = free_tells;
    SAYS("free tells of a job");
    FAULT("the end of a job is not traced", 10, ENDS, srv_new, new_without_end);
    SAYS("the trace does not tell");
    FAULT("a broken job outlives its client", 10,
          "tape 1\nopen\nwrite length=16\nnext\nfail status=pipe_broken\nhost\nclient_gone "
          "status=network_name_deleted\nhost\n",
          srv_new, new_kept);
    faults[n - 1].subject.client_gone = client_gone_only_tells;
    SAYS("a job that has ended is in state BROKEN");
    FAULT("the end of a job is traced before its last action", 10, ENDS, srv_new, new_end_early);
    SAYS("before its last action");
    FAULT("the end of a job is traced twice", 10, ENDS, srv_new, new_end_twice);
    SAYS("for a second time");
    return n;
}
