/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The queue of a printer: an engine, the provider's commands, and the settings that jobs are made with.
 *
 * Settings never change under a job: when the configuration is read again, a printer gets a new queue for new jobs, and
 * the old one lives until its last job has ended. So a queue has several owners, the printer and each of its
 * connections; each holds it by queue_hold() and gives it up by queue_release(), and the last one ends it.
 */
#ifndef NPJOBD_QUEUE_H
#define NPJOBD_QUEUE_H

#include <stddef.h>

#include "npjob-posix/host.h"
#include "npjob-posix/provider.h"
#include "service.h"
#include "settings.h"
#include "whole.h"

typedef struct queue {
    service *service;
    struct queue *next;  /**< in the service's list */
    struct queue **link; /**< what points to this one there */
    size_t holders;
    npjp_host *host;
    npjp_commands *commands;
    whole_format complete; /**< what makes a job whole */
    uint64_t idle_time;    /**< ms: how long a client may send nothing */
    size_t max_buffers;    /**< that one job may have out of the pool */
    char printer[SETTINGS_NAME_MAX + 1];
} queue;

/**
 * Makes the queue of one printer, held once by the caller.
 *
 * @param wanted   read, not kept.
 * @param why      receives words for a log line on failure.
 * @return the queue, or NULL.
 */
queue *queue_new(service *shared, const settings_printer *wanted, char *why, size_t why_size);

/** One more holder. @return @p self. */
queue *queue_hold(queue *self);

/** One holder less. After the last one, when no job is left, the engine is stopped, and the queue freed from the loop.
 */
void queue_release(queue *self);

#endif
