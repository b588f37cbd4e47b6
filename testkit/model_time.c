/* SPDX-License-Identifier: MIT */
/* The reference model: the clock, and shutdown, which has a deadline of its own. */
#include "model_state.h"

/* The earliest deadline: whose and which, or no job for that of shutdown. */
static uint64_t earliest(const npjt_model *model, model_job **whose)
{
    model_job *jobs = npjt_model_jobs(model);
    uint64_t first = NPJ_NEVER;
    int first_kind = 0;
    *whose = NULL;
    for (int kind = 0; kind < MODEL_DEADLINES; kind++) {
        for (uint32_t i = 0; i < model->job_count; i++) {
            uint64_t at = jobs[i].at[kind];
            bool tie =
                *whose != NULL && at == first && kind == first_kind && jobs[i].armed[kind] < (*whose)->armed[kind];

            if (at < first || (at != NPJ_NEVER && tie)) {
                first = at;
                first_kind = kind;
                *whose = &jobs[i];
            }
        }
    }
    /* A job is left as long as the host has not taken all that there is to tell of it. */
    if (model->refusing && !model->aborted && model->job_count != 0 && model->drained < first) {
        first = model->drained;
        *whose = NULL;
    }
    return npjt_model_sum(model->origin, first);
}

uint64_t npjt_model_deadline(const npjt_model *model)
{
    model_job *whose;
    return earliest(model, &whose);
}

npj_status npjt_model_advance(npjt_model *model, uint64_t now)
{
    model_job *whose;
    uint64_t at;
    if (!model->clock_set) {
        model->clock_set = true;
        model->origin = now;
        return NPJ_STATUS_SUCCESS;
    }
    if (now < npjt_model_sum(model->origin, model->clock))
        return NPJ_STATUS_SUCCESS;
    model->clock = now - model->origin;
    while ((at = earliest(model, &whose)) != NPJ_NEVER && at <= now) {
        if (whose != NULL) {
            npjt_model_fail(model, whose, NPJ_STATUS_IO_TIMEOUT);
            npjt_model_settle(model, whose);
        } else {
            npjt_model_abort_all(model);
        }
    }
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}

npj_status npjt_model_shutdown(npjt_model *model, npj_shutdown_how how)
{
    if (how != NPJ_DRAIN && how != NPJ_ABORT)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (!model->refusing) {
        model->refusing = true;
        model->drained = npjt_model_sum(model->clock, model->limits.timeout[MODEL_BY_DRAIN]);
    }
    if (how == NPJ_ABORT && !model->aborted)
        npjt_model_abort_all(model);
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}
