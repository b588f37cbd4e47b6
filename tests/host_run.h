/* SPDX-License-Identifier: MIT */
/** @file A job through the commands of a provider, on the host of host_support.h. */
#ifndef NPJOB_TESTS_HOST_RUN_H
#define NPJOB_TESTS_HOST_RUN_H

#include <sys/types.h>

#include "host_support.h"

/** Lines of commands; "@/" stands for the folder of the test. */
#define ADD      "sh -c 'echo @/pipe; echo 74'"
#define SCHEDULE "sh -c 'echo scheduled \"$@\" >>@/log' x %j"
#define ABANDON  "sh -c 'echo abandoned \"$@\" >>@/log' x %j %r"

/** A job through commands. Zero it, then set what differs from the lines above. */
struct run {
    const char *add, *schedule, *abandon;
    uint64_t timeout;
    struct rig *r;
    npjp_commands *commands;
    struct seen s;
};

/** A host, the commands and a listening pipe. */
void run_prepare(struct run *run);

/** What is asked of them. */
npjp_job_options run_options(struct run *run);

/** All that, and a job. The owner of the commands gives them up at once: the job keeps them. */
void run_start(struct run *run);

/** A write, and a close. */
void run_print(struct run *run);

/** Asserts that all has been given back. */
void run_end(struct run *run);

/** What a file in the folder holds; "" if it is not there. Valid until the next call. */
char *run_file(const struct rig *r, const char *name);
bool run_has_file(const struct rig *r, const char *name);

/** The process whose number a command has written to the file pid. */
pid_t pid_of(const struct rig *r);

/** Whether a process has ended: it may wait as a zombie for whoever adopted it. */
bool is_gone(pid_t pid);

/** Conditions for until(). */
bool has_pid(struct seen *s);
bool pid_is_gone(struct seen *s);
bool add_is_answered(struct seen *s);

uint64_t ms_since(uint64_t begun);

#endif
