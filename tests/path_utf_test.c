/* SPDX-License-Identifier: MIT */
/* Ill-formed text is malformed wherever it stands, in both profiles. */
#include <criterion/criterion.h>

#include "npjob/path.h"
#include "path_text.h"

#define LITERAL(text) text, sizeof(text) - 1
#define ROWS(table)   (sizeof(table) / sizeof(table)[0])
#define OK            NPJ_STATUS_SUCCESS
#define MALFORMED     NPJ_STATUS_OBJECT_NAME_INVALID

/* Bytes that cannot be spelled in the other encoding. */
static void expect_raw(const char *bytes, size_t length, npj_path_encoding encoding, npj_status expected)
{
    for (int profile = NPJ_PATH_STRICT; profile <= NPJ_PATH_PERMISSIVE; profile++) {
        text made = text_of(bytes, length, encoding);
        npj_status status = npj_path_parse(&made.path, (npj_path_profile)profile, NULL);
        cr_expect(status == expected, "%zu bytes of %s that end in %02x: %s", length,
                  encoding == NPJ_PATH_UTF8 ? "UTF-8" : "UTF-16LE", length == 0 ? 0u : (unsigned char)bytes[length - 1],
                  npj_status_name(status));
        text_free(&made);
    }
}

Test(path_utf, ill_formed_utf8)
{
    static const struct {
        const char *bytes;
        size_t length;
    } table[] = {
        {LITERAL("\x80")}, /* a continuation alone */
        {LITERAL("\x82\x80")},
        {LITERAL("\xBF")},
        {LITERAL("a\xC3")},        /* cut short, after one of two bytes */
        {LITERAL("\xE2\x82")},     /* two of three */
        {LITERAL("\xE2")},         /* one of three */
        {LITERAL("\xF0\x9F\x96")}, /* three of four */
        {LITERAL("\xF0")},         /* one of four */
        {LITERAL("\xC3(")},        /* no continuation where one is due */
        {LITERAL("\xC3\xC3")},
        {LITERAL("\xE2(\x82")},
        {LITERAL("\xE2\x82(")},
        {LITERAL("\xF0\x9F\x96(")},
        {LITERAL("\xC0\x80")},                 /* overlong NUL */
        {LITERAL("\xC0\xAF")},                 /* overlong slash */
        {LITERAL("\xC1\x9C")},                 /* overlong backslash */
        {LITERAL("\xC1\xBF")},                 /* overlong U+007F */
        {LITERAL("\xE0\x81\x9C")},             /* overlong in three */
        {LITERAL("\xE0\x9F\xBF")},             /* overlong U+07FF */
        {LITERAL("\xF0\x80\x81\x9C")},         /* overlong in four */
        {LITERAL("\xF0\x8F\xBF\xBF")},         /* overlong U+FFFF */
        {LITERAL("\xED\xA0\x80")},             /* U+D800 */
        {LITERAL("\xED\xBF\xBF")},             /* U+DFFF */
        {LITERAL("\xED\xA0\xBD\xED\xB6\xA8")}, /* a pair, as CESU-8 */
        {LITERAL("\xF4\x90\x80\x80")},         /* U+110000 */
        {LITERAL("\xF5\x80\x80\x80")},
        {LITERAL("\xF8\x88\x80\x80\x80")}, /* five bytes */
        {LITERAL("\xF9\x80\x80\x80")},
        {LITERAL("\xFE")},
        {LITERAL("\xFF")},
        {LITERAL("C:\\job\xFF")}, /* in a file path too */
        {LITERAL("\\\\server\\share\\\xC3")},
        {LITERAL("\\\\.\\pipe\\a\\\x80")},
        {LITERAL("\\\\.\\pipe\\\xC1\x9C")},
        {LITERAL("\\a\\b\\c\\d\\e\\f\\g\\\x80")},
    };
    for (size_t i = 0; i < ROWS(table); i++)
        expect_raw(table[i].bytes, table[i].length, NPJ_PATH_UTF8, MALFORMED);
}

Test(path_utf, ill_formed_utf16)
{
    static const struct {
        const char *bytes;
        size_t length;
    } table[] = {
        {LITERAL("a")}, /* odd lengths */
        {LITERAL("a\0b")},
        {LITERAL("C\0:\0\\\0a")},
        {LITERAL("\x00\xD8")}, /* a high surrogate at the end */
        {LITERAL("\xFF\xDB")},
        {LITERAL("\x00\xD8g")},         /* with half a unit behind it */
        {LITERAL("\x3D\xD8\xA8\xDDg")}, /* behind a pair as well */
        {LITERAL("\x00\xD8"             /* before another character */
                 "a\0")},
        {LITERAL("\x3D\xD8\x3D\xD8")}, /* before another high one */
        {LITERAL("\x3D\xD8\x00\xE0")}, /* before what comes next after the low ones */
        {LITERAL("\x3D\xD8\xFF\xDB")}, /* before what comes last before them */
        {LITERAL("\x00\xDC")},         /* a low surrogate alone */
        {LITERAL("\x00\xDC\x00\xDC")},
        {LITERAL("\xFF\xDF")},
        {LITERAL("\xA8\xDD\x3D\xD8")},   /* a pair the wrong way round */
        {LITERAL("C\0:\0\\\0\x00\xD8")}, /* in a file path too */
        {LITERAL("\\\0P\0I\0P\0E\0\\\0\x00\xDC")},
    };
    for (size_t i = 0; i < ROWS(table); i++)
        expect_raw(table[i].bytes, table[i].length, NPJ_PATH_UTF16LE, MALFORMED);
    expect_raw(LITERAL("\x3D\xD8\xA8\xDD"), NPJ_PATH_UTF16LE, OK);
    expect_raw(LITERAL("\x00\xD8\x00\xDC"), NPJ_PATH_UTF16LE, OK);
    expect_raw(LITERAL("\xFF\xDB\xFF\xDF"), NPJ_PATH_UTF16LE, OK);
    expect_raw(LITERAL("\xFF\xD7\x00\xE0"), NPJ_PATH_UTF16LE, OK);
}
