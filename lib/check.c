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

/* Walks a list of the job; returns whether its end is where it says, and adds up what is in it. */
static bool walk(const struct npji_job *job, const struct npji_packets *list, uint32_t *packets, uint64_t *bytes,
                 uint64_t *pool)
{
    struct npji_packet *const *at = &list->head;
    for (const struct npji_packet *packet; (packet = *at) != NULL; at = &packet->next) {
        if (packet->taken > packet->length || *packets > job->packets) /* more than there are: it may never end */
            return false;
        ++*packets;
        *bytes += packet->length;
        *pool += npji_packet_block(packet);
    }
    return list->end == at;
}

static const char *check_packets(const struct npji_job *job, struct sums *sums)
{
    uint32_t packets = 0;
    uint64_t bytes = 0;
    MUST(walk(job, &job->queue, &packets, &bytes, &sums->pool), "a job's queue is whole");
    MUST(walk(job, &job->due, &packets, &bytes, &sums->pool), "a job's list of answered writes is whole");
    MUST(packets == job->packets && bytes == job->bytes, "a job counts the packets and bytes that it has");
    sums->packets += packets;

    bool live = job->state < NPJ_STATE_ABORTING;
    for (const struct npji_packet *packet = job->queue.head; packet != NULL; packet = packet->next) {
        MUST(live || npji_packet_held(job, packet), "a failed job keeps a replied write only for the WRITE in flight");
        MUST(live != !!(packet->flags & NPJI_PACKET_REPLIED), "a write in the queue of a live job has no reply");
    }
    for (const struct npji_packet *packet = job->due.head; packet != NULL; packet = packet->next) {
        MUST(!live || !npji_packet_held(job, packet), "an answered write of a live job is not in flight");
        MUST(!(packet->flags & NPJI_PACKET_REPLIED) || (packet->flags & NPJI_PACKET_LENT),
             "only lent bytes are returned");
    }
    MUST(!live || job->op_kind != NPJ_WRITE || !job->op || job->queue.head != NULL, "a WRITE in flight has its writes");
    return NULL;
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
    MUST(!(facts & NPJI_CANCEL_ASKED) || job->op, "only an operation in flight is cancelled");
    MUST(job->state != NPJ_STATE_BROKEN || !job->op, "a broken job has no operation");
    MUST(job->state != NPJ_STATE_GONE || (!job->op && !(facts & NPJI_HAS_PIPE)),
         "an ended job owes nothing to the pipe");
    MUST(job->state != NPJ_STATE_GONE || !(facts & NPJI_HAS_JOB) || (facts & NPJI_PROVIDER_GONE),
         "an ended job owes nothing to its provider");
    MUST(!npji_finished(srv, job), "a state that is finished has been left");
    return NULL;
}

static const char *check_links(const struct npj_srv *srv, const struct npji_job *job, struct sums *sums)
{
    bool ready = npji_linked(&job->ready);
    MUST(ready == npji_has_action(srv, job), "a job is in line exactly if it has something to say");
    MUST(job->timer == npji_timer_wanted(job), "a job has the deadline of its state");
    bool drains = job->facts & NPJI_WAITING(NPJ_REQUEST_CLOSE);
    MUST(drains || job->drain.when == NPJ_NEVER, "only a waiting close has a drain deadline");
    MUST(npji_linked(&job->deadline.link) == (job->deadline.when != NPJ_NEVER) &&
             npji_linked(&job->drain.link) == (job->drain.when != NPJ_NEVER),
         "a deadline is in its ring exactly if it is armed");
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

static const char *check_pool(const struct npj_srv *srv, const struct sums *sums)
{
    const npj_stats *stats = &srv->stats;
    const unsigned classes = npji_classes(srv);
    uint64_t idle = 0;
    for (unsigned class = 0; class < classes; class ++)
        for (const struct npji_packet *packet = srv->idle[class]; packet != NULL && idle <= stats->idle_bytes;
             packet = packet->next)
            idle += npji_packet_block(packet);
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
    const char *broken = check_packets(job, sums);
    if (broken == NULL)
        broken = check_facts(srv, job, sums);
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
    return broken != NULL ? broken : check_index(srv, &sums);
}
