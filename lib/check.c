/* SPDX-License-Identifier: MIT */
/* Every invariant of the engine, verified by walking all of it. */
#include "deadline.h"
#include "job.h"
#include "packet.h"

/* What the walk over the jobs adds up to. */
struct sums {
    uint64_t jobs, provided, packets, reserved, pool; /* provided: with a provider that has not gone */
    uint64_t ready, armed[NPJI_TIMERS];
};

#define MUST(condition, sentence)                                                                                      \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return sentence;                                                                                           \
    } while (0)

/* Whether a packet is one of the job's, and its block holds what it says. */
static bool is_sound(const struct npji_job *job, const struct npji_packet *packet)
{
    return npji_handle_slot(packet->request) == npji_handle_slot(job->handle) && packet->taken <= packet->length &&
           packet->size_class < NPJI_SIZE_CLASSES &&
           ((packet->flags & NPJI_PACKET_LENT) || packet->length <= npji_packet_block(packet) - NPJI_PACKET_BYTES);
}

/* Walks the job's writes; returns whether they are divided and end where it says, and adds up what is in them. */
static bool walk(const struct npji_job *job, uint32_t *packets, uint64_t *bytes, uint64_t *pool)
{
    const struct npji_packets *list = &job->writes;
    struct npji_packet *const *at = &list->head;
    bool divided = at == list->waiting;
    for (const struct npji_packet *packet; (packet = *at) != NULL; at = &packet->next) {
        if (!is_sound(job, packet) || *packets > job->packets) /* more than there are: it may never end */
            return false;
        ++*packets;
        *bytes += packet->length;
        *pool += npji_packet_block(packet);
        divided = divided || &packet->next == list->waiting;
    }
    return divided && list->end == at;
}

static bool is_writing(const struct npji_job *job)
{
    return job->op && job->op_kind == NPJ_WRITE;
}

/* What waits in a live job: the WRITE in flight was given the first of it, of which some may wait for their cancel. */
static const char *check_waiting(const struct npji_job *job)
{
    struct npji_packet *const *at = job->writes.waiting, *const *op_end = at;
    const struct npji_packet *packet = *at;
    bool given = is_writing(job);
    MUST(!given || (packet != NULL && (packet->flags & NPJI_PACKET_IN_OP)), "a WRITE in flight has its writes");
    MUST(packet == NULL || !(job->facts & NPJI_HAS_PIPE) || !npji_packet_is_nothing(job, packet),
         "an empty write whose turn has come is answered");
    for (; (packet = *at) != NULL; at = &packet->next) {
        bool in_op = packet->flags & NPJI_PACKET_IN_OP;
        given = given && in_op;
        op_end = given ? &packet->next : op_end;
        MUST(given || !in_op, "a write is in flight only with those before it");
        MUST(!(packet->flags & NPJI_PACKET_CANCELLED) || (in_op && (job->facts & NPJI_CANCEL_ASKED)),
             "a write that waits for its cancel is in flight");
    }
    MUST(!is_writing(job) || job->op_end == op_end, "a WRITE in flight ends behind its writes");
    return NULL;
}

static const char *check_packets(const struct npji_job *job, struct sums *sums)
{
    uint32_t packets = 0;
    uint64_t bytes = 0;
    MUST(walk(job, &packets, &bytes, &sums->pool), "a job's list of writes is whole");
    MUST(packets == job->packets && bytes == job->bytes, "a job counts the packets and bytes that it has");
    sums->packets += packets;

    bool live = job->state < NPJ_STATE_ABORTING, waits = false;
    uint64_t given = 0;
    for (const struct npji_packet *packet = job->writes.head; packet != NULL; packet = packet->next) {
        bool held = npji_packet_held(job, packet), replied = packet->flags & NPJI_PACKET_REPLIED;
        given += held ? packet->length - packet->taken : 0;
        waits = waits || packet == *job->writes.waiting;
        MUST(!waits || live || held, "a failed job keeps a replied write only for the WRITE in flight");
        MUST(!waits || live != replied, "a write that waits in a live job has no reply");
        MUST(waits || !live || !held, "an answered write of a live job is not in flight");
        MUST(waits || !replied || (packet->flags & NPJI_PACKET_LENT), "only lent bytes are returned");
    }
    const char *broken = live ? check_waiting(job) : NULL;
    MUST(broken != NULL || !is_writing(job) || npji_op_bytes(given) == job->op_bytes,
         "a WRITE in flight was given the bytes of its writes");
    return broken;
}

/* The facts that a state comes with: what has been accepted, what waits, and what is owed. */
static uint32_t facts_of(npj_state state)
{
    enum {
        CONNECTED = NPJI_HAS_JOB | NPJI_CONNECT_ACCEPTED,
        CLOSED = CONNECTED | NPJI_CLOSE_ACCEPTED | NPJI_WAITING(NPJ_REQUEST_CLOSE)
    };
    static const uint32_t facts[NPJ_STATE_COUNT] = {
        [NPJ_STATE_ADDING] = NPJI_WAITING(NPJ_REQUEST_ADD),
        [NPJ_STATE_ADDED] = NPJI_HAS_JOB,
        [NPJ_STATE_CONNECTING] = CONNECTED | NPJI_WAITING(NPJ_REQUEST_CONNECT),
        [NPJ_STATE_OPEN] = CONNECTED | NPJI_HAS_PIPE,
        [NPJ_STATE_CLOSING] = CLOSED | NPJI_HAS_PIPE,
        [NPJ_STATE_CLEANUP] = CLOSED | NPJI_HAS_PIPE,
        [NPJ_STATE_SCHEDULING] = CLOSED,
        [NPJ_STATE_CLEANUP_FAILED] = NPJI_HAS_PIPE,
    };
    return facts[state];
}

static const char *check_facts(const struct npj_srv *srv, const struct npji_job *job, struct sums *sums)
{
    uint32_t facts = job->facts;
    uint32_t waiting = facts & NPJI_WAITING_ANY, answered = (facts & NPJI_ANSWERED_ANY) >> NPJI_KINDS;
    MUST(!(waiting & answered), "a request is answered once");
    MUST(!waiting || job->state < NPJ_STATE_ABORTING, "a failed job holds no unanswered request");
    for (uint32_t left = waiting | answered; left != 0; left &= left - 1)
        sums->reserved++;
    MUST(!npji_failed(job) || job->failure != NPJ_STATUS_SUCCESS, "a failed job has its first failure");
    MUST(job->state >= NPJ_STATE_ABORTING || job->failure == NPJ_STATUS_SUCCESS, "a job with a failure has failed");
    MUST(!(facts_of((npj_state)job->state) & ~facts), "a job has what its state says");
    MUST(!(facts & NPJI_CANCEL_ASKED) || job->op, "only an operation in flight is cancelled");
    MUST(!(facts & NPJI_CANCEL_TAKEN) || (facts & NPJI_CANCEL_ASKED), "only a cancel that was asked for is taken");
    MUST(!(facts & NPJI_PROGRESS), "progress has moved the deadline");
    MUST(job->state != NPJ_STATE_GONE || !(facts & NPJI_HAS_PIPE), "an ended job owes nothing to the pipe");
    MUST(job->state != NPJ_STATE_GONE || !(facts & NPJI_HAS_JOB) || (facts & NPJI_PROVIDER_GONE),
         "an ended job owes nothing to its provider");
    MUST(!npji_finished(srv, job), "a state that is finished has been left");
    return NULL;
}

/* What is cancelled may be of a state that the job has left. */
static const char *check_op(const struct npji_job *job)
{
    npj_action_kind kind;
    MUST(!job->op || job->state == NPJ_STATE_ABORTING || (npji_op_of(job, &kind) && job->op_kind == kind),
         "an operation in flight is that of the job's state");
    MUST(!job->op || npji_handle_slot(job->op) == npji_handle_slot(job->handle), "an operation names the job's slot");
    return NULL;
}

/* Whether a deadline is armed, if a timer is wanted, and in its ring then. One that was armed before now comes no later
 * than one that is armed now; NPJ_NEVER is no later only if that would never come either. */
static bool is_armed(const struct npj_srv *srv, const struct npji_deadline *deadline, enum npji_timer timer)
{
    if (timer == NPJI_NO_TIMER)
        return deadline->when == NPJ_NEVER && !npji_linked(&deadline->link);
    return deadline->when <= npji_add_saturated(srv->now, npji_timeout(srv, timer)) &&
           npji_linked(&deadline->link) == (deadline->when != NPJ_NEVER);
}

static const char *check_links(const struct npj_srv *srv, const struct npji_job *job, struct sums *sums)
{
    bool ready = npji_linked(&job->ready);
    MUST(ready == npji_has_action(srv, job), "a job is in line exactly if it has something to say");
    MUST(job->timer == npji_timer_wanted(job), "a job has the deadline of its state");
    MUST(is_armed(srv, &job->deadline, (enum npji_timer)job->timer), "a deadline is armed and in its ring");
    bool drains = job->facts & NPJI_WAITING(NPJ_REQUEST_CLOSE);
    MUST(is_armed(srv, &job->drain, drains ? NPJI_TIMER_DRAIN : NPJI_NO_TIMER), "a waiting close has a drain deadline");
    sums->provided += !(job->facts & NPJI_PROVIDER_GONE);
    sums->ready += ready;
    if (npji_linked(&job->deadline.link))
        sums->armed[job->timer]++;
    if (npji_linked(&job->drain.link))
        sums->armed[NPJI_TIMER_DRAIN]++;
    return NULL;
}

/* The length of a ring, or UINT64_MAX if it is not linked both ways. (What is, leads back to its head.) */
static uint64_t length_of(const struct npji_link *head)
{
    uint64_t length = 0;
    const struct npji_link *link = head;
    for (; link->next != head; link = link->next, length++)
        if (link->next->prev != link)
            return UINT64_MAX;
    return head->prev == link ? length : UINT64_MAX;
}

static const char *check_rings(const struct npj_srv *srv, const struct sums *sums)
{
    MUST(length_of(&srv->ready) == sums->ready, "the line holds the jobs that say so");
    for (int timer = 0; timer < NPJI_TIMERS; timer++) {
        const struct npji_link *head = &srv->timers[timer];
        MUST(length_of(head) == sums->armed[timer], "a ring of deadlines holds the jobs that say so");
        for (const struct npji_link *link = head->next; link != head && link->next != head; link = link->next)
            MUST(NPJI_OWNER(link, const struct npji_deadline, link)->when <=
                     NPJI_OWNER(link->next, const struct npji_deadline, link)->when,
                 "a ring of deadlines is in order of time");
    }
    return NULL;
}

/* How many classes of blocks to look into: none if no list has a first block. */
static unsigned classes_kept(const struct npj_srv *srv)
{
    const unsigned classes = npji_classes(srv);
    uintptr_t any = 0;
    for (unsigned class = 0; class < classes; class ++)
        any |= (uintptr_t)srv->idle[class];
    return any != 0 ? classes : 0;
}

static const char *check_pool(const struct npj_srv *srv, const struct sums *sums)
{
    const npj_stats *stats = &srv->stats;
    const unsigned classes = classes_kept(srv);
    uint64_t idle = 0;
    MUST(srv->idle_turn <= npji_classes(srv), "a class of blocks is the next to make way");
    for (unsigned class = 0; class < classes; class ++)
        for (const struct npji_packet *packet = srv->idle[class]; packet != NULL && idle <= stats->idle_bytes;
             packet = packet->next) {
            MUST(packet->size_class == class, "what is kept for reuse is with its like");
            idle += npji_blocks[class];
        }
    MUST(idle == stats->idle_bytes && idle <= srv->config.max_idle_bytes,
         "what is kept for reuse is counted and bounded");
    MUST(sums->jobs == stats->jobs.live && sums->jobs <= srv->config.max_jobs, "jobs are counted and bounded");
    MUST(sums->packets == stats->packets.live && sums->packets <= srv->config.max_packets,
         "packets are counted and bounded");
    MUST(sums->reserved == stats->reserved_packets.live, "reserved packets are counted");
    MUST(sums->pool == stats->pool_bytes.live && sums->pool + idle <= srv->config.max_pool_bytes,
         "the pool is counted and bounded");
    MUST(stats->memory_bytes == srv->bytes + sums->jobs * sizeof(struct npji_job) + sums->pool + idle,
         "all memory is accounted for");
    return NULL;
}

/* Every slot that was given out is a job's, or in the list of the free ones. */
static const char *check_slots(const struct npj_srv *srv, const struct sums *sums)
{
    uint64_t slots = sums->jobs;
    uint32_t at = srv->slot_free;
    for (; at != 0 && at <= srv->slots_used && slots < srv->slots_used; slots++) {
        MUST(npji_slot_job(srv->slots[at - 1]) == NULL, "a free slot has no job");
        at = npji_slot_next(srv->slots[at - 1]);
    }
    MUST(at == 0 && slots == srv->slots_used && slots <= srv->config.max_jobs, "a slot is a job's or free");
    return NULL;
}

static const char *check_shutdown(const struct npj_srv *srv)
{
    MUST(srv->shutdown == 1 + NPJ_DRAIN || srv->shutdown_deadline == NPJ_NEVER, "only a drain has a deadline");
    MUST(srv->shutdown || !srv->idle_owed, "only a shutdown ends in IDLE");
    return NULL;
}

static const char *check_index(const struct npj_srv *srv, const struct sums *sums)
{
    MUST(npji_index_count(srv, NPJI_CLIENT) == sums->jobs, "a job is found by its client");
    MUST(npji_index_count(srv, NPJI_PROVIDER) == sums->provided, "a job is found by its provider");
    return NULL;
}

static const char *check_job(const struct npj_srv *srv, uint32_t slot, struct sums *sums)
{
    const struct npji_job *job = npji_slot_job(srv->slots[slot]);
    sums->jobs++;
    MUST(npji_handle_slot(job->handle) == slot, "a job is in the slot of its handle");
    MUST(job->state < NPJ_STATE_COUNT, "a job is in a state");
    MUST(job->packets <= srv->config.max_job_packets && job->bytes <= srv->config.max_job_bytes,
         "a job stays within its limits");
    MUST(job->mode == NPJ_BYTE_MODE || job->mode == NPJ_MESSAGE_MODE, "a pipe has a mode");
    const char *broken = check_packets(job, sums);
    if (broken == NULL)
        broken = check_facts(srv, job, sums);
    if (broken == NULL)
        broken = check_op(job);
    return broken != NULL ? broken : check_links(srv, job, sums);
}

const char *npj_check(const npj_srv *srv)
{
    if (srv == NULL)
        return NULL;
    struct sums sums = {0};
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const char *broken = npji_slot_job(srv->slots[slot]) != NULL ? check_job(srv, slot, &sums) : NULL;
        if (broken != NULL)
            return broken;
    }
    const char *broken = check_rings(srv, &sums);
    if (broken == NULL)
        broken = check_pool(srv, &sums);
    if (broken == NULL)
        broken = check_slots(srv, &sums);
    if (broken == NULL)
        broken = check_shutdown(srv);
    return broken != NULL ? broken : check_index(srv, &sums);
}
