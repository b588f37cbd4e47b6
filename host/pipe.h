/* SPDX-License-Identifier: MIT */
/** @file A named pipe on POSIX: a Unix-domain socket (stream or SOCK_SEQPACKET) or a FIFO, in non-blocking mode. */
#ifndef NPJOB_POSIX_PIPE_H
#define NPJOB_POSIX_PIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "npjob/npjob.h"

/** One pipe, as its writer sees it. Start with NPJPI_PIPE_CLOSED. */
typedef struct npjpi_pipe {
    int fd;           /**< -1: not open */
    bool is_socket;   /**< else a FIFO */
    uint64_t writes;  /**< calls of the system that moved bytes */
    const char *step; /**< of the last failure: what was tried ("connect", "write"); static */
    int error;        /**< of the last failure: errno; 0 where `step` says it all */
} npjpi_pipe;

#define NPJPI_PIPE_CLOSED ((npjpi_pipe){.fd = -1, .step = ""})

/**
 * Opens @p path for writing, without waiting. Whatever is no socket and no FIFO is refused; nothing is created.
 *
 * @param mode     NPJ_MESSAGE_MODE: the socket must be SOCK_SEQPACKET. NPJ_BYTE_MODE: a stream socket or a FIFO.
 * @param longest  bytes of the longest message: the socket's buffer is made to hold it, if the system allows.
 * @return SUCCESS; else the errno of the system as NTSTATUS: OBJECT_NAME_NOT_FOUND (ENOENT), PIPE_NOT_AVAILABLE (no
 *         server behind the socket, no reader of the FIFO), PIPE_BUSY (the server's queue is full), ACCESS_DENIED,
 *         OBJECT_NAME_INVALID (too long), INVALID_DEVICE_REQUEST (not such a pipe), INSUFFICIENT_RESOURCES.
 */
npj_status npjpi_pipe_open(npjpi_pipe *pipe, const char *path, npj_pipe_mode mode, uint32_t longest);

/**
 * Writes what the pipe takes now, in one call to the system. Many small pieces are put together first.
 *
 * @param bytes what all of @p iov has together.
 * @param taken receives the number of bytes on SUCCESS, at least 1 unless all of @p iov is empty.
 * @return SUCCESS; PENDING (the pipe is full, nothing was taken: wait until it is writable); PIPE_BROKEN (the reader
 *         went; no SIGPIPE comes of it); another error of the system.
 */
npj_status npjpi_pipe_write(npjpi_pipe *pipe, const struct iovec *iov, uint32_t iov_count, uint64_t bytes,
                            uint64_t *taken);

/**
 * Closes the pipe. Its reader sees the end of the file, whatever became of the job: neither a FIFO nor a Unix-domain
 * socket has a reset that the writer could send (SO_LINGER does nothing there). Only where a job has failed, and the
 * reader of a socket has itself sent something, which nobody reads, it sees ECONNRESET. A provider learns what became
 * of a job from ScheduleJob or its deletion.
 *
 * @param whole the pipe has taken all of its job: the end is to be one, also for a reader that has sent something.
 * @return SUCCESS; PIPE_BROKEN (a socket's reader closed it before it had read all: the job did not arrive); another
 *         error of the system. The pipe is closed in any case.
 */
npj_status npjpi_pipe_close(npjpi_pipe *pipe, bool whole);

#endif
