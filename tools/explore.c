/* SPDX-License-Identifier: MIT */
/* npj explore: the command line. */
#define _GNU_SOURCE
#include "explore.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum { SCOPES = 16, SHORT_LOOK = 5000 /* states */ };

typedef struct explore_options {
    const npjt_scope *scopes[SCOPES];
    unsigned count;
    uint64_t max_states;
    explore_telling telling;
    bool list;
} explore_options;

enum { KEY_SMALL = 256, KEY_LARGE, KEY_JSON, KEY_SEEDS, KEY_MAX_STATES, KEY_LIST };

static const struct argp_option argp_options[] = {
    {"small", KEY_SMALL, NULL, 0, "all but the large scope, in less than a minute (default)", 1},
    {"large", KEY_LARGE, NULL, 0, "the large scope: 3 jobs and 5 packets", 1},
    {"list", KEY_LIST, NULL, 0, "say what each scope is, and search nothing", 1},
    {"max-states", KEY_MAX_STATES, "NUMBER", 0, "stop when so many states are known", 2},
    {"seeds", KEY_SEEDS, "FOLDER", 0, "write the shortest tape to each (state, event, outcome) that was seen", 2},
    {"json", KEY_JSON, NULL, 0, "the result of each scope as an object in JSON", 2},
    {0}};

static const npjt_scope *find_scope(const char *name)
{
    const npjt_scope *scope;
    for (uint32_t i = 0; (scope = npjt_scope_at(i)) != NULL; i++)
        if (strcmp(scope->name, name) == 0)
            return scope;
    return NULL;
}

static error_t add_scope(const struct argp_state *state, explore_options *options, const char *name)
{
    const npjt_scope *scope = find_scope(name);
    if (scope == NULL)
        return tool_wrong(state, "there is no scope \"%s\"; --list names them", name);
    if (options->count == SCOPES)
        return tool_wrong(state, "more than %d scopes", SCOPES);
    options->scopes[options->count++] = scope;
    return 0;
}

/* All but the large one. */
static error_t add_small(const struct argp_state *state, explore_options *options)
{
    error_t error = 0;
    const npjt_scope *scope;
    for (uint32_t i = 0; error == 0 && (scope = npjt_scope_at(i)) != NULL; i++)
        if (strcmp(scope->name, "large") != 0)
            error = add_scope(state, options, scope->name);
    return error;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    explore_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        tool_options_begin(state);
        return 0;
    case ARGP_KEY_ARG:
        return add_scope(state, options, text);
    case KEY_SMALL:
        return add_small(state, options);
    case KEY_LARGE:
        return add_scope(state, options, "large");
    case KEY_LIST:
        options->list = true;
        return 0;
    case KEY_JSON:
        options->telling.json = true;
        return 0;
    case KEY_SEEDS:
        return tool_take_path(state, "--seeds", text, &options->telling.seeds);
    case KEY_MAX_STATES:
        if (!tool_parse_number(text, 1, UINT32_MAX, &options->max_states))
            return tool_wrong(state, "--max-states: a number from 1 to %u, not \"%s\"", UINT32_MAX, text);
        return 0;
    case ARGP_KEY_END:
        return options->count == 0 ? add_small(state, options) : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_number(const char *word, unsigned number, const char *behind)
{
    if (number == NPJT_ANY)
        printf(" %s: any%s", word, behind);
    else
        printf(" %s: %u%s", word, number, behind);
}

static void print_scope(const npjt_scope *scope)
{
    printf("%s\n  jobs %u, packets %u, in one job %u, in one WRITE %u, timeouts %u, clients %u", scope->name,
           scope->jobs, scope->packets, scope->job_packets, scope->batch, scope->timeout, scope->clients);
    printf(scope->pool != 0 ? ", bytes of packets %u\n" : "\n", scope->pool);
    printf("  the host takes its actions %s; memory is %s\n",
           scope->step ? "one by one, with other events between" : "all at once, after each event",
           scope->little  ? "kept for reuse, 256 bytes at most"
           : scope->reuse ? "kept for reuse"
                          : "given back at once");
    printf("  also:%s%s%s%s%s%s%s%s\n", scope->lend ? " lent writes," : "", scope->one ? " writes of one byte," : "",
           scope->empty ? " empty writes," : "", scope->message ? " message mode," : "",
           scope->misuse ? " misuse of handles and times," : "", scope->unset ? " a clock not set yet," : "",
           scope->stale ? " stale handles in every state that has them," : "", " each allocation failing or not");
    printf("  on one path at most");
    for (unsigned budget = 0; budget < NPJT_BUDGETS; budget++)
        print_number(npjt_budget_word((npjt_budget)budget), scope->budget[budget], ";");
    print_number("together", scope->faults, "\n");
}

static npjt_explore_end search(explore_options *options, const npjt_scope *scope, uint64_t max_states,
                               npjt_explored *result)
{
    explore_telling *telling = &options->telling;
    const npjt_explore_options looking = {.max_states = max_states,
                                          .progress = explore_tell_progress,
                                          .finding = explore_tell_finding,
                                          .seed = telling->seeds ? explore_tell_seed : NULL,
                                          .user = telling};
    explore_tell_begin(telling, scope);
    return npjt_explore(scope, &looking, result);
}

/* Whether a short look into all scopes comes before the long ones: most faults show within a few events. */
static bool looks_first(const explore_options *options)
{
    return options->count > 1 && (options->max_states == 0 || options->max_states > SHORT_LOOK);
}

static bool short_look_finds(explore_options *options)
{
    const char *seeds = options->telling.seeds;
    bool found = false;
    options->telling.seeds = NULL;
    for (unsigned i = 0; i < options->count && !found; i++) {
        npjt_explored result;
        npjt_explore_end end = search(options, options->scopes[i], SHORT_LOOK, &result);
        found = end == NPJT_EXPLORE_FINDING;
        if (found)
            explore_tell_end(&options->telling, end, &result);
    }
    options->telling.seeds = seeds;
    return found;
}

/* A search may take hours, and would be for nothing. */
static bool can_write_to(const char *folder)
{
    char inside[EXPLORE_PATH];
    if ((size_t)snprintf(inside, sizeof inside, "%s/.", folder) > sizeof inside - EXPLORE_NAME) {
        errno = ENAMETOOLONG;
        return false;
    }
    return access(inside, W_OK | X_OK) == 0;
}

static int explore(explore_options *options)
{
    const char *seeds = options->telling.seeds;
    if (seeds != NULL && !can_write_to(seeds)) {
        tool_complain("explore", "%s: %s", seeds, strerror(errno));
        return TOOL_TROUBLE;
    }
    int code = looks_first(options) && short_look_finds(options) ? TOOL_FAILED : TOOL_DONE;
    for (unsigned i = 0; i < options->count && code == TOOL_DONE; i++) {
        npjt_explored result;
        npjt_explore_end end = search(options, options->scopes[i], options->max_states, &result);
        explore_tell_end(&options->telling, end, &result);
        if (end == NPJT_EXPLORE_TROUBLE)
            tool_complain("explore", "no memory for more than %llu states", (unsigned long long)result.states);
        if (end != NPJT_EXPLORE_DONE)
            code = end == NPJT_EXPLORE_FINDING ? TOOL_FAILED : TOOL_TROUBLE;
        (void)fflush(stdout);
    }
    return code == TOOL_DONE && options->telling.trouble ? TOOL_TROUBLE : code;
}

int tool_explore(int argc, char **argv)
{
    static const struct argp argp = {.options = argp_options,
                                     .parser = parse,
                                     .args_doc = "[SCOPE...]",
                                     .doc = "Tries every event in every state that the engine can come to within a "
                                            "scope, beside the reference model. What "
                                            "is wrong is shown by the shortest tape that leads to it.\v" TOOL_EXIT_DOC};
    explore_options options = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return TOOL_USAGE;
    if (!options.list)
        return explore(&options);
    const npjt_scope *scope;
    for (uint32_t i = 0; (scope = npjt_scope_at(i)) != NULL; i++)
        print_scope(scope);
    return TOOL_DONE;
}
