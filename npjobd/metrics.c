/* SPDX-License-Identifier: MIT */
/* The metrics file. It is small and stays on the machine: it is written at once, in the loop. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define BESIDE ".XXXXXX"

struct metrics {
    uv_timer_t timer;
    char *path;
    char *beside; /* what is written to, until it is whole */
    metrics_tell tell;
    void *user;
    bool in_trouble; /* and that has been said */
    bool in_place;   /* what stands there is ours */
};

/* 0, or what went wrong. The descriptor is used up. */
static int write_to(const metrics *self, int fd)
{
    (void)fchmod(fd, 0644); /* whoever reads it is another user, whatever our umask */
    FILE *out = fdopen(fd, "w");
    if (out == NULL) {
        int error = errno;
        close(fd);
        return error;
    }
    errno = 0;
    self->tell(self->user, out);
    int error = ferror(out) == 0 ? 0 : errno != 0 ? errno : EIO;
    if (fclose(out) != 0 && error == 0)
        error = errno;
    return error;
}

/* Somebody's socket or device, which is neither replaced nor removed. */
static bool is_no_file(const char *path)
{
    struct stat there;
    return lstat(path, &there) == 0 && !S_ISREG(there.st_mode);
}

/* NULL, or what went wrong. */
static const char *put_in_place(const metrics *self)
{
    if (is_no_file(self->path))
        return "it is there, and no regular file";
    return rename(self->beside, self->path) == 0 ? NULL : strerror(errno);
}

/* Whole or not at all: NULL, or what went wrong. It is written to a new file of its own, whatever else stands there. */
static const char *replace(const metrics *self)
{
    memcpy(self->beside + strlen(self->path), BESIDE, sizeof BESIDE);
    int fd = mkostemp(self->beside, O_CLOEXEC);
    if (fd < 0)
        return strerror(errno);
    int error = write_to(self, fd);
    const char *wrong = error != 0 ? strerror(error) : put_in_place(self);
    if (wrong != NULL)
        (void)unlink(self->beside);
    return wrong;
}

static void write_now(metrics *self)
{
    const char *wrong = replace(self);
    if (wrong != NULL) {
        if (!self->in_trouble)
            log_line(LOG_WARNING, "metrics: cannot write %s: %s", self->path, wrong);
    } else if (self->in_trouble) {
        log_line(LOG_NOTICE, "metrics: %s is written again", self->path);
    }
    self->in_trouble = wrong != NULL;
    self->in_place = self->in_place || wrong == NULL;
}

static void on_time(uv_timer_t *timer)
{
    write_now(timer->data);
}

metrics *metrics_open(uv_loop_t *loop, const char *path, uint64_t interval, metrics_tell tell, void *user)
{
    metrics *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->tell = tell;
    self->user = user;
    self->path = strdup(path);
    if (self->path == NULL || asprintf(&self->beside, "%s" BESIDE, path) < 0) {
        free(self->path);
        free(self);
        return NULL;
    }
    uv_timer_init(loop, &self->timer);
    self->timer.data = self;
    metrics_every(self, interval);
    return self;
}

void metrics_every(metrics *self, uint64_t interval)
{
    uv_timer_start(&self->timer, on_time, 0, interval);
}

static void on_closed(uv_handle_t *handle)
{
    metrics *self = handle->data;
    free(self->path);
    free(self->beside);
    free(self);
}

void metrics_close(metrics *self, bool keep)
{
    write_now(self);
    if (!keep && self->in_place && !is_no_file(self->path))
        (void)unlink(self->path);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
