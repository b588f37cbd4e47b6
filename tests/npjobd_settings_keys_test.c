/* SPDX-License-Identifier: MIT */
/* The keys of a configuration: how one is found, which one is meant, and the bounds that npjobd(8) gives. */
#include <criterion/criterion.h>
#include <string.h>

#include "settings_value.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static const char *name_of(const settings_key *key)
{
    return key != NULL ? key->name : "none";
}

Test(settings_keys, are_found_without_regard_to_case_and_blanks)
{
    cr_expect_str_eq(name_of(settings_find_key("max jobs", false)), "max jobs");
    cr_expect_str_eq(name_of(settings_find_key("MAXJOBS", false)), "max jobs");
    cr_expect_str_eq(name_of(settings_find_key(" ncalrpcd\tir", false)), "ncalrpc dir");
    cr_expect_str_eq(name_of(settings_find_key("max jobs", true)), "none");
    cr_expect_str_eq(name_of(settings_find_key("max job", false)), "none");
    cr_expect_str_eq(name_of(settings_find_key("drain timeout", true)), "drain timeout");
}

/* A third of its characters may differ: two of "complete". What is put in, taken out or replaced counts alike, wherever
 * it stands. */
static const struct guess {
    bool of_printer;
    const char *name;
    const char *meant;
} guesses[] = {
    {true, "mplete", "complete"},
    {true, "plete", "none"},
    {true, "comple", "complete"},
    {true, "compl", "none"},
    {true, "cmplte", "complete"},
    {true, "cmplt", "none"},
    {true, "xycomplete", "complete"},
    {true, "xyzcomplete", "none"},
    {true, "completexy", "complete"},
    {true, "completexyz", "none"},
    {true, "coxmplyete", "complete"},
    {true, "coxmplyezte", "none"},
    {true, "xymplete", "complete"},
    {true, "xyzplete", "none"},
    {true, "complexy", "complete"},
    {true, "complxyz", "none"},
    {true, "ocmplete", "complete"},
    {true, "ocmpleet", "none"},
    {true, "c", "none"},
    {true, "", "none"},
    {true, "srail timeout", "stall timeout"}, /* as near to "drain timeout": the first one of the table */
    {true, "srain timeout", "drain timeout"},
    {true, "metrics fil", "none"}, /* it is none of a printer's */
    {false, "metrics fil", "metrics file"},
    {false, "ncalrpc dri", "ncalrpc dir"},
    {false, "control socket that is called forty characters", "none"},
    {false, "smbd user abcdefghijklmnopqrstuvwxyzabcdef", "none"},
};

Test(settings_keys, are_guessed)
{
    for (size_t i = 0; i < ROWS(guesses); i++) {
        const settings_key *nearest = settings_nearest_key(guesses[i].name, guesses[i].of_printer);
        cr_expect_str_eq(name_of(nearest), guesses[i].meant, "%s: %s", guesses[i].name, name_of(nearest));
    }
}

static uint64_t most_seconds(const char *name)
{
    static const char *const weeks[] = {"idle timeout", "stall timeout", "drain timeout"};
    for (size_t i = 0; i < ROWS(weeks); i++)
        if (strcmp(name, weeks[i]) == 0)
            return 604800;
    return strcmp(name, "handshake timeout") == 0 ? 3600 : 86400;
}

Test(settings_keys, times_are_from_a_second_to_a_day)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].kind == SETTINGS_SECONDS) {
            cr_expect_eq(keys[i].least, 1, "%s", keys[i].name);
            cr_expect_eq(keys[i].most, most_seconds(keys[i].name), "%s", keys[i].name);
        }
    }
}
