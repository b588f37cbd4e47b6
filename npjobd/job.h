/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The job of a connection: its bytes go from the socket into buffers, and from there into the provider's pipe.
 *
 * A buffer belongs to the pool, to the job while it is filled, and to the engine from job's write until the reply to
 * it, or until the engine returns it. When a job has as many as it may have, its socket is not read, and so the client
 * waits.
 */
#ifndef NPJOBD_JOB_H
#define NPJOBD_JOB_H

#include <stddef.h>

#include "connection.h"

/**
 * Begins a job behind a handshake, and reads from then on. The connection may have ended when this returns.
 *
 * @param bytes the first @p length bytes of the job, if they came with the handshake; at most POOL_BUFFER_BYTES.
 */
void job_begin(connection *self, const unsigned char *bytes, size_t length);

/** The socket can be read. */
void job_read(connection *self);

/**
 * The job has failed: the socket is closed and the job abandoned, unless it is already ending. What is said first
 * stays.
 *
 * @param why    an error.
 * @param reason static words for the log; NULL if the engine's host says enough (npjp_job_trouble()).
 */
void job_fail(connection *self, npj_status why, const char *reason);

#endif
