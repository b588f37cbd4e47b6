/* SPDX-License-Identifier: MIT */
#include "oom_faults.h"

#include <stddef.h>

#define GOOD npjt_subject_npjob

/* Of the engine that was made last. */
static npj_mem mem;
static unsigned writes;

static npj_status new_noting_memory(const npj_config *config, void **out)
{
    mem = config->mem;
    writes = 0;
    return GOOD.srv_new(config, out);
}

static npj_status write_wants_without_cause(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                            unsigned flags, npj_req *out)
{
    if (++writes == 2)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

static npj_status write_blames_the_cap(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                       unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    return status == NPJ_STATUS_INSUFFICIENT_RESOURCES ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : status;
}

static npj_status write_fails_the_job(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        (void)GOOD.abort(srv, job, status);
    return status;
}

static npj_status add_keeps_a_part(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                   npj_job *out)
{
    npj_status status = GOOD.add_job(srv, client, provider, cookie, tag, out);
    if (status == NPJ_STATUS_INSUFFICIENT_RESOURCES)
        (void)mem.alloc(mem.user, 40);
    return status;
}

/* Nothing is said of an allocation that has failed, if the next one does not. */
static void *alloc_twice(void *user, size_t bytes)
{
    void *block = mem.alloc(mem.user, bytes);
    (void)user;
    return block != NULL ? block : mem.alloc(mem.user, bytes);
}

static void release_once(void *user, void *block, size_t bytes)
{
    (void)user;
    mem.release(mem.user, block, bytes);
}

static npj_status new_that_insists(const npj_config *config, void **out)
{
    npj_config changed = *config;
    mem = config->mem;
    changed.mem = (npj_mem){alloc_twice, release_once, NULL};
    return GOOD.srv_new(&changed, out);
}

const struct oom_fault *oom_faults(size_t *count)
{
    static struct oom_fault faults[5];
    size_t n = 0;
#define FAULT(text, number, member, function)                                                                          \
    do {                                                                                                               \
        faults[n] = (struct oom_fault){text, number, GOOD};                                                            \
        faults[n].subject.name = "npjob with a fault";                                                                 \
        faults[n].subject.srv_new = new_noting_memory;                                                                 \
        faults[n++].subject.member = function;                                                                         \
    } while (0)
    FAULT("a write wants for memory without cause", NPJT_LAW_ALL_OR_NOTHING, write, write_wants_without_cause);
    FAULT("a failed allocation is called a cap", NPJT_LAW_ALL_OR_NOTHING, write, write_blames_the_cap);
    FAULT("a refused write fails its job", NPJT_LAW_ALL_OR_NOTHING, write, write_fails_the_job);
    FAULT("a refused add keeps a block", NPJT_LAW_PACKETS, add_job, add_keeps_a_part);
    FAULT("a failed allocation is made again", NPJT_LAW_ALL_OR_NOTHING, srv_new, new_that_insists);
#undef FAULT
    *count = n;
    return faults;
}
