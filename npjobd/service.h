/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What all printers and connections share: the loop, the memory, and how many there may be.
 *
 * The daemon has one, and owns it; everything else points to it, and is gone before it.
 */
#ifndef NPJOBD_SERVICE_H
#define NPJOBD_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "pool.h"

struct connection;
struct queue;

typedef struct service {
    uv_loop_t *loop;
    pool pool;

    /* From the configuration; a reload changes them for what comes. */
    uid_t smbd;              /**< who may connect, beside root and ourselves */
    uint64_t handshake_time; /**< ms */
    uint32_t max_jobs;       /**< connections and jobs at once: more are refused */

    uint32_t room; /**< connections that the descriptors suffice for: more wait in the sockets' queues */
    uint32_t live; /**< connections and jobs that have not ended */
    struct connection *connections; /**< all of those */
    struct queue *queues;           /**< all queues that have not ended */
    uint64_t serial;                /**< of the last job */

    /** A descriptor is not to be had, by errno @p error, or 0 when there is no room: nothing is accepted for now. */
    void (*exhausted)(struct service *self, int error);
    /** A connection has ended: whoever waits for that may look. */
    void (*relieved)(struct service *self);
} service;

/** Whether the descriptors suffice for one more connection. */
static inline bool service_has_room(const service *self)
{
    return self->live < self->room;
}

/** Lets connections wait in the queues of their sockets if there is no room for one more. */
static inline void service_wait_for_room(service *self)
{
    if (!service_has_room(self))
        self->exhausted(self, 0);
}

#endif
