/* SPDX-License-Identifier: MIT */
/* npj send: the command line. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>

#include "npjob/npjob.h"
#include "send_job.h"
#include "tool.h"

/* What the engine adds to the bytes of a write: "a packet's header at most 64". */
enum { PACKET_BYTES = 64 };
enum { MAX_CHUNK = 1 << 30, MAX_BATCH = 1024, DEFAULT_CHUNK = 64 << 10, DEFAULT_BATCH = 64, DEFAULT_LIMIT = 16 << 20 };

enum {
    KEY_LEND = 256,
    KEY_COPY,
    KEY_MESSAGE,
    KEY_LIMIT,
    KEY_BATCH,
    KEY_WAIT,
    KEY_CONNECT_TIMEOUT,
    KEY_STALL_TIMEOUT,
    KEY_DRAIN_TIMEOUT,
    KEY_TRACE
};

static const struct argp_option argp_options[] = {
    {"pipe", 'p', "PATH", 0, "the pipe: a listening Unix-domain socket, or a FIFO", 1},
    {"message", KEY_MESSAGE, NULL, 0, "each write is a message, on a SOCK_SEQPACKET socket", 1},
    {"wait", KEY_WAIT, NULL, 0, "wait for the pipe, and for its reader, until the connect timeout", 1},
    {"chunk", 'c', "BYTES", 0, "length of a write (default 64K)", 2},
    {"copy", KEY_COPY, NULL, 0, "the engine copies the bytes of a write (default)", 2},
    {"lend", KEY_LEND, NULL, 0, "the engine borrows them", 2},
    {"limit", KEY_LIMIT, "BYTES", 0,
     "memory for all writes that are pending, with 64 bytes for each write's header (default 16M)", 2},
    {"batch", KEY_BATCH, "N", 0, "writes that may go out in one call, 1 to 1024 (default 64)", 2},
    {"connect-timeout", KEY_CONNECT_TIMEOUT, "MS", 0, "until the pipe is open (default 30000; 0: never)", 3},
    {"stall-timeout", KEY_STALL_TIMEOUT, "MS", 0, "while the pipe takes nothing (default 60000; 0: never)", 3},
    {"drain-timeout", KEY_DRAIN_TIMEOUT, "MS", 0, "from the end of the file on (default 300000; 0: never)", 3},
    {"quiet", 'q', NULL, 0, "neither progress nor ledger", 4},
    {"trace", KEY_TRACE, NULL, 0, "a line for each event of the job on stderr", 4},
    {0}};

static error_t parse_timeout(struct argp_state *state, const char *text, const char *name, uint64_t *out)
{
    uint64_t value;
    if (!tool_parse_number(text, 0, UINT32_MAX, &value))
        return tool_wrong(state, "--%s: 0 to %" PRIu32 " milliseconds, not \"%s\"", name, UINT32_MAX, text);
    *out = value == 0 ? NPJ_NEVER : value;
    return 0;
}

static error_t parse_bytes(struct argp_state *state, const char *text, const char *name, uint64_t *out)
{
    if (tool_parse_bytes(text, out))
        return 0;
    return tool_wrong(state, "--%s: not a number of bytes: \"%s\"", name, text);
}

/* What a write takes: a packet, and the bytes that are lent; or those of a copy, for which the engine has four sizes to
 * each power of two. */
static uint64_t bytes_of_write(const send_options *options)
{
    uint64_t copy = 64, step = 16;
    if (options->lend)
        return options->chunk + PACKET_BYTES;
    while (copy < options->chunk) {
        copy += step;
        if (copy == 8 * step)
            step *= 2;
    }
    return copy + PACKET_BYTES;
}

/* What the single options cannot know. */
static error_t check(struct argp_state *state, send_options *options)
{
    if (options->file == NULL)
        return tool_wrong(state, "no file given");
    if (options->pipe == NULL)
        return tool_wrong(state, "no pipe given: --pipe PATH");
    uint64_t one = bytes_of_write(options);
    uint64_t packets = options->limit / one;
    if (packets == 0)
        return tool_wrong(state, "--limit: one write of %lu bytes takes %lu", (unsigned long)options->chunk,
                          (unsigned long)one);
    if (packets > UINT32_MAX / 2)
        return tool_wrong(state, "--limit: more writes than the engine can count");
    options->packets = (uint32_t)packets;
    return 0;
}

static error_t parse_chunk(struct argp_state *state, const char *text, send_options *options)
{
    uint64_t value = 0;
    error_t error = parse_bytes(state, text, "chunk", &value);
    if (error == 0 && (value == 0 || value > MAX_CHUNK))
        return tool_wrong(state, "--chunk: 1 to %d bytes, not \"%s\"", MAX_CHUNK, text);
    options->chunk = (uint32_t)value;
    return error;
}

static error_t parse_batch(struct argp_state *state, const char *text, send_options *options)
{
    uint64_t value = 0;
    if (!tool_parse_number(text, 1, MAX_BATCH, &value))
        return tool_wrong(state, "--batch: 1 to %d, not \"%s\"", MAX_BATCH, text);
    options->batch = (uint32_t)value;
    return 0;
}

static error_t parse_file(struct argp_state *state, const char *text, send_options *options)
{
    if (options->file != NULL)
        return tool_wrong(state, "one file only: \"%s\"", text);
    return tool_take_path(state, "FILE", text, &options->file);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    send_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        tool_options_begin(state);
        return 0;
    case ARGP_KEY_ARG:
        return parse_file(state, text, options);
    case ARGP_KEY_END:
        return check(state, options);
    case 'p':
        return tool_take_path(state, "--pipe", text, &options->pipe);
    case 'c':
        return parse_chunk(state, text, options);
    case 'q':
        options->quiet = true;
        return 0;
    case KEY_LEND:
    case KEY_COPY:
        options->lend = key == KEY_LEND;
        return 0;
    case KEY_MESSAGE:
        options->message = true;
        return 0;
    case KEY_WAIT:
        options->wait = true;
        return 0;
    case KEY_TRACE:
        options->trace = true;
        return 0;
    case KEY_LIMIT:
        return parse_bytes(state, text, "limit", &options->limit);
    case KEY_BATCH:
        return parse_batch(state, text, options);
    case KEY_CONNECT_TIMEOUT:
        return parse_timeout(state, text, "connect-timeout", &options->connect_timeout);
    case KEY_STALL_TIMEOUT:
        return parse_timeout(state, text, "stall-timeout", &options->stall_timeout);
    case KEY_DRAIN_TIMEOUT:
        return parse_timeout(state, text, "drain-timeout", &options->drain_timeout);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tool_send(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .args_doc = "FILE --pipe PATH",
        .doc = "Sends FILE (-: standard input) through a named pipe as one print job, and prints the ledger of what "
               "was taken and given back.\v"
               "The reader of the pipe sees the end of the file when the job is done, and also when it failed: neither "
               "a FIFO nor a Unix-domain socket can be reset by its writer. npj says which by its exit code, and "
               "SIGINT, SIGTERM or SIGHUP abort the job; the same signal a second time ends npj at "
               "once.\n\n" TOOL_EXIT_DOC};
    send_options options = {.chunk = DEFAULT_CHUNK, .batch = DEFAULT_BATCH, .limit = DEFAULT_LIMIT};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return TOOL_USAGE;
    return send_job(&options);
}
