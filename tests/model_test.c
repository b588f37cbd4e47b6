/* SPDX-License-Identifier: MIT */
/*
 * The reference model. Beside npjob it finds nothing, over the whole corpus; beside npjob with a fault it finds the
 * fault with all laws switched off, and of some faults it is the only one to speak. A copy of a model is a model.
 */
#include "model_faults.h"

#include <stdlib.h>

#include "model_support.h"
#include "tape_files.h"
#include "tape_support.h"

#define MODEL_BIT (UINT32_C(1) << NPJT_LAW_MODEL)

/* The law that is found broken; -1 if none. */
static int play(const npjt_subject *subject, const char *text, uint32_t laws_off, bool model)
{
    model_fault_reset();
    return play_text(subject, text, (npjt_options){.laws_off = laws_off, .model = model}).finding;
}

Test(model, npjob_is_as_the_model_says)
{
    size_t count;
    struct tape_file *files = tape_files(TAPE_FOLDER, &count);
    npjt_options options = {.finding = found, .model = true};
    uint64_t calls = 0;
    for (size_t i = 0; i < count; i++) {
        npjt_result result;
        cr_expect(npjt_run(&npjt_subject_npjob, files[i].bytes, files[i].size, &options, &result), "%s: %s",
                  files[i].name, sentence);
        calls += result.calls;
    }
    free(files);
    cr_expect_gt(count, 100);
    cr_expect_gt(calls, 10 * count);
}

Test(model, every_fault_is_found_by_the_model_alone)
{
    size_t count, unseen = 0;
    const struct model_fault *faults = model_faults(&count);
    for (size_t i = 0; i < count; i++) {
        const struct model_fault *fault = &faults[i];
        cr_expect_eq(play(&npjt_subject_npjob, fault->tape, 0, true), -1, "%s: npjob itself: %s", fault->name,
                     sentence);
        cr_expect_eq(play(&fault->subject, fault->tape, ~MODEL_BIT, true), NPJT_LAW_MODEL,
                     "%s: the model does not see it", fault->name);
        int law = play(&fault->subject, fault->tape, 0, false);
        cr_expect_eq(law, fault->law, "%s: without the model, law %d instead of %d: %s", fault->name, law, fault->law,
                     sentence);
        cr_expect_eq(play(&fault->subject, fault->tape, ~UINT32_C(0), true), -1,
                     "%s: found by a model that is switched off", fault->name);
        unseen += fault->law < 0;
    }
    cr_expect_geq(unseen, 5, "the model has to see what no law sees");
}

Test(model, every_member_is_compared)
{
    struct model_member member;
    size_t count = 0;
    for (; model_member(count, &member); count++) {
        cr_expect_eq(play(&npjt_subject_npjob, member.tape, 0, true), -1, "%s", sentence);
        cr_expect_eq(play(&member.subject, member.tape, ~MODEL_BIT, true), NPJT_LAW_MODEL, "%s", member.says);
        cr_expect_not_null(strstr(sentence, member.says), "%s: %s", member.says, sentence);
    }
    cr_expect_eq(count, 37);
}

Test(model, a_server_without_stats_cannot_be_followed)
{
    npjt_subject blind = npjt_subject_npjob;
    blind.stats = NULL;
    cr_expect_eq(play(&blind, "tape 1\nopen\n", 0, false), -1, "%s", sentence);
    cr_expect_eq(play(&blind, "tape 1\nopen\n", 0, true), NPJT_LAW_MODEL);
}

static const npjt_subject *faulty(const char *name)
{
    size_t count;
    const struct model_fault *fault = model_faults(&count), *end = fault + count;
    while (fault < end && strcmp(fault->name, name) != 0)
        fault++;
    cr_assert_neq(fault, end, "%s", name);
    return &fault->subject;
}

/** In the middle of a change a deadline is anything. */
static uint64_t deadline_of_now(const void *srv)
{
    bool inside = npjt_subject_npjob.trim((void *)srv) == NPJ_STATUS_INVALID_DEVICE_STATE;
    return inside ? 7 : npjt_subject_npjob.deadline(srv);
}

/* A call from inside a callback is none of the model's: it differs from nothing, and goes on with the next. */
Test(model, calls_from_inside_are_not_its_own)
{
    const npjt_subject *forgets = faulty("refused requests are not counted");
    npjt_subject changing = npjt_subject_npjob;
    changing.deadline = deadline_of_now;
    for (uint32_t call = 0; call < npjt_operand_count(NPJT_CALL); call++)
        for (uint32_t from = 1; from < npjt_operand_count(NPJT_CALLBACK); from++) {
            char text[256];
            (void)snprintf(
                text, sizeof text,
                "tape 1\nadvance to=+1\nopen\nreenter from=%s call=%s\nwrite\nnext\ncomplete\nnext\nreenter from=%s "
                "call=%s\nclose\nconnect\n",
                npjt_operand_word(NPJT_CALLBACK, from), npjt_operand_word(NPJT_CALL, call),
                npjt_operand_word(NPJT_CALLBACK, from), npjt_operand_word(NPJT_CALL, call));
            cr_expect_eq(play(&npjt_subject_npjob, text, 0, true), -1, "%s in\n%s", sentence, text);
            cr_expect_eq(play(&changing, text, 0, true), -1, "%s in\n%s", sentence, text);
            cr_expect_eq(play(forgets, text, 0, true), NPJT_LAW_MODEL, "%s", text);
        }
}

Test(model, it_says_who_says_more)
{
    cr_expect_eq(play(faulty("a RESUME comes out of nowhere"), "tape 1\nopen\n", ~MODEL_BIT, true), NPJT_LAW_MODEL);
    cr_expect_str_eq(sentence, "the server says RESUME, and the model nothing");
}

static bool next_has_nothing(void *srv, npj_action *out)
{
    (void)srv, (void)out;
    return false;
}

Test(model, it_says_who_says_less)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_has_nothing;
    cr_expect_eq(play(&subject, "tape 1\nadd\nnext\n", ~MODEL_BIT, true), NPJT_LAW_MODEL);
    cr_expect_str_eq(sentence, "the model says ADD_JOB, and the server nothing");
}

static npj_status trim_refuses(void *srv)
{
    (void)npjt_subject_npjob.trim(srv);
    return NPJ_STATUS_INVALID_PARAMETER;
}

static const char *check_complains(const void *srv)
{
    return npjt_subject_npjob.check(srv) ? "all is well" : "all is not well";
}

static uint64_t digest_of_each_look(const void *srv)
{
    static uint64_t looks;
    return npjt_subject_npjob.digest(srv) ^ ++looks;
}

/* What the model cannot do the server is asked, and what the server cannot do nobody is. */
Test(model, beside_it_the_server_is_whole)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.trim = trim_refuses;
    cr_expect_eq(play(&subject, "tape 1\ntrim\n", 0, true), NPJT_LAW_ALL_OR_NOTHING);
    subject.trim = NULL;
    cr_expect_eq(play(&subject, "tape 1\ntrim\n", 0, true), -1, "%s", sentence);
    subject.check = check_complains;
    cr_expect_eq(play(&subject, "tape 1\nopen\n", 0, true), NPJT_LAW_ALL_OR_NOTHING);
    subject.check = NULL;
    cr_expect_eq(play(&subject, "tape 1\nopen\n", 0, true), -1, "%s", sentence);
    subject.digest = digest_of_each_look;
    cr_expect_eq(play(&subject, "tape 1\nopen\nconnect\n", 0, true), NPJT_LAW_ALL_OR_NOTHING);
    subject.digest = NULL;
    cr_expect_eq(play(&subject, "tape 1\nopen\nconnect\n", 0, true), -1, "%s", sentence);
    subject.query = NULL;
    cr_expect_eq(play(&subject, "tape 1\nopen\nquery\n", 0, true), -1, "%s", sentence);
}

/* ------------------------------------------------------------------------------------------------- the model alone */

static npj_config small_config(void)
{
    return (npj_config){.size = sizeof(npj_config), .max_jobs = 3, .max_packets = 5, .max_pool_bytes = 5 * 200};
}

static npjt_model *new_small_model(void)
{
    npj_config config = small_config();
    return new_model(&config, 56);
}

Test(model, a_copy_is_a_model)
{
    npj_config config = small_config();
    size_t size = npjt_model_size(&config);
    npjt_model *model = new_small_model(), *copy = malloc(size);
    npj_action out, again, seen = {.op = 99};
    cr_assert_not_null(copy);
    open_job(model, 5, 7, 31);
    npjt_model_write(model, 5, 3, "abc", 3, NPJ_COPY, (npjt_said){.handle = 40});
    memcpy(copy, model, size);
    uint64_t digest = npjt_model_job_digest(model, 5);
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_neq(npjt_model_job_digest(model, 5), digest);
    cr_expect_eq(npjt_model_job_digest(copy, 5), digest);
    cr_assert(npjt_model_next(copy, &seen, &again));
    cr_expect_eq(out.kind, NPJ_WRITE);
    cr_expect_eq(again.count, out.count);
    cr_expect_neq(again.iov, out.iov, "the copy points into the model that it was made of");
    cr_expect_eq(npjt_model_job_digest(model, 5), npjt_model_job_digest(copy, 5));
    free(model);
    free(copy);
}

Test(model, the_digest_does_not_know_how_it_came_there)
{
    npjt_model *model = new_small_model(), *other = new_small_model();
    npj_action out;
    open_job(model, 5, 7, 31);
    npjt_model_advance(other, 1000);
    npjt_model_advance(other, 1500);
    open_job(other, 9, 8, 77);
    cr_expect_eq(npjt_model_job_digest(model, 5), npjt_model_job_digest(other, 9));
    npjt_model_write(model, 5, 3, "abc", 3, NPJ_COPY, (npjt_said){.handle = 40});
    npjt_model_write(other, 9, 4, "xyz", 3, NPJ_COPY, (npjt_said){.handle = 41});
    cr_expect_eq(npjt_model_job_digest(model, 5), npjt_model_job_digest(other, 9));
    npjt_model_advance(other, 1501);
    cr_expect_neq(npjt_model_job_digest(model, 5), npjt_model_job_digest(other, 9), "its stall has come nearer");
    npjt_model_abort(model, 5, NPJ_STATUS_PRINT_CANCELLED);
    npjt_model_abort(other, 9, NPJ_STATUS_PRINT_CANCELLED);
    cr_expect_eq(npjt_model_job_digest(model, 5), npjt_model_job_digest(other, 9));
    cr_assert(npjt_model_next(model, NULL, &out));
    cr_expect_eq(out.job, 5);
    cr_expect_neq(npjt_model_job_digest(model, 5), npjt_model_job_digest(other, 9));
    free(model);
    free(other);
}

/** How job 5 has begun. */
enum begun { ADDED, OPENED, MESSAGES, WRITTEN, IN_FLIGHT, TWO_WRITTEN };

static npjt_model *begin(enum begun how)
{
    npjt_model *model = new_small_model();
    npj_action out, seen = {.op = 31};
    if (how == OPENED || how >= WRITTEN) {
        open_job(model, 5, 7, 31);
    } else {
        npjt_model_add_job(model, 1, 1, 7, 1, true, (npjt_said){.handle = 5});
        cr_assert(npjt_model_next(model, &seen, &out));
    }
    if (how == MESSAGES) {
        npjt_model_connect(model, 5, 2);
        npjt_model_job_added(model, 31, 0, true, 0, 7);
        while (npjt_model_next(model, &seen, &out)) {
        }
        npjt_model_opened(model, 31, 0, NPJ_MESSAGE_MODE);
        while (npjt_model_next(model, &seen, &out)) {
        }
    }
    if (how >= WRITTEN)
        npjt_model_write(model, 5, 3, "abc", 3, NPJ_COPY, (npjt_said){.handle = 40});
    if (how == TWO_WRITTEN)
        npjt_model_write(model, 5, 4, "abc", 3, NPJ_COPY, (npjt_said){.handle = 41});
    if (how == IN_FLIGHT)
        cr_assert(npjt_model_next(model, &seen, &out));
    return model;
}

#define DIFFER(how, one, other)                                                                                        \
    do {                                                                                                               \
        npjt_model *model = begin(how);                                                                                \
        one;                                                                                                           \
        const uint64_t digest = npjt_model_job_digest(model, 5);                                                       \
        free(model);                                                                                                   \
        model = begin(how);                                                                                            \
        other;                                                                                                         \
        cr_expect_neq(npjt_model_job_digest(model, 5), digest, "%s", #one);                                            \
        free(model);                                                                                                   \
    } while (0)

/* Two jobs that differ in one thing only: a search that took them for one would not look into the other. */
Test(model, the_digest_knows_each_fact)
{
    const npj_status reason = NPJ_STATUS_OBJECT_NAME_INVALID, gone = NPJ_STATUS_PIPE_DISCONNECTED;
    const npjt_said fifth = {.handle = 44};
    DIFFER(ADDED, , npjt_model_connect(model, 5, 2));
    DIFFER(ADDED, npjt_model_advance(model, 5), npjt_model_advance(model, 5); npjt_model_advance(model, 6));
    DIFFER(ADDED, npjt_model_abort(model, 5, reason); npjt_model_job_added(model, 31, 0, true, 0, 7);
           take(model), npjt_model_abort(model, 5, gone); npjt_model_job_added(model, 31, 0, true, 0, 7); take(model));
    /* An add that was answered before its job failed. */
    DIFFER(ADDED, npjt_model_job_added(model, 31, 0, true, 0, 7);
           npjt_model_abort(model, 5, reason), npjt_model_job_added(model, 31, 0, true, reason, 7);
           npjt_model_abort(model, 5, reason));
    DIFFER(MESSAGES, , npjt_model_write(model, 5, 3, "", 0, NPJ_COPY, fifth));
    /* A message that was answered before its job failed. */
    DIFFER(MESSAGES, npjt_model_write(model, 5, 3, "", 0, NPJ_COPY, fifth);
           npjt_model_abort(model, 5, reason), npjt_model_write(model, 5, 3, "", 0, NPJ_COPY, fifth); npj_action out;
           npjt_model_next(model, &(npj_action){.op = 98}, &out); npjt_model_written(model, 98, 0, 0);
           npjt_model_abort(model, 5, reason));
    DIFFER(OPENED, npjt_model_write(model, 5, 3, "abc", 3, NPJ_COPY, fifth),
           npjt_model_write(model, 5, 3, "abcd", 4, NPJ_COPY, fifth));
    DIFFER(OPENED, npjt_model_write(model, 5, 3, "abc", 3, NPJ_COPY, fifth),
           npjt_model_write(model, 5, 3, "abc", 3, NPJ_LEND, fifth));
    DIFFER(WRITTEN, npjt_model_abort(model, 5, gone), npjt_model_provider_gone(model, 1);
           npjt_model_abort(model, 5, gone));
    DIFFER(WRITTEN, npjt_model_abort(model, 5, gone); take(model), npjt_model_provider_gone(model, 1); take(model));
    DIFFER(WRITTEN, npjt_model_cancel(model, 40); take(model), take(model); npjt_model_written(model, 99, 0, 3);
           take(model));
    DIFFER(IN_FLIGHT, , npjt_model_cancel(model, 40));
    DIFFER(IN_FLIGHT, npjt_model_cancel(model, 40), npjt_model_cancel(model, 40); take(model));
    DIFFER(IN_FLIGHT, npjt_model_written(model, 31, 0, 1), npjt_model_written(model, 31, 0, 2));
    DIFFER(TWO_WRITTEN, npjt_model_cancel(model, 40); npjt_model_cancel(model, 41), npjt_model_cancel(model, 41);
           npjt_model_cancel(model, 40));
    DIFFER(IN_FLIGHT, npjt_model_abort(model, 5, gone), npjt_model_abort(model, 5, gone);
           npjt_model_close(model, 5, 9));
    /* A RETURN that is due, and a REPLY. */
    DIFFER(OPENED, npjt_model_write(model, 5, 3, "abc", 3, NPJ_LEND, fifth); take(model);
           npjt_model_abort(model, 5, gone); take(model);
           npjt_model_written(model, 99, gone, 0), npjt_model_write(model, 5, 3, "abc", 3, NPJ_LEND, fifth);
           take(model); npjt_model_abort(model, 5, gone); npjt_model_written(model, 99, gone, 0));
}

Test(model, the_digest_knows_nothing_of_another_job)
{
    npjt_model *model = begin(OPENED);
    open_job(model, 9, 8, 41);
    const uint64_t digest = npjt_model_job_digest(model, 9);
    npjt_model_write(model, 5, 4, "abc", 3, NPJ_COPY, (npjt_said){.handle = 41});
    cr_expect_eq(npjt_model_job_digest(model, 9), digest);
    free(model);
}

Test(model, the_digest_knows_what_is_in_flight)
{
    npjt_model *model = new_small_model();
    npj_action out, seen = {.op = 31};
    npjt_model_add_job(model, 1, 1, 7, 1, true, (npjt_said){.handle = 5});
    const uint64_t digest = npjt_model_job_digest(model, 5);
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_neq(npjt_model_job_digest(model, 5), digest);
    free(model);
}

static uint64_t digest_of_job(uint64_t client, uint64_t provider)
{
    npjt_model *model = new_small_model();
    npjt_model_add_job(model, client, provider, 7, 1, true, (npjt_said){.handle = 5});
    const uint64_t digest = npjt_model_job_digest(model, 5);
    cr_expect_eq(npjt_model_job_digest(model, 6), 0, "there is no such job");
    free(model);
    return digest;
}

Test(model, the_digest_knows_client_and_provider)
{
    cr_expect_neq(digest_of_job(1, 1), digest_of_job(2, 1));
    cr_expect_neq(digest_of_job(1, 1), digest_of_job(1, 2));
    cr_expect_neq(digest_of_job(1, 2), digest_of_job(2, 1));
}

Test(model, the_digest_of_no_job_knows_the_shutdown)
{
    npjt_model *model = new_small_model();
    const uint64_t before = npjt_model_digest(model);
    npjt_model_advance(model, 5);
    const uint64_t ticking = npjt_model_digest(model);
    cr_expect_neq(ticking, before);
    npjt_model_advance(model, 6);
    cr_expect_eq(npjt_model_digest(model), ticking);
    open_job(model, 5, 7, 31);
    npjt_model_shutdown(model, NPJ_DRAIN);
    const uint64_t draining = npjt_model_digest(model);
    cr_expect_neq(draining, ticking);
    npjt_model_advance(model, 7);
    cr_expect_neq(npjt_model_digest(model), draining, "its end has come nearer");
    npjt_model_shutdown(model, NPJ_ABORT);
    const uint64_t aborted = npjt_model_digest(model);
    cr_expect_neq(aborted, draining);
    npjt_model_advance(model, 8);
    cr_expect_eq(npjt_model_digest(model), aborted);
    take(model);
    npjt_model_done(model, 99, 0);
    take(model);
    npjt_model_done(model, 99, 0);
    take(model);
    cr_expect_neq(npjt_model_digest(model), aborted, "IDLE has been told");
    cr_expect_eq(npjt_model_job_digest(model, 5), 0, "it has ended");
    free(model);
}

Test(model, what_a_search_asks)
{
    npjt_model *model = new_small_model();
    npj_action out, seen = {.op = 50};
    npj_action_kind kind = NPJ_IDLE;
    uint64_t bytes = 99;
    open_job(model, 5, 7, 31);
    open_job(model, 9, 8, 41);
    npjt_model_write(model, 9, 3, "abc", 3, NPJ_COPY, (npjt_said){.handle = 61});
    npjt_model_write(model, 5, 4, "abc", 3, NPJ_COPY, (npjt_said){.handle = 62});
    npjt_model_write(model, 9, 5, "abcd", 4, NPJ_COPY, (npjt_said){.handle = 63});
    cr_expect_eq(npjt_model_job(model, 0), 5);
    cr_expect_eq(npjt_model_job(model, 1), 9);
    cr_expect_eq(npjt_model_job(model, 2), 0);
    cr_expect_eq(npjt_model_request(model, 9, 1), 63);
    cr_expect_eq(npjt_model_request(model, 9, 2), 0);
    cr_expect_eq(npjt_model_op(model, 9, &kind, &bytes), 0);
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_eq(out.job, 9);
    cr_expect_eq(npjt_model_op(model, 9, &kind, &bytes), 50);
    cr_expect_eq(kind, NPJ_WRITE);
    cr_expect_eq(bytes, 7);
    seen.op = 51;
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_eq(npjt_model_op(model, 5, &kind, &bytes), 51);
    cr_expect_eq(bytes, 3, "of another job's WRITE");
    npjt_model_written(model, 51, 0, 2);
    cr_assert(npjt_model_next(model, &seen, &out));
    cr_expect_eq(npjt_model_op(model, 5, &kind, &bytes), 51);
    cr_expect_eq(bytes, 1, "what is left");
    cr_expect_eq(npjt_model_op(model, 6, &kind, &bytes), 0, "there is no such job");
    free(model);
}
