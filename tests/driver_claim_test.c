/* SPDX-License-Identifier: MIT */
/* What a tape can claim of an operation, and try from inside a callback: the driver takes it for what it is. */
#include "npjob-testkit/srv_nt4.h"
#include "tape_support.h"

#define GOOD npjt_subject_npjob

/* Plays it against npjob, the model beside it, and against srv_nt4, but for its leak. */
static void is_well(const char *text)
{
    const npjt_options but_the_leak = {.laws_off = UINT32_C(1) << NPJT_LAW_PACKETS};
    cr_expect_eq(play_text(&GOOD, text, (npjt_options){.model = true}).finding, -1, "%s in\n%s", sentence, text);
    cr_expect_eq(play_text(&npjt_subject_srv_nt4, text, but_the_leak).finding, -1, "srv_nt4: %s in\n%s", sentence,
                 text);
}

/* A tape that has each word of an operand in turn, where the text says %s. */
static void each_word_is_well(const char *format, npjt_operand operand)
{
    for (uint32_t i = 0; i < npjt_operand_count(operand); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, format, npjt_operand_word(operand, i));
        is_well(text);
    }
}

Test(driver, a_path_is_what_servers_take_it_for)
{
    each_word_is_well("tape 1\nadd\nconnect\nnext\nadded path=%s\nhost\n", NPJT_PATH);
}

Test(driver, a_status_is_what_servers_take_it_for)
{
    each_word_is_well("tape 1\nadd\nconnect\nwrite\nclose\nnext\nadded status=%s\nhost\n", NPJT_STATUS);
    each_word_is_well("tape 1\nopen\nwrite\nclose\nnext\nwritten status=%s\nhost\n", NPJT_STATUS);
    each_word_is_well("tape 1\nadd\nconnect\nwrite\nclose\nnext\ncomplete\nnext\nopened status=%s\nhost\n",
                      NPJT_STATUS);
    /* Of CLOSE_PIPE, SCHEDULE_JOB, ABANDON_JOB. */
    each_word_is_well("tape 1\nopen\nclose\nnext\ndone status=%s\nhost\n", NPJT_STATUS);
    each_word_is_well("tape 1\nopen\nclose\nnext\ncomplete\nnext\ndone status=%s\nhost\n", NPJT_STATUS);
    each_word_is_well("tape 1\nopen\nabort status=cancelled\nnext\ncomplete\nnext\ndone status=%s\nhost\n",
                      NPJT_STATUS);
}

#define ENDS "open\nclose\nhost\n"
#define FULL "open\nwrites length=1 count=all\n"

/* What is easily missed of turns and times. */
Test(driver, turns_and_times_are_what_servers_take_them_for)
{
    static const char *const texts[] = {
        /* The turn of an empty write comes with the pipe, by a cancel while the job closes, and before its pipe fails.
         */
        "tape 1\nadd\nconnect\nwrite length=0\nnext\ncomplete\nnext\ncomplete\nhost\n",
        "tape 1\nopen\nwrite\nwrite length=0\nclose\ncancel write=oldest\nhost\n",
        "tape 1\nopen\nwrite\nwrite length=0\nnext\nwritten status=pipe_broken amount=all\nhost\n",
        /* A write that waits for its pipe may wait as long again. */
        ("tape 1 stall_timeout=10\nadvance to=+0\nadd\nconnect\nwrite\nnext\ncomplete\nnext\nadvance to=+9\n"
         "complete\nnext\nadvance to=+9\nadvance to=+1\nhost\n"),
        /* Of a write, a close and a drain the earliest ends a job, and a second write does not put it off. */
        ("tape 1 stall_timeout=10\nadvance to=+0\nopen\nwrite\nnext\nadvance to=+9\nwrite\nclose\n"
         "shutdown how=drain\nhost\n"),
        /* A pipe that breaks while a write is cancelled is broken. */
        "tape 1\nopen\nwrite\nnext\ncancel\nnext\nwritten status=pipe_broken amount=0\nhost\n",
        /* The clock does not go back. */
        "tape 1 stall_timeout=10\nadvance to=+0\nopen\nadvance to=+9\nadvance to=-1\nwrite\n",
        /* Of writes that have been answered, the one that the pipe reads keeps its place. */
        "tape 1 max_batch=1\nopen\nwrite how=lend\nwrite\nnext\nabort status=cancelled\ncomplete\nhost\n",
        /* Slots are used again, and a shutdown goes by them. */
        ("tape 1\nopen\nopen\nclose job=oldest\nhost\nopen\nwrite job=oldest\nwrite job=newest\nnext\n"
         "shutdown how=abort\nhost\n"),
        /* Behind a part that was taken, there is less to take; and of a message, one byte is a part. */
        ("tape 1\nopen\nwrite length=8\nwrite length=8\nnext\nwritten amount=first-half\nnext\nwritten amount=all\n"
         "host\n"),
        "tape 1\nopen\nwrite length=8\nnext\nwritten amount=half\nnext\nwritten amount=all+1\nhost\n",
        "tape 1 pipe=message\nopen\nwrite length=8\nnext\nwritten amount=1\nhost\n",
        /* What the cap refuses is told again when it has been granted. */
        "tape 1 max_jobs=1\nopen\nadd\nclose\nhost\nopen\nadd\n",
        /* A server without memory is none, and one that is about to go takes no call. */
        "tape 1 fault=nth fault_at=1\n",
        "tape 1\nreenter from=release call=add_job\nfree\n",
        /* An error comes without a path; and what is asked of its job is answered one by one. */
        "tape 1\nadd\nnext\nadded status=access_denied path=null\nhost\n",
        ("tape 1\nadd\nconnect\nwrite\nnext\nfail status=access_denied\nnext count=1\nnext count=1\nnext count=1\n"
         "host\n"),
        /* A connect has its time from when it is asked. */
        "tape 1\nadvance to=+0\nadd\nnext\ncomplete\nnext\nadvance to=+9\nconnect\nhost\n",
        /* A client whose going is refused is not told of. */
        "tape 1\nopen\nclose\nclient_gone status=success\nhost\n",
        /* An empty message that was cancelled, and taken all the same. */
        "tape 1 pipe=message\nopen\nwrite length=0\nnext\ncancel write=newest\nnext\nwritten amount=0\nhost\n",
        /* Of a message that is being cancelled, a part is a broken pipe; and an empty one that was cancelled is no
         * message that was taken: the next one has waited since. */
        "tape 1 pipe=message\nopen\nwrite length=8\nnext\ncancel write=newest\nnext\nwritten amount=half\nhost\n",
        ("tape 1 pipe=message stall_timeout=10\nadvance to=+0\nopen\nwrite length=0\nwrite length=4\nnext\n"
         "cancel write=oldest\nnext\nadvance to=+9\nwritten status=cancelled amount=0\nhost\n"),
        /* A write that would fit into the pool, but for what it is rounded up to. */
        "tape 1 max_pool=1024\nopen\nwrite length=1000\nhost\n",
        /* One after the other there may be more jobs than at once. */
        "tape 1\n" ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS,
        /* As many jobs and packets as there may be, and a write more. */
        "tape 1 max_jobs=16 max_packets=128\n" FULL FULL FULL FULL FULL FULL FULL FULL FULL FULL FULL FULL FULL FULL
            FULL FULL "write how=lend\nhost\n",
        /* The last that a job had to say is withdrawn. */
        "tape 1\nopen\nabort status=cancelled\nnext\ncomplete\nprovider_gone\nhost\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        is_well(texts[i]);
}

/* How many operations a job with two writes takes: one more where each is a message. */
static uint64_t operations(const char *pipe, const char *mode)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "tape 1 pipe=%s\nadd\nconnect\nwrite\nwrite\nnext\ncomplete\nnext\nopened mode=%s\nhost\n", pipe,
                   mode);
    const npjt_result result = play_text(&GOOD, text, (npjt_options){0});
    cr_expect_eq(result.finding, -1, "%s in\n%s", sentence, text);
    return result.operations;
}

Test(driver, a_pipe_has_the_mode_that_is_told)
{
    cr_expect_eq(operations("byte", "default"), 5);
    cr_expect_eq(operations("message", "default"), 6);
    cr_expect_eq(operations("message", "byte"), 5);
    cr_expect_eq(operations("byte", "message"), 6);
}

/* ------------------------------------------------------------------------- from inside a callback, and with nothing */

/* The call that was made inside, and whether it would do something outside; the last call that was given nothing; and
 * how often the server was looked at from inside. */
static struct {
    const char *inside, *null;
    bool would_do;
    npj_op op; /* in flight */
    unsigned stats, check, digest, deadline;
} seen;

static bool is_inside(const void *srv)
{
    return npj_trim((void *)srv) == NPJ_STATUS_INVALID_DEVICE_STATE;
}

static bool is_live(const void *srv, npj_job job)
{
    npj_job_info info;
    return npj_job_query(srv, job, &info) == NPJ_STATUS_SUCCESS;
}

static bool next_keeping_op(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind <= NPJ_ABANDON_JOB)
        seen.op = out->op;
    seen.null = out ? seen.null : "next";
    return more;
}

static npj_status query_nothing(const void *srv, npj_job job, npj_job_info *out)
{
    seen.null = job == 0 ? "no query" : out ? seen.null : "query";
    return GOOD.query(srv, job, out);
}

/* A call that notes whether it would do something, if it is made inside, and what it is given nothing of, else. */
#define TRIED(call, does, nothing, parameters, arguments)                                                              \
    static npj_status tried_##call parameters                                                                          \
    {                                                                                                                  \
        if (is_inside(srv)) {                                                                                          \
            seen.inside = #call;                                                                                       \
            seen.would_do = (does);                                                                                    \
        } else if (nothing) {                                                                                          \
            seen.null = #call;                                                                                         \
        }                                                                                                              \
        return GOOD.call arguments;                                                                                    \
    }
TRIED(add_job, out != NULL, out == NULL,
      (void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out),
      (srv, client, provider, cookie, tag, out))
TRIED(connect, is_live(srv, job), job == 0, (void *srv, npj_job job, uint64_t tag), (srv, job, tag))
TRIED(write, is_live(srv, job) && bytes && length > 0 && out,
      is_live(srv, job) && (bytes == NULL || (out == NULL && length > 0)),
      (void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags, npj_req *out),
      (srv, job, tag, bytes, length, flags, out))
TRIED(close, is_live(srv, job), job == 0, (void *srv, npj_job job, uint64_t tag), (srv, job, tag))
TRIED(cancel, request != 0, request == 0, (void *srv, npj_req request), (srv, request))
TRIED(job_added, op == seen.op && status == NPJ_STATUS_SUCCESS && npj_path_parse(path, NPJ_PATH_STRICT, NULL) == 0,
      path == NULL && op == seen.op && status == NPJ_STATUS_SUCCESS,
      (void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id), (srv, op, status, path, job_id))
TRIED(opened, op == seen.op && status == NPJ_STATUS_SUCCESS, op == 0,
      (void *srv, npj_op op, npj_status status, npj_pipe_mode mode), (srv, op, status, mode))
TRIED(written, op == seen.op && status == NPJ_STATUS_SUCCESS && amount > 0, op == 0,
      (void *srv, npj_op op, npj_status status, uint64_t amount), (srv, op, status, amount))
TRIED(done, op == seen.op && status == NPJ_STATUS_SUCCESS, op == 0, (void *srv, npj_op op, npj_status status),
      (srv, op, status))
TRIED(abort, is_live(srv, job) && npj_status_is_error(reason), job == 0, (void *srv, npj_job job, npj_status reason),
      (srv, job, reason))
TRIED(client_gone, client == 1 && npj_status_is_error(reason), false, (void *srv, uint64_t client, npj_status reason),
      (srv, client, reason))
TRIED(provider_gone, provider == 1, false, (void *srv, uint64_t provider), (srv, provider))
TRIED(shutdown, how == NPJ_ABORT, false, (void *srv, npj_shutdown_how how), (srv, how))
TRIED(advance, now >= 1000, false, (void *srv, uint64_t now), (srv, now))
TRIED(trim, true, false, (void *srv), (srv))

static npjt_subject noting(void)
{
    return (npjt_subject){
        .name = "npjob that notes",
        .engine_blocks = GOOD.engine_blocks,
        .idle_job_blocks = GOOD.idle_job_blocks,
        .packet_blocks = GOOD.packet_blocks,
        .srv_new = GOOD.srv_new,
        .srv_free = GOOD.srv_free,
        .add_job = tried_add_job,
        .connect = tried_connect,
        .write = tried_write,
        .close = tried_close,
        .cancel = tried_cancel,
        .job_added = tried_job_added,
        .opened = tried_opened,
        .written = tried_written,
        .done = tried_done,
        .abort = tried_abort,
        .client_gone = tried_client_gone,
        .provider_gone = tried_provider_gone,
        .shutdown = tried_shutdown,
        .advance = tried_advance,
        .deadline = GOOD.deadline,
        .next = next_keeping_op,
        .query = query_nothing,
        .trim = tried_trim,
    };
}

/* Each call, from the allocation of a write, with a job that has a WRITE in flight. */
Test(driver, what_is_tried_inside_would_do_something_outside)
{
    const npjt_subject subject = noting();
    unsigned tried = 0;
    for (uint32_t i = 0; i < npjt_operand_count(NPJT_CALL); i++) {
        const char *call = npjt_operand_word(NPJT_CALL, i);
        char text[256];
        if (strcmp(call, "next") == 0 || strcmp(call, "free") == 0 || strcmp(call, "query") == 0)
            continue;
        (void)snprintf(text, sizeof text, "tape 1\nopen\nwrite\nnext\nreenter from=alloc call=%s\nwrite\nhost\n", call);
        seen.inside = "nothing";
        cr_expect_eq(play_text(&subject, text, (npjt_options){0}).finding, -1, "%s: %s", call, sentence);
        cr_expect_str_eq(seen.inside, call);
        cr_expect(seen.would_do, "%s", call);
        tried++;
    }
    cr_expect_eq(tried, 15);
}

Test(driver, what_is_tried_with_nothing_is_given_nothing)
{
    const npjt_subject subject = noting();
    for (uint32_t i = 0; i < npjt_operand_count(NPJT_CALL); i++) {
        const char *call = npjt_operand_word(NPJT_CALL, i);
        bool takes_none = strcmp(call, "client_gone") == 0 || strcmp(call, "provider_gone") == 0 ||
                          strcmp(call, "shutdown") == 0 || strcmp(call, "advance") == 0 || strcmp(call, "free") == 0 ||
                          strcmp(call, "trim") == 0;
        char text[256];
        (void)snprintf(text, sizeof text, "tape 1\nadd\nnext\nnulls call=%s\n", call);
        seen.null = "nothing";
        cr_expect_eq(play_text(&subject, text, (npjt_options){0}).finding, -1, "%s: %s", call, sentence);
        cr_expect_str_eq(seen.null, takes_none ? "no query" : call);
    }
}

/* ------------------------------------------------------------------------------------------------------- memory */

/* Bit n is set if the n-th of five writes had no memory. */
static void note_failure(void *user, uint32_t number, const npjt_record *record, npj_status status)
{
    (void)record;
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        *(unsigned *)user |= 1U << (number - 3);
}

Test(driver, an_oom_fails_what_it_says)
{
    static const unsigned failing[] = {0x01, 0x02, 0x04, 0x1F, 0x1E, 0x0A, 0x00};
    cr_assert_eq(sizeof failing / sizeof *failing, npjt_operand_count(NPJT_FAILURE));
    for (uint32_t i = 0; i < npjt_operand_count(NPJT_FAILURE); i++) {
        unsigned failed = 0;
        char text[256];
        (void)snprintf(text, sizeof text, "tape 1\nopen\noom fail=%s\nwrite\nwrite\nwrite\nwrite\nwrite\n",
                       npjt_operand_word(NPJT_FAILURE, i));
        cr_expect_eq(play_text(&GOOD, text, (npjt_options){.event = note_failure, .user = &failed}).finding, -1);
        cr_expect_eq(failed, failing[i], "%s", text);
    }
}

/* An open whose add is refused is no more than that. */
Test(driver, an_open_is_an_add_if_it_is_refused)
{
    const npjt_result open = play_text(&GOOD, "tape 1 max_jobs=1\nopen\nopen\n", (npjt_options){0});
    const npjt_result add = play_text(&GOOD, "tape 1 max_jobs=1\nopen\nadd\n", (npjt_options){0});
    cr_expect_eq(open.calls, add.calls);
    cr_expect_eq(open.digest, add.digest);
}

static int more_packets;

static void stats_of_packets(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    if (out->packets.live > 0)
        out->packets.live = (uint64_t)((int64_t)out->packets.live + more_packets);
}

/* A packet is released if neither the server nor the driver has it when the engine is freed. */
static uint64_t released(int more, const char *text)
{
    npjt_subject subject = GOOD;
    subject.stats = stats_of_packets;
    more_packets = more;
    const npjt_result result = play_text(&subject, text, (npjt_options){.laws_off = UINT32_C(1) << NPJT_LAW_PACKETS});
    cr_expect_eq(result.finding, -1, "%s", sentence);
    return result.packets_released;
}

Test(driver, released_packets_are_counted_with_care)
{
    cr_expect_eq(released(0, "tape 1\nopen\nwrites count=3\nhost\nwrite\nfree\n"), 3);
    cr_expect_eq(released(1, "tape 1\nopen\nwrites count=3\nhost\nwrite\nfree\n"), 2);
    cr_expect_eq(released(-1, "tape 1\nopen\nwrite\nwrite\nfree\n"), 0);
}

/* ------------------------------------------------------------------------------------- what only looks is done, too */

static void stats_inside(const void *srv, npj_stats *out)
{
    seen.stats += is_inside(srv);
    GOOD.stats(srv, out);
}

static const char *check_inside(const void *srv)
{
    seen.check += is_inside(srv);
    return GOOD.check(srv);
}

static uint64_t digest_inside(const void *srv)
{
    seen.digest += is_inside(srv);
    return GOOD.digest(srv);
}

static uint64_t deadline_inside(const void *srv)
{
    seen.deadline += is_inside(srv);
    return GOOD.deadline(srv);
}

Test(driver, a_server_is_looked_at_from_inside)
{
    npjt_subject subject = GOOD;
    subject.stats = stats_inside;
    subject.check = check_inside;
    subject.digest = digest_inside;
    subject.deadline = deadline_inside;
    cr_expect_eq(play_text(&subject, "tape 1\nopen\nreenter from=alloc call=query\nwrite\n", (npjt_options){0}).finding,
                 -1, "%s", sentence);
    cr_expect_eq(seen.stats, 1);
    cr_expect_eq(seen.check, 1);
    cr_expect_eq(seen.digest, 1);
    cr_expect_eq(seen.deadline, 1);
}
