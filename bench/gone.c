/* SPDX-License-Identifier: MIT */
/*
 * A client, or a provider, goes that has a hundred of all the jobs, or a hundredth part of them. What is timed is the
 * call and all that follows from it: closing the pipes, abandoning the jobs, until the engine has nothing to say. Each
 * sample has a client of its own, who was there from the beginning, and whose jobs are strewn over all.
 */
#include "crowd.h"

/* Keys of the others, who stay. */
#define STAYING (UINT64_C(1) << 32)

struct sizes {
    uint32_t small;
    uint32_t large;
    uint32_t samples;
};

/* The numbers of a shuffled order are dealt out: first to the clients that will go, then to the providers; a small one
 * and a large one for each sample, whose keys are twice the sample's number, and one more. */
static uint64_t going_key(const struct sizes *sizes, uint32_t number)
{
    uint32_t both = sizes->small + sizes->large;
    return (uint64_t)2 * (number / both) + (number % both < sizes->small ? 0 : 1);
}

static bench_keys keys_of(const void *user, uint32_t number)
{
    const struct sizes *sizes = user;
    uint32_t dealt = sizes->samples * (sizes->small + sizes->large);
    bench_keys keys = {STAYING + number / 16, STAYING + number / 1000};
    if (number < dealt)
        keys.client = going_key(sizes, number);
    else if (number < 2 * dealt)
        keys.provider = going_key(sizes, number - dealt);
    return keys;
}

/* Returns how many pipes were to be closed. */
static uint64_t serve(npj_srv *srv)
{
    npj_action todo;
    uint64_t closed = 0;
    while (npj_next(srv, &todo)) {
        closed += todo.kind == NPJ_CLOSE_PIPE;
        if (todo.op != 0 && todo.kind != NPJ_CANCEL)
            (void)npj_done(srv, todo.op, NPJ_STATUS_SUCCESS);
    }
    return closed;
}

static npj_status client_goes(npj_srv *srv, uint64_t key)
{
    return npj_client_gone(srv, key, NPJ_STATUS_NETWORK_NAME_DELETED);
}

static uint64_t live_jobs(const npj_srv *srv)
{
    npj_stats stats;
    npj_stats_get(srv, &stats);
    return stats.jobs.live;
}

/* Nanoseconds a job. */
static double sample(npj_srv *srv, npj_status (*goes)(npj_srv *srv, uint64_t key), uint64_t key, uint32_t jobs)
{
    uint64_t before = live_jobs(srv);
    uint64_t began = bench_now();
    bench_must(goes(srv, key) == NPJ_STATUS_SUCCESS, "the engine refuses");
    uint64_t closed = serve(srv);
    uint64_t took = bench_now() - began;
    bench_must(closed == jobs, "not every job was ended");
    /* A client's jobs are gone; a provider's stay with their clients, broken. */
    bench_must(goes != client_goes || before - live_jobs(srv) == jobs, "not every job has gone");
    return (double)took / jobs;
}

void bench_gone(const bench_options *options)
{
    uint32_t jobs = (uint32_t)options->most;
    struct sizes sizes = {.small = 100, .large = jobs / 100, .samples = options->repeat};
    bool clients = bench_wanted(options, "gone-client");
    bool providers = bench_wanted(options, "gone-provider");
    if (!clients && !providers)
        return;
    bench_must(2 * (uint64_t)sizes.samples * (sizes.small + sizes.large) <= jobs, "too many samples for so few jobs");
    bench_crowd *crowd = bench_crowd_new(jobs, keys_of, &sizes);
    for (uint32_t i = 0; i < sizes.samples; i++) {
        uint64_t key = (uint64_t)2 * i;
        if (clients) {
            bench_print(options, "gone-client", "of-100", "ns", sample(crowd->srv, client_goes, key, sizes.small));
            bench_print(options, "gone-client", "of-many", "ns", sample(crowd->srv, client_goes, key + 1, sizes.large));
        }
        if (providers) {
            bench_print(options, "gone-provider", "of-100", "ns",
                        sample(crowd->srv, npj_provider_gone, key, sizes.small));
            bench_print(options, "gone-provider", "of-many", "ns",
                        sample(crowd->srv, npj_provider_gone, key + 1, sizes.large));
        }
    }
    bench_crowd_free(crowd);
}
