/* SPDX-License-Identifier: MIT */
/* One connection of smbd: its socket, its handshake, its end. What becomes of the bytes behind that is in job.c. */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job.h"
#include "log.h"

/* ---------------------------------------------------------------------------------------------- the end */

static void on_closed(uv_handle_t *handle)
{
    connection *self = handle->data;
    if (--self->open_handles == 0)
        free(self);
}

/* The handle goes with the descriptor: closed later, it would take away what libuv watches under the same number. */
void connection_close_socket(connection *self)
{
    if (self->fd < 0)
        return;
    uv_close((uv_handle_t *)&self->poll, on_closed);
    uv_timer_stop(&self->limit);
    close(self->fd);
    self->fd = -1;
}

void connection_end(connection *self)
{
    printer *owner = self->printer;
    service *shared = owner->service;
    connection_close_socket(self);
    uv_close((uv_handle_t *)&self->limit, on_closed);
    queue_release(self->queue);
    *self->link = self->next;
    if (self->next != NULL)
        self->next->link = self->link;
    self->ended = true;
    shared->live--;
    owner->live--;
    shared->relieved(shared);
}

void connection_abort(connection *self, npj_status why, const char *reason)
{
    if (self->job != NULL)
        job_fail(self, why, reason);
    else
        connection_refuse(self, reason);
}

void connection_refuse(connection *self, const char *reason)
{
    log_record line = {.length = 0};
    log_word(&line, "printer", self->printer->name);
    log_number(&line, "peer_uid", self->peer);
    log_word(&line, "outcome", "refused");
    log_text(&line, "reason", reason);
    log_end(LOG_WARNING, &line);
    self->printer->counts.refused++;
    connection_end(self);
}

/* ---------------------------------------------------------------------------------------------- the handshake */

static void refuse_handshake(connection *self, const char *reason)
{
    self->printer->counts.handshakes_refused++;
    connection_refuse(self, reason);
}

/* 36 bytes always fit into a socket that nothing has been written to. */
static bool send_reply(const connection *self)
{
    unsigned char reply[NPA_REPLY_SIZE];
    npa_reply(npa_client_of(&self->parser)->level, reply);
    return send(self->fd, reply, sizeof reply, MSG_NOSIGNAL) == (ssize_t)sizeof reply;
}

/* @p extra bytes at @p bytes came behind the request: they are the job's first ones. */
static void begin_job(connection *self, const unsigned char *bytes, size_t extra)
{
    if (send_reply(self))
        job_begin(self, bytes, extra);
    else
        refuse_handshake(self, "smbd has gone before the reply");
}

/* Returns whether the handshake goes on, and there may be more of it. */
static bool read_handshake(connection *self)
{
    unsigned char bytes[4096];
    ssize_t count = recv(self->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (count <= 0) {
        refuse_handshake(self, count == 0 ? "the connection has ended within the handshake" : strerror(errno));
        return false;
    }
    size_t used = 0;
    npa_state state = npa_feed(&self->parser, bytes, (size_t)count, &used);
    if (state == NPA_REFUSED)
        refuse_handshake(self, npa_refusal(&self->parser));
    else if (state == NPA_COMPLETE)
        begin_job(self, bytes + used, (size_t)count - used);
    return state == NPA_MORE;
}

/* If we have stood still, what has come in time was not read. */
static void on_limit(uv_timer_t *timer)
{
    connection *self = timer->data;
    while (read_handshake(self))
        ;
    if (!self->ended && self->serial == 0)
        refuse_handshake(self, "the handshake takes too long");
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)events;
    connection *self = handle->data;
    if (status < 0) /* libuv stops watching after an error, which reading tells, maybe behind some bytes */
        uv_poll_start(handle, UV_READABLE, on_readable);
    if (self->serial == 0)
        (void)read_handshake(self);
    else
        job_read(self);
}

void connection_listen(connection *self, bool on)
{
    if (self->fd < 0)
        return;
    if (on)
        uv_poll_start(&self->poll, UV_READABLE, on_readable);
    else
        uv_poll_stop(&self->poll);
}

/* ---------------------------------------------------------------------------------------------- the beginning */

static bool is_allowed(const connection *self)
{
    return self->peer == 0 || self->peer == geteuid() || self->peer == self->printer->service->smbd;
}

static void enlist(connection *self)
{
    service *shared = self->printer->service;
    self->next = shared->connections;
    self->link = &shared->connections;
    if (self->next != NULL)
        self->next->link = &self->next;
    shared->connections = self;
    shared->live++;
    self->printer->live++;
}

bool connection_new(printer *owner, int fd)
{
    service *shared = owner->service;
    connection *self = calloc(1, sizeof *self);
    if (self == NULL)
        return false;
    if (uv_poll_init(shared->loop, &self->poll, fd) != 0) {
        free(self);
        return false;
    }
    uv_timer_init(shared->loop, &self->limit);
    self->poll.data = self;
    self->limit.data = self;
    self->open_handles = 2;
    self->fd = fd;
    self->printer = owner;
    self->queue = queue_hold(owner->queue);
    npa_begin(&self->parser);
    enlist(self);

    self->peer = (uid_t)-1;
    if (!listener_peer(fd, &self->peer) || !is_allowed(self)) {
        refuse_handshake(self, "this user may not connect");
        return true;
    }
    uv_timer_start(&self->limit, on_limit, shared->handshake_time, 0);
    connection_listen(self, true);
    return true;
}
