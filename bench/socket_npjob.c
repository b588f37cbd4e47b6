/* SPDX-License-Identifier: MIT */
/* The engine, with the plainest host there can be: writev() of what a WRITE holds. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine.h"
#include "reader.h"
#include "socket.h"

struct npjob_socket {
    npj_srv *srv;
    npj_job job;
    bench_reader *reader;
    int fd;
    uint32_t length;
    unsigned flags;
    unsigned char *bytes;
    uint64_t wanted;
    uint64_t answered;
};

_Static_assert(sizeof(npj_iov) == sizeof(struct iovec) && offsetof(npj_iov, length) == offsetof(struct iovec, iov_len),
               "an iov of the engine is one of the system");

static void *begin(const void *what, unsigned flags)
{
    const socket_work *work = what;
    struct npjob_socket *self = bench_alloc_zeroed(1, sizeof *self);
    self->length = work->length;
    self->flags = flags;
    self->bytes = bench_bytes(work->length);
    self->reader = bench_reader_new();
    self->fd = bench_reader_connect(self->reader);
    self->srv = bench_engine_new(1);
    self->job = bench_engine_open(self->srv, 1, 1, 1);
    return self;
}

static void *begin_lent(const void *what)
{
    return begin(what, NPJ_LEND);
}

static void *begin_copied(const void *what)
{
    return begin(what, NPJ_COPY);
}

static void serve(struct npjob_socket *self)
{
    npj_action todo;
    while (npj_next(self->srv, &todo)) {
        if (todo.kind == NPJ_WRITE) {
            ssize_t taken = writev(self->fd, (const struct iovec *)(const void *)todo.iov, (int)todo.iov_count);
            bench_must(taken >= 0, "the socket does not take it");
            (void)npj_written(self->srv, todo.op, NPJ_STATUS_SUCCESS, (uint64_t)taken);
        } else {
            self->answered++;
        }
    }
}

static void run(void *data, uint64_t rounds)
{
    struct npjob_socket *self = data;
    self->wanted += rounds * SOCKET_PENDING;
    for (; rounds > 0; rounds--) {
        for (uint64_t i = 0; i < SOCKET_PENDING; i++)
            (void)npj_write(self->srv, self->job, i, self->bytes, self->length, self->flags, NULL);
        serve(self);
    }
}

static void end(void *data)
{
    struct npjob_socket *self = data;
    bench_must(self->answered == self->wanted, "not every write was answered");
    (void)close(self->fd);
    bench_must(bench_reader_free(self->reader) == self->wanted * self->length, "not every byte has arrived");
    bench_engine_free(self->srv);
    free(self->bytes);
    free(self);
}

const bench_side socket_npjob = {"npjob", begin_lent, run, end};
const bench_side socket_copy = {"npjob-copy", begin_copied, run, end};
