/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tapes: an order of events, as bytes and as text.
 *
 * A tape is a header of NPJT_HEADER_BYTES bytes and then records of NPJT_RECORD_BYTES bytes each. Every string of bytes
 * is a tape, the empty one too: what is missing of the header is zero, an incomplete last record is dropped, records
 * beyond NPJT_MAX_RECORDS are dropped, and every byte is reduced modulo the number of its meanings. Because records are
 * of one length, and because their operands choose by recency ("the newest job", "the oldest operation in flight"),
 * deleting or inserting a record leaves the meaning of the others nearly as it was.
 *
 * docs/tape.md describes the format byte by byte. The text form says the same in words, one record a line:
 *
 *     tape 1 max_jobs=4 max_write=4096
 *     open client=1 provider=1
 *     write job=newest length=4096 how=lend   # one page, lent
 *     next count=all
 *
 * Nothing here allocates, keeps anything, or depends on a server.
 */
#ifndef NPJOB_TESTKIT_TAPE_H
#define NPJOB_TESTKIT_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "npjob-testkit/counting.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the format that this library reads and writes; the number in the first line of the text form. */
#define NPJT_TAPE_VERSION 1

#define NPJT_HEADER_BYTES 16
#define NPJT_RECORD_BYTES 4
#define NPJT_OPERANDS     3 /**< the most operands of a record: one byte each, after the opcode */

/** The most records that a tape may have; more are dropped. */
#define NPJT_MAX_RECORDS 4096

/** The longest tape that says something. */
#define NPJT_TAPE_MAX (NPJT_HEADER_BYTES + NPJT_MAX_RECORDS * NPJT_RECORD_BYTES)

/** What an operand, or a byte of the header, chooses from. Each is a table of named meanings; see docs/tape.md. */
typedef enum npjt_operand {
    NPJT_NOTHING,   /**< the byte is not used, and is 0 in a canonical record */
    NPJT_JOB,       /**< a job, by recency; or a stale, forged or null handle */
    NPJT_WRITE_SEL, /**< a write of that job, by recency; or an answered, forged or null handle */
    NPJT_OP,        /**< an operation in flight, by recency; or a stale, forged or null handle */
    NPJT_CLIENT,    /**< one of the four client keys */
    NPJT_PROVIDER,  /**< one of the four provider keys */
    NPJT_LENGTH,    /**< the length of a write */
    NPJT_HOW,       /**< copy, lend, or bad flags */
    NPJT_STATUS,    /**< a status that the host gives */
    NPJT_PATH,      /**< what AddJob returns */
    NPJT_MODE,      /**< the mode of the pipe that was opened */
    NPJT_AMOUNT,    /**< how much of a WRITE the pipe took */
    NPJT_COUNT,     /**< how often */
    NPJT_TIME,      /**< where the clock goes */
    NPJT_STOP,      /**< how to shut down */
    NPJT_CALL,      /**< a call of the server, for misuse and re-entry */
    NPJT_CALLBACK,  /**< a callback of the host, for re-entry */
    NPJT_FAILURE,   /**< which allocations fail */
    NPJT_LIMIT_JOBS,
    NPJT_LIMIT_JOB_PACKETS,
    NPJT_LIMIT_PACKETS,
    NPJT_LIMIT_WRITE,
    NPJT_LIMIT_BATCH,
    NPJT_LIMIT_JOB_BYTES,
    NPJT_LIMIT_POOL,
    NPJT_DEFAULT_MODE,
    NPJT_REUSE,
    NPJT_TIMEOUT,
    NPJT_FAULT_MODE,
    NPJT_OPERAND_COUNT
} npjt_operand;

/** The records: X(opcode, word in the text form, first, second and third operand). */
#define NPJT_OPCODE_LIST(X)                                                                                            \
    X(NEXT, "next", COUNT, NOTHING, NOTHING) /* take actions */                                                        \
    X(HOST, "host", COUNT, NOTHING, NOTHING) /* rounds of: take all, complete all with success */                      \
    X(ADD, "add", CLIENT, PROVIDER, NOTHING) /* add_job */                                                             \
    X(CONNECT, "connect", JOB, NOTHING, NOTHING)                                                                       \
    X(WRITE, "write", JOB, LENGTH, HOW)                                                                                \
    X(CLOSE, "close", JOB, NOTHING, NOTHING)                                                                           \
    X(CANCEL, "cancel", JOB, WRITE_SEL, NOTHING)                                                                       \
    X(ABORT, "abort", JOB, STATUS, NOTHING)                                                                            \
    X(CLIENT_GONE, "client_gone", CLIENT, STATUS, NOTHING)                                                             \
    X(PROVIDER_GONE, "provider_gone", PROVIDER, NOTHING, NOTHING)                                                      \
    X(SHUTDOWN, "shutdown", STOP, NOTHING, NOTHING)                                                                    \
    X(ADVANCE, "advance", TIME, NOTHING, NOTHING)                                                                      \
    X(COMPLETE, "complete", OP, NOTHING, NOTHING) /* any operation, with success and in full */                        \
    X(FAIL, "fail", OP, STATUS, NOTHING)          /* any operation, with this status and no byte */                    \
    X(ADDED, "added", OP, STATUS, PATH)           /* an ADD_JOB */                                                     \
    X(OPENED, "opened", OP, STATUS, MODE)         /* an OPEN */                                                        \
    X(WRITTEN, "written", OP, STATUS, AMOUNT)     /* a WRITE */                                                        \
    X(DONE, "done", OP, STATUS, NOTHING)          /* a CLOSE_PIPE, SCHEDULE_JOB or ABANDON_JOB */                      \
    X(WRONG, "wrong", OP, CALL, NOTHING)          /* completes by the call of another kind */                          \
    X(NULLS, "nulls", CALL, NOTHING, NOTHING)     /* calls with null pointers */                                       \
    X(QUERY, "query", JOB, NOTHING, NOTHING)                                                                           \
    X(TRIM, "trim", NOTHING, NOTHING, NOTHING)                                                                         \
    X(OOM, "oom", FAILURE, NOTHING, NOTHING)       /* allocations fail from here */                                    \
    X(REENTER, "reenter", CALLBACK, CALL, NOTHING) /* the next such callback calls the server */                       \
    X(OPEN, "open", CLIENT, PROVIDER, NOTHING)     /* add, connect, and run the host: an open job */                   \
    X(WRITES, "writes", JOB, LENGTH, COUNT)        /* several writes, copied */                                        \
    X(FREE, "free", NOTHING, NOTHING, NOTHING)     /* frees the engine: the tape ends here */

typedef enum npjt_opcode {
#define NPJT_X(name, word, a, b, c) NPJT_##name##_EVENT,
    NPJT_OPCODE_LIST(NPJT_X)
#undef NPJT_X
        NPJT_OPCODE_COUNT
} npjt_opcode;

/** The header's bytes: X(field, word in the text form, what it chooses from). The last two bytes are fault_at. */
#define NPJT_HEADER_LIST(X)                                                                                            \
    X(MAX_JOBS, "max_jobs", LIMIT_JOBS)                                                                                \
    X(MAX_JOB_PACKETS, "max_job_packets", LIMIT_JOB_PACKETS)                                                           \
    X(MAX_PACKETS, "max_packets", LIMIT_PACKETS)                                                                       \
    X(MAX_WRITE, "max_write", LIMIT_WRITE)                                                                             \
    X(MAX_BATCH, "max_batch", LIMIT_BATCH)                                                                             \
    X(MAX_JOB_BYTES, "max_job_bytes", LIMIT_JOB_BYTES)                                                                 \
    X(MAX_POOL, "max_pool", LIMIT_POOL)                                                                                \
    X(PIPE, "pipe", DEFAULT_MODE) /* the mode of pipes that are opened without a word about it */                      \
    X(REUSE, "reuse", REUSE)      /* how much memory is kept for reuse */                                              \
    X(ADD_TIMEOUT, "add_timeout", TIMEOUT)                                                                             \
    X(CONNECT_TIMEOUT, "connect_timeout", TIMEOUT)                                                                     \
    X(STALL_TIMEOUT, "stall_timeout", TIMEOUT)                                                                         \
    X(DRAIN_TIMEOUT, "drain_timeout", TIMEOUT)                                                                         \
    X(FAULT, "fault", FAULT_MODE)

typedef enum npjt_header_field {
#define NPJT_X(name, word, operand) NPJT_HEADER_##name,
    NPJT_HEADER_LIST(NPJT_X)
#undef NPJT_X
        NPJT_HEADER_FIELDS
} npjt_header_field;

/** A tape's header, canonical: each field is below npjt_operand_count() of what it chooses from. */
typedef struct npjt_header {
    uint8_t field[NPJT_HEADER_FIELDS];
    uint16_t fault_at; /**< the n of the fault mode, counted from 1 at the creation of the engine; 0: none */
} npjt_header;

/** A record, canonical: the opcode is below NPJT_OPCODE_COUNT, each operand below npjt_operand_count() of its kind. */
typedef struct npjt_record {
    uint8_t opcode;
    uint8_t operand[NPJT_OPERANDS];
} npjt_record;

/** The limits that a header means, in units. */
typedef struct npjt_limits {
    uint32_t max_jobs;        /**< 1 to 16 */
    uint32_t max_job_packets; /**< 1 to 32 */
    uint32_t max_packets;     /**< 1 to 128 */
    uint32_t max_write_bytes; /**< 1 to 65536 */
    uint32_t max_batch;
    uint64_t max_job_bytes;
    uint64_t max_pool_bytes; /**< 0: the server's default */
    bool reuse;              /**< memory is kept for reuse; else every packet goes back to the allocator at once */
    uint64_t max_idle_bytes; /**< of it, as reuse says */
    bool message_mode;       /**< of pipes that are opened without a word about their mode */
    uint64_t add_timeout, connect_timeout, stall_timeout, drain_timeout;
    npjt_fault_mode fault;
    uint32_t fault_at;
} npjt_limits;

#define NPJT_MAX_LIVE_JOBS    16
#define NPJT_MAX_LIVE_PACKETS 128
#define NPJT_MAX_WRITE_BYTES  65536

/** A place in a tape. */
typedef struct npjt_reader {
    const uint8_t *bytes;
    size_t left;
    uint32_t records; /**< read so far */
} npjt_reader;

/**
 * Starts to read a tape.
 * @param bytes borrowed for as long as @p reader is used; may be NULL if @p size is 0.
 * @param header receives the header. May be NULL.
 */
void npjt_tape_begin(npjt_reader *reader, const uint8_t *bytes, size_t size, npjt_header *header);

/** Reads the next record. @return false at the end, and @p record is untouched. */
bool npjt_tape_next(npjt_reader *reader, npjt_record *record);

/** What a header means. */
void npjt_tape_limits(const npjt_header *header, npjt_limits *limits);

/** Writes a header, NPJT_HEADER_BYTES bytes. */
void npjt_tape_put_header(uint8_t *out, const npjt_header *header);

/** Writes a record, NPJT_RECORD_BYTES bytes. */
void npjt_tape_put_record(uint8_t *out, const npjt_record *record);

/** How many meanings an operand has; 1 for NPJT_NOTHING. 0 when out of range. */
uint32_t npjt_operand_count(npjt_operand operand);

/** The key word of an operand in the text form, "job"; NULL for NPJT_NOTHING and out of range. */
const char *npjt_operand_key(npjt_operand operand);

/** The word of one meaning, "newest-1"; NULL when out of range. */
const char *npjt_operand_word(npjt_operand operand, uint32_t meaning);

/** What operand @p index of @p opcode chooses from; NPJT_NOTHING when out of range. */
npjt_operand npjt_opcode_operand(npjt_opcode opcode, uint32_t index);

/** The word of an opcode in the text form, "write"; NULL when out of range. */
const char *npjt_opcode_word(npjt_opcode opcode);

/** Room for the longest line of a record in the text form, terminator included. */
#define NPJT_LINE_MAX 256

/** Writes one record as a line without newline, terminated; NPJT_LINE_MAX bytes are always enough. @return its length.
 */
size_t npjt_record_text(char *out, size_t capacity, const npjt_record *record);

/** Prints a tape in its text form: the header, then its first @p records records (UINT32_MAX: all). @return false when
 * writing failed. */
bool npjt_tape_print(FILE *out, const uint8_t *bytes, size_t size, uint32_t records);

/** Where, and why, a text is no tape. */
typedef struct npjt_text_error {
    uint32_t line;     /**< from 1 */
    uint32_t column;   /**< from 1, in bytes */
    char message[128]; /**< one sentence, terminated; a NUL that it quotes is '?' */
} npjt_text_error;

/**
 * Reads the text form. Lines end with LF or CRLF; `#` starts a comment; empty lines are skipped; the first other line
 * is the header. Operands that are left out are their first meaning.
 *
 * @param text     @p length bytes, no terminator needed.
 * @param out      receives the tape, or a part of it if the text is none; NPJT_TAPE_MAX bytes are always enough.
 * @param capacity of @p out.
 * @param size     receives the tape's length on success, untouched otherwise.
 * @param error    receives the reason otherwise. May be NULL.
 * @return whether the text is a tape.
 */
bool npjt_tape_parse(const char *text, size_t length, uint8_t *out, size_t capacity, size_t *size,
                     npjt_text_error *error);

#ifdef __cplusplus
}
#endif

#endif
