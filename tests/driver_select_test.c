/* SPDX-License-Identifier: MIT */
/* What operands choose: handles, amounts and times, as docs/tape.md says of each word. */
#include <stdlib.h>

#include "tape_support.h"

#define GOOD npjt_subject_npjob

enum { KEPT = 16 };

/* All handles that were given out, and what a call was given that comes next after trim. */
static struct {
    uint64_t job[KEPT], write[KEPT], op[KEPT];
    unsigned jobs, writes, ops;
    bool armed;
    uint64_t given, amount;
} seen;

static void note(uint64_t given, uint64_t amount)
{
    if (!seen.armed)
        return;
    seen.armed = false;
    seen.given = given;
    seen.amount = amount;
}

static npj_status trim_arms(void *srv)
{
    seen.armed = true;
    return GOOD.trim(srv);
}

static npj_status add_kept(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING)
        seen.job[seen.jobs++] = *out;
    return status;
}

static npj_status write_kept(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                             npj_req *out)
{
    note(job, length);
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING)
        seen.write[seen.writes++] = *out;
    return status;
}

/** Of the operations only the WRITEs. */
static bool next_kept(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        seen.op[seen.ops++] = out->op;
    return more;
}

static npj_status connect_noted(void *srv, npj_job job, uint64_t tag)
{
    note(job, 0);
    return GOOD.connect(srv, job, tag);
}

static npj_status cancel_noted(void *srv, npj_req request)
{
    note(request, 0);
    return GOOD.cancel(srv, request);
}

static npj_status written_noted(void *srv, npj_op op, npj_status status, uint64_t amount)
{
    note(op, amount);
    return GOOD.written(srv, op, status, amount);
}

static npj_status advance_noted(void *srv, uint64_t now)
{
    note(0, now);
    return GOOD.advance(srv, now);
}

/** Plays a tape whose last event has this word, which is where the text says %s. */
static void play_word(const char *format, const char *word)
{
    npjt_subject subject = GOOD;
    char text[512];
    subject.trim = trim_arms;
    subject.add_job = add_kept;
    subject.write = write_kept;
    subject.next = next_kept;
    subject.connect = connect_noted;
    subject.cancel = cancel_noted;
    subject.written = written_noted;
    subject.advance = advance_noted;
    memset(&seen, 0, sizeof seen);
    (void)snprintf(text, sizeof text, format, word);
    cr_expect_eq(play_text(&subject, text, (npjt_options){0}).finding, -1, "%s: %s", word, sentence);
}

#define SLOT       UINT64_C(4)
#define GENERATION (UINT64_C(1) << 56)

/* Two jobs have ended, and the newest of three has a WRITE in flight. */
#define JOBS_TAPE "tape 1\nopen\nclose\nhost\nopen\nclose\nhost\nopen\nopen\nopen\nwrite\nnext\ntrim\nconnect job=%s\n"
/* Two writes have been answered, two are in flight, and one waits. */
#define WRITES_TAPE                                                                                                    \
    "tape 1 max_batch=2\nopen\nwrites count=2\nhost\nwrites count=2\nnext\nwrite\ntrim\ncancel write=%s\n"
/* A job has ended, and nothing of it was told. */
#define ENDED_TAPE                                                                                                     \
    "tape 1\nadd\nconnect\nwrites count=2\nnext count=1\nadded path=file\ntrim\ncancel job=ended write=%s\n"
/* Two WRITEs have ended, and after them other operations; two are in flight. */
#define OPS_TAPE                                                                                                       \
    "tape 1\nopen\nopen\nwrite job=oldest\nhost\nwrite job=oldest\nhost\nopen\nwrite job=oldest\nnext\n"               \
    "write job=newest\nnext\ntrim\nwritten op=%s amount=0 status=pipe_broken\n"

Test(driver, handles_are_what_their_words_say)
{
    static const struct {
        const char *tape, *word;
        const uint64_t *of; /* NULL: the handle is null */
        unsigned index;
        uint64_t bits; /* that are changed */
    } cases[] = {
        {JOBS_TAPE, "newest", seen.job, 4, 0},
        {JOBS_TAPE, "newest-1", seen.job, 3, 0},
        {JOBS_TAPE, "newest-4", seen.job, 3, 0},
        {JOBS_TAPE, "oldest", seen.job, 2, 0},
        {JOBS_TAPE, "oldest+1", seen.job, 3, 0},
        {JOBS_TAPE, "oldest+3", seen.job, 2, 0},
        {JOBS_TAPE, "ended", seen.job, 1, 0},
        {JOBS_TAPE, "ended-1", seen.job, 0, 0},
        {JOBS_TAPE, "ended-2", seen.job, 1, 0},
        {JOBS_TAPE, "forged-slot", seen.job, 4, SLOT},
        {JOBS_TAPE, "forged-generation", seen.job, 4, GENERATION},
        {JOBS_TAPE, "operation", seen.op, 0, 0},
        {JOBS_TAPE, "write", seen.write, 0, 0},
        {JOBS_TAPE, "null", NULL, 0, 0},
        {WRITES_TAPE, "newest", seen.write, 4, 0},
        {WRITES_TAPE, "newest-1", seen.write, 3, 0},
        {WRITES_TAPE, "newest-3", seen.write, 4, 0},
        {WRITES_TAPE, "oldest", seen.write, 2, 0},
        {WRITES_TAPE, "oldest+2", seen.write, 4, 0},
        {WRITES_TAPE, "answered", seen.write, 1, 0},
        {WRITES_TAPE, "answered-1", seen.write, 0, 0},
        {WRITES_TAPE, "forged-slot", seen.write, 4, SLOT},
        {WRITES_TAPE, "forged-generation", seen.write, 4, GENERATION},
        {WRITES_TAPE, "operation", seen.op, 1, 0},
        {WRITES_TAPE, "job", seen.job, 0, 0},
        {WRITES_TAPE, "null", NULL, 0, 0},
        {ENDED_TAPE, "oldest", seen.write, 0, 0},
        {ENDED_TAPE, "newest", seen.write, 1, 0},
        {OPS_TAPE, "newest", seen.op, 3, 0},
        {OPS_TAPE, "newest-1", seen.op, 2, 0},
        {OPS_TAPE, "oldest", seen.op, 2, 0},
        {OPS_TAPE, "oldest+1", seen.op, 3, 0},
        {OPS_TAPE, "ended", seen.op, 1, 0},
        {OPS_TAPE, "ended-1", seen.op, 0, 0},
        {OPS_TAPE, "forged-slot", seen.op, 3, SLOT},
        {OPS_TAPE, "forged-generation", seen.op, 3, GENERATION},
        {OPS_TAPE, "job", seen.job, 2, 0},
        {OPS_TAPE, "write", seen.write, 3, 0},
        {OPS_TAPE, "null", NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        play_word(cases[i].tape, cases[i].word);
        uint64_t right = cases[i].of ? cases[i].of[cases[i].index] ^ cases[i].bits : 0;
        cr_expect_eq(seen.given, right, "%s in\n%s", cases[i].word, cases[i].tape);
    }
}

/* A word, and the number that it is to come to. */
struct number {
    const char *tape, *word;
    uint64_t right;
};

static void expect_numbers(const struct number *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        play_word(cases[i].tape, cases[i].word);
        cr_expect_eq(seen.amount, cases[i].right, "%s is %llu in\n%s", cases[i].word, (unsigned long long)seen.amount,
                     cases[i].tape);
    }
}

/* A WRITE of two writes, of 8 and of 3 bytes; one of a single byte, and an empty message. */
#define AMOUNTS_TAPE "tape 1\nopen\nwrite length=8\nwrite length=3\nnext\ntrim\nwritten amount=%s\n"
#define SMALL_TAPE   "tape 1\nopen\nwrite length=1\nnext\ntrim\nwritten amount=%s\n"
#define EMPTY_TAPE   "tape 1 pipe=message\nopen\nwrite length=0\nnext\ntrim\nwritten amount=%s\n"
/* The clock stands at 20, and the next deadline is at 110. */
#define TIMES_TAPE "tape 1 stall_timeout=100\nadvance to=+10\nopen\nwrite\nnext\nadvance to=+10\ntrim\nadvance to=%s\n"

Test(driver, amounts_and_times_are_what_their_words_say)
{
    static const struct number cases[] = {
        {AMOUNTS_TAPE, "all", 11},
        {AMOUNTS_TAPE, "0", 0},
        {AMOUNTS_TAPE, "1", 1},
        {AMOUNTS_TAPE, "half", 5},
        {AMOUNTS_TAPE, "all-1", 10},
        {AMOUNTS_TAPE, "all+1", 12},
        {AMOUNTS_TAPE, "first", 8},
        {AMOUNTS_TAPE, "first-1", 7},
        {AMOUNTS_TAPE, "first+1", 9},
        {AMOUNTS_TAPE, "first-half", 4},
        {SMALL_TAPE, "first+1", 1},
        {SMALL_TAPE, "all-1", 0},
        {SMALL_TAPE, "first-1", 0},
        {EMPTY_TAPE, "all-1", 0},
        {EMPTY_TAPE, "first-1", 0},
        {TIMES_TAPE, "+1", 21},
        {TIMES_TAPE, "+0", 20},
        {TIMES_TAPE, "-1", 19},
        {TIMES_TAPE, "+1000", 1020},
        {TIMES_TAPE, "deadline", 110},
        {TIMES_TAPE, "deadline-1", 109},
        {TIMES_TAPE, "deadline+1", 111},
        {"tape 1\ntrim\nadvance to=%s\n", "-1", 0},
    };
    expect_numbers(cases, sizeof cases / sizeof *cases);
}

/* A write has 64 bytes at the most, and the job has room for 56, or for 120. */
#define NARROW_TAPE "tape 1 max_write=64 max_job_bytes=1-write\nopen\nwrite length=8\ntrim\nwrite length=%s\n"
#define WIDE_TAPE   "tape 1 max_write=64 max_job_bytes=2-writes\nopen\nwrite length=8\ntrim\nwrite length=%s\n"

Test(driver, lengths_are_what_their_words_say)
{
    static const struct number cases[] = {
        {NARROW_TAPE, "max", 64},           {NARROW_TAPE, "max-1", 63},
        {NARROW_TAPE, "max+1", 65},         {NARROW_TAPE, "half", 32},
        {NARROW_TAPE, "huge", 4294967295U}, {NARROW_TAPE, "fit", 56},
        {NARROW_TAPE, "fit+1", 57},         {WIDE_TAPE, "fit", 64},
        {WIDE_TAPE, "fit+1", 64},
    };
    expect_numbers(cases, sizeof cases / sizeof *cases);
    const char *word;
    for (uint32_t i = 0; (word = npjt_operand_word(NPJT_LENGTH, i)) != NULL; i++) {
        char *end;
        uint64_t right = strtoul(word, &end, 10);
        if (*end != '\0')
            continue;
        play_word("tape 1 max_write=65536\nopen\ntrim\nwrite length=%s\n", word);
        cr_expect_eq(seen.amount, right, "%s is %llu", word, (unsigned long long)seen.amount);
    }
}
