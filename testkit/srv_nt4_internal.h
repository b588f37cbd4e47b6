/* SPDX-License-Identifier: MIT */
/* What the files of srv_nt4 share. srv_nt4.c is what is called, srv_nt4_op.c what the host does for it, and
 * srv_nt4_job.c the life of a job and of its packets, and has the fault. */
#ifndef NPJOB_TESTKIT_SRV_NT4_INTERNAL_H
#define NPJOB_TESTKIT_SRV_NT4_INTERNAL_H

#include "npjob-testkit/srv_nt4.h"

/* The checks that come before all others: a callback of the host must not call back, and there must be a server. */
#define ENTER(srv)                                                                                                     \
    do {                                                                                                               \
        if (!(srv)) {                                                                                                  \
            return NPJ_STATUS_INVALID_PARAMETER;                                                                       \
        }                                                                                                              \
        if (((const struct nt4 *)(srv))->inside) {                                                                     \
            return NPJ_STATUS_INVALID_DEVICE_STATE;                                                                    \
        }                                                                                                              \
    } while (0)

struct packet {
    struct packet *next; /* of the job's writes; then of the packets that nobody will look at again */
    struct packet *next_answer;
    npj_req handle;
    uint64_t tag;
    const unsigned char *bytes; /* behind this header, or the host's own */
    uint32_t length;
    uint32_t taken;
    npj_status status;
    bool lent, cancelled, answered, replied;
};

/* An add, a connect or a close. */
struct request {
    uint64_t tag;
    npj_status status;
    bool accepted, answered, replied;
};

struct job {
    struct job *next, *next_due;
    npj_job handle;
    uint64_t client, provider, cookie;
    struct request requests[4]; /* by npj_request_kind; that of a write is not used */
    struct packet *writes;      /* those that are not over, in the order of acceptance */
    struct packet *answers;     /* of them, those with a REPLY or RETURN to be taken, in the order answered */
    npj_state state;
    npj_status failure;
    uint32_t job_id;
    npj_pipe_mode mode;
    npj_op op; /* in flight, or 0 */
    npj_action_kind op_kind;
    struct packet *op_packet;
    uint64_t step_from, stall_from, close_from; /* when the deadlines began to run */
    bool due;
    bool has_job, has_pipe, provider_gone;
    bool cancel_due, cancel_taken;
    bool truncated; /* a cancelled write was not taken in full */
    bool ended;     /* does not stay BROKEN */
    bool resume_owed;
    bool scheduled; /* or closed: the operation of CLEANUP or SCHEDULING has returned */
};

struct nt4 {
    npj_config config;
    bool inside; /* a callback of the host */
    bool stopping, aborting, idle_owed, clock_set, no_pool[2];
    uint64_t now, stop_from, handles, packets, pool_bytes;
    uint32_t job_count;
    struct job *jobs, *due;
    struct packet *forgotten; /* what Q226513 is about */
    npj_iov iov;
};

void *npjt_nt4_take_memory(struct nt4 *srv, size_t bytes);
void npjt_nt4_give_memory(struct nt4 *srv, void *block, size_t bytes);

/* Event 2019, said once: for a write of @job, or for a new job where that is NULL. */
npj_status npjt_nt4_no_pool(struct nt4 *srv, const struct job *job);

/* An event that is refused, one that leaves the job as it is, and one that is taken: the table says where the job goes.
 */
npj_status npjt_nt4_refuse(struct nt4 *srv, const struct job *job, npj_event event, npj_status status);
void npjt_nt4_stay(struct nt4 *srv, const struct job *job, npj_event event);
void npjt_nt4_move(struct nt4 *srv, struct job *job, npj_event event);

/* Packets. */
size_t npjt_nt4_packet_size(const struct packet *packet);
struct packet *npjt_nt4_packet_first(const struct job *job); /* the oldest write that is not answered */
void npjt_nt4_packet_due(struct job *job, struct packet *packet);
void npjt_nt4_packet_answer(struct job *job, struct packet *packet, npj_status status);
void npjt_nt4_packet_cancelled(struct job *job, struct packet *packet);
void npjt_nt4_packet_over(struct nt4 *srv, struct job *job, struct packet *packet);
bool npjt_nt4_packet_fits(const struct nt4 *srv, const struct job *job, uint32_t length);

/* Jobs. */
void npjt_nt4_fail(struct nt4 *srv, struct job *job, npj_event event, npj_status reason);
void npjt_nt4_settle(struct nt4 *srv, struct job *job);
bool npjt_nt4_resume_due(const struct nt4 *srv, const struct job *job);
bool npjt_nt4_op_due(const struct job *job, npj_action_kind *kind);
bool npjt_nt4_reply_due(const struct job *job, npj_request_kind kind);

/* Operations: these are the subject's functions. */
bool npjt_nt4_next(void *instance, npj_action *out);
npj_status npjt_nt4_job_added(void *instance, npj_op op, npj_status status, const npj_path *path, uint32_t job_id);
npj_status npjt_nt4_opened(void *instance, npj_op op, npj_status status, npj_pipe_mode mode);
npj_status npjt_nt4_written(void *instance, npj_op op, npj_status status, uint64_t transferred);
npj_status npjt_nt4_done(void *instance, npj_op op, npj_status status);

#endif
