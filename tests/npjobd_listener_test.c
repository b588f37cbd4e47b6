/* SPDX-License-Identifier: MIT */
/* A socket in a folder whose owner is not to be trusted. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    return address;
}

/* How the socket in this folder was when it was looked at. */
static enum { NO_MATTER, LOOKS, LOCKED_AND_OPEN, UNLOCKED, CLOSED } looked_at;

static void look_beside(void)
{
    struct sockaddr_un address = address_of("socket");
    int folder = open(".", O_RDONLY | O_DIRECTORY), client = socket(AF_UNIX, SOCK_STREAM, 0);
    looked_at = LOCKED_AND_OPEN;
    if (flock(folder, LOCK_EX | LOCK_NB) == 0)
        looked_at = UNLOCKED;
    else if (connect(client, (struct sockaddr *)&address, sizeof address) != 0)
        looked_at = CLOSED;
    close(folder);
    close(client);
}

/* Whether the folder "np" leads to "victim" once the socket in it has been looked at. */
static bool led_elsewhere;

int fstatat(int folder, const char *name, struct stat *there, int flags)
{
    int result = (int)syscall(SYS_newfstatat, folder, name, there, flags);
    if (looked_at == LOOKS)
        look_beside();
    if (led_elsewhere) {
        (void)rename("np", "np.real");
        (void)symlink("victim", "np");
    }
    led_elsewhere = false;
    return result;
}

/* How often nothing is accepted any more, and how often something was. */
static int refusals, accepted;

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
    if (refusals > 0) {
        refusals--;
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_accept4, fd, address.__sockaddr__, length, flags);
}

static void on_accepted(void *user, int fd)
{
    accepted++;
    if (user != NULL)
        uv_stop(user);
    close(fd);
}

static void on_exhausted(void *user, int error)
{
    (void)user;
    (void)error;
}

static const listener_calls calls = {.accepted = on_accepted, .exhausted = on_exhausted};

static void enter_new_folder(char folder[4096])
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, 4096, "%s/npjobd_listener.XXXXXX", place != NULL ? place : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

/* Whether a socket is opened in a new folder, for NOBODY. @p there receives what is in its place then. */
static bool opens(const char *taken_by, struct stat *there)
{
    char folder[4096];
    char why[256] = "";
    uv_loop_t loop;
    enter_new_folder(folder);
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

static int connect_to(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

/* How many lines are in a file. */
static int lines_of(const char *path)
{
    FILE *file = fopen(path, "r");
    int lines = 0;
    for (int c = getc(file); c != EOF; c = getc(file))
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* It is left alone meanwhile: each look is one more try. That is said once. */
Test(npjobd_listener, a_socket_in_trouble_is_looked_at_again)
{
    char folder[4096], why[256] = "";
    uv_loop_t loop;
    uv_loop_init(&loop);
    enter_new_folder(folder);
    listener *made = listener_open(&loop, "socket", geteuid(), &calls, &loop, why, sizeof why);
    cr_assert_not_null(made, "%s", why);
    cr_assert_not_null(freopen("said", "w", stderr));
    int client = connect_to("socket");
    refusals = 3;
    for (int turn = 0; turn < 100 && refusals == 3; turn++)
        uv_run(&loop, UV_RUN_NOWAIT);
    for (int turn = 0; turn < 100; turn++)
        uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_eq(refusals, 2);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(refusals, 0);
    cr_assert_eq(accepted, 1);
    cr_assert_eq(lines_of("said"), 1);
    listener_close(made);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    cr_assert_eq(close(client) | unlink("said") | rmdir(folder), 0);
}

static void leave_stale_socket(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Root's files are not smbd's user's to remove. */
Test(npjobd_listener, what_is_removed_is_in_the_folder_that_was_looked_at)
{
    char folder[4096], why[256] = "";
    uv_loop_t loop;
    uv_loop_init(&loop);
    enter_new_folder(folder);
    cr_assert_eq(mkdir("np", 0700) | mkdir("victim", 0700), 0);
    fclose(fopen("victim/socket", "w"));

    leave_stale_socket("np/socket");
    led_elsewhere = true;
    cr_assert_null(listener_open(&loop, "np/socket", NOBODY, &calls, NULL, why, sizeof why));
    cr_assert(is_there("victim/socket") && !is_there("np.real/socket"), "%s", why);

    cr_assert_eq(unlink("np") | rename("np.real", "np"), 0);
    listener *made = listener_open(&loop, "np/socket", NOBODY, &calls, NULL, why, sizeof why);
    cr_assert_not_null(made, "%s", why);
    led_elsewhere = true;
    listener_close(made);
    cr_assert(is_there("victim/socket") && !is_there("np.real/socket"));

    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    cr_assert_eq(unlink("np") | unlink("victim/socket") | rmdir("np.real") | rmdir("victim") | rmdir(folder), 0);
}

/* Another npjobd that starts just then finds a socket that is in use, or waits: it would else find a stale one, and
 * have its own removed. */
Test(npjobd_listener, it_is_removed_under_the_lock_and_before_it_is_closed)
{
    char folder[4096], why[256] = "";
    uv_loop_t loop;
    uv_loop_init(&loop);
    enter_new_folder(folder);
    listener *made = listener_open(&loop, "socket", geteuid(), &calls, NULL, why, sizeof why);
    cr_assert_not_null(made, "%s", why);
    looked_at = LOOKS;
    listener_close(made);
    cr_assert_eq(looked_at, LOCKED_AND_OPEN);
    cr_assert(!is_there("socket"));
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    cr_assert_eq(rmdir(folder), 0);
}
