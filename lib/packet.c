/* SPDX-License-Identifier: MIT */
/*
 * The packets of writes: the request packets that NT 4.0 lost. No other file allocates, recycles or releases one.
 *
 * A packet and its copied payload are one block. Blocks come in classes of size, so that one that is given up serves
 * the next write of about that size; at most max_idle_bytes of them are kept, and live and kept ones together never
 * exceed max_pool_bytes.
 */
#include "engine.h"

/*
 * The class of the smallest payload that holds @length bytes: 0 for none, 1 up to 64, and from there four classes for
 * each power of two, so that at most a quarter is wasted.
 */
static unsigned class_of(uint32_t length)
{
    if (length == 0)
        return 0;
    if (length <= 64)
        return 1;
    uint32_t top = length - 1;
    unsigned shift = 29 - (unsigned)__builtin_clz(top);
    return (shift - 4) * 4 + (top >> shift) - 4 + 2;
}

/* The payload of a class above 1. */
#define PAYLOAD_OF(size_class) ((size_t)(((size_class) - 2) % 4 + 5) << (((size_class) - 2) / 4 + 4))

_Static_assert(PAYLOAD_OF(NPJI_SIZE_CLASSES - 1) == (size_t)1 << 31, "the last class is that of the longest write");

static size_t block_of(unsigned size_class)
{
    size_t payload = 0;
    if (size_class == 1)
        payload = 64;
    else if (size_class > 1)
        payload = PAYLOAD_OF(size_class);
    return sizeof(struct npji_packet) + payload;
}

size_t npji_packet_block(const struct npji_packet *packet)
{
    return block_of(packet->size_class);
}

void npji_packets_trim(struct npj_srv *srv)
{
    for (unsigned class = 0; class < NPJI_SIZE_CLASSES; class ++) {
        struct npji_packet *packet;
        while ((packet = srv->idle[class]) != NULL) {
            srv->idle[class] = packet->next;
            srv->stats.idle_bytes -= block_of(class);
            npji_release(srv, packet, block_of(class));
        }
    }
}

/* A block of @class, kept or new; live and kept blocks stay within the pool. */
static struct npji_packet *take_block(struct npj_srv *srv, unsigned class)
{
    size_t bytes = block_of(class);
    struct npji_packet *packet = srv->idle[class];
    if (packet != NULL) {
        srv->idle[class] = packet->next;
        srv->stats.idle_bytes -= bytes;
        return packet;
    }
    if (srv->stats.pool_bytes.live + srv->stats.idle_bytes + bytes > srv->config.max_pool_bytes)
        npji_packets_trim(srv);
    return npji_alloc(srv, bytes);
}

static void give_block(struct npj_srv *srv, struct npji_packet *packet)
{
    unsigned class = packet->size_class;
    size_t bytes = block_of(class);
    if (srv->stats.idle_bytes + bytes > srv->config.max_idle_bytes) {
        npji_release(srv, packet, bytes);
        return;
    }
    packet->next = srv->idle[class];
    srv->idle[class] = packet;
    srv->stats.idle_bytes += bytes;
}

/* The limits in their order: the job's own, the engine's caps. */
static npj_status check_limits(struct npj_srv *srv, const struct npji_job *job, uint32_t length, size_t block)
{
    const npj_config *config = &srv->config;
    if (job->packets >= config->max_job_packets || length > config->max_job_bytes - job->bytes)
        return NPJ_STATUS_QUOTA_EXCEEDED;
    if (srv->stats.packets.live >= config->max_packets || block > config->max_pool_bytes - srv->stats.pool_bytes.live)
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    return NPJ_STATUS_SUCCESS;
}

npj_status npji_packet_new(struct npj_srv *srv, struct npji_job *job, const void *bytes, uint32_t length, bool lent,
                           struct npji_packet **out)
{
    unsigned class = class_of(lent ? 0 : length);
    size_t block = block_of(class);
    npj_status status = check_limits(srv, job, length, block);
    if (status != NPJ_STATUS_SUCCESS)
        return status;
    struct npji_packet *packet = take_block(srv, class);
    if (packet == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;

    packet->bytes = bytes;
    if (!lent && length > 0)
        packet->bytes = memcpy(packet + 1, bytes, length);
    packet->length = length;
    packet->taken = 0;
    packet->status = NPJ_STATUS_SUCCESS;
    packet->flags = lent ? NPJI_PACKET_LENT : 0;
    packet->size_class = (uint8_t)class;

    job->packets++;
    job->bytes += length;
    npji_gauge_add(&srv->stats.packets, 1);
    npji_gauge_add(&srv->stats.pool_bytes, block);
    *out = packet;
    return NPJ_STATUS_SUCCESS;
}

void npji_packet_release(struct npj_srv *srv, struct npji_job *job, struct npji_packet *packet)
{
    job->packets--;
    job->bytes -= packet->length;
    srv->stats.packets.live--;
    srv->stats.pool_bytes.live -= npji_packet_block(packet);
    give_block(srv, packet);
}

void npji_packet_append(struct npji_packets *list, struct npji_packet *packet)
{
    packet->prev = list->tail;
    packet->next = NULL;
    if (list->tail != NULL)
        list->tail->next = packet;
    else
        list->head = packet;
    list->tail = packet;
}

void npji_packet_remove(struct npji_packets *list, struct npji_packet *packet)
{
    if (packet->prev != NULL)
        packet->prev->next = packet->next;
    else
        list->head = packet->next;
    if (packet->next != NULL)
        packet->next->prev = packet->prev;
    else
        list->tail = packet->prev;
}

/* Moves the packets before @end, one or more of them, to the end of another list; all, if @end is NULL. */
void npji_packets_move(struct npji_packets *from, struct npji_packets *to, struct npji_packet *end)
{
    struct npji_packet *last = end != NULL ? end->prev : from->tail;
    from->head->prev = to->tail;
    if (to->tail != NULL)
        to->tail->next = from->head;
    else
        to->head = from->head;
    to->tail = last;
    last->next = NULL;
    from->head = end;
    if (end != NULL)
        end->prev = NULL;
    else
        from->tail = NULL;
}

/* Answers a write that waits. */
void npji_packet_answer(struct npji_job *job, struct npji_packet *packet, npj_status status)
{
    packet->status = status;
    npji_packet_remove(&job->queue, packet);
    npji_packet_append(&job->due, packet);
}

/* Answers a cancelled write that was not taken in full: a short success if the pipe took a part. */
void npji_packet_answer_cancelled(struct npji_job *job, struct npji_packet *packet)
{
    job->facts |= NPJI_TRUNCATED;
    npji_packet_answer(job, packet, packet->taken > 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
}
