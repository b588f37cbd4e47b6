/* SPDX-License-Identifier: MIT */
/* Tapes: every byte string decodes, records keep their places, and bytes and text are the same. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/tape.h"

#include "tape_words.h"

/** The same numbers everywhere. */
static uint32_t random_state;

static uint8_t random_byte(void)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (uint8_t)(random_state >> 24);
}

static bool canonical(const npjt_record *record)
{
    if (record->opcode >= NPJT_OPCODE_COUNT)
        return false;
    for (unsigned i = 0; i < NPJT_OPERANDS; i++)
        if (record->operand[i] >= npjt_operand_count(npjt_opcode_operand((npjt_opcode)record->opcode, i)))
            return false;
    return true;
}

Test(tape, every_byte_string_decodes)
{
    uint8_t bytes[200];
    random_state = 1;
    for (unsigned round = 0; round < 20000; round++) {
        size_t size = random_byte() % sizeof bytes;
        for (size_t i = 0; i < size; i++)
            bytes[i] = random_byte();
        npjt_reader reader;
        npjt_header header;
        npjt_record record;
        npjt_limits limits;
        npjt_tape_begin(&reader, bytes, size, &header);
        npjt_tape_limits(&header, &limits);
        cr_assert(limits.max_jobs >= 1 && limits.max_jobs <= NPJT_MAX_LIVE_JOBS);
        cr_assert(limits.max_packets >= 1 && limits.max_packets <= NPJT_MAX_LIVE_PACKETS);
        cr_assert(limits.max_job_packets >= 1 && limits.max_job_packets <= 32);
        cr_assert(limits.max_write_bytes >= 1 && limits.max_write_bytes <= NPJT_MAX_WRITE_BYTES);
        cr_assert_geq(limits.max_job_bytes, limits.max_write_bytes);
        uint32_t records = 0;
        while (npjt_tape_next(&reader, &record)) {
            cr_assert(canonical(&record));
            records++;
        }
        cr_assert_eq(records, size < NPJT_HEADER_BYTES ? 0 : (size - NPJT_HEADER_BYTES) / NPJT_RECORD_BYTES);
    }
}

Test(tape, edges)
{
    static uint8_t bytes[NPJT_TAPE_MAX + 3 * NPJT_RECORD_BYTES];
    npjt_reader reader;
    npjt_header header, zero = {{0}, 0};
    npjt_record record = {7, {7, 7, 7}};
    npjt_tape_begin(&reader, NULL, 0, &header);
    cr_expect_eq(memcmp(&header, &zero, sizeof zero), 0);
    cr_expect_not(npjt_tape_next(&reader, &record));
    cr_expect_eq(record.opcode, 7); /* untouched */
    npjt_tape_begin(&reader, bytes, NPJT_HEADER_BYTES, NULL);
    cr_expect_not(npjt_tape_next(&reader, &record));
    npjt_tape_begin(&reader, bytes, NPJT_HEADER_BYTES + NPJT_RECORD_BYTES - 1, NULL);
    cr_expect_not(npjt_tape_next(&reader, &record));
    npjt_tape_begin(&reader, bytes, NPJT_HEADER_BYTES + NPJT_RECORD_BYTES, NULL);
    cr_expect(npjt_tape_next(&reader, &record));
    cr_expect_not(npjt_tape_next(&reader, &record));
    npjt_tape_begin(&reader, bytes, sizeof bytes, NULL);
    uint32_t records = 0;
    while (npjt_tape_next(&reader, &record))
        records++;
    cr_expect_eq(records, NPJT_MAX_RECORDS);
}

Test(tape, a_short_header_is_zero_beyond_its_end)
{
    const uint8_t bytes[] = {1, 2};
    npjt_reader reader;
    npjt_header header;
    npjt_limits limits;
    npjt_tape_begin(&reader, bytes, sizeof bytes, &header);
    npjt_tape_limits(&header, &limits);
    cr_expect_eq(limits.max_jobs, 1);
    cr_expect_eq(limits.max_job_packets, 2);
    cr_expect_eq(limits.max_packets, 2); /* their product */
    cr_expect_eq(limits.fault, NPJT_FAULT_NONE);
}

/** Prints a tape into a buffer. */
static size_t print(char *out, size_t capacity, const uint8_t *bytes, size_t size)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    cr_assert(npjt_tape_print(file, bytes, size, UINT32_MAX));
    cr_assert_eq(fseek(file, 0, SEEK_SET), 0);
    size_t length = fread(out, 1, capacity, file);
    (void)fclose(file);
    return length;
}

Test(tape, text_and_back)
{
    static char text[NPJT_TAPE_MAX * 40];
    uint8_t bytes[400], again[NPJT_TAPE_MAX], third[NPJT_TAPE_MAX];
    random_state = 2;
    for (unsigned round = 0; round < 500; round++) {
        size_t size = NPJT_HEADER_BYTES + (size_t)random_byte() % 96 * NPJT_RECORD_BYTES, got = 0, got_again = 0;
        for (size_t i = 0; i < size; i++)
            bytes[i] = random_byte();
        npjt_text_error error;
        size_t length = print(text, sizeof text, bytes, size);
        cr_assert(npjt_tape_parse(text, length, again, sizeof again, &got, &error), "%u:%u: %s", (unsigned)error.line,
                  (unsigned)error.column, error.message);
        cr_assert_eq(got, size);
        npjt_reader a, b;
        npjt_header header_a, header_b;
        npjt_record record_a, record_b;
        npjt_tape_begin(&a, bytes, size, &header_a);
        npjt_tape_begin(&b, again, got, &header_b);
        cr_assert_eq(memcmp(header_a.field, header_b.field, sizeof header_a.field), 0);
        cr_assert_eq(header_a.fault_at, header_b.fault_at);
        while (npjt_tape_next(&a, &record_a)) {
            cr_assert(npjt_tape_next(&b, &record_b));
            cr_assert_eq(memcmp(&record_a, &record_b, sizeof record_a), 0);
        }
        cr_assert_not(npjt_tape_next(&b, &record_b));
        length = print(text, sizeof text, again, got);
        cr_assert(npjt_tape_parse(text, length, third, sizeof third, &got_again, NULL));
        cr_assert(got_again == got && memcmp(third, again, got) == 0, "the canonical tape is its own");
    }
}

Test(tape, every_meaning_has_a_word_of_its_own)
{
    for (unsigned operand = 0; operand < NPJT_OPERAND_COUNT; operand++) {
        uint32_t count = npjt_operand_count((npjt_operand)operand);
        cr_assert(count >= 1 && count <= 256);
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t j = 0; j < i; j++)
                cr_expect_str_neq(npjt_operand_word((npjt_operand)operand, i),
                                  npjt_operand_word((npjt_operand)operand, j));
        cr_expect_null(npjt_operand_word((npjt_operand)operand, count));
    }
    cr_expect_null(npjt_opcode_word(NPJT_OPCODE_COUNT));
    cr_expect_eq(npjt_operand_count(NPJT_OPERAND_COUNT), 0);
    cr_expect_eq(npjt_opcode_operand(NPJT_OPCODE_COUNT, 0), NPJT_NOTHING);
}

Test(tape, words_are_where_the_driver_looks_for_them)
{
    static const struct {
        npjt_operand operand;
        uint32_t meaning;
        const char *word;
    } words[] = {
        {NPJT_JOB, JOB_NEWEST, "newest"},
        {NPJT_JOB, JOB_OLDEST, "oldest"},
        {NPJT_JOB, JOB_ENDED, "ended"},
        {NPJT_JOB, JOB_FORGED_SLOT, "forged-slot"},
        {NPJT_JOB, JOB_FORGED_GENERATION, "forged-generation"},
        {NPJT_JOB, JOB_OPERATION, "operation"},
        {NPJT_JOB, JOB_WRITE, "write"},
        {NPJT_JOB, JOB_NULL, "null"},
        {NPJT_WRITE_SEL, WRITE_OLDEST, "oldest"},
        {NPJT_WRITE_SEL, WRITE_ANSWERED, "answered"},
        {NPJT_WRITE_SEL, WRITE_FORGED_SLOT, "forged-slot"},
        {NPJT_WRITE_SEL, WRITE_OPERATION, "operation"},
        {NPJT_WRITE_SEL, WRITE_JOB, "job"},
        {NPJT_WRITE_SEL, WRITE_NULL, "null"},
        {NPJT_OP, OP_OLDEST, "oldest"},
        {NPJT_OP, OP_ENDED, "ended"},
        {NPJT_OP, OP_FORGED_SLOT, "forged-slot"},
        {NPJT_OP, OP_JOB, "job"},
        {NPJT_OP, OP_WRITE, "write"},
        {NPJT_OP, OP_NULL, "null"},
        {NPJT_LENGTH, LENGTH_FIXED - 1, "65536"},
        {NPJT_LENGTH, LENGTH_MAX, "max"},
        {NPJT_LENGTH, LENGTH_FIT, "fit"},
        {NPJT_LENGTH, LENGTH_HUGE, "huge"},
        {NPJT_HOW, HOW_LEND, "lend"},
        {NPJT_HOW, HOW_LEND_NULL, "lend-null"},
        {NPJT_HOW, HOW_NEITHER, "neither"},
        {NPJT_HOW, HOW_UNKNOWN, "unknown"},
        {NPJT_STATUS, STATUS_PENDING, "pending"},
        {NPJT_STATUS, STATUS_WARNING, "warning"},
        {NPJT_STATUS, STATUS_FIRST_ERROR, "access_denied"},
        {NPJT_PATH, PATH_PIPE, "pipe"},
        {NPJT_PATH, PATH_FILE, "file"},
        {NPJT_PATH, PATH_NESTED, "nested"},
        {NPJT_PATH, PATH_NULL, "null"},
        {NPJT_MODE, MODE_UNKNOWN, "unknown"},
        {NPJT_AMOUNT, AMOUNT_ALL_MORE, "all+1"},
        {NPJT_AMOUNT, AMOUNT_FIRST_HALF, "first-half"},
        {NPJT_AMOUNT, AMOUNT_HUGE, "huge"},
        {NPJT_TIME, TIME_DEADLINE_LESS, "deadline-1"},
        {NPJT_TIME, TIME_NEVER, "never"},
        {NPJT_CALL, CALL_ADD_JOB, "add_job"},
        {NPJT_CALL, CALL_ADVANCE, "advance"},
        {NPJT_CALL, CALL_TRIM, "trim"},
        {NPJT_CALLBACK, CALLBACK_TRACE, "trace"},
        {NPJT_FAILURE, FAILURE_EVERY_SECOND, "every-second"},
        {NPJT_FAILURE, FAILURE_NONE, "none"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cr_expect_str_eq(npjt_operand_word(words[i].operand, words[i].meaning), words[i].word);
    cr_expect_eq(npjt_operand_count(NPJT_CALL), CALL_COUNT);
}

/** Whether the page has this line. */
static bool says(const char *page, const char *line)
{
    return strstr(page, line) != NULL;
}

/** Appends the meanings of an operand as the page writes them. */
static void meanings(char *line, size_t capacity, npjt_operand operand)
{
    for (uint32_t i = 0; i < npjt_operand_count(operand); i++) {
        size_t length = strlen(line);
        (void)snprintf(line + length, capacity - length, " %u `%s`", (unsigned)i, npjt_operand_word(operand, i));
    }
    (void)strncat(line, " |\n", capacity - strlen(line) - 1);
}

Test(tape, the_page_says_what_the_code_does)
{
    static char page[65536], line[2048];
    FILE *file = fopen(TAPE_PAGE, "rb");
    cr_assert_not_null(file, "%s", TAPE_PAGE);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    (void)fclose(file);
    for (unsigned i = 0; i < NPJT_HEADER_FIELDS; i++) {
        (void)snprintf(line, sizeof line, "| %u | `%s` |", i, npjt_header_word((npjt_header_field)i));
        meanings(line, sizeof line, npjt_header_operand((npjt_header_field)i));
        cr_expect(says(page, line), "missing: %s", line);
    }
    for (unsigned i = 0; i < NPJT_OPCODE_COUNT; i++) {
        (void)snprintf(line, sizeof line, "| %u | `%s` |", i, npjt_opcode_word((npjt_opcode)i));
        for (unsigned k = 0; k < NPJT_OPERANDS; k++) {
            const char *key = npjt_operand_key(npjt_opcode_operand((npjt_opcode)i, k));
            size_t length = strlen(line);
            (void)snprintf(line + length, sizeof line - length, key ? " `%s` |" : " |", key);
        }
        cr_expect(says(page, line), "missing: %s", line);
    }
    for (unsigned i = NPJT_JOB; i < NPJT_LIMIT_JOBS; i++) {
        line[0] = '\0';
        meanings(line, sizeof line, (npjt_operand)i);
        cr_expect(says(page, line), "missing: %s", line);
    }
    (void)snprintf(line, sizeof line, "format version %d.", NPJT_TAPE_VERSION);
    cr_expect(says(page, line), "missing: %s", line);
}

static void expect_error_of(const char *text, size_t length, uint32_t line, uint32_t column, const char *message)
{
    uint8_t bytes[NPJT_TAPE_MAX];
    size_t size = 77;
    npjt_text_error error = {0, 0, ""};
    cr_expect_not(npjt_tape_parse(text, length, bytes, sizeof bytes, &size, &error), "%s", text);
    cr_expect_eq(size, 77, "the size is untouched");
    cr_expect(error.line == line && error.column == column, "%u:%u instead of %u:%u for\n%s", (unsigned)error.line,
              (unsigned)error.column, (unsigned)line, (unsigned)column, text);
    cr_expect_str_eq(error.message, message);
}

static void expect_error(const char *text, uint32_t line, uint32_t column, const char *message)
{
    expect_error_of(text, strlen(text), line, column, message);
}

Test(tape, errors_name_line_and_column)
{
    expect_error("", 1, 1, "the first line must be \"tape 1\" and the limits");
    expect_error("# nothing\n\n", 3, 1, "the first line must be \"tape 1\" and the limits");
    expect_error("write\n", 1, 1, "the first line must be \"tape 1\" and the limits");
    expect_error("tape 2\n", 1, 6, "this reads version 1 of the format");
    expect_error("tape\n", 1, 1, "this reads version 1 of the format");
    expect_error("tape 1 max_jobs=5\n", 1, 17, "\"5\" is no max_jobs");
    expect_error("tape 1 colour=red\n", 1, 8, "the header has no \"colour\"");
    expect_error("tape 1 fault_at=70000\n", 1, 17, "\"70000\" is no number from 0 to 65535");
    expect_error("tape 1 fault_at=\n", 1, 17, "a number is missing");
    expect_error("tape 1 fault=nth fault=nth\n", 1, 18, "\"fault\" is given twice");
    expect_error("tape 1\nprint\n", 2, 1, "there is no event \"print\"");
    expect_error("tape 1\r\n\r\n  write job=newest length=5000 # too much\r\n", 3, 27, "\"5000\" is no length");
    expect_error("tape 1\nwrite newest\n", 2, 7, "\"newest\" is not of the form key=word");
    expect_error("tape 1\nclose op=newest\n", 2, 7, "close has no \"op\"");
    expect_error("tape 1\nclose job=newest job=oldest\n", 2, 18, "\"job\" is given twice");
    expect_error("tape 1\nan-event-of-which-only-the-first-40-characters-are-quoted\n", 2, 1,
                 "there is no event \"an-event-of-which-only-the-first-40-char\"");
    size_t size;
    cr_expect_not(npjt_tape_parse("tape 2\n", 7, NULL, 0, &size, NULL), "nobody asks why");
}

/* What a NUL ended would be another word, and perhaps a good one. */
Test(tape, errors_quote_more_than_a_nul_ends)
{
    static const char event[] = "tape 1\nwrite\0d";
    static const char word[] = "tape 1\nclose job=newest\0";
    expect_error_of(event, sizeof event - 1, 2, 1, "there is no event \"write?d\"");
    expect_error_of(word, sizeof word - 1, 2, 11, "\"newest?\" is no job");
}

/* As much as there is room for. */
Test(tape, errors_quote_the_beginning)
{
    expect_error("tape 1\n0123456789012345678901234567890123456789x\n", 2, 1,
                 "there is no event \"0123456789012345678901234567890123456789\"");
}

Test(tape, text_is_lenient_where_it_may_be)
{
    static const char text[] =
        "\n  # a tape\ntape 1 fault_at=513 fault=from# and a comment\r\n\twrite how=lend\tjob=oldest";
    uint8_t bytes[NPJT_TAPE_MAX];
    size_t size;
    npjt_reader reader;
    npjt_header header;
    npjt_record record;
    cr_assert(npjt_tape_parse(text, sizeof text - 1, bytes, sizeof bytes, &size, NULL));
    cr_assert_eq(size, NPJT_HEADER_BYTES + NPJT_RECORD_BYTES);
    npjt_tape_begin(&reader, bytes, size, &header);
    cr_expect_eq(header.fault_at, 513);
    cr_expect_eq(header.field[NPJT_HEADER_FAULT], 2);
    cr_assert(npjt_tape_next(&reader, &record));
    cr_expect_eq(record.opcode, NPJT_WRITE_EVENT);
    cr_expect_eq(record.operand[0], JOB_OLDEST);
    cr_expect_eq(record.operand[1], 0);
    cr_expect_eq(record.operand[2], HOW_LEND);
}

/* What stands behind a text is not read: it may end anywhere, in a comment too. */
Test(tape, a_text_ends_where_it_ends)
{
    static const char text[] = "tape 1 max_jobs=1 # one\nopen client=2 # and no more\nhost\n";
    static const size_t lengths[] = {6, 17, 18, 19, 22, 28, 37, 38, 39, 47};
    static const char *const behind[] = {"", "#", "=1\n", " # more\nnonsense\n", "\nnonsense\n", "1\nnonsense\n"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t right[NPJT_HEADER_BYTES + NPJT_RECORD_BYTES], bytes[sizeof right];
        size_t length = lengths[i], size = 0, right_size = 0;
        npjt_text_error error;
        char buffer[100];
        memcpy(buffer, text, length);
        buffer[length] = '\n';
        cr_assert(npjt_tape_parse(buffer, length + 1, right, sizeof right, &right_size, &error), "%zu: %s", length,
                  error.message);
        for (size_t k = 0; k < sizeof behind / sizeof *behind; k++) {
            (void)strcpy(buffer + length, behind[k]);
            cr_assert(npjt_tape_parse(buffer, length, bytes, sizeof bytes, &size, &error), "%zu, \"%s\": %s", length,
                      behind[k], error.message);
            cr_expect_eq(size, right_size);
            cr_expect_arr_eq(bytes, right, size);
        }
    }
}

Test(tape, too_many_records_and_too_small_a_buffer)
{
    static char text[8 + (NPJT_MAX_RECORDS + 1) * 5 + 1];
    static uint8_t bytes[NPJT_TAPE_MAX + 100];
    size_t size;
    npjt_text_error error;
    (void)strcpy(text, "tape 1\n");
    for (unsigned i = 0; i < NPJT_MAX_RECORDS; i++)
        (void)memcpy(text + 7 + (size_t)i * 5, "trim\n", 6);
    cr_assert(npjt_tape_parse(text, strlen(text), bytes, sizeof bytes, &size, &error));
    cr_assert_eq(size, NPJT_TAPE_MAX);
    (void)memcpy(text + strlen(text), "trim\n", 6);
    cr_assert_not(npjt_tape_parse(text, strlen(text), bytes, sizeof bytes, &size, &error));
    cr_expect_eq(error.line, NPJT_MAX_RECORDS + 2);
    cr_assert_not(npjt_tape_parse("tape 1\ntrim\n", 12, bytes, NPJT_HEADER_BYTES + 3, &size, &error));
    cr_expect_eq(error.line, 2);
    cr_assert_not(npjt_tape_parse("tape 1\n", 7, bytes, NPJT_HEADER_BYTES - 1, &size, &error));
}

Test(tape, lines_are_cut_and_terminated)
{
    char line[8];
    npjt_record record = {NPJT_WRITE_EVENT, {0, 0, 0}};
    memset(line, 'x', sizeof line);
    cr_expect_eq(npjt_record_text(line, sizeof line, &record), 7);
    cr_expect_str_eq(line, "write j");
    record.opcode = 255;
    char room[NPJT_LINE_MAX];
    npjt_record_text(room, sizeof room, &record);
    cr_expect_str_eq(room, "(unknown)");
}

Test(tape, what_is_zero_is_left_out)
{
    static const char *const texts[] = {
        "tape 1\n",
        "tape 1 max_jobs=8\nopen client=1 provider=2\n",
        "tape 1 fault=nth fault_at=3\ntrim\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t bytes[NPJT_TAPE_MAX];
        char again[200];
        size_t size;
        cr_assert(npjt_tape_parse(texts[i], strlen(texts[i]), bytes, sizeof bytes, &size, NULL));
        again[print(again, sizeof again - 1, bytes, size)] = '\0';
        cr_expect_str_eq(again, texts[i]);
    }
}

Test(tape, what_is_no_meaning_is_unknown)
{
    static const unsigned beyond[] = {0, 1, 1U << 20};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        cr_expect_null(npjt_operand_key((npjt_operand)(NPJT_OPERAND_COUNT + beyond[i])));
        cr_expect_null(npjt_operand_word((npjt_operand)(NPJT_OPERAND_COUNT + beyond[i]), 0));
        cr_expect_null(npjt_opcode_word((npjt_opcode)(NPJT_OPCODE_COUNT + beyond[i])));
        cr_expect_eq(npjt_opcode_operand((npjt_opcode)(NPJT_OPCODE_COUNT + beyond[i]), 0), NPJT_NOTHING);
        cr_expect_eq(npjt_opcode_operand(NPJT_WRITE_EVENT, NPJT_OPERANDS + beyond[i]), NPJT_NOTHING);
        cr_expect_null(npjt_header_word((npjt_header_field)(NPJT_HEADER_FIELDS + beyond[i])));
        cr_expect_eq(npjt_header_operand((npjt_header_field)(NPJT_HEADER_FIELDS + beyond[i])), NPJT_NOTHING);
    }
    char line[NPJT_LINE_MAX] = "x";
    npjt_record record = {NPJT_CLOSE_EVENT, {200, 0, 0}};
    cr_expect_eq(npjt_record_text(line, 0, &record), 0);
    cr_expect_str_eq(line, "x", "there is no room");
    npjt_record_text(line, sizeof line, &record);
    cr_expect_str_eq(line, "close job=(unknown)");
}

Test(tape, numbers_rooms_and_prefixes_have_edges)
{
    static const char text[] = "tape 1\ntrim\nhost count=1\n";
    uint8_t bytes[NPJT_HEADER_BYTES + 2 * NPJT_RECORD_BYTES];
    char printed[100] = "";
    size_t size;
    expect_error("tape 1 fault_at=65536\n", 1, 17, "\"65536\" is no number from 0 to 65535");
    expect_error("tape 1 fault_at=1/\n", 1, 17, "\"1/\" is no number from 0 to 65535");
    expect_error("tape 1 fault_at=1:\n", 1, 17, "\"1:\" is no number from 0 to 65535");
    cr_expect(npjt_tape_parse("tape 1 fault_at=65535\n", 22, bytes, NPJT_HEADER_BYTES, &size, NULL));
    cr_assert(npjt_tape_parse(text, sizeof text - 1, bytes, sizeof bytes, &size, NULL));
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    cr_assert(npjt_tape_print(file, bytes, size, 1));
    cr_assert_eq(fseek(file, 0, SEEK_SET), 0);
    printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
    (void)fclose(file);
    cr_expect_str_eq(printed, "tape 1\ntrim\n");
}
