/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include <stdlib.h>

#include "engine.h"

/* xorshift64*, from a fixed seed: a figure must not depend on the luck of a day. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

uint32_t *bench_shuffled(uint32_t count)
{
    uint64_t state = 0x9E3779B97F4A7C15;
    uint32_t *order = bench_alloc((size_t)count * sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = (uint32_t)((draw(&state) >> 32) * (i + UINT64_C(1)) >> 32);
        order[i] = order[other];
        order[other] = i;
    }
    return order;
}

static bench_keys usual_keys(const void *user, uint32_t number)
{
    (void)user;
    return (bench_keys){number / 16, number / 1000};
}

bench_crowd *bench_crowd_new(uint32_t count, bench_keys (*keys)(const void *user, uint32_t number), const void *user)
{
    bench_crowd *crowd = bench_alloc_zeroed(1, sizeof *crowd);
    uint32_t *order = bench_shuffled(count);
    crowd->srv = bench_engine_new(count);
    crowd->jobs = bench_alloc((size_t)count * sizeof *crowd->jobs);
    crowd->count = count;
    for (uint32_t i = 0; i < count; i++) {
        bench_keys whose = (keys != NULL ? keys : usual_keys)(user, order[i]);
        crowd->jobs[order[i]] = bench_engine_open(crowd->srv, whose.client, whose.provider, order[i]);
    }
    free(order);
    return crowd;
}

void bench_crowd_free(bench_crowd *crowd)
{
    bench_engine_free(crowd->srv);
    free(crowd->jobs);
    free(crowd);
}
