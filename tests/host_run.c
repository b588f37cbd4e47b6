/* SPDX-License-Identifier: MIT */
/* A job through the commands of a provider. */
#include "host_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char *in_folder(const struct rig *r, const char *line)
{
    char *text = calloc(1, 4096);
    size_t length = 0;
    for (; *line != '\0'; line++)
        if (*line == '@' && line[1] == '/')
            length += (size_t)snprintf(text + length, 4096 - length, "%s", r->folder);
        else
            text[length++] = *line;
    return text;
}

void run_prepare(struct run *run)
{
    char wrong[NPJP_WRONG_MAX];
    run->r = rig_start(NULL);
    char *add = in_folder(run->r, run->add != NULL ? run->add : ADD);
    char *schedule = in_folder(run->r, run->schedule != NULL ? run->schedule : SCHEDULE);
    char *abandon = in_folder(run->r, run->abandon != NULL ? run->abandon : ABANDON);
    const npjp_commands_config config = {.add_job = add,
                                         .schedule_job = schedule,
                                         .abandon_job = abandon,
                                         .timeout = run->timeout,
                                         .mem = npjt_counting_mem(&run->r->pool)};
    cr_assert_eq(npjp_commands_new(&config, &run->commands, wrong), NPJ_STATUS_SUCCESS, "%s", wrong);
    free(add);
    free(schedule);
    free(abandon);
    reader_listen(run->r, STREAM);
}

npjp_job_options run_options(struct run *run)
{
    npjp_job_options options = job_options(&run->s);
    options.provider = npjp_commands_calls();
    options.provider_user = run->commands;
    options.printer = "laser";
    options.name = "a job";
    return options;
}

void run_start(struct run *run)
{
    run_prepare(run);
    job_start(run->r, &run->s, run_options(run));
    npjp_commands_free(&run->commands);
    cr_assert_null(run->commands);
}

void run_end(struct run *run)
{
    npjp_commands_free(&run->commands);
    rig_end(run->r);
}

char *run_file(const struct rig *r, const char *name)
{
    static char text[8192];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", r->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[count > 0 ? count : 0] = '\0';
    return text;
}

bool run_has_file(const struct rig *r, const char *name)
{
    return run_file(r, name)[0] != '\0';
}

bool has_pid(struct seen *s)
{
    const char *text = run_file(s->rig, "pid");
    return strchr(text, '\n') != NULL;
}

pid_t pid_of(const struct rig *r)
{
    const long pid = strtol(run_file(r, "pid"), NULL, 10);
    cr_assert_gt(pid, 0, "nobody has written its number");
    return (pid_t)pid;
}

bool is_gone(pid_t pid)
{
    char path[64];
    char text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count > 0 ? count : 0] = '\0';
    const char *state = strrchr(text, ')');
    return count <= 0 || (state != NULL && state[2] == 'Z');
}

bool pid_is_gone(struct seen *s)
{
    return is_gone(pid_of(s->rig));
}

bool add_is_answered(struct seen *s)
{
    return reply_to(s, NPJ_REQUEST_ADD, TAG_ADD) != NULL;
}

uint64_t ms_since(uint64_t begun)
{
    return (uv_hrtime() - begun) / 1000000;
}

void run_print(struct run *run)
{
    must_write(&run->s, TAG_WRITE, "to be printed", 13, NPJ_COPY);
    cr_assert_eq(npjp_job_close(run->s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
}
