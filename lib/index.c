/* SPDX-License-Identifier: MIT */
/*
 * From a client or a provider to its jobs. The jobs of one key form a ring, in the order of adding; one of them, the
 * leader, stands for the key in its bucket's chain. So a key costs no memory of its own, and walking one touches nobody
 * else's jobs.
 */
#include "engine.h"

static struct npji_job *job_of(struct npji_member *member, enum npji_key key)
{
    return NPJI_OWNER(member - key, struct npji_job, members);
}

static uint64_t value_of(struct npji_member *member, enum npji_key key)
{
    return job_of(member, key)->keys[key];
}

/* Where the bucket's chain points to the leader of @value, or where it ends. */
static struct npji_member **find(const struct npj_srv *srv, enum npji_key key, uint64_t value)
{
    /* The finaliser of splitmix64: hosts' keys are counters and pointers. */
    uint64_t hash = value;
    hash = (hash ^ hash >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94D049BB133111EB);
    hash ^= hash >> 31;
    struct npji_member **at = &srv->index[key][hash & (srv->buckets - 1)];
    while (*at != NULL && value_of(*at, key) != value)
        at = &(*at)->chain;
    return at;
}

void npji_index_add(struct npj_srv *srv, struct npji_job *job, enum npji_key key)
{
    struct npji_member *member = &job->members[key];
    npji_link_init(&member->ring);
    struct npji_member **at = find(srv, key, job->keys[key]);
    if (*at == NULL)
        *at = member;
    else
        npji_link_last(&(*at)->ring, &member->ring);
}

void npji_index_remove(struct npj_srv *srv, struct npji_job *job, enum npji_key key)
{
    struct npji_member *member = &job->members[key];
    struct npji_member **at = find(srv, key, job->keys[key]);
    if (*at == member) {
        if (npji_linked(&member->ring)) {
            struct npji_member *next = NPJI_OWNER(member->ring.next, struct npji_member, ring);
            next->chain = member->chain;
            *at = next;
        } else {
            *at = member->chain;
        }
    }
    npji_unlink(&member->ring);
}

struct npji_job *npji_index_first(const struct npj_srv *srv, enum npji_key key, uint64_t value)
{
    struct npji_member *leader = *find(srv, key, value);
    return leader != NULL ? job_of(leader, key) : NULL;
}

struct npji_job *npji_index_next(const struct npji_job *job, enum npji_key key)
{
    return job_of(NPJI_OWNER(job->members[key].ring.next, struct npji_member, ring), key);
}

/* How many jobs are in the ring of a leader; UINT64_MAX if one has another key, or is not linked both ways. */
static uint64_t followers(struct npji_member *leader, enum npji_key key)
{
    const uint64_t value = value_of(leader, key);
    struct npji_member *member = leader;
    uint64_t count = 0;
    do {
        struct npji_member *next = NPJI_OWNER(member->ring.next, struct npji_member, ring);
        if (next->ring.prev != &member->ring || value_of(next, key) != value)
            return UINT64_MAX;
        member = next;
        count++;
    } while (member != leader);
    return count;
}

/* How many jobs the index holds; UINT64_MAX if one of them is not where it is looked for. */
uint64_t npji_index_count(const struct npj_srv *srv, enum npji_key key)
{
    uint64_t count = 0;
    for (uint32_t bucket = 0; bucket < srv->buckets; bucket++)
        for (struct npji_member *leader = srv->index[key][bucket]; leader != NULL; leader = leader->chain) {
            uint64_t more = *find(srv, key, value_of(leader, key)) == leader ? followers(leader, key) : UINT64_MAX;
            if (more > srv->stats.jobs.live - count) /* a chain that leads back to itself, too */
                return UINT64_MAX;
            count += more;
        }
    return count;
}
