/* SPDX-License-Identifier: MIT */
/* What the laws leave to a server, and what it need not say: none of it is a finding. */
#include "driver_faults.h"
#include "tape_support.h"

/* Plays it against a server, and against npjob. */
static void is_well(const npjt_subject *subject, const char *text)
{
    cr_expect_eq(play_text(&npjt_subject_npjob, text, (npjt_options){0}).finding, -1, "npjob itself: %s", sentence);
    cr_expect_eq(play_text(subject, text, (npjt_options){0}).finding, -1, "%s", sentence);
}

/* Who does not say what an engine takes has no blocks that could be explained. */
Test(driver, blocks_that_nobody_knows_need_no_explanation)
{
    static const char text[] = "tape 1\nopen\nopen\nwrites length=16 count=4\nnext\nhost\n";
    npjt_subject subject = npjt_subject_npjob;
    subject.engine_blocks = 0;
    is_well(&subject, text);
}

/* A job's deadline and that of a drain have both passed, and the one is told for the other, everywhere. */
static npj_status the_other(npj_status status)
{
    return status == NPJ_STATUS_IO_TIMEOUT                    ? NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS
           : status == NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS ? NPJ_STATUS_IO_TIMEOUT
                                                              : status;
}

static bool next_has_the_other(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out)
        out->status = the_other(out->status);
    return more;
}

static npj_status query_has_the_other(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = npjt_subject_npjob.query(srv, job, out);
    if (status == NPJ_STATUS_SUCCESS && out)
        out->failure = the_other(out->failure);
    return status;
}

Test(driver, of_two_deadlines_either_may_be_the_reason)
{
    static const char *const texts[] = {
        /* Of two writes, and of a close as well. */
        "tape 1 stall_timeout=10 drain_timeout=10\nadvance to=+0\nopen\nwrite length=16\nwrite length=16\nnext\n"
        "shutdown how=drain\nadvance to=+10\nhost\n",
        "tape 1 drain_timeout=10\nadvance to=+0\nopen\nwrite length=16\nclose\nnext\nshutdown how=drain\nadvance "
        "to=+10\nhost\n",
        /* Of an add, and of what is behind it. */
        "tape 1 add_timeout=10 drain_timeout=10\nadvance to=+0\nadd\nconnect\nwrite\nnext\nshutdown how=drain\n"
        "advance to=+10\nhost\n",
        /* Of a connect, but not of the add that was answered before. */
        "tape 1 connect_timeout=10 drain_timeout=10\nadvance to=+0\nadd\nconnect\nnext\ncomplete\nshutdown "
        "how=drain\nadvance to=+10\nhost\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        npjt_subject subject = npjt_subject_npjob;
        subject.next = next_has_the_other;
        subject.query = query_has_the_other;
        is_well(&subject, texts[i]);
        subject.query = NULL;
        is_well(&subject, texts[i]);
    }
}

/* A write was cancelled, and the pipe fails before the cancel has come through: either is true of it. */
static npj_status found_in_reply, told_instead;

static bool next_tells_instead(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE) {
        found_in_reply = out->status;
        out->status = told_instead;
    }
    return more;
}

Test(driver, a_cancelled_write_of_a_pipe_that_fails_has_either_reason)
{
    static const char text[] =
        "tape 1\nopen\nwrite length=16\nnext\ncancel write=newest\nnext\nfail status=pipe_broken\nhost\n";
    static const npj_status either[] = {NPJ_STATUS_CANCELLED, NPJ_STATUS_PIPE_BROKEN};
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_tells_instead;
    for (size_t i = 0; i < sizeof either / sizeof *either; i++) {
        told_instead = either[i];
        is_well(&subject, text);
        cr_expect(found_in_reply == either[0] || found_in_reply == either[1]);
    }
    told_instead = NPJ_STATUS_SUCCESS;
    cr_expect_eq(play_text(&subject, text, (npjt_options){0}).finding, NPJT_LAW_COUNTS);
}

/* What a shutdown ends has expired, though its own deadline has not passed. */
Test(driver, a_shutdown_is_no_deadline_that_came_too_early)
{
    is_well(&npjt_subject_npjob, "tape 1\nopen\nopen\nwrite job=newest\nwrite job=oldest\nnext\n"
                                 "shutdown how=abort\nadvance to=+1\nhost\n");
}

/* A server may begin to trace late: what it has not told until then, it need not tell. */
static npj_config untold;
static bool telling;

static void tell_from_write(void *user, const npj_trace *trace)
{
    telling |= trace->event == NPJ_EVENT_WRITE;
    if (telling)
        untold.trace(user, trace);
}

static npj_status new_telling_late(const npj_config *config, void **out)
{
    npj_config changed = untold = *config;
    changed.trace = tell_from_write;
    telling = false;
    return npjt_subject_npjob.srv_new(&changed, out);
}

Test(driver, a_trace_may_begin_late)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = new_telling_late;
    is_well(&subject, "tape 1\nopen client=1\nopen client=2\nclose job=newest\nclient_gone client=2 "
                      "status=cancelled\nwrite job=oldest\nadd\nhost\n");
}

/* It may tell of Event 2019 alone; and the host sees the lines that it tells, no others. */
static unsigned told, seen;

static void tell_of_cap(void *user, const npj_trace *trace)
{
    if (trace->kind != NPJ_TRACE_NO_POOL)
        return;
    told++;
    untold.trace(user, trace);
}

static npj_status new_telling_of_cap(const npj_config *config, void **out)
{
    npj_config changed = untold = *config;
    changed.trace = tell_of_cap;
    return npjt_subject_npjob.srv_new(&changed, out);
}

static void see(void *user, const npj_trace *trace)
{
    (void)user;
    seen += trace->kind == NPJ_TRACE_NO_POOL;
}

static void see_taken(void *user, const npj_action *action)
{
    *(uint64_t *)user += action->kind <= NPJ_IDLE;
}

Test(driver, a_trace_may_have_nothing_but_the_cap)
{
    static const char text[] = "tape 1 max_packets=1\nopen\nwrite\nwrite\nhost\nwrite\nwrite\nhost\n";
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = new_telling_of_cap;
    uint64_t taken = 0;
    const npjt_result result =
        play_text(&subject, text, (npjt_options){.trace = see, .action = see_taken, .user = &taken});
    cr_expect_eq(result.finding, -1, "%s", sentence);
    cr_expect_eq(taken, result.actions);
    cr_expect_eq(told, 2);
    cr_expect_eq(seen, 2);
}

/* The iovecs of a WRITE are valid until next is asked again, though there be nowhere to put what it has. */
static npj_iov own;

static bool next_with_own_iovec(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    own = (npj_iov){0};
    if (more && out && out->kind == NPJ_WRITE) {
        own = out->iov[0];
        out->iov = &own;
    }
    return more;
}

Test(driver, iovecs_end_with_the_next_call_of_next)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_with_own_iovec;
    is_well(&subject, "tape 1\nopen\nwrite\nnext count=1\nnulls call=next\nhost\n");
}

/* Which bytes of which writes share an iovec is a server's own affair. */
static size_t first_length; /* 0: all in one iovec */
static npj_iov parts[2];
static uint8_t gathered[64], second[64];

static bool next_in_other_parts(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (!more || !out || out->kind != NPJ_WRITE)
        return more;
    size_t length = 0;
    for (uint32_t i = 0; i < out->iov_count; length += out->iov[i++].length)
        memcpy(gathered + length, out->iov[i].base, out->iov[i].length);
    size_t first = first_length > 0 && first_length < length ? first_length : length;
    parts[0] = (npj_iov){gathered, first};
    memcpy(second, gathered + first, length - first);
    memset(gathered + first, 0, length - first);
    parts[1] = (npj_iov){second, length - first};
    out->iov = parts;
    out->iov_count = length > first ? 2 : 1;
    return true;
}

Test(driver, iovecs_need_not_be_writes)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_in_other_parts;
    for (first_length = 0; first_length < 12; first_length++) {
        is_well(&subject, "tape 1 max_batch=8\nopen\nwrite length=3\nwrite length=4\nwrite length=2\nhost\n");
        is_well(&subject,
                "tape 1 max_batch=8\nopen\nwrite length=3\nwrite length=8\nnext\nwritten amount=half\nhost\n");
    }
}

/* Where law 3 is off a handle may be used again at once: it is the newest job's. */
static npj_job newest;

static npj_status add_as_7(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out)
{
    npj_status status = npjt_subject_npjob.add_job(srv, client, provider, cookie, tag, &newest);
    *out = 7;
    return status;
}

static npj_status connect_7(void *srv, npj_job job, uint64_t tag)
{
    return npjt_subject_npjob.connect(srv, job == 7 ? newest : job, tag);
}

static npj_status close_7(void *srv, npj_job job, uint64_t tag)
{
    return npjt_subject_npjob.close(srv, job == 7 ? newest : job, tag);
}

static bool next_of_7(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out && out->job != 0)
        out->job = 7;
    return more;
}

Test(driver, handles_may_be_used_again_where_that_law_is_off)
{
    static const char text[] = "tape 1\nopen\nclose\nnext\ncomplete\nnext\ncomplete\nadd\nconnect\nhost\nclose\nhost\n";
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = driver_fault_untraced;
    subject.add_job = add_as_7;
    subject.connect = connect_7;
    subject.close = close_7;
    subject.next = next_of_7;
    subject.query = NULL;
    subject.digest = NULL;
    const npjt_options options = {.laws_off = UINT32_C(1) << NPJT_LAW_OPERATIONS};
    cr_expect_eq(play_text(&subject, text, options).finding, -1, "%s", sentence);
}
