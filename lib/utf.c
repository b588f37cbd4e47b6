/* SPDX-License-Identifier: MIT */
/* Strict decoding and encoding: what is read here has one spelling only, so that two readers of a name cannot differ.
 */
#include "utf.h"

static uint32_t next_utf8(npji_utf_cursor *cursor)
{
    static const uint32_t shortest[] = {0, 0x80, 0x800, 0x10000};
    unsigned lead = *cursor->at++;
    if (lead < 0x80)
        return lead;
    if (lead < 0xC0 || lead > 0xF7) /* a stray continuation, or no lead of any length */
        return NPJI_UTF_ILL_FORMED;
    unsigned more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t code = lead & (0x3Fu >> more);
    if ((size_t)(cursor->end - cursor->at) < more)
        return NPJI_UTF_ILL_FORMED;
    for (unsigned i = 0; i < more; i++) {
        unsigned byte = *cursor->at++;
        if ((byte & 0xC0) != 0x80)
            return NPJI_UTF_ILL_FORMED;
        code = code << 6 | (byte & 0x3F);
    }
    if (code < shortest[more] || code > NPJI_UTF_LAST || (code >= 0xD800 && code <= 0xDFFF))
        return NPJI_UTF_ILL_FORMED;
    return code;
}

static uint32_t next_unit(npji_utf_cursor *cursor)
{
    uint32_t unit = (uint32_t)cursor->at[0] | (uint32_t)cursor->at[1] << 8;
    cursor->at += 2;
    return unit;
}

static uint32_t next_utf16(npji_utf_cursor *cursor)
{
    if (cursor->end - cursor->at < 2)
        return NPJI_UTF_ILL_FORMED; /* an odd length */
    uint32_t high = next_unit(cursor);
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || cursor->end - cursor->at < 2)
        return NPJI_UTF_ILL_FORMED;
    uint32_t low = next_unit(cursor);
    if (low < 0xDC00 || low > 0xDFFF)
        return NPJI_UTF_ILL_FORMED;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

uint32_t npji_utf_next(npji_utf_cursor *cursor)
{
    if (cursor->at == cursor->end)
        return NPJI_UTF_END;
    return cursor->encoding == NPJ_PATH_UTF8 ? next_utf8(cursor) : next_utf16(cursor);
}

static size_t encode_utf8(uint32_t code, unsigned char out[4])
{
    static const unsigned char leads[] = {0x00, 0xC0, 0xE0, 0xF0};
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (unsigned i = more; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (unsigned char)(leads[more] | code);
    return more + 1;
}

static void put_unit(uint32_t unit, unsigned char *out)
{
    out[0] = (unsigned char)(unit & 0xFF);
    out[1] = (unsigned char)(unit >> 8);
}

size_t npji_utf_encode(uint32_t code, npj_path_encoding encoding, unsigned char out[4])
{
    if (encoding == NPJ_PATH_UTF8)
        return encode_utf8(code, out);
    if (code < 0x10000) {
        put_unit(code, out);
        return 2;
    }
    put_unit(0xD800 + ((code - 0x10000) >> 10), out);
    put_unit(0xDC00 + ((code - 0x10000) & 0x3FF), out + 2);
    return 4;
}
