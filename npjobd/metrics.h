/* SPDX-License-Identifier: MIT */
/** @file The metrics file: the report in the text format of Prometheus, for node_exporter's textfile collector. */
#ifndef NPJOBD_METRICS_H
#define NPJOBD_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

typedef struct metrics metrics;

/** Writes the report. */
typedef void (*metrics_tell)(void *user, FILE *out);

/**
 * Begins to write @p path now and every @p interval ms: into a file beside it, which then takes its name, so that
 * a reader sees the old one or the new one and never a part. Only a regular file is replaced. Trouble (a full disk) is
 * one line in the log, and another when it is over; the daemon goes on.
 *
 * @param path copied. The daemon owns the result until metrics_close().
 * @return NULL if there is no memory.
 */
metrics *metrics_open(uv_loop_t *loop, const char *path, uint64_t interval, metrics_tell tell, void *user);

/** Writes the file now and every @p interval ms from here on. */
void metrics_every(metrics *self, uint64_t interval);

/**
 * Ends: writes the file a last time if it is to stay (@p keep), and otherwise takes it away, so that nobody reads old
 * figures for new ones. The memory goes when libuv has closed its handle.
 */
void metrics_close(metrics *self, bool keep);

#endif
