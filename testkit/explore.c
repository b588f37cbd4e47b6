/* SPDX-License-Identifier: MIT */
/* The search, breadth first: states known, states to expand, and what is told of them. */
#define _POSIX_C_SOURCE 200809L
#include "npjob-testkit/explore.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "explore_state.h"

enum {
    CHUNK_STATES = 256,    /* snapshots in one block of memory */
    PROGRESS_EVERY = 4096, /* events */
    HUNG_AFTER = 2,        /* seconds that one event may take */
    OUTCOMES_MAX = 2048
};

/* How a state was first come to. */
struct step {
    uint32_t parent;
    explore_event event;
};

/* Snapshots that wait to be expanded, the oldest first. */
struct chunk {
    struct chunk *next;
    uint32_t used;
    unsigned char worlds[];
};

struct outcome {
    npj_trace trace;
    uint32_t parent;
    explore_event event;
    uint16_t next; /* 1 + another of the same state and event, or 0 */
};

struct search {
    struct explorer x;
    npjt_explored told;
    const npjt_explore_options *options;
    struct known known;
    struct step *steps;
    uint64_t steps_room;
    struct chunk *first, *last;
    uint32_t taken;       /* snapshots of the first chunk that have been expanded */
    uint32_t state;       /* being expanded */
    unsigned char *world; /* of the state being expanded */
    bool no_memory, stopped;
    struct outcome outcomes[OUTCOMES_MAX];
    uint16_t outcome_of[NPJ_STATE_COUNT][NPJ_EVENT_COUNT]; /* 1 + the first, or 0 */
    uint32_t level_end;                                    /* the last state of the depth being expanded */
};

/* ------------------------------------------------------------------------------------------------ states to expand */

static bool keep_snapshot(struct search *s)
{
    size_t bytes = s->x.world_bytes;
    if (s->last == NULL || s->last->used == CHUNK_STATES) {
        struct chunk *chunk = malloc(sizeof *chunk + CHUNK_STATES * bytes);
        if (chunk == NULL)
            return false;
        chunk->next = NULL;
        chunk->used = 0;
        s->told.bytes += CHUNK_STATES * bytes;
        if (s->last != NULL)
            s->last->next = chunk;
        else
            s->first = chunk;
        s->last = chunk;
    }
    memcpy(s->last->worlds + s->last->used++ * bytes, s->x.world, bytes);
    return true;
}

static bool keep_step(struct search *s, uint32_t parent, explore_event event)
{
    if (s->told.states == s->steps_room) {
        uint64_t room = s->steps_room ? s->steps_room * 2 : 1 << 16;
        struct step *steps = realloc(s->steps, room * sizeof *steps);
        if (steps == NULL)
            return false;
        s->told.bytes += (room - s->steps_room) * sizeof *steps;
        s->steps = steps;
        s->steps_room = room;
    }
    s->steps[s->told.states++] = (struct step){parent, event};
    return true;
}

static void keep_state(struct search *s, uint32_t parent, explore_event event)
{
    if (s->told.states == UINT32_MAX || !keep_snapshot(s) || !keep_step(s, parent, event))
        s->no_memory = true;
}

static struct chunk *drop_chunk(struct search *s)
{
    struct chunk *chunk = s->first;
    s->first = chunk->next;
    if (s->first == NULL)
        s->last = NULL;
    s->told.bytes -= CHUNK_STATES * s->x.world_bytes;
    s->taken = 0;
    free(chunk);
    return s->first;
}

/* Puts the next state that waits into s->world. */
static bool next_state(struct search *s)
{
    if (s->first != NULL && s->taken == s->first->used && s->first->used == CHUNK_STATES)
        (void)drop_chunk(s);
    if (s->first == NULL || s->taken == s->first->used)
        return false;
    memcpy(s->world, s->first->worlds + s->taken++ * s->x.world_bytes, s->x.world_bytes);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- the way there
 */

/* The tape that leads to a state and then to one more event. The world is used up for it. */
static size_t write_tape(struct search *s, uint32_t state, explore_event event, uint8_t *tape)
{
    struct explorer x;
    static explore_event way[NPJT_MAX_RECORDS / 4];
    uint32_t length = 0;
    way[length++] = event;
    for (; state != 0 && length < NPJT_MAX_RECORDS / 4; state = s->steps[state].parent)
        way[length++] = s->steps[state].event;
    npjt_header header;
    explore_header(s->x.scope, &header);
    npjt_tape_put_header(tape, &header);
    size_t size = NPJT_HEADER_BYTES;
    if (!explore_world_new(&x, s->x.scope))
        return 0;
    npjt_tape_put_record(tape + size, &(npjt_record){NPJT_ADVANCE_EVENT, {0}});
    size += NPJT_RECORD_BYTES;
    while (length > 0) {
        npjt_record records[4];
        uint32_t count = explore_records(&x, way[--length], records);
        for (uint32_t i = 0; i < count; i++, size += NPJT_RECORD_BYTES)
            npjt_tape_put_record(tape + size, &records[i]);
        if (length > 0)
            (void)explore_apply(&x, way[length]);
    }
    explore_world_free(&x);
    return size;
}

static void tell_finding(struct search *s, explore_event event)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    size_t size = write_tape(s, s->state, event, tape);
    if (s->options->finding)
        s->options->finding(s->options->user, s->x.sentence, tape, size);
}

static void tell_seeds(struct search *s)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    for (uint32_t i = 0; s->options->seed && i < s->told.outcomes; i++) {
        const struct outcome *outcome = &s->outcomes[i];
        size_t size = write_tape(s, outcome->parent, outcome->event, tape);
        s->options->seed(s->options->user, &outcome->trace, tape, size);
    }
}

/* ------------------------------------------------------------------------------------------------------- expanding */

static void note_outcome(struct search *s, const npj_trace *trace, explore_event event)
{
    uint16_t *at = &s->outcome_of[trace->from][trace->event];
    for (; *at != 0; at = &s->outcomes[*at - 1].next)
        if (s->outcomes[*at - 1].trace.to == trace->to && s->outcomes[*at - 1].trace.status == trace->status)
            return;
    if (s->told.outcomes == OUTCOMES_MAX)
        return;
    s->outcomes[s->told.outcomes++] = (struct outcome){*trace, s->state, event, 0};
    *at = (uint16_t)s->told.outcomes;
}

static void note_outcomes(struct search *s, explore_event event)
{
    for (uint32_t i = 0; i < s->x.trace_count; i++)
        if (s->x.traces[i].kind == NPJ_TRACE_EVENT)
            note_outcome(s, &s->x.traces[i], event);
}

static sigjmp_buf crashed;
static volatile sig_atomic_t events_done;
static sig_atomic_t events_seen;

static void on_crash(int signal)
{
    siglongjmp(crashed, signal);
}

static void on_alarm(int signal)
{
    if (events_done == events_seen)
        siglongjmp(crashed, signal);
    events_seen = events_done;
}

/* One event from the state in s->world. What follows is kept if it is new. */
static void try_event(struct search *s, explore_event event, npjt_budget cost, uint64_t base)
{
    struct explorer *x = &s->x;
    memcpy(x->world, s->world, x->world_bytes);
    npj_status status = explore_apply(x, event);
    events_done = (events_done + 1) & 0xFFFF;
    s->told.transitions++;
    s->told.failures += event.fails;
    note_outcomes(s, event);
    explore_check(x, x->scope->check_all);
    if (x->wrong != NULL)
        return;
    uint64_t key = explore_key(x);
    if (key == base) {
        s->told.refused += npj_status_is_error(status);
        return;
    }
    if (npj_status_is_error(status) && status != NPJ_STATUS_INVALID_PARAMETER && status != NPJ_STATUS_QUOTA_EXCEEDED &&
        status != NPJ_STATUS_INSUFF_SERVER_RESOURCES) {
        explore_wrong(x, "a call that was refused with %s has changed the engine", npj_status_name(status));
        return;
    }
    x->world->purse = explore_pay(x->world->purse, cost);
    if (!explore_learn(&s->known, key, x->world->purse))
        return;
    explore_check(x, true);
    if (x->wrong != NULL)
        return;
    keep_state(s, s->state, event);
    explore_check_end(x);
}

static void expand(struct search *s)
{
    struct explore_list list;
    memcpy(s->x.world, s->world, s->x.world_bytes);
    uint64_t base = explore_key(&s->x);
    explore_events(&s->x, &list);
    volatile uint32_t at = 0;
    int signal = sigsetjmp(crashed, 1);
    if (signal != 0)
        explore_wrong(&s->x, signal == SIGALRM ? "the engine does not come back from this" : "the engine crashes");
    for (; at < list.count && s->x.wrong == NULL && !s->no_memory && !s->known.no_memory; at++)
        try_event(s, list.event[at], (npjt_budget)list.cost[at], base);
    if (s->x.wrong != NULL)
        tell_finding(s, list.event[signal != 0 ? at : at - 1]);
}

static bool go_on(struct search *s)
{
    s->no_memory |= s->known.no_memory;
    if (s->no_memory || s->x.wrong != NULL)
        return false;
    if (s->options->max_states != 0 && s->told.states >= s->options->max_states)
        s->stopped = true;
    return !s->stopped;
}

static void search(struct search *s)
{
    uint64_t next_progress = 0;
    while (go_on(s) && next_state(s)) {
        if (s->state == s->level_end) {
            s->told.depth++;
            s->level_end = (uint32_t)s->told.states;
        }
        expand(s);
        s->state++;
        s->told.expanded++;
        if (s->told.transitions >= next_progress && s->options->progress) {
            next_progress = s->told.transitions + PROGRESS_EVERY;
            npjt_explored told = s->told;
            told.bytes += explore_known_bytes(&s->known);
            s->stopped |= !s->options->progress(s->options->user, &told);
        }
    }
    s->told.closed = s->x.wrong == NULL && !s->no_memory && !s->stopped;
}

/* ------------------------------------------------------------------------------------------------------- begin and end
 */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crashes / sizeof *crashes };

struct signals {
    struct sigaction crash[CRASHES], alarm;
    struct itimerval timer;
};

static void catch_signals(struct signals *old)
{
    struct sigaction action = {.sa_handler = on_crash};
    (void)sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < CRASHES; i++)
        (void)sigaction(crashes[i], &action, &old->crash[i]);
    action.sa_handler = on_alarm;
    (void)sigaction(SIGALRM, &action, &old->alarm);
    struct itimerval timer = {{HUNG_AFTER, 0}, {HUNG_AFTER, 0}};
    (void)setitimer(ITIMER_REAL, &timer, &old->timer);
}

static void give_signals_back(const struct signals *old)
{
    (void)setitimer(ITIMER_REAL, &old->timer, NULL);
    (void)sigaction(SIGALRM, &old->alarm, NULL);
    for (unsigned i = 0; i < CRASHES; i++)
        (void)sigaction(crashes[i], &old->crash[i], NULL);
}

static bool budget_is_valid(uint8_t number)
{
    return number <= NPJT_SCOPE_BUDGET || number == NPJT_ANY;
}

static bool scope_is_valid(const npjt_scope *scope)
{
    for (unsigned budget = 0; budget < NPJT_BUDGETS; budget++)
        if (!budget_is_valid(scope->budget[budget]))
            return false;
    return scope->jobs >= 1 && scope->jobs <= NPJT_SCOPE_JOBS && scope->packets >= 1 &&
           scope->packets <= NPJT_SCOPE_PACKETS && scope->job_packets >= 1 && scope->batch >= 1 &&
           scope->batch <= NPJT_SCOPE_PACKETS && scope->timeout >= 1 && scope->clients >= 1 && scope->clients <= 2 &&
           budget_is_valid(scope->faults);
}

static bool begin(struct search *s, const npjt_scope *scope)
{
    if (!scope_is_valid(scope) || !explore_world_new(&s->x, scope))
        return false;
    s->world = malloc(s->x.world_bytes);
    if (s->world == NULL)
        return false;
    s->x.world->purse = explore_purse(scope);
    explore_check(&s->x, true);
    (void)explore_learn(&s->known, explore_key(&s->x), s->x.world->purse);
    keep_state(s, 0, (explore_event){0});
    s->level_end = 1;
    return true;
}

static void end(struct search *s)
{
    while (s->first != NULL)
        (void)drop_chunk(s);
    explore_world_free(&s->x);
    free(s->world);
    explore_known_free(&s->known);
    free(s->steps);
    free(s);
}

npjt_explore_end npjt_explore(const npjt_scope *scope, const npjt_explore_options *options, npjt_explored *result)
{
    static const npjt_explore_options none;
    struct search *s = calloc(1, sizeof *s);
    npjt_explore_end how = NPJT_EXPLORE_TROUBLE;
    if (s == NULL)
        return how;
    s->options = options ? options : &none;
    if (begin(s, scope)) {
        struct signals old;
        catch_signals(&old);
        search(s);
        give_signals_back(&old);
        if (s->x.wrong == NULL && !s->no_memory)
            tell_seeds(s);
        how = s->x.wrong != NULL ? NPJT_EXPLORE_FINDING : s->no_memory ? NPJT_EXPLORE_TROUBLE : NPJT_EXPLORE_DONE;
    }
    if (result != NULL)
        *result = s->told;
    end(s);
    return how;
}
