/* SPDX-License-Identifier: MIT */
/* Servers whose calls return what they should not, name what is another's, or come at the wrong time. */
#include "driver_faults_internal.h"
#include "under_asan.h"

/** Whether the server is inside a callback: there trim is refused. */
static bool is_inside(void *srv)
{
    return GOOD.trim(srv) == NPJ_STATUS_INVALID_DEVICE_STATE;
}

static npj_status new_hides_failure(const npj_config *config, void **out)
{
    npj_status status = GOOD.srv_new(config, out);
    return status == NPJ_STATUS_INSUFFICIENT_RESOURCES ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : status;
}

static bool next_has_more_than_room(void *srv, npj_action *out)
{
    return GOOD.next(srv, out) || !out;
}

static void free_keeps_address(void **srv)
{
    void *freed = *srv;
    GOOD.srv_free(&freed);
}

static bool next_finds_more_inside(void *srv, npj_action *out)
{
    return is_inside(srv) || GOOD.next(srv, out);
}

/** A job without a path has one that is made up. */
static npj_status added_makes_up_path(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    const npj_path made_up = {"spool", 5, NPJ_PATH_UTF8};
    return GOOD.job_added(srv, op, status, path ? path : &made_up, job_id);
}

/** Keeps the place of the path, */
static const npj_path *kept_path;

static npj_status added_keeps_place(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    kept_path = path;
    return GOOD.job_added(srv, op, status, path, job_id);
}

/** and looks there again when it is to be opened. */
static bool next_reads_place(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_OPEN && kept_path->encoding != NPJ_PATH_UTF8)
        out->kind = NPJ_CLOSE_PIPE;
    return more;
}

static npj_status write_keeps_job(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                  unsigned flags, npj_req *out)
{
    memory.kept.job = job;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status written_aborts_if_stale(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    npj_status said = GOOD.written(srv, op, status, transferred);
    if (said == NPJ_STATUS_INVALID_HANDLE)
        (void)GOOD.abort(srv, memory.kept.job, NPJ_STATUS_PRINT_CANCELLED);
    return said;
}

static void free_forgets_inside(void **srv)
{
    if (is_inside(*srv))
        *srv = NULL;
    else
        GOOD.srv_free(srv);
}

/* ---------------------------------------------------------------------------------------------------------- handles */

static npj_status add_gives_no_handle(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                      npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING)
        *out = 0;
    return status;
}

/** Each job has the first one's handle. */
static npj_status add_gives_first_handle(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                         npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_PENDING && memory.have)
        *out = memory.kept.job;
    memory.kept.job = status == NPJ_STATUS_PENDING ? *out : memory.kept.job;
    memory.have = true;
    return status;
}

/** The third job has the first one's. */
static npj_status add_gives_old_handle(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                       npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (memory.count == 0)
        memory.kept.job = *out;
    if (++memory.count == 3)
        *out = memory.kept.job;
    return status;
}

static npj_status write_gives_no_handle(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                        unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING && out)
        *out = 0;
    return status;
}

/** Each write has the first one's handle. */
static npj_status write_gives_first_handle(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                           unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING && memory.have && out)
        *out = memory.tag;
    memory.tag = out ? *out : 0;
    memory.have = true;
    return status;
}

/** The 301st has that of the 201st. */
static npj_status write_gives_old_handle(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                         unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    memory.count += status == NPJ_STATUS_PENDING;
    if (status == NPJ_STATUS_PENDING && memory.count == 201)
        memory.tag = *out;
    if (status == NPJ_STATUS_PENDING && memory.count == 301)
        *out = memory.tag;
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- memory */

static npj_status write_aborts_without_memory(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                              unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        (void)GOOD.abort(srv, job, NPJ_STATUS_PRINT_CANCELLED);
    return status;
}

static npj_status new_keeps_a_block(const npj_config *config, void **out)
{
    npj_status status = GOOD.srv_new(config, out);
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        (void)config->mem.alloc(config->mem.user, 8);
    return status;
}

static void allocate(void)
{
    void *block = memory.mem.alloc(memory.mem.user, 32);
    if (block)
        memory.mem.release(memory.mem.user, block, 32);
}

static npj_status close_allocates(void *srv, npj_job job, uint64_t tag)
{
    allocate();
    return GOOD.close(srv, job, tag);
}

static npj_status advance_allocates(void *srv, uint64_t now)
{
    allocate();
    return GOOD.advance(srv, now);
}

static bool next_allocates(void *srv, npj_action *out)
{
    allocate();
    return GOOD.next(srv, out);
}

static void free_allocates(void **srv)
{
    allocate();
    GOOD.srv_free(srv);
}

/** A look at the deadline, behind an advance. */
static npj_status advance_arms(void *srv, uint64_t now)
{
    memory.armed = true;
    return GOOD.advance(srv, now);
}

static uint64_t deadline_allocates(const void *srv)
{
    if (memory.armed)
        allocate();
    return GOOD.deadline(srv);
}

#ifndef UNDER_ASAN
static void free_writes_behind(void **srv)
{
    unsigned char *freed = *srv;
    GOOD.srv_free(srv);
    *freed ^= 1;
}
#endif

/* ------------------------------------------------------------------------------------------------------------- time */

static npj_status advance_refuses(void *srv, uint64_t now)
{
    (void)GOOD.advance(srv, now);
    return NPJ_STATUS_INVALID_PARAMETER;
}

/** One before a deadline is as good as the deadline. */
static npj_status advance_is_early(void *srv, uint64_t now)
{
    uint64_t deadline = GOOD.deadline(srv);
    return GOOD.advance(srv, now + 1 == deadline ? deadline : now);
}

static npj_status advance_sets_the_clock_only(void *srv, uint64_t now)
{
    npj_status status = memory.have ? NPJ_STATUS_SUCCESS : GOOD.advance(srv, now);
    memory.have = true;
    return status;
}

/** A time that is smaller than one before it is taken all the same: what is armed then comes too early. */
static npj_status advance_goes_back(void *srv, uint64_t now)
{
    memory.count = now < memory.tag ? (unsigned)(memory.tag - now) : 0;
    memory.tag = now;
    return GOOD.advance(srv, now);
}

static uint64_t deadline_after_going_back(const void *srv)
{
    uint64_t deadline = GOOD.deadline(srv);
    return deadline == NPJ_NEVER ? deadline : deadline - memory.count;
}

static uint64_t deadline_of_nothing(const void *srv)
{
    uint64_t deadline = GOOD.deadline(srv);
    return deadline == NPJ_NEVER ? 1000 : deadline;
}

/* --------------------------------------------------------------------------------------------------------- the list */

#define THIRTY_TWO "writes length=1 count=all\nhost\n"
#define HUNDREDS   THIRTY_TWO THIRTY_TWO THIRTY_TWO THIRTY_TWO

static size_t returns(struct fault *faults, size_t n)
{
    FAULT("a new without memory is called a cap", 5, "tape 1 fault=nth fault_at=1\n", srv_new, new_hides_failure);
    SAYS("new returned STATUS_INSUFF_SERVER_RESOURCES");
    FAULT("a refused new keeps memory", 5, "tape 1 fault=nth fault_at=1\n", srv_new, new_keeps_a_block);
    SAYS("a refused new keeps memory");
    FAULT("a write without memory aborts its job", 5, "tape 1\nopen\noom fail=next\nwrite length=16\nhost\n", write,
          write_aborts_without_memory);
    SAYS("and changed something");
    FAULT("a write without memory aborts its job, and no record says so", 5,
          "tape 1 fault=nth fault_at=3\nopen\nwrite length=16\nhost\n", write, write_aborts_without_memory);
    SAYS("and changed something");
    FAULT("next has an action, and nowhere to put it", 5, "tape 1\nopen\nnulls call=next\n", next,
          next_has_more_than_room);
    SAYS("next said true with nowhere to put the action");
    FAULT("a path is made up where there is none", 5, "tape 1\nadd\nnext\nadded path=null\n", job_added,
          added_makes_up_path);
    SAYS("job_added returned STATUS_SUCCESS");
    FAULT("a stale completion aborts its job", 5, WRITE_ONE "write length=16\nnext\nwritten op=ended\n", written,
          written_aborts_if_stale);
    faults[n - 1].subject.write = write_keeps_job;
    SAYS("written returned STATUS_INVALID_HANDLE and changed something");
    FAULT("advance is refused", 5, "tape 1\nadvance to=+1\n", advance, advance_refuses);
    SAYS("advance was refused");
    FAULT("next has an action inside a callback", 6,
          "tape 1\nopen\nreenter from=any call=next\nwrite length=16\nhost\n", next, next_finds_more_inside);
    SAYS("next handed out an action");
    FAULT("the engine goes inside a callback", 6, "tape 1\nopen\nreenter from=any call=free\nwrite length=16\nhost\n",
          srv_free, free_forgets_inside);
    SAYS("freed inside a callback");
    FAULT("free leaves the address", 10, WRITE_ONE "free\n", srv_free, free_keeps_address);
    SAYS("free leaves the engine's pointer");
    return n;
}

static size_t allocates(struct fault *faults, size_t n)
{
    FAULT("close allocates", 4, FAIL_ONE, close, close_allocates);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    SAYS("close allocates");
    FAULT("advance allocates", 4, "tape 1\nadvance to=+1\n", advance, advance_allocates);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    SAYS("advance allocates");
    FAULT("next allocates", 4, WRITE_ONE, next, next_allocates);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    SAYS("next allocates");
    FAULT("free allocates", 4, WRITE_ONE "free\n", srv_free, free_allocates);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    SAYS("free allocates");
    FAULT("a look at the deadline allocates", 4, "tape 1\nadvance to=+1\n", advance, advance_arms);
    faults[n - 1].subject.srv_new = driver_fault_keeping_mem;
    faults[n - 1].subject.deadline = deadline_allocates;
    SAYS("a call that only looks allocates");
    return n;
}

size_t driver_faults_in_calls(struct fault *faults, size_t n)
{
    n = allocates(faults, returns(faults, n));
#ifndef UNDER_ASAN
    FAULT("free writes to what it has released", 0, WRITE_ONE "free\n", srv_free, free_writes_behind);
    SAYS("WRITE_AFTER_RELEASE");
#endif
    FAULT("a job has no handle", 3, "tape 1\nopen\n", add_job, add_gives_no_handle);
    SAYS("a new job has the handle of another, or none");
    FAULT("a job has the handle of another", 3, "tape 1\nadd\nadd\n", add_job, add_gives_first_handle);
    SAYS("a new job has the handle of another, or none");
    FAULT("a job has the handle of one that has ended", 3, "tape 1\nopen\nclose\nhost\nadd\n", add_job,
          add_gives_first_handle);
    SAYS("a new job has the handle of one that has ended");
    FAULT("a job has the handle of one that ended long ago", 3, "tape 1\nopen\nclose\nhost\nopen\nclose\nhost\nadd\n",
          add_job, add_gives_old_handle);
    SAYS("a new job has the handle of one that has ended");
    FAULT("the path's place is kept, and looked at when it is to be opened", 3, WRITE_ONE, next, next_reads_place);
    faults[n - 1].subject.job_added = added_keeps_place;
    SAYS("CLOSE_PIPE");
    FAULT("a write has no handle", 3, WRITE_ONE, write, write_gives_no_handle);
    SAYS("a new write has the handle of another, or none");
    FAULT("a write has the handle of another", 3, "tape 1\nopen\nwrites length=1 count=2\n", write,
          write_gives_first_handle);
    SAYS("a new write has the handle of another, or none");
    FAULT("a write has the handle of one a hundred before", 3,
          "tape 1 max_job_packets=32\nopen\n" HUNDREDS HUNDREDS HUNDREDS, write, write_gives_old_handle);
    SAYS("a new write has the handle of one that has been answered");
    FAULT("a job fails before its deadline", 9,
          "tape 1 stall_timeout=10\nadvance to=+0\nopen\nwrite length=16\nnext\nadvance to=deadline-1\nnext\n", advance,
          advance_is_early);
    SAYS("a job was failed before its deadline");
    FAULT("time does not pass", 9, STALL, advance, advance_sets_the_clock_only);
    SAYS("after advance a deadline lies in the past");
    FAULT("the clock goes back", 9,
          "tape 1 stall_timeout=10\nadvance to=+0\nopen\nadvance to=+9\nadvance to=-1\nwrite length=16\n", advance,
          advance_goes_back);
    faults[n - 1].subject.deadline = deadline_after_going_back;
    SAYS("deadline is 18 where 19 is right");
    FAULT("a job that waits for nothing has a deadline", 9, WRITE_ONE, deadline, deadline_of_nothing);
    SAYS("deadline is 1000 where none is right");
    return n;
}
