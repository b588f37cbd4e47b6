/* SPDX-License-Identifier: MIT */
/* The memory that print jobs are read into. */
#include "pool.h"

#include <stdbool.h>
#include <stdlib.h>

/* An idle daemon holds no more than 1 MiB. A busy one keeps as many buffers as are out, so that it does not ask the
 * system for the memory of every read. */
enum { KEPT = 16 };

void pool_limit(pool *self, uint64_t bytes, uint32_t jobs)
{
    uint64_t buffers = bytes / POOL_BUFFER_BYTES;
    self->limit = buffers > jobs ? (size_t)(buffers - jobs) : 0;
}

pool_buffer *pool_take(pool *self, size_t already)
{
    bool from_shared = already > 0;
    if (from_shared && self->shared >= self->limit)
        return NULL;
    pool_buffer *buffer = self->idle;
    if (buffer != NULL) {
        self->idle = buffer->next;
        self->idle_length--;
    } else if ((buffer = malloc(sizeof *buffer)) == NULL) {
        return NULL;
    }
    buffer->next = NULL;
    buffer->length = 0;
    self->shared += from_shared;
    self->live++;
    self->peak = self->live > self->peak ? self->live : self->peak;
    return buffer;
}

static void free_idle(pool *self, size_t but)
{
    while (self->idle_length > but) {
        pool_buffer *buffer = self->idle;
        self->idle = buffer->next;
        self->idle_length--;
        free(buffer);
    }
}

void pool_give(pool *self, pool_buffer *buffer, size_t left)
{
    self->shared -= left > 0;
    self->live--;
    buffer->next = self->idle;
    self->idle = buffer;
    self->idle_length++;
    free_idle(self, self->live > KEPT ? self->live : KEPT);
}

void pool_end(pool *self)
{
    free_idle(self, 0);
}
