/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The driver: plays a tape against a server, being host, clients, pipe and provider at once, and holds the server to
 * the laws after every event.
 *
 * It keeps no clock and throws no dice: the same tape against the same server is the same run, everywhere.
 */
#ifndef NPJOB_TESTKIT_DRIVER_H
#define NPJOB_TESTKIT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/counting.h"
#include "npjob-testkit/subject.h"
#include "npjob-testkit/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The laws, by number. */
typedef enum npjt_law {
    NPJT_LAW_ALLOCATOR,      /**< 0: the allocator was abused (foreign or double release, overrun, wrong size) */
    NPJT_LAW_ANSWERS,        /**< 1: an accepted request gets one REPLY, a refused one none */
    NPJT_LAW_PACKETS,        /**< 2: packets are released in time, and do not grow with the bytes passed */
    NPJT_LAW_OPERATIONS,     /**< 3: one operation in flight a job, each completed once, handles told apart */
    NPJT_LAW_ALLOCATION,     /**< 4: only new, add and write allocate */
    NPJT_LAW_ALL_OR_NOTHING, /**< 5: an error leaves the server as it was, and is the right error */
    NPJT_LAW_REENTRY,        /**< 6: a call from inside a callback does nothing */
    NPJT_LAW_ORDER,          /**< 7: the bytes reach the pipe in order, once, and as they were */
    NPJT_LAW_COUNTS,         /**< 8: a reply's count is what the pipe took */
    NPJT_LAW_BOUNDS,         /**< 9: limits hold, failure answers at once, deadlines come in time, the end comes */
    NPJT_LAW_RECLAIM,        /**< 10: what goes, goes without a restart */
    NPJT_LAW_ISOLATION,      /**< 11: one job's trouble is not another's */
    NPJT_LAW_HONEST_CLOSE,   /**< 12: SUCCESS only for a whole job; a truncated one is never scheduled */
    NPJT_LAW_MODEL,          /**< 13: no law, but the whole of the contract: the server is not as the reference model */
    NPJT_LAW_COUNT
} npjt_law;

/** A short name of a law, "answers". "(unknown)" when out of range. */
const char *npjt_law_name(unsigned law);

/** The name of a kind of action, "CLOSE_PIPE". "(unknown)" when out of range. */
const char *npjt_action_name(npj_action_kind kind);

/** A law that was broken. Valid during the callback only. */
typedef struct npjt_violation {
    unsigned law;              /**< npjt_law */
    const char *sentence;      /**< what is wrong, for a reader */
    uint32_t event;            /**< number of the event, from 1; 0 is the creation of the engine. When the driver drains
                                  after the last record: of that */
    const npjt_record *record; /**< the event; NULL at creation, and when the driver drains after the last record */
    const char *phase;         /**< "new", "event", "drain" or "free" */
    const char *subject;       /**< name of the server */
    const uint8_t *tape;
    size_t size;
    uint32_t records; /**< of the tape, up to and including the event */
} npjt_violation;

/** How to run. Zero everything for all laws, and an abort() with a printed report at the first finding. */
typedef struct npjt_options {
    /**
     * Bit n set: law n is not checked. A server that breaks it can leave what the driver can follow: the run then ends
     * early, and says so (npjt_result.cut_short). With law 6 off no call is made from inside a callback. With law 4 off
     * a server may allocate anywhere, but a call that then fails for want of memory is a finding of another law: play
     * such a server without faults, by fault_override and NPJT_FAULT_NONE.
     */
    uint32_t laws_off;

    /**
     * Runs the reference model (model.h) beside the server, call by call: the same statuses, actions, counters, queries
     * and deadlines. What differs is a finding of NPJT_LAW_MODEL. The server must have stats().
     */
    bool model;

    /** Receives the first finding; the run then ends. NULL: npjt_violation_print() to stderr, and abort(). The server
     * is not called again, not to be freed either, as it may be in any state: what it holds beside the memory of
     * npj_config.mem, which is taken away from it, is lost. */
    void (*finding)(void *user, const npjt_violation *finding);

    /** @name Looking on; each may be NULL @{ */
    void (*trace)(void *user, const npj_trace *trace);    /**< each line that the server traces */
    void (*action)(void *user, const npj_action *action); /**< each action as it is taken */
    void (*event)(void *user, uint32_t number, const npjt_record *record, npj_status status);
    /**< after each record: the status of its last call, 0 where there was none */
    /** @} */
    void *user; /**< of all four */

    bool fault_override; /**< take the fault from here, and none from the tape: not its header's, nor its `oom` records'
                          */
    npjt_fault_mode fault;
    uint32_t fault_at;

    bool digest_all; /**< the result's digest covers the server's state after every event, and its trace, as well */
} npjt_options;

/** What a run came to. */
typedef struct npjt_result {
    uint32_t events;            /**< records played */
    uint64_t calls;             /**< calls of the server */
    uint64_t actions;           /**< actions taken */
    uint64_t operations;        /**< operations taken */
    uint64_t packets_allocated; /**< writes accepted */
    uint64_t packets_released;  /**< and given up again before the engine was freed */
    uint64_t bytes_accepted;
    uint64_t bytes_taken;       /**< by the pipes */
    uint64_t allocations;       /**< tried, failed ones included */
    uint64_t failures;          /**< of them, refused: made to fail, or memory was out */
    uint64_t failures_reported; /**< calls that said INSUFFICIENT_RESOURCES */
    uint64_t live_blocks;       /**< of the allocator, when all was over: 0 */
    uint64_t live_bytes;        /**< likewise */
    uint64_t digest;            /**< of every status, handle and action: equal for equal runs, on every machine */
    uint64_t reentries;         /**< calls made from inside a callback */
    int finding;                /**< the law that was broken, or -1 */
    bool cut_short; /**< nothing was found, but the run ended early: see laws_off, or the driver's own memory is out */
    /** Cells of the table that were reached: bit 0 where the event was taken, bit 1 where it was refused. */
    uint8_t cells[NPJ_STATE_COUNT][NPJ_EVENT_COUNT];
} npjt_result;

/**
 * Plays a tape.
 *
 * @param subject the server.
 * @param tape    any bytes; may be NULL if @p size is 0.
 * @param options NULL: the defaults.
 * @param result  receives the counters. May be NULL.
 * @return whether nothing was found. Out of memory for a driver: false, without a call of finding(), and
 * result->finding is NPJT_LAW_ALLOCATOR.
 */
bool npjt_run(const npjt_subject *subject, const uint8_t *tape, size_t size, const npjt_options *options,
              npjt_result *result);

/** What a run needs, to be used for many runs one after the other. Not for two at once. */
typedef struct npjt_driver npjt_driver;

/** Makes a driver. The caller owns it. @return NULL when memory is out. */
npjt_driver *npjt_driver_new(void);

/** Ends a driver. NULL is allowed. */
void npjt_driver_free(npjt_driver *driver);

/** As npjt_run(), with a driver that is kept: the way of a fuzzer, which plays tens of thousands of tapes a second.
 */
bool npjt_driver_run(npjt_driver *driver, const npjt_subject *subject, const uint8_t *tape, size_t size,
                     const npjt_options *options, npjt_result *result);

/** Prints a finding to stderr: the law, the sentence, the event, and the tape as text up to and including that event.
 */
void npjt_violation_print(const npjt_violation *finding);

/** How many of the cells in @p cells were reached, of NPJ_STATE_COUNT × NPJ_EVENT_COUNT. They are only read. */
uint32_t npjt_cells_reached(uint8_t cells[NPJ_STATE_COUNT][NPJ_EVENT_COUNT]);

#ifdef __cplusplus
}
#endif

#endif
