/* SPDX-License-Identifier: MIT */
/* A printer: its socket, its queue, and what it has seen. */
#include "printer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connection.h"
#include "log.h"

/* Told once, until a connection is let in again: whoever knocks on and on must not fill the disk that the log is on. */
static void tell_refused(printer *self, const char *reason)
{
    if (self->told_refused)
        return;
    self->told_refused = true;
    log_record line = {.length = 0};
    log_word(&line, "printer", self->name);
    log_word(&line, "status", npj_status_name(NPJ_STATUS_INSUFF_SERVER_RESOURCES));
    log_word(&line, "outcome", "refused");
    log_text(&line, "reason", reason);
    log_end(LOG_WARNING, &line);
}

/* smbd waits for its handshake: whoever is too many is told at once, by the end of the connection. */
static void on_accepted(void *user, int fd)
{
    printer *self = user;
    service *shared = self->service;
    self->counts.connections++;
    bool too_many = shared->live >= shared->max_jobs;
    if (too_many || !connection_new(self, fd)) {
        self->counts.refused++;
        close(fd);
        tell_refused(self, too_many ? "max jobs" : "no memory");
    } else {
        self->told_refused = false;
    }
    service_wait_for_room(shared);
}

static void on_exhausted(void *user, int error)
{
    printer *self = user;
    self->service->exhausted(self->service, error);
}

/* It fits into the address of a socket: the settings were held to that. */
static listener *open_socket(printer *self, const char *path, int fd, char *why, size_t why_size)
{
    static const listener_calls heard = {.accepted = on_accepted, .exhausted = on_exhausted};
    service *shared = self->service;
    return fd >= 0 ? listener_adopt(shared->loop, fd, &heard, self, why, why_size)
                   : listener_open(shared->loop, path, shared->smbd, &heard, self, why, why_size);
}

static void path_of(const printer *self, const char *folder, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, self->name);
}

printer *printer_new(service *shared, const settings_printer *wanted, const char *folder, int fd, char *why,
                     size_t why_size)
{
    printer *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    self->service = shared;
    snprintf(self->name, sizeof self->name, "%s", wanted->name);
    char path[PATH_MAX];
    path_of(self, folder, path);
    self->queue = queue_new(shared, wanted, why, why_size);
    self->listener = self->queue != NULL ? open_socket(self, path, fd, why, why_size) : NULL;
    if (self->listener != NULL)
        return self;
    if (self->queue != NULL)
        queue_release(self->queue);
    free(self);
    return NULL;
}

bool printer_renew(printer *self, const settings_printer *wanted, char *why, size_t why_size)
{
    queue *made = queue_new(self->service, wanted, why, why_size);
    if (made == NULL)
        return false;
    queue_release(self->queue);
    self->queue = made;
    return true;
}

bool printer_place(printer *self, const char *folder, int fd, char *why, size_t why_size)
{
    char path[PATH_MAX];
    path_of(self, folder, path);
    if (self->listener != NULL && listener_is_at(self->listener, path))
        return listener_give(self->listener, self->service->smbd, why, why_size);
    listener *made = open_socket(self, path, fd, why, why_size);
    if (made == NULL)
        return false;
    printer_close(self);
    self->listener = made;
    return true;
}

void printer_close(printer *self)
{
    if (self->listener != NULL)
        listener_close(self->listener);
    self->listener = NULL;
}

void printer_free(printer *self)
{
    queue_release(self->queue);
    free(self);
}
