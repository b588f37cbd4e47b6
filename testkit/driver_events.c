/* SPDX-License-Identifier: MIT */
/* What each record of a tape does. */
#include "driver_state.h"

/* The second differs from the first above its 32nd bit only: cut there, they would be one. */
#define SECOND_KEY (UINT64_C(1) << 32 | 1)

static uint64_t client_key(unsigned meaning)
{
    static const uint64_t keys[] = {1, SECOND_KEY, UINT64_MAX, 0};
    return keys[meaning];
}

static uint64_t provider_key(unsigned meaning)
{
    static const uint64_t keys[] = {1, SECOND_KEY, 0, UINT64_MAX};
    return keys[meaning];
}

static const unsigned done_kinds = 1U << NPJ_CLOSE_PIPE | 1U << NPJ_SCHEDULE_JOB | 1U << NPJ_ABANDON_JOB;

/** Completes whatever the operation is, with success and in full. */
static void complete(struct npjt_driver *d, npj_op op)
{
    struct a_job *job = npjt_job_by_op(d, op);
    if (job)
        npjt_complete(d, (uint8_t)(job - d->job));
    else
        npjt_done(d, op, NPJ_STATUS_SUCCESS);
}

static void fail(struct npjt_driver *d, npj_op op, npj_status status)
{
    const struct a_job *job = npjt_job_by_op(d, op);
    switch (job ? job->op_kind : NPJ_CLOSE_PIPE) {
    case NPJ_ADD_JOB:
        npjt_job_added(d, op, status, PATH_PIPE);
        break;
    case NPJ_OPEN:
        npjt_opened(d, op, status, MODE_DEFAULT);
        break;
    case NPJ_WRITE:
        npjt_written(d, op, status, 0);
        break;
    default:
        npjt_done(d, op, status);
        break;
    }
}

/** Completes by the call of a kind that is not the operation's, or by the next one if it is. */
static void wrong(struct npjt_driver *d, npj_op op, unsigned call)
{
    static const unsigned kinds[] = {1U << NPJ_ADD_JOB, 1U << NPJ_OPEN, 1U << NPJ_WRITE, done_kinds};
    const struct a_job *job = npjt_job_by_op(d, op);
    unsigned which = call % 4;
    if (job && kinds[which] >> job->op_kind & 1)
        which = (which + 1) % 4;
    if (which == 0)
        npjt_job_added(d, op, NPJ_STATUS_SUCCESS, PATH_PIPE);
    else if (which == 1)
        npjt_opened(d, op, NPJ_STATUS_SUCCESS, MODE_DEFAULT);
    else if (which == 2)
        npjt_written(d, op, NPJ_STATUS_SUCCESS, 0);
    else
        npjt_done(d, op, NPJ_STATUS_SUCCESS);
}

/** Calls with null pointers and null handles. */
static void nulls(struct npjt_driver *d, unsigned call)
{
    npj_job newest = npjt_select_job(d, JOB_NEWEST);
    switch (call) {
    case CALL_ADD_JOB:
        npjt_add_job(d, 1, 1, true);
        break;
    case CALL_CONNECT:
        npjt_connect(d, 0);
        break;
    case CALL_WRITE:
        npjt_write(d, newest, 1, HOW_COPY_NULL, false);
        if (!d->stop)
            npjt_write(d, newest, 1, HOW_COPY, true);
        break;
    case CALL_CLOSE:
        npjt_close(d, 0);
        break;
    case CALL_CANCEL:
        npjt_cancel(d, 0);
        break;
    case CALL_JOB_ADDED:
        npjt_job_added(d, npjt_select_op(d, OP_NEWEST, 1U << NPJ_ADD_JOB), NPJ_STATUS_SUCCESS, PATH_NULL);
        break;
    case CALL_OPENED:
        npjt_opened(d, 0, NPJ_STATUS_SUCCESS, MODE_DEFAULT);
        break;
    case CALL_WRITTEN:
        npjt_written(d, 0, NPJ_STATUS_SUCCESS, 0);
        break;
    case CALL_DONE:
        npjt_done(d, 0, NPJ_STATUS_SUCCESS);
        break;
    case CALL_ABORT:
        npjt_abort(d, 0, NPJ_STATUS_PRINT_CANCELLED);
        break;
    case CALL_NEXT:
        d->result->calls++;
        npjt_pipe_keeps_offer(d);
        d->call = "next";
        if (d->subject->next(d->srv, NULL))
            npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "next said true with nowhere to put the action");
        d->call = NULL;
        break;
    case CALL_QUERY:
        npjt_query(d, newest, true);
        break;
    default:
        npjt_query(d, 0, false);
        break;
    }
}

static void set_faults(struct npjt_driver *d, unsigned failure)
{
    static const struct {
        npjt_fault_mode mode;
        uint64_t n;
    } faults[] = {{NPJT_FAULT_ONCE, 1}, {NPJT_FAULT_ONCE, 2},  {NPJT_FAULT_ONCE, 3}, {NPJT_FAULT_FROM, 1},
                  {NPJT_FAULT_FROM, 2}, {NPJT_FAULT_EVERY, 2}, {NPJT_FAULT_NONE, 0}};
    if (d->options->fault_override)
        return;
    npjt_counting_fault(&d->pool, faults[failure].mode, faults[failure].n);
    d->faulty = faults[failure].mode != NPJT_FAULT_NONE;
}

/** An open job, as far as the server lets it: add, connect, and the host runs both. */
static void open_job(struct npjt_driver *d, uint64_t client, uint64_t provider)
{
    uint32_t serial = d->next_serial;
    npjt_add_job(d, client, provider, false);
    if (d->stop || d->next_serial == serial)
        return;
    uint8_t index = d->order[d->jobs - 1];
    npjt_connect(d, d->job[index].handle);
    for (unsigned step = 0; step < 2; step++) {
        npjt_take_many(d, 0);
        if (!d->stop && d->job[index].op != 0)
            npjt_complete(d, index);
    }
    npjt_take_many(d, 0);
}

static void writes(struct npjt_driver *d, npj_job job, unsigned length, uint32_t count)
{
    for (uint32_t left = count > 0 ? count : WRITES; left > 0 && !d->stop; left--) {
        npjt_write(d, job, npjt_select_length(d, job, length), HOW_COPY, false);
        if (d->status != NPJ_STATUS_PENDING)
            return;
        npjt_check_call(d);
    }
}

static void host(struct npjt_driver *d, uint32_t rounds)
{
    for (uint32_t left = rounds > 0 ? rounds : HOST_ROUNDS; left > 0; left--)
        if (!npjt_host_round(d))
            return;
}

void npjt_free_engine(struct npjt_driver *d)
{
    npj_stats stats;
    uint64_t live = d->packets;
    if (d->subject->stats) {
        d->subject->stats(d->srv, &stats);
        live = stats.packets.live;
    }
    d->result->packets_released = d->result->packets_allocated - (live < d->packets ? d->packets : live);
    d->call = "free";
    d->freeing = true;
    d->subject->srv_free(&d->srv);
    d->freeing = false;
    d->result->calls++;
    if (d->srv)
        npjt_violate(d, NPJT_LAW_RECLAIM, "free leaves the engine's pointer");
    d->srv = NULL;
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    if (pool->blocks.live > 0)
        npjt_violate(d, NPJT_LAW_RECLAIM, "free leaves %llu blocks and %llu bytes",
                     (unsigned long long)pool->blocks.live, (unsigned long long)pool->bytes.live);
}

/* One switch over all records. NOLINTNEXTLINE(readability-function-size) */
void npjt_play(struct npjt_driver *d, const npjt_record *record)
{
    const uint8_t *o = record->operand;
    switch ((npjt_opcode)record->opcode) {
    case NPJT_NEXT_EVENT:
        npjt_take_many(d, npjt_select_count(o[0]));
        break;
    case NPJT_HOST_EVENT:
        host(d, npjt_select_count(o[0]));
        break;
    case NPJT_ADD_EVENT:
        npjt_add_job(d, client_key(o[0]), provider_key(o[1]), false);
        break;
    case NPJT_CONNECT_EVENT:
        npjt_connect(d, npjt_select_job(d, o[0]));
        break;
    case NPJT_WRITE_EVENT: {
        npj_job job = npjt_select_job(d, o[0]);
        npjt_write(d, job, npjt_select_length(d, job, o[1]), o[2], false);
        break;
    }
    case NPJT_CLOSE_EVENT:
        npjt_close(d, npjt_select_job(d, o[0]));
        break;
    case NPJT_CANCEL_EVENT:
        npjt_cancel(d, npjt_select_write(d, npjt_select_job(d, o[0]), o[1]));
        break;
    case NPJT_ABORT_EVENT:
        npjt_abort(d, npjt_select_job(d, o[0]), npjt_select_status(o[1]));
        break;
    case NPJT_CLIENT_GONE_EVENT:
        npjt_client_gone(d, client_key(o[0]), npjt_select_status(o[1]));
        break;
    case NPJT_PROVIDER_GONE_EVENT:
        npjt_provider_gone(d, provider_key(o[0]));
        break;
    case NPJT_SHUTDOWN_EVENT:
        /* Nonsense is among what is tried. NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange) */
        npjt_shutdown(d, o[0] == 0 ? NPJ_DRAIN : o[0] == 1 ? NPJ_ABORT : (npj_shutdown_how)7);
        break;
    case NPJT_ADVANCE_EVENT:
        npjt_advance(d, npjt_select_time(d, o[0]));
        break;
    case NPJT_COMPLETE_EVENT:
        complete(d, npjt_select_op(d, o[0], ~0U));
        break;
    case NPJT_FAIL_EVENT:
        fail(d, npjt_select_op(d, o[0], ~0U), npjt_select_status(o[1]));
        break;
    case NPJT_ADDED_EVENT:
        npjt_job_added(d, npjt_select_op(d, o[0], 1U << NPJ_ADD_JOB), npjt_select_status(o[1]), o[2]);
        break;
    case NPJT_OPENED_EVENT:
        npjt_opened(d, npjt_select_op(d, o[0], 1U << NPJ_OPEN), npjt_select_status(o[1]), o[2]);
        break;
    case NPJT_WRITTEN_EVENT: {
        npj_op op = npjt_select_op(d, o[0], 1U << NPJ_WRITE);
        npjt_written(d, op, npjt_select_status(o[1]), npjt_select_amount(d, op, o[2]));
        break;
    }
    case NPJT_DONE_EVENT:
        npjt_done(d, npjt_select_op(d, o[0], done_kinds), npjt_select_status(o[1]));
        break;
    case NPJT_WRONG_EVENT:
        wrong(d, npjt_select_op(d, o[0], ~0U), o[1]);
        break;
    case NPJT_NULLS_EVENT:
        nulls(d, o[0]);
        break;
    case NPJT_QUERY_EVENT:
        npjt_query(d, npjt_select_job(d, o[0]), false);
        break;
    case NPJT_TRIM_EVENT:
        npjt_trim(d);
        break;
    case NPJT_OOM_EVENT:
        set_faults(d, o[0]);
        break;
    case NPJT_REENTER_EVENT:
        d->armed = true;
        d->armed_callback = o[0];
        d->armed_call = o[1];
        break;
    case NPJT_OPEN_EVENT:
        open_job(d, client_key(o[0]), provider_key(o[1]));
        break;
    case NPJT_WRITES_EVENT:
        writes(d, npjt_select_job(d, o[0]), o[1], npjt_select_count(o[2]));
        break;
    default:
        npjt_free_engine(d);
        break;
    }
}
