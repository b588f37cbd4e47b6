/* SPDX-License-Identifier: MIT */
/* The queue of a printer. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

static void free_queue(queue *self)
{
    npjp_host_free(&self->host);
    npjp_commands_free(&self->commands);
    free(self);
}

/* No job is left: jobs hold their queue by their connections. */
static void on_stopped(npjp_host *host, void *user)
{
    (void)host;
    queue *self = user;
    *self->link = self->next;
    if (self->next != NULL)
        self->next->link = self->link;
    free_queue(self);
}

static npj_status make_commands(queue *self, const settings_printer *wanted, char *wrong)
{
    npjp_commands_config config = {
        .add_job = wanted->addjob_command,
        .schedule_job = wanted->schedule_command,
        .abandon_job = wanted->abandon_command,
        .timeout = wanted->command_timeout,
    };
    return npjp_commands_new(&config, &self->commands, wrong);
}

/* A job's packets are its buffers, so that the job waits for its own memory before the engine has to refuse a write. */
static npj_status make_host(queue *self, const settings_printer *wanted)
{
    npjp_config config = {
        .size = sizeof config,
        .loop = self->service->loop,
        .engine =
            {
                .max_jobs = self->service->max_jobs,
                .max_packets = UINT32_MAX, /* each job has a limit of its own */
                .max_job_packets = (uint32_t)self->max_buffers,
                .max_write_bytes = POOL_BUFFER_BYTES,
                .max_job_bytes = self->max_buffers * POOL_BUFFER_BYTES,
                .add_timeout = NPJ_NEVER, /* the command has a time limit of its own */
                .connect_timeout = wanted->connect_timeout,
                .stall_timeout = wanted->stall_timeout,
                .drain_timeout = wanted->drain_timeout,
            },
        .stopped = on_stopped,
        .user = self,
    };
    return npjp_host_new(&config, &self->host);
}

queue *queue_new(service *shared, const settings_printer *wanted, char *why, size_t why_size)
{
    char wrong[NPJP_WRONG_MAX] = "";
    queue *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    self->service = shared;
    self->holders = 1;
    self->complete = wanted->complete;
    self->idle_time = wanted->idle_timeout;
    self->max_buffers = (size_t)(wanted->max_job_memory / POOL_BUFFER_BYTES);
    snprintf(self->printer, sizeof self->printer, "%s", wanted->name);
    npj_status status = make_commands(self, wanted, wrong);
    if (status == NPJ_STATUS_SUCCESS)
        status = make_host(self, wanted);
    if (status != NPJ_STATUS_SUCCESS) {
        snprintf(why, why_size, "%s", wrong[0] != '\0' ? wrong : npjp_status_name(status));
        free_queue(self);
        return NULL;
    }
    self->next = shared->queues;
    self->link = &shared->queues;
    if (self->next != NULL)
        self->next->link = &self->next;
    shared->queues = self;
    return self;
}

queue *queue_hold(queue *self)
{
    self->holders++;
    return self;
}

void queue_release(queue *self)
{
    if (--self->holders == 0)
        (void)npjp_host_stop(self->host, NPJ_ABORT);
}
