/* SPDX-License-Identifier: MIT */
/* The table of the keys, and how a key is found in it. */
#include <string.h>

#include "settings_value.h"

#define GLOBAL(kind, member)  false, SETTINGS_##kind, offsetof(settings, member)
#define PRINTER(kind, member) true, SETTINGS_##kind, offsetof(settings_printer, member)
#define REQUIRED              NULL
#define MIB                   (UINT64_C(1) << 20)
#define TIB                   (UINT64_C(1) << 40)

enum {
    HOUR = 3600,
    DAY = 24 * HOUR,
    WEEK = 7 * DAY,
    JOBS_MOST = 65535,
    USER_LONGEST = 255,
    COMMAND_LONGEST = 4095,
    FILE_LONGEST = 4000,                      /* leaves room in PATH_MAX for what is put behind it */
    NCALRPC_LONGEST = SETTINGS_SOCKET_MAX - 5 /* "/np/", and the shortest name of a printer */
};

/* clang-format off */
static const settings_key keys[] = {
    {"ncalrpc dir",       GLOBAL(PATH, ncalrpc_dir),            "/run/samba/ncalrpc",  1, NCALRPC_LONGEST},
    {"smbd user",         GLOBAL(USER, smbd_user),              "root",                1, USER_LONGEST},
    {"handshake timeout", GLOBAL(SECONDS, handshake_timeout),   "10",                  1, HOUR},
    {"stop timeout",      GLOBAL(SECONDS, stop_timeout),        "30",                  1, DAY},
    {"max jobs",          GLOBAL(COUNT, max_jobs),              "128",                 1, JOBS_MOST},
    {"max memory",        GLOBAL(SIZE, max_memory),             "256M",                MIB, TIB},
    {"metrics file",      GLOBAL(PATH, metrics_file),           "",                    1, FILE_LONGEST},
    {"metrics interval",  GLOBAL(SECONDS, metrics_interval),    "15",                  1, DAY},
    {"control socket",    GLOBAL(PATH, control_socket),         "/run/npjobd/control", 1, SETTINGS_SOCKET_MAX},

    {"addjob command",    PRINTER(COMMAND, addjob_command),     REQUIRED,              1, COMMAND_LONGEST},
    {"schedule command",  PRINTER(COMMAND, schedule_command),   REQUIRED,              1, COMMAND_LONGEST},
    {"abandon command",   PRINTER(COMMAND, abandon_command),    REQUIRED,              1, COMMAND_LONGEST},
    {"command timeout",   PRINTER(SECONDS, command_timeout),    "30",                  1, DAY},
    {"complete",          PRINTER(FORMAT, complete),            "eof",                 0, 0},
    {"max job memory",    PRINTER(SIZE, max_job_memory),        "16M",                 MIB, TIB},
    {"idle timeout",      PRINTER(SECONDS, idle_timeout),       "600",                 1, WEEK},
    {"connect timeout",   PRINTER(SECONDS, connect_timeout),    "30",                  1, DAY},
    {"stall timeout",     PRINTER(SECONDS, stall_timeout),      "60",                  1, WEEK},
    {"drain timeout",     PRINTER(SECONDS, drain_timeout),      "300",                 1, WEEK},
};
/* clang-format on */

_Static_assert(sizeof keys / sizeof keys[0] <= SETTINGS_KEYS_MAX, "every key has a place in the lists of lines");

const settings_key *settings_keys(size_t *count)
{
    *count = sizeof keys / sizeof keys[0];
    return keys;
}

/* ------------------------------------------------------------------------------------------------ names of keys */

enum { NAME_LONGEST = 40 }; /* without its blanks; what is longer is no key */

/* Writes a name in lower case and without blanks; false if it is too long to be a key. */
static bool fold(const char *name, char folded[NAME_LONGEST + 1])
{
    size_t length = 0;
    for (; *name != '\0'; name++) {
        if (*name == ' ' || *name == '\t')
            continue;
        if (length == NAME_LONGEST)
            return false;
        folded[length++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
    }
    folded[length] = '\0';
    return true;
}

const settings_key *settings_find_key(const char *name, bool of_printer)
{
    char wanted[NAME_LONGEST + 1] = "";
    char known[NAME_LONGEST + 1] = "";
    for (size_t i = 0; fold(name, wanted) && i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].of_printer == of_printer && fold(keys[i].name, known) && strcmp(wanted, known) == 0)
            return &keys[i];
    return NULL;
}

/* How many characters have to be put in, taken out or replaced to make one name of the other (Levenshtein). */
static size_t distance(const char *one, const char *other)
{
    size_t row[NAME_LONGEST + 1]; /* from the characters of one so far to each beginning of other */
    size_t length = strlen(other);
    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (; *one != '\0'; one++) {
        size_t diagonal = row[0]++;
        for (size_t i = 1; i <= length; i++) {
            size_t replaced = diagonal + (*one != other[i - 1]);
            size_t shorter = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;
            diagonal = row[i];
            row[i] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[length];
}

const settings_key *settings_nearest_key(const char *name, bool of_printer)
{
    char wanted[NAME_LONGEST + 1] = "";
    char known[NAME_LONGEST + 1] = "";
    const settings_key *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; fold(name, wanted) && i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].of_printer != of_printer || !fold(keys[i].name, known))
            continue;
        size_t away = distance(wanted, known);
        if (away < least && away <= strlen(known) / 3) {
            nearest = &keys[i];
            least = away;
        }
    }
    return nearest;
}
