/* SPDX-License-Identifier: MIT */
/* The settings of npjobd: what is read, what is refused and in which words, and what is printed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/counting.h"
#include "settings.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define COMMANDS    "addjob command = add %J\nschedule command = go %j\nabandon command = rm %j %r\n"
#define LASER       "[laser]\n" COMMANDS

static npjt_counting pool;
static char wrong[SETTINGS_WRONG_MAX];

static void set_up(void)
{
    npjt_counting_init(&pool, NULL);
    wrong[0] = '\0';
}

/* Nothing is left, and nothing was done to memory that is not ours. */
static void tear_down(void)
{
    cr_assert_eq(npjt_counting_finish(&pool), 0);
}

TestSuite(settings, .init = set_up, .fini = tear_down);

/* The text stands in a block of its size. */
static npj_status parse_as(const char *file, const char *text, size_t length, settings **out)
{
    char *block = malloc(length + 1);
    cr_assert_not_null(block);
    memcpy(block + 1, text, length);
    settings_source source = {file, block + 1, length, npjt_counting_mem(&pool)};
    npj_status status = settings_parse(&source, out, wrong);
    free(block);
    return status;
}

static settings *parse(const char *text)
{
    settings *made = NULL;
    cr_assert_eq(parse_as("a.conf", text, strlen(text), &made), NPJ_STATUS_SUCCESS, "%s", wrong);
    cr_assert_not_null(made);
    return made;
}

static void expect_wrong_of(const char *text, size_t length, const char *sentence)
{
    settings *made = NULL;
    cr_assert_eq(parse_as("a.conf", text, length, &made), NPJ_STATUS_INVALID_PARAMETER, "it should say: %s", sentence);
    cr_assert_null(made);
    cr_assert_str_eq(wrong, sentence);
}

static void expect_wrong(const char *text, const char *sentence)
{
    expect_wrong_of(text, strlen(text), sentence);
}

/* --------------------------------------------------------------------------------------------------- what is read */

Test(settings, defaults)
{
    settings *made = parse(LASER);
    const settings_printer *laser = &made->printers[0];
    cr_expect_str_eq(made->ncalrpc_dir, "/run/samba/ncalrpc");
    cr_expect_str_eq(made->smbd_user, "root");
    cr_expect_eq(made->handshake_timeout, 10000);
    cr_expect_eq(made->stop_timeout, 30000);
    cr_expect_eq(made->max_jobs, 128);
    cr_expect_eq(made->max_memory, 256u << 20);
    cr_expect_null(made->metrics_file);
    cr_expect_eq(made->metrics_interval, 15000);
    cr_expect_str_eq(made->control_socket, "/run/npjobd/control");
    cr_expect_eq(made->printer_count, 1);
    cr_expect_str_eq(laser->name, "laser");
    cr_expect_str_eq(laser->addjob_command, "add %J");
    cr_expect_str_eq(laser->schedule_command, "go %j");
    cr_expect_str_eq(laser->abandon_command, "rm %j %r");
    cr_expect_eq(laser->command_timeout, 30000);
    cr_expect_eq(laser->complete, WHOLE_EOF);
    cr_expect_eq(laser->max_job_memory, 16u << 20);
    cr_expect_eq(laser->idle_timeout, 600000);
    cr_expect_eq(laser->connect_timeout, 30000);
    cr_expect_eq(laser->stall_timeout, 60000);
    cr_expect_eq(laser->drain_timeout, 300000);
    settings_free(made);
}

static const char everything[] = "[global]\n"
                                 "    ncalrpc dir = /tmp/n\n"
                                 "    smbd user = 1000\n"
                                 "    handshake timeout = 3600\n"
                                 "    stop timeout = 86400\n"
                                 "    max jobs = 65535\n"
                                 "    max memory = 1024G\n"
                                 "    metrics file = /var/lib/npjobd.prom\n"
                                 "    metrics interval = 1\n"
                                 "    control socket = /tmp/control\n"
                                 "\n"
                                 "[a]\n"
                                 "    addjob command = \"/opt/my provider\" %J\n"
                                 "    schedule command = sh -c 'a = b # c'\n"
                                 "    abandon command = x\\;y\n"
                                 "    command timeout = 86400\n"
                                 "    complete = pjl\n"
                                 "    max job memory = 3145729\n"
                                 "    idle timeout = 604800\n"
                                 "    connect timeout = 1\n"
                                 "    stall timeout = 604800\n"
                                 "    drain timeout = 604799\n";

Test(settings, every_key)
{
    settings *made = parse(everything);
    const settings_printer *a = &made->printers[0];
    cr_expect_str_eq(made->ncalrpc_dir, "/tmp/n");
    cr_expect_str_eq(made->smbd_user, "1000");
    cr_expect_eq(made->handshake_timeout, 3600000);
    cr_expect_eq(made->stop_timeout, 86400000);
    cr_expect_eq(made->max_jobs, 65535);
    cr_expect_eq(made->max_memory, UINT64_C(1) << 40);
    cr_expect_str_eq(made->metrics_file, "/var/lib/npjobd.prom");
    cr_expect_eq(made->metrics_interval, 1000);
    cr_expect_str_eq(made->control_socket, "/tmp/control");
    cr_expect_str_eq(a->addjob_command, "\"/opt/my provider\" %J");
    cr_expect_str_eq(a->schedule_command, "sh -c 'a = b # c'");
    cr_expect_str_eq(a->abandon_command, "x\\;y");
    cr_expect_eq(a->command_timeout, 86400000);
    cr_expect_eq(a->complete, WHOLE_PJL);
    cr_expect_eq(a->max_job_memory, 3145729);
    cr_expect_eq(a->idle_timeout, 604800000);
    cr_expect_eq(a->connect_timeout, 1000);
    cr_expect_eq(a->stall_timeout, 604800000);
    cr_expect_eq(a->drain_timeout, 604799000);
    settings_free(made);
}

/* The same settings in many spellings: each is printed as the same text. */
static const char *const spellings[] = {
    "[global]\nmax jobs = 9\n" LASER,
    LASER "[global]\nmax jobs = 9\n",
    "\n# a comment\n  ; another, not continued \\\n[GLOBAL]\nMAX JOBS=9\n" LASER,
    "[ global ]\n\tmaxjobs\t=\t9\t\n[\tlaser ]\nAddJobCommand = add %J\n schedule  command = go %j\nabandoncommand=rm "
    "%j %r",
    "[global]\r\nmax jobs = 9\r\n[laser]\r\naddjob command = add %J\r\nschedule command = go %j\r\nabandon command = "
    "rm %j %r\r",
    "[glo\\\nbal]\nma\\\nx jobs \\\n= \\\n  9\\\n\n[laser]\naddjob command = \\\r\n add\\\n %J\nschedule command = go "
    "\\\n%j\n"
    "abandon command = rm\\\n %j \\\n%r",
    "[global]\nmax jobs = 0009\nmax memory = 262144k\nmetrics file =\n" LASER
    "max job memory = 16777216\ncomplete = eof\n",
};

static char printed[8192];
static size_t printed_length;

static void put(void *user, const char *text, size_t length)
{
    cr_assert_eq(user, printed);
    cr_assert(printed_length + length < sizeof printed);
    memcpy(printed + printed_length, text, length);
    printed_length += length;
    printed[printed_length] = '\0';
}

static const char *print(const settings *from)
{
    printed_length = 0;
    settings_print(from, put, printed);
    return printed;
}

/* LASER, with so many jobs. */
#define PRINTED(max_jobs)                                                                                              \
    "[global]\n    ncalrpc dir = /run/samba/ncalrpc\n    smbd user = root\n    handshake timeout = 10\n"               \
    "    stop timeout = 30\n    max jobs = " max_jobs "\n    max memory = 256M\n    metrics file =\n"                  \
    "    metrics interval = 15\n    control socket = /run/npjobd/control\n\n"                                          \
    "[laser]\n    addjob command = add %J\n    schedule command = go %j\n    abandon command = rm %j %r\n"             \
    "    command timeout = 30\n    complete = eof\n    max job memory = 16M\n    idle timeout = 600\n"                 \
    "    connect timeout = 30\n    stall timeout = 60\n    drain timeout = 300\n"

Test(settings, spellings)
{
    for (size_t i = 0; i < ROWS(spellings); i++) {
        settings *made = parse(spellings[i]);
        cr_expect_str_eq(print(made), PRINTED("9"), "spelling %zu: %s", i, printed);
        settings_free(made);
    }
}

Test(settings, printers_stand_in_their_order)
{
    settings *made = parse("[z]\n" COMMANDS "complete = ps\n[a.b_c-9]\n" COMMANDS "[m]\n" COMMANDS "complete = any\n"
                           "[abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl]\n" COMMANDS);

    cr_assert_eq(made->printer_count, 4);
    cr_expect_eq(strlen(made->printers[3].name), SETTINGS_NAME_MAX);
    cr_expect_str_eq(made->printers[0].name, "z");
    cr_expect_str_eq(made->printers[1].name, "a.b_c-9");
    cr_expect_str_eq(made->printers[2].name, "m");
    cr_expect_eq(made->printers[0].complete, WHOLE_PS);
    cr_expect_eq(made->printers[1].complete, WHOLE_EOF);
    cr_expect_eq(made->printers[2].complete, WHOLE_ANY);

    const char *at = print(made);
    for (size_t i = 0; i < made->printer_count; i++) {
        char heading[SETTINGS_NAME_MAX + sizeof "\n\n[]\n"];
        snprintf(heading, sizeof heading, "\n\n[%s]\n", made->printers[i].name);
        cr_assert_not_null(at = strstr(at, heading), "not in its place: %s", made->printers[i].name);
    }
    settings_free(made);
}

/* ------------------------------------------------------------------------------------------------ what is refused */

#define WITH(line) "[global]\n" line "\n" LASER
#define NO_NAME(text)                                                                                                  \
    "a.conf:1: \"" text "\" is no name of a printer: 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", and no \".\" in "    \
    "front"
#define NO_SIZE(text)   "a.conf:2: \"max memory\" is a size from 1M to 1024G, such as 16M or 1G, not \"" text "\""
#define NO_COUNT(text)  "a.conf:2: \"max jobs\" is a whole number from 1 to 65535, not \"" text "\""
#define ITS_SOCKET(key) "a.conf:3: printer laser: its socket is the \"" key "\" too"

static const struct refusal {
    const char *text;
    const char *sentence;
} refusals[] = {
    {"", "a.conf:1: there is no printer"},
    {"\n\n# nothing\n", "a.conf:3: there is no printer"},
    {"[global]\n", "a.conf:1: there is no printer"},
    {"max jobs = 1\n", "a.conf:1: a setting stands before the first section"},
    {"\n[laser\n", "a.conf:2: a section's name ends with ], and nothing follows it"},

    {"[Laser]\n", NO_NAME("Laser")},
    {"[]\n", NO_NAME("")},
    {"[.]\n", NO_NAME(".")},
    {"[a/b]\n", NO_NAME("a/b")},
    {"[a\xC3\xA9]\n", NO_NAME("a??")},
    {"[abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm]",
     NO_NAME("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv...")},
    {"[dssetup]\n", "a.conf:1: dssetup is a pipe of Samba's own, and no name of a printer"},
    {"[protected_storage]\n", "a.conf:1: protected_storage is a pipe of Samba's own, and no name of a printer"},
    {"[wkssvc]\n", "a.conf:1: wkssvc is a pipe of Samba's own, and no name of a printer"},
    {LASER "[b]\n" COMMANDS LASER, "a.conf:9: printer laser is in line 1 already"},
    {"[b]\n" COMMANDS LASER LASER, "a.conf:9: printer laser is in line 5 already"},
    {LASER "[Global]\n[global]\n", "a.conf:6: [global] is in line 5 already"},
    {"[a]\naddjob command = a\n[b]\n", "a.conf:1: printer a has no \"schedule command\""},
    {"\n[b]\nschedule command = a\nabandon command = a\n\n", "a.conf:2: printer b has no \"addjob command\""},

    {LASER "Conect  timeout = 1\n", "a.conf:5: there is no key \"Conect  timeout\"; is it \"connect timeout\"?"},
    {LASER "stal timeout = 1\n", "a.conf:5: there is no key \"stal timeout\"; is it \"stall timeout\"?"},
    {LASER "colour = red\n", "a.conf:5: there is no key \"colour\""},
    {LASER "max jobs = 3\n", "a.conf:5: \"max jobs\" belongs to [global], not to a printer"},
    {WITH("complete = ps"), "a.conf:2: \"complete\" belongs to a printer, not to [global]"},
    {WITH("mx job = 1"), "a.conf:2: there is no key \"mx job\"; is it \"max jobs\"?"},
    {WITH("m jos = 1"), "a.conf:2: there is no key \"m jos\""},
    {WITH("a key that is much longer than any key that there ever was or will be = 1"),
     "a.conf:2: there is no key \"a key that is much longer than any key that ther...\""},
    {WITH("a key, of which forty eight characters are shown = 1"),
     "a.conf:2: there is no key \"a key, of which forty eight characters are shown\""},
    {LASER "complete = ps\n\nComplete = pdf\n", "a.conf:7: \"complete\" is in line 5 already"},

    {WITH("max jobs = 0"), NO_COUNT("0")},
    {WITH("max jobs = 65536"), NO_COUNT("65536")},
    {WITH("max jobs = 18446744073709551617"), NO_COUNT("18446744073709551617")},
    {WITH("max jobs = 1K"), NO_COUNT("1K")},
    {WITH("max jobs = +1"), NO_COUNT("+1")},
    {WITH("max jobs = 1:"), NO_COUNT("1:")},
    {WITH("max jobs ="), NO_COUNT("")},
    {WITH("stop timeout = 0"), "a.conf:2: \"stop timeout\" is a whole number of seconds from 1 to 86400, not \"0\""},
    {WITH("max memory = 1048575"), NO_SIZE("1048575")},
    {WITH("max memory = 1025G"), NO_SIZE("1025G")},
    {WITH("max memory = 17179869185G"), NO_SIZE("17179869185G")},
    {WITH("max memory = 16L"), NO_SIZE("16L")},
    {WITH("max memory = 1MK"), NO_SIZE("1MK")},
    {WITH("max memory = M"), NO_SIZE("M")},
    {WITH("metrics file = a"), "a.conf:2: \"metrics file\" is an absolute path of at most 4000 bytes, not \"a\""},
    {WITH("ncalrpc dir ="), "a.conf:2: \"ncalrpc dir\" is an absolute path of at most 102 bytes, not \"\""},
    {WITH("smbd user = a b"), "a.conf:2: \"smbd user\" is the name or the number of a user, not \"a b\""},
    {WITH("smbd user ="), "a.conf:2: \"smbd user\" is the name or the number of a user, not \"\""},
    {LASER "complete = PS\n", "a.conf:5: \"complete\" is eof, ps, pdf, pjl or any, not \"PS\""},
    {LASER "complete = (unknown)\n", "a.conf:5: \"complete\" is eof, ps, pdf, pjl or any, not \"(unknown)\""},
    {"[a]\naddjob command =\n", "a.conf:2: \"addjob command\" is a command of at most 4095 bytes, not \"\""},
    {"[a]\naddjob command = a 'b\n", "a.conf:2: \"addjob command\": a ' is not closed"},
    {"[a]\naddjob command = a %j\n", "a.conf:2: \"addjob command\": %j is no value of this command"},
    {"[a]\nschedule command = a %r\n", "a.conf:2: \"schedule command\": %r is no value of this command"},
    {"[a]\naddjob command = a %~\n", "a.conf:2: \"addjob command\": %~ is no value of this command"},
    {"[a]\nschedule command = a %\xFF\n", "a.conf:2: \"schedule command\": %? is no value of this command"},
    {"[a]\nabandon command = a | %r\n", "a.conf:2: \"abandon command\": a | that is not quoted: no shell reads this"},
    {WITH("metrics file = /a/"), "a.conf:1: \"metrics file\" ends in /, as a folder does"},
    {WITH("control socket = /a/"), "a.conf:1: \"control socket\" ends in /, as a folder does"},
    {WITH("metrics file = /a\ncontrol socket = /a"), "a.conf:1: \"metrics file\" is the \"control socket\" too"},
    {WITH("metrics file = /run/samba/ncalrpc/np/laser"), ITS_SOCKET("metrics file")},
    {WITH("control socket = /run/samba/ncalrpc/np/laser"), ITS_SOCKET("control socket")},
    {WITH("max memory = 8M"), "a.conf:3: printer laser: \"max job memory\" is more than \"max memory\""},
};

Test(settings, refusals_name_the_line_and_say_what_is_wrong)
{
    for (size_t i = 0; i < ROWS(refusals); i++)
        expect_wrong(refusals[i].text, refusals[i].sentence);
}

/* Cut at any byte, it is a configuration or it is not; but never anything else. */
Test(settings, every_beginning_is_accepted_or_refused)
{
    for (size_t length = 0; length <= sizeof everything - 1; length++) {
        settings *made = NULL;
        npj_status status = parse_as("a.conf", everything, length, &made);
        cr_assert(status == NPJ_STATUS_SUCCESS ? made != NULL : status == NPJ_STATUS_INVALID_PARAMETER && made == NULL);
        cr_assert(status == NPJ_STATUS_SUCCESS || strncmp(wrong, "a.conf:", 7) == 0);
        settings_free(made);
    }
}

Test(settings, any_byte_may_be_any_other)
{
    char text[sizeof everything];
    for (size_t at = 0; at < sizeof everything - 1; at++) {
        memcpy(text, everything, sizeof everything);
        for (unsigned value = (unsigned)at % 5; value < 256; value += 5) {
            settings *made = NULL;
            text[at] = (char)value;
            npj_status status = parse_as("a.conf", text, sizeof everything - 1, &made);
            cr_assert(status == NPJ_STATUS_SUCCESS ? made != NULL
                                                   : status == NPJ_STATUS_INVALID_PARAMETER && made == NULL);
            settings_free(made);
        }
    }
}

/* --------------------------------------------------------------------------------------------------------- limits */

Test(settings, the_path_of_a_socket_has_to_fit)
{
    char text[512];
    char folder[128];
    memset(folder, 'n', sizeof folder);
    folder[0] = '/';
    folder[98] = '\0'; /* and /np/laser */
    snprintf(text, sizeof text, "[global]\nncalrpc dir = %s\n%s", folder, LASER);
    settings_free(parse(text));
    snprintf(text, sizeof text, "[global]\nncalrpc dir = %s\ncontrol socket = %s/np/laser\n%s", folder, folder, LASER);
    expect_wrong(text, "a.conf:4: printer laser: its socket is the \"control socket\" too");
    folder[98] = 'n';
    folder[99] = '\0';
    snprintf(text, sizeof text, "[global]\nncalrpc dir = %s\n[a]\n%s%s", folder, COMMANDS, LASER);
    expect_wrong(text, "a.conf:7: printer laser: the path of its socket has 108 bytes, and may have 107");
}

Test(settings, the_least_memory)
{
    settings_free(parse("[global]\nmax memory = 1M\nmax jobs = 16\n" LASER "max job memory = 1M\n"));
    settings_free(parse(WITH("max memory = 16M\nmax jobs = 256")));
    expect_wrong(WITH("max memory = 16M\nmax jobs = 257"),
                 "a.conf:1: \"max memory\" is less than 64K for each of \"max jobs\"");
}

Test(settings, the_longest_values)
{
    static char text[8192];
    static char value[4097];
    memset(value, 'v', sizeof value - 1);
    value[4095] = '\0';
    snprintf(text, sizeof text, "[a]\naddjob command = %s\nschedule command = s\nabandon command = a\n", value);
    settings *made = parse(text);
    cr_expect_str_eq(made->printers[0].addjob_command, value);
    settings_free(made);

    value[4095] = 'v';
    snprintf(text, sizeof text, "[a]\naddjob command = %s\n", value);
    expect_wrong(text, "a.conf:2: \"addjob command\" is a command of at most 4095 bytes, not "
                       "\"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv...\"");
}

Test(settings, as_many_printers_as_there_may_be)
{
    static char text[SETTINGS_PRINTERS_MAX * 96];
    size_t length = 0;
    for (unsigned i = 0; i < SETTINGS_PRINTERS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "[p%u]\n%s", i, COMMANDS);
    settings *made = parse(text);
    cr_expect_eq(made->printer_count, SETTINGS_PRINTERS_MAX);
    cr_expect_str_eq(made->printers[SETTINGS_PRINTERS_MAX - 1].name, "p1023");
    settings_free(made);
    snprintf(text + length, sizeof text - length, "[more]\n");
    expect_wrong(text, "a.conf:4097: there are more than 1024 printers");
}

Test(settings, the_longest_text)
{
    char *text = malloc(SETTINGS_TEXT_MAX + 1);
    settings *made = NULL;
    cr_assert_not_null(text);
    memset(text, '\n', SETTINGS_TEXT_MAX + 1);
    memcpy(text, LASER, sizeof LASER - 1);
    cr_expect_eq(parse_as("a.conf", text, SETTINGS_TEXT_MAX, &made), NPJ_STATUS_SUCCESS);
    settings_free(made);
    expect_wrong_of(text, SETTINGS_TEXT_MAX + 1, "a.conf:1: the file is longer than 1048576 bytes");
    free(text);
}

Test(settings, a_long_or_strange_name_of_the_file)
{
    char name[400];
    char expected[SETTINGS_WRONG_MAX];
    settings *made = NULL;
    memset(name, 'x', sizeof name);
    memcpy(name + sizeof name - 8, "/a.conf", 8);
    cr_assert_eq(parse_as(name, "", 0, &made), NPJ_STATUS_INVALID_PARAMETER);
    snprintf(expected, sizeof expected, "%s:1: there is no printer", name + sizeof name - 1 - 200);
    cr_expect_str_eq(wrong, expected);
    cr_assert_eq(parse_as("\n\x1F\x7F~\xC3\xA9", "", 0, &made), NPJ_STATUS_INVALID_PARAMETER);
    cr_expect_str_eq(wrong, "???~\xC3\xA9:1: there is no printer");
}

/* --------------------------------------------------------------------------------------------------------- memory */

Test(settings, one_allocation_which_may_fail)
{
    settings *made = NULL;
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 1);
    cr_assert_eq(parse_as("a.conf", everything, sizeof everything - 1, &made), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_assert_null(made);
    cr_expect_str_eq(wrong, "no memory for the settings");
    npjt_counting_fault(&pool, NPJT_FAULT_FROM, 2);
    made = parse(everything);
    cr_expect_eq(npjt_counting_stats_of(&pool)->allocations, 2);
    settings_free(made);
    settings_free(NULL);
}

Test(settings, without_an_allocator_it_is_malloc)
{
    settings *made = NULL;
    settings_source source = {.name = "a.conf", .text = LASER, .length = sizeof LASER - 1};
    cr_assert_eq(settings_parse(&source, &made, wrong), NPJ_STATUS_SUCCESS);
    cr_expect_str_eq(made->printers[0].name, "laser");
    settings_free(made);
}

/* -------------------------------------------------------------------------------------------------------- printing */

Test(settings, what_is_printed)
{
    settings *made = parse(everything);
    cr_expect_str_eq(print(made), everything);
    settings_free(made);
    made = parse(LASER);
    cr_expect_str_eq(print(made), PRINTED("128"));
    settings_free(made);
}

/* Every default is in its bounds and spelled as it is printed; every key is spelled in one way. */
Test(settings, the_table_is_sound)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    settings *made = parse(LASER);
    const char *all = print(made);
    cr_assert_eq(count, 19);
    for (size_t i = 0; i < count; i++) {
        char line[256];
        cr_expect(keys[i].least <= keys[i].most);
        cr_expect(i == 0 || keys[i].of_printer >= keys[i - 1].of_printer, "[global] comes first");
        if (keys[i].initial != NULL) {
            snprintf(line, sizeof line, "\n    %s =%s%s\n", keys[i].name, keys[i].initial[0] != '\0' ? " " : "",
                     keys[i].initial);
            cr_expect_not_null(strstr(all, line), "the default of %s is printed in another way", keys[i].name);
            snprintf(line, sizeof line, "%s%s = %s\n%s", keys[i].of_printer ? LASER : "[global]\n", keys[i].name,
                     keys[i].initial, keys[i].of_printer ? "" : LASER);
            settings_free(parse(line));
        }
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(keys[i].name, keys[k].name);
    }
    settings_free(made);
}
