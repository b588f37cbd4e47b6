/* SPDX-License-Identifier: MIT */
/*
 * What the key of a state tells, and what it does not. What the engine has wrong, and the model right, makes another
 * state, or it would be taken for one that is known and not be looked into; what no key tells has to be found at once.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "explore_faults.h"

static npj_status refused;

static void draw_a_generation(npj_srv *srv, npj_status status)
{
    srv->generation += status == refused;
}

Test(explore_key, a_refused_call_that_leaves_a_trace_is_found)
{
    static const npj_status statuses[] = {NPJ_STATUS_INVALID_PIPE_STATE, NPJ_STATUS_INVALID_PARAMETER,
                                          NPJ_STATUS_INVALID_HANDLE, NPJ_STATUS_PIPE_BROKEN, NPJ_STATUS_PIPE_CLOSING};
    explore_fault.refusal = draw_a_generation;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        refused = statuses[i];
        cr_expect(explore_finds("kinds", "has changed the engine"), "%zu: %s", i, explore_seen.sentence);
        cr_expect(strstr(explore_seen.sentence, npj_status_name(refused)) != NULL, "%s", explore_seen.sentence);
    }
}

static void change_a_tag(npj_srv *srv, npj_status status)
{
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        npji_slot_job(srv->slots[0])->tags[0] ^= 8;
}

/* Only what is kept may make way. */
Test(explore_key, a_write_without_memory_that_changes_a_job_is_found)
{
    explore_fault.refusal = change_a_tag;
    cr_expect(explore_finds("kept", "refused with STATUS_INSUFFICIENT_RESOURCES has changed the engine"), "%s",
              explore_seen.sentence);
}

/* A write of copied bytes that waits, its job's pipe having taken none of it. */
static void change_a_byte(npj_srv *srv)
{
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        struct npji_packet *packet = job ? *job->writes.waiting : NULL;
        if (packet && packet->size_class > 0 && packet->taken == 0)
            *((unsigned char *)packet + NPJI_PACKET_BYTES) ^= 1;
    }
}

Test(explore_key, a_byte_that_a_call_changes_which_does_nothing_else_is_found)
{
    explore_fault.time_gone = change_a_byte;
    cr_expect(explore_finds("pair", "the bytes of a write have been changed"), "%s", explore_seen.sentence);
}

/* One that has been answered, and is still in the hands of the pipe. */
static void change_a_held_byte(npj_srv *srv)
{
    struct npji_job *job = srv->slots_used > 0 ? npji_slot_job(srv->slots[0]) : NULL;
    struct npji_packet *packet = job && npji_packets_due(&job->writes) ? job->writes.head : NULL;
    if (packet && packet->size_class > 0 && npji_packet_held(job, packet))
        *((unsigned char *)packet + NPJI_PACKET_BYTES) ^= 1;
}

Test(explore_key, a_byte_that_changes_in_the_hands_of_the_pipe_is_found)
{
    npjt_scope late = *explore_scope("late");
    late.misuse = true;
    explore_fault.time_gone = change_a_held_byte;
    cr_expect(explore_finds_in(&late, "the bytes of a write have been changed"), "%s", explore_seen.sentence);
}

/* Its bytes are where nobody promises to keep them. */
static void move_the_bytes(npj_srv *srv)
{
    static const unsigned char elsewhere[] = {0xA0, 0xA1};
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        struct npji_packet *packet = job ? *job->writes.waiting : NULL;
        if (packet && packet->length == sizeof elsewhere)
            packet->bytes = elsewhere;
    }
}

Test(explore_key, bytes_that_a_call_moves_which_does_nothing_else_are_found)
{
    explore_fault.time_gone = move_the_bytes;
    cr_expect(explore_finds("pair", "the bytes of a write have been changed, or moved"), "%s", explore_seen.sentence);
}

static void leak_beside_what_is_kept(npj_srv *srv)
{
    srv->busy = true;
    if (srv->stats.idle_bytes > 0)
        (void)srv->config.mem.alloc(srv->config.mem.user, NPJI_PACKET_BYTES);
    srv->busy = false;
}

Test(explore_key, a_leak_beside_what_is_kept_for_reuse_is_found)
{
    explore_fault.time_gone = leak_beside_what_is_kept;
    cr_expect(explore_finds("kept", "blocks are live where"), "%s", explore_seen.sentence);
}

Test(explore_key, a_block_that_keeps_what_stood_in_it_is_found)
{
    explore_fault.keeps_old = true;
    cr_expect(explore_finds("little", "the bytes of a write have been changed"), "%s", explore_seen.sentence);
}

Test(explore_key, a_clock_that_stands_still_is_found)
{
    explore_fault.sleeps = true;
    cr_expect(explore_finds("kinds", "the engine's deadline is not the model's"), "%s", explore_seen.sentence);
}

/* What was armed before the clock is set counts from then. */
static void count_what_was_armed(npj_srv *srv)
{
    srv->now = npji_linked(&srv->timers[NPJI_TIMER_ADD]);
}

Test(explore_key, a_deadline_that_counts_before_the_clock_is_set_is_found)
{
    explore_fault.clock_set = count_what_was_armed;
    cr_expect(explore_finds("unset", "the engine's deadline is not the model's"), "%s", explore_seen.sentence);
}

/* The first in line gives way to the second, but only where a job that is added stands before one that writes. */
static void change_the_line(npj_srv *srv)
{
    struct npji_link *first = srv->ready.next;
    if (first == &srv->ready || first->next == &srv->ready)
        return;
    if (NPJI_OWNER(first, struct npji_job, ready)->state == NPJ_STATE_ADDING &&
        NPJI_OWNER(first->next, struct npji_job, ready)->state == NPJ_STATE_OPEN) {
        npji_unlink(first);
        npji_link_last(&srv->ready, first);
    }
}

Test(explore_key, a_line_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_line;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}

/* The job that was added first becomes the last of its client or provider. */
static enum npji_key key;
static uint64_t value;

static void change_the_order_of_adding(npj_srv *srv)
{
    struct npji_job *job = npji_index_first(srv, key, value);
    if (job && !(job->facts & NPJI_PROVIDER_GONE)) {
        npji_index_remove(srv, job, key);
        job->members[key].chain = NULL;
        npji_index_add(srv, job, key);
    }
}

Test(explore_key, an_order_of_adding_that_is_not_the_models_is_found)
{
    npjt_scope scope = *explore_scope("turns");
    explore_fault.time_gone = change_the_order_of_adding;
    value = 1;
    cr_expect(explore_finds_in(&scope, "the engine says"), "%s", explore_seen.sentence);
    key = NPJI_PROVIDER;
    value = 2;
    cr_expect(explore_finds_in(&scope, "the engine says"), "%s", explore_seen.sentence);
    scope.clients = 2;
    value = 1;
    cr_expect(explore_finds_in(&scope, "the engine says"), "%s", explore_seen.sentence);
}

/* Of two that fall together, the deadline that was armed first comes second. */
static enum npji_timer timer;

static void change_the_order_of_arming(npj_srv *srv)
{
    struct npji_link *ring = &srv->timers[timer], *first = ring->next;
    if (npji_linked(ring) && first->next != ring &&
        NPJI_OWNER(first, struct npji_deadline, link)->when ==
            NPJI_OWNER(first->next, struct npji_deadline, link)->when) {
        npji_unlink(first);
        npji_link_last(ring, first);
    }
}

Test(explore_key, an_order_of_arming_that_is_not_the_models_is_found)
{
    npjt_scope scope = *explore_scope("turns");
    scope.step = false;
    explore_fault.time_gone = change_the_order_of_arming;
    for (timer = 0; timer < NPJI_TIMERS; timer++)
        cr_expect(explore_finds_in(&scope, "the engine says"), "%d: %s", (int)timer, explore_seen.sentence);
}

/* ------------------------------------------------------------------------------------------------ what a key tells */

enum what {
    ADD_IS_GOOD,
    CONNECT_IS_GOOD,
    CLOSE_IS_GOOD,
    CLOSE_ACCEPTED,
    HAS_PIPE,
    FORGET,
    TRUNCATED,
    TAG_OF_ADD,
    TAG_OF_CONNECT,
    TAG_OF_CLOSE,
    MODE,
    OP,
    KIND_OF_OP,
    DRAIN,
    JOB_THINGS,
    TAKEN = JOB_THINGS,
    CANCELLED,
    STATUS,
    TAG_OF_WRITE,
    HANDLE_OF_WRITE,
    ORDER,
    PACKET_THINGS,
    CAP_OF_JOBS = PACKET_THINGS,
    CAP_OF_WRITES,
    IDLE_OWED,
    END_OF_DRAIN,
    ORIGIN,
    THINGS
};
static enum what what;
static bool forgets; /* what is there, and never makes up what is not */

static void change_job(struct npji_job *job)
{
    static const uint32_t facts[] = {[ADD_IS_GOOD] = NPJI_GOOD(NPJ_REQUEST_ADD),
                                     [CONNECT_IS_GOOD] = NPJI_GOOD(NPJ_REQUEST_CONNECT),
                                     [CLOSE_IS_GOOD] = NPJI_GOOD(NPJ_REQUEST_CLOSE),
                                     [CLOSE_ACCEPTED] = NPJI_CLOSE_ACCEPTED,
                                     [HAS_PIPE] = NPJI_HAS_PIPE,
                                     [FORGET] = NPJI_FORGET,
                                     [TRUNCATED] = NPJI_TRUNCATED};
    if (what == TRUNCATED && (job->packets > 0 || job->mode != NPJ_BYTE_MODE))
        return; /* else the job is as if nothing had been written */
    if (what < TAG_OF_ADD)
        job->facts = forgets ? job->facts & ~facts[what] : job->facts ^ facts[what];
    else if (what < MODE)
        job->tags[what - TAG_OF_ADD] ^= 8;
    else if (what == OP && job->op != 0)
        job->op += UINT64_C(1) << 24;
    else if (what == KIND_OF_OP && job->state == NPJ_STATE_ABORTING)
        job->op_kind = NPJ_OPEN;
    else if (what == DRAIN && npji_linked(&job->deadline.link) && npji_linked(&job->drain.link) &&
             job->drain.when > job->deadline.when)
        job->drain.when = job->deadline.when; /* which comes first, as before */
    else if (what == MODE && job->packets == 0)
        job->mode = forgets || job->mode != NPJ_BYTE_MODE ? NPJ_BYTE_MODE : NPJ_MESSAGE_MODE;
}

static bool are_alike(const struct npji_packet *one, const struct npji_packet *other)
{
    return one->length == other->length && one->taken == other->taken && one->flags == other->flags &&
           one->size_class == other->size_class && one->status == other->status;
}

/* The order is that of two answers that are alike but for their tags. */
static void change_packet(struct npji_job *job)
{
    struct npji_packets *writes = &job->writes;
    struct npji_packet *waits = *writes->waiting, *answered = npji_packets_due(writes) ? writes->head : NULL;
    if (what == TAKEN && waits && waits->length == 2)
        waits->taken = forgets || waits->taken == 1 ? 0 : 1;
    else if (what == CANCELLED && waits)
        waits->flags &= (uint8_t)~NPJI_PACKET_CANCELLED;
    else if (what == STATUS && answered)
        answered->status ^= NPJ_STATUS_CANCELLED;
    else if (what == TAG_OF_WRITE && waits)
        waits->tag++;
    else if (what == HANDLE_OF_WRITE && waits)
        waits->request += UINT64_C(1) << 40;
    else if (what == ORDER && answered && answered->next && !waits && are_alike(answered, answered->next)) {
        npji_packets_append(writes, npji_packets_take(writes, &writes->head));
        writes->waiting = writes->end;
    }
}

static void change_engine(npj_srv *srv)
{
    if (what == CAP_OF_JOBS)
        srv->no_pool_jobs = !srv->no_pool_jobs;
    else if (what == CAP_OF_WRITES)
        srv->no_pool_writes = !srv->no_pool_writes;
    else if (what == IDLE_OWED)
        srv->idle_owed = srv->shutdown && !srv->idle_owed;
    else if (what == ORIGIN)
        srv->origin += npj_deadline(srv) == NPJ_NEVER;
    else if (srv->shutdown_deadline != NPJ_NEVER)
        srv->shutdown_deadline++;
}

static void change(npj_srv *srv)
{
    struct npji_job *job = srv->slots_used > 0 ? npji_slot_job(srv->slots[0]) : NULL;
    if (what >= PACKET_THINGS)
        change_engine(srv);
    else if (job && what >= JOB_THINGS)
        change_packet(job);
    else if (job)
        change_job(job);
}

/* Where the host takes its actions late, answers wait. */
Test(explore_key, all_that_the_engine_has)
{
    npjt_scope late = *explore_scope("late");
    late.misuse = true;
    late.faults = 1;
    explore_fault.time_gone = change;
    for (what = 0; what < THINGS; what++) {
        const npjt_scope *scope = what == DRAIN           ? explore_scope("kinds")
                                  : what == CAP_OF_WRITES ? explore_scope("pair")
                                                          : &late;
        cr_expect(explore_finds_in(scope, ""), "%d", (int)what);
    }
}

/* What it forgets leaves it as in another state: the model's half of the key is what tells them apart. */
Test(explore_key, all_that_the_engine_forgets)
{
    static const enum what things[] = {CONNECT_IS_GOOD, FORGET, TRUNCATED, MODE, TAKEN, CANCELLED};
    npjt_scope late = *explore_scope("late");
    late.misuse = true;
    late.faults = 1;
    explore_fault.time_gone = change;
    forgets = true;
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        what = things[i];
        cr_expect(explore_finds_in(&late, ""), "%d", (int)what);
    }
}
