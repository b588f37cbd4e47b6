/* SPDX-License-Identifier: MIT */
/** @file The two halves of the program threads. */
#ifndef NPJOB_TESTS_THREADS_H
#define NPJOB_TESTS_THREADS_H

#include <stdbool.h>

/**
 * One engine that four threads of a host share under its lock: two clients with random calls, one that takes the
 * actions, one that executes the operations, outside of the lock.
 *
 * @param calls of each client.
 * @param lock  false: without the lock, to see ThreadSanitizer object.
 * @return whether everything came to its end and nothing is left. Prints one line.
 */
bool share_one_engine(unsigned calls, bool lock);

#endif
