/* SPDX-License-Identifier: MIT */
/** @file Keys and values one by one: for the parts of settings.h only. */
#ifndef NPJOBD_SETTINGS_VALUE_H
#define NPJOBD_SETTINGS_VALUE_H

#include "settings.h"

/** No fewer than there are keys. */
#define SETTINGS_KEYS_MAX 32

/** Room for any number as text. */
#define SETTINGS_NUMBER_MAX 24

/** Which key is called so, in a printer's section or in [global]; NULL if none is. */
const settings_key *settings_find_key(const char *name, bool of_printer);

/** The key of such a section that is nearest to an unknown name; NULL if none is near. */
const settings_key *settings_nearest_key(const char *name, bool of_printer);

/** The longest beginning of a word that is shown, and what stands for the rest of it. */
#define SETTINGS_SHOWN_MAX 52

/** Writes a word of a configuration, cut if it is long, for a sentence that says what is wrong. @return @p shown. */
const char *settings_show(const char *word, char shown[SETTINGS_SHOWN_MAX]);

/**
 * Reads a value into the member of @p section, a settings or a settings_printer.
 *
 * @param text     is kept by the member if it is a text.
 * @param sentence untouched if the value is good; otherwise receives what is wrong with it.
 * @return whether it is good. If not, the member is unchanged.
 */
bool settings_read(const settings_key *key, const char *text, void *section, char sentence[SETTINGS_WRONG_MAX]);

/** The member as text: its own, or written into @p number. "" for one that has no value. */
const char *settings_write(const settings_key *key, const void *section, char number[SETTINGS_NUMBER_MAX]);

#endif
