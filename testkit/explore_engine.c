/* SPDX-License-Identifier: MIT */
/*
 * What the search sees of the engine's inside, the only file that looks.
 *
 * Two states are one if their keys are. A key is made of all that the engine holds and all that the model holds, but
 * for what cannot matter (addresses, generations, the time that has passed) and for what would make too many states of
 * few (which slot a job is in, and the order in which jobs were added or their deadlines armed). The latter can matter,
 * where the jobs are not alike: see explore.h for what the search does not show for it.
 *
 * What is left out must be held against the model at every event instead: handles, JobIds, cookies, the bytes of
 * writes. And where both the engine and the model have what no key tells, a clock or an order, the key tells whether
 * theirs is the same. A state in which it is not would else be taken for one in which it is, and not looked into.
 */
#include <string.h>

#include "../lib/deadline.h"
#include "explore_state.h"
#include "model_state.h"

static inline uint64_t mix(uint64_t key, uint64_t value)
{
    key = (key ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return key ^ key >> 32;
}

/* The time left, or all ones. That of a shutdown may have passed, when no job was left to abort. */
static inline uint64_t left(const struct npj_srv *srv, uint64_t when)
{
    return when == NPJ_NEVER ? UINT32_MAX : when > srv->now ? (when - srv->now) & UINT32_MAX : 0;
}

/* A write by its place among the job's, as the model has them. */
static uint64_t place_of(const struct explorer *x, npj_job job, const struct npji_packet *packet)
{
    const model_packet *writes = npjt_model_packets(x->model);
    uint64_t place = 0;
    for (uint32_t i = 0; i < x->model->packet_count; i++) {
        if (writes[i].job != job)
            continue;
        if (writes[i].handle == packet->request)
            return writes[i].tag == packet->tag ? place : 254;
        place++;
    }
    return 255;
}

static uint64_t mix_packets(const struct explorer *x, const struct npji_job *job, const struct npji_packet *packet,
                            const struct npji_packet *end, uint64_t key)
{
    for (; packet != end; packet = packet->next) {
        key = mix(key, place_of(x, job->handle, packet) << 56 | (uint64_t)(packet->length & 0xF) << 52 |
                           (uint64_t)(npji_packet_count(job, packet) & 0xF) << 48 | (uint64_t)packet->flags << 40 |
                           (uint64_t)packet->size_class << 32 | packet->status);
    }
    return mix(key, UINT64_MAX);
}

static uint64_t job_key(const struct explorer *x, const struct npj_srv *srv, const struct npji_job *job)
{
    npj_action_kind kind;
    uint64_t bytes;
    npj_op op = npjt_model_op(x->model, job->handle, &kind, &bytes);
    uint64_t key = npjt_model_job_digest(x->model, job->handle);
    key = mix(key, (uint64_t)job->facts << 32 | job->failure);
    key = mix(key, (uint64_t)job->state << 56 | (job->op ? UINT64_C(1) + job->op_kind : 0) << 48 |
                       (uint64_t)job->mode << 44 | (uint64_t)job->timer << 40 | (uint64_t)(job->op == op) << 36 |
                       (uint64_t)(job->packets & 0xFF) << 24 | (job->bytes & 0xFFFFFF));
    key = mix(key, left(srv, job->deadline.when) << 32 | left(srv, job->drain.when));
    key = mix(key, job->keys[NPJI_CLIENT] << 56 | job->keys[NPJI_PROVIDER] << 48 | job->tags[0] << 40 |
                       job->tags[1] << 32 | job->tags[2] << 24 | (uint64_t)npji_linked(&job->ready) << 3 |
                       (uint64_t)npji_linked(&job->deadline.link) << 2 | (uint64_t)npji_linked(&job->drain.link) << 1);
    const struct npji_packet *const waiting = *job->writes.waiting;
    key = mix_packets(x, job, waiting, NULL, key);
    return mix_packets(x, job, job->writes.head, waiting, key);
}

/* The jobs in the order of their keys; those in line, by their place in that order. */
struct jobs {
    uint32_t count;
    const struct npji_job *job[NPJT_SCOPE_JOBS];
    uint64_t key[NPJT_SCOPE_JOBS];
};

static void insert(struct jobs *jobs, const struct npji_job *job, uint64_t key)
{
    uint32_t at = jobs->count++;
    for (; at > 0 && jobs->key[at - 1] > key; at--) {
        jobs->key[at] = jobs->key[at - 1];
        jobs->job[at] = jobs->job[at - 1];
    }
    jobs->key[at] = key;
    jobs->job[at] = job;
}

/* Where a job stands among the model's, in the order of adding; behind all if it is none of them. */
static uint32_t index_of(const npjt_model *model, npj_job handle)
{
    uint32_t index = 0;
    while (index < model->job_count && npjt_model_jobs(model)[index].handle != handle)
        index++;
    return index;
}

/* Where it stands in the model's line, from 1; 0 if it does not. */
static uint32_t turn_of(const npjt_model *model, npj_job handle)
{
    const model_job *jobs = npjt_model_jobs(model);
    uint32_t index = index_of(model, handle), turn = index < model->job_count ? jobs[index].turn : 0, place = 0;
    for (uint32_t i = 0; i < model->job_count; i++)
        place += jobs[i].turn > 0 && jobs[i].turn <= turn;
    return place;
}

static uint64_t line_key(const struct explorer *x, const struct jobs *jobs, uint64_t key)
{
    const struct npj_srv *srv = x->world->srv;
    uint32_t length = 0;
    for (const struct npji_link *link = srv->ready.next; link != &srv->ready && length <= jobs->count;
         link = link->next) {
        uint32_t at = 0;
        while (at < jobs->count && &jobs->job[at]->ready != link)
            at++;
        uint64_t turn = at < jobs->count ? turn_of(x->model, jobs->job[at]->handle) : 0;
        /* Jobs that are alike have the same place. */
        while (at > 0 && at < jobs->count && jobs->key[at - 1] == jobs->key[at])
            at--;
        key = mix(key, turn << 32 | at);
        length++;
    }
    return key;
}

/* Whether the jobs of each client and provider are in the order of adding. */
static bool are_in_order_of_adding(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    for (unsigned of = 0; of < 2 * NPJI_KEYS; of++) {
        enum npji_key key = of < 2 ? NPJI_CLIENT : NPJI_PROVIDER;
        const struct npji_job *first = npji_index_first(srv, key, 1 + of % 2), *job = first;
        for (uint32_t steps = 0; job != NULL && steps < NPJT_SCOPE_JOBS; steps++) {
            const struct npji_job *next = npji_index_next(job, key);
            if (next == first)
                break;
            if (index_of(x->model, next->handle) < index_of(x->model, job->handle))
                return false;
            job = next;
        }
    }
    return true;
}

static struct npji_job *owner_of(struct npji_link *link, unsigned timer)
{
    return npji_deadline_job(NPJI_OWNER(link, struct npji_deadline, link), (enum npji_timer)timer);
}

/* Whether deadlines of a kind that fall together are in the order in which the model has armed them. */
static bool are_in_order_of_arming(const struct explorer *x)
{
    struct npj_srv *srv = x->world->srv;
    const model_job *jobs = npjt_model_jobs(x->model);
    for (unsigned timer = 0; timer < NPJI_TIMERS; timer++) {
        struct npji_link *head = &srv->timers[timer], *link = head->next;
        for (uint32_t steps = 0; link != head && link->next != head && steps < NPJT_SCOPE_JOBS; steps++) {
            uint32_t job = index_of(x->model, owner_of(link, timer)->handle);
            uint32_t next = index_of(x->model, owner_of(link->next, timer)->handle);
            if (job < x->model->job_count && next < x->model->job_count &&
                jobs[job].at[timer] == jobs[next].at[timer] && jobs[job].armed[timer] > jobs[next].armed[timer])
                return false;
            link = link->next;
        }
    }
    return true;
}

/* In what the engine and the model differ of what no key tells: 0 if in nothing. */
static uint64_t apart(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    uint64_t clocks = (srv->now - x->model->clock) ^ (srv->origin - x->model->origin) << 16;
    return clocks << 2 | (uint64_t)!are_in_order_of_adding(x) << 1 | (uint64_t)!are_in_order_of_arming(x);
}

static const model_packet *write_of(const struct explorer *x, npj_req request)
{
    const model_packet *writes = npjt_model_packets(x->model);
    for (uint32_t i = 0; i < x->model->packet_count; i++)
        if (writes[i].handle == request)
            return &writes[i];
    return NULL;
}

bool npjt_explore_is_live(const struct explorer *x, npj_req request)
{
    return write_of(x, request) != NULL;
}

/* What was said of Event 2019, and whether there are handles of what has ended. */
static uint64_t said_and_stale(const struct explorer *x)
{
    const struct world *w = x->world;
    uint64_t said = (uint64_t)w->no_pool_said[0] << 1 | (uint64_t)w->no_pool_said[1];
    if (!x->scope->stale)
        return said;
    bool request = w->last_request != 0 && !npjt_explore_is_live(x, w->last_request);
    return said | (uint64_t)request << 2 | (uint64_t)(w->ended_job != 0) << 3;
}

/* The sizes of the blocks that there can be: a header alone, and one with a few bytes behind it, the least that is. */
enum { SIZES = 2, SMALLEST = 64 };

static uint64_t kept_of(const struct npj_srv *srv, int class)
{
    uint64_t count = 0;
    for (const struct npji_packet *packet = srv->idle[class]; packet != NULL && count < 255; packet = packet->next)
        count++;
    return count;
}

uint64_t npjt_explore_kept(const struct explorer *x, uint64_t *bytes)
{
    uint64_t headers = kept_of(x->world->srv, 0), larger = kept_of(x->world->srv, 1);
    *bytes = headers * NPJI_PACKET_BYTES + larger * (NPJI_PACKET_BYTES + SMALLEST);
    return headers + larger;
}

/* How many blocks of each size are kept for reuse, and which is the next to make way. */
static uint64_t kept(const struct npj_srv *srv)
{
    return (uint64_t)(srv->idle_turn % SIZES) << 16 | kept_of(srv, 0) << 8 | kept_of(srv, 1);
}

/*
 * What stands in a block that is kept for reuse must not matter to the write that has it next. The keys of states do
 * not tell it, so it is made the same in all of them.
 */
void npjt_explore_scribble(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    for (unsigned class = 0; class < SIZES; class ++)
        for (struct npji_packet *packet = srv->idle[class]; packet != NULL; packet = packet->next) {
            struct npji_packet *const next = packet->next;
            memset(packet, 0xDD, NPJI_PACKET_BYTES + (size_t)class * SMALLEST);
            packet->next = next;
            packet->size_class = (uint8_t)class;
        }
}

uint64_t npjt_explore_key_but_kept(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    struct jobs jobs = {0};
    for (uint32_t slot = 0; slot < srv->slots_used && jobs.count < NPJT_SCOPE_JOBS; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        if (job != NULL)
            insert(&jobs, job, job_key(x, srv, job));
    }
    uint64_t key = npjt_model_digest(x->model);
    for (uint32_t i = 0; i < jobs.count; i++)
        key = mix(key, jobs.key[i]);
    key = line_key(x, &jobs, key);
    key = mix(mix(key, said_and_stale(x)), apart(x));
    return mix(key, left(srv, srv->shutdown_deadline) << 32 | (uint64_t)srv->shutdown << 8 |
                        (uint64_t)srv->idle_owed << 4 | (uint64_t)srv->no_pool_jobs << 3 |
                        (uint64_t)srv->no_pool_writes << 2 | (uint64_t)srv->busy << 1 | srv->clock_set);
}

uint64_t npjt_explore_key(const struct explorer *x)
{
    return mix(npjt_explore_key_but_kept(x), kept(x->world->srv));
}

/* Where the world counts refused calls: in the model, and in the engine behind it. */
void npjt_explore_find_counters(struct explorer *x)
{
    const char *world = (const char *)x->world;
    x->refused_at[0] = (size_t)((const char *)&x->model->stats.refused - world);
    x->refused_at[1] = (size_t)((const char *)&x->world->srv->stats.refused - world);
}

/*
 * Whether an event has left every byte of the world as it was, but for the counters of refused calls, which are in no
 * key. They are put back, and the world is the one before. More than half of all events are of this kind, and so need
 * neither a key nor a copy of the world for the next event.
 */
bool npjt_explore_unchanged(struct explorer *x)
{
    unsigned char *now = (unsigned char *)x->world;
    const unsigned char *then = (const unsigned char *)x->before;
    const size_t *counters = x->refused_at;
    size_t from = 0;
    for (int i = 0; i < 2; i++) {
        if (memcmp(now + from, then + from, counters[i] - from) != 0)
            return false;
        from = counters[i] + sizeof(uint64_t);
    }
    if (memcmp(now + from, then + from, x->world_bytes - from) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        memcpy(now + counters[i], then + counters[i], sizeof(uint64_t));
    return true;
}

/* ---------------------------------------------------------------------------------------------------- other looks */

/* Whether what the pipe has not taken of a write is where it was put, and as it was. */
static bool has_its_bytes(const struct explorer *x, const struct npji_packet *packet)
{
    const model_packet *write = write_of(x, packet->request);
    uint32_t length = packet->length, taken = packet->taken;
    if (write == NULL || length > EXPLORE_LONGEST || taken >= length)
        return true; /* other checks tell of it, or there is nothing left */
    const void *own = (const unsigned char *)packet + NPJI_PACKET_BYTES;
    return packet->bytes == (write->lend ? write->lent : own) &&
           memcmp(packet->bytes + taken, npjt_explore_bytes + EXPLORE_LONGEST - (length - taken), length - taken) == 0;
}

bool npjt_explore_has_bytes(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        bool waits = false;
        for (const struct npji_packet *packet = job != NULL ? job->writes.head : NULL; packet != NULL;
             packet = packet->next) {
            waits = waits || packet == *job->writes.waiting;
            if ((waits || npji_packet_held(job, packet)) && !has_its_bytes(x, packet))
                return false;
        }
    }
    return true;
}

static const struct npji_job *job_at(const struct explorer *x, npj_job handle)
{
    return npji_job_at(x->world->srv, handle);
}

bool npjt_explore_cancel_taken(const struct explorer *x, npj_job handle)
{
    const struct npji_job *job = job_at(x, handle);
    return job != NULL && (job->facts & NPJI_CANCEL_TAKEN);
}

bool npjt_explore_replied(const struct explorer *x, npj_job handle, npj_req request)
{
    const struct npji_job *job = job_at(x, handle);
    for (const struct npji_packet *packet = job != NULL ? job->writes.head : NULL; packet != NULL;
         packet = packet->next)
        if (packet->request == request)
            return packet->flags & NPJI_PACKET_REPLIED;
    return true;
}
