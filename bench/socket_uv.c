/* SPDX-License-Identifier: MIT */
/* A server on libuv that hands each write to uv_write(). */
#define _GNU_SOURCE
#include <stdlib.h>
#include <uv.h>

#include "reader.h"
#include "socket.h"

struct uv_socket {
    bench_reader *reader;
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_write_t requests[SOCKET_PENDING];
    uint32_t length;
    char *bytes;
    uint64_t wanted;
    uint64_t answered;
};

static void *begin(const void *what)
{
    const socket_work *work = what;
    struct uv_socket *self = bench_alloc_zeroed(1, sizeof *self);
    self->length = work->length;
    self->bytes = bench_bytes(work->length);
    self->reader = bench_reader_new();
    bench_must(uv_loop_init(&self->loop) == 0 && uv_pipe_init(&self->loop, &self->pipe, 0) == 0, "no loop");
    bench_must(uv_pipe_open(&self->pipe, bench_reader_connect(self->reader)) == 0, "no pipe");
    return self;
}

static void on_written(uv_write_t *request, int status)
{
    struct uv_socket *self = request->data;
    bench_must(status == 0, "the socket does not take it");
    self->answered++;
}

static void run(void *data, uint64_t rounds)
{
    struct uv_socket *self = data;
    for (; rounds > 0; rounds--) {
        for (int i = 0; i < SOCKET_PENDING; i++) {
            uv_buf_t bytes = uv_buf_init(self->bytes, self->length);
            self->requests[i].data = self;
            bench_must(uv_write(&self->requests[i], (uv_stream_t *)(void *)&self->pipe, &bytes, 1, on_written) == 0,
                       "no write");
        }
        self->wanted += SOCKET_PENDING;
        while (self->answered < self->wanted)
            (void)uv_run(&self->loop, UV_RUN_ONCE);
    }
}

static void end(void *data)
{
    struct uv_socket *self = data;
    uv_close((uv_handle_t *)(void *)&self->pipe, NULL);
    (void)uv_run(&self->loop, UV_RUN_DEFAULT);
    bench_must(uv_loop_close(&self->loop) == 0, "the loop does not end");
    bench_must(bench_reader_free(self->reader) == self->wanted * self->length, "not every byte has arrived");
    free(self->bytes);
    free(self);
}

const bench_side socket_uv = {"libuv", begin, run, end};
