/* SPDX-License-Identifier: MIT */
/*
 * A request is read part by part. A part is either kept, in field or in client, or dropped as it comes; when all of it
 * has come, it says which part is next.
 */
#include "npa.h"

#include <string.h>

enum { LEVEL_FIRST = 6, LEVEL_LAST = 8 };

/* The parts of a request, in their order. */
enum {
    PART_LENGTH,       /* into field */
    PART_FIXED,        /* into field */
    PART_NAME_HEAD,    /* into field */
    PART_NAME,         /* into client.name */
    PART_ADDRESS_HEAD, /* into field */
    PART_ADDRESS,      /* into client.address */
    PART_REST          /* dropped: the server's own name and address, and session_info */
};

/* Lengths of the parts that are always the same, and where members stand in them. */
enum {
    LENGTH_SIZE = 4,

    FIXED_SIZE = 44,
    FIXED_MAGIC = 0,
    FIXED_LEVEL = 4,
    FIXED_LEVEL_AGAIN = 8,
    FIXED_NAME = 16,
    FIXED_ADDRESS = 20,

    HEAD_SIZE = 12,
    HEAD_ROOM = 0,
    HEAD_OFFSET = 4,
    HEAD_LENGTH = 8
};

static uint32_t get_little_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t get_big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[3] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[0] << 24;
}

/* Zeros that no compiler takes for useless. */
static void wipe(void *memory, size_t length)
{
    volatile unsigned char *bytes = memory;
    for (size_t i = 0; i < length; i++)
        bytes[i] = 0;
}

static void refuse(npa_parser *parser, const char *why)
{
    parser->state = NPA_REFUSED;
    parser->refusal = why;
}

/* Goes on to a part, which has to lie within the request. */
static void begin_part(npa_parser *parser, unsigned part, uint32_t length)
{
    if (length > parser->left) {
        refuse(parser, "a string goes beyond the end of the request");
        return;
    }
    parser->part = part;
    parser->left -= length;
    parser->want = length;
    parser->have = 0;
}

static void begin_rest(npa_parser *parser)
{
    begin_part(parser, PART_REST, parser->left);
}

static void begin_address(npa_parser *parser)
{
    if (parser->with_address)
        begin_part(parser, PART_ADDRESS_HEAD, HEAD_SIZE);
    else
        begin_rest(parser);
}

static void end_length(npa_parser *parser)
{
    uint32_t length = get_big_endian(parser->field);
    if (length > NPA_REQUEST_MAX) {
        refuse(parser, "the request is longer than the limit");
    } else if (length < FIXED_SIZE) {
        refuse(parser, "the request is shorter than its fixed part");
    } else {
        parser->left = length;
        begin_part(parser, PART_FIXED, FIXED_SIZE);
    }
}

static void end_fixed(npa_parser *parser)
{
    const unsigned char *fixed = parser->field;
    uint32_t level = get_little_endian(fixed + FIXED_LEVEL);
    if (memcmp(fixed + FIXED_MAGIC, "NPAM", 4) != 0) {
        refuse(parser, "the request does not begin with NPAM");
        return;
    }
    if (level < LEVEL_FIRST || level > LEVEL_LAST) {
        refuse(parser, "the request's level is not 6, 7 or 8");
        return;
    }
    if (get_little_endian(fixed + FIXED_LEVEL_AGAIN) != level) {
        refuse(parser, "the request's two levels differ");
        return;
    }
    parser->client.level = level;
    parser->with_address = get_little_endian(fixed + FIXED_ADDRESS) != 0;
    if (get_little_endian(fixed + FIXED_NAME) != 0)
        begin_part(parser, PART_NAME_HEAD, HEAD_SIZE);
    else
        begin_address(parser);
}

/* A string's head has come. The string is next, and with it its padding, if anything follows that needs it. */
static void end_head(npa_parser *parser, unsigned part, uint32_t size)
{
    uint32_t length = get_little_endian(parser->field + HEAD_LENGTH);
    if (get_little_endian(parser->field + HEAD_OFFSET) != 0 || length > get_little_endian(parser->field + HEAD_ROOM)) {
        refuse(parser, "the lengths of a string contradict each other");
    } else if (length == 0) {
        refuse(parser, "a string has no terminator");
    } else if (length > size) {
        refuse(parser, part == PART_NAME ? "the client's name is too long" : "the client's address is too long");
    } else {
        uint32_t padded = (length + 3) / 4 * 4;
        parser->text_length = length;
        begin_part(parser, part, length <= parser->left && padded > parser->left ? parser->left : padded);
    }
}

/* What a log, a command line and a file's name can be made of. */
static char to_printable(char c)
{
    return (char)(c >= ' ' && c <= '~' ? c : '_');
}

static bool end_string(npa_parser *parser, char *text)
{
    char *terminator = text + parser->text_length - 1;
    if (memchr(text, '\0', parser->text_length) != terminator) {
        refuse(parser, "a string does not end where its terminator is");
        return false;
    }
    wipe(terminator, parser->want - parser->text_length + 1);
    for (; *text != '\0'; text++)
        *text = to_printable(*text);
    return true;
}

/* Where the bytes of the part go; NULL if they are dropped. */
static unsigned char *place_of_part(npa_parser *parser)
{
    switch (parser->part) {
    case PART_NAME:
        return (unsigned char *)parser->client.name;
    case PART_ADDRESS:
        return (unsigned char *)parser->client.address;
    case PART_REST:
        return NULL;
    default:
        return parser->field;
    }
}

static void end_part(npa_parser *parser)
{
    switch (parser->part) {
    case PART_LENGTH:
        end_length(parser);
        break;
    case PART_FIXED:
        end_fixed(parser);
        break;
    case PART_NAME_HEAD:
        end_head(parser, PART_NAME, NPA_NAME_SIZE);
        break;
    case PART_NAME:
        if (end_string(parser, parser->client.name))
            begin_address(parser);
        break;
    case PART_ADDRESS_HEAD:
        end_head(parser, PART_ADDRESS, NPA_ADDRESS_SIZE);
        break;
    case PART_ADDRESS:
        if (end_string(parser, parser->client.address))
            begin_rest(parser);
        break;
    default:
        parser->state = NPA_COMPLETE;
        break;
    }
}

void npa_begin(npa_parser *parser)
{
    *parser = (npa_parser){.state = NPA_MORE, .part = PART_LENGTH, .want = LENGTH_SIZE};
}

npa_state npa_feed(npa_parser *parser, void *bytes, size_t length, size_t *used)
{
    unsigned char *from = bytes;
    size_t done = 0;
    if (parser->state != NPA_MORE) {
        *used = 0;
        return parser->state;
    }
    while (parser->state == NPA_MORE && (done < length || parser->have == parser->want)) {
        size_t missing = parser->want - parser->have;
        size_t count = length - done < missing ? length - done : missing;
        unsigned char *place = place_of_part(parser);
        if (place != NULL && count > 0)
            memcpy(place + parser->have, from + done, count);
        parser->have += (uint32_t)count;
        done += count;
        if (parser->have == parser->want)
            end_part(parser);
    }
    if (parser->state == NPA_REFUSED)
        done = length;
    wipe(bytes, done);
    *used = done;
    return parser->state;
}

const npa_client *npa_client_of(const npa_parser *parser)
{
    return parser->state == NPA_COMPLETE ? &parser->client : NULL;
}

const char *npa_refusal(const npa_parser *parser)
{
    return parser->refusal;
}

void npa_reply(uint32_t level, unsigned char reply[NPA_REPLY_SIZE])
{
    /* Big-endian the length, then the magic and the level twice, 6 to 8; file_type 1 is byte mode, then the state of
     * the pipe's end (0x05ff), padding, an allocation of 4096 bytes in 64 bits, and STATUS_SUCCESS. */
    static const unsigned char accepted[NPA_REPLY_SIZE] = {
        0, 0, 0,   NPA_REPLY_SIZE - LENGTH_SIZE, 'N', 'P', 'A', 'M', 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xFF, 0x05, 0, 0, 0,
        0, 0, 0x10};

    memcpy(reply, accepted, sizeof accepted);
    reply[LENGTH_SIZE + FIXED_LEVEL] = reply[LENGTH_SIZE + FIXED_LEVEL_AGAIN] = (unsigned char)level;
}
