/* SPDX-License-Identifier: MIT */
/*
 * The reading end of a named pipe, for the test of `npj send`.
 *
 *     reader stream|seqpacket|fifo PATH OUT [MODE [N]]
 *
 * Makes the pipe, says "ready" on standard output, takes one writer, and writes what it reads to OUT.
 *
 *     normal        reads to the end
 *     count         keeps nothing of what it reads, and writes to OUT how many bytes it was
 *     slow MS       waits MS milliseconds after each 64 KiB
 *     stall MS      reads nothing for MS milliseconds, then to the end
 *     die BYTES     closes the pipe after so many bytes
 *     late MS       makes a FIFO or socket only after MS milliseconds ("ready" comes at once)
 *
 * Messages are said on standard output when all is read: "messages N longest N".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, SLOW_STEP = 64 << 10, LONGEST_RUN_S = 60 };

static void fail(const char *what)
{
    fprintf(stderr, "reader: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void pause_ms(uint64_t ms)
{
    const struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static int take_socket(const char *path, int type, bool late)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int server = socket(AF_UNIX, type, 0);
    if (server < 0 || bind(server, (const struct sockaddr *)&address, sizeof address) != 0 || listen(server, 1) != 0)
        fail(path);
    if (!late)
        say_ready();
    int fd = accept(server, NULL, NULL);
    if (fd < 0)
        fail("accept");
    close(server);
    return fd;
}

static int take_fifo(const char *path, bool late)
{
    if (mkfifo(path, 0600) != 0 && errno != EEXIST)
        fail(path);
    /* Opened without waiting, so that "ready" is said when a writer can come. */
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        fail(path);
    if (!late)
        say_ready();
    return fd;
}

/* A FIFO that no writer has opened yet reads as ended; so wait until something can be read. */
static ssize_t read_some(int fd, char *buffer, size_t size, bool fifo, bool *begun)
{
    for (;;) {
        ssize_t count = read(fd, buffer, size);
        if (count > 0)
            *begun = true;
        bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
        bool too_early = count == 0 && fifo && !*begun;
        if (!again && !too_early)
            return count;
        pause_ms(1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: reader stream|seqpacket|fifo PATH OUT [MODE [N]]\n", stderr);
        return 2;
    }
    alarm(LONGEST_RUN_S); /* a writer that never comes must not keep the test waiting */
    const char *mode = argc > 4 ? argv[4] : "normal";
    uint64_t number = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    bool fifo = strcmp(argv[1], "fifo") == 0;
    bool late = strcmp(mode, "late") == 0;
    if (late) {
        say_ready();
        pause_ms(number);
    }
    int out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0)
        fail(argv[3]);
    int type = strcmp(argv[1], "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
    int fd = fifo ? take_fifo(argv[2], late) : take_socket(argv[2], type, late);
    if (strcmp(mode, "stall") == 0)
        pause_ms(number);
    bool slow = strcmp(mode, "slow") == 0;
    bool dies = strcmp(mode, "die") == 0;
    bool counts = strcmp(mode, "count") == 0;
    static char buffer[BUFFER];
    uint64_t total = 0;
    uint64_t messages = 0;
    ssize_t longest = 0;
    bool begun = false;
    for (;;) {
        size_t want = slow ? SLOW_STEP : BUFFER;
        if (dies && total >= number)
            break;
        if (dies && number - total < want)
            want = (size_t)(number - total);
        ssize_t count = read_some(fd, buffer, want, fifo, &begun);
        if (count < 0)
            fail("read");
        if (count == 0)
            break;
        if (!counts && write(out, buffer, (size_t)count) != count)
            fail(argv[3]);
        total += (uint64_t)count;
        messages++;
        longest = count > longest ? count : longest;
        if (slow)
            pause_ms(number);
    }
    close(fd);
    if ((counts && dprintf(out, "%llu\n", (unsigned long long)total) < 0) || close(out) != 0)
        fail(argv[3]);
    printf("messages %llu longest %lld\n", (unsigned long long)messages, (long long)longest);
    return 0;
}
