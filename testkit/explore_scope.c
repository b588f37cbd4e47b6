/* SPDX-License-Identifier: MIT */
/* The scopes by name. */
#include "explore_state.h"

#define ANY NPJT_ANY

static const npjt_scope scopes[] = {
    /* One job with writes and pipes of all kinds, and deadlines that are armed anew before they fall. */
    {.name = "kinds",
     .jobs = 1,
     .packets = 3,
     .job_packets = 3,
     .batch = 2,
     .timeout = 2,
     .clients = 1,
     .lend = true,
     .empty = true,
     .message = true,
     .misuse = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = ANY},
    /* One job whose packets, of either size, are kept for reuse. */
    {.name = "kept",
     .jobs = 1,
     .packets = 1,
     .job_packets = 1,
     .batch = 1,
     .timeout = 1,
     .clients = 1,
     .reuse = true,
     .lend = true,
     .one = true,
     .empty = true,
     .misuse = true,
     .stale = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = ANY},
    /* One job whose packets, of either size, are kept for reuse until there is no room for more. */
    {.name = "little",
     .jobs = 1,
     .packets = 3,
     .job_packets = 3,
     .batch = 1,
     .timeout = 1,
     .clients = 1,
     .reuse = true,
     .little = true,
     .lend = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = 2},
    /* Two jobs whose packets, of either size, fill the pool before there are too many of them; what is kept for reuse
     * makes way. */
    {.name = "pool",
     .jobs = 2,
     .packets = 8,
     .job_packets = 4,
     .pool = 256,
     .batch = 2,
     .timeout = 1,
     .clients = 1,
     .reuse = true,
     .lend = true,
     .check_all = true,
     .budget = {ANY, ANY, 0, ANY, 0, 0, 0, 0},
     .faults = 1},
    /* One job with all that can befall it, and a host that takes its actions whenever it likes. */
    {.name = "job",
     .jobs = 1,
     .packets = 2,
     .job_packets = 2,
     .batch = 2,
     .timeout = 1,
     .clients = 1,
     .step = true,
     .misuse = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = ANY},
    /* One job with writes and pipes of all kinds, whose host takes its actions late: an operation may end before its
     * CANCEL is taken, or before a REPLY to one of its writes. */
    {.name = "late",
     .jobs = 1,
     .packets = 2,
     .job_packets = 2,
     .batch = 2,
     .timeout = 1,
     .clients = 1,
     .step = true,
     .lend = true,
     .empty = true,
     .message = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = 2},
    /* Two jobs of different clients and providers, which share the engine's caps; one thing at a time goes wrong. */
    {.name = "pair",
     .jobs = 2,
     .packets = 3,
     .job_packets = 2,
     .batch = 2,
     .timeout = 1,
     .clients = 2,
     .misuse = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
     .faults = 1},
    /* Two jobs that take turns: the host takes one action, and one of either job, at a time. */
    {.name = "turns",
     .jobs = 2,
     .packets = 2,
     .job_packets = 1,
     .batch = 1,
     .timeout = 1,
     .clients = 1,
     .step = true,
     .misuse = true,
     .check_all = true,
     .budget = {ANY, ANY, ANY, ANY, ANY, 0, 0, 0},
     .faults = 1},
    /* Two jobs, and a shutdown, whose deadlines fall together or one after the other, and are overdue together. */
    {.name = "times",
     .jobs = 2,
     .packets = 3,
     .job_packets = 2,
     .batch = 1,
     .timeout = 2,
     .clients = 1,
     .budget = {0, 0, 0, 0, ANY, 0, 0, ANY},
     .faults = ANY},
    /* Two jobs, and a shutdown, before the clock is set, and after it. */
    {.name = "unset",
     .jobs = 2,
     .packets = 2,
     .job_packets = 1,
     .batch = 1,
     .timeout = 2,
     .clients = 1,
     .unset = true,
     .check_all = true,
     .budget = {0, 0, 0, 0, ANY, 0, 0, ANY},
     .faults = ANY},
    /* Three jobs, two of them of one client and provider: whose keys they are is kept in one bucket. */
    {.name = "keys",
     .jobs = 3,
     .packets = 1,
     .job_packets = 1,
     .batch = 1,
     .timeout = 10,
     .clients = 2,
     .budget = {0, 1, 0, 0, 0, 0, 0, 0},
     .faults = 1},
    /* Three jobs. */
    {.name = "large",
     .jobs = 3,
     .packets = 5,
     .job_packets = 2,
     .batch = 2,
     .timeout = 1,
     .clients = 1,
     .budget = {1, 1, 1, 0, 1, 0, 0, 0},
     .faults = 2},
};

const npjt_scope *npjt_scope_at(uint32_t index)
{
    return index < sizeof scopes / sizeof *scopes ? &scopes[index] : NULL;
}

const char *npjt_budget_word(npjt_budget budget)
{
    static const char *const words[] = {
#define NPJT_X(name, word) word,
        NPJT_BUDGET_LIST(NPJT_X)
#undef NPJT_X
    };
    return (unsigned)budget < NPJT_BUDGETS ? words[budget] : "(unknown)";
}
