/* SPDX-License-Identifier: MIT */
/** @file One file sent as one print job: client, host and provider in one program. */
#ifndef NPJ_SEND_JOB_H
#define NPJ_SEND_JOB_H

#include <stdbool.h>
#include <stdint.h>

/** What to send, where to, and within which limits. */
typedef struct send_options {
    const char *file;                                       /**< "-": standard input */
    const char *pipe;                                       /**< path of the socket or FIFO */
    bool lend;                                              /**< writes lend their buffers, else they are copied */
    bool message;                                           /**< one write is one message, by SOCK_SEQPACKET */
    bool wait;                                              /**< for the pipe to be there */
    bool quiet;                                             /**< no progress, no ledger */
    bool trace;                                             /**< a line for each event on stderr */
    uint32_t chunk;                                         /**< bytes of each write */
    uint32_t batch;                                         /**< writes that go out in one call */
    uint64_t limit;                                         /**< bytes of packets and payloads at once */
    uint32_t packets;                                       /**< what the limit allows of them */
    uint64_t connect_timeout, stall_timeout, drain_timeout; /**< ms; NPJ_NEVER */
} send_options;

/** Sends it, and prints the ledger. @return an exit code. */
int send_job(const send_options *options);

#endif
