/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A server under test, behind a small table of functions. The driver knows no other door, so that any server that can
 * speak of jobs, writes and completions in npjob's words (npjob.h says what each call means) can be held to the same
 * laws.
 */
#ifndef NPJOB_TESTKIT_SUBJECT_H
#define NPJOB_TESTKIT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob/npjob.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One kind of server. `void *srv` is an instance, made by srv_new(). Members beyond the line may be NULL: what they
 * would show is then not checked.
 */
typedef struct npjt_subject {
    const char *name; /**< "npjob" */

    /** @name Blocks of the allocator, when nothing is kept for reuse. Where they are not known, what is live without
     * packets may never be more than at first: a server whose job takes a block late has to say them. @{ */
    uint32_t engine_blocks;   /**< of an engine without jobs. 0: none of the three is known */
    uint32_t idle_job_blocks; /**< of a job without packets, in any state, at the most. May be 0 */
    uint32_t packet_blocks;   /**< of one live packet of a write. May be 0 */
    /** @} */

    bool copies_only; /**< it takes no lent writes: what a tape or a script lends is copied, by NPJ_COPY */

    npj_status (*srv_new)(const npj_config *config, void **out);
    void (*srv_free)(void **srv);

    npj_status (*add_job)(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out);
    npj_status (*connect)(void *srv, npj_job job, uint64_t tag);
    npj_status (*write)(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                        npj_req *out);
    npj_status (*close)(void *srv, npj_job job, uint64_t tag);
    npj_status (*cancel)(void *srv, npj_req request);

    npj_status (*job_added)(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id);
    npj_status (*opened)(void *srv, npj_op op, npj_status status, npj_pipe_mode mode);
    npj_status (*written)(void *srv, npj_op op, npj_status status, uint64_t transferred);
    npj_status (*done)(void *srv, npj_op op, npj_status status);

    npj_status (*abort)(void *srv, npj_job job, npj_status reason);
    npj_status (*client_gone)(void *srv, uint64_t client, npj_status reason);
    npj_status (*provider_gone)(void *srv, uint64_t provider);
    npj_status (*shutdown)(void *srv, npj_shutdown_how how);

    npj_status (*advance)(void *srv, uint64_t now);
    uint64_t (*deadline)(const void *srv);
    bool (*next)(void *srv, npj_action *out);

    /* ---- the rest may be NULL ---- */

    void (*stats)(const void *srv, npj_stats *out);
    npj_status (*query)(const void *srv, npj_job job, npj_job_info *out);
    npj_status (*trim)(void *srv);
    const char *(*check)(const void *srv);
    uint64_t (*digest)(const void *srv);
} npjt_subject;

/** npjob itself. */
extern const npjt_subject npjt_subject_npjob;

#ifdef __cplusplus
}
#endif

#endif
