/* SPDX-License-Identifier: MIT */
/* Each check of the search, by an engine that needs it. */
#include <criterion/criterion.h>
#include <string.h>

#include "explore_faults.h"

static void expect_found(const char *sentence)
{
    cr_expect(explore_finds("kinds", sentence), "%s: %s", sentence, explore_seen.sentence);
}

/* ------------------------------------------------------------------------------------------------ what calls return */

Test(explore_check, what_each_call_returns)
{
    static const char *const calls[] = {"npj_add_job", "npj_connect", "npj_write",       "npj_close",
                                        "npj_cancel",  "npj_opened",  "npj_job_added",   "npj_written",
                                        "npj_done",    "npj_abort",   "npj_client_gone", "npj_provider_gone",
                                        "npj_shutdown"};
    explore_fault.lie = NPJ_STATUS_PIPE_BUSY;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char sentence[64];
        (void)snprintf(sentence, sizeof sentence, "%s() says STATUS_PIPE_BUSY", calls[i]);
        explore_fault.lies = calls[i];
        expect_found(sentence);
    }
}

Test(explore_check, the_first_advance)
{
    explore_fault.lies = "npj_advance";
    explore_fault.lie = NPJ_STATUS_PIPE_BUSY;
    expect_found("the engine refuses the first npj_advance()");
}

/* ---------------------------------------------------------------------------------------------------------- actions */

static struct npji_job *only_job(npj_srv *srv)
{
    return npji_slot_job(srv->slots[0]);
}

static struct {
    npj_action_kind kind;
    void (*change)(npj_action *said); /* NULL: it is lost */
    struct npji_job *job;
} changed;

static bool next_changed(npj_srv *srv, npj_action *out)
{
    bool more = npj_next(srv, out);
    if (!more || out->kind != changed.kind)
        return more;
    if (changed.change == NULL)
        return npj_next(srv, out);
    changed.job = only_job(srv);
    changed.change(out);
    return true;
}

static npj_iov iov[3];

static void take_iovec(npj_action *said)
{
    memcpy(iov, said->iov, said->iov_count * sizeof *iov);
    said->iov = iov;
}

#define ACTION(name, statement)                                                                                        \
    static void name(npj_action *said)                                                                                 \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
ACTION(of_another_kind, said->kind = NPJ_RETURN)
ACTION(other_job, said->job ^= UINT64_C(1) << 40)
ACTION(other_request, said->request = NPJ_REQUEST_WRITE)
ACTION(other_cookie, said->cookie ^= 1)
ACTION(other_op, said->op ^= UINT64_C(1) << 40)
ACTION(other_tag, said->tag ^= 1)
ACTION(other_status, said->status ^= 1)
ACTION(other_job_id, said->job_id ^= 1)
ACTION(other_count, said->count ^= 1)
ACTION(held, said->held = !said->held)
ACTION(one_iovec_more, take_iovec(said); iov[said->iov_count] = iov[0]; said->iov_count++)
ACTION(one_iovec_less, said->iov_count -= said->iov_count == 2)
ACTION(no_iovec, said->iov = NULL)
ACTION(an_iovec, said->iov = iov)
ACTION(shorter, take_iovec(said); iov[0].length--)
ACTION(empty_somewhere, take_iovec(said); iov[0].base = iov[0].length > 0 ? iov[0].base : iov)

/* As many bytes, which are others. */
static void other_bytes(npj_action *said)
{
    static const unsigned char others[] = {0xA0, 0xA2};
    take_iovec(said);
    if (iov[0].base && iov[0].length == sizeof others)
        iov[0].base = others;
}

/* Those of one lent write for those of another: the same, elsewhere. */
static void swapped_bytes(npj_action *said)
{
    bool lent = said->iov_count == 2;
    for (const struct npji_packet *packet = *changed.job->writes.waiting; packet != NULL; packet = packet->next)
        lent &= packet->size_class == 0;
    take_iovec(said);
    if (!lent || iov[0].length != iov[1].length)
        return;
    const void *base = iov[0].base;
    iov[0].base = iov[1].base;
    iov[1].base = base;
}

/* The second of them alone. */
static void second_byte(npj_action *said)
{
    take_iovec(said);
    if (iov[0].base && iov[0].length == 2)
        iov[0] = (npj_iov){(const char *)iov[0].base + 1, 1};
}

/* The same bytes, elsewhere. */
static void copied_bytes(npj_action *said)
{
    static const unsigned char copy[] = {0xA0, 0xA1};
    take_iovec(said);
    if (iov[0].base && iov[0].length == sizeof copy)
        iov[0].base = copy;
}

Test(explore_check, each_member_of_an_action)
{
    static const struct {
        npj_action_kind kind;
        void (*change)(npj_action *said);
    } changes[] = {
        {NPJ_REPLY, of_another_kind}, {NPJ_REPLY, other_job},      {NPJ_REPLY, other_request},
        {NPJ_OPEN, other_cookie},     {NPJ_CANCEL, other_op},      {NPJ_REPLY, other_tag},
        {NPJ_REPLY, other_status},    {NPJ_REPLY, held},           {NPJ_SCHEDULE_JOB, other_job_id},
        {NPJ_WRITE, other_count},     {NPJ_WRITE, no_iovec},       {NPJ_WRITE, one_iovec_more},
        {NPJ_WRITE, shorter},         {NPJ_WRITE, other_bytes},    {NPJ_WRITE, copied_bytes},
        {NPJ_WRITE, swapped_bytes},   {NPJ_WRITE, one_iovec_less}, {NPJ_WRITE, empty_somewhere},
        {NPJ_REPLY, an_iovec},
    };
    explore_fault.next = next_changed;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        changed.kind = changes[i].kind;
        changed.change = changes[i].change;
        cr_expect(explore_finds("kinds", "the engine says "), "change %zu: %s", i, explore_seen.sentence);
    }
}

/* Where nothing is lent the model knows no address. */
Test(explore_check, the_bytes_of_a_copied_write)
{
    explore_fault.next = next_changed;
    changed.kind = NPJ_WRITE;
    changed.change = other_bytes;
    cr_expect(explore_finds("pair", "the engine says WRITE"), "%s", explore_seen.sentence);
    changed.change = second_byte;
    cr_expect(explore_finds("pair", "the engine says WRITE"), "%s", explore_seen.sentence);
}

Test(explore_check, an_action_that_does_not_come)
{
    changed.kind = NPJ_IDLE;
    explore_fault.next = next_changed;
    expect_found("the engine has nothing to say, the model IDLE");
}

/* ---------------------------------------------------------------------------------------------------------- handles */

/* All operations have the handle of the first. */
static bool next_with_one_op(npj_srv *srv, npj_action *out)
{
    static npj_op first;
    bool more = npj_next(srv, out);
    if (more && out->kind < NPJ_CANCEL) {
        first = first != 0 ? first : out->op;
        out->op = only_job(srv)->op = first;
    }
    return more;
}

Test(explore_check, operations_of_one_name)
{
    explore_fault.next = next_with_one_op;
    expect_found("a new operation has the handle of one that has ended");
}

static void job_with_one_handle(npj_srv *srv, npj_job *out)
{
    static npj_job first;
    first = first != 0 ? first : *out;
    *out = only_job(srv)->handle = first;
}

Test(explore_check, jobs_of_one_name)
{
    explore_fault.added = job_with_one_handle;
    expect_found("a new job has the handle of the one before it");
}

static void write_with_one_handle(npj_srv *srv, npj_req *out)
{
    static npj_req first;
    first = first != 0 ? first : *out;
    for (struct npji_packet *packet = only_job(srv)->writes.head; packet != NULL; packet = packet->next)
        if (packet->request == *out)
            packet->request = first;
    *out = first;
}

Test(explore_check, writes_of_one_name)
{
    explore_fault.wrote = write_with_one_handle;
    expect_found("a new write has the handle of the one before it");
}

/* ------------------------------------------------------------------------------------------------ memory, callbacks */

Test(explore_check, event_2019_again)
{
    explore_fault.caps_more = 1;
    expect_found("Event 2019 is traced 2 times where 1 is right");
    explore_fault.caps_more = 999; /* more than there is room for */
    expect_found("Event 2019 is traced 1000 times where 1 is right");
}

Test(explore_check, a_call_from_inside_the_trace)
{
    explore_fault.trims_inside = "trace";
    expect_found("a call from inside the trace is not refused");
}

Test(explore_check, a_call_from_inside_the_allocator)
{
    explore_fault.trims_inside = "alloc";
    expect_found("a call from inside the allocator is not refused");
    explore_fault.trims_inside = "release";
    expect_found("a call from inside the allocator is not refused");
}

static bool next_has_more_inside(npj_srv *srv, npj_action *out)
{
    return srv->busy || npj_next(srv, out);
}

Test(explore_check, an_action_inside_a_callback)
{
    explore_fault.next = next_has_more_inside;
    expect_found("a call from inside the allocator is not refused");
}

Test(explore_check, a_block_that_is_too_large)
{
    explore_fault.allocates = 4096;
    expect_found("the engine refuses the scope's configuration");
}

static void jobs_are_larger(npj_srv *srv, npj_req *out)
{
    (void)srv, (void)out;
    explore_fault.allocates = 4096;
}

Test(explore_check, a_job_that_is_too_large)
{
    explore_fault.wrote = jobs_are_larger;
    expect_found("the engine allocates more blocks, or larger ones");
}

static bool next_releases_more(npj_srv *srv, npj_action *out)
{
    explore_fault.releases = 1;
    bool more = npj_next(srv, out);
    explore_fault.releases = 0;
    return more;
}

Test(explore_check, a_release_of_another_size)
{
    explore_fault.next = next_releases_more;
    expect_found("the engine releases what is not a live block");
}

Test(explore_check, a_release_of_nothing_in_the_end)
{
    explore_fault.frees_more = true;
    expect_found("the engine releases what is not a live block");
}

/* Where the last of the packets was, the third in its order; it is no more when none lives. */
enum { PACKETS = 3, PLACE = (NPJI_PACKET_BYTES + 64 + 15) / 16 * 16 };
static unsigned char *place;
static unsigned places;

static void keep_the_place(npj_srv *srv, npj_req *out)
{
    (void)out;
    for (struct npji_packet *packet = only_job(srv)->writes.head; packet != NULL; packet = packet->next)
        if ((unsigned char *)packet > place) {
            place = (unsigned char *)packet;
            places++;
        }
}

static struct {
    size_t from, bytes;
} damaged;

static void write_behind(npj_srv *srv)
{
    if (places == PACKETS && srv->stats.packets.live == 0)
        memset(place + damaged.from, 0x55, damaged.bytes);
}

static void expect_damage_found(size_t from, size_t bytes)
{
    place = NULL;
    places = 0;
    damaged.from = from;
    damaged.bytes = bytes;
    expect_found("a block was written to after its release");
}

Test(explore_check, a_write_behind_a_release)
{
    explore_fault.wrote = keep_the_place;
    explore_fault.time_gone = write_behind;
    expect_damage_found(0, 1);
    expect_damage_found(PLACE - 1, 1);
    expect_damage_found(0, PLACE);
}

/* A lent write's block is smaller than the place that it has. */
static void write_beyond_the_end(npj_srv *srv)
{
    struct npji_job *job = only_job(srv);
    struct npji_packet *packet = job ? *job->writes.waiting : NULL;
    if (packet && packet->size_class == 0)
        *((unsigned char *)packet + NPJI_PACKET_BYTES) ^= 1;
}

static void write_beyond_the_engine(npj_srv *srv)
{
    ((unsigned char *)srv)[explore_engine_bytes] ^= 1;
}

Test(explore_check, a_write_beyond_the_end)
{
    explore_fault.time_gone = write_beyond_the_end;
    expect_found("a block was written to beyond its end");
    explore_fault.time_gone = write_beyond_the_engine;
    expect_found("a block was written to beyond its end");
}

/* A block of a packet that still waits. */
static void release_a_packet(npj_srv *srv)
{
    struct npji_job *job = only_job(srv);
    struct npji_packet *packet = job ? *job->writes.waiting : NULL;
    srv->busy = true;
    if (packet)
        srv->config.mem.release(srv->config.mem.user, packet, npji_packet_block(packet));
    srv->busy = false;
}

Test(explore_check, a_packet_that_is_released_too_early)
{
    explore_fault.time_gone = release_a_packet;
    expect_found("2 blocks are live where 1 jobs, 1 packets and 0 that are kept explain 3");
}

Test(explore_check, what_free_leaves)
{
    explore_fault.keeps_all = true;
    expect_found("npj_srv_free() leaves ");
}

/* ------------------------------------------------------------------------------------------------------- looking in */

#define STATS(name, member)                                                                                            \
    static void name(npj_stats *said)                                                                                  \
    {                                                                                                                  \
        said->member++;                                                                                                \
    }
STATS(jobs_peak, jobs.peak)
STATS(packets_total, packets.total)
STATS(reserved_live, reserved_packets.live)
STATS(pool_live, pool_bytes.live)
STATS(accepted, accepted)
STATS(refused, refused)
STATS(bytes_taken, bytes_taken)
STATS(memory_bytes, memory_bytes)
STATS(idle_bytes, idle_bytes)

Test(explore_check, the_memory)
{
    explore_fault.stats = memory_bytes;
    expect_found("bytes, 0 of them kept, where ");
    explore_fault.stats = idle_bytes;
    expect_found("bytes, 1 of them kept, where ");
}

Test(explore_check, the_counters)
{
    void (*const changes[])(npj_stats *said) = {jobs_peak, packets_total, reserved_live, pool_live,
                                                accepted,  refused,       bytes_taken};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        explore_fault.stats = changes[i];
        expect_found("the counters of the engine are not those of the model");
    }
}

#define INFO(name, member)                                                                                             \
    static void name(npj_job_info *said)                                                                               \
    {                                                                                                                  \
        said->member ^= 1;                                                                                             \
    }
INFO(info_failure, failure)
INFO(info_client, client)
INFO(info_cookie, cookie)
INFO(info_bytes, bytes)
INFO(info_job_id, job_id)

Test(explore_check, a_job)
{
    void (*const changes[])(npj_job_info *said) = {info_failure, info_client, info_cookie, info_bytes, info_job_id};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        explore_fault.info = changes[i];
        expect_found("a job is in state ADDING (");
    }
    explore_fault.info = NULL;
    explore_fault.lies = "npj_job_query";
    explore_fault.lie = NPJ_STATUS_INVALID_HANDLE;
    expect_found("a job is in state ADDING (");
}

/* The newer of two, as its generation says. */
static bool is_second_job(const npj_srv *srv, uint64_t handle)
{
    return srv->stats.jobs.live == 2 && handle > npji_slot_job(srv->slots[1 - npji_handle_slot(handle)])->handle;
}

Test(explore_check, a_second_job)
{
    explore_fault.lies = "npj_job_query";
    explore_fault.lie = NPJ_STATUS_INVALID_HANDLE;
    explore_fault.of = is_second_job;
    cr_expect(explore_finds("pair", "a job is in state "), "%s", explore_seen.sentence);
}

Test(explore_check, the_deadline)
{
    explore_fault.deadline = 1;
    expect_found("the engine's deadline is not the model's");
}

/* Where npj_check() is not called after every event, it is in every new state. */
static void break_law_later(npj_srv *srv, npj_req *out)
{
    (void)srv, (void)out;
    explore_fault.breaks_law = true;
}

Test(explore_check, a_new_state)
{
    explore_fault.wrote = break_law_later;
    cr_expect(explore_finds("times", "an invariant of the engine does not hold"), "%s", explore_seen.sentence);
}
