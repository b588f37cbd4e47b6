/* SPDX-License-Identifier: MIT */
/* Other programs. */
#define _GNU_SOURCE
#include "run_program.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

/* Input and output go through files without a name: pipes would need care against a program that stops reading. */
static FILE *temporary_file(const char *command)
{
    FILE *file = tmpfile();
    if (file == NULL)
        tool_complain(command, "no temporary file: %s", strerror(errno));
    return file;
}

static FILE *prepare_input(const char *command, program_input input, const void *user)
{
    FILE *file = temporary_file(command);
    if (file == NULL)
        return NULL;
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

static bool spawn(const char *command, char *const argv[], const char *package, FILE *in, FILE *out)
{
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        tool_complain(command, "%s is needed and not there (Debian: %s)", argv[0], package);
    else if (error != 0)
        tool_complain(command, "%s: %s", argv[0], strerror(error));
    return error == 0 && wait_for(command, argv[0], pid);
}

/* @return whether all of @p from has gone into @p path, and was something. */
static bool copy_into(const char *command, const char *program, FILE *from, const char *path)
{
    char bytes[65536];
    struct stat what;
    if (fstat(fileno(from), &what) == 0 && what.st_size == 0) {
        tool_complain(command, "%s has drawn nothing", program);
        return false;
    }
    FILE *to = fopen(path, "wb");
    bool good = to != NULL && fseek(from, 0, SEEK_SET) == 0;
    while (good && !feof(from)) {
        size_t count = fread(bytes, 1, sizeof bytes, from);
        good = !ferror(from) && fwrite(bytes, 1, count, to) == count;
    }
    if (to != NULL && fclose(to) != 0)
        good = false;
    if (!good) {
        tool_complain(command, "%s: %s", path, strerror(errno));
        if (to != NULL)
            tool_discard(path);
    }
    return good;
}

bool run_program(const char *command, char *const argv[], const char *package, program_input input, const void *user,
                 const char *path)
{
    FILE *in = prepare_input(command, input, user);
    FILE *out = in != NULL ? temporary_file(command) : NULL;
    bool good = out != NULL && spawn(command, argv, package, in, out) && copy_into(command, argv[0], out, path);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
    return good;
}
