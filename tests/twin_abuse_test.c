/* SPDX-License-Identifier: MIT */
/* Servers that the host of the twins must not trust: what they leave behind, and what they hand out. */
#include <criterion/criterion.h>
#include <string.h>

#include "twin_support.h"
#include "under_asan.h"

TestSuite(twin_abuse, .init = set_up, .fini = tear_down);

static npj_mem leaking;

static npj_status new_leaking(const npj_config *config, void **out)
{
    leaking = config->mem;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status write_leaks(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                              npj_req *out)
{
    npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING)
        (void)leaking.alloc(leaking.user, 48);
    return status;
}

/* npjob, but each write leaves a block behind until the engine is freed by the allocator's owner. */
static npjt_subject leaky_subject(void)
{
    npjt_subject leaky = npjt_subject_npjob;
    leaky.name = "npjob with a leak";
    leaky.srv_new = new_leaking;
    leaky.write = write_leaks;
    return leaky;
}

Test(twin_abuse, what_is_left_behind_is_found_by_every_relation)
{
    npjt_subject leaky = leaky_subject();
    for (unsigned relation = 0; relation < NPJT_RELATION_COUNT; relation++) {
        cr_expect_not(play(&leaky, plain, plain_size, relation));
        cr_expect_not_null(strstr(sentence, "blocks are live when all jobs have ended"), "%s", sentence);
        cr_expect_eq(result.live_blocks, 4); /* the second side is not played any more */
    }
}

/* An add, a connect and a write are what it takes to leave a block behind. */
static const uint8_t lone_write[] = {0, 0xE0, 0, DO(ADD, 0), DO(CONNECT, 0), DO(WRITE, 0)};

/* A server whose blocks nobody knows can be told to have lost some when it has been freed. */
Test(twin_abuse, what_is_left_behind_in_the_end_is_found)
{
    npjt_subject leaky = leaky_subject();
    leaky.engine_blocks = 0;
    cr_expect_not(play(&leaky, lone_write, sizeof lone_write, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "1 blocks have leaked"), "%s", sentence);
}

static unsigned tried;

static npj_status new_fails(const npj_config *config, void **out)
{
    (void)config, (void)out;
    tried++;
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

Test(twin_abuse, an_engine_that_cannot_be_made_is_a_finding)
{
    npjt_subject none = npjt_subject_npjob;
    none.srv_new = new_fails;
    none.srv_free = NULL; /* nor can it be freed, */
    none.digest = NULL;   /* or looked at */
    cr_expect_not(play(&none, NULL, 0, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "no engine could be made"), "%s", sentence);
    cr_expect_eq(tried, 1, "a second one is not tried");
}

/* Two engines' allocators, the one made last and the one before. */
static npj_mem memories[2];

static void *alloc_as_asked(void *user, size_t bytes)
{
    const npj_mem *memory = user;
    return memory->alloc(memory->user, bytes);
}

static void release_too_much(void *user, void *block, size_t bytes)
{
    const npj_mem *memory = user;
    memory->release(memory->user, block, bytes + 1);
}

static npj_status new_releasing_too_much(const npj_config *config, void **out)
{
    static unsigned made;
    npj_config crooked = *config;
    npj_mem *memory = &memories[made++ % 2];
    *memory = config->mem;
    crooked.mem = (npj_mem){.alloc = alloc_as_asked, .release = release_too_much, .user = memory};
    return npjt_subject_npjob.srv_new(&crooked, out);
}

Test(twin_abuse, abuse_of_the_allocator_is_found)
{
    npjt_subject abusing = npjt_subject_npjob;
    abusing.srv_new = new_releasing_too_much;
    cr_expect_not(play(&abusing, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "the allocator was abused"), "%s", sentence);
}

#ifndef UNDER_ASAN
static unsigned made, freed, writes_behind;

static npj_status new_counted(const npj_config *config, void **out)
{
    made++;
    return npjt_subject_npjob.srv_new(config, out);
}

static void free_writes_behind(void **srv)
{
    unsigned char *gone = *srv;
    npjt_subject_npjob.srv_free(srv);
    if (++freed == writes_behind)
        *gone ^= 1;
}

/* The engine of either side: the second is freed first. */
Test(twin_abuse, a_write_into_what_is_released_is_found)
{
    npjt_subject careless = npjt_subject_npjob;
    careless.srv_new = new_counted;
    careless.srv_free = free_writes_behind;
    for (unsigned side = 1; side <= 2; side++) {
        made = freed = 0;
        writes_behind = side;
        cr_expect_not(play(&careless, plain, plain_size, NPJT_RELATION_QUERY));
        cr_expect_not_null(strstr(sentence, "the allocator was abused"), "%s", sentence);
        cr_expect_eq(made, 2);
        cr_expect_eq(freed, 2);
    }
}
#endif

/* The engine that was made last, and the one before. */
static void *engines[2];

static npj_status new_noting_engine(const npj_config *config, void **out)
{
    npj_status status = npjt_subject_npjob.srv_new(config, out);
    engines[0] = engines[1];
    engines[1] = *out;
    return status;
}

static void free_noting_engine(void **srv)
{
    for (int i = 0; i < 2; i++)
        if (engines[i] == *srv)
            engines[i] = NULL;
    npjt_subject_npjob.srv_free(srv);
}

static npj_status shutdown_all(void *srv, npj_shutdown_how how)
{
    if (engines[0] && engines[0] != srv)
        (void)npjt_subject_npjob.advance(engines[0], NPJ_NEVER - 1);
    return npjt_subject_npjob.shutdown(srv, how);
}

Test(twin_abuse, two_engines_share_nothing)
{
    npjt_subject sharing = npjt_subject_npjob;
    sharing.srv_new = new_noting_engine;
    sharing.srv_free = free_noting_engine;
    cr_expect(play(&sharing, plain, plain_size, NPJT_RELATION_QUERY), "%s", sentence);
    sharing.shutdown = shutdown_all;
    cr_expect_not(play(&sharing, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "another engine"), "%s", sentence);
}

static bool stopping;
static unsigned sides;

/* The time moves once on either side. */
static npj_status advance_noting(void *srv, uint64_t now)
{
    stopping = now > 0 && --sides == 0;
    return npjt_subject_npjob.advance(srv, now);
}

static npj_status shutdown_noting(void *srv, npj_shutdown_how how)
{
    stopping = true;
    return npjt_subject_npjob.shutdown(srv, how);
}

static bool next_resumes_for_ever(void *srv, npj_action *out)
{
    if (npjt_subject_npjob.next(srv, out))
        return true;
    *out = (npj_action){.kind = NPJ_RESUME, .cookie = UINT64_MAX};
    return stopping;
}

Test(twin_abuse, actions_without_end_are_found)
{
    npjt_subject endless = npjt_subject_npjob;
    stopping = false;
    endless.shutdown = shutdown_noting;
    endless.next = next_resumes_for_ever;
    cr_expect_not(play(&endless, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "no end of actions"), "%s", sentence);

    /* As many as can be noted, behind as many calls as a script can have. */
    uint8_t script[NPJT_TWIN_MAX] = {0, 0xE0, 0};
    for (size_t at = NPJT_TWIN_HEADER; at < sizeof script; at += 3)
        script[at] = NPJT_TWIN_ADVANCE;
    script[sizeof script - 5] = 1;
    script[sizeof script - 3] = NPJT_TWIN_DRAIN;
    endless.advance = advance_noting;
    endless.shutdown = npjt_subject_npjob.shutdown;
    for (unsigned side = 1; side <= 2; side++) {
        sides = side;
        stopping = false;
        cr_expect_not(play(&endless, script, sizeof script, NPJT_RELATION_QUERY));
        cr_expect_not_null(strstr(sentence, "no end of actions"), "%s", sentence);
    }
}

static uint64_t wrong_tag;

static bool next_with_wrong_tag(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE)
        out->tag = wrong_tag;
    return more;
}

Test(twin_abuse, tags_are_looked_at_before_they_are_followed)
{
    static const uint64_t tags[] = {0, NPJT_TWIN_STEPS + 1, UINT16_MAX, UINT64_MAX};
    npjt_subject astray = npjt_subject_npjob;
    astray.next = next_with_wrong_tag;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        wrong_tag = tags[i];
        cr_expect_not(play(&astray, plain, plain_size, NPJT_RELATION_LENT));
        cr_expect_not_null(strstr(sentence, "4 lent payloads are not returned"), "%s", sentence);
    }
}

static bool next_without_address(void *srv, npj_action *out)
{
    static const npj_iov lost = {NULL, 1};
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_WRITE) {
        out->iov = &lost;
        out->iov_count = 1;
    }
    return more;
}

static bool next_without_array(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_WRITE)
        out->iov = NULL;
    return more;
}

/* Behind those that are needed there are empty ones, each time at other addresses. */
static bool next_with_many_iovecs(void *srv, npj_action *out)
{
    static npj_iov many[1000];
    static const uint8_t somewhere[65536];
    static size_t at;
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind == NPJ_WRITE) {
        for (size_t i = 0; i < sizeof many / sizeof *many; i++)
            many[i] = i < out->iov_count ? out->iov[i] : (npj_iov){&somewhere[++at % sizeof somewhere], 0};
        out->iov = many;
        out->iov_count = sizeof many / sizeof *many;
    }
    return more;
}

/* Members that the kind of an action does not name may be anything. */
static bool next_with_iovecs(void *srv, npj_action *out)
{
    bool more = npjt_subject_npjob.next(srv, out);
    if (more && out->kind != NPJ_WRITE) {
        out->iov = (const npj_iov *)sizeof(npj_iov); /* where nothing is */
        out->iov_count = 1;
    }
    return more;
}

Test(twin_abuse, iovecs_are_looked_at_before_they_are_followed)
{
    npjt_subject lost = npjt_subject_npjob;
    lost.next = next_without_address;
    cr_expect_not(play(&lost, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "an iovec without an address"), "%s", sentence);
    lost.next = next_without_array;
    cr_expect_not(play(&lost, plain, plain_size, NPJT_RELATION_QUERY));
    cr_expect_not_null(strstr(sentence, "an iovec without an address"), "%s", sentence);
    lost.next = next_with_many_iovecs;
    cr_expect(play(&lost, plain, plain_size, NPJT_RELATION_QUERY), "%s", sentence);
    lost.next = next_with_iovecs;
    cr_expect(play(&lost, plain, plain_size, NPJT_RELATION_QUERY), "%s", sentence);
}
