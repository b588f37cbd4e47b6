/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Pipe paths: telling a named pipe from a file, and taking its name apart. Pure functions; nothing is kept or
 * allocated.
 *
 * Recognised, without regard to the case of the fixed parts (ASCII):
 *
 *     \\.\pipe\NAME              Win32, this machine
 *     \\SERVER\pipe\NAME         Win32, another machine
 *     \Device\NamedPipe\NAME     NT device
 *     \??\PIPE\NAME              NT object namespace
 *     \PIPE\NAME                 SMB1's OPEN_ANDX and TRANSACTION (MS-CIFS 2.2.4.41, 2.2.5), DCE/RPC
 *     NAME                       relative to IPC$: SMB2 (MS-SMB2 2.2.13), SMB1's NT_CREATE_ANDX (MS-CIFS 2.2.4.64)
 *
 * NAME is one or more characters without a backslash. The whole Win32 form (for the other forms: `\\.\pipe\NAME`) is at
 * most 256 UTF-16 units. A drive path (`C:\...`), a UNC file path or any other path with a backslash is *not a pipe*:
 * an answer, not an error.
 *
 * - Ill-formed text and NUL are errors wherever they stand. Then it is decided whether the path is a pipe's; only a
 * pipe's name meets the length limit and the profile, so "not a pipe" does not depend on the profile.
 * - The fixed parts alone make a pipe path: `\\.\pipe`, `\PIPE\a\b` and an empty SERVER are malformed names, never
 * files.
 * - Everything below `\\?\` is no pipe, nor are other devices (`\\.\C:`, `\\.\GLOBALROOT\...`), though NT finds pipes
 * there too: a host that opens as a file what is no pipe here should know that.
 * - A letter and a colon begin a drive path. Only the backslash separates: `/var/spool/x` is a relative NAME with
 * slashes, which the strict profile refuses.
 * - Nothing is normalised: NAME is not folded, dots and spaces are not trimmed, a byte order mark is a character.
 */
#ifndef NPJOB_PATH_H
#define NPJOB_PATH_H

#include <stddef.h>

#include "npjob/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the bytes of an npj_path are to be read. */
typedef enum npj_path_encoding {
    NPJ_PATH_UTF8,    /**< UTF-8, no terminator */
    NPJ_PATH_UTF16LE, /**< UTF-16, little-endian, no terminator; an odd length is an error; no alignment needed */
    NPJ_PATH_OPAQUE   /**< the host's own kind of name (a Unix socket's path): one or more bytes, taken as a pipe unread
                       */
} npj_path_encoding;

/** A path: borrowed bytes, read during the call and not kept. */
typedef struct npj_path {
    const void *bytes;
    size_t length; /**< in bytes, whatever the encoding */
    npj_path_encoding encoding;
} npj_path;

/** Which names are let through. */
typedef enum npj_path_profile {
    /** For hosts that map names to files or sockets: no `/`, no control character (U+0000-U+001F, U+007F-U+009F), and
     * neither "." nor ".." as the name or the server (CVE-2017-7494, CVE-2023-3961). The default. */
    NPJ_PATH_STRICT,
    /** What NT takes: any character but backslash and NUL. */
    NPJ_PATH_PERMISSIVE
} npj_path_profile;

/** The spelling in which a pipe was named. */
typedef enum npj_path_form {
    NPJ_FORM_LOCAL,    /**< `\\.\pipe\NAME` */
    NPJ_FORM_REMOTE,   /**< `\\SERVER\pipe\NAME` */
    NPJ_FORM_DEVICE,   /**< `\Device\NamedPipe\NAME` */
    NPJ_FORM_OBJECT,   /**< `\??\PIPE\NAME` */
    NPJ_FORM_SMB,      /**< `\PIPE\NAME` */
    NPJ_FORM_RELATIVE, /**< `NAME` */
    NPJ_FORM_OPAQUE    /**< unread */
} npj_path_form;

/** The parts of a pipe path, as byte ranges of the npj_path's bytes. They live as long as those bytes. */
typedef struct npj_pipe_name {
    npj_path_form form;
    npj_path_encoding encoding;
    const void *name; /**< NAME; for NPJ_FORM_OPAQUE all of it */
    size_t name_length;
    const void *server; /**< SERVER of NPJ_FORM_REMOTE, else NULL */
    size_t server_length;
} npj_pipe_name;

/** The most bytes npj_pipe_path() can need: 256 UTF-16 units, each at most three bytes of UTF-8. */
#define NPJ_PIPE_PATH_MAX 768

/**
 * Tells whether @p path names a pipe, and takes it apart.
 *
 * @param path    borrowed for the call.
 * @param profile which names are let through.
 * @param out     filled on SUCCESS, untouched otherwise. May be NULL.
 * @return NPJ_STATUS_SUCCESS                a pipe;
 *         NPJ_STATUS_INVALID_DEVICE_REQUEST well-formed, and no pipe (a drive, UNC or other file path);
 *         NPJ_STATUS_OBJECT_NAME_INVALID    empty, an empty or too long name, a backslash in NAME, an embedded NUL,
 * ill-formed UTF-8 or UTF-16 (lone surrogates, overlong forms), an odd UTF-16 length, or refused by the profile;
 *         NPJ_STATUS_INVALID_PARAMETER      a null pointer (null bytes too, with any length), an unknown encoding or
 *                                           profile.
 */
npj_status npj_path_parse(const npj_path *path, npj_path_profile profile, npj_pipe_name *out);

/**
 * Writes a parsed name in its Win32 form, that of NPJ_FORM_LOCAL or of NPJ_FORM_REMOTE, in either encoding. The result
 * parses to the same name. An opaque name is refused.
 *
 * @param name     from npj_path_parse().
 * @param encoding NPJ_PATH_UTF8 or NPJ_PATH_UTF16LE.
 * @param buffer   the caller's; must not overlap the name. No terminator is written; untouched on error.
 * @param capacity of @p buffer, in bytes. NPJ_PIPE_PATH_MAX is always enough.
 * @param length   receives the length in bytes on SUCCESS; untouched otherwise.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER (null pointer, opaque name or encoding, a name that would
 *         not parse to the same name again, a buffer that is too small: never a truncated name).
 */
npj_status npj_pipe_path(const npj_pipe_name *name, npj_path_encoding encoding, void *buffer, size_t capacity,
                         size_t *length);

#ifdef __cplusplus
}
#endif

#endif
