/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Writes through a real socket to a thread that reads. A round hands over so many writes and waits until the system
 * has taken all of them.
 */
#ifndef NPJOB_BENCH_SOCKET_H
#define NPJOB_BENCH_SOCKET_H

#include "side.h"

enum { SOCKET_PENDING = 64 }; /* writes of a round */

typedef struct socket_work {
    const char *name;
    uint32_t length; /* of a write */
} socket_work;

extern const bench_side socket_npjob;       /**< the engine, and the pipe of libnpjob-posix; lent bytes */
extern const bench_side socket_copy;        /**< the same, bytes copied */
extern const bench_side socket_posix;       /**< libnpjob-posix on libuv; lent bytes */
extern const bench_side socket_uv;          /**< uv_write() for each write, which does not copy */
extern const bench_side socket_event;       /**< bufferevent_write() for each write, which copies */
extern const bench_side socket_event_whole; /**< the same, in one call for all */
extern const bench_side socket_floor;       /**< one writev() for all writes of a round, and nothing else */
extern const bench_side socket_together;    /**< their bytes copied into one piece, and one write() of it */

#endif
