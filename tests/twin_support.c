/* SPDX-License-Identifier: MIT */
#include "twin_support.h"

#include <criterion/criterion.h>
#include <string.h>

npjt_twin *twin;
npjt_twin_result result;
char sentence[512];
const uint8_t *plain;
size_t plain_size;

/* What the finding has to name beside its sentence. */
static npjt_difference expected;

void set_up(void)
{
    twin = npjt_twin_new();
    cr_assert_not_null(twin);
    plain = twin_plain_script(&plain_size);
}

void tear_down(void)
{
    npjt_twin_free(twin);
    twin = NULL; /* what is lost is a leak */
}

static void note(void *user, const npjt_difference *finding)
{
    (void)user;
    (void)strncpy(sentence, finding->sentence, sizeof sentence - 1);
    cr_expect_eq(finding->relation, expected.relation);
    cr_expect_eq(finding->subject, expected.subject);
    cr_expect_eq(finding->script, expected.script);
    cr_expect_eq(finding->size, expected.size);
}

bool play(const npjt_subject *subject, const uint8_t *script, size_t size, npjt_relation relation)
{
    npjt_twin_options options = {.finding = note, .relation_override = true, .relation = relation};
    expected = (npjt_difference){.relation = relation, .subject = subject->name, .script = script, .size = size};
    sentence[0] = '\0';
    bool good = npjt_twin_run(twin, subject, script, size, &options, &result);
    cr_assert_eq(result.relation, relation);
    cr_assert_eq(result.found, !good);
    cr_assert_eq(sentence[0] == '\0', good);
    return good;
}
