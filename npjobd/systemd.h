/* SPDX-License-Identifier: MIT */
/** @file What systemd hands to a service and hears from it: sockets that are already listening, and its state. */
#ifndef NPJOBD_SYSTEMD_H
#define NPJOBD_SYSTEMD_H

#include <stddef.h>

/** A listening socket that was handed over, and what it is called: FileDescriptorName= in its unit. */
typedef struct systemd_socket {
    int fd;
    char *name;
} systemd_socket;

/**
 * Takes the sockets that were handed over (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES). They become
 * close-on-exec and non-blocking, and the variables are removed, so that no command that we run takes them for its own.
 * What is no listening Unix stream socket is closed, with a line in the log.
 *
 * @param out   receives an array that the caller owns, with the descriptors and names in it; systemd_sockets_free().
 *              NULL if there is nothing.
 * @return how many there are.
 */
size_t systemd_sockets_take(systemd_socket **out);

/** Closes the descriptors and frees the array. */
void systemd_sockets_free(systemd_socket *sockets, size_t count);

/** Tells the manager "READY=1" and the like (sd_notify(3)). Does nothing where there is no NOTIFY_SOCKET. */
void systemd_notify(const char *state);

#endif
