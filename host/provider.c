/* SPDX-License-Identifier: MIT */
/*
 * A print provider made of commands. What a job's commands need is reserved when the job is added: one block, with room
 * for the longest of the three, in which one after the other runs. A host that is freed lets go of a block whose
 * command still runs; it is then released when the command has been reaped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "state.h"
#include "text.h"
#include "words.h"

enum { COMMANDS = 3, DEFAULT_TIMEOUT_MS = 30000, EXIT_TRY_LATER = 75, EXIT_NO_PERMISSION = 77 };

static const char *const names[COMMANDS] = {[NPJP_ADD_JOB] = "addjob command",
                                            [NPJP_SCHEDULE_JOB] = "schedule command",
                                            [NPJP_ABANDON_JOB] = "abandon command"};

/* As long as any JobId, and any name of a status. */
static const char longest_job_id[] = "4294967295";
static const char longest_reason[] = "STATUS_SERVER_SHUTDOWN_IN_PROGRESS";

struct npjp_commands {
    npj_mem mem;
    uint64_t timeout;
    npjpi_words words[COMMANDS];
    size_t holders; /* the owner, and blocks of jobs */
    size_t bytes;   /* of this block */
};

/* What one job's commands need. */
typedef struct job_block {
    npjp_commands *commands;
    npjp_job *job; /* NULL: the host has let go */
    npj_op op;     /* that the command answers */
    npjp_command which;
    npjpi_command command;
    char **argv; /* these two behind the struct, with room for the longest */
    char *room;
    size_t bytes; /* of this block */
} job_block;

/* ---------------------------------------------------------------------------------------------- the provider */

static void let_go(npjp_commands *commands)
{
    if (--commands->holders == 0)
        commands->mem.release(commands->mem.user, commands, commands->bytes);
}

static npj_status split_all(npjp_commands *commands, const char *const lines[COMMANDS], char *wrong)
{
    char *text = (char *)(commands + 1);
    for (int i = 0; i < COMMANDS; i++) {
        char what[NPJP_WRONG_MAX];
        npj_status status = npjpi_words_split(&commands->words[i], text, (npjp_command)i, lines[i], what);
        if (status != NPJ_STATUS_SUCCESS) {
            if (wrong != NULL)
                snprintf(wrong, NPJP_WRONG_MAX, "%s: %.*s", names[i], NPJP_WRONG_MAX - 32, what);
            return status;
        }
        text += strlen(lines[i]) + 1;
    }
    return NPJ_STATUS_SUCCESS;
}

npj_status npjp_commands_new(const npjp_commands_config *config, npjp_commands **out, char *wrong)
{
    if (wrong != NULL)
        snprintf(wrong, NPJP_WRONG_MAX, "a null pointer");
    if (config == NULL || out == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    const char *const lines[COMMANDS] = {config->add_job, config->schedule_job, config->abandon_job};
    npj_mem mem = config->mem;
    if (lines[0] == NULL || lines[1] == NULL || lines[2] == NULL || !npjpi_mem_settle(&mem))
        return NPJ_STATUS_INVALID_PARAMETER;
    size_t bytes = sizeof(npjp_commands) + strlen(lines[0]) + strlen(lines[1]) + strlen(lines[2]) + COMMANDS;
    npjp_commands *commands = mem.alloc(mem.user, bytes);
    if (commands == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    *commands = (npjp_commands){.mem = mem,
                                .timeout = config->timeout > 0 ? config->timeout : DEFAULT_TIMEOUT_MS,
                                .holders = 1,
                                .bytes = bytes};
    npj_status status = split_all(commands, lines, wrong);
    if (status == NPJ_STATUS_SUCCESS)
        *out = commands;
    else
        let_go(commands);
    return status;
}

void npjp_commands_free(npjp_commands **commands)
{
    if (commands == NULL || *commands == NULL)
        return;
    let_go(*commands);
    *commands = NULL;
}

npj_status npjp_command_check(npjp_command which, const char *line, char *wrong)
{
    char what[NPJP_WRONG_MAX] = "a null pointer";
    npjpi_words words;
    npj_status status = NPJ_STATUS_INVALID_PARAMETER;
    if (line != NULL && (unsigned)which < COMMANDS)
        status = npjpi_words_split(&words, NULL, which, line, what);
    if (status != NPJ_STATUS_SUCCESS && wrong != NULL)
        snprintf(wrong, NPJP_WRONG_MAX, "%s", what);
    return status;
}

const char *npjp_status_name(npj_status status)
{
    return status == NPJP_STATUS_UNSUCCESSFUL ? "STATUS_UNSUCCESSFUL" : npj_status_name(status);
}

/* ---------------------------------------------------------------------------------------------- a job's block */

static npjpi_values values_of(const npjp_job *job, const char *job_id, const char *reason)
{
    const npjp_job_options *asked = npjp_job_asked(job);
    return (npjpi_values){.printer = asked->printer,
                          .name = asked->name,
                          .user = asked->user_name,
                          .client = asked->client_name,
                          .job_id = job_id,
                          .reason = reason};
}

static void release(job_block *block)
{
    npjp_commands *commands = block->commands;
    commands->mem.release(commands->mem.user, block, block->bytes);
    let_go(commands);
}

static npj_status begin(void *user, npjp_job *job)
{
    npjp_commands *commands = user;
    npjpi_values values = values_of(job, longest_job_id, longest_reason);
    size_t longest = 0;
    size_t most = 0;
    for (int i = 0; i < COMMANDS; i++) {
        size_t size = npjpi_words_size(&commands->words[i], &values);
        longest = size > longest ? size : longest;
        most = commands->words[i].count > most ? commands->words[i].count : most;
    }
    size_t argv_bytes = (most + 1) * sizeof(char *);
    size_t bytes = sizeof(job_block) + argv_bytes + longest;
    job_block *block = commands->mem.alloc(commands->mem.user, bytes);
    if (block == NULL)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    memset(block, 0, sizeof *block);
    block->commands = commands;
    block->job = job;
    block->argv = (char **)(block + 1);
    block->room = (char *)(block + 1) + argv_bytes;
    block->bytes = bytes;
    commands->holders++;
    npjp_job_keep(job, block);
    return NPJ_STATUS_SUCCESS;
}

static void end(void *user, npjp_job *job)
{
    (void)user;
    job_block *block = npjp_job_kept(job);
    block->job = NULL;
    if (block->command.running)
        npjpi_command_kill(&block->command);
    else
        release(block);
}

/* ---------------------------------------------------------------------------------------------- what came of a run */

/* The JobId in @text, or 0. */
static uint32_t number_of(const char *text, size_t length)
{
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > UINT32_MAX)
            return 0;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/*
 * Reads what the addjob command has printed: a path and a JobId, a line each. Returns NULL, or what is wrong with it.
 * @path is then in the output itself.
 */
static const char *read_output(npjpi_command *command, const char **path, uint32_t *job_id)
{
    char *output = command->output;
    size_t length = command->output_length;
    if (length == 0)
        return "it printed nothing";
    if (memchr(output, '\0', length) != NULL)
        return "it printed a NUL byte";
    char *first = memchr(output, '\n', length);
    size_t rest = first != NULL ? length - (size_t)(first + 1 - output) : 0;
    const char *second = rest > 0 ? memchr(first + 1, '\n', rest) : NULL;
    if (second == NULL || second + 1 != output + length)
        return "it did not print two lines";
    if (output[0] != '/')
        return "the path that it printed is not absolute";
    *job_id = number_of(first + 1, rest - 1);
    if (*job_id == 0)
        return "the JobId that it printed is no number from 1 to 4294967295";
    *first = '\0';
    *path = output;
    return NULL;
}

static npj_status status_of_exit(int code)
{
    switch (code) {
    case 0:
        return NPJ_STATUS_SUCCESS;
    case EXIT_TRY_LATER:
        return NPJ_STATUS_PIPE_NOT_AVAILABLE;
    case EXIT_NO_PERMISSION:
        return NPJ_STATUS_ACCESS_DENIED;
    default:
        return NPJP_STATUS_UNSUCCESSFUL;
    }
}

/* Exit code 0 is success, even if it came when the command had been told to stop. */
static npj_status status_of(const npjpi_command *command)
{
    bool exited = command->error == 0 && command->signal == 0;
    if (command->error != 0)
        return npjpi_command_no_room(command->error) ? NPJ_STATUS_INSUFFICIENT_RESOURCES : NPJP_STATUS_UNSUCCESSFUL;
    if (command->overflowed)
        return NPJP_STATUS_UNSUCCESSFUL;
    if (exited && (command->exit_code == 0 || command->stopped == NPJPI_NOT_STOPPED))
        return status_of_exit(command->exit_code);
    if (command->stopped == NPJPI_NOT_STOPPED)
        return NPJP_STATUS_UNSUCCESSFUL;
    return command->stopped == NPJPI_STOPPED_TIME ? NPJ_STATUS_IO_TIMEOUT : NPJ_STATUS_CANCELLED;
}

/* Why a command failed, for people: by itself, and what it has said of it. @wrong: its output; NULL if that was good.
 */
static void tell(const job_block *block, const char *wrong)
{
    const npjpi_command *command = &block->command;
    char text[NPJP_TROUBLE_MAX];
    if (command->error != 0)
        snprintf(text, sizeof text, "it cannot be started: %s", strerror(command->error));
    else if (command->overflowed)
        snprintf(text, sizeof text, "it printed more than %d bytes", NPJP_OUTPUT_MAX);
    else if (command->stopped == NPJPI_STOPPED_TIME)
        snprintf(text, sizeof text, "stopped after %" PRIu64 " ms", command->timeout);
    else if (command->stopped == NPJPI_STOPPED_CANCEL)
        snprintf(text, sizeof text, "stopped with the job");
    else if (command->signal != 0)
        snprintf(text, sizeof text, "killed by signal %d", command->signal);
    else if (command->exit_code != 0)
        snprintf(text, sizeof text, "exit code %d", command->exit_code);
    else
        snprintf(text, sizeof text, "%s", wrong);
    size_t length = strlen(text);
    if (command->said_length > 0)
        snprintf(text + length, sizeof text - length, ": %.*s", (int)command->said_length, command->said);
    npjp_job_tell(block->job, names[block->which], text);
}

/* A command that was killed cannot take back a job that it had printed: the job is abandoned. */
static void end_add_job(job_block *block)
{
    npjpi_command *command = &block->command;
    const char *path = NULL;
    uint32_t job_id = 0;
    const char *wrong = read_output(command, &path, &job_id);
    npj_status status = status_of(command);
    if (status == NPJ_STATUS_SUCCESS && wrong != NULL)
        status = NPJP_STATUS_UNSUCCESSFUL;
    if (status != NPJ_STATUS_SUCCESS)
        tell(block, wrong);
    bool left = command->signal != 0 && !command->overflowed && wrong == NULL;
    if (status != NPJ_STATUS_SUCCESS && left) {
        (void)npjp_job_abort(block->job, status);
        status = NPJ_STATUS_SUCCESS;
    }
    (void)npjp_job_added(block->job, block->op, status, path, job_id);
}

static void on_ended(npjpi_command *command)
{
    job_block *block = command->user;
    if (block->job == NULL) {
        release(block);
        return;
    }
    if (block->which == NPJP_ADD_JOB) {
        end_add_job(block);
        return;
    }
    npj_status status = status_of(command);
    if (status != NPJ_STATUS_SUCCESS)
        tell(block, NULL);
    (void)npjp_job_done(block->job, block->op, status);
}

/* ---------------------------------------------------------------------------------------------- the operations */

static void run(npjp_commands *commands, npjp_job *job, npj_op op, npjp_command which, const npjpi_values *values)
{
    job_block *block = npjp_job_kept(job);
    block->op = op;
    block->which = which;
    npjpi_words_fill(&commands->words[which], values, block->room, block->argv);
    npjpi_command *command = &block->command;
    command->loop = job->host->loop;
    command->argv = block->argv;
    command->timeout = commands->timeout;
    command->listened_to = which == NPJP_ADD_JOB;
    command->ended = on_ended;
    command->user = block;
    npjpi_command_start(command);
}

static void add_job(void *user, npjp_job *job, npj_op op)
{
    npjpi_values values = values_of(job, NULL, NULL);
    run(user, job, op, NPJP_ADD_JOB, &values);
}

static void schedule_job(void *user, npjp_job *job, npj_op op, uint32_t job_id)
{
    char number[sizeof longest_job_id];
    snprintf(number, sizeof number, "%" PRIu32, job_id);
    npjpi_values values = values_of(job, number, NULL);
    run(user, job, op, NPJP_SCHEDULE_JOB, &values);
}

static const char *name_or_number(npj_status status, char number[sizeof longest_reason])
{
    const char *name = npjp_status_name(status);
    if (name[strlen("STATUS_")] != '(')
        return name;
    snprintf(number, sizeof longest_reason, "0x%08" PRIX32, status);
    return number;
}

static void abandon_job(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why)
{
    char number[sizeof longest_job_id];
    char unnamed[sizeof longest_reason];
    snprintf(number, sizeof number, "%" PRIu32, job_id);
    npjpi_values values = values_of(job, number, name_or_number(why, unnamed));
    run(user, job, op, NPJP_ABANDON_JOB, &values);
}

static void cancel(void *user, npjp_job *job, npj_op op)
{
    (void)user;
    job_block *block = npjp_job_kept(job);
    if (block->op == op)
        npjpi_command_stop(&block->command, NPJPI_STOPPED_CANCEL);
}

const npjp_provider_calls *npjp_commands_calls(void)
{
    static const npjp_provider_calls calls = {
        .add_job = add_job,
        .schedule_job = schedule_job,
        .abandon_job = abandon_job,
        .cancel = cancel,
        .begin = begin,
        .end = end,
    };
    return &calls;
}
