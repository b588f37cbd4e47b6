/* SPDX-License-Identifier: MIT */
/*
 * Pipe paths. One pass splits the text at its backslashes and proves it well-formed; everything else is decided by the
 * parts, as path.h has it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "npjob/path.h"
#include "utf.h"

enum {
    LENGTH_MAX = 256, /* of the Win32 form, in UTF-16 units */
    PARTS_MAX = 6     /* the longest form, `\\SERVER\pipe\NAME`, has five; the sixth is whatever is too much */
};

static const char win32_local[] = "\\\\.\\pipe\\";
static const char win32_share[] = "\\pipe\\"; /* between SERVER and NAME */

/* What stands between two backslashes. */
typedef struct path_part {
    const unsigned char *start;
    size_t length; /* in bytes */
    size_t units;  /* in UTF-16 units */
    bool unsafe;   /* holds a character that the strict profile refuses */
} path_part;

typedef struct path_parts {
    path_part part[PARTS_MAX];
    size_t count;
    npj_path_encoding encoding;
} path_parts;

static bool is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == '/';
}

static path_part *begin_part(path_parts *parts, const unsigned char *start)
{
    if (parts->count < PARTS_MAX)
        parts->count++;
    path_part *part = &parts->part[parts->count - 1];
    *part = (path_part){.start = start};
    return part;
}

/* The one pass. False if the text is ill-formed or holds a NUL. */
static bool split(const void *bytes, size_t length, npj_path_encoding encoding, path_parts *parts)
{
    const unsigned char *start = bytes;
    npji_utf_cursor cursor = {start, start + length, encoding};
    *parts = (path_parts){.encoding = encoding};
    path_part *part = begin_part(parts, start);
    for (;;) {
        const unsigned char *before = cursor.at;
        uint32_t code = npji_utf_next(&cursor);
        if (code > NPJI_UTF_LAST)
            return code == NPJI_UTF_END;
        if (code == 0)
            return false;
        if (code == '\\') {
            part = begin_part(parts, cursor.at);
            continue;
        }
        part->length += (size_t)(cursor.at - before);
        part->units += code < 0x10000 ? 1 : 2;
        part->unsafe = part->unsafe || is_unsafe(code);
    }
}

/* The character at a place of a part that is there, an ASCII capital in lower case; 0 if there is none. Only ASCII is
 * told apart. */
static unsigned ascii_at(const path_parts *parts, size_t index, size_t place)
{
    const path_part *part = &parts->part[index];
    size_t width = parts->encoding == NPJ_PATH_UTF8 ? 1 : 2;
    if (place >= part->length / width)
        return 0;
    const unsigned char *at = part->start + place * width;
    if (width == 2 && at[1] != 0)
        return 0;
    return at[0] >= 'A' && at[0] <= 'Z' ? at[0] + ('a' - 'A') : at[0];
}

/* Whether a part is this word (ASCII, in lower case). */
static bool is_word(const path_parts *parts, size_t index, const char *word)
{
    size_t place = 0;
    for (; word[place] != '\0'; place++)
        if (ascii_at(parts, index, place) != (unsigned char)word[place])
            return false;
    return parts->part[index].units == place;
}

static bool is_drive(const path_parts *parts)
{
    unsigned letter = ascii_at(parts, 0, 0);
    return letter >= 'a' && letter <= 'z' && ascii_at(parts, 0, 1) == ':';
}

/* How a path names a pipe: the spelling, and which of its parts are SERVER (0 for none) and NAME. */
typedef struct path_shape {
    npj_path_form form;
    size_t server;
    size_t name;
} path_shape;

/* Decides by the fixed parts alone whether this is a pipe's path. */
static bool find_shape(const path_parts *parts, path_shape *shape)
{
    if (parts->count == 1) {
        *shape = (path_shape){NPJ_FORM_RELATIVE, 0, 0};
        return !is_drive(parts);
    }
    if (parts->part[0].units != 0)
        return false; /* a relative file path, or a drive's */
    if (is_word(parts, 1, "pipe")) {
        *shape = (path_shape){NPJ_FORM_SMB, 0, 2};
        return true;
    }
    if (is_word(parts, 1, "device") && is_word(parts, 2, "namedpipe")) {
        *shape = (path_shape){NPJ_FORM_DEVICE, 0, 3};
        return true;
    }
    if (is_word(parts, 1, "??") && is_word(parts, 2, "pipe")) {
        *shape = (path_shape){NPJ_FORM_OBJECT, 0, 3};
        return true;
    }
    if (!is_word(parts, 1, "") || !is_word(parts, 3, "pipe") || is_word(parts, 2, "?"))
        return false;
    *shape = is_word(parts, 2, ".") ? (path_shape){NPJ_FORM_LOCAL, 0, 4} : (path_shape){NPJ_FORM_REMOTE, 2, 4};
    return true;
}

static bool is_safe(const path_parts *parts, size_t index)
{
    return !parts->part[index].unsafe && !is_word(parts, index, ".") && !is_word(parts, index, "..");
}

/* Whether SERVER and NAME are there, short enough, and let through by the profile. */
static bool is_valid(const path_parts *parts, const path_shape *shape, npj_path_profile profile)
{
    if (parts->count != shape->name + 1 || parts->part[shape->name].units == 0)
        return false;
    size_t units = parts->part[shape->name].units;
    if (shape->form == NPJ_FORM_REMOTE) {
        if (parts->part[shape->server].units == 0)
            return false;
        units += 2 + parts->part[shape->server].units + (sizeof win32_share - 1);
    } else {
        units += sizeof win32_local - 1;
    }
    if (units > LENGTH_MAX)
        return false;
    return profile == NPJ_PATH_PERMISSIVE || (is_safe(parts, shape->name) && is_safe(parts, shape->server));
}

npj_status npj_path_parse(const npj_path *path, npj_path_profile profile, npj_pipe_name *out)
{
    path_parts parts;
    path_shape shape;
    npj_pipe_name found = {0};
    if (path == NULL || path->bytes == NULL || (unsigned)path->encoding > NPJ_PATH_OPAQUE ||
        (unsigned)profile > NPJ_PATH_PERMISSIVE) {
        return NPJ_STATUS_INVALID_PARAMETER;
    }
    found.encoding = path->encoding;
    if (path->length == 0)
        return NPJ_STATUS_OBJECT_NAME_INVALID;
    if (path->encoding == NPJ_PATH_OPAQUE) {
        found.form = NPJ_FORM_OPAQUE;
        found.name = path->bytes;
        found.name_length = path->length;
    } else {
        if (!split(path->bytes, path->length, path->encoding, &parts))
            return NPJ_STATUS_OBJECT_NAME_INVALID;
        if (!find_shape(&parts, &shape))
            return NPJ_STATUS_INVALID_DEVICE_REQUEST;
        if (!is_valid(&parts, &shape, profile))
            return NPJ_STATUS_OBJECT_NAME_INVALID;
        found.form = shape.form;
        found.name = parts.part[shape.name].start;
        found.name_length = parts.part[shape.name].length;
        if (shape.server != 0) {
            found.server = parts.part[shape.server].start;
            found.server_length = parts.part[shape.server].length;
        }
    }
    if (out != NULL)
        *out = found;
    return NPJ_STATUS_SUCCESS;
}

/* ------------------------------------------------------------------------------------------- writing a path again */

/* Where a path is written to; with a null pointer it is only measured. */
typedef struct path_sink {
    unsigned char *at;
    size_t length;
    npj_path_encoding encoding;
} path_sink;

static void put_code(path_sink *sink, uint32_t code)
{
    unsigned char bytes[4];
    size_t length = npji_utf_encode(code, sink->encoding, bytes);
    for (size_t i = 0; sink->at != NULL && i < length; i++)
        *sink->at++ = bytes[i];
    sink->length += length;
}

static void put_ascii(path_sink *sink, const char *text)
{
    while (*text != '\0')
        put_code(sink, (unsigned char)*text++);
}

static void put_text(path_sink *sink, const void *bytes, size_t length, npj_path_encoding encoding)
{
    npji_utf_cursor cursor = {bytes, (const unsigned char *)bytes + length, encoding};
    for (uint32_t code = npji_utf_next(&cursor); code <= NPJI_UTF_LAST; code = npji_utf_next(&cursor))
        put_code(sink, code);
}

static size_t put_path(const npj_pipe_name *name, npj_path_encoding encoding, unsigned char *at)
{
    path_sink sink = {at, 0, encoding};
    if (name->form == NPJ_FORM_REMOTE) {
        put_ascii(&sink, "\\\\");
        put_text(&sink, name->server, name->server_length, name->encoding);
        put_ascii(&sink, win32_share);
    } else {
        put_ascii(&sink, win32_local);
    }
    put_text(&sink, name->name, name->name_length, name->encoding);
    return sink.length;
}

/* Looks at one part of a name, which the host may have made or changed since it was parsed. */
static bool resplit(const void *bytes, size_t length, npj_path_encoding encoding, path_parts *parts)
{
    return bytes != NULL && length != 0 && split(bytes, length, encoding, parts) && parts->count == 1;
}

/* Whether npj_path_parse() can have given this name, so that its path parses to the same name again. */
static bool is_parsed(const npj_pipe_name *name)
{
    path_parts parts;
    size_t units = sizeof win32_local - 1;
    if ((unsigned)name->form >= NPJ_FORM_OPAQUE || (unsigned)name->encoding >= NPJ_PATH_OPAQUE)
        return false;
    if (name->form == NPJ_FORM_REMOTE) {
        if (!resplit(name->server, name->server_length, name->encoding, &parts) || is_word(&parts, 0, ".") ||
            is_word(&parts, 0, "?")) {
            return false;
        }
        units = 2 + parts.part[0].units + (sizeof win32_share - 1);
    }
    return units <= LENGTH_MAX && resplit(name->name, name->name_length, name->encoding, &parts) &&
           parts.part[0].units <= LENGTH_MAX - units;
}

npj_status npj_pipe_path(const npj_pipe_name *name, npj_path_encoding encoding, void *buffer, size_t capacity,
                         size_t *length)
{
    if (name == NULL || buffer == NULL || length == NULL || (unsigned)encoding >= NPJ_PATH_OPAQUE || !is_parsed(name))
        return NPJ_STATUS_INVALID_PARAMETER;
    if (put_path(name, encoding, NULL) > capacity)
        return NPJ_STATUS_INVALID_PARAMETER;
    *length = put_path(name, encoding, buffer);
    return NPJ_STATUS_SUCCESS;
}
