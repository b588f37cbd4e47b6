/* SPDX-License-Identifier: MIT */
/* Servers that do wrong with the bytes that they offer to a pipe, or were lent. */
#include "driver_faults_internal.h"

/** Whether there was an action, and it is a WRITE of one iovec that @c memory has room for. Then its bytes are copied
 * to
 * @c memory, and offered from there. */
static bool offers_a_copy(void *srv, npj_action *out)
{
    if (!GOOD.next(srv, out))
        return false;
    if (out && out->kind == NPJ_WRITE && out->iov_count == 1 && out->iov[0].length <= sizeof memory.bytes) {
        memory.have = true;
        memcpy(memory.bytes, out->iov[0].base, out->iov[0].length);
        memory.iov = (npj_iov){memory.bytes, out->iov[0].length};
        out->iov = &memory.iov;
    }
    return true;
}

/** And what is in two pieces, in two. */
static bool offers_two_copies(void *srv, npj_action *out)
{
    static npj_iov two[2];
    bool more = offers_a_copy(srv, out);
    if (!more || !out || out->kind != NPJ_WRITE || out->iov_count != 2)
        return more;
    memory.have = true;
    two[0] = (npj_iov){memory.bytes, out->iov[0].length};
    two[1] = (npj_iov){memory.bytes + two[0].length, out->iov[1].length};
    memory.iov = (npj_iov){memory.bytes, two[0].length + two[1].length};
    for (size_t i = 0; i < 2; i++)
        memcpy(memory.bytes + i * two[0].length, out->iov[i].base, two[i].length);
    out->iov = two;
    return more;
}

static npj_status connect_changes_first_byte(void *srv, npj_job job, uint64_t tag)
{
    memory.bytes[0] ^= 1;
    return GOOD.connect(srv, job, tag);
}

static npj_status connect_changes_last_byte(void *srv, npj_job job, uint64_t tag)
{
    if (memory.have)
        memory.bytes[memory.iov.length - 1] ^= 1;
    return GOOD.connect(srv, job, tag);
}

/* ------------------------------------------------------------------------------------------------------- lent bytes */

static npj_status write_keeps_bytes(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                    unsigned flags, npj_req *out)
{
    memory.path.bytes = bytes;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

/** The last of 16. */
static void change_kept(void)
{
    ((unsigned char *)(uintptr_t)memory.path.bytes)[15] ^= 1;
}

static bool next_changes_lent_replied(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE)
        change_kept();
    return more;
}

static bool next_changes_lent_returned(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_RETURN)
        change_kept();
    return more;
}

/* -------------------------------------------------------------------------------------------------- what is offered */

/** To a pipe that has just been opened, a message that nobody wrote. */
static bool next_makes_up_message(void *srv, npj_action *out)
{
    if (memory.armed && out) {
        memory.armed = false;
        *out = memory.kept;
        return true;
    }
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_CONNECT) {
        memory.armed = true;
        memory.iov = (npj_iov){memory.bytes, 0};
        memory.kept = (npj_action){.kind = NPJ_WRITE,
                                   .job = out->job,
                                   .cookie = out->cookie,
                                   .op = MADE_UP,
                                   .iov = &memory.iov,
                                   .iov_count = 1};
    }
    return more;
}

static bool next_cuts(void *srv, npj_action *out)
{
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        out->count = --memory.iov.length;
    return more;
}

static bool next_changes_middle(void *srv, npj_action *out)
{
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        memory.bytes[memory.iov.length / 2] ^= 1;
    return more;
}

static bool next_miscounts(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        out->count++;
    return more;
}

/** A second iovec, of nothing. */
static bool next_offers_nothing_more(void *srv, npj_action *out)
{
    static npj_iov two[2];
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE) {
        two[0] = memory.iov;
        two[1] = (npj_iov){memory.bytes, 0};
        out->iov = two;
        out->iov_count = 2;
    }
    return more;
}

/** One message in two pieces. */
static bool next_offers_pieces(void *srv, npj_action *out)
{
    static npj_iov two[2];
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE) {
        two[0] = memory.iov;
        two[1] = (npj_iov){memory.bytes + memory.iov.length - 1, 1};
        out->count++;
        out->iov = two;
        out->iov_count = 2;
    }
    return more;
}

static npj_iov kept_iovecs[2];

static bool next_keeps_iovecs(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE && out->iov_count == 2) {
        memcpy(kept_iovecs, out->iov, sizeof kept_iovecs);
        out->iov = kept_iovecs;
    }
    return more;
}

/** Two writes change places: each is of as many bytes as the other. */
static bool next_swaps_two(void *srv, npj_action *out)
{
    bool more = next_keeps_iovecs(srv, out);
    if (more && out && out->iov == kept_iovecs) {
        const npj_iov first = kept_iovecs[0];
        kept_iovecs[0] = kept_iovecs[1];
        kept_iovecs[1] = first;
    }
    return more;
}

static bool next_has_no_iovecs(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        out->iov = NULL;
    return more;
}

/** More than there can be packets in a WRITE. */
static bool next_has_many_iovecs(void *srv, npj_action *out)
{
    static npj_iov many[65];
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE) {
        for (size_t i = 0; i < sizeof many / sizeof *many; i++)
            many[i] = (npj_iov){memory.bytes, 1};
        out->iov = many;
        out->count = out->iov_count = sizeof many / sizeof *many;
    }
    return more;
}

/** Nobody has cancelled it. */
static bool next_says_cancelled(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->status == NPJ_STATUS_PIPE_BROKEN)
        out->status = NPJ_STATUS_CANCELLED;
    return more;
}

/** The first byte is lost, and the last one is there twice. */
static bool next_is_a_byte_behind(void *srv, npj_action *out)
{
    bool more = offers_a_copy(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        memmove(memory.bytes, memory.bytes + 1, memory.iov.length - 1);
    return more;
}

/** The first bytes that come to a pipe come to all. */
static bool next_has_first_bytes(void *srv, npj_action *out)
{
    if (!memory.have)
        return offers_a_copy(srv, out);
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_WRITE)
        out->iov = &memory.iov;
    return more;
}

/** The second iovec is changed when a write comes. */
static npj_status write_changes_second_iovec(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                             unsigned flags, npj_req *out)
{
    kept_iovecs[1].length = 0;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

/** Lent bytes that wait for the pipe are returned, */
static npj_status write_is_to_return(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                     unsigned flags, npj_req *out)
{
    npj_job_info info;
    if (GOOD.query(srv, job, &info) == NPJ_STATUS_SUCCESS)
        memory.kept = (npj_action){.kind = NPJ_RETURN, .job = job, .cookie = info.cookie, .tag = tag};
    memory.armed = true;
    return GOOD.write(srv, job, tag, bytes, length, flags, out);
}

/** before all else. */
static bool next_returns_first(void *srv, npj_action *out)
{
    if (!memory.armed || !out)
        return GOOD.next(srv, out);
    memory.armed = false;
    *out = memory.kept;
    return true;
}

/** Of the writes that are answered with an error, the n-th is said to be well. */
static bool says_well(void *srv, npj_action *out, unsigned nth)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE &&
        npj_status_is_error(out->status) && ++memory.count == nth)
        out->status = NPJ_STATUS_SUCCESS;
    return more;
}

static bool next_says_pending(void *srv, npj_action *out)
{
    bool more = GOOD.next(srv, out);
    if (more && out && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE)
        out->status = NPJ_STATUS_PENDING;
    return more;
}

static bool next_says_second_well(void *srv, npj_action *out)
{
    return says_well(srv, out, 2);
}

static bool next_says_third_well(void *srv, npj_action *out)
{
    return says_well(srv, out, 3);
}

static npj_status new_with_larger_batches(const npj_config *config, void **out)
{
    npj_config changed = *config;
    changed.max_batch++;
    return GOOD.srv_new(&changed, out);
}

/* --------------------------------------------------------------------------------------------------------- the list */

#define FAILS_BEFORE(pipe, second, third)                                                                              \
    "tape 1 max_batch=1 " pipe "\nopen\nwrite length=4\nwrite length=" second "\nwrite length=" third                  \
    "\nnext\nfail status=pipe_broken\nhost\n"
#define MESSAGE "tape 1 pipe=message\nopen\nwrite length=16\nhost\n"

size_t driver_faults_at_the_pipe(struct fault *faults, size_t n)
{
    FAULT("bytes change before the pipe takes them", 7, "tape 1\nopen\nwrite length=16\nnext\nconnect\ncomplete\n",
          next, offers_a_copy);
    faults[n - 1].subject.connect = connect_changes_first_byte;
    SAYS("bytes in the hands of the pipe were changed");
    FAULT("bytes change that the pipe has not taken", 7,
          "tape 1\nopen\nwrite length=16\nnext\nconnect\nwritten amount=1\n", next, offers_a_copy);
    faults[n - 1].subject.connect = connect_changes_last_byte;
    SAYS("bytes in the hands of the pipe were changed");
    FAULT("bytes of the second of two writes change", 7,
          "tape 1\nopen\nwrites length=16 count=2\nnext\nconnect\ncomplete\n", next, offers_two_copies);
    faults[n - 1].subject.connect = connect_changes_last_byte;
    SAYS("bytes in the hands of the pipe were changed");
    FAULT("bytes change before the pipe fails", 7, "tape 1\nopen\nwrite length=16\nnext\nconnect\nfail op=newest\n",
          next, offers_a_copy);
    faults[n - 1].subject.connect = connect_changes_last_byte;
    SAYS("bytes in the hands of the pipe were changed");
    FAULT("lent bytes change before the REPLY", 7, "tape 1\nopen\nwrite length=16 how=lend\nhost\n", next,
          next_changes_lent_replied);
    faults[n - 1].subject.write = write_keeps_bytes;
    SAYS("lent bytes were changed");
    FAULT("lent bytes change before the RETURN", 7, LENT, next, next_changes_lent_returned);
    faults[n - 1].subject.write = write_keeps_bytes;
    SAYS("lent bytes were changed");
    FAULT("lent bytes are returned before the pipe has them", 9, "tape 1\nopen\nwrite length=16 how=lend\nhost\n",
          write, write_is_to_return);
    faults[n - 1].subject.next = next_returns_first;
    SAYS("whose bytes are not held");
    FAULT("a WRITE has no iovecs", 7, WRITE_ONE, next, next_has_no_iovecs);
    SAYS("a WRITE of 1 iovecs");
    FAULT("a WRITE has more iovecs than packets fit", 7, WRITE_ONE, next, next_has_many_iovecs);
    SAYS("a WRITE of 65 iovecs");
    FAULT("a write of a pipe that fails is said to be cancelled", 8, FAIL_ONE, next, next_says_cancelled);
    SAYS("is answered with STATUS_CANCELLED where STATUS_PIPE_BROKEN is right");
    FAULT("an empty write is answered as if it were not", 8, "tape 1\nopen\nwrite length=0\nhost\n", next,
          next_says_pending);
    SAYS("is answered with STATUS_PENDING where STATUS_SUCCESS is right");
    FAULT("a write is answered as if it were not", 8, WRITE_ONE, next, next_says_pending);
    SAYS("is answered with STATUS_PENDING where STATUS_SUCCESS is right");
    /* Of empty writes only those up to the failure may be. */
    FAULT("a write behind that of a pipe that fails is said to be taken", 8, FAILS_BEFORE("pipe=byte", "4", "4"), next,
          next_says_second_well);
    SAYS("is answered with STATUS_SUCCESS where STATUS_PIPE_BROKEN is right");
    FAULT("an empty write far behind that of a pipe that fails is said to be taken", 8,
          FAILS_BEFORE("pipe=byte", "4", "0"), next, next_says_third_well);
    SAYS("is answered with STATUS_SUCCESS where STATUS_PIPE_BROKEN is right");
    FAULT("an empty message behind that of a pipe that fails is said to be taken", 8,
          FAILS_BEFORE("pipe=message", "0", "0"), next, next_says_second_well);
    SAYS("is answered with STATUS_SUCCESS where STATUS_PIPE_BROKEN is right");
    FAULT("two writes change places", 7, "tape 1\nopen\nwrites length=16 count=2\nhost\n", next, next_swaps_two);
    SAYS("not those accepted, in order");
    FAULT("a byte is lost, and another doubled", 7, WRITE_ONE, next, next_is_a_byte_behind);
    SAYS("not those accepted, in order");
    FAULT("a job has another's bytes", 7,
          TWO_PROVIDERS "write job=oldest length=16\nwrite job=newest length=16\nhost\n", next, next_has_first_bytes);
    SAYS("not those accepted, in order");
    FAULT("a message is made up", 7, "tape 1 pipe=message\nopen\nhost\n", next, next_makes_up_message);
    SAYS("without a write that waits for it");
    FAULT("a message is cut", 7, MESSAGE, next, next_cuts);
    SAYS("not exactly one message");
    FAULT("a message is changed", 7, MESSAGE, next, next_changes_middle);
    SAYS("not the one accepted");
    FAULT("a WRITE has a count of its own", 7, WRITE_ONE, next, next_miscounts);
    SAYS("whose count is not that of its iovecs");
    FAULT("a WRITE has an iovec of nothing", 7, WRITE_ONE, next, next_offers_nothing_more);
    SAYS("a write of no bytes is in flight");
    FAULT("a message comes in two pieces", 7, MESSAGE, next, next_offers_pieces);
    SAYS("not exactly one message");
    FAULT("the second iovec of a WRITE is used anew", 10,
          "tape 1\nopen\nwrites length=4 count=2\nnext count=1\nwrite length=16\nhost\n", next, next_keeps_iovecs);
    faults[n - 1].subject.write = write_changes_second_iovec;
    FAULT("a WRITE carries too many packets", 9, "tape 1 max_batch=2\nopen\nwrites length=1 count=4\nhost\n", srv_new,
          new_with_larger_batches);
    SAYS("more than max_batch");
    return n;
}
