/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What the daemon tells of itself, and the three ways to say it: a table, JSON, and the text format of Prometheus.
 *
 * A report is a picture of one moment. Its strings are the daemon's; it is used and thrown away within one callback.
 */
#ifndef NPJOBD_REPORT_H
#define NPJOBD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "npjob/npjob.h"

/** What a printer has seen since the daemon was started, or since it was configured when there was none of its name. */
typedef struct report_counts {
    uint64_t connections;        /**< accepted */
    uint64_t handshakes_refused; /**< of those: a stranger, nonsense, or too slow */
    uint64_t scheduled;          /**< jobs that the provider has been told to print */
    uint64_t abandoned;          /**< jobs that it has been told to delete */
    uint64_t refused;            /**< connections that never became a job of the provider */
    uint64_t bytes;              /**< of jobs, from clients */
} report_counts;

typedef struct report_printer {
    const char *name;
    report_counts counts;
    uint64_t live;     /**< connections and jobs that have not ended */
    npj_gauge packets; /**< the engine's; the peak is that since the settings were last read, and no less than live */
    npj_gauge pool;    /**< the engine's bytes of packets, likewise */
} report_printer;

typedef struct report {
    uint64_t uptime;     /**< seconds */
    bool draining;       /**< SIGTERM has come */
    uint64_t live;       /**< connections and jobs of all printers, those that have been removed included */
    uint64_t limit;      /**< of them: max jobs, or what the descriptors suffice for */
    uint64_t bytes_live; /**< of the buffers that jobs are read into */
    uint64_t bytes_peak;
    size_t printer_count;
    const report_printer *printers;
} report;

/** Each writes the whole report to @p out; whether that went well is ferror(@p out). */
void report_table(FILE *out, const report *self);
void report_json(FILE *out, const report *self);
void report_prometheus(FILE *out, const report *self);

#endif
