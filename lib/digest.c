/* SPDX-License-Identifier: MIT */
/* The digest of what a host can observe. */
#include "deadline.h"

static void mix(uint64_t *digest, uint64_t value)
{
    *digest = (*digest ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    *digest ^= *digest >> 29;
}

/* Three values that stand together. None of them is multiplied behind another; and a bit that is another in two of them
 * does not take itself back, as the highest would, which no product spreads. */
static void mix_three(uint64_t *digest, uint64_t a, uint64_t b, uint64_t c)
{
    mix(digest, (a ^ a >> 32) * UINT64_C(0xBF58476D1CE4E5B9) + (b ^ b >> 32) * UINT64_C(0x94D049BB133111EB) +
                    (c ^ c >> 32) * UINT64_C(0xD6E8FEB86659FD93));
}

/* Once the WRITE is over, nothing shows which writes it had that were answered with its failure. */
static void mix_packets(uint64_t *digest, const struct npji_job *job)
{
    const unsigned past = job->op ? 0 : NPJI_PACKET_IN_OP | NPJI_PACKET_CANCELLED;
    uint64_t waits = 0;
    for (struct npji_packet *const *at = &job->writes.head; *at != NULL; at = &(*at)->next) {
        const struct npji_packet *packet = *at;
        waits |= at == job->writes.waiting;
        mix_three(digest, packet->tag, (uint64_t)packet->length << 32 | npji_packet_count(job, packet),
                  (uint64_t)packet->status << 32 | waits << 8 | (packet->flags & ~past));
    }
}

static void mix_job(uint64_t *digest, const struct npji_job *job)
{
    mix_three(digest, (uint64_t)job->packets << 32 | npji_handle_slot(job->handle), job->cookie,
              job->keys[NPJI_CLIENT]);
    mix_three(digest, job->keys[NPJI_PROVIDER],
              (uint64_t)(job->facts & ~(uint32_t)NPJI_RESUME_OWED) << 32 | job->failure,
              (uint64_t)job->job_id << 32 | (uint64_t)job->state << 16 | (uint64_t)job->mode << 8 |
                  (job->op ? 1u + job->op_kind : 0u));
    mix_three(digest, job->tags[0], job->tags[1], job->tags[2]);
    mix_packets(digest, job);
}

/* Those that fall together expire in the order of their ring. */
static void mix_deadlines(uint64_t *digest, const struct npj_srv *srv, enum npji_timer timer)
{
    const struct npji_link *head = &srv->timers[timer];
    for (struct npji_link *link = head->next; link != head; link = link->next) {
        struct npji_deadline *deadline = NPJI_OWNER(link, struct npji_deadline, link);
        mix_three(digest, (uint64_t)timer, npji_handle_slot(npji_deadline_job(deadline, timer)->handle),
                  npji_host_time(srv, deadline->when));
    }
}

uint64_t npj_digest(const npj_srv *srv)
{
    if (srv == NULL)
        return 0;
    uint64_t digest = UINT64_C(0xCBF29CE484222325);
    mix_three(&digest, (uint64_t)srv->shutdown << 8 | (uint64_t)srv->idle_owed << 1 | srv->clock_set,
              npji_host_time(srv, srv->now), npji_host_time(srv, srv->shutdown_deadline));
    for (uint32_t slot = 0; slot < srv->slots_used; slot++)
        if (npji_slot_job(srv->slots[slot]) != NULL)
            mix_job(&digest, npji_slot_job(srv->slots[slot]));
    for (const struct npji_link *link = srv->ready.next; link != &srv->ready; link = link->next)
        mix(&digest, npji_handle_slot(NPJI_OWNER(link, const struct npji_job, ready)->handle));
    for (int timer = 0; timer < NPJI_TIMERS; timer++)
        mix_deadlines(&digest, srv, (enum npji_timer)timer);
    return digest;
}
