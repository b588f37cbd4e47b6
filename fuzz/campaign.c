/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fuzz_campaign in_memory;
static struct fuzz_campaign *counters;

/* A fork server's child inherits the mapping of its parent, and must not count into it. */
static void forget(void)
{
    counters = NULL;
}

static struct fuzz_campaign *map_file(const char *prefix)
{
    static bool forgets;
    errno = forgets ? 0 : pthread_atfork(NULL, NULL, forget);
    forgets = errno == 0;
    if (!forgets)
        return NULL;
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s.%ld", prefix, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return NULL;
    void *mapped = MAP_FAILED;
    /* With its blocks: what a full disk has no room for would end the program when it counts. */
    errno = posix_fallocate(file, 0, (off_t)sizeof(struct fuzz_campaign));
    if (errno == 0)
        mapped = mmap(NULL, sizeof(struct fuzz_campaign), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return mapped == MAP_FAILED ? NULL : mapped;
}

struct fuzz_campaign *fuzz_campaign(void)
{
    if (counters)
        return counters;
    counters = &in_memory;
    const char *prefix = getenv("NPJOB_CAMPAIGN_STATS");
    if (prefix && *prefix) {
        struct fuzz_campaign *mapped = map_file(prefix);
        if (mapped)
            counters = mapped;
        else
            fprintf(stderr, "fuzz: %s.%ld: %s; counting in memory\n", prefix, (long)getpid(), strerror(errno));
    }
    return counters;
}
