/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "side.h"

enum { READ_BYTES = 1 << 18, PAUSE_NS = 10000, PAUSES = 50 };

struct bench_reader {
    char folder[96];
    struct sockaddr_un address;
    int listener;
    pthread_t thread;
    uint64_t bytes;
};

/* Leaves the socket's lock to the writer for a moment. */
static void stand_back(void)
{
    uint64_t until = bench_now() + PAUSE_NS;
    while (bench_now() < until)
        continue;
}

static void sleep_until_more(int fd)
{
    struct pollfd more = {.fd = fd, .events = POLLIN};
    (void)poll(&more, 1, -1);
}

/*
 * To wake a reader costs its writer more than the write does, and on a virtual machine never twice the same. So this
 * one stays awake for as long as its side is measured, and sleeps while others are.
 */
static void *read_all(void *data)
{
    bench_reader *reader = data;
    unsigned char *buffer = bench_alloc(READ_BYTES);
    int fd = accept4(reader->listener, NULL, NULL, SOCK_CLOEXEC);
    bench_must(fd >= 0, "no connection");
    (void)unlink(reader->address.sun_path); /* nobody else comes, and nothing is left however this ends */
    (void)rmdir(reader->folder);
    ssize_t got;
    for (int pauses = 0; (got = recv(fd, buffer, READ_BYTES, MSG_DONTWAIT)) != 0; pauses++) {
        if (got > 0) {
            reader->bytes += (uint64_t)got;
            pauses = 0;
            continue;
        }
        bench_must(errno == EAGAIN, "the connection has broken");
        if (pauses < PAUSES)
            stand_back();
        else
            sleep_until_more(fd);
    }
    (void)close(fd);
    free(buffer);
    return NULL;
}

bench_reader *bench_reader_new(void)
{
    bench_reader *reader = bench_alloc_zeroed(1, sizeof *reader);
    const char *place = getenv("TMPDIR");
    const bool good = place != NULL && *place != '\0' && strlen(place) <= 70; /* a socket's address is short */
    (void)snprintf(reader->folder, sizeof reader->folder, "%s/npjob-bench.XXXXXX", good ? place : "/tmp");
    bench_must(mkdtemp(reader->folder) != NULL, "no folder for the socket");
    reader->address.sun_family = AF_UNIX;
    (void)snprintf(reader->address.sun_path, sizeof reader->address.sun_path, "%s/pipe", reader->folder);
    reader->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&reader->address;
    bench_must(reader->listener >= 0 && bind(reader->listener, address, sizeof reader->address) == 0 &&
                   listen(reader->listener, 1) == 0,
               "no socket");
    bench_must(pthread_create(&reader->thread, NULL, read_all, reader) == 0, "no thread");
    return reader;
}

const char *bench_reader_path(const bench_reader *reader)
{
    return reader->address.sun_path;
}

int bench_reader_connect(const bench_reader *reader)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&reader->address;
    bench_must(fd >= 0 && connect(fd, address, sizeof reader->address) == 0, "no connection");
    return fd;
}

uint64_t bench_reader_free(bench_reader *reader)
{
    bench_must(pthread_join(reader->thread, NULL) == 0, "the thread does not end");
    uint64_t bytes = reader->bytes;
    (void)close(reader->listener);
    free(reader);
    return bytes;
}
