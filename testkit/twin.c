/* SPDX-License-Identifier: MIT */
/* The relations: in what two plays of a script differ, and what of them must be equal. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "twin_state.h"

enum {
    ALL_STEPS = 0xFFFF,
    PLAIN_STEPS = 1 << NPJT_TWIN_ADD | 1 << NPJT_TWIN_CONNECT | 1 << NPJT_TWIN_WRITE | 1 << NPJT_TWIN_CLOSE |
                  1 << NPJT_TWIN_COMPLETE | 1 << NPJT_TWIN_DRAIN | 1 << NPJT_TWIN_NEXT
};

/* ------------------------------------------------------------------------------------------------------ the finding */

static void report(struct npjt_twin *twin, const uint8_t *bytes, size_t size)
{
    npjt_difference finding = {.relation = twin->script.relation,
                               .sentence = twin->sentence,
                               .subject = twin->run[0].subject->name,
                               .script = bytes,
                               .size = size};
    if (twin->options->finding) {
        twin->options->finding(twin->options->user, &finding);
        return;
    }
    npjt_difference_print(&finding);
    abort();
}

/* -------------------------------------------------------------------------------------------------------- the sides */

static uint32_t batch_of(uint8_t engine)
{
    static const uint32_t batches[8] = {64, 2, 3, 4, 5, 8, 16, 1};
    return batches[engine >> 5];
}

/* An engine with room for everything that a script can want. */
static npj_config wide(uint8_t engine)
{
    return (npj_config){.size = sizeof(npj_config),
                        .max_jobs = TWIN_JOBS,
                        .max_write_bytes = TWIN_MAX_WRITE,
                        .max_batch = batch_of(engine),
                        .max_idle_bytes = engine & 16 ? 1 : 0,
                        .add_timeout = 300,
                        .connect_timeout = 300,
                        .stall_timeout = 500,
                        .drain_timeout = 2000};
}

/* A job's own limits are its own affair; those of the engine are everybody's. */
static void narrow_jobs(npj_config *config, uint8_t engine)
{
    if (engine & 1)
        config->max_job_packets = 3;
    if (engine & 2)
        config->max_job_bytes = TWIN_MAX_WRITE;
}

static void narrow_engine(npj_config *config, uint8_t engine)
{
    if (engine & 4)
        config->max_packets = 5;
    if (engine & 8)
        config->max_pool_bytes = UINT64_C(3) * TWIN_MAX_WRITE;
}

/* RETRY has two forms: calls that go wrong, and room that is short. */
static bool is_short_of_room(const struct twin_script *script)
{
    return script->relation == NPJT_RELATION_RETRY && (script->seed & 1) != 0;
}

static void plan_relation(struct npjt_twin *twin, struct twin_side *a, struct twin_side *b)
{
    uint8_t engine = twin->script.engine;
    switch (twin->script.relation) {
    case NPJT_RELATION_COMMUTE:
        a->steps = b->steps = ALL_STEPS & ~(1 << NPJT_TWIN_SHUTDOWN); /* it answers in the order of slots */
        a->whole = b->whole = true;
        break;
    case NPJT_RELATION_LENT:
        a->payload = NPJ_COPY;
        b->payload = NPJ_LEND;
        a->whole = b->whole = true;
        break;
    case NPJT_RELATION_DEFERRED:
        a->eager = true;
        break;
    case NPJT_RELATION_RETRY:
        b->extra = is_short_of_room(&twin->script) ? TWIN_NO_EXTRA : TWIN_REFUSED;
        break;
    case NPJT_RELATION_QUERY:
        b->extra = TWIN_QUERIES;
        break;
    case NPJT_RELATION_BATCH:
        a->config.max_batch = 1;
        b->config.max_batch = batch_of(engine) > 1 ? batch_of(engine) : 64;
        a->portions = b->portions = true;
        break;
    default:
        break;
    }
}

static void plan_limits(struct npjt_twin *twin, struct twin_side *a, struct twin_side *b)
{
    uint8_t engine = twin->script.engine;
    bool outcomes = twin->script.relation == NPJT_RELATION_DEFERRED || is_short_of_room(&twin->script);
    if (outcomes) {
        a->steps = b->steps = PLAIN_STEPS;
        a->planned = b->planned = true;
        a->persists = b->persists = true;
    }
    if (is_short_of_room(&twin->script)) {
        narrow_jobs(&b->config, engine & 15 ? engine : 1);
        narrow_engine(&b->config, engine);
    } else if (!outcomes) {
        narrow_jobs(&a->config, engine);
        narrow_jobs(&b->config, engine);
    }
    if (!outcomes && (twin->script.relation == NPJT_RELATION_RETRY || twin->script.relation == NPJT_RELATION_QUERY)) {
        narrow_engine(&a->config, engine);
        narrow_engine(&b->config, engine);
    }
}

static void compare_all(struct npjt_twin *twin)
{
    npjt_twin_compare(twin, TWIN_BY_ALL);
    npjt_twin_compare_digests(twin);
}

static void compare(struct npjt_twin *twin)
{
    npjt_relation relation = twin->script.relation;
    if (relation == NPJT_RELATION_DEFERRED || is_short_of_room(&twin->script))
        npjt_twin_compare_outcomes(twin);
    else if (relation == NPJT_RELATION_COMMUTE)
        npjt_twin_compare(twin, TWIN_BY_CLIENT);
    else if (relation == NPJT_RELATION_LENT || relation == NPJT_RELATION_BATCH)
        npjt_twin_compare(twin, TWIN_BY_JOB);
    else
        compare_all(twin);
    if (relation == NPJT_RELATION_QUERY)
        npjt_twin_compare_stats(twin);
}

/* --------------------------------------------------------------------------------------------------------- the runs */

static void play(struct npjt_twin *twin, struct twin_run *run, const npjt_subject *subject,
                 const struct twin_script *script, const struct twin_side *side)
{
    memset(&run->srv, 0, offsetof(struct twin_run, jobs) - offsetof(struct twin_run, srv));
    run->twin = twin;
    run->subject = subject;
    run->script = script;
    run->side = *side;
    run->side.config.mem = npjt_counting_mem(&run->memory);
    run->side.config.trace = twin->options->trace;
    run->side.config.trace_user = twin->options->user;
    npj_status status = subject->srv_new(&run->side.config, &run->srv);
    if (status == NPJ_STATUS_SUCCESS)
        npjt_twin_play(run);
    else
        npjt_twin_differ(twin, "no engine could be made: 0x%08x", (unsigned)status);
}

static void free_engine(struct npjt_twin *twin, struct twin_run *run)
{
    if (run->srv)
        run->subject->srv_free(&run->srv);
    npjt_twin_free_lent(run);
    uint64_t live = npjt_counting_stats_of(&run->memory)->blocks.live;
    twin->result.live_blocks += live;
    if (npjt_counting_reset(&run->memory) > 0)
        npjt_twin_differ(twin, "the allocator was abused, or %u blocks have leaked", (unsigned)live);
}

/* The engine of the first side lives until the second has been played, as two share nothing. */
static void play_both(struct npjt_twin *twin, const npjt_subject *subject, const struct twin_side *side)
{
    struct twin_run *first = &twin->run[0], *second = &twin->run[1];
    play(twin, first, subject, &twin->script, &side[0]);
    if (!twin->found) {
        uint64_t left = npjt_twin_digest(first);
        play(twin, second, subject, &twin->shuffled, &side[1]);
        npjt_twin_unchanged(first, left, "what was done to another engine");
        free_engine(twin, second);
    }
    free_engine(twin, first);
}

npjt_twin *npjt_twin_new(void)
{
    npjt_twin *twin = calloc(1, sizeof *twin);
    if (!twin)
        return NULL;
    for (int i = 0; i < 2; i++)
        npjt_counting_init(&twin->run[i].memory, NULL);
    return twin;
}

void npjt_twin_free(npjt_twin *twin)
{
    if (!twin)
        return;
    for (int i = 0; i < 2; i++)
        (void)npjt_counting_finish(&twin->run[i].memory);
    free(twin);
}

bool npjt_twin_run(npjt_twin *twin, const npjt_subject *subject, const uint8_t *bytes, size_t size,
                   const npjt_twin_options *options, npjt_twin_result *result)
{
    static const npjt_twin_options none;
    twin->options = options ? options : &none;
    twin->found = false;
    npjt_twin_decode(&twin->script, bytes, size, twin->options);
    twin->shuffled = twin->script;
    if (twin->script.relation == NPJT_RELATION_COMMUTE)
        npjt_twin_shuffle(&twin->shuffled);
    twin->result = (npjt_twin_result){.relation = twin->script.relation, .steps = twin->script.count};

    struct twin_side side[2];
    side[0] = (struct twin_side){.config = wide(twin->script.engine), .steps = ALL_STEPS};
    side[1] = side[0];
    plan_relation(twin, &side[0], &side[1]);
    plan_limits(twin, &side[0], &side[1]);
    play_both(twin, subject, side);
    if (!twin->found)
        compare(twin);
    twin->result.found = twin->found;
    if (result)
        *result = twin->result;
    if (twin->found)
        report(twin, bytes, size);
    return !twin->found;
}
