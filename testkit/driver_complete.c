/* SPDX-License-Identifier: MIT */
/* Provider and pipe: what became of operations, told truly and falsely. */
#include <string.h>

#include "driver_state.h"

/* ---------------------------------------------------------------------------------------------- what AddJob returns */

enum path_class { A_PIPE, NO_PIPE, MALFORMED, BAD_CLAIM };

static const struct a_path {
    const char *bytes;
    size_t length;
    npj_path_encoding encoding;
    enum path_class class;
} paths[] = {
#define TEXT(text, class)            {text, sizeof(text) - 1, NPJ_PATH_UTF8, class}
#define CODED(text, encoding, class) {text, sizeof(text) - 1, encoding, class}
    TEXT("\\\\.\\pipe\\spool", A_PIPE),
    CODED("\\\0\\\0.\0\\\0p\0i\0p\0e\0\\\0q\0", NPJ_PATH_UTF16LE, A_PIPE),
    TEXT("\\PIPE\\spool", A_PIPE),
    TEXT("spool", A_PIPE),
    TEXT("\\\\printers\\pipe\\spool", A_PIPE),
    TEXT("\\Device\\NamedPipe\\spool", A_PIPE),
    TEXT("\\??\\PIPE\\spool", A_PIPE),
    CODED("/run/spool.sock", NPJ_PATH_OPAQUE, A_PIPE),
    TEXT("C:\\spool\\00001.SPL", NO_PIPE),
    TEXT("\\\\printers\\spool\\00001.SPL", NO_PIPE),
    TEXT("\\\\.\\pipe\\a\\b", MALFORMED),
    TEXT("", MALFORMED),
    TEXT("\\\\.\\pipe\\a\0b", MALFORMED),
    CODED("\\\0\\\0.\0\\\0p\0i\0p\0e\0\\\0q", NPJ_PATH_UTF16LE, MALFORMED),
    TEXT("\\\\.\\pipe\\..", MALFORMED),
    {NULL, 0, NPJ_PATH_UTF8, BAD_CLAIM},
    {NULL, 5, NPJ_PATH_UTF8, BAD_CLAIM},
    {"spool", 5, (npj_path_encoding)7, BAD_CLAIM},
#undef TEXT
#undef CODED
};

/* A JobId that is cut to 16 bits is another. */
#define FIRST_JOB_ID UINT32_C(0x00010000)

/* ------------------------------------------------------------------------------------------------------- completing */

/** Success, or an error; anything else is a bad claim. */
static bool usable(npj_status status)
{
    return status >> 30 < 2 ? status != NPJ_STATUS_PENDING : npj_status_is_error(status);
}

/** Begins a completion: the job whose operation this is, if it is one of these kinds. */
static struct a_job *begin(struct npjt_driver *d, const char *call, npj_op op, unsigned kinds, bool bad_claim,
                           npj_status *expected, uint64_t *before)
{
    struct a_job *job = npjt_job_by_op(d, op);
    if (job && !(kinds >> job->op_kind & 1))
        job = NULL;
    *expected = !job ? NPJ_STATUS_INVALID_HANDLE : bad_claim ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS;
    *before = job ? 0 : npjt_before(d, call, *expected);
    npjt_watch(d, NPJT_COMPLETIONS, job);
    d->call = call;
    return job;
}

/** Ends one: judges the call. @return whether it was consumed, so that the operation is over. */
static bool consumed(struct npjt_driver *d, const struct a_job *job, npj_status status, npj_status expected,
                     uint64_t before)
{
    npjt_judge(d, status, expected, before);
    return job && status != NPJ_STATUS_INVALID_HANDLE && !d->stop;
}

/** The path is the server's for the call only, and something else from then on. Like what is written it stands at the
 * very end of a block, so that reading on is seen. */
static npj_status give_path(struct npjt_driver *d, npj_op op, npj_status status, const struct a_path *given,
                            uint32_t job_id)
{
    uint8_t *bytes = given->bytes ? d->scratch + NPJT_MAX_WRITE_BYTES + 1 - given->length : NULL;
    if (bytes)
        memcpy(bytes, given->bytes, given->length);
    d->path = (npj_path){bytes, given->length, given->encoding};
    npj_status said = d->subject->job_added(d->srv, op, status, &d->path, job_id);
    if (bytes)
        memset(bytes, 0xDD, given->length);
    memset(&d->path, 0xDD, sizeof d->path);
    return said;
}

static void after(struct npjt_driver *d, struct a_job *job)
{
    npjt_release_packets(d, job);
    npjt_settle(d, job);
}

void npjt_job_added(struct npjt_driver *d, npj_op op, npj_status status, unsigned path)
{
    const struct a_path *given = &paths[path];
    bool error = npj_status_is_error(status), bad = !usable(status) || (!error && given->class == BAD_CLAIM);
    npj_status expected;
    uint64_t before;
    uint32_t job_id = 0;
    struct a_job *job = begin(d, "job_added", op, 1U << NPJ_ADD_JOB, bad, &expected, &before);
    if (job)
        job_id = FIRST_JOB_ID + d->next_job_id[job->provider % PROVIDERS]++;
    d->path_good = given->class != BAD_CLAIM;
    d->path_means = given->class == NO_PIPE     ? NPJ_STATUS_INVALID_DEVICE_REQUEST
                    : given->class == MALFORMED ? NPJ_STATUS_OBJECT_NAME_INVALID
                                                : NPJ_STATUS_SUCCESS;
    npj_status said = path == PATH_NULL ? d->subject->job_added(d->srv, op, status, NULL, job_id)
                                        : give_path(d, op, status, given, job_id);
    if (!consumed(d, job, said, expected, before))
        return;
    npjt_op_end(d, job);
    if (bad) {
        npjt_fail(d, job, NPJ_STATUS_INVALID_PARAMETER);
    } else if (error) {
        npjt_fail(d, job, status);
    } else {
        job->has_job = given->class != NO_PIPE || job->failed;
        job->job_id = job_id;
        job->added = given->class == A_PIPE && !job->failed;
        if (job->added)
            npjt_answer(job, NPJ_REQUEST_ADD, NPJ_STATUS_SUCCESS);
        else
            npjt_fail(d, job,
                      given->class == NO_PIPE ? NPJ_STATUS_INVALID_DEVICE_REQUEST : NPJ_STATUS_OBJECT_NAME_INVALID);
    }
    after(d, job);
}

void npjt_opened(struct npjt_driver *d, npj_op op, npj_status status, unsigned mode)
{
    npj_pipe_mode pipe = mode == MODE_BYTE        ? NPJ_BYTE_MODE
                         : mode == MODE_MESSAGE   ? NPJ_MESSAGE_MODE
                         : mode == MODE_UNKNOWN   ? (npj_pipe_mode)7
                         : d->limits.message_mode ? NPJ_MESSAGE_MODE
                                                  : NPJ_BYTE_MODE;
    bool error = npj_status_is_error(status), bad = !usable(status) || (!error && mode == MODE_UNKNOWN);
    npj_status expected;
    uint64_t before;
    struct a_job *job = begin(d, "opened", op, 1U << NPJ_OPEN, bad, &expected, &before);
    npj_status said = d->subject->opened(d->srv, op, status, pipe);
    if (!consumed(d, job, said, expected, before))
        return;
    npjt_op_end(d, job);
    if (bad) {
        npjt_fail(d, job, NPJ_STATUS_INVALID_PARAMETER);
    } else if (error) {
        npjt_fail(d, job, status);
    } else {
        job->pipe_open = true;
        job->message_mode = pipe == NPJ_MESSAGE_MODE;
        if (!job->failed) {
            job->connect_good = true;
            npjt_answer(job, NPJ_REQUEST_CONNECT, NPJ_STATUS_SUCCESS);
        }
    }
    after(d, job);
}

void npjt_written(struct npjt_driver *d, npj_op op, npj_status status, uint64_t amount)
{
    npj_status expected;
    uint64_t before;
    struct a_job *job = npjt_job_by_op(d, op);
    bool bad = !usable(status) || (job && amount > job->op_bytes);
    job = begin(d, "written", op, 1U << NPJ_WRITE, bad, &expected, &before);
    if (job)
        npjt_pipe_still_has(d, job);
    if (d->stop)
        return;
    npj_status said = d->subject->written(d->srv, op, status, amount);
    if (!consumed(d, job, said, expected, before))
        return;
    if (bad) {
        npjt_op_end(d, job);
        npjt_fail(d, job, NPJ_STATUS_INVALID_PARAMETER);
    } else {
        npjt_pipe_took(d, job, status, amount);
    }
    after(d, job);
}

void npjt_done(struct npjt_driver *d, npj_op op, npj_status status)
{
    const unsigned kinds = 1U << NPJ_CLOSE_PIPE | 1U << NPJ_SCHEDULE_JOB | 1U << NPJ_ABANDON_JOB;
    npj_status expected;
    uint64_t before;
    bool error = npj_status_is_error(status), bad = !usable(status);
    struct a_job *job = begin(d, "done", op, kinds, bad, &expected, &before);
    npj_status said = d->subject->done(d->srv, op, status);
    if (!consumed(d, job, said, expected, before))
        return;
    npj_action_kind kind = job->op_kind;
    npjt_op_end(d, job);
    if (kind == NPJ_CLOSE_PIPE) {
        job->pipe_open = false;
    } else if (kind == NPJ_ABANDON_JOB) {
        job->finished_with_provider = true;
    } else if (!bad && !error && !job->failed) {
        job->scheduled = true;
        npjt_answer(job, NPJ_REQUEST_CLOSE, NPJ_STATUS_SUCCESS);
    }
    if (bad || error)
        npjt_fail(d, job, bad ? NPJ_STATUS_INVALID_PARAMETER : status);
    after(d, job);
}

void npjt_complete(struct npjt_driver *d, uint8_t index)
{
    const struct a_job *job = &d->job[index];
    npj_op op = job->op;
    switch (job->op_kind) {
    case NPJ_ADD_JOB:
        npjt_job_added(d, op, NPJ_STATUS_SUCCESS, PATH_PIPE);
        break;
    case NPJ_OPEN:
        npjt_opened(d, op, NPJ_STATUS_SUCCESS, MODE_DEFAULT);
        break;
    case NPJ_WRITE:
        npjt_written(d, op, NPJ_STATUS_SUCCESS, job->op_bytes);
        break;
    default:
        npjt_done(d, op, NPJ_STATUS_SUCCESS);
        break;
    }
    npjt_check_call(d);
}
