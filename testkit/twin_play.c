/* SPDX-License-Identifier: MIT */
/* Plays the steps of a script on one side, and then lets everything come to its end. */
#include "twin_state.h"

static uint64_t party_of(uint8_t lane)
{
    return UINT64_C(1) + npjt_twin_client(lane);
}

static struct twin_job *job_of(struct twin_run *run, uint8_t lane)
{
    return run->lane_job[lane] == TWIN_NOBODY ? NULL : &run->jobs[run->lane_job[lane]];
}

static void saw_call(struct twin_run *run, const struct twin_step *step, const struct twin_job *job, npj_status status)
{
    npjt_twin_saw(run, &(struct twin_entry){.what = TWIN_CALL,
                                            .job = job ? (uint8_t)(job - run->jobs) : TWIN_NOBODY,
                                            .client = npjt_twin_client(step->lane),
                                            .tag = step->tag,
                                            .status = status});
}

/* ----------------------------------------------------------------------------------- calls that may want for memory */

typedef npj_status allocating_call(struct twin_run *run, struct twin_job *job, const struct twin_step *step);

static npj_status call_add(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    return run->subject->add_job(run->srv, party_of(step->lane), party_of(step->lane), (uint64_t)(job - run->jobs),
                                 step->tag, &job->handle);
}

/* Makes a call; in RETRY, where the step says so, first without memory. */
static npj_status call(struct twin_run *run, struct twin_job *job, const struct twin_step *step, allocating_call *make)
{
    if (run->side.extra != TWIN_REFUSED || !step->starved)
        return make(run, job, step);
    uint64_t before = npjt_twin_digest(run);
    npjt_counting_fail_next(&run->memory);
    npj_status status = make(run, job, step);
    npjt_counting_fault(&run->memory, NPJT_FAULT_NONE, 0); /* it may not have been met */
    if (status != NPJ_STATUS_INSUFFICIENT_RESOURCES)
        return status;
    run->twin->result.refusals++;
    npjt_twin_unchanged(run, before, "a call that was refused for want of memory");
    return make(run, job, step);
}

/* --------------------------------------------------------------------------------------------- what clients ask for */

/* A job's number comes from its step, so that it is the same on both sides. */
static void add(struct twin_run *run, const struct twin_step *step, uint32_t number)
{
    struct twin_job *job = &run->jobs[number];
    job->lane = step->lane;
    job->a = step->a;
    job->room = step->b < 128 ? UINT64_MAX : (uint64_t)(step->b - 128) * 8;
    run->lane_job[step->lane] = (uint8_t)number;
    saw_call(run, step, job, call(run, job, step, call_add));
}

static bool wants_room(npj_status status)
{
    return status == NPJ_STATUS_QUOTA_EXCEEDED || status == NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

/* Whether the write has been dealt with; if not, it has to be made again when there is room. */
static bool write_once(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    uint64_t before = npjt_twin_digest(run);
    npj_status status = call(run, job, step, npjt_twin_write);
    if (!run->side.persists || !wants_room(status)) {
        saw_call(run, step, job, status);
        return true;
    }
    run->twin->result.refusals++;
    npjt_twin_unchanged(run, before, "a write that was refused for want of room");
    job->stuck_on = status;
    job->resumed = false;
    return false;
}

static void close_job(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    npj_status status = run->subject->close(run->srv, job->handle, step->tag);
    job->closed |= status == NPJ_STATUS_PENDING;
    saw_call(run, step, job, status);
}

/* A write or a close; behind one that waits for room, it waits as well. */
static void write_or_close(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    if (!job->stuck) {
        if (step->kind == NPJT_TWIN_CLOSE) {
            close_job(run, job, step);
            return;
        }
        if (write_once(run, job, step))
            return;
        job->stuck = true;
    }
    job->backlog[job->backlog_end++] = step->tag;
}

/* After a RESUME, or where none is owed, what waits is tried again in its order. Whether anything could be done. */
static bool try_backlog(struct twin_run *run, struct twin_job *job)
{
    bool any = false;
    if (job->stuck_on == NPJ_STATUS_QUOTA_EXCEEDED && !job->resumed)
        return false;
    while (job->backlog_first < job->backlog_end) {
        const struct twin_step *step = &run->script->steps[job->backlog[job->backlog_first] - 1];
        if (step->kind == NPJT_TWIN_CLOSE)
            close_job(run, job, step);
        else if (!write_once(run, job, step))
            return any;
        job->backlog_first++;
        any = true;
    }
    job->stuck = false;
    return any;
}

/* All actions, and what waits for them. Whether there may be more of them then. */
static bool take_all(struct twin_run *run)
{
    bool any = false;
    npjt_twin_drain(run);
    for (uint32_t i = 0; i < run->job_count; i++)
        any |= try_backlog(run, &run->jobs[i]);
    return any;
}

/* ------------------------------------------------------------------------------------------------------ other steps */

static void connect_job(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    npj_status status = run->subject->connect(run->srv, job->handle, step->tag);
    job->connected |= status == NPJ_STATUS_PENDING;
    saw_call(run, step, job, status);
}

static void cancel(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    if (job->write_count == 0)
        return;
    npj_req request = run->requests[job->writes[step->a % job->write_count]];
    saw_call(run, step, job, run->subject->cancel(run->srv, request));
}

static void complete(struct twin_run *run, const struct twin_step *step)
{
    if (run->side.portions) {
        npjt_twin_flow(run, step->lane, step->a % 8 < 4 ? UINT64_MAX : step->b);
        return;
    }
    struct twin_job *job = npjt_twin_busy(run, step->lane);
    if (!job)
        return;
    uint8_t how = step->a % 8;
    uint64_t amount = step->b;
    if (run->side.planned && how >= 4) {
        how = 4; /* a part of a write in byte mode is no failure, but nothing at all is */
        amount = job->message ? UINT64_MAX : step->b + UINT64_C(1);
    }
    npj_status status = npjt_twin_complete(run, job, how, amount);
    if (!run->side.planned)
        saw_call(run, step, job, status);
}

static void advance(struct twin_run *run, const struct twin_step *step)
{
    run->now += step->a * UINT64_C(10);
    run->clock_set = true;
    saw_call(run, step, NULL, run->subject->advance(run->srv, run->now));
}

static void host_step(struct twin_run *run, const struct twin_step *step)
{
    uint64_t party = party_of(step->lane);
    switch ((npjt_twin_step)step->kind) {
    case NPJT_TWIN_COMPLETE:
        complete(run, step);
        break;
    case NPJT_TWIN_DRAIN:
        (void)take_all(run);
        break;
    case NPJT_TWIN_NEXT:
        for (unsigned i = 0; run->side.whole || i < step->a % 8 + 1U; i++)
            if (!npjt_twin_take(run))
                break;
        break;
    case NPJT_TWIN_EXTRA:
        npjt_twin_extra(run, step);
        break;
    case NPJT_TWIN_CLIENT_GONE:
        saw_call(run, step, NULL, run->subject->client_gone(run->srv, party, npjt_twin_reason(step->a)));
        break;
    case NPJT_TWIN_PROVIDER_GONE:
        saw_call(run, step, NULL, run->subject->provider_gone(run->srv, party));
        break;
    case NPJT_TWIN_ADVANCE:
        advance(run, step);
        break;
    case NPJT_TWIN_SHUTDOWN:
        saw_call(run, step, NULL, run->subject->shutdown(run->srv, step->a & 1 ? NPJ_ABORT : NPJ_DRAIN));
        break;
    default:
        break;
    }
}

static void job_step(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    switch ((npjt_twin_step)step->kind) {
    case NPJT_TWIN_CONNECT:
        connect_job(run, job, step);
        break;
    case NPJT_TWIN_WRITE:
    case NPJT_TWIN_CLOSE:
        write_or_close(run, job, step);
        break;
    case NPJT_TWIN_CANCEL:
        cancel(run, job, step);
        break;
    case NPJT_TWIN_ABORT:
        saw_call(run, step, job, run->subject->abort(run->srv, job->handle, npjt_twin_reason(step->a)));
        break;
    default:
        break;
    }
}

/* --------------------------------------------------------------------------------------------------------- the play */

static bool is_of_job(uint8_t kind)
{
    return (TWIN_BIT(kind) & (TWIN_BIT(NPJT_TWIN_CONNECT) | TWIN_BIT(NPJT_TWIN_WRITE) | TWIN_BIT(NPJT_TWIN_CLOSE) |
                              TWIN_BIT(NPJT_TWIN_CANCEL) | TWIN_BIT(NPJT_TWIN_ABORT))) != 0;
}

/* The number of the job that a step adds: its place among the adds of the script as it was written. */
static uint32_t number_of(const struct twin_run *run, const struct twin_step *step)
{
    const struct twin_script *script = &run->twin->script;
    uint32_t number = 0;
    for (uint32_t i = 0; i + 1U < step->tag; i++)
        number += script->steps[i].kind == NPJT_TWIN_ADD;
    return number;
}

static void play_step(struct twin_run *run, const struct twin_step *step)
{
    struct twin_job *job = job_of(run, step->lane);
    if (!(run->side.steps & TWIN_BIT(step->kind)))
        return;
    if (step->kind == NPJT_TWIN_ADD) {
        uint32_t number = number_of(run, step);
        if (number < run->job_count)
            add(run, step, number);
    } else if (!is_of_job(step->kind)) {
        host_step(run, step);
    } else if (job) {
        job_step(run, job, step);
    }
    if (run->side.portions || run->side.eager)
        (void)take_all(run);
}

/* Everything that is in the host's hands is completed, until nothing more happens. */
static void settle(struct twin_run *run)
{
    bool any = true;
    while (any && !run->twin->found) {
        any = take_all(run);
        for (uint32_t i = 0; i < run->job_count; i++) {
            if (run->jobs[i].op.op == 0)
                continue;
            (void)npjt_twin_complete(run, &run->jobs[i], 0, 0);
            any = true;
        }
    }
}

static void begin(struct twin_run *run)
{
    for (uint32_t i = 0; i < run->script->count && run->job_count < TWIN_JOBS; i++)
        if (run->script->steps[i].kind == NPJT_TWIN_ADD)
            run->jobs[run->job_count++] = (struct twin_job){0};
    for (uint32_t lane = 0; lane < TWIN_LANES; lane++)
        run->lane_job[lane] = TWIN_NOBODY;
    run->recording = true;
}

/* What is left is ended by force; then nothing may be live but the engine, and nothing lent. */
static void end(struct twin_run *run)
{
    run->recording = false;
    (void)run->subject->shutdown(run->srv, NPJ_ABORT);
    settle(run);
    if (run->lent_count > 0)
        npjt_twin_differ(run->twin, "%u lent payloads are not returned when all jobs have ended",
                         (unsigned)run->lent_count);
    if (run->subject->trim && run->subject->engine_blocks != 0) {
        (void)run->subject->trim(run->srv);
        uint64_t live = npjt_counting_stats_of(&run->memory)->blocks.live;
        if (live != run->subject->engine_blocks)
            npjt_twin_differ(run->twin, "%u blocks are live when all jobs have ended, and the engine has %u",
                             (unsigned)live, (unsigned)run->subject->engine_blocks);
    }
}

void npjt_twin_play(struct twin_run *run)
{
    begin(run);
    for (uint32_t i = 0; i < run->script->count && !run->twin->found; i++)
        play_step(run, &run->script->steps[i]);
    settle(run);
    if (run->subject->stats)
        run->subject->stats(run->srv, &run->stats);
    run->digest = npjt_twin_digest(run);
    end(run);
}
