/* SPDX-License-Identifier: MIT */
#include "driver_faults.h"

#include <stddef.h>
#include <string.h>

#define GOOD npjt_subject_npjob

/** What the faults remember between calls. */
static struct {
    npj_mem mem;
    npj_action kept;
    bool have, armed;
    unsigned count;
    uint8_t bytes[65536];
    npj_iov iov;
} memory;

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

static npj_status new_wrong_size(const npj_config *config, void **out)
{
    npj_config changed = *config;
    memory.mem = config->mem;
    changed.mem = (npj_mem){pass_alloc, release_wrong_size, NULL};
    return GOOD.srv_new(&changed, out);
}

static npj_status new_keeping_mem(const npj_config *config, void **out)
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

static npj_status close_allocates(void *srv, npj_job job, uint64_t tag)
{
    void *block = memory.mem.alloc(memory.mem.user, 32);
    if (block)
        memory.mem.release(memory.mem.user, block, 32);
    return GOOD.close(srv, job, tag);
}

static void free_forgets(void **srv)
{
    *srv = NULL;
}

/* -------------------------------------------------------------------------------------------- faults in the actions */

static bool next_drops_reply(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && !memory.have) {
        memory.have = true;
        return GOOD.next(srv, out);
    }
    return more;
}

static bool is_kind(const npj_action *action, npj_action_kind kind)
{
    return action && action->kind == kind;
}

/** Says the first action of a kind twice. */
static bool twice(void *srv, npj_action *out, npj_action_kind kind)
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, kind) && !memory.have) {
        memory.have = memory.armed = true;
        memory.kept = *out;
    }
    return more;
}

static bool next_repeats_reply(void *srv, npj_action *out)
{
    return twice(srv, out, NPJ_REPLY);
}

static bool next_repeats_cancel(void *srv, npj_action *out)
{
    return twice(srv, out, NPJ_CANCEL);
}

/** Keeps every action of a kind to itself. */
static bool without(void *srv, npj_action *out, npj_action_kind kind)
{
    npj_action action;
    bool more;
    do
        more = GOOD.next(srv, &action);
    while (more && action.kind == kind);
    if (more && out)
        *out = action;
    return more;
}

static bool next_without_resume(void *srv, npj_action *out)
{
    return without(srv, out, NPJ_RESUME);
}

static bool next_without_idle(void *srv, npj_action *out)
{
    return without(srv, out, NPJ_IDLE);
}

static bool next_without_return(void *srv, npj_action *out)
{
    return without(srv, out, NPJ_RETURN);
}

static bool is_write_reply(const npj_action *action)
{
    return action->kind == NPJ_REPLY && action->request == NPJ_REQUEST_WRITE;
}

/** Says the first two replies of writes in the wrong order. */
static bool next_swaps_replies(void *srv, npj_action *out)
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && out && is_write_reply(out) && !memory.have && GOOD.next(srv, &memory.kept)) {
        memory.have = memory.armed = true;
        if (is_write_reply(&memory.kept)) {
            npj_action first = *out;
            *out = memory.kept;
            memory.kept = first;
        }
    }
    return more;
}

static bool next_changes_byte(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_WRITE) && out->count > 0 && out->iov[0].length <= sizeof memory.bytes) {
        memcpy(memory.bytes, out->iov[0].base, out->iov[0].length);
        memory.bytes[out->iov[0].length / 2] ^= 1;
        memory.iov = (npj_iov){memory.bytes, out->iov[0].length};
        out->iov = &memory.iov;
        out->iov_count = 1;
        out->count = memory.iov.length;
    }
    return more;
}

/** The iovec of a WRITE, in memory that a later call uses for something else. */
static bool next_lends_iovec(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_WRITE) && out->iov_count == 1) {
        memory.iov = out->iov[0];
        out->iov = &memory.iov;
    }
    return more;
}

static npj_status write_takes_iovec(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                    unsigned flags, npj_req *out)
{
    memory.iov = (npj_iov){0};
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static bool next_writes_nothing(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (!more && out)
        out->tag = 1;
    return more;
}

static bool next_counts_short(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY) && out->request == NPJ_REQUEST_WRITE && out->count > 0)
        out->count--;
    return more;
}

static bool next_closes_with_success(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY) && out->request == NPJ_REQUEST_CLOSE)
        out->status = NPJ_STATUS_SUCCESS;
    return more;
}

static bool next_schedules_anyway(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_ABANDON_JOB)) {
        out->kind = NPJ_SCHEDULE_JOB;
        out->status = NPJ_STATUS_SUCCESS;
    }
    return more;
}

static bool next_closes_pipe_well(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_CLOSE_PIPE))
        out->status = NPJ_STATUS_SUCCESS;
    return more;
}

/* ---------------------------------------------------------------------------------------------- faults in the calls */

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
        *out = 1;
    return status;
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
    for (uint64_t other = 1; other <= 3; other++)
        (void)GOOD.provider_gone(srv, other);
    return GOOD.provider_gone(srv, provider);
}

/* --------------------------------------------------------------------------------------- faults in limits and sight */

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

static void stats_lose_packet(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    if (out->packets.total > 0)
        out->packets.live++;
}

/* --------------------------------------------------------------------------------------------------------- the list */

#define WRITE_ONE "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext\n"
#define FAIL_ONE  "tape 1\nopen\nwrite length=16\nnext\nfail status=pipe_broken\nnext\nclose\nhost\n"
#define STALL                                                                                                          \
    "tape 1 stall_timeout=10\nadvance to=+0\nopen\nwrite length=16\nnext\nadvance to=+10\nadvance to=+100\nnext\n"
#define FILL "tape 1 max_job_packets=4\nopen\nwrites length=1 count=all\nhost\nclose\nhost\n"
#define CANCELLED                                                                                                      \
    "tape 1\nopen\nwrite length=16\nnext\ncancel write=newest\nnext\nwritten status=cancelled amount=0\nclose\nhost\n"
#define INSIDE "tape 1\nopen\nreenter from=any call=close\nwrite length=16\nhost\n"

const struct fault *driver_faults(size_t *count)
{
    static struct fault faults[48];
    size_t n = 0;
#define FAULT(text, number, events, member, function)                                                                  \
    do {                                                                                                               \
        faults[n] = (struct fault){text, number, events, GOOD};                                                        \
        faults[n].subject.name = "npjob with a fault";                                                                 \
        faults[n++].subject.member = function;                                                                         \
    } while (0)
    FAULT("releases by a wrong size", 0, WRITE_ONE, srv_new, new_wrong_size);
    FAULT("a reply is dropped", 1, WRITE_ONE, next, next_drops_reply);
    FAULT("a reply is said twice", 1, WRITE_ONE, next, next_repeats_reply);
    FAULT("a packet is counted that is not there", 2, WRITE_ONE, stats, stats_lose_packet);
    FAULT("a packet is kept after its write", 2, WRITE_ONE "write length=16\nhost\n", write, write_leaks);
    faults[n - 1].subject.srv_new = new_keeping_mem;
    FAULT("a packet is kept, and nobody counts", 2, WRITE_ONE "write length=16\nhost\n", write, write_leaks);
    faults[n - 1].subject.srv_new = new_keeping_mem;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.engine_blocks = 0;
    FAULT("a CANCEL is said twice", 3, CANCELLED, next, next_repeats_cancel);
    FAULT("a stale operation is completed", 3, WRITE_ONE "written op=ended\n", written, written_takes_stale);
    FAULT("close allocates", 4, FAIL_ONE, close, close_allocates);
    faults[n - 1].subject.srv_new = new_keeping_mem;
    FAULT("a refused connect aborts", 5, "tape 1\nopen\nconnect\nhost\n", connect, connect_aborts);
    FAULT("the wrong error", 5, "tape 1\nopen\nconnect\nhost\n", connect, connect_wrong_error);
    FAULT("a failed allocation is called a cap", 5, "tape 1\nopen\noom fail=next\nwrite length=16\nhost\n", write,
          write_hides_failure);
    FAULT("the allocator is asked before all else", 5,
          "tape 1\nopen\noom fail=next\nwrite length=16 how=neither\nhost\n", write, write_allocates_first);
    faults[n - 1].subject.srv_new = new_keeping_mem;
    FAULT("a refused write has a handle", 5, "tape 1\nopen\nwrite length=16 how=neither\nhost\n", write,
          write_names_refused);
    FAULT("a write must have a place for its handle", 5, "tape 1\nopen\nnulls call=write\nhost\n", write,
          write_wants_out);
    FAULT("next writes an action where there is none", 5, WRITE_ONE, next, next_writes_nothing);
    FAULT("a call inside a callback says done", 6, INSIDE, close, close_says_done_inside);
    FAULT("a byte is changed", 7, WRITE_ONE, next, next_changes_byte);
    FAULT("copied bytes are not copied", 7, WRITE_ONE, write, write_never_copies);
    FAULT("replies of writes change places", 7, "tape 1\nopen\nwrites length=4 count=3\nhost\n", next,
          next_swaps_replies);
    FAULT("a write's count is one short", 8, WRITE_ONE, next, next_counts_short);
    FAULT("the pipe took more than is said", 8, WRITE_ONE, written, written_counts_less);
    FAULT("more packets than the limit", 9, FILL, srv_new, new_generous);
    FAULT("more memory than the limit, and nobody counts", 9,
          "tape 1 max_pool=1024 max_job_packets=16\nopen\nhost\nwrites length=256 count=8\nhost\n", srv_new,
          new_boundless);
    faults[n - 1].subject.stats = NULL;
    FAULT("more is kept for reuse than the limit", 9, "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext count=1\n",
          srv_new, new_hoarding);
    FAULT("RESUME never comes", 9, FILL, next, next_without_resume);
    FAULT("IDLE never comes", 9, FILL, next, next_without_idle);
    FAULT("RETURN never comes", 9,
          "tape 1\nopen\nwrite length=16 how=lend\nnext\nabort status=print_cancelled\nnext\ncomplete\nnext\n", next,
          next_without_return);
    FAULT("a deadline that comes too late", 9, STALL, srv_new, new_patient);
    FAULT("a deadline that comes too early", 9, STALL, srv_new, new_hasty);
    FAULT("a client that goes is kept", 10,
          "tape 1\nopen\nwrite length=16\nclient_gone status=network_name_deleted\nhost\n", client_gone, client_stays);
    FAULT("free does not free", 10, WRITE_ONE "free\n", srv_free, free_forgets);
    FAULT("the iovecs of a WRITE are used anew", 10,
          "tape 1\nopen\nwrite length=16\nnext count=1\nwrite length=16\nhost\n", next, next_lends_iovec);
    faults[n - 1].subject.write = write_takes_iovec;
    FAULT("a job below its limit is refused", 11, FILL, srv_new, new_mean);
    FAULT("another provider's jobs go as well", 11,
          "tape 1\nopen provider=1\nopen provider=2\nprovider_gone provider=2\nhost\n", provider_gone,
          provider_takes_all);
    FAULT("a truncated job's close succeeds", 12, CANCELLED, next, next_closes_with_success);
    FAULT("a failed job is scheduled", 12, FAIL_ONE, next, next_schedules_anyway);
    FAULT("a failed job's pipe is closed as if whole", 12, FAIL_ONE, next, next_closes_pipe_well);
#undef FAULT
    *count = n;
    return faults;
}
