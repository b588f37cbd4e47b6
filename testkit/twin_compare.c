/* SPDX-License-Identifier: MIT */
/* What was seen on one side, held against what was seen on the other. Of many differences the first is told. */
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "twin_state.h"

static const char *const request_names[] = {"add", "connect", "write", "close"};

/* What each side is called in a finding. */
static const char *const side_names[NPJT_RELATION_COUNT][2] = {
    [NPJT_RELATION_COMMUTE] = {"in this order", "in another order"},
    [NPJT_RELATION_LENT] = {"copied", "lent"},
    [NPJT_RELATION_DEFERRED] = {"completed at once", "completed later"},
    [NPJT_RELATION_RETRY] = {"undisturbed", "with refusals"},
    [NPJT_RELATION_QUERY] = {"undisturbed", "with queries"},
    [NPJT_RELATION_BATCH] = {"one packet in a WRITE", "many packets in a WRITE"},
};

static const char *side_name(const struct npjt_twin *twin, int side)
{
    return side_names[twin->script.relation][side];
}

static const char *status_text(npj_status status, char out[64])
{
    (void)snprintf(out, 64, "%s (0x%08x)", npj_status_name(status), (unsigned)status);
    return out;
}

static void entry_text(char out[192], const struct twin_entry *entry)
{
    char status[64], job[16] = "";
    (void)status_text(entry->status, status);
    if (entry->job != TWIN_NOBODY)
        (void)snprintf(job, sizeof job, "job %u, ", (unsigned)entry->job);
    if (!entry->what && entry->tag == 0)
        (void)snprintf(out, 192, "nothing more");
    else if (entry->what == TWIN_CALL)
        (void)snprintf(out, 192, "%sthe call of step %llu says %s", job, (unsigned long long)entry->tag, status);
    else if (entry->kind == NPJ_REPLY)
        (void)snprintf(out, 192, "%sREPLY to the %s of tag %llu: %s, %llu bytes%s", job,
                       request_names[entry->request & 3], (unsigned long long)entry->tag, status,
                       (unsigned long long)entry->count, entry->held ? ", held" : "");
    else if (entry->kind == NPJ_WRITE)
        (void)snprintf(out, 192, "%sWRITE of %llu bytes (hash %llx)", job, (unsigned long long)entry->count,
                       (unsigned long long)entry->bytes);
    else
        (void)snprintf(out, 192, "%s%s of tag %llu, JobId %u: %s", job, npjt_action_name((npj_action_kind)entry->kind),
                       (unsigned long long)entry->tag, (unsigned)entry->job_id, status);
}

/* -------------------------------------------------------------------------------------------------- what they share */

static void compare_pipes(struct npjt_twin *twin)
{
    for (uint32_t i = 0; i < twin->run[0].job_count; i++) {
        const struct twin_pipe *a = &twin->run[0].jobs[i].pipe;
        const struct twin_pipe *b = &twin->run[1].jobs[i].pipe;
        if (a->bytes != b->bytes || a->hash != b->hash || a->messages != b->messages)
            npjt_twin_differ(twin,
                             "the pipe of job %u has taken, %s, %llu bytes (hash %llx); %s, %llu bytes (hash %llx)",
                             (unsigned)i, side_name(twin, 0), (unsigned long long)a->bytes, (unsigned long long)a->hash,
                             side_name(twin, 1), (unsigned long long)b->bytes, (unsigned long long)b->hash);
    }
}

/* Whether the relation looks at an entry at all. */
static bool counts(npjt_relation relation, const struct twin_entry *entry)
{
    if (entry->what != TWIN_ACTION)
        return true;
    if (relation == NPJT_RELATION_LENT)
        return entry->kind != NPJ_RETURN;
    if (relation == NPJT_RELATION_BATCH)
        return entry->kind != NPJ_RETURN && entry->kind != NPJ_WRITE && entry->kind != NPJ_CANCEL &&
               entry->kind != NPJ_RESUME; /* with few packets in a WRITE it may come between two replies */
    return true;
}

static bool same(npjt_relation relation, const struct twin_entry *a, const struct twin_entry *b)
{
    bool held_matters = relation != NPJT_RELATION_LENT && relation != NPJT_RELATION_BATCH;
    return a->what == b->what && a->kind == b->kind && a->job == b->job && a->request == b->request &&
           (a->held == b->held || !held_matters) && a->tag == b->tag && a->status == b->status &&
           a->job_id == b->job_id && a->count == b->count && a->bytes == b->bytes;
}

/* -------------------------------------------------------------------------------------------------- whole histories */

static uint8_t key_of(enum twin_key key, const struct twin_entry *entry)
{
    if (key == TWIN_BY_ALL)
        return TWIN_NOBODY;
    return key == TWIN_BY_JOB ? entry->job : entry->client;
}

/* The next entry of that key from @at on, which is moved behind it; NULL if there is none. */
static const struct twin_entry *next_entry(const struct twin_run *run, enum twin_key key, uint8_t wanted, uint32_t *at)
{
    while (*at < run->entry_count) {
        const struct twin_entry *entry = &run->entries[(*at)++];
        if (key_of(key, entry) == wanted && counts(run->script->relation, entry))
            return entry;
    }
    return NULL;
}

static void compare_key(struct npjt_twin *twin, enum twin_key key, uint8_t wanted)
{
    static const struct twin_entry nothing;
    uint32_t at[2] = {0, 0};
    for (;;) {
        const struct twin_entry *a = next_entry(&twin->run[0], key, wanted, &at[0]);
        const struct twin_entry *b = next_entry(&twin->run[1], key, wanted, &at[1]);
        if (!a && !b)
            return;
        if (a && b && same(twin->script.relation, a, b))
            continue;
        char left[192], right[192];
        entry_text(left, a ? a : &nothing);
        entry_text(right, b ? b : &nothing);
        npjt_twin_differ(twin, "%s: %s; %s: %s", side_name(twin, 0), left, side_name(twin, 1), right);
        return;
    }
}

void npjt_twin_compare(struct npjt_twin *twin, enum twin_key key)
{
    for (unsigned wanted = 0; wanted < TWIN_JOBS; wanted++)
        compare_key(twin, key, (uint8_t)wanted);
    compare_key(twin, key, TWIN_NOBODY);
    compare_pipes(twin);
    for (uint32_t job = 0; job < twin->run[0].job_count; job++)
        if (twin->run[0].jobs[job].resumes != twin->run[1].jobs[job].resumes)
            npjt_twin_differ(twin, "job %u has had, %s, %u RESUMEs; %s, %u", (unsigned)job, side_name(twin, 0),
                             (unsigned)twin->run[0].jobs[job].resumes, side_name(twin, 1),
                             (unsigned)twin->run[1].jobs[job].resumes);
}

/* -------------------------------------------------------------------------------------------------------------
 * outcomes */

/* What became of a request in the end. */
struct outcome {
    bool asked, accepted;
    uint32_t answers;
    npj_status status; /* of the reply, or of the refusal */
    uint64_t count;
    uint8_t job;
    uint32_t call; /* its place among the entries */
};

static struct outcome outcome_of(const struct twin_run *run, uint32_t tag)
{
    struct outcome outcome = {0};
    for (uint32_t i = 0; i < run->entry_count; i++) {
        const struct twin_entry *entry = &run->entries[i];
        if (entry->tag != tag)
            continue;
        if (entry->what == TWIN_CALL) {
            outcome.asked = true;
            outcome.accepted = entry->status == NPJ_STATUS_PENDING;
            outcome.status = entry->status;
            outcome.job = entry->job;
            outcome.call = i;
        } else if (entry->kind == NPJ_REPLY) {
            outcome.answers++;
            outcome.status = entry->status;
            outcome.count = entry->count;
        }
    }
    return outcome;
}

/* What a job that has failed, or is gone, says to a request that it refuses. */
static bool refused_for_failure(const struct outcome *outcome)
{
    return outcome->status == NPJ_STATUS_INVALID_HANDLE || outcome->status == NPJ_STATUS_PIPE_BROKEN ||
           outcome->status == NPJ_STATUS_INVALID_PIPE_STATE;
}

/* And what one says that is closing, or was closed. */
static bool refused_for_state(const struct outcome *outcome)
{
    return refused_for_failure(outcome) || outcome->status == NPJ_STATUS_PIPE_CLOSING;
}

static bool failed_with_nothing(const struct outcome *outcome)
{
    return outcome->answers == 1 && npj_status_is_error(outcome->status) && outcome->count == 0;
}

static bool agree(const struct outcome *a, const struct outcome *b)
{
    if (a->asked != b->asked)
        return false;
    if (a->accepted && b->accepted)
        return a->answers == b->answers && a->status == b->status && a->count == b->count;
    if (!a->accepted && !b->accepted)
        return a->status == b->status || (refused_for_state(a) && refused_for_state(b));
    return a->accepted ? failed_with_nothing(a) && refused_for_failure(b)
                       : failed_with_nothing(b) && refused_for_failure(a);
}

/* Whether, before this call on @side, its job took a close that the other side refused: it had failed on this side
 * only, and a job that has failed needs no connect for that. */
static bool closed_on_one_side(const struct npjt_twin *twin, int side, const struct outcome *call)
{
    for (uint32_t tag = 1; tag <= twin->script.count; tag++) {
        if (twin->script.steps[tag - 1].kind != NPJT_TWIN_CLOSE)
            continue;
        struct outcome here = outcome_of(&twin->run[side], tag), there = outcome_of(&twin->run[!side], tag);
        if (here.accepted && here.job == call->job && here.call < call->call && !there.accepted)
            return true;
    }
    return false;
}

/* Behind such a close a request is refused that the other side takes, and fails later. */
static bool agree_behind_a_close(const struct npjt_twin *twin, const struct outcome *a, const struct outcome *b)
{
    if (a->accepted == b->accepted)
        return false;
    const struct outcome *refused = a->accepted ? b : a;
    return failed_with_nothing(a->accepted ? a : b) && refused->status == NPJ_STATUS_PIPE_CLOSING &&
           closed_on_one_side(twin, refused == b, refused);
}

static void outcome_text(char out[128], const struct outcome *outcome)
{
    char status[64];
    (void)status_text(outcome->status, status);
    if (!outcome->asked)
        (void)snprintf(out, 128, "never made");
    else if (!outcome->accepted)
        (void)snprintf(out, 128, "refused with %s", status);
    else if (outcome->answers == 0)
        (void)snprintf(out, 128, "accepted and not answered");
    else
        (void)snprintf(out, 128, "answered %s, %llu bytes%s", status, (unsigned long long)outcome->count,
                       outcome->answers > 1 ? ", more than once" : "");
}

/* The next thing from @at on that the provider, or the pipe at its end, was told of a job; NULL if there is none. */
static const struct twin_entry *next_ending(const struct twin_run *run, uint32_t job, uint32_t *at)
{
    while (*at < run->entry_count) {
        const struct twin_entry *entry = &run->entries[(*at)++];
        bool is_op = entry->what == TWIN_ACTION && entry->kind <= NPJ_ABANDON_JOB && entry->kind != NPJ_WRITE;
        if (entry->job == job && is_op)
            return entry;
    }
    return NULL;
}

static bool same_endings(const struct npjt_twin *twin, uint32_t job)
{
    uint32_t at[2] = {0, 0};
    for (;;) {
        const struct twin_entry *a = next_ending(&twin->run[0], job, &at[0]);
        const struct twin_entry *b = next_ending(&twin->run[1], job, &at[1]);
        if (!a || !b)
            return a == b;
        if (a->kind != b->kind || a->status != b->status || a->job_id != b->job_id)
            return false;
    }
}

void npjt_twin_compare_outcomes(struct npjt_twin *twin)
{
    for (uint32_t tag = 1; tag <= twin->script.count; tag++) {
        struct outcome a = outcome_of(&twin->run[0], tag), b = outcome_of(&twin->run[1], tag);
        if (agree(&a, &b) || agree_behind_a_close(twin, &a, &b))
            continue;
        char left[128], right[128];
        outcome_text(left, &a);
        outcome_text(right, &b);
        npjt_twin_differ(twin, "the request of tag %u is, %s, %s; %s, %s", (unsigned)tag, side_name(twin, 0), left,
                         side_name(twin, 1), right);
    }
    for (uint32_t job = 0; job < twin->run[0].job_count; job++)
        if (!same_endings(twin, job))
            npjt_twin_differ(twin, "provider and pipe of job %u are asked for one thing %s, and for another %s",
                             (unsigned)job, side_name(twin, 0), side_name(twin, 1));
    compare_pipes(twin);
}

/* All but what a trim gives back. */
void npjt_twin_compare_stats(struct npjt_twin *twin)
{
    npj_stats a = twin->run[0].stats, b = twin->run[1].stats;
    a.idle_bytes = b.idle_bytes = 0;
    a.memory_bytes = b.memory_bytes = 0;
    if (memcmp(&a, &b, sizeof a) != 0)
        npjt_twin_differ(twin, "the statistics at the end differ");
}

void npjt_twin_compare_digests(struct npjt_twin *twin)
{
    if (twin->run[0].digest != twin->run[1].digest)
        npjt_twin_differ(twin, "the digests at the end differ");
}
