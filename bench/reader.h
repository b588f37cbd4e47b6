/* SPDX-License-Identifier: MIT */
/** @file A Unix-domain socket, and a thread that reads from it as fast as it can: what a provider's pipe is at best. */
#ifndef NPJOB_BENCH_READER_H
#define NPJOB_BENCH_READER_H

#include <stdint.h>

typedef struct bench_reader bench_reader;

/** Listens at a path of its own; the thread waits for the one connection that is served. */
bench_reader *bench_reader_new(void);

/** Where it listens. */
const char *bench_reader_path(const bench_reader *reader);

/** Connects. The descriptor is the caller's, and blocks. */
int bench_reader_connect(const bench_reader *reader);

/** Waits until the connection has come to its end, and clears up. @return the bytes that were read. */
uint64_t bench_reader_free(bench_reader *reader);

#endif
