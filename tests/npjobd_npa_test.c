/* SPDX-License-Identifier: MIT */
/* The handshake of smbd: real ones (corpus/npa.md), whole, split, cut short and changed; and made ones, for the limits.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npa.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

enum {
    REQUEST_ROOM = 2048,
    BEFORE_SESSION_INFO = 0x80, /* of the captures: what is behind it is opaque */
    KEY_BYTE = 0xA5,            /* what the keys of the captures were overwritten with */
    KEY_SIZE = 16
};

/* A request, and behind it what a client might have written. */
typedef struct request {
    unsigned char bytes[REQUEST_ROOM];
    size_t length;
} request;

static const struct capture {
    const char *file;
    uint32_t level;
    bool has_key;
} captures[] = {
    {"samba-4.17-anonymous-nt1", 7, true},     {"samba-4.17-guest-nt1", 7, false},
    {"samba-4.17-user-nt1", 7, true},          {"samba-4.17-anonymous-smb2-02", 7, true},
    {"samba-4.17-guest-smb2-02", 7, true},     {"samba-4.17-user-smb2-02", 7, true},
    {"samba-4.17-anonymous-smb3-11", 7, true}, {"samba-4.17-guest-smb3-11", 7, true},
    {"samba-4.17-user-smb3-11", 7, true},      {"samba-4.22-anonymous-nt1", 8, true},
    {"samba-4.22-guest-nt1", 8, false},        {"samba-4.22-user-nt1", 8, true},
    {"samba-4.22-anonymous-smb2-02", 8, true}, {"samba-4.22-guest-smb2-02", 8, true},
    {"samba-4.22-user-smb2-02", 8, true},      {"samba-4.22-anonymous-smb3-11", 8, true},
    {"samba-4.22-guest-smb3-11", 8, true},     {"samba-4.22-user-smb3-11", 8, true},
};

static request load(size_t index)
{
    request loaded = {.length = 0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", NPA_FOLDER, captures[index].file);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    loaded.length = fread(loaded.bytes, 1, sizeof loaded.bytes, file);
    fclose(file);
    cr_assert(loaded.length > BEFORE_SESSION_INFO && loaded.length < sizeof loaded.bytes, "%s", path);
    return loaded;
}

/* Feeds @p length bytes in pieces of at most @p piece, each in a block of its own; returns how many were used. */
static size_t feed(npa_parser *parser, const unsigned char *bytes, size_t length, size_t piece)
{
    size_t used = 0;
    size_t total = 0;
    for (size_t at = 0; at < length && parser->state == NPA_MORE; at += used) {
        size_t count = length - at < piece ? length - at : piece;
        unsigned char *block = malloc(count);
        cr_assert_not_null(block);
        memcpy(block, bytes + at, count);
        npa_state state = npa_feed(parser, block, count, &used);
        cr_assert(used <= count);
        cr_assert(state != NPA_MORE || used == count, "a parser that wants more leaves bytes");
        bool as_it_should = memcmp(block + used, bytes + at + used, count - used) == 0;
        for (size_t i = 0; i < used; i++)
            as_it_should = as_it_should && block[i] == 0;
        cr_assert(as_it_should, "what was used is not wiped, or more than that");
        free(block);
        total += used;
    }
    return total;
}

static npa_parser read_all(const request *from)
{
    npa_parser parser;
    npa_begin(&parser);
    feed(&parser, from->bytes, from->length, SIZE_MAX);
    return parser;
}

/* The text, and nothing behind it: padding may be anything that smbd had there. */
static void expect_text(const char *text, size_t size, const char *expected)
{
    cr_expect_str_eq(text, expected);
    for (size_t i = strlen(text); i < size; i++)
        cr_expect_eq(text[i], '\0');
}

static void expect_client(const npa_parser *parser, uint32_t level, const char *name, const char *address)
{
    const npa_client *client = npa_client_of(parser);
    cr_assert_eq(parser->state, NPA_COMPLETE, "%s", npa_refusal(parser) ? npa_refusal(parser) : "it wants more");
    cr_assert_not_null(client);
    cr_expect_eq(client->level, level);
    expect_text(client->name, sizeof client->name, name);
    expect_text(client->address, sizeof client->address, address);
    cr_expect_null(npa_refusal(parser));
}

static void expect_refusal(const npa_parser *parser, const char *why)
{
    cr_assert_eq(parser->state, NPA_REFUSED, "it should say: %s", why);
    cr_expect_null(npa_client_of(parser));
    cr_expect_str_eq(npa_refusal(parser), why);
}

static bool holds_key(const void *memory, size_t size)
{
    unsigned char some[4];
    memset(some, KEY_BYTE, sizeof some);
    return memmem(memory, size, some, sizeof some) != NULL;
}

/* ------------------------------------------------------------------------------------------------ what smbd sends */

Test(npa, every_capture_at_every_split)
{
    for (size_t i = 0; i < ROWS(captures); i++) {
        request from = load(i);
        size_t length = from.length;
        memcpy(from.bytes + length, "%!PS", 4);
        from.length += 4;
        for (size_t split = 0; split <= from.length; split++) {
            npa_parser parser;
            npa_begin(&parser);
            size_t used = feed(&parser, from.bytes, split, SIZE_MAX);
            cr_assert_eq(parser.state, split < length ? NPA_MORE : NPA_COMPLETE);
            used += feed(&parser, from.bytes + split, from.length - split, SIZE_MAX);
            cr_assert_eq(used, length, "%zu bytes of %zu were used", used, length);
            expect_client(&parser, captures[i].level, "vm", "127.0.0.1");
        }
    }
}

Test(npa, every_capture_in_pieces_of_every_size)
{
    for (size_t i = 0; i < ROWS(captures); i++) {
        request from = load(i);
        for (size_t piece = 1; piece <= 64; piece++) {
            npa_parser parser;
            npa_begin(&parser);
            cr_assert_eq(feed(&parser, from.bytes, from.length, piece), from.length);
            expect_client(&parser, captures[i].level, "vm", "127.0.0.1");
        }
    }
}

Test(npa, a_capture_cut_short_wants_more)
{
    for (size_t i = 0; i < ROWS(captures); i++) {
        request from = load(i);
        for (size_t length = 0; length < from.length; length++) {
            request cut = from;
            cut.length = length;
            npa_parser parser = read_all(&cut);
            cr_assert_eq(parser.state, NPA_MORE, "%s, %zu bytes", captures[i].file, length);
            cr_assert_null(npa_client_of(&parser));
            cr_assert_null(npa_refusal(&parser));
        }
    }
}

Test(npa, the_key_is_kept_nowhere)
{
    for (size_t i = 0; i < ROWS(captures); i++) {
        request from = load(i);
        request fed = from;
        npa_parser parser;
        size_t used = 0;
        cr_assert_eq(holds_key(from.bytes, from.length), captures[i].has_key);
        npa_begin(&parser);
        cr_assert_eq(npa_feed(&parser, fed.bytes, fed.length, &used), NPA_COMPLETE);
        cr_assert_not(holds_key(&parser, sizeof parser));
        cr_assert_not(holds_key(fed.bytes, fed.length));

        /* Nor when it comes byte by byte, or is refused. */
        npa_begin(&parser);
        for (size_t at = 0; at < from.length; at++) {
            unsigned char byte = from.bytes[at];
            npa_feed(&parser, &byte, 1, &used);
            cr_assert_not(holds_key(&parser, sizeof parser));
            cr_assert_eq(byte, 0);
        }
        fed = from;
        fed.bytes[4] = 'n';
        npa_begin(&parser);
        cr_assert_eq(npa_feed(&parser, fed.bytes, fed.length, &used), NPA_REFUSED);
        cr_assert_eq(used, fed.length);
        cr_assert_not(holds_key(&parser, sizeof parser));
        cr_assert_not(holds_key(fed.bytes, fed.length));
    }
}

/* One capture with one byte changed to any other value: whatever comes of it, it is the same for any split, and what
 * stands behind the client's address changes nothing. */
static void change_every_byte(size_t index)
{
    request from = load(index);
    for (size_t at = 0; at < from.length; at++) {
        unsigned char was = from.bytes[at];
        for (unsigned value = 0; value < 256; value++) {
            npa_parser parser;
            if (value == was)
                continue;
            from.bytes[at] = (unsigned char)value;
            npa_parser whole = read_all(&from);
            if (at >= BEFORE_SESSION_INFO)
                cr_assert_eq(whole.state, NPA_COMPLETE, "byte %zu is no business of the parser", at);
            if (value % 16 != at % 16) /* byte by byte only a sixteenth of them, as it is slow */
                continue;
            npa_begin(&parser);
            feed(&parser, from.bytes, from.length, 1);
            cr_assert_eq(parser.state, whole.state);
            cr_assert_eq(parser.refusal, whole.refusal);
            cr_assert_str_eq(parser.client.name, whole.client.name);
            cr_assert_str_eq(parser.client.address, whole.client.address);
        }
        from.bytes[at] = was;
    }
}

Test(npa, any_byte_changed_level_7, .timeout = 100)
{
    change_every_byte(8);
}

Test(npa, any_byte_changed_level_8, .timeout = 100)
{
    change_every_byte(17);
}

/* -------------------------------------------------------------------------------------------------- what it refuses */

/* A capture in which the four bytes at a place are replaced. */
static const struct change {
    size_t at;
    unsigned char bytes[4];
    const char *why; /* NULL: it is none the worse for it */
} changes[] = {
    {0, {0, 0x10, 0, 1}, "the request is longer than the limit"},
    {0, {0xFF, 0xFF, 0xFF, 0xFF}, "the request is longer than the limit"},
    {0, {0x80, 0, 0, 48}, "the request is longer than the limit"},
    {0, {0, 0, 0, 43}, "the request is shorter than its fixed part"},
    {0, {0, 0, 0, 0}, "the request is shorter than its fixed part"},
    {0, {0, 0, 0, 44}, "a string goes beyond the end of the request"},
    {0, {0, 0, 0, 55}, "a string goes beyond the end of the request"},
    {0, {0, 0, 0, 56}, "a string goes beyond the end of the request"},
    {0, {0, 0, 0, 58}, "a string goes beyond the end of the request"},
    {4, {'N', 'P', 'A', 'm'}, "the request does not begin with NPAM"},
    {8, {5, 0, 0, 0}, "the request's level is not 6, 7 or 8"},
    {8, {9, 0, 0, 0}, "the request's level is not 6, 7 or 8"},
    {8, {7, 0, 0, 0x80}, "the request's level is not 6, 7 or 8"},
    {8, {6, 0, 0, 0}, "the request's two levels differ"},
    {12, {8, 0, 0, 0}, "the request's two levels differ"},
    {16, {1, 0xFF, 0xFF, 0xFF}, NULL},      /* padding */
    {0x1C, {0xFF, 0xFF, 0xFF, 0xFF}, NULL}, /* the port */
    {0x20, {0, 0, 0, 0}, NULL},             /* the server's name */
    {0x30, {2, 0, 0, 0}, "the lengths of a string contradict each other"},
    {0x30, {4, 0, 0, 0}, NULL}, /* more room than is used */
    {0x30, {0xFF, 0xFF, 0xFF, 0xFF}, NULL},
    {0x34, {1, 0, 0, 0}, "the lengths of a string contradict each other"},
    {0x38, {0, 0, 0, 0}, "a string has no terminator"},
    {0x38, {2, 0, 0, 0}, "a string does not end where its terminator is"},
    {0x3C, {'v', 'm', 'x', 0}, "a string does not end where its terminator is"},
    {0x3C, {'v', 0, 0, 0}, "a string does not end where its terminator is"},
    {0x44, {1, 0, 0, 0}, "the lengths of a string contradict each other"},
    {0x48, {0, 0, 0, 0}, "a string has no terminator"},
    {0x50, {'0', '.', 0, '.'}, "a string does not end where its terminator is"},
};

Test(npa, refusals_say_what_is_wrong)
{
    for (size_t i = 0; i < ROWS(changes); i++) {
        request from = load(8);
        memcpy(from.bytes + changes[i].at, changes[i].bytes, 4);
        npa_parser parser = read_all(&from);
        if (changes[i].why != NULL)
            expect_refusal(&parser, changes[i].why);
        else
            expect_client(&parser, 7, "vm", "127.0.0.1");
    }
    request from = load(8);
    from.bytes[4] = 'n';
    from.bytes[8] = 5;
    npa_parser parser = read_all(&from);
    expect_refusal(&parser, "the request does not begin with NPAM"); /* the first of two */
}

Test(npa, the_longest_request_is_waited_for)
{
    const request from = {.bytes = {0, 0x10, 0, 0}, .length = 4};
    npa_parser parser = read_all(&from);
    cr_assert_eq(parser.state, NPA_MORE);
}

Test(npa, nothing_is_read_after_the_end)
{
    request from = load(0);
    npa_parser parser = read_all(&from);
    unsigned char more[] = "more";
    size_t used = 99;
    cr_assert_eq(npa_feed(&parser, more, 4, &used), NPA_COMPLETE);
    cr_assert_eq(used, 0);
    cr_assert_str_eq((char *)more, "more");
    from.bytes[4] = 0;
    parser = read_all(&from);
    used = 99;
    cr_assert_eq(npa_feed(&parser, more, 4, &used), NPA_REFUSED);
    cr_assert_eq(used, 0);
    cr_assert_str_eq((char *)more, "more");
}

/* ------------------------------------------------------------------------------------------------ made by hand */

static void put(request *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to->bytes[to->length++] = (unsigned char)(value >> 8 * i & 0xFF);
}

static void put_string(request *to, const char *text)
{
    uint32_t length = (uint32_t)strlen(text) + 1;
    put(to, length);
    put(to, 0);
    put(to, length);
    memcpy(to->bytes + to->length, text, length);
    to->length += length;
}

static void pad(request *to)
{
    while (to->length % 4 != 0)
        to->bytes[to->length++] = 0xEE;
}

/* A request without a server's name and session_info. A NULL is left out. What says whether the strings follow differs
 * in as few bits as may be from what stands beside it. */
static request make(uint32_t level, const char *name, const char *address)
{
    request made = {.length = 4};
    memcpy(made.bytes + 4, "NPAM", 4);
    made.length = 8;
    put(&made, level);
    put(&made, level);
    put(&made, 0xFFFFFF01);
    put(&made, name != NULL ? 0x1000000 : 0);
    put(&made, address != NULL ? 0x1000000 : 0);
    put(&made, 0xFFFFFFFF);     /* the client's port */
    for (int i = 0; i < 4; i++) /* the server's name, address and port, and session_info */
        put(&made, 0);
    if (name != NULL)
        put_string(&made, name);
    if (address != NULL) {
        pad(&made);
        put_string(&made, address);
    }
    made.bytes[2] = (unsigned char)((made.length - 4) >> 8);
    made.bytes[3] = (unsigned char)((made.length - 4) & 0xFF);
    return made;
}

static void expect_made(const request *made, const char *name, const char *address)
{
    for (size_t piece = 1; piece <= made->length; piece++) {
        npa_parser parser;
        npa_begin(&parser);
        cr_assert_eq(feed(&parser, made->bytes, made->length, piece), made->length);
        expect_client(&parser, made->bytes[8], name, address);
    }
}

Test(npa, name_and_address_may_be_missing)
{
    request made = make(6, NULL, NULL);
    cr_assert_eq(made.length, 48);
    expect_made(&made, "", "");
    made = make(7, "client.example", NULL);
    expect_made(&made, "client.example", "");
    made = make(8, NULL, "2001:db8::1");
    expect_made(&made, "", "2001:db8::1");
    made = make(6, "", "");
    expect_made(&made, "", "");
}

/* With and without padding at the very end, and with a byte of it. */
Test(npa, a_string_may_end_the_request)
{
    static const char *const names[] = {"", "a", "ab", "abc", "abcd"};
    for (size_t i = 0; i < ROWS(names); i++) {
        request made = make(7, "x", names[i]);
        expect_made(&made, "x", names[i]);
        while (made.length % 4 != 0) {
            made.bytes[made.length++] = KEY_BYTE;
            made.bytes[3]++;
            expect_made(&made, "x", names[i]);
        }
    }
}

Test(npa, the_longest_strings)
{
    char name[NPA_NAME_SIZE + 1] = {0};
    char address[NPA_ADDRESS_SIZE + 1] = {0};
    memset(name, 'n', NPA_NAME_SIZE - 1);
    memset(address, 'a', NPA_ADDRESS_SIZE - 1);
    request made = make(7, name, address);
    expect_made(&made, name, address);

    address[NPA_ADDRESS_SIZE - 1] = 'a';
    made = make(7, name, address);
    npa_parser parser = read_all(&made);
    expect_refusal(&parser, "the client's address is too long");

    name[NPA_NAME_SIZE - 1] = 'n';
    made = make(7, name, NULL);
    parser = read_all(&made);
    expect_refusal(&parser, "the client's name is too long");
}

/* A name may come from the DNS, and so from anybody: nothing in it can end a line of a log. */
Test(npa, what_is_not_printable_is_replaced)
{
    request made = make(7, "a\nb\x1B[2J \x1F\x7F\xC3\xA9~", "\t1");
    expect_made(&made, "a_b_[2J ____~", "_1");
}

/* --------------------------------------------------------------------------------------------------- the reply */

Test(npa, the_reply_is_that_of_a_byte_mode_pipe)
{
    for (uint32_t level = 6; level <= 8; level++) {
        unsigned char reply[NPA_REPLY_SIZE + 1];
        unsigned char expected[] = {0, 0, 0, 0x20, 'N', 'P', 'A',  'M', 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,   0xFF,
                                    5, 0, 0, 0,    0,   0,   0x10, 0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0xCC};

        expected[8] = expected[12] = (unsigned char)level;
        memset(reply, 0xCC, sizeof reply);
        npa_reply(level, reply);
        cr_assert_eq(sizeof expected, sizeof reply);
        cr_assert_eq(memcmp(reply, expected, sizeof reply), 0, "level %u", (unsigned)level);
    }
}
