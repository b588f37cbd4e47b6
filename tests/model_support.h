/* SPDX-License-Identifier: MIT */
/* The model alone, told what a server of our own choice says. */
#ifndef NPJOB_TESTS_MODEL_SUPPORT_H
#define NPJOB_TESTS_MODEL_SUPPORT_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "npjob-testkit/model.h"

/** A model, to be freed by the caller. */
static inline npjt_model *new_model(const npj_config *config, uint32_t packet_bytes)
{
    npjt_model *model = malloc(npjt_model_size(config));
    cr_assert_not_null(model);
    npjt_model_init(model, config, packet_bytes);
    return model;
}

/** An open job, with handles of our own choice. */
static inline void open_job(npjt_model *model, npj_job job, uint64_t cookie, npj_op ops)
{
    npjt_said said = {.handle = job};
    npj_action seen = {.op = ops}, out;
    cr_assert_eq(npjt_model_add_job(model, 1, 1, cookie, 1, true, said), NPJ_STATUS_PENDING);
    cr_assert_eq(npjt_model_connect(model, job, 2), NPJ_STATUS_PENDING);
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_assert_eq(out.kind, NPJ_ADD_JOB);
    cr_assert_eq(npjt_model_job_added(model, ops, 0, true, 0, (uint32_t)cookie), NPJ_STATUS_SUCCESS);
    cr_assert(npjt_model_next(model, NULL, &out));
    cr_assert_eq(out.kind, NPJ_REPLY);
    seen.op = ops + 1;
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_assert_eq(out.kind, NPJ_OPEN);
    cr_assert_eq(npjt_model_opened(model, ops + 1, 0, NPJ_BYTE_MODE), NPJ_STATUS_SUCCESS);
    cr_assert(npjt_model_next(model, NULL, &out));
    cr_assert_not(npjt_model_next(model, NULL, &out));
}

static inline void take(npjt_model *model)
{
    npj_action out, seen = {.op = 99};
    while (npjt_model_next(model, &seen, &out)) {
    }
}

#endif
