/* SPDX-License-Identifier: MIT */
/* What npj explore says of a finding, and where, and how far it lets each search go. The engine itself has no finding
 * to show, and here nothing is searched. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "explore.h"
#include "tool.h"

static void redirect(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

TestSuite(explore_tell, .init = redirect);

/* A tape without a record. */
static void tell(bool json)
{
    explore_telling telling = {.json = json};
    const uint8_t tape[NPJT_HEADER_BYTES] = {1};
    explore_tell_finding(&telling, "it differs", tape, sizeof tape);
    (void)fflush(NULL);
}

static void expect_finding(FILE *stream)
{
    char lines[2][256] = {"", ""};
    cr_assert_not_null(fgets(lines[0], sizeof lines[0], stream));
    cr_assert_not_null(fgets(lines[1], sizeof lines[1], stream));
    cr_assert_str_eq(lines[0], "explore: violation law=model sentence=\"it differs\" events=0\n");
    cr_assert_eq(strncmp(lines[1], "tape 1", 6), 0, "%s", lines[1]);
}

Test(explore_tell, a_finding_is_the_output)
{
    tell(false);
    expect_finding(cr_get_redirected_stdout());
}

/* Whoever reads one object a line reads nothing else. */
Test(explore_tell, a_finding_stands_not_between_objects)
{
    tell(true);
    expect_finding(cr_get_redirected_stderr());
    cr_assert_stdout_eq_str("");
}

/* In place of the search of the test kit: notes how far each was to go. */
static uint64_t bounds[8];
static unsigned searches;

npjt_explore_end npjt_explore(const npjt_scope *scope, const npjt_explore_options *options, npjt_explored *result)
{
    (void)scope;
    if (searches < sizeof bounds / sizeof *bounds)
        bounds[searches++] = options->max_states;
    *result = (npjt_explored){0};
    return NPJT_EXPLORE_DONE;
}

static void expect_searches(char *max_states, unsigned count, const uint64_t *expected)
{
    char *words[] = {"npj explore", "kinds", "pair", max_states, NULL};
    searches = 0;
    cr_assert_eq(tool_explore(max_states != NULL ? 4 : 3, words), TOOL_DONE);
    cr_assert_eq(searches, count, "%u searches, not %u", searches, count);
    for (unsigned i = 0; i < count; i++)
        cr_expect_eq(bounds[i], expected[i], "search %u goes to %llu states", i, (unsigned long long)bounds[i]);
}

/* One that goes no further than the short look would be the short look again. */
Test(explore_tell, a_short_look_comes_before_what_goes_further)
{
    expect_searches(NULL, 4, (const uint64_t[]){5000, 5000, 0, 0});
    expect_searches("--max-states=5001", 4, (const uint64_t[]){5000, 5000, 5001, 5001});
    expect_searches("--max-states=5000", 2, (const uint64_t[]){5000, 5000});
    expect_searches("--max-states=200", 2, (const uint64_t[]){200, 200});
}
