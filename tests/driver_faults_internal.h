/* SPDX-License-Identifier: MIT */
/** @file What the files of the faulty servers share. */
#ifndef NPJOB_TESTS_DRIVER_FAULTS_INTERNAL_H
#define NPJOB_TESTS_DRIVER_FAULTS_INTERNAL_H

#include <string.h>

#include "driver_faults.h"

#define GOOD npjt_subject_npjob

/** What the faults remember between calls. */
struct fault_memory {
    npj_mem mem;
    npj_action kept;
    bool have, armed;
    unsigned count;
    uint64_t tag;
    uint8_t bytes[65536];
    npj_iov iov;
    npj_path path;
    void (*trace)(void *user, const npj_trace *trace);
    void *trace_user;
};
extern struct fault_memory memory;

/* Orders of events in which faults show. */
#define WRITE_ONE "tape 1\nopen\nwrite length=16\nnext\ncomplete\nnext\n"
#define FAIL_ONE  "tape 1\nopen\nwrite length=16\nnext\nfail status=pipe_broken\nnext\nclose\nhost\n"
#define STALL                                                                                                          \
    "tape 1 stall_timeout=10\nadvance to=+0\nopen\nwrite length=16\nnext\nadvance to=+10\nadvance to=+100\nnext\n"
#define FILL "tape 1 max_job_packets=4\nopen\nwrites length=1 count=all\nhost\nclose\nhost\n"
#define CANCELLED                                                                                                      \
    "tape 1\nopen\nwrite length=16\nnext\ncancel write=newest\nnext\nwritten status=cancelled amount=0\nclose\nhost\n"
#define TWO_PROVIDERS "tape 1\nopen client=1 provider=1\nopen client=2 provider=2\n"
#define TWO_REASONS                                                                                                    \
    "tape 1 stall_timeout=10 drain_timeout=10\nadvance to=+0\nopen\nwrite length=16\nnext\nshutdown how=drain\n"       \
    "advance to=+10\nnext\n"
#define LENT   "tape 1\nopen\nwrite length=16 how=lend\nnext\nabort status=print_cancelled\nnext\ncomplete\nnext\n"
#define INSIDE "tape 1\nopen\nreenter from=any call=close\nwrite length=16\nhost\n"

/* As part-of-a-message-is-no-progress, second-drain-is-none and cancelled-bytes-are-given-back in corpus/tape. */
#define PART_OF_A_MESSAGE                                                                                              \
    "tape 1 pipe=message stall_timeout=100\nadvance to=+1\nopen\nwrite length=4\nwrite length=4\nnext\nadvance "       \
    "to=+10\ncancel write=oldest\nnext\nwritten status=cancelled amount=1\nadvance to=deadline\nnext\n"
#define SECOND_DRAIN                                                                                                   \
    "tape 1 drain_timeout=100\nadvance to=+1\nopen\nshutdown how=drain\nadvance to=+10\nshutdown how=drain\nadvance "  \
    "to=deadline\nnext\n"
#define CANCELLED_BYTES                                                                                                \
    "tape 1 max_write=16 max_job_bytes=1-write\nopen\nwrite length=max\ncancel write=newest\nnext\nwrite "             \
    "length=max\nhost\n"

/** An operation that is no one else's. */
#define MADE_UP (UINT64_C(1) << 50)

/** The next of @c faults, of which there are @c n. */
#define FAULT(text, number, events, member, function)                                                                  \
    do {                                                                                                               \
        faults[n] = (struct fault){text, number, events, GOOD, NULL};                                                  \
        faults[n].subject.name = "npjob with a fault";                                                                 \
        faults[n++].subject.member = function;                                                                         \
    } while (0)

/** The last one's finding has these words. */
#define SAYS(words) faults[n - 1].says = (words)

/** Faults in what next says. @return how many. */
size_t driver_faults_in_actions(struct fault *faults);

/** Faults in the order of a job's life. @param n how many there are. @return how many there are then. */
size_t driver_faults_in_the_life(struct fault *faults, size_t n);

/** Faults with the bytes of writes. @param n how many there are. @return how many there are then. */
size_t driver_faults_at_the_pipe(struct fault *faults, size_t n);

/** Faults in what calls return, and in time. @param n how many there are. @return how many there are then. */
size_t driver_faults_in_calls(struct fault *faults, size_t n);

/** Faults in what is kept back, and in looking in. @param n how many there are. @return how many there are then. */
size_t driver_faults_in_sight(struct fault *faults, size_t n);

/** Faults at limits, and in why something is refused. @param n how many there are. @return how many there are then. */
size_t driver_faults_at_limits(struct fault *faults, size_t n);

/** A new server that releases by a wrong size. */
npj_status driver_fault_wrong_size(const npj_config *config, void **out);

/** Keeps every action of a kind to itself. */
bool driver_fault_without(void *srv, npj_action *out, npj_action_kind kind);

/** A new server, whose allocator is kept. */
npj_status driver_fault_keeping_mem(const npj_config *config, void **out);

/** A new server, each line of whose trace is changed; told if @p change says so. */
npj_status driver_fault_tracing(const npj_config *config, void **out, bool (*change)(npj_trace *trace));

/** A server whose trace is changed so. */
#define TRACING(change)                                                                                                \
    static npj_status new_##change(const npj_config *config, void **out)                                               \
    {                                                                                                                  \
        return driver_fault_tracing(config, out, change);                                                              \
    }

/** Faults in numbers, which are cut. @param n how many there are. @return how many there are then. */
size_t driver_faults_in_numbers(struct fault *faults, size_t n);

/** Faults in the trace. @param n how many there are. @return how many there are then. */
size_t driver_faults_in_the_trace(struct fault *faults, size_t n);

/** Faults in what the trace tells of Event 2019. @param n how many there are. @return how many there are then. */
size_t driver_faults_of_event_2019(struct fault *faults, size_t n);

#endif
