/* SPDX-License-Identifier: MIT */
/*
 * AFL++'s persistent mode without the fork server in its middle. As it comes, a target stops itself behind each input
 * (raise(SIGSTOP)); its parent, the fork server, sees that, tells afl-fuzz, and wakes the target when the next is
 * there: four switches of process an input, which is more than a short tape takes. Here the target itself tells
 * afl-fuzz, and waits for the next; the fork server is left with the first start, and with a target that has died.
 *
 * raise(), fork() and waitpid() of AFL++'s runtime are wrapped (--wrap, a linker's option), so that all else stays its
 * own.
 *
 * afl-fuzz must kill what takes too long by SIGTERM (AFL_KILL_SIGNAL=15), or nothing changes: SIGTERM can be put off
 * where an input has just been answered, and SIGKILL would have the fork server answer it a second time, and every
 * answer behind it be taken for that of another input.
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    CONTROL = 198, /* where afl-fuzz asks the fork server for the next run: 1 if it has killed the one before */
    STATUS = 199   /* and where it reads of each the target's process, and how waitpid() saw it end */
};

int __real_raise(int number);
pid_t __real_fork(void);
pid_t __real_waitpid(pid_t process, int *status, int options);
int __wrap_raise(int number);
pid_t __wrap_fork(void);
pid_t __wrap_waitpid(pid_t process, int *status, int options);

static struct {
    bool direct;         /* in the target: it speaks to afl-fuzz itself */
    int control, status; /* the target's own ends of the two, as the runtime closes those */
    int begun[2];        /* a pipe: the fork server closes it when the target may speak, which is not before that has */
    int32_t process;     /* the target's own */
} line = {.begun = {-1, -1}};

static volatile sig_atomic_t answered; /* the input; the next is not there yet */
static volatile sig_atomic_t killed;   /* since then */

static void close_begun(int end)
{
    if (line.begun[end] >= 0)
        (void)close(line.begun[end]);
    line.begun[end] = -1;
}

static bool prepare(void)
{
    const char *number = getenv("AFL_KILL_SIGNAL");
    if (number == NULL || strcmp(number, "15") != 0 || pipe(line.begun) != 0)
        return false;
    line.control = dup(CONTROL);
    line.status = dup(STATUS);
    return line.control >= 0 && line.status >= 0;
}

pid_t __wrap_fork(void)
{
    bool direct = prepare();
    pid_t process = __real_fork();
    if (process == 0) {
        line.direct = direct;
        close_begun(1);
        return 0;
    }
    close_begun(0);
    if (direct) {
        (void)close(line.control);
        (void)close(line.status);
    }
    return process;
}

pid_t __wrap_waitpid(pid_t process, int *status, int options)
{
    close_begun(1);
    return __real_waitpid(process, status, options);
}

static int32_t take(void)
{
    int32_t word;
    if (read(line.control, &word, sizeof word) != (ssize_t)sizeof word)
        _exit(0);
    return word;
}

/* SIGTERM, which is put off between an answer and the next input. (To block it there would be two calls of the system
 * an input, a hundredth of a tape's time.) */
static void on_kill(int number)
{
    killed = answered;
    if (answered)
        return;
    (void)signal(number, SIG_DFL);
    (void)__real_raise(number);
}

/* The first input is done: the runtime has set what SIGTERM does. The fork server may not have spoken yet. */
static void begin(void)
{
    const struct sigaction action = {.sa_handler = on_kill, .sa_flags = SA_RESTART};
    char none;
    (void)read(line.begun[0], &none, 1);
    close_begun(0);
    line.process = (int32_t)getpid();
    (void)sigaction(SIGTERM, &action, NULL);
}

/*
 * The input is done: says so, and returns when the next is there. Which process will run that is said in the same go,
 * as nothing ends this one in between, and afl-fuzz waits once an input, not twice.
 *
 * A kill that came too late for its input may hide a second one, for the input that is there now: signals are not
 * counted. If that one hung, afl-fuzz would wait for ever. So the process ends instead, by which it is answered: as
 * overdue, if there was a second kill, or as one that does nothing new.
 */
static void next_input(void)
{
    if (line.begun[0] >= 0)
        begin();
    const int32_t words[] = {SIGSTOP << 8 | 0x7f /* as waitpid() would have it */, line.process};
    answered = 1;
    if (write(line.status, words, sizeof words) != (ssize_t)sizeof words)
        _exit(0); /* afl-fuzz has ended */
    if (take() != 0)
        _exit(0);
    answered = 0;
    if (killed)
        on_kill(SIGTERM);
}

int __wrap_raise(int number)
{
    if (number != SIGSTOP || !line.direct)
        return __real_raise(number);
    next_input();
    return 0;
}
