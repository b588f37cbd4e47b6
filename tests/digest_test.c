/* SPDX-License-Identifier: MIT */
/*
 * What npj_digest() covers, thing by thing: engines that differ in one of these only have different digests, and
 * engines that differ only in what it leaves out have equal ones. Then, what it makes of whole lives.
 */
#include "inside.h"

static void differs_at(const struct host *h, uint64_t before, bool want, const char *what, struct place at)
{
    cr_assert_eq(npj_digest(h->srv) != before, want, "%s:%d: the digest %s %s", at.file, at.line,
                 want ? "does not cover" : "covers", what);
}

#define changed_to(h, field, value, want)                                                                              \
    do {                                                                                                               \
        const uint64_t before_ = npj_digest((h)->srv);                                                                 \
        cr_assert_neq(field, value, "%s is so already", #field);                                                       \
        with(field, value, differs_at(h, before_, want, #field, HERE));                                                \
        cr_assert_eq(npj_digest((h)->srv), before_);                                                                   \
    } while (0)

/** Asserts that the digest is another while @p field holds @p value; that it is not. */
#define covers(h, field, value) changed_to(h, field, value, true)
#define covers_each_bit(h, field)                                                                                      \
    do {                                                                                                               \
        for (unsigned bit_ = 0; bit_ < 64; bit_++)                                                                     \
            covers(h, field, (field) ^ UINT64_C(1) << bit_);                                                           \
    } while (0)
#define leaves_out(h, field, value) changed_to(h, field, value, false)

/* "abc" in flight, "defg" behind it; a cancelled write to be answered; a close accepted. */
static struct job job_busy(struct host *h)
{
    struct job job = job_writing(h);
    job_write(h, &job, TAG_WRITE + 1, "defg");
    job_write(h, &job, TAG_WRITE + 2, "hi");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    return job;
}

Test(digest, covers_the_engine)
{
    struct host *h = host_start(NULL);
    npj_srv *srv = h->srv;
    covers(h, srv->shutdown, 1 + NPJ_DRAIN);
    covers(h, srv->shutdown, 1 + NPJ_ABORT);
    covers(h, srv->idle_owed, true);
    covers(h, srv->clock_set, true);
    covers_each_bit(h, srv->now);
    covers_each_bit(h, srv->origin);
    covers_each_bit(h, srv->shutdown_deadline);
    host_end(h);
}

Test(digest, covers_a_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    covers_each_bit(h, in->cookie);
    covers_each_bit(h, in->keys[NPJI_CLIENT]);
    covers_each_bit(h, in->keys[NPJI_PROVIDER]);
    covers(h, in->failure, NPJ_STATUS_CANCELLED);
    covers(h, in->job_id, JOB_ID + 1);
    covers(h, in->state, NPJ_STATE_OPEN);
    covers(h, in->mode, NPJ_MESSAGE_MODE);
    covers(h, in->op_kind, NPJ_OPEN);
    covers(h, in->op, 0);
    covers(h, in->packets, in->packets + 1);
    covers_each_bit(h, in->deadline.when);
    covers_each_bit(h, in->drain.when);
    for (int i = 0; i < 3; i++)
        covers_each_bit(h, in->tags[i]);
    for (unsigned bit = 0; bit < 32; bit++)
        if (1u << bit != NPJI_RESUME_OWED)
            covers(h, in->facts, in->facts ^ 1u << bit);
    host_end(h);
}

/* Values that are mixed together do not take each other back. */
Test(digest, covers_one_bit_in_several_places)
{
    struct host *h = host_start(NULL);
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    uint64_t *fields[] = {&in->cookie,  &in->keys[NPJI_CLIENT], &in->keys[NPJI_PROVIDER],
                          &in->tags[0], &in->tags[1],           &in->tags[2]};
    const uint64_t before = npj_digest(h->srv);
    for (unsigned places = 0; places < 1u << 6; places++)
        for (unsigned bit = 0; bit < 64; bit++) {
            for (unsigned i = 0; i < 6; i++)
                *fields[i] ^= (uint64_t)(places >> i & 1) << bit;
            cr_assert_eq(npj_digest(h->srv) == before, places == 0, "bit %u in the places %#x", bit, places);
            for (unsigned i = 0; i < 6; i++)
                *fields[i] ^= (uint64_t)(places >> i & 1) << bit;
        }
    host_end(h);
}

Test(digest, tells_no_operation_from_the_first_kind)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    covers(h, inside(h, &job)->op, 0);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    covers(h, inside(h, &job)->op_kind, NPJ_OPEN);
    host_end(h);
}

Test(digest, covers_a_write)
{
    struct host *h = host_start(NULL);
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    struct npji_packet *packets[] = {*in->writes.waiting, (*in->writes.waiting)->next, in->writes.head};
    for (size_t i = 0; i < 3; i++) {
        covers_each_bit(h, packets[i]->tag);
        covers(h, packets[i]->length, 77);
        covers(h, packets[i]->taken, 1);
        covers(h, packets[i]->status, NPJ_STATUS_PIPE_BROKEN);
        for (unsigned bit = 0; bit < 4; bit++)
            covers(h, packets[i]->flags, (uint8_t)(packets[i]->flags ^ 1u << bit));
    }
    host_end(h);
}

/* Which of them the WRITE had that failed, and which were to be cancelled, nothing tells any more. */
Test(digest, leaves_out_what_was_in_flight)
{
    struct host *h = host_start(NULL);
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_BROKEN, 0));
    for (struct npji_packet *packet = in->writes.head; packet != NULL; packet = packet->next) {
        leaves_out(h, packet->flags, packet->flags ^ NPJI_PACKET_IN_OP);
        leaves_out(h, packet->flags, packet->flags ^ NPJI_PACKET_CANCELLED);
        covers(h, packet->flags, packet->flags ^ NPJI_PACKET_LENT);
        covers(h, packet->flags, packet->flags ^ NPJI_PACKET_REPLIED);
    }
    host_end(h);
}

Test(digest, covers_whether_a_write_waits)
{
    struct host *h = host_start(NULL);
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    const uint64_t before = npj_digest(h->srv);
    with(in->writes.waiting, &in->writes.head, differs_at(h, before, true, "whether a write waits", HERE));
    with(in->writes.waiting, &(*in->writes.waiting)->next, differs_at(h, before, true, "whether a write waits", HERE));
    cr_assert_eq(npj_digest(h->srv), before);
    host_end(h);
}

Test(digest, covers_the_slot_of_a_job_and_its_place_in_line)
{
    struct host *h = host_start(NULL);
    struct job first = job_open(h);
    struct job second = job_open(h);
    struct npji_job *in = inside(h, &second);
    covers(h, in->handle, in->handle ^ UINT64_C(1) << 10);
    job_write(h, &first, TAG_WRITE, "abc");
    job_write(h, &second, TAG_WRITE, "abc");
    const uint64_t before = npj_digest(h->srv);
    struct npji_link *ready = &inside(h, &first)->ready;
    npji_unlink(ready);
    differs_at(h, before, true, "the line", HERE);
    npji_link_last(&h->srv->ready, ready);
    differs_at(h, before, true, "the order of the line", HERE);
    npji_unlink(&in->ready);
    npji_link_last(&h->srv->ready, &in->ready);
    cr_assert_eq(npj_digest(h->srv), before);
    host_end(h);
}

Test(digest, covers_the_order_of_deadlines)
{
    struct host *h = host_start(NULL);
    struct job first = job_adding(h);
    struct job second = job_adding(h);
    const uint64_t before = npj_digest(h->srv);
    for (unsigned turn = 0; turn < 2; turn++) {
        const struct job *job = turn == 0 ? &first : &second;
        struct npji_link *link = &inside(h, job)->deadline.link;
        npji_unlink(link);
        npji_link_last(&h->srv->timers[NPJI_TIMER_ADD], link);
        differs_at(h, before, turn == 0, "the order of deadlines", HERE);
    }
    host_end(h);
}

/* Of the same time, but of another kind: what falls together is taken in the order of the kinds. */
Test(digest, covers_the_kind_of_a_deadline)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    const uint64_t before = npj_digest(h->srv);
    struct npji_link *link = &inside(h, &job)->deadline.link;
    npji_unlink(link);
    npji_link_last(&h->srv->timers[NPJI_TIMER_ADD], link);
    differs_at(h, before, true, "the kind of a deadline", HERE);
    npji_unlink(link);
    npji_link_last(&h->srv->timers[NPJI_TIMER_CONNECT], link);
    host_end(h);
}

Test(digest, leaves_out_what_no_host_can_observe)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 4096));
    struct job job = job_busy(h);
    struct npji_job *in = inside(h, &job);
    npj_srv *srv = h->srv;
    const uint64_t before = npj_digest(srv);
    leaves_out(h, in->facts, in->facts ^ NPJI_RESUME_OWED);
    leaves_out(h, in->handle, in->handle ^ UINT64_C(1) << 24);
    leaves_out(h, in->op, in->op ^ UINT64_C(1) << 24);
    leaves_out(h, in->writes.head->request, 0);
    leaves_out(h, in->writes.head->bytes, NULL);
    leaves_out(h, srv->generation, srv->generation + 1);
    unsigned char *stats = (unsigned char *)&srv->stats;
    for (size_t i = 0; i < sizeof srv->stats; i++)
        leaves_out(h, stats[i], (unsigned char)~stats[i]);
    struct npji_packet kept = {.size_class = 1};
    leaves_out(h, srv->idle[1], &kept);
    cr_assert_eq(npj_digest(srv), before);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------ through a life */

Test(digest, is_that_of_a_new_engine_when_all_is_over)
{
    struct host *h = host_start(NULL);
    const uint64_t fresh = npj_digest(h->srv);
    cr_assert_neq(fresh, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct job job = job_scheduling(h);
        cr_assert_neq(npj_digest(h->srv), fresh);
        expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
        expect_reply(h, TAG_CLOSE, SUCCESS, 0);
        cr_assert_eq(npj_digest(h->srv), fresh);
    }
    host_end(h);
}

Test(digest, does_not_cover_generations_and_addresses)
{
    struct host *h = host_start(NULL);
    struct host *g = host_start(NULL);
    job_ended(g); /* so that generations and memory differ */
    struct job a = job_closing(h);
    struct job b = job_closing(g);
    cr_assert_neq(a.id, b.id);
    cr_assert_eq(npj_digest(h->srv), npj_digest(g->srv));
    expect(h, SUCCESS, npj_cancel(h->srv, a.req));
    cr_assert_neq(npj_digest(h->srv), npj_digest(g->srv));
    expect(g, SUCCESS, npj_cancel(g->srv, b.req));
    cr_assert_eq(npj_digest(h->srv), npj_digest(g->srv));
    host_end(h);
    host_end(g);
}

/* Every step of a life shows: the digest is an oracle for "nothing has changed". */
Test(digest, covers_every_step_of_a_life)
{
    struct host *h = host_start(NULL);
    uint64_t seen[32];
    unsigned count = 0;
#define STEP(call)                                                                                                     \
    do {                                                                                                               \
        call;                                                                                                          \
        seen[count++] = npj_digest(h->srv);                                                                            \
    } while (0)
    struct job job = {.id = 0};
    npj_op op = 0;
    STEP((void)0);
    STEP(expect(h, SUCCESS, npj_advance(h->srv, 5)));
    STEP(job = job_accept_for(h, CLIENT, PROVIDER, COOKIE));
    STEP(op = take(h, NPJ_ADD_JOB).op);
    STEP(expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT)));
    STEP(job_write(h, &job, TAG_WRITE, "abc"));
    STEP(job_write(h, &job, TAG_WRITE + 1, "def"));
    STEP(expect(h, SUCCESS, npj_job_added(h->srv, op, 0, &path_of_pipe, JOB_ID)));
    STEP(expect_reply(h, TAG_ADD, SUCCESS, 0));
    STEP(op = take(h, NPJ_OPEN).op);
    STEP(expect(h, SUCCESS, npj_opened(h->srv, op, 0, NPJ_BYTE_MODE)));
    STEP(expect_reply(h, TAG_CONNECT, SUCCESS, 0));
    STEP(op = take_write(h, "abcdef").op);
    STEP(expect(h, SUCCESS, npj_cancel(h->srv, job.req)));
    STEP(take(h, NPJ_CANCEL));
    STEP(expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 2)));
    STEP(expect_reply(h, TAG_WRITE + 1, CANCELLED, 0));
    STEP(op = take_write(h, "c").op);
    STEP(expect(h, SUCCESS, npj_advance(h->srv, 6)));
    STEP(expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE)));
    STEP(expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN)));
    STEP(expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED)));
#undef STEP
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = i + 1; k < count; k++)
            cr_assert_neq(seen[i], seen[k], "steps %u and %u have one digest", i, k);
    host_end(h);
}
