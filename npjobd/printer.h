/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A printer: its socket, its queue, and what it has seen.
 *
 * The daemon owns its printers, from printer_new() to printer_free(). One that has connections may be closed, and
 * opened again by printer_place(), but it is not freed: they count on it.
 */
#ifndef NPJOBD_PRINTER_H
#define NPJOBD_PRINTER_H

#include <stdbool.h>
#include <stddef.h>

#include "listener.h"
#include "queue.h"
#include "report.h"
#include "service.h"
#include "settings.h"

typedef struct printer {
    service *service;
    struct printer *next; /**< the daemon's list */
    listener *listener;   /**< NULL: closed */
    queue *queue;         /**< for new connections; held to the end, for what its engine has to tell */
    report_counts counts;
    uint64_t live;     /**< its connections and jobs that have not ended */
    bool told_refused; /**< the log has that connections are refused; none was let in since */
    char name[SETTINGS_NAME_MAX + 1];
} printer;

/**
 * Opens a printer.
 *
 * @param wanted   read, not kept.
 * @param folder   where sockets of pipes are: "<ncalrpc dir>/np".
 * @param fd       a socket that was handed over, which stays the caller's, or -1 to make one.
 * @param why      receives words for a log line on failure.
 * @return the printer, or NULL.
 */
printer *printer_new(service *shared, const settings_printer *wanted, const char *folder, int fd, char *why,
                     size_t why_size);

/** Has new jobs made with these settings. @return whether it is so; if not, all is as it was. */
bool printer_renew(printer *self, const settings_printer *wanted, char *why, size_t why_size);

/**
 * Has its socket in @p folder, for the user that smbd runs as now. One that is elsewhere, or whose file is gone (a
 * cleaner of /run has been there, or smbd's start), is made anew there before the old one is closed. A closed printer
 * gets one: @p fd is that of printer_new().
 * @return whether it is so; if not, the old socket is where it was, and @p why has the reason.
 */
bool printer_place(printer *self, const char *folder, int fd, char *why, size_t why_size);

/** Closes the socket, if it is open: no new jobs come, those in progress go on. The counts are still there to be shown.
 */
void printer_close(printer *self);

/** Frees it: it is closed, and no connection is left. */
void printer_free(printer *self);

#endif
