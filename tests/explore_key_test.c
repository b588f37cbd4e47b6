/* SPDX-License-Identifier: MIT */
/*
 * What no key of a state tells: a call that changes nothing else leads to a state that is known, and has to be found at
 * once or be told apart from it.
 */
#include <criterion/criterion.h>

#include "explore_faults.h"

static void draw_a_generation(npj_srv *srv)
{
    srv->generation++;
}

Test(explore_key, a_refused_call_that_leaves_a_trace_is_found)
{
    explore_fault.refusal = draw_a_generation;
    cr_expect(explore_finds("kinds", "a call that was refused with STATUS_INVALID_PIPE_STATE has changed the engine"),
              "%s", explore_seen.sentence);
}

/* A write of copied bytes that waits, its job's pipe having taken none of it. */
static void change_a_byte(npj_srv *srv)
{
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        struct npji_packet *packet = job ? job->queue.head : NULL;
        if (packet && packet->size_class > 0 && packet->taken == 0)
            *((unsigned char *)packet + NPJI_PACKET_BYTES) ^= 1;
    }
}

Test(explore_key, a_byte_that_a_call_changes_which_does_nothing_else_is_found)
{
    explore_fault.time_gone = change_a_byte;
    cr_expect(explore_finds("pair", "the bytes of a write have been changed"), "%s", explore_seen.sentence);
}

/* Its bytes are where nobody promises to keep them. */
static void move_the_bytes(npj_srv *srv)
{
    static const unsigned char elsewhere[] = {0xA0, 0xA1};
    for (uint32_t slot = 0; slot < srv->slots_used; slot++) {
        const struct npji_job *job = npji_slot_job(srv->slots[slot]);
        if (job && job->queue.head && job->queue.head->length == sizeof elsewhere)
            job->queue.head->bytes = elsewhere;
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

/* The job that was added first becomes the last of its client. */
static void change_the_order_of_adding(npj_srv *srv)
{
    struct npji_job *job = npji_index_first(srv, NPJI_CLIENT, 1);
    if (job) {
        npji_index_remove(srv, job, NPJI_CLIENT);
        npji_index_add(srv, job, NPJI_CLIENT);
    }
}

Test(explore_key, an_order_of_adding_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_order_of_adding;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}

/* Of two that fall together, the deadline that was armed first comes second. */
static void change_the_order_of_arming(npj_srv *srv)
{
    struct npji_link *ring = &srv->timers[NPJI_TIMER_ADD], *first = ring->next;
    if (npji_linked(ring) && first->next != ring &&
        NPJI_OWNER(first, struct npji_deadline, link)->when ==
            NPJI_OWNER(first->next, struct npji_deadline, link)->when) {
        npji_unlink(first);
        npji_link_last(ring, first);
    }
}

Test(explore_key, an_order_of_arming_that_is_not_the_models_is_found)
{
    explore_fault.time_gone = change_the_order_of_arming;
    cr_expect(explore_finds("turns", "the engine says"), "%s", explore_seen.sentence);
}
