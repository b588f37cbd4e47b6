/* SPDX-License-Identifier: MIT */
/* npj states: the command line. */
#include "states.h"

#include <stddef.h>

#include "run_program.h"
#include "tool.h"

typedef enum states_form { FORM_TABLE, FORM_MARKDOWN, FORM_DOT, FORM_SVG } states_form;

typedef struct states_options {
    states_form form;
    const char *svg;
} states_options;

enum { KEY_TABLE = 256, KEY_MARKDOWN, KEY_DOT, KEY_SVG };

static const struct argp_option argp_options[] = {
    {"table", KEY_TABLE, NULL, 0, "the table, aligned (default)", 1},
    {"markdown", KEY_MARKDOWN, NULL, 0, "the table in Markdown: docs/states.md", 1},
    {"dot", KEY_DOT, NULL, 0, "the diagram in the DOT language: docs/states.dot", 1},
    {"svg", KEY_SVG, "FILE", 0, "the diagram as a picture, drawn by graphviz: docs/states.svg", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    states_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        tool_options_begin(state);
        return 0;
    case ARGP_KEY_ARG:
        return tool_wrong(state, "no such argument: \"%s\"", text);
    case KEY_TABLE:
        options->form = FORM_TABLE;
        return 0;
    case KEY_MARKDOWN:
        options->form = FORM_MARKDOWN;
        return 0;
    case KEY_DOT:
        options->form = FORM_DOT;
        return 0;
    case KEY_SVG:
        options->form = FORM_SVG;
        return tool_take_path(state, "--svg", text, &options->svg);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void give_dot(FILE *out, const void *user)
{
    (void)user;
    states_print_dot(out);
}

static int draw(const char *svg)
{
    char *argv[] = {"dot", "-Tsvg", NULL};
    return run_program("states", argv, "graphviz", give_dot, NULL, svg) ? TOOL_DONE : TOOL_TROUBLE;
}

int tool_states(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .doc = "Prints the table of a job's states and events, or its diagram, from the engine's own transition table."
               "\v" TOOL_EXIT_DOC};
    states_options options = {.form = FORM_TABLE};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return TOOL_USAGE;
    switch (options.form) {
    case FORM_MARKDOWN:
        states_print_markdown(stdout);
        return TOOL_DONE;
    case FORM_DOT:
        states_print_dot(stdout);
        return TOOL_DONE;
    case FORM_SVG:
        return draw(options.svg);
    default:
        states_print_table(stdout);
        return TOOL_DONE;
    }
}
