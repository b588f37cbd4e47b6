/* SPDX-License-Identifier: MIT */
/*
 * npj q226513: the leak of KB Q226513 beside an engine without it.
 *
 * Where the two lengths of a write come from: `copy` writes 64 KiB at a time; `print` writes its buffer, which is 512
 * bytes unless its switch /B makes it larger (MS-DOS PRINT: 512 to 16384). The article gives no figure, only that more
 * is lost with `print` than with `copy`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "leftover.h"
#include "npjob-testkit/srv_nt4.h"
#include "plot.h"
#include "tool.h"

enum { MAX_SIZES = 32, COPY_BYTES = 64 << 10, PRINT_BYTES = 512, MAX_WRITE = 1 << 24, DEFAULT_POOL = 256 << 20 };

typedef struct leak_options {
    const char *file;
    const char *plot;
    uint64_t sizes[MAX_SIZES];
    size_t size_count;
    uint32_t print_bytes;
    uint64_t pool;
} leak_options;

typedef struct job_file {
    uint8_t *bytes;
    uint64_t size;
} job_file;

/* ---------------------------------------------------------------------------------------------- the file */

/* As much as there is: a file may shrink while it is read. @return what is wrong, or NULL. */
static const char *read_all(FILE *file, job_file *out)
{
    struct stat what;
    if (fstat(fileno(file), &what) != 0)
        return strerror(errno);
    if (!S_ISREG(what.st_mode))
        return "not a regular file";
    if ((uintmax_t)what.st_size >= SIZE_MAX)
        return strerror(EFBIG); /* on 32 bits */
    out->bytes = malloc((size_t)what.st_size + 1);
    if (out->bytes == NULL)
        return strerror(errno);
    out->size = fread(out->bytes, 1, (size_t)what.st_size, file);
    if (ferror(file))
        return strerror(errno);
    return out->size == 0 ? "an empty file" : NULL;
}

static bool read_job(const char *path, job_file *out)
{
    *out = (job_file){0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO would wait for somebody to write */
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    const char *wrong = file != NULL ? read_all(file, out) : strerror(errno);
    if (wrong != NULL) {
        tool_complain("q226513", "%s: %s", path, wrong);
        free(out->bytes);
    }
    if (file != NULL)
        fclose(file);
    return wrong == NULL;
}

static int compare_sizes(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The sizes that the file has, in ascending order, each once; the file's own is always the last. */
static void settle_sizes(leak_options *options, uint64_t file_size)
{
    static const uint64_t usual[] = {64 << 10, 256 << 10, 1 << 20, 4 << 20};
    size_t count = 0;
    if (options->size_count == 0) {
        memcpy(options->sizes, usual, sizeof usual);
        options->size_count = sizeof usual / sizeof usual[0];
        options->sizes[options->size_count++] = file_size;
    }
    qsort(options->sizes, options->size_count, sizeof options->sizes[0], compare_sizes);
    for (size_t i = 0; i < options->size_count; i++)
        if (options->sizes[i] <= file_size && (count == 0 || options->sizes[count - 1] != options->sizes[i]))
            options->sizes[count++] = options->sizes[i];
    options->size_count = count;
}

/* ---------------------------------------------------------------------------------------------- the table */

static void print_heading(const leak_options *options, const job_file *file)
{
    char copy[32];
    char print[32];
    printf("%s, %" PRIu64 " bytes: what is left when a job has ended and its server has not\n"
           "copy writes %s at a time, print %s\n\n",
           options->file, file->size, tool_format_bytes(copy, COPY_BYTES),
           tool_format_bytes(print, options->print_bytes));
    printf("%-10s %-5s %9s  %25s  %25s\n", "", "", "", "--------- srv_nt4 -------", "---------- npjob --------");
    printf("%-10s %-5s %9s  %10s %14s  %10s %14s\n", "job", "as", "writes", "packets", "pool bytes", "packets",
           "pool bytes");
}

/* Whether a server that leaks nothing has room for the longest write of all: no more than one waits at a time. */
static bool pool_holds_a_write(const leak_options *options, const job_file *file)
{
    const uint64_t chunk = options->print_bytes > COPY_BYTES ? options->print_bytes : (uint64_t)COPY_BYTES;
    const uint64_t size = options->sizes[options->size_count - 1];
    const uint32_t length = (uint32_t)(size < chunk ? size : chunk);
    return !leftover_of_job(&npjt_subject_npjob, file->bytes, length, length, options->pool).event_2019;
}

/* What must not happen: the allocator abused, bytes lost, a job that failed for any reason but a pool that has leaked
 * away. */
static bool sound(const char *name, const leftover *left, uint64_t size, bool leaks)
{
    char text[64];
    bool dry = left->event_2019 && leaks;
    if (left->torn != 0)
        tool_complain("q226513", "%s: the allocator has %" PRIu64 " findings", name, left->torn);
    else if (left->status != NPJ_STATUS_SUCCESS && !dry)
        tool_complain("q226513", "%s: %s", name, tool_format_status(text, left->status));
    else if (left->bytes != size && !dry)
        tool_complain("q226513", "%s: %" PRIu64 " of %" PRIu64 " bytes arrived", name, left->bytes, size);
    else
        return true;
    return false;
}

static void print_event_2019(const leftover *nt4)
{
    char text[32];
    if (nt4->event_2019)
        printf("%17s Event 2019: srv_nt4 could not allocate, its pool was empty after %s of the job\n", "",
               tool_format_bytes(text, (double)nt4->bytes));
}

/* One line: both servers. Returns whether the runs were sound. */
static bool compare(const leak_options *options, const job_file *file, uint64_t size, bool print, plot_point *point)
{
    uint32_t chunk = print ? options->print_bytes : (uint32_t)COPY_BYTES;
    leftover nt4 = leftover_of_job(&npjt_subject_srv_nt4, file->bytes, size, chunk, options->pool);
    leftover own = leftover_of_job(&npjt_subject_npjob, file->bytes, size, chunk, options->pool);
    char text[32];
    printf("%-10s %-5s %9" PRIu64 "  %10" PRIu64 " %14" PRIu64 "  %10" PRIu64 " %14" PRIu64 "\n",
           tool_format_size(text, size), print ? "print" : "copy", own.writes, nt4.packets, nt4.pool, own.packets,
           own.pool);
    print_event_2019(&nt4);
    fflush(stdout);
    point->job_bytes = size;
    point->pool_bytes[print ? 0 : 1] = nt4.pool;
    point->pool_bytes[print ? 2 : 3] = own.pool;
    return sound("srv_nt4", &nt4, size, true) && sound("npjob", &own, size, false);
}

/* Whether there is something to compare, and room for it. */
static bool settle(leak_options *options, const job_file *file)
{
    settle_sizes(options, file->size);
    if (options->size_count == 0)
        tool_complain("q226513", "%s: no size of --sizes is within its %" PRIu64 " bytes", options->file, file->size);
    else if (!pool_holds_a_write(options, file))
        tool_complain("q226513", "--pool: one of the writes takes more than %" PRIu64 " bytes", options->pool);
    else
        return true;
    return false;
}

static int run(leak_options *options)
{
    job_file file;
    if (!read_job(options->file, &file))
        return TOOL_TROUBLE;
    if (!settle(options, &file)) {
        free(file.bytes);
        return TOOL_USAGE;
    }
    plot_point points[MAX_SIZES];
    bool all_sound = true;
    print_heading(options, &file);
    for (size_t i = 0; i < options->size_count && all_sound; i++)
        for (int print = 0; print < 2 && all_sound; print++)
            all_sound = compare(options, &file, options->sizes[i], print == 1, &points[i]);
    free(file.bytes);
    if (!all_sound)
        return TOOL_FAILED;

    char print_title[64];
    snprintf(print_title, sizeof print_title, "srv_nt4, print (%" PRIu32 "-byte writes)", options->print_bytes);
    const char *const titles[PLOT_SERIES] = {print_title, "srv_nt4, copy (64 KiB writes)", "npjob, print",
                                             "npjob, copy"};
    if (options->plot != NULL && !plot_draw(options->plot, titles, points, options->size_count))
        return TOOL_TROUBLE;
    return TOOL_DONE;
}

/* ---------------------------------------------------------------------------------------------- the command line */

enum { KEY_PLOT = 256, KEY_SIZES, KEY_PRINT_BYTES, KEY_POOL };

static const struct argp_option argp_options[] = {
    {"plot", KEY_PLOT, "OUT", 0, "draw it with gnuplot; OUT ends in .svg or .png", 1},
    {"sizes", KEY_SIZES, "BYTES,...", 0,
     "sizes of the job, each the beginning of FILE; longer ones are left out (default 64K,256K,1M,4M and the whole "
     "file)",
     1},
    {"print-bytes", KEY_PRINT_BYTES, "BYTES", 0, "length of the writes of `print` (default 512: that of PRINT's /B)",
     1},
    {"pool", KEY_POOL, "BYTES", 0, "each server's pool, whose end is Event 2019 (default 256M)", 1},
    {0}};

static error_t parse_sizes(struct argp_state *state, char *text, leak_options *options)
{
    options->size_count = 0;
    for (char *word = strsep(&text, ","); word != NULL; word = strsep(&text, ",")) {
        uint64_t size = 0;
        if (options->size_count == MAX_SIZES)
            return tool_wrong(state, "--sizes: more than %d", MAX_SIZES);
        if (!tool_parse_bytes(word, &size) || size == 0)
            return tool_wrong(state, "--sizes: not a number of bytes: \"%s\"", word);
        options->sizes[options->size_count++] = size;
    }
    return 0;
}

static error_t parse_limit(struct argp_state *state, const char *name, const char *text, uint64_t most, uint64_t *out)
{
    if (tool_parse_bytes(text, out) && *out > 0 && *out <= most)
        return 0;
    return tool_wrong(state, "--%s: 1 to %" PRIu64 " bytes, not \"%s\"", name, most, text);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    leak_options *options = state->input;
    uint64_t value = 0;
    error_t error = 0;
    switch (key) {
    case ARGP_KEY_INIT:
        tool_options_begin(state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            return tool_wrong(state, "one file only: \"%s\"", text);
        return tool_take_path(state, "FILE", text, &options->file);
    case ARGP_KEY_END:
        return options->file == NULL ? tool_wrong(state, "no file given") : 0;
    case KEY_PLOT:
        options->plot = text;
        return plot_can_draw(text) ? 0 : tool_wrong(state, "--plot: neither .svg nor .png: \"%s\"", text);
    case KEY_SIZES:
        return parse_sizes(state, text, options);
    case KEY_PRINT_BYTES:
        error = parse_limit(state, "print-bytes", text, MAX_WRITE, &value);
        options->print_bytes = (uint32_t)value;
        return error;
    case KEY_POOL:
        return parse_limit(state, "pool", text, UINT64_MAX >> 1, &options->pool);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tool_q226513(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Sends FILE as one print job through srv_nt4, which never cleans up the packet of a completed write as "
               "NT 4.0's Server Service did not (KB Q226513), and through npjob, and prints what each still holds."
               "\v`copy` writes 64 KiB at a time. `print` writes its buffer: 512 bytes, the default of the switch /B "
               "of MS-DOS's PRINT (512 to 16384).\n\n" TOOL_EXIT_DOC};
    leak_options options = {.print_bytes = PRINT_BYTES, .pool = DEFAULT_POOL};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return TOOL_USAGE;
    return run(&options);
}
