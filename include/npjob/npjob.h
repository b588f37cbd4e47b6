/* SPDX-License-Identifier: MIT */
/**
 * @file
 * npjob: the named-pipe job state machine of an SMB server.
 *
 * A print provider answers AddJob with the path of a named pipe. From then on the server must carry every write of the
 * client into that pipe as a request packet, and give each packet up when the pipe is done with it. NT 4.0's srv.sys
 * did not (KB Q226513), and lost nonpaged pool in proportion to the job. This library is that part of a server, and
 * owns the packets.
 *
 * The engine does no I/O and has no clock, threads, locks or globals. The host tells it what happens (a request of a
 * client, the completion of an operation, the time) and asks it, with npj_next(), what to do now. One job, as the host
 * sees it:
 *
 *     host calls                                   npj_next() says
 *     npj_add_job(tag 1)          -> PENDING       ADD_JOB op
 *     npj_job_added(op, path)     -> SUCCESS       REPLY tag 1
 *     npj_connect(tag 2)          -> PENDING       OPEN op
 *     npj_opened(op, byte mode)   -> SUCCESS       REPLY tag 2
 *     npj_write(tag 3, bytes)     -> PENDING       WRITE op, iov
 *     npj_written(op, n)          -> SUCCESS       REPLY tag 3, count n
 *     npj_close(tag 4)            -> PENDING       CLOSE_PIPE op
 *     npj_done(op)                -> SUCCESS       SCHEDULE_JOB op
 *     npj_done(op)                -> SUCCESS       REPLY tag 4
 *
 * Rules that hold for every function here:
 *
 * - **Serialise.** Calls on one engine must not overlap. Two engines share nothing.
 * - **Answers.** A request is accepted (NPJ_STATUS_PENDING) and then gets exactly one REPLY, or it is refused (an
 * error) and gets none. A call that returns an error left the engine as it was; only a bad claim in a completion, and
 * the RESUME that a QUOTA_EXCEEDED owes, differ, and both say so below. (A refusal is counted all the same, the first
 * at a cap is traced, and memory kept for reuse may have been given back.)
 * - **Which error.** Where several apply, the first of: re-entry, handle, parameter, shutdown, state, the job's limit,
 * the engine's cap, the allocator.
 * - **Re-entry.** The engine calls the host only through npj_mem and npj_config.trace. A call into the same engine from
 * there does nothing and returns NPJ_STATUS_INVALID_DEVICE_STATE (npj_next() false, npj_srv_free() nothing). Every
 * function with a npj_status result but npj_srv_new(), npj_job_query() and those of path.h may return it; it is not
 * repeated below. Those that only look (npj_deadline(), npj_stats_get(), npj_job_query(), npj_check(), npj_digest())
 * may be called from there, but see an engine in the middle of a change.
 * - **Allocation.** Only npj_srv_new(), npj_add_job() and npj_write() allocate. Nothing on the way out does.
 * - **Handles** carry generations: one that is stale, forged or of another kind is refused, never followed. A forged
 * handle is told from a real one by 40 bits of generation, which wrap after 10^12 jobs, writes and operations; handles
 * are no secret to keep from the host.
 * - **Callbacks return.** No longjmp() and no exception out of them: the engine would wait for their return for ever.
 *
 * Who owns what, and until when:
 *
 *     an engine                    the host, until npj_srv_free()
 *     npj_config, npj_path         the caller; read during the call, not kept
 *     bytes of a copied write      the caller, again when the call returns; the copy is the engine's
 *     bytes of a lent write        lent from PENDING on, until the REPLY, or if that says held, the RETURN
 *     bytes of a refused write     the caller, all the time
 *     a write's packet             the engine, until its REPLY is taken and no WRITE in flight uses it; if the REPLY
 *                                  says held, until the RETURN is taken
 *     an operation                 the host, from the npj_next() that says it until its one completion
 *     the iovec array of a WRITE   the engine; the host may read it until the next npj_next()
 *     the bytes that it points to  the host may read them until npj_written(), whatever comes between
 *     an open pipe                 the host, until CLOSE_PIPE tells it to close it
 *     a provider's job (JobId)     the engine, from npj_job_added() until it is scheduled or abandoned, or its
 *                                  provider gone; the host's if the path is no pipe (see npj_job_added())
 *
 * A bad claim in the completion of ADD_JOB or OPEN leaves to the host what it has got hold of: the provider's job, the
 * open pipe. After a bad claim in any other completion the engine goes on as after an error there.
 *
 * A NULL engine is NPJ_STATUS_INVALID_PARAMETER.
 */
#ifndef NPJOB_NPJOB_H
#define NPJOB_NPJOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob/path.h"
#include "npjob/status.h"
#include "npjob/table.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NPJ_VERSION_MAJOR 0
#define NPJ_VERSION_MINOR 1
#define NPJ_VERSION_PATCH 0

/** The version of the library that is linked: major << 16 | minor << 8 | patch. */
uint32_t npj_version(void);

/** One engine. The host serialises the calls on it. */
typedef struct npj_srv npj_srv;

typedef uint64_t npj_job; /**< a print job, from npj_add_job() until it is scheduled or abandoned; 0 is none */
typedef uint64_t npj_req; /**< one accepted write, until it is answered; 0 is none */
typedef uint64_t npj_op;  /**< one operation in the host's hands, until its completion; 0 is none */

/** Of a time or a timeout, which are in the host's units: it never comes, there is no deadline. */
#define NPJ_NEVER UINT64_MAX

/* ------------------------------------------------------------------------------------------------ configuration */

/** The host's allocator, one for each engine. Both functions are called only from within calls of the engine. */
typedef struct npj_mem {
    /** Returns @p bytes (never 0) of memory aligned as malloc() aligns, or NULL. */
    void *(*alloc)(void *user, size_t bytes);
    /** Takes back @p block, which alloc() returned for exactly @p bytes. Never called with NULL. Cannot fail. */
    void (*release)(void *user, void *block, size_t bytes);
    void *user;
} npj_mem;

typedef enum npj_trace_kind {
    NPJ_TRACE_EVENT,  /**< an event met a job: a cell of the table was consulted, and what came of it */
    NPJ_TRACE_NO_POOL /**< Event 2019: the engine's cap has refused a job or a write with INSUFF_SERVER_RESOURCES. Said
                         once, then not again until a call of that kind has succeeded */
} npj_trace_kind;

/** One line of a trace. A completion or a cancel whose handle is stale or of another kind is told as an event of the
 * job that is now in the slot which that handle names, if there is one; a request or an abort with a handle of no job
 * is not told. (A job that is GONE is still one until its last action has been taken.) */
typedef struct npj_trace {
    npj_trace_kind kind;
    npj_event event; /**< NO_POOL: NPJ_EVENT_WRITE for a write, NPJ_EVENT_COUNT for a new job */
    npj_state from;  /**< NO_POOL of a new job: NPJ_STATE_COUNT, both */
    npj_state to;
    npj_status status; /**< SUCCESS where the event was taken, else the error that refused it */
    npj_job job;       /**< 0 for a new job that was refused */
    uint64_t cookie;
} npj_trace;

/**
 * Limits, deadlines and callbacks. Set @c size and @c mem; whatever is zero means the default beside it.
 *
 * Isolation: one job at its limit costs the others nothing if the engine's caps are at least the sum of the jobs' own
 * limits:
 *
 *     max_packets    >= max_jobs * max_job_packets
 *     max_pool_bytes >= max_jobs * (max_job_packets * (npj_stats.packet_bytes + 64) + max_job_bytes / 4 * 5)
 *     max_pool_bytes >= max_jobs * max_job_packets * npj_stats.packet_bytes, where all writes are lent
 *
 * Below that the caps are first come, first served. The defaults are far below: sixteen stuck jobs of copied writes
 * take the whole pool. Who wants isolation sets max_jobs, max_job_packets and max_job_bytes and the caps together.
 *
 * Who lowers max_job_bytes below the default of max_write_bytes sets that as well.
 */
typedef struct npj_config {
    size_t size; /**< sizeof(npj_config), so that the struct can grow */
    npj_mem mem;
    npj_path_profile path_profile; /**< for what AddJob returns. Default NPJ_PATH_STRICT */

    uint32_t max_jobs;        /**< jobs at once; at most NPJ_MAX_JOBS. Default 1024 */
    uint32_t max_packets;     /**< live packets of all jobs. Default 65536 */
    uint32_t max_job_packets; /**< live packets of one job. Default 256 */
    uint32_t max_write_bytes; /**< longest write, as MaxWriteSize (MS-SMB2 2.2.4). Default 8 MiB, at most 2 GiB */
    uint32_t max_batch;       /**< packets that one WRITE may carry in byte mode. Default 64, at most 1024 (IOV_MAX) */
    uint64_t max_job_bytes;   /**< bytes, copied or lent, in the live packets of one job; no less than max_write_bytes.
                                   Default: the larger of 16 MiB and max_write_bytes */
    uint64_t max_pool_bytes;  /**< memory of all packets: headers, copied payloads and what is kept for reuse. Payloads
                                 are rounded up by a quarter at the most, small ones to 64 bytes. A copied write that
                                 does not fit into all of it is never accepted. Default: the larger of 256 MiB and what
                                 a copied write of max_write_bytes takes at the most */
    uint64_t max_idle_bytes;  /**< of that, the most that is kept for reuse; 1 keeps nothing. Default 1 MiB. When it is
                                 full, blocks of writes of long ago make way for those of now */

    /* Deadlines, in the units of npj_advance(); NPJ_NEVER switches one off. The defaults suppose milliseconds. A job
     * for which nobody waits has none (added and not connected, open and idle, BROKEN, or failed with an operation in
     * the host's hands): it is the host's to npj_abort() it when its client has been silent for too long. */
    uint64_t add_timeout;     /**< from npj_add_job() until AddJob has returned. Default 30000 */
    uint64_t connect_timeout; /**< from when OPEN is due, taken or not, until it has returned. Default 30000 */
    uint64_t stall_timeout;   /**< while a job that is open or closing has a write unanswered: since it came to that, or
                                 since npj_written() last reported that a byte (message mode: a whole message, an empty
                                 one too) was taken. Default 60000 */
    uint64_t drain_timeout;   /**< from the acceptance of a close until its answer; and of a shutdown by drain. Default
                                 300000 */

    /** Called for each line of the trace. May be NULL. @p trace is valid during the call only. */
    void (*trace)(void *user, const npj_trace *trace);
    void *trace_user;
} npj_config;

/** The most jobs that one engine can be configured for. */
#define NPJ_MAX_JOBS 4194303

/**
 * Creates an engine, in one allocation (the engine and its index of jobs: about 16 bytes for each of max_jobs).
 *
 * @param config read, not kept. A @c size larger than the library knows is accepted when what lies beyond is zero.
 * @param out    receives the engine on SUCCESS, untouched otherwise. The host owns it; npj_srv_free() ends it.
 * @return NPJ_STATUS_SUCCESS;
 *         NPJ_STATUS_INVALID_PARAMETER (a null pointer, no allocator, a size below the first version's or with unknown
 * settings, a limit out of range, max_write_bytes above max_job_bytes, an unknown profile);
 *         NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no).
 */
npj_status npj_srv_new(const npj_config *config, npj_srv **out);

/**
 * Ends an engine, in whatever state it is, and releases all that it owns. No replies follow. Bytes that a WRITE has
 * handed out die with it, lent ones are the host's again: the host first stops the writes that it is executing.
 *
 * @param srv set to NULL. NULL and a pointer to NULL are allowed. From inside a callback: nothing happens, @p srv is
 * unchanged.
 */
void npj_srv_free(npj_srv **srv);

/* ------------------------------------------------------------------------------- what a client asks: the requests */

/**
 * A client opens a printer: asks the provider for a job. ADD_JOB follows; its outcome is the REPLY.
 *
 * @param client   the host's key of the SMB session or connection, for npj_client_gone().
 * @param provider the host's key of the print provider, for npj_provider_gone(). Both keys are numbers of the host's
 * own, as counters and pointers are: keys that a peer has chosen to be hard to tell apart make every add, gone and end
 * of a job slow.
 * @param cookie   the host's own; comes back in every action and trace of this job. The last has come when
 * npj_job_query() says INVALID_HANDLE and npj_next(), called after that, false. A host that traces knows the moment:
 * NPJ_EVENT_FINISH from GONE is told once of each job, in the call of npj_next() that returns its last action (which
 * still has the cookie), or in the call that ended it if nothing was left to say. npj_srv_free() tells of no job.
 * @param tag      the host's name for this request; comes back in its REPLY.
 * @param out      receives the handle on PENDING, untouched otherwise. It is valid until the job is GONE, and refused
 * as INVALID_HANDLE from then on. A job is GONE when nothing is owed to pipe and provider any more: before its last
 * REPLY is taken, if the host takes that late; after it, in the completion of its last operation, whatever that
 * returns, if the requests were answered before, as those of a failed job are; and without any action, if an abort,
 * npj_client_gone(), npj_provider_gone(), npj_shutdown() by abort or npj_advance() past the end of a drain found it
 * with nothing pending and nothing owed, or withdrew what was. A BROKEN job (NPJ_STATE_BROKEN) keeps its handle.
 * @return NPJ_STATUS_PENDING;
 *         NPJ_STATUS_INVALID_PARAMETER (out is NULL);
 *         NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
 *         NPJ_STATUS_INSUFF_SERVER_RESOURCES (max_jobs);
 *         NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no; npj_trim() gives it back what is kept).
 */
npj_status npj_add_job(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out);

/**
 * Opens the job's pipe. Legal once, as soon as npj_add_job() has accepted the job; while AddJob has not returned, it
 * waits.
 *
 * @param tag comes back in the REPLY, which says how the host's OPEN ended.
 * @return NPJ_STATUS_PENDING;
 *         NPJ_STATUS_INVALID_HANDLE;
 *         NPJ_STATUS_INVALID_PIPE_STATE (a second connect, or the job has failed).
 */
npj_status npj_connect(npj_srv *srv, npj_job job, uint64_t tag);

/** How npj_write() takes the bytes. Exactly one of the two. */
enum {
    /** The engine copies them now; they are the host's again when the call returns. */
    NPJ_COPY = 1,
    /** The engine only points to them. From PENDING on they must stay as they are until the REPLY says that they are
     * the host's again (npj_action.held is false), or else until the RETURN that follows it. A refused call borrows
     * nothing. */
    NPJ_LEND = 2
};

/**
 * Writes to the pipe, after all writes accepted before. Legal as soon as a connect has been accepted; until the pipe is
 * open, it waits.
 *
 * The REPLY's count is what the pipe took of this write: all of it with SUCCESS; less with SUCCESS for a write that was
 * cancelled after some bytes; less with an error for the write on which the pipe failed. When a job fails before an
 * operation in flight has returned (abort, gone, shutdown, deadline) the count is a lower bound: what completed
 * operations had reported.
 *
 * A write of no bytes is never put in flight in byte mode, and is answered in its turn. In message mode it is an empty
 * message.
 *
 * Order is kept only among accepted writes. A host that tells its client of a refused write, instead of trying that
 * write again before anything else of the job, must npj_abort() the job: a gap in the data is not a print job.
 *
 * @param bytes  may be NULL if @p length is 0.
 * @param length 0 to max_write_bytes.
 * @param flags  NPJ_COPY or NPJ_LEND.
 * @param out    receives the handle for npj_cancel() on PENDING, untouched otherwise. May be NULL.
 * @return NPJ_STATUS_PENDING;
 *         NPJ_STATUS_INVALID_HANDLE;
 *         NPJ_STATUS_INVALID_PARAMETER (null bytes, length over max_write_bytes, flags);
 *         NPJ_STATUS_PIPE_BROKEN (the job has failed);
 *         NPJ_STATUS_INVALID_PIPE_STATE (no connect has been accepted);
 *         NPJ_STATUS_PIPE_CLOSING (a close has been accepted);
 *         NPJ_STATUS_QUOTA_EXCEEDED (the job's own max_job_packets or max_job_bytes: one NPJ_RESUME is owed);
 *         NPJ_STATUS_INSUFF_SERVER_RESOURCES (max_packets or max_pool_bytes: no RESUME; try again when a REPLY or
 *         RETURN of any job has been taken);
 *         NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no: no RESUME; likewise, or after npj_trim(), which
 *         gives it back what is kept).
 */
npj_status npj_write(npj_srv *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                     npj_req *out);

/**
 * Ends the job: what is queued is written, the pipe closed, the job scheduled. Legal as soon as a connect has been
 * accepted.
 *
 * The REPLY is SUCCESS only if every accepted write was taken in full (a cancelled one was not), the pipe was closed
 * and ScheduleJob succeeded. Otherwise it carries the first failure, and the provider is told to abandon the job. A job
 * with a cancelled write fails with CANCELLED as soon as its close is accepted, its pipe open and its last write
 * answered; CLOSE_PIPE and ABANDON_JOB follow. In a job that has failed, the first close is accepted, connected or not,
 * and answered at once with the first failure.
 *
 * @return NPJ_STATUS_PENDING;
 *         NPJ_STATUS_INVALID_HANDLE;
 *         NPJ_STATUS_INVALID_PIPE_STATE (no connect has been accepted, and the job has not failed);
 *         NPJ_STATUS_PIPE_CLOSING (a second close).
 */
npj_status npj_close(npj_srv *srv, npj_job job, uint64_t tag);

/**
 * Cancels a write (MS-SMB2 3.3.5.16). Queued: it is answered at once. In flight: the operation is asked to stop
 * (CANCEL), and what its completion reports counts; the other writes in it are written again from where the pipe
 * stopped. The REPLY is CANCELLED if the pipe took nothing, a short SUCCESS if it took a part, SUCCESS if the cancel
 * came too late; or the job's failure, if it fails first. The job goes on, but its close will fail with CANCELLED
 * unless that REPLY is a SUCCESS of all bytes; a write without bytes is no exception. Adds, connects and closes cannot
 * be cancelled: npj_abort() ends them. Takes time in proportion to the writes that the job has pending.
 *
 * @return NPJ_STATUS_SUCCESS (the cancel was taken; again for a write that is still in flight);
 *         NPJ_STATUS_NOT_FOUND (answered, as a queued write is once it has been cancelled; unknown, stale or no request
 * at all).
 */
npj_status npj_cancel(npj_srv *srv, npj_req request);

/* ------------------------------------------------------------------------------- what has happened: the completions */

/*
 * Each operation that npj_next() hands out is completed by exactly one of these calls, also after a CANCEL, an abort,
 * client_gone, provider_gone or shutdown; until then the operation keeps its job's slot and the memory of its packets.
 * An @p op that is stale, of another job or of another kind is NPJ_STATUS_INVALID_HANDLE, and nothing happens. Any
 * other completion is consumed.
 *
 * @p status is a success (severity 0 or 1, but not PENDING) or an error (severity 3), which is passed through
 * unchanged. Anything else is a bad claim, as are those that the functions name: the operation then counts as failed
 * with INVALID_PARAMETER, and the call returns NPJ_STATUS_INVALID_PARAMETER.
 */

/**
 * Completes ADD_JOB.
 *
 * If the path is no pipe and the add is still unanswered, the add and all requests behind it are answered with
 * INVALID_DEVICE_REQUEST, no ABANDON_JOB follows, and @p job_id and path are the host's: its spool-file path takes
 * over. If the add has already been answered (the client went, say), the job is abandoned. The REPLY of the add
 * tells which: of an ADD_JOB that was completed with success, INVALID_DEVICE_REQUEST says that the job is the host's.
 * (A host that relies on it never gives that status to npj_abort() or npj_client_gone() as a reason.) A malformed path,
 * an empty one among them, fails the job with OBJECT_NAME_INVALID, and the job is abandoned. After a bad claim the
 * engine takes the job as not added: no ABANDON_JOB follows, and what the provider has made is the host's to delete.
 *
 * @param path   what AddJob returned in ADDJOB_INFO_1.Path: read during the call, not kept (the host opens it). Ignored
 * when @p status is an error. Bad claims: NULL, null bytes, an unknown encoding.
 * @param job_id ADDJOB_INFO_1.JobId: comes back in SCHEDULE_JOB and ABANDON_JOB.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed).
 */
npj_status npj_job_added(npj_srv *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id);

/** What a pipe makes of writes. */
typedef enum npj_pipe_mode {
    NPJ_BYTE_MODE,   /**< a stream: queued packets may go out in one WRITE */
    NPJ_MESSAGE_MODE /**< one packet is one message and one WRITE; an empty message is a message */
} npj_pipe_mode;

/**
 * Completes OPEN.
 *
 * @param mode of the pipe that is now open. Ignored when @p status is an error. Bad claim: an unknown mode.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed: the
 * engine takes the pipe as not open, and issues no CLOSE_PIPE: a pipe that the host has opened is the host's to close).
 */
npj_status npj_opened(npj_srv *srv, npj_op op, npj_status status, npj_pipe_mode mode);

/**
 * Completes WRITE: the operation does not use the iovec's bytes any more. Those that were lent stay lent until their
 * REPLY or RETURN, as they may go into the next WRITE.
 *
 * Bytes count whatever the status: writes that are covered in full are SUCCESS, the status falls on the first that is
 * not. An empty message has no byte that would tell: it was taken if the status is a success. An error fails the job
 * even where it falls on none. A short success in byte mode is no failure: the rest goes out in the next WRITE. SUCCESS
 * with no byte of a non-empty write, or with a part of a message, is a failed pipe (PIPE_BROKEN): a host whose pipe is
 * full waits. Once the host has taken a CANCEL of this operation, CANCELLED, and SUCCESS with no byte of a non-empty
 * write, mean that it was cancelled, and the job goes on; CANCELLED unasked is a failure. So a message that a CANCEL
 * has cut off in the middle is to be completed with CANCELLED: with SUCCESS it is a part of a message.
 *
 * A deadline knows no byte that was not reported: in byte mode a host whose pipe has taken a part and is full now
 * completes with that part, and does not wait for the rest. Else a large write through a slow pipe stalls.
 *
 * @param transferred bytes that the pipe took, over all iovecs. Bad claim: more than were given.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed: no byte
 * counts).
 */
npj_status npj_written(npj_srv *srv, npj_op op, npj_status status, uint64_t transferred);

/**
 * Completes CLOSE_PIPE, SCHEDULE_JOB or ABANDON_JOB. Whatever the status, after CLOSE_PIPE the pipe and after
 * ABANDON_JOB the job are finished with. CLOSE_PIPE or SCHEDULE_JOB with an error fails the job, and ABANDON_JOB
 * follows. It also follows a SCHEDULE_JOB that succeeded too late, when the job had failed by then: so the host keeps
 * the JobId until the job has ended.
 *
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (a bad claim, consumed).
 */
npj_status npj_done(npj_srv *srv, npj_op op, npj_status status);

/**
 * Ends one job by force: everything pending is answered with @p reason, the provider is told to abandon it. In a job
 * that has already failed the first failure stays.
 *
 * @param reason an error; PRINT_CANCELLED is usual.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (reason is no error).
 */
npj_status npj_abort(npj_srv *srv, npj_job job, npj_status reason);

/**
 * A client has vanished: its jobs end with @p reason. Those whose close was accepted end by themselves, answered
 * normally, within the drain deadline. Costs time in proportion to the jobs of that client. The key may be used again
 * at once.
 *
 * @param reason an error; NETWORK_NAME_DELETED or USER_SESSION_DELETED is usual.
 * @return NPJ_STATUS_SUCCESS (also for a key that owns nothing); NPJ_STATUS_INVALID_PARAMETER (reason is no error).
 */
npj_status npj_client_gone(npj_srv *srv, uint64_t client, npj_status reason);

/**
 * A provider has vanished: its jobs fail with PIPE_DISCONNECTED. No new operation of the provider (ADD_JOB,
 * SCHEDULE_JOB, ABANDON_JOB) is issued for them, and one not yet taken is withdrawn: their JobIds mean nothing to a
 * restarted provider. Operations already taken must still be completed. Costs time in proportion to the jobs of that
 * provider. The key may be used again at once.
 *
 * @return NPJ_STATUS_SUCCESS (also for a key that owns nothing).
 */
npj_status npj_provider_gone(npj_srv *srv, uint64_t provider);

typedef enum npj_shutdown_how {
    NPJ_DRAIN, /**< refuse new jobs; those that exist may connect, write and close until drain_timeout from now, then
                  it becomes NPJ_ABORT */
    NPJ_ABORT  /**< fail every job with SERVER_SHUTDOWN_IN_PROGRESS */
} npj_shutdown_how;

/**
 * Stops the engine taking new jobs. IDLE follows, once, when nothing is left. Drain can be raised to abort, never
 * lowered; a call that raises nothing changes nothing, the drain's deadline included. The drain has its deadline until
 * the last job has ended and its last action has been taken, and none if there is no job. Abort answers the jobs in the
 * order of their slots (the low bits of npj_job), and looks at as many slots as there have ever been jobs at once.
 *
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER (how).
 */
npj_status npj_shutdown(npj_srv *srv, npj_shutdown_how how);

/* ----------------------------------------------------------------------------------------------------------- time */

/**
 * Tells the engine the time, and fails what is overdue with IO_TIMEOUT, and what is left at the end of a shutdown's
 * drain with SERVER_SHUTDOWN_IN_PROGRESS. Call it before each batch of other calls. The first call only sets the clock:
 * what was armed before counts from there. A smaller @p now than before is ignored. O(1) apart from what expires; a
 * shutdown's drain that has run out costs what npj_shutdown() by abort does. Deadlines are taken in order of time. Of
 * those that fall together adds come first, then connects, stalls, drains, and the shutdown's last; of one kind, that
 * which was armed first.
 *
 * A host that has stood still (it was stopped, or a call of its own has waited) does not know what its pipes have done
 * meanwhile, and would fail jobs whose pipes have long taken everything. It leaves such a time out of @p now, and tells
 * what has happened before it lets a deadline come that it finds passed.
 *
 * @param now in the host's units, from any origin. Sums with timeouts saturate at NPJ_NEVER, which never comes. The
 * clock stays at the latest time that it was given. NPJ_NEVER, which is what npj_deadline() says where nothing is due,
 * is the latest of all: no deadline comes after it, so it is not to be passed on.
 * @return NPJ_STATUS_SUCCESS.
 */
npj_status npj_advance(npj_srv *srv, uint64_t now);

/**
 * The earliest time at which npj_advance() would have something to do, or NPJ_NEVER. O(1). Before the first
 * npj_advance() there is no such time: it is how long after that call the deadline will be. A NULL engine: NPJ_NEVER.
 */
uint64_t npj_deadline(const npj_srv *srv);

/* ------------------------------------------------------------------------------- what the host must do: the actions */

typedef enum npj_action_kind {
    /* Operations: the host starts them, and completes each exactly once. At most one of a job is in flight. */
    NPJ_ADD_JOB,      /**< call the provider's AddJob; complete by npj_job_added() */
    NPJ_OPEN,         /**< open the path that AddJob returned; complete by npj_opened() */
    NPJ_WRITE,        /**< write iov[0..iov_count) to the pipe; complete by npj_written() */
    NPJ_CLOSE_PIPE,   /**< close the pipe; npj_done(). With an error in @c status the job is not whole: a host that can,
                         resets the pipe, so that its reader does not take the end for the end of a job */
    NPJ_SCHEDULE_JOB, /**< call the provider's ScheduleJob(job_id); npj_done() */
    NPJ_ABANDON_JOB,  /**< have the provider delete the job (SetJob, JOB_CONTROL_DELETE); npj_done() */

    /* Told, not completed. */
    NPJ_CANCEL, /**< stop the operation @c op (ADD_JOB, OPEN, WRITE or SCHEDULE_JOB), if it can be stopped. At most once
                   for an operation, never after its completion. It is still completed by the host, with whatever came
                   of it */
    NPJ_REPLY,  /**< answer the client's request @c tag with @c status */
    NPJ_RETURN, /**< the lent bytes of the write @c tag, whose REPLY said held, are the host's again */
    NPJ_RESUME, /**< after QUOTA_EXCEEDED: at the moment when this is taken, a write of the largest size fits into the
                   job's own limits again, or the job can take no more writes at all */
    NPJ_IDLE    /**< after npj_shutdown(): no job, packet or action is left. Once; job and cookie are 0 */
} npj_action_kind;

/** Which request a REPLY answers. */
typedef enum npj_request_kind {
    NPJ_REQUEST_ADD,
    NPJ_REQUEST_CONNECT,
    NPJ_REQUEST_WRITE,
    NPJ_REQUEST_CLOSE
} npj_request_kind;

/** A piece of memory to write. Laid out as POSIX's struct iovec. */
typedef struct npj_iov {
    const void *base;
    size_t length;
} npj_iov;

/** One thing to do. Members that the kind does not name are zero. */
typedef struct npj_action {
    npj_action_kind kind;
    npj_request_kind request; /**< REPLY */
    npj_job job;
    uint64_t cookie;    /**< of npj_add_job() */
    npj_op op;          /**< operations: complete this. CANCEL: the one to stop */
    uint64_t tag;       /**< REPLY, RETURN: of the request */
    npj_status status;  /**< REPLY: the answer. CLOSE_PIPE, ABANDON_JOB: what became of the job */
    uint32_t job_id;    /**< SCHEDULE_JOB, ABANDON_JOB: the provider's JobId */
    uint64_t count;     /**< REPLY of a write: bytes taken. WRITE: bytes in all iovecs */
    const npj_iov *iov; /**< WRITE: the array is valid until the next npj_next(), which writes over it (a host that
                           waits for room in the pipe copies it); its bytes until npj_written() */
    uint32_t iov_count; /**< WRITE: 1 to max_batch; 1 in message mode, where the one may be empty: its base is then NULL
                             if it was copied, and as it was lent if not */
    bool held; /**< REPLY of a lent write: the operation in flight still uses the bytes, and a RETURN follows its
                  completion */
} npj_action;

/**
 * Takes the next thing to do. Call it until it says false, after every batch of calls. Until an operation is taken, it
 * is not in flight, and may be withdrawn: then it is never handed out.
 *
 * Jobs that have something to say take turns, one action each, in the order in which they came to have something.
 * Within a job: CANCEL, REPLY of add, REPLY of connect, REPLY of writes in the order in which they were answered (by
 * one call: in which they were accepted), RETURN of those whose operation has been completed, REPLY of close, RESUME,
 * and last the operation to start.
 *
 * @param out filled when true is returned, untouched otherwise.
 * @return whether there was something. False for a NULL argument, or from inside a callback.
 */
bool npj_next(npj_srv *srv, npj_action *out);

/* ------------------------------------------------------------------------------------------------------ looking in */

/** A number that goes up and down. */
typedef struct npj_gauge {
    uint64_t live;
    uint64_t peak;
    uint64_t total; /**< ever added; total - live have been released */
} npj_gauge;

/** What an engine holds and has done. */
typedef struct npj_stats {
    npj_gauge jobs;
    npj_gauge packets;          /**< of writes: accepted, and not yet released */
    npj_gauge reserved_packets; /**< of adds, connects and closes: part of the job, counted from acceptance until the
                                   REPLY is taken */
    npj_gauge pool_bytes;       /**< memory of live packets: headers and copied payloads */
    uint64_t idle_bytes;        /**< memory kept for reuse */
    uint64_t memory_bytes;      /**< all that the engine holds of its allocator now */
    uint64_t accepted;          /**< requests accepted */
    uint64_t refused;           /**< requests refused, but for re-entry */
    uint64_t replies;           /**< replies taken */
    uint64_t operations;        /**< operations taken */
    uint64_t bytes_accepted;    /**< bytes of accepted writes */
    uint64_t bytes_taken;       /**< bytes that pipes took, as completions reported */
    uint32_t job_bytes;         /**< memory of one job, its share of the index included */
    uint32_t packet_bytes;      /**< memory of one packet's header, the same on every machine */
} npj_stats;

/** Fills @p out, if there is one, with the engine's counters. O(1). Changes nothing. Zeros for a NULL engine. */
void npj_stats_get(const npj_srv *srv, npj_stats *out);

/** One job, as npj_job_query() sees it. */
typedef struct npj_job_info {
    npj_state state;
    npj_status failure; /**< the first failure, or SUCCESS */
    uint64_t client;
    uint64_t provider;
    uint64_t cookie;
    uint64_t bytes;   /**< in live packets */
    uint32_t packets; /**< live */
    uint32_t job_id;  /**< 0 until AddJob has succeeded */
} npj_job_info;

/**
 * Looks at one job. Changes nothing.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_HANDLE; NPJ_STATUS_INVALID_PARAMETER (a null pointer).
 */
npj_status npj_job_query(const npj_srv *srv, npj_job job, npj_job_info *out);

/** Gives the memory that is kept for reuse back to the allocator. @return NPJ_STATUS_SUCCESS. */
npj_status npj_trim(npj_srv *srv);

/**
 * Walks everything and verifies every invariant of the engine. For tests and debugging: O(all).
 * @return NULL if all is well, else a static sentence that names the invariant that does not hold. NULL for a NULL
 * engine too.
 */
const char *npj_check(const npj_srv *srv);

/**
 * A digest of the observable state: what a call that returned an error must have left as it was. It covers jobs,
 * requests, packets, operations, pending actions and deadlines, in their order, the clock and the shutdown; not
 * addresses, generations, free slots, counters, the bytes of writes, which of a client's or a provider's jobs is the
 * oldest, memory kept for reuse, what has been traced, or a RESUME that is owed. O(all). The same on every machine. 0
 * for a NULL engine.
 */
uint64_t npj_digest(const npj_srv *srv);

#ifdef __cplusplus
}
#endif

#endif
