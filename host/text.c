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

/* Controls, ends of lines, what turns the direction of a line, what is not seen (Default_Ignorable_Code_Point and the
 * interlinear annotations of Unicode), and what is no character; the last two of each plane are not listed. */
static const uint32_t unprintable[][2] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
    {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

static bool is_printable(uint32_t code)
{
    for (size_t i = 0; i < sizeof unprintable / sizeof *unprintable && code >= unprintable[i][0]; i++)
        if (code <= unprintable[i][1])
            return false;
    return (code & 0xFFFE) != 0xFFFE;
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
