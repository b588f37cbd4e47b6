/* SPDX-License-Identifier: MIT */
/*
 * The diagram of the states, in the DOT language.
 *
 * Which states there are on the way to a good end, which on the way of a failure, and where the edges go, is read from
 * the table: the good way follows FINISH from ADDING, the failing one follows FINISH from where failures lead. Only the
 * words beside a state are this file's own.
 */
#include <assert.h>
#include <stdbool.h>

#include "npjob/npjob.h"
#include "states.h"

/* The operation that a state issues, and what finishes it (table.h). */
static const struct {
    const char *operation;
    const char *finish;
} words[] = {
    [NPJ_STATE_ADDING] = {"ADD_JOB", "the provider\\nhas the job"},
    [NPJ_STATE_ADDED] = {"", "a connect\\nis accepted"},
    [NPJ_STATE_CONNECTING] = {"OPEN", "the pipe\\nis open"},
    [NPJ_STATE_OPEN] = {"WRITE", "a close\\nis accepted"},
    [NPJ_STATE_CLOSING] = {"WRITE", "every write\\nis answered"},
    [NPJ_STATE_CLEANUP] = {"CLOSE_PIPE", "the pipe\\nis closed"},
    [NPJ_STATE_SCHEDULING] = {"SCHEDULE_JOB", "the provider\\ntook the job"},
    [NPJ_STATE_ABORTING] = {"", "no operation\\nis in flight"},
    [NPJ_STATE_CLEANUP_FAILED] = {"CLOSE_PIPE", "no pipe\\nis open"},
    [NPJ_STATE_ABANDONING] = {"ABANDON_JOB", "the provider\\nhas no job"},
    [NPJ_STATE_BROKEN] = {"", "no close\\nis awaited"},
    [NPJ_STATE_GONE] = {"", ""},
};
static_assert(sizeof words / sizeof words[0] == NPJ_STATE_COUNT, "words for each state");

/* Points, as `pos` takes them. A failing state stands below the good one that it is about. */
enum { STEP_X = 180, ROW_Y = 170, LABEL_ABOVE = 16, LABEL_ASIDE = 42 };

typedef struct state_place {
    bool placed;
    bool failing;
    int x;
    int y;
} state_place;

static npj_state after_finish(npj_state state)
{
    return npj_table_cell(state, NPJ_EVENT_FINISH).next;
}

/* Whether @p event makes @p state fail: it leaves the state otherwise than by being finished. */
static bool fails(npj_state state, npj_event event)
{
    npj_cell cell = npj_table_cell(state, event);
    return event != NPJ_EVENT_FINISH && cell.status == NPJ_STATUS_SUCCESS && cell.next != state;
}

/* Where @p state goes when it fails, or the state itself if it does not. */
static npj_state after_failure(npj_state state)
{
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++)
        if (fails(state, event))
            return npj_table_cell(state, event).next;
    return state;
}

static void place_states(state_place places[NPJ_STATE_COUNT])
{
    int x = 0;
    for (npj_state state = NPJ_STATE_ADDING; !places[state].placed; state = after_finish(state), x++)
        places[state] = (state_place){.placed = true, .x = x * STEP_X, .y = ROW_Y};

    /* The failing way begins below the middle of the states that fall into it, and ends at the end. */
    x = 3;
    for (npj_state state = after_failure(NPJ_STATE_ADDING); !places[state].placed; state = after_finish(state)) {
        places[state] = (state_place){.placed = true, .failing = true, .x = x * STEP_X, .y = 0};
        x += x == 3 ? 2 : 1;
    }
}

static void print_node(FILE *out, npj_state state, const state_place *place)
{
    const char *fill = place->failing ? "#fdecea" : "#e8f1fb";
    const char *line = place->failing ? "#b3372b" : "#2b5f9e";
    if (state == NPJ_STATE_GONE) {
        fill = "#eeeeee";
        line = "#555555";
    }
    fprintf(out, "  %s [pos=\"%d,%d!\", fillcolor=\"%s\", color=\"%s\", label=<<b>%s</b>", npj_state_name(state),
            place->x, place->y, fill, line, npj_state_name(state));
    if (words[state].operation[0] != '\0')
        fprintf(out, "<br/><font point-size=\"10\">%s</font>", words[state].operation);
    fputs(">];\n", out);
}

/* The words stand in a node of their own: neato puts the label of an edge on either side, and across it. */
static void print_finish(FILE *out, npj_state state, const state_place places[NPJ_STATE_COUNT])
{
    npj_state next = after_finish(state);
    if (next == state)
        return;
    const state_place *from = &places[state];
    const state_place *to = &places[next];
    bool level = from->y == to->y;
    int x = (from->x + to->x) / 2 - (level ? 0 : LABEL_ASIDE);
    int y = (from->y + to->y) / 2 + (level ? LABEL_ABOVE : 0);
    fprintf(out, "  %s -> %s [color=\"%s\"];\n", npj_state_name(state), npj_state_name(next),
            from->failing ? "#b3372b" : "#2b5f9e");
    fprintf(out, "  finish_%s [pos=\"%d,%d!\", shape=plaintext, style=\"\", fontsize=10, label=\"%s\"];\n",
            npj_state_name(state), x, y, words[state].finish);
}

/* One dashed edge, whatever the number of events; they are its tooltip. */
static void print_failure(FILE *out, npj_state state)
{
    npj_state next = after_failure(state);
    if (next == state)
        return;
    fprintf(out, "  %s -> %s [style=dashed, color=\"#b3372b\", tooltip=\"", npj_state_name(state),
            npj_state_name(next));
    const char *comma = "";
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++) {
        if (!fails(state, event))
            continue;
        fprintf(out, "%s%s", comma, npj_event_name(event));
        comma = ", ";
    }
    fputs("\"];\n", out);
}

/* The events that make any state fail, for the line below the picture. */
static void print_legend(FILE *out)
{
    fputs("  label=<<br/><br/><font point-size=\"12\">solid: the state is finished; dashed: the job fails, by ", out);
    const char *comma = "";
    for (npj_event event = 0; event < NPJ_EVENT_COUNT; event++) {
        bool any = false;
        for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
            any = any || fails(state, event);
        if (!any)
            continue;
        fprintf(out, "%s%s", comma, npj_event_name(event));
        comma = ", ";
    }
    fputs("</font>>;\n", out);
}

void states_print_dot(FILE *out)
{
    state_place places[NPJ_STATE_COUNT] = {0};
    place_states(places);

    fputs("// The states of a job. Made by `npj states --dot` from the engine's transition table.\n"
          "digraph states {\n"
          "  layout=neato; splines=line; inputscale=72; pad=0.15; bgcolor=white;\n"
          "  fontname=\"Helvetica\"; labelloc=b; tooltip=\"the states of a print job\";\n"
          "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, width=1.6, height=0.6,"
          " fixedsize=true, penwidth=1.4];\n"
          "  edge [arrowsize=0.8, penwidth=1.2];\n",
          out);
    print_legend(out);
    fputc('\n', out);
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        print_node(out, state, &places[state]);
    fputc('\n', out);
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        print_finish(out, state, places);
    fputc('\n', out);
    for (npj_state state = 0; state < NPJ_STATE_COUNT; state++)
        print_failure(out, state);
    fputs("}\n", out);
}
