/* SPDX-License-Identifier: MIT */
/* Writes through a real Unix-domain socket, beside other ways to make them. */
#define _GNU_SOURCE
#include "socket.h"

#include <signal.h>

static const char about[] =
    "Writes through a Unix-domain socket to a thread that reads: a round hands over 64 writes, and ends when the "
    "system "
    "has taken them.\v"
    "Works: socket-LENGTH. Sides: npjob (the engine, lent bytes, and the pipe of libnpjob-posix), npjob-copy (copied "
    "bytes), npjob-posix (its host on libuv), libuv (uv_write), libevent (bufferevent_write), libevent-whole (the "
    "same, in one call for all), writev (nothing but the call), write (a copy into one piece, and the call). "
    "Prints `WORK SIDE ns VALUE` lines: nanoseconds a write, one sample a line.";

static const socket_work works[] = {
    {"socket-64", 64},
    {"socket-512", 512},
    {"socket-4096", 4096},
    {"socket-65536", 65536},
};

int main(int argc, char **argv)
{
    static const bench_side *const sides[] = {&socket_npjob, &socket_floor,       &socket_together, &socket_uv,
                                              &socket_event, &socket_event_whole, &socket_copy,     &socket_posix};
    bench_options options;
    bench_options_parse(argc, argv, about, &options);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        const bench_work what = {works[i].name, SOCKET_PENDING, &works[i]};
        bench_compare(&options, &what, sides, sizeof sides / sizeof *sides);
    }
    return bench_status();
}
