/* SPDX-License-Identifier: MIT */
/*
 * What the files of the engine share: its structures, and who owns what.
 *
 *     request.c  what clients ask       completion.c  what became of operations    next.c  what the host must do
 *     reclaim.c  abort, gone, shutdown  clock.c       the time                     srv.c   the engine itself
 *     stats.c, check.c, digest.c        looking in
 *     job.c, .h  the life of a job: moves its state, answers its requests, fails and ends it
 *     packet.c, .h  the packets of writes: the only place that allocates, recycles and releases them
 *     table.c    state x event: what is taken, what is refused, and the state that follows
 *     deadline.c, .h  when jobs are overdue  index.c  client or provider -> jobs   slot.c  handle -> job
 *     callback.c the host's allocator and trace
 *     path.c, utf.c  pipe paths
 *
 * The headers hold what every write runs through, so that it is compiled into where it is called.
 *
 * A file calls only those in the rows below it; but a drain that has run out in clock.c ends in reclaim.c.
 *
 * A job is in one slot of the engine's index of jobs from npj_add_job() until it is GONE and the host has been told
 * everything. Each call changes the facts of a job, and then lets npji_settle() draw the conclusions: states that are
 * finished are left, deadlines armed, and the job is put in line for npj_next() if it has something to say. Settling
 * one job never touches another.
 */
#ifndef NPJOB_ENGINE_H
#define NPJOB_ENGINE_H

#include "npjob/npjob.h"

/* A freestanding compiler comes without string.h. */
#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *at, int byte, size_t bytes);
#endif

/* ---------------------------------------------------------------------------------------------------- rings */

/* A ring of links; a head alone, or a link in no ring, points to itself. */
struct npji_link {
    struct npji_link *prev;
    struct npji_link *next;
};

static inline void npji_link_init(struct npji_link *link)
{
    link->prev = link->next = link;
}

static inline bool npji_linked(const struct npji_link *link)
{
    return link->next != link;
}

static inline void npji_link_last(struct npji_link *head, struct npji_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void npji_unlink(struct npji_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    npji_link_init(link);
}

#define NPJI_OWNER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

/* -------------------------------------------------------------------------------------------------- handles */

/* A handle is generation (40 bits), slot of the job (22), kind (2). Generations are drawn from one counter of the
 * engine. */
enum { NPJI_HANDLE_JOB = 1, NPJI_HANDLE_REQUEST = 2, NPJI_HANDLE_OP = 3 };

static inline uint64_t npji_handle(uint64_t generation, uint32_t slot, unsigned kind)
{
    return generation << 24 | (uint64_t)slot << 2 | kind;
}

static inline uint32_t npji_handle_slot(uint64_t handle)
{
    return (uint32_t)(handle >> 2) & NPJ_MAX_JOBS;
}

/* -------------------------------------------------------------------------------------------------- packets */

enum {
    NPJI_PACKET_LENT = 1 << 0,
    NPJI_PACKET_IN_OP = 1 << 1,     /* in the job's last WRITE: its bytes are in use while that is in flight */
    NPJI_PACKET_CANCELLED = 1 << 2, /* a cancel was taken while it was in flight */
    NPJI_PACKET_REPLIED = 1 << 3    /* its REPLY has been taken */
};

/* One accepted write. A copied payload stands NPJI_PACKET_BYTES behind it, in the same block. */
struct npji_packet {
    struct npji_packet *next;
    npj_req request;
    uint64_t tag;
    const unsigned char *bytes;
    uint32_t length;
    uint32_t taken; /* bytes that the pipe took, as completions reported */
    npj_status status;
    uint8_t flags;
    uint8_t size_class; /* of the block, see packet.c */
};

/* What a packet takes, on every machine: how many of them fill the pool is for all to see. */
enum { NPJI_PACKET_BYTES = 48 };

_Static_assert(sizeof(struct npji_packet) <= NPJI_PACKET_BYTES, "a packet's header is at most 48 bytes");

/*
 * The writes of a job, the oldest first: those that are answered, with a REPLY or RETURN to be taken, then those that
 * wait; in a failed job, where nothing waits for an answer, those wait whose REPLY has been taken and whose bytes the
 * WRITE in flight still has. To answer the first that waits, or all that a WRITE covered, is to move @waiting. The list
 * stays where it is, since @waiting and @end may lead to its own @head.
 */
struct npji_packets {
    struct npji_packet *head;
    struct npji_packet **waiting; /* the link to the first that waits, or @end */
    struct npji_packet **end;     /* the link that the next packet goes to */
};

static inline void npji_packets_init(struct npji_packets *list)
{
    list->head = NULL;
    list->waiting = list->end = &list->head;
}

static inline bool npji_packets_due(const struct npji_packets *list)
{
    return list->waiting != &list->head;
}

static inline bool npji_packets_waiting(const struct npji_packets *list)
{
    return list->waiting != list->end;
}

static inline void npji_packets_append(struct npji_packets *list, struct npji_packet *packet)
{
    packet->next = NULL;
    *list->end = packet;
    list->end = &packet->next;
}

/* The last packet of a list that has one. */
static inline struct npji_packet *npji_packets_last(const struct npji_packets *list)
{
    return NPJI_OWNER(list->end, struct npji_packet, next);
}

/* Takes the packet that the link @at of the list leads to. */
static inline struct npji_packet *npji_packets_take(struct npji_packets *list, struct npji_packet **at)
{
    struct npji_packet *packet = *at;
    *at = packet->next;
    if (list->waiting == &packet->next)
        list->waiting = at;
    if (list->end == &packet->next)
        list->end = at;
    return packet;
}

/* ----------------------------------------------------------------------------------------------------- jobs */

enum npji_timer {
    NPJI_TIMER_ADD,
    NPJI_TIMER_CONNECT,
    NPJI_TIMER_STALL,
    NPJI_TIMER_DRAIN,
    NPJI_TIMERS,
    NPJI_NO_TIMER = NPJI_TIMERS
};

struct npji_deadline {
    struct npji_link link; /* in the ring of its kind, which is in order of time since a kind has but one timeout */
    uint64_t when;         /* on the engine's clock; NPJ_NEVER when not armed */
};

enum npji_key { NPJI_CLIENT, NPJI_PROVIDER, NPJI_KEYS };

struct npji_member {
    struct npji_link ring;     /* jobs of the same key */
    struct npji_member *chain; /* next key of the same bucket; of use in one job of the ring, its leader */
};

/* Facts of a job. For the requests that are part of the job (add, connect, close) there are three of each. */
enum { NPJI_KINDS = 4 };                                            /* of npj_request_kind */
#define NPJI_WAITING(request)  (1u << (request))                    /* accepted and not answered */
#define NPJI_ANSWERED(request) (1u << (NPJI_KINDS + (request)))     /* answered, REPLY not taken */
#define NPJI_GOOD(request)     (1u << (2 * NPJI_KINDS + (request))) /* SUCCESS is the answer; else the first failure */
#define NPJI_WAITING_ANY                                                                                               \
    (NPJI_WAITING(NPJ_REQUEST_ADD) | NPJI_WAITING(NPJ_REQUEST_CONNECT) | NPJI_WAITING(NPJ_REQUEST_CLOSE))
#define NPJI_ANSWERED_ANY (NPJI_WAITING_ANY << NPJI_KINDS)

enum {
    NPJI_CONNECT_ACCEPTED = 1 << 12,
    NPJI_CLOSE_ACCEPTED = 1 << 13,
    NPJI_HAS_JOB = 1 << 14,       /* the provider has the job: it is owed SCHEDULE_JOB or ABANDON_JOB */
    NPJI_HAS_PIPE = 1 << 15,      /* the pipe is open: it is owed CLOSE_PIPE */
    NPJI_PROVIDER_GONE = 1 << 16, /* nothing is owed to the provider any more */
    NPJI_FORGET = 1 << 17,        /* aborted or its client gone: does not stay BROKEN */
    NPJI_TRUNCATED = 1 << 18,     /* a cancelled write was not taken in full: must not be scheduled */
    NPJI_RESUME_OWED = 1 << 19,
    NPJI_CANCEL_ASKED = 1 << 20, /* the operation in flight is to be cancelled */
    NPJI_CANCEL_TAKEN = 1 << 21, /* and the host knows */
    NPJI_PROGRESS = 1 << 22      /* the pipe took something: the stall deadline starts anew */
};

/* So many bytes of a WRITE, or more, which are counted when they are asked for: a job has no room for the number. */
#define NPJI_HUGE UINT32_MAX

static inline uint32_t npji_op_bytes(uint64_t bytes)
{
    return bytes < NPJI_HUGE ? (uint32_t)bytes : NPJI_HUGE;
}

struct npji_job {
    npj_job handle;
    npj_op op; /* in flight, or 0 */
    uint64_t cookie;
    struct npji_packets writes;  /* once the job has failed, what waits is answered and replied to, and waits for the
                                    WRITE in flight, which still uses its bytes */
    struct npji_packet **op_end; /* the link behind the writes of a live job's WRITE in flight */
    uint64_t bytes;              /* in live packets */
    uint32_t packets;            /* live */
    uint32_t op_bytes;           /* that the WRITE in flight was given, or NPJI_HUGE */
    uint32_t facts;
    npj_status failure; /* the first, or SUCCESS */
    uint32_t job_id;
    uint8_t state;   /* npj_state; written by npji_move_to(), and by the add */
    uint8_t op_kind; /* npj_action_kind of op */
    uint8_t mode;    /* npj_pipe_mode */
    uint8_t timer;   /* enum npji_timer of deadline, or NPJI_NO_TIMER */
    struct npji_link ready;
    struct npji_deadline deadline; /* add, connect or stall, as the state has it */
    uint64_t tags[3];              /* add, connect, close */
    struct npji_deadline drain;
    uint64_t keys[NPJI_KEYS];
    struct npji_member members[NPJI_KEYS];
};

_Static_assert(sizeof(struct npji_job) + 2 * sizeof(void *) <= 256,
               "an idle job and its share of the index cost at most 256 bytes, where there may be two or more");

/* --------------------------------------------------------------------------------------------------- engine */

/* A slot holds the address of a job, which is even, or the number of the next free slot doubled and one. */
typedef uintptr_t npji_slot;

static inline struct npji_job *npji_slot_job(npji_slot slot)
{
    return slot & 1 ? NULL : (struct npji_job *)slot;
}

/* 1 + the free slot behind a free one, or 0. */
static inline uint32_t npji_slot_next(npji_slot slot)
{
    return (uint32_t)(slot >> 1);
}

/* Blocks of packets come in a header alone, and in sizes of payload that grow by a quarter at the most. */
enum { NPJI_SIZE_CLASSES = 102 };

struct npj_srv {
    npj_config config; /* with the defaults filled in */
    bool busy;         /* inside a callback of the host */
    uint8_t shutdown;  /* 0, or 1 + npj_shutdown_how */
    bool idle_owed;
    bool no_pool_jobs; /* Event 2019 has been traced for jobs, for writes */
    bool no_pool_writes;
    bool clock_set;
    uint64_t generation;
    uint64_t origin; /* of the engine's clock on the host's */
    uint64_t now;    /* on the engine's clock */
    uint64_t shutdown_deadline;
    struct npji_link ready;               /* jobs with something to say */
    struct npji_link timers[NPJI_TIMERS]; /* deadlines, the earliest first */
    npj_stats stats;
    size_t bytes; /* of this block */

    uint32_t slots_used; /* slots below were given out at least once */
    uint32_t slot_free;  /* 1 + a free slot below slots_used, or 0 */
    uint32_t buckets;    /* of each index; a power of two */
    npji_slot *slots;
    struct npji_member **index[NPJI_KEYS];
    npj_iov *iov;
    uint32_t idle_turn; /* the class that is the next to make way; behind the last, the first */
    struct npji_packet *idle[NPJI_SIZE_CLASSES]; /* blocks kept for reuse, linked by next */
};

/* ---------------------------------------------------------------------------------- calls of the host, and back */

/* What runs a few times in a job, or in trouble, stands apart from what runs for every write. */
#define NPJI_RARE __attribute__((cold, noinline))

/* What is compiled anew for each call, with what that call says: a write is lent or copied. */
#define NPJI_FOR_EACH_CALL inline __attribute__((always_inline))

/* A table that position-independent code reaches without a global offset table; Windows has none. */
#ifdef _WIN32
#define NPJI_HIDDEN
#else
#define NPJI_HIDDEN __attribute__((visibility("hidden")))
#endif

/* The two checks that come before all others. */
#define NPJI_ENTER(srv)                                                                                                \
    do {                                                                                                               \
        if ((srv) == NULL)                                                                                             \
            return NPJ_STATUS_INVALID_PARAMETER;                                                                       \
        if ((srv)->busy)                                                                                               \
            return NPJ_STATUS_INVALID_DEVICE_STATE;                                                                    \
    } while (0)

static inline uint64_t npji_add_saturated(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline void npji_gauge_add(npj_gauge *gauge, uint64_t n)
{
    gauge->live += n;
    gauge->total += n;
    if (gauge->live > gauge->peak)
        gauge->peak = gauge->live;
}

/* callback.c */
NPJI_RARE void *npji_alloc(struct npj_srv *srv, size_t bytes);
NPJI_RARE void npji_release(struct npj_srv *srv, void *block, size_t bytes);
NPJI_RARE void npji_trace(struct npj_srv *srv, const npj_trace *trace);

/* table.c */
/* A row has room for a power of two, so that a shift finds it. */
enum { NPJI_ROW = 16 };
extern const npj_cell npji_table[NPJ_STATE_COUNT][NPJI_ROW] NPJI_HIDDEN;

static inline npj_cell npji_cell(const struct npji_job *job, npj_event event)
{
    return npji_table[job->state][event];
}

/* slot.c */
void npji_slot_take(struct npj_srv *srv, struct npji_job *job);
void npji_slot_give(struct npj_srv *srv, const struct npji_job *job);

/* The job in the slot that a handle of any kind names, or NULL. Whether the handle is that job's, the caller tells. */
static inline struct npji_job *npji_job_at(const struct npj_srv *srv, uint64_t handle)
{
    uint32_t slot = npji_handle_slot(handle);
    return slot < srv->slots_used ? npji_slot_job(srv->slots[slot]) : NULL;
}

static inline uint64_t npji_generation(struct npj_srv *srv)
{
    return ++srv->generation;
}

/* job.c, and job.h */
NPJI_RARE npj_status npji_refuse(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_status status);
NPJI_RARE void npji_trace_event(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_state from,
                                npj_status status);
void npji_accept(struct npj_srv *srv, struct npji_job *job, npj_request_kind request, uint64_t tag);
void npji_answer(struct npji_job *job, npj_request_kind request, bool good);

static inline uint64_t *npji_tag(struct npji_job *job, npj_request_kind request)
{
    return &job->tags[request == NPJ_REQUEST_CLOSE ? 2 : request];
}

void npji_fail(struct npj_srv *srv, struct npji_job *job, npj_event event, npj_status reason);
void npji_ask_cancel(struct npji_job *job);
void npji_settle(struct npj_srv *srv, struct npji_job *job);
NPJI_RARE bool npji_can_resume(const struct npj_srv *srv, const struct npji_job *job);
void npji_job_release(struct npj_srv *srv, struct npji_job *job);

static inline bool npji_failed(const struct npji_job *job)
{
    return job->state >= NPJ_STATE_ABORTING && job->state <= NPJ_STATE_BROKEN;
}

/* Whether the operation in flight is a WRITE that uses the bytes of @packet: no other is taken while one of the last
 * WRITE's packets is left. */
static inline bool npji_packet_held(const struct npji_job *job, const struct npji_packet *packet)
{
    return (packet->flags & NPJI_PACKET_IN_OP) && job->op;
}

/* The bytes of a write that the pipe took. Of one that its WRITE covered nobody has written it down: see cover(). */
static inline uint32_t npji_packet_count(const struct npji_job *job, const struct npji_packet *packet)
{
    bool covered = (packet->flags & NPJI_PACKET_IN_OP) && !job->op && packet->status == NPJ_STATUS_SUCCESS;
    return covered ? packet->length : packet->taken;
}

/* Whether a write has no bytes, and the pipe knows no empty messages: it is never in flight. */
static inline bool npji_packet_is_nothing(const struct npji_job *job, const struct npji_packet *packet)
{
    return packet->length == 0 && job->mode == NPJ_BYTE_MODE;
}

/* packet.c, and packet.h */
/* The bytes of a block of each class. */
extern const uint32_t npji_blocks[NPJI_SIZE_CLASSES] NPJI_HIDDEN;

size_t npji_packet_block(const struct npji_packet *packet);
NPJI_RARE struct npji_packet *npji_block_new(struct npj_srv *srv, size_t bytes);
NPJI_RARE bool npji_block_room(struct npj_srv *srv, unsigned class);
struct npji_packet **npji_packet_answer(struct npji_job *job, struct npji_packet **at, npj_status status);
struct npji_packet **npji_packet_answer_cancelled(struct npji_job *job, struct npji_packet **at);
void npji_packets_trim(struct npj_srv *srv);

/* index.c */
void npji_index_add(struct npj_srv *srv, struct npji_job *job, enum npji_key key);
void npji_index_remove(struct npj_srv *srv, struct npji_job *job, enum npji_key key);
struct npji_job *npji_index_first(const struct npj_srv *srv, enum npji_key key, uint64_t value);
struct npji_job *npji_index_next(const struct npji_job *job, enum npji_key key);
uint64_t npji_index_count(const struct npj_srv *srv, enum npji_key key);

/* deadline.c */
uint64_t npji_host_time(const struct npj_srv *srv, uint64_t when);
uint64_t npji_earliest(const struct npj_srv *srv, struct npji_job **job);

/* reclaim.c */
void npji_abort_all(struct npj_srv *srv);

#endif
