/* SPDX-License-Identifier: MIT */
/* npj tape: tapes read, written and run. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npjob-testkit/driver.h"
#include "npjob-testkit/srv_nt4.h"
#include "tool.h"
#include "trace.h"

typedef enum tape_verb { VERB_NONE, VERB_DIS, VERB_ASM, VERB_RUN } tape_verb;

typedef struct tape_options {
    tape_verb verb;
    const char *out;
    bool trace;
    bool nt4;
    bool model;
    const char **files;
    int file_count;
} tape_options;

/* ---------------------------------------------------------------------------------------------- files */

typedef struct text_file {
    char *bytes;
    size_t size;
} text_file;

/* No tape needs more, as text with comments either. */
enum { FILE_MAX = 16 << 20 };

/* A stream of its own for standard input and output as well, so that all are closed alike. */
static FILE *open_stream(const char *path, const char *mode)
{
    if (strcmp(path, "-") != 0)
        return fopen(path, mode);
    int fd = dup(mode[0] == 'r' ? STDIN_FILENO : STDOUT_FILENO);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, mode);
    if (stream == NULL && fd >= 0) {
        close(fd);
        errno = EBADF; /* nothing that can be read, or written to */
    }
    return stream;
}

static bool read_file(const char *path, text_file *out)
{
    FILE *file = open_stream(path, "rb");
    if (file == NULL) {
        tool_complain("tape", "%s: %s", path, strerror(errno));
        return false;
    }
    errno = 0;
    out->bytes = malloc(FILE_MAX + 1);
    out->size = out->bytes == NULL ? 0 : fread(out->bytes, 1, FILE_MAX + 1, file);
    int error = out->bytes == NULL || ferror(file) ? errno : 0;
    fclose(file);
    if (out->bytes == NULL || error != 0 || out->size > FILE_MAX) {
        tool_complain("tape", "%s: %s", path, error != 0 ? strerror(error) : "too large for a tape");
        free(out->bytes);
        return false;
    }
    return true;
}

/* Whether the first line that is neither empty nor a comment begins as the text form does. */
static bool begins_as_text(const text_file *file)
{
    static const char word[] = "tape ";
    const char *at = file->bytes;
    const char *end = file->bytes + file->size;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        if (at < end && *at != '#' && *at != '\n')
            return (size_t)(end - at) >= strlen(word) && memcmp(at, word, strlen(word)) == 0;
        if (line_end == NULL)
            return false;
        at = line_end + 1;
    }
    return false;
}

/* Whether all of it can be printed, as UTF-8, and there is a line end in it. No assembled tape is so: it begins with a
 * byte below 6. */
static bool reads_as_text(const text_file *file)
{
    bool has_line = false;
    unsigned left = 0;                  /* bytes of a character that are still to come */
    unsigned least = 0x80, most = 0xbf; /* what the next of them is: no overlong form, no surrogate */
    for (size_t i = 0; i < file->size; i++) {
        unsigned char byte = (unsigned char)file->bytes[i];
        bool control = byte < ' ' ? byte != '\t' && byte != '\r' && byte != '\n' : byte == 0x7f;
        bool begins = byte < 0x80 || (byte >= 0xc2 && byte <= 0xf4);
        if (left > 0 ? byte < least || byte > most : control || !begins)
            return false;
        left = left > 0 ? left - 1 : byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
        most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
        has_line = has_line || byte == '\n';
    }
    return has_line && left == 0;
}

/* What is mistyped is still text: played as bytes, it would be another tape, and nobody would know. */
static bool is_text(const text_file *file)
{
    return begins_as_text(file) || reads_as_text(file);
}

static bool assemble(const char *path, const text_file *text, uint8_t tape[NPJT_TAPE_MAX], size_t *size)
{
    static const char mark[] = "\xef\xbb\xbf";
    npjt_text_error error;
    if (text->size >= strlen(mark) && memcmp(text->bytes, mark, strlen(mark)) == 0) {
        tool_complain("tape", "%s:1:1: a byte order mark stands before the text", path);
        return false;
    }
    if (npjt_tape_parse(text->bytes, text->size, tape, NPJT_TAPE_MAX, size, &error))
        return true;
    tool_complain("tape", "%s:%" PRIu32 ":%" PRIu32 ": %s", path, error.line, error.column, error.message);
    return false;
}

/* ---------------------------------------------------------------------------------------------- dis, asm */

static int disassemble_file(const char *path)
{
    text_file file;
    if (!read_file(path, &file))
        return TOOL_TROUBLE;
    if (is_text(&file)) {
        tool_complain("tape", "%s: is text already", path);
        free(file.bytes);
        return TOOL_TROUBLE;
    }
    bool written = npjt_tape_print(stdout, (const uint8_t *)file.bytes, file.size, UINT32_MAX);
    free(file.bytes);
    return written ? TOOL_DONE : TOOL_TROUBLE;
}

static int assemble_file(const char *path, const char *out)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    size_t size = 0;
    text_file file;
    if (!read_file(path, &file))
        return TOOL_TROUBLE;
    bool good = assemble(path, &file, tape, &size);
    free(file.bytes);
    if (!good)
        return TOOL_TROUBLE;

    FILE *stream = open_stream(out, "wb");
    if (stream == NULL) {
        tool_complain("tape", "%s: %s", out, strerror(errno));
        return TOOL_TROUBLE;
    }
    bool written = fwrite(tape, 1, size, stream) == size;
    written = fclose(stream) == 0 && written;
    if (!written) {
        tool_complain("tape", "%s: %s", out, strerror(errno));
        if (strcmp(out, "-") != 0)
            tool_discard(out);
    }
    return written ? TOOL_DONE : TOOL_TROUBLE;
}

/* ---------------------------------------------------------------------------------------------- run */

/* The jobs of a tape, in the order in which they came: no record makes more than one. */
typedef struct job_numbers {
    uint64_t cookies[NPJT_MAX_RECORDS];
    uint32_t count;
} job_numbers;

static uint32_t number_of(job_numbers *jobs, uint64_t cookie)
{
    uint32_t number = jobs->count;
    while (number > 0 && jobs->cookies[number - 1] != cookie)
        number--;
    if (number > 0)
        return number;
    if (jobs->count < NPJT_MAX_RECORDS)
        jobs->cookies[jobs->count++] = cookie;
    return jobs->count;
}

static void on_trace(void *user, const npj_trace *trace)
{
    uint32_t number = trace->kind == NPJ_TRACE_EVENT ? number_of(user, trace->cookie) : 0;
    trace_print(stdout, number, trace);
}

static void on_finding(void *user, const npjt_violation *violation)
{
    (void)user;
    fflush(stdout); /* what led to it comes first */
    npjt_violation_print(violation);
}

/* Not const: before C23 an array of arrays cannot be passed on as it. */
static void print_result(const char *path, npjt_result *result)
{
    printf("%s: events=%" PRIu32 " calls=%" PRIu64 " operations=%" PRIu64 " packets_allocated=%" PRIu64
           " packets_released=%" PRIu64 " bytes_accepted=%" PRIu64 " bytes_taken=%" PRIu64 " live=%" PRIu64
           " cells=%" PRIu32 " findings=%d\n",
           path, result->events, result->calls, result->operations, result->packets_allocated, result->packets_released,
           result->bytes_accepted, result->bytes_taken, result->live_blocks, npjt_cells_reached(result->cells),
           result->finding >= 0);
}

static int run_file(const char *path, const tape_options *options)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    text_file file;
    if (!read_file(path, &file))
        return TOOL_TROUBLE;
    size_t size = file.size;
    if (is_text(&file)) {
        if (!assemble(path, &file, tape, &size)) {
            free(file.bytes);
            return TOOL_TROUBLE;
        }
    } else {
        size = size < NPJT_TAPE_MAX ? size : NPJT_TAPE_MAX; /* what lies beyond says nothing */
        memcpy(tape, file.bytes, size);
    }
    free(file.bytes);

    static job_numbers jobs;
    jobs.count = 0;
    npjt_result result;
    const npjt_options how = {
        .model = options->model, .finding = on_finding, .trace = options->trace ? on_trace : NULL, .user = &jobs};
    bool good = npjt_run(options->nt4 ? &npjt_subject_srv_nt4 : &npjt_subject_npjob, tape, size, &how, &result);
    print_result(path, &result);
    if (!good)
        tool_complain("tape", "%s: law %d, %s, is broken", path, result.finding,
                      npjt_law_name((unsigned)result.finding));
    return good ? TOOL_DONE : TOOL_FAILED;
}

static int run_files(const tape_options *options)
{
    int code = TOOL_DONE;
    for (int i = 0; i < options->file_count; i++) {
        int result = run_file(options->files[i], options);
        if (result > code)
            code = result;
    }
    return code;
}

/* ---------------------------------------------------------------------------------------------- the command line */

enum { KEY_TRACE = 256, KEY_NT4, KEY_MODEL };

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0, "asm: where the tape goes (-: standard output)", 1},
    {"trace", KEY_TRACE, NULL, 0, "run: a line for each event that meets a job", 2},
    {"nt4", KEY_NT4, NULL, 0, "run: against srv_nt4, the server of KB Q226513, instead of npjob", 2},
    {"model", KEY_MODEL, NULL, 0, "run: with the reference model beside it; what differs is a finding", 2},
    {0}};

static error_t parse_verb(struct argp_state *state, const char *text, tape_options *options)
{
    static const struct {
        const char *name;
        tape_verb verb;
    } verbs[] = {{"dis", VERB_DIS}, {"asm", VERB_ASM}, {"run", VERB_RUN}};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(text, verbs[i].name) == 0) {
            options->verb = verbs[i].verb;
            return 0;
        }
    }
    return tool_wrong(state, "\"%s\": neither dis, asm nor run", text);
}

static int count_of_stdin(const tape_options *options)
{
    int count = 0;
    for (int i = 0; i < options->file_count; i++)
        count += strcmp(options->files[i], "-") == 0;
    return count;
}

static error_t check(struct argp_state *state, const tape_options *options)
{
    if (options->verb == VERB_NONE)
        return tool_wrong(state, "what to do? dis, asm or run");
    if (options->file_count == 0)
        return tool_wrong(state, "no file given");
    if (options->verb != VERB_RUN && options->file_count > 1)
        return tool_wrong(state, "one file only: \"%s\"", options->files[1]);
    if (options->verb == VERB_ASM && options->out == NULL)
        return tool_wrong(state, "asm: no output given: -o OUT");
    if (options->verb != VERB_ASM && options->out != NULL)
        return tool_wrong(state, "-o belongs to asm");
    if (options->verb != VERB_RUN && (options->trace || options->nt4 || options->model))
        return tool_wrong(state, "--trace, --nt4 and --model belong to run");
    if (count_of_stdin(options) > 1)
        return tool_wrong(state, "standard input can be read once only: \"-\"");
    if (options->nt4 && options->model)
        return tool_wrong(state, "--model goes with npjob, not with --nt4");
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    tape_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        tool_options_begin(state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->verb == VERB_NONE)
            return parse_verb(state, text, options);
        return tool_take_path(state, "FILE", text, &options->files[options->file_count++]);
    case ARGP_KEY_END:
        return check(state, options);
    case 'o':
        return tool_take_path(state, "--output", text, &options->out);
    case KEY_TRACE:
        options->trace = true;
        return 0;
    case KEY_NT4:
        options->nt4 = true;
        return 0;
    case KEY_MODEL:
        options->model = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int act(const tape_options *options)
{
    switch (options->verb) {
    case VERB_DIS:
        return disassemble_file(options->files[0]);
    case VERB_ASM:
        return assemble_file(options->files[0], options->out);
    default:
        return run_files(options);
    }
}

int tool_tape(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .args_doc = "dis FILE\nasm FILE -o OUT\nrun FILE...",
        .doc = "Tapes are recorded orders of events, as bytes or as text; docs/tape.md describes them.\n\n"
               "  dis  prints a tape as text\n"
               "  asm  makes a tape of its text\n"
               "  run  plays tapes, of either form, against the engine, and holds it to its laws\n\n"
               "A file is text if its first line that is neither empty nor a comment begins with \"tape \", and also "
               "if all of it can be printed and there "
               "is a line end in it; any other is bytes. Text that is no tape is refused. FILE may be - for standard "
               "input.\v" TOOL_EXIT_DOC};
    tape_options options = {.files = calloc((size_t)argc + 1, sizeof *options.files)};
    int code = TOOL_TROUBLE;
    if (options.files == NULL)
        tool_complain("tape", "%s", strerror(errno));
    else
        code = argp_parse(&argp, argc, argv, 0, NULL, &options) != 0 ? (int)TOOL_USAGE : act(&options);
    free(options.files);
    return code;
}
