/* SPDX-License-Identifier: MIT */
/* The events that a state has within its scope, what they cost, and what they are called on a tape. */
#include <string.h>

#include "explore_state.h"
#include "tape_words.h"

/* -------------------------------------------------------------------------------------------- the events of a state */

static void put(struct explore_list *list, explore_kind kind, uint32_t job, uint32_t what)
{
    if (list->count < EXPLORE_EVENTS)
        list->event[list->count++] = (explore_event){(uint8_t)kind, (uint8_t)job, (uint8_t)what, 0};
}

/* With the allocation granted, and refused. */
static void put_both(struct explore_list *list, explore_kind kind, uint32_t job, uint32_t what)
{
    put(list, kind, job, what);
    put(list, kind, job, what);
    list->event[list->count - 1].fails = 1;
}

static void put_writes(const struct npjt_scope *scope, struct explore_list *list, uint32_t job)
{
    put_both(list, EXPLORE_WRITE, job, WRITE_TWO);
    if (scope->lend)
        put_both(list, EXPLORE_WRITE, job, WRITE_TWO_LENT);
    if (scope->one)
        put_both(list, EXPLORE_WRITE, job, WRITE_ONE);
    if (scope->empty)
        put_both(list, EXPLORE_WRITE, job, WRITE_EMPTY);
    if (scope->misuse)
        put(list, EXPLORE_WRITE, job, WRITE_TOO_LONG);
}

npj_status npjt_explore_status(npj_action_kind kind, explore_outcome outcome)
{
    if (outcome == OUTCOME_CANCELLED || outcome >= OUTCOME_ONE_CANCELLED)
        return NPJ_STATUS_CANCELLED;
    if (outcome == OUTCOME_ERROR || outcome >= OUTCOME_ONE_ERROR)
        return kind == NPJ_WRITE ? NPJ_STATUS_PIPE_DISCONNECTED : NPJ_STATUS_ACCESS_DENIED;
    if (outcome == OUTCOME_BAD && kind != NPJ_ADD_JOB && kind != NPJ_WRITE)
        return NPJ_STATUS_PENDING;
    return NPJ_STATUS_SUCCESS;
}

/* The outcomes of a WRITE that are others of the same, as so few bytes have no such part. */
static uint32_t same_of_so_few(uint64_t given)
{
    uint32_t same = 0;
    if (given < 4)
        same |= 1U << OUTCOME_HALF | 1U << OUTCOME_HALF_ERROR | 1U << OUTCOME_HALF_CANCELLED;
    if (given < 3)
        same |= 1U << OUTCOME_ONE | 1U << OUTCOME_PART_ERROR | 1U << OUTCOME_PART_CANCELLED;
    if (given < 2)
        same |= 1U << OUTCOME_PART | 1U << OUTCOME_ALL_ERROR | 1U << OUTCOME_ALL_CANCELLED;
    if (given == 0)
        same |= 1U << OUTCOME_POOR | 1U << OUTCOME_ONE_ERROR | 1U << OUTCOME_ONE_CANCELLED;
    return same;
}

static void put_completions(const struct explorer *x, struct explore_list *list, uint32_t index, npj_job job)
{
    npj_action_kind kind;
    uint64_t given;
    if (npjt_model_op(x->model, job, &kind, &given) == 0)
        return;
    static const uint32_t claims[] = {
        [NPJ_ADD_JOB] = 1 << OUTCOME_GOOD | 1 << OUTCOME_ERROR | 1 << OUTCOME_BAD | 1 << OUTCOME_OTHER |
                        1 << OUTCOME_POOR | 1 << OUTCOME_UNSAFE | 1 << OUTCOME_CANCELLED,
        [NPJ_OPEN] =
            1 << OUTCOME_GOOD | 1 << OUTCOME_ERROR | 1 << OUTCOME_BAD | 1 << OUTCOME_OTHER | 1 << OUTCOME_CANCELLED,
        [NPJ_WRITE] = (1 << OUTCOMES) - 1 - (1 << OUTCOME_OTHER | 1 << OUTCOME_UNSAFE),
        [NPJ_CLOSE_PIPE] = 1 << OUTCOME_GOOD | 1 << OUTCOME_ERROR | 1 << OUTCOME_BAD,
        [NPJ_SCHEDULE_JOB] = 1 << OUTCOME_GOOD | 1 << OUTCOME_ERROR | 1 << OUTCOME_BAD | 1 << OUTCOME_CANCELLED,
        [NPJ_ABANDON_JOB] = 1 << OUTCOME_GOOD | 1 << OUTCOME_ERROR | 1 << OUTCOME_BAD,
    };
    uint32_t outcomes = claims[kind];
    if (!x->scope->misuse)
        outcomes &= ~(1U << OUTCOME_UNSAFE);
    if (kind == NPJ_OPEN && !x->scope->message)
        outcomes &= ~(1U << OUTCOME_OTHER);
    if (kind == NPJ_WRITE)
        outcomes &= ~same_of_so_few(given);
    for (uint32_t outcome = 0; outcome < OUTCOMES; outcome++)
        if (outcomes >> outcome & 1)
            put(list, EXPLORE_COMPLETE, index, outcome);
    if (x->scope->misuse)
        put(list, EXPLORE_WRONG, index, 0);
}

static void put_job(const struct explorer *x, struct explore_list *list, uint32_t index, npj_job job)
{
    put(list, EXPLORE_CONNECT, index, 0);
    put_writes(x->scope, list, index);
    put(list, EXPLORE_CLOSE, index, 0);
    for (uint32_t i = 0; npjt_model_request(x->model, job, i) != 0; i++)
        put(list, EXPLORE_CANCEL, index, i);
    put(list, EXPLORE_ABORT, index, 0);
    put_completions(x, list, index, job);
}

static void put_stale(const struct explorer *x, struct explore_list *list)
{
    const struct world *w = x->world;
    if (w->ended_op != 0)
        put(list, EXPLORE_STALE, 0, STALE_OP);
    if (w->last_request != 0)
        put(list, EXPLORE_STALE, 0, npjt_explore_is_live(x, w->last_request) ? REQUEST_AS_JOB : STALE_REQUEST);
    if (w->ended_job != 0)
        put(list, EXPLORE_STALE, 0, STALE_JOB);
    if (w->last_job != w->ended_job)
        put(list, EXPLORE_STALE, 0, JOB_AS_REQUEST);
}

/* What is no error is free, no pipe and message mode too; and an operation that was asked to stop may say so. */
static npjt_budget cost_of_completion(const struct explorer *x, explore_event event)
{
    npj_job job = npjt_model_job(x->model, event.job);
    switch ((explore_outcome)event.what) {
    case OUTCOME_GOOD:
    case OUTCOME_OTHER:
        return NPJT_BUDGETS;
    case OUTCOME_CANCELLED:
    case OUTCOME_ONE_CANCELLED:
    case OUTCOME_HALF_CANCELLED:
    case OUTCOME_PART_CANCELLED:
    case OUTCOME_ALL_CANCELLED:
        return npjt_explore_cancel_taken(x, job) ? NPJT_BUDGETS : NPJT_BUDGET_ERROR;
    case OUTCOME_PART:
    case OUTCOME_ONE:
    case OUTCOME_HALF:
        return NPJT_BUDGET_PART;
    default:
        return NPJT_BUDGET_ERROR;
    }
}

static npjt_budget cost_of(const struct explorer *x, explore_event event)
{
    switch ((explore_kind)event.kind) {
    case EXPLORE_CANCEL:
        return NPJT_BUDGET_CANCEL;
    case EXPLORE_ABORT:
        return NPJT_BUDGET_ABORT;
    case EXPLORE_CLIENT_GONE:
        return NPJT_BUDGET_CLIENT_GONE;
    case EXPLORE_PROVIDER_GONE:
        return NPJT_BUDGET_PROVIDER_GONE;
    case EXPLORE_TICK:
        return event.what == TICK_BACK ? NPJT_BUDGETS : NPJT_BUDGET_EXPIRE;
    case EXPLORE_SHUTDOWN:
        return NPJT_BUDGET_SHUTDOWN;
    case EXPLORE_COMPLETE:
        return cost_of_completion(x, event);
    default:
        return NPJT_BUDGETS;
    }
}

void npjt_explore_events(const struct explorer *x, struct explore_list *list)
{
    const npjt_scope *scope = x->scope;
    npj_job job;
    list->count = 0;
    if (scope->step)
        put(list, EXPLORE_TAKE, 0, 0);
    for (uint32_t i = 0; (job = npjt_model_job(x->model, i)) != 0; i++)
        put_job(x, list, i, job);
    for (uint32_t client = 1; client <= scope->clients; client++) {
        put_both(list, EXPLORE_ADD, 0, client);
        put(list, EXPLORE_CLIENT_GONE, 0, client);
        put(list, EXPLORE_PROVIDER_GONE, 0, explore_provider_of(client));
    }
    put(list, EXPLORE_TICK, 0, 1);
    if (scope->timeout > 1) /* or else two ticks are as one */
        put(list, EXPLORE_TICK, 0, 2);
    put(list, EXPLORE_SHUTDOWN, 0, NPJ_DRAIN);
    put(list, EXPLORE_SHUTDOWN, 0, NPJ_ABORT);
    if (scope->misuse) {
        put(list, EXPLORE_TICK, 0, TICK_BACK);
        put_stale(x, list);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        npjt_budget cost = cost_of(x, list->event[i]);
        if (!npjt_explore_affords(x->world->purse, cost))
            continue;
        list->event[kept] = list->event[i];
        list->cost[kept++] = (uint8_t)cost;
    }
    list->count = kept;
}

/* ------------------------------------------------------------------------------------------------------ as a tape */

/* The meaning of a word of a header's field; the words are those of the text form. */
static uint8_t meaning(npjt_header_field field, uint32_t value)
{
    npjt_operand operand = npjt_header_operand(field);
    for (uint32_t i = 0; i < npjt_operand_count(operand); i++) {
        const char *word = npjt_operand_word(operand, i);
        uint32_t number = 0;
        for (const char *at = word; *at >= '0' && *at <= '9'; at++)
            number = number * 10 + (uint32_t)(*at - '0');
        if (number == value && word[strspn(word, "0123456789")] == '\0')
            return (uint8_t)i;
    }
    return 0;
}

void npjt_explore_header(const npjt_scope *scope, npjt_header *header)
{
    *header = (npjt_header){0};
    header->field[NPJT_HEADER_MAX_JOBS] = meaning(NPJT_HEADER_MAX_JOBS, scope->jobs);
    header->field[NPJT_HEADER_MAX_JOB_PACKETS] = meaning(NPJT_HEADER_MAX_JOB_PACKETS, scope->job_packets);
    header->field[NPJT_HEADER_MAX_PACKETS] = meaning(NPJT_HEADER_MAX_PACKETS, scope->packets);
    header->field[NPJT_HEADER_MAX_POOL] = meaning(NPJT_HEADER_MAX_POOL, scope->pool);
    header->field[NPJT_HEADER_MAX_WRITE] = meaning(NPJT_HEADER_MAX_WRITE, 2);
    header->field[NPJT_HEADER_MAX_BATCH] = meaning(NPJT_HEADER_MAX_BATCH, scope->batch);
    header->field[NPJT_HEADER_REUSE] = scope->little ? 2 : scope->reuse;
    for (unsigned field = NPJT_HEADER_ADD_TIMEOUT; field <= NPJT_HEADER_DRAIN_TIMEOUT; field++)
        header->field[field] = meaning((npjt_header_field)field, scope->timeout);
}

/* Whether a tape of this header has these limits: a number without a word would become another. */
bool npjt_explore_header_says(const npjt_scope *scope)
{
    npjt_header header;
    npjt_limits said;
    npjt_explore_header(scope, &header);
    npjt_tape_limits(&header, &said);
    return said.max_jobs == scope->jobs && said.max_job_packets == scope->job_packets &&
           said.max_packets == scope->packets && said.max_pool_bytes == scope->pool && said.max_batch == scope->batch &&
           said.add_timeout == scope->timeout;
}

static npjt_record record(npjt_opcode opcode, unsigned a, unsigned b, unsigned c)
{
    return (npjt_record){(uint8_t)opcode, {(uint8_t)a, (uint8_t)b, (uint8_t)c}};
}

/* Of those that an event has ended, the driver takes the one that was added first for the latest. */
void npjt_explore_note_ended(struct explorer *x)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < x->trace_count; i++) {
        const npj_trace *trace = &x->traces[i];
        if (trace->to != NPJ_STATE_GONE || trace->from == NPJ_STATE_GONE)
            continue;
        uint32_t at = 0;
        while (at < count && x->ended[at] >> 24 < trace->job >> 24)
            at++;
        if (at == EXPLORE_ENDED)
            continue;
        memmove(x->ended + at + 1, x->ended + at, (EXPLORE_ENDED - 1 - at) * sizeof x->ended[0]);
        x->ended[at] = trace->job;
        count += count < EXPLORE_ENDED;
    }
}

static unsigned ended_word(const struct explorer *x, npj_job job)
{
    unsigned ago = 0;
    while (ago < EXPLORE_ENDED - 1 && x->ended[ago] != job)
        ago++;
    return JOB_ENDED + ago;
}

static bool has_ended(const struct explorer *x, npj_job job)
{
    npj_job_info info;
    return npjt_model_query(x->model, job, true, &info) != NPJ_STATUS_SUCCESS;
}

/* The driver counts the jobs whose handles are still good; the others by when they ended. */
static unsigned job_word(const struct explorer *x, uint32_t index)
{
    unsigned word = JOB_OLDEST;
    if (has_ended(x, npjt_model_job(x->model, index)))
        return ended_word(x, npjt_model_job(x->model, index));
    for (uint32_t i = 0; i < index; i++)
        word += !has_ended(x, npjt_model_job(x->model, i));
    return word;
}

/* And the operations in flight that the call can complete, by age: handles are given in order. */
static unsigned op_word(const struct explorer *x, npj_job job, bool of_any_kind)
{
    npj_action_kind kind, other;
    uint64_t bytes;
    npj_op op = npjt_model_op(x->model, job, &kind, &bytes), older;
    unsigned word = OP_OLDEST;
    npj_job at;
    for (uint32_t i = 0; (at = npjt_model_job(x->model, i)) != 0; i++) {
        older = npjt_model_op(x->model, at, &other, &bytes);
        bool same = other == kind || (kind >= NPJ_CLOSE_PIPE && other >= NPJ_CLOSE_PIPE && other <= NPJ_ABANDON_JOB);
        word += older != 0 && older >> 24 < op >> 24 && (same || of_any_kind);
    }
    return word;
}

/* And the writes whose replies it has not taken. */
static unsigned write_word(const struct explorer *x, npj_job job, uint32_t index)
{
    unsigned word = WRITE_OLDEST;
    if (npjt_explore_replied(x, job, npjt_model_request(x->model, job, index)))
        return WRITE_ANSWERED;
    for (uint32_t i = 0; i < index; i++)
        word += !npjt_explore_replied(x, job, npjt_model_request(x->model, job, i));
    return word;
}

static unsigned status_word(npj_status status)
{
    unsigned word = npjt_operand_count(NPJT_STATUS) - 1;
    while (word > 0 && npjt_select_status(word) != status)
        word--;
    return word;
}

static npjt_record completion(const struct explorer *x, uint32_t index, explore_outcome outcome)
{
    npj_job job = npjt_model_job(x->model, index);
    npj_action_kind kind;
    uint64_t given;
    (void)npjt_model_op(x->model, job, &kind, &given);
    unsigned op = op_word(x, job, false), status = status_word(npjt_explore_status(kind, outcome));
    static const uint8_t amounts[OUTCOMES] = {
        [OUTCOME_GOOD] = AMOUNT_ALL,
        [OUTCOME_ERROR] = AMOUNT_0,
        [OUTCOME_BAD] = AMOUNT_ALL_MORE,
        [OUTCOME_POOR] = AMOUNT_0,
        [OUTCOME_CANCELLED] = AMOUNT_0,
        [OUTCOME_PART] = AMOUNT_ALL_LESS,
        [OUTCOME_ONE] = AMOUNT_1,
        [OUTCOME_HALF] = AMOUNT_HALF,
        [OUTCOME_ONE_ERROR] = AMOUNT_1,
        [OUTCOME_HALF_ERROR] = AMOUNT_HALF,
        [OUTCOME_PART_ERROR] = AMOUNT_ALL_LESS,
        [OUTCOME_ALL_ERROR] = AMOUNT_ALL,
        [OUTCOME_ONE_CANCELLED] = AMOUNT_1,
        [OUTCOME_HALF_CANCELLED] = AMOUNT_HALF,
        [OUTCOME_PART_CANCELLED] = AMOUNT_ALL_LESS,
        [OUTCOME_ALL_CANCELLED] = AMOUNT_ALL,
    };
    static const uint8_t given_paths[OUTCOMES] = {
        [OUTCOME_GOOD] = 3,          [OUTCOME_ERROR] = 3, [OUTCOME_BAD] = PATH_NULL,
        [OUTCOME_OTHER] = PATH_FILE, [OUTCOME_POOR] = 11, [OUTCOME_UNSAFE] = PATH_PARENT,
        [OUTCOME_CANCELLED] = 3};
    switch (kind) {
    case NPJ_ADD_JOB:
        return record(NPJT_ADDED_EVENT, op, status, given_paths[outcome]);
    case NPJ_OPEN:
        return record(NPJT_OPENED_EVENT, op, status, outcome == OUTCOME_OTHER ? MODE_MESSAGE : MODE_BYTE);
    case NPJ_WRITE:
        return record(NPJT_WRITTEN_EVENT, op, status, amounts[outcome]);
    default:
        return record(NPJT_DONE_EVENT, op, status, 0);
    }
}

static npjt_record write_record(unsigned job, unsigned what)
{
    static const struct {
        uint8_t length, how;
    } writes[] = {[WRITE_TWO] = {2, HOW_COPY},
                  [WRITE_TWO_LENT] = {2, HOW_LEND},
                  [WRITE_ONE] = {0, HOW_COPY},
                  [WRITE_EMPTY] = {1, HOW_COPY},
                  [WRITE_TOO_LONG] = {LENGTH_MAX_MORE, HOW_COPY}};
    return record(NPJT_WRITE_EVENT, job, writes[what].length, writes[what].how);
}

static npjt_record abort_record(unsigned job)
{
    return record(NPJT_ABORT_EVENT, job, status_word(NPJ_STATUS_PRINT_CANCELLED), 0);
}

static npjt_record stale_completion(const struct explorer *x)
{
    switch (x->world->ended_kind) {
    case NPJ_ADD_JOB:
        return record(NPJT_ADDED_EVENT, OP_ENDED, STATUS_SUCCESS, 3);
    case NPJ_OPEN:
        return record(NPJT_OPENED_EVENT, OP_ENDED, STATUS_SUCCESS, MODE_BYTE);
    case NPJ_WRITE:
        return record(NPJT_WRITTEN_EVENT, OP_ENDED, STATUS_SUCCESS, AMOUNT_0);
    default:
        return record(NPJT_DONE_EVENT, OP_ENDED, STATUS_SUCCESS, 0);
    }
}

static uint32_t stale_records(const struct explorer *x, unsigned what, npjt_record records[3])
{
    unsigned job = what == STALE_JOB ? ended_word(x, x->world->ended_job) : JOB_WRITE;
    switch (what) {
    case STALE_OP:
        records[0] = stale_completion(x);
        return 1;
    case STALE_REQUEST:
        records[0] = record(NPJT_CANCEL_EVENT, JOB_OLDEST, WRITE_ANSWERED, 0);
        return 1;
    case JOB_AS_REQUEST:
        records[0] = record(NPJT_CANCEL_EVENT, JOB_NEWEST, WRITE_JOB, 0);
        return 1;
    default:
        records[0] = write_record(job, WRITE_TWO);
        records[1] = record(NPJT_CONNECT_EVENT, job, 0, 0);
        records[2] = abort_record(job);
        return 3;
    }
}

static npjt_record record_of(const struct explorer *x, explore_event event)
{
    npj_action_kind kind;
    uint64_t given;
    npj_job job = npjt_model_job(x->model, event.job);
    switch ((explore_kind)event.kind) {
    case EXPLORE_TAKE:
        return record(NPJT_NEXT_EVENT, 1, 0, 0);
    case EXPLORE_ADD:
        return record(NPJT_ADD_EVENT, event.what - 1U, explore_provider_of(event.what) - 1U, 0);
    case EXPLORE_CONNECT:
        return record(NPJT_CONNECT_EVENT, job_word(x, event.job), 0, 0);
    case EXPLORE_WRITE:
        return write_record(job_word(x, event.job), event.what);
    case EXPLORE_CLOSE:
        return record(NPJT_CLOSE_EVENT, job_word(x, event.job), 0, 0);
    case EXPLORE_CANCEL:
        return record(NPJT_CANCEL_EVENT, job_word(x, event.job), write_word(x, job, event.what), 0);
    case EXPLORE_ABORT:
        return abort_record(job_word(x, event.job));
    case EXPLORE_CLIENT_GONE:
        return record(NPJT_CLIENT_GONE_EVENT, event.what - 1U, status_word(NPJ_STATUS_NETWORK_NAME_DELETED), 0);
    case EXPLORE_PROVIDER_GONE:
        return record(NPJT_PROVIDER_GONE_EVENT, event.what - 1U, 0, 0);
    case EXPLORE_TICK:
        return record(NPJT_ADVANCE_EVENT, event.what == TICK_BACK ? TIME_BACK : event.what == 1 ? 0 : 2, 0, 0);
    case EXPLORE_SHUTDOWN:
        return record(NPJT_SHUTDOWN_EVENT, event.what, 0, 0);
    case EXPLORE_COMPLETE:
        return completion(x, event.job, (explore_outcome)event.what);
    case EXPLORE_WRONG:
    default:
        (void)npjt_model_op(x->model, job, &kind, &given);
        return record(NPJT_WRONG_EVENT, op_word(x, job, true), kind == NPJ_WRITE ? 3 : 2, 0);
    }
}

uint32_t npjt_explore_records(const struct explorer *x, explore_event event, npjt_record records[4])
{
    uint32_t count = 0;
    if (event.fails)
        records[count++] = record(NPJT_OOM_EVENT, FAILURE_NEXT, 0, 0);
    if (event.kind == EXPLORE_STALE)
        count = stale_records(x, event.what, records);
    else
        records[count++] = record_of(x, event);
    if (event.fails)
        records[count++] = record(NPJT_OOM_EVENT, FAILURE_NONE, 0, 0);
    if (!x->scope->step && event.kind != EXPLORE_TAKE)
        records[count++] = record(NPJT_NEXT_EVENT, 0, 0, 0);
    return count;
}
