/* SPDX-License-Identifier: MIT */
/* The scripts in which the faults of twin_faults.c show. */
#ifndef NPJOB_TESTS_TWIN_SCRIPTS_H
#define NPJOB_TESTS_TWIN_SCRIPTS_H

#include "twin_faults.h"

static const uint8_t plain[] = {0,
                                0xE0,
                                0,
                                OPEN(0),
                                OPEN(2),
                                STEP(WRITE, 0, 5, 0),
                                STEP(WRITE, 2, 6, 0),
                                DO(DRAIN, 0),
                                STEP(COMPLETE, 0, 4, 3),
                                DO(COMPLETE, 2),
                                STEP(WRITE, 0, 7, 0),
                                STEP(WRITE, 0, 4, 0),
                                END(2),
                                END(0)};

static const uint8_t aborted[] = {0,
                                  0xE0,
                                  0,
                                  OPEN(0),
                                  OPEN(2),
                                  STEP(WRITE, 0, 5, 0),
                                  DO(DRAIN, 0),
                                  STEP(WRITE, 2, 5, 0),
                                  DO(ABORT, 0),
                                  STEP(WRITE, 0, 5, 0),
                                  STEP(WRITE, 2, 5, 0),
                                  DO(DRAIN, 0)};

static const uint8_t crossed[] = {0, 0xE0, 1, DO(ADD, 2), DO(ADD, 0), DO(ADD, 0), DO(DRAIN, 0)};

static const uint8_t pipelined[] = {0, 0xE0, 0, DO(ADD, 0), DO(CONNECT, 0), DO(DRAIN, 0), DO(COMPLETE, 0), END(0)};

static const uint8_t written_late[] = {0,
                                       0xE0,
                                       0,
                                       OPEN(0),
                                       STEP(WRITE, 0, 5, 0),
                                       DO(DRAIN, 0),
                                       DO(COMPLETE, 0),
                                       DO(CLOSE, 0),
                                       STEP(WRITE, 0, 5, 0),
                                       DO(DRAIN, 0)};

static const uint8_t connected_twice[] = {0, 0xE0, 0, OPEN(0), STEP(EXTRA, 0, 1, 0), STEP(WRITE, 0, 5, 0), END(0)};

static const uint8_t starved[] = {0, 0xE0, 0, OPEN(0), STARVED(WRITE, 0, 5), STEP(WRITE, 0, 5, 0), END(0)};

static const uint8_t crowded[] = {0,
                                  0xE1,
                                  1,
                                  OPEN(0),
                                  STEP(WRITE, 0, 5, 0),
                                  STEP(WRITE, 0, 5, 0),
                                  STEP(WRITE, 0, 5, 0),
                                  STEP(WRITE, 0, 5, 0),
                                  STEP(WRITE, 0, 5, 0),
                                  END(0)};

/* The second WRITE is one of two packets, in whose time the job is full again. */
static const uint8_t crowded_twice[] = {0,
                                        0xE1,
                                        1,
                                        OPEN(0),
                                        STEP(WRITE, 0, 5, 0),
                                        STEP(WRITE, 0, 5, 0),
                                        STEP(WRITE, 0, 5, 0),
                                        STEP(COMPLETE, 0, 4, 8),
                                        STEP(WRITE, 0, 5, 0),
                                        STEP(WRITE, 0, 5, 0),
                                        DO(COMPLETE, 0),
                                        END(0)};

#define LOOKED_AT(which)                                                                                               \
    {0, 0xE0, 0, STEP(ADVANCE, 0, 10, 0), OPEN(0), STEP(WRITE, 0, 5, 0), STEP(EXTRA, 0, which, 0), END(0)}
static const uint8_t counted[] = LOOKED_AT(0), looked_at[] = LOOKED_AT(1), timed[] = LOOKED_AT(2),
                     checked[] = LOOKED_AT(3);

static const uint8_t cancelled_nothing[] = {0, 0xE0, 0, OPEN(0), STEP(EXTRA, 0, 10, 0), STEP(WRITE, 0, 5, 0), END(0)};

static const uint8_t turned_back[] = {
    0, 0xE0, 0, STEP(ADVANCE, 0, 10, 0), OPEN(0), STEP(WRITE, 0, 5, 0), STEP(EXTRA, 0, 6, 20), END(0)};

#endif
