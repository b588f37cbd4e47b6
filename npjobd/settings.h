/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The settings of npjobd: from the text of a configuration, checked, and to text again.
 *
 * The syntax is that of ini.h. [global] holds for the daemon, every other section is a printer of that name. Keys are
 * compared without regard to case and blanks. Nothing may be said twice, and nothing that is not known. All keys, with
 * their defaults and bounds, are in one table, settings_keys().
 */
#ifndef NPJOBD_SETTINGS_H
#define NPJOBD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npjob/npjob.h"
#include "whole.h"

/** The longest configuration, in bytes. */
#define SETTINGS_TEXT_MAX (UINT32_C(1) << 20)

/** The most printers. */
#define SETTINGS_PRINTERS_MAX 1024

/** The longest name of a printer. */
#define SETTINGS_NAME_MAX 64

/** The longest path of a Unix socket: what fits into its address. */
#define SETTINGS_SOCKET_MAX 107

/** The longest text that says what is wrong, its terminator included. */
#define SETTINGS_WRONG_MAX 512

/** One printer. */
typedef struct settings_printer {
    const char *name; /**< 1 to SETTINGS_NAME_MAX of a-z, 0-9, ".", "_", "-"; no "." in front, no pipe of Samba's */
    const char *addjob_command;
    const char *schedule_command;
    const char *abandon_command;
    uint64_t command_timeout; /**< ms, as are all times here */
    whole_format complete;
    uint64_t max_job_memory; /**< bytes; no more than settings.max_memory */
    uint64_t idle_timeout;
    uint64_t connect_timeout;
    uint64_t stall_timeout;
    uint64_t drain_timeout;
} settings_printer;

/** All settings. Read only; they are one block of memory, and live until settings_free(). */
typedef struct settings {
    const char *ncalrpc_dir;    /**< NCALRPC_DIR/np/PRINTER fits into a socket's address for every printer */
    const char *smbd_user;      /**< a name or a number, not looked up */
    uint64_t handshake_timeout; /**< ms, as are all times here */
    uint64_t stop_timeout;
    uint32_t max_jobs;
    uint64_t max_memory;      /**< bytes */
    const char *metrics_file; /**< NULL: none */
    uint64_t metrics_interval;
    const char *control_socket;
    settings_printer *printers; /**< in the order of the configuration; at least one */
    size_t printer_count;

    npj_mem mem; /* private: where the block came from, and its size */
    size_t block_bytes;
} settings;

/** A configuration in memory. The pointers are borrowed for the call. */
typedef struct settings_source {
    const char *name; /**< of its file, for what is wrong; of a long one the end is shown */
    const char *text; /**< needs no terminator */
    size_t length;
    npj_mem mem; /**< NULL functions: malloc(). Kept until settings_free() */
} settings_source;

/**
 * Reads a configuration. One allocation, whatever its size.
 *
 * @param out   receives the settings on SUCCESS, untouched otherwise. The caller owns them; settings_free() ends them.
 * @param wrong receives on any error one line without a newline: on INVALID_PARAMETER "FILE:LINE: sentence", the first
 *              thing that is wrong. Printable, but for what is not ASCII in the file's name.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER; NPJ_STATUS_INSUFFICIENT_RESOURCES (the allocator said no).
 */
npj_status settings_parse(const settings_source *source, settings **out, char wrong[SETTINGS_WRONG_MAX]);

/** Releases settings. NULL is allowed. */
void settings_free(settings *made);

/** Where settings_print() writes to: called with one piece of the text after the other, none terminated. */
typedef void settings_put(void *user, const char *text, size_t length);

/**
 * Prints settings in their canonical form: [global] first, then the printers in their order, the keys in the order of
 * the table and spelled as there. What is printed parses to the same settings.
 */
void settings_print(const settings *from, settings_put *put, void *user);

/* ------------------------------------------------------------------------------------------------------- the keys */

/** What a value is, and the type of its member. */
typedef enum settings_kind {
    SETTINGS_COMMAND, /**< const char *: a command line (npjob-posix/provider.h) */
    SETTINGS_PATH,    /**< const char *: an absolute path */
    SETTINGS_USER,    /**< const char *: a user's name or number */
    SETTINGS_SECONDS, /**< uint64_t, in milliseconds: a whole number of seconds */
    SETTINGS_COUNT,   /**< uint32_t: a whole number */
    SETTINGS_SIZE,    /**< uint64_t, in bytes: a whole number of bytes, of K, M or G (1024 each) */
    SETTINGS_FORMAT   /**< whole_format: eof, ps, pdf, pjl or any */
} settings_kind;

/** A key. */
typedef struct settings_key {
    const char *name; /**< as it is printed */
    bool of_printer;  /**< it belongs to a printer, otherwise to [global] */
    settings_kind kind;
    size_t offset; /**< of its member, in settings_printer or settings */
    const char
        *initial;   /**< the default, as it is printed; "" if it is to have no value; NULL if a value is required */
    uint64_t least; /**< of a number, in the unit of its member but for SECONDS, which counts seconds */
    uint64_t most;  /**< of a number, likewise; of a text, its longest length */
} settings_key;

/** The keys, those of [global] first. @param count receives how many there are. */
const settings_key *settings_keys(size_t *count);

#endif
