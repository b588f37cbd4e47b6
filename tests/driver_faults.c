/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "driver_faults_internal.h"

struct fault_memory memory;

void driver_fault_reset(void)
{
    memset(&memory, 0, sizeof memory);
}

/* ------------------------------------------------------------------------------------------ faults in the allocator */

static void *pass_alloc(void *user, size_t bytes)
{
    (void)user;
    return memory.mem.alloc(memory.mem.user, bytes);
}

static void release_wrong_size(void *user, void *block, size_t bytes)
{
    (void)user;
    memory.mem.release(memory.mem.user, block, bytes + 1);
}

npj_status driver_fault_wrong_size(const npj_config *config, void **out)
{
    npj_config changed = *config;
    memory.mem = config->mem;
    changed.mem = (npj_mem){pass_alloc, release_wrong_size, NULL};
    return GOOD.srv_new(&changed, out);
}

npj_status driver_fault_keeping_mem(const npj_config *config, void **out)
{
    memory.mem = config->mem;
    return GOOD.srv_new(config, out);
}

static npj_status write_leaks(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                              npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING)
        (void)memory.mem.alloc(memory.mem.user, 48);
    return status;
}

static npj_status add_leaks(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING)
        (void)memory.mem.alloc(memory.mem.user, 48);
    return status;
}

static void free_forgets(void **srv)
{
    *srv = NULL;
}

/* ---------------------------------------------------------------------------------------------- faults in the calls */

/** Takes a tag for a write of another job. */
static npj_status write_knows_tag(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                  unsigned flags, npj_req *out)
{
    if (memory.have && memory.kept.tag == tag && memory.kept.job != job)
        return NPJ_STATUS_PIPE_CLOSING;
    memory.have = true;
    memory.kept.tag = tag;
    memory.kept.job = job;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

/** Takes a JobId for another provider's. */
static npj_status job_added_knows_job_id(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    if (memory.have && memory.kept.job_id == job_id)
        job_id++;
    memory.have = true;
    memory.kept.job_id = job_id;
    return GOOD.job_added(srv, op, status, path, job_id);
}

/** The cap refuses what it has room for. */
static npj_status write_finds_no_room(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    (void)srv, (void)job, (void)tag, (void)bytes, (void)length, (void)flags, (void)out;
    return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

static npj_status written_takes_stale(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    npj_status said = GOOD.written(srv, op, status, transferred);
    return said == NPJ_STATUS_INVALID_HANDLE ? NPJ_STATUS_SUCCESS : said;
}

static npj_status connect_aborts(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.connect(srv, job, tag);
    if (status == NPJ_STATUS_INVALID_PIPE_STATE)
        (void)GOOD.abort(srv, job, NPJ_STATUS_PRINT_CANCELLED);
    return status;
}

static npj_status connect_wrong_error(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.connect(srv, job, tag);
    return status == NPJ_STATUS_INVALID_PIPE_STATE ? NPJ_STATUS_PIPE_CLOSING : status;
}

static npj_status write_hides_failure(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    return status == NPJ_STATUS_INSUFFICIENT_RESOURCES ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : status;
}

static npj_status write_allocates_first(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                        unsigned flags, npj_req *out)
{
    void *block = memory.mem.alloc(memory.mem.user, 8);
    if (!block)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    memory.mem.release(memory.mem.user, block, 8);
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status write_names_refused(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status != NPJ_STATUS_PENDING && out)
        *out = 0;
    return status;
}

static npj_status add_clears_refused(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                     npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status != NPJ_STATUS_PENDING && out)
        *out = 0;
    return status;
}

/** A handle is made, and told to nobody. */
static npj_status add_without_place(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                    npj_job *out)
{
    npj_job unnamed;
    return GOOD.add_job(srv, client, provider, cookie, tag, out ? out : &unnamed);
}

/** Of an engine only, as is its right. */
static void stats_of_an_engine(const void *srv, npj_stats *out)
{
    (void)*(const volatile unsigned char *)srv;
    GOOD.stats(srv, out);
}

static npj_status new_clears_refused(const npj_config *config, void **out)
{
    npj_status status = GOOD.srv_new(config, out);
    if (status != NPJ_STATUS_SUCCESS)
        *out = NULL;
    return status;
}

/** Accepts a lent write of any length, without a look at it, */
static npj_status write_of_any_length(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_job_info info;
    if (length < UINT32_MAX || GOOD.query(srv, job, &info) != NPJ_STATUS_SUCCESS)
        return GOOD.write(srv, job, tag, bytes, length, flags, out);
    memory.kept = (npj_action){.kind = NPJ_REPLY,
                               .request = NPJ_REQUEST_WRITE,
                               .job = job,
                               .cookie = info.cookie,
                               .tag = tag,
                               .status = NPJ_STATUS_PRINT_CANCELLED};
    *out = UINT64_C(1) << 50;
    return NPJ_STATUS_PENDING;
}

/** and answers it when its job is aborted. */
static npj_status abort_answers(void *srv, npj_job job, npj_status reason)
{
    memory.armed = memory.kept.job == job;
    return GOOD.abort(srv, job, reason);
}

static bool next_answers_kept(void *srv, npj_action *out)
{
    if (!memory.armed || !out)
        return GOOD.next(srv, out);
    memory.armed = false;
    *out = memory.kept;
    return true;
}

static npj_status write_wants_out(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                  unsigned flags, npj_req *out)
{
    return out ? GOOD.write(srv, job, tag, bytes, length, flags, out) : NPJ_STATUS_INVALID_PARAMETER;
}

static npj_status close_says_done_inside(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.close(srv, job, tag);
    return status == NPJ_STATUS_INVALID_DEVICE_STATE ? NPJ_STATUS_PENDING : status;
}

/** Trim is refused inside a callback. */
static npj_status query_refused_inside(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = GOOD.trim((void *)srv);
    return status == NPJ_STATUS_SUCCESS ? GOOD.query(srv, job, out) : status;
}

static npj_status write_names_one_inside(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                         unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_INVALID_DEVICE_STATE)
        *out = 0;
    return status;
}

static npj_status write_never_copies(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                     unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, tag, bytes, length, flags == NPJ_COPY ? NPJ_LEND : flags, out);
}

static npj_status written_counts_less(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    return GOOD.written(srv, op, status, transferred > 1 ? transferred - 1 : transferred);
}

static npj_status client_stays(void *srv, uint64_t client, npj_status reason)
{
    (void)srv;
    (void)client;
    return npj_status_is_error(reason) ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
}

static npj_status provider_takes_all(void *srv, uint64_t provider)
{
    (void)GOOD.provider_gone(srv, 1);
    return GOOD.provider_gone(srv, provider);
}

/* --------------------------------------------------------------------------------------- faults in limits and sight */

static npj_status new_gives_nothing(const npj_config *config, void **out)
{
    (void)config, (void)out;
    return NPJ_STATUS_SUCCESS;
}

static npj_status new_loses_engine(const npj_config *config, void **out)
{
    void *lost;
    (void)out;
    return GOOD.srv_new(config, &lost);
}

static npj_status new_generous(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_job_packets++;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_boundless(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_pool_bytes = UINT64_C(1) << 40;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_hoarding(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_idle_bytes = UINT64_C(1) << 30;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_mean(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_job_packets--;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_patient(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.stall_timeout *= 2;
    return GOOD.srv_new(&changed, out);
}

static npj_status new_hasty(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.stall_timeout /= 2;
    return GOOD.srv_new(&changed, out);
}

/** The deadline, put off by what else the server does. */
static uint64_t deadline_put_off(const void *srv)
{
    uint64_t deadline = GOOD.deadline(srv);
    return deadline == NPJ_NEVER ? deadline : deadline + memory.count;
}

static npj_status written_arms_by_a_part(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    memory.count = transferred > 0 ? 10 : 0;
    return GOOD.written(srv, op, status, transferred);
}

static npj_status shutdown_arms_again(void *srv, npj_shutdown_how how)
{
    memory.count = memory.have ? 10 : 0;
    memory.have = true;
    return GOOD.shutdown(srv, how);
}

/** Where a job has room for one write, it stays as full as if its cancelled one were there. */
static npj_status write_finds_cancelled(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                        unsigned flags, npj_req *out)
{
    return memory.have ? NPJ_STATUS_QUOTA_EXCEEDED : GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status cancel_keeps_bytes(void *srv, npj_req request)
{
    memory.have = true;
    return GOOD.cancel(srv, request);
}

static void stats_lose_packet(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    if (out->packets.total > 0)
        out->packets.live++;
}

static void stats_drift(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->pool_bytes.live += 64 * (out->packets.total - out->packets.live);
}

static npj_status query_changes_reason(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = GOOD.query(srv, job, out);
    if (out && out->failure != NPJ_STATUS_SUCCESS && ++memory.count > 1)
        out->failure =
            out->failure == NPJ_STATUS_IO_TIMEOUT ? NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS : NPJ_STATUS_IO_TIMEOUT;
    return status;
}

static npj_status query_has_third_reason(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = GOOD.query(srv, job, out);
    if (out && out->failure != NPJ_STATUS_SUCCESS)
        out->failure = NPJ_STATUS_ACCESS_DENIED;
    return status;
}

/* --------------------------------------------------------------------------------------------------------- the list */

const struct fault *driver_faults(size_t *count)
{
    static struct fault faults[512];
    size_t n = driver_faults_in_numbers(faults, driver_faults_in_actions(faults));
    n = driver_faults_in_the_life(faults, driver_faults_in_the_trace(faults, driver_faults_of_event_2019(faults, n)));
    n = driver_faults_in_calls(faults, driver_faults_at_the_pipe(faults, n));
    n = driver_faults_at_limits(faults, driver_faults_in_sight(faults, n));
    FAULT("releases by a wrong size", 0, WRITE_ONE, srv_new, driver_fault_wrong_size);
    FAULT("bytes of packets are counted that are not there", 2, WRITE_ONE, stats, stats_drift);
    FAULT("a packet is counted that is not there", 2, WRITE_ONE, stats, stats_lose_packet);
    SAYS("the server counts 2 live packets, not 1");
    FAULT("a packet is kept after its write", 2, WRITE_ONE "write length=16\nhost\n", write, write_leaks);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    FAULT("a packet is kept, and nobody counts", 2, WRITE_ONE "write length=16\nhost\n", write, write_leaks);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.engine_blocks = 0;
    FAULT("something is kept of each job, and nobody counts", 2, "tape 1\nopen\nclose\nhost\nopen\nclose\nhost\n",
          add_job, add_leaks);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.engine_blocks = 0;
    SAYS("memory has grown: with 1 jobs");
    FAULT("a leak while packets are kept for reuse, and nobody counts", 2,
          "tape 1 reuse=on\nopen\nhost\ntrim\nwrite length=16\nhost\ntrim\n", write, write_leaks);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    faults[n - 1].subject.stats = NULL;
    FAULT("a stale operation is completed", 3, WRITE_ONE "written op=ended\n", written, written_takes_stale);
    FAULT("a JobId is another provider's", 11, TWO_PROVIDERS "close job=newest\nclose job=oldest\nhost\n", job_added,
          job_added_knows_job_id);
    FAULT("new says SUCCESS and gives no engine", 5, WRITE_ONE, srv_new, new_gives_nothing);
    SAYS("new returned STATUS_SUCCESS, and gives no engine");
    FAULT("new loses the engine", 5, WRITE_ONE, srv_new, new_loses_engine);
    FAULT("a refused connect aborts", 5, "tape 1\nopen\nconnect\nhost\n", connect, connect_aborts);
    FAULT("a tag is another job's", 5, TWO_PROVIDERS "write job=oldest length=1\nwrite job=newest length=1\n", write,
          write_knows_tag);
    FAULT("the wrong error", 5, "tape 1\nopen\nconnect\nhost\n", connect, connect_wrong_error);
    FAULT("a failed allocation is called a cap", 5, "tape 1\nopen\noom fail=next\nwrite length=16\nhost\n", write,
          write_hides_failure);
    FAULT("the allocator is asked before all else", 5,
          "tape 1\nopen\noom fail=next\nwrite length=16 how=neither\nhost\n", write, write_allocates_first);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    FAULT("a refused new clears the engine", 5, "tape 1 fault=nth fault_at=1\n", srv_new, new_clears_refused);
    faults[n - 1].subject.stats = stats_of_an_engine;
    FAULT("an add needs no place for its handle", 5, "tape 1\nopen\nnulls call=add_job\n", add_job, add_without_place);
    FAULT("a refused add clears the handle", 5, "tape 1 max_jobs=1\nopen\nadd\nhost\n", add_job, add_clears_refused);
    FAULT("a refused write clears the handle", 5, "tape 1\nopen\nwrite length=16 how=neither\nhost\n", write,
          write_names_refused);
    FAULT("a write of any length is accepted", 5,
          "tape 1\nopen\nwrite length=huge how=lend\nabort status=print_cancelled\nhost\n", write, write_of_any_length);
    faults[n - 1].subject.abort = abort_answers;
    faults[n - 1].subject.next = next_answers_kept;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.query = NULL;
    FAULT("a write must have a place for its handle", 5, "tape 1\nopen\nnulls call=write\nhost\n", write,
          write_wants_out);
    FAULT("a call inside a callback says done", 6, INSIDE, close, close_says_done_inside);
    SAYS("close returned STATUS_");
    FAULT("a write inside a callback gives out a handle", 6,
          "tape 1\nopen\nreenter from=any call=write\nwrite length=16\nhost\n", write, write_names_one_inside);
    SAYS("write wrote a handle inside a callback");
    FAULT("query is refused inside a callback", 6, "tape 1\nopen\nreenter from=any call=query\nwrite length=16\nhost\n",
          query, query_refused_inside);
    SAYS("query is refused");
    FAULT("copied bytes are not copied", 7, WRITE_ONE, write, write_never_copies);
    FAULT("the pipe took more than is said", 8, WRITE_ONE, written, written_counts_less);
    FAULT("more packets than the limit", 9, FILL, srv_new, new_generous);
    FAULT("more memory than the limit, and nobody counts", 9,
          "tape 1 max_pool=1024 max_job_packets=16\nopen\nhost\nwrites length=256 count=8\nhost\n", srv_new,
          new_boundless);
    faults[n - 1].subject.stats = NULL;
    FAULT("more is kept for reuse than the limit", 9, "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext count=1\n",
          srv_new, new_hoarding);
    FAULT("a deadline that comes too late", 9, STALL, srv_new, new_patient);
    SAYS("deadline is 20 where 10 is right");
    FAULT("a deadline that comes too early", 9, STALL, srv_new, new_hasty);
    FAULT("a part of a message arms the stall deadline", 9, PART_OF_A_MESSAGE, written, written_arms_by_a_part);
    faults[n - 1].subject.deadline = deadline_put_off;
    FAULT("a second drain arms its deadline", 9, SECOND_DRAIN, shutdown, shutdown_arms_again);
    faults[n - 1].subject.deadline = deadline_put_off;
    FAULT("a cancelled write's bytes are kept, and nobody counts", 11, CANCELLED_BYTES, write, write_finds_cancelled);
    faults[n - 1].subject.cancel = cancel_keeps_bytes;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.query = NULL;
    FAULT("a client that goes is kept", 10,
          "tape 1\nopen\nwrite length=16\nclient_gone status=network_name_deleted\nhost\n", client_gone, client_stays);
    FAULT("free does not free", 10, WRITE_ONE "free\n", srv_free, free_forgets);
    FAULT("free does not free an engine without a job", 10, "tape 1\nfree\n", srv_free, free_forgets);
    FAULT("a job below its limit is refused", 11, FILL, srv_new, new_mean);
    FAULT("a cap refuses where nothing is", 11, "tape 1 max_pool=4096\nopen\nwrite length=16\n", write,
          write_finds_no_room);
    FAULT("a cap refuses that nobody has set, and nobody counts", 11, "tape 1\nopen\nwrite length=16\n", write,
          write_finds_no_room);
    faults[n - 1].subject.stats = NULL;
    FAULT("another provider's jobs go as well", 11,
          "tape 1\nopen provider=1\nopen provider=2\nprovider_gone provider=2\nhost\n", provider_gone,
          provider_takes_all);
    FAULT("a failure has two reasons", 12, TWO_REASONS, query, query_changes_reason);
    FAULT("a failure has a third reason", 12, TWO_REASONS, query, query_has_third_reason);
    *count = n;
    return faults;
}

const struct fault *driver_fault_of(const char *name)
{
    size_t count;
    const struct fault *fault = driver_faults(&count), *end = fault + count;
    driver_fault_reset();
    while (fault < end && strcmp(fault->name, name) != 0)
        fault++;
    cr_assert_neq(fault, end, "%s", name);
    return fault;
}
