/* SPDX-License-Identifier: MIT */
/* What the twins take for the same: histories, outcomes and pipes that are made up, as no server has them. */
#include <criterion/criterion.h>
#include <string.h>

#include "twin_state.h"

static struct npjt_twin *twin;

static void set_up(void)
{
    twin = npjt_twin_new();
    cr_assert_not_null(twin);
    twin->script.count = 1;
    for (int side = 0; side < 2; side++) {
        twin->run[side].script = &twin->script;
        twin->run[side].job_count = 2;
    }
}

static void tear_down(void)
{
    npjt_twin_free(twin);
}

TestSuite(twin_compare, .init = set_up, .fini = tear_down);

static void saw(int side, struct twin_entry entry)
{
    struct twin_run *run = &twin->run[side];
    run->entries[run->entry_count++] = entry;
}

/* --------------------------------------------------------------------------------------------------------- outcomes */

/* What became of a request: what its call said, and the answers that came. */
struct made_up {
    bool asked;
    npj_status call;
    unsigned answers;
    npj_status status;
    uint64_t count;
};

#define NEVER                      {false, 0, 0, 0, 0}
#define REFUSED(why)               {true, NPJ_STATUS_##why, 0, 0, 0}
#define UNANSWERED                 {true, NPJ_STATUS_PENDING, 0, 0, 0}
#define ANSWERED(n, status, bytes) {true, NPJ_STATUS_PENDING, n, NPJ_STATUS_##status, bytes}

/* A call, and the answers to it. */
static void play_request(int side, uint16_t tag, uint8_t job, const struct made_up *of)
{
    saw(side, (struct twin_entry){.what = TWIN_CALL, .job = job, .tag = tag, .status = of->call});
    for (unsigned i = 0; i < of->answers; i++)
        saw(side, (struct twin_entry){.what = TWIN_ACTION,
                                      .kind = NPJ_REPLY,
                                      .job = job,
                                      .request = NPJ_REQUEST_WRITE,
                                      .tag = tag,
                                      .status = of->status,
                                      .count = of->count});
}

static void play(int side, const struct made_up *of)
{
    twin->run[side].entry_count = 0;
    if (of->asked)
        play_request(side, 1, 0, of);
    /* That the bytes come back is no answer. */
    if (of->answers > 0)
        saw(side, (struct twin_entry){.what = TWIN_ACTION, .kind = NPJ_RETURN, .tag = 1});
}

static bool agree(const struct made_up *a, const struct made_up *b)
{
    twin->found = false;
    play(0, a);
    play(1, b);
    npjt_twin_compare_outcomes(twin);
    return !twin->found;
}

Test(twin_compare, outcomes_that_agree)
{
    static const struct {
        struct made_up a, b;
    } pairs[] = {
        {NEVER, NEVER},
        {UNANSWERED, UNANSWERED},
        {ANSWERED(1, SUCCESS, 5), ANSWERED(1, SUCCESS, 5)},
        {REFUSED(QUOTA_EXCEEDED), REFUSED(QUOTA_EXCEEDED)},
        {REFUSED(PIPE_CLOSING), REFUSED(PIPE_BROKEN)},
        {REFUSED(PIPE_CLOSING), REFUSED(INVALID_HANDLE)},
        {REFUSED(PIPE_CLOSING), REFUSED(INVALID_PIPE_STATE)},
        {ANSWERED(1, PIPE_BUSY, 0), REFUSED(PIPE_BROKEN)},
        {ANSWERED(1, PIPE_BUSY, 0), REFUSED(INVALID_HANDLE)},
        {ANSWERED(1, PIPE_BUSY, 0), REFUSED(INVALID_PIPE_STATE)},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cr_expect(agree(&pairs[i].a, &pairs[i].b), "%zu: %s", i, twin->sentence);
        cr_expect(agree(&pairs[i].b, &pairs[i].a), "%zu, the other way round: %s", i, twin->sentence);
    }
}

/* A job that fails earlier on the second side takes there the close that comes before the connect, and not the other.
 */
struct two_closes {
    uint8_t kind, job;       /* of the first */
    bool after;              /* the second is made before it, on the second side */
    struct made_up first[2]; /* on both sides */
    struct made_up second[2];
};

/* With @swapped the sides are. */
static bool closes_agree(const struct two_closes *closes, int swapped)
{
    twin->found = false;
    twin->script.count = 2;
    twin->script.steps[0].kind = closes->kind;
    twin->script.steps[1].kind = NPJT_TWIN_CLOSE;
    for (int side = 0; side < 2; side++) {
        int to = side ^ swapped;
        twin->run[to].entry_count = 0;
        if (!closes->after || side == 0)
            play_request(to, 1, closes->job, &closes->first[side]);
        play_request(to, 2, 0, &closes->second[side]);
        if (closes->after && side == 1)
            play_request(to, 1, closes->job, &closes->first[side]);
    }
    npjt_twin_compare_outcomes(twin);
    return !twin->found;
}

Test(twin_compare, a_close_that_one_side_takes_earlier)
{
#define EARLY {REFUSED(INVALID_PIPE_STATE), ANSWERED(1, PIPE_BUSY, 0)}
#define LATER {ANSWERED(1, PIPE_BUSY, 0), REFUSED(PIPE_CLOSING)}
    static const struct two_closes same = {NPJT_TWIN_CLOSE, 0, false, EARLY, LATER};
    static const struct two_closes others[] = {
        {NPJT_TWIN_CONNECT, 0, false, EARLY, LATER},
        {NPJT_TWIN_CLOSE, 1, false, EARLY, LATER},
        {NPJT_TWIN_CLOSE, 0, true, EARLY, LATER},
        {NPJT_TWIN_CLOSE, 0, false, {ANSWERED(1, PIPE_BUSY, 0), ANSWERED(1, PIPE_BUSY, 0)}, LATER},
        {NPJT_TWIN_CLOSE, 0, false, {REFUSED(INVALID_PIPE_STATE), REFUSED(INVALID_PIPE_STATE)}, LATER},
        {NPJT_TWIN_CLOSE, 0, false, EARLY, {ANSWERED(1, SUCCESS, 0), REFUSED(PIPE_CLOSING)}},
        {NPJT_TWIN_CLOSE, 0, false, EARLY, {ANSWERED(1, PIPE_BUSY, 0), REFUSED(QUOTA_EXCEEDED)}},
        {NPJT_TWIN_CLOSE, 0, false, EARLY, {ANSWERED(1, PIPE_BUSY, 0), ANSWERED(1, PIPE_CLOSING, 0)}},
    };
    for (int swapped = 0; swapped < 2; swapped++) {
        cr_expect(closes_agree(&same, swapped), "%s", twin->sentence);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            cr_expect_not(closes_agree(&others[i], swapped), "%zu", i);
    }
}

Test(twin_compare, outcomes_that_differ)
{
    static const struct {
        struct made_up a, b;
        const char *says;
    } pairs[] = {
        {NEVER, REFUSED(SUCCESS), "never made"},
        {NEVER, UNANSWERED, "accepted and not answered"},
        {UNANSWERED, ANSWERED(1, SUCCESS, 0), "accepted and not answered"},
        {UNANSWERED, REFUSED(PIPE_BROKEN), "refused with STATUS_PIPE_BROKEN"},
        {ANSWERED(1, SUCCESS, 5), ANSWERED(1, SUCCESS, 4), "answered STATUS_SUCCESS (0x00000000), 4 bytes"},
        {ANSWERED(1, SUCCESS, 5), ANSWERED(1, PIPE_BUSY, 5), "answered STATUS_PIPE_BUSY"},
        {ANSWERED(1, SUCCESS, 5), ANSWERED(2, SUCCESS, 5), "5 bytes, more than once"},
        {REFUSED(PIPE_CLOSING), REFUSED(INVALID_PARAMETER), "refused with STATUS_INVALID_PARAMETER"},
        {REFUSED(PIPE_BROKEN), REFUSED(INVALID_PARAMETER), "refused with STATUS_INVALID_PARAMETER"},
        {ANSWERED(1, PIPE_BUSY, 0), REFUSED(PIPE_CLOSING), "refused with STATUS_PIPE_CLOSING"},
        {ANSWERED(1, PIPE_BUSY, 0), REFUSED(QUOTA_EXCEEDED), "refused with STATUS_QUOTA_EXCEEDED"},
        {ANSWERED(1, PIPE_BUSY, 1), REFUSED(PIPE_BROKEN), "answered STATUS_PIPE_BUSY"},
        {ANSWERED(2, PIPE_BUSY, 0), REFUSED(PIPE_BROKEN), "0 bytes, more than once"},
        {ANSWERED(1, SUCCESS, 0), REFUSED(PIPE_BROKEN), "answered STATUS_SUCCESS (0x00000000), 0 bytes"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        for (int other_way = 0; other_way < 2; other_way++) {
            const struct made_up *a = &pairs[i].a, *b = &pairs[i].b;
            cr_expect_not(other_way ? agree(b, a) : agree(a, b), "%zu", i);
            cr_expect_not_null(strstr(twin->sentence, pairs[i].says), "%zu: %s", i, twin->sentence);
            cr_expect_eq(strstr(twin->sentence, "more than once") != NULL,
                         strstr(pairs[i].says, "more than once") != NULL, "%zu: %s", i, twin->sentence);
        }
    }
}

/* Whether it is the same that provider and pipe are told this on one side, and that on the other. */
static bool endings_are_the_same(struct twin_entry this1, struct twin_entry this2, struct twin_entry that1,
                                 struct twin_entry that2)
{
    twin->found = false;
    twin->run[0].entry_count = twin->run[1].entry_count = 0;
    saw(0, this1);
    saw(0, this2);
    saw(1, that1);
    saw(1, that2);
    npjt_twin_compare_outcomes(twin);
    return !twin->found;
}

Test(twin_compare, what_a_job_ends_in)
{
    for (uint8_t job = 0; job < 2; job++)
        for (unsigned kind = 0; kind <= NPJ_IDLE; kind++) {
            bool is_free = kind > NPJ_ABANDON_JOB || kind == NPJ_WRITE;
            struct twin_entry open = {.what = TWIN_ACTION, .kind = NPJ_OPEN, .job = job},
                              one = {.what = TWIN_ACTION, .kind = (uint8_t)kind, .job = job, .status = 1, .job_id = 2},
                              others[] = {one, one, one, one, {.what = TWIN_CALL}};
            others[0].what = TWIN_CALL;
            others[1].status++;
            others[2].job_id++;
            others[3].status++;
            others[3].job_id--;
            for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                cr_expect_eq(endings_are_the_same(open, one, open, others[i]), is_free, "%u %u %zu", job, kind, i);
                cr_expect_eq(endings_are_the_same(open, others[i], open, one), is_free, "%u %u %zu", job, kind, i);
            }
            cr_expect_eq(endings_are_the_same(open, one, one, open), is_free, "%u %u", job, kind);
            cr_expect(endings_are_the_same(open, one, open, one), "%u %u", job, kind);
        }
}

/* ---------------------------------------------------------------------------------------------- histories and pipes */

static const struct twin_entry reply = {.what = TWIN_ACTION,
                                        .kind = NPJ_REPLY,
                                        .job = 1,
                                        .request = NPJ_REQUEST_WRITE,
                                        .held = true,
                                        .tag = 2,
                                        .count = 4},
                               idle = {
                                   .what = TWIN_ACTION, .kind = NPJ_IDLE, .job = TWIN_NOBODY, .client = TWIN_NOBODY};

static bool histories_are_the_same(enum twin_key key)
{
    twin->found = false;
    npjt_twin_compare(twin, key);
    return !twin->found;
}

/* Whichever side it is that has seen more. */
Test(twin_compare, a_side_that_has_seen_more)
{
    static const enum twin_key keys[] = {TWIN_BY_ALL, TWIN_BY_CLIENT, TWIN_BY_JOB};
    static const char said[] = "job 1, REPLY to the write of tag 2: STATUS_SUCCESS (0x00000000), 4 bytes, held";
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (int side = 0; side < 2; side++) {
            twin->run[0].entry_count = twin->run[1].entry_count = 0;
            saw(0, idle);
            saw(1, idle);
            cr_expect(histories_are_the_same(keys[i]), "%s", twin->sentence);
            saw(side, reply);
            cr_expect_not(histories_are_the_same(keys[i]));
            cr_expect_not_null(strstr(twin->sentence, said), "%s", twin->sentence);
            cr_expect_not_null(strstr(twin->sentence, ": nothing more"), "%s", twin->sentence);
            saw(!side, reply);
            cr_expect(histories_are_the_same(keys[i]), "%s", twin->sentence);
            saw(side, (struct twin_entry){.what = TWIN_ACTION, .kind = NPJ_REPLY, .job = 1, .tag = 3});
            cr_expect_not(histories_are_the_same(keys[i]));
            cr_expect_null(strstr(twin->sentence, "held"), "%s", twin->sentence);
            twin->run[side].entry_count--;
            saw(side, idle);
            cr_expect_not(histories_are_the_same(keys[i]));
            cr_expect_null(strstr(twin->sentence, "job"), "%s", twin->sentence);
        }
}

/* Which order counts: all of it, or that of each client, or that of each job. */
Test(twin_compare, orders_of_a_history)
{
    static const struct {
        struct twin_entry first, second;
        bool by_all, by_client, by_job;
    } orders[] = {
        {{.job = 0, .client = 0, .tag = 1}, {.job = 0, .client = 0, .tag = 2}, false, false, false},
        {{.job = 0, .client = 0, .tag = 1}, {.job = 1, .client = 0, .tag = 2}, false, false, true},
        {{.job = 0, .client = 0, .tag = 1}, {.job = 1, .client = 1, .tag = 2}, false, true, true},
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        for (int side = 0; side < 2; side++) {
            twin->run[side].entry_count = 0;
            saw(side, side == 0 ? orders[i].first : orders[i].second);
            saw(side, side == 0 ? orders[i].second : orders[i].first);
        }
        cr_expect_eq(histories_are_the_same(TWIN_BY_ALL), orders[i].by_all, "%zu", i);
        cr_expect_eq(histories_are_the_same(TWIN_BY_CLIENT), orders[i].by_client, "%zu", i);
        cr_expect_eq(histories_are_the_same(TWIN_BY_JOB), orders[i].by_job, "%zu", i);
    }
}

/* Whether a relation looks at an entry that one side alone has, or that is held on one side alone. */
static bool looks_at(struct twin_entry entry, bool held_alone)
{
    twin->run[0].entry_count = twin->run[1].entry_count = 0;
    saw(0, entry);
    entry.held = held_alone;
    if (held_alone)
        saw(1, entry);
    return !histories_are_the_same(TWIN_BY_JOB);
}

Test(twin_compare, what_a_relation_looks_at)
{
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        bool lent = relation == NPJT_RELATION_LENT, batch = relation == NPJT_RELATION_BATCH;
        twin->script.relation = (npjt_relation)relation;
        for (unsigned kind = 0; kind <= NPJ_IDLE; kind++) {
            bool open =
                (lent && kind == NPJ_RETURN) ||
                (batch && (kind == NPJ_RETURN || kind == NPJ_WRITE || kind == NPJ_CANCEL || kind == NPJ_RESUME));
            struct twin_entry action = {.what = TWIN_ACTION, .kind = (uint8_t)kind, .tag = 1};
            cr_expect_eq(looks_at(action, false), !open, "%s, action %u", npjt_relation_name(relation), kind);
            cr_expect_eq(looks_at(action, true), !open && !lent && !batch, "%s, action %u",
                         npjt_relation_name(relation), kind);
        }
        cr_expect(looks_at((struct twin_entry){.what = TWIN_CALL, .tag = 1}, false), "%s, a call",
                  npjt_relation_name(relation));
    }
}

Test(twin_compare, a_call_is_no_action)
{
    struct twin_entry entry = reply;
    saw(0, entry);
    entry.what = TWIN_CALL;
    saw(1, entry);
    cr_expect_not(histories_are_the_same(TWIN_BY_ALL));
}

/* By outcomes, too, it is the last pipe that counts. */
static void pipes_differ(uint64_t *number)
{
    ++*number;
    cr_expect_not(histories_are_the_same(TWIN_BY_ALL));
    cr_expect_not_null(strstr(twin->sentence, "the pipe of job 1"), "%s", twin->sentence);
    twin->found = false;
    npjt_twin_compare_outcomes(twin);
    cr_expect(twin->found);
    --*number;
    cr_expect(histories_are_the_same(TWIN_BY_ALL), "%s", twin->sentence);
}

Test(twin_compare, each_number_of_a_pipe)
{
    struct twin_pipe *pipe = &twin->run[1].jobs[1].pipe;
    pipes_differ(&pipe->bytes);
    pipes_differ(&pipe->hash);
    pipes_differ(&pipe->messages);
}

Test(twin_compare, resumes_of_each_job)
{
    twin->run[0].jobs[1].resumes = 1;
    twin->run[1].jobs[1].resumes = 2;
    cr_expect_not(histories_are_the_same(TWIN_BY_JOB));
    cr_expect_str_eq(twin->sentence, "job 1 has had, in this order, 1 RESUMEs; in another order, 2");
}

Test(twin_compare, each_side_has_its_own_name_in_a_sentence)
{
    twin->run[0].jobs[1].pipe = (struct twin_pipe){.bytes = 1, .hash = 10};
    twin->run[1].jobs[1].pipe = (struct twin_pipe){.bytes = 2, .hash = 11};
    cr_expect_not(histories_are_the_same(TWIN_BY_JOB));
    cr_expect_str_eq(twin->sentence, "the pipe of job 1 has taken, in this order, 1 bytes (hash a); "
                                     "in another order, 2 bytes (hash b)");
    saw(0, (struct twin_entry){.what = TWIN_ACTION, .kind = NPJ_SCHEDULE_JOB, .job = 1});
    twin->found = false;
    npjt_twin_compare_outcomes(twin);
    cr_expect_str_eq(twin->sentence, "provider and pipe of job 1 are asked for one thing in this order, "
                                     "and for another in another order");
    cr_expect_not(agree(&(struct made_up)UNANSWERED, &(struct made_up)REFUSED(PIPE_BROKEN)));
    cr_expect_str_eq(twin->sentence, "the request of tag 1 is, in this order, accepted and not answered; "
                                     "in another order, refused with STATUS_PIPE_BROKEN (0xc000014b)");
    twin->run[0].entry_count = twin->run[1].entry_count = 0;
    saw(0, reply);
    saw(1, idle);
    cr_expect_not(histories_are_the_same(TWIN_BY_ALL));
    cr_expect_str_eq(twin->sentence, "in this order: job 1, REPLY to the write of tag 2: STATUS_SUCCESS (0x00000000), "
                                     "4 bytes, held; in another order: IDLE of tag 0, JobId 0: STATUS_SUCCESS "
                                     "(0x00000000)");
}

Test(twin_compare, a_reply_is_named_by_its_request)
{
    static const char *const said[] = {"REPLY to the add of", "REPLY to the connect of", "REPLY to the write of",
                                       "REPLY to the close of"};
    for (unsigned request = NPJ_REQUEST_ADD; request <= NPJ_REQUEST_CLOSE; request++) {
        struct twin_entry entry = reply;
        entry.request = (uint8_t)request;
        cr_expect(looks_at(entry, false));
        cr_expect_not_null(strstr(twin->sentence, said[request]), "%s", twin->sentence);
    }
}
