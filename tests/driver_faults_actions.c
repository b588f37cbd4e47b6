/* SPDX-License-Identifier: MIT */
/* Servers that say what they should not, or do not say what they should. */
#include "driver_faults_internal.h"

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

/** Says a job's last action twice, and keeps the job until then. */
static bool next_repeats_last(void *srv, npj_action *out)
{
    npj_stats stats;
    bool more = twice(srv, out, NPJ_REPLY);
    GOOD.stats(srv, &stats);
    if (stats.jobs.live > 0)
        memory.have = memory.armed = false;
    return more;
}

static void stats_count_repeated(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->jobs.live += memory.armed;
}

static bool next_repeats_cancel(void *srv, npj_action *out)
{
    return twice(srv, out, NPJ_CANCEL);
}

static bool next_cancels_for_ever(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_CANCEL))
        memory.kept = *out;
    else if (!more && out && memory.kept.kind == NPJ_CANCEL)
        *out = memory.kept;
    return more || memory.kept.kind == NPJ_CANCEL;
}

bool driver_fault_without(void *srv, npj_action *out, npj_action_kind kind)
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
    return driver_fault_without(srv, out, NPJ_RESUME);
}

static bool next_without_idle(void *srv, npj_action *out)
{
    return driver_fault_without(srv, out, NPJ_IDLE);
}

/** Forgets a RETURN as soon as it is due, and its packet too. */
static npj_status written_forgets_return(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    npj_action action;
    npj_status said = GOOD.written(srv, op, status, transferred);
    (void)GOOD.next(srv, &action);
    return said;
}

static bool next_without_return(void *srv, npj_action *out)
{
    return driver_fault_without(srv, out, NPJ_RETURN);
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

/** To a pipe that is open and idle, WRITEs of a byte that nobody wrote, and no end. */
static bool next_makes_up_bytes(void *srv, npj_action *out)
{
    static const char byte = 'x';
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY) && out->request == NPJ_REQUEST_CONNECT) {
        memory.have = true;
        memory.kept = (npj_action){.kind = NPJ_WRITE, .job = out->job, .cookie = out->cookie, .count = 1};
    } else if (more && is_kind(out, NPJ_CLOSE_PIPE)) {
        memory.have = false;
    } else if (!more && out && memory.have && !memory.armed) {
        memory.armed = true;
        memory.iov = (npj_iov){&byte, 1};
        *out = memory.kept;
        out->op = MADE_UP + ++memory.count;
        out->iov = &memory.iov;
        out->iov_count = 1;
        return true;
    }
    return more;
}

static npj_status written_of_made_up(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    if (!memory.armed || op != MADE_UP + memory.count)
        return GOOD.written(srv, op, status, transferred);
    memory.armed = false;
    return NPJ_STATUS_SUCCESS;
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

/** A WRITE whose bytes are nowhere. */
static bool next_loses_address(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_WRITE)) {
        memory.iov = (npj_iov){NULL, (size_t)out->count};
        out->iov = &memory.iov;
        out->iov_count = 1;
    }
    return more;
}

/** A REPLY with iovecs, which it does not have. */
static bool next_replies_iovecs(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY)) {
        out->iov = (const npj_iov *)sizeof(npj_iov); /* where nothing is */
        out->iov_count = 1;
    }
    return more;
}

static bool next_clears(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (!more && out)
        *out = (npj_action){.tag = 0};
    return more;
}

static bool next_clears_a_tag(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (!more && out)
        out->tag = 0;
    return more;
}

static bool next_clears_the_end(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (!more && out)
        ((unsigned char *)out)[sizeof *out - 1] = 0;
    return more;
}

static void stats_count_one_more(const void *srv, npj_stats *out)
{
    GOOD.stats(srv, out);
    out->accepted += out->accepted > 0;
}

/* What an action has that its kind does not name. */

static bool next_has_more_members(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY))
        out->iov_count = 1;
    return more;
}

static bool next_resumes_a_tag(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_RESUME))
        out->tag = 1;
    return more;
}

static bool next_cancels_for_a_reason(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_CANCEL))
        out->status = NPJ_STATUS_CANCELLED;
    return more;
}

static bool next_returns_bytes(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_RETURN))
        out->count = 1;
    return more;
}

static bool next_is_idle_for_a_job(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_IDLE))
        out->cookie = 1;
    return more;
}

static bool next_names_another_job(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_OPEN))
        out->job ^= UINT64_C(1) << 40;
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

static bool next_says_more(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY) && out->request == NPJ_REQUEST_ADD)
        out->held = true;
    return more;
}

static bool next_hides_held(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out)
        out->held = false;
    return more;
}

/** Keeps the path that AddJob returned, */
static npj_status added_keeps_path(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    if (path)
        memory.path = *path;
    return GOOD.job_added(srv, op, status, path, job_id);
}

/** and has nothing to open if it is none any more. */
static bool next_reads_path(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_OPEN) && npj_path_parse(&memory.path, NPJ_PATH_STRICT, NULL) != NPJ_STATUS_SUCCESS)
        out->kind = NPJ_CLOSE_PIPE;
    return more;
}

static bool next_says_held(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && is_write_reply(out))
        out->held = true;
    return more;
}

static bool next_invents_kind(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_ADD_JOB))
        out->kind = (npj_action_kind)37;
    return more;
}

static npj_status cancel_arms_second(void *srv, npj_req request)
{
    memory.armed = ++memory.count == 2;
    return GOOD.cancel(srv, request);
}

/** The second write of a WRITE that is cancelled has a CANCEL of its own. */
static bool next_cancels_for_each(void *srv, npj_action *out)
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_CANCEL))
        memory.kept = *out;
    return more;
}

static bool next_replies_to_nothing(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && is_kind(out, NPJ_REPLY))
        out->request = (npj_request_kind)(NPJ_REQUEST_CLOSE + 1);
    return more;
}

/* --------------------------------------------------------------------------------------------------------- the list */

size_t driver_faults_in_actions(struct fault *faults)
{
    size_t n = 0;
    FAULT("a reply is dropped", 1, WRITE_ONE, next, next_drops_reply);
    FAULT("a reply is said twice", 1, WRITE_ONE, next, next_repeats_reply);
    FAULT("a close is answered twice, and its job kept", 1,
          "tape 1\nopen\nclose\nnext\ncomplete\nnext\ncomplete\nnext count=1\n", next, next_repeats_last);
    faults[n - 1].subject.stats = stats_count_repeated;
    SAYS("REPLY for a job that has ended");
    FAULT("a REPLY is to no kind of request", 1, WRITE_ONE, next, next_replies_to_nothing);
    FAULT("a REPLY of an add says held", 1, WRITE_ONE, next, next_says_more);
    FAULT("a REPLY has iovecs from nowhere", 1, WRITE_ONE, next, next_replies_iovecs);
    FAULT("a REPLY has a number of iovecs", 1, WRITE_ONE, next, next_has_more_members);
    SAYS("REPLY has a member that its kind does not name");
    FAULT("a RESUME has a tag", 1, FILL, next, next_resumes_a_tag);
    SAYS("RESUME has a member");
    FAULT("a CANCEL has a status", 1, CANCELLED, next, next_cancels_for_a_reason);
    SAYS("CANCEL has a member");
    FAULT("a RETURN has a count", 1, LENT, next, next_returns_bytes);
    SAYS("RETURN has a member");
    FAULT("an IDLE has a cookie", 1, WRITE_ONE, next, next_is_idle_for_a_job);
    SAYS("IDLE has a member");
    FAULT("an action has another job's handle", 1, WRITE_ONE, next, next_names_another_job);
    SAYS("OPEN for a job that has ended or never was");
    FAULT("a CANCEL is said twice", 3, CANCELLED, next, next_repeats_cancel);
    FAULT("a CANCEL is said for each write of a WRITE", 3,
          "tape 1\nopen\nwrites length=4 count=2\nnext\ncancel write=newest\nnext\ncancel write=oldest\nnext\n", next,
          next_cancels_for_each);
    faults[n - 1].subject.cancel = cancel_arms_second;
    SAYS("that nobody asked for");
    FAULT("CANCELs have no end", 3, CANCELLED, next, next_cancels_for_ever);
    FAULT("the path is kept, and read when it is to be opened", 3, WRITE_ONE, next, next_reads_path);
    faults[n - 1].subject.job_added = added_keeps_path;
    FAULT("an action is of no kind", 3, WRITE_ONE, next, next_invents_kind);
    FAULT("a wrong count brings out an action of no kind", 3, "tape 1\nadd\n", next, next_invents_kind);
    faults[n - 1].subject.stats = stats_count_one_more;
    FAULT("next clears an action where there is none", 5, WRITE_ONE, next, next_clears);
    FAULT("next clears a tag where there is no action", 5, WRITE_ONE, next, next_clears_a_tag);
    FAULT("next clears the end of an action where there is none", 5, WRITE_ONE, next, next_clears_the_end);
    FAULT("a byte is changed", 7, WRITE_ONE, next, next_changes_byte);
    FAULT("the only byte is changed", 7, "tape 1\nopen\nwrite length=1\nhost\n", next, next_changes_byte);
    FAULT("a WRITE has a byte and no address", 7, "tape 1\nopen\nwrite length=1\nhost\n", next, next_loses_address);
    SAYS("one without an address");
    FAULT("bytes are made up, and no end of them", 7, "tape 1\nopen\nhost\n", next, next_makes_up_bytes);
    faults[n - 1].subject.written = written_of_made_up;
    faults[n - 1].subject.stats = NULL;
    faults[n - 1].subject.query = NULL;
    FAULT("replies of writes change places", 7, "tape 1\nopen\nwrites length=4 count=3\nhost\n", next,
          next_swaps_replies);
    FAULT("replies of writes that were answered by two calls change places", 7,
          "tape 1 max_batch=1\nopen\nwrites length=4 count=2\nnext\ncomplete\ncancel write=newest\nnext\n", next,
          next_swaps_replies);
    SAYS("comes before that of a write answered earlier");
    FAULT("a write's count is one short", 8, WRITE_ONE, next, next_counts_short);
    SAYS("the write of tag 7a6e000000010002 is answered with a count of 15");
    FAULT("RESUME never comes", 9, FILL, next, next_without_resume);
    FAULT("RESUME never comes to a job that has failed", 9,
          "tape 1 max_job_packets=1\nopen\nwrites length=1 count=2\nnext\nabort status=print_cancelled\nnext\n", next,
          next_without_resume);
    SAYS("a RESUME is due");
    FAULT("RESUME never comes to a job that closes", 9,
          "tape 1 max_job_packets=1\nopen\nwrites length=1 count=2\nnext\nclose\nnext\n", next, next_without_resume);
    SAYS("a RESUME is due");
    FAULT("IDLE never comes", 9, FILL, next, next_without_idle);
    SAYS("nothing is left after a shutdown, and IDLE has not come");
    FAULT("RETURN never comes", 9, LENT, next, next_without_return);
    FAULT("a RETURN is forgotten with its packet", 9, LENT, written, written_forgets_return);
    SAYS("a RETURN is due");
    FAULT("a REPLY hides that bytes are held", 9, LENT, next, next_hides_held);
    SAYS("does not say held where the bytes are still in use");
    FAULT("a REPLY says held of what is not", 9, "tape 1\nopen\nwrite length=16 how=lend\nhost\n", next,
          next_says_held);
    SAYS("says held where the bytes are not in use");
    FAULT("the iovecs of a WRITE are used anew", 10,
          "tape 1\nopen\nwrite length=16\nnext count=1\nwrite length=16\nhost\n", next, next_lends_iovec);
    faults[n - 1].subject.write = write_takes_iovec;
    FAULT("a truncated job's close succeeds", 12, CANCELLED, next, next_closes_with_success);
    FAULT("a failed job is scheduled", 12, FAIL_ONE, next, next_schedules_anyway);
    FAULT("a failed job's pipe is closed as if whole", 12, FAIL_ONE, next, next_closes_pipe_well);
    return n;
}
