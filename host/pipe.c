/* SPDX-License-Identifier: MIT */
/* A named pipe on POSIX. */
#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static npj_status status_of_errno(int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return NPJ_STATUS_PIPE_BROKEN;
    case ENOENT:
    case ENOTDIR:
        return NPJ_STATUS_OBJECT_NAME_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return NPJ_STATUS_ACCESS_DENIED;
    case ENAMETOOLONG:
    case ELOOP:
        return NPJ_STATUS_OBJECT_NAME_INVALID;
    case ECONNREFUSED: /* a socket without a server */
    case ENXIO:        /* a FIFO without a reader */
        return NPJ_STATUS_PIPE_NOT_AVAILABLE;
    case EAGAIN: /* the server's queue of connections is full */
        return NPJ_STATUS_PIPE_BUSY;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    case EMSGSIZE:
    case EFAULT:
        return NPJ_STATUS_INVALID_PARAMETER;
    default: /* and 0: what is there is no pipe for us */
        return NPJ_STATUS_INVALID_DEVICE_REQUEST;
    }
}

static npj_status failed(npjpi_pipe *pipe, const char *step, int error)
{
    pipe->step = step;
    pipe->error = error;
    return status_of_errno(error);
}

static npj_status opened(npjpi_pipe *pipe, int fd, bool is_socket)
{
    *pipe = (npjpi_pipe){.fd = fd, .is_socket = is_socket, .step = ""};
    return NPJ_STATUS_SUCCESS;
}

static int size_of_buffer(int fd)
{
    int size = 0;
    socklen_t length = sizeof size;
    return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0 ? size : 0;
}

/*
 * The system counts its own overhead as well, and doubles what it is asked for. Where it allows less to those who ask
 * (wmem_max) than it gives to those who do not (wmem_default), it makes the buffer smaller.
 *
 * Returns false for that: no call puts back what there was.
 */
static bool make_room_for_messages(int fd, uint32_t longest)
{
    int before = size_of_buffer(fd);
    int wanted = longest > INT32_MAX / 2 ? INT32_MAX / 2 : (int)longest;
    if (before < wanted + 4096)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted); /* sendmsg tells if it was not enough */
    return size_of_buffer(fd) >= before;
}

static int new_socket(int type)
{
    return socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int socket_for_messages(uint32_t longest)
{
    int fd = new_socket(SOCK_SEQPACKET);
    if (fd >= 0 && !make_room_for_messages(fd, longest)) {
        close(fd);
        fd = new_socket(SOCK_SEQPACKET);
    }
    return fd;
}

static npj_status open_socket(npjpi_pipe *pipe, const char *path, npj_pipe_mode mode, uint32_t longest)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return failed(pipe, "connect", ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);

    int fd = mode == NPJ_MESSAGE_MODE ? socket_for_messages(longest) : new_socket(SOCK_STREAM);
    if (fd < 0)
        return failed(pipe, "socket", errno);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        return failed(pipe, "connect", error);
    }
    return opened(pipe, fd, true);
}

static npj_status open_fifo(npjpi_pipe *pipe, const char *path)
{
    struct stat what;
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return failed(pipe, "open", errno);
    if (fstat(fd, &what) != 0 || !S_ISFIFO(what.st_mode)) { /* replaced since it was looked at */
        close(fd);
        return failed(pipe, "neither a socket nor a FIFO", 0);
    }
    return opened(pipe, fd, false);
}

npj_status npjpi_pipe_open(npjpi_pipe *pipe, const char *path, npj_pipe_mode mode, uint32_t longest)
{
    struct stat what;
    if (stat(path, &what) != 0)
        return failed(pipe, "open", errno);
    if (S_ISSOCK(what.st_mode))
        return open_socket(pipe, path, mode, longest);
    if (!S_ISFIFO(what.st_mode))
        return failed(pipe, "neither a socket nor a FIFO", 0);
    if (mode == NPJ_MESSAGE_MODE)
        return failed(pipe, "a FIFO carries no messages, a SOCK_SEQPACKET socket does", 0);
    return open_fifo(pipe, path);
}

/*
 * A FIFO without a reader raises SIGPIPE beside EPIPE, and writev() has no flag against it. The signal is for this
 * thread alone: it is held back during the call, and taken away if it was the call that raised it.
 */
static ssize_t write_to_fifo(int fd, const struct iovec *iov, int iov_count)
{
    static const struct timespec at_once = {0};
    sigset_t broken;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    ssize_t count = writev(fd, iov, iov_count);
    int error = errno;
    if (count < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
        (void)sigtimedwait(&broken, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return count;
}

/* A header of a message costs the system more than a small piece does. */
static ssize_t write_to_socket(int fd, const struct iovec *iov, uint32_t iov_count)
{
    if (iov_count == 1)
        return send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = iov_count};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/*
 * The system takes longer over each piece than a copy of a small one takes: 64 of 64 bytes are written in two thirds of
 * the time as one, 64 of 512 bytes in a little less or more, as the machine has it, those of 4 KiB in more
 * (docs/performance.md).
 */
enum { SMALL_PIECE = 384, PUT_TOGETHER = 32 * 1024 };

static bool is_many_small(uint32_t iov_count, uint64_t bytes)
{
    return iov_count > 1 && bytes <= PUT_TOGETHER && bytes <= (uint64_t)iov_count * SMALL_PIECE;
}

static void put_together(const struct iovec *iov, uint32_t iov_count, unsigned char *to)
{
    for (uint32_t i = 0; i < iov_count; i++) {
        memcpy(to, iov[i].iov_base, iov[i].iov_len);
        to += iov[i].iov_len;
    }
}

npj_status npjpi_pipe_write(npjpi_pipe *pipe, const struct iovec *iov, uint32_t iov_count, uint64_t bytes,
                            uint64_t *taken)
{
    unsigned char together[PUT_TOGETHER];
    const struct iovec whole = {together, (size_t)bytes};
    if (is_many_small(iov_count, bytes)) {
        put_together(iov, iov_count, together);
        iov = &whole;
        iov_count = 1;
    }
    ssize_t count;
    do {
        count =
            pipe->is_socket ? write_to_socket(pipe->fd, iov, iov_count) : write_to_fifo(pipe->fd, iov, (int)iov_count);
    } while (count < 0 && errno == EINTR);

    if (count >= 0) {
        *taken = (uint64_t)count;
        pipe->writes++;
        return NPJ_STATUS_SUCCESS;
    }
    if (errno == EAGAIN)
        return NPJ_STATUS_PENDING;
    return failed(pipe, "write", errno);
}

/* A reader that closed its socket while bytes lay there unread has left ECONNRESET with ours, if no write met it. */
static int error_of_socket(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

/* As many as a buffer of 4 MiB holds: the shortest message takes more than 256 bytes of it. */
enum { UNASKED_READS = 16384 };

/*
 * What the reader has sent and nobody reads would make of the close a reset: its next read would fail, and what it has
 * not read yet be lost on it. It can send no more from here on.
 */
static void throw_away_unasked(int fd)
{
    char bytes[4096];
    int type = SOCK_STREAM;
    socklen_t length = sizeof type;
    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
    const ssize_t end = type == SOCK_STREAM ? 0 : -1; /* 0 is an empty message as well */
    (void)shutdown(fd, SHUT_RD);
    for (int i = 0; i < UNASKED_READS; i++)
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= end)
            return;
}

npj_status npjpi_pipe_close(npjpi_pipe *pipe, bool whole)
{
    int fd = pipe->fd;
    int unread = pipe->is_socket && pipe->error == 0 ? error_of_socket(fd) : 0;
    if (pipe->is_socket && whole) {
        throw_away_unasked(fd);
        (void)shutdown(fd, SHUT_WR); /* the end, also where a child of the program has the descriptor, too */
    }
    pipe->fd = -1;
    /* After EINTR Linux has closed it all the same. */
    if (close(fd) != 0 && errno != EINTR)
        return failed(pipe, "close", errno);
    return unread == 0 ? NPJ_STATUS_SUCCESS : failed(pipe, "the reader went before it had read all", unread);
}
