/* SPDX-License-Identifier: MIT */
/* What no server can do without: the bytes go to the system, all writes of a round by one call; in as many pieces as
 * there are writes, or put together first. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reader.h"
#include "socket.h"

struct floor_socket {
    bench_reader *reader;
    int fd;
    uint32_t length;
    unsigned char *bytes;
    unsigned char *together;
    uint64_t written;
};

static void *begin(const void *what)
{
    const socket_work *work = what;
    struct floor_socket *self = bench_alloc_zeroed(1, sizeof *self);
    self->length = work->length;
    self->bytes = bench_bytes(work->length);
    self->together = bench_bytes((size_t)work->length * SOCKET_PENDING);
    self->reader = bench_reader_new();
    self->fd = bench_reader_connect(self->reader);
    return self;
}

static void run(void *data, uint64_t rounds)
{
    struct floor_socket *self = data;
    ssize_t whole = (ssize_t)self->length * SOCKET_PENDING;
    for (; rounds > 0; rounds--) {
        struct iovec iov[SOCKET_PENDING];
        for (int i = 0; i < SOCKET_PENDING; i++)
            iov[i] = (struct iovec){self->bytes, self->length};
        bench_must(writev(self->fd, iov, SOCKET_PENDING) == whole, "a short write");
        self->written += (uint64_t)whole;
    }
}

static void run_together(void *data, uint64_t rounds)
{
    struct floor_socket *self = data;
    size_t whole = (size_t)self->length * SOCKET_PENDING;
    for (; rounds > 0; rounds--) {
        for (size_t at = 0; at < whole; at += self->length)
            memcpy(self->together + at, self->bytes, self->length);
        bench_must(write(self->fd, self->together, whole) == (ssize_t)whole, "a short write");
        self->written += whole;
    }
}

static void end(void *data)
{
    struct floor_socket *self = data;
    (void)close(self->fd);
    bench_must(bench_reader_free(self->reader) == self->written, "not every byte has arrived");
    free(self->together);
    free(self->bytes);
    free(self);
}

const bench_side socket_floor = {"writev", begin, run, end};
const bench_side socket_together = {"write", begin, run_together, end};
