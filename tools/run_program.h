/* SPDX-License-Identifier: MIT */
/** @file Other programs: graphviz's dot, gnuplot. */
#ifndef NPJ_RUN_PROGRAM_H
#define NPJ_RUN_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

/** Writes what the program is to read from its standard input. */
typedef void (*program_input)(FILE *out, const void *user);

/**
 * Runs @p argv (found in PATH, no shell), feeds it, waits for its end, and writes what it has said on its standard
 * output into @p path. What was there stays unless the program ended with success and said something. What goes wrong
 * is told on stderr as a line of @p command; a program that is not there is named with @p package, which has it in
 * Debian.
 * @return whether all of it was written.
 */
bool run_program(const char *command, char *const argv[], const char *package, program_input input, const void *user,
                 const char *path);

#endif
