/* SPDX-License-Identifier: MIT */
/* Servers that change one member of what they say, once they have been queried. */
#include <string.h>

#include "twin_faults.h"

#define GOOD npjt_subject_npjob

static const struct change {
    npj_action_kind kind;
    void (*change)(npj_action *said);
} *wanted;
static bool queried;

static npj_status new_unqueried(const npj_config *config, void **out)
{
    queried = false;
    return GOOD.srv_new(config, out);
}

static npj_status query_noted(const void *srv, npj_job job, npj_job_info *out)
{
    queried = true;
    return GOOD.query(srv, job, out);
}

static bool next_changed(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && queried && out->kind == wanted->kind)
        wanted->change(out);
    return more;
}

static void another_kind(npj_action *said)
{
    said->kind = NPJ_ABANDON_JOB;
}

static void another_request(npj_action *said)
{
    said->request ^= 1;
}

static void another_tag(npj_action *said)
{
    said->tag += 100;
}

static void another_status(npj_action *said)
{
    said->status ^= 1;
}

static void another_job_id(npj_action *said)
{
    said->job_id++;
}

static void another_count(npj_action *said)
{
    said->count++;
}

static void another_held(npj_action *said)
{
    said->held = !said->held;
}

static void other_bytes(npj_action *said)
{
    static uint8_t bytes[4096];
    static npj_iov iov;
    if (said->iov_count == 1 && said->iov[0].length <= sizeof bytes) {
        memcpy(bytes, said->iov[0].base, said->iov[0].length);
        bytes[0] ^= 1;
        iov = (npj_iov){bytes, said->iov[0].length};
        said->iov = &iov;
    }
}

static const struct change changes[] = {
    {NPJ_SCHEDULE_JOB, another_kind}, {NPJ_REPLY, another_request}, {NPJ_REPLY, another_tag},
    {NPJ_REPLY, another_status},      {NPJ_REPLY, another_count},   {NPJ_SCHEDULE_JOB, another_job_id},
    {NPJ_REPLY, another_held},        {NPJ_WRITE, other_bytes},
};

bool twin_member(size_t index, npjt_subject *subject)
{
    if (index >= sizeof changes / sizeof *changes)
        return false;
    wanted = &changes[index];
    *subject = GOOD;
    subject->srv_new = new_unqueried;
    subject->query = query_noted;
    subject->next = next_changed;
    return true;
}

static const uint8_t queried_script[] = {0,
                                         0xE0,
                                         0,
                                         STEP(ADVANCE, 0, 10, 0),
                                         OPEN(0),
                                         STEP(EXTRA, 0, 1, 0),
                                         STEP(WRITE, 0, 5, 0),
                                         DO(DRAIN, 0),
                                         DO(COMPLETE, 0),
                                         END(0)};

const uint8_t *twin_queried_script(size_t *size)
{
    *size = sizeof queried_script;
    return queried_script;
}
