/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Print providers that are commands: one command for AddJob, one for ScheduleJob, one to abandon a job.
 *
 * A command line is taken apart once, when the provider is made. Words are separated by blanks; '...', "..." and the
 * backslash quote as in sh. Nothing else of a shell is known: what a shell would act upon and is not quoted (one of
 * |&;<>()$` ) is an error, not a surprise; `sh -c '... "$1" ...' sh %J` is the way to a shell. Then values are put into
 * the words, after they were separated, so that a value is never more than (part of) one word:
 *
 *     %p  the printer                      %j  the JobId; schedule and abandon only
 *     %J  the job's name                   %r  why the job failed, the name of an NTSTATUS, or, where npjob has none,
 *                                              its number, 0xC0000102; abandon only
 *     %u  the user                         %%  a percent sign
 *     %s  the client
 *
 * The values come from strangers: whatever is not a printable character in well-formed UTF-8 becomes "_", and so does a
 * "-" at the beginning of a value, which might be taken for an option. (A slash stays: who makes file names of a
 * value looks at it.) But a value within the text of a program is a part of that program: in `sh -c 'echo %J'` a client
 * called `$(reboot)` would be obeyed. So a word behind one that is "-c", however it is quoted, or comes to that by a
 * value, takes no value. That keeps out the mistake that is most often made, and no other (`sh -ec`, `perl -e`,
 * `ssh host`): hand values over as words of their own. The first word names the program, looked up in PATH if it has no
 * slash, and takes no value.
 *
 * How a command runs:
 *
 * - As the leader of a session and process group of its own, with the host's environment and working directory.
 * Standard input is /dev/null, standard error is a pipe, and so is the standard output of addjob; that of the
 * schedule and abandon commands goes to /dev/null. No other descriptor is handed down: just before, every one above 2
 * that the process holds is marked close-on-exec (close_range(), Linux 5.11), those of the program around the library
 * too.
 * - It has ended when its process has exited, of which libuv learns by SIGCHLD: with the signal blocked in every thread
 * of the program, no command ends. What it leaves running in the background lives on, and is not waited for, even if it
 * holds the outputs open. But these are read no more, and to write there is SIGPIPE: a command leaves something running
 * with its own output closed or elsewhere.
 * - Past its time, or cancelled, its group gets SIGTERM; a second later, or when the command itself has exited,
 * whatever is left of the group gets SIGKILL. When the host is freed, all of it gets SIGKILL at once. What the program
 * may not signal (setuid, sudo) runs until it ends by itself.
 * - Exit code 0 is success, also if it comes after SIGTERM; 75 (EX_TEMPFAIL) is PIPE_NOT_AVAILABLE, 77 (EX_NOPERM)
 * ACCESS_DENIED, any other, and death by a signal, NPJP_STATUS_UNSUCCESSFUL. One that had to be stopped is IO_TIMEOUT
 * or CANCELLED. One that cannot be started is NPJP_STATUS_UNSUCCESSFUL, or INSUFFICIENT_RESOURCES if the system has no
 * descriptors, memory or processes for it. npjp_job_trouble() tells more, with the last line of standard error.
 * - A command for which the system has no room is tried again until its time has passed.
 *
 * The addjob command prints two lines, each ended by a newline, and nothing else: the absolute path of the pipe, which
 * is a listening Unix-domain socket or a FIFO, and the JobId in decimal, 1 to 4294967295. Everything else is a failed
 * AddJob (NPJP_STATUS_UNSUCCESSFUL): nothing, more, a NUL byte, a relative path. One that prints more than
 * NPJP_OUTPUT_MAX bytes, were it after SIGTERM, is stopped and has no job. If it printed a job and was then killed, by
 * the library (past its time, cancelled) or by others, the job is abandoned. If it printed a job and exited with an
 * error, it has no job: it cleans up after itself.
 */
#ifndef NPJOB_POSIX_PROVIDER_H
#define NPJOB_POSIX_PROVIDER_H

#include "npjob-posix/host.h"

#ifdef __cplusplus
extern "C" {
#endif

/** STATUS_UNSUCCESSFUL (MS-ERREF 2.3.1): a command failed, and it has no better word for it. */
#define NPJP_STATUS_UNSUCCESSFUL UINT32_C(0xC0000001)

/** What an addjob command may print, in bytes. */
#define NPJP_OUTPUT_MAX 4096

/** The longest text that says what is wrong with a command, its terminator included. */
#define NPJP_WRONG_MAX 160

/** A provider made of three commands. */
typedef struct npjp_commands npjp_commands;

/** Settings of a provider. The three commands have to be set; the strings are copied. */
typedef struct npjp_commands_config {
    const char *add_job;      /**< the addjob command */
    const char *schedule_job; /**< the schedule command */
    const char *abandon_job;  /**< the abandon command */
    uint64_t timeout;         /**< ms, for each run of a command; 0: 30000; NPJ_NEVER: none */
    npj_mem mem;              /**< NULL functions: malloc(). Used until the last command has been reaped */
} npjp_commands_config;

/**
 * Makes a provider. Nothing is run.
 *
 * @param config read, not kept.
 * @param out    receives the provider on SUCCESS, untouched otherwise. The caller owns it; npjp_commands_free() ends
 * it.
 * @param wrong  receives on INVALID_PARAMETER what is wrong, for people to read: "addjob command: a quote is not
 *               closed". At most NPJP_WRONG_MAX bytes. After any other result its text means nothing. May be NULL.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER; NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no).
 */
npj_status npjp_commands_new(const npjp_commands_config *config, npjp_commands **out, char *wrong);

/**
 * Gives a provider up. Legal at any time on the loop's thread: jobs that were added with it keep it until they have
 * ended, so that new settings can be taken for new jobs.
 *
 * @param commands set to NULL. NULL and a pointer to NULL are allowed.
 */
void npjp_commands_free(npjp_commands **commands);

/** The calls of such a provider, for npjp_job_options.provider; npjp_job_options.provider_user is the npjp_commands. */
const npjp_provider_calls *npjp_commands_calls(void);

/** Which of the three a command is. */
typedef enum npjp_command { NPJP_ADD_JOB, NPJP_SCHEDULE_JOB, NPJP_ABANDON_JOB } npjp_command;

/**
 * Checks one command line, as npjp_commands_new() would, which looks at all three.
 *
 * @param which which values it may ask for.
 * @param wrong as there, but without the command's name in front.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER.
 */
npj_status npjp_command_check(npjp_command which, const char *line, char *wrong);

/** As npj_status_name(), and knows STATUS_UNSUCCESSFUL. */
const char *npjp_status_name(npj_status status);

#ifdef __cplusplus
}
#endif

#endif
