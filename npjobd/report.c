/* SPDX-License-Identifier: MIT */
/* What the daemon tells of itself. Names of printers are [a-z0-9._-]: nothing in here has to be escaped. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

/* The numbers of one printer: what they are called in JSON and in Prometheus, where a name that ends in _total counts
 * up. */
typedef struct number {
    const char *json;
    const char *metric;
    const char *labels; /* besides the printer */
    const char *help;
    uint64_t (*of)(const report_printer *printer);
} number;

#define NUMBER(name, expression)                                                                                       \
    static uint64_t name(const report_printer *p)                                                                      \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
NUMBER(live, p->live)
NUMBER(connections, p->counts.connections)
NUMBER(handshakes_refused, p->counts.handshakes_refused)
NUMBER(scheduled, p->counts.scheduled)
NUMBER(abandoned, p->counts.abandoned)
NUMBER(refused, p->counts.refused)
NUMBER(bytes, p->counts.bytes)
NUMBER(packets_live, p->packets.live)
NUMBER(packets_peak, p->packets.peak)
NUMBER(pool_live, p->pool.live)
NUMBER(pool_peak, p->pool.peak)
#undef NUMBER

/* Those of one metric stand together, as the format wants it. */
static const number numbers[] = {
    {"live", "npjobd_live_jobs", "", "Connections and jobs that have not ended.", live},
    {"connections", "npjobd_connections_total", "", "Connections accepted.", connections},
    {"handshakes_refused", "npjobd_handshakes_refused_total", "",
     "Connections that ended in the handshake: for what was said, for who said it, or not done in time.",
     handshakes_refused},
    {"scheduled", "npjobd_jobs_total", ",outcome=\"scheduled\"", "Jobs by outcome.", scheduled},
    {"abandoned", "npjobd_jobs_total", ",outcome=\"abandoned\"", NULL, abandoned},
    {"refused", "npjobd_jobs_total", ",outcome=\"refused\"", NULL, refused},
    {"bytes", "npjobd_bytes_total", "", "Bytes of jobs, from clients.", bytes},
    {"packets_live", "npjobd_packets", "", "Request packets of the engine that live.", packets_live},
    {"packets_peak", "npjobd_packets_peak", "", "The most since the settings were read.", packets_peak},
    {"pool_bytes_live", "npjobd_pool_bytes", "", "Memory of the engine's request packets.", pool_live},
    {"pool_bytes_peak", "npjobd_pool_bytes_peak", "", "The most since the settings were read.", pool_peak},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

void report_table(FILE *out, const report *self)
{
    fprintf(out,
            "npjobd %s, up %" PRIu64 " s, %" PRIu64 " of %" PRIu64 " jobs, buffers %" PRIu64 " bytes (peak %" PRIu64
            ")\n\n",
            self->draining ? "draining" : "running", self->uptime, self->live, self->limit, self->bytes_live,
            self->bytes_peak);
    fprintf(out, "%-20s %6s %10s %10s %8s %14s %12s %10s\n", "PRINTER", "LIVE", "SCHEDULED", "ABANDONED", "REFUSED",
            "BYTES", "PACKETS/PEAK", "HANDSHAKES");
    for (size_t i = 0; i < self->printer_count; i++) {
        const report_printer *p = &self->printers[i];
        char packets[48];
        snprintf(packets, sizeof packets, "%" PRIu64 "/%" PRIu64, p->packets.live, p->packets.peak);
        fprintf(out, "%-20s %6" PRIu64 " %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %14" PRIu64 " %12s %10" PRIu64 "\n",
                p->name, p->live, p->counts.scheduled, p->counts.abandoned, p->counts.refused, p->counts.bytes, packets,
                p->counts.handshakes_refused);
    }
}

void report_json(FILE *out, const report *self)
{
    fprintf(out,
            "{\"state\":\"%s\",\"uptime\":%" PRIu64 ",\"live\":%" PRIu64 ",\"limit\":%" PRIu64
            ",\"buffer_bytes_live\":%" PRIu64 ",\"buffer_bytes_peak\":%" PRIu64 ",\"printers\":[",
            self->draining ? "draining" : "running", self->uptime, self->live, self->limit, self->bytes_live,
            self->bytes_peak);
    for (size_t i = 0; i < self->printer_count; i++) {
        fprintf(out, "%s{\"name\":\"%s\"", i > 0 ? "," : "", self->printers[i].name);
        for (size_t n = 0; n < NUMBERS; n++)
            fprintf(out, ",\"%s\":%" PRIu64, numbers[n].json, numbers[n].of(&self->printers[i]));
        fputc('}', out);
    }
    fputs("]}\n", out);
}

static void print_head(FILE *out, const char *metric, const char *help, bool counter)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, counter ? "counter" : "gauge");
}

static void print_gauge(FILE *out, const char *metric, const char *help, uint64_t value)
{
    print_head(out, metric, help, false);
    fprintf(out, "%s %" PRIu64 "\n", metric, value);
}

static bool counts_up(const char *metric)
{
    size_t length = strlen(metric);
    return length > 6 && strcmp(metric + length - 6, "_total") == 0;
}

void report_prometheus(FILE *out, const report *self)
{
    print_gauge(out, "npjobd_up_seconds", "Time since the start.", self->uptime);
    print_gauge(out, "npjobd_jobs_limit", "The most connections and jobs at once.", self->limit);
    print_gauge(out, "npjobd_buffer_bytes", "Memory of the buffers that jobs are read into.", self->bytes_live);
    print_gauge(out, "npjobd_buffer_bytes_peak", "The most since the start.", self->bytes_peak);
    for (size_t n = 0; n < NUMBERS; n++) {
        if (numbers[n].help != NULL)
            print_head(out, numbers[n].metric, numbers[n].help, counts_up(numbers[n].metric));
        for (size_t i = 0; i < self->printer_count; i++)
            fprintf(out, "%s{printer=\"%s\"%s} %" PRIu64 "\n", numbers[n].metric, self->printers[i].name,
                    numbers[n].labels, numbers[n].of(&self->printers[i]));
    }
}
