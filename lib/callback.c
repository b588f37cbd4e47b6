/* SPDX-License-Identifier: MIT */
/* The only calls of the engine to its host. While one runs, the engine is busy and refuses to be called. */
#include "engine.h"

void *npji_alloc(struct npj_srv *srv, size_t bytes)
{
    srv->busy = true;
    void *block = srv->config.mem.alloc(srv->config.mem.user, bytes);
    srv->busy = false;
    if (block != NULL)
        srv->stats.memory_bytes += bytes;
    return block;
}

void npji_release(struct npj_srv *srv, void *block, size_t bytes)
{
    srv->stats.memory_bytes -= bytes;
    srv->busy = true;
    srv->config.mem.release(srv->config.mem.user, block, bytes);
    srv->busy = false;
}

void npji_trace(struct npj_srv *srv, const npj_trace *trace)
{
    if (srv->config.trace == NULL)
        return;
    srv->busy = true;
    srv->config.trace(srv->config.trace_user, trace);
    srv->busy = false;
}
