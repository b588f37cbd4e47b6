/* SPDX-License-Identifier: MIT */
/** @file The picture of `npj q226513`, drawn by gnuplot. */
#ifndef NPJ_PLOT_H
#define NPJ_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLOT_SERIES = 4 };

/** One size of the job. */
typedef struct plot_point {
    uint64_t job_bytes;
    uint64_t pool_bytes[PLOT_SERIES];
} plot_point;

/** Whether @p path ends in .svg or .png. */
bool plot_can_draw(const char *path);

/**
 * Draws the points, in ascending order of job_bytes, to @p path (.svg or .png).
 * @param titles of the series.
 * @return whether it was drawn; if not, a line on stderr has said why.
 */
bool plot_draw(const char *path, const char *const titles[PLOT_SERIES], const plot_point *points, size_t count);

#endif
