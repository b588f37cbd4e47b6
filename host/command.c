/* SPDX-License-Identifier: MIT */
/*
 * One run of a command.
 *
 * It lives until its process has been reaped and every handle of libuv is closed. Its outputs are read as they come, so
 * that it need not wait, and once more when it has exited; but their end is not waited for, as a process that it has
 * left in the background may hold them open for ever.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILL_AFTER_MS = 1000, TRY_AGAIN_MS = 100, READ_AT_ONCE = 4096, LAST_READS = 16 };

/* Later than this no loop that runs finds that a command's time has passed: it has stood still. */
enum { STOOD_STILL_MS = 200 };

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---------------------------------------------------------------------------------------------- what it says */

static void hear_output(npjpi_command *command, const char *bytes, size_t length)
{
    if (length > sizeof command->output - command->output_length) {
        command->overflowed = true;
        npjpi_command_stop(command, NPJPI_STOPPED_OUTPUT);
        return;
    }
    memcpy(command->output + command->output_length, bytes, length);
    command->output_length += length;
}

static void end_line(npjpi_command *command)
{
    if (command->line_length == 0)
        return;
    memcpy(command->said, command->line, command->line_length);
    command->said_length = command->line_length;
    command->line_length = 0;
}

static void hear_error(npjpi_command *command, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] == '\n')
            end_line(command);
        else if (command->line_length < sizeof command->line)
            command->line[command->line_length++] = bytes[i];
}

/* Reads once. Returns the count, 0 at the end or after an error, -1 if there is nothing now. */
static ssize_t listen_once(npjpi_command *command, const npjpi_listener *listener)
{
    char bytes[READ_AT_ONCE];
    ssize_t count;
    do {
        count = read(listener->fd, bytes, sizeof bytes);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return errno == EAGAIN ? -1 : 0;
    if (listener == &command->out)
        hear_output(command, bytes, (size_t)count);
    else
        hear_error(command, bytes, (size_t)count);
    return count;
}

/* A pipe holds no more than that; one that is written to from the background has no end. */
static void listen_to_the_rest(npjpi_command *command, const npjpi_listener *listener)
{
    for (int i = 0; i < LAST_READS && listener->fd >= 0; i++)
        if (listen_once(command, listener) <= 0)
            return;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    npjpi_command *command = handle->data;
    const npjpi_listener *listener = handle == &command->out.handle ? &command->out : &command->err;
    if (listen_once(command, listener) == 0)
        uv_poll_stop(handle);
}

/* ---------------------------------------------------------------------------------------------- its end */

static void on_try_again(uv_timer_t *timer);

static void try_later(npjpi_command *command)
{
    uv_timer_start(&command->timer, on_try_again, TRY_AGAIN_MS, 0);
}

/* While it waits to be tried again, only a process that could not be started is closed. */
static void on_closed(uv_handle_t *handle)
{
    npjpi_command *command = handle->data;
    command->handles--;
    if (command->handles == 0) {
        command->running = false;
        command->ended(command);
    } else if (command->waiting) {
        try_later(command);
    }
}

static void stop_listening(npjpi_listener *listener)
{
    if (listener->watched)
        uv_close((uv_handle_t *)&listener->handle, on_closed);
    if (listener->fd >= 0)
        close(listener->fd);
    listener->watched = false;
    listener->fd = -1;
}

static void end(npjpi_command *command)
{
    stop_listening(&command->out);
    stop_listening(&command->err);
    uv_close((uv_handle_t *)&command->timer, on_closed);
}

static void signal_group(const npjpi_command *command, int number)
{
    (void)kill(-command->process.pid, number);
}

/* The process is reaped; its group is gone with it, unless it has left somebody in the background. */
static void on_exit(uv_process_t *process, int64_t exit_status, int number)
{
    npjpi_command *command = process->data;
    command->alive = false;
    command->exit_code = (int)exit_status;
    command->signal = number;
    listen_to_the_rest(command, &command->out);
    listen_to_the_rest(command, &command->err);
    end_line(command);
    if (command->stopped != NPJPI_NOT_STOPPED)
        signal_group(command, SIGKILL);
    uv_close((uv_handle_t *)process, on_closed);
    end(command);
}

static void on_still_there(uv_timer_t *timer)
{
    signal_group(timer->data, SIGKILL);
}

/* It is not reaped, as its end is still to be heard of. */
static bool has_exited(const npjpi_command *command)
{
    siginfo_t found = {0};
    return waitid(P_PID, (id_t)command->process.pid, &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid != 0;
}

/* The loop may have stood still: one that exited meanwhile was in time, and what it has left running stays; another may
 * have waited for us to read what it says, and has, once, a little longer. */
static void on_time_passed(uv_timer_t *timer)
{
    npjpi_command *command = timer->data;
    bool stood_still = command->due > 0 && now_ms() > command->due + STOOD_STILL_MS;
    command->due = 0;
    if (has_exited(command))
        return;
    if (stood_still)
        uv_timer_start(timer, on_time_passed, STOOD_STILL_MS, 0);
    else
        npjpi_command_stop(command, NPJPI_STOPPED_TIME);
}

void npjpi_command_stop(npjpi_command *command, npjpi_stop why)
{
    if (!command->running || command->stopped != NPJPI_NOT_STOPPED)
        return;
    command->stopped = why;
    if (command->alive) {
        signal_group(command, SIGTERM);
        uv_update_time(command->loop); /* its time counts from now, however long the loop has been busy */
        uv_timer_start(&command->timer, on_still_there, KILL_AFTER_MS, 0);
    } else if (command->waiting) {
        command->waiting = false;
        end(command);
    }
}

void npjpi_command_kill(npjpi_command *command)
{
    npjpi_command_stop(command, NPJPI_STOPPED_CANCEL);
    if (command->alive)
        signal_group(command, SIGKILL);
    stop_listening(&command->out);
    stop_listening(&command->err);
}

/* ---------------------------------------------------------------------------------------------- its beginning */

/* The process inherits what is not close-on-exec, and not all that this program has open is ours. */
static void hand_down_nothing(void)
{
#ifdef SYS_close_range
    const unsigned close_on_exec = 1u << 2; /* CLOSE_RANGE_CLOEXEC, which not every C library names */
    (void)syscall(SYS_close_range, 3u, ~0u, close_on_exec);
#endif
}

static int spawn(npjpi_command *command, int out, int err)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = out >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = out},
        {.flags = UV_INHERIT_FD, .data.fd = err},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = command->argv[0],
        .args = command->argv,
        .flags = UV_PROCESS_DETACHED, /* the leader of a group, so that all of it can be stopped */
        .stdio_count = 3,
        .stdio = stdio,
    };
    hand_down_nothing();
    int error = -uv_spawn(command->loop, &command->process, &options);
    command->process.data = command;
    command->handles++;
    command->alive = error == 0;
    if (error != 0)
        uv_close((uv_handle_t *)&command->process, on_closed);
    return error;
}

/* Without a watcher it is heard when the process has exited. */
static void listen_to(npjpi_command *command, npjpi_listener *listener)
{
    if (listener->fd < 0 || uv_poll_init(command->loop, &listener->handle, listener->fd) != 0)
        return;
    listener->watched = true;
    listener->handle.data = command;
    command->handles++;
    uv_poll_start(&listener->handle, UV_READABLE, on_readable);
}

/* A pipe whose reading end is ours, and does not wait. */
static int open_output(npjpi_listener *listener, int *theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    listener->fd = ends[0];
    *theirs = ends[1];
    return 0;
}

static int open_and_spawn(npjpi_command *command)
{
    int out = -1;
    int err = -1;
    int error = open_output(&command->err, &err);
    if (error == 0 && command->listened_to)
        error = open_output(&command->out, &out);
    if (error == 0)
        error = spawn(command, out, err);
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return error;
}

bool npjpi_command_no_room(int error)
{
    return error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM;
}

static bool has_time(const npjpi_command *command)
{
    return command->timeout == NPJ_NEVER || now_ms() - command->started < command->timeout;
}

static void try_start(npjpi_command *command)
{
    command->waiting = false;
    command->error = open_and_spawn(command);
    uv_update_time(command->loop); /* time counts from now, however long the loop has been busy */
    if (command->error == 0) {
        listen_to(command, &command->out);
        listen_to(command, &command->err);
        command->due = now_ms() + command->timeout;
        if (command->timeout != NPJ_NEVER)
            uv_timer_start(&command->timer, on_time_passed, command->timeout, 0);
        return;
    }
    stop_listening(&command->out);
    stop_listening(&command->err);
    command->waiting = npjpi_command_no_room(command->error) && has_time(command);
    if (!command->waiting)
        end(command);
    else if (command->handles == 1) /* that of the timer; else that of the process is not closed yet: on_closed() */
        try_later(command);
}

static void on_try_again(uv_timer_t *timer)
{
    try_start(timer->data);
}

void npjpi_command_start(npjpi_command *command)
{
    command->stopped = NPJPI_NOT_STOPPED;
    command->error = command->signal = command->exit_code = 0;
    command->overflowed = false;
    command->output_length = command->said_length = command->line_length = 0;
    command->out.fd = command->err.fd = -1;
    command->running = true;
    command->started = now_ms();
    uv_timer_init(command->loop, &command->timer);
    command->timer.data = command;
    command->handles = 1;
    try_start(command);
}
