/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A host for the tests, on a loop of its own, with a client and a provider that note what they see, and a real pipe
 * whose reader the test plays.
 *
 * The allocator counts, and so do the tests: rig_end() asserts that no byte, no descriptor and no child is left.
 */
#ifndef NPJOB_TESTS_HOST_SUPPORT_H
#define NPJOB_TESTS_HOST_SUPPORT_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "npjob-posix/host.h"
#include "npjob-posix/provider.h"
#include "npjob-testkit/counting.h"
#include "parameters.h"

enum { CLIENT = 71, PROVIDER = 72, JOB_ID = 74, TAG_ADD = 1, TAG_CONNECT = 2, TAG_CLOSE = 3, TAG_WRITE = 10 };
enum { REPLIES = 4096, PATIENCE_MS = 20000 };

/** A kind of pipe. */
enum kind { STREAM, SEQPACKET, FIFO, KINDS };

/** What the client and the provider of one job have seen. */
struct seen {
    struct rig *rig;
    npjp_job *job; /**< NULL when it has ended */
    npj_action replies[REPLIES];
    size_t reply_count;
    uint64_t returned[REPLIES];
    size_t returned_count;
    unsigned resumes, ended;
    npjp_job_report report; /**< in ended() */
    char trouble[NPJP_TROUBLE_MAX];

    bool provider_waits; /**< operations are left to the test, in op */
    npj_op op;
    unsigned added, scheduled, abandoned, cancels, begun, let_go;
    npj_status why;                      /**< of the abandoning */
    const char *path;                    /**< that AddJob returns; NULL: the rig's pipe */
    npj_status add_status, begin_status; /**< what the provider says */
    void (*on_reply)(struct seen *seen); /**< called from the callbacks, after they have noted what they saw */
    void (*on_ended)(struct seen *seen);
    void (*on_add_job)(struct seen *seen);
};

struct rig {
    uv_loop_t loop;
    npjt_counting pool;
    npjp_host *host;
    unsigned stopped;
    size_t descriptors; /**< that were open before */
    char folder[100];
    char path[108]; /**< of the pipe */
    enum kind kind;
    int listener; /**< -1: none */
    int reader;   /**< -1: none */
    char *got;    /**< what the reader has read */
    size_t got_length, messages;
};

/* ------------------------------------------------------------------------------------------------ beginning and end */

/** Modest limits, deadlines off but for those that a test sets. */
npjp_config rig_limits(void);

/** A loop, a host with these limits (rig_limits() for NULL) and a folder. The loop, mem and stopped are set here. */
struct rig *rig_start(const npjp_config *limits);

/** Frees the host if it is there, runs the loop to its end, and asserts that all has been given back. */
#define rig_end(r) rig_end_at(r, __LINE__)
void rig_end_at(struct rig *r, int line);

/** Open descriptors of this process. */
size_t descriptors(void);

/* ------------------------------------------------------------------------------------------------ the reader */

/** Makes the pipe; a socket listens. @p kind of it. */
void reader_listen(struct rig *r, enum kind kind);

/** Takes the writer of a socket, without waiting; opens a FIFO for reading. Asserts that it can. */
void reader_accept(struct rig *r);

/** Reads once, without waiting, at most @p most bytes. @return what read() says: 0 at the end, -1 with EAGAIN. */
ssize_t reader_read(struct rig *r, size_t most);

/** Closes the reading end. */
void reader_close(struct rig *r);

/* ------------------------------------------------------------------------------------------------ the client */

/** Asks for a job through the provider of the test, and for a connection. */
npjp_job *job_start(struct rig *r, struct seen *s, npjp_job_options more);

/** Makes a pipe of @p kind, and starts a job that has it open on both sides. */
void connect_to(struct rig *r, struct seen *s, enum kind kind);

/** Options with the calls of the test's client and provider. */
npjp_job_options job_options(struct seen *s);

extern const npjp_job_calls client_calls;
extern const npjp_provider_calls provider_calls;

/** Writes, and asserts that it was accepted. */
#define must_write(s, tag, bytes, length, flags)                                                                       \
    cr_assert_eq(npjp_job_write((s)->job, tag, bytes, length, flags, NULL), NPJ_STATUS_PENDING, "write %d", (int)(tag))

/** The reply to a request, or NULL so far. */
const npj_action *reply_to(const struct seen *s, npj_request_kind request, uint64_t tag);

/** Asserts that the request was answered with NPJ_STATUS_@p want. */
#define expect_reply(s, request, tag, want) expect_reply_at(s, request, tag, want, __LINE__)
void expect_reply_at(const struct seen *s, npj_request_kind request, uint64_t tag, npj_status want, int line);

/* ------------------------------------------------------------------------------------------------ time */

/** Runs the loop, and @p reads from the pipe meanwhile, until @p done says so; asserts that this is within PATIENCE_MS.
 */
#define until(r, s, reads, done) until_at(r, s, reads, done, __LINE__)
void until_at(struct rig *r, struct seen *s, bool reads, bool (*done)(struct seen *s), int line);

/** Runs the loop as long as something happens at once. */
void settle(struct rig *r);

/** Conditions for until(). */
bool is_connected(struct seen *s);
bool has_ended(struct seen *s);
bool is_at_end(struct seen *s); /**< the reader has read all */

/** Bytes that are easy to tell apart. */
char *pattern(size_t length);

#endif
