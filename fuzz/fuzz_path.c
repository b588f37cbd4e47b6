/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the pipe paths against a second, plainer reading of path.h, which works on UTF-16 units and by prefixes.
 *
 * The first byte of an input says how to read the rest:
 *
 *     bits 0-1   0 UTF-8, 1 UTF-16LE, 2 opaque, 3 an encoding that there is not
 *     bit  2     put the path at an odd address
 *     bit  3     the rest is not a path but a name for npj_pipe_path(): bits 4-6 are its form, the next byte is the
 *                length of SERVER, and what is left are SERVER and NAME
 *
 * Every path is parsed in both profiles and, if it is well-formed, in both encodings; an opaque one in the strict
 * profile.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "npjob/path.h"
#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ------------------------------------------------------------------------------------------- a second transcoder */

/* Text as UTF-16 units. */
typedef struct units {
    uint16_t *at;
    size_t count;
} units;

static bool within(uint8_t byte, uint8_t first, uint8_t last)
{
    return byte >= first && byte <= last;
}

/* The length of the well-formed sequence that @p at begins with, by table 3-7 of the Unicode standard; 0 if none. */
static size_t sequence_length(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t first, last;   /* of the lead */
        uint8_t second, upper; /* of the second byte */
        uint8_t length;
    } table[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!within(at[0], table[i].first, table[i].last))
            continue;
        bool well = left >= table[i].length && (table[i].length < 2 || within(at[1], table[i].second, table[i].upper));
        for (size_t k = 2; well && k < table[i].length; k++)
            well = within(at[k], 0x80, 0xBF);
        return well ? table[i].length : 0;
    }
    return 0;
}

/* False if the text is ill-formed. The units are the caller's to free in either case. */
static bool read_utf8(const uint8_t *bytes, size_t size, units *out)
{
    *out = (units){fuzz_obtain(size * sizeof *out->at), 0};
    for (size_t i = 0; i < size;) {
        size_t length = sequence_length(bytes + i, size - i);
        uint32_t code = 0;
        switch (length) {
        case 1:
            code = bytes[i];
            break;
        case 2:
            code = (bytes[i] - 0xC0u) * 64 + (bytes[i + 1] - 0x80u);
            break;
        case 3:
            code = ((bytes[i] - 0xE0u) * 64 + (bytes[i + 1] - 0x80u)) * 64 + (bytes[i + 2] - 0x80u);
            break;
        case 4:
            code = ((bytes[i] - 0xF0u) * 64 + (bytes[i + 1] - 0x80u)) * 64 + (bytes[i + 2] - 0x80u);
            code = code * 64 + (bytes[i + 3] - 0x80u);
            out->at[out->count++] = (uint16_t)(0xD800 + (code - 0x10000) / 1024);
            code = 0xDC00 + (code - 0x10000) % 1024;
            break;
        default:
            return false;
        }
        out->at[out->count++] = (uint16_t)code;
        i += length;
    }
    return true;
}

static bool is_high(uint16_t unit)
{
    return unit / 1024 == 0xD800 / 1024;
}

static bool is_low(uint16_t unit)
{
    return unit / 1024 == 0xDC00 / 1024;
}

static bool read_utf16(const uint8_t *bytes, size_t size, units *out)
{
    bool low_is_due = false;
    *out = (units){fuzz_obtain(size), size / 2};
    for (size_t i = 0; i < out->count; i++) {
        uint16_t unit = (uint16_t)(bytes[2 * i] + 256 * bytes[2 * i + 1]);
        if (is_low(unit) != low_is_due)
            return false;
        low_is_due = is_high(unit);
        out->at[i] = unit;
    }
    return !low_is_due && size % 2 == 0;
}

static bool read_units(const void *bytes, size_t size, npj_path_encoding encoding, units *out)
{
    return encoding == NPJ_PATH_UTF8 ? read_utf8(bytes, size, out) : read_utf16(bytes, size, out);
}

/* Writes well-formed text to @p out, which has room for three bytes a unit; returns the length. */
static size_t write_units(const units *text, npj_path_encoding encoding, uint8_t *out)
{
    size_t length = 0;
    for (size_t i = 0; i < text->count; i++) {
        uint32_t code = text->at[i];
        if (encoding == NPJ_PATH_UTF16LE) {
            out[length++] = (uint8_t)(code % 256);
            out[length++] = (uint8_t)(code / 256);
        } else if (is_high(text->at[i])) {
            code = 0x10000 + (code - 0xD800) * 1024 + (text->at[++i] - 0xDC00u);
            out[length++] = (uint8_t)(0xF0 + code / 262144);
            out[length++] = (uint8_t)(0x80 + code / 4096 % 64);
            out[length++] = (uint8_t)(0x80 + code / 64 % 64);
            out[length++] = (uint8_t)(0x80 + code % 64);
        } else if (code >= 0x800) {
            out[length++] = (uint8_t)(0xE0 + code / 4096);
            out[length++] = (uint8_t)(0x80 + code / 64 % 64);
            out[length++] = (uint8_t)(0x80 + code % 64);
        } else if (code >= 0x80) {
            out[length++] = (uint8_t)(0xC0 + code / 64);
            out[length++] = (uint8_t)(0x80 + code % 64);
        } else {
            out[length++] = (uint8_t)code;
        }
    }
    return length;
}

/* --------------------------------------------------------------------------------------- a second reading of path.h */

/* What the model says of a text: a verdict and, for a pipe, its parts. */
typedef struct model {
    npj_status status;
    npj_path_form form;
    units server;
    units name;
} model;

/* Whether @p text has @p word, in any ASCII case, at @p place, and then ends or goes on with a backslash. */
static bool has_word(const units *text, size_t place, const char *word)
{
    for (; *word != '\0'; word++, place++) {
        if (place >= text->count)
            return false;
        unsigned unit = text->at[place];
        if (unit != (unsigned char)*word && !(*word >= 'a' && *word <= 'z' && unit == (unsigned char)*word - 32u))
            return false;
    }
    return place == text->count || text->at[place] == '\\';
}

static bool contains(const units *text, uint16_t unit)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->at[i] == unit)
            return true;
    return false;
}

static bool is_refused_by_strict(const units *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->at[i] <= 0x1F || (text->at[i] >= 0x7F && text->at[i] <= 0x9F) || text->at[i] == '/')
            return true;
    return text->count <= 2 && text->count > 0 && text->at[0] == '.' && text->at[text->count - 1] == '.';
}

/* The units of the fixed prefix that makes @p text a pipe path; 0 if there is none. Fills form and server. */
static size_t find_prefix(const units *text, model *says)
{
    size_t end = 2;
    if (has_word(text, 0, "\\device\\namedpipe")) {
        says->form = NPJ_FORM_DEVICE;
        return 17;
    }
    if (has_word(text, 0, "\\??\\pipe")) {
        says->form = NPJ_FORM_OBJECT;
        return 8;
    }
    if (has_word(text, 0, "\\pipe")) {
        says->form = NPJ_FORM_SMB;
        return 5;
    }
    if (text->count < 2 || text->at[0] != '\\' || text->at[1] != '\\' || has_word(text, 0, "\\\\?"))
        return 0;
    while (end < text->count && text->at[end] != '\\')
        end++;
    if (!has_word(text, end, "\\pipe"))
        return 0;
    says->form = has_word(text, 0, "\\\\.") ? NPJ_FORM_LOCAL : NPJ_FORM_REMOTE;
    if (says->form == NPJ_FORM_REMOTE)
        says->server = (units){text->at + 2, end - 2};
    return end + 5;
}

static model ask_model(const units *text, bool strict)
{
    model says = {.status = NPJ_STATUS_OBJECT_NAME_INVALID};
    if (text->count == 0 || contains(text, 0))
        return says;
    size_t prefix = find_prefix(text, &says);
    if (prefix == 0) {
        unsigned letter = text->at[0] | 0x20u;
        bool drive = text->count >= 2 && text->at[1] == ':' && letter >= 'a' && letter <= 'z';
        if (drive || contains(text, '\\')) {
            says.status = NPJ_STATUS_INVALID_DEVICE_REQUEST;
            return says;
        }
        says.form = NPJ_FORM_RELATIVE;
        says.name = *text;
    } else if (prefix + 1 < text->count) {
        says.name = (units){text->at + prefix + 1, text->count - prefix - 1};
    }
    size_t length = says.name.count + (says.form == NPJ_FORM_REMOTE ? 8 + says.server.count : 9);
    bool bad = says.name.count == 0 || contains(&says.name, '\\') || length > 256 ||
               (says.form == NPJ_FORM_REMOTE && says.server.count == 0) ||
               (strict && (is_refused_by_strict(&says.name) || is_refused_by_strict(&says.server)));

    says.status = bad ? NPJ_STATUS_OBJECT_NAME_INVALID : NPJ_STATUS_SUCCESS;
    return says;
}

/* ------------------------------------------------------------------------------------------------ the properties */

static bool is_text(const void *bytes, size_t length, npj_path_encoding encoding, const units *expected)
{
    units found;
    bool same = read_units(bytes, length, encoding, &found) && found.count == expected->count &&
                (found.count == 0 || memcmp(found.at, expected->at, found.count * sizeof *found.at) == 0);

    free(found.at);
    return same;
}

static bool is_inside(const void *part, size_t length, const npj_path *path)
{
    uintptr_t start = (uintptr_t)path->bytes;
    return (uintptr_t)part >= start && (uintptr_t)part + length <= start + path->length;
}

static void check_name(const npj_pipe_name *name, const npj_path *path, const model *says)
{
    bool remote = says->form == NPJ_FORM_REMOTE;
    fuzz_require(name->form == says->form, "the form is the model's");
    fuzz_require(name->encoding == path->encoding, "the name has the path's encoding");
    fuzz_require(is_inside(name->name, name->name_length, path), "NAME lies inside the path");
    fuzz_require(is_text(name->name, name->name_length, name->encoding, &says->name), "NAME is the model's");
    fuzz_require((name->server != NULL) == remote && (remote || name->server_length == 0),
                 "only a remote path has SERVER");
    if (remote) {
        fuzz_require(is_inside(name->server, name->server_length, path), "SERVER lies inside the path");
        fuzz_require(is_text(name->server, name->server_length, name->encoding, &says->server),
                     "SERVER is the model's");
    }
}

/* Writes the name, whose parts are those of @p says, and parses what was written. */
static void check_written(const npj_pipe_name *name, npj_path_encoding encoding, npj_path_profile profile, model says)
{
    uint8_t large[NPJ_PIPE_PATH_MAX];
    size_t length = 0;
    size_t untouched = 0;
    npj_pipe_name again;
    fuzz_require(npj_pipe_path(name, encoding, large, sizeof large, &length) == NPJ_STATUS_SUCCESS,
                 "NPJ_PIPE_PATH_MAX bytes are always enough");
    uint8_t *exact = fuzz_obtain(length);
    memset(exact, 0xA5, length);
    fuzz_require(npj_pipe_path(name, encoding, exact, length - 1, &untouched) == NPJ_STATUS_INVALID_PARAMETER &&
                     untouched == 0 && exact[0] == 0xA5,
                 "a buffer too small by one is refused and left alone");
    fuzz_require(npj_pipe_path(name, encoding, exact, length, &length) == NPJ_STATUS_SUCCESS &&
                     memcmp(exact, large, length) == 0,
                 "a buffer of the exact size is enough");
    npj_path path = {exact, length, encoding};
    fuzz_require(npj_path_parse(&path, profile, &again) == NPJ_STATUS_SUCCESS, "what was written parses");
    if (says.form != NPJ_FORM_REMOTE)
        says.form = NPJ_FORM_LOCAL;
    check_name(&again, &path, &says);
    free(exact);
}

/* Parses one well-formed text in one encoding and one profile. */
static npj_status check_path(const npj_path *path, const units *text, npj_path_profile profile)
{
    model says = ask_model(text, profile == NPJ_PATH_STRICT);
    npj_pipe_name name;
    npj_pipe_name before;
    memset(&name, 0xA5, sizeof name);
    memcpy(&before, &name, sizeof name);
    fuzz_require(npj_path_parse(path, profile, &name) == says.status, "the verdict is the model's");
    fuzz_require(npj_path_parse(path, profile, NULL) == says.status, "the verdict is the same without a result");
    if (says.status == NPJ_STATUS_SUCCESS) {
        check_name(&name, path, &says);
        check_written(&name, NPJ_PATH_UTF8, profile, says);
        check_written(&name, NPJ_PATH_UTF16LE, profile, says);
    } else {
        fuzz_require(memcmp(&name, &before, sizeof name) == 0, "the result is untouched on failure");
    }
    return says.status;
}

static void check_profiles(const npj_path *path, const units *text)
{
    npj_status strict = check_path(path, text, NPJ_PATH_STRICT);
    npj_status permissive = check_path(path, text, NPJ_PATH_PERMISSIVE);
    fuzz_require(strict == permissive || (strict == NPJ_STATUS_OBJECT_NAME_INVALID && permissive == NPJ_STATUS_SUCCESS),
                 "strict is permissive, less some names");
}

static void check_text(const npj_path *path)
{
    units text;
    if (!read_units(path->bytes, path->length, path->encoding, &text)) {
        fuzz_require(npj_path_parse(path, NPJ_PATH_STRICT, NULL) == NPJ_STATUS_OBJECT_NAME_INVALID &&
                         npj_path_parse(path, NPJ_PATH_PERMISSIVE, NULL) == NPJ_STATUS_OBJECT_NAME_INVALID,
                     "ill-formed text is malformed");
    } else {
        npj_path_encoding other = path->encoding == NPJ_PATH_UTF8 ? NPJ_PATH_UTF16LE : NPJ_PATH_UTF8;
        uint8_t *room = fuzz_obtain(text.count * 3);
        size_t length = write_units(&text, other, room);
        uint8_t *exact = fuzz_obtain(length);
        npj_path twin = {exact, length, other};
        memcpy(exact, room, length);
        free(room);
        check_profiles(path, &text);
        check_profiles(&twin, &text);
        free(exact);
    }
    free(text.at);
}

static void check_opaque(const npj_path *path)
{
    npj_status expected = path->length == 0 ? NPJ_STATUS_OBJECT_NAME_INVALID : NPJ_STATUS_SUCCESS;
    npj_pipe_name name = {0};
    uint8_t buffer[NPJ_PIPE_PATH_MAX];
    size_t length = 0;
    fuzz_require(npj_path_parse(path, NPJ_PATH_STRICT, &name) == expected, "opaque bytes are a pipe");
    if (expected == NPJ_STATUS_SUCCESS) {
        fuzz_require(name.form == NPJ_FORM_OPAQUE && name.name == path->bytes && name.name_length == path->length,
                     "an opaque name is all of the path");
        fuzz_require(npj_pipe_path(&name, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) ==
                         NPJ_STATUS_INVALID_PARAMETER,
                     "an opaque name is not written");
    }
}

/* Whatever npj_pipe_path() accepts, and be it made by hand, is the path of that very name. */
static void check_made(const npj_path *parts, unsigned form)
{
    size_t server_length = parts->length == 0 ? 0 : *(const uint8_t *)parts->bytes;
    uint8_t buffer[NPJ_PIPE_PATH_MAX];
    size_t length = 0;
    model says = {NPJ_STATUS_SUCCESS, (npj_path_form)form, {NULL, 0}, {NULL, 0}};
    if (server_length + 1 > parts->length)
        return;
    const uint8_t *server = (const uint8_t *)parts->bytes + 1;
    npj_pipe_name made = {
        (npj_path_form)form, parts->encoding, server + server_length, parts->length - 1 - server_length, server,
        server_length};

    if (npj_pipe_path(&made, NPJ_PATH_UTF8, buffer, sizeof buffer, &length) == NPJ_STATUS_SUCCESS) {
        fuzz_require(form < NPJ_FORM_OPAQUE, "a form that can be written");
        fuzz_require(made.encoding == NPJ_PATH_UTF8 || made.encoding == NPJ_PATH_UTF16LE,
                     "an encoding that can be read");
        bool well = read_units(made.name, made.name_length, made.encoding, &says.name);
        fuzz_require(read_units(made.server, made.server_length, made.encoding, &says.server) ||
                         form != NPJ_FORM_REMOTE,
                     "SERVER is well-formed");
        fuzz_require(well, "NAME is well-formed");
        check_written(&made, NPJ_PATH_UTF8, NPJ_PATH_PERMISSIVE, says);
        check_written(&made, NPJ_PATH_UTF16LE, NPJ_PATH_PERMISSIVE, says);
        free(says.name.at);
        free(says.server.at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_campaign()->executions++;
    if (size == 0)
        return 0;
    unsigned header = data[0];
    size_t shift = header >> 2 & 1;
    uint8_t *block = fuzz_obtain(size - 1 + shift);
    npj_path path = {block + shift, size - 1, (npj_path_encoding)(header & 3)};
    memcpy(block + shift, data + 1, size - 1);
    if ((header & 8) != 0) {
        check_made(&path, header >> 4 & 7);
    } else if (path.encoding == NPJ_PATH_OPAQUE) {
        check_opaque(&path);
    } else if (path.encoding == NPJ_PATH_UTF8 || path.encoding == NPJ_PATH_UTF16LE) {
        check_text(&path);
    } else {
        fuzz_require(npj_path_parse(&path, NPJ_PATH_STRICT, NULL) == NPJ_STATUS_INVALID_PARAMETER,
                     "an unknown encoding is an invalid parameter");
    }
    free(block);
    return 0;
}
