/* SPDX-License-Identifier: MIT */
/** @file The state of the daemon: what start, reload and stop share. One program has one. */
#ifndef NPJOBD_STATE_H
#define NPJOBD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "control.h"
#include "metrics.h"
#include "printer.h"
#include "service.h"
#include "settings.h"
#include "systemd.h"

typedef struct npjobd {
    service service; /**< what printers and connections see of the daemon; first, see daemon_of() */
    uv_loop_t loop;
    const char *path;   /**< of the configuration */
    settings *settings; /**< owned: those that hold now */
    printer *printers;  /**< owned: those that are served, and those that were removed and had jobs when they were */
    control *control;   /**< owned */
    metrics *metrics;   /**< owned; NULL: none wanted */

    systemd_socket *sockets; /**< owned: handed over at the start, and kept until the end */
    size_t socket_count;
    listener **idle; /**< owned, one for each of those: turns clients away while it is no printer's; else NULL */

    uv_signal_t hangup;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_timer_t look_again; /**< for a descriptor, when all are used up */
    uv_timer_t stop_limit;

    uint64_t began; /**< uv_now() */
    uint64_t said_exhausted;
    bool paused;   /**< nothing is accepted: no descriptors */
    bool stopping; /**< a signal has come: no printer is left, jobs end */
    bool closing;  /**< and no job is left */
} npjobd;

static inline npjobd *daemon_of(service *shared)
{
    return (npjobd *)shared;
}

/**
 * Has the daemon serve with new settings: printers come, go and change, files and sockets move. At the start everything
 * is new.
 *
 * @param fresh the daemon's from now on; what held before is freed.
 * @param smbd  the user that it names.
 * @return how many sockets could not be opened, each with a line in the log. What could be done is done.
 */
size_t daemon_apply(npjobd *self, settings *fresh, uid_t smbd);

/** Closes all printers: no new jobs. They stay in the report. */
void daemon_close_printers(npjobd *self);

/** Frees all printers, which were closed, and have no jobs. */
void daemon_free_printers(npjobd *self);

/** Gives up the control socket and the metrics file. */
void daemon_close_files(npjobd *self);

/** Reads the configuration again. One that is wrong changes nothing. */
void daemon_reload(npjobd *self);

/** Writes the report. */
void daemon_tell(void *user, FILE *out, bool json);
void daemon_tell_metrics(void *user, FILE *out);

#endif
