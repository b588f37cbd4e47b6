/* SPDX-License-Identifier: MIT */
/*
 * The text form of a tape, both ways: one line a record, `word key=meaning key=meaning`, and `#` for comments.
 */
#include "npjob-testkit/tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tape_words.h"

/* ---------------------------------------------------------------------------------------------------- bytes to text */

/** A line being written: cut off where the buffer is full, always terminated. */
struct line {
    char *out;
    size_t capacity, length;
};

static void put(struct line *line, const char *text)
{
    for (; *text != '\0' && line->length + 1 < line->capacity; text++)
        line->out[line->length++] = *text;
    if (line->capacity > 0)
        line->out[line->length] = '\0';
}

static void put_pair(struct line *line, const char *key, const char *word)
{
    put(line, " ");
    put(line, key);
    put(line, "=");
    put(line, word);
}

size_t npjt_record_text(char *out, size_t capacity, const npjt_record *record)
{
    struct line line = {out, capacity, 0};
    const char *word = npjt_opcode_word((npjt_opcode)record->opcode);
    put(&line, word ? word : "(unknown)");
    for (unsigned i = 0; i < NPJT_OPERANDS; i++) {
        npjt_operand operand = npjt_opcode_operand((npjt_opcode)record->opcode, i);
        const char *meaning = npjt_operand_word(operand, record->operand[i]);
        if (operand != NPJT_NOTHING)
            put_pair(&line, npjt_operand_key(operand), meaning ? meaning : "(unknown)");
    }
    return line.length;
}

/* The line of a header that was read, without its end. Fields that are zero are left out. */
static void write_header(char *out, size_t capacity, const npjt_header *header)
{
    struct line line = {out, capacity, 0};
    char number[24];
    (void)snprintf(number, sizeof number, "tape %d", NPJT_TAPE_VERSION);
    put(&line, number);
    for (unsigned i = 0; i < NPJT_HEADER_FIELDS; i++)
        if (header->field[i] != 0)
            put_pair(&line, npjt_header_word((npjt_header_field)i),
                     npjt_operand_word(npjt_header_operand((npjt_header_field)i), header->field[i]));
    if (header->fault_at != 0) {
        (void)snprintf(number, sizeof number, "%u", (unsigned)header->fault_at);
        put_pair(&line, "fault_at", number);
    }
}

bool npjt_tape_print(FILE *out, const uint8_t *bytes, size_t size, uint32_t records)
{
    npjt_reader reader;
    npjt_header header;
    npjt_record record;
    char line[512];
    npjt_tape_begin(&reader, bytes, size, &header);
    write_header(line, sizeof line, &header);
    if (fprintf(out, "%s\n", line) < 0)
        return false;
    while (reader.records < records && npjt_tape_next(&reader, &record)) {
        npjt_record_text(line, sizeof line, &record);
        if (fprintf(out, "%s\n", line) < 0)
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------- text to bytes */

/** A piece of the text. */
struct token {
    const char *at;
    size_t length;
    uint32_t column;
};

/** Where the reading stands. */
struct parser {
    const char *at, *end, *line_start;
    uint32_t line;
    npjt_text_error *error;
    char quote[41];
};

static bool fail(struct parser *parser, uint32_t column, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(struct parser *parser, uint32_t column, const char *format, ...)
{
    if (parser->error) {
        parser->error->line = parser->line;
        parser->error->column = column;
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(parser->error->message, sizeof parser->error->message, format, arguments);
        va_end(arguments);
    }
    return false;
}

static bool ends_token(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#';
}

/** The next token of this line. @return false at the line's end. */
static bool next_token(struct parser *parser, struct token *token)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r'))
        parser->at++;
    if (parser->at < parser->end && *parser->at == '#')
        while (parser->at < parser->end && *parser->at != '\n')
            parser->at++;
    if (parser->at == parser->end || *parser->at == '\n')
        return false;
    token->at = parser->at;
    token->column = (uint32_t)(parser->at - parser->line_start) + 1;
    while (parser->at < parser->end && !ends_token(*parser->at))
        parser->at++;
    token->length = (size_t)(parser->at - token->at);
    return true;
}

/** Goes to the next line that has a token, and reads that. @return false at the end of the text. */
static bool next_line(struct parser *parser, struct token *token)
{
    for (;;) {
        if (next_token(parser, token))
            return true;
        if (parser->at == parser->end)
            return false;
        parser->at++; /* the newline */
        parser->line_start = parser->at;
        parser->line++;
    }
}

static bool is(const struct token *token, const char *word)
{
    return strlen(word) == token->length && memcmp(word, token->at, token->length) == 0;
}

/** What is quoted of a bad token: its beginning, and '?' for a NUL, which would end it. One at a time. */
static const char *quoted(struct parser *parser, const struct token *token)
{
    size_t length = 0;
    for (; length < token->length && length + 1 < sizeof parser->quote; length++)
        parser->quote[length] = token->at[length] != '\0' ? token->at[length] : '?';
    parser->quote[length] = '\0';
    return parser->quote;
}

/** Splits key=word. */
static bool split(struct parser *parser, const struct token *pair, struct token *key, struct token *word)
{
    const char *equals = memchr(pair->at, '=', pair->length);
    if (!equals) {
        (void)fail(parser, pair->column, "\"%s\" is not of the form key=word", quoted(parser, pair));
        return false; /* said twice, for compilers that cannot see it: the tokens are unset */
    }
    *key = (struct token){pair->at, (size_t)(equals - pair->at), pair->column};
    *word = (struct token){equals + 1, pair->length - key->length - 1, pair->column + (uint32_t)key->length + 1};
    return true;
}

/** Finds the meaning that a word has for an operand. */
static bool meaning(struct parser *parser, npjt_operand operand, const struct token *word, uint8_t *out)
{
    for (uint32_t i = 0; i < npjt_operand_count(operand); i++) {
        if (is(word, npjt_operand_word(operand, i))) {
            *out = (uint8_t)i;
            return true;
        }
    }
    return fail(parser, word->column, "\"%s\" is no %s", quoted(parser, word), npjt_operand_key(operand));
}

static bool parse_number(struct parser *parser, const struct token *word, uint16_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < word->length; i++)
        if (word->at[i] < '0' || word->at[i] > '9' || (value = value * 10 + (uint32_t)(word->at[i] - '0')) > UINT16_MAX)
            return fail(parser, word->column, "\"%s\" is no number from 0 to 65535", quoted(parser, word));
    *out = (uint16_t)value;
    return word->length > 0 ? true : fail(parser, word->column, "a number is missing");
}

static bool parse_header(struct parser *parser, npjt_header *header)
{
    struct token token, key, word;
    char version[12];
    (void)snprintf(version, sizeof version, "%d", NPJT_TAPE_VERSION);
    if (!next_line(parser, &token) || !is(&token, "tape"))
        return fail(parser, 1, "the first line must be \"tape %s\" and the limits", version);
    if (!next_token(parser, &token) || !is(&token, version))
        return fail(parser, token.column, "this reads version %s of the format", version);
    uint32_t seen = 0;
    while (next_token(parser, &token)) {
        if (!split(parser, &token, &key, &word))
            return false;
        unsigned i = 0;
        while (i < NPJT_HEADER_FIELDS && !is(&key, npjt_header_word((npjt_header_field)i)))
            i++;
        if (i == NPJT_HEADER_FIELDS && !is(&key, "fault_at"))
            return fail(parser, key.column, "the header has no \"%s\"", quoted(parser, &key));
        if (seen & UINT32_C(1) << i)
            return fail(parser, key.column, "\"%s\" is given twice", quoted(parser, &key));
        seen |= UINT32_C(1) << i;
        bool good = i == NPJT_HEADER_FIELDS
                        ? parse_number(parser, &word, &header->fault_at)
                        : meaning(parser, npjt_header_operand((npjt_header_field)i), &word, &header->field[i]);
        if (!good)
            return false;
    }
    return true;
}

/** Reads the rest of a record's line, whose first token is @p token. */
static bool parse_record(struct parser *parser, struct token token, npjt_record *record)
{
    struct token key, word;
    memset(record, 0, sizeof *record);
    unsigned opcode = 0;
    while (opcode < NPJT_OPCODE_COUNT && !is(&token, npjt_opcode_word((npjt_opcode)opcode)))
        opcode++;
    if (opcode == NPJT_OPCODE_COUNT)
        return fail(parser, token.column, "there is no event \"%s\"", quoted(parser, &token));
    record->opcode = (uint8_t)opcode;
    uint32_t seen = 0;
    while (next_token(parser, &token)) {
        if (!split(parser, &token, &key, &word))
            return false;
        unsigned i = 0;
        npjt_operand operand = NPJT_NOTHING;
        for (; i < NPJT_OPERANDS; i++) {
            operand = npjt_opcode_operand((npjt_opcode)opcode, i);
            if (operand != NPJT_NOTHING && is(&key, npjt_operand_key(operand)))
                break;
        }
        if (i == NPJT_OPERANDS)
            return fail(parser, key.column, "%s has no \"%s\"", npjt_opcode_word((npjt_opcode)opcode),
                        quoted(parser, &key));
        if (seen & UINT32_C(1) << i)
            return fail(parser, key.column, "\"%s\" is given twice", quoted(parser, &key));
        seen |= UINT32_C(1) << i;
        if (!meaning(parser, operand, &word, &record->operand[i]))
            return false;
    }
    return true;
}

bool npjt_tape_parse(const char *text, size_t length, uint8_t *out, size_t capacity, size_t *size,
                     npjt_text_error *error)
{
    struct parser parser = {text, text + length, text, 1, error, ""};
    npjt_header header = {{0}, 0};
    npjt_record record;
    struct token token;
    if (length == 0)
        parser.end = parser.at = parser.line_start = "";
    if (!parse_header(&parser, &header))
        return false;
    if (capacity < NPJT_HEADER_BYTES)
        return fail(&parser, 1, "the buffer is too small");
    npjt_tape_put_header(out, &header);
    size_t used = NPJT_HEADER_BYTES;
    while (next_line(&parser, &token)) {
        if (!parse_record(&parser, token, &record))
            return false;
        if (used == NPJT_TAPE_MAX)
            return fail(&parser, token.column, "a tape has at most %d records", NPJT_MAX_RECORDS);
        if (capacity - used < NPJT_RECORD_BYTES)
            return fail(&parser, token.column, "the buffer is too small");
        npjt_tape_put_record(out + used, &record);
        used += NPJT_RECORD_BYTES;
    }
    *size = used;
    return true;
}
