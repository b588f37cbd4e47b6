/* SPDX-License-Identifier: MIT */
/* The reference model: its memory, its packets, and the arming of its deadlines. */
#include "model_state.h"

#include <string.h>

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static model_limits limits_of(const npj_config *config, uint32_t packet_bytes)
{
    model_limits limits = {.packet_bytes = packet_bytes};
    limits.jobs = (uint32_t)or_default(config->max_jobs, 1024);
    limits.packets = (uint32_t)or_default(config->max_packets, 65536);
    limits.job_packets = (uint32_t)or_default(config->max_job_packets, 256);
    limits.write_bytes = (uint32_t)or_default(config->max_write_bytes, 8 << 20);
    limits.batch = (uint32_t)or_default(config->max_batch, 64);
    limits.job_bytes = or_default(config->max_job_bytes, larger(limits.write_bytes, 16 << 20));
    uint64_t largest = packet_bytes + (uint64_t)limits.write_bytes * 5 / 4;
    limits.pool_bytes = or_default(config->max_pool_bytes, larger(largest, 256 << 20));
    limits.timeout[MODEL_BY_ADD] = or_default(config->add_timeout, 30000);
    limits.timeout[MODEL_BY_CONNECT] = or_default(config->connect_timeout, 30000);
    limits.timeout[MODEL_BY_STALL] = or_default(config->stall_timeout, 60000);
    limits.timeout[MODEL_BY_DRAIN] = or_default(config->drain_timeout, 300000);
    return limits;
}

size_t npjt_model_size(const npj_config *config)
{
    model_limits limits = limits_of(config, 0);
    return sizeof(npjt_model) + limits.jobs * sizeof(model_job) + limits.packets * sizeof(model_packet) +
           limits.batch * sizeof(npj_iov);
}

void npjt_model_init(npjt_model *model, const npj_config *config, uint32_t packet_bytes)
{
    memset(model, 0, npjt_model_size(config));
    model->limits = limits_of(config, packet_bytes);
}

model_job *npjt_model_find(const npjt_model *model, npj_job job)
{
    model_job *jobs = npjt_model_jobs(model);
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].handle == job && jobs[i].state != NPJ_STATE_GONE)
            return &jobs[i];
    return NULL;
}

model_job *npjt_model_find_op(const npjt_model *model, npj_op op, npj_action_kind kind)
{
    model_job *jobs = npjt_model_jobs(model);
    for (uint32_t i = 0; i < model->job_count; i++)
        if (op != 0 && jobs[i].op == op && jobs[i].op_kind == kind)
            return &jobs[i];
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------ packets */

void npjt_model_gauge_add(npj_gauge *gauge, uint64_t amount)
{
    gauge->live += amount;
    gauge->total += amount;
    if (gauge->live > gauge->peak)
        gauge->peak = gauge->live;
}

uint64_t npjt_model_block(uint32_t length)
{
    uint64_t power = 64, quarters = 5;
    if (length == 0)
        return 0;
    if (length <= 64)
        return 64;
    while (power * 2 < length)
        power *= 2;
    while (power / 4 * quarters < length)
        quarters++;
    return power / 4 * quarters;
}

uint64_t npjt_model_charge(const npjt_model *model, uint32_t length, bool lend)
{
    return model->limits.packet_bytes + (lend ? 0 : npjt_model_block(length));
}

void npjt_model_release(npjt_model *model, model_packet *packet)
{
    model_packet *packets = npjt_model_packets(model);
    size_t behind = model->packet_count - (size_t)(packet - packets) - 1;
    model->stats.packets.live--;
    model->stats.pool_bytes.live -= npjt_model_charge(model, packet->length, packet->lend);
    memmove(packet, packet + 1, behind * sizeof *packet);
    model->packet_count--;
}

uint64_t npjt_model_held(const npjt_model *model, const model_job *job, uint32_t *count)
{
    const model_packet *packets = npjt_model_packets(model);
    uint64_t bytes = 0;
    *count = 0;
    for (uint32_t i = 0; i < model->packet_count; i++) {
        if (packets[i].job == job->handle) {
            bytes += packets[i].length;
            ++*count;
        }
    }
    return bytes;
}

bool npjt_model_fits(const npjt_model *model, const model_job *job, uint32_t length)
{
    uint32_t count;
    uint64_t bytes = npjt_model_held(model, job, &count);
    return count < model->limits.job_packets && bytes + length <= model->limits.job_bytes;
}

/* --------------------------------------------------------------------------------------------------------- time */

void npjt_model_arm(npjt_model *model, model_job *job, model_deadline kind)
{
    const model_job *jobs = npjt_model_jobs(model);
    uint32_t last = 0;
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].at[kind] != NPJ_NEVER && jobs[i].armed[kind] > last)
            last = jobs[i].armed[kind];
    job->at[kind] = npjt_model_sum(model->clock, model->limits.timeout[kind]);
    job->armed[kind] = last + 1;
}
