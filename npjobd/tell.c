/* SPDX-License-Identifier: MIT */
/* The report, filled in from the state of the daemon. */
#include <stdlib.h>
#include <string.h>

#include "npjob/npjob.h"
#include "state.h"

static void add_gauge(npj_gauge *sum, const npj_gauge *part)
{
    sum->live += part->live;
    sum->peak = part->peak > sum->peak ? part->peak : sum->peak;
    sum->peak = sum->live > sum->peak ? sum->live : sum->peak;
    sum->total += part->total;
}

/* A printer has one queue, and maybe older ones whose jobs have not ended. */
static void add_engines(report_printer *told, const queue *queues)
{
    for (const queue *one = queues; one != NULL; one = one->next) {
        npj_stats stats;
        if (strcmp(one->printer, told->name) != 0)
            continue;
        npj_stats_get(npjp_host_srv(one->host), &stats);
        add_gauge(&told->packets, &stats.packets);
        add_gauge(&told->pool, &stats.pool_bytes);
    }
}

static void tell(npjobd *self, FILE *out, void (*write)(FILE *out, const report *))
{
    report told = {
        .uptime = (uv_now(&self->loop) - self->began) / 1000,
        .draining = self->stopping,
        .live = self->service.live,
        .limit = self->service.room < self->service.max_jobs ? self->service.room : self->service.max_jobs,
        .bytes_live = self->service.pool.live * sizeof(pool_buffer),
        .bytes_peak = self->service.pool.peak * sizeof(pool_buffer),
    };
    for (const printer *one = self->printers; one != NULL; one = one->next)
        told.printer_count++;
    report_printer *lines = calloc(told.printer_count + 1, sizeof *lines);
    if (lines == NULL)
        return;
    size_t count = 0;
    for (const printer *one = self->printers; one != NULL; one = one->next) {
        lines[count] = (report_printer){.name = one->name, .counts = one->counts, .live = one->live};
        add_engines(&lines[count++], self->service.queues);
    }
    told.printers = lines;
    write(out, &told);
    free(lines);
}

void daemon_tell(void *user, FILE *out, bool json)
{
    tell(user, out, json ? report_json : report_table);
}

void daemon_tell_metrics(void *user, FILE *out)
{
    tell(user, out, report_prometheus);
}
