/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A printer: its socket, its queue, and what it has seen.
 *
 * The daemon owns its printers, from printer_new() until it releases them, closed. Each connection holds its printer as
 * well, for the counts; the memory goes with the last holder.
 */
#ifndef NPJOBD_PRINTER_H
#define NPJOBD_PRINTER_H

#include <stddef.h>

#include "listener.h"
#include "queue.h"
#include "report.h"
#include "service.h"
#include "settings.h"

typedef struct printer {
    service *service;
    struct printer *next; /**< the daemon's list */
    listener *listener;
    queue *queue;   /**< for new connections; held to the end, for what its engine has to tell */
    size_t holders; /**< the daemon is one */
    report_counts counts;
    uint64_t live; /**< its connections and jobs that have not ended */
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
 * cleaner of /run has been there, or smbd's start), is made anew there before the old one is closed.
 * @return whether it is so; if not, the old socket is where it was, and @p why has the reason.
 */
bool printer_place(printer *self, const char *folder, char *why, size_t why_size);

/** Closes the socket: no new jobs come, those in progress go on. Its owner still has the counts to show. */
void printer_close(printer *self);

/** One more holder. @return @p self. */
printer *printer_hold(printer *self);

/** One holder less; the last one frees it. */
void printer_release(printer *self);

#endif
