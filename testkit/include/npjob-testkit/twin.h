/* SPDX-License-Identifier: MIT */
/* clang-format off */
/**
 * @file
 * Metamorphic relations: one script is played against two instances of a server, in two ways between which it must not
 * matter, and what clients, providers and pipes have seen of both is compared. No law is needed to find a fault so: the
 * server is its own judge. Any npjt_subject can be held to them.
 *
 * A script is any bytes. Three of header:
 *
 *     0  the relation, modulo NPJT_RELATION_COUNT
 *     1  the engine: bit 0 few packets a job, 1 few bytes a job, 2 few packets in all, 3 a small pool, 4 nothing is
 *        kept for reuse, bits 5-7 the packets in one WRITE. Where a relation holds for wide limits only, they are wide
 *     2  COMMUTE: how the other order is drawn. RETRY: bit 0 set, room is what is short; clear, calls go wrong
 *
 * and then steps of three bytes: a head (bits 0-3 an npjt_twin_step, 4-5 the lane, 6 the bytes are lent, 7 RETRY: the
 * allocation fails the first time) and its arguments a and b. What is left of an incomplete step is ignored. A lane is
 * the newest job that was added to it; lanes 0 and 1 are one client and provider, lanes 2 and 3 another.
 */
/* clang-format on */
#ifndef NPJOB_TESTKIT_TWIN_H
#define NPJOB_TESTKIT_TWIN_H

#include "npjob-testkit/subject.h"

#ifdef __cplusplus
extern "C" {
#endif

/** In what the two plays of a script differ, and what must then be equal. */
typedef enum npjt_relation {
    /** Between two moments at which the host takes its actions, the events of the clients come in another order, each
     * client's own as they were. Equal: all that each client's jobs have seen, calls, actions and bytes, in order. */
    NPJT_RELATION_COMMUTE,
    /** All payloads are copied; all are lent. Equal: all that each job has seen, in order, but RETURN and `held`. */
    NPJT_RELATION_LENT,
    /** Each operation is completed at the moment that it is taken; or when the script says, in the end. The script has
     * adds, connects, writes and closes only, and the outcome of each operation is the job's from the start. Equal: the
     * bytes at each pipe, what the provider was asked to make of each job, and each request's answer; where a job had
     * failed for one side when the other still accepted a request, a refusal stands for an answer of failure (also
     * PIPE_CLOSING, behind a close that only the failed job took, as it had not been connected). */
    NPJT_RELATION_DEFERRED,
    /** Calls are refused in between (handles, parameters, states, allocations), and refused for want of memory and made
     * again. Equal: everything, in order, the digest at the end and around each refusal. Or: the limits are narrow, and
     * a write refused for want of room is made again when there is. Equal: as in DEFERRED. */
    NPJT_RELATION_RETRY,
    /** Statistics, queries, checks, digests, trims and a time gone by are put in between. Equal: everything, in order,
     * the statistics and the digest at the end, and the digest around each. */
    NPJT_RELATION_QUERY,
    /** One packet in a WRITE, and many. The pipe takes its bytes in the same portions. Equal: all that each job has
     * seen, in order, but WRITEs, CANCELs, RETURNs and held; and how many RESUMEs it had. */
    NPJT_RELATION_BATCH,
    NPJT_RELATION_COUNT
} npjt_relation;

/** A short name of a relation, "commute". "(unknown)" when out of range. */
const char *npjt_relation_name(unsigned relation);

/** The steps of a script. What a relation does not allow is left out on both sides. */
typedef enum npjt_twin_step {
    NPJT_TWIN_ADD, /**< a: bits 0-2 AddJob's outcome, 3 message mode, 4-5 of open, 6-7 of close and schedule. b: below
                      128 the pipe takes all, from there it breaks after (b - 128) * 8 bytes */
    NPJT_TWIN_CONNECT,
    NPJT_TWIN_WRITE,   /**< a: modulo 16, which length */
    NPJT_TWIN_WRITE_2, /**< the same: there are many in a job */
    NPJT_TWIN_CLOSE,
    NPJT_TWIN_COMPLETE,    /**< the operation of the lane's newest job that has one. a: modulo 8, how; b: what the pipe
                              takes now, in bytes */
    NPJT_TWIN_COMPLETE_2,  /**< the same */
    NPJT_TWIN_DRAIN,       /**< the host takes all actions */
    NPJT_TWIN_NEXT,        /**< a: modulo 8, how many it takes, and one more */
    NPJT_TWIN_CANCEL,      /**< a: which write of the job, modulo their number */
    NPJT_TWIN_EXTRA,       /**< what RETRY and QUERY put in. a: which; b: by how much a time is gone */
    NPJT_TWIN_ABORT,       /**< a: the reason */
    NPJT_TWIN_CLIENT_GONE, /**< a: the reason */
    NPJT_TWIN_PROVIDER_GONE,
    NPJT_TWIN_ADVANCE, /**< a: ten times as much */
    NPJT_TWIN_SHUTDOWN /**< a: bit 0 set, abort */
} npjt_twin_step;

/** The longest script that is played; what goes beyond is ignored. */
#define NPJT_TWIN_STEPS  192
#define NPJT_TWIN_HEADER 3
#define NPJT_TWIN_MAX    (NPJT_TWIN_HEADER + 3 * NPJT_TWIN_STEPS)

/** A relation that does not hold. Valid during the callback only. */
typedef struct npjt_difference {
    npjt_relation relation;
    const char *sentence; /**< what differs: which request or action, and both sides */
    const char *subject;  /**< name of the server */
    const uint8_t *script;
    size_t size;
} npjt_difference;

/** How to run. Zero everything for an abort() with a printed report at the first finding. */
typedef struct npjt_twin_options {
    /** Receives the finding. NULL: npjt_difference_print() to stderr, and abort(). */
    void (*finding)(void *user, const npjt_difference *finding);
    void (*trace)(void *user, const npj_trace *trace); /**< each line that the servers trace. May be NULL */
    void *user;                                        /**< of both */
    bool relation_override;                            /**< take the relation from here, not from the script's header */
    npjt_relation relation;
} npjt_twin_options;

/** What a run came to; both sides together. */
typedef struct npjt_twin_result {
    npjt_relation relation;
    uint32_t steps;   /**< played, on each side */
    uint64_t actions; /**< taken */
    uint64_t packets; /**< writes accepted */
    uint64_t
        refusals; /**< RETRY: calls that were refused beyond those of the script, and tried again where they can be */
    uint64_t queries;     /**< QUERY: calls that were put in */
    uint64_t live_blocks; /**< of the allocators, when all was over: 0 */
    bool found;
} npjt_twin_result;

/** What a run needs, to be used for many runs one after the other. Not for two at once. */
typedef struct npjt_twin npjt_twin;

/** Makes one. The caller owns it. @return NULL when memory is out. */
npjt_twin *npjt_twin_new(void);

/** Ends one. NULL is allowed. */
void npjt_twin_free(npjt_twin *twin);

/**
 * Plays a script twice, and compares. Beside its relation, each side must give back all that it has allocated and all
 * that it was lent, when its jobs have been ended by shutdown (if the subject says how many blocks an engine has, and
 * can trim).
 *
 * Ends the program by abort() when there is no memory for bytes that it lends.
 *
 * @param script  any bytes; may be NULL if @p size is 0.
 * @param options NULL: the defaults.
 * @param result  receives the counters. May be NULL.
 * @return whether nothing was found.
 */
bool npjt_twin_run(npjt_twin *twin, const npjt_subject *subject, const uint8_t *script, size_t size,
                   const npjt_twin_options *options, npjt_twin_result *result);

/**
 * Leaves out of a script with a finding whatever it does not need.
 *
 * @param twin   not the one from whose finding this is called.
 * @param script changed in place, and made no longer; @p size likewise.
 * @return whether it has a finding at all. If not, the script is at most cut off where it was ignored.
 */
bool npjt_twin_shrink(npjt_twin *twin, const npjt_subject *subject, uint8_t *script, size_t *size);

/** Prints a finding to stderr: the relation, the sentence, and the script as text. */
void npjt_difference_print(const npjt_difference *finding);

#ifdef __cplusplus
}
#endif

#endif
