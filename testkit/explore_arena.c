/* SPDX-License-Identifier: MIT */
/* The engine's memory: a place for its own block, one for each job, and one for each packet. */
#include <string.h>

#include "../lib/engine.h"
#include "explore_state.h"

/* What is of no block, or of none yet, is filled with this: what is read there is wrong, and what is written is seen.
 */
enum { UNUSED = 0xDD };

static uint32_t round_up(uint32_t bytes)
{
    return (bytes + 15) & ~UINT32_C(15);
}

size_t npjt_explore_arena_plan(struct explorer *x, size_t before)
{
    struct arena_plan *plan = &x->plan;
    const npjt_scope *scope = x->scope;
    plan->jobs = scope->jobs;
    plan->packets = scope->reuse ? 2 * scope->packets : scope->packets;
    /* The engine's block: itself, and for each job a slot and its share of the index, and the iovecs. */
    plan->engine_bytes = round_up((uint32_t)(sizeof(struct npj_srv) + (size_t)scope->jobs * 3 * sizeof(void *) +
                                             2 * sizeof(void *) + scope->batch * sizeof(npj_iov)));
    plan->job_bytes = round_up(sizeof(struct npji_job));
    plan->packet_bytes = round_up(NPJI_PACKET_BYTES + 64);
    return before + plan->engine_bytes + (size_t)plan->jobs * plan->job_bytes +
           (size_t)plan->packets * plan->packet_bytes;
}

static unsigned char *place_of(const struct arena_plan *plan, uint32_t block)
{
    if (block == 0)
        return plan->base;
    if (block <= plan->jobs)
        return plan->base + plan->engine_bytes + (size_t)(block - 1) * plan->job_bytes;
    return plan->base + plan->engine_bytes + (size_t)plan->jobs * plan->job_bytes +
           (size_t)(block - 1 - plan->jobs) * plan->packet_bytes;
}

static uint32_t capacity_of(const struct arena_plan *plan, uint32_t block)
{
    return block == 0 ? plan->engine_bytes : block <= plan->jobs ? plan->job_bytes : plan->packet_bytes;
}

/* The engine's own calls from here do nothing. */
static void try_to_reenter(struct explorer *x)
{
    npj_srv *srv = x->world->srv;
    npj_action action;
    if (srv != NULL && (npj_trim(srv) != NPJ_STATUS_INVALID_DEVICE_STATE || npj_next(srv, &action)))
        x->world->arena.abuse = "a call from inside the allocator is not refused";
}

static void *take(void *user, size_t bytes)
{
    struct explorer *x = user;
    struct arena *arena = &x->world->arena;
    try_to_reenter(x);
    if (arena->refuse) {
        arena->refused = true;
        return NULL;
    }
    uint32_t first = 0, last = 0;
    if (x->world->srv != NULL) {
        bool job = bytes == sizeof(struct npji_job);
        first = job ? 1 : 1 + x->plan.jobs;
        last = job ? x->plan.jobs : x->plan.jobs + x->plan.packets;
    }
    for (uint32_t block = first; block <= last; block++) {
        if (arena->size[block] != 0 || bytes > capacity_of(&x->plan, block))
            continue;
        arena->size[block] = (uint16_t)bytes;
        return place_of(&x->plan, block);
    }
    arena->abuse = "the engine allocates more blocks, or larger ones, than its jobs and packets explain";
    arena->refused = true;
    return NULL;
}

static void give(void *user, void *address, size_t bytes)
{
    struct explorer *x = user;
    struct arena *arena = &x->world->arena;
    try_to_reenter(x);
    for (uint32_t block = 0; block <= x->plan.jobs + x->plan.packets; block++) {
        if (address != place_of(&x->plan, block) || arena->size[block] != bytes)
            continue;
        arena->size[block] = 0;
        memset(address, UNUSED, bytes);
        return;
    }
    arena->abuse = "the engine releases what is not a live block, or with another size";
}

npj_mem npjt_explore_arena_mem(struct explorer *x)
{
    return (npj_mem){.alloc = take, .release = give, .user = x};
}

void npjt_explore_arena_clear(const struct explorer *x)
{
    uint32_t last = x->plan.jobs + x->plan.packets;
    memset(x->plan.base, UNUSED, (size_t)(place_of(&x->plan, last) - x->plan.base) + capacity_of(&x->plan, last));
}

static bool is_unused(const unsigned char *from, size_t bytes)
{
    return bytes == 0 || (from[0] == UNUSED && memcmp(from, from + 1, bytes - 1) == 0);
}

const char *npjt_explore_arena_check(const struct explorer *x)
{
    for (uint32_t block = 0; block <= x->plan.jobs + x->plan.packets; block++) {
        uint32_t size = x->world->arena.size[block];
        if (!is_unused(place_of(&x->plan, block) + size, capacity_of(&x->plan, block) - size))
            return size > 0 ? "a block was written to beyond its end" : "a block was written to after its release";
    }
    return NULL;
}

uint32_t npjt_explore_arena_live(const struct explorer *x, uint64_t *bytes)
{
    uint32_t live = 0;
    *bytes = 0;
    for (uint32_t block = 0; block <= x->plan.jobs + x->plan.packets; block++) {
        live += x->world->arena.size[block] != 0;
        *bytes += x->world->arena.size[block];
    }
    return live;
}
