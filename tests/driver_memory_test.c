/* SPDX-License-Identifier: MIT */
/* What is live: how the driver tells a leak from what a server takes late, or keeps. */
#include "tape_support.h"

/* The law that is found broken; -1 if none. */
static int play(const npjt_subject *subject, const char *text)
{
    return play_text(subject, text, (npjt_options){0}).finding;
}

/* A table of jobs that doubles, and shrinks only when the server is freed. */
static struct {
    npj_mem mem;
    void *table;
    size_t room;
    unsigned jobs;
} growing;

static npj_status new_growing(const npj_config *config, void **out)
{
    memset(&growing, 0, sizeof growing);
    growing.mem = config->mem;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status add_job_growing(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                  npj_job *out)
{
    npj_status status = npjt_subject_npjob.add_job(srv, client, provider, cookie, tag, out);
    growing.jobs += status == NPJ_STATUS_PENDING;
    if (growing.jobs * sizeof(void *) > growing.room) {
        size_t room = growing.room > 0 ? 2 * growing.room : sizeof(void *);
        void *table = growing.mem.alloc(growing.mem.user, room);
        if (growing.table)
            growing.mem.release(growing.mem.user, growing.table, growing.room);
        growing.table = table;
        growing.room = room;
    }
    return status;
}

static void free_growing(void **srv)
{
    growing.mem.release(growing.mem.user, growing.table, growing.room);
    npjt_subject_npjob.srv_free(srv);
}

Test(driver, a_table_may_grow_with_the_jobs)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.srv_new = new_growing;
    subject.add_job = add_job_growing;
    subject.srv_free = free_growing;
    subject.stats = NULL;
    subject.engine_blocks = 0;
    cr_expect_eq(play(&subject, "tape 1\nopen\nopen\nhost\nopen\nclose\nhost\n"), -1, "%s", sentence);
}

/* Blocks that stand beside npjob's own: after each write so many bytes in one and in another, to the end of the job. */
enum { PLANNED = 4 };

static struct {
    npj_mem mem;
    npj_job job;
    const uint16_t (*plan)[2];
    unsigned writes;
    void *block[2];
    size_t bytes[2];
} beside;

static void stand_beside(size_t one, size_t other)
{
    const size_t wanted[] = {one, other};
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i] == beside.bytes[i])
            continue;
        void *block = wanted[i] > 0 ? beside.mem.alloc(beside.mem.user, wanted[i]) : NULL;
        if (beside.block[i])
            beside.mem.release(beside.mem.user, beside.block[i], beside.bytes[i]);
        beside.block[i] = block;
        beside.bytes[i] = wanted[i];
    }
}

static npj_status new_beside(const npj_config *config, void **out)
{
    beside.mem = config->mem;
    beside.writes = 0;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status new_beside_boundless(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_pool_bytes = UINT64_C(1) << 40;
    return new_beside(&changed, out);
}

static npj_status write_beside(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                               npj_req *out)
{
    npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING) {
        const uint16_t *planned = beside.plan[beside.writes < PLANNED ? beside.writes : PLANNED - 1];
        stand_beside(planned[0], planned[1]);
        beside.writes++;
        beside.job = job;
    }
    return status;
}

static bool next_beside(void *srv, npj_action *out)
{
    npj_job_info info;
    bool more = npjt_subject_npjob.next(srv, out);
    if (npjt_subject_npjob.query(srv, beside.job, &info) == NPJ_STATUS_INVALID_HANDLE)
        stand_beside(0, 0);
    return more;
}

#define QUIET_EACH_TIME                                                                                                \
    "tape 1 max_pool=1024\nopen\nhost\nwrite length=16\nhost\nwrite length=16\nhost\nwrite length=16\nhost\nwrite "    \
    "length=16\nhost\nclose\nhost\nopen\nhost\nwrite length=16\nhost\nclose\nhost\n"
/* The second write comes while there are more jobs than ever. */
#define WITH_ANOTHER                                                                                                   \
    "tape 1\nopen\nwrite length=16\nhost\nopen\nhost\nwrite job=oldest length=16\nhost\nclose "                        \
    "job=newest\nhost\nwrite "                                                                                         \
    "length=16\nhost\nwrite length=16\nhost\n"
/* Of a job with no packet nothing is known before it has written. */
#define QUIET_LATE  "tape 1\nadd\nconnect\nwrite length=16\nhost\nwrite length=16\nhost\n"
#define NEVER_QUIET "tape 1 max_pool=1024 max_job_packets=16\nopen\nhost\nwrites length=64 count=16\nhost\n"

Test(driver, what_stands_beside_is_no_leak_where_it_is_explained)
{
    static const struct {
        const char *says; /* NULL: nothing is found */
        const char *tape;
        uint16_t plan[PLANNED][2];
        uint32_t engine_blocks, idle_job_blocks;
        bool boundless;
    } cases[] = {
        /* A job may take a block late, if it says so; and may not let it grow. */
        {NULL, QUIET_EACH_TIME, {{64}, {64}, {64}, {64}}, 1, 2, false},
        {"memory has grown: with 1 jobs", QUIET_EACH_TIME, {{64}, {128}, {128}, {128}}, 1, 2, false},
        {"4 blocks are live where 1 jobs and 1 packets explain 3",
         QUIET_EACH_TIME,
         {{64}, {64}, {64}, {64}},
         1,
         1,
         false},
        /* Two small ones for a large one: as large as that was the two may become. */
        {NULL, QUIET_EACH_TIME, {{100}, {16, 16}, {50, 50}, {50, 50}}, 1, 3, false},
        {"memory has grown: with 1 jobs", QUIET_EACH_TIME, {{100}, {16, 16}, {50, 50}, {50, 51}}, 1, 3, false},
        /* Where no blocks are known, more of them are a leak, however small. */
        {"memory has grown: with 1 jobs", QUIET_EACH_TIME, {{0}, {64}, {64}, {64}}, 0, 0, false},
        {NULL, QUIET_LATE, {{64}, {64}, {64}, {64}}, 0, 0, false},
        {"memory has grown: with 1 jobs", QUIET_LATE, {{64}, {32, 32}, {32, 32}, {32, 32}}, 0, 0, false},
        /* What was given back when there were more jobs than ever may not come again. */
        {NULL, WITH_ANOTHER, {{512}, {16}, {16}, {16}}, 1, 2, false},
        {"memory has grown: with 1 jobs", WITH_ANOTHER, {{512}, {16}, {64}, {64}}, 1, 2, false},
        /* The cap holds, whatever is known of blocks, and before anything is quiet. */
        {"more than max_pool_bytes", NEVER_QUIET, {{0}}, 0, 0, true},
        {"more than max_pool_bytes", NEVER_QUIET, {{0}}, 1, 1, true},
        {"more than max_pool_bytes", NEVER_QUIET, {{0}}, 1, 2, true},
        {"packets take 2160 bytes of memory, more than max_pool_bytes",
         NEVER_QUIET,
         {{2048}, {2048}, {2048}, {2048}},
         1,
         1,
         false},
        {NULL, NEVER_QUIET, {{2048}, {2048}, {2048}, {2048}}, 1, 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        npjt_subject subject = npjt_subject_npjob;
        subject.srv_new = cases[i].boundless ? new_beside_boundless : new_beside;
        subject.write = write_beside;
        subject.next = next_beside;
        subject.stats = NULL;
        subject.engine_blocks = cases[i].engine_blocks;
        subject.idle_job_blocks = cases[i].idle_job_blocks;
        subject.packet_blocks = cases[i].engine_blocks > 0 ? 1 : 0;
        memset(&beside, 0, sizeof beside);
        beside.plan = cases[i].plan;
        int law = play(&subject, cases[i].tape);
        cr_expect_eq(law >= 0, cases[i].says != NULL, "case %zu: %s", i, sentence);
        cr_expect(!cases[i].says || strstr(sentence, cases[i].says), "case %zu: %s", i, sentence);
    }
}

/* Jobs in a table of the engine's, or packets in one, take no block: to say so is to say something. */
Test(driver, a_job_or_a_packet_may_take_no_block)
{
    static const char tape[] = "tape 1\nopen\nwrite length=16\nhost\n";
    npjt_subject subject = npjt_subject_npjob;
    subject.idle_job_blocks = 0;
    cr_expect_eq(play(&subject, tape), NPJT_LAW_PACKETS, "%s", sentence);
    cr_expect_str_eq(sentence, "2 blocks are live where 1 jobs and 0 packets explain 1");
    subject.idle_job_blocks = 1;
    subject.packet_blocks = 0;
    cr_expect_eq(play(&subject, tape), NPJT_LAW_PACKETS, "%s", sentence);
    cr_expect_str_eq(sentence, "3 blocks are live where 1 jobs and 1 packets explain 2");
}

/* Who does not say what a job takes has no sum of what is live. */
static void stats_without_jobs(const void *srv, npj_stats *out)
{
    npjt_subject_npjob.stats(srv, out);
    out->job_bytes = 0;
}

/* A cap is reached, to the last byte: by what is live, and by what is kept. */
Test(driver, what_is_allowed_may_be_taken)
{
    static const char *const tapes[] = {
        /* 16 headers of 48 bytes, and four payloads. */
        ("tape 1 max_pool=1024 max_job_packets=16\nopen\nhost\nwrites length=1 count=4\n"
         "write how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\n"
         "write how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\nwrite how=lend\nhost\n"),
        /* Four headers, and a payload. */
        ("tape 1 reuse=little\nopen\nwrite length=1\nwrite how=lend\nwrite how=lend\nwrite how=lend\nhost\n"),
        "tape 1 max_pool=1024\nadd\nconnect\nwrite length=512\nhost\n", /* before anything was quiet */
        "tape 1\nopen\nwrite length=16\nhost\nclose\nhost\n",
    };
    npjt_subject subject = npjt_subject_npjob;
    for (size_t i = 0; i < sizeof tapes / sizeof *tapes; i++) {
        subject.stats = npjt_subject_npjob.stats;
        cr_expect_eq(play(&subject, tapes[i]), -1, "%s", sentence);
        subject.stats = stats_without_jobs;
        cr_expect_eq(play(&subject, tapes[i]), -1, "%s", sentence);
    }
}
