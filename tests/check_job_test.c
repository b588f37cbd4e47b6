/* SPDX-License-Identifier: MIT */
/* npj_check() names what does not hold in a job: its writes, its facts, its operation. */
#include "check_support.h"

static uint8_t more(uint8_t flags, unsigned flag)
{
    return (uint8_t)(flags | flag);
}

static uint8_t less(uint8_t flags, unsigned flag)
{
    return (uint8_t)(flags & ~flag);
}

/* ------------------------------------------------------------------------------------------------- lists of writes */

#define LIMITS    "a job stays within its limits"
#define COUNTS    "a job counts the packets and bytes that it has"
#define LIST      "a job's list of writes is whole"
#define UNREPLY   "a write that waits in a live job has no reply"
#define RETURNS   "only lent bytes are returned"
#define INFLIGHT  "a write is in flight only with those before it"
#define CANCELLED "a write that waits for its cancel is in flight"
#define BEHIND    "a WRITE in flight ends behind its writes"
#define GIVEN     "a WRITE in flight was given the bytes of its writes"

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* "abc" in flight, "defg" behind it. */
static struct job job_writing_and_waiting(struct host *h)
{
    struct job job = job_writing(h);
    job_write(h, &job, TAG_WRITE + 1, "defg");
    return job;
}

Test(check_job, the_writes_that_wait)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    struct npji_job *in = inside(h, &job);
    struct npji_packet *first = in->writes.head;
    struct npji_packet *last = first->next;
    broken(h, in->writes.end, &first->next, LIST);
    broken(h, in->writes.end, &in->writes.head, LIST);
    struct npji_packet *nowhere = NULL;
    broken(h, in->writes.waiting, &nowhere, LIST);
    broken(h, last->next, first, LIST);
    broken(h, last->taken, 5, LIST);
    allowed(h, last->taken, 4);
    broken(h, in->packets, 3, COUNTS);
    broken(h, in->packets, 1, COUNTS);
    broken(h, in->bytes, 8, COUNTS);
    broken(h, in->bytes, 6, COUNTS);
    broken(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED), UNREPLY);
    broken(h, h->srv->config.max_job_packets, 1, LIMITS);
    allowed(h, h->srv->config.max_job_packets, 2);
    broken(h, h->srv->config.max_job_bytes, 6, LIMITS);
    allowed(h, h->srv->config.max_job_bytes, 7);
    host_end(h);
}

Test(check_job, the_writes_that_are_answered)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    job_write(h, &job, TAG_WRITE + 2, "hi");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    struct npji_job *in = inside(h, &job);
    struct npji_packet *first = in->writes.head;
    struct npji_packet *last = first->next;
    broken(h, last->taken, 3, LIST);
    broken(h, first->flags, more(first->flags, NPJI_PACKET_IN_OP), "an answered write of a live job is not in flight");
    broken(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED), RETURNS);
    allowed(h, last->flags, more(last->flags, NPJI_PACKET_REPLIED | NPJI_PACKET_LENT));
    host_end(h);
}

Test(check_job, the_writes_that_a_failed_job_keeps)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    struct npji_job *in = inside(h, &job);
    cr_assert(npji_packets_due(&in->writes), "answered, and in flight");
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    broken(h, in->op_bytes, 2, GIVEN);
    struct npji_packet *kept = *in->writes.waiting;
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_IN_OP),
           "a failed job keeps a replied write only for the WRITE in flight");
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_REPLIED), UNREPLY);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    cr_assert(npji_packets_due(&in->writes) && in->writes.head == kept, "lent, and to be returned");
    broken(h, kept->flags, less(kept->flags, NPJI_PACKET_LENT), LIST);
    host_end(h);
}

/* One handle is of another slot, one block too small for what is in it, and one of no size at all. */
Test(check_job, a_write_is_sound)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    struct npji_packet *first = inside(h, &job)->writes.head;
    broken(h, first->request, first->request ^ 4, LIST);
    broken(h, first->size_class, 0, LIST);
    broken(h, first->size_class, NPJI_SIZE_CLASSES, LIST);
    broken(h, first->size_class, UINT8_MAX, LIST);
    job_write(h, &job, TAG_WRITE + 2, SIXTY_FOUR "a");
    struct npji_packet *longest = first->next->next;
    broken(h, longest->size_class, 1, LIST);
    broken(h, longest->length, 81, LIST);
    job_lend(h, &job, TAG_WRITE + 3, "lent");
    broken(h, longest->next->size_class, NPJI_SIZE_CLASSES, LIST);
    host_end(h);
}

Test(check_job, the_writes_in_flight_come_first)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    job_write(h, &job, TAG_WRITE + 2, "hi");
    struct npji_job *in = inside(h, &job);
    struct npji_packet *first = in->writes.head;
    struct npji_packet *second = first->next;
    broken(h, first->flags, less(first->flags, NPJI_PACKET_IN_OP), "a WRITE in flight has its writes");
    broken(h, second->next->flags, more(second->next->flags, NPJI_PACKET_IN_OP), INFLIGHT);
    broken(h, second->flags, more(second->flags, NPJI_PACKET_IN_OP), BEHIND);
    broken(h, in->op_end, in->writes.waiting, BEHIND);
    broken(h, in->op_end, in->writes.end, BEHIND);
    broken(h, first->taken, 1, GIVEN);
    broken(h, in->op_bytes, 2, GIVEN);
    broken(h, in->op_bytes, 4, GIVEN);
    broken(h, second->flags, more(second->flags, NPJI_PACKET_CANCELLED), CANCELLED);
    broken(h, first->flags, more(first->flags, NPJI_PACKET_CANCELLED), CANCELLED);
    expect(h, SUCCESS, npj_cancel(h->srv, first->request));
    well(h);
    broken(h, second->flags, more(second->flags, NPJI_PACKET_CANCELLED), CANCELLED);
    broken(h, second->next->flags, more(second->next->flags, NPJI_PACKET_CANCELLED), CANCELLED);
    host_end(h);

    h = host_start(NULL);
    job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    in = inside(h, &job);
    broken(h, in->writes.head->flags, NPJI_PACKET_IN_OP, INFLIGHT);
    allowed(h, in->op_end, &in->writes.head->next);
    allowed(h, in->op_bytes, 4);
    host_end(h);
}

Test(check_job, an_empty_write_is_answered_in_its_turn)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "");
    well(h);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_SUCCESS, NPJ_MESSAGE_MODE));
    struct npji_job *in = inside(h, &job);
    broken(h, in->mode, NPJ_BYTE_MODE, "an empty write whose turn has come is answered");
    broken(h, in->mode, 2, "a pipe has a mode");
    host_end(h);
}

Test(check_job, a_write_in_flight_has_its_writes)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing_and_waiting(h);
    struct npji_job *in = inside(h, &job);
    const struct npji_job kept = *in;
    npji_packets_init(&in->writes);
    in->packets = 0;
    in->bytes = 0;
    names(h, "a WRITE in flight has its writes");
    in->writes = kept.writes;
    in->packets = kept.packets;
    in->bytes = kept.bytes;
    well(h);
    host_end(h);
}

/* --------------------------------------------------------------------------------------------------- facts of a job */

#define OPERATION "an operation in flight is that of the job's state"
#define PIPE      "an ended job owes nothing to the pipe"
#define PROVIDED  "an ended job owes nothing to its provider"

Test(check_job, a_request_is_answered_once_and_at_once)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->facts, in->facts | NPJI_ANSWERED(NPJ_REQUEST_ADD), "a request is answered once");
    host_end(h);

    h = host_start(NULL);
    job = job_broken(h);
    in = inside(h, &job);
    static const npj_request_kind requests[] = {NPJ_REQUEST_ADD, NPJ_REQUEST_CONNECT, NPJ_REQUEST_CLOSE};
    for (int i = 0; i < 3; i++)
        broken(h, in->facts, in->facts | NPJI_WAITING(requests[i]), "a failed job holds no unanswered request");
    host_end(h);

    h = host_start(NULL);
    job = job_connecting(h);
    in = inside(h, &job);
    cr_assert_eq(npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    cr_assert_eq(in->state, NPJ_STATE_ABORTING);
    broken(h, in->facts, in->facts | NPJI_WAITING(NPJ_REQUEST_CLOSE), "a failed job holds no unanswered request");
    host_end(h);
}

Test(check_job, a_failure_and_a_failed_state)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->failure, NPJ_STATUS_PIPE_BROKEN, "a job with a failure has failed");
    broken(h, in->facts, in->facts | NPJI_CANCEL_ASKED, "only an operation in flight is cancelled");
    broken(h, in->facts, in->facts | NPJI_CANCEL_TAKEN, "only a cancel that was asked for is taken");
    broken(h, in->facts, in->facts | NPJI_PROGRESS, "progress has moved the deadline");
    host_end(h);

    h = host_start(NULL);
    job = job_broken(h);
    in = inside(h, &job);
    broken(h, in->failure, NPJ_STATUS_SUCCESS, "a failed job has its first failure");
    broken(h, in->op, in->handle, OPERATION);
    host_end(h);
}

/* What each state comes with is missed. */
Test(check_job, a_job_has_what_its_state_says)
{
    struct job (*const begin[])(struct host *) = {
        [NPJ_STATE_ADDING] = job_adding,         [NPJ_STATE_ADDED] = job_added,
        [NPJ_STATE_CONNECTING] = job_connecting, [NPJ_STATE_OPEN] = job_open,
        [NPJ_STATE_CLOSING] = job_closing,       [NPJ_STATE_CLEANUP] = job_cleanup,
        [NPJ_STATE_SCHEDULING] = job_scheduling, [NPJ_STATE_CLEANUP_FAILED] = job_cleanup_failed,
    };
    const uint32_t add = NPJI_WAITING(NPJ_REQUEST_ADD), connect = NPJI_WAITING(NPJ_REQUEST_CONNECT);
    const uint32_t close = NPJI_WAITING(NPJ_REQUEST_CLOSE);
    const struct {
        npj_state state;
        uint32_t fact;
    } facts[] = {
        {NPJ_STATE_ADDING, add},
        {NPJ_STATE_ADDED, NPJI_HAS_JOB},
        {NPJ_STATE_CONNECTING, NPJI_HAS_JOB},
        {NPJ_STATE_CONNECTING, NPJI_CONNECT_ACCEPTED},
        {NPJ_STATE_CONNECTING, connect},
        {NPJ_STATE_OPEN, NPJI_HAS_JOB},
        {NPJ_STATE_OPEN, NPJI_CONNECT_ACCEPTED},
        {NPJ_STATE_OPEN, NPJI_HAS_PIPE},
        {NPJ_STATE_CLOSING, NPJI_CLOSE_ACCEPTED},
        {NPJ_STATE_CLOSING, close},
        {NPJ_STATE_CLOSING, NPJI_HAS_PIPE},
        {NPJ_STATE_CLEANUP, close},
        {NPJ_STATE_CLEANUP, NPJI_HAS_PIPE},
        {NPJ_STATE_SCHEDULING, NPJI_HAS_JOB},
        {NPJ_STATE_SCHEDULING, close},
        {NPJ_STATE_CLEANUP_FAILED, NPJI_HAS_PIPE},
    };
    for (unsigned i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct host *h = host_start(NULL);
        struct job job = begin[facts[i].state](h);
        struct npji_job *in = inside(h, &job);
        cr_assert_eq(in->state, facts[i].state);
        broken(h, in->facts, in->facts & ~facts[i].fact, "a job has what its state says");
        host_end(h);
    }
}

Test(check_job, an_operation_is_that_of_its_state)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->op_kind, NPJ_ADD_JOB, OPERATION);
    broken(h, in->op_kind, NPJ_CLOSE_PIPE, OPERATION);
    broken(h, in->op, in->op ^ 4, "an operation names the job's slot");
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    cr_assert_eq(in->state, NPJ_STATE_ABORTING);
    allowed(h, in->op_kind, NPJ_SCHEDULE_JOB);
    broken(h, in->op, in->op ^ 4, "an operation names the job's slot");
    host_end(h);
}

Test(check_job, an_ended_job_owes_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    struct npji_job *in = inside(h, &job);
    cr_assert_eq(in->state, NPJ_STATE_GONE);
    broken(h, in->op, job.op, OPERATION);
    broken(h, in->facts, in->facts | NPJI_HAS_PIPE, PIPE);
    broken(h, in->facts, in->facts | NPJI_HAS_JOB, PROVIDED);
    host_end(h);
}

Test(check_job, an_ended_job_owes_nothing_to_a_provider_that_has_gone)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    struct npji_job *in = inside(h, &job);
    cr_assert_eq(in->state, NPJ_STATE_GONE);
    broken(h, in->facts, in->facts & ~(uint32_t)NPJI_PROVIDER_GONE, PROVIDED);
    host_end(h);
}

Test(check_job, a_job_in_its_state)
{
    struct host *h = host_start(NULL);
    job_adding(h); /* so that the other is not in the first slot */
    struct job job = job_added(h);
    struct npji_job *in = inside(h, &job);
    broken(h, in->facts, in->facts | NPJI_CONNECT_ACCEPTED, "a state that is finished has been left");
    broken(h, in->state, NPJ_STATE_COUNT, "a job is in a state");
    broken(h, in->handle, in->handle & ~(uint64_t)4, "a job is in the slot of its handle");
    job = job_broken(h);
    in = inside(h, &job);
    broken(h, in->facts, in->facts | NPJI_FORGET, "a state that is finished has been left");
    host_end(h);
}
