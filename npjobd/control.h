/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The control socket: the daemon tells of itself to those who ask on this machine, and `npjobd status` asks.
 *
 * A client connects, sends one line, "status" or "status json", and reads until a NUL byte, without which the answer is
 * not whole. Whoever reads nothing for 5 seconds is not waited for. Root and the daemon's own user may ask.
 */
#ifndef NPJOBD_CONTROL_H
#define NPJOBD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <uv.h>

typedef struct control control;

typedef struct control_calls {
    /** Writes the report. */
    void (*tell)(void *user, FILE *out, bool json);
    /** As of a listener: there was no descriptor for a client. control_resume() when there is one. */
    void (*exhausted)(void *user, int error);
} control_calls;

/**
 * Opens the socket at @p path. The daemon owns it until control_close().
 * @param why receives words for a log line on failure.
 * @return the control socket, or NULL.
 */
control *control_open(uv_loop_t *loop, const char *path, const control_calls *calls, void *user, char *why,
                      size_t why_size);

/** As of a listener. */
bool control_is_at(const control *self, const char *path);
void control_resume(control *self);

/** Ends it and those who are asking. Its memory goes when libuv has closed all handles. */
void control_close(control *self);

/**
 * Asks the daemon at @p path and copies what it tells to @p out.
 * @return whether it has told all of it; if not, @p why has the reason.
 */
bool control_ask(const char *path, bool json, FILE *out, char *why, size_t why_size);

#endif
