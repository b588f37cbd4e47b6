/* SPDX-License-Identifier: MIT */
/* The model's limits: what is given holds to the last, what is not has the defaults of npj_config. */
#include "model_support.h"

Test(model, sizes_of_blocks)
{
    static const struct {
        uint32_t length;
        uint64_t block;
    } sizes[] = {{0, 0},     {1, 64},    {64, 64},   {65, 80},   {80, 80},   {81, 96},      {97, 112},
                 {128, 128}, {129, 160}, {224, 224}, {225, 256}, {257, 320}, {65536, 65536}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        cr_expect_eq(npjt_model_block(sizes[i].length), sizes[i].block, "%u", (unsigned)sizes[i].length);
}

static npj_status write_of(npjt_model *model, npj_job job, uint32_t length)
{
    static uint64_t handles = 1000;
    return npjt_model_write(model, job, 3, "", length, NPJ_COPY, (npjt_said){.handle = ++handles});
}

/* As npj_config has them. */
Test(model, defaults)
{
    const npj_config config = {.size = sizeof config};
    npjt_model *model = new_model(&config, 56);
    npj_action out, seen = {.op = 99};
    npjt_model_add_job(model, 1, 1, 7, 1, true, (npjt_said){.handle = 5});
    cr_expect_eq(npjt_model_deadline(model), 30000);
    npjt_model_connect(model, 5, 2);
    take(model);
    npjt_model_advance(model, 0);
    npjt_model_advance(model, 1);
    npjt_model_job_added(model, 99, 0, true, 0, 7);
    cr_expect_eq(npjt_model_deadline(model), 30001);
    take(model);
    npjt_model_opened(model, 99, 0, NPJ_BYTE_MODE);
    cr_expect_eq(npjt_model_deadline(model), NPJ_NEVER);
    for (int i = 0; i < 256; i++)
        cr_assert_eq(write_of(model, 5, 1), NPJ_STATUS_PENDING);
    cr_expect_eq(write_of(model, 5, 0), NPJ_STATUS_QUOTA_EXCEEDED);
    cr_expect_eq(npjt_model_deadline(model), 60001);
    cr_assert(npjt_model_next(model, NULL, &out)); /* the REPLY of the connect */
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_eq(out.iov_count, 64);
    npjt_model_abort(model, 5, NPJ_STATUS_CANCELLED);
    take(model);

    open_job(model, 9, 8, 41);
    cr_expect_eq(write_of(model, 9, (8 << 20) + 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_expect_eq(write_of(model, 9, 8 << 20), NPJ_STATUS_PENDING);
    cr_expect_eq(write_of(model, 9, 8 << 20), NPJ_STATUS_PENDING);
    cr_expect_eq(write_of(model, 9, 1), NPJ_STATUS_QUOTA_EXCEEDED);
    npjt_model_close(model, 9, 9);
    npjt_model_advance(model, 60001);
    for (npj_job job = 100; job < 100 + 1022; job++)
        cr_assert_eq(npjt_model_add_job(model, 1, 1, 7, 1, true, (npjt_said){.handle = job}), NPJ_STATUS_PENDING);
    cr_expect_eq(npjt_model_add_job(model, 1, 1, 7, 1, true, (npjt_said){.handle = 99}),
                 NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    free(model);
}

Test(model, a_close_has_five_minutes)
{
    const npj_config config = {.size = sizeof config, .stall_timeout = NPJ_NEVER};
    npjt_model *model = new_model(&config, 56);
    open_job(model, 5, 7, 31);
    npjt_model_close(model, 5, 9);
    cr_expect_eq(npjt_model_deadline(model), 300000);
    free(model);
}

/* What is not given has room for the largest write. */
Test(model, limits_that_are_not_given)
{
    static const uint32_t largest[] = {1 << 20, 20 << 20, 256 << 20};
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++) {
        const npj_config config = {
            .size = sizeof config, .max_jobs = 1, .max_packets = 2, .max_write_bytes = largest[i]};
        npjt_model *model = new_model(&config, 56);
        open_job(model, 5, 7, 31);
        cr_expect_eq(npjt_model_write(model, 5, 3, "", largest[i], NPJ_COPY, (npjt_said){.handle = 61}),
                     NPJ_STATUS_PENDING);
        free(model);
    }
}

/** The bytes of copied payloads that the cap has room for, where a header takes @p packet_bytes. */
static uint64_t room_of(npj_config config, uint32_t packet_bytes)
{
    uint64_t room = 0;
    config.size = sizeof config;
    config.max_jobs = 1;
    config.max_packets = 64;
    config.max_job_bytes = UINT64_MAX;
    npjt_model *model = new_model(&config, packet_bytes);
    open_job(model, 5, 7, 31);
    for (uint32_t length = config.max_write_bytes > 0 ? config.max_write_bytes : 8 << 20; length >= 64; length /= 2)
        while (write_of(model, 5, length) == NPJ_STATUS_PENDING)
            room += length;
    free(model);
    return room;
}

Test(model, the_pool_has_room_to_the_last_byte)
{
    cr_expect_eq(room_of((npj_config){.max_write_bytes = 64, .max_pool_bytes = 240}, 56), 128);
    cr_expect_eq(room_of((npj_config){.max_write_bytes = 64, .max_pool_bytes = 239}, 56), 64);
    /* Where it is not given: 256 MiB, or a write of the largest size and a quarter of it. */
    cr_expect_eq(room_of((npj_config){0}, 0), 256 << 20);
    cr_expect_eq(room_of((npj_config){.max_write_bytes = 256 << 20}, 0), 320 << 20);
}

Test(model, as_many_packets_as_npj_config_has)
{
    npj_config config = {.size = sizeof config, .max_jobs = 1};
    size_t not_given = npjt_model_size(&config);
    config.max_packets = 65536;
    cr_expect_eq(npjt_model_size(&config), not_given);
}

/* Of the four severities of an NTSTATUS: all that is success or information, but for PENDING, and every error. */
Test(model, what_a_completion_may_say)
{
    static const struct {
        npj_status status;
        bool claimable;
    } statuses[] = {{0, true},           {NPJ_STATUS_PENDING, false}, {0x3FFFFFFF, true},
                    {0x40000000, true},  {0x7FFFFFFF, true},          {0x80000000, false},
                    {0xBFFFFFFF, false}, {0xC0000001, true},          {UINT32_MAX, true}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const npj_config config = {.size = sizeof config, .max_jobs = 1, .max_packets = 1};
        npjt_model *model = new_model(&config, 56);
        open_job(model, 5, 7, 31);
        npjt_model_close(model, 5, 9);
        take(model);
        cr_expect_eq(npjt_model_done(model, 99, statuses[i].status),
                     statuses[i].claimable ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER, "%x",
                     (unsigned)statuses[i].status);
        free(model);
    }
}

/* Whatever else is against a call comes before the want of memory. */
Test(model, memory_is_the_last_to_be_wanting)
{
    const npj_config config = {.size = sizeof config, .max_jobs = 1, .max_packets = 2, .max_job_packets = 1};
    const npjt_said none = {.no_memory = true};
    npjt_model *model = new_model(&config, 56);
    cr_expect_eq(npjt_model_add_job(model, 1, 1, 7, 1, true, none), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    open_job(model, 5, 7, 31);
    cr_expect_eq(npjt_model_add_job(model, 1, 1, 7, 1, true, none), NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    cr_expect_eq(npjt_model_write(model, 6, 3, "", 0, NPJ_COPY, none), NPJ_STATUS_INVALID_HANDLE);
    cr_expect_eq(npjt_model_write(model, 5, 3, "", 0, NPJ_COPY, none), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_expect_eq(write_of(model, 5, 0), NPJ_STATUS_PENDING);
    cr_expect_eq(npjt_model_write(model, 5, 3, "", 0, NPJ_COPY, none), NPJ_STATUS_QUOTA_EXCEEDED);
    free(model);
}
