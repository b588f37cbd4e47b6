/* SPDX-License-Identifier: MIT */
/** @file The configuration as it is on the disk: read, parsed, and held against this machine. */
#ifndef NPJOBD_LOAD_H
#define NPJOBD_LOAD_H

#include <sys/types.h>

#include "settings.h"

/** The longest text that says what is wrong, its terminator included. */
enum { LOAD_WRONG = SETTINGS_WRONG_MAX + 256 };

/**
 * Reads the configuration @p path, a regular file. What its text alone cannot tell is looked up here: whether smbd's
 * user exists, and whether the metrics file is another one.
 *
 * @param smbd  receives the id of smbd's user. May be NULL.
 * @param wrong receives, on failure, one line that names the file.
 * @return the settings, which are the caller's until settings_free(); NULL on failure.
 */
settings *load_settings(const char *path, uid_t *smbd, char wrong[LOAD_WRONG]);

#endif
