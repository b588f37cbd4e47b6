/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Exhaustive search: every state that the engine can come to within a scope, and every event in each of them.
 *
 * The engine, its jobs and packets, and the reference model beside it live in one block of memory, so that a state is
 * kept by copying the block and entered again by copying it back. From each state every event of the scope is tried,
 * and every allocation both ways; each call is made on the engine and on the model, which have to agree in every
 * status, action, counter, job and deadline, and npj_check() has to find nothing. The search goes breadth first, so
 * that what it finds comes with the shortest tape that shows it.
 *
 * Two states are one, and only the one that is met first is looked into, if they differ only
 *
 * - in what no future can show: addresses, generations, the absolute time, the handles of jobs;
 * - in the order in which jobs were added, or deadlines armed that fall together, and in the slots that jobs are in. A
 *   future does show these: npj_client_gone() and npj_provider_gone() answer jobs in the order of adding, a shutdown by
 *   abort in that of slots. To tell them apart would take two to five times the states.
 *
 * So a search, closed or not, does not rule out a fault that depends on the order in which jobs that are not alike were
 * added or their deadlines armed, or on their slots: it looks into the one order in which it first came to them. A
 * fault that changes such an order, where the model does not, it sees, as it sees a clock that is not the model's.
 *
 * A state that comes again with less of the scope's budgets left is not looked into again: it can come to nothing else.
 */
#ifndef NPJOB_TESTKIT_EXPLORE_H
#define NPJOB_TESTKIT_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/tape.h"
#include "npjob/npjob.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Events that can be limited: X(name, word). Each costs one of its budget, and one of that of all together. */
#define NPJT_BUDGET_LIST(X)                                                                                            \
    X(CANCEL, "cancels")                /* of writes */                                                                \
    X(CLIENT_GONE, "client losses")     /* */                                                                          \
    X(PROVIDER_GONE, "provider losses") /* */                                                                          \
    X(ABORT, "aborts")                  /* */                                                                          \
    X(EXPIRE, "ticks")                  /* the clock goes on by one or two; all timeouts are npjt_scope.timeout */     \
    X(ERROR, "errors")                  /* an operation ends with an error, or a bad claim */                          \
    X(PART, "short writes")             /* a WRITE takes a part of its bytes */                                        \
    X(SHUTDOWN, "shutdowns")            /* by drain, by abort */

typedef enum npjt_budget {
#define NPJT_X(name, word) NPJT_BUDGET_##name,
    NPJT_BUDGET_LIST(NPJT_X)
#undef NPJT_X
        NPJT_BUDGETS
} npjt_budget;

/** The word of a budget, "cancels". */
const char *npjt_budget_word(npjt_budget budget);

/** No limit. */
#define NPJT_ANY 255

#define NPJT_SCOPE_JOBS    4
#define NPJT_SCOPE_PACKETS 8
#define NPJT_SCOPE_BUDGET  62

/** What is searched. Its limits are such as the header of a tape can say, or else no tape would show what is found. */
typedef struct npjt_scope {
    const char *name;
    uint32_t jobs;        /**< at once, 1 to NPJT_SCOPE_JOBS; when one has ended another may be added */
    uint32_t packets;     /**< live at once in the engine: 1 to 5, NPJT_SCOPE_PACKETS, or jobs * job_packets */
    uint32_t job_packets; /**< and in one job: 1 to 4, 8, 16 or 32 */
    uint32_t pool;        /**< bytes of them: 0 (more than they need), 256, 1024, 4096, 16384 or 262144 */
    uint32_t batch;       /**< packets in one WRITE: 1 to 4, or 8 */
    uint32_t timeout;     /**< of all four deadlines, in ticks: 1, 2, 10, 100 or 1000 */
    uint32_t clients;     /**< keys of clients, each with a provider of its own: 1 or 2 */
    bool step;   /**< the host takes its actions one by one, and other events come between; else all after each event */
    bool reuse;  /**< packets given up are kept for reuse, */
    bool little; /**< but at most 256 bytes of them */
    bool lend;   /**< writes are also lent */
    bool one;    /**< writes may also be of one byte */
    bool empty;  /**< writes may also be empty */
    bool message;   /**< pipes may also be in message mode */
    bool misuse;    /**< stale handles and those of other kinds, unsafe paths, and times that have passed are tried */
    bool stale;     /**< states are not the same if only one of them has stale handles to be tried */
    bool unset;     /**< the first tick is what sets the clock; else it is set before all else */
    bool check_all; /**< npj_check() after every event, not only in every new state */
    uint8_t budget[NPJT_BUDGETS]; /**< events on one path, at most NPJT_SCOPE_BUDGET, or NPJT_ANY */
    uint8_t faults;               /**< events on one path that cost a budget, of all kinds together; likewise */
} npjt_scope;

/** The scopes that come with the kit, by name; NULL beyond the last. */
const npjt_scope *npjt_scope_at(uint32_t index);

/** How far a search has come. */
typedef struct npjt_explored {
    uint64_t states;      /**< known */
    uint64_t expanded;    /**< of them, those from which every event has been tried */
    uint64_t transitions; /**< events tried */
    uint64_t refused;     /**< of them, those that were refused, and changed nothing */
    uint64_t failures;    /**< of them, those with an allocation that was made to fail */
    uint32_t depth;       /**< events on the shortest way to the state being expanded */
    uint32_t outcomes;    /**< distinct (state, event, status, next state) that were seen */
    uint64_t bytes;       /**< memory of the search now */
    bool closed;          /**< there is nothing left to try */
} npjt_explored;

/** Looking on, and bounds. Zero is the default everywhere. */
typedef struct npjt_explore_options {
    uint64_t max_states; /**< stop when so many are known. 0: no limit */
    /** Called every few thousand events. @return false to stop. */
    bool (*progress)(void *user, const npjt_explored *so_far);
    /** Called once, with what was found: a sentence, and the tape that leads to it. */
    void (*finding)(void *user, const char *sentence, const uint8_t *tape, size_t size);
    /** Called for each (state, event, status, next state) when it is first seen, with a tape that ends in it. */
    void (*seed)(void *user, const npj_trace *outcome, const uint8_t *tape, size_t size);
    void *user;
} npjt_explore_options;

/** How a search ended. */
typedef enum npjt_explore_end {
    NPJT_EXPLORE_DONE,    /**< everything was tried, or the search was stopped: npjt_explored.closed says which */
    NPJT_EXPLORE_FINDING, /**< something is wrong with the engine */
    NPJT_EXPLORE_TROUBLE  /**< no memory, or a scope that is out of range or that no tape can say */
} npjt_explore_end;

/**
 * Searches a scope. Not for two at once: a crash of the engine, and an event that takes it seconds, are caught by
 * signals, SIGALRM among them. Callbacks may take their time, and what crashes in them is theirs.
 *
 * @param options may be NULL.
 * @param result  receives the counters. May be NULL.
 */
npjt_explore_end npjt_explore(const npjt_scope *scope, const npjt_explore_options *options, npjt_explored *result);

#ifdef __cplusplus
}
#endif

#endif
