/* SPDX-License-Identifier: MIT */
/* What the search tries: each end of a WRITE, and each misuse of a handle, by an engine that lets it pass. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "explore_faults.h"

static bool is_job(const npj_srv *srv, uint64_t handle)
{
    (void)srv;
    return (handle & 3) == NPJI_HANDLE_JOB;
}

static bool is_request(const npj_srv *srv, uint64_t handle)
{
    (void)srv;
    return (handle & 3) == NPJI_HANDLE_REQUEST;
}

/* A request whose packet is no more. */
static bool is_released(const npj_srv *srv, uint64_t handle)
{
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        for (const struct npji_packet *packet = job ? job->writes.head : NULL; packet != NULL; packet = packet->next)
            if (packet->request == handle)
                return false;
    }
    return is_request(srv, handle);
}

static bool is_in_flight(const npj_srv *srv, uint64_t handle)
{
    const struct npji_job *job = npji_job_at(srv, handle);
    return job != NULL && job->op == handle;
}

static bool has_ended(const npj_srv *srv, uint64_t handle)
{
    return !is_in_flight(srv, handle);
}

static const npj_status ends[] = {NPJ_STATUS_SUCCESS, NPJ_STATUS_PIPE_DISCONNECTED, NPJ_STATUS_CANCELLED};
enum { ENDS = sizeof ends / sizeof *ends, MOST = 4 /* bytes of a WRITE, and one more in a bad claim */ };
static bool tried[ENDS][MOST + 2];

static void note_end(npj_status status, uint64_t amount)
{
    for (unsigned end = 0; end < ENDS && amount < MOST + 2; end++)
        tried[end][amount] |= status == ends[end];
}

Test(explore_misuse, each_end_of_a_write_is_tried)
{
    explore_fault.written = note_end;
    cr_expect_eq(explore_search("kinds", 3000), NPJT_EXPLORE_DONE, "%s", explore_seen.sentence);
    for (unsigned end = 0; end < ENDS; end++)
        for (unsigned amount = 0; amount < MOST + (end == 0 ? 2 : 1); amount++)
            cr_expect(tried[end][amount], "%s, %u bytes", npj_status_name(ends[end]), amount);
}

Test(explore_misuse, each_is_tried)
{
    static const struct {
        const char *call;
        bool (*of)(const npj_srv *srv, uint64_t handle);
    } misuses[] = {
        {"npj_written", is_in_flight}, {"npj_done", is_in_flight}, /* of an operation of another kind */
        {"npj_job_added", has_ended},  {"npj_opened", has_ended},   {"npj_written", has_ended},
        {"npj_done", has_ended},       {"npj_write", is_job},       {"npj_connect", is_job},
        {"npj_abort", is_job}, /* of a job that has ended */
        {"npj_write", is_request},     {"npj_connect", is_request}, {"npj_abort", is_request},
        {"npj_cancel", is_released},   {"npj_cancel", is_job},
    };
    explore_fault.lie = NPJ_STATUS_SUCCESS;
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
        bool cancel = strcmp(misuses[i].call, "npj_cancel") == 0;
        char sentence[96];
        explore_fault.lies = misuses[i].call;
        explore_fault.of = misuses[i].of;
        explore_fault.instead_of = cancel ? NPJ_STATUS_NOT_FOUND : NPJ_STATUS_INVALID_HANDLE;
        (void)snprintf(sentence, sizeof sentence, "%s() says STATUS_SUCCESS, the model %s", misuses[i].call,
                       npj_status_name(explore_fault.instead_of));
        cr_expect(explore_finds("kinds", sentence), "%zu, %s: %s", i, sentence, explore_seen.sentence);
    }
}
