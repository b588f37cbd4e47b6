/* SPDX-License-Identifier: MIT */
#include "explore_faults.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct explore_fault explore_fault;
struct explore_seen explore_seen;
size_t explore_engine_bytes;

static npj_config config; /* that the search asks for */

void explore_alarms(unsigned count)
{
    while (count-- > 0)
        (void)raise(SIGALRM);
}

/** The status of a call, or another. */
static npj_status told(const char *call, npj_status status)
{
    bool lies = explore_fault.lies && strcmp(explore_fault.lies, call) == 0 &&
                (explore_fault.instead_of == 0 || explore_fault.instead_of == status);
    return lies ? explore_fault.lie : status;
}

/** The same of a call that is made on a handle. */
static npj_status told_of(const char *call, const npj_srv *srv, uint64_t handle, npj_status status)
{
    return explore_fault.of && !explore_fault.of(srv, handle) ? status : told(call, status);
}

/* ------------------------------------------------------------------------------------------------- what it is given */

/** The callback that is running, or NULL. */
static const char *inside;

static void crooked_trace(void *user, const npj_trace *trace)
{
    npj_trace crooked = *trace;
    if (explore_fault.trace)
        explore_fault.trace(&crooked);
    inside = "trace";
    for (unsigned i = 0; i < explore_fault.caps_more && trace->kind == NPJ_TRACE_NO_POOL; i++)
        config.trace(user, &crooked);
    config.trace(user, &crooked);
    inside = NULL;
}

static size_t allocated; /* last */

static void *alloc(void *user, size_t bytes)
{
    allocated = bytes;
    inside = "alloc";
    void *block = config.mem.alloc(user, bytes + explore_fault.allocates);
    inside = NULL;
    return block;
}

static void release(void *user, void *block, size_t bytes)
{
    inside = "release";
    config.mem.release(user, block, bytes + explore_fault.releases);
    inside = NULL;
}

npj_status explore_fault_srv_new(const npj_config *wanted, npj_srv **out);
npj_status explore_fault_srv_new(const npj_config *wanted, npj_srv **out)
{
    npj_config crooked = *wanted;
    config = *wanted;
    if (explore_fault.refuses)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (explore_fault.gives_none)
        return NPJ_STATUS_SUCCESS;
    crooked.trace = crooked_trace;
    crooked.mem.alloc = alloc;
    crooked.mem.release = release;
    npj_status status = npj_srv_new(&crooked, out);
    explore_engine_bytes = allocated;
    return status;
}

void explore_fault_srv_free(npj_srv **srv);
void explore_fault_srv_free(npj_srv **srv)
{
    if (explore_fault.frees_more) {
        (*srv)->busy = true;
        config.mem.release(config.mem.user, &config, sizeof config);
        (*srv)->busy = false;
    }
    if (explore_fault.keeps_all)
        *srv = NULL;
    else
        npj_srv_free(srv);
}

/* ------------------------------------------------------------------------------------------------------------ calls */

/** A call that may return another status than its own. */
#define LYING(call, handle, parameters, arguments)                                                                     \
    npj_status explore_fault_##call parameters;                                                                        \
    npj_status explore_fault_##call parameters                                                                         \
    {                                                                                                                  \
        return told_of("npj_" #call, srv, handle, npj_##call arguments);                                               \
    }
LYING(close, job, (npj_srv * srv, npj_job job, uint64_t tag), (srv, job, tag))
LYING(cancel, request, (npj_srv * srv, npj_req request), (srv, request))
LYING(job_added, op, (npj_srv * srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id),
      (srv, op, status, path, job_id))
LYING(opened, op, (npj_srv * srv, npj_op op, npj_status status, npj_pipe_mode mode), (srv, op, status, mode))
LYING(done, op, (npj_srv * srv, npj_op op, npj_status status), (srv, op, status))
LYING(abort, job, (npj_srv * srv, npj_job job, npj_status reason), (srv, job, reason))
LYING(client_gone, 0, (npj_srv * srv, uint64_t client, npj_status reason), (srv, client, reason))
LYING(provider_gone, 0, (npj_srv * srv, uint64_t provider), (srv, provider))
LYING(shutdown, 0, (npj_srv * srv, npj_shutdown_how how), (srv, how))

npj_status explore_fault_add_job(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                 npj_job *out);
npj_status explore_fault_add_job(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                 npj_job *out)
{
    npj_status status = npj_add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING && explore_fault.added)
        explore_fault.added(srv, out);
    return told("npj_add_job", status);
}

npj_status explore_fault_written(npj_srv *srv, npj_op op, npj_status status, uint64_t amount);
npj_status explore_fault_written(npj_srv *srv, npj_op op, npj_status status, uint64_t amount)
{
    if (explore_fault.written)
        explore_fault.written(status, amount);
    return told_of("npj_written", srv, op, npj_written(srv, op, status, amount));
}

npj_status explore_fault_connect(npj_srv *srv, npj_job job, uint64_t tag);
npj_status explore_fault_connect(npj_srv *srv, npj_job job, uint64_t tag)
{
    while (explore_fault.hangs)
        explore_alarms(1);
    if (explore_fault.aborts)
        abort();
    npj_status status = npj_connect(srv, job, tag);
    if (explore_fault.refusal && npj_status_is_error(status))
        explore_fault.refusal(srv, status);
    return told_of("npj_connect", srv, job, status);
}

npj_status explore_fault_write(npj_srv *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                               unsigned flags, npj_req *out);
npj_status explore_fault_write(npj_srv *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                               unsigned flags, npj_req *out)
{
    unsigned char old[2], *kept = srv->idle[1] ? (unsigned char *)srv->idle[1] + NPJI_PACKET_BYTES : NULL;
    bool again = explore_fault.keeps_old && kept && srv->stats.packets.live > 0 && flags == NPJ_COPY && length == 2;
    if (again)
        memcpy(old, kept, sizeof old);
    npj_status status = npj_write(srv, job, tag, bytes, length, flags, out);
    if (again && status == NPJ_STATUS_PENDING)
        memcpy(kept, old, sizeof old);
    if (status == NPJ_STATUS_PENDING && explore_fault.wrote)
        explore_fault.wrote(srv, out);
    if (explore_fault.refusal && npj_status_is_error(status))
        explore_fault.refusal(srv, status);
    return told_of("npj_write", srv, job, status);
}

npj_status explore_fault_advance(npj_srv *srv, uint64_t now);
npj_status explore_fault_advance(npj_srv *srv, uint64_t now)
{
    if (explore_fault.sleeps && srv->clock_set && npj_deadline(srv) == NPJ_NEVER)
        return NPJ_STATUS_SUCCESS;
    bool gone = srv->clock_set && now < npji_host_time(srv, srv->now), first = !srv->clock_set;
    npj_status status = npj_advance(srv, now);
    if (first && explore_fault.clock_set)
        explore_fault.clock_set(srv);
    if (gone && explore_fault.time_gone)
        explore_fault.time_gone(srv);
    return told("npj_advance", status);
}

npj_status explore_fault_trim(npj_srv *srv);
npj_status explore_fault_trim(npj_srv *srv)
{
    bool taken = explore_fault.trims_inside && inside && strcmp(explore_fault.trims_inside, inside) == 0;
    return taken ? NPJ_STATUS_SUCCESS : told("npj_trim", npj_trim(srv));
}

bool explore_fault_next(npj_srv *srv, npj_action *out);
bool explore_fault_next(npj_srv *srv, npj_action *out)
{
    return explore_fault.next ? explore_fault.next(srv, out) : npj_next(srv, out);
}

/* ------------------------------------------------------------------------------------------------------- looking in */

/** Once for each event. */
void explore_fault_stats_get(const npj_srv *srv, npj_stats *out);
void explore_fault_stats_get(const npj_srv *srv, npj_stats *out)
{
    npj_stats_get(srv, out);
    if (explore_fault.stats)
        explore_fault.stats(out);
    if (explore_fault.alarm_at_65536 && explore_seen.events++ % 65536 == 10)
        explore_alarms(1);
}

npj_status explore_fault_job_query(const npj_srv *srv, npj_job job, npj_job_info *out);
npj_status explore_fault_job_query(const npj_srv *srv, npj_job job, npj_job_info *out)
{
    npj_status status = npj_job_query(srv, job, out);
    if (status == NPJ_STATUS_SUCCESS && explore_fault.info)
        explore_fault.info(out);
    return told_of("npj_job_query", srv, job, status);
}

uint64_t explore_fault_deadline(const npj_srv *srv);
uint64_t explore_fault_deadline(const npj_srv *srv)
{
    return npj_deadline(srv) + explore_fault.deadline;
}

const char *explore_fault_check(const npj_srv *srv);
const char *explore_fault_check(const npj_srv *srv)
{
    static uint32_t checks;
    while (explore_fault.check_hangs && checks > 0)
        explore_alarms(1);
    checks++;
    return explore_fault.breaks_law ? "it is wrong" : npj_check(srv);
}

/* ------------------------------------------------------------------------------------------ the search's own memory */

static bool memory_is_wanting(void)
{
    return ++explore_seen.allocations == explore_fault.wants_memory;
}

void *explore_fault_calloc(size_t count, size_t bytes);
void *explore_fault_calloc(size_t count, size_t bytes)
{
    if (explore_fault.alarm_in_table && count > 1 << 16)
        explore_alarms(3);
    return memory_is_wanting() ? NULL : calloc(count, bytes);
}

void *explore_fault_malloc(size_t bytes);
void *explore_fault_malloc(size_t bytes)
{
    return memory_is_wanting() ? NULL : malloc(bytes);
}

void *explore_fault_realloc(void *block, size_t bytes);
void *explore_fault_realloc(void *block, size_t bytes)
{
    return memory_is_wanting() ? NULL : realloc(block, bytes);
}

/* ------------------------------------------------------------------------------------------------------- looking on */

void explore_keep_finding(void *user, const char *sentence, const uint8_t *tape, size_t size)
{
    (void)user;
    explore_seen.findings++;
    (void)snprintf(explore_seen.sentence, sizeof explore_seen.sentence, "%s", sentence);
    explore_seen.size = size;
    memcpy(explore_seen.tape, tape, size);
}

const npjt_scope *explore_scope(const char *name)
{
    uint32_t index = 0;
    while (strcmp(npjt_scope_at(index)->name, name) != 0)
        index++;
    return npjt_scope_at(index);
}

npjt_explore_end explore_search(const char *scope, uint64_t max_states)
{
    const npjt_explore_options options = {.max_states = max_states, .finding = explore_keep_finding};
    return npjt_explore(explore_scope(scope), &options, NULL);
}

bool explore_finds_in(const npjt_scope *scope, const char *sentence)
{
    const npjt_explore_options options = {.finding = explore_keep_finding};
    explore_seen = (struct explore_seen){0};
    return npjt_explore(scope, &options, NULL) == NPJT_EXPLORE_FINDING && explore_seen.findings == 1 &&
           strstr(explore_seen.sentence, sentence) != NULL;
}

bool explore_finds(const char *scope, const char *sentence)
{
    return explore_finds_in(explore_scope(scope), sentence);
}
