/* SPDX-License-Identifier: MIT */
/* The twins: npjob passes every relation, and each faulty server fails one of them and no other. */
#include <criterion/criterion.h>
#include <string.h>

#include "twin_support.h"

TestSuite(twin, .init = set_up, .fini = tear_down);

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
        cr_expect_eq(strstr(sentence, "undisturbed: IDLE of") != NULL, count == 8, "member %zu: %s", count, sentence);
    }
    cr_expect_eq(count, 9); /* of which the last is of no job */
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

/* With one packet in a WRITE the second job closes its pipe before the third write of the first is answered. */
Test(twin, between_jobs_the_order_is_free_where_WRITEs_are_of_many)
{
    static const uint8_t script[] = {0,
                                     0xE0,
                                     0,
                                     OPEN(0),
                                     OPEN(2),
                                     STEP(WRITE, 0, 5, 0),
                                     STEP(WRITE, 0, 5, 0),
                                     STEP(WRITE, 0, 5, 0),
                                     STEP(WRITE, 2, 5, 0),
                                     STEP(WRITE, 2, 5, 0),
                                     DO(CLOSE, 2)};
    cr_expect(play(&npjt_subject_npjob, script, sizeof script, NPJT_RELATION_BATCH), "%s", sentence);
}

static uint32_t packets_of_a_job[2];

static npj_status new_noting_limit(const npj_config *config, void **out)
{
    packets_of_a_job[0] = packets_of_a_job[1];
    packets_of_a_job[1] = config->max_job_packets;
    return npjt_subject_npjob.srv_new(config, out);
}

Test(twin, room_is_short_even_where_the_script_names_no_limit)
{
    static const uint8_t script[] = {0, 0xE0, 1};
    npjt_subject noting = npjt_subject_npjob;
    noting.srv_new = new_noting_limit;
    cr_expect(play(&noting, script, sizeof script, NPJT_RELATION_RETRY), "%s", sentence);
    cr_expect_eq(packets_of_a_job[0], 0);
    cr_expect_eq(packets_of_a_job[1], 3);
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

Test(twin, the_empty_script_is_a_run)
{
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        cr_expect(play(&npjt_subject_npjob, NULL, 0, relation));
        cr_expect_eq(result.steps, 0);
        cr_expect_eq(result.live_blocks, 0);
    }
    npjt_twin_free(NULL);
}

/* A header that is cut off goes on in zeros. */
Test(twin, the_first_byte_is_the_relation)
{
    cr_expect(npjt_twin_run(twin, &npjt_subject_npjob, NULL, 0, NULL, &result));
    cr_expect_eq(result.relation, 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t script = (uint8_t)byte;
        cr_expect(npjt_twin_run(twin, &npjt_subject_npjob, &script, sizeof script, NULL, &result));
        cr_expect_eq(result.relation, byte % NPJT_RELATION_COUNT);
    }
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

/* Of one job, and all of them at once: 64 packets are in a WRITE, and the last step lends as the first does. */
Test(twin, as_many_writes_as_a_script_can_have)
{
    uint8_t script[NPJT_TWIN_MAX] = {0, 0xE0, 0, DO(ADD, 0), DO(CONNECT, 0)};
    for (size_t at = NPJT_TWIN_HEADER + 6; at < sizeof script; at += 3) {
        script[at] = NPJT_TWIN_WRITE | 64;
        script[at + 1] = (uint8_t)(1 + at / 3 % 7);
    }
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        cr_expect(play(&npjt_subject_npjob, script, sizeof script, relation), "%s", sentence);
        cr_expect_eq(result.packets, 2 * (NPJT_TWIN_STEPS - 2));
    }
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

static npj_status write_copied(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out)
{
    cr_assert_neq(flags, NPJ_LEND);
    return npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out);
}

Test(twin, a_server_that_only_copies_is_lent_nothing)
{
    size_t count;
    const struct twin_fault *faults = twin_faults(&count);
    npjt_subject subject = npjt_subject_npjob;
    subject.write = write_copied;
    subject.copies_only = true;
    for (size_t i = 0; i < count; i++)
        for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++)
            cr_expect(play(&subject, faults[i].script, faults[i].size, relation), "%s, relation %s: %s", faults[i].name,
                      npjt_relation_name(relation), sentence);
}

Test(twin, room_that_never_comes_is_not_waited_for)
{
    npjt_subject full = npjt_subject_npjob;
    full.write = write_has_no_room;
    cr_expect(play(&full, plain, plain_size, NPJT_RELATION_DEFERRED), "%s", sentence);
}

Test(twin, names)
{
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++)
        for (unsigned other = 0; other < relation; other++)
            cr_expect_str_neq(npjt_relation_name(relation), npjt_relation_name(other));
    cr_expect_str_eq(npjt_relation_name(NPJT_RELATION_COUNT), "(unknown)");
}
