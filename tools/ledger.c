/* SPDX-License-Identifier: MIT */
/* What a job came to. */
#include "ledger.h"

#include <inttypes.h>

#include "tool.h"

static void print_gauge(FILE *out, const char *name, npj_gauge gauge)
{
    fprintf(out, "%-16s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", name, gauge.total,
            gauge.total - gauge.live, gauge.live, gauge.peak);
}

static void print_pair(FILE *out, const char *name, const char *first, uint64_t a, const char *second, uint64_t b)
{
    fprintf(out, "%-16s %14" PRIu64 " %-9s %14" PRIu64 " %s\n", name, a, first, b, second);
}

void ledger_print(FILE *out, const job_ledger *ledger)
{
    const npj_stats *engine = &ledger->engine;
    fprintf(out, "%-16s %14s %14s %14s %14s\n", "ledger", "allocated", "released", "live", "peak");
    print_gauge(out, "jobs", engine->jobs);
    print_gauge(out, "packets", engine->packets);
    print_gauge(out, "reserved packets", engine->reserved_packets);
    print_gauge(out, "pool bytes", engine->pool_bytes);
    print_gauge(out, "memory bytes", ledger->memory);
    print_gauge(out, "lent buffers", ledger->lent);
    fputc('\n', out);
    print_pair(out, "bytes", "accepted", engine->bytes_accepted, "taken by the pipe", engine->bytes_taken);
    print_pair(out, "writes", "accepted", ledger->writes_accepted, "answered", ledger->writes_answered);
    print_pair(out, "", "put off", ledger->writes_refused, "calls of the system", ledger->pipe_writes);
    print_pair(out, "requests", "accepted", engine->accepted, "replies", engine->replies);
    fprintf(out, "%-16s %14" PRIu64 "\n", "operations", engine->operations);
    fprintf(out, "%-16s %14" PRIu64 " bytes\n", "limit", ledger->limit_bytes);
    fprintf(out, "%-16s %14.3f s\n", "time", ledger->seconds);
    char text[64];
    fprintf(out, "%-16s %s\n", "close", ledger->closed ? tool_format_status(text, ledger->status) : "not answered");
}
