/* SPDX-License-Identifier: MIT */
/** @file One run of a command: started, watched, bounded in time and output, and ended, whatever it does. */
#ifndef NPJOB_POSIX_COMMAND_H
#define NPJOB_POSIX_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "npjob-posix/provider.h"

enum { NPJPI_LINE_MAX = 256 };

/** Why a command was stopped. */
typedef enum npjpi_stop {
    NPJPI_NOT_STOPPED,
    NPJPI_STOPPED_TIME,   /**< its time had passed */
    NPJPI_STOPPED_CANCEL, /**< nobody waits for it any more */
    NPJPI_STOPPED_OUTPUT  /**< it printed more than it may */
} npjpi_stop;

/** Our end of an output. */
typedef struct npjpi_listener {
    int fd;       /**< -1: none */
    bool watched; /**< by the handle */
    uv_poll_t handle;
} npjpi_listener;

/** A command. Zero it before its first run. */
typedef struct npjpi_command {
    /* Set before each run. */
    uv_loop_t *loop;
    char **argv;      /**< stays as it is until ended() */
    uint64_t timeout; /**< ms; NPJ_NEVER */
    bool listened_to; /**< standard output is kept, else it goes to /dev/null */
    /** The run has ended, libuv has let go of it, and another one may be started. Called from the loop, once a run. */
    void (*ended)(struct npjpi_command *command);
    void *user;

    /* What came of it. */
    npjpi_stop stopped;
    int error;     /**< why it could not be started, an errno; 0: it was */
    int signal;    /**< that ended it; 0: it exited */
    int exit_code; /**< with this */
    char output[NPJP_OUTPUT_MAX];
    size_t output_length;
    bool overflowed;           /**< it printed more, whether it was stopped for that or before */
    char said[NPJPI_LINE_MAX]; /**< the last line of standard error that is not empty, as it came, or its beginning */
    size_t said_length;

    /* While it runs. */
    bool running; /**< from npjpi_command_start() until ended() */
    bool alive;   /**< there is a process */
    bool waiting; /**< to be tried again */
    unsigned handles;
    uint64_t started; /**< ms, from any origin */
    uint64_t due;     /**< when its time has passed; 0: it has, and was put off */
    uv_process_t process;
    uv_timer_t timer;
    npjpi_listener out, err;
    char line[NPJPI_LINE_MAX]; /**< of standard error, without its end yet */
    size_t line_length;
} npjpi_command;

/** Whether @p error says that the system has no room for a process now: no descriptors, memory or processes. */
bool npjpi_command_no_room(int error);

/** Starts a run. ended() follows, also if it cannot be started. Allocates nothing. */
void npjpi_command_start(npjpi_command *command);

/** Stops it, if it runs and was not stopped before: SIGTERM, then SIGKILL. ended() follows. */
void npjpi_command_stop(npjpi_command *command, npjpi_stop why);

/** Kills it at once, and listens to it no more. ended() follows, as soon as the system has let go of the process. */
void npjpi_command_kill(npjpi_command *command);

#endif
