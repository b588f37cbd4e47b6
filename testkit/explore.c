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
    PROGRESS_EVERY = 4096, /* events */
    HUNG_AFTER = 2         /* seconds that one event may take */
};

struct search {
    struct explorer x;
    npjt_explored told;
    const npjt_explore_options *options;
    struct known known;
    struct queue queue;
    struct way way;
    struct outcomes outcomes;
    uint32_t state;     /* being expanded */
    uint32_t level_end; /* the last state of the depth being expanded */
    uint64_t base;      /* its key, and without the blocks that are kept */
    uint64_t base_but_kept;
    bool as_before; /* x.world is as x.before is: the state being expanded */
    bool no_memory, stopped;
};

/* -------------------------------------------------------------------------------------------------- what is told */

/* What an event has shown from the state being expanded; NULL: what is wrong before any. */
static void tell_finding(struct search *s, const explore_event *event)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    size_t size = npjt_explore_way_tape(&s->way, s->x.scope, s->state, event, tape);
    if (s->options->finding)
        s->options->finding(s->options->user, s->x.sentence, tape, size);
}

static void tell_seeds(struct search *s)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    for (uint32_t i = 0; s->options->seed && i < s->outcomes.count; i++) {
        const struct outcome *outcome = &s->outcomes.outcome[i];
        size_t size = npjt_explore_way_tape(&s->way, s->x.scope, outcome->parent, &outcome->event, tape);
        s->options->seed(s->options->user, &outcome->trace, tape, size);
    }
}

static void sum_up(struct search *s)
{
    s->told.states = s->known.count;
    s->told.outcomes = s->outcomes.count;
    s->told.bytes =
        npjt_explore_known_bytes(&s->known) + npjt_explore_queue_bytes(&s->queue) + npjt_explore_way_bytes(&s->way);
}

/* ------------------------------------------------------------------------------------------------------- expanding */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crashes / sizeof *crashes };

static struct signals {
    struct sigaction crash[CRASHES], alarm;
    struct itimerval timer;
} signals_before;

static sigjmp_buf crashed;
static volatile sig_atomic_t ended_by;  /* the signal that has jumped out of the engine, or 0 */
static volatile sig_atomic_t in_engine; /* it is being called, or looked into: only then may a signal jump */
static volatile sig_atomic_t moved;     /* it has been entered since the last alarm */

static void enter_engine(void)
{
    moved = 1;
    in_engine = 1;
}

static void leave_engine(void)
{
    in_engine = 0;
}

/* C lets nobody keep what sigsetjmp() returns, but compare it. */
static void jump_out(int signal)
{
    ended_by = signal;
    siglongjmp(crashed, 1);
}

/* What crashes outside of the engine does so again, and then for whoever caught signals before. */
static void on_crash(int signal)
{
    if (in_engine)
        jump_out(signal);
    for (unsigned i = 0; i < CRASHES; i++)
        if (crashes[i] == signal)
            (void)sigaction(signal, &signals_before.crash[i], NULL);
}

static void on_alarm(int signal)
{
    bool hung = in_engine && !moved;
    moved = 0;
    if (hung)
        jump_out(signal);
}

static void note_outcomes(struct search *s, explore_event event)
{
    for (uint32_t i = 0; i < s->x.trace_count; i++) {
        const npj_trace *trace = &s->x.traces[i];
        if (trace->kind == NPJ_TRACE_EVENT && !npjt_explore_outcome_note(&s->outcomes, trace, s->state, event))
            npjt_explore_wrong(&s->x, "a trace tells of event %u in state %u, and there is no such cell",
                               (unsigned)trace->event, (unsigned)trace->from);
    }
}

/* What the search keeps may take long to find memory, and is no place to jump out of. */
static bool learn(struct search *s, uint64_t key)
{
    leave_engine();
    bool news = npjt_explore_learn(&s->known, key, s->x.world->purse);
    enter_engine();
    return news;
}

static void keep_state(struct search *s, uint32_t parent, explore_event event)
{
    if (s->way.count == UINT32_MAX || !npjt_explore_queue_put(&s->queue, s->x.world) ||
        !npjt_explore_way_add(&s->way, parent, event))
        s->no_memory = true;
}

/* What a call may say that has changed something and yet is an error: a bad claim is consumed, RESUME is owed, Event
 * 2019 has been traced, and what was kept has made way for a block that the allocator did not give. */
static bool may_change(const struct search *s, explore_event event, npj_status status)
{
    bool write = event.kind == EXPLORE_WRITE, allocates = write || event.kind == EXPLORE_ADD;
    return !npj_status_is_error(status) || (event.kind == EXPLORE_COMPLETE && status == NPJ_STATUS_INVALID_PARAMETER) ||
           (write && status == NPJ_STATUS_QUOTA_EXCEEDED) ||
           (allocates && status == NPJ_STATUS_INSUFF_SERVER_RESOURCES) ||
           (write && status == NPJ_STATUS_INSUFFICIENT_RESOURCES &&
            npjt_explore_key_but_kept(&s->x) == s->base_but_kept);
}

/* The key of the world that an event has led to. */
static uint64_t key_of_world(struct search *s)
{
    struct explorer *x = &s->x;
    s->as_before = npjt_explore_unchanged(x);
    if (s->as_before)
        return s->base;
    if (x->scope->check_all)
        npjt_explore_check(x);
    if (x->wrong != NULL)
        return s->base;
    uint64_t key = npjt_explore_key(x);
    npjt_explore_expect(&s->known, key);
    return key;
}

/* A world that is not as it was before is kept if it is new. */
static void look_at_world(struct search *s, explore_event event, npjt_budget cost, uint64_t key)
{
    struct explorer *x = &s->x;
    x->world->purse = npjt_explore_pay(x->world->purse, cost);
    if (!learn(s, key))
        return;
    if (!x->scope->check_all)
        npjt_explore_check(x);
    if (x->wrong != NULL)
        return;
    leave_engine();
    keep_state(s, s->state, event);
    enter_engine();
    npjt_explore_check_end(x);
}

/* One event from the state in x.before. */
static void try_event(struct search *s, explore_event event, npjt_budget cost)
{
    struct explorer *x = &s->x;
    if (!s->as_before)
        memcpy(x->world, x->before, x->world_bytes);
    s->as_before = false;
    enter_engine();
    npj_status status = npjt_explore_apply(x, event);
    s->told.transitions++;
    s->told.failures += event.fails;
    npjt_explore_check_counters(x);
    uint64_t key = x->wrong == NULL ? key_of_world(s) : s->base;
    note_outcomes(s, event);
    if (x->wrong != NULL)
        return;
    if (!s->as_before && !may_change(s, event, status))
        npjt_explore_wrong(x, "a call that was refused with %s has changed the engine", npj_status_name(status));
    else if (key == s->base)
        s->told.refused += npj_status_is_error(status);
    else
        look_at_world(s, event, cost, key);
}

static void expand(struct search *s)
{
    struct explore_list list;
    memcpy(s->x.world, s->x.before, s->x.world_bytes);
    s->as_before = true;
    s->base = npjt_explore_key(&s->x);
    s->base_but_kept = npjt_explore_key_but_kept(&s->x);
    npjt_explore_events(&s->x, &list);
    volatile uint32_t at = 0;
    ended_by = 0;
    if (sigsetjmp(crashed, 0) != 0) {
        leave_engine();
        npjt_explore_wrong(&s->x,
                           ended_by == SIGALRM ? "the engine does not come back from this" : "the engine crashes");
    }
    for (; at < list.count && s->x.wrong == NULL && !s->no_memory && !s->known.no_memory; at++) {
        try_event(s, list.event[at], (npjt_budget)list.cost[at]);
        leave_engine();
    }
    if (s->x.wrong != NULL)
        tell_finding(s, &list.event[ended_by != 0 ? at : at - 1]);
}

static bool go_on(struct search *s)
{
    s->no_memory |= s->known.no_memory;
    if (s->no_memory || s->x.wrong != NULL)
        return false;
    if (s->options->max_states != 0 && s->known.count >= s->options->max_states)
        s->stopped = true;
    return !s->stopped;
}

static void search(struct search *s)
{
    uint64_t next_progress = 0;
    while (go_on(s) && npjt_explore_queue_take(&s->queue, s->x.before)) {
        if (s->state == s->level_end) {
            s->told.depth++;
            s->level_end = (uint32_t)s->known.count;
        }
        expand(s);
        s->state++;
        s->told.expanded++;
        if (s->told.transitions >= next_progress && s->options->progress) {
            next_progress = s->told.transitions + PROGRESS_EVERY;
            sum_up(s);
            s->stopped |= !s->options->progress(s->options->user, &s->told);
        }
    }
    sum_up(s);
    s->told.closed = s->x.wrong == NULL && !s->no_memory && !s->stopped;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

static void catch_signals(void)
{
    /* The jump out of it leaves the mask as it is; a callback's calls of the system are not for the alarm to end. */
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < CRASHES; i++)
        (void)sigaction(crashes[i], &action, &signals_before.crash[i]);
    action.sa_handler = on_alarm;
    (void)sigaction(SIGALRM, &action, &signals_before.alarm);
    struct itimerval timer = {{HUNG_AFTER, 0}, {HUNG_AFTER, 0}};
    (void)setitimer(ITIMER_REAL, &timer, &signals_before.timer);
}

static void give_signals_back(void)
{
    (void)setitimer(ITIMER_REAL, &signals_before.timer, NULL);
    (void)sigaction(SIGALRM, &signals_before.alarm, NULL);
    for (unsigned i = 0; i < CRASHES; i++)
        (void)sigaction(crashes[i], &signals_before.crash[i], NULL);
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
           budget_is_valid(scope->faults) && npjt_explore_header_says(scope);
}

static bool begin(struct search *s, const npjt_scope *scope)
{
    if (!scope_is_valid(scope) || !npjt_explore_world_new(&s->x, scope))
        return false;
    if (!npjt_explore_queue_new(&s->queue, s->x.world, s->x.world_bytes))
        return false;
    if (s->x.wrong != NULL)
        return true; /* there may be no engine to look at */
    s->x.world->purse = npjt_explore_purse(scope);
    npjt_explore_check(&s->x);
    (void)npjt_explore_learn(&s->known, npjt_explore_key(&s->x), s->x.world->purse);
    keep_state(s, 0, (explore_event){0});
    s->level_end = 1;
    return true;
}

static void end(struct search *s)
{
    npjt_explore_queue_free(&s->queue);
    npjt_explore_known_free(&s->known);
    npjt_explore_way_free(&s->way);
    npjt_explore_world_free(&s->x);
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
        if (s->x.wrong != NULL)
            tell_finding(s, NULL);
        catch_signals();
        search(s);
        give_signals_back();
        if (s->x.wrong == NULL && !s->no_memory)
            tell_seeds(s);
        how = s->x.wrong != NULL ? NPJT_EXPLORE_FINDING : s->no_memory ? NPJT_EXPLORE_TROUBLE : NPJT_EXPLORE_DONE;
    }
    if (result != NULL)
        *result = s->told;
    end(s);
    return how;
}
