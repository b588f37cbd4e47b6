/* SPDX-License-Identifier: MIT */
/** @file The file that is sent, chunk by chunk, in buffers that are lent or copied. */
#ifndef NPJ_SEND_SOURCE_H
#define NPJ_SEND_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob/npjob.h"

/** What source_fill() came to. */
typedef enum source_state {
    SOURCE_CHUNK, /**< a chunk is there */
    SOURCE_END,   /**< the file has ended, and nothing of it is left */
    SOURCE_WAIT,  /**< all buffers are lent, or the file (a pipe, a terminal) has nothing yet */
    SOURCE_FAILED /**< reading failed: errno */
} source_state;

/** A file and its buffers. */
typedef struct file_source {
    int fd;
    bool regular;       /**< never makes its reader wait: a regular file, or what cannot be polled */
    uint64_t size;      /**< of a regular file */
    size_t chunk_bytes; /**< of every chunk but the last */
    bool ended;

    char *memory;     /**< all buffers, one after the other */
    uint32_t *unused; /**< numbers of those that are not lent */
    uint32_t unused_count;
    uint32_t current; /**< the buffer that is being filled, or refused; UINT32_MAX: none */
    size_t filled;    /**< bytes in it */
    npj_gauge lent;   /**< buffers lent, and not come back yet */
} file_source;

/**
 * Opens @p path ("-": standard input) with @p buffers buffers.
 * @return false with errno set.
 */
bool source_open(file_source *source, const char *path, size_t chunk_bytes, uint32_t buffers);

/** Frees everything. */
void source_close(file_source *source);

/** Has the next chunk ready, unless one is. It stays the same until source_sent(). */
source_state source_fill(file_source *source);

/** The bytes of the chunk that source_fill() has ready. */
const void *source_bytes(const file_source *source);

/** The chunk was accepted: @p lent says that its buffer is not free until source_return(). */
void source_sent(file_source *source, bool lent);

/** A lent buffer has come back. */
void source_return(file_source *source, uint32_t buffer);

#endif
