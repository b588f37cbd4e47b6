/* SPDX-License-Identifier: MIT */
/* The part of packet.c that every write runs through: compiled into where a write comes, and where its REPLY goes. */
#ifndef NPJOB_LIB_PACKET_H
#define NPJOB_LIB_PACKET_H

#include "engine.h"

/*
 * The class of the smallest payload that holds @length bytes: 0 for none, 1 up to 64, and from there four classes for
 * each power of two, so that at most a quarter is wasted.
 */
static inline unsigned npji_class_of(uint32_t length)
{
    if (length <= 64)
        return length > 0;
    uint32_t top = length - 1;
    unsigned shift = 29 - (unsigned)__builtin_clz(top);
    return (shift - 4) * 4 + (top >> shift) - 4 + 2;
}

/* How many classes there are blocks of: no write is longer than the longest. */
static inline unsigned npji_classes(const struct npj_srv *srv)
{
    return npji_class_of(srv->config.max_write_bytes) + 1;
}

/* Whether one more block can be kept. */
static inline bool npji_block_fits(const struct npj_srv *srv, size_t bytes)
{
    return srv->stats.idle_bytes + bytes <= srv->config.max_idle_bytes;
}

/* A block of @class, kept or new, or NULL. */
static inline struct npji_packet *npji_block_take(struct npj_srv *srv, unsigned class)
{
    size_t bytes = npji_blocks[class];
    struct npji_packet *packet = srv->idle[class];
    if (packet == NULL)
        return npji_block_new(srv, bytes);
    srv->idle[class] = packet->next;
    srv->stats.idle_bytes -= bytes;
    return packet;
}

/* Keeps a block for the next write of its class, within max_idle_bytes. */
static inline void npji_block_give(struct npj_srv *srv, struct npji_packet *packet, unsigned class, size_t bytes)
{
    if (!npji_block_fits(srv, bytes) && !npji_block_room(srv, class)) {
        npji_release(srv, packet, bytes);
        return;
    }
    packet->next = srv->idle[class];
    srv->idle[class] = packet;
    srv->stats.idle_bytes += bytes;
}

/* The limits in their order: the job's own, the engine's caps. */
static inline npj_status npji_packet_limits(const struct npj_srv *srv, const struct npji_job *job, uint32_t length,
                                            size_t block)
{
    const npj_config *config = &srv->config;
    if (job->packets >= config->max_job_packets || length > config->max_job_bytes - job->bytes)
        return NPJ_STATUS_QUOTA_EXCEEDED;
    if (srv->stats.packets.live >= config->max_packets || block > config->max_pool_bytes - srv->stats.pool_bytes.live)
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    return NPJ_STATUS_SUCCESS;
}

/* Puts a new packet at the end of the job's writes, or says which limit, or the allocator, is against it. */
static NPJI_FOR_EACH_CALL npj_status npji_packet_new(struct npj_srv *srv, struct npji_job *job, uint64_t tag,
                                                     const void *bytes, uint32_t length, bool lent)
{
    unsigned class = lent ? 0 : npji_class_of(length);
    size_t block = npji_blocks[class];
    npj_status status = npji_packet_limits(srv, job, length, block);
    if (status != NPJ_STATUS_SUCCESS)
        return status;
    struct npji_packet *packet = npji_block_take(srv, class);
    if (packet == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;

    packet->request = npji_handle(npji_generation(srv), npji_handle_slot(job->handle), NPJI_HANDLE_REQUEST);
    packet->tag = tag;
    packet->bytes = lent ? bytes : NULL;
    packet->length = length;
    packet->taken = 0;
    packet->status = NPJ_STATUS_SUCCESS;
    packet->flags = lent ? NPJI_PACKET_LENT : 0;
    packet->size_class = (uint8_t)class;
    if (class > 0)
        packet->bytes = memcpy((unsigned char *)packet + NPJI_PACKET_BYTES, bytes, length);
    npji_packets_append(&job->writes, packet);

    job->packets++;
    job->bytes += length;
    npji_gauge_add(&srv->stats.packets, 1);
    npji_gauge_add(&srv->stats.pool_bytes, block);
    return NPJ_STATUS_SUCCESS;
}

static inline void npji_packet_release(struct npj_srv *srv, struct npji_job *job, struct npji_packet *packet)
{
    job->packets--;
    job->bytes -= packet->length;
    srv->stats.packets.live--;
    unsigned class = packet->size_class;
    size_t block = npji_blocks[class];
    srv->stats.pool_bytes.live -= block;
    npji_block_give(srv, packet, class, block);
}

#endif
