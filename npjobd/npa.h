/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The handshake with which Samba's smbd opens a named pipe (NPA, "named pipe auth"), as a parser that does no I/O.
 *
 * smbd connects to the pipe's Unix socket, sends one request and waits for the reply; from then on the connection
 * carries the client's writes as plain bytes.
 *
 *     npa_begin(&parser);
 *     while (npa_feed(&parser, bytes, length, &used) == NPA_MORE)
 *         ... read more bytes ...
 *     npa_reply(npa_client_of(&parser)->level, reply); ... send it; what lies behind the used bytes is the client's ...
 *
 * A request holds the key of the client's SMB session. The parser takes what it reports and drops all else at once, and
 * overwrites the bytes that it was given: after npa_feed() no copy of the key is left with the daemon. It allocates
 * nothing, and a parser has the same size whatever it is fed.
 *
 * The request, in bytes from its start:
 *
 *      0  length of all that follows, big-endian; everything else is little-endian
 *      4  "NPAM"
 *      8  level: 6, 7 or 8. Samba 4.17 sends 7, Samba 4.22 sends 8; they differ within session_info only
 *     12  the level once more
 *     16  transport, one byte: 1 is a named pipe over SMB; three bytes of padding
 *     20  whether the client's name follows, and its address (a pointer each, of which zero is none); its port
 *     32  the same of the server; then whether session_info follows
 *     48  what follows, each string on a multiple of 4: its room, 0 and its length (32 bits each), then its bytes, of
 *         which the last is a NUL; behind the strings session_info, to the end
 */
#ifndef NPJOBD_NPA_H
#define NPJOBD_NPA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest request that is accepted, without its length's own four bytes; real ones have less than a thousand. */
#define NPA_REQUEST_MAX (UINT32_C(1) << 20)

/** The size of a reply. smbd takes no other. */
#define NPA_REPLY_SIZE 36

/** The longest name and address of a client, their terminators included. Longer ones are refused. */
#define NPA_NAME_SIZE    256
#define NPA_ADDRESS_SIZE 64

/** How far a handshake is. */
typedef enum npa_state {
    NPA_MORE,     /**< it goes on: more bytes are needed */
    NPA_COMPLETE, /**< the whole request was read */
    NPA_REFUSED   /**< it is no request that can be served: the connection is to be closed */
} npa_state;

/** What a request says of the client. A byte that is not printable ASCII was replaced by '_'. */
typedef struct npa_client {
    uint32_t level;                 /**< for npa_reply() */
    char name[NPA_NAME_SIZE];       /**< as smbd knows it; empty if the request has none */
    char address[NPA_ADDRESS_SIZE]; /**< IPv4 or IPv6, as text; empty if the request has none */
} npa_client;

/** A handshake that is being read. The members are private; it may be moved and thrown away at any time. */
typedef struct npa_parser {
    npa_state state;
    const char *refusal;
    uint32_t left;        /* bytes of the request that belong to no part begun so far */
    unsigned part;        /* the part that is being read */
    uint32_t want;        /* the length of that part */
    uint32_t have;        /* how much of it has come */
    uint32_t text_length; /* of the string in it, its terminator included */
    bool with_address;    /* the client's address follows */
    unsigned char field[44];
    npa_client client;
} npa_parser;

/** Makes ready for one handshake. @param parser filled, whatever it held. */
void npa_begin(npa_parser *parser);

/**
 * Reads the next bytes, as many at a time as come. How they are split makes no difference to the outcome.
 *
 * @param bytes  the caller's. Those that were used are overwritten with zeros, the others are left alone.
 * @param used   receives how many belonged to the request. COMPLETE: what is behind them is the client's. REFUSED: all
 * of them, since there is no telling where a key may be. After the end of a handshake always 0.
 * @return where the handshake is now. COMPLETE and REFUSED are final.
 */
npa_state npa_feed(npa_parser *parser, void *bytes, size_t length, size_t *used);

/** What a COMPLETE request says of the client; NULL in any other state. It lives as long as the parser. */
const npa_client *npa_client_of(const npa_parser *parser);

/** Why a request was REFUSED: a static sentence without a full stop, for a log. NULL in any other state. */
const char *npa_refusal(const npa_parser *parser);

/**
 * Writes the reply that accepts a request: a byte-mode pipe.
 *
 * There is no reply that refuses, smbd heeds none: to refuse, close the connection.
 */
void npa_reply(uint32_t level, unsigned char reply[NPA_REPLY_SIZE]);

#endif
