/* SPDX-License-Identifier: MIT */
/* What the subcommands share. */
#define _GNU_SOURCE
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line, whatever a path holds. */
static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char text[8192];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *at = text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", prefix, text);
}

void tool_complain(const char *command, const char *format, ...)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, command != NULL ? "npj %s" : "npj", command);

    va_list arguments;
    va_start(arguments, format);
    print_line(prefix, format, arguments);
    va_end(arguments);
}

void tool_discard(const char *path)
{
    struct stat what;
    char *file = realpath(path, NULL); /* not a link that leads to it */
    if (file != NULL && stat(file, &what) == 0 && S_ISREG(what.st_mode))
        (void)unlink(file);
    free(file);
}

void tool_options_begin(struct argp_state *state)
{
    /* Without a stream argp adds no "Try --help" line and does not exit: the line of getopt, with argv[0], is all. */
    state->err_stream = NULL;
}

error_t tool_wrong(const struct argp_state *state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(state->argv[0], format, arguments);
    va_end(arguments);
    return EINVAL;
}

error_t tool_take_path(const struct argp_state *state, const char *name, const char *text, const char **out)
{
    if (text[0] == '\0')
        return tool_wrong(state, "%s: an empty path", name);
    *out = text;
    return 0;
}

bool tool_parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < least || value > most)
        return false;
    *out = value;
    return true;
}

bool tool_parse_bytes(const char *text, uint64_t *out)
{
    static const struct {
        const char *name;
        unsigned shift;
    } words[] = {{"", 0}, {"K", 10}, {"KiB", 10}, {"M", 20}, {"MiB", 20}, {"G", 30}, {"GiB", 30}};

    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(end, words[i].name) != 0)
            continue;
        if (value > UINT64_MAX >> words[i].shift)
            return false;
        *out = value << words[i].shift;
        return true;
    }
    return false;
}

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

const char *tool_format_size(char text[32], uint64_t bytes)
{
    size_t unit = 0;
    for (; bytes != 0 && bytes % 1024 == 0 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        bytes /= 1024;
    snprintf(text, 32, "%" PRIu64 " %s", bytes, units[unit]);
    return text;
}

const char *tool_format_bytes(char text[32], double bytes)
{
    size_t unit = 0;
    /* 1023.95 of a unit would be printed as 1024.0. */
    while (bytes >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    bool whole = bytes == (double)(uint64_t)bytes;
    snprintf(text, 32, whole ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return text;
}

const char *tool_format_status(char text[64], npj_status status)
{
    const char *name = npj_status_name(status);
    if (strchr(name, '(') != NULL)
        snprintf(text, 64, "NTSTATUS 0x%08" PRIX32, status);
    else
        snprintf(text, 64, "%s 0x%08" PRIX32, name, status);
    return text;
}
