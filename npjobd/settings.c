/* SPDX-License-Identifier: MIT */
/* Settings from the entries of a configuration. They stand in one block: the settings themselves, an array of printers,
 * and the room of the ini_reader, in which all texts lie. */
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ini.h"
#include "pool.h"
#include "settings_value.h"

/* Of a long name of the file, only its end is shown. */
enum { SHOWN_NAME = 200 };

/* A section that is being read: where its keys are, and the lines in which they were. */
typedef struct section {
    bool of_printer;
    void *members; /* settings or settings_printer; NULL: no section so far */
    const char *name;
    uint32_t line;
    uint32_t key_lines[SETTINGS_KEYS_MAX]; /* 0: not there */
} section;

typedef struct parsing {
    const settings_source *source;
    settings *made;
    section now;
    size_t room_for; /* printers */
    uint32_t global_line;
    uint32_t printer_lines[SETTINGS_PRINTERS_MAX];
    char *wrong;
} parsing;

/* ------------------------------------------------------------------------------------------------ what is wrong */

/* Writes "FILE:LINE: " and the sentence. @return false, for the caller to hand on. */
__attribute__((format(printf, 3, 4))) static bool complain(const parsing *self, uint32_t line, const char *format, ...)
{
    const char *name = self->source->name;
    size_t length = strlen(name);
    char *text = self->wrong;
    int used = snprintf(text, SETTINGS_WRONG_MAX, "%s:%lu: ", length > SHOWN_NAME ? name + length - SHOWN_NAME : name,
                        (unsigned long)line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, SETTINGS_WRONG_MAX - (size_t)used, format, arguments);
    va_end(arguments);
    for (int i = 0; text[i] != '\0'; i++) /* whatever the file and its words are like, the line is one */
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F || (i >= used && (unsigned char)text[i] > '~'))
            text[i] = '?';
    return false;
}

/* ------------------------------------------------------------------------------------------------------ sections */

/* Gives all members of a section their defaults. */
static void set_defaults(bool of_printer, void *members)
{
    char sentence[SETTINGS_WRONG_MAX];
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (keys[i].of_printer == of_printer && keys[i].initial != NULL)
            (void)settings_read(&keys[i], keys[i].initial, members, sentence);
}

/* Looks at a section when all of it was read. */
static bool end_section(parsing *self)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    for (size_t i = 0; self->now.of_printer && i < count; i++)
        if (keys[i].of_printer && keys[i].initial == NULL && self->now.key_lines[i] == 0)
            return complain(self, self->now.line, "printer %s has no \"%s\"", self->now.name, keys[i].name);
    return true;
}

static bool is_printer_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length >= 1 && length <= SETTINGS_NAME_MAX && name[length] == '\0' && name[0] != '.';
}

/* Samba's own pipes stand in the same folder. */
static bool is_pipe_of_samba(const char *name)
{
    static const char *const pipes[] = {
        "dnsserver", "dssetup", "epmapper", "eventlog", "fssagentrpc", "initshutdown",      "lsarpc",  "lsass",
        "mdssvc",    "netdfs",  "netlogon", "ntsvcs",   "plugplay",    "protected_storage", "rpcecho", "samr",
        "spoolss",   "srvsvc",  "svcctl",   "unixinfo", "winreg",      "witness",           "wkssvc"};

    for (size_t i = 0; i < sizeof pipes / sizeof pipes[0]; i++)
        if (strcmp(name, pipes[i]) == 0)
            return true;
    return false;
}

static bool begin_printer(parsing *self, const ini_entry *entry)
{
    settings *made = self->made;
    char shown[SETTINGS_SHOWN_MAX];
    if (!is_printer_name(entry->name)) {
        return complain(
            self, entry->line,
            "\"%s\" is no name of a printer: 1 to %d of a-z, 0-9, \".\", \"_\" and \"-\", and no \".\" in front",
            settings_show(entry->name, shown), SETTINGS_NAME_MAX);
    }
    if (is_pipe_of_samba(entry->name))
        return complain(self, entry->line, "%s is a pipe of Samba's own, and no name of a printer", entry->name);
    for (size_t i = 0; i < made->printer_count; i++) {
        if (strcmp(made->printers[i].name, entry->name) == 0) {
            return complain(self, entry->line, "printer %s is in line %lu already", entry->name,
                            (unsigned long)self->printer_lines[i]);
        }
    }
    if (made->printer_count == self->room_for)
        return complain(self, entry->line, "there are more than %d printers", SETTINGS_PRINTERS_MAX);
    settings_printer *printer = &made->printers[made->printer_count];
    self->printer_lines[made->printer_count++] = entry->line;
    *printer = (settings_printer){.name = entry->name};
    set_defaults(true, printer);
    self->now = (section){.of_printer = true, .members = printer, .name = entry->name, .line = entry->line};
    return true;
}

static bool begin_section(parsing *self, const ini_entry *entry)
{
    if (!end_section(self))
        return false;
    if (strcasecmp(entry->name, "global") != 0)
        return begin_printer(self, entry);
    if (self->global_line != 0)
        return complain(self, entry->line, "[global] is in line %lu already", (unsigned long)self->global_line);
    self->global_line = entry->line;
    self->now = (section){.members = self->made, .name = "global", .line = entry->line};
    return true;
}

/* -------------------------------------------------------------------------------------------------------- values */

static bool complain_of_key(const parsing *self, const ini_entry *entry)
{
    bool of_printer = self->now.of_printer;
    const settings_key *other = settings_find_key(entry->name, !of_printer);
    const settings_key *nearest = settings_nearest_key(entry->name, of_printer);
    char shown[SETTINGS_SHOWN_MAX];
    settings_show(entry->name, shown);
    if (other != NULL) {
        return complain(self, entry->line, "\"%s\" belongs %s", other->name,
                        of_printer ? "to [global], not to a printer" : "to a printer, not to [global]");
    }
    if (nearest != NULL)
        return complain(self, entry->line, "there is no key \"%s\"; is it \"%s\"?", shown, nearest->name);
    return complain(self, entry->line, "there is no key \"%s\"", shown);
}

static bool read_setting(parsing *self, const ini_entry *entry)
{
    char sentence[SETTINGS_WRONG_MAX];
    size_t count = 0;
    if (self->now.members == NULL)
        return complain(self, entry->line, "a setting stands before the first section");
    const settings_key *key = settings_find_key(entry->name, self->now.of_printer);
    if (key == NULL)
        return complain_of_key(self, entry);
    uint32_t *line = &self->now.key_lines[key - settings_keys(&count)];
    if (*line != 0)
        return complain(self, entry->line, "\"%s\" is in line %lu already", key->name, (unsigned long)*line);
    *line = entry->line;
    if (!settings_read(key, entry->value, self->now.members, sentence))
        return complain(self, entry->line, "%s", sentence);
    return true;
}

/* -------------------------------------------------------------------------------------------------------- parsing */

/* The path of a printer's socket fits into an address, and is the path of nothing else. */
static bool check_socket(const parsing *self, const settings_printer *printer, uint32_t line)
{
    const settings *made = self->made;
    char path[SETTINGS_SOCKET_MAX + 1];
    int length = snprintf(path, sizeof path, "%s/np/%s", made->ncalrpc_dir, printer->name);
    if (length > SETTINGS_SOCKET_MAX) {
        return complain(self, line, "printer %s: the path of its socket has %d bytes, and may have %d", printer->name,
                        length, SETTINGS_SOCKET_MAX);
    }
    if (strcmp(path, made->control_socket) == 0)
        return complain(self, line, "printer %s: its socket is the \"control socket\" too", printer->name);
    if (made->metrics_file != NULL && strcmp(path, made->metrics_file) == 0)
        return complain(self, line, "printer %s: its socket is the \"metrics file\" too", printer->name);
    return true;
}

static bool names_folder(const char *path)
{
    return path != NULL && path[strlen(path) - 1] == '/';
}

/* What only all settings together can show. */
static bool check_printers(const parsing *self, uint32_t last_line)
{
    const settings *made = self->made;
    if (made->printer_count == 0)
        return complain(self, last_line, "there is no printer");
    if (made->max_memory / POOL_BUFFER_BYTES < made->max_jobs) {
        return complain(self, self->global_line, "\"max memory\" is less than %dK for each of \"max jobs\"",
                        POOL_BUFFER_BYTES / 1024);
    }
    if (names_folder(made->control_socket) || names_folder(made->metrics_file))
        return complain(self, self->global_line, "\"%s\" ends in /, as a folder does",
                        names_folder(made->control_socket) ? "control socket" : "metrics file");
    if (made->metrics_file != NULL && strcmp(made->metrics_file, made->control_socket) == 0)
        return complain(self, self->global_line, "\"metrics file\" is the \"control socket\" too");
    for (size_t i = 0; i < made->printer_count; i++) {
        const settings_printer *printer = &made->printers[i];
        if (!check_socket(self, printer, self->printer_lines[i]))
            return false;
        if (printer->max_job_memory > made->max_memory) {
            return complain(self, self->printer_lines[i], "printer %s: \"max job memory\" is more than \"max memory\"",
                            printer->name);
        }
    }
    return true;
}

static bool parse_entries(parsing *self, char *room)
{
    ini_reader reader;
    ini_begin(&reader, self->source->text, self->source->length, room);
    set_defaults(false, self->made);
    for (;;) {
        ini_entry entry = ini_next(&reader);
        bool good = false;
        switch (entry.kind) {
        case INI_SECTION:
            good = begin_section(self, &entry);
            break;
        case INI_SETTING:
            good = read_setting(self, &entry);
            break;
        case INI_WRONG:
            good = complain(self, entry.line, "%s", entry.name);
            break;
        case INI_END:
            return end_section(self) && check_printers(self, entry.line);
        }
        if (!good)
            return false;
    }
}

/* No fewer than there are sections, but for the limit. */
static size_t count_brackets(const settings_source *source)
{
    size_t count = 0;
    for (size_t i = 0; i < source->length && count < SETTINGS_PRINTERS_MAX; i++)
        count += source->text[i] == '[';
    return count;
}

static void *system_alloc(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void system_release(void *user, void *block, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(block);
}

npj_status settings_parse(const settings_source *source, settings **out, char wrong[SETTINGS_WRONG_MAX])
{
    npj_mem mem = source->mem;
    parsing self = {.source = source, .wrong = wrong, .room_for = count_brackets(source)};
    size_t printers = self.room_for * sizeof(settings_printer);
    size_t bytes = sizeof(settings) + printers + source->length + 1;
    if (mem.alloc == NULL)
        mem = (npj_mem){.alloc = system_alloc, .release = system_release};
    if (source->length > SETTINGS_TEXT_MAX) {
        complain(&self, 1, "the file is longer than %lu bytes", (unsigned long)SETTINGS_TEXT_MAX);
        return NPJ_STATUS_INVALID_PARAMETER;
    }
    self.made = mem.alloc(mem.user, bytes);
    if (self.made == NULL) {
        snprintf(wrong, SETTINGS_WRONG_MAX, "no memory for the settings");
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    }
    settings_printer *first = (settings_printer *)(void *)(self.made + 1);
    *self.made = (settings){.printers = first, .mem = mem, .block_bytes = bytes};
    if (!parse_entries(&self, (char *)(first + self.room_for))) {
        settings_free(self.made);
        return NPJ_STATUS_INVALID_PARAMETER;
    }
    *out = self.made;
    return NPJ_STATUS_SUCCESS;
}

void settings_free(settings *made)
{
    if (made != NULL) {
        npj_mem mem = made->mem;
        mem.release(mem.user, made, made->block_bytes);
    }
}
