/* SPDX-License-Identifier: MIT */
/* Servers of which one member of an action, or one counter, is not as the model says. */
#include <string.h>

#include "model_faults.h"

#define GOOD npjt_subject_npjob

/** What is changed, and where. */
static struct {
    npj_action_kind kind;
    void (*action)(npj_action *said);
    void (*stats)(npj_stats *said);
    void (*info)(npj_job_info *said);
} changes;

static bool next_changed(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == changes.kind)
        changes.action(out);
    return more;
}

static bool next_dropped(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    return more && out && out->kind == changes.kind ? GOOD.next(srv, out) : more;
}

static void stats_changed(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    changes.stats(out);
}

static npj_status query_changed(const void *srv, npj_job job, npj_job_info *out)
{
    npj_status status = GOOD.query(srv, job, out);
    if (status == NPJ_STATUS_SUCCESS && out)
        changes.info(out);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- an action */

static npj_iov iov[2];
static const unsigned char elsewhere[16];

/** The iovecs of a WRITE of one or two, to be changed. */
static void take_iovecs(npj_action *said)
{
    memcpy(iov, said->iov, said->iov_count * sizeof *iov);
    said->iov = iov;
}

#define ACTION(name, statement)                                                                                        \
    static void name(npj_action *said)                                                                                 \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
ACTION(other_job, said->job ^= UINT64_C(1) << 40)
ACTION(other_request, said->request = NPJ_REQUEST_CONNECT)
ACTION(other_cookie, said->cookie ^= 1)
ACTION(other_op, said->op ^= UINT64_C(1) << 40)
ACTION(other_tag, said->tag ^= 1)
ACTION(other_status, said->status ^= 1)
ACTION(other_job_id, said->job_id ^= 1)
ACTION(other_count, said->count ^= 1)
ACTION(held, said->held = !said->held)
ACTION(one_iovec_more, take_iovecs(said); iov[1] = iov[0]; said->iov_count++)
ACTION(no_iovec, said->iov = NULL)
ACTION(other_kind, said->kind = NPJ_OPEN)
ACTION(second_shorter, take_iovecs(said); iov[1].length--)
ACTION(shorter, take_iovecs(said); iov[0].length--)
ACTION(other_bytes, take_iovecs(said); iov[0].base = elsewhere)

/* ----------------------------------------------------------------------------------------------------- the counters */

#define STATS(name, member)                                                                                            \
    static void name(npj_stats *said)                                                                                  \
    {                                                                                                                  \
        said->member++;                                                                                                \
    }
STATS(jobs_live, jobs.live)
STATS(jobs_peak, jobs.peak)
STATS(jobs_total, jobs.total)
STATS(packets_total, packets.total)
STATS(reserved_live, reserved_packets.live)
STATS(reserved_peak, reserved_packets.peak)
STATS(reserved_total, reserved_packets.total)
STATS(pool_peak, pool_bytes.peak)
STATS(pool_total, pool_bytes.total)
STATS(accepted, accepted)
STATS(replies, replies)
STATS(operations, operations)
STATS(bytes_accepted, bytes_accepted)
STATS(bytes_taken, bytes_taken)

#define INFO(name, member)                                                                                             \
    static void name(npj_job_info *said)                                                                               \
    {                                                                                                                  \
        said->member ^= 1;                                                                                             \
    }
INFO(info_failure, failure)
INFO(info_client, client)
INFO(info_provider, provider)
INFO(info_cookie, cookie)
INFO(info_bytes, bytes)
INFO(info_packets, packets)
INFO(info_job_id, job_id)

/* --------------------------------------------------------------------------------------------------------- the list */

#define LENT "tape 1\nopen\nwrite length=16 how=lend\nnext\nabort status=print_cancelled\nhost\n"
#define ALL  "tape 1\nopen\nwrite length=16\nhost\nclose\nhost\n"

static const struct {
    const char *says, *tape;
    npj_action_kind kind;
    void (*change)(npj_action *said);
} actions[] = {
    {"the server says OPEN of job", ALL, NPJ_ADD_JOB, other_kind},
    {"REPLY: job is", ALL, NPJ_REPLY, other_job},
    {"REPLY: request is", ALL, NPJ_REPLY, other_request},
    {"OPEN: cookie is", ALL, NPJ_OPEN, other_cookie},
    {"CANCEL: op is", LENT, NPJ_CANCEL, other_op},
    {"REPLY: tag is", ALL, NPJ_REPLY, other_tag},
    {"CLOSE_PIPE: status is STATUS_(unknown) (0x00000001), and the model says STATUS_SUCCESS (0x00000000)", ALL,
     NPJ_CLOSE_PIPE, other_status},
    {"SCHEDULE_JOB: job_id is", ALL, NPJ_SCHEDULE_JOB, other_job_id},
    {"WRITE: count is", ALL, NPJ_WRITE, other_count},
    {"REPLY: held is", ALL, NPJ_REPLY, held},
    {"WRITE: iov_count is", ALL, NPJ_WRITE, one_iovec_more},
    {"WRITE: having an iov is", ALL, NPJ_WRITE, no_iovec},
    {"WRITE: an iovec's length is", ALL, NPJ_WRITE, shorter},
    {"WRITE: an iovec's length is", "tape 1\nopen\nwrite\nwrite\nnext\n", NPJ_WRITE, second_shorter},
    {"WRITE: a lent iovec's base is", LENT, NPJ_WRITE, other_bytes},
    {"the model says IDLE, and the server nothing", ALL, NPJ_IDLE, NULL},
};

static const struct {
    const char *says;
    void (*change)(npj_stats *said);
} counters[] = {
    {"stats of jobs: live", jobs_live},
    {"stats of jobs: peak", jobs_peak},
    {"stats of jobs: total", jobs_total},
    {"stats of packets: total", packets_total},
    {"stats of reserved packets: live", reserved_live},
    {"stats of reserved packets: peak", reserved_peak},
    {"stats of reserved packets: total", reserved_total},
    {"stats of pool bytes: peak", pool_peak},
    {"stats of pool bytes: total", pool_total},
    {"stats: accepted", accepted},
    {"stats: replies", replies},
    {"stats: operations", operations},
    {"stats: bytes_accepted", bytes_accepted},
    {"stats: bytes_taken", bytes_taken},
};

static const struct {
    const char *says;
    void (*change)(npj_job_info *said);
} members[] = {
    {"query: failure", info_failure}, {"query: client", info_client}, {"query: provider", info_provider},
    {"query: cookie", info_cookie},   {"query: bytes", info_bytes},   {"query: packets", info_packets},
    {"query: job_id", info_job_id},
};

enum {
    ACTIONS = sizeof actions / sizeof *actions,
    COUNTERS = sizeof counters / sizeof *counters,
    MEMBERS = sizeof members / sizeof *members
};

bool model_member(size_t index, struct model_member *out)
{
    *out = (struct model_member){.tape = ALL, .subject = GOOD};
    if (index < ACTIONS) {
        changes.kind = actions[index].kind;
        changes.action = actions[index].change;
        out->says = actions[index].says;
        out->tape = actions[index].tape;
        out->subject.next = changes.action ? next_changed : next_dropped;
    } else if (index < ACTIONS + COUNTERS) {
        changes.stats = counters[index - ACTIONS].change;
        out->says = counters[index - ACTIONS].says;
        out->subject.stats = stats_changed;
    } else if (index < ACTIONS + COUNTERS + MEMBERS) {
        changes.info = members[index - ACTIONS - COUNTERS].change;
        out->says = members[index - ACTIONS - COUNTERS].says;
        out->subject.query = query_changed;
    }
    return out->says != NULL;
}
