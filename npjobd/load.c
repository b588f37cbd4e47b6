/* SPDX-License-Identifier: MIT */
/* The configuration as it is on the disk. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line, whatever the path is like. */
__attribute__((format(printf, 3, 4))) static void say(char *wrong, const char *path, const char *format, ...)
{
    int used = snprintf(wrong, LOAD_WRONG, "%.256s: ", path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wrong + used, LOAD_WRONG - (size_t)used, format, arguments);
    va_end(arguments);
    for (char *at = wrong; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "it is a folder, and no regular file"
           : S_ISFIFO(mode) ? "it is a FIFO, and no regular file"
                            : "it is a device, and no regular file";
}

/* A FIFO or a device could have the daemon wait, for ever. */
static int open_file(const char *path, char *wrong)
{
    struct stat there = {0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &there) != 0 ? errno : 0;
    if (error == 0 && S_ISREG(there.st_mode))
        return fd;
    say(wrong, path, "%s", error != 0 ? strerror(error) : kind_of(there.st_mode));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads one byte more than may be, so that a file that is too long is told by the parser. */
static char *read_file(const char *path, size_t *length, char *wrong)
{
    enum { ROOM = SETTINGS_TEXT_MAX + 1 };
    int fd = open_file(path, wrong);
    if (fd < 0)
        return NULL;
    char *text = malloc(ROOM);
    ssize_t count = -1;
    *length = 0;
    while (text != NULL && (count = read(fd, text + *length, ROOM - *length)) > 0)
        *length += (size_t)count;
    if (count < 0) {
        say(wrong, path, "%s", strerror(errno));
        free(text);
        text = NULL;
    }
    close(fd);
    return text;
}

static settings *parse_file(const char *path, char *wrong)
{
    size_t length = 0;
    settings *made = NULL;
    char *text = read_file(path, &length, wrong);
    if (text == NULL)
        return NULL;
    settings_source source = {.name = path, .text = text, .length = length};
    (void)settings_parse(&source, &made, wrong);
    free(text);
    return made;
}

/* A number needs nobody to have it: smbd may run in another container. */
static bool look_up(const char *user, uid_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(user, &end, 10);
    if (errno == 0 && user[0] >= '0' && user[0] <= '9' && *end == '\0' && (uid_t)number == number &&
        (uid_t)number != (uid_t)-1) {
        *out = (uid_t)number;
        return true;
    }
    const struct passwd *entry = getpwnam(user);
    if (entry != NULL)
        *out = entry->pw_uid;
    return entry != NULL;
}

static bool is_same_file(const char *one, const char *other)
{
    struct stat first;
    struct stat second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

settings *load_settings(const char *path, uid_t *smbd, char wrong[LOAD_WRONG])
{
    uid_t found = 0;
    settings *made = parse_file(path, wrong);
    if (made == NULL)
        return NULL;
    if (made->metrics_file != NULL && is_same_file(path, made->metrics_file)) {
        say(wrong, path, "the \"metrics file\" is this file");
        settings_free(made);
        return NULL;
    }
    if (!look_up(made->smbd_user, &found)) {
        say(wrong, path, "smbd user: there is no user \"%s\"", made->smbd_user);
        settings_free(made);
        return NULL;
    }
    if (smbd != NULL)
        *smbd = found;
    return made;
}
