/* SPDX-License-Identifier: MIT */
/* Servers that take what they must refuse, or refuse it for another reason. */
#include "driver_faults_internal.h"

/* ------------------------------------------------------------------------------------------------------- the limits */

#define WITHOUT_LIMIT(limit)                                                                                           \
    static npj_status new_without_##limit(const npj_config *config, void **out)                                        \
    {                                                                                                                  \
        npj_config changed = *config;                                                                                  \
        changed.limit = 1024;                                                                                          \
        return GOOD.srv_new(&changed, out);                                                                            \
    }
WITHOUT_LIMIT(max_jobs)
WITHOUT_LIMIT(max_packets)

static npj_status shutdown_does_nothing(void *srv, npj_shutdown_how how)
{
    (void)srv, (void)how;
    return NPJ_STATUS_SUCCESS;
}

/** The tapes have place for so many. */
#define ADDS_16 "add\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\nadd\n"
#define OPEN_16 "open\nwrites length=1 count=all\n"

static size_t limits(struct fault *faults, size_t n)
{
    FAULT("more jobs than the cap", 9, "tape 1 max_jobs=1\nadd\nadd\n", srv_new, new_without_max_jobs);
    FAULT("more jobs than there may be at the most", 9, "tape 1 max_jobs=16\n" ADDS_16 "add\n", srv_new,
          new_without_max_jobs);
    FAULT("more packets than the cap", 9, "tape 1 max_packets=2\nopen\nwrites length=1 count=3\n", srv_new,
          new_without_max_packets);
    FAULT("more packets than there may be at the most", 9,
          "tape 1 max_jobs=16 max_job_packets=16 max_packets=128\n" OPEN_16 OPEN_16 OPEN_16 OPEN_16 OPEN_16 OPEN_16
              OPEN_16 OPEN_16 OPEN_16 "write how=lend\n",
          srv_new, new_without_max_packets);
    FAULT("a job is taken during a shutdown", 10, "tape 1\nshutdown how=drain\nadd\n", shutdown, shutdown_does_nothing);
    SAYS("add_job returned STATUS_PENDING");
    return n;
}

/* ------------------------------------------------------------------------------------------------- another reason */

/** A write whose status @p from is @p to. */
#define SAYS_INSTEAD(name, from, to)                                                                                   \
    static npj_status name(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,   \
                           npj_req *out)                                                                               \
    {                                                                                                                  \
        npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);                                      \
        return status == (from) ? (to) : status;                                                                       \
    }
SAYS_INSTEAD(write_calls_quota_memory, NPJ_STATUS_QUOTA_EXCEEDED, NPJ_STATUS_INSUFFICIENT_RESOURCES)
SAYS_INSTEAD(write_calls_pool_broken, NPJ_STATUS_INSUFF_SERVER_RESOURCES, NPJ_STATUS_PIPE_BROKEN)
SAYS_INSTEAD(write_calls_flags_pool, NPJ_STATUS_INVALID_PARAMETER, NPJ_STATUS_INSUFF_SERVER_RESOURCES)
SAYS_INSTEAD(write_of_stale_quota, NPJ_STATUS_INVALID_HANDLE, NPJ_STATUS_QUOTA_EXCEEDED)
SAYS_INSTEAD(write_takes_stale, NPJ_STATUS_INVALID_HANDLE, NPJ_STATUS_PENDING)

static npj_status write_with_both_copies(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                         unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, tag, bytes, length, flags == (NPJ_COPY | NPJ_LEND) ? NPJ_COPY : flags, out);
}

static npj_status write_ignores_the_unknown(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                            unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, tag, bytes, length, flags > 4 ? flags & 3 : flags, out);
}

/** Room for a write is room for three of them. */
static npj_status write_wants_much_room(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                        unsigned flags, npj_req *out)
{
    return length < 1460 ? GOOD.write(srv, job, tag, bytes, length, flags, out) : NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

static npj_status write_of_nothing(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                   unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, tag, bytes ? bytes : "", bytes ? length : 0, flags, out);
}

static npj_status cancel_takes_all(void *srv, npj_req request)
{
    (void)GOOD.cancel(srv, request);
    return NPJ_STATUS_SUCCESS;
}

static npj_status abort_takes_stale(void *srv, npj_job job, npj_status reason)
{
    npj_status status = GOOD.abort(srv, job, reason);
    return status == NPJ_STATUS_INVALID_HANDLE ? NPJ_STATUS_SUCCESS : status;
}

static npj_status connect_takes_stale(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.connect(srv, job, tag);
    return status == NPJ_STATUS_INVALID_HANDLE ? NPJ_STATUS_PENDING : status;
}

static npj_status close_takes_stale(void *srv, npj_job job, uint64_t tag)
{
    npj_status status = GOOD.close(srv, job, tag);
    return status == NPJ_STATUS_INVALID_HANDLE ? NPJ_STATUS_PENDING : status;
}

/** What the pool refuses ends its job. */
static npj_status write_ends_job(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                 unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_INSUFF_SERVER_RESOURCES)
        (void)GOOD.abort(srv, job, NPJ_STATUS_PRINT_CANCELLED);
    return status;
}

#define POOL_IS_FULL "tape 1 max_pool=256\nopen\nwrites length=64 count=all\nwrite length=64 how=neither\n"
#define ENDED        "tape 1\nopen\nclose\nhost\n"

size_t driver_faults_at_limits(struct fault *faults, size_t n)
{
    n = limits(faults, n);
    FAULT("a job's limit is called want of memory", 5, FILL, write, write_calls_quota_memory);
    FAULT("a full pool is called a broken pipe", 5, POOL_IS_FULL, write, write_calls_pool_broken);
    SAYS("write returned STATUS_PIPE_BROKEN (0xC000014B) where STATUS_PENDING is right");
    FAULT("bad flags are called a full pool", 5, POOL_IS_FULL, write, write_calls_flags_pool);
    SAYS("write returned STATUS_INSUFF_SERVER_RESOURCES (0xC0000205) where STATUS_INVALID_PARAMETER is right");
    FAULT("the pool refuses what fits into it twice", 11, "tape 1 max_pool=4096\nopen\nwrite length=1460\n", write,
          write_wants_much_room);
    FAULT("a write without bytes is taken for an empty one", 5, "tape 1\nopen\nnulls call=write\n", write,
          write_of_nothing);
    FAULT("a write that is copied and lent is copied", 5, "tape 1\nopen\nwrite how=both\n", write,
          write_with_both_copies);
    FAULT("flags that nobody knows are left out", 5, "tape 1\nopen\nwrite how=unknown\n", write,
          write_ignores_the_unknown);
    FAULT("a write that the pool refuses ends its job", 5, POOL_IS_FULL, write, write_ends_job);
    SAYS("write returned STATUS_INSUFF_SERVER_RESOURCES and changed something");
    FAULT("a connect of a job that has ended is taken", 3, ENDED "connect job=ended\n", connect, connect_takes_stale);
    FAULT("a write to a job that has ended is taken", 3, ENDED "write job=ended\n", write, write_takes_stale);
    FAULT("a write to a job that has ended is one too many", 3, ENDED "write job=ended\n", write, write_of_stale_quota);
    FAULT("an abort of a job that has ended is taken", 3, ENDED "abort job=ended status=cancelled\n", abort,
          abort_takes_stale);
    FAULT("a cancel of no write is taken", 5, "tape 1\nopen\ncancel write=null\n", cancel, cancel_takes_all);
    FAULT("a cancel of what has been answered is taken", 5,
          "tape 1\nopen\nwrite\nabort status=cancelled\ncancel write=newest\n", cancel, cancel_takes_all);
    FAULT("a close of a job that has ended is taken", 3, ENDED "close job=ended\n", close, close_takes_stale);
    return n;
}
