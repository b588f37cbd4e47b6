/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The one vocabulary of results: NTSTATUS values, as an SMB server puts them on the wire (MS-ERREF 2.3.1).
 */
#ifndef NPJOB_STATUS_H
#define NPJOB_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An NTSTATUS. The two top bits are the severity: 0 success, 1 information, 2 warning, 3 error. */
typedef uint32_t npj_status;

/* clang-format off */
/** @name Values (MS-ERREF 2.3.1): those that npjob produces, and those that a host often completes an operation with @{ */
#define NPJ_STATUS_SUCCESS                     UINT32_C(0x00000000) /**< done */
#define NPJ_STATUS_PENDING                     UINT32_C(0x00000103) /**< accepted: one REPLY follows */
#define NPJ_STATUS_INVALID_HANDLE              UINT32_C(0xC0000008) /**< unknown or stale handle, or one of another kind */
#define NPJ_STATUS_INVALID_PARAMETER           UINT32_C(0xC000000D) /**< null pointer, bad length, bad flag, a completion's bad claim */
#define NPJ_STATUS_INVALID_DEVICE_REQUEST      UINT32_C(0xC0000010) /**< AddJob returned something that is no pipe */
#define NPJ_STATUS_ACCESS_DENIED               UINT32_C(0xC0000022) /**< of the host's open, passed through */
#define NPJ_STATUS_OBJECT_NAME_INVALID         UINT32_C(0xC0000033) /**< malformed pipe name */
#define NPJ_STATUS_OBJECT_NAME_NOT_FOUND       UINT32_C(0xC0000034) /**< of the host's open: no such pipe */
#define NPJ_STATUS_QUOTA_EXCEEDED              UINT32_C(0xC0000044) /**< a job's own limit of bytes or packets: RESUME follows */
#define NPJ_STATUS_INSUFFICIENT_RESOURCES      UINT32_C(0xC000009A) /**< the allocator said no */
#define NPJ_STATUS_PIPE_NOT_AVAILABLE          UINT32_C(0xC00000AC) /**< of the host's open: no instance listens */
#define NPJ_STATUS_INVALID_PIPE_STATE          UINT32_C(0xC00000AD) /**< the request is not valid in this state */
#define NPJ_STATUS_PIPE_BUSY                   UINT32_C(0xC00000AE) /**< of the host's open: all instances are busy */
#define NPJ_STATUS_PIPE_DISCONNECTED           UINT32_C(0xC00000B0) /**< the provider went */
#define NPJ_STATUS_PIPE_CLOSING                UINT32_C(0xC00000B1) /**< a write or close after an accepted close */
#define NPJ_STATUS_IO_TIMEOUT                  UINT32_C(0xC00000B5) /**< a deadline passed */
#define NPJ_STATUS_PRINT_CANCELLED             UINT32_C(0xC00000C8) /**< the usual reason of an abort */
#define NPJ_STATUS_NETWORK_NAME_DELETED        UINT32_C(0xC00000C9) /**< the client's tree or connection went */
#define NPJ_STATUS_CANCELLED                   UINT32_C(0xC0000120) /**< of a write: cancelled, nothing written; of a close: a write was cancelled */
#define NPJ_STATUS_PIPE_BROKEN                 UINT32_C(0xC000014B) /**< a write on a pipe that has failed */
#define NPJ_STATUS_INVALID_DEVICE_STATE        UINT32_C(0xC0000184) /**< the engine was called from inside one of its own callbacks */
#define NPJ_STATUS_USER_SESSION_DELETED        UINT32_C(0xC0000203) /**< the client's session went */
#define NPJ_STATUS_INSUFF_SERVER_RESOURCES     UINT32_C(0xC0000205) /**< the engine's own cap: the moment of Event 2019 */
#define NPJ_STATUS_NOT_FOUND                   UINT32_C(0xC0000225) /**< cancel of something answered or unknown */
#define NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS UINT32_C(0xC00002FF) /**< a new job during shutdown; reason of a shutdown by abort */
/** @} */

/** The names of all of them, for tables and switches. */
#define NPJ_STATUS_LIST(X) \
    X(SUCCESS) X(PENDING) X(INVALID_HANDLE) X(INVALID_PARAMETER) X(INVALID_DEVICE_REQUEST) X(ACCESS_DENIED) \
    X(OBJECT_NAME_INVALID) X(OBJECT_NAME_NOT_FOUND) X(QUOTA_EXCEEDED) X(INSUFFICIENT_RESOURCES) \
    X(PIPE_NOT_AVAILABLE) X(INVALID_PIPE_STATE) X(PIPE_BUSY) X(PIPE_DISCONNECTED) X(PIPE_CLOSING) X(IO_TIMEOUT) \
    X(PRINT_CANCELLED) X(NETWORK_NAME_DELETED) X(CANCELLED) X(PIPE_BROKEN) X(INVALID_DEVICE_STATE) \
    X(USER_SESSION_DELETED) X(INSUFF_SERVER_RESOURCES) X(NOT_FOUND) X(SERVER_SHUTDOWN_IN_PROGRESS)
/* clang-format on */

/** Whether @p status is an error (severity 3). Success codes, PENDING and warnings are not. */
static inline bool npj_status_is_error(npj_status status)
{
    return (status >> 30) == 3;
}

/**
 * The name of a status as MS-ERREF spells it, "STATUS_PIPE_BROKEN".
 * @return a static string; "STATUS_(unknown)" for a value outside NPJ_STATUS_LIST. Never NULL.
 */
const char *npj_status_name(npj_status status);

#ifdef __cplusplus
}
#endif

#endif
