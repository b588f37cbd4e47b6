/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the handshake of smbd. An input is what a peer sends, from its first byte. It is fed whole, byte by byte and
 * in pieces of many sizes; each time the outcome has to be that of a second, plainer reading, which has all bytes at
 * hand.
 */
#include <string.h>

#include "campaign.h"
#include "npa.h"
#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ----------------------------------------------------------------------------------------------- the second reading */

typedef struct model {
    npa_state state;
    size_t end; /* of the request, if COMPLETE */
    npa_client client;
} model;

static uint64_t word(const uint8_t *at)
{
    return at[0] + UINT64_C(256) * at[1] + UINT64_C(65536) * at[2] + UINT64_C(16777216) * at[3];
}

/* Reads the string at @p *at of a request that ends at @p end, and goes behind it. COMPLETE: it is there. */
static npa_state read_string(const uint8_t *data, size_t size, uint64_t end, uint64_t *at, char *text, size_t text_size)
{
    uint64_t start = *at + 12;
    if (start > end)
        return NPA_REFUSED;
    if (start > size)
        return NPA_MORE;
    uint64_t length = word(data + *at + 8);
    if (word(data + *at + 4) != 0 || word(data + *at) < length || length < 1 || length > text_size ||
        start + length > end) {
        return NPA_REFUSED;
    }
    *at = start + length;
    while (*at % 4 != 0 && *at < end)
        ++*at;
    if (*at > size)
        return NPA_MORE;
    for (uint64_t i = 0; i < length; i++) {
        uint8_t byte = data[start + i];
        if ((byte == 0) != (i == length - 1))
            return NPA_REFUSED;
        text[i] = (char)(byte == 0 ? 0 : byte < 0x20 || byte > 0x7E ? '_' : byte);
    }
    return NPA_COMPLETE;
}

static npa_state read_request(const uint8_t *data, size_t size, model *says)
{
    npa_state state = NPA_COMPLETE;
    uint64_t at = 48;
    if (size < 4)
        return NPA_MORE;
    uint64_t end = 4 + UINT64_C(16777216) * data[0] + UINT64_C(65536) * data[1] + UINT64_C(256) * data[2] + data[3];
    if (end < 48 || end > 4 + NPA_REQUEST_MAX)
        return NPA_REFUSED;
    if (size < 48)
        return NPA_MORE;
    if (memcmp(data + 4, "NPAM", 4) != 0 || word(data + 8) < 6 || word(data + 8) > 8 ||
        word(data + 12) != word(data + 8)) {
        return NPA_REFUSED;
    }
    says->client.level = (uint32_t)word(data + 8);
    if (word(data + 20) != 0)
        state = read_string(data, size, end, &at, says->client.name, sizeof says->client.name);
    if (state == NPA_COMPLETE && word(data + 24) != 0)
        state = read_string(data, size, end, &at, says->client.address, sizeof says->client.address);
    says->end = (size_t)end;
    return state == NPA_COMPLETE && size < end ? NPA_MORE : state;
}

/* --------------------------------------------------------------------------------------------------- the properties */

static void check_piece(const uint8_t *piece, size_t length, size_t used, const uint8_t *was)
{
    for (size_t i = 0; i < length; i++)
        fuzz_require(piece[i] == (i < used ? 0 : was[i]), "what was used is wiped, and no more");
}

static void check_client(const npa_client *client, const npa_client *expected)
{
    fuzz_require(client != NULL, "a complete request has a client");
    fuzz_require(client->level == expected->level, "the level is the model's");
    fuzz_require(memcmp(client->name, expected->name, sizeof client->name) == 0, "the name is the model's");
    fuzz_require(memcmp(client->address, expected->address, sizeof client->address) == 0, "the address is the model's");
}

/* Feeds the input in pieces. */
static void check_feeding(const uint8_t *data, size_t size, fuzz_pieces pieces, const model *expected)
{
    npa_parser parser;
    npa_state state = NPA_MORE;
    size_t at = 0;
    npa_begin(&parser);
    while (at < size && state == NPA_MORE) {
        uint8_t *piece = fuzz_next_piece(&pieces, data + at, size - at);
        size_t used = 0;
        state = npa_feed(&parser, piece, pieces.length, &used);
        fuzz_require(used <= pieces.length, "no more is used than there is");
        fuzz_require(used == pieces.length || state == NPA_COMPLETE, "bytes are left only behind a request");
        check_piece(piece, pieces.length, used, data + at);
        at += used;
    }
    fuzz_end_pieces(&pieces);
    fuzz_require(state == expected->state, "the state is the model's");
    fuzz_require((npa_refusal(&parser) != NULL) == (state == NPA_REFUSED),
                 "a refusal has a reason, and nothing else has");
    if (state == NPA_COMPLETE) {
        fuzz_require(at == expected->end, "the end is the model's");
        check_client(npa_client_of(&parser), &expected->client);
    } else {
        fuzz_require(npa_client_of(&parser) == NULL, "there is no client before the end");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model says = {.end = 0};
    fuzz_campaign()->executions++;
    says.state = read_request(data, size, &says);
    check_feeding(data, size, fuzz_one_piece(), &says);
    check_feeding(data, size, fuzz_bytewise(), &says);
    check_feeding(data, size, fuzz_many_pieces(data, size), &says);
    return 0;
}
