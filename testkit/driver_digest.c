/* SPDX-License-Identifier: MIT */
/*
 * The digest of a run. What goes in is what a host can see and what is the same on every machine: no address, and no
 * size of a block of memory.
 */
#include "driver_state.h"

void npjt_mix(struct npjt_driver *d, uint64_t value)
{
    uint64_t digest = (d->result->digest ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    d->result->digest = digest ^ digest >> 29;
}

/** An iovec goes in by its lengths; its bytes are held against what the job was given, by law 7. Where no WRITE names
 * them, iovecs may be anything. */
void npjt_mix_action(struct npjt_driver *d, const npj_action *action)
{
    npjt_mix(d, (uint64_t)action->kind << 56 ^ (uint64_t)action->request << 48 ^ (uint64_t)action->held << 40 ^
                    action->status);
    npjt_mix(d, action->job);
    npjt_mix(d, action->op);
    npjt_mix(d, action->cookie);
    npjt_mix(d, action->tag);
    npjt_mix(d, action->count);
    npjt_mix(d, (uint64_t)action->job_id << 32 ^ action->iov_count);
    bool named = action->kind == NPJ_WRITE && action->iov;
    for (uint32_t i = 0; named && i < action->iov_count && i < BATCH; i++)
        npjt_mix(d, action->iov[i].length);
}

void npjt_mix_trace(struct npjt_driver *d, const npj_trace *trace)
{
    if (d->stop || !d->options->digest_all)
        return;
    npjt_mix(d, (uint64_t)trace->kind << 56 ^ (uint64_t)trace->event << 48 ^ (uint64_t)trace->from << 40 ^
                    (uint64_t)trace->to << 32 ^ trace->status);
    npjt_mix(d, trace->job);
    npjt_mix(d, trace->cookie);
}

static void mix_gauge(struct npjt_driver *d, const npj_gauge *gauge)
{
    npjt_mix(d, gauge->live);
    npjt_mix(d, gauge->peak);
    npjt_mix(d, gauge->total);
}

/** The statistics, but for those that count memory. */
static void mix_stats(struct npjt_driver *d)
{
    npj_stats stats;
    d->subject->stats(d->srv, &stats);
    mix_gauge(d, &stats.jobs);
    mix_gauge(d, &stats.packets);
    mix_gauge(d, &stats.reserved_packets);
    npjt_mix(d, stats.accepted);
    npjt_mix(d, stats.refused);
    npjt_mix(d, stats.replies);
    npjt_mix(d, stats.operations);
    npjt_mix(d, stats.bytes_accepted);
    npjt_mix(d, stats.bytes_taken);
}

void npjt_mix_state(struct npjt_driver *d)
{
    if (d->stop || !d->options->digest_all)
        return;
    if (d->subject->digest)
        npjt_mix(d, d->subject->digest(d->srv));
    if (d->subject->stats)
        mix_stats(d);
    npjt_mix(d, d->subject->deadline(d->srv));
}
