/* SPDX-License-Identifier: MIT */
/* Scripts with a finding, made smaller. */
#include <criterion/criterion.h>
#include <string.h>

#include "twin_support.h"

TestSuite(twin_shrink, .init = set_up, .fini = tear_down);

/* Whether a script is another one of which steps have been left out. */
static bool is_part_of(const uint8_t *part, size_t part_size, const uint8_t *whole, size_t size)
{
    size_t at = NPJT_TWIN_HEADER, from = NPJT_TWIN_HEADER;
    if (memcmp(part, whole, NPJT_TWIN_HEADER) != 0)
        return false;
    for (; at + 3 <= part_size; at += 3, from += 3) {
        while (from + 3 <= size && memcmp(part + at, whole + from, 3) != 0)
            from += 3;
        if (from + 3 > size)
            return false;
    }
    return at == part_size;
}

Test(twin_shrink, of_what_is_left_each_step_is_needed)
{
    size_t count;
    const struct twin_fault *faults = twin_faults(&count);
    for (size_t i = 0; i < count; i++) {
        const struct twin_fault *fault = &faults[i];
        uint8_t whole[NPJT_TWIN_MAX] = {0}, script[NPJT_TWIN_MAX], shorter[NPJT_TWIN_MAX];
        size_t size = fault->size + 2; /* its last step is no whole one */
        memcpy(whole, fault->script, fault->size);
        whole[0] = (uint8_t)fault->relation;
        memcpy(script, whole, sizeof script);
        cr_assert(npjt_twin_shrink(twin, &fault->subject, script, &size), "%s", fault->name);
        cr_expect(is_part_of(script, size, whole, fault->size), "%s", fault->name);
        cr_expect_not(play(&fault->subject, script, size, fault->relation), "%s", fault->name);
        for (size_t at = NPJT_TWIN_HEADER; at < size; at += 3) {
            memcpy(shorter, script, at);
            memcpy(shorter + at, script + at + 3, size - at - 3);
            cr_expect(play(&fault->subject, shorter, size - 3, fault->relation), "%s: %zu", fault->name, at / 3);
        }
    }
}

/* A server that leaks where the time has moved, unless a client has gone and no provider. */
static struct {
    npj_mem mem;
    bool advanced, client_gone, provider_gone;
} seen;

static npj_status new_seeing(const npj_config *config, void **out)
{
    memset(&seen, 0, sizeof seen);
    seen.mem = config->mem;
    return npjt_subject_npjob.srv_new(config, out);
}

static npj_status advance_seen(void *srv, uint64_t now)
{
    seen.advanced = true;
    return npjt_subject_npjob.advance(srv, now);
}

static npj_status client_seen_going(void *srv, uint64_t client, npj_status reason)
{
    seen.client_gone = true;
    return npjt_subject_npjob.client_gone(srv, client, reason);
}

static npj_status provider_seen_going(void *srv, uint64_t provider)
{
    seen.provider_gone = true;
    return npjt_subject_npjob.provider_gone(srv, provider);
}

static npj_status shutdown_leaks(void *srv, npj_shutdown_how how)
{
    if (seen.advanced && (!seen.client_gone || seen.provider_gone))
        (void)seen.mem.alloc(seen.mem.user, 48);
    return npjt_subject_npjob.shutdown(srv, how);
}

Test(twin_shrink, a_step_is_tried_again_when_those_behind_it_are_gone)
{
    uint8_t script[] = {0, 0xE0, 0, DO(PROVIDER_GONE, 0), DO(ADVANCE, 0), DO(CLIENT_GONE, 0)};
    size_t size = sizeof script;
    npjt_subject seeing = npjt_subject_npjob;
    seeing.srv_new = new_seeing;
    seeing.advance = advance_seen;
    seeing.client_gone = client_seen_going;
    seeing.provider_gone = provider_seen_going;
    seeing.shutdown = shutdown_leaks;
    cr_assert(npjt_twin_shrink(twin, &seeing, script, &size));
    cr_expect_eq(size, NPJT_TWIN_HEADER + 3, "%zu", size);
    cr_expect_eq(script[NPJT_TWIN_HEADER], NPJT_TWIN_ADVANCE);
}

static npj_status new_fails(const npj_config *config, void **out)
{
    (void)config, (void)out;
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

Test(twin_shrink, a_script_of_any_size)
{
    static uint8_t script[NPJT_TWIN_MAX + 8];
    npjt_subject none = npjt_subject_npjob;
    none.srv_new = new_fails;
    for (size_t size = 0; size <= sizeof script; size++) {
        size_t whole = size <= 3 ? size : size - size % 3, left = size;
        if (whole > NPJT_TWIN_MAX)
            whole = NPJT_TWIN_MAX;
        cr_expect_not(npjt_twin_shrink(twin, &npjt_subject_npjob, script, &left));
        cr_expect_eq(left, whole, "%zu: %zu", size, left);
        left = size;
        cr_expect(npjt_twin_shrink(twin, &none, script, &left), "%zu", size);
        cr_expect_eq(left, size < 3 ? size : 3, "%zu: %zu", size, left);
    }
}
