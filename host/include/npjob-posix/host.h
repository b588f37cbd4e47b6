/* SPDX-License-Identifier: MIT */
/**
 * @file
 * npjob on POSIX: an engine on a libuv loop, whose pipes are Unix-domain sockets and FIFOs.
 *
 * The engine (npjob/npjob.h) decides; this library does. It carries out OPEN, WRITE, CLOSE_PIPE and CANCEL, keeps the
 * clock, hands ADD_JOB, SCHEDULE_JOB and ABANDON_JOB to a print provider, and REPLY, RETURN and RESUME to a client. One
 * job, as its client sees it:
 *
 *     the client calls                       its npjp_job_calls say
 *     npjp_job_add(tag 1)      -> PENDING    reply: add, tag 1
 *     npjp_job_connect(tag 2)  -> PENDING    reply: connect, tag 2
 *     npjp_job_write(tag 3)    -> PENDING    reply: write, tag 3, count n
 *     npjp_job_close(tag 4)    -> PENDING    reply: close, tag 4
 *                                            ended: the job is no more
 *
 * Rules that hold for every function here:
 *
 * - **One thread.** A host and all that is its own are used on the thread that runs the loop. Two hosts share nothing,
 * and may stand on one loop or on two.
 * - **No call calls back.** Callbacks come from the loop alone, so that every function may be called from every
 * callback. The exceptions: npjp_provider_calls.begin and .end, from which only the functions named there may be
 * called, and the allocator and the trace of npj_config, from which none may.
 * - **What comes of a call** is carried out when the callback in which it was made has returned, before the loop
 * sleeps. The loop is alive (uv_loop_alive()) as long as something may still happen by itself: a deadline, a pipe that
 * is full or waited for, a command that runs. An operation that a provider of functions has not answered does not keep
 * it alive.
 * - **Statuses** are those of the engine's function of the same name, and its order of errors (but npjp_job_add()
 * allocates, and calls begin(), before the engine is asked). A call that returns an error has changed nothing, but for
 * what npjob.h says of a bad claim and of QUOTA_EXCEEDED. A null pointer is NPJ_STATUS_INVALID_PARAMETER.
 * - **Memory.** Only npjp_host_new(), npjp_job_add() and npjp_job_write() allocate, from npj_config.mem. (libuv has an
 * allocator of its own, uv_replace_allocator(); it ends the program when that has no memory to watch a descriptor.)
 * - **Signals.** Nothing is changed, but for SIGCHLD where commands run, which libuv handles (docs/host.md). A FIFO
 * whose reader has gone raises no SIGPIPE, whatever its disposition. (Where one is pending for the process already,
 * another may be left pending for the thread.)
 * - **Descriptors** that the library opens are close-on-exec.
 */
#ifndef NPJOB_POSIX_HOST_H
#define NPJOB_POSIX_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "npjob/npjob.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An engine on a loop. */
typedef struct npjp_host npjp_host;

/** A print job on a host, from npjp_job_add() until npjp_job_calls.ended has returned or the host is freed. */
typedef struct npjp_job npjp_job;

/* ------------------------------------------------------------------------------------------------------- the host */

/** Settings of a host. Set @c size and @c loop. */
typedef struct npjp_config {
    size_t size; /**< sizeof(npjp_config), so that the struct can grow */
    uv_loop_t *loop;
    /** Limits, deadlines (in milliseconds) and trace of the engine. Its size is set by the library. An allocator of
     * NULL functions is malloc(); it serves the host too, and must live until the loop has closed what the host had
     * (see npjp_host_free()). */
    npj_config engine;
    /** Called once after npjp_host_stop(), when no job and nothing to tell is left. May be NULL. */
    void (*stopped)(npjp_host *host, void *user);
    void *user;
} npjp_config;

/**
 * Creates a host and its engine.
 *
 * @param config read, not kept; the loop is the caller's, and outlives the host.
 * @param out    receives the host on SUCCESS, untouched otherwise. The caller owns it; npjp_host_free() ends it.
 * @return NPJ_STATUS_SUCCESS;
 *         NPJ_STATUS_INVALID_PARAMETER (a null pointer, a size that is not this one, half an allocator, what
 * npj_srv_new() says of the engine's settings);
 *         NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no).
 */
npj_status npjp_host_new(const npjp_config *config, npjp_host **out);

/**
 * Stops the host taking new jobs, as npj_shutdown() does: by drain, or at once. npjp_config.stopped follows, once. The
 * host is still to be freed.
 *
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER (how).
 */
npj_status npjp_host_stop(npjp_host *host, npj_shutdown_how how);

/**
 * Ends a host, in whatever state it is and from any callback but those of "No call calls back": closes all pipes, and
 * releases all that it owns. No callback follows: no reply, no ended, no stopped; npjp_provider_calls.end is called
 * from within, for every job. All jobs are gone, operations that a provider has not answered are not to be answered any
 * more, and lent bytes are the lenders' again.
 *
 * Descriptors are closed when it returns. Memory that libuv still looks at is released when the loop has run the close
 * callbacks: uv_run() once more before uv_loop_close(), as with any handle of libuv. That also waits for commands that
 * were killed.
 *
 * @param host set to NULL. NULL and a pointer to NULL are allowed.
 */
void npjp_host_free(npjp_host **host);

/** The host's engine, for npj_stats_get() and what else only looks. Whatever changes an engine is the host's to call.
 * NULL for NULL. */
npj_srv *npjp_host_srv(npjp_host *host);

/** As npj_client_gone(): @p client has vanished, its jobs end with @p reason. */
npj_status npjp_client_gone(npjp_host *host, uint64_t client, npj_status reason);

/** As npj_provider_gone(): its jobs fail with PIPE_DISCONNECTED. Operations that it was given are still to be answered:
 * a provider that can answer no more answers them with an error first. */
npj_status npjp_provider_gone(npjp_host *host, uint64_t provider);

/* --------------------------------------------------------------------------------------- the print provider's part */

/**
 * What a print provider does. Each operation (add_job, schedule_job, abandon_job) is answered exactly once, from within
 * the callback or later, by npjp_job_added() or npjp_job_done(). One job has one operation at a time.
 */
typedef struct npjp_provider_calls {
    /** AddJob: make a pipe, and answer with its path and a JobId, by npjp_job_added(). What is to be printed is in
     * npjp_job_asked(). */
    void (*add_job)(void *user, npjp_job *job, npj_op op);
    /** ScheduleJob: the pipe has taken all of the job, and was closed. Answer by npjp_job_done(). */
    void (*schedule_job)(void *user, npjp_job *job, npj_op op, uint32_t job_id);
    /** The job failed, by @p why: delete it. Answer by npjp_job_done(); whatever the status, the job is finished. */
    void (*abandon_job)(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why);

    /** Stop @p op (of add_job or schedule_job), if it can be stopped. At most once, never after its answer. It is still
     * to be answered: after add_job with the job that was made, if one was made all the same, which is then abandoned.
     * May be NULL. */
    void (*cancel)(void *user, npjp_job *job, npj_op op);

    /** Called from within npjp_job_add(), before anything else: the place to reserve what the later calls must not fail
     * for. An error refuses the job with that status, anything else but SUCCESS with INVALID_PARAMETER. No function of
     * the library may be called but npjp_job_asked() and npjp_job_keep(). May be NULL. */
    npj_status (*begin)(void *user, npjp_job *job);
    /** The counterpart of begin(), exactly once: the job is gone. An operation not yet answered is gone with it, which
     * happens only by npjp_host_free(). Called after npjp_job_calls.ended, or from within npjp_host_free(), or when
     * npjp_job_add() has been refused after begin(). No function of the library may be called but npjp_job_asked() and
     * npjp_job_kept(). May be NULL. */
    void (*end)(void *user, npjp_job *job);
} npjp_provider_calls;

/**
 * Answers add_job.
 *
 * @param status SUCCESS, or an error that is passed on to the client.
 * @param path   of a listening Unix-domain socket or a FIFO, copied; ignored when @p status is an error. One that is
 * empty or of PATH_MAX bytes or more fails the job with OBJECT_NAME_INVALID, and has it abandoned. NULL is a bad claim.
 * @param job_id comes back in schedule_job and abandon_job.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE (not the add_job that this job waits for: nothing happened);
 *         NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed: AddJob has failed).
 */
npj_status npjp_job_added(npjp_job *job, npj_op op, npj_status status, const char *path, uint32_t job_id);

/**
 * Answers schedule_job or abandon_job.
 *
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE (not the operation that this job waits for: nothing happened);
 *         NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed: the operation has failed).
 */
npj_status npjp_job_done(npjp_job *job, npj_op op, npj_status status);

/** Keeps a pointer of the provider's with the job; npjp_job_kept() returns it. NULL at first, and of a NULL job. */
void npjp_job_keep(npjp_job *job, void *kept);
void *npjp_job_kept(const npjp_job *job);

/* --------------------------------------------------------------------------------------------- the client's part */

/** What a client is told. All from the loop. Each may be NULL, if nobody wants to know. */
typedef struct npjp_job_calls {
    /** The answer to a request, as NPJ_REPLY: @p reply is valid during the call. */
    void (*reply)(npjp_job *job, void *user, const npj_action *reply);
    /** The lent bytes of the write @p tag, whose reply said held, are the lender's again. */
    void (*returned)(npjp_job *job, void *user, uint64_t tag);
    /** After QUOTA_EXCEEDED: a write of the largest size fits again, or the job can take no more writes at all. */
    void (*resume)(npjp_job *job, void *user);
    /** The last call: the job and its pipe are no more, and @p job is not to be used after it. Every accepted request
     * has been answered by then, and every lent byte returned. */
    void (*ended)(npjp_job *job, void *user);
} npjp_job_calls;

/** What job is wanted, by whom, and through which provider. */
typedef struct npjp_job_options {
    uint64_t client;                     /**< key for npjp_client_gone() */
    uint64_t provider_key;               /**< key for npjp_provider_gone() */
    const npjp_provider_calls *provider; /**< required; kept, must outlive the job */
    void *provider_user;
    const npjp_job_calls *calls; /**< required; kept, must outlive the job */
    void *user;
    /** For the provider to read. Copied; NULL is "". */
    const char *printer, *name, *user_name, *client_name;
    npj_pipe_mode mode; /**< byte: a stream socket or a FIFO; message: a SOCK_SEQPACKET socket */
    bool wait_for_pipe; /**< try again, until the connect deadline, while there is nothing at the path, nobody listens
                           there, the listener's queue is full, or the system has no descriptor or memory */
} npjp_job_options;

/**
 * Asks for a job, as npj_add_job().
 *
 * @param options read; the strings are copied.
 * @param tag     comes back in the reply.
 * @param out     receives the job on PENDING, untouched otherwise. It is valid until ended() has returned, or until
 *                npjp_host_free().
 * @return NPJ_STATUS_PENDING: reply() and ended() follow, each exactly once for this request and this job, unless the
 * host is freed before; NPJ_STATUS_INVALID_PARAMETER (a null pointer, no provider or one without its three operations,
 * no calls, an unknown mode); NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS; NPJ_STATUS_INSUFF_SERVER_RESOURCES (max_jobs);
 *         NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no); an error of npjp_provider_calls.begin.
 */
npj_status npjp_job_add(npjp_host *host, const npjp_job_options *options, uint64_t tag, npjp_job **out);

/** As npj_connect(): opens the pipe. */
npj_status npjp_job_connect(npjp_job *job, uint64_t tag);

/** As npj_write(). With NPJ_LEND the engine copies nothing. Many small writes are put together just before the system
 * gets them (in a WRITE of several, at most 384 bytes each on average and 32 KiB together); all others go into the pipe
 * from where they lie. The bytes are the caller's again with the reply, or with returned() if that said held. */
npj_status npjp_job_write(npjp_job *job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                          npj_req *out);

/** As npj_cancel(). @p request is a write of @p job, which is not checked: one of another job of the host is cancelled
 * as well. */
npj_status npjp_job_cancel(npjp_job *job, npj_req request);

/** As npj_close(): what is queued is written, the pipe closed, the job scheduled. */
npj_status npjp_job_close(npjp_job *job, uint64_t tag);

/** As npj_abort(): the job ends by force, and is abandoned. */
npj_status npjp_job_abort(npjp_job *job, npj_status reason);

/* ------------------------------------------------------------------------------------------------------ looking in */

/** What was asked for, the strings as copied; valid as long as the job. NULL for NULL. */
const npjp_job_options *npjp_job_asked(const npjp_job *job);

/** What has become of a job so far. In ended(): what has become of it. */
typedef struct npjp_job_report {
    npj_job handle;       /**< the engine's, for npj_job_query(); stale when the job has gone */
    uint32_t job_id;      /**< the provider's; 0 until AddJob has succeeded */
    bool added;           /**< the provider made a job */
    bool opened;          /**< its pipe was opened */
    bool scheduled;       /**< ScheduleJob succeeded */
    bool abandoned;       /**< the provider was told to abandon the job */
    uint64_t bytes;       /**< that the pipe took */
    uint64_t pipe_writes; /**< calls of the system that moved them */
    const char *path;     /**< of the pipe; "" until AddJob has succeeded. Valid as long as the job */
    /** What went wrong, step by step, for people to read: "write: Broken pipe", "addjob command: exit code 1: no such
     * queue". One line, "" if nothing did, or what did is the engine's to decide: a deadline, a path that is none.
     * Valid as long as the job, and changed by what goes wrong later. */
    const char *trouble;
} npjp_job_report;

/** Fills @p out; zeros and empty strings for a NULL job. */
void npjp_job_report_get(const npjp_job *job, npjp_job_report *out);

/** Just npjp_job_report.trouble; "" for NULL. */
const char *npjp_job_trouble(const npjp_job *job);

/**
 * For a provider: adds to the trouble. What is said first stays; what follows is set behind it, after "; ". It is cut
 * where it becomes longer than NPJP_TROUBLE_MAX, and what is not printable is replaced by "_". A null pointer says
 * nothing.
 *
 * @param step what was tried: "addjob command", "write".
 * @param what what came of it. An empty one says nothing more than the step.
 */
void npjp_job_tell(npjp_job *job, const char *step, const char *what);

/** The longest trouble, its terminator included. */
#define NPJP_TROUBLE_MAX 512

#ifdef __cplusplus
}
#endif

#endif
