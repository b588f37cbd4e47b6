/* SPDX-License-Identifier: MIT */
/* The control socket: who asks how is told what, and nobody stays for ever. Time passes when a test says so. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

enum { LONG = 1 << 20, PIECE = 65536, AT_ONCE = 8 };

/* How far the clock of the loop is ahead, in ms. */
static time_t ahead;

/* These two stand before those of the C library. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    const int result = (int)syscall(SYS_clock_gettime, clock, out);
    out->tv_sec += ahead / 1000;
    return result;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    static const struct timeval soon = {.tv_usec = 50000};
    if (level == SOL_SOCKET && name == SO_RCVTIMEO)
        value = &soon;
    return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
}

typedef struct rig {
    uv_loop_t loop;
    control *control;
    char folder[90];
    char path[108];
    size_t length; /* of an answer */
    int exhausted; /* errno */
    size_t descriptors;
} rig;

static size_t descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void tell(void *user, FILE *out, bool json)
{
    const rig *self = user;
    for (size_t i = 0; i < self->length; i++)
        fputc(json ? 'j' : 't', out);
}

static void on_exhausted(void *user, int error)
{
    ((rig *)user)->exhausted = error;
}

static void turn(rig *self)
{
    for (int i = 0; i < 10; i++)
        uv_run(&self->loop, UV_RUN_NOWAIT);
}

static void pass(rig *self, time_t seconds)
{
    turn(self);
    ahead += seconds * 1000;
    turn(self);
}

static rig *open_control(size_t length)
{
    static const control_calls calls = {.tell = tell, .exhausted = on_exhausted};
    rig *self = calloc(1, sizeof *self);
    const char *place = getenv("TMPDIR");
    char why[256] = "";
    cr_assert_not_null(self);
    self->length = length;
    cr_assert_eq(uv_loop_init(&self->loop), 0);
    snprintf(self->folder, sizeof self->folder, "%s/npjobd.XXXXXX",
             place != NULL && strlen(place) < 70 ? place : "/tmp");
    cr_assert_not_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/control", self->folder);
    self->control = control_open(&self->loop, self->path, &calls, self, why, sizeof why);
    cr_assert_not_null(self->control, "%s", why);
    return self;
}

/* Nobody asks any more, and nothing is left. */
static void end(rig *self)
{
    turn(self);
    cr_assert_eq(descriptors(), self->descriptors);
    if (self->control != NULL)
        control_close(self->control);
    turn(self);
    cr_assert_eq(uv_loop_close(&self->loop), 0);
    cr_assert_eq(rmdir(self->folder), 0);
    free(self);
}

static int connect_to(const rig *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, self->path, strlen(self->path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static int ask(rig *self, const char *question)
{
    const int fd = connect_to(self);
    turn(self);
    say(fd, question);
    turn(self);
    return fd;
}

/* Reads at most @most bytes of what has come. */
static size_t read_some(int fd, size_t most)
{
    static char bytes[PIECE];
    const ssize_t count = recv(fd, bytes, most, 0);
    return count > 0 ? (size_t)count : 0;
}

/* What there is until the end, which has to come: the bytes, or 0 if the last of them is no NUL. */
static size_t read_whole(rig *self, int fd)
{
    static char bytes[PIECE];
    char last = 'x';
    size_t length = 0;
    ssize_t count;
    while ((count = recv(fd, bytes, sizeof bytes, 0)) > 0 || (count < 0 && errno == EAGAIN)) {
        if (count > 0)
            last = bytes[count - 1];
        length += count > 0 ? (size_t)count : 0;
        turn(self);
    }
    close(fd);
    return last == '\0' ? length : 0;
}

static bool has_ended(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK) == 0;
}

/* Whoever asks first has libuv open what it keeps. */
static rig *begin(size_t length)
{
    rig *self = open_control(length);
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    cr_assert_eq(read_whole(self, ask(self, "status\n")), length + 1);
    self->descriptors = descriptors();
    return self;
}

/* ---------------------------------------------------------------------------------------------- what is asked */

Test(npjobd_control, a_question_is_answered)
{
    static const char *const questions[] = {"status\n", "status json\n"};
    for (int i = 0; i < 2; i++) {
        rig *self = begin(3);
        char bytes[10];
        const int fd = ask(self, questions[i]);
        cr_assert_eq(recv(fd, bytes, sizeof bytes, 0), 4);
        cr_assert_eq(memcmp(bytes, i == 0 ? "ttt" : "jjj", 4), 0);
        cr_assert(has_ended(fd));
        close(fd);
        end(self);
    }
}

Test(npjobd_control, a_question_in_parts_is_one)
{
    rig *self = begin(3);
    const int fd = ask(self, "sta");
    say(fd, "tus js");
    turn(self);
    say(fd, "on\n");
    turn(self);
    cr_assert_eq(read_whole(self, fd), 4);
    end(self);
}

Test(npjobd_control, anything_else_is_not_answered)
{
    static const char *const others[] = {"\n", "status xml\n", "status\nstatus\n", "STATUS\n",
                                         "one that is as long as there is room for"};
    rig *self = begin(3);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(read_whole(self, ask(self, others[i])), 0, "%s", others[i]);
    end(self);
}

Test(npjobd_control, who_goes_is_forgotten)
{
    rig *self = begin(LONG);
    close(connect_to(self));
    close(ask(self, "sta"));
    close(ask(self, "status\n")); /* in the middle of the answer */
    end(self);
}

/* ---------------------------------------------------------------------------------------------- how long */

Test(npjobd_control, silence_is_not_waited_for)
{
    rig *self = begin(3);
    const int fd = connect_to(self);
    pass(self, 4);
    cr_assert_not(has_ended(fd));
    pass(self, 2);
    cr_assert(has_ended(fd));
    close(fd);
    end(self);
}

/* However slowly, as long as something is read. */
Test(npjobd_control, a_slow_reader_gets_all)
{
    rig *self = begin(LONG);
    const int fd = ask(self, "status\n");
    size_t length = 0;
    while (length < LONG) {
        const size_t some = read_some(fd, PIECE);
        cr_assert_gt(some, 0);
        length += some;
        pass(self, 4);
    }
    cr_assert_eq(length + read_whole(self, fd), LONG + 1);
    end(self);
}

/* Nor does it help to have read once. */
Test(npjobd_control, a_reader_that_has_stopped_is_not_waited_for)
{
    for (int pieces = 0; pieces < 2; pieces++) {
        rig *self = begin(LONG);
        const int fd = ask(self, "status\n");
        for (int i = 0; i < pieces; i++) {
            pass(self, 4);
            cr_assert_eq(read_some(fd, PIECE), PIECE);
        }
        for (int i = 0; i < 3; i++)
            pass(self, 6);
        cr_assert_eq(read_whole(self, fd), 0, "it was waited for");
        end(self);
    }
}

Test(npjobd_control, a_late_question_leaves_as_much_time_for_its_answer)
{
    rig *self = begin(LONG);
    const int fd = connect_to(self);
    pass(self, 4);
    say(fd, "status\n");
    pass(self, 4);
    cr_assert_eq(read_whole(self, fd), LONG + 1);
    end(self);
}

/* ---------------------------------------------------------------------------------------------- how many */

Test(npjobd_control, no_more_than_a_few_at_once)
{
    rig *self = begin(3);
    int fds[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        fds[i] = ask(self, "status");
    const int one_more = connect_to(self);
    turn(self);
    cr_assert(has_ended(one_more));
    close(one_more);
    cr_assert_eq(descriptors(), self->descriptors + (size_t)2 * AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
        say(fds[i], "\n");
        cr_assert_eq(read_whole(self, fds[i]), 4);
    }
    cr_assert_eq(read_whole(self, ask(self, "status\n")), 4);
    end(self);
}

static rlim_t limit_descriptors(rlim_t limit)
{
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    const rlim_t before = now.rlim_cur;
    now.rlim_cur = limit;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

Test(npjobd_control, without_descriptors_they_wait)
{
    rig *self = begin(3);
    const int fd = connect_to(self);
    const rlim_t before = limit_descriptors(3);
    turn(self);
    cr_assert_eq(self->exhausted, EMFILE);
    limit_descriptors(before);
    say(fd, "status\n");
    turn(self);
    cr_assert_eq(read_some(fd, 1), 0, "nobody has told it to go on");
    control_resume(self->control);
    cr_assert_eq(read_whole(self, fd), 4);
    end(self);
}

/* Its memory goes with the last of those who were asking. */
Test(npjobd_control, its_end_is_that_of_those_who_ask)
{
    rig *self = begin(LONG);
    const int silent = connect_to(self);
    const int stuck = ask(self, "status\n");
    control_close(self->control);
    self->control = NULL;
    turn(self);
    cr_assert_eq(uv_loop_alive(&self->loop), 0);
    cr_assert(has_ended(silent));
    cr_assert_eq(read_whole(self, stuck), 0);
    close(silent);
    self->descriptors = descriptors();
    end(self);
}

/* ---------------------------------------------------------------------------------------------- asking */

/* Somebody listens there, and says nothing. */
Test(npjobd_control, no_answer_is_not_waited_for)
{
    rig *self = begin(3);
    char why[256] = "";
    char want[256];
    snprintf(want, sizeof want, "%s: no answer", self->path);
    cr_assert_not(control_ask(self->path, false, stdout, why, sizeof why));
    cr_assert_str_eq(why, want);
    end(self);
}
