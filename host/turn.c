/* SPDX-License-Identifier: MIT */
/*
 * When things are done. A call on the engine is made at once, and asks for a turn of the loop: an idle handle, which
 * libuv calls before it sleeps, and which keeps it from sleeping. In the turn the engine's actions are carried out
 * until there are none; only then is the handle stopped, and the timer set to the engine's next deadline. All callbacks
 * of the library are made from here, so that a call never calls back.
 */
#include "state.h"

/* Actions of one turn. A client that writes as fast as its pipe reads would else keep the loop from its other work. */
enum { ACTIONS_A_TURN = 256 };

/* Later than this no deadline is found by a loop that runs: it has stood still. */
enum { STOOD_STILL_MS = 200 };

static void on_turn(uv_idle_t *handle);

static uint64_t now_ms(const npjp_host *host)
{
    return uv_hrtime() / 1000000 - host->stood_still;
}

/* The time, which has stood still if the loop has: a deadline that has passed meanwhile is put off, once, for as long
 * as others may take that have stood still with it. */
static uint64_t time_of_loop(npjp_host *host, uint64_t deadline)
{
    uint64_t now = now_ms(host);
    if (now <= deadline || now - deadline <= STOOD_STILL_MS || deadline <= host->put_off)
        return now;
    host->put_off = deadline;
    host->stood_still += now + STOOD_STILL_MS - deadline;
    return deadline - STOOD_STILL_MS;
}

/* What others have done is not known before the loop has looked at its descriptors: deadlines that have passed wait for
 * the next turn. */
static void advance(npjp_host *host)
{
    uint64_t deadline = npj_deadline(host->srv), now = time_of_loop(host, deadline);
    if (now >= deadline && deadline > host->looked) {
        host->looked = now;
        now = deadline - 1;
    }
    (void)npj_advance(host->srv, now);
}

static void ask_for_turn(npjp_host *host)
{
    (void)uv_idle_start(&host->turn, on_turn); /* cannot fail with a callback */
}

/* A deadline comes in a turn only: what is told by this call may be what it waits for. */
npj_srv *npjpi_call(npjp_host *host)
{
    uint64_t deadline = npj_deadline(host->srv), now = time_of_loop(host, deadline);
    (void)npj_advance(host->srv, now < deadline ? now : deadline - 1);
    ask_for_turn(host);
    return host->srv;
}

/* The engine is in the middle of a call: the job is only noted, its client is told in the turn. */
void npjpi_trace(void *user, const npj_trace *trace)
{
    npjp_host *host = user;
    if (trace->kind == NPJ_TRACE_EVENT && trace->from == NPJ_STATE_GONE && trace->event == NPJ_EVENT_FINISH) {
        npjp_job *job = (npjp_job *)(uintptr_t)trace->cookie;
        *host->gone_end = job;
        host->gone_end = &job->next_gone;
    }
    if (host->trace != NULL)
        host->trace(host->trace_user, trace);
}

/* Tells the clients of jobs that are no more. Any of them may free the host. */
static void end_gone_jobs(npjp_host *host)
{
    while (host->srv != NULL && host->gone != NULL) {
        npjp_job *job = host->gone;
        host->gone = job->next_gone;
        if (host->gone == NULL)
            host->gone_end = &host->gone;
        if (job->asked.calls->ended != NULL)
            job->asked.calls->ended(job, job->asked.user);
        if (host->srv != NULL)
            npjpi_job_end(job);
    }
}

/* Carries out a turn's share. Returns whether all is done; a host that was freed has no engine, and nothing to do. */
static bool carry_out_all(npjp_host *host)
{
    npj_action action;
    end_gone_jobs(host);
    for (int i = 0; i < ACTIONS_A_TURN; i++) {
        if (!npj_next(host->srv, &action))
            return true;
        if (action.kind == NPJ_IDLE)
            host->idle = true;
        else
            npjpi_carry_out(&action);
        end_gone_jobs(host);
    }
    return host->srv == NULL;
}

static void on_deadline(uv_timer_t *timer)
{
    npjp_host *host = timer->data;
    host->armed = NPJ_NEVER;
    (void)npjpi_call(host);
}

/* Sets the timer. The loop's own clock may lag behind: a timer that comes too early is set again. */
static void arm(npjp_host *host)
{
    uint64_t deadline = npj_deadline(host->srv);
    if (deadline == host->armed)
        return;
    host->armed = deadline;
    if (deadline == NPJ_NEVER) {
        uv_timer_stop(&host->deadline);
        return;
    }
    uint64_t now = now_ms(host);
    uv_timer_start(&host->deadline, on_deadline, deadline > now ? deadline - now : 0, 0);
}

static void on_turn(uv_idle_t *handle)
{
    npjp_host *host = handle->data;
    npjpi_host_hold(host);
    advance(host);
    if (carry_out_all(host) && host->srv != NULL) {
        uv_idle_stop(&host->turn);
        arm(host);
        if (host->idle) {
            host->idle = false;
            if (host->stopped != NULL)
                host->stopped(host, host->user);
        }
    }
    npjpi_host_let_go(host);
}

void npjpi_turn_start(npjp_host *host)
{
    uv_idle_init(host->loop, &host->turn);
    uv_timer_init(host->loop, &host->deadline);
    host->turn.data = host;
    host->deadline.data = host;
    host->armed = NPJ_NEVER;
    npjpi_host_hold(host);
    npjpi_host_hold(host);
}

static void on_closed(uv_handle_t *handle)
{
    npjpi_host_let_go(handle->data);
}

void npjpi_turn_stop(npjp_host *host)
{
    uv_close((uv_handle_t *)&host->turn, on_closed);
    uv_close((uv_handle_t *)&host->deadline, on_closed);
}
