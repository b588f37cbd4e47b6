/* SPDX-License-Identifier: MIT */
/*
 * What the files of the driver share: what it believes of the server, which is all that it knows from the calls that it
 * made and the actions that it took.
 *
 *     driver.c          a run: the engine, the records of the tape, the drain, the end
 *     driver_events.c   what each record does
 *     driver_request.c  what clients ask, and the status that each call must return
 *     driver_host.c     the host: takes actions
 *     driver_complete.c provider and pipe: completes operations
 *     driver_pipe.c     the pipe: the bytes that a WRITE offers, and what became of them
 *     driver_job.c      the life of a job as the laws have it: answers, failure, the end
 *     driver_time.c     deadlines
 *     driver_select.c   operands to handles
 *     driver_model.c    the reference model beside the server
 *     driver_reentry.c  the callbacks: allocation, re-entry
 *     driver_trace.c    the callback of the trace, and what it tells of a call
 *     driver_digest.c   the digest of the run
 *     oracle.c          the laws that are checked after every event
 *     report.c          a law that was broken
 */
#ifndef NPJOB_TESTKIT_DRIVER_STATE_H
#define NPJOB_TESTKIT_DRIVER_STATE_H

#include "npjob-testkit/driver.h"
#include "npjob-testkit/model.h"
#include "tape_words.h"

enum {
    JOBS = NPJT_MAX_LIVE_JOBS,
    WRITES = NPJT_MAX_LIVE_PACKETS,
    BATCH = 64,
    NONE = 255,        /* no index */
    ENDED_KEPT = 512,  /* stale handles kept, never to be met again: more than generations of 8 bits have */
    TRIED_AGAIN = 16,  /* of them, the latest, which tapes choose from */
    HOST_ROUNDS = 160, /* without a byte taken: more than the operations of all jobs' ends can need */
    PROVIDERS = 5,     /* more than tapes have: by this their keys have remainders of their own */
};

/** An accepted write, from PENDING until its packet must have been released. */
struct a_write {
    uint64_t tag;
    npj_req request;
    uint64_t offset; /* of its first byte in what the job was given to print */
    uint32_t length;
    uint32_t taken;             /* by the pipe, as completed operations reported */
    npj_status status, or_else; /* once answered: what the REPLY must say; or_else where the laws leave two */
    uint64_t turn;              /* once answered: the number of the call that did it */
    uint8_t job, next;          /* next of the same job, or next free */
    bool answered, replied;     /* the REPLY is due; has been taken */
    bool cancelled;             /* a cancel was taken while it was in flight */
    bool in_op;                 /* the WRITE in flight has its bytes */
    bool lent, held;            /* held: its REPLY said so, a RETURN is owed */
    uint8_t *bytes;             /* lent */
    size_t capacity;            /* of bytes, kept for the next write in this place */
};

enum phase { NOT_ASKED, WAITING, ANSWERED, REPLIED };

/** A job, from PENDING until it has ended and everything of it has been taken. */
struct a_job {
    bool used, gone; /* gone: no handle may reach it */
    uint32_t serial;
    npj_job handle;
    uint64_t client, provider, cookie;

    enum phase phase[4]; /* by npj_request_kind; that of NPJ_REQUEST_WRITE is not used */
    uint64_t tag[4];
    uint64_t next_tag; /* of another job's too: a tag says nothing beyond its job */
    npj_status answer[4];

    uint8_t first_write, last_write, packets;
    uint64_t bytes; /* of the live packets */
    uint64_t given; /* bytes accepted */
    bool resume_owed;

    bool added;   /* ADD_JOB has returned with a pipe, to a job that had not failed */
    bool has_job; /* the provider has it */
    bool abandon_issued;
    bool pipe_open, connect_good, message_mode;
    bool truncated;              /* an accepted write was cancelled, and not taken in full */
    bool scheduled;              /* ScheduleJob has succeeded */
    bool finished_with_provider; /* ABANDON_JOB has returned */
    bool provider_gone, forget;
    bool failed;
    bool failure_learnt; /* false: the laws leave the status open until the server says it */
    npj_status failure;
    uint32_t job_id;

    npj_op op; /* in flight, or 0 */
    npj_action_kind op_kind;
    bool cancel_owed, cancel_taken;
    uint64_t op_bytes;

    uint64_t add_start, connect_start, stall_start, drain_start;
    bool stalling;
    bool expired;     /* the server traced an expiry in this call */
    bool end_told;    /* the server traced its FINISH from GONE */
    bool traced;      /* the server has traced an event of this job, */
    npj_state state;  /* and left it in this state */
    bool awaits_line; /* the call that is being made is of many jobs, and the server has not traced it of this one */

    uint32_t iov_count; /* of the WRITE in flight */
    npj_iov iov[BATCH];
};

/* What stands where the server is to write only on success: zero could have been written. */
enum { UNTOUCHED_BYTE = 0x5E };
#define UNTOUCHED (UINT64_C(0x0101010101010101) * UNTOUCHED_BYTE)

/** What the trace is to tell of the call that is being made, and has told. */
struct told {
    uint32_t events;         /* by npj_event; NPJ_EVENT_COUNT: a new job. 0: the call is not watched */
    const struct a_job *job; /* NULL: the call names none, or not for certain */
    uint32_t due;            /* lines that the call has to have of that job, once others had theirs */
    uint32_t taken, refused; /* lines of these events */
    npj_status status;       /* of the last that was refused */
};

/** The events of completions: what a success is told as, and a failure. */
#define NPJT_COMPLETIONS                                                                                               \
    (1U << NPJ_EVENT_ADDED | 1U << NPJ_EVENT_OPENED | 1U << NPJ_EVENT_WRITTEN | 1U << NPJ_EVENT_DONE |                 \
     1U << NPJ_EVENT_FAILED)

struct npjt_driver {
    npjt_counting pool;
    bool pool_ready;
    uint8_t *scratch; /* NPJT_MAX_WRITE_BYTES + 1: what is written by copy, and paths */
    npjt_model *model;
    size_t model_room; /* bytes that it may take */

    /* From here on everything is zero at the start of a run, but for the lent buffers. */
    const npjt_subject *subject;
    void *srv;
    npjt_subject beside;        /* with the model: what the driver calls instead of */
    const npjt_subject *judged; /* the server, */
    void *judged_srv;           /* this one */
    unsigned inside;            /* its calls that have not returned; from inside one the model is not called */
    npj_path path;              /* that job_added is given */
    bool path_good;             /* of the path that job_added gives: its pointers and encoding are in order, */
    npj_status path_means;      /* and what it is */
    const npjt_options *options;
    npjt_result *result;
    npjt_limits limits;
    const uint8_t *tape;
    size_t size;

    uint32_t event; /* number of the record being played */
    const npjt_record *record;
    const char *phase;
    const char *call;           /* that has not returned; NULL: none, or one that only looks */
    npj_status status;          /* of the last call */
    bool freeing;               /* inside srv_free() */
    bool stop;                  /* a law was broken, or the server has left what the driver can follow */
    bool may_allocate, tracing; /* tracing: the server has been seen to trace */
    bool faulty;                /* allocations may be made to fail */
    bool armed;                 /* a re-entry is to be tried */
    uint8_t armed_callback, armed_call;

    struct a_job job[JOBS];
    uint8_t order[JOBS], jobs;   /* used jobs, the oldest first */
    uint8_t ops[JOBS], ops_live; /* jobs with an operation in flight, the oldest operation first */
    uint8_t free_write;
    uint32_t packets, reserved, next_serial;
    uint32_t next_job_id[PROVIDERS]; /* of another provider's job too */
    uint32_t jobs_ended, ops_ended, writes_answered;

    uint8_t stopping; /* 0, or 1 + npj_shutdown_how */
    bool idle_taken;
    uint64_t stopping_start;
    bool clock_set;
    uint64_t origin, now; /* now is from origin */

    uint64_t engine_bytes; /* what it has without a job */
    uint64_t accepted, replies, operations, bytes_accepted, bytes_taken;
    struct told told;        /* of this call */
    bool tells_calls;        /* the trace has told of a call that was taken */
    uint32_t no_pool_traced; /* in this call */
    bool no_pool_jobs, no_pool_writes;
    bool miscounted;         /* a count is wrong, and the fault behind it is looked for */
    uint64_t refused_digest; /* the server's, if its last call was refused; or 0 */
    const npj_iov *offered;  /* the iovecs of a WRITE, until the next call of next; or NULL */
    uint8_t offered_to;      /* the job */
    /* Of the allocator when first quiet with so many jobs, since more of them were there than ever before: tables may
     * grow with jobs. */
    uint64_t base_blocks[JOBS + 1], base_bytes[JOBS + 1];
    bool base_set[JOBS + 1];
    uint8_t most_jobs;

    struct a_write write[WRITES];

    /* Rings; what their counts do not cover is of an earlier run. */
    npj_job ended_job[ENDED_KEPT];
    npj_op ended_op[ENDED_KEPT];
    npj_action_kind ended_op_kind[ENDED_KEPT];
    npj_req answered_write[ENDED_KEPT];
};

static inline bool npjt_is_off(const struct npjt_driver *d, unsigned law)
{
    return d->options->laws_off >> law & 1;
}

/* report.c */
void npjt_violate(struct npjt_driver *d, unsigned law, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* driver_digest.c */
void npjt_mix(struct npjt_driver *d, uint64_t value); /* into the digest of the run */
void npjt_mix_action(struct npjt_driver *d, const npj_action *action);
void npjt_mix_trace(struct npjt_driver *d, const npj_trace *trace); /* these two if the options ask for it */
void npjt_mix_state(struct npjt_driver *d);

/* driver_events.c */
void npjt_play(struct npjt_driver *d, const npjt_record *record);
void npjt_free_engine(struct npjt_driver *d);

/* driver_request.c */
uint64_t npjt_before(struct npjt_driver *d, const char *call, npj_status expected); /* a digest, if it may be refused */
void npjt_judge(struct npjt_driver *d, npj_status status, npj_status expected, uint64_t before);
void npjt_add_job(struct npjt_driver *d, uint64_t client, uint64_t provider, bool null_out);
void npjt_connect(struct npjt_driver *d, npj_job handle);
void npjt_write(struct npjt_driver *d, npj_job handle, uint64_t length, unsigned how, bool null_out);
void npjt_close(struct npjt_driver *d, npj_job handle);
void npjt_cancel(struct npjt_driver *d, npj_req request);
void npjt_abort(struct npjt_driver *d, npj_job handle, npj_status reason);
void npjt_client_gone(struct npjt_driver *d, uint64_t client, npj_status reason);
void npjt_provider_gone(struct npjt_driver *d, uint64_t provider);
void npjt_shutdown(struct npjt_driver *d, npj_shutdown_how how);
void npjt_query(struct npjt_driver *d, npj_job handle, bool null_out);
void npjt_trim(struct npjt_driver *d);
uint64_t npjt_failed_allocations(const struct npjt_driver *d); /* made to fail, or not possible, so far */

/* driver_host.c */
void npjt_take_many(struct npjt_driver *d, uint32_t count); /* 0: all */
bool npjt_host_round(struct npjt_driver *d);

/* driver_complete.c */
void npjt_complete(struct npjt_driver *d, uint8_t index); /* the operation of a job, with success and in full */
void npjt_job_added(struct npjt_driver *d, npj_op op, npj_status status, unsigned path);
void npjt_opened(struct npjt_driver *d, npj_op op, npj_status status, unsigned mode);
void npjt_written(struct npjt_driver *d, npj_op op, npj_status status, uint64_t amount);
void npjt_done(struct npjt_driver *d, npj_op op, npj_status status);

/* driver_pipe.c */
void npjt_pattern_ready(void);
void npjt_fill(uint8_t *out, uint32_t serial, uint64_t offset, size_t length);
bool npjt_lend(struct a_write *write, size_t length); /* false: out of memory */
void npjt_take_back(struct npjt_driver *d, struct a_write *write);
void npjt_pipe_offered(struct npjt_driver *d, struct a_job *job, const npj_action *action);
void npjt_pipe_keeps_offer(struct npjt_driver *d); /* before next is asked again */
void npjt_pipe_still_has(struct npjt_driver *d, const struct a_job *job);
void npjt_pipe_took(struct npjt_driver *d, struct a_job *job, npj_status status, uint64_t transferred);

/* driver_job.c */
struct a_job *npjt_job_of_handle(struct npjt_driver *d, npj_job handle); /* gone or not, or NULL */
struct a_job *npjt_job_by_handle(struct npjt_driver *d, npj_job handle); /* not gone, or NULL */
struct a_job *npjt_job_by_cookie(struct npjt_driver *d, uint64_t cookie);
struct a_job *npjt_job_by_op(struct npjt_driver *d, npj_op op);
struct a_write *npjt_write_by_request(struct npjt_driver *d, npj_req request);
bool npjt_has_ended(const uint64_t *kept, uint32_t count,
                    uint64_t handle); /* whether it is one of the stale handles kept */
struct a_job *npjt_job_begin(struct npjt_driver *d);
struct a_write *npjt_write_begin(struct npjt_driver *d, struct a_job *job);
void npjt_answer(struct a_job *job, npj_request_kind kind, npj_status status);
void npjt_answer_write(struct npjt_driver *d, struct a_write *write, npj_status status, npj_status or_else);
void npjt_fail(struct npjt_driver *d, struct a_job *job, npj_status status);
/* The laws leave open which of two reasons ended a job when its own deadline and the shutdown's have both passed. */
static inline bool npjt_may_be_failure(const struct a_job *job, npj_status status)
{
    return job->failed && !job->failure_learnt &&
           (status == NPJ_STATUS_IO_TIMEOUT || status == NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
}

void npjt_learn_failure(struct npjt_driver *d, struct a_job *job, npj_status status);
bool npjt_has_unanswered_write(struct npjt_driver *d, const struct a_job *job);
bool npjt_resume_due(const struct npjt_driver *d, const struct a_job *job); /* one that is owed */
void npjt_settle(struct npjt_driver *d, struct a_job *job);
void npjt_op_begin(struct npjt_driver *d, struct a_job *job, const npj_action *action);
void npjt_op_end(struct npjt_driver *d, struct a_job *job);
void npjt_release_packets(struct npjt_driver *d, struct a_job *job);

static inline struct a_write *npjt_first_write(struct npjt_driver *d, const struct a_job *job)
{
    return job->first_write == NONE ? NULL : &d->write[job->first_write];
}

static inline struct a_write *npjt_next_write(struct npjt_driver *d, const struct a_write *write)
{
    return write->next == NONE ? NULL : &d->write[write->next];
}

/* driver_time.c */
void npjt_advance(struct npjt_driver *d, uint64_t to);
void npjt_check_deadline(struct npjt_driver *d);

/* driver_select.c */
npj_job npjt_select_job(struct npjt_driver *d, unsigned meaning);
npj_req npjt_select_write(struct npjt_driver *d, npj_job job, unsigned meaning);
npj_op npjt_select_op(struct npjt_driver *d, unsigned meaning, unsigned kinds); /* kinds: bits of npj_action_kind */
uint64_t npjt_select_length(struct npjt_driver *d, npj_job job, unsigned meaning);
uint64_t npjt_select_amount(struct npjt_driver *d, npj_op op, unsigned meaning);
uint64_t npjt_select_time(struct npjt_driver *d, unsigned meaning);
uint32_t npjt_select_count(unsigned meaning);

/* driver_reentry.c */
void npjt_hook(void *user, npjt_moment moment, size_t bytes);
void npjt_abused(void *user, const npjt_finding *finding);
void npjt_reenter(struct npjt_driver *d, unsigned callback);

/* driver_trace.c */
void npjt_traced(void *user, const npj_trace *trace);
void npjt_watch(struct npjt_driver *d, uint32_t events, const struct a_job *job); /* before a call, of one job */
void npjt_watch_many(struct npjt_driver *d, npj_event event, bool (*is)(const struct a_job *job, uint64_t key),
                     uint64_t key); /* or of all that @p is says yes to, or of all if it is NULL */
void npjt_check_told(struct npjt_driver *d, const char *call, npj_status status); /* after it */

/* driver_model.c */
void npjt_put_model_beside(struct npjt_driver *d);

/* oracle.c */
void npjt_check_call(struct npjt_driver *d);  /* after every call that may change something: O(jobs) */
void npjt_check_event(struct npjt_driver *d); /* after every record */
void npjt_check_quiet(struct npjt_driver *d); /* when npj_next() has said false */
void npjt_check_gone(struct npjt_driver *d, const struct a_job *job); /* when a job has ended */
void npjt_check_growth(struct npjt_driver *d, bool trimmed);
/** A wrong count or deadline is a symptom as a rule, and the actions that wait show the fault: they are taken first.
 * @return whether none of them breaks a law. */
bool npjt_is_cause(struct npjt_driver *d, unsigned law);

#endif
