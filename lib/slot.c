/* SPDX-License-Identifier: MIT */
/* The slots that jobs stand in, and what handles name by them. */
#include "engine.h"

/* A free slot for @job, which gets its handle by it. The caller has seen that there is one. */
void npji_slot_take(struct npj_srv *srv, struct npji_job *job)
{
    uint32_t slot;
    if (srv->slot_free != 0) {
        slot = srv->slot_free - 1;
        srv->slot_free = npji_slot_next(srv->slots[slot]);
    } else {
        slot = srv->slots_used++;
    }
    srv->slots[slot] = (npji_slot)job;
    job->handle = npji_handle(npji_generation(srv), slot, NPJI_HANDLE_JOB);
}

void npji_slot_give(struct npj_srv *srv, const struct npji_job *job)
{
    uint32_t slot = npji_handle_slot(job->handle);
    srv->slots[slot] = (npji_slot)srv->slot_free << 1 | 1;
    srv->slot_free = slot + 1;
}
