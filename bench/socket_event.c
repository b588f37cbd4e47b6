/* SPDX-License-Identifier: MIT */
/* A server on libevent that hands each write to a bufferevent. */
#define _GNU_SOURCE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "reader.h"
#include "socket.h"

struct event_socket {
    bench_reader *reader;
    struct event_base *base;
    struct bufferevent *pipe;
    uint32_t length;
    unsigned char *bytes;
    bool waiting;
    uint64_t written;
};

static void on_drained(struct bufferevent *pipe, void *data)
{
    struct event_socket *self = data;
    (void)pipe;
    self->waiting = false;
}

static void on_event(struct bufferevent *pipe, short what, void *data)
{
    (void)pipe;
    (void)what;
    (void)data;
    bench_fail("the socket does not take it");
}

static void *begin(const void *what)
{
    const socket_work *work = what;
    struct event_socket *self = bench_alloc_zeroed(1, sizeof *self);
    self->length = work->length;
    self->bytes = bench_bytes(work->length);
    self->reader = bench_reader_new();
    int fd = bench_reader_connect(self->reader);
    self->base = event_base_new();
    bench_must(self->base != NULL && evutil_make_socket_nonblocking(fd) == 0, "no loop");
    self->pipe = bufferevent_socket_new(self->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bench_must(self->pipe != NULL, "no pipe");
    bufferevent_setcb(self->pipe, NULL, on_drained, on_event, self);
    return self;
}

/* All that waits goes out by one call, where a bufferevent, as it comes, makes one of every 16 KiB. */
static void *begin_whole(const void *what)
{
    struct event_socket *self = begin(what);
    bench_must(bufferevent_set_max_single_write(self->pipe, EV_SSIZE_MAX) == 0, "no large writes");
    return self;
}

static void run(void *data, uint64_t rounds)
{
    struct event_socket *self = data;
    for (; rounds > 0; rounds--) {
        self->waiting = true;
        for (int i = 0; i < SOCKET_PENDING; i++)
            bench_must(bufferevent_write(self->pipe, self->bytes, self->length) == 0, "no write");
        self->written += (uint64_t)self->length * SOCKET_PENDING;
        while (self->waiting)
            (void)event_base_loop(self->base, EVLOOP_ONCE);
    }
}

static void end(void *data)
{
    struct event_socket *self = data;
    bufferevent_free(self->pipe);
    event_base_free(self->base);
    bench_must(bench_reader_free(self->reader) == self->written, "not every byte has arrived");
    free(self->bytes);
    free(self);
}

const bench_side socket_event = {"libevent", begin, run, end};
const bench_side socket_event_whole = {"libevent-whole", begin_whole, run, end};
