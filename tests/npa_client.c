/* SPDX-License-Identifier: MIT */
/*
 * What smbd does to the socket of a named pipe, without smbd: a handshake, then the bytes of standard input, then the
 * end.
 *
 *     npa_client [OPTION...] SOCKET <JOB
 *
 *     --level N     of the handshake; 7
 *     --address A   of the client; 192.0.2.7
 *     --raw         no handshake: standard input stands for it
 *     --cut N       ends after N bytes of the handshake
 *     --silent      connects, and says nothing
 *     --one         handshake and job in one write
 *     --many N      N connections at once, each with the same job
 *
 * Says "open" when the reply has come, and "blocked N" when nothing more has been taken for half a second after N
 * bytes. With --many, which waits for all that wait for room: "opened N refused N". Exit code: 0 all was sent, 3 no
 * socket, 4 closed before the reply, 5 closed within the job, 6 a wrong reply.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SENT = 0, WRONG_USE = 2, NO_SOCKET = 3, NO_REPLY = 4, NO_JOB = 5, WRONG_REPLY = 6 };
enum { REPLY_SIZE = 36 };

typedef struct client {
    const char *path;
    uint32_t level;
    const char *address;
    size_t cut;
    bool raw;
    bool silent;
    bool one;
    long many;
    unsigned char request[1024];
    size_t request_length;
} client;

/* ---------------------------------------------------------------------------------------------- the request */

static void add_bytes(client *self, const void *bytes, size_t length)
{
    memcpy(self->request + self->request_length, bytes, length);
    self->request_length += length;
}

static void add_number(client *self, uint32_t value)
{
    unsigned char bytes[4] = {value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, (unsigned char)(value >> 24)};
    add_bytes(self, bytes, 4);
}

static void add_string(client *self, const char *text)
{
    uint32_t length = (uint32_t)strlen(text) + 1;
    add_number(self, length);
    add_number(self, 0);
    add_number(self, length);
    add_bytes(self, text, length);
    while (self->request_length % 4 != 0)
        add_bytes(self, "", 1);
}

static void make_request(client *self)
{
    add_number(self, 0);
    add_bytes(self, "NPAM", 4);
    add_number(self, self->level);
    add_number(self, self->level);
    add_number(self, 1);          /* ncacn_np */
    add_number(self, 0x00020000); /* a name, an address and a port of the client */
    add_number(self, 0x00020004);
    add_number(self, 49152);
    add_number(self, 0x00020008); /* those of the server */
    add_number(self, 0x0002000c);
    add_number(self, 445);
    add_number(self, 0x00020010); /* session_info */
    add_string(self, "client.example");
    add_string(self, self->address);
    add_string(self, "server.example");
    add_string(self, "192.0.2.1");
    for (int i = 0; i < 100; i++)
        add_number(self, 0xdeadbeef);

    size_t length = self->request_length - 4;
    self->request[2] = (unsigned char)(length >> 8);
    self->request[3] = (unsigned char)length;
}

/* ---------------------------------------------------------------------------------------------- the socket */

static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    perror(path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            return false;
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

static int read_reply(int fd, uint32_t level)
{
    unsigned char reply[REPLY_SIZE];
    ssize_t count = recv(fd, reply, sizeof reply, MSG_WAITALL);
    if (count <= 0)
        return NO_REPLY;
    if (count < REPLY_SIZE || memcmp(reply, "\0\0\0\x20NPAM", 8) != 0 || reply[8] != level || reply[12] != level)
        return WRONG_REPLY;
    return SENT;
}

static int send_job(int fd)
{
    static unsigned char bytes[1 << 20];
    ssize_t count;
    while ((count = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
        if (!send_all(fd, bytes, (size_t)count))
            return NO_JOB;
    return SENT;
}

/* Waits until the other side closes; it has nothing to say. */
static int wait_for_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) > 0 ? WRONG_REPLY : NO_REPLY;
}

static int play(client *self, int fd)
{
    if (self->silent)
        return wait_for_end(fd);
    if (self->raw) {
        (void)send_job(fd);
        (void)shutdown(fd, SHUT_WR);
        return wait_for_end(fd);
    }
    if (self->one) {
        ssize_t count =
            read(STDIN_FILENO, self->request + self->request_length, sizeof self->request - self->request_length);
        self->request_length += count > 0 ? (size_t)count : 0;
    }
    size_t length = self->cut < self->request_length ? self->cut : self->request_length;
    if (!send_all(fd, self->request, length) || length < self->request_length)
        return NO_REPLY;
    int code = read_reply(fd, self->level);
    if (code != SENT)
        return code;
    puts("open");
    return send_job(fd);
}

/* ---------------------------------------------------------------------------------------------- many at once */

static int play_many(const client *self)
{
    static unsigned char job[1 << 16];
    long opened = 0;
    long refused = 0;
    ssize_t length = read(STDIN_FILENO, job, sizeof job);
    int *fds = length < 0 ? NULL : calloc((size_t)self->many, sizeof *fds);
    if (fds == NULL)
        return WRONG_USE;
    for (long i = 0; i < self->many; i++) {
        fds[i] = open_socket(self->path);
        if (fds[i] >= 0 && self->raw)
            (void)send(fds[i], job, (size_t)length, MSG_NOSIGNAL);
        else if (fds[i] >= 0)
            (void)send(fds[i], self->request, self->request_length, MSG_NOSIGNAL);
    }
    for (long i = 0; i < self->many; i++) {
        if (fds[i] < 0)
            continue;
        bool good =
            read_reply(fds[i], self->level) == SENT && send(fds[i], job, (size_t)length, MSG_NOSIGNAL) == length;
        opened += good;
        refused += !good;
        close(fds[i]);
    }
    free(fds);
    printf("opened %ld refused %ld\n", opened, refused);
    return SENT;
}

/* ---------------------------------------------------------------------------------------------- options */

static bool read_options(client *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"level", required_argument, NULL, 'l'}, {"address", required_argument, NULL, 'a'},
        {"raw", no_argument, NULL, 'r'},         {"cut", required_argument, NULL, 'c'},
        {"silent", no_argument, NULL, 's'},      {"one", no_argument, NULL, 'o'},
        {"many", required_argument, NULL, 'm'},  {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            self->level = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            self->address = optarg;
            break;
        case 'r':
            self->raw = true;
            break;
        case 'c':
            self->cut = strtoul(optarg, NULL, 10);
            break;
        case 's':
            self->silent = true;
            break;
        case 'o':
            self->one = true;
            break;
        case 'm':
            self->many = strtol(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    self->path = argv[optind];
    return optind + 1 == argc && strlen(self->address) < 64;
}

int main(int argc, char **argv)
{
    client self = {.level = 7, .address = "192.0.2.7", .cut = SIZE_MAX};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_options(&self, argc, argv)) {
        fputs("usage: npa_client [OPTION...] SOCKET\n", stderr);
        return WRONG_USE;
    }
    make_request(&self);
    if (self.many > 0)
        return play_many(&self);
    int fd = open_socket(self.path);
    if (fd < 0)
        return NO_SOCKET;
    int code = play(&self, fd);
    close(fd);
    return code;
}
