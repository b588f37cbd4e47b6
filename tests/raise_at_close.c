/* SPDX-License-Identifier: MIT */
/* To be preloaded: whoever closes the file RAISE_AT is interrupted then (SIGINT). */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int close(int fd)
{
    struct stat closed, wanted;
    const char *path = getenv("RAISE_AT");
    const int found = path != NULL && fstat(fd, &closed) == 0 && stat(path, &wanted) == 0 &&
                      closed.st_dev == wanted.st_dev && closed.st_ino == wanted.st_ino;
    const int result = (int)syscall(SYS_close, fd);
    if (found)
        (void)raise(SIGINT);
    return result;
}
