/* SPDX-License-Identifier: MIT */
/* Providers that are commands: those that hang, are cancelled, outlive their host, or find no room in the system. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host_run.h"

/* Milliseconds: long enough for a shell to come to its command on a busy machine. */
enum { STOPPED_AFTER = 5000 };

/* ------------------------------------------------------------------------------------------------ time */

Test(command_end, one_that_hangs_is_stopped_with_its_group)
{
    struct run run = {.add = "sh -c 'sleep 100 & echo $! >@/pid; wait'", .timeout = STOPPED_AFTER};
    const uint64_t begun = uv_hrtime();
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    until(run.r, &run.s, false, has_ended);
    cr_assert_geq(ms_since(begun), STOPPED_AFTER);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_str_eq(run.s.trouble, "addjob command: stopped after 5000 ms");
    until(run.r, &run.s, false, pid_is_gone);
    cr_assert_not(run_has_file(run.r, "log"));
    run_end(&run);
}

/* Neither the command nor what it has started heeds SIGTERM. */
Test(command_end, one_that_will_not_stop_is_killed)
{
    struct run run = {.add = "sh -c 'trap \"\" TERM; sleep 100 & echo $! >@/pid; wait; wait'",
                      .timeout = STOPPED_AFTER};
    const uint64_t begun = uv_hrtime();
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    until(run.r, &run.s, false, has_ended);
    cr_assert_geq(ms_since(begun), STOPPED_AFTER + 1000);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    until(run.r, &run.s, false, pid_is_gone);
    run_end(&run);
}

/* The leader heeds SIGTERM at once, its child never does. */
Test(command_end, the_rest_of_the_group_is_killed_with_its_leader)
{
    struct run run = {.add = "sh -c '(trap \"\" TERM; echo up >@/up; sleep 100) & echo $! >@/pid; wait'",
                      .timeout = STOPPED_AFTER};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    cr_assert(run_has_file(run.r, "up"));
    until(run.r, &run.s, false, pid_is_gone);
    run_end(&run);
}

/* It has exited in time, and left somebody behind; the loop stood still, and hears of it too late. */
Test(command_end, one_that_has_exited_is_not_stopped)
{
    struct run run = {.add = "sh -c 'sleep 100 >/dev/null 2>&1 & echo $! >@/pid; echo @/pipe; echo 74'",
                      .timeout = 1500};
    run_start(&run);
    settle(run.r);
    for (const uint64_t begun = uv_hrtime(); ms_since(begun) < 2000;) /* SIGCHLD ends a sleep */
        usleep(100000);
    until(run.r, &run.s, false, add_is_answered);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    cr_assert_not(is_gone(pid_of(run.r)));
    cr_assert_eq(kill(pid_of(run.r), SIGKILL), 0);
    run_end(&run);
}

/* It has printed its job and hangs: nobody but the abandon command can take the job back. */
Test(command_end, a_job_of_one_that_hangs_is_abandoned)
{
    struct run run = {.add = "sh -c 'echo @/pipe; echo 74; exec sleep 100'", .timeout = STOPPED_AFTER};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    expect_reply(&run.s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 74 STATUS_IO_TIMEOUT\n");
    run_end(&run);
}

Test(command_end, a_job_of_one_that_was_killed_is_abandoned)
{
    struct run run = {.add = "sh -c 'echo @/pipe; echo 74; kill -9 $$'"};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJP_STATUS_UNSUCCESSFUL);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 74 STATUS_UNSUCCESSFUL\n");
    run_end(&run);
}

/* What it prints when it is told to stop counts as well. */
Test(command_end, one_that_prints_too_much_at_its_end_has_no_job)
{
    struct run run = {
        .add = "sh -c 'trap \"head -c 4090 /dev/zero; exit 0\" TERM; echo @/pipe; echo 74; sleep 100 & wait'",
        .timeout = STOPPED_AFTER};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJP_STATUS_UNSUCCESSFUL);
    cr_assert_str_eq(run.s.trouble, "addjob command: it printed more than 4096 bytes");
    cr_assert_str_eq(run_file(run.r, "log"), "");
    run_end(&run);
}

/* Its time has passed, and then it is cancelled: it is stopped once, for the first reason. */
Test(command_end, one_that_is_stopped_is_not_stopped_again)
{
    struct run run = {.add = "sh -c 'trap \"\" TERM; echo $$ >@/pid; while :; do sleep 1; done'", .timeout = 500};
    run_start(&run);
    const uint64_t begun = uv_hrtime();
    while (ms_since(begun) < 700) {
        uv_run(&run.r->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_PRINT_CANCELLED);
    cr_assert_str_eq(run.s.trouble, "addjob command: stopped after 500 ms");
    run_end(&run);
}

static void stand_still(struct seen *s)
{
    (void)s;
    usleep(300000);
}

/* The loop's clock stands still while a callback works: a command that is then started has its time all the same. */
Test(command_end, time_counts_from_the_start)
{
    enum { TIME = 60000 };
    struct run run = {.schedule = "sleep 100", .timeout = TIME};
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    run.s.on_reply = stand_still; /* to the write, after which the command is started */
    run_print(&run);
    while (reply_to(&run.s, NPJ_REQUEST_WRITE, TAG_WRITE) == NULL)
        uv_run(&run.r->loop, UV_RUN_NOWAIT);
    const uint64_t begun = uv_hrtime();
    settle(run.r);
    uv_update_time(&run.r->loop);
    const int left = uv_backend_timeout(&run.r->loop);
    cr_assert_leq(left, TIME);
    cr_assert_geq(left + (int)ms_since(begun) + 10, TIME); /* of whole milliseconds, and what the start took */
    run_end(&run);
}

/* ------------------------------------------------------------------------------------------------ cancelled */

static void abort_while_adding(const char *add, const char *log)
{
    struct run run = {.add = add};
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    settle(run.r);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_PRINT_CANCELLED);
    until(run.r, &run.s, false, has_ended);
    until(run.r, &run.s, false, pid_is_gone);
    cr_assert_str_eq(run_file(run.r, "log"), log);
    run_end(&run);
}

Test(command_end, an_abort_stops_addjob)
{
    abort_while_adding("sh -c 'sleep 100 & echo $! >@/pid; wait'", "");
}

Test(command_end, what_an_aborted_addjob_has_added_is_abandoned)
{
    abort_while_adding("sh -c 'echo @/pipe; echo 74; sleep 100 & echo $! >@/pid; wait'",
                       "abandoned 74 STATUS_PRINT_CANCELLED\n");
    abort_while_adding("sh -c 'trap \"echo @/pipe; echo 74; exit 0\" TERM; sleep 100 & echo $! >@/pid; wait'",
                       "abandoned 74 STATUS_PRINT_CANCELLED\n");
}

/* The abandon command of an addjob that was stopped was not stopped itself. */
Test(command_end, a_stop_is_that_of_one_command)
{
    struct run run = {.add = "sh -c 'echo @/pipe; echo 74; sleep 100 & echo $! >@/pid; wait'",
                      .abandon = "sh -c 'echo first >&2; sleep 100 >/dev/null 2>&1 & echo $! >@/pid; exit 2'"};
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    until(run.r, &run.s, false, has_ended);
    cr_assert_str_eq(run.s.trouble, "addjob command: stopped with the job; abandon command: exit code 2: first");
    cr_assert_not(is_gone(pid_of(run.r)), "what it has left running is stopped");
    cr_assert_eq(kill(pid_of(run.r), SIGKILL), 0);
    run_end(&run);
}

Test(command_end, an_abort_stops_schedule)
{
    struct run run = {.schedule = "sh -c 'sleep 100 & echo $! >@/pid; wait'"};
    run_start(&run);
    run_print(&run);
    until(run.r, &run.s, true, has_pid);
    cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PRINT_CANCELLED);
    until(run.r, &run.s, false, pid_is_gone);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 74 STATUS_PRINT_CANCELLED\n");
    run_end(&run);
}

/* Without the loop. */
static void wait_until_gone(pid_t pid)
{
    for (const uint64_t begun = uv_hrtime(); !is_gone(pid);) {
        cr_assert_lt(ms_since(begun), PATIENCE_MS);
        usleep(10000);
    }
}

/* At once, and its two outputs are closed. The loop then ends when the command has been reaped: run_end() sees that no
 * child and no byte is left. */
Test(command_end, freeing_the_host_kills_what_runs)
{
    struct run run = {.add = "sh -c 'trap \"\" TERM; sleep 100 & echo $! >@/pid; wait; wait'"};
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    const size_t before = descriptors();
    npjp_host_free(&run.r->host);
    cr_assert_eq(descriptors(), before - 2);
    wait_until_gone(pid_of(run.r));
    uv_run(&run.r->loop, UV_RUN_DEFAULT);
    cr_assert_eq(run.s.ended, 0);
    run_end(&run);
}

/* ------------------------------------------------------------------------------------------------ want of room */

static void limit_descriptors(rlim_t limit)
{
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    now.rlim_cur = limit;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
}

static rlim_t descriptor_limit(void)
{
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
}

/* Goes on without descriptors. */
static void run_without_descriptors(struct run *run, uint64_t ms)
{
    limit_descriptors(3);
    for (const uint64_t begun = uv_hrtime(); ms_since(begun) < ms;)
        uv_run(&run->r->loop, UV_RUN_NOWAIT);
}

Test(command_end, without_descriptors_addjob_waits)
{
    struct run run = {0};
    rlim_t before = descriptor_limit();
    run_start(&run);
    run_without_descriptors(&run, 300);
    cr_assert_eq(run.s.ended, 0);
    limit_descriptors(before);
    until(run.r, &run.s, true, is_connected);
    run_print(&run);
    until(run.r, &run.s, true, has_ended);
    cr_assert_str_eq(run_file(run.r, "log"), "scheduled 74\n");
    cr_assert_str_eq(run.s.trouble, "");
    run_end(&run);
}

Test(command_end, what_waits_is_not_started_without_its_host)
{
    struct run run = {.add = "sh -c 'echo $$ >@/pid'"};
    rlim_t before = descriptor_limit();
    run_start(&run);
    run_without_descriptors(&run, 300);
    npjp_host_free(&run.r->host);
    limit_descriptors(before);
    uv_run(&run.r->loop, UV_RUN_DEFAULT);
    cr_assert_not(run_has_file(run.r, "pid"));
    cr_assert_eq(run.s.ended, 0);
    run_end(&run);
}

Test(command_end, addjob_waits_for_descriptors_no_longer_than_its_time)
{
    struct run run = {.timeout = 500};
    rlim_t before = descriptor_limit();
    run_start(&run);
    run_without_descriptors(&run, 900);
    limit_descriptors(before);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_assert_str_eq(run.s.trouble, "addjob command: it cannot be started: Too many open files");
    run_end(&run);
}

/* Neither a whole job is lost by it, nor one that is to be abandoned. */
static void waits_for_descriptors(bool whole)
{
    struct run run = {0};
    rlim_t before = descriptor_limit();
    run_start(&run);
    until(run.r, &run.s, true, is_connected);
    if (whole)
        run_print(&run);
    else
        cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    run_without_descriptors(&run, 300);
    cr_assert_eq(run.s.ended, 0);
    limit_descriptors(before);
    until(run.r, &run.s, true, has_ended);
    cr_assert_str_eq(run_file(run.r, "log"), whole ? "scheduled 74\n" : "abandoned 74 STATUS_PRINT_CANCELLED\n");
    cr_assert_str_eq(run.s.trouble, "");
    run_end(&run);
}

Test(command_end, without_descriptors_schedule_waits)
{
    waits_for_descriptors(true);
}

Test(command_end, without_descriptors_abandon_waits)
{
    waits_for_descriptors(false);
}

/* Stands before that of the C library: so many times there is no room for a process. */
static int no_process;
pid_t fork(void)
{
    static pid_t (*real)(void);
    if (no_process > 0) {
        no_process--;
        errno = EAGAIN;
        return -1;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fork");
    return real();
}

Test(command_end, without_processes_it_waits)
{
    struct run run = {0};
    no_process = 2;
    run_start(&run);
    until(run.r, &run.s, true, is_connected);
    expect_reply(&run.s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    cr_assert_eq(no_process, 0);
    cr_assert_str_eq(npjp_job_trouble(run.s.job), "");
    run_end(&run);
}

/* Takes all descriptors that are left, but for @free. Returns how many are in @taken. */
static int take_descriptors(int *taken, int most, int free)
{
    int count = 0;
    while (count < most && (taken[count] = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    cr_assert(count < most && count >= free);
    for (int i = 0; i < free; i++)
        close(taken[--count]);
    return count;
}

/*
 * There is room for the command's standard error, but not for what libuv needs to start a process: its handle is closed
 * before the next try. A program that calls UV_RUN_ONCE, and is long about other things, has timers run before that.
 */
Test(command_end, a_process_is_tried_again_when_its_handle_is_closed)
{
    enum { LIMIT = 64 };
    struct run run = {0};
    int taken[LIMIT];
    rlim_t before = descriptor_limit();
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    reader_accept(run.r);
    run_print(&run);
    limit_descriptors(LIMIT);
    int count = take_descriptors(taken, LIMIT, 1); /* and the pipe's own, which is closed first */
    for (int i = 0; i < 8; i++) {
        uv_run(&run.r->loop, UV_RUN_ONCE);
        usleep(i % 2 == 0 ? 0 : 150000);
    }
    cr_assert_eq(run.s.ended, 0);
    while (count > 0)
        close(taken[--count]);
    limit_descriptors(before);
    until(run.r, &run.s, true, has_ended);
    cr_assert_str_eq(run_file(run.r, "log"), "scheduled 74\n");
    run_end(&run);
}

/* But not longer than a command may take; and an abort ends the waiting. */
Test(command_end, schedule_waits_for_descriptors_no_longer_than_its_time)
{
    for (int aborted = 0; aborted < 2; aborted++) {
        struct run run = {.timeout = aborted ? NPJ_NEVER : 500};
        rlim_t before = descriptor_limit();
        run_start(&run);
        until(run.r, &run.s, true, is_connected);
        run_print(&run);
        run_without_descriptors(&run, 900);
        if (aborted)
            cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
        settle(run.r);
        expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE,
                     aborted ? NPJ_STATUS_PRINT_CANCELLED : NPJ_STATUS_INSUFFICIENT_RESOURCES);
        limit_descriptors(before);
        until(run.r, &run.s, true, has_ended);
        cr_assert_eq(run.s.report.scheduled, false);
        cr_assert_eq(strncmp(run_file(run.r, "log"), "abandoned 74", 12), 0);
        run_end(&run);
    }
}

/* What the commands need is reserved when the job is added: after that nothing fails for want of memory. */
Test(command_end, after_npjp_job_add_nothing_allocates)
{
    struct run run = {0};
    run_start(&run);
    npjt_counting_fault(&run.r->pool, NPJT_FAULT_FROM, 1);
    cr_assert_eq(npjp_job_close(run.s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(run.r, &run.s, true, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    cr_assert_str_eq(run_file(run.r, "log"), "scheduled 74\n");
    cr_assert_eq(npjt_counting_stats_of(&run.r->pool)->injected, 0, "somebody has asked for memory");
    run_end(&run);
}

/* Every allocation of adding a job fails in its turn; nothing is left of the attempt. */
Test(command_end, adding_a_job_without_memory_leaves_nothing)
{
    struct run run = {0};
    run_prepare(&run);
    npjp_job_options options = run_options(&run);
    npj_status status = NPJ_STATUS_INSUFFICIENT_RESOURCES;
    unsigned tries = 0;
    const npjt_counting_stats *stats = npjt_counting_stats_of(&run.r->pool);
    uint64_t before = stats->bytes.live;
    while (status == NPJ_STATUS_INSUFFICIENT_RESOURCES) {
        npjt_counting_fault(&run.r->pool, NPJT_FAULT_ONCE, ++tries);
        status = npjp_job_add(run.r->host, &options, TAG_ADD, &run.s.job);
        if (status != NPJ_STATUS_PENDING)
            cr_assert_eq(stats->bytes.live, before);
    }
    cr_assert_eq(status, NPJ_STATUS_PENDING);
    cr_assert_gt(tries, 3);
    until(run.r, &run.s, false, add_is_answered);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    run_end(&run);
}

static void work_and_abort(uv_timer_t *timer)
{
    struct run *run = timer->data;
    for (const uint64_t begun = uv_hrtime(); ms_since(begun) < 1200;)
        usleep(100000);
    cr_assert_eq(npjp_job_abort(run->s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    uv_close((uv_handle_t *)timer, NULL);
}

/* The loop's clock stands still while a callback works: the command has its second to clean up all the same. */
Test(command_end, one_that_is_stopped_by_a_late_loop_has_time_to_clean_up)
{
    struct run run = {
        .add = "sh -c 'trap \"sleep 0.2; echo clean >@/log; exit 1\" TERM; echo $$ >@/pid; sleep 100 & wait'"};
    uv_timer_t timer;
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    uv_timer_init(&run.r->loop, &timer);
    timer.data = &run;
    uv_timer_start(&timer, work_and_abort, 0, 0);
    until(run.r, &run.s, false, has_ended);
    cr_assert_str_eq(run_file(run.r, "log"), "clean\n");
    run_end(&run);
}

/* It has filled the pipe of its errors while nobody read. */
Test(command_end, one_that_waited_for_a_loop_that_stood_still_goes_on)
{
    struct run run = {.add = "sh -c 'head -c 70000 /dev/zero >&2; echo @/pipe; echo 74'", .timeout = 1500};
    run_start(&run);
    settle(run.r);
    for (const uint64_t begun = uv_hrtime(); ms_since(begun) < 2000;)
        usleep(100000);
    until(run.r, &run.s, false, add_is_answered);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    run_end(&run);
}
