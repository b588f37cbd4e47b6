/* SPDX-License-Identifier: MIT */
/* Providers that are commands: what is run, with which values, and what comes of what it says. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "host_run.h"

/* ------------------------------------------------------------------------------------------------ all well */

Test(command, a_job_is_added_and_scheduled)
{
    struct run run = {0};
    run_start(&run);
    run_print(&run);
    until(run.r, &run.s, true, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    cr_assert_eq(run.s.report.job_id, 74);
    cr_assert_str_eq(run.s.trouble, "");
    cr_assert_str_eq(run_file(run.r, "log"), "scheduled 74\n");
    until(run.r, &run.s, false, is_at_end);
    cr_assert_eq(run.r->got_length, 13);
    run_end(&run);
}

Test(command, values_are_words_of_their_own)
{
    struct run run = {.add = "sh -c 'for a; do echo \"[$a]\"; done >@/log; echo @/pipe; echo 74' x %p %J %u %s",
                      .schedule = "true"};
    run_prepare(&run);
    npjp_job_options options = run_options(&run);
    options.name = "-rf /; $(reboot) `reboot` \"'\n*";
    options.user_name = NULL;
    options.client_name = "127.0.0.1\xFF";
    job_start(run.r, &run.s, options);
    until(run.r, &run.s, false, is_connected);
    cr_assert_str_eq(run_file(run.r, "log"), "[laser]\n[_rf /; $(reboot) `reboot` \"'_*]\n[]\n[127.0.0.1_]\n");
    run_end(&run);
}

Test(command, the_highest_job_id_and_the_lowest)
{
    static const char *const lines[] = {"sh -c 'echo @/pipe; echo 4294967295'", "sh -c 'echo @/pipe; echo 0001'"};
    static const uint32_t ids[] = {4294967295u, 1};
    char log[100];
    for (int i = 0; i < 2; i++) {
        struct run run = {.add = lines[i]};
        run_start(&run);
        until(run.r, &run.s, false, is_connected);
        npjp_job_report report;
        npjp_job_report_get(run.s.job, &report);
        cr_assert_eq(report.job_id, ids[i]);
        /* A command line that is as long as it may become. */
        cr_assert_eq(npjp_job_abort(run.s.job, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS), NPJ_STATUS_SUCCESS);
        until(run.r, &run.s, false, has_ended);
        snprintf(log, sizeof log, "abandoned %" PRIu32 " STATUS_SERVER_SHUTDOWN_IN_PROGRESS\n", ids[i]);
        cr_assert_str_eq(run_file(run.r, "log"), log);
        run_end(&run);
    }
}

/* Has a program that is run from here hold a descriptor of this number; @return whether it was made for that. */
static bool make_heritable(int fd, int like)
{
    return fcntl(fd, F_SETFD, 0) != 0 && dup2(like, fd) == fd;
}

/* Descriptors of the program, close-on-exec or not, stay its own. (From 10 on the shell has some of its own.) */
Test(command, descriptors_are_not_handed_down)
{
    struct run run = {.add = "sh -c 'for n in 0 1 2 3 4 5 6 7 8 9 200; do test ! -e /proc/$$/fd/$n || echo $n; done "
                             ">@/log; echo @/pipe; echo 74'"};
    run_prepare(&run);
    bool made[201] = {false};
    for (int fd = 3; fd <= 200; fd += fd < 9 ? 1 : 191)
        made[fd] = make_heritable(fd, 0);
    job_start(run.r, &run.s, run_options(&run));
    until(run.r, &run.s, false, is_connected);
    cr_assert_str_eq(run_file(run.r, "log"), "0\n1\n2\n");
    for (int fd = 3; fd <= 200; fd++)
        if (made[fd])
            close(fd);
    run_end(&run);
}

/* Standard input is empty, and no terminal or pipe of ours. */
Test(command, standard_input_is_dev_null)
{
    struct run run = {.add = "sh -c 'readlink /proc/$$/fd/0 >@/log; cat >>@/log; echo @/pipe; echo 74'"};
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    cr_assert_str_eq(run_file(run.r, "log"), "/dev/null\n");
    run_end(&run);
}

/* The other two commands may print whatever they like: nobody reads it. */
Test(command, standard_output_of_the_others_is_dev_null)
{
    struct run run = {.schedule = "sh -c 'out=$(readlink /proc/$$/fd/1); echo $out >@/log; head -c 100000 /dev/zero'"};
    run_start(&run);
    run_print(&run);
    until(run.r, &run.s, true, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    cr_assert_str_eq(run_file(run.r, "log"), "/dev/null\n");
    run_end(&run);
}

/* A command may close its outputs long before it ends: the loop then sleeps. */
Test(command, the_end_of_an_output_is_seen_once)
{
    struct run run = {.add = "sh -c 'echo @/pipe; echo 74; exec >&- 2>&-; echo $$ >@/pid; sleep 0.3'"};
    unsigned rounds = 0;
    run_start(&run);
    until(run.r, &run.s, false, has_pid);
    for (; !add_is_answered(&run.s); rounds++)
        uv_run(&run.r->loop, UV_RUN_ONCE);
    cr_assert_lt(rounds, 100);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    run_end(&run);
}

/* A reader that the command leaves behind holds the outputs open, as long as it likes. */
Test(command, what_runs_on_in_the_background_is_not_waited_for)
{
    struct run run = {.add = "sh -c 'sleep 100 & echo $! >@/pid; echo @/pipe; echo 74'"};
    const uint64_t begun = uv_hrtime();
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    expect_reply(&run.s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    cr_assert_lt(ms_since(begun), 60000); /* and not when it has slept */
    pid_t pid = pid_of(run.r);
    cr_assert_not(is_gone(pid), "it lives on");
    run_print(&run);
    until(run.r, &run.s, true, has_ended);
    cr_assert_not(is_gone(pid), "it lives on");
    kill(pid, SIGKILL);
    run_end(&run);
}

/* A background process may also write without end: only what was there when the command exited is read. */
Test(command, what_the_background_says_has_no_part_in_it)
{
    struct run run = {.add = "sh -c 'echo @/pipe; echo 74; yes >&2 & echo $! >@/pid'"};
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    until(run.r, &run.s, false, pid_is_gone); /* of SIGPIPE: nobody listens any more */
    run_end(&run);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
}

/* libuv refuses to watch a descriptor whose number it still watches for somebody who closed it. What is there at the
 * end is read, and more not waited for. */
Test(command, output_that_cannot_be_watched_is_read_at_the_end)
{
    struct run run = {.add = "sh -c 'sleep 100 & echo $! >@/pid; echo @/pipe; echo 74'"};
    const uint64_t begun = uv_hrtime();
    uv_poll_t stale;
    int ends[4];
    run_prepare(&run);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0); /* as the command's standard error will be opened */
    cr_assert_eq(pipe2(ends + 2, O_CLOEXEC), 0);
    cr_assert_eq(uv_poll_init(&run.r->loop, &stale, ends[2]), 0);
    cr_assert_eq(uv_poll_start(&stale, UV_READABLE, on_poll), 0);
    uv_run(&run.r->loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 4; i++)
        close(ends[i]);
    job_start(run.r, &run.s, run_options(&run));
    until(run.r, &run.s, false, add_is_answered);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    cr_assert_lt(ms_since(begun), 60000); /* and not when it has slept */
    kill(pid_of(run.r), SIGKILL);
    uv_close((uv_handle_t *)&stale, NULL);
    run_end(&run);
}

/* ------------------------------------------------------------------------------------------------ failures */

static void fails(const char *add, npj_status want, const char *trouble)
{
    struct run run = {.add = add};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, want);
    expect_reply(&run.s, NPJ_REQUEST_CONNECT, TAG_CONNECT, want);
    cr_assert_str_eq(run.s.trouble, trouble);
    cr_assert_not(run.s.report.added);
    cr_assert_not(run_has_file(run.r, "log"), "no job, and yet: %s", run_file(run.r, "log"));
    run_end(&run);
}

Test(command, exit_codes_are_statuses)
{
    fails("false", NPJP_STATUS_UNSUCCESSFUL, "addjob command: exit code 1");
    fails("sh -c 'exit 75'", NPJ_STATUS_PIPE_NOT_AVAILABLE, "addjob command: exit code 75");
    fails("sh -c 'exit 77'", NPJ_STATUS_ACCESS_DENIED, "addjob command: exit code 77");
    fails("sh -c 'echo @/pipe; echo 74; exit 3'", NPJP_STATUS_UNSUCCESSFUL, "addjob command: exit code 3");
}

Test(command, its_last_line_of_errors_is_told)
{
    fails("sh -c 'echo first >&2; echo; echo \"lp:\tno such queue\" >&2; echo >&2; exit 1'", NPJP_STATUS_UNSUCCESSFUL,
          "addjob command: exit code 1: lp:_no such queue");
    fails("sh -c 'printf \"no end of line\" >&2; exit 1'", NPJP_STATUS_UNSUCCESSFUL,
          "addjob command: exit code 1: no end of line");
}

/* A million bytes of errors neither block the command nor are they kept. */
Test(command, a_flood_of_errors_is_no_harm)
{
    fails("sh -c 'head -c 1000000 /dev/zero | tr \"\\\\0\" e >&2; echo >&2; echo at last >&2; exit 1'",
          NPJP_STATUS_UNSUCCESSFUL, "addjob command: exit code 1: at last");
}

Test(command, a_program_that_is_not_there)
{
    fails("/nowhere/at/all", NPJP_STATUS_UNSUCCESSFUL,
          "addjob command: it cannot be started: No such file or directory");
    fails("/", NPJP_STATUS_UNSUCCESSFUL, "addjob command: it cannot be started: Permission denied");
}

Test(command, death_by_a_signal)
{
    fails("sh -c 'kill -9 $$'", NPJP_STATUS_UNSUCCESSFUL, "addjob command: killed by signal 9");
}

#define NOT_TWO_LINES "addjob command: it did not print two lines"
#define NO_NUMBER     "addjob command: the JobId that it printed is no number from 1 to 4294967295"

Test(command, output_that_is_no_job)
{
    fails("true", NPJP_STATUS_UNSUCCESSFUL, "addjob command: it printed nothing");
    fails("echo rubbish", NPJP_STATUS_UNSUCCESSFUL, NOT_TWO_LINES);
    fails("printf '/pipe\\n74'", NPJP_STATUS_UNSUCCESSFUL, NOT_TWO_LINES);
    fails("printf '/pipe\\n74\\nmore\\n'", NPJP_STATUS_UNSUCCESSFUL, NOT_TWO_LINES);
    fails("printf '/pipe\\n74\\n\\n'", NPJP_STATUS_UNSUCCESSFUL, NOT_TWO_LINES);
    fails("printf '\\n\\n'", NPJP_STATUS_UNSUCCESSFUL, "addjob command: the path that it printed is not absolute");
    fails("printf 'pipe\\n74\\n'", NPJP_STATUS_UNSUCCESSFUL,
          "addjob command: the path that it printed is not absolute");
    fails("printf '/pi\\0pe\\n74\\n'", NPJP_STATUS_UNSUCCESSFUL, "addjob command: it printed a NUL byte");
}

Test(command, a_job_id_that_is_none)
{
    fails("printf '/pipe\\n0\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n4294967296\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n18446744073709551617\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n-1\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n+1\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n 1\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n1\\r\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n0x10\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
    fails("printf '/pipe\\n\\n'", NPJP_STATUS_UNSUCCESSFUL, NO_NUMBER);
}

Test(command, output_that_is_too_long)
{
    fails("sh -c 'echo @/pipe; echo 74; head -c 1000000 /dev/zero | tr \"\\\\0\" \"\\\\n\"; exec sleep 100'",
          NPJP_STATUS_UNSUCCESSFUL, "addjob command: it printed more than 4096 bytes");
    fails("yes", NPJP_STATUS_UNSUCCESSFUL, "addjob command: it printed more than 4096 bytes");
}

/* A path just as long as the output may be is still one, though no system opens it. */
Test(command, output_that_is_just_not_too_long)
{
    struct run run = {.add = "sh -c 'printf /; head -c 4092 /dev/zero | tr \"\\\\0\" p; echo; echo 7'"};
    run_start(&run);
    until(run.r, &run.s, false, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_SUCCESS);
    expect_reply(&run.s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_OBJECT_NAME_INVALID);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 7 STATUS_OBJECT_NAME_INVALID\n");
    run_end(&run);
}

Test(command, a_job_that_cannot_be_scheduled_is_abandoned)
{
    struct run run = {.schedule = "sh -c 'echo the queue is closed >&2; exit 77'",
                      .abandon = "sh -c 'echo abandoned \"$@\" >>@/log; exit 2' x %j %r"};
    run_start(&run);
    run_print(&run);
    until(run.r, &run.s, true, has_ended);
    expect_reply(&run.s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_ACCESS_DENIED);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 74 STATUS_ACCESS_DENIED\n");
    cr_assert_str_eq(run.s.trouble,
                     "schedule command: exit code 77: the queue is closed; abandon command: exit code 2");
    cr_assert(run.s.report.abandoned && !run.s.report.scheduled);
    run_end(&run);
}

/* A reason that has no name is a number. */
Test(command, a_reason_without_a_name)
{
    struct run run = {0};
    run_start(&run);
    until(run.r, &run.s, false, is_connected);
    cr_assert_eq(npjp_job_abort(run.s.job, 0xC0000ABCu), NPJ_STATUS_SUCCESS);
    until(run.r, &run.s, false, has_ended);
    cr_assert_str_eq(run_file(run.r, "log"), "abandoned 74 0xC0000ABC\n");
    run_end(&run);
}
