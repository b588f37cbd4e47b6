/* SPDX-License-Identifier: MIT */
/* npj_pipe_path(): buffers at their bound, names that the parser cannot have given, and the way there and back. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "npjob/path.h"
#include "path_text.h"

static const npj_path_encoding encodings[] = {NPJ_PATH_UTF8, NPJ_PATH_UTF16LE};

static npj_pipe_name parsed(const text *from)
{
    npj_pipe_name name;
    cr_assert(npj_path_parse(&from->path, NPJ_PATH_PERMISSIVE, &name) == NPJ_STATUS_SUCCESS);
    return name;
}

Test(path_write, a_buffer_too_small_by_one_is_left_alone)
{
    static const struct {
        const char *path;
        size_t needed[2]; /* in UTF-8, in UTF-16LE */
    } table[] = {
        {"s", {10, 20}},
        {"\xF0\x9F\x96\xA8", {13, 22}},
        {"\\\\\xC3\xA9\\pipe\\\xE2\x82\xAC", {2 + 2 + 6 + 3, 2 * (2 + 1 + 6 + 1)}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t pair = 0; pair < 4; pair++) {
            text from = text_in(table[i].path, strlen(table[i].path), encodings[pair / 2]);
            npj_pipe_name name = parsed(&from);
            size_t needed = table[i].needed[pair % 2];
            unsigned char *buffer = text_room(needed);
            size_t length = 4711;
            memset(buffer, 0xA5, needed);
            cr_expect(npj_pipe_path(&name, encodings[pair % 2], buffer, needed - 1, &length) ==
                      NPJ_STATUS_INVALID_PARAMETER);
            cr_expect(npj_pipe_path(&name, encodings[pair % 2], buffer, 0, &length) == NPJ_STATUS_INVALID_PARAMETER);
            cr_expect(length == 4711);
            for (size_t at = 0; at < needed; at++)
                cr_expect(buffer[at] == 0xA5);
            cr_expect(npj_pipe_path(&name, encodings[pair % 2], buffer, needed, &length) == NPJ_STATUS_SUCCESS);
            cr_expect(length == needed);
            free(buffer);
            text_free(&from);
        }
    }
}

Test(path_write, the_longest_path_fits)
{
    unsigned char buffer[NPJ_PIPE_PATH_MAX];
    char longest[3 + 8 + 3 * 247 + 3] = "\\\\\xE2\x82\xAC\\pipe\\";
    size_t start = strlen(longest);
    size_t length = 0;
    for (size_t i = 0; i < 247; i++)
        memcpy(longest + start + 3 * i, "\xE2\x82\xAC", 3);
    text from = text_in(longest, start + 3 * 247, NPJ_PATH_UTF16LE);
    npj_pipe_name name = parsed(&from);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_SUCCESS);
    cr_expect(length == 8 + 3 * 248);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_UTF16LE, buffer, sizeof buffer, &length) == NPJ_STATUS_SUCCESS);
    cr_expect(length == 512);
    text_free(&from);
}

Test(path_write, parameters)
{
    text from = text_in("\\\\server\\pipe\\spool", 19, NPJ_PATH_UTF8);
    npj_pipe_name name = parsed(&from);
    unsigned char buffer[64];
    size_t length = 4711;
    cr_expect(npj_pipe_path(NULL, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_UTF8, NULL, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_UTF8, buffer, sizeof buffer, NULL) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_OPAQUE, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(npj_pipe_path(&name, (npj_path_encoding)-1, buffer, sizeof buffer, &length) ==
              NPJ_STATUS_INVALID_PARAMETER);

    npj_path opaque = {"/run/spool.sock", 15, NPJ_PATH_OPAQUE};
    cr_expect(npj_path_parse(&opaque, NPJ_PATH_STRICT, &name) == NPJ_STATUS_SUCCESS);
    cr_expect(npj_pipe_path(&name, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(length == 4711);
    text_free(&from);
}

static npj_status write_named(npj_path_form form, const char *server, const char *name, npj_path_encoding encoding)
{
    npj_pipe_name made = {
        form, encoding, name, name == NULL ? 0 : strlen(name), server, server == NULL ? 0 : strlen(server)};
    unsigned char buffer[NPJ_PIPE_PATH_MAX];
    size_t length = 4711;
    npj_status status = npj_pipe_path(&made, NPJ_PATH_UTF16LE, buffer, sizeof buffer, &length);
    cr_expect((status == NPJ_STATUS_SUCCESS) == (length != 4711));
    return status;
}

Test(path_write, a_name_that_parses_otherwise_is_refused)
{
    static const struct {
        npj_path_form form;
        const char *server;
        const char *name;
    } table[] = {
        {NPJ_FORM_LOCAL, NULL, NULL},   {NPJ_FORM_LOCAL, NULL, ""},
        {NPJ_FORM_LOCAL, NULL, "a\\b"}, {NPJ_FORM_LOCAL, NULL, "\xFF"},
        {NPJ_FORM_REMOTE, NULL, "a"},   {NPJ_FORM_REMOTE, "", "a"},
        {NPJ_FORM_REMOTE, "s\\t", "a"}, {NPJ_FORM_REMOTE, "\xFF", "a"},
        {NPJ_FORM_REMOTE, ".", "a"},    {NPJ_FORM_REMOTE, "?", "a"},
        {NPJ_FORM_REMOTE, "s", ""},     {NPJ_FORM_REMOTE, "s", "\\"},
        {NPJ_FORM_OPAQUE, NULL, "a"},   {(npj_path_form)(NPJ_FORM_OPAQUE + 1), NULL, "a"},
        {(npj_path_form)-1, NULL, "a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        cr_expect(write_named(table[i].form, table[i].server, table[i].name, NPJ_PATH_UTF8) ==
                      NPJ_STATUS_INVALID_PARAMETER,
                  "row %zu", i);
    }
    cr_expect(write_named(NPJ_FORM_REMOTE, "s", "a", NPJ_PATH_UTF8) == NPJ_STATUS_SUCCESS);
    cr_expect(write_named(NPJ_FORM_RELATIVE, "ignored\\", "a", NPJ_PATH_UTF8) == NPJ_STATUS_SUCCESS);
    cr_expect(write_named(NPJ_FORM_LOCAL, NULL, "odd", NPJ_PATH_UTF16LE) == NPJ_STATUS_INVALID_PARAMETER);
    cr_expect(write_named(NPJ_FORM_LOCAL, NULL, "even", NPJ_PATH_UTF16LE) == NPJ_STATUS_SUCCESS);
    cr_expect(write_named(NPJ_FORM_LOCAL, NULL, "even", NPJ_PATH_OPAQUE) == NPJ_STATUS_INVALID_PARAMETER);

    npj_pipe_name nul = {NPJ_FORM_LOCAL, NPJ_PATH_UTF8, "a\0b", 3, NULL, 0};
    char buffer[64];
    size_t length;
    cr_expect(npj_pipe_path(&nul, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    nul.name = NULL;
    cr_expect(npj_pipe_path(&nul, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);

    npj_pipe_name wide = {NPJ_FORM_REMOTE, NPJ_PATH_UTF16LE, "a\0", 2, "?\0", 2};
    cr_expect(npj_pipe_path(&wide, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
    wide.server = ".\0";
    cr_expect(npj_pipe_path(&wide, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_INVALID_PARAMETER);
}

Test(path_write, a_name_made_too_long_is_refused)
{
    char server[300];
    char name[300];
    static const struct {
        npj_path_form form;
        size_t server;
        size_t name;
        npj_status status;
    } table[] = {
        {NPJ_FORM_LOCAL, 0, 247, NPJ_STATUS_SUCCESS},
        {NPJ_FORM_LOCAL, 0, 248, NPJ_STATUS_INVALID_PARAMETER},
        {NPJ_FORM_REMOTE, 1, 247, NPJ_STATUS_SUCCESS},
        {NPJ_FORM_REMOTE, 1, 248, NPJ_STATUS_INVALID_PARAMETER},
        {NPJ_FORM_REMOTE, 247, 1, NPJ_STATUS_SUCCESS},
        {NPJ_FORM_REMOTE, 247, 2, NPJ_STATUS_INVALID_PARAMETER},
        {NPJ_FORM_REMOTE, 248, 1, NPJ_STATUS_INVALID_PARAMETER},
        {NPJ_FORM_REMOTE, 299, 1, NPJ_STATUS_INVALID_PARAMETER},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        memset(server, 's', sizeof server);
        memset(name, 'n', sizeof name);
        server[table[i].server] = '\0';
        name[table[i].name] = '\0';
        cr_expect(write_named(table[i].form, server, name, NPJ_PATH_UTF8) == table[i].status, "row %zu", i);
    }
}

/* Characters of every length, and all at the ends of the ranges, go from UTF-16LE to UTF-8 and back. */
Test(path_write, characters_go_there_and_back)
{
    unsigned char utf8[NPJ_PIPE_PATH_MAX];
    unsigned char wide[NPJ_PIPE_PATH_MAX];
    unsigned char back[NPJ_PIPE_PATH_MAX];
    for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x3000 || (code >= 0xFF00 && code < 0x10100) ? 1 : 61) {
        if (code == '\\' || (code >= 0xD800 && code <= 0xDFFF))
            continue;
        unsigned char units[4] = {(unsigned char)(code & 0xFF), (unsigned char)(code >> 8 & 0xFF), 0, 0};
        if (code > 0xFFFF) {
            uint32_t high = 0xD7C0 + (code >> 10);
            uint32_t low = 0xDC00 + (code & 0x3FF);
            units[0] = (unsigned char)(high & 0xFF);
            units[1] = (unsigned char)(high >> 8);
            units[2] = (unsigned char)(low & 0xFF);
            units[3] = (unsigned char)(low >> 8);
        }
        npj_path path = {units, code > 0xFFFF ? 4 : 2, NPJ_PATH_UTF16LE};
        npj_pipe_name name;
        size_t lengths[3];
        cr_assert(npj_path_parse(&path, NPJ_PATH_PERMISSIVE, &name) == NPJ_STATUS_SUCCESS, "U+%04X", (unsigned)code);
        cr_assert(npj_pipe_path(&name, NPJ_PATH_UTF8, utf8, sizeof utf8, &lengths[0]) == NPJ_STATUS_SUCCESS);
        cr_assert(npj_pipe_path(&name, NPJ_PATH_UTF16LE, wide, sizeof wide, &lengths[1]) == NPJ_STATUS_SUCCESS);
        path = (npj_path){utf8, lengths[0], NPJ_PATH_UTF8};
        cr_assert(npj_path_parse(&path, NPJ_PATH_PERMISSIVE, &name) == NPJ_STATUS_SUCCESS, "U+%04X", (unsigned)code);
        cr_expect(name.name_length == (code < 0x80      ? 1u
                                       : code < 0x800   ? 2u
                                       : code < 0x10000 ? 3u
                                                        : 4u),
                  "U+%04X", (unsigned)code);
        cr_assert(npj_pipe_path(&name, NPJ_PATH_UTF16LE, back, sizeof back, &lengths[2]) == NPJ_STATUS_SUCCESS);
        cr_assert(lengths[1] == lengths[2] && memcmp(wide, back, lengths[1]) == 0, "U+%04X", (unsigned)code);
        cr_assert(lengths[1] == 18 + (code > 0xFFFF ? 4 : 2) && memcmp(back + 18, units, lengths[1] - 18) == 0,
                  "U+%04X", (unsigned)code);
    }
}
