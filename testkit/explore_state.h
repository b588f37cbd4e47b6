/* SPDX-License-Identifier: MIT */
/*
 * What the files of the search share.
 *
 *     explore.c         the search: each event of each state, what is new, what is wrong
 *     explore_known.c   the states that are known, and what their ways may still spend
 *     explore_queue.c   the states that wait to be expanded
 *     explore_way.c     how each was come to: tapes, and the outcomes seen on the way
 *     explore_events.c  the events of a state, and what they are called on a tape
 *     explore_world.c   the engine and the model side by side: each event on both
 *     explore_arena.c   the engine's memory
 *     explore_engine.c  what is seen of the engine's inside: when two states are one
 *     explore_scope.c   the scopes by name
 *
 * A world is all that a state is: the engine with its jobs and packets, the model, and what the search remembers of the
 * way. It is one block that never moves, since the engine points into it; a copy of its bytes is a state that is kept.
 */
#ifndef NPJOB_TESTKIT_EXPLORE_STATE_H
#define NPJOB_TESTKIT_EXPLORE_STATE_H

#include "npjob-testkit/explore.h"
#include "npjob-testkit/model.h"

/* ------------------------------------------------------------------------------------------------------- events */

typedef enum explore_kind {
    EXPLORE_TAKE, /* one action, or all */
    EXPLORE_ADD,
    EXPLORE_CONNECT,
    EXPLORE_WRITE,
    EXPLORE_CLOSE,
    EXPLORE_CANCEL,
    EXPLORE_ABORT,
    EXPLORE_CLIENT_GONE,
    EXPLORE_PROVIDER_GONE,
    EXPLORE_TICK,
    EXPLORE_SHUTDOWN,
    EXPLORE_COMPLETE,
    EXPLORE_WRONG, /* an operation, completed by a call of another kind */
    EXPLORE_STALE  /* a handle of something that has ended, or of another kind */
} explore_kind;

/* How an operation is completed. From ONE_ERROR on a WRITE with an error, from ONE_CANCELLED on with CANCELLED. */
typedef enum explore_outcome {
    OUTCOME_GOOD,           /* success, in full; ADD_JOB: a pipe; OPEN: byte mode */
    OUTCOME_ERROR,          /* an error, and no byte */
    OUTCOME_BAD,            /* a claim that cannot be */
    OUTCOME_OTHER,          /* ADD_JOB: no pipe. OPEN: message mode */
    OUTCOME_POOR,           /* ADD_JOB: an empty path. WRITE: success and no byte */
    OUTCOME_UNSAFE,         /* ADD_JOB: a path that leads out of its folder */
    OUTCOME_CANCELLED,      /* CANCELLED, and no byte */
    OUTCOME_PART,           /* WRITE: success, all but one byte */
    OUTCOME_ONE,            /* WRITE: success, one byte */
    OUTCOME_HALF,           /* WRITE: success, two bytes of four: one packet of two */
    OUTCOME_ONE_ERROR,      /* WRITE: an error after one byte */
    OUTCOME_HALF_ERROR,     /* WRITE: an error between the packets */
    OUTCOME_PART_ERROR,     /* WRITE: an error before the last byte */
    OUTCOME_ALL_ERROR,      /* WRITE: an error after the last byte */
    OUTCOME_ONE_CANCELLED,  /* WRITE: CANCELLED after one byte */
    OUTCOME_HALF_CANCELLED, /* WRITE: CANCELLED between the packets */
    OUTCOME_PART_CANCELLED, /* WRITE: CANCELLED before the last byte */
    OUTCOME_ALL_CANCELLED,  /* WRITE: CANCELLED after the last byte */
    OUTCOMES
} explore_outcome;

/* The key of a client's provider: that of the other client, so that one is not taken for the other. */
static inline unsigned explore_provider_of(unsigned client)
{
    return 3 - client;
}

enum { WRITE_TWO, WRITE_TWO_LENT, WRITE_ONE, WRITE_EMPTY, WRITE_TOO_LONG }; /* what of EXPLORE_WRITE */
enum { TICK_BACK }; /* what of EXPLORE_TICK, beside a number of ticks */
enum { STALE_OP, STALE_REQUEST, STALE_JOB, REQUEST_AS_JOB, JOB_AS_REQUEST }; /* what of EXPLORE_STALE */

typedef struct explore_event {
    uint8_t kind;
    uint8_t job;   /* index, see npjt_model_job() */
    uint8_t what;  /* outcome, write, stale, key, ticks, how to shut down; CANCEL: index, see npjt_model_request() */
    uint8_t fails; /* the allocation that it makes is refused */
} explore_event;

enum { EXPLORE_EVENTS = 256 }; /* more than any state has */

struct explore_list {
    uint32_t count;
    explore_event event[EXPLORE_EVENTS];
    uint8_t cost[EXPLORE_EVENTS]; /* npjt_budget; NPJT_BUDGETS: free */
};

/* -------------------------------------------------------------------------------------------------------- arena */

enum { ARENA_BLOCKS = NPJT_SCOPE_JOBS + 2 * NPJT_SCOPE_PACKETS };

/* Blocks at fixed places: the engine's, the jobs', the packets'. */
struct arena {
    uint16_t size[1 + ARENA_BLOCKS]; /* of each block; 0: free */
    bool refuse;                     /* allocations fail */
    bool refused;                    /* one has */
    const char *abuse;               /* what was wrong with a call, or NULL */
};

/* Where they are; the same for all states. */
struct arena_plan {
    uint32_t jobs, packets; /* how many blocks */
    uint32_t engine_bytes, job_bytes, packet_bytes;
    unsigned char *base;
};

/* -------------------------------------------------------------------------------------------------------- world */

struct world {
    npj_srv *srv;
    npj_job last_job;  /* the newest, which may have ended */
    npj_job ended_job; /* the newest that is known to have ended, for the scopes with misuse */
    npj_req last_request;
    npj_op ended_op;
    uint64_t next_tag, now;
    uint64_t purse; /* what may still go wrong on this way, see explore_known.c */
    uint8_t ended_kind;
    bool no_pool_said[2]; /* Event 2019: of jobs, of writes */
    struct arena arena;
    /* Then the model, then the blocks. */
};

enum { WORLD_TRACES = 64, EXPLORE_ENDED = 3 };

/* What serves the state that is being looked at; not part of it. */
struct explorer {
    const npjt_scope *scope;
    struct world *before; /* the state that is being looked at */
    struct world *world;  /* and what an event makes of it. It stands behind, where writes beyond the end do least */
    npjt_model *model;
    struct arena_plan plan;
    size_t world_bytes;
    size_t refused_at[2]; /* the counters of refused calls, see npjt_explore_unchanged() */
    npj_config config;
    const char *wrong; /* what the last event has shown to be wrong, or NULL */
    char sentence[256];
    npj_trace traces[WORLD_TRACES]; /* of the last event */
    uint32_t trace_count;
    uint32_t no_pool_traced;      /* Event 2019, by the last event */
    npj_job ended[EXPLORE_ENDED]; /* along one way, the latest first: see npjt_explore_note_ended() */
};

/* explore_arena.c */
size_t npjt_explore_arena_plan(struct explorer *x,
                               size_t before); /* the blocks behind so many bytes. The bytes of all */
void npjt_explore_arena_clear(const struct explorer *x);
npj_mem npjt_explore_arena_mem(struct explorer *x);
uint32_t npjt_explore_arena_live(const struct explorer *x, uint64_t *bytes); /* how many blocks */
const char *npjt_explore_arena_check(const struct explorer *x); /* what was written to where no block is, or NULL */

/* explore_world.c */
enum { EXPLORE_LONGEST = 2 };                                   /* of writes: two bytes, or the second alone, */
extern const unsigned char npjt_explore_bytes[EXPLORE_LONGEST]; /* each of which is known again */
bool npjt_explore_world_new(struct explorer *x,
                            const npjt_scope *scope); /* if x->wrong, there may be no engine in it */
void npjt_explore_world_free(struct explorer *x);
npj_status npjt_explore_apply(struct explorer *x, explore_event event); /* on both; then looks at x->wrong */
void npjt_explore_check_counters(struct explorer *x);
void npjt_explore_check(struct explorer *x); /* all that there is to hold against each other */
void npjt_explore_check_end(
    struct explorer *x); /* frees the engine: nothing may be left. The world is spent after it */
void npjt_explore_wrong(struct explorer *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* explore_events.c */
void npjt_explore_events(const struct explorer *x, struct explore_list *list); /* those that its purse affords */
npj_status npjt_explore_status(npj_action_kind kind, explore_outcome outcome); /* with which an operation so ends */
void npjt_explore_header(const npjt_scope *scope, npjt_header *header);
bool npjt_explore_header_says(const npjt_scope *scope); /* whether it can say the limits */
/* An event on a tape, before it is applied; and what is to be called behind it, since a tape tells apart jobs that have
 * ended by when they did. */
uint32_t npjt_explore_records(const struct explorer *x, explore_event event, npjt_record records[4]);
void npjt_explore_note_ended(struct explorer *x);

/* -------------------------------------------------------------------------------------------------- what is kept */

/* The states that are known, by open addressing. */
struct known_place {
    uint64_t key; /* 0 is empty */
    uint64_t purse;
};

struct known {
    struct known_place *places;
    size_t room; /* a power of two */
    uint64_t count;
    bool no_memory;
};

/* Worlds that wait, the oldest first, without the pieces in which they are as the first of all. */
enum { EXPLORE_PIECE = 32 /* bytes; a world is so many of them */ };

struct queue_chunk;
struct queue {
    struct queue_chunk *first, *last;
    struct queue_chunk *spare; /* one that was emptied, kept for the next */
    uint64_t *plain;           /* the world that the others are told apart from */
    uint32_t pieces;           /* of a world */
    uint32_t chunks;
    size_t taken; /* words of the first chunk that have been taken */
};

/* How each state was first come to. */
struct step {
    uint32_t parent;
    explore_event event;
};

struct way {
    struct step *steps;
    size_t room;
    uint64_t count; /* of states */
};

enum { OUTCOMES_MAX = 2048 };

/* What has become of an event in a state of a job, and where it was first seen. */
struct outcome {
    npj_trace trace;
    uint32_t parent;
    explore_event event;
    uint16_t next; /* 1 + another of the same state and event, or 0 */
};

struct outcomes {
    uint32_t count;
    struct outcome outcome[OUTCOMES_MAX];
    uint16_t first[NPJ_STATE_COUNT][NPJ_EVENT_COUNT]; /* 1 + the first, or 0 */
};

/* explore_known.c */
uint64_t npjt_explore_purse(const npjt_scope *scope);
bool npjt_explore_affords(uint64_t purse, npjt_budget budget);
uint64_t npjt_explore_pay(uint64_t purse, npjt_budget budget);
void npjt_explore_expect(const struct known *known, uint64_t key);
bool npjt_explore_learn(struct known *known, uint64_t key, uint64_t purse); /* whether it is news */
uint64_t npjt_explore_known_bytes(const struct known *known);
void npjt_explore_known_free(struct known *known);

/* explore_queue.c */
bool npjt_explore_queue_new(struct queue *queue, const void *plain, size_t bytes);
bool npjt_explore_queue_put(struct queue *queue, const void *world);
bool npjt_explore_queue_take(struct queue *queue, void *world); /* false if none waits */
uint64_t npjt_explore_queue_bytes(const struct queue *queue);
void npjt_explore_queue_free(struct queue *queue);

/* explore_way.c */
bool npjt_explore_way_add(struct way *way, uint32_t parent, explore_event event);
size_t npjt_explore_way_tape(const struct way *way, const npjt_scope *scope, uint32_t state, const explore_event *event,
                             uint8_t tape[NPJT_TAPE_MAX]);
/* False if the trace is of no cell of the table. */
bool npjt_explore_outcome_note(struct outcomes *outcomes, const npj_trace *trace, uint32_t state, explore_event event);
uint64_t npjt_explore_way_bytes(const struct way *way);
void npjt_explore_way_free(struct way *way);

/* explore_engine.c */
uint64_t npjt_explore_key(const struct explorer *x);
uint64_t npjt_explore_key_but_kept(const struct explorer *x);          /* without the blocks that are kept for reuse */
uint64_t npjt_explore_kept(const struct explorer *x, uint64_t *bytes); /* how many blocks are kept for reuse */
bool npjt_explore_has_bytes(const struct explorer *x); /* whether each write that waits, or is in flight, has its own */
void npjt_explore_scribble(const struct explorer *x);
void npjt_explore_find_counters(struct explorer *x);
bool npjt_explore_unchanged(struct explorer *x);
bool npjt_explore_cancel_taken(const struct explorer *x, npj_job job);
bool npjt_explore_replied(const struct explorer *x, npj_job job, npj_req request);
bool npjt_explore_is_live(const struct explorer *x, npj_req request);

#endif
