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

/* In place of the search of the test kit: notes which there were, and how far each was to go. */
static struct search {
    const char *scope;
    uint64_t bound;
    bool seeds;
} searches[8];
static unsigned count;
static npjt_explore_end ends[8]; /* all DONE, if nothing else is said */

npjt_explore_end npjt_explore(const npjt_scope *scope, const npjt_explore_options *options, npjt_explored *result)
{
    cr_assert_lt(count, sizeof searches / sizeof *searches);
    searches[count] = (struct search){scope->name, options->max_states, options->seed != NULL};
    *result = (npjt_explored){.states = 17};
    return ends[count++];
}

static int explore(char *first, char *second, char *third)
{
    char *words[] = {"npj explore", first, second, third, NULL};
    int given = third != NULL ? 4 : second != NULL ? 3 : 2;
    count = 0;
    return tool_explore(given, words);
}

static void expect_searches(char *max_states, unsigned expected, const uint64_t *expected_bounds)
{
    cr_assert_eq(explore("kinds", "pair", max_states), TOOL_DONE);
    cr_assert_eq(count, expected, "%u searches, not %u", count, expected);
    for (unsigned i = 0; i < expected; i++)
        cr_expect_eq(searches[i].bound, expected_bounds[i], "search %u goes to %llu states", i,
                     (unsigned long long)searches[i].bound);
}

/* One that goes no further than the short look would be the short look again. */
Test(explore_tell, a_short_look_comes_before_what_goes_further)
{
    expect_searches(NULL, 4, (const uint64_t[]){5000, 5000, 0, 0});
    expect_searches("--max-states=5001", 4, (const uint64_t[]){5000, 5000, 5001, 5001});
    expect_searches("--max-states=5000", 2, (const uint64_t[]){5000, 5000});
    expect_searches("--max-states=200", 2, (const uint64_t[]){200, 200});
}

Test(explore_tell, the_large_scope_alone)
{
    cr_assert_eq(explore("--large", NULL, NULL), TOOL_DONE);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(searches[0].scope, "large");
    cr_assert_eq(searches[0].bound, 0);
}

/* What is found ends it, be it in a short look, which leaves no seeds, or in a long one. */
Test(explore_tell, the_first_finding_is_the_last)
{
    for (unsigned at = 0; at < 4; at++) {
        memset(ends, 0, sizeof ends);
        ends[at] = NPJT_EXPLORE_FINDING;
        cr_assert_eq(explore("kinds", "pair", "--seeds=."), TOOL_FAILED, "a finding in search %u", at);
        cr_assert_eq(count, at + 1);
        cr_assert_str_eq(searches[at].scope, at % 2 == 0 ? "kinds" : "pair");
        cr_assert_eq(searches[at].seeds, at >= 2);
    }
}

Test(explore_tell, no_memory_is_no_finding)
{
    char line[256] = "";
    ends[2] = NPJT_EXPLORE_TROUBLE;
    cr_assert_eq(explore("kinds", "pair", NULL), TOOL_TROUBLE);
    cr_assert_eq(count, 3);
    (void)fflush(NULL);
    cr_assert_not_null(fgets(line, sizeof line, cr_get_redirected_stderr()));
    cr_assert_str_eq(line, "npj explore: no memory for more than 17 states\n");
}
