/* SPDX-License-Identifier: MIT */
/* The engine itself: its configuration, and its one block of memory. */
#include "engine.h"

uint32_t npj_version(void)
{
    return NPJ_VERSION_MAJOR << 16 | NPJ_VERSION_MINOR << 8 | NPJ_VERSION_PATCH;
}

/* ------------------------------------------------------------------------------------------------- configuration */

enum { MAX_BATCH = 1024 };
#define MAX_WRITE_BYTES UINT32_C(0x80000000)

/* What a later version adds is beyond the size that this one knows, and not in its padding. */
_Static_assert(sizeof(npj_config) == offsetof(npj_config, trace_user) + sizeof(void *), "no padding at the end");

/* Reads a configuration of this version, the first, or a later one; what this library does not know must be zero. */
static bool read_config(const npj_config *from, npj_config *config)
{
    if (from->size < sizeof *config)
        return false;
    for (size_t i = sizeof *config; i < from->size; i++)
        if (((const unsigned char *)from)[i] != 0)
            return false;
    *config = *from;
    return true;
}

static void default32(uint32_t *value, uint32_t standard)
{
    if (*value == 0)
        *value = standard;
}

static void default64(uint64_t *value, uint64_t standard)
{
    if (*value == 0)
        *value = standard;
}

static uint64_t larger(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static void fill_defaults(npj_config *config)
{
    const uint64_t mib = 1024 * 1024;
    default32(&config->max_jobs, 1024);
    default32(&config->max_packets, 65536);
    default32(&config->max_job_packets, 256);
    default32(&config->max_write_bytes, (uint32_t)(8 * mib));
    default32(&config->max_batch, 64);
    default64(&config->max_job_bytes, larger(16 * mib, config->max_write_bytes));
    /* A copied write of the largest size fits: blocks are larger by a quarter at the most. */
    const uint64_t largest = NPJI_PACKET_BYTES + (uint64_t)config->max_write_bytes * 5 / 4;
    default64(&config->max_pool_bytes, larger(256 * mib, largest));
    default64(&config->max_idle_bytes, 1 * mib);
    default64(&config->add_timeout, 30000);
    default64(&config->connect_timeout, 30000);
    default64(&config->stall_timeout, 60000);
    default64(&config->drain_timeout, 300000);
}

static bool config_is_valid(const npj_config *config)
{
    return config->mem.alloc != NULL && config->mem.release != NULL && config->max_jobs <= NPJ_MAX_JOBS &&
           config->max_write_bytes <= MAX_WRITE_BYTES && config->max_batch <= MAX_BATCH &&
           config->max_write_bytes <= config->max_job_bytes &&
           (config->path_profile == NPJ_PATH_STRICT || config->path_profile == NPJ_PATH_PERMISSIVE);
}

/* -------------------------------------------------------------------------------------------------- the one block */

/* The engine's block: itself, then its arrays. All element sizes are multiples of the alignment of a pointer. */
struct layout {
    size_t slots, index, iov, end;
};

static uint32_t buckets_for(uint32_t jobs)
{
    uint32_t buckets = 1;
    while (buckets * 2 <= jobs / 2)
        buckets *= 2;
    return buckets;
}

static struct layout lay_out(const npj_config *config)
{
    struct layout at;
    at.slots = sizeof(struct npj_srv);
    at.index = at.slots + sizeof(npji_slot) * config->max_jobs;
    at.iov = at.index + sizeof(struct npji_member *) * NPJI_KEYS * buckets_for(config->max_jobs);
    at.end = at.iov + sizeof(npj_iov) * config->max_batch;
    return at;
}

static void init(struct npj_srv *srv, const npj_config *config, const struct layout *at)
{
    /* Slots and iovecs are written before they are read; a large engine need not touch them now. */
    memset(srv, 0, sizeof *srv);
    memset((char *)srv + at->index, 0, at->iov - at->index);
    srv->config = *config;
    srv->shutdown_deadline = NPJ_NEVER;
    npji_link_init(&srv->ready);
    for (int timer = 0; timer < NPJI_TIMERS; timer++)
        npji_link_init(&srv->timers[timer]);
    srv->bytes = at->end;
    srv->buckets = buckets_for(config->max_jobs);
    srv->slots = (npji_slot *)(void *)((char *)srv + at->slots);
    srv->index[NPJI_CLIENT] = (struct npji_member **)(void *)((char *)srv + at->index);
    srv->index[NPJI_PROVIDER] = srv->index[NPJI_CLIENT] + srv->buckets;
    srv->iov = (npj_iov *)(void *)((char *)srv + at->iov);
    srv->stats.memory_bytes = at->end;
    srv->stats.job_bytes = (uint32_t)(sizeof(struct npji_job) + sizeof(npji_slot) +
                                      (at->iov - at->index + config->max_jobs - 1) / config->max_jobs);
    srv->stats.packet_bytes = NPJI_PACKET_BYTES;
}

npj_status npj_srv_new(const npj_config *config, npj_srv **out)
{
    npj_config whole;
    if (config == NULL || out == NULL || !read_config(config, &whole))
        return NPJ_STATUS_INVALID_PARAMETER;
    fill_defaults(&whole);
    if (!config_is_valid(&whole))
        return NPJ_STATUS_INVALID_PARAMETER;
    struct layout at = lay_out(&whole);
    struct npj_srv *srv = whole.mem.alloc(whole.mem.user, at.end);
    if (srv == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    init(srv, &whole, &at);
    *out = srv;
    return NPJ_STATUS_SUCCESS;
}

void npj_srv_free(npj_srv **at)
{
    if (at == NULL || *at == NULL || (*at)->busy)
        return;
    struct npj_srv *srv = *at;
    for (uint32_t slot = 0; slot < srv->slots_used; slot++)
        if (npji_slot_job(srv->slots[slot]) != NULL)
            npji_job_release(srv, npji_slot_job(srv->slots[slot]));
    npji_packets_trim(srv);
    /* A host that calls back now, by its own pointer too, gets the re-entry's answer from memory that is still its
     * engine's. */
    srv->busy = true;
    srv->config.mem.release(srv->config.mem.user, srv, srv->bytes);
    *at = NULL;
}
