/* SPDX-License-Identifier: MIT */
/** @file What the subcommands of npj share: exit codes, error lines, options, sizes. */
#ifndef NPJ_TOOL_H
#define NPJ_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "npjob/status.h"

/** How npj ends. A signal that ended a job (SIGINT, SIGTERM) adds 128, as a shell would say it. */
enum tool_exit {
    TOOL_DONE = 0,   /**< all is well */
    TOOL_FAILED = 1, /**< the job failed, or the tape found something */
    TOOL_USAGE = 2,  /**< the command line is wrong */
    TOOL_TROUBLE = 3 /**< a file, or a program that is needed, is missing or would not do */
};

/** Said at the end of every --help. */
#define TOOL_EXIT_DOC                                                                                                  \
    "Exit code: 0 done, 1 the job failed or a finding, 2 wrong use, 3 a file or a program would not do, 128 + signal " \
    "when interrupted."

/** The subcommands. @p argv[0] is "npj: NAME"; the result is an exit code. */
int tool_send(int argc, char **argv);
int tool_q226513(int argc, char **argv);
int tool_tape(int argc, char **argv);
int tool_states(int argc, char **argv);
int tool_explore(int argc, char **argv);

/** Prints `npj COMMAND: text`, or `npj: text` without a command, as one line on stderr. */
void tool_complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Removes a file that could not be written in full: what is there of it might pass for all. Anything else stays. */
void tool_discard(const char *path);

/** To be called by a parser of options on ARGP_KEY_INIT: an error becomes one line. */
void tool_options_begin(struct argp_state *state);

/** Prints `argv[0]: text` for a wrong command line. @return EINVAL, for the parser to hand on. */
error_t tool_wrong(const struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Takes @p text for the path that @p name has. @return 0, or what tool_wrong() does of one that is empty. */
error_t tool_take_path(const struct argp_state *state, const char *name, const char *text, const char **out);

/**
 * Reads a number of bytes: digits, then nothing, K, M or G, or KiB, MiB, GiB (1024 each).
 * @return whether @p text is such a number and fits; @p out is untouched otherwise.
 */
bool tool_parse_bytes(const char *text, uint64_t *out);

/** Reads a plain decimal number from @p least to @p most. @return whether it is one. */
bool tool_parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/** Writes @p bytes as "64 KiB", "1.5 MiB", "512 B", rounded, into @p text. @return @p text. */
const char *tool_format_bytes(char text[32], double bytes);

/** Writes @p bytes exactly, in the largest unit that they are a multiple of: "64 KiB", "1536 KiB", "65535 B". @return
 * @p text. */
const char *tool_format_size(char text[32], uint64_t bytes);

/** "STATUS_PIPE_BROKEN", or "NTSTATUS 0xC0000123" for one that has no name here, into @p text. @return @p text. */
const char *tool_format_status(char text[64], npj_status status);

#endif
