/* SPDX-License-Identifier: MIT */
/* The engine, and what libnpjob-posix does with a WRITE, without its loop. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>

#include "../host/pipe.h"
#include "engine.h"
#include "reader.h"
#include "socket.h"

struct npjob_socket {
    npj_srv *srv;
    npj_job job;
    bench_reader *reader;
    npjpi_pipe pipe;
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
    npj_status opened = npjpi_pipe_open(&self->pipe, bench_reader_path(self->reader), NPJ_BYTE_MODE, work->length);
    bench_must(opened == NPJ_STATUS_SUCCESS, "no connection");
    /* Within the call, as writev() of the floor waits. */
    bench_must(fcntl(self->pipe.fd, F_SETFL, 0) == 0, "the socket does not wait");
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

static void carry_out(struct npjob_socket *self, const npj_action *write)
{
    const struct iovec *iov = (const struct iovec *)(const void *)write->iov;
    uint64_t taken;
    npj_status status = npjpi_pipe_write(&self->pipe, iov, write->iov_count, write->count, &taken);
    bench_must(status == NPJ_STATUS_SUCCESS, "the socket does not take it");
    (void)npj_written(self->srv, write->op, NPJ_STATUS_SUCCESS, taken);
}

static void serve(struct npjob_socket *self)
{
    npj_action todo;
    while (npj_next(self->srv, &todo))
        if (todo.kind == NPJ_WRITE)
            carry_out(self, &todo);
        else
            self->answered++;
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
    (void)npjpi_pipe_close(&self->pipe, true);
    bench_must(bench_reader_free(self->reader) == self->wanted * self->length, "not every byte has arrived");
    bench_engine_free(self->srv);
    free(self->bytes);
    free(self);
}

const bench_side socket_npjob = {"npjob", begin_lent, run, end};
const bench_side socket_copy = {"npjob-copy", begin_copied, run, end};
