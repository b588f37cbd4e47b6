/* SPDX-License-Identifier: MIT */
/* The configuration as it is on the disk. */
#include "load.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Reads one byte more than may be, so that a file that is too long is told by the parser. */
static char *read_file(const char *path, size_t *length, char *wrong)
{
    enum { ROOM = SETTINGS_TEXT_MAX + 1 };
    FILE *in = fopen(path, "re");
    char *text = in != NULL ? malloc(ROOM) : NULL;
    if (text == NULL) {
        snprintf(wrong, LOAD_WRONG, "%.256s: %s", path, strerror(errno));
        if (in != NULL)
            fclose(in);
        return NULL;
    }
    errno = 0;
    *length = fread(text, 1, ROOM, in);
    if (ferror(in) != 0) {
        snprintf(wrong, LOAD_WRONG, "%.256s: %s", path, strerror(errno != 0 ? errno : EIO));
        free(text);
        text = NULL;
    }
    fclose(in);
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
        snprintf(wrong, LOAD_WRONG, "%.256s: the \"metrics file\" is this file", path);
        settings_free(made);
        return NULL;
    }
    if (!look_up(made->smbd_user, &found)) {
        snprintf(wrong, LOAD_WRONG, "%.256s: smbd user: there is no user \"%s\"", path, made->smbd_user);
        settings_free(made);
        return NULL;
    }
    if (smbd != NULL)
        *smbd = found;
    return made;
}
