/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One connection of smbd: a handshake, then the bytes of one print job.
 *
 * A connection is its own: it is made for an accepted descriptor, ends by itself or by connection_abort(), and its
 * memory goes when its job has ended and libuv has closed its handles. On the way it goes through
 *
 *     handshake    the socket is read into the parser, within the time limit
 *     job          the socket is read into buffers, which are lent to the engine
 *     ending       the socket is closed (the client's next write fails, if there is one); the job takes its course
 *
 * The socket is closed as soon as it has nothing more to give: the descriptor may be wanted.
 */
#ifndef NPJOBD_CONNECTION_H
#define NPJOBD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "npa.h"
#include "npjob-posix/host.h"
#include "printer.h"
#include "whole.h"

typedef struct connection {
    struct connection *next; /**< in the service's list, until it has ended */
    struct connection **link;
    printer *printer; /**< outlives it */
    queue *queue;     /**< held: the printer's when the connection came */
    uid_t peer;

    uv_poll_t poll;
    uv_timer_t limit; /**< of the handshake, then of the client's silence */
    int fd;           /**< -1: given back */
    int open_handles; /**< of libuv; with the last one its memory goes */
    bool ended;       /**< in no list any more */
    npa_parser parser;

    /* The job (job.c). */
    npjp_job *job;   /**< NULL before and after */
    uint64_t serial; /**< its number; 0: the handshake is not over */
    uint64_t began;  /**< uv_now() */
    uint64_t heard;  /**< uv_now(): when bytes last came from the client, or left for the pipe */
    uint64_t bytes;  /**< read from the client */
    uint64_t packets;
    size_t buffers; /**< of the pool, that it has out */
    bool starved;   /**< not read from, for want of a buffer */
    bool added;     /**< AddJob has succeeded */
    bool lost;      /**< what came is not whole, and nothing more comes */
    bool scheduled; /**< the close was answered SUCCESS */
    whole_stream whole;
    const char *ending; /**< the verdict in words; static */
    npj_status failure; /**< the first, or SUCCESS */
    const char *reason; /**< ours, for the log; static, or NULL */
} connection;

/**
 * Begins a connection.
 *
 * @param fd the connection's if it succeeds, else still the caller's.
 * @return whether there was memory for it.
 */
bool connection_new(printer *owner, int fd);

/** Has the socket read, or not. Does nothing once it was given back. */
void connection_listen(connection *self, bool on);

/** Gives the socket back. Does nothing the second time. */
void connection_close_socket(connection *self);

/** The end, when there is no job or none any more. */
void connection_end(connection *self);

/** Ends a connection that has no job, with a line in the log: @p reason. */
void connection_refuse(connection *self, const char *reason);

/** Ends it by force: the job is abandoned with the status @p why, for @p reason (static words). */
void connection_abort(connection *self, npj_status why, const char *reason);

#endif
