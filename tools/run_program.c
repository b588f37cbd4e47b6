/* SPDX-License-Identifier: MIT */
/* Other programs. */
#define _GNU_SOURCE
#include "run_program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

bool prepare_output(const char *command, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fclose(file) != 0) {
        tool_complain(command, "%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

/* The input goes through a file without a name: a pipe would need care against a program that stops reading. */
static FILE *prepare_input(const char *command, program_input input, const void *user)
{
    FILE *file = tmpfile();
    if (file == NULL) {
        tool_complain(command, "no temporary file: %s", strerror(errno));
        return NULL;
    }
    input(file, user);
    if (fflush(file) != 0 || ferror(file) || fseek(file, 0, SEEK_SET) != 0) {
        tool_complain(command, "temporary file: %s", strerror(errno));
        fclose(file);
        return NULL;
    }
    return file;
}

static bool wait_for(const char *command, const char *program, pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            tool_complain(command, "%s: %s", program, strerror(errno));
            return false;
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        tool_complain(command, "%s was ended by signal %d", program, WTERMSIG(status));
    else
        tool_complain(command, "%s failed with exit code %d", program, WEXITSTATUS(status));
    return false;
}

bool run_program(const char *command, char *const argv[], const char *package, program_input input, const void *user)
{
    FILE *file = prepare_input(command, input, user);
    if (file == NULL)
        return false;

    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(file), STDIN_FILENO);
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    fclose(file);

    if (error == ENOENT)
        tool_complain(command, "%s is needed and not there (Debian: %s)", argv[0], package);
    else if (error != 0)
        tool_complain(command, "%s: %s", argv[0], strerror(error));
    return error == 0 && wait_for(command, argv[0], pid);
}
