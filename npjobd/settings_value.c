/* SPDX-License-Identifier: MIT */
/* A value: from its text to a member, and back. */
#include "settings_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "npjob-posix/provider.h"

enum { MS = 1000, EXPECTED_MAX = 100 };

static const struct unit {
    char letter;
    unsigned shift;
} units[] = {{'G', 30}, {'M', 20}, {'K', 10}};

enum { UNITS = sizeof units / sizeof units[0] };

static void *member_of(const settings_key *key, void *section)
{
    return (char *)section + key->offset;
}

static const void *value_of(const settings_key *key, const void *section)
{
    return (const char *)section + key->offset;
}

/* A number of bytes, in the largest unit of which it is a whole number. */
static const char *write_size(uint64_t bytes, char number[SETTINGS_NUMBER_MAX])
{
    for (size_t i = 0; i < UNITS; i++) {
        if (bytes % (UINT64_C(1) << units[i].shift) == 0) {
            snprintf(number, SETTINGS_NUMBER_MAX, "%" PRIu64 "%c", bytes >> units[i].shift, units[i].letter);
            return number;
        }
    }
    snprintf(number, SETTINGS_NUMBER_MAX, "%" PRIu64, bytes);
    return number;
}

/* ------------------------------------------------------------------------------------------------------- reading */

/* Reads the digits that a text begins with, and goes behind them; false if there are none, or too many. */
static bool read_digits(const char **text, uint64_t *value)
{
    const char *digit = *text;
    for (*value = 0; *digit >= '0' && *digit <= '9'; digit++) {
        unsigned next = (unsigned)(*digit - '0');
        if (*value > (UINT64_MAX - next) / 10)
            return false;
        *value = *value * 10 + next;
    }
    bool some = digit != *text;
    *text = digit;
    return some;
}

static bool read_number(const settings_key *key, const char *text, uint64_t *value)
{
    return read_digits(&text, value) && *text == '\0' && *value >= key->least && *value <= key->most;
}

static bool read_size(const settings_key *key, const char *text, uint64_t *value)
{
    if (!read_digits(&text, value))
        return false;
    for (size_t i = 0; i < UNITS; i++) {
        if ((*text | 0x20) == (units[i].letter | 0x20) && *value <= UINT64_MAX >> units[i].shift) {
            *value <<= units[i].shift;
            text++;
            break;
        }
    }
    return *text == '\0' && *value >= key->least && *value <= key->most;
}

static bool read_format(const char *text, whole_format *format)
{
    for (whole_format i = 0; i < WHOLE_FORMAT_COUNT; i++) {
        if (strcmp(text, whole_format_name(i)) == 0) {
            *format = i;
            return true;
        }
    }
    return false;
}

/* A text that may be missing has no value then. */
static bool is_text(const settings_key *key, const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return key->initial != NULL && key->initial[0] == '\0';
    if (key->kind == SETTINGS_PATH && text[0] != '/')
        return false;
    if (key->kind == SETTINGS_USER && strpbrk(text, " \t") != NULL)
        return false;
    return length >= key->least && length <= key->most;
}

/* Writes what a value should have been. */
static void expect(const settings_key *key, char expected[EXPECTED_MAX])
{
    char least[SETTINGS_NUMBER_MAX];
    char most[SETTINGS_NUMBER_MAX];
    switch (key->kind) {
    case SETTINGS_COMMAND:
        snprintf(expected, EXPECTED_MAX, "a command of at most %" PRIu64 " bytes", key->most);
        break;
    case SETTINGS_PATH:
        snprintf(expected, EXPECTED_MAX, "an absolute path of at most %" PRIu64 " bytes", key->most);
        break;
    case SETTINGS_USER:
        snprintf(expected, EXPECTED_MAX, "the name or the number of a user");
        break;
    case SETTINGS_SECONDS:
        snprintf(expected, EXPECTED_MAX, "a whole number of seconds from %" PRIu64 " to %" PRIu64, key->least,
                 key->most);
        break;
    case SETTINGS_COUNT:
        snprintf(expected, EXPECTED_MAX, "a whole number from %" PRIu64 " to %" PRIu64, key->least, key->most);
        break;
    case SETTINGS_SIZE:
        snprintf(expected, EXPECTED_MAX, "a size from %s to %s, such as 16M or 1G", write_size(key->least, least),
                 write_size(key->most, most));
        break;
    case SETTINGS_FORMAT:
        snprintf(expected, EXPECTED_MAX, "eof, ps, pdf, pjl or any");
        break;
    }
}

/* Which of a printer's commands a key is. */
static npjp_command command_of(const settings_key *key)
{
    switch (key->offset) {
    case offsetof(settings_printer, addjob_command):
        return NPJP_ADD_JOB;
    case offsetof(settings_printer, schedule_command):
        return NPJP_SCHEDULE_JOB;
    default:
        return NPJP_ABANDON_JOB;
    }
}

static bool read_value(const settings_key *key, const char *text, void *member)
{
    uint64_t number = 0;
    switch (key->kind) {
    case SETTINGS_SECONDS:
        if (!read_number(key, text, &number))
            return false;
        *(uint64_t *)member = number * MS;
        return true;
    case SETTINGS_COUNT:
        if (!read_number(key, text, &number))
            return false;
        *(uint32_t *)member = (uint32_t)number;
        return true;
    case SETTINGS_SIZE:
        if (!read_size(key, text, &number))
            return false;
        *(uint64_t *)member = number;
        return true;
    case SETTINGS_FORMAT:
        return read_format(text, member);
    default:
        if (!is_text(key, text))
            return false;
        *(const char **)member = text[0] != '\0' ? text : NULL;
        return true;
    }
}

const char *settings_show(const char *word, char shown[SETTINGS_SHOWN_MAX])
{
    static const char more[] = "...";
    size_t most = SETTINGS_SHOWN_MAX - sizeof more;
    snprintf(shown, SETTINGS_SHOWN_MAX, "%.*s%s", (int)most, word, strlen(word) > most ? more : "");
    return shown;
}

bool settings_read(const settings_key *key, const char *text, void *section, char sentence[SETTINGS_WRONG_MAX])
{
    char expected[EXPECTED_MAX];
    char shown[SETTINGS_SHOWN_MAX];
    char wrong[NPJP_WRONG_MAX];
    if (!read_value(key, text, member_of(key, section))) {
        expect(key, expected);
        snprintf(sentence, SETTINGS_WRONG_MAX, "\"%s\" is %s, not \"%s\"", key->name, expected,
                 settings_show(text, shown));
        return false;
    }
    if (key->kind == SETTINGS_COMMAND && npjp_command_check(command_of(key), text, wrong) != NPJ_STATUS_SUCCESS) {
        snprintf(sentence, SETTINGS_WRONG_MAX, "\"%s\": %s", key->name, wrong);
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------------- writing */

const char *settings_write(const settings_key *key, const void *section, char number[SETTINGS_NUMBER_MAX])
{
    const void *value = value_of(key, section);
    switch (key->kind) {
    case SETTINGS_SECONDS:
        snprintf(number, SETTINGS_NUMBER_MAX, "%" PRIu64, *(const uint64_t *)value / MS);
        return number;
    case SETTINGS_COUNT:
        snprintf(number, SETTINGS_NUMBER_MAX, "%" PRIu32, *(const uint32_t *)value);
        return number;
    case SETTINGS_SIZE:
        return write_size(*(const uint64_t *)value, number);
    case SETTINGS_FORMAT:
        return whole_format_name(*(const whole_format *)value);
    default:
        break;
    }
    const char *text = *(const char *const *)value;
    return text != NULL ? text : "";
}
