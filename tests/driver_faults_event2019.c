/* SPDX-License-Identifier: MIT */
/* Servers whose trace tells otherwise of Event 2019 than npjob.h says. */
#include "driver_faults_internal.h"

static bool without_cap(npj_trace *trace)
{
    return trace->kind != NPJ_TRACE_NO_POOL;
}

static bool cap_twice(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        memory.trace(memory.trace_user, trace);
    return true;
}

/** Event 2019 of a write, as that of a new job. */
static bool cap_of_no_job(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL) {
        trace->event = NPJ_EVENT_COUNT;
        trace->from = trace->to = NPJ_STATE_COUNT;
        trace->job = trace->cookie = 0;
    }
    return true;
}

static bool cap_in_adding(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->from = trace->to = NPJ_STATE_ADDING;
    return true;
}

static bool cap_with_another_status(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->status = NPJ_STATUS_QUOTA_EXCEEDED;
    return true;
}

static bool cap_that_moves(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->to = NPJ_STATE_BROKEN;
    return true;
}

static bool cap_without_cookie(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->cookie = 0;
    return true;
}

static bool only_cap_of_no_state(npj_trace *trace)
{
    trace->from = trace->to = NPJ_STATE_COUNT;
    return trace->kind == NPJ_TRACE_NO_POOL;
}

/** Event 2019 of a write, when the job is closed. */
static bool cap_at_close(npj_trace *trace)
{
    npj_trace cap = *trace;
    cap.kind = NPJ_TRACE_NO_POOL;
    cap.event = NPJ_EVENT_WRITE;
    cap.to = cap.from;
    cap.status = NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    if (trace->event == NPJ_EVENT_CLOSE)
        memory.trace(memory.trace_user, &cap);
    return true;
}

static bool cap_of_an_event(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->event = NPJ_EVENT_CONNECT;
    return true;
}

static bool cap_of_another_handle(npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL)
        trace->job ^= 4;
    return true;
}

/** Event 2019, of a write to no job. */
static npj_status write_tells_of_cap(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                     unsigned flags, npj_req *out)
{
    const npj_trace cap = {
        .kind = NPJ_TRACE_NO_POOL, .event = NPJ_EVENT_WRITE, .status = NPJ_STATUS_INSUFF_SERVER_RESOURCES};
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_INVALID_HANDLE)
        memory.trace(memory.trace_user, &cap);
    return status;
}

static bool as_it_is(npj_trace *trace)
{
    (void)trace;
    return true;
}

TRACING(without_cap)
TRACING(cap_twice)
TRACING(cap_of_no_job)
TRACING(cap_in_adding)
TRACING(cap_with_another_status)
TRACING(cap_that_moves)
TRACING(cap_without_cookie)
TRACING(only_cap_of_no_state)
TRACING(cap_at_close)
TRACING(cap_of_an_event)
TRACING(cap_of_another_handle)
TRACING(as_it_is)

/* --------------------------------------------------------------------------------------------------------- the list */

#define CAP_OF_WRITES                                                                                                  \
    "tape 1 max_packets=1\nopen\nwrite length=1\nwrite length=1\nwrite length=1 how=neither\nwrite length=1\nhost\n"
#define CAP_OF_JOBS "tape 1 max_jobs=1\nopen\nadd\nhost\n"

size_t driver_faults_of_event_2019(struct fault *faults, size_t n)
{
    FAULT("Event 2019 is not traced", 9, CAP_OF_WRITES, srv_new, new_without_cap);
    SAYS("the engine's cap was traced 0 times");
    FAULT("Event 2019 is traced twice", 9, CAP_OF_JOBS, srv_new, new_cap_twice);
    SAYS("the engine's cap was traced 2 times");
    FAULT("Event 2019 of a write names no job", 9, CAP_OF_WRITES, srv_new, new_cap_of_no_job);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write has another state", 9, CAP_OF_WRITES, srv_new, new_cap_in_adding);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write moves its job", 9, CAP_OF_WRITES, srv_new, new_cap_that_moves);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write has no cookie", 9, CAP_OF_WRITES, srv_new, new_cap_without_cookie);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write has no state, and nothing else is traced", 9, CAP_OF_WRITES, srv_new,
          new_only_cap_of_no_state);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write comes with a close", 9, WRITE_ONE "close\n", srv_new, new_cap_at_close);
    SAYS("Event 2019");
    FAULT("Event 2019 of a new job has a state", 9, CAP_OF_JOBS, srv_new, new_cap_in_adding);
    SAYS("Event 2019");
    FAULT("Event 2019 has another status", 9, CAP_OF_JOBS, srv_new, new_cap_with_another_status);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write is of another event", 9, CAP_OF_WRITES, srv_new, new_cap_of_an_event);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write has another handle", 9, CAP_OF_WRITES, srv_new, new_cap_of_another_handle);
    SAYS("Event 2019");
    FAULT("Event 2019 of a write to no job", 9, "tape 1\nopen\nwrite job=null\n", write, write_tells_of_cap);
    faults[n - 1].subject.srv_new = new_as_it_is;
    SAYS("Event 2019");
    FAULT("Event 2019 of a new job has an event", 9, CAP_OF_JOBS, srv_new, new_cap_of_an_event);
    SAYS("Event 2019");
    FAULT("Event 2019 of a new job names one", 9, CAP_OF_JOBS, srv_new, new_cap_of_another_handle);
    SAYS("Event 2019");
    return n;
}
