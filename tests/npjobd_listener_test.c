/* SPDX-License-Identifier: MIT */
/* A socket in a folder whose owner is not to be trusted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "listener.h"

enum { NOBODY = 65534 };

/* What takes the socket's place as soon as it is there; NULL: nothing does. */
static const char *instead;

/* In place of the C library's: it is called when the socket was bound, and before it is given to anybody. */
mode_t umask(mode_t mask)
{
    if (instead != NULL && access("socket", F_OK) == 0)
        (void)rename(instead, "socket");
    return (mode_t)syscall(SYS_umask, mask);
}

static void on_accepted(void *user, int fd)
{
    (void)user;
    close(fd);
}

static void on_exhausted(void *user, int error)
{
    (void)user;
    (void)error;
}

/* Whether a socket is opened in a new folder, for NOBODY. @p there receives what is in its place then. */
static bool opens(const char *taken_by, struct stat *there)
{
    static const listener_calls calls = {.accepted = on_accepted, .exhausted = on_exhausted};
    const char *place = getenv("TMPDIR");
    char folder[4096];
    char why[256] = "";
    uv_loop_t loop;
    snprintf(folder, sizeof folder, "%s/npjobd_listener.XXXXXX", place != NULL ? place : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    fclose(fopen("file", "w"));
    instead = taken_by;
    uv_loop_init(&loop);
    listener *made = listener_open(&loop, "socket", NOBODY, &calls, NULL, why, sizeof why);
    cr_assert_eq(lstat("socket", there), 0, "%s", why);
    if (made != NULL)
        listener_close(made);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    unlink("file");
    unlink("socket");
    rmdir(folder);
    return made != NULL;
}

Test(npjobd_listener, the_socket_is_given_away)
{
    struct stat there;
    cr_assert(opens(NULL, &there));
    cr_assert(S_ISSOCK(there.st_mode));
    cr_assert_eq(there.st_uid, geteuid() == 0 ? NOBODY : geteuid());
}

Test(npjobd_listener, another_file_in_its_place_is_not)
{
    struct stat there;
    cr_assert_not(opens("file", &there));
    cr_assert(S_ISREG(there.st_mode));
    cr_assert_eq(there.st_uid, geteuid());
}
