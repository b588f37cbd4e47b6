/* SPDX-License-Identifier: MIT */
/* Servers whose calls return what they should not, name what is another's, or come at the wrong time. */
#include "driver_faults_internal.h"

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

static void free_forgets_inside(void **srv)
{
    if (is_inside(*srv))
        *srv = NULL;
    else
        GOOD.srv_free(srv);
}

/* ----------------------------------------------------------------------------------------------------------- handles
 */

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

/* ------------------------------------------------------------------------------------------------------------ memory
 */

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

/* AddressSanitizer ends the program where a block is written to that has been released. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#ifndef UNDER_ASAN
static void free_writes_behind(void **srv)
{
    unsigned char *freed = *srv;
    GOOD.srv_free(srv);
    *freed ^= 1;
}
#endif

/* -------------------------------------------------------------------------------------------------------------- time
 */

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
    FAULT("next has an action, and nowhere to put it", 5, "tape 1\nopen\nnulls call=next\n", next,
          next_has_more_than_room);
    SAYS("next said true with nowhere to put the action");
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

size_t driver_faults_in_calls(struct fault *faults, size_t n)
{
    n = returns(faults, n);
#ifndef UNDER_ASAN
    FAULT("free writes to what it has released", 0, WRITE_ONE "free\n", srv_free, free_writes_behind);
    SAYS("WRITE_AFTER_RELEASE");
#endif
    FAULT("a job has no handle", 3, "tape 1\nadd\n", add_job, add_gives_no_handle);
    SAYS("a new job has the handle of another, or none");
    FAULT("a job has the handle of another", 3, "tape 1\nadd\nadd\n", add_job, add_gives_first_handle);
    SAYS("a new job has the handle of another, or none");
    FAULT("a job has the handle of one that has ended", 3, "tape 1\nopen\nclose\nhost\nadd\n", add_job,
          add_gives_first_handle);
    SAYS("a new job has the handle of one that has ended");
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
    FAULT("a job that waits for nothing has a deadline", 9, WRITE_ONE, deadline, deadline_of_nothing);
    SAYS("deadline is 1000 where none is right");
    return n;
}
