/* SPDX-License-Identifier: MIT */
/** @file The search, calling an engine that does wrong where a test wants it to: tests/meson.build renames its calls.
 */
#ifndef NPJOB_TESTS_EXPLORE_FAULTS_H
#define NPJOB_TESTS_EXPLORE_FAULTS_H

#include "deadline.h"
#include "npjob-testkit/explore.h"

/** What is wrong with the engine. Zero is nothing. */
struct explore_fault {
    bool hangs, aborts;                           /**< npj_connect() */
    void (*refusal)(npj_srv *srv, npj_status);    /**< what npj_connect() and npj_write() do when they refuse */
    void (*time_gone)(npj_srv *srv);              /**< what npj_advance() does with a time that has passed */
    void (*clock_set)(npj_srv *srv);              /**< and with the first one of all */
    bool sleeps;                                  /**< npj_advance(), while there is no deadline */
    bool keeps_old;                               /**< npj_write(): what stood in a kept block, while a packet lives */
    bool refuses, gives_none;                     /**< npj_srv_new() */
    bool breaks_law;                              /**< npj_check() */
    bool check_hangs;                             /**< beyond the first state */
    bool alarm_at_65536;                          /**< alarms in the engine with so many events between them */
    bool alarm_in_table;                          /**< alarms while the table of states grows */
    uint32_t wants_memory;                        /**< which allocation of the search is refused, from 1 */
    void (*trace)(npj_trace *trace);              /**< what is wrong with the traces */
    const char *lies;                             /**< the call that returns another status, "npj_close" */
    npj_status lie;                               /**< which, */
    npj_status instead_of;                        /**< and instead of which; 0: of any, */
    bool (*of)(const npj_srv *, uint64_t handle); /**< for which handles; NULL: for all */
    unsigned caps_more;                           /**< how often Event 2019 is traced beyond the first time */
    bool (*next)(npj_srv *srv, npj_action *out);  /**< instead of npj_next() */
    void (*added)(npj_srv *srv, npj_job *out);    /**< behind an npj_add_job() that is accepted */
    void (*wrote)(npj_srv *srv, npj_req *out);    /**< behind an npj_write() that is accepted */
    void (*written)(npj_status, uint64_t amount); /**< before an npj_written() */
    void (*stats)(npj_stats *out);                /**< behind npj_stats_get(), */
    void (*info)(npj_job_info *out);              /**< npj_job_query(), */
    uint64_t deadline;                            /**< npj_deadline(): what is added to it */
    const char *trims_inside;                     /**< npj_trim() from inside "trace", "alloc" or "release" */
    bool frees_more;                              /**< npj_srv_free(), what is no block, */
    bool keeps_all;                               /**< or nothing */
    size_t allocates, releases;                   /**< so many bytes more than there are to be */
};
extern struct explore_fault explore_fault;

/** What the search has found. */
struct explore_seen {
    uint32_t findings, events, allocations;
    char sentence[256];
    uint8_t tape[NPJT_TAPE_MAX];
    size_t size;
};
extern struct explore_seen explore_seen;

/** Of the engine's own block, as it was asked for. */
extern size_t explore_engine_bytes;

/** Raises SIGALRM. */
void explore_alarms(unsigned count);

/** Keeps a finding. */
void explore_keep_finding(void *user, const char *sentence, const uint8_t *tape, size_t size);

/** A scope by its name. */
const npjt_scope *explore_scope(const char *name);

/** Searches a scope by its name. @param max_states 0: all. */
npjt_explore_end explore_search(const char *scope, uint64_t max_states);

/** Whether a search of a scope finds something and says @p sentence, or more than that. */
bool explore_finds(const char *scope, const char *sentence);
bool explore_finds_in(const npjt_scope *scope, const char *sentence);

#endif
