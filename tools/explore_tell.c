/* SPDX-License-Identifier: MIT */
/* npj explore: what a search says, on the way and at its end. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "tool.h"

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void explore_tell_begin(explore_telling *telling, const npjt_scope *scope)
{
    telling->scope = scope;
    telling->began = telling->shown = seconds_now();
}

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}

/* Every state that is known has still to be expanded, and will show others: what is left is at least so much. */
bool explore_tell_progress(void *user, const npjt_explored *so_far)
{
    explore_telling *telling = user;
    double now = seconds_now(), taken = now - telling->began;
    if (!isatty(STDERR_FILENO) || now - telling->shown < 0.25)
        return true;
    telling->shown = now;
    char memory[32];
    double rate = (double)so_far->transitions / taken;
    double each = (double)so_far->transitions / (double)so_far->expanded;
    double least = (double)(so_far->states - so_far->expanded) * each / rate;
    fprintf(stderr,
            "\r\033[K%s: depth %" PRIu32
            ", %.2f M states, %.0f %% of them expanded, %.1f M transitions, %.2f M/s, %s, at "
            "least %.0f s more",
            telling->scope->name, so_far->depth, (double)so_far->states / 1e6,
            100 * (double)so_far->expanded / (double)so_far->states, (double)so_far->transitions / 1e6, rate / 1e6,
            tool_format_bytes(memory, (double)so_far->bytes), least);
    return true;
}

void explore_tell_finding(void *user, const char *sentence, const uint8_t *tape, size_t size)
{
    const explore_telling *telling = user;
    FILE *out = telling->json ? stderr : stdout;
    clear_progress();
    size_t events = (size - NPJT_HEADER_BYTES) / NPJT_RECORD_BYTES;
    fprintf(out, "explore: violation law=model sentence=\"%s\" events=%zu\n", sentence, events);
    (void)npjt_tape_print(out, tape, size, UINT32_MAX);
}

/* "open-write-pipe_broken-open.tape" */
static void seed_name(char *out, size_t room, const npj_trace *outcome)
{
    (void)snprintf(out, room, "%s-%s-%s-%s.tape", npj_state_name(outcome->from), npj_event_name(outcome->event),
                   npj_status_name(outcome->status), npj_state_name(outcome->to));
    for (char *at = out; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
}

/* Whether no scope before has led there by a tape that is as short; it is, from now on, by one of this @p size. */
static bool is_shorter(explore_telling *telling, const npj_trace *outcome, size_t size)
{
    for (size_t i = 0; i < telling->written_count; i++) {
        explore_seed *seed = &telling->written[i];
        if (seed->from != outcome->from || seed->to != outcome->to || seed->event != outcome->event ||
            seed->status != outcome->status)
            continue;
        bool shorter = size < seed->size;
        seed->size = shorter ? size : seed->size;
        return shorter;
    }
    if (telling->written_count < sizeof telling->written / sizeof *telling->written)
        telling->written[telling->written_count++] =
            (explore_seed){outcome->from, outcome->to, outcome->event, outcome->status, size};
    return true;
}

void explore_tell_seed(void *user, const npj_trace *outcome, const uint8_t *tape, size_t size)
{
    explore_telling *telling = user;
    char name[EXPLORE_NAME], path[EXPLORE_PATH];
    if (!is_shorter(telling, outcome, size))
        return;
    seed_name(name, sizeof name, outcome);
    (void)snprintf(path, sizeof path, "%s/%s", telling->seeds, name);
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    if (good) {
        fprintf(file, "# %s in state %s: %s, and then %s. The shortest way there in the scope \"%s\".\n",
                npj_event_name(outcome->event), npj_state_name(outcome->from), npj_status_name(outcome->status),
                npj_state_name(outcome->to), telling->scope->name);
        good = npjt_tape_print(file, tape, size, UINT32_MAX);
        good = fclose(file) == 0 && good;
    }
    if (good)
        return;
    if (!telling->trouble)
        tool_complain("explore", "%s: %s", path, strerror(errno));
    telling->trouble = true;
    if (file != NULL)
        tool_discard(path);
}

static void tell_json(const explore_telling *telling, npjt_explore_end end, const npjt_explored *result, double taken)
{
    const npjt_scope *scope = telling->scope;
    printf("{\"scope\": \"%s\", \"jobs\": %" PRIu32 ", \"packets\": %" PRIu32 ", \"states\": %" PRIu64
           ", \"transitions\": %" PRIu64 ", \"unchanged\": %" PRIu64 ", \"failed_allocations\": %" PRIu64
           ", \"depth\": %" PRIu32 ", \"outcomes\": %" PRIu32
           ", \"seconds\": %.3f, \"violations\": %d, \"closed\": %s}\n",
           scope->name, scope->jobs, scope->packets, result->states, result->transitions, result->refused,
           result->failures, result->depth, result->outcomes, taken, end == NPJT_EXPLORE_FINDING,
           result->closed ? "true" : "false");
}

void explore_tell_end(explore_telling *telling, npjt_explore_end end, const npjt_explored *result)
{
    double taken = seconds_now() - telling->began;
    clear_progress();
    if (telling->json) {
        tell_json(telling, end, result, taken);
        return;
    }
    const npjt_scope *scope = telling->scope;
    printf("explore: scope=%s jobs=%" PRIu32 " packets=%" PRIu32 " states=%" PRIu64 " transitions=%" PRIu64
           " seconds=%.1f violations=%d closed=%s\n",
           scope->name, scope->jobs, scope->packets, result->states, result->transitions, taken,
           end == NPJT_EXPLORE_FINDING, result->closed ? "yes" : "no");
}
