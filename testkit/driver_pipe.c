/* SPDX-License-Identifier: MIT */
/*
 * The pipe. Each job's bytes are a pattern of the job's number and the byte's place, so that a byte that is lost,
 * doubled, of another job, or out of place shows.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "driver_state.h"

/* ------------------------------------------------------------------------------------------------------ the pattern */

/** The pattern repeats after this many bytes: a prime, so that no power of two hides a displacement. */
#define PERIOD 65521

static uint8_t pattern[PERIOD + NPJT_MAX_WRITE_BYTES + 1];

static void make_pattern(void)
{
    uint32_t state = 2463534242U;
    for (size_t i = 0; i < sizeof pattern; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pattern[i] = i < PERIOD ? (uint8_t)(state >> 24) : pattern[i - PERIOD];
    }
}

/** The first thread makes it, others wait for that: threads.h, which has a call for this, is not on every machine. */
void npjt_pattern_ready(void)
{
    enum { BEING_MADE = 1, MADE };
    static atomic_int state;
    int none = 0;
    if (atomic_compare_exchange_strong(&state, &none, BEING_MADE)) {
        make_pattern();
        atomic_store(&state, MADE);
    }
    while (atomic_load(&state) != MADE) {
    }
}

static const uint8_t *pattern_at(uint32_t serial, uint64_t offset)
{
    return pattern + (serial * UINT64_C(7919) + offset) % PERIOD;
}

void npjt_fill(uint8_t *out, uint32_t serial, uint64_t offset, size_t length)
{
    memcpy(out, pattern_at(serial, offset), length);
}

static bool same(const uint8_t *bytes, uint32_t serial, uint64_t offset, size_t length)
{
    return length == 0 || memcmp(bytes, pattern_at(serial, offset), length) == 0;
}

/* ------------------------------------------------------------------------------------------------------- lent bytes */

#if defined(__SANITIZE_ADDRESS__)
#define EXACT_BUFFERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXACT_BUFFERS 1
#endif
#endif
#ifndef EXACT_BUFFERS
#define EXACT_BUFFERS 0
#endif

/** Under AddressSanitizer each lent buffer is a block of its own, of the exact size; else the memory is used again. */
bool npjt_lend(struct a_write *write, size_t length)
{
    size_t wanted = length > 0 ? length : 1;
    if (EXACT_BUFFERS || write->capacity < wanted) {
        free(write->bytes);
        write->bytes = malloc(wanted);
        write->capacity = write->bytes ? wanted : 0;
    }
    return write->bytes != NULL;
}

/** The bytes are the host's again: they must be as they were, and from here on are something else. */
void npjt_take_back(struct npjt_driver *d, struct a_write *write)
{
    if (!same(write->bytes, d->job[write->job].serial, write->offset, write->length))
        npjt_violate(d, NPJT_LAW_ORDER, "lent bytes were changed");
    if (EXACT_BUFFERS) {
        free(write->bytes);
        write->bytes = NULL;
        write->capacity = 0;
    } else if (write->length > 0) {
        memset(write->bytes, 0xDD, write->length);
    }
}

/* -------------------------------------------------------------------------------------------------- what is offered */

/** The next write of a job that may go to the pipe; empty ones only in message mode. */
static struct a_write *next_to_write(struct npjt_driver *d, const struct a_job *job, struct a_write *write)
{
    while (write && (write->answered || (write->length == 0 && !job->message_mode)))
        write = npjt_next_write(d, write);
    return write;
}

static void message_offered(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    struct a_write *write = next_to_write(d, job, npjt_first_write(d, job));
    if (!write) {
        npjt_violate(d, NPJT_LAW_ORDER, "a WRITE without a write that waits for it");
        return;
    }
    write->in_op = true;
    if (action->iov_count != 1 || action->iov[0].length != write->length)
        npjt_violate(d, NPJT_LAW_ORDER, "a WRITE to a message pipe that is not exactly one message");
    else if (!same(action->iov[0].base, job->serial, write->offset, write->length))
        npjt_violate(d, NPJT_LAW_ORDER, "a message offered to the pipe is not the one accepted");
}

/** Walks the iovecs and the writes side by side, marks the writes as in flight. */
static void bytes_offered(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    struct a_write *write = next_to_write(d, job, npjt_first_write(d, job));
    uint32_t into = write ? write->taken : 0, in_op = 0;
    for (uint32_t i = 0; i < action->iov_count; i++) {
        const uint8_t *at = action->iov[i].base;
        size_t left = action->iov[i].length;
        if (left == 0) {
            npjt_violate(d, NPJT_LAW_ORDER, "a write of no bytes is in flight on a byte pipe");
            return;
        }
        while (left > 0 && write) {
            size_t rest = write->length - into, some = rest < left ? rest : left;
            if (!same(at, job->serial, write->offset + into, some)) {
                npjt_violate(d, NPJT_LAW_ORDER, "the bytes offered to the pipe are not those accepted, in order");
                return;
            }
            in_op += !write->in_op;
            write->in_op = true;
            at += some;
            left -= some;
            into += (uint32_t)some;
            if (into == write->length) {
                write = next_to_write(d, job, npjt_next_write(d, write));
                into = 0;
            }
        }
        if (left > 0) {
            npjt_violate(d, NPJT_LAW_ORDER, "a WRITE offers more bytes than were accepted");
            return;
        }
    }
    if (in_op > d->limits.max_batch)
        npjt_violate(d, NPJT_LAW_BOUNDS, "a WRITE carries %u packets, more than max_batch", (unsigned)in_op);
}

/** Whether there is an address wherever there are bytes. */
static bool has_addresses(const npj_action *action)
{
    for (uint32_t i = 0; i < action->iov_count; i++)
        if (!action->iov[i].base && action->iov[i].length > 0)
            return false;
    return true;
}

void npjt_pipe_offered(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    job->op_bytes = 0;
    job->iov_count = 0;
    if (action->iov_count == 0 || action->iov_count > BATCH || !action->iov || !has_addresses(action)) {
        npjt_violate(d, NPJT_LAW_ORDER, "a WRITE of %u iovecs%s", (unsigned)action->iov_count,
                     action->iov && action->iov_count - 1U < BATCH ? ", one without an address" : "");
        return;
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < action->iov_count; i++)
        sum += action->iov[i].length;
    if (sum != action->count || (sum == 0 && !job->message_mode)) {
        npjt_violate(d, NPJT_LAW_ORDER, "a WRITE of no byte, or whose count is not that of its iovecs");
        return;
    }
    job->op_bytes = sum;
    job->iov_count = action->iov_count;
    memcpy(job->iov, action->iov, action->iov_count * sizeof *action->iov);
    d->offered = action->iov;
    d->offered_to = (uint8_t)(job - d->job);
    if (job->message_mode)
        message_offered(d, job, action);
    else
        bytes_offered(d, job, action);
}

/** What a WRITE has offered is the host's until it asks for the next action: it may have made other calls before. */
void npjt_pipe_keeps_offer(struct npjt_driver *d)
{
    const struct a_job *job = &d->job[d->offered_to];
    if (d->offered && memcmp(d->offered, job->iov, job->iov_count * sizeof *job->iov) != 0)
        npjt_violate(d, NPJT_LAW_RECLAIM, "the iovecs of a WRITE have changed before the next action was asked for");
    d->offered = NULL;
}

/* ----------------------------------------------------------------------------------------------- what the pipe took */

/** All bytes of a WRITE must still be there, and as they were, when it is completed: the pipe may have read them up to
 * then, however many it says that it took. */
void npjt_pipe_still_has(struct npjt_driver *d, const struct a_job *job)
{
    struct a_write *write = npjt_first_write(d, job);
    uint32_t i = 0;
    size_t into_iov = 0;
    for (; write; write = npjt_next_write(d, write)) {
        uint64_t at = write->taken;
        while (write->in_op && at < write->length && i < job->iov_count) {
            uint64_t some = write->length - at, room = job->iov[i].length - into_iov;
            some = some < room ? some : room;
            if (!same((const uint8_t *)job->iov[i].base + into_iov, job->serial, write->offset + at, (size_t)some)) {
                npjt_violate(d, NPJT_LAW_ORDER, "bytes in the hands of the pipe were changed");
                return;
            }
            at += some;
            into_iov += (size_t)some;
            if (into_iov == job->iov[i].length) {
                i++;
                into_iov = 0;
            }
        }
    }
}

/** What a completed WRITE means for its job. */
enum verdict { GOES_ON, WAS_CANCELLED, HAS_FAILED };

static enum verdict judge(const struct a_job *job, npj_status *status, uint64_t transferred)
{
    bool part = transferred < job->op_bytes;
    if (npj_status_is_error(*status))
        return *status == NPJ_STATUS_CANCELLED && job->cancel_taken ? WAS_CANCELLED : HAS_FAILED;
    if (part && transferred == 0 && job->cancel_taken)
        return WAS_CANCELLED;
    if (part && (transferred == 0 || job->message_mode)) {
        *status = NPJ_STATUS_PIPE_BROKEN;
        return HAS_FAILED;
    }
    return GOES_ON;
}

/** Answers a write that the operation carried, as far as the operation settles it. */
static void settle_write(struct npjt_driver *d, struct a_job *job, struct a_write *write, enum verdict verdict,
                         npj_status status, bool empty_was_taken)
{
    npj_status cut = write->taken > 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED;
    bool covered = write->length > 0 ? write->taken == write->length : empty_was_taken;
    if (covered) {
        npjt_answer_write(d, write, NPJ_STATUS_SUCCESS, NPJ_STATUS_SUCCESS);
    } else if (verdict == HAS_FAILED) {
        npjt_answer_write(d, write, status, write->cancelled ? cut : status);
    } else if (write->cancelled) {
        npjt_answer_write(d, write, cut, cut);
        job->truncated = true;
    }
}

void npjt_pipe_took(struct npjt_driver *d, struct a_job *job, npj_status status, uint64_t transferred)
{
    enum verdict verdict = judge(job, &status, transferred);
    uint64_t left = transferred;
    d->bytes_taken += transferred;
    bool whole = false;
    struct a_write *write = npjt_first_write(d, job);
    for (; write; write = npjt_next_write(d, write)) {
        if (!write->in_op || write->answered)
            continue;
        uint64_t rest = write->length - write->taken, some = rest < left ? rest : left;
        write->taken += (uint32_t)some;
        left -= some;
        settle_write(d, job, write, verdict, status, verdict == GOES_ON);
        whole |= write->answered && write->status == NPJ_STATUS_SUCCESS && write->taken == write->length;
    }
    npjt_op_end(d, job);
    if (job->message_mode ? whole : transferred > 0)
        job->stall_start = d->now;
    if (verdict == HAS_FAILED) {
        /* Empty writes between what was covered and what was not may be answered either way. */
        bool reached = true;
        for (write = npjt_first_write(d, job); write; write = npjt_next_write(d, write)) {
            reached = reached && (write->answered || write->length == 0);
            if (!write->answered && reached && !job->message_mode)
                npjt_answer_write(d, write, status, NPJ_STATUS_SUCCESS);
        }
        npjt_fail(d, job, status);
    }
}
