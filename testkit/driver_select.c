/* SPDX-License-Identifier: MIT */
/* Operands to what they mean now: handles by recency, stale ones, forged ones; lengths, amounts and times. */
#include "driver_state.h"

/* A forged handle is a real one with some bits changed. Should it hit another real one, it is simply that. */
#define OTHER_SLOT       UINT64_C(0x4)
#define OTHER_GENERATION UINT64_C(0x0100000000000000)

static npj_job newest_job(const struct npjt_driver *d)
{
    return d->jobs > 0 ? d->job[d->order[d->jobs - 1]].handle : d->ended_job[0];
}

static npj_op newest_op(const struct npjt_driver *d)
{
    return d->ops_live > 0 ? d->job[d->ops[d->ops_live - 1]].op : d->ended_op[0];
}

static npj_req newest_request(struct npjt_driver *d)
{
    for (uint8_t i = d->jobs; i-- > 0;)
        if (d->job[d->order[i]].last_write != NONE)
            return d->write[d->job[d->order[i]].last_write].request;
    return d->answered_write[0];
}

/** Whether a pending write has a handle that nobody was told: a forged one might be it. */
static bool has_unnamed_write(struct npjt_driver *d)
{
    for (uint8_t i = 0; i < d->jobs; i++)
        for (const struct a_write *write = npjt_first_write(d, &d->job[d->order[i]]); write;
             write = npjt_next_write(d, write))
            if (write->request == 0 && !write->replied)
                return true;
    return false;
}

/** The k-th most recent entry of a ring of which @p count were ever written; 0 if there are none. */
static uint64_t recent(const uint64_t *ring, uint32_t count, unsigned k)
{
    uint32_t kept = count < TRIED_AGAIN ? count : TRIED_AGAIN;
    return kept == 0 ? 0 : ring[(count - 1 - k % kept) % ENDED_KEPT];
}

npj_job npjt_select_job(struct npjt_driver *d, unsigned meaning)
{
    if (meaning >= JOB_NULL)
        return 0;
    if (meaning == JOB_OPERATION)
        return newest_op(d);
    if (meaning == JOB_WRITE)
        return newest_request(d);
    if (meaning == JOB_FORGED_SLOT || meaning == JOB_FORGED_GENERATION)
        return newest_job(d) ^ (meaning == JOB_FORGED_SLOT ? OTHER_SLOT : OTHER_GENERATION);
    if (meaning >= JOB_ENDED)
        return recent(d->ended_job, d->jobs_ended, meaning - JOB_ENDED);
    npj_job live[JOBS];
    unsigned count = 0;
    for (uint8_t i = 0; i < d->jobs; i++)
        if (!d->job[d->order[i]].gone)
            live[count++] = d->job[d->order[i]].handle;
    if (count == 0)
        return 0;
    unsigned k = (meaning >= JOB_OLDEST ? meaning - JOB_OLDEST : meaning) % count;
    return meaning >= JOB_OLDEST ? live[k] : live[count - 1 - k];
}

npj_req npjt_select_write(struct npjt_driver *d, npj_job handle, unsigned meaning)
{
    if (meaning >= WRITE_NULL)
        return 0;
    if (meaning == WRITE_OPERATION)
        return newest_op(d);
    if (meaning == WRITE_JOB)
        return newest_job(d);
    if (meaning == WRITE_FORGED_SLOT || meaning == WRITE_FORGED_GENERATION)
        return has_unnamed_write(d)
                   ? 0
                   : newest_request(d) ^ (meaning == WRITE_FORGED_SLOT ? OTHER_SLOT : OTHER_GENERATION);
    if (meaning >= WRITE_ANSWERED)
        return recent(d->answered_write, d->writes_answered, meaning - WRITE_ANSWERED);
    const struct a_job *job = npjt_job_of_handle(d, handle);
    npj_req pending[WRITES];
    unsigned count = 0;
    for (const struct a_write *write = job ? npjt_first_write(d, job) : NULL; write; write = npjt_next_write(d, write))
        if (!write->replied)
            pending[count++] = write->request;
    /* The analyser takes the address of a member for null, and then d. */
    if (count == 0)
        return recent(d->answered_write, d->writes_answered, 0); /* NOLINT(clang-analyzer-core.NullDereference) */
    unsigned k = (meaning >= WRITE_OLDEST ? meaning - WRITE_OLDEST : meaning) % count;
    return meaning >= WRITE_OLDEST ? pending[k] : pending[count - 1 - k];
}

/** The most recent ended operation of these kinds, or of any. */
static npj_op ended_op(const struct npjt_driver *d, unsigned k, unsigned kinds)
{
    for (uint32_t i = 0; i < TRIED_AGAIN && i < d->ops_ended; i++) {
        uint32_t at = (d->ops_ended - 1 - i) % ENDED_KEPT;
        if (kinds >> d->ended_op_kind[at] & 1 && k-- == 0)
            return d->ended_op[at];
    }
    return recent(d->ended_op, d->ops_ended, k);
}

npj_op npjt_select_op(struct npjt_driver *d, unsigned meaning, unsigned kinds)
{
    if (meaning >= OP_NULL)
        return 0;
    if (meaning == OP_JOB)
        return newest_job(d);
    if (meaning == OP_WRITE)
        return newest_request(d);
    if (meaning == OP_FORGED_SLOT || meaning == OP_FORGED_GENERATION)
        return newest_op(d) ^ (meaning == OP_FORGED_SLOT ? OTHER_SLOT : OTHER_GENERATION);
    if (meaning >= OP_ENDED)
        return ended_op(d, meaning - OP_ENDED, kinds);
    npj_op live[JOBS];
    unsigned count = 0;
    for (uint8_t i = 0; i < d->ops_live; i++)
        if (kinds >> d->job[d->ops[i]].op_kind & 1)
            live[count++] = d->job[d->ops[i]].op;
    if (count == 0)
        return 0;
    unsigned k = (meaning >= OP_OLDEST ? meaning - OP_OLDEST : meaning) % count;
    return meaning >= OP_OLDEST ? live[k] : live[count - 1 - k];
}

uint64_t npjt_select_length(struct npjt_driver *d, npj_job handle, unsigned meaning)
{
    static const uint32_t fixed[LENGTH_FIXED] = {1,    0,    2,    3,    4,    7,     8,     9,     15,
                                                 16,   17,   63,   64,   65,   255,   256,   512,   1000,
                                                 1024, 1460, 4095, 4096, 4097, 16384, 32768, 65535, 65536};
    const struct a_job *job = npjt_job_by_handle(d, handle);
    uint64_t room = job && job->bytes < d->limits.max_job_bytes ? d->limits.max_job_bytes - job->bytes : 0;
    uint64_t longest = d->limits.max_write_bytes;
    room = room < longest ? room : longest;
    switch (meaning) {
    case LENGTH_MAX:
        return longest;
    case LENGTH_MAX_LESS:
        return longest - 1;
    case LENGTH_MAX_MORE:
        return longest + 1;
    case LENGTH_HALF:
        return longest / 2;
    case LENGTH_FIT:
        return room;
    case LENGTH_FIT_MORE:
        return room < longest ? room + 1 : room;
    case LENGTH_HUGE:
        return UINT32_MAX;
    default:
        return fixed[meaning % LENGTH_FIXED];
    }
}

uint64_t npjt_select_amount(struct npjt_driver *d, npj_op op, unsigned meaning)
{
    const struct a_job *job = npjt_job_by_op(d, op);
    bool writes = job && job->op_kind == NPJ_WRITE;
    uint64_t all = writes ? job->op_bytes : 0, first = writes && job->iov_count > 0 ? job->iov[0].length : 0;
    uint64_t amount = all;
    switch (meaning) {
    case AMOUNT_0:
        return 0;
    case AMOUNT_1:
        amount = 1;
        break;
    case AMOUNT_HALF:
        amount = all / 2;
        break;
    case AMOUNT_ALL_LESS:
        amount = all > 0 ? all - 1 : 0;
        break;
    case AMOUNT_ALL_MORE:
        return all + 1;
    case AMOUNT_FIRST:
        amount = first;
        break;
    case AMOUNT_FIRST_LESS:
        amount = first > 0 ? first - 1 : 0;
        break;
    case AMOUNT_FIRST_MORE:
        amount = first + 1;
        break;
    case AMOUNT_FIRST_HALF:
        amount = first / 2;
        break;
    case AMOUNT_HUGE:
        return all | UINT64_C(0xFFFFFFFF00000000); /* cut to 32 bits it would be right */
    default:
        break;
    }
    return amount < all ? amount : all;
}

uint64_t npjt_select_time(struct npjt_driver *d, unsigned meaning)
{
    static const uint16_t fixed[TIME_FIXED] = {1, 0, 2, 9, 10, 11, 99, 100, 101, 1000};
    uint64_t now = d->origin + d->now, deadline = d->subject->deadline(d->srv);
    if (meaning == TIME_NEVER || meaning == TIME_LAST)
        return meaning == TIME_NEVER ? NPJ_NEVER : NPJ_NEVER - 1;
    if (meaning == TIME_BACK)
        return now > 0 ? now - 1 : 0;
    if (meaning < TIME_FIXED)
        return fixed[meaning] > NPJ_NEVER - now ? NPJ_NEVER : now + fixed[meaning];
    if (deadline == NPJ_NEVER)
        return now;
    if (meaning == TIME_DEADLINE_LESS)
        return deadline > 0 ? deadline - 1 : 0;
    return meaning == TIME_DEADLINE_MORE ? deadline + 1 : deadline;
}

npj_status npjt_select_status(unsigned meaning)
{
    static const npj_status statuses[] = {
        NPJ_STATUS_SUCCESS,
        NPJ_STATUS_PENDING,
        UINT32_C(0x40000000), /* informational: a success */
        UINT32_C(0x80000005), /* a warning: neither success nor error */
        NPJ_STATUS_ACCESS_DENIED,
        NPJ_STATUS_OBJECT_NAME_NOT_FOUND,
        NPJ_STATUS_INSUFFICIENT_RESOURCES,
        NPJ_STATUS_PIPE_NOT_AVAILABLE,
        NPJ_STATUS_PIPE_BUSY,
        NPJ_STATUS_PIPE_DISCONNECTED,
        NPJ_STATUS_IO_TIMEOUT,
        NPJ_STATUS_PRINT_CANCELLED,
        NPJ_STATUS_NETWORK_NAME_DELETED,
        NPJ_STATUS_USER_SESSION_DELETED,
        NPJ_STATUS_CANCELLED,
        NPJ_STATUS_PIPE_BROKEN,
        NPJ_STATUS_INVALID_PARAMETER,
        NPJ_STATUS_QUOTA_EXCEEDED,
    };
    return statuses[meaning % (sizeof statuses / sizeof *statuses)];
}

uint32_t npjt_select_count(unsigned meaning)
{
    static const uint8_t counts[] = {0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 32, 64};
    return counts[meaning % sizeof counts];
}
