/* SPDX-License-Identifier: MIT */
/* Command lines: words, quotes, values, and what is refused. Text that is made fit to be printed. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-posix/provider.h"
#include "text.h"
#include "words.h"

static const npjpi_values values = {
    .printer = "laser",
    .name = "two words; $(reboot)",
    .user = "--help",
    .client = "a\nb\x01",
    .job_id = "4294967295",
    .reason = "STATUS_PIPE_BROKEN",
};

/* Splits, fills, and asserts that the words are those of @want, which are separated by "|". */
static void expect_words(npjp_command which, const char *line, const char *want)
{
    char wrong[NPJP_WRONG_MAX] = "";
    char *text = malloc(strlen(line) + 1);
    npjpi_words words;
    cr_assert_eq(npjpi_words_split(&words, text, which, line, wrong), NPJ_STATUS_SUCCESS, "%s: %s", line, wrong);
    size_t size = npjpi_words_size(&words, &values);
    char *room = malloc(size);
    char **argv = malloc((words.count + 1) * sizeof *argv);
    npjpi_words_fill(&words, &values, room, argv);
    char said[1024] = "";
    for (size_t i = 0, length = 0; i < words.count; i++)
        length += (size_t)snprintf(said + length, sizeof said - length, "%s%s", i > 0 ? "|" : "", argv[i]);
    cr_assert_null(argv[words.count]);
    cr_assert_str_eq(said, want);
    cr_assert_leq(strlen(said) + 1, size);
    free(argv);
    free(room);
    free(text);
}

Test(words, are_separated_by_blanks)
{
    expect_words(NPJP_ADD_JOB, "/bin/add one two", "/bin/add|one|two");
    expect_words(NPJP_ADD_JOB, "  add \t one\n", "add|one");
}

Test(words, are_quoted_as_in_sh)
{
    expect_words(NPJP_ADD_JOB, "a 'b c' \"d e\" f\\ g", "a|b c|d e|f g");
    expect_words(NPJP_ADD_JOB, "a b'c'\"d\"e", "a|bcde");
    expect_words(NPJP_ADD_JOB, "a '' \"\" z", "a|||z");
    expect_words(NPJP_ADD_JOB, "a '\\' \"\\\"\\\\\\$\\`\\x\"", "a|\\|\"\\$`\\x");
    expect_words(NPJP_ADD_JOB, "a '|&;<>()$`' \"|&;<>()$`\" \\| *~#=", "a||&;<>()$`||&;<>()$`|||*~#=");
    expect_words(NPJP_ADD_JOB, "sh -c 'read x; echo \"$x\"'", "sh|-c|read x; echo \"$x\"");
}

/* A value is never more than part of one word, whatever it holds, and never an option. */
Test(words, take_values)
{
    expect_words(NPJP_ADD_JOB, "a %p %J", "a|laser|two words; $(reboot)");
    expect_words(NPJP_ADD_JOB, "a --title=%J-%p", "a|--title=two words; $(reboot)-laser");
    expect_words(NPJP_ADD_JOB, "a %u -%u", "a|_-help|-_-help");
    expect_words(NPJP_ADD_JOB, "a %s 100%% '%p' \"%p\"", "a|a_b_|100%|laser|laser");
    expect_words(NPJP_SCHEDULE_JOB, "a %j", "a|4294967295");
    expect_words(NPJP_ABANDON_JOB, "a %j %r %%p", "a|4294967295|STATUS_PIPE_BROKEN|%p");
    expect_words(NPJP_ADD_JOB, "100%%", "100%");
}

/* For many programs a lone one is their standard input. */
Test(words, take_no_value_that_is_a_hyphen)
{
    const npjpi_values lone = {.printer = "-", .name = "", .user = "-", .client = "a-"};
    char text[20];
    char room[20];
    char *argv[4];
    npjpi_words words;
    cr_assert_eq(npjpi_words_split(&words, text, NPJP_ADD_JOB, "a %p %J%s", NULL), NPJ_STATUS_SUCCESS);
    npjpi_words_fill(&words, &lone, room, argv);
    cr_assert_str_eq(argv[1], "_");
    cr_assert_str_eq(argv[2], "a-");
    cr_assert_null(argv[3]);
}

Test(words, take_a_percent_sign_behind_a_backslash)
{
    expect_words(NPJP_ADD_JOB, "a \\%J", "a|%J");
    expect_words(NPJP_ADD_JOB, "a\\% b c", "a%|b|c");
    expect_words(NPJP_ADD_JOB, "a \\%", "a|%");
    expect_words(NPJP_ADD_JOB, "a \\%r\\%%p", "a|%r%laser");
    expect_words(NPJP_ADD_JOB, "\\%p a", "%p|a");
    expect_words(NPJP_ADD_JOB, "sh -c \\%J", "sh|-c|%J");
}

static void refuses(npjp_command which, const char *line, const char *want)
{
    char wrong[NPJP_WRONG_MAX] = "";
    cr_assert_eq(npjp_command_check(which, line, wrong), NPJ_STATUS_INVALID_PARAMETER, "%s", line);
    cr_assert_str_eq(wrong, want);
    cr_assert_eq(npjp_command_check(which, line, NULL), NPJ_STATUS_INVALID_PARAMETER);
}

/* A shell would run the value; what stands behind its code is only handed to it. */
Test(words, take_no_value_within_code)
{
    static const char *const wrong[] = {"sh -c 'echo %J'",     "sh -c \"echo %J\"", "sh -c %J",   "a sh  -c\techo\\ %J",
                                        "sh \"-c\" 'echo %J'", "sh '-c' %J",        "sh \\-c %J", "sh -''c %J",
                                        "sh -c%u %J",          "sh -%uc %J",        "sh -%u %J"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuses(NPJP_ADD_JOB, wrong[i], "%J in the word behind -c, which a shell would run: hand it over as \"$1\"");
    expect_words(NPJP_ADD_JOB, "sh -c 'echo 100%% \"$1\"' sh %p", "sh|-c|echo 100% \"$1\"|sh|laser");
    expect_words(NPJP_ADD_JOB, "lp -c%p -cc %p", "lp|-claser|-cc|laser");
    expect_words(NPJP_ADD_JOB, "sh -c code -%% %p", "sh|-c|code|-%|laser");
    expect_words(NPJP_ADD_JOB, "cat %J - %p", "cat|two words; $(reboot)|-|laser");
}

Test(words, refuse_what_they_are_not)
{
    static const char shell[] = "|&;<>()$`";
    refuses(NPJP_ADD_JOB, "", "no command");
    refuses(NPJP_ADD_JOB, " \t", "no command");
    refuses(NPJP_ADD_JOB, "'' a", "an empty first word");
    refuses(NPJP_ADD_JOB, "a 'b", "a ' is not closed");
    refuses(NPJP_ADD_JOB, "a \"b", "a \" is not closed");
    refuses(NPJP_ADD_JOB, "a \"b\\", "a \" is not closed");
    refuses(NPJP_ADD_JOB, "a b\\", "a \\ at the end");
    refuses(NPJP_ADD_JOB, "a b%", "a % at the end");
    refuses(NPJP_ADD_JOB, "a 'b%", "a % at the end");
    refuses(NPJP_ADD_JOB, "a %x", "%x is no value of this command");
    refuses(NPJP_ADD_JOB, "a %j", "%j is no value of this command");
    refuses(NPJP_ADD_JOB, "a '%r'", "%r is no value of this command");
    refuses(NPJP_SCHEDULE_JOB, "a \"%r\"", "%r is no value of this command");
    refuses(NPJP_ADD_JOB, "%p", "%p in the first word, which takes no value");
    refuses(NPJP_ADD_JOB, NULL, "a null pointer");
    refuses((npjp_command)3, "a", "a null pointer");
    for (const char *byte = shell; *byte != '\0'; byte++) {
        char line[] = "a b?c";
        char want[] = "a ? that is not quoted: no shell reads this";
        line[3] = want[2] = *byte;
        refuses(NPJP_ADD_JOB, line, want);
    }
    cr_assert_eq(npjp_command_check(NPJP_ABANDON_JOB, "a %j %r", NULL), NPJ_STATUS_SUCCESS);
}

static void *no_memory(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return NULL;
}

static void no_release(void *user, void *block, size_t bytes)
{
    (void)user;
    (void)block;
    (void)bytes;
    cr_assert_fail("a block is given back that nobody has taken");
}

Test(words, a_provider_says_which_command_is_wrong)
{
    npjp_commands_config config = {.add_job = "a", .schedule_job = "a", .abandon_job = "a"};
    npjp_commands *commands = NULL;
    char wrong[NPJP_WRONG_MAX];
    config.schedule_job = "a 'b";
    cr_assert_eq(npjp_commands_new(&config, &commands, wrong), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_str_eq(wrong, "schedule command: a ' is not closed");
    config.schedule_job = NULL;
    cr_assert_eq(npjp_commands_new(&config, &commands, wrong), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_str_eq(wrong, "a null pointer");
    cr_assert_eq(npjp_commands_new(NULL, &commands, NULL), NPJ_STATUS_INVALID_PARAMETER);
    config.schedule_job = "a";
    config.mem = (npj_mem){.alloc = no_memory, .release = no_release};
    cr_assert_eq(npjp_commands_new(&config, &commands, wrong), NPJ_STATUS_INSUFFICIENT_RESOURCES);
    config.mem.release = NULL;
    cr_assert_eq(npjp_commands_new(&config, &commands, wrong), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_null(commands);
    npjp_commands_free(&commands);
    npjp_commands_free(NULL);
}

/* ------------------------------------------------------------------------------------------------ clean text */

static void expect_clean(const char *text, size_t length, const char *want)
{
    char out[128];
    size_t clean = npjpi_text_clean(text, length, out, sizeof out);
    cr_assert_eq(clean, strlen(want), "%zu bytes, and %zu were expected of %s", clean, strlen(want), want);
    cr_assert_eq(memcmp(out, want, clean), 0, "%.*s is not %s", (int)clean, out, want);
}

#define CLEAN(text, want) expect_clean(text, sizeof(text) - 1, want)

Test(text, what_is_printable_stays)
{
    CLEAN("", "");
    CLEAN("plain ~!", "plain ~!");
    CLEAN("\xC3\xBC \xE2\x82\xAC \xF0\x9F\x96\xA8", "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x96\xA8");
}

Test(text, what_is_not_becomes_one_mark)
{
    CLEAN("a\0b\n\x1B[2J\x7F", "a_b__[2J_");
    CLEAN("\xC2\x85", "_"); /* a control of two bytes */
    /* A line separator, turned directions. NOLINTNEXTLINE(misc-misleading-bidirectional): on purpose */
    CLEAN("\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6\xD8\x9C", "____");
    CLEAN("\xEF\xBF\xBE\xEF\xB7\x90\xEF\xBB\xBF", "___"); /* no characters, a byte order mark */
    CLEAN("\xE2\x80\x8B\xE2\x81\xA0\xE2\x81\xAF", "___"); /* without width */
}

static size_t encode(uint32_t code, char bytes[4])
{
    const unsigned char lead = code < 0x80 ? 0 : code < 0x800 ? 0xC0 : code < 0x10000 ? 0xE0 : 0xF0;
    const size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; --i > 0; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(lead | code);
    return size;
}

static bool is_printable(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0, 0x1F},          {0x7F, 0x9F},       {0xAD, 0xAD},      {0x34F, 0x34F},   {0x61C, 0x61C},   {0x115F, 0x1160},
        {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},  {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xD800, 0xDFFF},   {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB},
        {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return false;
    return code % 0x10000 < 0xFFFE && code <= 0x10FFFF;
}

Test(text, every_character_is_printable_or_not)
{
    char bytes[4];
    for (uint32_t code = 0; code < 0x1FFFFF; code++) {
        size_t size = encode(code, bytes);
        if (npjpi_text_printable(bytes, size) != (is_printable(code) ? size : 0))
            cr_assert_fail("%X", code);
        if (npjpi_text_printable(bytes, size - (size > 1)) != 0 && size > 1)
            cr_assert_fail("%X, cut", code);
    }
}

/* The printable character that the bytes begin with, found by putting together what each length would make of them. */
static size_t printable_at(const char bytes[4])
{
    static const unsigned char masks[] = {0x7F, 0x1F, 0x0F, 0x07};
    for (size_t size = 1; size <= 4; size++) {
        uint32_t code = (unsigned char)bytes[0] & masks[size - 1];
        char again[4];
        for (size_t i = 1; i < size; i++)
            code = code << 6 | ((unsigned char)bytes[i] & 0x3F);
        if (encode(code, again) == size && memcmp(again, bytes, size) == 0)
            return is_printable(code) ? size : 0;
    }
    return 0;
}

Test(text, bytes_are_well_formed_or_not)
{
    static const unsigned char next[] = {0, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0};
    for (unsigned i = 0; i < 256 * 9 * 9 * 9; i++) {
        const char bytes[4] = {(char)(i % 256), (char)next[i / 256 % 9], (char)next[i / 256 / 9 % 9],
                               (char)next[i / 256 / 9 / 9]};
        if (npjpi_text_printable(bytes, 4) != printable_at(bytes))
            cr_assert_fail("%08X", i);
    }
}

Test(text, ill_formed_bytes_become_marks)
{
    CLEAN("\x80\xFFz", "__z");
    CLEAN("\xC0\x80", "__");           /* overlong */
    CLEAN("\xE0\x80\xAF", "___");      /* overlong */
    CLEAN("\xF0\x80\x80\xAF", "____"); /* overlong */
    CLEAN("\xED\xA0\x80", "___");      /* a surrogate */
    CLEAN("\xF4\x90\x80\x80", "____"); /* beyond Unicode */
    CLEAN("\xF8\x88\x80\x80\x80", "_____");
    CLEAN("\xF8\x90\x80\x80", "____");
    CLEAN("\xFC\x88\x80\x80", "____");
    CLEAN("\xF5\x80\x80\x80", "____");
    CLEAN("a\xE2\x82", "a__"); /* cut off */
    CLEAN("\xE2\x82z", "__z");
}

/* No character is cut in two. */
Test(text, it_ends_where_the_room_does)
{
    char out[4];
    cr_assert_eq(npjpi_text_clean("ab\xE2\x82\xAC", 5, out, 4), 2);
    cr_assert_eq(npjpi_text_clean("abcdef", 6, out, 4), 4);
    cr_assert_eq(npjpi_text_clean("a\xE2\x82\xAC", 4, out, 4), 4);
    cr_assert_eq(npjpi_text_clean("a", 1, out, 0), 0);
}
