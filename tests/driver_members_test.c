/* SPDX-License-Identifier: MIT */
/* Each member of each kind of action: npjob, and at one action one member more than its kind names. */
#include "tape_support.h"

enum { REQUEST, OTHER_REQUEST, OP, TAG, STATUS, JOB_ID, COUNT, IOV, IOV_COUNT, HELD, JOB, COOKIE, MEMBERS };

#define BIT(member) (1U << (member))
#define OF_A_JOB    (BIT(JOB) | BIT(COOKIE))

static const char whole[] = "tape 1\nopen\nwrite length=16\nhost\nclose\nhost\n";
static const char stopped[] = "tape 1\nopen\nwrite length=16 how=lend\nnext\nabort status=print_cancelled\nhost\n";

/* The members that a kind names, and a tape on which an action of it comes. That to an add is the first REPLY. */
static const struct {
    unsigned named;
    const char *tape;
} kinds[] = {
    [NPJ_ADD_JOB] = {OF_A_JOB | BIT(OP), whole},
    [NPJ_OPEN] = {OF_A_JOB | BIT(OP), whole},
    [NPJ_WRITE] = {OF_A_JOB | BIT(OP) | BIT(COUNT) | BIT(IOV) | BIT(IOV_COUNT), whole},
    [NPJ_CLOSE_PIPE] = {OF_A_JOB | BIT(OP) | BIT(STATUS), whole},
    [NPJ_SCHEDULE_JOB] = {OF_A_JOB | BIT(OP) | BIT(JOB_ID), whole},
    [NPJ_ABANDON_JOB] = {OF_A_JOB | BIT(OP) | BIT(STATUS) | BIT(JOB_ID), stopped},
    [NPJ_CANCEL] = {OF_A_JOB | BIT(OP), stopped},
    [NPJ_REPLY] = {OF_A_JOB | BIT(REQUEST) | BIT(OTHER_REQUEST) | BIT(TAG) | BIT(STATUS), whole},
    [NPJ_RETURN] = {OF_A_JOB | BIT(TAG), stopped},
    [NPJ_RESUME] = {OF_A_JOB, "tape 1 max_job_packets=2\nopen\nwrites length=1 count=all\nhost\n"},
    [NPJ_IDLE] = {0, whole},
};

/* What is to be said more. */
static struct {
    npj_action_kind kind;
    unsigned member;
    bool said;
} more;

static void say_more(npj_action *action)
{
    static const npj_iov nothing;
    switch (more.member) {
    case REQUEST:
        action->request = NPJ_REQUEST_WRITE;
        break;
    case OTHER_REQUEST:
        action->request = NPJ_REQUEST_CONNECT;
        break;
    case OP:
        action->op = 1;
        break;
    case TAG:
        action->tag = 1;
        break;
    case STATUS:
        action->status = NPJ_STATUS_IO_TIMEOUT;
        break;
    case JOB_ID:
        action->job_id = 1;
        break;
    case COUNT:
        action->count = 1;
        break;
    case IOV:
        action->iov = &nothing;
        break;
    case IOV_COUNT:
        action->iov_count = 1;
        break;
    case HELD:
        action->held = true;
        break;
    case JOB:
        action->job = 1;
        break;
    default:
        action->cookie = 1;
        break;
    }
}

static bool next_says_more(void *srv, npj_action *out)
{
    bool one = npjt_subject_npjob.next(srv, out);
    if (one && out && out->kind == more.kind && !more.said) {
        more.said = true;
        say_more(out);
    }
    return one;
}

Test(driver, a_member_that_a_kind_does_not_name_is_zero)
{
    npjt_subject subject = npjt_subject_npjob;
    subject.next = next_says_more;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (unsigned member = 0; member < MEMBERS; member++) {
            if (kinds[kind].named & BIT(member))
                continue;
            more.kind = (npj_action_kind)kind;
            more.member = member;
            more.said = false;
            cr_expect_eq(play_text(&subject, kinds[kind].tape, (npjt_options){0}).finding, NPJT_LAW_ANSWERS,
                         "%s, member %u", npjt_action_name((npj_action_kind)kind), member);
            cr_expect(more.said);
            cr_expect_not_null(strstr(sentence, "has a member that its kind does not name"), "%s, member %u: %s",
                               npjt_action_name((npj_action_kind)kind), member, sentence);
        }
}
