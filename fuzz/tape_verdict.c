/* SPDX-License-Identifier: MIT */
/*
 * tape_verdict [OPTION...] FOLDER: plays the tapes of a folder against npjob, in the order of their names, until one
 * breaks a law; says in one line which law, which tape and which event. A crash, a sanitizer's report and an endless
 * loop are said likewise. It is how scripts/mutants asks whether the corpus notices a change.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "npjob-testkit/driver.h"
#include "tape_files.h"

enum { ALIVE = 0, KILLED = 1, WRONG_USE = 2, HANG_MS = 500 };

/* The sanitizers' own name. NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static struct {
    const char *tape;    /* being played */
    uint32_t event;      /* of that tape, the last that is over */
    uint64_t events;     /* over, of all tapes */
    const char *verdict; /* why the program dies, if it does */
    struct timespec began;
    bool said;
} now;

static double seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)(time.tv_sec - now.began.tv_sec) + (double)(time.tv_nsec - now.began.tv_nsec) / 1e9;
}

/* Once. */
static void say_killed(const char *law, uint32_t event, const char *sentence)
{
    if (now.said)
        return;
    now.said = true;
    printf("tape_verdict: killed law=%s tape=%s event=%" PRIu32 " events=%" PRIu64 " seconds=%.3f sentence=%s\n", law,
           now.tape, event, now.events + 1, seconds(), sentence);
    (void)fflush(stdout);
}

static void on_finding(void *user, const npjt_violation *finding)
{
    (void)user;
    say_killed(npjt_law_name(finding->law), finding->event, finding->sentence);
}

static void on_event(void *user, uint32_t number, const npjt_record *record, npj_status status)
{
    (void)user;
    (void)record;
    (void)status;
    now.event = number;
    now.events++;
}

static void on_death(void)
{
    say_killed(now.verdict, now.event + 1, now.verdict);
}

static sigjmp_buf dying;

static void on_signal(int number)
{
    siglongjmp(dying, number);
}

static int end_by(int number)
{
    const bool hangs = number == SIGVTALRM;
    say_killed(hangs ? "hang" : "crash", now.event + 1, hangs ? "a tape does not end" : "a signal ends the program");
    return KILLED;
}

/* With sanitizers their own handlers say more, and call us before the end. */
static void watch_death(void)
{
    now.verdict = "sanitizer";
    signal(SIGVTALRM, on_signal);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(on_death);
        return;
    }
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], on_signal);
}

/* Processor time, so that a busy machine makes no verdict. */
static void limit_time(int milliseconds)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000}};
    (void)setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int play_folder(const char *folder, const npjt_options *options)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    char path[4096];
    struct dirent **entries;
    const int count = scandir(folder, &entries, visible, alphasort);
    if (count <= 0) {
        (void)fprintf(stderr, "tape_verdict: %s: %s\n", folder,
                      count < 0 ? strerror(errno) : "there is nothing to play");
        return WRONG_USE;
    }
    npjt_driver *driver = npjt_driver_new();
    if (!driver) {
        (void)fprintf(stderr, "tape_verdict: no memory\n");
        return WRONG_USE;
    }
    for (int i = 0; i < count; i++) {
        now.tape = entries[i]->d_name;
        now.event = 0;
        (void)snprintf(path, sizeof path, "%s/%s", folder, now.tape);
        const size_t size = tape_of_bytes(path, tape);
        limit_time(HANG_MS);
        if (!npjt_driver_run(driver, &npjt_subject_npjob, tape, size, options, NULL))
            return KILLED;
    }
    limit_time(0);
    now.said = true; /* what may still come, of the harness itself, is no verdict on npjob */
    printf("tape_verdict: alive tapes=%d events=%" PRIu64 " seconds=%.3f\n", count, now.events, seconds());
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    npjt_driver_free(driver);
    return ALIVE;
}

static int play_watched(const char *folder, const npjt_options *options)
{
    watch_death();
    const int number = sigsetjmp(dying, 1);
    return number != 0 ? end_by(number) : play_folder(folder, options);
}

static unsigned law_of(const char *name)
{
    unsigned law = 0;
    while (law < NPJT_LAW_COUNT && strcmp(npjt_law_name(law), name) != 0)
        law++;
    return law;
}

static void print_help(void)
{
    printf("usage: tape_verdict [--model] [--off LAW]... FOLDER\n"
           "       tape_verdict --laws\n"
           "Plays the tapes of a folder against npjob until one breaks a law, and says which.\n\n"
           "  --model     run the reference model beside npjob\n"
           "  --off LAW   do not check that law\n"
           "  --laws      print the names of the laws, and play nothing\n\n"
           "Exit status: 0 nothing was found, 1 something was (or a sanitizer ended the program), 2 wrong use.\n");
}

int main(int argc, char **argv)
{
    npjt_options options = {.finding = on_finding, .event = on_event};
    (void)clock_gettime(CLOCK_MONOTONIC, &now.began);
    int at = 1;
    if (at < argc && strcmp(argv[at], "--model") == 0) {
        options.model = true;
        at++;
    }
    for (; at + 1 < argc && strcmp(argv[at], "--off") == 0; at += 2) {
        const unsigned law = law_of(argv[at + 1]);
        if (law == NPJT_LAW_COUNT) {
            (void)fprintf(stderr, "tape_verdict: there is no law \"%s\"\n", argv[at + 1]);
            return WRONG_USE;
        }
        options.laws_off |= 1u << law;
    }
    if (at + 1 != argc || strcmp(argv[at], "--help") == 0) {
        print_help();
        return at + 1 == argc ? 0 : WRONG_USE;
    }
    if (strcmp(argv[at], "--laws") == 0) {
        for (unsigned law = 0; law < NPJT_LAW_COUNT; law++)
            puts(npjt_law_name(law));
        return 0;
    }
    return play_watched(argv[at], &options);
}
