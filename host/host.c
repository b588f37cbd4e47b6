/* SPDX-License-Identifier: MIT */
/* A host's beginning, stop and end. */
#include <stdlib.h>

#include "state.h"

/* The engine's own defaults, where the host has to know what holds. */
enum { DEFAULT_BATCH = 64, DEFAULT_WRITE_BYTES = 8 << 20, DEFAULT_STALL_MS = 60000 };

static void *take(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void give(void *user, void *block, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(block);
}

bool npjpi_mem_settle(npj_mem *mem)
{
    if (mem->alloc == NULL && mem->release == NULL)
        *mem = (npj_mem){.alloc = take, .release = give};
    return mem->alloc != NULL && mem->release != NULL;
}

void npjpi_host_hold(npjp_host *host)
{
    host->holders++;
}

void npjpi_host_let_go(npjp_host *host)
{
    if (--host->holders == 0)
        host->mem.release(host->mem.user, host, sizeof *host);
}

/* The engine's settings, with the library between it and the user's trace. */
static npj_status start_engine(npjp_host *host, npj_config engine)
{
    engine.size = sizeof engine;
    engine.mem = host->mem;
    engine.max_batch = host->max_batch;
    engine.max_write_bytes = host->max_write_bytes;
    engine.stall_timeout = host->stall_timeout;
    engine.trace = npjpi_trace;
    engine.trace_user = host;
    return npj_srv_new(&engine, &host->srv);
}

npj_status npjp_host_new(const npjp_config *config, npjp_host **out)
{
    if (config == NULL || out == NULL || config->size != sizeof *config || config->loop == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    const npj_config *engine = &config->engine;
    npj_mem mem = engine->mem;
    if (!npjpi_mem_settle(&mem))
        return NPJ_STATUS_INVALID_PARAMETER;
    npjp_host *host = mem.alloc(mem.user, sizeof *host);
    if (host == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    *host = (npjp_host){.loop = config->loop,
                        .mem = mem,
                        .stopped = config->stopped,
                        .user = config->user,
                        .trace = engine->trace,
                        .trace_user = engine->trace_user,
                        .max_batch = engine->max_batch > 0 ? engine->max_batch : DEFAULT_BATCH,
                        .max_write_bytes = engine->max_write_bytes > 0 ? engine->max_write_bytes : DEFAULT_WRITE_BYTES,
                        .stall_timeout = engine->stall_timeout > 0 ? engine->stall_timeout : DEFAULT_STALL_MS};
    host->gone_end = &host->gone;
    npj_status status = start_engine(host, *engine);
    if (status != NPJ_STATUS_SUCCESS) {
        mem.release(mem.user, host, sizeof *host);
        return status;
    }
    npjpi_turn_start(host);
    *out = host;
    return NPJ_STATUS_SUCCESS;
}

npj_status npjp_host_stop(npjp_host *host, npj_shutdown_how how)
{
    return host != NULL ? npj_shutdown(npjpi_call(host), how) : NPJ_STATUS_INVALID_PARAMETER;
}

void npjp_host_free(npjp_host **out)
{
    npjp_host *host = out != NULL ? *out : NULL;
    if (host == NULL)
        return;
    npj_srv_free(&host->srv);
    if (host->srv != NULL) /* from within the trace */
        return;
    *out = NULL;
    while (host->jobs != NULL)
        npjpi_job_end(host->jobs);
    npjpi_turn_stop(host);
}

npj_srv *npjp_host_srv(npjp_host *host)
{
    return host != NULL ? host->srv : NULL;
}

npj_status npjp_client_gone(npjp_host *host, uint64_t client, npj_status reason)
{
    return host != NULL ? npj_client_gone(npjpi_call(host), client, reason) : NPJ_STATUS_INVALID_PARAMETER;
}

npj_status npjp_provider_gone(npjp_host *host, uint64_t provider)
{
    return host != NULL ? npj_provider_gone(npjpi_call(host), provider) : NPJ_STATUS_INVALID_PARAMETER;
}
