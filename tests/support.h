/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A small honest host for the tests: an engine under a counting allocator, and steps that assert what they see.
 *
 * Every step verifies npj_check() afterwards. A step that finds something wrong ends the test and names the line of the
 * test that asked for it.
 */
#ifndef NPJOB_TESTS_SUPPORT_H
#define NPJOB_TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "npjob/npjob.h"
#include "parameters.h"

/** The keys and tags that the helpers below use. */
enum {
    CLIENT = 71,
    PROVIDER = 72,
    COOKIE = 73,
    JOB_ID = 74,
    TAG_ADD = 1,
    TAG_CONNECT = 2,
    TAG_CLOSE = 3,
    TAG_WRITE = 10
};

/** The deadlines of limits_with(). All different, so that one is never taken for another. */
enum { ADD_TIMEOUT = 1000, CONNECT_TIMEOUT = 2000, STALL_TIMEOUT = 3000, DRAIN_TIMEOUT = 50000 };

enum { TRACES = 4096, OPERATIONS = 4096 };

/** malloc() that counts, can refuse, and calls back into the test. */
struct pool {
    uint64_t blocks;  /**< live */
    uint64_t bytes;   /**< live */
    uint64_t allocs;  /**< calls of alloc, refused ones included */
    uint64_t fail_in; /**< 1: the next alloc fails, 2: the one after it, ...; 0: none */
    bool fail_all;
    void (*inside)(void *user, bool releasing); /**< called from within alloc and release */
    void *inside_user;
};

npj_mem pool_mem(struct pool *pool);

/** An operation that has been taken, for host_end() to complete. */
struct operation {
    npj_op op;
    npj_action_kind kind;
};

struct host {
    npj_srv *srv;
    npj_config config;
    struct pool pool;
    npj_trace traces[TRACES];
    size_t trace_count;
    void (*inside_trace)(void *user); /**< called from within the trace callback */
    void *inside_trace_user;
    struct operation operations[OPERATIONS];
    size_t operation_count;
};

/** A job on its way, and what the host holds of it. */
struct job {
    npj_job id;
    npj_op op;     /**< in flight, or 0 */
    npj_op add_op; /**< ADD_JOB, completed or not: a stale handle of this job's own, later */
    npj_req req;   /**< the write of job_write(), or 0 */
    uint64_t client;
    uint64_t provider;
    uint64_t cookie;
};

/** A well-formed pipe, a file and a malformed pipe, as AddJob might return them. */
extern const npj_path path_of_pipe;
extern const npj_path path_of_file;
extern const npj_path path_malformed;

/** A place in a test, for messages. */
struct place {
    const char *file;
    int line;
};
#define HERE ((struct place){__FILE__, __LINE__})

/* ------------------------------------------------------------------------------------------------ beginning and end */

/** Modest limits, no memory kept for reuse (so that every packet shows in the allocator), the deadlines above; and what
 * is to be otherwise: limits_with(.max_jobs = 1). */
#define limits_with(...)                                                                                               \
    (&(npj_config){.size = sizeof(npj_config),                                                                         \
                   .max_jobs = 16,                                                                                     \
                   .max_packets = 256,                                                                                 \
                   .max_job_packets = 64,                                                                              \
                   .max_write_bytes = 65536,                                                                           \
                   .max_batch = 8,                                                                                     \
                   .max_job_bytes = 1 << 20,                                                                           \
                   .max_pool_bytes = 16 << 20,                                                                         \
                   .max_idle_bytes = 1,                                                                                \
                   .add_timeout = ADD_TIMEOUT,                                                                         \
                   .connect_timeout = CONNECT_TIMEOUT,                                                                 \
                   .stall_timeout = STALL_TIMEOUT,                                                                     \
                   .drain_timeout = DRAIN_TIMEOUT,                                                                     \
                   __VA_ARGS__})
#pragma GCC diagnostic ignored "-Woverride-init"

/** A host with an engine of @p limits (limits_with() for NULL). mem and trace are set by this function. */
struct host *host_start(const npj_config *limits);

/** Shuts down by abort, completes and takes everything, then asserts that every request was answered and that engine
 * and allocator hold nothing. */
#define host_end(h) host_end_at(h, HERE)
void host_end_at(struct host *h, struct place at);

/** Frees the engine as it stands, and asserts that the allocator has everything back. */
#define host_free(h) host_free_at(h, HERE)
void host_free_at(struct host *h, struct place at);

/* ------------------------------------------------------------------------------------------------------------ steps */

/** Asserts that @p call returns NPJ_STATUS_@p want. */
#define expect(h, want, call) expect_at(h, NPJ_STATUS_##want, call, #call, HERE)
void expect_at(struct host *h, npj_status want, npj_status got, const char *call, struct place at);

/** Asserts that @p call returns the error NPJ_STATUS_@p want and left the engine as it was. */
#define refused(h, want, call)                                                                                         \
    do {                                                                                                               \
        const struct before before_ = before_of(h);                                                                    \
        const npj_status got_ = (call);                                                                                \
        refused_at(h, before_, NPJ_STATUS_##want, got_, #call, HERE);                                                  \
    } while (0)
struct before {
    uint64_t digest;
    npj_stats stats;
    uint64_t blocks;
};
struct before before_of(const struct host *h);
void refused_at(struct host *h, struct before before, npj_status want, npj_status got, const char *call,
                struct place at);

/** Takes the next action and asserts its kind; the tests look at the rest. */
#define take(h, kind) take_at(h, kind, HERE)
npj_action take_at(struct host *h, npj_action_kind kind, struct place at);

/** Takes a WRITE and asserts that its bytes are those of the string @p text. */
#define take_write(h, text) take_write_at(h, text, strlen(text), HERE)
npj_action take_write_at(struct host *h, const void *bytes, size_t length, struct place at);

/** Takes a REPLY and asserts tag, status and count. */
#define expect_reply(h, tag, status, count) expect_reply_at(h, tag, NPJ_STATUS_##status, count, HERE)
npj_action expect_reply_at(struct host *h, uint64_t tag, npj_status status, uint64_t count, struct place at);

/** Takes the WRITE of one write, whose bytes are those of @p text, completes it in full, and takes its REPLY. */
#define take_whole(h, tag, text) take_whole_at(h, tag, text, HERE)
void take_whole_at(struct host *h, uint64_t tag, const char *text, struct place at);

/** Asserts that there is no action to take. */
#define expect_nothing(h) expect_nothing_at(h, HERE)
void expect_nothing_at(struct host *h, struct place at);

/** Asserts the state of a job; NPJ_STATE_GONE asserts that its handle is refused. */
#define expect_state(h, job, state) expect_state_at(h, job, state, HERE)
void expect_state_at(struct host *h, npj_job job, npj_state state, struct place at);

/** The engine's counters. */
npj_stats stats_of(const struct host *h);

/** Asserts the number of live packets. */
#define expect_packets(h, live) expect_packets_at(h, live, HERE)
void expect_packets_at(struct host *h, uint64_t live, struct place at);

/* ------------------------------------------------------------------------------------------- the way through a life */

/** Accepts a job of its own keys and cookie; nothing is taken. */
struct job job_accept_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie);

/** Each of these starts a job of CLIENT, PROVIDER, COOKIE, and takes all that there is to take on the way. */
struct job job_adding(struct host *h);     /**< ADD_JOB is in flight; no connect */
struct job job_added(struct host *h);      /**< nothing is in flight; no connect */
struct job job_connecting(struct host *h); /**< OPEN is in flight */
struct job job_open(struct host *h);       /**< a byte pipe is open, and idle */
struct job job_open_message(struct host *h);
struct job job_writing(struct host *h);    /**< "abc" is in flight */
struct job job_closing(struct host *h);    /**< "abc" is in flight, close accepted */
struct job job_cleanup(struct host *h);    /**< CLOSE_PIPE is in flight */
struct job job_scheduling(struct host *h); /**< SCHEDULE_JOB is in flight */
struct job job_ended(struct host *h);      /**< scheduled, and answered */

/** An open job of other keys. Nothing else may be due. */
struct job job_open_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie, npj_pipe_mode mode);

/** Copies the string @p text into a write, asserts PENDING and keeps its handle in job->req. */
#define job_write(h, job, tag, text) job_write_at(h, job, tag, text, NPJ_COPY, HERE)
#define job_lend(h, job, tag, text)  job_write_at(h, job, tag, text, NPJ_LEND, HERE)
npj_req job_write_at(struct host *h, struct job *job, uint64_t tag, const char *text, unsigned flags, struct place at);

/** From OPEN with "abc" in flight: the write fails with PIPE_BROKEN, its REPLY is taken. CLOSE_PIPE is in flight. */
struct job job_cleanup_failed(struct host *h);
struct job job_abandoning(struct host *h); /**< from there: ABANDON_JOB is in flight */
struct job job_broken(struct host *h);     /**< from there: BROKEN */

/** Takes the CANCEL of @p op. */
#define take_cancel(h, op) take_cancel_at(h, op, HERE)
void take_cancel_at(struct host *h, npj_op op, struct place at);

/** Takes an operation of @p kind, asserts the job's status that it carries, and completes it with success. */
#define finish(h, kind, status) finish_at(h, kind, NPJ_STATUS_##status, NPJ_STATUS_SUCCESS, HERE)
void finish_at(struct host *h, npj_action_kind kind, npj_status carried, npj_status completed, struct place at);

/** Completes an operation with success, and takes the REPLY that this brings: of the add, with path_of_pipe; of the
 * connect, with a byte pipe; of the one write that it had, of which the pipe has taken @p count bytes, the last of it.
 */
#define expect_added(h, op)               expect_added_at(h, op, HERE)
#define expect_opened(h, op)              expect_opened_at(h, op, HERE)
#define expect_written(h, op, tag, count) expect_written_at(h, op, tag, count, HERE)
void expect_added_at(struct host *h, npj_op op, struct place at);
void expect_opened_at(struct host *h, npj_op op, struct place at);
void expect_written_at(struct host *h, npj_op op, uint64_t tag, uint64_t count, struct place at);

/** Sees a job whose close has been accepted, and has nothing pending, scheduled, and its close answered. */
#define finish_close(h) finish_close_at(h, HERE)
void finish_close_at(struct host *h, struct place at);

/** Closes a job that has nothing pending, and sees it scheduled, and gone. */
#define close_and_schedule(h, job) close_and_schedule_at(h, job, HERE)
void close_and_schedule_at(struct host *h, npj_job job, struct place at);

/** Takes CLOSE_PIPE and ABANDON_JOB of a failed job, both with its status. */
#define close_and_abandon(h, status)                                                                                   \
    do {                                                                                                               \
        finish(h, NPJ_CLOSE_PIPE, status);                                                                             \
        finish(h, NPJ_ABANDON_JOB, status);                                                                            \
    } while (0)

/** The ways of ending a job by force. Ends a job in one of them, and returns what its requests are answered with. */
enum { ABORTED, CLIENT_WENT, PROVIDER_WENT, SHUT_DOWN, EXPIRED, WAYS };
npj_status end_job(struct host *h, const struct job *job, int way);

/** Completes an operation of any kind, with success or with an error. */
npj_status complete(struct host *h, npj_action_kind kind, npj_op op, npj_status status);

/** The number of trace lines of @p kind and @p event since the host began (or trace_count was set to 0). */
size_t count_traces(const struct host *h, npj_trace_kind kind, npj_event event);

#endif
