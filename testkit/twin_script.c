/* SPDX-License-Identifier: MIT */
/* A script: from bytes to steps, in another order, and as text. */
#include <stdio.h>
#include <string.h>

#include "twin_state.h"

static const char *const relation_names[NPJT_RELATION_COUNT] = {"commute", "lent",  "deferred",
                                                                "retry",   "query", "batch"};

const char *npjt_relation_name(unsigned relation)
{
    return relation < NPJT_RELATION_COUNT ? relation_names[relation] : "(unknown)";
}

static struct twin_step step_of(const uint8_t *bytes, uint32_t number)
{
    struct twin_step step = {.kind = bytes[0] & 15,
                             .lane = bytes[0] >> 4 & 3,
                             .lent = bytes[0] >> 6 & 1,
                             .starved = bytes[0] >> 7,
                             .a = bytes[1],
                             .b = bytes[2],
                             .tag = (uint16_t)(number + 1)};
    if (step.kind == NPJT_TWIN_WRITE_2)
        step.kind = NPJT_TWIN_WRITE;
    if (step.kind == NPJT_TWIN_COMPLETE_2)
        step.kind = NPJT_TWIN_COMPLETE;
    return step;
}

void npjt_twin_decode(struct twin_script *script, const uint8_t *bytes, size_t size, const npjt_twin_options *options)
{
    uint8_t header[NPJT_TWIN_HEADER] = {0};
    if (size > 0)
        memcpy(header, bytes, size < sizeof header ? size : sizeof header);
    script->relation = (npjt_relation)(header[0] % NPJT_RELATION_COUNT);
    if (options->relation_override)
        script->relation = options->relation;
    script->engine = header[1];
    script->seed = header[2];
    script->count = 0;
    for (size_t at = sizeof header; at + 3 <= size && script->count < NPJT_TWIN_STEPS; at += 3) {
        script->steps[script->count] = step_of(bytes + at, script->count);
        script->count++;
    }
}

/* --------------------------------------------------------------------------------------------------- another order */

/* What everybody sees, or nobody in particular. */
static bool is_barrier(const struct twin_step *step)
{
    return (TWIN_BIT(step->kind) & (TWIN_BIT(NPJT_TWIN_DRAIN) | TWIN_BIT(NPJT_TWIN_NEXT) | TWIN_BIT(NPJT_TWIN_ADVANCE) |
                                    TWIN_BIT(NPJT_TWIN_SHUTDOWN))) != 0;
}

uint8_t npjt_twin_client(uint8_t lane)
{
    return lane / (TWIN_LANES / TWIN_CLIENTS);
}

/* The next step of @client in a part of the script, or its end. */
static uint32_t next_of(const struct twin_step *part, uint32_t from, uint32_t count, unsigned client)
{
    while (from < count && npjt_twin_client(part[from].lane) != client)
        from++;
    return from;
}

static void shuffle_part(struct twin_step *part, uint32_t count, uint32_t *random)
{
    struct twin_step was[NPJT_TWIN_STEPS];
    memcpy(was, part, count * sizeof *part);
    uint32_t at[TWIN_CLIENTS] = {next_of(was, 0, count, 0), next_of(was, 0, count, 1)};
    for (uint32_t i = 0; i < count; i++) {
        *random = *random * 1103515245U + 12345U;
        unsigned client = *random >> 16 & 1;
        if (at[client] == count)
            client = !client;
        part[i] = was[at[client]];
        at[client] = next_of(was, at[client] + 1, count, client);
    }
}

void npjt_twin_shuffle(struct twin_script *script)
{
    uint32_t random = script->seed;
    for (uint32_t first = 0; first < script->count;) {
        uint32_t end = first;
        while (end < script->count && !is_barrier(&script->steps[end]))
            end++;
        shuffle_part(&script->steps[first], end - first, &random);
        first = end + 1;
    }
}

/* --------------------------------------------------------------------------------------------------- what it means */

uint32_t npjt_twin_length(const struct twin_step *step)
{
    static const uint16_t lengths[16] = {0, 1, 2, 3, 5, 8, 16, 31, 64, 65, 100, 200, 512, 1000, 2048, TWIN_MAX_WRITE};
    return lengths[step->a % 16];
}

npj_status npjt_twin_reason(uint8_t choice)
{
    static const npj_status reasons[] = {NPJ_STATUS_PRINT_CANCELLED, NPJ_STATUS_NETWORK_NAME_DELETED,
                                         NPJ_STATUS_USER_SESSION_DELETED, NPJ_STATUS_CANCELLED, NPJ_STATUS_SUCCESS};
    return reasons[choice % (sizeof reasons / sizeof reasons[0])];
}

static const char *const step_names[16] = {
    [NPJT_TWIN_ADD] = "add",
    [NPJT_TWIN_CONNECT] = "connect",
    [NPJT_TWIN_WRITE] = "write",
    [NPJT_TWIN_CLOSE] = "close",
    [NPJT_TWIN_COMPLETE] = "complete",
    [NPJT_TWIN_DRAIN] = "drain",
    [NPJT_TWIN_NEXT] = "next",
    [NPJT_TWIN_CANCEL] = "cancel",
    [NPJT_TWIN_EXTRA] = "extra",
    [NPJT_TWIN_ABORT] = "abort",
    [NPJT_TWIN_CLIENT_GONE] = "client_gone",
    [NPJT_TWIN_PROVIDER_GONE] = "provider_gone",
    [NPJT_TWIN_ADVANCE] = "advance",
    [NPJT_TWIN_SHUTDOWN] = "shutdown",
};

static void arguments_text(char *out, size_t capacity, const struct twin_step *step)
{
    switch ((npjt_twin_step)step->kind) {
    case NPJT_TWIN_ADD:
        (void)snprintf(out, capacity, " outcomes=0x%02x room=%d", step->a, step->b < 128 ? -1 : (step->b - 128) * 8);
        break;
    case NPJT_TWIN_WRITE:
        (void)snprintf(out, capacity, " length=%u%s", (unsigned)npjt_twin_length(step), step->lent ? " lent" : "");
        break;
    case NPJT_TWIN_COMPLETE:
        (void)snprintf(out, capacity, " how=%u bytes=%u", step->a % 8U, step->b);
        break;
    case NPJT_TWIN_NEXT:
        (void)snprintf(out, capacity, " count=%u", step->a % 8U + 1U);
        break;
    case NPJT_TWIN_CANCEL:
        (void)snprintf(out, capacity, " write=%u", step->a);
        break;
    case NPJT_TWIN_EXTRA:
        (void)snprintf(out, capacity, " which=%u back=%u", step->a, step->b);
        break;
    case NPJT_TWIN_ABORT:
    case NPJT_TWIN_CLIENT_GONE:
        (void)snprintf(out, capacity, " reason=0x%08x", (unsigned)npjt_twin_reason(step->a));
        break;
    case NPJT_TWIN_ADVANCE:
        (void)snprintf(out, capacity, " by=%u", step->a * 10U);
        break;
    case NPJT_TWIN_SHUTDOWN:
        (void)snprintf(out, capacity, " how=%s", step->a & 1 ? "abort" : "drain");
        break;
    default:
        out[0] = '\0';
    }
}

void npjt_twin_text(char *out, size_t capacity, const struct twin_step *step)
{
    char arguments[64];
    arguments_text(arguments, sizeof arguments, step);
    (void)snprintf(out, capacity, "%3u %s lane=%u%s%s", step->tag, step_names[step->kind], step->lane, arguments,
                   step->starved ? " starved" : "");
}
