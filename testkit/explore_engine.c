/* SPDX-License-Identifier: MIT */
/*
 * What the search sees of the engine's inside, the only file that looks.
 *
 * Two states are one if their keys are. A key is made of all that the engine holds and all that the model holds, but
 * for what cannot matter (addresses, generations, the time that has passed) and for what would make too many states of
 * few (which slot a job is in, and the order in which jobs were added or their deadlines armed). The latter can matter,
 * where the jobs are not alike: see explore.h for what the search does not show for it.
 *
 * What is left out must be held against the model at every event instead: handles, JobIds, cookies.
 */
#include "../lib/engine.h"
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

static uint64_t mix_packets(const struct explorer *x, npj_job job, const struct npji_packets *list, uint64_t key)
{
    for (const struct npji_packet *packet = list->head; packet != NULL; packet = packet->next) {
        key = mix(key, place_of(x, job, packet) << 56 | (uint64_t)(packet->length & 0xF) << 52 |
                           (uint64_t)(packet->taken & 0xF) << 48 | (uint64_t)packet->flags << 40 |
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
    key = mix_packets(x, job->handle, &job->queue, key);
    return mix_packets(x, job->handle, &job->due, key);
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

static uint64_t line_key(const struct npj_srv *srv, const struct jobs *jobs, uint64_t key)
{
    uint32_t length = 0;
    for (const struct npji_link *link = srv->ready.next; link != &srv->ready && length <= jobs->count;
         link = link->next) {
        uint32_t at = 0;
        while (at < jobs->count && &jobs->job[at]->ready != link)
            at++;
        /* Jobs that are alike have the same place. */
        while (at > 0 && at < jobs->count && jobs->key[at - 1] == jobs->key[at])
            at--;
        key = mix(key, at);
        length++;
    }
    return key;
}

/* What was said of Event 2019, and whether there are handles of what has ended. */
static uint64_t said_and_stale(const struct explorer *x)
{
    const struct world *w = x->world;
    uint64_t said = (uint64_t)w->no_pool_said[0] << 1 | (uint64_t)w->no_pool_said[1];
    if (!x->scope->stale)
        return said;
    bool request = w->last_request != 0 && !explore_is_live(x, w->last_request);
    return said | (uint64_t)request << 2 | (uint64_t)(w->ended_job != 0) << 3;
}

/* The sizes of the blocks that there can be: a header alone, and one with a few bytes behind it. */
enum { SIZES = 2 };

/* How many blocks of each size are kept for reuse, and which is the next to make way. */
static uint64_t kept(const struct npj_srv *srv)
{
    uint64_t count[SIZES] = {0, 0};
    for (int class = 0; class < SIZES; class ++)
        for (const struct npji_packet *packet = srv->idle[class]; packet != NULL && count[class] < 255;
             packet = packet->next)
            count[class]++;
    return (uint64_t)(srv->idle_turn % SIZES) << 16 | count[0] << 8 | count[1];
}

/*
 * What stands in a block that is kept for reuse must not matter to the write that has it next. The keys of states do
 * not tell it, so it is made the same in all of them.
 */
void explore_scribble(const struct explorer *x)
{
    const struct npj_srv *srv = x->world->srv;
    for (unsigned class = 0; class < SIZES; class ++)
        for (struct npji_packet *packet = srv->idle[class]; packet != NULL; packet = packet->next) {
            struct npji_packet *const next = packet->next;
            memset(packet, 0xDD, sizeof *packet);
            packet->next = next;
            packet->size_class = (uint8_t)class;
        }
}

uint64_t explore_key_but_kept(const struct explorer *x)
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
    key = line_key(srv, &jobs, key);
    key = mix(key, said_and_stale(x));
    return mix(key, left(srv, srv->shutdown_deadline) << 32 | (uint64_t)srv->shutdown << 8 |
                        (uint64_t)srv->idle_owed << 4 | (uint64_t)srv->no_pool_jobs << 3 |
                        (uint64_t)srv->no_pool_writes << 2 | (uint64_t)srv->busy << 1 | srv->clock_set);
}

uint64_t explore_key(const struct explorer *x)
{
    return mix(explore_key_but_kept(x), kept(x->world->srv));
}

/* Where the world counts refused calls: in the model, and in the engine behind it. */
void explore_find_counters(struct explorer *x)
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
bool explore_unchanged(struct explorer *x)
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

static const struct npji_job *job_at(const struct explorer *x, npj_job handle)
{
    return npji_job_at(x->world->srv, handle);
}

bool explore_cancel_taken(const struct explorer *x, npj_job handle)
{
    const struct npji_job *job = job_at(x, handle);
    return job != NULL && (job->facts & NPJI_CANCEL_TAKEN);
}

bool explore_replied(const struct explorer *x, npj_job handle, npj_req request)
{
    const struct npji_job *job = job_at(x, handle);
    for (int list = 0; job != NULL && list < 2; list++)
        for (const struct npji_packet *packet = list == 0 ? job->queue.head : job->due.head; packet != NULL;
             packet = packet->next)
            if (packet->request == request)
                return packet->flags & NPJI_PACKET_REPLIED;
    return true;
}
