/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a tape. Every operand chooses from a table of words; a byte is reduced modulo the table's length, so
 * that no byte is without a meaning.
 */
#include "npjob-testkit/tape.h"

#include <string.h>

#include "tape_words.h"

#define WORDS(...) (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

/** An operand: its key in the text form, and the words of its meanings, in the order of their numbers. */
struct operand {
    const char *key;
    const char *const *words;
    size_t count;
};

static const struct operand operands[NPJT_OPERAND_COUNT] = {
    [NPJT_NOTHING] = {NULL, WORDS("-")},
    [NPJT_JOB] = {"job", WORDS("newest", "newest-1", "newest-2", "newest-3", "newest-4", "newest-5", "newest-6",
                               "newest-7", "oldest", "oldest+1", "oldest+2", "oldest+3", "oldest+4", "oldest+5",
                               "oldest+6", "oldest+7", "ended", "ended-1", "ended-2", "forged-slot",
                               "forged-generation", "operation", "write", "null")},
    [NPJT_WRITE_SEL] = {"write", WORDS("newest", "newest-1", "newest-2", "newest-3", "newest-4", "newest-5", "newest-6",
                                       "newest-7", "oldest", "oldest+1", "oldest+2", "oldest+3", "oldest+4", "oldest+5",
                                       "oldest+6", "oldest+7", "answered", "answered-1", "forged-slot",
                                       "forged-generation", "operation", "job", "null")},
    [NPJT_OP] = {"op", WORDS("newest", "newest-1", "newest-2", "newest-3", "newest-4", "newest-5", "newest-6",
                             "newest-7", "oldest", "oldest+1", "oldest+2", "oldest+3", "ended", "ended-1", "ended-2",
                             "forged-slot", "forged-generation", "job", "write", "null")},
    [NPJT_CLIENT] = {"client", WORDS("1", "2", "3", "4")},
    [NPJT_PROVIDER] = {"provider", WORDS("1", "2", "3", "4")},
    [NPJT_LENGTH] = {"length", WORDS("1", "0", "2", "3", "4", "7", "8", "9", "15", "16", "17", "63", "64", "65", "255",
                                     "256", "512", "1000", "1024", "1460", "4095", "4096", "4097", "16384", "32768",
                                     "65535", "65536", "max", "max-1", "max+1", "half", "fit", "fit+1", "huge")},
    [NPJT_HOW] = {"how", WORDS("copy", "lend", "copy-null", "lend-null", "neither", "both", "unknown")},
    [NPJT_STATUS] = {"status",
                     WORDS("success", "pending", "informational", "warning", "access_denied", "object_name_not_found",
                           "insufficient_resources", "pipe_not_available", "pipe_busy", "pipe_disconnected",
                           "io_timeout", "print_cancelled", "network_name_deleted", "user_session_deleted", "cancelled",
                           "pipe_broken", "invalid_parameter", "quota_exceeded")},
    [NPJT_PATH] = {"path",
                   WORDS("pipe", "utf16", "smb", "relative", "server", "device", "object", "opaque", "file", "share",
                         "nested", "empty", "nul", "odd", "parent", "null", "null-bytes", "bad-encoding")},
    [NPJT_MODE] = {"mode", WORDS("default", "byte", "message", "unknown")},
    [NPJT_AMOUNT] = {"amount", WORDS("all", "0", "1", "half", "all-1", "all+1", "first", "first-1", "first+1",
                                     "first-half", "huge")},
    [NPJT_COUNT] = {"count", WORDS("all", "1", "2", "3", "4", "5", "6", "8", "12", "16", "32", "64")},
    [NPJT_TIME] = {"to", WORDS("+1", "+0", "+2", "+9", "+10", "+11", "+99", "+100", "+101", "+1000", "deadline-1",
                               "deadline", "deadline+1", "-1", "last", "never")},
    [NPJT_STOP] = {"how", WORDS("drain", "abort", "unknown")},
    [NPJT_CALL] = {"call", WORDS("add_job", "connect", "write", "close", "cancel", "job_added", "opened", "written",
                                 "done", "abort", "client_gone", "provider_gone", "shutdown", "advance", "next", "free",
                                 "query", "trim")},
    [NPJT_CALLBACK] = {"from", WORDS("any", "alloc", "release", "trace")},
    [NPJT_FAILURE] = {"fail", WORDS("next", "second", "third", "from-next", "from-second", "every-second", "none")},
    [NPJT_LIMIT_JOBS] = {"max_jobs", WORDS("4", "1", "2", "3", "8", "16")},
    [NPJT_LIMIT_JOB_PACKETS] = {"max_job_packets", WORDS("8", "1", "2", "3", "4", "16", "32")},
    [NPJT_LIMIT_PACKETS] = {"max_packets", WORDS("sum", "1", "2", "3", "4", "8", "16", "64", "128", "5")},
    [NPJT_LIMIT_WRITE] = {"max_write", WORDS("4096", "1", "2", "3", "16", "64", "512", "65536")},
    [NPJT_LIMIT_BATCH] = {"max_batch", WORDS("4", "1", "2", "3", "8", "64")},
    [NPJT_LIMIT_JOB_BYTES] = {"max_job_bytes", WORDS("enough", "1-write", "1-write+1", "2-writes", "4-writes")},
    [NPJT_LIMIT_POOL] = {"max_pool", WORDS("default", "256", "1024", "4096", "16384", "262144")},
    [NPJT_DEFAULT_MODE] = {"pipe", WORDS("byte", "message")},
    [NPJT_REUSE] = {"reuse", WORDS("off", "on", "little")},
    [NPJT_TIMEOUT] = {"timeout", WORDS("1000", "never", "1", "10", "100", "2")},
    [NPJT_FAULT_MODE] = {"fault", WORDS("none", "nth", "from", "every")},
};

static const char *const opcode_words[NPJT_OPCODE_COUNT] = {
#define NPJT_X(name, word, a, b, c) word,
    NPJT_OPCODE_LIST(NPJT_X)
#undef NPJT_X
};

static const uint8_t opcode_operands[NPJT_OPCODE_COUNT][NPJT_OPERANDS] = {
#define NPJT_X(name, word, a, b, c) {NPJT_##a, NPJT_##b, NPJT_##c},
    NPJT_OPCODE_LIST(NPJT_X)
#undef NPJT_X
};

static const uint8_t header_operands[NPJT_HEADER_FIELDS] = {
#define NPJT_X(name, word, operand) NPJT_##operand,
    NPJT_HEADER_LIST(NPJT_X)
#undef NPJT_X
};

static const char *const header_words[NPJT_HEADER_FIELDS] = {
#define NPJT_X(name, word, operand) word,
    NPJT_HEADER_LIST(NPJT_X)
#undef NPJT_X
};

_Static_assert(NPJT_HEADER_FIELDS + 2 == NPJT_HEADER_BYTES, "the header is its fields and fault_at");
_Static_assert(NPJT_OPERANDS + 1 == NPJT_RECORD_BYTES, "a record is its opcode and its operands");

uint32_t npjt_operand_count(npjt_operand operand)
{
    return (unsigned)operand < NPJT_OPERAND_COUNT ? (uint32_t)operands[operand].count : 0;
}

const char *npjt_operand_key(npjt_operand operand)
{
    return (unsigned)operand < NPJT_OPERAND_COUNT ? operands[operand].key : NULL;
}

const char *npjt_operand_word(npjt_operand operand, uint32_t meaning)
{
    return meaning < npjt_operand_count(operand) ? operands[operand].words[meaning] : NULL;
}

npjt_operand npjt_opcode_operand(npjt_opcode opcode, uint32_t index)
{
    bool known = (unsigned)opcode < NPJT_OPCODE_COUNT && index < NPJT_OPERANDS;
    return known ? (npjt_operand)opcode_operands[opcode][index] : NPJT_NOTHING;
}

const char *npjt_opcode_word(npjt_opcode opcode)
{
    return (unsigned)opcode < NPJT_OPCODE_COUNT ? opcode_words[opcode] : NULL;
}

npjt_operand npjt_header_operand(npjt_header_field field)
{
    return (unsigned)field < NPJT_HEADER_FIELDS ? (npjt_operand)header_operands[field] : NPJT_NOTHING;
}

const char *npjt_header_word(npjt_header_field field)
{
    return (unsigned)field < NPJT_HEADER_FIELDS ? header_words[field] : NULL;
}

/** A byte, reduced to a meaning. */
static uint8_t reduce(uint8_t byte, uint8_t operand)
{
    return (uint8_t)(byte % operands[operand].count);
}

void npjt_tape_begin(npjt_reader *reader, const uint8_t *bytes, size_t size, npjt_header *header)
{
    uint8_t raw[NPJT_HEADER_BYTES] = {0};
    size_t have = size < sizeof raw ? size : sizeof raw;
    if (have > 0)
        memcpy(raw, bytes, have);
    if (header) {
        for (unsigned i = 0; i < NPJT_HEADER_FIELDS; i++)
            header->field[i] = reduce(raw[i], header_operands[i]);
        header->fault_at = (uint16_t)(raw[NPJT_HEADER_FIELDS] | raw[NPJT_HEADER_FIELDS + 1] << 8);
    }
    reader->bytes = size > have ? bytes + have : NULL;
    reader->left = size - have;
    reader->records = 0;
}

bool npjt_tape_next(npjt_reader *reader, npjt_record *record)
{
    if (reader->left < NPJT_RECORD_BYTES || reader->records == NPJT_MAX_RECORDS)
        return false;
    record->opcode = (uint8_t)(reader->bytes[0] % NPJT_OPCODE_COUNT);
    for (unsigned i = 0; i < NPJT_OPERANDS; i++)
        record->operand[i] = reduce(reader->bytes[1 + i], opcode_operands[record->opcode][i]);
    reader->bytes += NPJT_RECORD_BYTES;
    reader->left -= NPJT_RECORD_BYTES;
    reader->records++;
    return true;
}

void npjt_tape_put_header(uint8_t *out, const npjt_header *header)
{
    memcpy(out, header->field, NPJT_HEADER_FIELDS);
    out[NPJT_HEADER_FIELDS] = (uint8_t)header->fault_at;
    out[NPJT_HEADER_FIELDS + 1] = (uint8_t)(header->fault_at >> 8);
}

void npjt_tape_put_record(uint8_t *out, const npjt_record *record)
{
    out[0] = record->opcode;
    memcpy(out + 1, record->operand, NPJT_OPERANDS);
}

void npjt_tape_limits(const npjt_header *header, npjt_limits *limits)
{
    static const uint8_t jobs[] = {4, 1, 2, 3, 8, 16}, job_packets[] = {8, 1, 2, 3, 4, 16, 32};
    static const uint8_t packets[] = {0, 1, 2, 3, 4, 8, 16, 64, 128, 5}, batch[] = {4, 1, 2, 3, 8, 64};
    static const uint32_t write[] = {4096, 1, 2, 3, 16, 64, 512, 65536};
    static const uint32_t pool[] = {0, 256, 1024, 4096, 16384, 262144}, idle[] = {1, 1 << 20, 256};
    static const uint64_t timeout[] = {1000, NPJ_NEVER, 1, 10, 100, 2};
    const uint8_t *field = header->field;
    limits->max_jobs = jobs[field[NPJT_HEADER_MAX_JOBS]];
    limits->max_job_packets = job_packets[field[NPJT_HEADER_MAX_JOB_PACKETS]];
    uint32_t sum = limits->max_jobs * limits->max_job_packets;
    limits->max_packets = packets[field[NPJT_HEADER_MAX_PACKETS]];
    if (limits->max_packets == 0)
        limits->max_packets = sum < NPJT_MAX_LIVE_PACKETS ? sum : NPJT_MAX_LIVE_PACKETS;
    limits->max_write_bytes = write[field[NPJT_HEADER_MAX_WRITE]];
    limits->max_batch = batch[field[NPJT_HEADER_MAX_BATCH]];
    uint64_t longest = limits->max_write_bytes;
    const uint64_t job_bytes[] = {limits->max_job_packets * longest, longest, longest + 1, 2 * longest, 4 * longest};
    limits->max_job_bytes = job_bytes[field[NPJT_HEADER_MAX_JOB_BYTES]];
    limits->max_pool_bytes = pool[field[NPJT_HEADER_MAX_POOL]];
    limits->message_mode = field[NPJT_HEADER_PIPE] == 1;
    limits->reuse = field[NPJT_HEADER_REUSE] != 0;
    limits->max_idle_bytes = idle[field[NPJT_HEADER_REUSE]];
    limits->add_timeout = timeout[field[NPJT_HEADER_ADD_TIMEOUT]];
    limits->connect_timeout = timeout[field[NPJT_HEADER_CONNECT_TIMEOUT]];
    limits->stall_timeout = timeout[field[NPJT_HEADER_STALL_TIMEOUT]];
    limits->drain_timeout = timeout[field[NPJT_HEADER_DRAIN_TIMEOUT]];
    static const npjt_fault_mode fault[] = {NPJT_FAULT_NONE, NPJT_FAULT_ONCE, NPJT_FAULT_FROM, NPJT_FAULT_EVERY};
    limits->fault = header->fault_at == 0 ? NPJT_FAULT_NONE : fault[field[NPJT_HEADER_FAULT]];
    limits->fault_at = header->fault_at;
}
