/* SPDX-License-Identifier: MIT */
/* The engine and the model side by side: each event is made on both, and they have to agree. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore_state.h"
#include "npjob-testkit/driver.h"

const unsigned char npjt_explore_bytes[EXPLORE_LONGEST] = {0xA0, 0xA1};
/* Lent ones have a place for each tag. */
static unsigned char lent[64][EXPLORE_LONGEST];

void npjt_explore_wrong(struct explorer *x, const char *format, ...)
{
    if (x->wrong != NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(x->sentence, sizeof x->sentence, format, arguments);
    va_end(arguments);
    x->wrong = x->sentence;
}

/* ------------------------------------------------------------------------------------------------ making a world */

static void keep_trace(void *user, const npj_trace *trace)
{
    struct explorer *x = user;
    npj_action action;
    if (npj_trim(x->world->srv) != NPJ_STATUS_INVALID_DEVICE_STATE || npj_next(x->world->srv, &action))
        npjt_explore_wrong(x, "a call from inside the trace is not refused");
    x->no_pool_traced += trace->kind == NPJ_TRACE_NO_POOL;
    if (x->trace_count < WORLD_TRACES)
        x->traces[x->trace_count++] = *trace;
}

static void configure(struct explorer *x)
{
    const npjt_scope *scope = x->scope;
    x->config = (npj_config){.size = sizeof(npj_config),
                             .mem = npjt_explore_arena_mem(x),
                             .max_jobs = scope->jobs,
                             .max_packets = scope->packets,
                             .max_job_packets = scope->job_packets,
                             .max_write_bytes = EXPLORE_LONGEST,
                             .max_batch = scope->batch,
                             .max_job_bytes = (uint64_t)scope->job_packets * 2,
                             .max_pool_bytes = scope->pool,
                             .max_idle_bytes = scope->little ? 256 : !scope->reuse,
                             .add_timeout = scope->timeout,
                             .connect_timeout = scope->timeout,
                             .stall_timeout = scope->timeout,
                             .drain_timeout = scope->timeout,
                             .trace = keep_trace,
                             .trace_user = x};
}

bool npjt_explore_world_new(struct explorer *x, const npjt_scope *scope)
{
    memset(x, 0, sizeof *x);
    x->scope = scope;
    configure(x);
    size_t model = (sizeof(struct world) + 15) & ~(size_t)15;
    size_t blocks = (model + npjt_model_size(&x->config) + 15) & ~(size_t)15;
    size_t bytes = npjt_explore_arena_plan(x, blocks) + EXPLORE_PIECE - 1;
    bytes -= bytes % EXPLORE_PIECE;
    x->before = calloc(2, bytes);
    if (x->before == NULL)
        return false;
    x->world = (struct world *)(void *)((char *)x->before + bytes);
    x->world_bytes = bytes;
    x->plan.base = (unsigned char *)x->world + blocks;
    x->model = (npjt_model *)(void *)((char *)x->world + model);
    for (unsigned i = 0; i < 64; i++)
        memcpy(lent[i], npjt_explore_bytes, sizeof npjt_explore_bytes);
    npjt_explore_arena_clear(x);
    npj_srv *srv = NULL;
    if (npj_srv_new(&x->config, &srv) != NPJ_STATUS_SUCCESS) {
        npjt_explore_wrong(x, "the engine refuses the scope's configuration");
        return true;
    }
    if (srv == NULL) {
        npjt_explore_wrong(x, "npj_srv_new() says SUCCESS and gives no engine");
        return true;
    }
    npj_stats stats;
    npj_stats_get(srv, &stats);
    npjt_model_init(x->model, &x->config, stats.packet_bytes);
    x->world->srv = srv;
    npjt_explore_find_counters(x);
    x->world->next_tag = 16;
    if (scope->unset)
        return true;
    x->world->now = 1;
    if (npj_advance(srv, x->world->now) != npjt_model_advance(x->model, x->world->now))
        npjt_explore_wrong(x, "the engine refuses the first npj_advance()");
    return true;
}

void npjt_explore_world_free(struct explorer *x)
{
    free(x->before);
}

/* ------------------------------------------------------------------------------------------------------- actions */

static bool same_iov(const npj_action *said, const npj_action *right)
{
    if (said->iov_count != right->iov_count)
        return false;
    if (said->iov == NULL || right->iov == NULL)
        return said->iov == right->iov && said->iov_count == 0;
    for (uint32_t i = 0; i < said->iov_count; i++) {
        const npj_iov *iov = &said->iov[i], *other = &right->iov[i];
        bool copied = other->base == NULL && other->length > 0; /* to where the model does not know */
        if (iov->length != other->length || (!copied && iov->base != other->base))
            return false;
        const unsigned char *bytes = npjt_explore_bytes + EXPLORE_LONGEST - iov->length;
        if (iov->length > 0 && memcmp(iov->base, bytes, iov->length) != 0)
            return false;
    }
    return true;
}

static bool same_action(const npj_action *said, const npj_action *right)
{
    return said->kind == right->kind && said->request == right->request && said->job == right->job &&
           said->cookie == right->cookie && said->op == right->op && said->tag == right->tag &&
           said->status == right->status && said->job_id == right->job_id && said->count == right->count &&
           said->held == right->held && same_iov(said, right);
}

/* One action of each. Says whether there was one. */
static bool take_action(struct explorer *x)
{
    npj_action said = {0}, right = {0};
    bool one = npj_next(x->world->srv, &said);
    bool other = npjt_model_next(x->model, &said, &right);
    if (one != other)
        npjt_explore_wrong(x, "the engine has %s to say, the model %s", one ? npjt_action_name(said.kind) : "nothing",
                           other ? npjt_action_name(right.kind) : "nothing");
    else if (one && !same_action(&said, &right))
        npjt_explore_wrong(
            x,
            "the engine says %s (tag %llu, %s, count %llu, job %llx), the model %s (tag %llu, %s, count %llu, job "
            "%llx)",
            npjt_action_name(said.kind), (unsigned long long)said.tag, npj_status_name(said.status),
            (unsigned long long)said.count, (unsigned long long)said.job, npjt_action_name(right.kind),
            (unsigned long long)right.tag, npj_status_name(right.status), (unsigned long long)right.count,
            (unsigned long long)right.job);
    if (one && said.kind < NPJ_CANCEL && said.op == x->world->ended_op)
        npjt_explore_wrong(x, "a new operation has the handle of one that has ended");
    return one && x->wrong == NULL;
}

/* -------------------------------------------------------------------------------------------------------- events */

/* Event 2019 is said when a cap of the engine is hit, and not again until a call of that kind succeeds. */
static void check_no_pool(struct explorer *x, npj_status status, bool *said)
{
    bool due = status == NPJ_STATUS_INSUFF_SERVER_RESOURCES && !*said;
    if (x->no_pool_traced != due)
        npjt_explore_wrong(x, "Event 2019 is traced %u times where %u is right", x->no_pool_traced, (unsigned)due);
    if (status == NPJ_STATUS_PENDING)
        *said = false;
    else if (due)
        *said = true;
}

static npj_status add(struct explorer *x, unsigned client)
{
    struct world *w = x->world;
    uint64_t provider = explore_provider_of(client), cookie = 100 + client;
    npj_job job = 0;
    npj_status said = npj_add_job(w->srv, client, provider, cookie, 1, &job);
    npj_status right =
        npjt_model_add_job(x->model, client, provider, cookie, 1, true, (npjt_said){w->arena.refused, job});
    if (said == NPJ_STATUS_PENDING && job == w->last_job)
        npjt_explore_wrong(x, "a new job has the handle of the one before it");
    if (said == NPJ_STATUS_PENDING)
        w->last_job = job;
    if (said != right)
        npjt_explore_wrong(x, "npj_add_job() says %s, the model %s", npj_status_name(said), npj_status_name(right));
    check_no_pool(x, said, &w->no_pool_said[0]);
    return said;
}

static npj_status write(struct explorer *x, npj_job job, unsigned what)
{
    static const uint8_t lengths[] = {
        [WRITE_TWO] = 2, [WRITE_TWO_LENT] = 2, [WRITE_ONE] = 1, [WRITE_EMPTY] = 0, [WRITE_TOO_LONG] = 3};
    struct world *w = x->world;
    npj_req request = 0;
    unsigned flags = what == WRITE_TWO_LENT ? NPJ_LEND : NPJ_COPY;
    unsigned char copied[] = {npjt_explore_bytes[0], npjt_explore_bytes[1], 0};
    const unsigned char *bytes = what == WRITE_TWO_LENT ? lent[w->next_tag % 64]
                                 : what == WRITE_ONE    ? copied + 1
                                                        : copied;
    uint32_t length = lengths[what];
    npj_status said = npj_write(w->srv, job, w->next_tag, bytes, length, flags, &request);
    memset(copied, 0, sizeof copied);
    npj_status right =
        npjt_model_write(x->model, job, w->next_tag, bytes, length, flags, (npjt_said){w->arena.refused, request});
    if (said == NPJ_STATUS_PENDING) {
        if (request == w->last_request)
            npjt_explore_wrong(x, "a new write has the handle of the one before it");
        w->last_request = request;
        w->next_tag++;
    }
    if (said != right)
        npjt_explore_wrong(x, "npj_write() says %s, the model %s", npj_status_name(said), npj_status_name(right));
    check_no_pool(x, said, &w->no_pool_said[1]);
    return said;
}

static npj_status agree(struct explorer *x, const char *call, npj_status said, npj_status right)
{
    if (said != right)
        npjt_explore_wrong(x, "%s says %s, the model %s", call, npj_status_name(said), npj_status_name(right));
    return said;
}

static npj_status job_added(struct explorer *x, npj_op op, npj_status status, explore_outcome outcome)
{
    static const struct {
        npj_status path;
        npj_path given;
    } answers[OUTCOMES] = {
        [OUTCOME_GOOD] = {NPJ_STATUS_SUCCESS, {"spool", 5, NPJ_PATH_UTF8}},
        [OUTCOME_ERROR] = {NPJ_STATUS_SUCCESS, {"spool", 5, NPJ_PATH_UTF8}},
        [OUTCOME_BAD] = {NPJ_STATUS_SUCCESS, {NULL, 0, NPJ_PATH_UTF8}},
        [OUTCOME_OTHER] = {NPJ_STATUS_INVALID_DEVICE_REQUEST, {"C:\\spool\\00001.SPL", 18, NPJ_PATH_UTF8}},
        [OUTCOME_POOR] = {NPJ_STATUS_OBJECT_NAME_INVALID, {"", 0, NPJ_PATH_UTF8}},
        [OUTCOME_UNSAFE] = {NPJ_STATUS_OBJECT_NAME_INVALID, {"\\\\.\\pipe\\..", 11, NPJ_PATH_UTF8}},
        [OUTCOME_CANCELLED] = {NPJ_STATUS_SUCCESS, {"spool", 5, NPJ_PATH_UTF8}},
    };
    npj_status said = npj_job_added(x->world->srv, op, status, &answers[outcome].given, 7);
    npj_status right =
        npjt_model_job_added(x->model, op, status, answers[outcome].given.bytes != NULL, answers[outcome].path, 7);
    return agree(x, "npj_job_added()", said, right);
}

static npj_status opened(struct explorer *x, npj_op op, npj_status status, explore_outcome outcome)
{
    npj_pipe_mode mode = outcome == OUTCOME_OTHER ? NPJ_MESSAGE_MODE : NPJ_BYTE_MODE;
    return agree(x, "npj_opened()", npj_opened(x->world->srv, op, status, mode),
                 npjt_model_opened(x->model, op, status, mode));
}

static uint64_t bytes_taken(uint64_t given, explore_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_GOOD:
    case OUTCOME_ALL_ERROR:
    case OUTCOME_ALL_CANCELLED:
        return given;
    case OUTCOME_BAD:
        return given + 1;
    case OUTCOME_PART:
    case OUTCOME_PART_ERROR:
    case OUTCOME_PART_CANCELLED:
        return given - 1;
    case OUTCOME_HALF:
    case OUTCOME_HALF_ERROR:
    case OUTCOME_HALF_CANCELLED:
        return given / 2;
    case OUTCOME_ONE:
    case OUTCOME_ONE_ERROR:
    case OUTCOME_ONE_CANCELLED:
        return 1;
    default:
        return 0;
    }
}

static npj_status written(struct explorer *x, npj_op op, npj_status status, uint64_t taken)
{
    return agree(x, "npj_written()", npj_written(x->world->srv, op, status, taken),
                 npjt_model_written(x->model, op, status, taken));
}

static npj_status done(struct explorer *x, npj_op op, npj_status status)
{
    return agree(x, "npj_done()", npj_done(x->world->srv, op, status), npjt_model_done(x->model, op, status));
}

static npj_status complete_as(struct explorer *x, npj_op op, npj_action_kind kind, uint64_t given,
                              explore_outcome outcome)
{
    npj_status status = npjt_explore_status(kind, outcome);
    switch (kind) {
    case NPJ_ADD_JOB:
        return job_added(x, op, status, outcome);
    case NPJ_OPEN:
        return opened(x, op, status, outcome);
    case NPJ_WRITE:
        return written(x, op, status, bytes_taken(given, outcome));
    default:
        return done(x, op, status);
    }
}

static npj_status complete(struct explorer *x, npj_job job, explore_outcome outcome)
{
    npj_action_kind kind;
    uint64_t given;
    npj_op op = npjt_model_op(x->model, job, &kind, &given);
    x->world->ended_op = op;
    x->world->ended_kind = (uint8_t)kind;
    return complete_as(x, op, kind, given, outcome);
}

static npj_status wrong_kind(struct explorer *x, npj_job job)
{
    npj_action_kind kind;
    uint64_t given;
    npj_op op = npjt_model_op(x->model, job, &kind, &given);
    return complete_as(x, op, kind == NPJ_WRITE ? NPJ_CLOSE_PIPE : NPJ_WRITE, 0, OUTCOME_GOOD);
}

static npj_status stale(struct explorer *x, unsigned what)
{
    struct world *w = x->world;
    if (what == STALE_OP)
        return complete_as(x, w->ended_op, (npj_action_kind)w->ended_kind, 0, OUTCOME_GOOD);
    if (what == STALE_REQUEST)
        return agree(x, "npj_cancel()", npj_cancel(w->srv, w->last_request),
                     npjt_model_cancel(x->model, w->last_request));
    if (what == JOB_AS_REQUEST)
        return agree(x, "npj_cancel()", npj_cancel(w->srv, w->last_job), npjt_model_cancel(x->model, w->last_job));
    npj_job job = what == STALE_JOB ? w->ended_job : w->last_request;
    npj_status status = write(x, job, WRITE_TWO);
    (void)agree(x, "npj_connect()", npj_connect(w->srv, job, 2), npjt_model_connect(x->model, job, 2));
    (void)agree(x, "npj_abort()", npj_abort(w->srv, job, NPJ_STATUS_PRINT_CANCELLED),
                npjt_model_abort(x->model, job, NPJ_STATUS_PRINT_CANCELLED));
    return status;
}

static npj_status tick(struct explorer *x, unsigned ticks)
{
    struct world *w = x->world;
    w->now += ticks;
    uint64_t now = ticks == TICK_BACK && w->now > 0 ? w->now - 1 : w->now;
    return agree(x, "npj_advance()", npj_advance(w->srv, now), npjt_model_advance(x->model, now));
}

static npj_status act(struct explorer *x, explore_event event)
{
    struct world *w = x->world;
    npj_job job = npjt_model_job(x->model, event.job);
    switch ((explore_kind)event.kind) {
    case EXPLORE_TAKE:
        (void)take_action(x);
        return NPJ_STATUS_SUCCESS;
    case EXPLORE_ADD:
        return add(x, event.what);
    case EXPLORE_CONNECT:
        return agree(x, "npj_connect()", npj_connect(w->srv, job, 2), npjt_model_connect(x->model, job, 2));
    case EXPLORE_WRITE:
        return write(x, job, event.what);
    case EXPLORE_CLOSE:
        return agree(x, "npj_close()", npj_close(w->srv, job, 3), npjt_model_close(x->model, job, 3));
    case EXPLORE_CANCEL: {
        npj_req request = npjt_model_request(x->model, job, event.what);
        return agree(x, "npj_cancel()", npj_cancel(w->srv, request), npjt_model_cancel(x->model, request));
    }
    case EXPLORE_ABORT:
        return agree(x, "npj_abort()", npj_abort(w->srv, job, NPJ_STATUS_PRINT_CANCELLED),
                     npjt_model_abort(x->model, job, NPJ_STATUS_PRINT_CANCELLED));
    case EXPLORE_CLIENT_GONE:
        return agree(x, "npj_client_gone()", npj_client_gone(w->srv, event.what, NPJ_STATUS_NETWORK_NAME_DELETED),
                     npjt_model_client_gone(x->model, event.what, NPJ_STATUS_NETWORK_NAME_DELETED));
    case EXPLORE_PROVIDER_GONE:
        return agree(x, "npj_provider_gone()", npj_provider_gone(w->srv, event.what),
                     npjt_model_provider_gone(x->model, event.what));
    case EXPLORE_TICK:
        return tick(x, event.what);
    case EXPLORE_SHUTDOWN:
        return agree(x, "npj_shutdown()", npj_shutdown(w->srv, (npj_shutdown_how)event.what),
                     npjt_model_shutdown(x->model, (npj_shutdown_how)event.what));
    case EXPLORE_COMPLETE:
        return complete(x, job, (explore_outcome)event.what);
    case EXPLORE_WRONG:
        return wrong_kind(x, job);
    case EXPLORE_STALE:
    default:
        return stale(x, event.what);
    }
}

static void note_ended_job(struct explorer *x)
{
    npj_job_info info;
    struct world *w = x->world;
    if (x->scope->misuse && w->last_job != w->ended_job &&
        npjt_model_query(x->model, w->last_job, true, &info) != NPJ_STATUS_SUCCESS)
        w->ended_job = w->last_job;
}

npj_status npjt_explore_apply(struct explorer *x, explore_event event)
{
    struct arena *arena = &x->world->arena;
    x->wrong = NULL;
    x->trace_count = 0;
    x->no_pool_traced = 0;
    arena->refuse = event.fails;
    npj_status status = act(x, event);
    arena->refuse = arena->refused = false;
    if (!x->scope->step)
        while (x->wrong == NULL && take_action(x))
            continue;
    note_ended_job(x);
    if (x->wrong == NULL && arena->abuse == NULL)
        npjt_explore_scribble(x);
    if (arena->abuse != NULL)
        npjt_explore_wrong(x, "%s", arena->abuse);
    return status;
}

/* -------------------------------------------------------------------------------------------------------- checks */

/* What the engine has of its allocator, and what it says of that. */
static void check_memory(struct explorer *x, const npj_stats *said)
{
    uint64_t bytes, idle, kept = npjt_explore_kept(x, &idle), blocks = 1 + said->jobs.live + said->packets.live + kept;
    uint32_t live = npjt_explore_arena_live(x, &bytes);
    if (live != blocks)
        npjt_explore_wrong(x, "%u blocks are live where %llu jobs, %llu packets and %llu that are kept explain %llu",
                           live, (unsigned long long)said->jobs.live, (unsigned long long)said->packets.live,
                           (unsigned long long)kept, (unsigned long long)blocks);
    if (said->memory_bytes != bytes || said->idle_bytes != idle)
        npjt_explore_wrong(x, "the engine counts %llu bytes, %llu of them kept, where %llu and %llu are live",
                           (unsigned long long)said->memory_bytes, (unsigned long long)said->idle_bytes,
                           (unsigned long long)bytes, (unsigned long long)idle);
}

void npjt_explore_check_counters(struct explorer *x)
{
    npj_stats said, right;
    npj_stats_get(x->world->srv, &said);
    check_memory(x, &said);
    npjt_model_stats(x->model, &right);
    said.idle_bytes = said.memory_bytes = 0;
    said.job_bytes = said.packet_bytes = 0;
    if (memcmp(&said, &right, sizeof said) != 0)
        npjt_explore_wrong(x, "the counters of the engine are not those of the model");
}

static void check_jobs(struct explorer *x)
{
    npj_job job;
    for (uint32_t i = 0; (job = npjt_model_job(x->model, i)) != 0; i++) {
        npj_job_info said = {0}, right = {0};
        npj_status status = npj_job_query(x->world->srv, job, &said);
        if (status != npjt_model_query(x->model, job, true, &right) || memcmp(&said, &right, sizeof said) != 0)
            npjt_explore_wrong(x, "a job is in state %s (%s), in the model in %s (%s)", npj_state_name(said.state),
                               npj_status_name(said.failure), npj_state_name(right.state),
                               npj_status_name(right.failure));
    }
}

void npjt_explore_check(struct explorer *x)
{
    const char *invariant = npj_check(x->world->srv);
    if (invariant != NULL)
        npjt_explore_wrong(x, "an invariant of the engine does not hold: %s", invariant);
    check_jobs(x);
    const char *written_to = npjt_explore_arena_check(x);
    if (written_to != NULL)
        npjt_explore_wrong(x, "%s", written_to);
    if (!npjt_explore_has_bytes(x))
        npjt_explore_wrong(x, "the bytes of a write have been changed, or moved, before the pipe has taken them");
    if (npj_deadline(x->world->srv) != npjt_model_deadline(x->model))
        npjt_explore_wrong(x, "the engine's deadline is not the model's");
}

void npjt_explore_check_end(struct explorer *x)
{
    npj_srv *srv = x->world->srv;
    uint64_t bytes;
    npj_srv_free(&srv);
    if (srv != NULL || npjt_explore_arena_live(x, &bytes) > 0)
        npjt_explore_wrong(x, "npj_srv_free() leaves %u blocks", npjt_explore_arena_live(x, &bytes));
    if (x->world->arena.abuse != NULL)
        npjt_explore_wrong(x, "%s", x->world->arena.abuse);
}
