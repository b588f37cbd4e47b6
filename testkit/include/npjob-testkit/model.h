/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The reference model: what a server of named-pipe print jobs does, call by call, in the plainest possible way. Arrays,
 * and loops over them; no lists, no reuse of memory, no index, nothing taken from a server's code. It is slow, short,
 * and written from the contract alone, so that a server and the model are wrong in the same way only if the contract
 * is.
 *
 * The model does no work and holds no bytes. Whoever compares makes the same calls on both, in the same order: first on
 * the server, then on the model, which is told of each the two things that no contract foretells (npjt_said): whether
 * the server's allocator said no, and the handle that the server gave out. (The size of a packet's header it is told
 * once, at its beginning.) The model then says what the server should have said.
 *
 * Where the contract leaves a choice, the model takes npjob's: a WRITE to a byte pipe carries as many writes as a batch
 * takes, up to an empty one; a cancelled write that fails with its job carries the job's status; a copied payload
 * costs npjt_model_block() of pool_bytes; equal deadlines expire by their kind (add, connect, stall, drain), and within
 * one in the order in which they were armed; the loss of a client or a provider goes by the order of adding, shutdown
 * by abort by the slots in bits 2 to 23 of the handles; a drain has a deadline until the last job has been told of to
 * its end.
 *
 * A model is one block of memory of npjt_model_size() bytes, aligned as malloc() aligns, with no pointer into itself:
 * it may be copied with memcpy(), kept, and put back. It never allocates, and ends by being forgotten.
 */
#ifndef NPJOB_TESTKIT_MODEL_H
#define NPJOB_TESTKIT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob/npjob.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct npjt_model npjt_model;

/** What only the server can say of a call. */
typedef struct npjt_said {
    bool no_memory;  /**< its allocator has refused an allocation during the call */
    uint64_t handle; /**< add_job, write: the handle that it gave out, if it accepted */
} npjt_said;

/**
 * The bytes of a model of a server so configured. Its arrays hold max_jobs jobs and max_packets packets, so that these
 * two should be small; @p config must be one that npj_srv_new() takes.
 */
size_t npjt_model_size(const npj_config *config);

/**
 * Makes the @p model of a fresh server.
 *
 * @param config       read, not kept.
 * @param packet_bytes npj_stats.packet_bytes of that server: max_pool_bytes counts headers, and how large one is, is
 * the server's own affair. A copied payload counts in the sizes of npjt_model_block().
 */
void npjt_model_init(npjt_model *model, const npj_config *config, uint32_t packet_bytes);

/**
 * What a payload of @p length bytes that is copied costs of max_pool_bytes: nothing if there is none, 64 up to 64
 * bytes, and above that the next of four sizes for each power of two: 80, 96, 112, 128, 160, 192, 224, 256, 320, ...
 */
uint64_t npjt_model_block(uint32_t length);

/** @name The calls of npjob.h, with what the server said. Each returns what the call must return. @{ */

/** @param has_out whether the host gave a place for the handle. */
npj_status npjt_model_add_job(npjt_model *model, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                              bool has_out, npjt_said said);
npj_status npjt_model_connect(npjt_model *model, npj_job job, uint64_t tag);
npj_status npjt_model_write(npjt_model *model, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                            unsigned flags, npjt_said said);
npj_status npjt_model_close(npjt_model *model, npj_job job, uint64_t tag);
npj_status npjt_model_cancel(npjt_model *model, npj_req request);

/**
 * @param good whether the path's pointers and encoding are in order.
 * @param path what a good path is: SUCCESS (a pipe), INVALID_DEVICE_REQUEST (no pipe), OBJECT_NAME_INVALID. Paths have
 * a reference of their own, in fuzz_path.
 */
npj_status npjt_model_job_added(npjt_model *model, npj_op op, npj_status status, bool good, npj_status path,
                                uint32_t job_id);
npj_status npjt_model_opened(npjt_model *model, npj_op op, npj_status status, npj_pipe_mode mode);
npj_status npjt_model_written(npjt_model *model, npj_op op, npj_status status, uint64_t transferred);
npj_status npjt_model_done(npjt_model *model, npj_op op, npj_status status);

npj_status npjt_model_abort(npjt_model *model, npj_job job, npj_status reason);
npj_status npjt_model_client_gone(npjt_model *model, uint64_t client, npj_status reason);
npj_status npjt_model_provider_gone(npjt_model *model, uint64_t provider);
npj_status npjt_model_shutdown(npjt_model *model, npj_shutdown_how how);
npj_status npjt_model_advance(npjt_model *model, uint64_t now);
uint64_t npjt_model_deadline(const npjt_model *model);

/**
 * @param seen the action that the server gave, or NULL if it had none. Of it only @c op is read, and only if the model
 * starts an operation as well: the model adopts the server's handle.
 * @param out  receives what the server should have given. @c iov points into the model until its next call; the base of
 * a copied write's iovec is NULL, as the model does not know it, and that of a lent one is the lender's.
 * @return whether the server should have given one.
 */
bool npjt_model_next(npjt_model *model, const npj_action *seen, npj_action *out);

/** Every counter but idle_bytes, memory_bytes, job_bytes and packet_bytes, which are the server's own affair and 0
 * here. */
void npjt_model_stats(const npjt_model *model, npj_stats *out);
npj_status npjt_model_query(const npjt_model *model, npj_job job, bool has_out, npj_job_info *out);

/** @} */

/** @name What an exhaustive search asks of it @{ */

/** The jobs, those that have ended with replies untaken included, the one added first at 0. @return 0 if there are not
 * so many. */
npj_job npjt_model_job(const npjt_model *model, uint32_t index);

/** The live writes of a job (packets not released), in the order of acceptance. @return 0 if there are not so many. */
npj_req npjt_model_request(const npjt_model *model, npj_job job, uint32_t index);

/** The operation in flight of a job, or 0. */
npj_op npjt_model_op(const npjt_model *model, npj_job job, npj_action_kind *kind, uint64_t *bytes);

/**
 * A digest of everything that the model holds of one job and that can matter to its future, in a form that does not
 * depend on how it came there: no handles, cookies or JobIds, tags only as far as the order of writes says it, times as
 * distances from now, and not which of several that fall together was armed first.
 */
uint64_t npjt_model_job_digest(const npjt_model *model, npj_job job);

/** The same of what belongs to no job: shutdown, IDLE, and the time left to its deadline. */
uint64_t npjt_model_digest(const npjt_model *model);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
