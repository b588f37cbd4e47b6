/* SPDX-License-Identifier: MIT */
/* The twins: npjob passes every relation, and each faulty server fails one of them and no other. */
#include <criterion/criterion.h>
#include <string.h>

#include "twin_faults.h"

/* Of each test: the twins, what they came to last, and a script. */
static npjt_twin *twin;
static npjt_twin_result result;
static char sentence[512];
static const uint8_t *plain;
static size_t plain_size;

static void set_up(void)
{
    twin = npjt_twin_new();
    cr_assert_not_null(twin);
    plain = twin_plain_script(&plain_size);
}

static void tear_down(void)
{
    npjt_twin_free(twin);
    twin = NULL; /* what is lost is a leak */
}

TestSuite(twin, .init = set_up, .fini = tear_down);

static void note(void *user, const npjt_difference *finding)
{
    (void)user;
    (void)strncpy(sentence, finding->sentence, sizeof sentence - 1);
}

static bool play(const npjt_subject *subject, const uint8_t *script, size_t size, npjt_relation relation)
{
    npjt_twin_options options = {.finding = note, .relation_override = true, .relation = relation};
    sentence[0] = '\0';
    bool good = npjt_twin_run(twin, subject, script, size, &options, &result);
    cr_assert_eq(result.relation, relation);
    cr_assert_eq(result.found, !good);
    cr_assert_eq(sentence[0] == '\0', good);
    return good;
}

Test(twin, every_fault_is_found_by_its_relation_and_by_no_other)
{
    uint32_t seen = 0;
    size_t count;
    const struct twin_fault *faults = twin_faults(&count);
    for (size_t i = 0; i < count; i++) {
        const struct twin_fault *fault = &faults[i];
        for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
            cr_expect(play(&npjt_subject_npjob, fault->script, fault->size, relation),
                      "%s: npjob itself, relation %s: %s", fault->name, npjt_relation_name(relation), sentence);
            cr_expect_eq(result.live_blocks, 0);
            bool good = play(&fault->subject, fault->script, fault->size, relation);
            cr_expect_eq(good, relation != fault->relation, "%s: relation %s: %s", fault->name,
                         npjt_relation_name(relation), good ? "nothing found" : sentence);
            if (relation == fault->relation)
                cr_expect_not_null(strstr(sentence, fault->sentence), "%s: %s", fault->name, sentence);
        }
        seen |= UINT32_C(1) << fault->relation;
    }
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++)
        cr_expect(seen >> relation & 1, "no fault for relation %s", npjt_relation_name(relation));
}

Test(twin, every_member_is_compared)
{
    npjt_subject subject;
    size_t size, count = 0;
    const uint8_t *script = twin_queried_script(&size);
    for (; twin_member(count, &subject); count++) {
        cr_expect(play(&npjt_subject_npjob, script, size, NPJT_RELATION_QUERY), "%s", sentence);
        cr_expect_not(play(&subject, script, size, NPJT_RELATION_QUERY), "member %zu", count);
        cr_expect_not_null(strstr(sentence, "; with queries: "), "member %zu: %s", count, sentence);
    }
    cr_expect_eq(count, 8);
}

Test(twin, the_status_of_every_call_is_compared)
{
    npjt_subject subject;
    const char *call = NULL;
    size_t size, count = 0;
    const uint8_t *script = twin_queried_script(&size);
    for (; twin_liar(count, &subject, &call); count++) {
        cr_expect_not(play(&subject, script, size, NPJT_RELATION_QUERY), "%s", call);
        cr_expect_not_null(strstr(sentence, " says STATUS_PIPE_BUSY"), "%s: %s", call, sentence);
        cr_expect_eq(strstr(sentence, "job 0, the call") || strstr(sentence, "job 1, the call"), count < 10, "%s: %s",
                     call, sentence);
    }
    cr_expect_eq(count, 14); /* of which the last four are of no job */
}

/* Where all has to come in the same order, it is not enough that each job and each client sees the same. */
Test(twin, the_order_of_all_jobs_is_compared)
{
    static const uint8_t script[] = {0, 0xE0, 0, DO(ADD, 0), DO(ADD, 2), STEP(EXTRA, 0, 1, 0), DO(DRAIN, 0)};
    npjt_subject subject = twin_disorder();
    cr_expect_not(play(&subject, script, sizeof script, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "with queries: job 1, ADD_JOB"), "%s", sentence);
}

static npj_mem leaking;

static npj_status new_leaking(const npj_config *config, void **out)
{
    leaking = config->mem;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status write_leaks(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                              npj_req *out)
{
    npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING)
        (void)leaking.alloc(leaking.user, 48);
    return status;
}

/* npjob, but each write leaves a block behind until the engine is freed by the allocator's owner. */
static npjt_subject leaky_subject(void)
{
    npjt_subject leaky = npjt_subject_npjob;
    leaky.name = "npjob with a leak";
    leaky.srv_new = new_leaking;
    leaky.write = write_leaks;
    return leaky;
}

Test(twin, what_is_left_behind_is_found_by_every_relation)
{
    npjt_subject leaky = leaky_subject();
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        cr_expect_not(play(&leaky, plain, plain_size, relation));
        cr_expect_not_null(strstr(sentence, "blocks are live when all jobs have ended"), "%s", sentence);
        cr_expect_eq(result.live_blocks, 4); /* the second side is not played any more */
    }
}

/* An add, a connect and a write are what it takes to leave a block behind. */
static const uint8_t lone_write[] = {0, 0xE0, 0, DO(ADD, 0), DO(CONNECT, 0), DO(WRITE, 0)};

/* A server whose blocks nobody knows can be told to have lost some when it has been freed. */
Test(twin, what_is_left_behind_in_the_end_is_found)
{
    npjt_subject leaky = leaky_subject();
    leaky.engine_blocks = 0;
    cr_expect_not(play(&leaky, lone_write, sizeof lone_write, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "1 blocks have leaked"), "%s", sentence);
}

static npj_status new_fails(const npj_config *config, void **out)
{
    (void)config, (void)out;
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

Test(twin, an_engine_that_cannot_be_made_is_a_finding)
{
    npjt_subject none = npjt_subject_npjob;
    none.srv_new = new_fails;
    none.srv_free = NULL; /* nor can it be freed, */
    none.digest = NULL;   /* or looked at */
    cr_expect_not(play(&none, NULL, 0, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "no engine could be made"), "%s", sentence);
}

/* Two engines' allocators, the one made last and the one before. */
static npj_mem memories[2];

static void *alloc_as_asked(void *user, size_t bytes)
{
    const npj_mem *memory = user;
    return memory->alloc(memory->user, bytes);
}

static void release_too_much(void *user, void *block, size_t bytes)
{
    const npj_mem *memory = user;
    memory->release(memory->user, block, bytes + 1);
}

static npj_status new_releasing_too_much(const npj_config *config, void **out)
{
    static unsigned made;
    npj_config crooked = *config;
    npj_mem *memory = &memories[made++ % 2];
    *memory = config->mem;
    crooked.mem = (npj_mem){.alloc = alloc_as_asked, .release = release_too_much, .user = memory};
    return npjt_subject_npjob.srv_new(&crooked, out);
}

Test(twin, abuse_of_the_allocator_is_found)
{
    npjt_subject abusing = npjt_subject_npjob;
    abusing.srv_new = new_releasing_too_much;
    cr_expect_not(play(&abusing, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "the allocator was abused"), "%s", sentence);
}

/* The engine that was made last, and the one before. */
static void *engines[2];

static npj_status new_noting_engine(const npj_config *config, void **out)
{
    npj_status status = npjt_subject_npjob.srv_new(config, out);
    engines[0] = engines[1];
    engines[1] = *out;
    return status;
}

static void free_noting_engine(void **srv)
{
    for (int i = 0; i < 2; i++)
        if (engines[i] == *srv)
            engines[i] = NULL;
    npjt_subject_npjob.srv_free(srv);
}

static npj_status shutdown_all(void *srv, npj_shutdown_how how)
{
    if (engines[0] && engines[0] != srv)
        (void)npjt_subject_npjob.advance(engines[0], NPJ_NEVER - 1);
    return npjt_subject_npjob.shutdown(srv, how);
}

Test(twin, two_engines_share_nothing)
{
    npjt_subject sharing = npjt_subject_npjob;
    sharing.srv_new = new_noting_engine;
    sharing.srv_free = free_noting_engine;
    cr_expect(play(&sharing, plain, plain_size, NPJT_RELATION_QUERY), "%s", sentence);
    sharing.shutdown = shutdown_all;
    cr_expect_not(play(&sharing, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "another engine"), "%s", sentence);
}

/* With many packets in a WRITE an empty message is taken for nothing, and never gets to the pipe. */
static uint32_t batch;

static npj_status new_noting_batch(const npj_config *config, void **out)
{
    batch = config->max_batch;
    return npjt_subject_npjob.srv_new(config, out);
}

static bool next_without_empty(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (!more || batch == 1 || out->kind != NPJ_WRITE || out->count > 0)
        return more;
    (void)npjt_subject_npjob.written(srv, out->op, NPJ_STATUS_SUCCESS, 0);
    return npjt_subject_npjob.next(srv, out);
}

Test(twin, an_empty_message_is_something_that_a_pipe_has_taken)
{
    /* It is the last step, so that its REPLY is the last of all, however soon it comes. */
    static const uint8_t script[] = {0,
                                     0xE0,
                                     0,
                                     STEP(ADD, 0, 8, 0),
                                     DO(DRAIN, 0),
                                     DO(COMPLETE, 0),
                                     DO(CONNECT, 0),
                                     DO(DRAIN, 0),
                                     DO(COMPLETE, 0),
                                     DO(WRITE, 0)};
    npjt_subject swallowing = npjt_subject_npjob;
    swallowing.srv_new = new_noting_batch;
    cr_expect(play(&swallowing, script, sizeof script, NPJT_RELATION_BATCH), "%s", sentence);
    swallowing.next = next_without_empty;
    cr_expect_not(play(&swallowing, script, sizeof script, NPJT_RELATION_BATCH));
    cr_expect_not_null(strstr(sentence, "the pipe of job 0"), "%s", sentence);
}

/* A script in which the first client's steps come first is played in an order in which they do not. */
Test(twin, the_other_order_is_another)
{
    uint8_t script[] = {0, 0xE0, 0, DO(ADD, 0), DO(ADD, 2), DO(ADD, 2), DO(DRAIN, 0)};
    size_t count;
    unsigned found = 0;
    const struct twin_fault *fault = twin_faults(&count);
    while (strcmp(fault->name, "the job that was added first has the last turn") != 0)
        fault++;
    for (unsigned seed = 0; seed < 16; seed++) {
        script[2] = (uint8_t)seed;
        found += !play(&fault->subject, script, sizeof script, NPJT_RELATION_COMMUTE);
    }
    cr_expect_gt(found, 0);
}

static bool stopping;

static npj_status shutdown_noting(void *srv, npj_shutdown_how how)
{
    stopping = true;
    return npjt_subject_npjob.shutdown(srv, how);
}

static bool next_resumes_for_ever(void *srv, npj_action *out)
{
    if (npjt_subject_npjob.next(srv, out))
        return true;
    *out = (npj_action){.kind = NPJ_RESUME, .cookie = UINT64_MAX};
    return stopping;
}

Test(twin, actions_without_end_are_found)
{
    npjt_subject endless = npjt_subject_npjob;
    stopping = false;
    endless.shutdown = shutdown_noting;
    endless.next = next_resumes_for_ever;
    cr_expect_not(play(&endless, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "no end of actions"), "%s", sentence);
}

Test(twin, a_finding_shrinks)
{
    uint8_t script[NPJT_TWIN_MAX];
    size_t size = plain_size;
    memcpy(script, plain, size);
    script[0] = NPJT_RELATION_LENT;
    cr_assert_not(npjt_twin_shrink(twin, &npjt_subject_npjob, script, &size));
    npjt_subject leaky = leaky_subject();
    cr_assert(npjt_twin_shrink(twin, &leaky, script, &size));
    cr_expect_eq(size, sizeof lone_write, "%zu bytes", size);
}

Test(twin, the_empty_script_is_a_run)
{
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        cr_expect(play(&npjt_subject_npjob, NULL, 0, relation));
        cr_expect_eq(result.steps, 0);
        cr_expect_eq(result.live_blocks, 0);
    }
    npjt_twin_free(NULL);
}

Test(twin, counters)
{
    cr_expect(play(&npjt_subject_npjob, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_eq(result.steps, (plain_size - NPJT_TWIN_HEADER) / 3);
    cr_expect_eq(result.packets, 8); /* four on each side */
    cr_expect_eq(result.queries, 0);
    size_t count;
    const struct twin_fault *faults = twin_faults(&count);
    uint64_t refusals = 0, queries = 0;
    for (size_t i = 0; i < count; i++) {
        cr_expect(play(&npjt_subject_npjob, faults[i].script, faults[i].size, NPJT_RELATION_RETRY));
        refusals += result.refusals;
        cr_expect(play(&npjt_subject_npjob, faults[i].script, faults[i].size, NPJT_RELATION_QUERY));
        queries += result.queries;
    }
    cr_expect_gt(refusals, 4);
    cr_expect_gt(queries, 2);
}

Test(twin, what_goes_beyond_the_longest_script_is_ignored)
{
    static uint8_t script[NPJT_TWIN_MAX + 3];
    cr_expect(play(&npjt_subject_npjob, script, sizeof script, NPJT_RELATION_QUERY));
    cr_expect_eq(result.steps, NPJT_TWIN_STEPS);
    cr_expect(play(&npjt_subject_npjob, script, NPJT_TWIN_MAX - 1, NPJT_RELATION_QUERY));
    cr_expect_eq(result.steps, NPJT_TWIN_STEPS - 1);
}

static void count_trace(void *user, const npj_trace *trace)
{
    *(unsigned *)user += trace->kind == NPJ_TRACE_EVENT;
}

Test(twin, the_traces_are_passed_on)
{
    unsigned traces = 0;
    const npjt_twin_options options = {.trace = count_trace, .user = &traces};
    cr_expect(npjt_twin_run(twin, &npjt_subject_npjob, plain, plain_size, &options, NULL));
    cr_expect_gt(traces, 0);
}

/* What a server need not have is not called. */
Test(twin, a_server_without_members_that_may_be_null)
{
    static const uint8_t queries[] = {0,
                                      0xE0,
                                      0,
                                      DO(EXTRA, 0),
                                      STEP(EXTRA, 0, 1, 0),
                                      STEP(EXTRA, 0, 3, 0),
                                      STEP(EXTRA, 0, 4, 0),
                                      STEP(EXTRA, 0, 5, 0)};
    npjt_subject bare = npjt_subject_npjob;
    size_t count;
    const struct twin_fault *faults = twin_faults(&count);
    bare.stats = NULL;
    bare.query = NULL;
    bare.trim = NULL;
    bare.check = NULL;
    bare.digest = NULL;
    for (size_t i = 0; i < count; i++)
        for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++)
            cr_expect(play(&bare, faults[i].script, faults[i].size, relation), "%s: %s", faults[i].name, sentence);
    cr_expect(play(&bare, queries, sizeof queries, NPJT_RELATION_QUERY), "%s", sentence);
}

static npj_status write_has_no_room(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                    unsigned flags, npj_req *out)
{
    (void)srv, (void)job, (void)tag, (void)bytes, (void)length, (void)flags, (void)out;
    return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

Test(twin, room_that_never_comes_is_not_waited_for)
{
    npjt_subject full = npjt_subject_npjob;
    full.write = write_has_no_room;
    cr_expect(play(&full, plain, plain_size, NPJT_RELATION_DEFERRED), "%s", sentence);
}

static uint64_t wrong_tag;

static bool next_with_wrong_tag(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE)
        out->tag = wrong_tag;
    return more;
}

Test(twin, tags_are_looked_at_before_they_are_followed)
{
    static const uint64_t tags[] = {0, NPJT_TWIN_STEPS + 1, UINT16_MAX, UINT64_MAX};
    npjt_subject astray = npjt_subject_npjob;
    astray.next = next_with_wrong_tag;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        wrong_tag = tags[i];
        cr_expect_not(play(&astray, plain, plain_size, NPJT_RELATION_LENT));
        cr_expect_not_null(strstr(sentence, "4 lent payloads are not returned"), "%s", sentence);
    }
}

Test(twin, names)
{
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++)
        for (unsigned other = 0; other < relation; other++)
            cr_expect_str_neq(npjt_relation_name(relation), npjt_relation_name(other));
    cr_expect_str_eq(npjt_relation_name(NPJT_RELATION_COUNT), "(unknown)");
}

static bool next_without_address(void *srv, npj_action *out)
{
    static npj_iov lost;
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_WRITE) {
        lost = (npj_iov){NULL, (size_t)out->count};
        out->iov = &lost;
        out->iov_count = 1;
    }
    return more;
}

/* Members that the kind of an action does not name may be anything. */
static bool next_with_iovecs(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind != NPJ_WRITE) {
        out->iov = (const npj_iov *)sizeof(npj_iov); /* where nothing is */
        out->iov_count = 1;
    }
    return more;
}

Test(twin, iovecs_are_looked_at_before_they_are_followed)
{
    npjt_subject lost = npjt_subject_npjob;
    lost.next = next_without_address;
    cr_expect_not(play(&lost, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "an iovec without an address"), "%s", sentence);
    lost.next = next_with_iovecs;
    cr_expect(play(&lost, plain, plain_size, NPJT_RELATION_QUERY), "%s", sentence);
}
