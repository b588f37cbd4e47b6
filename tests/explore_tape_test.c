/* SPDX-License-Identifier: MIT */
/*
 * What the events of the search are called on a tape: the driver, playing the tape of a walk, makes of the engine what
 * the walk has made of it, event by event.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "explore_state.h"
#include "npjob-testkit/driver.h"

enum { STEPS = 24, LINES = 1024 };

/* What is seen of an engine behind an event. Times are counted from now on. */
struct sight {
    uint32_t lines; /* of the trace, until then */
    npj_stats stats;
    uint64_t deadline;
};

struct seen {
    uint32_t lines, sights;
    npj_trace line[LINES];
    struct sight sight[STEPS];
};

static void note_line(struct seen *seen, const npj_trace *line)
{
    cr_assert_lt(seen->lines, LINES);
    seen->line[seen->lines++] = *line;
}

static void note_sight(struct seen *seen, const npj_srv *srv, uint64_t now)
{
    cr_assert_lt(seen->sights, STEPS);
    struct sight *sight = &seen->sight[seen->sights++];
    uint64_t deadline = npj_deadline(srv);
    *sight = (struct sight){.lines = seen->lines, .deadline = deadline == NPJ_NEVER ? NPJ_NEVER : deadline - now};
    npj_stats_get(srv, &sight->stats);
}

/* ------------------------------------------------------------------------------------------------------- the walk */

struct walk {
    const npjt_scope *scope;
    uint8_t tape[NPJT_TAPE_MAX];
    size_t size;
    uint32_t ends[STEPS]; /* of each event: how many records there are by then */
    npj_config config;
    struct seen seen;
};

static uint32_t draw(uint64_t *random, uint32_t limit)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*random >> 33) % limit;
}

/* One of the events of the state, those that end a life or refuse memory less often. */
static bool choose(const struct explorer *x, uint64_t *random, explore_event *event)
{
    struct explore_list list;
    npjt_explore_events(x, &list);
    for (unsigned tries = 0; list.count > 0 && tries < 100; tries++) {
        uint32_t at = draw(random, list.count);
        *event = list.event[at];
        bool rare = event->fails || list.cost[at] != NPJT_BUDGETS;
        if (!rare || draw(random, 4) == 0) {
            x->world->purse = npjt_explore_pay(x->world->purse, (npjt_budget)list.cost[at]);
            return true;
        }
    }
    return false;
}

/* How many records an event takes on a tape. Each operand has a word, as the text form gives it. */
static uint32_t count_records(const struct explorer *x, explore_event event)
{
    npjt_record records[4];
    uint32_t count = npjt_explore_records(x, event, records);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t at = 0; at < NPJT_OPERANDS; at++)
            cr_assert_lt(records[i].operand[at],
                         npjt_operand_count(npjt_opcode_operand((npjt_opcode)records[i].opcode, at)));
    return count;
}

static void take_walk(struct walk *walk, const npjt_scope *scope, uint64_t random)
{
    struct explorer x;
    struct way way = {0};
    *walk = (struct walk){.scope = scope};
    cr_assert(npjt_explore_world_new(&x, scope));
    cr_assert(npjt_explore_way_add(&way, 0, (explore_event){0}));
    walk->config = x.config;
    x.world->purse = npjt_explore_purse(scope);
    uint32_t records = scope->unset ? 0 : 1;
    explore_event event;
    for (uint32_t at = 0; at < STEPS && choose(&x, &random, &event); at++) {
        cr_assert(npjt_explore_way_add(&way, at, event));
        records += count_records(&x, event);
        (void)npjt_explore_apply(&x, event);
        npjt_explore_note_ended(&x);
        cr_assert_null(x.wrong);
        for (uint32_t i = 0; i < x.trace_count; i++)
            note_line(&walk->seen, &x.traces[i]);
        walk->ends[at] = records;
        note_sight(&walk->seen, x.world->srv, x.world->now);
    }
    walk->size = npjt_explore_way_tape(&way, scope, walk->seen.sights, NULL, walk->tape);
    cr_assert_eq(walk->size, NPJT_HEADER_BYTES + (size_t)records * NPJT_RECORD_BYTES);
    npjt_explore_way_free(&way);
    npjt_explore_world_free(&x);
}

/* ------------------------------------------------------------------------------------------------------- the play */

static const npj_srv *engine;
static npj_config configured;
static uint64_t now;

static npj_status make_engine(const npj_config *config, void **out)
{
    configured = *config;
    npj_status status = npjt_subject_npjob.srv_new(config, out);
    engine = status == NPJ_STATUS_SUCCESS ? *out : NULL;
    now = 0;
    return status;
}

static npj_status advance(void *srv, uint64_t time)
{
    now = time > now ? time : now;
    return npjt_subject_npjob.advance(srv, time);
}

struct play {
    const struct walk *walk;
    struct seen seen;
};

static void note_trace(void *user, const npj_trace *line)
{
    struct play *play = user;
    if (play->seen.sights < play->walk->seen.sights)
        note_line(&play->seen, line);
}

static void note_event(void *user, uint32_t number, const npjt_record *record, npj_status status)
{
    struct play *play = user;
    (void)record, (void)status;
    if (play->seen.sights < play->walk->seen.sights && number == play->walk->ends[play->seen.sights])
        note_sight(&play->seen, engine, now);
}

static void play_walk(struct play *play, const struct walk *walk)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = make_engine;
    subject.advance = advance;
    *play = (struct play){.walk = walk};
    const npjt_options options = {.trace = note_trace, .event = note_event, .user = play, .model = true};
    cr_assert(npjt_run(&subject, walk->tape, walk->size, &options, NULL));
}

/* -------------------------------------------------------------------------------------------------- side by side */

/* The limits and timeouts of a configuration, its 1 MiB of kept memory said or left out. */
static bool same_config(const npj_config *one, const npj_config *other)
{
    uint64_t idle = one->max_idle_bytes != 0 ? one->max_idle_bytes : 1 << 20;
    return one->max_jobs == other->max_jobs && one->max_packets == other->max_packets &&
           one->max_job_packets == other->max_job_packets && one->max_write_bytes == other->max_write_bytes &&
           one->max_batch == other->max_batch && one->max_job_bytes == other->max_job_bytes &&
           one->max_pool_bytes == other->max_pool_bytes && idle == other->max_idle_bytes &&
           one->add_timeout == other->add_timeout && one->connect_timeout == other->connect_timeout &&
           one->stall_timeout == other->stall_timeout && one->drain_timeout == other->drain_timeout;
}

static bool same_line(const npj_trace *one, const npj_trace *other)
{
    return one->kind == other->kind && one->event == other->event && one->from == other->from && one->to == other->to &&
           one->status == other->status;
}

/* The counters, but for refused calls, of which the driver makes more. */
static bool same_stats(npj_stats one, npj_stats other)
{
    one.refused = other.refused = 0;
    return memcmp(&one, &other, sizeof one) == 0;
}

static void print_walk(const struct walk *walk, uint32_t steps)
{
    fprintf(stderr, "scope %s, the last of %u events is seen to do something else:\n", walk->scope->name, steps + 1);
    (void)npjt_tape_print(stderr, walk->tape, walk->size, walk->ends[steps]);
}

static bool compare(const struct seen *walked, const struct seen *played, uint32_t at)
{
    const struct sight *one = &walked->sight[at], *other = &played->sight[at];
    if (one->lines != other->lines || one->deadline != other->deadline || !same_stats(one->stats, other->stats))
        return false;
    for (uint32_t i = at > 0 ? one[-1].lines : 0; i < one->lines; i++)
        if (!same_line(&walked->line[i], &played->line[i]))
            return false;
    return true;
}

Test(explore_tape, a_tape_does_what_its_walk_did)
{
    static struct walk walk;
    static struct play play;
    const npjt_scope *scope;
    for (uint32_t i = 0; (scope = npjt_scope_at(i)) != NULL; i++) {
        for (uint64_t number = 1; number <= 2000; number++) {
            take_walk(&walk, scope, number);
            play_walk(&play, &walk);
            cr_assert(same_config(&walk.config, &configured), "scope %s", scope->name);
            cr_assert_eq(play.seen.sights, walk.seen.sights);
            for (uint32_t at = 0; at < walk.seen.sights; at++) {
                if (compare(&walk.seen, &play.seen, at))
                    continue;
                print_walk(&walk, at);
                cr_assert_fail("the driver sees something else");
            }
        }
    }
}
