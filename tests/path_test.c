/* SPDX-License-Identifier: MIT */
/* Pipe paths: what is a pipe, what is none, what is malformed; and the way back to a path. */
#include <criterion/criterion.h>

#include "npjob/path.h"
#include "path_text.h"

#define LITERAL(text)   text, sizeof(text) - 1
#define ROWS(table)     (sizeof(table) / sizeof(table)[0])
#define OK              NPJ_STATUS_SUCCESS
#define NO_PIPE         NPJ_STATUS_INVALID_DEVICE_REQUEST
#define MALFORMED       NPJ_STATUS_OBJECT_NAME_INVALID
#define WRONG_PARAMETER NPJ_STATUS_INVALID_PARAMETER

static const npj_path_encoding encodings[] = {NPJ_PATH_UTF8, NPJ_PATH_UTF16LE};

static const char *const encoding_names[] = {"UTF-8", "UTF-16LE"};

/* A path and its verdict in each profile. */
typedef struct verdict {
    const char *path;
    size_t length;
    npj_status strict;
    npj_status permissive;
} verdict;

static npj_status judge(const char *path, size_t length, npj_path_encoding encoding, npj_path_profile profile)
{
    text made = text_in(path, length, encoding);
    npj_status status = npj_path_parse(&made.path, profile, NULL);
    text_free(&made);
    return status;
}

static void expect_verdicts(const verdict *table, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t e = 0; e < 2; e++) {
            npj_status strict = judge(table[i].path, table[i].length, encodings[e], NPJ_PATH_STRICT);
            npj_status permissive = judge(table[i].path, table[i].length, encodings[e], NPJ_PATH_PERMISSIVE);
            cr_expect(strict == table[i].strict, "strict, %s: '%s' is %s", encoding_names[e], table[i].path,
                      npj_status_name(strict));
            cr_expect(permissive == table[i].permissive, "permissive, %s: '%s' is %s", encoding_names[e], table[i].path,
                      npj_status_name(permissive));
        }
    }
}

/* ---------------------------------------------------------------------------------------------------- the forms */

typedef struct spelling {
    const char *path;
    npj_path_form form;
    const char *server; /* NULL: none */
    const char *name;
    const char *win32;
} spelling;

static const spelling spellings[] = {
    {"\\\\.\\pipe\\spool", NPJ_FORM_LOCAL, NULL, "spool", "\\\\.\\pipe\\spool"},
    {"\\\\.\\PiPe\\Spool", NPJ_FORM_LOCAL, NULL, "Spool", "\\\\.\\pipe\\Spool"},
    {"\\\\.\\pipe\\x", NPJ_FORM_LOCAL, NULL, "x", "\\\\.\\pipe\\x"},
    {"\\\\.\\pipe\\pipe", NPJ_FORM_LOCAL, NULL, "pipe", "\\\\.\\pipe\\pipe"},
    {"\\\\.\\pipe\\C:job", NPJ_FORM_LOCAL, NULL, "C:job", "\\\\.\\pipe\\C:job"},
    {"\\\\.\\pipe\\a b.c*?<>|\"", NPJ_FORM_LOCAL, NULL, "a b.c*?<>|\"", "\\\\.\\pipe\\a b.c*?<>|\""},
    {"\\\\.\\pipe\\...", NPJ_FORM_LOCAL, NULL, "...", "\\\\.\\pipe\\..."},
    {"\\\\.\\pipe\\a.", NPJ_FORM_LOCAL, NULL, "a.", "\\\\.\\pipe\\a."},
    {"\\\\PRINT01\\pipe\\spool", NPJ_FORM_REMOTE, "PRINT01", "spool", "\\\\PRINT01\\pipe\\spool"},
    {"\\\\p\\PIPE\\s", NPJ_FORM_REMOTE, "p", "s", "\\\\p\\pipe\\s"},
    {"\\\\10.0.0.1\\pipe\\spool", NPJ_FORM_REMOTE, "10.0.0.1", "spool", "\\\\10.0.0.1\\pipe\\spool"},
    {"\\\\??\\pipe\\spool", NPJ_FORM_REMOTE, "??", "spool", "\\\\??\\pipe\\spool"},
    {"\\\\pipe\\pipe\\pipe", NPJ_FORM_REMOTE, "pipe", "pipe", "\\\\pipe\\pipe\\pipe"},
    {"\\\\.a\\pipe\\spool", NPJ_FORM_REMOTE, ".a", "spool", "\\\\.a\\pipe\\spool"},
    {"\\\\drucker-k\xC3\xB6ln\\pipe\\\xE2\x82\xAC", NPJ_FORM_REMOTE, "drucker-k\xC3\xB6ln", "\xE2\x82\xAC",
     "\\\\drucker-k\xC3\xB6ln\\pipe\\\xE2\x82\xAC"},
    {"\\Device\\NamedPipe\\spool", NPJ_FORM_DEVICE, NULL, "spool", "\\\\.\\pipe\\spool"},
    {"\\DEVICE\\namedpipe\\spool", NPJ_FORM_DEVICE, NULL, "spool", "\\\\.\\pipe\\spool"},
    {"\\??\\PIPE\\spool", NPJ_FORM_OBJECT, NULL, "spool", "\\\\.\\pipe\\spool"},
    {"\\??\\pipe\\spool", NPJ_FORM_OBJECT, NULL, "spool", "\\\\.\\pipe\\spool"},
    {"\\PIPE\\spoolss", NPJ_FORM_SMB, NULL, "spoolss", "\\\\.\\pipe\\spoolss"},
    {"\\pipe\\spoolss", NPJ_FORM_SMB, NULL, "spoolss", "\\\\.\\pipe\\spoolss"},
    {"\\PIPE\\C:", NPJ_FORM_SMB, NULL, "C:", "\\\\.\\pipe\\C:"},
    {"spoolss", NPJ_FORM_RELATIVE, NULL, "spoolss", "\\\\.\\pipe\\spoolss"},
    {"s", NPJ_FORM_RELATIVE, NULL, "s", "\\\\.\\pipe\\s"},
    {"pipe", NPJ_FORM_RELATIVE, NULL, "pipe", "\\\\.\\pipe\\pipe"},
    {"1:a", NPJ_FORM_RELATIVE, NULL, "1:a", "\\\\.\\pipe\\1:a"},
    {":a", NPJ_FORM_RELATIVE, NULL, ":a", "\\\\.\\pipe\\:a"},
    {"ab:c", NPJ_FORM_RELATIVE, NULL, "ab:c", "\\\\.\\pipe\\ab:c"},
    {" ", NPJ_FORM_RELATIVE, NULL, " ", "\\\\.\\pipe\\ "},
    {"\xC2\xA0", NPJ_FORM_RELATIVE, NULL, "\xC2\xA0", "\\\\.\\pipe\\\xC2\xA0"},
    {"~", NPJ_FORM_RELATIVE, NULL, "~", "\\\\.\\pipe\\~"},
    {"\xC3\xA9:b", NPJ_FORM_RELATIVE, NULL, "\xC3\xA9:b", "\\\\.\\pipe\\\xC3\xA9:b"},
    {"\xC5\x83:b", NPJ_FORM_RELATIVE, NULL, "\xC5\x83:b", "\\\\.\\pipe\\\xC5\x83:b"}, /* its low byte is a "C" */
    {"\xEF\xBB\xBFspool", NPJ_FORM_RELATIVE, NULL, "\xEF\xBB\xBFspool", "\\\\.\\pipe\\\xEF\xBB\xBFspool"},
    {"\xF0\x9F\x96\xA8", NPJ_FORM_RELATIVE, NULL, "\xF0\x9F\x96\xA8", "\\\\.\\pipe\\\xF0\x9F\x96\xA8"},
    {"\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", NPJ_FORM_RELATIVE, NULL, "\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80",
     "\\\\.\\pipe\\\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"},
};

static void expect_part(const text *in, const void *part, size_t length, const char *expected)
{
    if (expected == NULL) {
        cr_expect(part == NULL && length == 0);
        return;
    }
    text wanted = text_in(expected, strlen(expected), in->path.encoding);
    const unsigned char *start = part;
    cr_expect(start >= in->block + 1 && start + length <= in->block + 1 + in->path.length, "outside the path");
    cr_expect(length == wanted.path.length && memcmp(part, wanted.path.bytes, length) == 0, "not '%s'", expected);
    text_free(&wanted);
}

Test(path, every_form_in_both_encodings_and_profiles)
{
    for (size_t i = 0; i < ROWS(spellings); i++) {
        for (size_t e = 0; e < 2; e++) {
            for (int profile = NPJ_PATH_STRICT; profile <= NPJ_PATH_PERMISSIVE; profile++) {
                text made = text_in(spellings[i].path, strlen(spellings[i].path), encodings[e]);
                npj_pipe_name name;
                cr_assert(npj_path_parse(&made.path, (npj_path_profile)profile, &name) == OK, "%s: '%s'",
                          encoding_names[e], spellings[i].path);
                cr_expect(name.form == spellings[i].form, "form of '%s'", spellings[i].path);
                cr_expect(name.encoding == encodings[e]);
                expect_part(&made, name.name, name.name_length, spellings[i].name);
                expect_part(&made, name.server, name.server_length, spellings[i].server);
                text_free(&made);
            }
        }
    }
}

Test(path, every_form_is_written_in_its_win32_form)
{
    for (size_t i = 0; i < ROWS(spellings); i++) {
        for (size_t pair = 0; pair < 4; pair++) {
            text from = text_in(spellings[i].path, strlen(spellings[i].path), encodings[pair / 2]);
            text wanted = text_in(spellings[i].win32, strlen(spellings[i].win32), encodings[pair % 2]);
            unsigned char *buffer = text_room(wanted.path.length);
            size_t length = 0;
            npj_pipe_name name;
            cr_assert(npj_path_parse(&from.path, NPJ_PATH_STRICT, &name) == OK);
            cr_assert(npj_pipe_path(&name, encodings[pair % 2], buffer, wanted.path.length, &length) == OK);
            cr_expect(length == wanted.path.length && memcmp(buffer, wanted.path.bytes, length) == 0,
                      "'%s' from %s to %s", spellings[i].path, encoding_names[pair / 2], encoding_names[pair % 2]);
            free(buffer);
            text_free(&wanted);
            text_free(&from);
        }
    }
}

/* ------------------------------------------------------------------------------------------------- the verdicts */

Test(path, files_are_no_pipes)
{
    static const verdict table[] = {
        {LITERAL("C:\\WINNT\\system32\\spool\\PRINTERS\\00001.SPL"), NO_PIPE, NO_PIPE},
        {LITERAL("C:"), NO_PIPE, NO_PIPE},
        {LITERAL("z:job"), NO_PIPE, NO_PIPE},
        {LITERAL("a:/job"), NO_PIPE, NO_PIPE},
        {LITERAL("A:job"), NO_PIPE, NO_PIPE},
        {LITERAL("Z:job"), NO_PIPE, NO_PIPE},
        {LITERAL("A:\\pipe\\spool"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\share\\job.spl"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\share"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\share\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\pipes\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\pip\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\server\\\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\.\\C:"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\.\\C:\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\.\\mailslot\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\.\\..\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\?\\C:\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\?\\UNC\\server\\share\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\?\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\??\\C:\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\??"), NO_PIPE, NO_PIPE},
        {LITERAL("\\?\\PIPE\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\Device"), NO_PIPE, NO_PIPE},
        {LITERAL("\\Device\\HarddiskVolume1\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\Device\\NamedPipes\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\NamedPipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\foo\\bar"), NO_PIPE, NO_PIPE},
        {LITERAL("\\foo\\bar\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\foo\\pipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\foo"), NO_PIPE, NO_PIPE},
        {LITERAL("\\pipes\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\\\\"), NO_PIPE, NO_PIPE},
        {LITERAL("dir\\file"), NO_PIPE, NO_PIPE},
        {LITERAL("pipe\\spool"), NO_PIPE, NO_PIPE},
        {LITERAL("name\\"), NO_PIPE, NO_PIPE},
        {LITERAL("..\\..\\file"), NO_PIPE, NO_PIPE},
        {LITERAL("a/b\\c"), NO_PIPE, NO_PIPE},
        {LITERAL("C:\\bell\a"), NO_PIPE, NO_PIPE},
        /* No case folding beyond ASCII: U+0130, U+212A and the full-width letters are not their ASCII look-alikes. */
        {LITERAL("\\\\.\\p\xC4\xB0pe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\\xEF\xBD\x90ipe\\job"), NO_PIPE, NO_PIPE},
        {LITERAL("\\Dev\xC4\xB1"
                 "ce\\NamedPipe\\job"),
         NO_PIPE, NO_PIPE},
        {LITERAL("\\\xE1\x9D\xB0ipe\\job"), NO_PIPE, NO_PIPE}, /* U+1770: its low byte is a "p" */
    };
    expect_verdicts(table, ROWS(table));
}

Test(path, a_pipe_path_with_a_bad_name_is_malformed)
{
    static const verdict table[] = {
        {LITERAL(""), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\a\\b"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\a\\"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\\\a"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\..\\C:\\a\\b\\c\\d"), MALFORMED, MALFORMED},
        {LITERAL("\\\\server\\pipe"), MALFORMED, MALFORMED},
        {LITERAL("\\\\server\\pipe\\"), MALFORMED, MALFORMED},
        {LITERAL("\\\\server\\pipe\\a\\b"), MALFORMED, MALFORMED},
        {LITERAL("\\\\\\pipe\\a"), MALFORMED, MALFORMED},
        {LITERAL("\\\\\\pipe"), MALFORMED, MALFORMED},
        {LITERAL("\\Device\\NamedPipe"), MALFORMED, MALFORMED},
        {LITERAL("\\Device\\NamedPipe\\"), MALFORMED, MALFORMED},
        {LITERAL("\\Device\\NamedPipe\\a\\b"), MALFORMED, MALFORMED},
        {LITERAL("\\??\\PIPE"), MALFORMED, MALFORMED},
        {LITERAL("\\??\\PIPE\\"), MALFORMED, MALFORMED},
        {LITERAL("\\??\\PIPE\\a\\b"), MALFORMED, MALFORMED},
        {LITERAL("\\PIPE"), MALFORMED, MALFORMED},
        {LITERAL("\\PIPE\\"), MALFORMED, MALFORMED},
        {LITERAL("\\PIPE\\a\\b"), MALFORMED, MALFORMED},
        {LITERAL("\\PIPE\\\\"), MALFORMED, MALFORMED},
    };
    expect_verdicts(table, ROWS(table));
}

Test(path, nul_is_malformed_wherever_it_stands)
{
    static const verdict table[] = {
        {LITERAL("\0"), MALFORMED, MALFORMED},
        {LITERAL("spool\0"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pipe\\a\0b"), MALFORMED, MALFORMED},
        {LITERAL("\\\\.\\pi\0pe\\a"), MALFORMED, MALFORMED},
        {LITERAL("\\\\ser\0ver\\pipe\\a"), MALFORMED, MALFORMED},
        {LITERAL("C:\\job\0"), MALFORMED, MALFORMED},
        {LITERAL("\0C:\\job"), MALFORMED, MALFORMED},
        {LITERAL("\\\\server\\share\\a\0"), MALFORMED, MALFORMED},
        {LITERAL("\\a\\b\\c\\d\\e\\f\\g\\\0"), MALFORMED, MALFORMED},
    };
    expect_verdicts(table, ROWS(table));
}

Test(path, the_strict_profile_refuses_what_a_file_system_would_read)
{
    static const verdict table[] = {
        /* CVE-2017-7494: Samba loaded a pipe named like a path on its own share. */
        {LITERAL("/home/share/evil.so"), MALFORMED, OK},
        {LITERAL("\\PIPE\\/tmp/evil.so"), MALFORMED, OK},
        {LITERAL("\\\\.\\pipe\\/tmp/evil.so"), MALFORMED, OK},
        /* CVE-2023-3961: Samba took a pipe's name for a place below its socket folder. */
        {LITERAL("../../../../run/dbus/system_bus_socket"), MALFORMED, OK},
        {LITERAL("\\PIPE\\../evil"), MALFORMED, OK},
        {LITERAL("np/../../evil"), MALFORMED, OK},
        {LITERAL("//./pipe/spool"), MALFORMED, OK},
        {LITERAL("/"), MALFORMED, OK},
        {LITERAL("."), MALFORMED, OK},
        {LITERAL(".."), MALFORMED, OK},
        {LITERAL("\\PIPE\\."), MALFORMED, OK},
        {LITERAL("\\PIPE\\.."), MALFORMED, OK},
        {LITERAL("\\\\.\\pipe\\."), MALFORMED, OK},
        {LITERAL("\\\\.\\pipe\\.."), MALFORMED, OK},
        {LITERAL("\\??\\PIPE\\.."), MALFORMED, OK},
        {LITERAL("\\Device\\NamedPipe\\.."), MALFORMED, OK},
        {LITERAL("\\\\..\\pipe\\a"), MALFORMED, OK},
        {LITERAL("\\\\a/b\\pipe\\a"), MALFORMED, OK},
        {LITERAL("\\\\a\nb\\pipe\\a"), MALFORMED, OK},
        {LITERAL("\\\\server\\pipe\\a/b"), MALFORMED, OK},
        {LITERAL("\\\\server\\pipe\\.."), MALFORMED, OK},
        /* What differs from a dot or a colon by the bit that tells the case of a letter. */
        {LITERAL("\\\\\x0E\\pipe\\a"), MALFORMED, OK},
        {LITERAL("c\x1A"), MALFORMED, OK},
    };
    expect_verdicts(table, ROWS(table));
}

Test(path, the_strict_profile_refuses_every_control_character_and_no_other)
{
    for (unsigned code = 1; code <= 0x100; code++) {
        bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        npj_status wanted = control || code == '/' ? MALFORMED : code == '\\' ? NO_PIPE : OK;
        char path[4] = {'a', 'b', (char)code, 0};
        size_t length = 3;
        if (code >= 0x80) {
            path[2] = (char)(0xC0 | code >> 6);
            path[3] = (char)(0x80 | (code & 0x3F));
            length = 4;
        }
        for (size_t e = 0; e < 2; e++) {
            cr_expect(judge(path, length, encodings[e], NPJ_PATH_STRICT) == wanted, "U+%04X", code);
            cr_expect(judge(path, length, encodings[e], NPJ_PATH_PERMISSIVE) == (code == '\\' ? NO_PIPE : OK), "U+%04X",
                      code);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------ limits */

/* The path that is @p prefix and @p count times @p character, and its verdict. */
static npj_status judge_long(const char *prefix, const char *character, size_t count, npj_path_encoding encoding)
{
    size_t start = strlen(prefix);
    size_t width = strlen(character);
    char *path = text_room(start + count * width + 1);
    memcpy(path, prefix, start);
    for (size_t i = 0; i < count; i++)
        memcpy(path + start + i * width, character, width);
    npj_status status = judge(path, start + count * width, encoding, NPJ_PATH_STRICT);
    free(path);
    return status;
}

Test(path, the_win32_form_is_at_most_256_utf16_units)
{
    static const struct {
        const char *prefix;
        size_t most; /* units of NAME: 256 less `\\.\pipe\` or `\\SERVER\pipe\` */
    } forms[] = {
        {"\\\\.\\pipe\\", 247},
        {"\\\\server\\pipe\\", 242},
        {"\\\\s\\pipe\\", 247},
        {"\\PIPE\\", 247},
        {"\\Device\\NamedPipe\\", 247},
        {"\\??\\PIPE\\", 247},
        {"", 247},
    };
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC"};
    for (size_t i = 0; i < ROWS(forms); i++) {
        for (size_t e = 0; e < 2; e++) {
            for (size_t c = 0; c < ROWS(characters); c++) {
                cr_expect(judge_long(forms[i].prefix, characters[c], forms[i].most, encodings[e]) == OK);
                cr_expect(judge_long(forms[i].prefix, characters[c], forms[i].most + 1, encodings[e]) == MALFORMED);
                cr_expect(judge_long(forms[i].prefix, characters[c], 65537, encodings[e]) == MALFORMED);
            }
            cr_expect(judge_long(forms[i].prefix, "\xF0\x9F\x96\xA8", forms[i].most / 2, encodings[e]) == OK);
            cr_expect(judge_long(forms[i].prefix, "\xF0\x9F\x96\xA8", forms[i].most / 2 + 1, encodings[e]) ==
                      MALFORMED);
        }
    }
    cr_expect(judge_long("C:\\", "a", 100000, NPJ_PATH_UTF16LE) == NO_PIPE);
    cr_expect(judge_long("\\\\server\\share\\", "a\\", 100000, NPJ_PATH_UTF8) == NO_PIPE);
}

Test(path, the_server_counts_as_well)
{
    char path[2 + 248 + 7 + 1] = "\\\\";
    memset(path + 2, 's', 247);
    memcpy(path + 2 + 247, "\\pipe\\ab", 8);
    for (size_t e = 0; e < 2; e++) {
        cr_expect(judge(path, 256, encodings[e], NPJ_PATH_STRICT) == OK);
        cr_expect(judge(path, 257, encodings[e], NPJ_PATH_STRICT) == MALFORMED);
    }
}

/* ------------------------------------------------------------------------------------- parameters, opaque names */

Test(path, opaque_bytes_are_taken_unread)
{
    static const char *const paths[] = {"/run/spool.sock", "C:\\job", "\xFF\xFE", "\\\\.\\pipe", "..", "\\"};
    npj_pipe_name name;
    for (size_t i = 0; i < ROWS(paths); i++) {
        text made = text_of(paths[i], strlen(paths[i]), NPJ_PATH_OPAQUE);
        cr_assert(npj_path_parse(&made.path, NPJ_PATH_STRICT, &name) == OK);
        cr_expect(name.form == NPJ_FORM_OPAQUE && name.encoding == NPJ_PATH_OPAQUE);
        cr_expect(name.name == made.path.bytes && name.name_length == made.path.length);
        cr_expect(name.server == NULL && name.server_length == 0);
        text_free(&made);
    }
    npj_path abstract = {"\0npjob", 7, NPJ_PATH_OPAQUE};
    npj_path empty = {"", 0, NPJ_PATH_OPAQUE};
    cr_expect(npj_path_parse(&abstract, NPJ_PATH_PERMISSIVE, NULL) == OK);
    cr_expect(npj_path_parse(&empty, NPJ_PATH_PERMISSIVE, NULL) == MALFORMED);
}

Test(path, parameters)
{
    npj_path good = {"spool", 5, NPJ_PATH_UTF8};
    npj_path no_bytes = {NULL, 0, NPJ_PATH_UTF8};
    npj_path unknown = {"spool", 5, (npj_path_encoding)(NPJ_PATH_OPAQUE + 1)};
    npj_path ill_formed = {"\xFF", 1, NPJ_PATH_UTF8};
    cr_expect(npj_path_parse(&good, NPJ_PATH_STRICT, NULL) == OK);
    cr_expect(npj_path_parse(NULL, NPJ_PATH_STRICT, NULL) == WRONG_PARAMETER);
    cr_expect(npj_path_parse(&no_bytes, NPJ_PATH_STRICT, NULL) == WRONG_PARAMETER);
    no_bytes.encoding = NPJ_PATH_OPAQUE;
    cr_expect(npj_path_parse(&no_bytes, NPJ_PATH_STRICT, NULL) == WRONG_PARAMETER);
    cr_expect(npj_path_parse(&unknown, NPJ_PATH_STRICT, NULL) == WRONG_PARAMETER);
    unknown.encoding = (npj_path_encoding)-1;
    cr_expect(npj_path_parse(&unknown, NPJ_PATH_STRICT, NULL) == WRONG_PARAMETER);
    cr_expect(npj_path_parse(&good, (npj_path_profile)(NPJ_PATH_PERMISSIVE + 1), NULL) == WRONG_PARAMETER);
    cr_expect(npj_path_parse(&good, (npj_path_profile)-1, NULL) == WRONG_PARAMETER);
    cr_expect(npj_path_parse(&ill_formed, (npj_path_profile)2, NULL) == WRONG_PARAMETER, "before the text is judged");
}

Test(path, out_is_untouched_unless_success)
{
    static const char *const paths[] = {"C:\\job", "\\\\.\\pipe\\", "", "\xFF", "a/b"};
    for (size_t i = 0; i < ROWS(paths); i++) {
        npj_path path = {paths[i], strlen(paths[i]), NPJ_PATH_UTF8};
        npj_pipe_name name;
        npj_pipe_name before;
        memset(&name, 0xA5, sizeof name);
        before = name;
        cr_expect(npj_path_parse(&path, NPJ_PATH_STRICT, &name) != OK);
        cr_expect(memcmp(&name, &before, sizeof name) == 0);
    }
}
