/* SPDX-License-Identifier: MIT */
/* The file that is sent, chunk by chunk. */
#define _GNU_SOURCE
#include "send_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_BUFFER UINT32_MAX

bool source_open(file_source *source, const char *path, size_t chunk_bytes, uint32_t buffers)
{
    struct stat what;
    *source = (file_source){.fd = -1, .chunk_bytes = chunk_bytes, .current = NO_BUFFER};
    source->fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &what) != 0)
        return false;
    if (S_ISDIR(what.st_mode)) {
        errno = EISDIR;
        return false;
    }
    source->regular = S_ISREG(what.st_mode);
    source->size = source->regular ? (uint64_t)what.st_size : 0;

    source->memory = calloc(buffers, chunk_bytes);
    source->unused = calloc(buffers, sizeof *source->unused);
    if (source->memory == NULL || source->unused == NULL)
        return false;
    /* The last one first: a fast pipe then goes round in few buffers. */
    for (uint32_t i = 0; i < buffers; i++)
        source->unused[source->unused_count++] = buffers - 1 - i;
    return true;
}

void source_close(file_source *source)
{
    free(source->memory);
    free(source->unused);
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

/* Only what is no regular file can make its reader wait. */
static bool would_wait(const file_source *source)
{
    struct pollfd poll_fd = {.fd = source->fd, .events = POLLIN};
    return !source->regular && poll(&poll_fd, 1, 0) == 0;
}

source_state source_fill(file_source *source)
{
    if (source->current == NO_BUFFER) {
        if (source->unused_count == 0)
            return SOURCE_WAIT;
        source->current = source->unused[--source->unused_count];
        source->filled = 0;
    }
    char *buffer = source->memory + (size_t)source->current * source->chunk_bytes;
    while (!source->ended && source->filled < source->chunk_bytes) {
        if (would_wait(source))
            return SOURCE_WAIT;
        ssize_t count = read(source->fd, buffer + source->filled, source->chunk_bytes - source->filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN ? SOURCE_WAIT : SOURCE_FAILED;
        source->ended = count == 0;
        source->filled += (size_t)count;
    }
    return source->filled > 0 ? SOURCE_CHUNK : SOURCE_END;
}

const void *source_bytes(const file_source *source)
{
    return source->memory + (size_t)source->current * source->chunk_bytes;
}

void source_sent(file_source *source, bool lent)
{
    source->filled = 0;
    if (lent) {
        source->current = NO_BUFFER;
        source->lent.total++;
        source->lent.live++;
        if (source->lent.live > source->lent.peak)
            source->lent.peak = source->lent.live;
    }
}

void source_return(file_source *source, uint32_t buffer)
{
    source->unused[source->unused_count++] = buffer;
    source->lent.live--;
}
