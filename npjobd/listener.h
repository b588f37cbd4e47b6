/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A listening Unix stream socket on a libuv loop.
 *
 * It accepts by itself and not through uv_listen(), which closes connections that it has no descriptor for: here they
 * wait in the socket's queue until listener_resume(). A socket that cannot accept for any other reason is tried again
 * each second, and there is a line in the log.
 *
 * Ownership: a listener is made by listener_open() or listener_adopt() and ended by listener_close(), after which its
 * owner forgets it; its memory goes when libuv has closed its handles.
 */
#ifndef NPJOBD_LISTENER_H
#define NPJOBD_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

typedef struct listener listener;

typedef struct listener_calls {
    /** A connection: @p fd is close-on-exec and non-blocking, and the callee's. */
    void (*accepted)(void *user, int fd);
    /** There was no descriptor (or no memory) for a connection, which waits. The listener has paused; @p error is
     * errno. */
    void (*exhausted)(void *user, int error);
} listener_calls;

/**
 * Makes a socket at @p path and listens there. A socket that nobody listens on any more is replaced; one that somebody
 * does is an error, and so is anything that is no socket. Two processes that do this in the same folder take turns
 * (flock), so that neither takes the other's new socket for a stale one; one that does not come to its turn within
 * 100 ms is refused.
 *
 * @param owner who may connect, beside root and ourselves: the socket is given to that user, mode 0600.
 * @param why   receives, on failure, what was tried and why it failed, as words for a log line.
 * @return the listener, or NULL.
 */
listener *listener_open(uv_loop_t *loop, const char *path, uid_t owner, const listener_calls *calls, void *user,
                        char *why, size_t why_size);

/** Listens on @p fd, which stays the caller's, and is not to be closed before listener_close(). Otherwise the same. */
listener *listener_adopt(uv_loop_t *loop, int fd, const listener_calls *calls, void *user, char *why, size_t why_size);

/** Accepts nothing until listener_resume(). Calling it twice is no mistake. */
void listener_pause(listener *self);
void listener_resume(listener *self);

/**
 * Whether clients find it at @p path: the file of a socket that was made here may have been removed, or replaced. One
 * that was handed over is wherever it is wanted.
 */
bool listener_is_at(const listener *self, const char *path);

/** Gives a socket that was made here to another user. @return whether it is so; if not, @p why has the reason. */
bool listener_give(const listener *self, uid_t owner, char *why, size_t why_size);

/** Ends it: the socket is closed and its file removed, if it is still the one that listener_open() made. */
void listener_close(listener *self);

/** The user id of the process at the other end of @p fd (SO_PEERCRED). @return whether the system told. */
bool listener_peer(int fd, uid_t *uid);

#endif
