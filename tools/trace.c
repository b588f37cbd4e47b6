/* SPDX-License-Identifier: MIT */
/* One line for each event that meets a job. */
#include "trace.h"

#include <inttypes.h>
#include <string.h>

void trace_print(FILE *out, uint64_t job, const npj_trace *trace)
{
    if (trace->kind == NPJ_TRACE_NO_POOL) {
        fprintf(out, "event 2019: the engine's cap refuses %s\n",
                trace->event == NPJ_EVENT_WRITE ? "a write" : "a new job");
        return;
    }
    const char *status = npj_status_name(trace->status) + strlen("STATUS_"); /* each that the engine has is named */
    fprintf(out, "job %" PRIu64 ": %s -- %s --> %s %s\n", job, npj_state_name(trace->from),
            npj_event_name(trace->event), npj_state_name(trace->to), status);
}
