/* SPDX-License-Identifier: MIT */
/* What npj explore says of a finding, and where. The engine itself has none to show. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "explore.h"

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
