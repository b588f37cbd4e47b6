/* SPDX-License-Identifier: MIT */
/* What npj_srv_new() takes and refuses, and what the defaults are. */
#include "support.h"

#include <stdlib.h>

static void *no_alloc(void *user, size_t bytes)
{
    (void)bytes;
    ++*(unsigned *)user;
    return NULL;
}

/* All defaults. */
static npj_config defaults(void)
{
    static struct pool pool;
    return (npj_config){.size = sizeof(npj_config), .mem = pool_mem(&pool)};
}

static void expect_refused(const npj_config *config, const char *why)
{
    npj_srv *const untouched = (npj_srv *)(void *)&config;
    npj_srv *srv = untouched;
    const npj_status status = npj_srv_new(config, &srv);
    cr_assert_eq(status, NPJ_STATUS_INVALID_PARAMETER, "%s: %s", why, npj_status_name(status));
    cr_assert_eq(srv, untouched, "%s: out was touched", why);
}

static void expect_taken(const npj_config *config, const char *why)
{
    npj_srv *srv = NULL;
    const npj_status status = npj_srv_new(config, &srv);
    cr_assert_eq(status, NPJ_STATUS_SUCCESS, "%s: %s", why, npj_status_name(status));
    cr_assert_null(npj_check(srv), "%s: %s", why, npj_check(srv));
    npj_srv_free(&srv);
    cr_assert_null(srv);
}

/* All defaults are taken, or refused, with one member of this value. */
#define takes(member, value)   with_member(member, value, expect_taken)
#define refuses(member, value) with_member(member, value, expect_refused)
#define with_member(member, value, expect_so)                                                                          \
    do {                                                                                                               \
        npj_config config_ = defaults();                                                                               \
        config_.member = (value);                                                                                      \
        expect_so(&config_, #member " = " #value);                                                                     \
    } while (0)

Test(config, all_defaults_are_a_valid_configuration)
{
    const npj_config config = defaults();
    expect_taken(&config, "defaults");
}

Test(config, no_trace)
{
    npj_config config = defaults();
    config.max_jobs = 1;
    npj_srv *srv = NULL;
    npj_job job = 0;
    cr_assert_eq(npj_srv_new(&config, &srv), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npj_add_job(srv, 1, 2, 3, 4, &job), NPJ_STATUS_PENDING);
    cr_assert_eq(npj_add_job(srv, 1, 2, 3, 4, &job), NPJ_STATUS_INSUFF_SERVER_RESOURCES, "Event 2019, to nobody");
    cr_assert_eq(npj_close(srv, job, 5), NPJ_STATUS_INVALID_PIPE_STATE);
    npj_stats stats;
    npj_stats_get(srv, &stats);
    cr_assert_eq(stats.refused, 2, "counted all the same");
    npj_srv_free(&srv);
}

Test(config, null_pointers)
{
    const npj_config config = defaults();
    cr_assert_eq(npj_srv_new(&config, NULL), NPJ_STATUS_INVALID_PARAMETER);
    expect_refused(NULL, "no configuration");
    refuses(mem.alloc, NULL);
    refuses(mem.release, NULL);
}

Test(config, size)
{
    refuses(size, 0);
    refuses(size, sizeof(npj_config) - 1); /* below the first version's */
    struct {
        npj_config config;
        unsigned char tail[64];
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.config = defaults();
    newer.config.size = sizeof newer;
    expect_taken(&newer.config, "a larger size with nothing in it");
    for (size_t i = 0; i < sizeof newer.tail; i++) {
        newer.tail[i] = 1;
        expect_refused(&newer.config, "a larger size with an unknown setting");
        newer.tail[i] = 0;
    }
    newer.config.size = sizeof newer - 1;
    newer.tail[sizeof newer.tail - 1] = 1;
    expect_taken(&newer.config, "a setting beyond the size is not read");
}

Test(config, max_jobs)
{
    takes(max_jobs, 1);
    takes(max_jobs, NPJ_MAX_JOBS);
    refuses(max_jobs, NPJ_MAX_JOBS + 1);
    refuses(max_jobs, UINT32_MAX);
}

Test(config, max_write_bytes)
{
    takes(max_write_bytes, 1);
    takes(max_write_bytes, UINT32_C(2) << 30);
    refuses(max_write_bytes, (UINT32_C(2) << 30) + 1);
    npj_config config = defaults();
    config.max_write_bytes = UINT32_MAX;
    config.max_job_bytes = UINT64_MAX;
    expect_refused(&config, "UINT32_MAX bytes");
}

Test(config, max_job_bytes_holds_one_write)
{
    npj_config config = defaults();
    config.max_write_bytes = 100;
    config.max_job_bytes = 100;
    expect_taken(&config, "as much as one write");
    config.max_job_bytes = 99;
    expect_refused(&config, "less than one write");
    refuses(max_job_bytes, (8 << 20) - 1); /* less than one write of the default size */
    takes(max_job_bytes, 8 << 20);
    takes(max_job_bytes, UINT64_MAX);
}

Test(config, max_batch)
{
    takes(max_batch, 1);
    takes(max_batch, 1024);
    refuses(max_batch, 1025);
}

Test(config, path_profile)
{
    takes(path_profile, NPJ_PATH_PERMISSIVE);
    refuses(path_profile, (npj_path_profile)2);
    refuses(path_profile, (npj_path_profile)-1);
}

Test(config, no_memory)
{
    npj_config config = defaults();
    unsigned calls = 0;
    npj_srv *srv = NULL;
    config.mem.alloc = no_alloc;
    config.mem.user = &calls;
    cr_assert_eq(npj_srv_new(&config, &srv), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_assert_null(srv);
    cr_assert_eq(calls, 1, "one allocation an engine");
}

Test(config, an_engine_is_one_allocation)
{
    struct host *h = host_start(NULL);
    cr_assert_eq(h->pool.allocs, 1);
    cr_assert_eq(h->pool.blocks, 1);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.memory_bytes, h->pool.bytes);
    host_end(h);
}

Test(config, is_read_and_not_kept)
{
    struct host *h = host_start(NULL);
    npj_config config = h->config;
    npj_srv_free(&h->srv);
    cr_assert_eq(npj_srv_new(&config, &h->srv), NPJ_STATUS_SUCCESS);
    memset(&config, 0xFF, sizeof config);
    job_ended(h);
    host_end(h);
}

Test(config, version)
{
    cr_assert_eq(npj_version(), (uint32_t)(NPJ_VERSION_MAJOR << 16 | NPJ_VERSION_MINOR << 8 | NPJ_VERSION_PATCH));
}

/* ------------------------------------------------------------------------------------------------- the defaults */

static struct host *host_of_defaults(void)
{
    const npj_config config = {.size = sizeof config};
    return host_start(&config);
}

Test(defaults, jobs)
{
    struct host *h = host_of_defaults();
    npj_job job;
    for (unsigned i = 0; i < 1024; i++)
        cr_assert_eq(npj_add_job(h->srv, 1, 2, 3, 4, &job), NPJ_STATUS_PENDING);
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &job));
    host_free(h);
}

Test(defaults, write_bytes_and_job_bytes)
{
    struct host *h = host_of_defaults();
    struct job job = job_open(h);
    const uint32_t most = 8 << 20;
    char *bytes = malloc(most);
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, bytes, most + 1, NPJ_LEND, NULL));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, most, NPJ_LEND, NULL));
    expect(h, PENDING, npj_write(h->srv, job.id, 2, bytes, most, NPJ_LEND, NULL));
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 3, bytes, 1, NPJ_LEND, NULL));
    host_free(h);
    free(bytes);
}

Test(defaults, job_packets_and_batch)
{
    struct host *h = host_of_defaults();
    struct job job = job_open(h);
    for (unsigned i = 0; i < 256; i++)
        cr_assert_eq(npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL), NPJ_STATUS_PENDING);
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    cr_assert_eq(take(h, NPJ_WRITE).iov_count, 64);
    host_free(h);
}

Test(defaults, packets)
{
    struct host *h = host_of_defaults();
    struct job job = {.id = 0};
    for (unsigned i = 0; i < 65536; i++) {
        if (i % 256 == 0) {
            job = job_accept_for(h, 1, 2, 3);
            cr_assert_eq(npj_connect(h->srv, job.id, 1), NPJ_STATUS_PENDING);
        }
        cr_assert_eq(npj_write(h->srv, job.id, 1, "a", 1, NPJ_LEND, NULL), NPJ_STATUS_PENDING);
    }
    job = job_accept_for(h, 1, 2, 3);
    cr_assert_eq(npj_connect(h->srv, job.id, 1), NPJ_STATUS_PENDING);
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, job.id, 1, "a", 1, NPJ_LEND, NULL));
    host_free(h);
}

Test(defaults, pool_bytes)
{
    struct host *h = host_of_defaults();
    const uint32_t most = 8 << 20;
    char *bytes = calloc(1, most);
    unsigned taken = 0;
    npj_status status;
    do {
        struct job job = job_accept_for(h, 1, 2, 3);
        cr_assert_eq(npj_connect(h->srv, job.id, 1), NPJ_STATUS_PENDING);
        status = npj_write(h->srv, job.id, 1, bytes, most, NPJ_COPY, NULL);
        taken += status == NPJ_STATUS_PENDING;
    } while (status == NPJ_STATUS_PENDING);
    cr_assert_eq(status, NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    cr_assert_eq(taken, 31); /* 32 of 8 MiB would be 256 MiB without their headers */
    cr_assert_leq(stats_of(h).pool_bytes.live, 256 << 20);
    struct job job = job_accept_for(h, 1, 2, 3);
    cr_assert_eq(npj_connect(h->srv, job.id, 1), NPJ_STATUS_PENDING);
    expect(h, PENDING, npj_write(h->srv, job.id, 1, bytes, 7 << 20, NPJ_COPY, NULL));
    host_free(h);
    free(bytes);
}

/* What stands against a copy of the largest size is the allocator, and not the pool: but for a single header of another
 * write. */
Test(defaults, pool_bytes_take_one_write_of_any_size)
{
    const uint32_t most = (UINT32_C(1) << 30) + 1; /* its block is a quarter larger */
    struct host *h = host_start(&(npj_config){.size = sizeof(npj_config), .max_write_bytes = most});
    struct job job = job_accept_for(h, 1, 2, 3);
    expect(h, PENDING, npj_connect(h->srv, job.id, 1));
    h->pool.fail_in = 1;
    expect(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 1, "a", most, NPJ_COPY, NULL));
    expect(h, PENDING, npj_write(h->srv, job.id, 1, NULL, 0, NPJ_COPY, NULL));
    h->pool.fail_in = 1;
    expect(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, job.id, 1, "a", most, NPJ_COPY, NULL));
    host_free(h);
}

Test(defaults, idle_bytes)
{
    struct host *h = host_of_defaults();
    struct job job = job_open(h);
    static char bytes[65536];
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(npj_write(h->srv, job.id, 1, bytes, sizeof bytes, NPJ_COPY, NULL), NPJ_STATUS_PENDING);
    const npj_action action = take(h, NPJ_WRITE);
    expect(h, SUCCESS, npj_written(h->srv, action.op, 0, action.count));
    for (npj_action reply; npj_next(h->srv, &reply);)
        cr_assert_eq(reply.kind, NPJ_REPLY);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.packets.live, 0);
    const uint64_t block = sizeof bytes + stats.packet_bytes;
    cr_assert_eq(stats.idle_bytes, (UINT64_C(1) << 20) / block * block, "as many as fit");
    host_end(h);
}

Test(defaults, timeouts)
{
    struct host *h = host_of_defaults();
    expect(h, SUCCESS, npj_advance(h->srv, 7));
    struct job job = job_adding(h);
    cr_assert_eq(npj_deadline(h->srv), 7 + 30000);
    expect_added(h, job.op);
    expect(h, SUCCESS, npj_advance(h->srv, 8));
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    cr_assert_eq(npj_deadline(h->srv), 8 + 30000);
    expect_opened(h, take(h, NPJ_OPEN).op);
    expect(h, SUCCESS, npj_advance(h->srv, 9));
    job_write(h, &job, TAG_WRITE, "abc");
    cr_assert_eq(npj_deadline(h->srv), 9 + 60000);
    expect(h, SUCCESS, npj_written(h->srv, take(h, NPJ_WRITE).op, 0, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect(h, SUCCESS, npj_advance(h->srv, 10));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    cr_assert_eq(npj_deadline(h->srv), 10 + 300000);
    host_end(h);
}

Test(defaults, profile_is_strict)
{
    struct host *h = host_of_defaults();
    struct job job = job_adding(h);
    const npj_path dots = {"\\\\.\\pipe\\..", 11, NPJ_PATH_UTF8};
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &dots, JOB_ID));
    expect_reply(h, TAG_ADD, OBJECT_NAME_INVALID, 0);
    host_end(h);
}
