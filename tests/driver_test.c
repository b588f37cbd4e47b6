/* SPDX-License-Identifier: MIT */
/*
 * The driver notices. Each server here is npjob with one fault put before it, and each fault must be found by the law
 * that it breaks; the same tape against npjob itself must find nothing, and with that law switched off not find it.
 */
#include "driver_faults.h"
#include "tape_support.h"

/* The law that is found broken; -1 if none. */
static int play(const npjt_subject *subject, const char *text, uint32_t laws_off)
{
    return play_text(subject, text, (npjt_options){.laws_off = laws_off}).finding;
}

Test(driver, every_fault_is_found_by_its_law)
{
    uint32_t laws_seen = 0;
    size_t count;
    const struct fault *faults = driver_faults(&count);
    for (size_t i = 0; i < count; i++) {
        const struct fault *fault = &faults[i];
        cr_expect_eq(play(&npjt_subject_npjob, fault->tape, 0), -1, "%s: npjob itself: %s", fault->name, sentence);
        driver_fault_reset();
        int law = play(&fault->subject, fault->tape, 0);
        cr_expect_eq(law, (int)fault->law, "%s: law %d instead of %u: %s", fault->name, law, fault->law, sentence);
        cr_expect(!fault->says || strstr(sentence, fault->says), "%s: %s", fault->name, sentence);
        driver_fault_reset();
        law = play(&fault->subject, fault->tape, UINT32_C(1) << fault->law);
        cr_expect_neq(law, (int)fault->law, "%s: found by a law that is switched off", fault->name);
        driver_fault_reset();
        law = play(&fault->subject, fault->tape, UINT32_MAX);
        cr_expect_eq(law, -1, "%s: found with all laws switched off", fault->name);
        laws_seen |= UINT32_C(1) << fault->law;
    }
    for (unsigned law = 0; law < NPJT_LAW_MODEL; law++) /* the model has its own test */
        cr_expect(laws_seen >> law & 1, "no fault breaks law %u (%s)", law, npjt_law_name(law));
}

/* -------------------------------------------------------------------- servers that are not npjob, but obey the laws */

/* Part of a message is no progress: the stall deadline is where it was, whether the server traces it or not. */
Test(driver, a_server_need_not_trace)
{
    static const char tape[] =
        "tape 1 pipe=message stall_timeout=10\nadvance to=+0\nopen\nwrite length=4\nwrite length=4\n"
        "next\ncancel write=oldest\nnext\nadvance to=+2\nwritten status=cancelled amount=1\n"
        "advance to=+9\n";
    npjt_subject subject = npjt_subject_npjob;
    cr_expect_eq(play(&subject, tape, 0), -1, "%s", sentence);
    subject.srv_new = driver_fault_untraced;
    cr_expect_eq(play(&subject, tape, 0), -1, "%s", sentence);
}

/* Law 6 off: a server that does what it is told from inside a callback is not told anything there. */
static npj_mem mem_kept;

static npj_status new_with_mem(const npj_config *config, void **out)
{
    mem_kept = config->mem;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status close_with_scratch(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = npjt_subject_npjob.close(srv, job, tag);
    void *scratch = mem_kept.alloc(mem_kept.user, 8);
    if (scratch)
        mem_kept.release(mem_kept.user, scratch, 8);
    return scratch ? status : NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

Test(driver, a_law_that_is_not_promised_does_no_harm)
{
    static const uint32_t no_reentry = UINT32_C(1) << NPJT_LAW_REENTRY, allocates = UINT32_C(1) << NPJT_LAW_ALLOCATION;
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = new_with_mem;
    subject.close = close_with_scratch;
    static const char inside[] = "tape 1\nopen\nreenter from=alloc call=abort\nclose\nhost\n";
    cr_expect_eq(play(&subject, inside, allocates), NPJT_LAW_REENTRY);
    cr_expect_eq(play(&subject, inside, allocates | no_reentry), -1, "%s", sentence);

    static const char faulty[] = "tape 1\nopen\noom fail=from-next\nclose\nhost\n";
    cr_expect_eq(play(&subject, faulty, allocates), NPJT_LAW_ALL_OR_NOTHING);
    const npjt_options without_faults = {.laws_off = allocates, .fault_override = true};
    cr_expect_eq(play_text(&subject, faulty, without_faults).finding, -1, "%s", sentence);
}

/* Nobody knows how large a packet's header is in a server that does not say. */
static npj_status write_too_large(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                  unsigned flags, npj_req *out)
{
    (void)srv, (void)job, (void)tag, (void)bytes, (void)length, (void)flags, (void)out;
    return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

Test(driver, a_header_may_be_large)
{
    static const char tape[] = "tape 1 max_pool=1024\nopen\nwrite length=1\n";
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = driver_fault_untraced;
    subject.write = write_too_large;
    subject.digest = NULL;
    cr_expect_eq(play(&subject, tape, 0), NPJT_LAW_ISOLATION);
    subject.stats = NULL;
    cr_expect_eq(play(&subject, tape, 0), -1, "%s", sentence);
}

/* A write without a place for its handle has one all the same, and a handle made up from another's may be it. */
static npj_req unnamed, named;

static npj_status write_unnamed(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                unsigned flags, npj_req *out)
{
    npj_req request = 0;
    npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, &request);
    if (!out)
        unnamed = request;
    else if (status == NPJ_STATUS_PENDING)
        *out = named = request;
    return status;
}

static npj_status cancel_unnamed(void *srv, npj_req request)
{
    bool forged = named != 0 && (request ^ named) == 4;
    return npjt_subject_npjob.cancel(srv, forged ? unnamed : request);
}

Test(driver, a_forged_write_may_be_an_unnamed_one)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.write = write_unnamed;
    subject.cancel = cancel_unnamed;
    cr_expect_eq(play(&subject, "tape 1\nopen\nnulls call=write\nwrite\ncancel write=forged-slot\nhost\n", 0), -1, "%s",
                 sentence);
}

/* ------------------------------------------------------------------------------------------------------ the driver */

static npj_status connect_twice(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = npjt_subject_npjob.connect(srv, job, tag);
    return status == NPJ_STATUS_INVALID_PIPE_STATE ? NPJ_STATUS_PENDING : status;
}

/* With the law off that the server breaks, the driver cannot know what becomes of its second connect. */
Test(driver, a_run_that_is_cut_short_says_so)
{
    static const char text[] = "tape 1\nopen\nconnect\nwrite length=1\nhost\n";
    npjt_subject subject = npjt_subject_npjob;
    const npjt_options options = {.laws_off = UINT32_C(1) << NPJT_LAW_ALL_OR_NOTHING};
    npjt_result result = play_text(&subject, text, options);
    cr_expect_lt(result.finding, 0);
    cr_expect_not(result.cut_short);
    cr_expect_eq(result.events, 4);
    subject.connect = connect_twice;
    result = play_text(&subject, text, options);
    cr_expect_lt(result.finding, 0);
    cr_expect(result.cut_short);
    cr_expect_eq(result.events, 2);
}

/* Memory is looked at where no engine is: nothing else will. */
Test(driver, an_engine_that_is_lost_is_a_leak)
{
    cr_expect_eq(
        play(&driver_fault_of("new loses the engine")->subject, "tape 1\n", UINT32_C(1) << NPJT_LAW_ALL_OR_NOTHING),
        NPJT_LAW_RECLAIM, "%s", sentence);
}

/* What the driver has no place for, no bytes of, or no name for. */
Test(driver, it_does_not_follow_where_it_cannot)
{
    static const struct {
        const char *fault;
        uint32_t off;
    } cases[] = {{"more jobs than there may be at the most", 0x200},
                 {"more packets than there may be at the most", 0x200},
                 {"a write of any length is accepted", 0x28},
                 {"an action is of no kind", 0x8},
                 {"an operation has no handle", 0x8},
                 {"a RETURN comes while the pipe reads", 0x200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fault *fault = driver_fault_of(cases[i].fault);
        const npjt_result result = play_text(&fault->subject, fault->tape, (npjt_options){.laws_off = cases[i].off});
        cr_expect_eq(result.finding, -1, "%s: %s", cases[i].fault, sentence);
        cr_expect(result.cut_short, "%s", cases[i].fault);
    }
}

/* What other laws see first; and what is no more than that. */
Test(driver, with_laws_off_others_are_broken)
{
    static const struct {
        const char *fault, *tape, *says;
        uint32_t off;
        int law;
    } cases[] = {
        {"a failed job is left to its provider", NULL, "jobs have not ended although everything was completed", 0x1008,
         NPJT_LAW_BOUNDS},
        {"a packet is counted that is not there", "tape 1 max_packets=1\nopen\nwrite length=16\nnext\n",
         "more jobs or packets than the configuration allows", 0x4, NPJT_LAW_BOUNDS},
        {"a job is counted that is not there", "tape 1 max_jobs=1\nopen\n",
         "more jobs or packets than the configuration allows", 0x400, NPJT_LAW_BOUNDS},
        {"a job is counted that is not there, and waited for",
         "tape 1\nopen\nclose\nhost\nshutdown how=abort\nhost\nfree\n",
         "nothing is left after a shutdown, and IDLE has not come", 0x400, NPJT_LAW_BOUNDS},
        {"CANCELs have no end", NULL, "actions in a row, and no end", 0x8, NPJT_LAW_BOUNDS},
        {"a wrong count brings out an action of no kind", NULL, "accepted requests", 0x8, NPJT_LAW_ANSWERS},
        {"a WRITE comes before the REPLY of the one before", NULL, "", 0x80, -1},
        {"no job is known", NULL, "", 0x8, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fault *fault = driver_fault_of(cases[i].fault);
        const char *tape = cases[i].tape ? cases[i].tape : fault->tape;
        cr_expect_eq(play(&fault->subject, tape, cases[i].off), cases[i].law, "%s: %s", cases[i].fault, sentence);
        cr_expect_not_null(strstr(sentence, cases[i].says), "%s", sentence);
    }
}

/* A wrong count or deadline brings out what else is wrong, unless nobody asks for it. */
Test(driver, a_law_that_is_off_leaves_the_run_as_it_is)
{
    static const char tape[] = "tape 1 stall_timeout=10\nadvance to=+0\nopen\nwrite length=16\nadd\nnext count=1\n";
    static const char *const looks[] = {
        "a deadline is kept back",    "a packet is counted that is not there", "a job is counted that is not there",
        "a request is counted twice", "an operation is counted twice",
    };
    const npjt_result right = play_text(&npjt_subject_npjob, tape, (npjt_options){0});
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        const struct fault *fault = driver_fault_of(looks[i]);
        cr_expect_eq(play(&fault->subject, tape, 0), (int)fault->law, "%s", looks[i]);
        const npjt_result result =
            play_text(&fault->subject, tape, (npjt_options){.laws_off = UINT32_C(1) << fault->law});
        cr_expect_eq(result.finding, -1, "%s: %s", looks[i], sentence);
        cr_expect_eq(result.digest, right.digest, "%s", looks[i]);
    }
}

Test(driver, names_of_laws)
{
    for (unsigned law = 0; law < NPJT_LAW_COUNT; law++)
        for (unsigned other = 0; other < law; other++)
            cr_expect_str_neq(npjt_law_name(law), npjt_law_name(other));
    cr_expect_str_eq(npjt_law_name(NPJT_LAW_COUNT), "(unknown)");
}

static uint32_t found_at, found_records;
static const npjt_record *found_record;

static void note(void *user, const npjt_violation *finding)
{
    (void)user;
    found_at = finding->event;
    found_records = finding->records;
    found_record = finding->record;
    cr_assert_str_eq(finding->phase, "event");
}

Test(driver, a_finding_names_the_event)
{
    static const char text[] = "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext\nquery\n";
    const npjt_subject *subject = &driver_fault_of("a write's count is one short")->subject;
    cr_assert_geq(play_text(subject, text, (npjt_options){.finding = note}).finding, 0);
    cr_assert_eq(found_at, 5); /* the second next takes the REPLY */
    cr_assert_eq(found_records, 5);
    cr_assert_not_null(found_record);
}

Test(driver, the_empty_tape_is_a_run)
{
    npjt_result result;
    cr_assert(npjt_run(&npjt_subject_npjob, NULL, 0, NULL, &result));
    cr_assert_eq(result.events, 0);
    cr_assert_eq(result.allocations, 1);
    cr_assert_eq(result.live_blocks, 0);
}

Test(driver, counters)
{
    static const char text[] =
        "tape 1\nopen\nwrite length=16\nwrite length=64 how=lend\nnext\nwritten amount=first\nnext\n"
        "complete\nnext\nclose\nhost\n";
    const npjt_result result = play_text(&npjt_subject_npjob, text, (npjt_options){0});
    cr_assert_lt(result.finding, 0, "%s", sentence);
    cr_expect_eq(result.events, 10);
    cr_expect_eq(result.packets_allocated, 2);
    cr_expect_eq(result.packets_released, 2);
    cr_expect_eq(result.bytes_accepted, 80);
    cr_expect_eq(result.bytes_taken, 80);
    cr_expect_eq(result.operations, 6); /* ADD_JOB, OPEN, WRITE, WRITE, CLOSE_PIPE, SCHEDULE_JOB */
    cr_expect_eq(result.allocations, 4);
    cr_expect_eq(result.failures, 0);
}

/* -------------------------------------------------------------------------------------------- the digest of a run */

static const uint64_t shift = UINT64_C(1) << 63;

static bool shifted_next(void *srv, npj_action *out)
{
    bool more = npj_next(srv, out);
    if (more && out->op != 0)
        out->op ^= shift;
    return more;
}

static npj_status shifted_added(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    return npj_job_added(srv, op ^ shift, status, path, job_id);
}

static npj_status shifted_opened(void *srv, npj_op op, npj_status status, npj_pipe_mode mode)
{
    return npj_opened(srv, op ^ shift, status, mode);
}

static npj_status shifted_written(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    return npj_written(srv, op ^ shift, status, transferred);
}

static npj_status shifted_done(void *srv, npj_op op, npj_status status)
{
    return npj_done(srv, op ^ shift, status);
}

static uint64_t other_state(const void *srv)
{
    return ~npj_digest(srv);
}

static uint64_t digest_of_run(const npjt_subject *subject, bool all)
{
    static const char text[] = "tape 1\nopen\nwrite length=16\nclose\nhost\n";
    const npjt_result result = play_text(subject, text, (npjt_options){.digest_all = all});
    cr_assert_lt(result.finding, 0, "%s", sentence);
    return result.digest;
}

Test(driver, the_digest_covers_handles)
{
    npjt_subject shifted = npjt_subject_npjob;
    shifted.next = shifted_next;
    shifted.job_added = shifted_added;
    shifted.opened = shifted_opened;
    shifted.written = shifted_written;
    shifted.done = shifted_done;
    cr_expect_eq(digest_of_run(&npjt_subject_npjob, false), digest_of_run(&npjt_subject_npjob, false));
    cr_expect_neq(digest_of_run(&npjt_subject_npjob, false), digest_of_run(&shifted, false));
}

Test(driver, the_digest_covers_the_state_if_asked)
{
    npjt_subject other = npjt_subject_npjob;
    other.digest = other_state;
    cr_expect_eq(digest_of_run(&npjt_subject_npjob, false), digest_of_run(&other, false));
    cr_expect_neq(digest_of_run(&npjt_subject_npjob, true), digest_of_run(&other, true));
    cr_expect_neq(digest_of_run(&npjt_subject_npjob, false), digest_of_run(&npjt_subject_npjob, true));
}

/* Of a server that shows nothing the digest covers nothing more, and of one that has gone neither. */
Test(driver, the_digest_of_a_server_that_shows_nothing)
{
    npjt_subject closed = npjt_subject_npjob;
    closed.digest = NULL;
    closed.stats = NULL;
    const npjt_options all = {.digest_all = true};
    cr_expect_eq(play_text(&closed, "tape 1\nopen\nwrite length=16\nfree\n", all).finding, -1, "%s", sentence);
    cr_expect_eq(play_text(&npjt_subject_npjob, "tape 1\nopen\nfree\n", all).finding, -1, "%s", sentence);
}

/* Which bytes share a WRITE is the server's own choice. */
static npj_iov piece;

static bool next_in_pieces(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE) {
        piece = out->iov[0];
        piece.length = piece.length < 4096 ? piece.length : 4096;
        out->iov = &piece;
        out->iov_count = 1;
        out->count = piece.length;
    }
    return more;
}

Test(driver, a_write_may_take_many_operations)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_in_pieces;
    static const char tape[] = "tape 1 max_write=65536 max_job_packets=32\nopen\nwrites length=65536 count=32\n";
    cr_expect_eq(play(&subject, tape, 0), -1, "%s", sentence);
}
