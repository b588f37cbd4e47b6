/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "tape_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tape_file *)a)->name, ((const struct tape_file *)b)->name);
}

static size_t read_file(const char *path, void *out, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        give_up(path, strerror(errno));
    size_t size = fread(out, 1, capacity, file);
    if (ferror(file))
        give_up(path, strerror(errno));
    (void)fclose(file);
    return size;
}

size_t tape_of_bytes(const char *path, uint8_t tape[NPJT_TAPE_MAX])
{
    return read_file(path, tape, NPJT_TAPE_MAX);
}

size_t tape_of_text(const char *path, uint8_t tape[NPJT_TAPE_MAX])
{
    static char text[1 << 20];
    npjt_text_error error;
    size_t length = read_file(path, text, sizeof text), size = 0;
    if (length == sizeof text)
        give_up(path, "the text is too long");
    if (!npjt_tape_parse(text, length, tape, NPJT_TAPE_MAX, &size, &error)) {
        (void)fprintf(stderr, "%s:%u:%u: %s\n", path, (unsigned)error.line, (unsigned)error.column, error.message);
        exit(2);
    }
    return size;
}

static bool is_text(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && strcmp(dot, ".tape") == 0;
}

static void read_tape(const char *folder, const char *name, struct tape_file *out)
{
    char path[4096];
    size_t length = is_text(name) ? strlen(name) - strlen(".tape") : strlen(name);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length >= sizeof out->name)
        give_up(path, "the name is too long");
    memcpy(out->name, name, length);
    out->name[length] = '\0';
    out->size = is_text(name) ? tape_of_text(path, out->bytes) : tape_of_bytes(path, out->bytes);
}

struct tape_file *tape_files(const char *folder, size_t *count)
{
    struct tape_file *files = NULL;
    DIR *directory = opendir(folder);
    if (!directory)
        give_up(folder, strerror(errno));
    *count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "meson.build") == 0)
            continue;
        struct tape_file *more = realloc(files, (*count + 1) * sizeof *files);
        if (!more)
            give_up(folder, "out of memory");
        files = more;
        read_tape(folder, entry->d_name, &files[(*count)++]);
    }
    (void)closedir(directory);
    if (*count == 0)
        give_up(folder, "there is no tape in it");
    qsort(files, *count, sizeof *files, by_name);
    return files;
}
