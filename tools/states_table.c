/* SPDX-License-Identifier: MIT */
/* The table of states and events, as text. */
#include <stdbool.h>
#include <string.h>

#include "npjob/npjob.h"
#include "states.h"

/* One cell: the state after the event, `+` where it stays, or the initials of the status that refuses it. */
enum { CELL_MAX = 24 };

/* STATUS_INVALID_PIPE_STATE -> "ips" */
static void initials(char text[CELL_MAX], npj_status status)
{
    const char *name = npj_status_name(status) + strlen("STATUS_");
    size_t length = 0;
    for (const char *at = name; *at != '\0' && length + 1 < CELL_MAX; at++)
        if (at == name || at[-1] == '_')
            text[length++] = (char)(*at - 'A' + 'a');
    text[length] = '\0';
}

static void cell_text(char text[CELL_MAX], npj_state state, npj_event event)
{
    npj_status status = npj_table_cell(state, event).status;
    npj_state next = npj_table_cell(state, event).next;
    if (status != NPJ_STATUS_SUCCESS)
        initials(text, status);
    else
        snprintf(text, CELL_MAX, "%s", next == state ? "+" : npj_state_name(next));
}

static int column_width(npj_state state)
{
    size_t width = strlen(npj_state_name(state));
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++) {
        char text[CELL_MAX];
        cell_text(text, state, event);
        if (strlen(text) > width)
            width = strlen(text);
    }
    return (int)width;
}

static int first_width(void)
{
    size_t width = 0;
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++)
        if (strlen(npj_event_name(event)) > width)
            width = strlen(npj_event_name(event));
    return (int)width;
}

static bool refuses(npj_status status)
{
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++)
            if (npj_table_cell(state, event).status == status)
                return true;
    return false;
}

/* Each status that refuses something, in the order of NPJ_STATUS_LIST. */
static void print_key(FILE *out, const char *line)
{
#define NPJ_X(name) NPJ_STATUS_##name,
    static const npj_status all[] = {NPJ_STATUS_LIST(NPJ_X)};
#undef NPJ_X
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char text[CELL_MAX];
        if (all[i] == NPJ_STATUS_SUCCESS || !refuses(all[i]))
            continue;
        initials(text, all[i]);
        fprintf(out, line, text, npj_status_name(all[i]));
    }
}

/* A row ends with its last cell, not with spaces. */
static void print_cell(FILE *out, npj_state state, const char *text)
{
    if (state + 1 < NPJ_STATE_COUNT)
        fprintf(out, " %-*s", column_width(state), text);
    else
        fprintf(out, " %s\n", text);
}

void states_print_table(FILE *out)
{
    int first = first_width();
    fprintf(out, "%-*s", first, "");
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        print_cell(out, state, npj_state_name(state));
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++) {
        fprintf(out, "%-*s", first, npj_event_name(event));
        for (npj_state state = 0; state < NPJ_STATE_COUNT; state++) {
            char text[CELL_MAX];
            cell_text(text, state, event);
            print_cell(out, state, text);
        }
    }
    fputs("\nA name: taken, and the state that follows.  +: taken, the state stays.  Refused with:\n", out);
    print_key(out, "  %-4s %s\n");
}

void states_print_markdown(FILE *out)
{
    fputs("# The states of a job\n\n"
          "Made by `npj states --markdown` from the engine's transition table; a test holds this page against it.\n\n"
          "![The states of a job](states.svg)\n\n"
          "A row is an event, a column a state. A name says that the event is taken, and which state follows; `+` that "
          "it is taken and\nthe state stays; anything else is the status that refuses it. `npjob/table.h` says what "
          "the states and events are, and\nwhat may still refuse an event that the table takes.\n\n| |",
          out);
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        fprintf(out, " %s |", npj_state_name(state));
    fputs("\n|---|", out);
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        fputs("---|", out);
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++) {
        fprintf(out, "\n| **%s** |", npj_event_name(event));
        for (npj_state state = 0; state < NPJ_STATE_COUNT; state++) {
            char text[CELL_MAX];
            bool taken = npj_table_cell(state, event).status == NPJ_STATUS_SUCCESS;
            cell_text(text, state, event);
            fprintf(out, taken ? " %s |" : " *%s* |", text);
        }
    }
    fputs("\n\n| refused with | |\n|---|---|\n", out);
    print_key(out, "| *%s* | %s |\n");
}
