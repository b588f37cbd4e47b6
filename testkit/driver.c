/* SPDX-License-Identifier: MIT */
/*
 * One run: makes the engine, plays the records, drains what is left, and frees the engine. After every event the laws
 * are checked.
 */
#include "npjob-testkit/driver.h"

#include <stdlib.h>
#include <string.h>

#include "driver_state.h"

npjt_driver *npjt_driver_new(void)
{
    npjt_driver *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->scratch = malloc(NPJT_MAX_WRITE_BYTES + 1);
    if (!d->scratch) {
        free(d);
        return NULL;
    }
    npjt_pattern_ready();
    return d;
}

void npjt_driver_free(npjt_driver *d)
{
    if (!d)
        return;
    if (d->pool_ready)
        (void)npjt_counting_finish(&d->pool);
    for (unsigned i = 0; i < WRITES; i++)
        free(d->write[i].bytes);
    free(d->scratch);
    free(d->model);
    free(d);
}

/** Everything as at the start of a run. */
static void reset(struct npjt_driver *d)
{
    size_t from = offsetof(struct npjt_driver, subject);
    if (!d->pool_ready) {
        npjt_counting_options options = {.on_finding = npjt_abused, .hook = npjt_hook, .user = d};
        npjt_counting_init(&d->pool, &options);
        d->pool_ready = true;
    }
    memset((char *)d + from, 0, offsetof(struct npjt_driver, job) - from);
    for (unsigned i = 0; i < JOBS; i++)
        d->job[i].used = false;
    from = offsetof(struct npjt_driver, order);
    memset((char *)d + from, 0, offsetof(struct npjt_driver, write) - from);
    d->ended_job[0] = d->ended_op[0] = d->answered_write[0] = 0; /* taken for the newest of none */
    for (unsigned i = 0; i < WRITES; i++)
        d->write[i].next = (uint8_t)(i + 1 < WRITES ? i + 1 : NONE);
}

static void configure(struct npjt_driver *d, npj_config *config)
{
    const npjt_limits *limits = &d->limits;
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->mem = npjt_counting_mem(&d->pool);
    config->max_jobs = limits->max_jobs;
    config->max_packets = limits->max_packets;
    config->max_job_packets = limits->max_job_packets;
    config->max_write_bytes = limits->max_write_bytes;
    config->max_batch = limits->max_batch;
    config->max_job_bytes = limits->max_job_bytes;
    config->max_pool_bytes = limits->max_pool_bytes;
    config->max_idle_bytes = limits->max_idle_bytes;
    config->add_timeout = limits->add_timeout;
    config->connect_timeout = limits->connect_timeout;
    config->stall_timeout = limits->stall_timeout;
    config->drain_timeout = limits->drain_timeout;
    config->trace = npjt_traced;
    config->trace_user = d;
}

/** Creates the engine. @return whether there is one. */
static bool create(struct npjt_driver *d)
{
    npj_config config;
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    configure(d, &config);
    d->faulty = d->limits.fault != NPJT_FAULT_NONE;
    npjt_counting_fault(&d->pool, d->limits.fault, d->limits.fault_at);
    d->may_allocate = true;
    void *const untouched = &config, *srv = untouched;
    d->status = d->subject->srv_new(&config, &srv);
    d->srv = srv != untouched ? srv : NULL;
    d->may_allocate = false;
    d->engine_bytes = pool->bytes.live;
    d->result->calls++;
    npjt_mix(d, d->status);
    npj_status expected = npjt_failed_allocations(d) > 0 ? NPJ_STATUS_INSUFFICIENT_RESOURCES : NPJ_STATUS_SUCCESS;
    d->result->failures_reported += d->status == NPJ_STATUS_INSUFFICIENT_RESOURCES;
    if (d->status != expected)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "new returned %s where %s is right", npj_status_name(d->status),
                     npj_status_name(expected));
    if (npj_status_is_error(d->status) && (pool->blocks.live > 0 || srv != untouched))
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "a refused new keeps memory, or writes an engine");
    if (!npj_status_is_error(d->status) && !d->srv)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "new returned %s, and gives no engine", npj_status_name(d->status));
    return d->srv != NULL && !d->stop;
}

/* --------------------------------------------------------------------------------------------------------- draining */

/** Rounds of the host until there is nothing to do. Those in which the pipe takes bytes are not counted: these end, as
 * long as the bytes are of those that were accepted. */
static void run_host(struct npjt_driver *d)
{
    uint64_t taken = d->bytes_taken;
    for (unsigned rounds = 0; rounds < HOST_ROUNDS && npjt_host_round(d); taken = d->bytes_taken)
        rounds += d->bytes_taken == taken || d->bytes_taken > d->bytes_accepted;
    npjt_check_event(d);
}

/** After the last record everything is brought to an end, which must come within a bounded number of steps. */
static void drain(struct npjt_driver *d)
{
    d->record = NULL;
    d->phase = "drain";
    run_host(d);
    for (uint8_t i = d->jobs; i-- > 0 && !d->stop;) {
        struct a_job *job = &d->job[d->order[i]];
        if (job->gone)
            continue;
        if (job->phase[NPJ_REQUEST_CLOSE] == NOT_ASKED && (job->failed || job->phase[NPJ_REQUEST_CONNECT] != NOT_ASKED))
            npjt_close(d, job->handle);
        else
            npjt_abort(d, job->handle, NPJ_STATUS_PRINT_CANCELLED);
        npjt_check_call(d);
    }
    if (!d->stop)
        run_host(d);
    if (!d->stop && d->jobs > 0)
        npjt_violate(d, NPJT_LAW_BOUNDS, "%u jobs have not ended although everything was completed", (unsigned)d->jobs);
    if (!d->stop)
        npjt_trim(d);
    if (!d->stop)
        npjt_shutdown(d, NPJ_ABORT);
    if (!d->stop)
        run_host(d);
}

/* ---------------------------------------------------------------------------------------------------------- the run */

static void play_all(struct npjt_driver *d, npjt_reader *reader)
{
    npjt_record record;
    d->phase = "event";
    while (!d->stop && d->srv && npjt_tape_next(reader, &record)) {
        d->event = reader->records;
        d->record = &record;
        d->status = NPJ_STATUS_SUCCESS;
        npjt_play(d, &record);
        npjt_check_event(d);
        d->result->events++;
        if (d->options->event)
            d->options->event(d->options->user, d->event, &record, d->status);
    }
    d->record = NULL;
}

/** @param made whether there was an engine: then free has answered for what is left. */
static void finish(struct npjt_driver *d, bool made)
{
    const npjt_counting_stats *pool = npjt_counting_stats_of(&d->pool);
    npjt_result *result = d->result;
    d->phase = made ? "free" : "new";
    if (!d->stop)
        (void)npjt_counting_check(&d->pool);
    if (!made && pool->blocks.live > 0)
        npjt_violate(d, NPJT_LAW_RECLAIM, "new gives no engine, and keeps %llu blocks",
                     (unsigned long long)pool->blocks.live);
    result->cut_short = d->stop && result->finding < 0;
    result->operations = d->operations;
    result->bytes_accepted = d->bytes_accepted;
    result->bytes_taken = d->bytes_taken;
    result->allocations = pool->allocations;
    result->failures = npjt_failed_allocations(d);
    result->live_blocks = pool->blocks.live;
    result->live_bytes = pool->bytes.live;
    d->stop = true; /* what is found from here on has been said */
    (void)npjt_counting_reset(&d->pool);
}

bool npjt_driver_run(npjt_driver *d, const npjt_subject *subject, const uint8_t *tape, size_t size,
                     const npjt_options *options, npjt_result *result)
{
    static const npjt_options defaults;
    npjt_result unwanted;
    npjt_reader reader;
    npjt_header header;
    reset(d);
    d->subject = subject;
    d->options = options ? options : &defaults;
    /* cppcheck-suppress uninitvar ; only its address is taken, and the next line fills it */
    d->result = result ? result : &unwanted;
    memset(d->result, 0, sizeof *d->result);
    d->result->finding = -1;
    d->tape = tape;
    d->size = size;
    d->phase = "new";
    npjt_tape_begin(&reader, tape, size, &header);
    npjt_tape_limits(&header, &d->limits);
    if (d->options->fault_override) {
        d->limits.fault = d->options->fault;
        d->limits.fault_at = d->options->fault_at;
    }
    if (d->options->model && !npjt_is_off(d, NPJT_LAW_MODEL))
        npjt_put_model_beside(d);
    bool made = !d->stop && create(d);
    if (made) {
        npjt_check_event(d);
        play_all(d, &reader);
        if (!d->stop && d->srv)
            drain(d);
        d->phase = "free";
        if (!d->stop && d->srv)
            npjt_free_engine(d);
    }
    finish(d, made);
    return d->result->finding < 0;
}

bool npjt_run(const npjt_subject *subject, const uint8_t *tape, size_t size, const npjt_options *options,
              npjt_result *result)
{
    npjt_driver *d = npjt_driver_new();
    if (!d) {
        if (result) {
            memset(result, 0, sizeof *result);
            result->finding = NPJT_LAW_ALLOCATOR;
        }
        return false;
    }
    bool good = npjt_driver_run(d, subject, tape, size, options, result);
    npjt_driver_free(d);
    return good;
}
