/* SPDX-License-Identifier: MIT */
/* npj, the command: finds the subcommand. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npjob/npjob.h"
#include "tool.h"

static const struct subcommand {
    const char *name;
    const char *doc;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"send", "send a file through a named pipe as a print job", tool_send},
    {"q226513", "show the leak of KB Q226513 beside an engine without it", tool_q226513},
    {"tape", "read, write and run tapes: recorded orders of events", tool_tape},
    {"explore", "try every event in every state within a scope", tool_explore},
    {"states", "print the table of states and events, draw its diagram", tool_states},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    uint32_t version = npj_version();
    fprintf(stream, "npj (npjob) %u.%u.%u\n", (unsigned)(version >> 16), (unsigned)(version >> 8 & 0xff),
            (unsigned)(version & 0xff));
}

static int print_help(void)
{
    puts("Usage: npj COMMAND [OPTION...]\n"
         "Named-pipe print jobs: the engine of an SMB server, from the command line.\n");
    for (int i = 0; i < SUBCOMMANDS; i++)
        printf("  npj %-9s %s\n", subcommands[i].name, subcommands[i].doc);
    puts("\n  npj COMMAND --help   what a command takes\n"
         "  npj --version        the version of the engine\n\n" TOOL_EXIT_DOC);
    return TOOL_DONE;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        fputs("npj: no command; npj --help lists them\n", stderr);
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        print_version(stdout, NULL);
        return TOOL_DONE;
    }
    for (int i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(argv[1], subcommands[i].name) != 0)
            continue;
        static char called[32]; /* argv[0] of the subcommand: its usage and every error line start with it */
        snprintf(called, sizeof called, "npj %s", subcommands[i].name);
        argv[1] = called;
        return subcommands[i].run(argc - 1, argv + 1);
    }
    tool_complain(NULL, "\"%s\": no such command; npj --help lists them", argv[1]);
    return TOOL_USAGE;
}

/* Whoever started us may have closed the standard streams. A socket in their place would be taken for one. What takes
 * it is of no use: who reads an input that is not there, or writes to such an output, is told. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* A full disk must not pass for success; not where argp ends the program either. */
static void check_output(int code, void *data)
{
    (void)data;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    perror("npj: standard output");
    if (code == TOOL_DONE)
        _exit(TOOL_TROUBLE);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    argp_program_version_hook = print_version;
    if (on_exit(check_output, NULL) != 0) {
        perror("npj");
        return TOOL_TROUBLE;
    }
    return dispatch(argc, argv);
}
