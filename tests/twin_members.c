/* SPDX-License-Identifier: MIT */
/* Servers that change one member of what they say, or what a call returns, once they have been queried. */
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
    said->request ^= 0x41; /* another name, and no kind that there is */
}

static void another_tag(npj_action *said)
{
    said->tag += UINT64_C(1) << 16;
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
        bytes[said->iov[0].length - 1] ^= 1;
        iov = (npj_iov){bytes, said->iov[0].length};
        said->iov = &iov;
    }
}

static const struct change changes[] = {
    {NPJ_SCHEDULE_JOB, another_kind}, {NPJ_REPLY, another_request}, {NPJ_REPLY, another_tag},
    {NPJ_REPLY, another_status},      {NPJ_REPLY, another_count},   {NPJ_SCHEDULE_JOB, another_job_id},
    {NPJ_REPLY, another_held},        {NPJ_WRITE, other_bytes},     {NPJ_IDLE, another_status},
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

/* --------------------------------------------------------------------------------------------------------- its turn */

static bool next_in_disorder(void *srv, npj_action *out)
{
    static npj_action second;
    if (second.op != 0) {
        *out = second;
        second.op = 0;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && queried && out->kind == NPJ_ADD_JOB && out->cookie == 0) {
        second = *out;
        more = GOOD.next(srv, out);
    }
    return more;
}

npjt_subject twin_disorder(void)
{
    npjt_subject subject = GOOD;
    subject.srv_new = new_unqueried;
    subject.query = query_noted;
    subject.next = next_in_disorder;
    return subject;
}

/* ---------------------------------------------------------------------------------------------- what a call returns */

static const char *lies;

static npj_status told(const char *call, npj_status status)
{
    return queried && strcmp(call, lies) == 0 ? NPJ_STATUS_PIPE_BUSY : status;
}

#define LYING(call, parameters, arguments)                                                                             \
    static npj_status call##_lying parameters                                                                          \
    {                                                                                                                  \
        return told(#call, GOOD.call arguments);                                                                       \
    }
LYING(add_job, (void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out),
      (srv, client, provider, cookie, tag, out))
LYING(connect, (void *srv, npj_job job, uint64_t tag), (srv, job, tag))
LYING(write, (void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags, npj_req *out),
      (srv, job, tag, bytes, length, flags, out))
LYING(close, (void *srv, npj_job job, uint64_t tag), (srv, job, tag))
LYING(cancel, (void *srv, npj_req request), (srv, request))
LYING(job_added, (void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id),
      (srv, op, status, path, job_id))
LYING(opened, (void *srv, npj_op op, npj_status status, npj_pipe_mode mode), (srv, op, status, mode))
LYING(written, (void *srv, npj_op op, npj_status status, uint64_t transferred), (srv, op, status, transferred))
LYING(done, (void *srv, npj_op op, npj_status status), (srv, op, status))
LYING(abort, (void *srv, npj_job job, npj_status reason), (srv, job, reason))
LYING(client_gone, (void *srv, uint64_t client, npj_status reason), (srv, client, reason))
LYING(provider_gone, (void *srv, uint64_t provider), (srv, provider))
LYING(shutdown, (void *srv, npj_shutdown_how how), (srv, how))
LYING(advance, (void *srv, uint64_t now), (srv, now))

bool twin_liar(size_t index, npjt_subject *subject, const char **call)
{
    size_t count = 0;
    *subject = GOOD;
    subject->srv_new = new_unqueried;
    subject->query = query_noted;
#define LIAR(name)                                                                                                     \
    do {                                                                                                               \
        if (count++ == index) {                                                                                        \
            *call = lies = #name;                                                                                      \
            subject->name = name##_lying;                                                                              \
        }                                                                                                              \
    } while (0)
    LIAR(add_job);
    LIAR(connect);
    LIAR(write);
    LIAR(close);
    LIAR(cancel);
    LIAR(job_added);
    LIAR(opened);
    LIAR(written);
    LIAR(done);
    LIAR(abort);
    LIAR(client_gone);
    LIAR(provider_gone);
    LIAR(shutdown);
    LIAR(advance);
#undef LIAR
    return index < count;
}

/* ---------------------------------------------------------------------------------------------- the script for both */

static const uint8_t queried_script[] = {0,
                                         0xE0,
                                         0,
                                         STEP(ADVANCE, 0, 10, 0),
                                         OPEN(0),
                                         STEP(EXTRA, 0, 1, 0),
                                         STEP(WRITE, 0, 5, 0),
                                         DO(DRAIN, 0),
                                         DO(COMPLETE, 0),
                                         DO(CANCEL, 0),
                                         END(0),
                                         OPEN(2),
                                         DO(ABORT, 2),
                                         DO(CLIENT_GONE, 2),
                                         DO(PROVIDER_GONE, 2),
                                         DO(ADVANCE, 0),
                                         DO(SHUTDOWN, 0)};

const uint8_t *twin_queried_script(size_t *size)
{
    *size = sizeof queried_script;
    return queried_script;
}
