/* SPDX-License-Identifier: MIT */
/* Text from strangers, made fit to be printed. */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The character at the start of @bytes, and how many bytes it takes (0: ill-formed). */
static size_t character_at(const unsigned char *bytes, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter ones are overlong */
    unsigned char first = bytes[0];
    size_t size = first < 0x80 ? 1 : first > 0xF4 || first < 0xC2 ? 0 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (size == 0 || size > length)
        return 0;
    *code = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[size] || *code > 0x10FFFF || surrogate ? 0 : size;
}

static bool is_printable(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    bool line = code == 0x2028 || code == 0x2029;
    bool direction = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E);
    bool unseen = (code >= 0x200B && code <= 0x200D) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
    bool none = (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
    return !control && !line && !direction && !unseen && !none;
}

size_t npjpi_text_printable(const char *text, size_t length)
{
    uint32_t code = 0;
    size_t size = character_at((const unsigned char *)text, length, &code);
    return size > 0 && is_printable(code) ? size : 0;
}

size_t npjpi_text_clean(const char *text, size_t length, char *out, size_t capacity)
{
    size_t copied = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t size = character_at((const unsigned char *)text + at, length - at, &code);
        bool good = size > 0 && is_printable(code);
        size_t given = good ? size : 1;
        if (given > capacity - copied)
            break;
        if (good)
            memmove(out + copied, text + at, size);
        else
            out[copied] = '_';
        copied += given;
        at += size > 0 ? size : 1;
    }
    return copied;
}
