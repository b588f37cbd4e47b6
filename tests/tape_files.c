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

static void read_file(const char *folder, const char *name, struct tape_file *out)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (strlen(name) >= sizeof out->name)
        give_up(path, "the name is too long");
    memcpy(out->name, name, strlen(name) + 1);
    FILE *file = fopen(path, "rb");
    if (!file)
        give_up(path, strerror(errno));
    out->size = fread(out->bytes, 1, sizeof out->bytes, file);
    if (ferror(file))
        give_up(path, strerror(errno));
    (void)fclose(file);
}

struct tape_file *tape_files(const char *folder, size_t *count)
{
    struct tape_file *files = NULL;
    DIR *directory = opendir(folder);
    if (!directory)
        give_up(folder, strerror(errno));
    *count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        struct tape_file *more = realloc(files, (*count + 1) * sizeof *files);
        if (!more)
            give_up(folder, "out of memory");
        files = more;
        read_file(folder, entry->d_name, &files[(*count)++]);
    }
    (void)closedir(directory);
    if (*count == 0)
        give_up(folder, "there is no tape in it");
    qsort(files, *count, sizeof *files, by_name);
    return files;
}
