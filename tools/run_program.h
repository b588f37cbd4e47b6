/* SPDX-License-Identifier: MIT */
/** @file Other programs: graphviz's dot, gnuplot. */
#ifndef NPJ_RUN_PROGRAM_H
#define NPJ_RUN_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

/** Writes what the program is to read from its standard input. */
typedef void (*program_input)(FILE *out, const void *user);

/**
 * Makes @p path an empty file, so that a path that cannot be written is told in one line, not in the program's many.
 * @return whether it could; if not, a line of @p command has said why.
 */
bool prepare_output(const char *command, const char *path);

/**
 * Runs @p argv (found in PATH, no shell), feeds it, and waits for its end. What goes wrong is said on stderr as a line
 * of @p command; a program that is not there is named with @p package, which has it in Debian.
 * @return whether the program ended with success.
 */
bool run_program(const char *command, char *const argv[], const char *package, program_input input, const void *user);

#endif
