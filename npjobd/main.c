/* SPDX-License-Identifier: MIT */
/* npjobd, the command line. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "daemon.h"
#include "load.h"
#include "npjob/npjob.h"
#include "settings.h"

#ifndef NPJOBD_CONFIG
#define NPJOBD_CONFIG "/etc/npjobd.conf"
#endif

typedef struct options {
    const char *config;
    bool test;
    bool verbose;
    bool status;
    bool json;
} options;

enum { KEY_TESTPARM = 0x100, KEY_JSON };

static const struct argp_option shown_options[] = {
    {"config", 'c', "FILE", 0, "read FILE; " NPJOBD_CONFIG " if not given", 0},
    {"testparm", KEY_TESTPARM, NULL, 0, "only check the configuration, and say what is wrong with it", 1},
    {"verbose", 'v', NULL, 0, "with --testparm: print all settings, defaults included", 1},
    {"json", KEY_JSON, NULL, 0, "with status: print JSON, one object on one line", 2},
    {0},
};

static error_t wrong(const char *text)
{
    fprintf(stderr, "npjobd: %s\n", text);
    return EINVAL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    options *self = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = NULL; /* one line of getopt's is enough */
        return 0;
    case 'c':
        self->config = argument;
        return argument[0] != '\0' ? 0 : wrong("--config: an empty path");
    case KEY_TESTPARM:
        self->test = true;
        return 0;
    case 'v':
        self->verbose = true;
        return 0;
    case KEY_JSON:
        self->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (self->status || strcmp(argument, "status") != 0)
            return wrong("there is one argument: status");
        self->status = true;
        return 0;
    case ARGP_KEY_END:
        if (self->json && !self->status)
            return wrong("--json goes with status");
        if (self->verbose && !self->test)
            return wrong("--verbose goes with --testparm");
        if (self->test && self->status)
            return wrong("status and --testparm are two things");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    shown_options,
    parse_option,
    "\nstatus",
    "Print jobs from Samba's named pipes to the commands of print providers.\v"
    "Without arguments npjobd serves in the foreground, and logs to standard error. SIGHUP has it read its "
    "configuration again. SIGTERM and SIGINT end it when its jobs have ended; after the stop timeout, or with a second "
    "signal, they are abandoned, and it ends when the abandon commands have, or after twice the command timeout and 2 "
    "seconds. "
    "`npjobd status` asks the one that is running how it does.\n\n"
    "Exit code: 0 done, 1 a socket or the system would not do, 2 the command line or the configuration is wrong.",
    NULL,
    NULL,
    NULL};

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    uint32_t version = npj_version();
    fprintf(stream, "npjobd (npjob) %u.%u.%u\n", (unsigned)(version >> 16), (unsigned)(version >> 8 & 0xff),
            (unsigned)(version & 0xff));
}

/* ---------------------------------------------------------------------------------------------- what it can do */

static settings *load(const options *self)
{
    char wrong[LOAD_WRONG];
    settings *known = load_settings(self->config, NULL, wrong);
    if (known == NULL)
        fprintf(stderr, "%s\n", wrong);
    return known;
}

/* The configuration decides where to ask. */
static int ask_status(const options *self)
{
    char why[256];
    settings *known = load(self);
    if (known == NULL)
        return DAEMON_USAGE;
    bool told = control_ask(known->control_socket, self->json, stdout, why, sizeof why);
    if (!told)
        fprintf(stderr, "npjobd: %s\n", why);
    settings_free(known);
    return told ? DAEMON_DONE : DAEMON_FAILED;
}

static void print_piece(void *user, const char *text, size_t length)
{
    (void)fwrite(text, 1, length, user);
}

static int test_settings(const options *self)
{
    settings *known = load(self);
    if (known == NULL)
        return DAEMON_USAGE;
    if (self->verbose)
        settings_print(known, print_piece, stdout);
    settings_free(known);
    return DAEMON_DONE;
}

static int run(const options *self)
{
    if (self->status)
        return ask_status(self);
    return self->test ? test_settings(self) : daemon_run(self->config);
}

/* A full disk must not pass for success; not where argp ends the program either. */
static void check_output(int code, void *data)
{
    (void)code; /* where it is wrong use nothing was printed there */
    (void)data;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    perror("npjobd: standard output");
    _exit(DAEMON_FAILED);
}

int main(int argc, char **argv)
{
    options self = {.config = NPJOBD_CONFIG};
    static char name[] = "npjobd";
    argp_program_version_hook = print_version;
    if (on_exit(check_output, NULL) != 0) {
        perror("npjobd");
        return DAEMON_FAILED;
    }
    if (argc > 0)
        argv[0] = name; /* every error line begins with it, getopt's too */
    if (argp_parse(&parser, argc, argv, 0, NULL, &self) != 0)
        return DAEMON_USAGE;
    return run(&self);
}
