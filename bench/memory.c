/* SPDX-License-Identifier: MIT */
/* What a job and a packet take of memory, as the engine reports it, and what the structs of libuv take. */
#define _GNU_SOURCE
#include <uv.h>

#include "crowd.h"
#include "engine.h"

static const char about[] =
    "The memory of an idle open job and of a packet's header.\v"
    "Works: memory-job, memory-packet. Sides: npjob, by npj_stats (job_bytes with the job's share of the index, "
    "packet_bytes); all, by memory_bytes: what an engine full of idle open jobs takes more than one for a single job, "
    "and without it, a job; uv_pipe_t and uv_write_t, of which libuv takes one a connection and one a write. Prints "
    "`WORK SIDE bytes VALUE` lines.";

/* Where the index has just been doubled, so that each job's share of it is largest. */
enum { JOBS = 8192 };

static uint64_t memory_of_none(void)
{
    npj_stats stats;
    npj_srv *srv = bench_engine_new(1);
    npj_stats_get(srv, &stats);
    bench_engine_free(srv);
    return stats.memory_bytes;
}

int main(int argc, char **argv)
{
    bench_options options;
    npj_stats stats;
    bench_options_parse(argc, argv, about, &options);
    bench_crowd *crowd = bench_crowd_new(JOBS, NULL, NULL);
    npj_stats_get(crowd->srv, &stats);
    bench_must(stats.jobs.live == JOBS, "not every job is open");
    if (bench_wanted(&options, "memory-job")) {
        bench_print(&options, "memory-job", "npjob", "bytes", stats.job_bytes);
        bench_print(&options, "memory-job", "all", "bytes", (double)(stats.memory_bytes - memory_of_none()) / JOBS);
        bench_print(&options, "memory-job", "uv_pipe_t", "bytes", sizeof(uv_pipe_t));
    }
    if (bench_wanted(&options, "memory-packet")) {
        bench_print(&options, "memory-packet", "npjob", "bytes", stats.packet_bytes);
        bench_print(&options, "memory-packet", "uv_write_t", "bytes", sizeof(uv_write_t));
    }
    bench_crowd_free(crowd);
    return bench_status();
}
