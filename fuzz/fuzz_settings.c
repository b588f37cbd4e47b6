/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the settings of npjobd. An input is a configuration. If it is refused, the line that says so has to be one; if
 * it is accepted, what it says is held against a second, plainer reading of its lines, and what is printed has to parse
 * to the same settings again, also when it is spelled in another way. All under the counting allocator, and each time
 * also with no memory to be had.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "npjob-testkit/counting.h"
#include "property.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static npjt_counting pool;

static settings_source source_of(const char *text, size_t length)
{
    return (settings_source){"a.conf", text, length, npjt_counting_mem(&pool)};
}

/* ----------------------------------------------------------------------------------------------- the second reading */

/* The input, less its comments, the carriage returns at the ends of lines and the ends that are continued. The caller
 * frees it. */
static char *join_lines(const uint8_t *data, size_t size)
{
    char *joined = fuzz_obtain(size + 1);
    size_t length = 0;
    size_t begin = 0; /* of the line, in what was joined */
    bool continues = false;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n') {
            joined[length++] = (char)data[i];
            continue;
        }
        if (length > begin && joined[length - 1] == '\r')
            length--;
        const char *first = joined + begin;
        while (first < joined + length && (*first == ' ' || *first == '\t'))
            first++;
        bool comment = !continues && first < joined + length && (*first == '#' || *first == ';');
        if (comment)
            length = begin; /* it may hold anything, a NUL too */
        continues = length > begin && joined[length - 1] == '\\';
        if (continues)
            length--;
        else
            joined[length++] = '\n';
        begin = length;
    }
    joined[length] = '\0';
    return joined;
}

static char *trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text + strspn(text, " \t");
}

static bool same_key(const char *one, const char *other)
{
    for (;; one++, other++) {
        one += strspn(one, " \t");
        other += strspn(other, " \t");
        if (tolower((unsigned char)*one) != *other)
            return false;
        if (*one == '\0')
            return true;
    }
}

static uint64_t number_of(const char *text, uint64_t factor)
{
    char *end = NULL;
    uint64_t number = strtoull(text, &end, 10);
    for (const char *unit = "kmg"; *end != '\0' && *unit != '\0'; unit++) {
        number = number > UINT64_MAX / 1024 ? UINT64_MAX : number * 1024;
        if (tolower((unsigned char)*end) == *unit)
            break;
    }
    return number * factor;
}

static const void *member_of(const settings_key *key, const void *section)
{
    return (const char *)section + key->offset;
}

static bool has_value(const settings_key *key, const void *section, const char *value)
{
    const void *member = member_of(key, section);
    switch (key->kind) {
    case SETTINGS_SECONDS:
        return *(const uint64_t *)member == number_of(value, 1000);
    case SETTINGS_SIZE:
        return *(const uint64_t *)member == number_of(value, 1);
    case SETTINGS_COUNT:
        return *(const uint32_t *)member == number_of(value, 1);
    case SETTINGS_FORMAT:
        return strcmp(whole_format_name(*(const whole_format *)member), value) == 0;
    default:
        break;
    }
    const char *text = *(const char *const *)member;
    return value[0] == '\0' ? text == NULL : text != NULL && strcmp(text, value) == 0;
}

/* What is left of the section that a line is in: the keys that have not been met. */
typedef struct place {
    const void *section;
    bool of_printer;
    bool met[64];
} place;

static void check_setting(place *now, char *line)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    char *sign = strchr(line, '=');
    size_t i = 0;
    fuzz_require(now->section != NULL && sign != NULL, "a setting is key = value in a section");
    *sign = '\0';
    while (i < count && (keys[i].of_printer != now->of_printer || !same_key(trim(line), keys[i].name)))
        i++;
    fuzz_require(i < count, "every key is in the table");
    fuzz_require(!now->met[i], "no key is there twice");
    now->met[i] = true;
    fuzz_require(has_value(&keys[i], now->section, trim(sign + 1)), "a value is the model's");
}

/* A section has ended: what was not said has its default. */
static void check_defaults(const place *now)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    for (size_t i = 0; now->section != NULL && i < count; i++) {
        if (keys[i].of_printer == now->of_printer && !now->met[i]) {
            fuzz_require(keys[i].initial != NULL, "what is required is there");
            fuzz_require(has_value(&keys[i], now->section, keys[i].initial), "what is not said has its default");
        }
    }
}

static void check_lines(const uint8_t *data, size_t size, const settings *made)
{
    char *text = join_lines(data, size);
    size_t printers = 0;
    size_t globals = 0;
    place now = {.section = NULL};
    for (char *next = NULL, *line = text; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        line = trim(line);
        if (*line == '\0' || *line == '#' || *line == ';')
            continue;
        if (*line != '[') {
            check_setting(&now, line);
            continue;
        }
        check_defaults(&now);
        line[strlen(line) - 1] = '\0';
        line = trim(line + 1);
        if (same_key(line, "global")) {
            globals++;
            now = (place){.section = made};
        } else {
            fuzz_require(printers < made->printer_count && strcmp(made->printers[printers].name, line) == 0,
                         "the printers are the model's");
            now = (place){.section = &made->printers[printers++], .of_printer = true};
        }
    }
    check_defaults(&now);
    fuzz_require(printers == made->printer_count && printers > 0, "there is every printer, and one at least");
    fuzz_require(globals <= 1, "[global] is there once");
    free(text);
}

/* --------------------------------------------------------------------------------------------------- the properties */

static void check_wrong(const char *wrong, const uint8_t *data, size_t size)
{
    unsigned long lines = 1;
    char *end = NULL;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    fuzz_require(strncmp(wrong, "a.conf:", 7) == 0, "what is wrong begins with the file");
    unsigned long line = strtoul(wrong + 7, &end, 10);
    fuzz_require(line >= 1 && line <= lines, "what is wrong is in a line of the file");
    fuzz_require(strncmp(end, ": ", 2) == 0 && end[2] != '\0', "what is wrong has a sentence");
    for (; *wrong != '\0'; wrong++)
        fuzz_require(*wrong >= ' ' && *wrong <= '~', "what is wrong is one line and printable");
}

/* A text that grows. */
typedef struct sink {
    char *text;
    size_t length;
    size_t room;
} sink;

static void put(void *user, const char *text, size_t length)
{
    sink *to = user;
    if (to->room - to->length < length) {
        size_t room = 2 * (to->room + length);
        char *more = fuzz_obtain(room);
        if (to->length > 0)
            memcpy(more, to->text, to->length);
        free(to->text);
        to->text = more;
        to->room = room;
    }
    memcpy(to->text + to->length, text, length);
    to->length += length;
}

static bool same_section(bool of_printer, const void *one, const void *other)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    bool same = true;
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        if (keys[i].of_printer != of_printer)
            continue;
        switch (keys[i].kind) {
        case SETTINGS_SECONDS:
        case SETTINGS_SIZE:
            same = same && *(const uint64_t *)member_of(&keys[i], one) == *(const uint64_t *)member_of(&keys[i], other);
            break;
        case SETTINGS_COUNT:
            same = same && *(const uint32_t *)member_of(&keys[i], one) == *(const uint32_t *)member_of(&keys[i], other);
            break;
        case SETTINGS_FORMAT:
            same = same &&
                   *(const whole_format *)member_of(&keys[i], one) == *(const whole_format *)member_of(&keys[i], other);
            break;
        default:
            text = *(const char *const *)member_of(&keys[i], one);
            same = same && has_value(&keys[i], other, text != NULL ? text : "");
            break;
        }
    }
    return same;
}

static void check_same(const settings *one, const settings *other)
{
    fuzz_require(same_section(false, one, other), "[global] is the same");
    fuzz_require(one->printer_count == other->printer_count, "there are as many printers");
    for (size_t i = 0; i < one->printer_count; i++) {
        fuzz_require(strcmp(one->printers[i].name, other->printers[i].name) == 0, "a printer is called the same");
        fuzz_require(same_section(true, &one->printers[i], &other->printers[i]), "a printer is the same");
    }
}

/* Writes what was printed in another way: keys in capitals and with blanks, values continued, and comments. */
static sink respell(const sink *printed)
{
    fuzz_pieces random = fuzz_many_pieces((const uint8_t *)printed->text, printed->length);
    sink other = {NULL, 0, 0};
    bool in_key = true;
    for (size_t i = 0; i < printed->length; i++) {
        char c = printed->text[i];
        size_t draw = fuzz_next_size(&random, SIZE_MAX);
        in_key = in_key && c != '=' && c != '[';
        c = (char)(in_key && draw % 2 == 0 ? toupper((unsigned char)c) : c);
        if (c == '\n')
            put(&other, " \r", 2);
        else if (draw == 1)
            put(&other, "\\\n", 2);
        else if (draw <= 3 && in_key)
            put(&other, "\t ", 2);
        put(&other, &c, 1);
        if (c == '\n') {
            put(&other, "\n # \\\n", draw % 2 == 0 ? 6 : 1);
            in_key = true;
        }
    }
    return other;
}

static settings *parse_again(const sink *text, const settings *expected, const char *property)
{
    char wrong[SETTINGS_WRONG_MAX] = "";
    settings *parsed = NULL;
    settings_source source = source_of(text->text, text->length);
    fuzz_require(settings_parse(&source, &parsed, wrong) == NPJ_STATUS_SUCCESS, property);
    check_same(expected, parsed);
    return parsed;
}

static void check_printed(const settings *made)
{
    sink printed = {NULL, 0, 0};
    sink again = {NULL, 0, 0};
    settings_print(made, put, &printed);
    settings *parsed = parse_again(&printed, made, "what is printed parses");
    settings_print(parsed, put, &again);
    fuzz_require(printed.length == again.length && memcmp(printed.text, again.text, again.length) == 0,
                 "what is printed is canonical");
    settings_free(parsed);
    sink other = respell(&printed);
    settings_free(parse_again(&other, made, "what is printed parses, however it is spelled"));
    free(other.text);
    free(printed.text);
    free(again.text);
}

static void check_without_memory(const settings_source *source, npj_status status)
{
    char wrong[SETTINGS_WRONG_MAX] = "";
    settings *made = NULL;
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 1);
    npj_status refused = settings_parse(source, &made, wrong);
    npjt_counting_fault(&pool, NPJT_FAULT_NONE, 1);
    fuzz_require(made == NULL && wrong[0] != '\0', "without memory there are no settings, but a reason");
    fuzz_require(refused == NPJ_STATUS_INSUFFICIENT_RESOURCES ||
                     (refused == status && source->length > SETTINGS_TEXT_MAX),
                 "without memory the status says so");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char wrong[SETTINGS_WRONG_MAX] = "";
    settings *made = NULL;
    char *text = fuzz_obtain(size);
    fuzz_campaign()->executions++;
    npjt_counting_init(&pool, &(npjt_counting_options){.abort_on_finding = true});
    if (size > 0)
        memcpy(text, data, size);
    settings_source source = source_of(text, size);
    npj_status status = settings_parse(&source, &made, wrong);
    check_without_memory(&source, status);
    memset(text, 0xEE, size); /* nothing of it is needed any more */
    free(text);
    if (status == NPJ_STATUS_SUCCESS) {
        check_lines(data, size, made);
        check_printed(made);
        settings_free(made);
    } else {
        fuzz_require(status == NPJ_STATUS_INVALID_PARAMETER && made == NULL, "a refusal has one status");
        check_wrong(wrong, data, size);
    }
    npjt_counting_finish(&pool);
    return 0;
}
