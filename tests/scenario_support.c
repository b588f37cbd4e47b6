/* SPDX-License-Identifier: MIT */
#include "scenario_support.h"

#include <stdlib.h>

npjt_counting scenario_pool;
void (*scenario_inside)(struct host *h);

static void inside_pool(void *user, npjt_moment moment, size_t bytes)
{
    (void)moment;
    (void)bytes;
    if (scenario_inside != NULL)
        scenario_inside(user);
}

static void inside_trace(void *user, const npj_trace *trace)
{
    (void)trace;
    if (scenario_inside != NULL)
        scenario_inside(user);
}

struct host *scenario_start(const npj_config *limits)
{
    struct host *h = calloc(1, sizeof *h);
    cr_assert_not_null(h);
    npjt_counting_init(&scenario_pool, &(npjt_counting_options){.hook = inside_pool, .user = h});
    h->config = *(limits != NULL ? limits : limits_with());
    h->config.mem = npjt_counting_mem(&scenario_pool);
    h->config.trace = inside_trace;
    h->config.trace_user = h;
    cr_assert_eq(npj_srv_new(&h->config, &h->srv), NPJ_STATUS_SUCCESS);
    expect_live(h, 0, 0);
    return h;
}

npjt_counting_stats pool_stats(void)
{
    return *npjt_counting_stats_of(&scenario_pool);
}

static void expect_no_findings(struct place at)
{
    npjt_counting_check(&scenario_pool);
    const npjt_finding *finding = npjt_counting_finding(&scenario_pool, 0);
    cr_assert_null(finding, "%s:%d: %s", at.file, at.line, finding != NULL ? finding->text : "");
}

void expect_live_at(struct host *h, uint64_t jobs, uint64_t packets, struct place at)
{
    const char *wrong = npj_check(h->srv);
    cr_assert_null(wrong, "%s:%d: npj_check: %s", at.file, at.line, wrong);
    expect_packets_at(h, packets, at);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.jobs.live, jobs, "%s:%d: %llu live jobs, expected %llu", at.file, at.line,
                 (unsigned long long)stats.jobs.live, (unsigned long long)jobs);
    const npjt_counting_stats pool = pool_stats();
    cr_assert_eq(pool.blocks.live, 1 + jobs + packets, "%s:%d: %llu live blocks, expected 1 + %llu jobs + %llu packets",
                 at.file, at.line, (unsigned long long)pool.blocks.live, (unsigned long long)jobs,
                 (unsigned long long)packets);
    cr_assert_eq(stats.memory_bytes, pool.bytes.live, "%s:%d: the engine says %llu bytes, its allocator %llu", at.file,
                 at.line, (unsigned long long)stats.memory_bytes, (unsigned long long)pool.bytes.live);
    expect_no_findings(at);
}

void scenario_end_at(struct host *h, struct place at)
{
    expect_nothing_at(h, at);
    cr_assert_eq(npj_trim(h->srv), NPJ_STATUS_SUCCESS);
    expect_live_at(h, 0, 0, at);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.reserved_packets.live, 0, "%s:%d: a reserved packet is left", at.file, at.line);
    cr_assert_eq(stats.accepted, stats.replies, "%s:%d: %llu requests accepted, %llu replies", at.file, at.line,
                 (unsigned long long)stats.accepted, (unsigned long long)stats.replies);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER, "%s:%d: a deadline without a job", at.file, at.line);
    scenario_inside = NULL;
    host_end_at(h, at);
    expect_no_findings(at);
    cr_assert_eq(npjt_counting_finish(&scenario_pool), 0, "%s:%d: the engine has leaked", at.file, at.line);
}
