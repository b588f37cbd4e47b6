/* SPDX-License-Identifier: MIT */
/* The job of a connection. */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"

/* Reads before the rest of the loop has its turn. */
enum { READS_AT_ONCE = 4 };

/* The tags of requests. That of a write is the address of its buffer. */
enum { TAG_ADD = 1, TAG_CONNECT, TAG_CLOSE };

static void give_back(connection *self, pool_buffer *buffer)
{
    self->buffers--;
    pool_give(&self->printer->service->pool, buffer, self->buffers);
}

/* ---------------------------------------------------------------------------------------------- the end */

static const char *outcome_of(const connection *self, const npjp_job_report *known)
{
    if (self->scheduled)
        return "scheduled";
    return known->added ? "abandoned" : "refused";
}

static void count_outcome(connection *self, const npjp_job_report *known)
{
    report_counts *counts = &self->printer->counts;
    if (self->scheduled)
        counts->scheduled++;
    else if (known->added)
        counts->abandoned++;
    else
        counts->refused++;
}

/* What the provider and the log call the client. */
static const char *client_name(const connection *self)
{
    const npa_client *client = npa_client_of(&self->parser);
    return client->address[0] != '\0' ? client->address : client->name;
}

static void log_job(const connection *self, const npjp_job_report *known)
{
    char status[16];
    char reason[NPJP_TROUBLE_MAX + 128];
    const char *name = npjp_status_name(self->failure);
    const char *words = self->reason != NULL ? self->reason : "";
    snprintf(status, sizeof status, "0x%08x", (unsigned)self->failure);
    snprintf(reason, sizeof reason, "%s%s%s", words, words[0] != '\0' && known->trouble[0] != '\0' ? "; " : "",
             known->trouble);

    log_record line = {.length = 0};
    log_number(&line, "job", self->serial);
    log_word(&line, "printer", self->printer->name);
    log_text(&line, "client", client_name(self));
    log_number(&line, "job_id", known->job_id);
    log_number(&line, "bytes", self->bytes);
    log_number(&line, "packets", self->packets);
    log_number(&line, "ms", uv_now(self->printer->service->loop) - self->began);
    log_word(&line, "status", strchr(name, '(') == NULL ? name : status);
    log_word(&line, "outcome", outcome_of(self, known));
    log_text(&line, "whole", self->ending);
    log_text(&line, "reason", reason);
    log_end(self->scheduled ? LOG_INFO : LOG_WARNING, &line);
}

/* The last call of the engine's host: all buffers that it had are back. */
static void on_ended(npjp_job *job, void *user)
{
    connection *self = user;
    npjp_job_report known;
    npjp_job_report_get(job, &known);
    self->job = NULL;
    count_outcome(self, &known);
    log_job(self, &known);
    connection_end(self);
}

/* A job without a close accepted waits for one even when it has failed: it is taken down here. */
void job_fail(connection *self, npj_status why, const char *reason)
{
    connection_close_socket(self);
    if (self->failure == NPJ_STATUS_SUCCESS) {
        self->failure = why;
        self->reason = reason;
    }
    if (self->job != NULL)
        (void)npjp_job_abort(self->job, why);
}

/* As job_fail(), for a client that has left. AddJob is let to its end first: a command that was stopped half-way leaves
 * behind what nobody has been told of. */
static void give_up(connection *self, npj_status why, const char *reason)
{
    connection_close_socket(self);
    self->lost = true;
    self->failure = why;
    self->reason = reason;
    if (self->added)
        job_fail(self, self->failure, reason);
}

/* ---------------------------------------------------------------------------------------------- silence */

static void on_silence(uv_timer_t *timer);

static void limit_silence(connection *self, uint64_t ms)
{
    uv_timer_start(&self->limit, on_silence, ms, 0);
}

/* Whether something has come that was not read: bytes, or the end. */
static bool has_come(const connection *self)
{
    char byte;
    return recv(self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* A client that sends nothing holds a place that others may want. While bytes of its own wait for the pipe, the pipe is
 * to blame, which the engine sees to; and if we have stood still, what it has sent may not have been read. */
static void on_silence(uv_timer_t *timer)
{
    connection *self = timer->data;
    uint64_t idle_time = self->queue->idle_time;
    uint64_t silent = self->buffers == 0 ? uv_now(timer->loop) - self->heard : 0;
    if (silent < idle_time)
        limit_silence(self, idle_time - silent);
    else if (has_come(self))
        limit_silence(self, idle_time);
    else
        give_up(self, NPJ_STATUS_IO_TIMEOUT, "the client sends nothing");
}

/* ---------------------------------------------------------------------------------------------- reading */

/* Why a request was refused with @p status. A job that has failed meanwhile, by a deadline say, refuses everything
 * before its replies tell what has happened: that is asked for. */
static npj_status why_refused(const connection *self, npj_status status)
{
    npjp_job_report known;
    npj_job_info info;
    npjp_job_report_get(self->job, &known);
    if (npj_job_query(npjp_host_srv(self->queue->host), known.handle, &info) == NPJ_STATUS_SUCCESS &&
        info.failure != NPJ_STATUS_SUCCESS)
        return info.failure;
    return status;
}

static void send_buffer(connection *self, pool_buffer *buffer)
{
    npj_status status =
        npjp_job_write(self->job, (uint64_t)(uintptr_t)buffer, buffer->bytes, buffer->length, NPJ_LEND, NULL);
    if (status == NPJ_STATUS_PENDING) {
        self->packets++;
        return;
    }
    give_back(self, buffer);
    job_fail(self, why_refused(self, status), NULL);
}

/* What arrived, into the job. */
static void take_bytes(connection *self, pool_buffer *buffer, size_t length)
{
    buffer->length = (uint32_t)length;
    self->heard = uv_now(self->printer->service->loop);
    self->bytes += length;
    self->printer->counts.bytes += length;
    whole_feed(&self->whole, buffer->bytes, length);
    send_buffer(self, buffer);
}

/* The end of the file says nothing of whether the client had more to send: the bytes may. */
static void take_end(connection *self)
{
    connection_close_socket(self);
    whole_verdict verdict = whole_judge(&self->whole);
    if (self->bytes == 0) /* somebody has looked whether the pipe is there */
        verdict = (whole_verdict){.whole = false, .words = "nothing was sent"};
    self->ending = verdict.words;
    if (!verdict.whole) {
        give_up(self, NPJ_STATUS_NETWORK_NAME_DELETED, NULL);
        return;
    }
    npj_status status = npjp_job_close(self->job, TAG_CLOSE);
    if (status != NPJ_STATUS_PENDING)
        job_fail(self, why_refused(self, status), NULL);
}

static pool_buffer *take_buffer(connection *self)
{
    pool_buffer *buffer = NULL;
    if (self->buffers < self->queue->max_buffers)
        buffer = pool_take(&self->printer->service->pool, self->buffers);
    if (buffer != NULL)
        self->buffers++;
    return buffer;
}

/* One read. @return whether another may follow at once. */
static bool read_some(connection *self)
{
    pool_buffer *buffer = take_buffer(self);
    if (buffer == NULL && self->buffers == 0) {
        job_fail(self, NPJ_STATUS_INSUFFICIENT_RESOURCES, "no memory for a buffer");
        return false;
    }
    if (buffer == NULL) {
        self->starved = true;
        connection_listen(self, false);
        return false;
    }
    ssize_t count = recv(self->fd, buffer->bytes, sizeof buffer->bytes, 0);
    if (count > 0) {
        take_bytes(self, buffer, (size_t)count);
        return (size_t)count == sizeof buffer->bytes;
    }
    int error = errno;
    give_back(self, buffer);
    if (count == 0)
        take_end(self);
    else if (error != EAGAIN && error != EINTR)
        give_up(self, NPJ_STATUS_NETWORK_NAME_DELETED,
                error == ECONNRESET ? "smbd has gone" : "the socket cannot be read");
    return false;
}

void job_read(connection *self)
{
    for (int i = 0; i < READS_AT_ONCE; i++)
        if (!read_some(self) || self->fd < 0)
            return;
}

/* A buffer has come back from the engine: one who waited for it reads on. */
static void take_back(connection *self, pool_buffer *buffer)
{
    self->heard = uv_now(self->printer->service->loop);
    give_back(self, buffer);
    if (self->starved) {
        self->starved = false;
        connection_listen(self, true);
    }
}

/* --------------------------------------------------------------------------------------------- what the engine says */

static void on_added(connection *self)
{
    self->added = true;
    if (self->lost)
        job_fail(self, self->failure, NULL);
}

static void on_reply(npjp_job *job, void *user, const npj_action *reply)
{
    (void)job;
    connection *self = user;
    if (reply->request == NPJ_REQUEST_WRITE && !reply->held)
        take_back(self, (pool_buffer *)(uintptr_t)reply->tag);
    if (npj_status_is_error(reply->status))
        job_fail(self, reply->status, NULL);
    else if (reply->request == NPJ_REQUEST_CLOSE)
        self->scheduled = true;
    else if (reply->request == NPJ_REQUEST_ADD)
        on_added(self);
}

static void on_returned(npjp_job *job, void *user, uint64_t tag)
{
    (void)job;
    take_back(user, (pool_buffer *)(uintptr_t)tag);
}

/* ---------------------------------------------------------------------------------------------- the beginning */

static npj_status add_job(connection *self)
{
    static const npjp_job_calls calls = {.reply = on_reply, .returned = on_returned, .ended = on_ended};
    char name[SETTINGS_NAME_MAX + 32];
    snprintf(name, sizeof name, "%s-%llu", self->printer->name, (unsigned long long)self->serial);
    npjp_job_options options = {
        .client = self->serial,
        .provider = npjp_commands_calls(),
        .provider_user = self->queue->commands,
        .calls = &calls,
        .user = self,
        .printer = self->printer->name,
        .name = name,
        .client_name = client_name(self),
        .mode = NPJ_BYTE_MODE,
        .wait_for_pipe = true,
    };
    npj_status status = npjp_job_add(self->queue->host, &options, TAG_ADD, &self->job);
    return status != NPJ_STATUS_PENDING ? status : npjp_job_connect(self->job, TAG_CONNECT);
}

void job_begin(connection *self, const unsigned char *bytes, size_t length)
{
    service *shared = self->printer->service;
    self->serial = ++shared->serial;
    self->began = self->heard = uv_now(shared->loop);
    self->ending = "";
    limit_silence(self, self->queue->idle_time);
    whole_begin(&self->whole, self->queue->complete);
    npj_status status = add_job(self);
    if (self->job == NULL) {
        connection_refuse(self, npjp_status_name(status));
        return;
    }
    if (status != NPJ_STATUS_PENDING) {
        job_fail(self, status, NULL);
        return;
    }
    pool_buffer *buffer = length > 0 ? take_buffer(self) : NULL;
    if (buffer != NULL) {
        memcpy(buffer->bytes, bytes, length);
        take_bytes(self, buffer, length);
    } else if (length > 0) {
        job_fail(self, NPJ_STATUS_INSUFFICIENT_RESOURCES, "no memory for the first bytes");
    }
}
