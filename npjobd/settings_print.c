/* SPDX-License-Identifier: MIT */
/* Settings as text. */
#include <string.h>

#include "settings_value.h"

typedef struct printing {
    settings_put *put;
    void *user;
} printing;

static void put_text(const printing *self, const char *text)
{
    self->put(self->user, text, strlen(text));
}

static void put_section(const printing *self, const char *name, bool of_printer, const void *members)
{
    size_t count = 0;
    const settings_key *keys = settings_keys(&count);
    put_text(self, "[");
    put_text(self, name);
    put_text(self, "]\n");
    for (size_t i = 0; i < count; i++) {
        char number[SETTINGS_NUMBER_MAX];
        if (keys[i].of_printer != of_printer)
            continue;
        const char *value = settings_write(&keys[i], members, number);
        put_text(self, "    ");
        put_text(self, keys[i].name);
        put_text(self, value[0] != '\0' ? " = " : " =");
        put_text(self, value);
        put_text(self, "\n");
    }
}

void settings_print(const settings *from, settings_put *put, void *user)
{
    const printing self = {put, user};
    put_section(&self, "global", false, from);
    for (size_t i = 0; i < from->printer_count; i++) {
        put_text(&self, "\n");
        put_section(&self, from->printers[i].name, true, &from->printers[i]);
    }
}
