/* SPDX-License-Identifier: MIT */
/*
 * The packets of writes: the request packets that NT 4.0 lost. No other file allocates, recycles or releases one, but
 * for packet.h, which is the part of this one that every write runs through.
 *
 * A packet and its copied payload are one block. Blocks come in classes of size, so that one that is given up serves
 * the next write of about that size; at most max_idle_bytes of them are kept, and live and kept ones together never
 * exceed max_pool_bytes.
 */
#include "packet.h"

/* Of payloads above 64 bytes: four classes for each power of two. */
#define BLOCK(payload) ((uint32_t)NPJI_PACKET_BYTES + (payload))
#define FOUR(shift)    BLOCK(5u << (shift)), BLOCK(6u << (shift)), BLOCK(7u << (shift)), BLOCK(8u << (shift))

const uint32_t npji_blocks[] = {
    BLOCK(0), BLOCK(64), FOUR(4),  FOUR(5),  FOUR(6),  FOUR(7),  FOUR(8),  FOUR(9),  FOUR(10),
    FOUR(11), FOUR(12),  FOUR(13), FOUR(14), FOUR(15), FOUR(16), FOUR(17), FOUR(18), FOUR(19),
    FOUR(20), FOUR(21),  FOUR(22), FOUR(23), FOUR(24), FOUR(25), FOUR(26), FOUR(27), FOUR(28),
};

_Static_assert(sizeof npji_blocks / sizeof *npji_blocks == NPJI_SIZE_CLASSES, "a block for each class");

size_t npji_packet_block(const struct npji_packet *packet)
{
    return npji_blocks[packet->size_class];
}

/* Gives back a block of @class that is kept. */
static void give_back(struct npj_srv *srv, unsigned class)
{
    struct npji_packet *packet = srv->idle[class];
    srv->idle[class] = packet->next;
    srv->stats.idle_bytes -= npji_blocks[class];
    npji_release(srv, packet, npji_blocks[class]);
}

void npji_packets_trim(struct npj_srv *srv)
{
    const unsigned classes = npji_classes(srv);
    for (unsigned class = 0; class < classes; class ++)
        while (srv->idle[class] != NULL)
            give_back(srv, class);
}

/*
 * Whether there is room to keep a block of @class, once what is kept has made way for it: one block of each other class
 * at the most, so that no call has much to do. They take turns, so that what is written now is kept in the end, and not
 * what was written first.
 */
bool npji_block_room(struct npj_srv *srv, unsigned class)
{
    const size_t bytes = npji_blocks[class];
    if (bytes > srv->config.max_idle_bytes)
        return false;
    const unsigned classes = npji_classes(srv);
    for (unsigned turns = 0; turns < classes && !npji_block_fits(srv, bytes); turns++) {
        const unsigned other = srv->idle_turn < classes ? srv->idle_turn : 0;
        srv->idle_turn = other + 1;
        if (other != class && srv->idle[other] != NULL)
            give_back(srv, other);
    }
    return npji_block_fits(srv, bytes);
}

/* A new block; what is kept makes room for it in the pool. */
struct npji_packet *npji_block_new(struct npj_srv *srv, size_t bytes)
{
    if (srv->stats.pool_bytes.live + srv->stats.idle_bytes + bytes > srv->config.max_pool_bytes)
        npji_packets_trim(srv);
    return npji_alloc(srv, bytes);
}

/* Answers the write that waits behind the link @at. Returns the link to the next. */
struct npji_packet **npji_packet_answer(struct npji_job *job, struct npji_packet **at, npj_status status)
{
    struct npji_packets *list = &job->writes;
    struct npji_packet *packet = *at;
    packet->status = status;
    if (at == list->waiting) {
        at = &packet->next;
    } else {
        npji_packets_take(list, at);
        packet->next = *list->waiting;
        *list->waiting = packet;
    }
    list->waiting = &packet->next;
    return at;
}

/* Answers a cancelled write that was not taken in full: a short success if the pipe took a part. */
struct npji_packet **npji_packet_answer_cancelled(struct npji_job *job, struct npji_packet **at)
{
    job->facts |= NPJI_TRUNCATED;
    return npji_packet_answer(job, at, (*at)->taken > 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
}
