/* SPDX-License-Identifier: MIT */
/*
 * What stands in npjobd's place to measure it by: takes smbd's connections to a named pipe one after the other, and
 * copies each into a file, and prints how many bytes that were. It keeps nothing, knows no jobs, and waits for whatever
 * it reads and writes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "npa.h"
#include "side.h"

static unsigned char buffer[1 << 18];

/* Reads what smbd says first, byte by byte, so that nothing of the client's is among it, and answers. */
static void greet(int fd)
{
    npa_parser parser;
    unsigned char reply[NPA_REPLY_SIZE];
    size_t used;
    npa_begin(&parser);
    do
        bench_must(read(fd, buffer, 1) == 1, "no handshake");
    while (npa_feed(&parser, buffer, 1, &used) == NPA_MORE);
    bench_must(npa_client_of(&parser) != NULL, "no handshake that can be served");
    npa_reply(npa_client_of(&parser)->level, reply);
    bench_must(write(fd, reply, sizeof reply) == sizeof reply, "no reply");
}

static long long copy(int fd, int file)
{
    ssize_t got;
    long long bytes = 0;
    for (; (got = read(fd, buffer, sizeof buffer)) > 0; bytes += got)
        bench_must(write(file, buffer, (size_t)got) == got, "the file does not take it");
    bench_must(got == 0, "the connection has broken");
    return bytes;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bench_must(argc == 3, "usage: copier SOCKET FILE");
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_must(listener >= 0 && bind(listener, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
                   listen(listener, 1) == 0,
               "no socket");
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        int file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bench_must(fd >= 0 && file >= 0, "no connection, or no file");
        greet(fd);
        printf("%lld\n", copy(fd, file));
        (void)fflush(stdout);
        (void)close(fd);
        (void)close(file);
    }
}
