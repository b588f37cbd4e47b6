/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What the reference model holds, and the steps that its calls are made of.
 */
#ifndef NPJOB_TESTKIT_MODEL_STATE_H
#define NPJOB_TESTKIT_MODEL_STATE_H

#include "npjob-testkit/model.h"

/** What has become of an add, a connect or a close. */
typedef enum model_ask {
    MODEL_UNASKED,
    MODEL_WAITING,
    MODEL_ANSWERED, /**< its REPLY has not been taken */
    MODEL_TOLD
} model_ask;

/** The deadlines of a job, in the order in which they expire when they fall together. */
typedef enum model_deadline {
    MODEL_BY_ADD,
    MODEL_BY_CONNECT,
    MODEL_BY_STALL,
    MODEL_BY_DRAIN,
    MODEL_DEADLINES
} model_deadline;

/** One job. Jobs stand in the order in which they were added. */
typedef struct model_job {
    uint64_t handle;
    uint64_t client;
    uint64_t provider;
    uint64_t cookie;
    uint64_t op;                     /**< in flight, or 0 */
    uint64_t at[MODEL_DEADLINES];    /**< when each deadline falls, from the clock's origin; NPJ_NEVER is unarmed */
    uint32_t armed[MODEL_DEADLINES]; /**< which of a kind was armed first */
    uint64_t tag[NPJ_REQUEST_CLOSE + 1];
    npj_status answer[NPJ_REQUEST_CLOSE + 1];
    uint8_t ask[NPJ_REQUEST_CLOSE + 1]; /**< model_ask; a write's own packet says it */
    uint8_t state;                      /**< npj_state */
    uint8_t op_kind;                    /**< npj_action_kind, of the operation in flight */
    bool cancel_due;                    /**< the operation in flight is to be cancelled, and the host has not heard */
    bool cancel_told;                   /**< the host has taken the CANCEL of the operation in flight */
    bool provider_has;                  /**< AddJob has succeeded, and the job has not been abandoned */
    bool provider_gone;
    bool pipe_open;
    bool messages;  /**< the pipe is in message mode */
    bool connected; /**< the connect was answered SUCCESS */
    bool cut;       /**< a write was cancelled, and not taken in full */
    bool scheduled;
    bool dismissed; /**< aborted, or its client went: it does not rest in BROKEN */
    bool resume_owed;
    npj_status failure;
    uint32_t job_id;
    uint32_t turn; /**< its place among the jobs that have something to say; 0 has nothing */
} model_job;

/** One accepted write. Packets stand in the order of acceptance. */
typedef struct model_packet {
    uint64_t handle;
    uint64_t job;
    uint64_t tag;
    const void *lent; /**< the lender's bytes */
    uint32_t length;
    uint32_t taken;
    npj_status answer;
    uint32_t say; /**< its place among what the job has to say of writes; 0 is nothing, MODEL_NEW not yet numbered */
    bool lend;
    bool cancelled; /**< while in flight */
    bool in_flight;
    bool answered;
    bool told; /**< the REPLY has been taken; if there is something to say, it is the RETURN */
} model_packet;

#define MODEL_NEW UINT32_MAX

/** What the configuration says, its defaults filled in. */
typedef struct model_limits {
    uint32_t jobs;
    uint32_t packets;
    uint32_t job_packets;
    uint32_t write_bytes;
    uint32_t batch;
    uint32_t packet_bytes;
    uint64_t job_bytes;
    uint64_t pool_bytes;
    uint64_t timeout[MODEL_DEADLINES];
} model_limits;

/** The model. Behind it, in the same block: the jobs, the packets, the iovecs of the last WRITE. */
struct npjt_model {
    model_limits limits;
    npj_stats stats;
    uint64_t origin;  /**< what the host calls the time at which the clock began */
    uint64_t clock;   /**< since then */
    uint64_t drained; /**< when a drain becomes an abort, from the origin */
    uint32_t job_count;
    uint32_t packet_count;
    bool clock_set;
    bool refusing; /**< shutdown has begun */
    bool aborted;  /**< by abort, or a drain that became one */
    bool idle_told;
};

/** @name Where things are @{ */
static inline model_job *npjt_model_jobs(const npjt_model *model)
{
    return (model_job *)(model + 1);
}
static inline model_packet *npjt_model_packets(const npjt_model *model)
{
    return (model_packet *)(npjt_model_jobs(model) + model->limits.jobs);
}
static inline npj_iov *npjt_model_iovs(const npjt_model *model)
{
    return (npj_iov *)(npjt_model_packets(model) + model->limits.packets);
}
/** The job of a handle that is still good, or NULL. */
model_job *npjt_model_find(const npjt_model *model, npj_job job);
/** The job in whose service @p op is in flight, if it is of @p kind, or NULL. */
model_job *npjt_model_find_op(const npjt_model *model, npj_op op, npj_action_kind kind);
/** @} */

/** @name The life of a job @{ */
/** Whether the job has failed. */
bool npjt_model_failed(const model_job *job);
/** Answers an add, connect or close that waits. */
void npjt_model_answer(model_job *job, npj_request_kind kind, npj_status status);
/** A sum that saturates. */
static inline uint64_t npjt_model_sum(uint64_t a, uint64_t b)
{
    return a > NPJ_NEVER - b ? NPJ_NEVER : a + b;
}
void npjt_model_arm(npjt_model *model, model_job *job, model_deadline kind);
/** Fails the job, unless it has failed before. */
void npjt_model_fail(npjt_model *model, model_job *job, npj_status status);
/** Lets the job go as far as it can by itself, and gives it its place in the line. Ends what a call does to a job. */
void npjt_model_settle(npjt_model *model, model_job *job);
/** Ends a call: numbers the new answers, and forgets the jobs of which nothing is left. */
void npjt_model_finish(npjt_model *model);
void npjt_model_answer_write(model_packet *packet, npj_status status);
/** Answers the empty writes whose turn has come. */
void npjt_model_answer_empty(npjt_model *model, const model_job *job);
/** Fails a job because of shutdown, or lets it leave BROKEN. */
void npjt_model_dismiss(npjt_model *model, model_job *job, npj_status status);
/** Turns drain into abort. */
void npjt_model_abort_all(npjt_model *model);
/** @} */

/** @name Packets and gauges @{ */
void npjt_model_gauge_add(npj_gauge *gauge, uint64_t amount);
uint64_t npjt_model_charge(const npjt_model *model, uint32_t length, bool lend);
void npjt_model_release(npjt_model *model, model_packet *packet);
/** Bytes in the live packets of a job, and @p count of them. */
uint64_t npjt_model_held(const npjt_model *model, const model_job *job, uint32_t *count);
/** Whether a write of @p length fits within the job's own limits. */
bool npjt_model_fits(const npjt_model *model, const model_job *job, uint32_t length);
/** @} */

/** What a job has to say first. */
typedef enum model_word {
    MODEL_SILENT,
    MODEL_CANCEL,
    MODEL_REPLY, /**< of an add, connect or close */
    MODEL_WRITE, /**< a write's REPLY or RETURN */
    MODEL_RESUME,
    MODEL_OPERATION
} model_word;

/** @param request of a REPLY. @param packet of a write. */
model_word npjt_model_word(const npjt_model *model, const model_job *job, npj_request_kind *request,
                           model_packet **packet);

#endif
