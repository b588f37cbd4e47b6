/* SPDX-License-Identifier: MIT */
/*
 * What the files of the twins share.
 *
 *     twin_shrink.c   a smaller script with the same finding
 *     twin.c          the relations: what each side is told to do, both runs, the finding
 *     twin_compare.c  what was seen, held against what was seen on the other side
 *     twin_play.c     the steps of a script, as calls
 *     twin_extra.c    the calls that RETRY and QUERY put in
 *     twin_host.c     the host: actions, operations, pipes, lent bytes
 *     twin_report.c   what is wrong, in a sentence, and the script that shows it
 *     twin_script.c   bytes -> steps -> text, and another order of them
 *
 * A file calls those below it only.
 */
#ifndef NPJOB_TWIN_STATE_H
#define NPJOB_TWIN_STATE_H

#include "npjob-testkit/counting.h"
#include "npjob-testkit/twin.h"

enum {
    TWIN_LANES = 4,
    TWIN_CLIENTS = 2,
    TWIN_JOBS = 24,
    TWIN_TAGS = NPJT_TWIN_STEPS + 1, /* the tag of a request is the number of its step, from 1 */
    TWIN_ACTIONS = 8192,             /* taken by one side; more are without end */
    TWIN_IOVS = 64,
    TWIN_MAX_WRITE = 4096,
    TWIN_NOBODY = 0xFF /* the job of an entry that is of none */
};

/* ------------------------------------------------------------------------------------------------------- script */

struct twin_step {
    uint8_t kind; /* npjt_twin_step */
    uint8_t lane;
    bool lent, starved;
    uint8_t a, b;
    uint16_t tag;
};

struct twin_script {
    npjt_relation relation;
    uint8_t engine, seed;
    uint32_t count;
    struct twin_step steps[NPJT_TWIN_STEPS];
};

/* What a kind of step does; WRITE_2 and COMPLETE_2 come as WRITE and COMPLETE. */
#define TWIN_BIT(kind) (UINT32_C(1) << (kind))

void npjt_twin_decode(struct twin_script *script, const uint8_t *bytes, size_t size, const npjt_twin_options *options);

/* Draws another order of the steps between two barriers; those of one client stay as they are. */
void npjt_twin_shuffle(struct twin_script *script);

uint8_t npjt_twin_client(uint8_t lane);
void npjt_twin_text(char *out, size_t capacity, const struct twin_step *step);
uint32_t npjt_twin_length(const struct twin_step *step);
npj_status npjt_twin_reason(uint8_t choice);

/* ---------------------------------------------------------------------------------------------------- what is seen */

enum twin_what { TWIN_CALL, TWIN_ACTION };

/* One thing that client, provider or pipe has seen. */
struct twin_entry {
    uint8_t what;
    uint8_t kind;    /* of an ACTION: npj_action_kind */
    uint8_t job;     /* or TWIN_NOBODY: what a client, a provider or the host does to many, and IDLE */
    uint8_t client;  /* or TWIN_NOBODY: IDLE */
    uint8_t request; /* REPLY: npj_request_kind */
    bool held;
    uint64_t tag; /* of the request; of a CALL, the number of its step */
    npj_status status;
    uint32_t job_id;
    uint64_t count;
    uint64_t bytes; /* WRITE: a hash of what is to be written */
};

/* ------------------------------------------------------------------------------------------------------------ host */

enum twin_extra { TWIN_NO_EXTRA, TWIN_REFUSED, TWIN_QUERIES };

/* How one side plays. */
struct twin_side {
    npj_config config;
    bool eager;    /* completes each operation at the moment it is taken */
    bool planned;  /* what an operation comes to is the job's from the start */
    bool portions; /* COMPLETE is bytes that the pipe takes now; all actions are taken after each step */
    bool persists; /* makes a write again that was refused for want of room */
    bool whole;    /* NEXT takes all actions */
    enum twin_extra extra;
    unsigned payload; /* NPJ_COPY, NPJ_LEND, 0: as the script says */
    uint32_t steps;   /* the kinds that are played */
};

struct twin_op {
    npj_op op; /* 0: none */
    npj_action_kind kind;
    uint64_t count;
    uint32_t iov_count;
    npj_iov iov[TWIN_IOVS];
};

struct twin_pipe {
    uint64_t bytes, hash, messages;
};

struct twin_job {
    npj_job handle; /* 0: refused */
    uint8_t lane, a;
    bool connected, closed; /* accepted */
    bool message;
    uint64_t room; /* what the pipe will still take */
    struct twin_op op;
    npj_op last_op; /* completed */
    struct twin_pipe pipe;
    uint32_t resumes;
    uint16_t writes[NPJT_TWIN_STEPS]; /* tags of those accepted */
    uint32_t write_count;
    bool stuck, resumed; /* the first of the backlog was refused; a RESUME has come */
    npj_status stuck_on;
    uint16_t backlog[NPJT_TWIN_STEPS]; /* tags of steps that wait for it */
    uint32_t backlog_first, backlog_end;
};

/* One play of a script. */
struct twin_run {
    struct npjt_twin *twin;
    const npjt_subject *subject;
    const struct twin_script *script;
    struct twin_side side;
    npjt_counting memory;
    void *srv;
    bool recording;
    uint64_t now;
    bool clock_set;
    uint8_t lane_job[TWIN_LANES];
    uint32_t job_count;
    npj_req requests[TWIN_TAGS];
    bool replied[TWIN_TAGS];
    uint8_t *lent[TWIN_TAGS];
    bool is_lent[TWIN_TAGS]; /* until they come back */
    uint32_t lent_count;
    npj_stats stats; /* and digest: before what is left is ended by force */
    uint64_t digest;
    uint32_t entry_count, actions;
    /* From here on nothing is cleared for a run. */
    struct twin_job jobs[TWIN_JOBS];
    struct twin_entry entries[TWIN_ACTIONS + NPJT_TWIN_STEPS]; /* a step is one call at most */
};

struct npjt_twin {
    struct twin_script script, shuffled;
    struct twin_run run[2];
    const npjt_twin_options *options;
    npjt_twin_result result;
    bool found;
    char sentence[512];
};

/* Says what is wrong. The first time counts. */
void npjt_twin_differ(struct npjt_twin *twin, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* twin_host.c */
void npjt_twin_saw(struct twin_run *run, const struct twin_entry *entry);
bool npjt_twin_take(struct twin_run *run); /* one action; whether there was one */
void npjt_twin_drain(struct twin_run *run);
struct twin_job *npjt_twin_busy(struct twin_run *run, uint8_t lane);
npj_status npjt_twin_complete(struct twin_run *run, struct twin_job *job, uint8_t how, uint64_t amount);
void npjt_twin_flow(struct twin_run *run, uint8_t lane, uint64_t budget);
npj_status npjt_twin_write(struct twin_run *run, struct twin_job *job, const struct twin_step *step);
void npjt_twin_free_lent(struct twin_run *run);

/* twin_extra.c */
void npjt_twin_extra(struct twin_run *run, const struct twin_step *step);
uint64_t npjt_twin_digest(const struct twin_run *run);
void npjt_twin_unchanged(struct twin_run *run, uint64_t before, const char *what);

/* twin_play.c */
void npjt_twin_play(struct twin_run *run);

/* twin_compare.c */
enum twin_key { TWIN_BY_ALL, TWIN_BY_CLIENT, TWIN_BY_JOB };
void npjt_twin_compare(struct npjt_twin *twin, enum twin_key key);
void npjt_twin_compare_outcomes(struct npjt_twin *twin);
void npjt_twin_compare_stats(struct npjt_twin *twin);
void npjt_twin_compare_digests(struct npjt_twin *twin);

#endif
