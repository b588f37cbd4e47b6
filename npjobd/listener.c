/* SPDX-License-Identifier: MIT */
/* A listening Unix stream socket on a libuv loop. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* How many connections are taken before the rest of the loop has its turn. */
enum { ACCEPTED_AT_ONCE = 16 };

/* How long a socket that cannot accept is left alone. */
enum { LOOK_AGAIN_MS = 1000 };

/* How often, and how long after each other, it is tried to lock a folder. */
enum { LOCK_TRIES = 10, LOCK_PAUSE_MS = 10 };

struct listener {
    uv_poll_t poll;
    uv_timer_t again;
    unsigned handles;
    int fd;
    bool paused;
    bool in_trouble; /* and that has been said */
    const listener_calls *calls;
    void *user;
    char *path; /* of a socket that we made; NULL for one that was handed to us, which is neither closed nor removed */
    dev_t device;
    ino_t inode;
};

/* ---------------------------------------------------------------------------------------------- accepting */

static void on_look_again(uv_timer_t *timer)
{
    listener *self = timer->data;
    if (!self->paused)
        listener_resume(self);
}

/* Something is wrong with this socket alone, which stays readable: the others go on. */
static void leave_alone(listener *self, const char *why)
{
    uv_poll_stop(&self->poll);
    uv_timer_start(&self->again, on_look_again, LOOK_AGAIN_MS, 0);
    if (!self->in_trouble)
        log_line(LOG_WARNING, "descriptor %d, %s, accepts nothing: %s", self->fd,
                 self->path != NULL ? self->path : "handed over", why);
    self->in_trouble = true;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    listener *self = handle->data;
    for (int i = 0; i < ACCEPTED_AT_ONCE && !self->paused; i++) {
        int fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            self->in_trouble = false;
            self->calls->accepted(self->user, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            int error = errno;
            listener_pause(self);
            self->calls->exhausted(self->user, error);
        } else if (errno == EAGAIN && (events & UV_DISCONNECT) == 0) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            leave_alone(self, errno == EAGAIN ? "it was shut down" : strerror(errno));
            return;
        }
    }
}

void listener_pause(listener *self)
{
    self->paused = true;
    uv_poll_stop(&self->poll);
}

void listener_resume(listener *self)
{
    self->paused = false;
    uv_poll_start(&self->poll, UV_READABLE | UV_DISCONNECT, on_readable);
}

/* ---------------------------------------------------------------------------------------------- making a socket */

static bool fails(char *why, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fails(char *why, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return false;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Opens the folder of a socket. Nothing is removed there but by name_of(): the path smbd's user may meanwhile have led
 * to a folder that is none of his. */
static int open_folder(const char *path)
{
    int length = (int)(name_of(path) - path);
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
    snprintf(folder, sizeof folder, "%.*s", length, path);
    return open(length > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes way for a new socket at the address: what is there is removed if nobody listens on it. */
static bool remove_stale(const struct sockaddr_un *address, int folder, char *why, size_t size)
{
    struct stat there;
    const char *name = name_of(address->sun_path);
    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fails(why, size, "%s: %s", address->sun_path, strerror(errno));
    if (!S_ISSOCK(there.st_mode))
        return fails(why, size, "%s is there, and no socket", address->sun_path);

    int fd = new_socket();
    if (fd < 0)
        return fails(why, size, "socket: %s", strerror(errno));
    int error = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    close(fd);
    if (error == EACCES)
        return fails(why, size, "%s: it is another user's socket", address->sun_path);
    if (error != ECONNREFUSED && error != ENOENT)
        return fails(why, size, "%s: another process listens there", address->sun_path);
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        return fails(why, size, "%s: cannot remove the stale socket: %s", address->sun_path, strerror(errno));
    return true;
}

static bool is_it(const listener *self, const struct stat *there)
{
    return self->inode != 0 && there->st_dev == self->device && there->st_ino == self->inode;
}

/* However the path is spelled; if it is none from the root, it begins in the folder. */
static bool is_its_file(const listener *self, int folder, const char *path)
{
    struct stat there;
    return fstatat(folder, path, &there, AT_SYMLINK_NOFOLLOW) == 0 && is_it(self, &there);
}

/* Not by its path: the folder is smbd's user's, who may have put another file there. */
static bool give(const listener *self, uid_t owner, char *why, size_t size)
{
    struct stat there;
    if (geteuid() != 0)
        return true;
    int fd = open(self->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &there) != 0 ? errno : 0;
    if (error == 0 && !(S_ISSOCK(there.st_mode) && is_it(self, &there)))
        error = ESTALE;
    if (error == 0 && fchownat(fd, "", owner, (gid_t)-1, AT_EMPTY_PATH) != 0)
        error = errno;
    if (fd >= 0)
        close(fd);
    return error == 0 || fails(why, size, "%s: cannot give the socket to user %lu: %s", self->path,
                               (unsigned long)owner, strerror(error));
}

/* Binds and listens. The file is born with its mode, so that nobody connects before it has its owner. */
static bool listen_at(listener *self, const struct sockaddr_un *address, uid_t owner, char *why, size_t size)
{
    struct stat made;
    mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
    int error = bind(self->fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    umask(before);
    if (error != 0)
        return fails(why, size, "%s: cannot make the socket: %s", address->sun_path, strerror(error));
    if (lstat(address->sun_path, &made) != 0 || !S_ISSOCK(made.st_mode) || made.st_uid != geteuid())
        return fails(why, size, "%s: somebody has taken the new socket away", address->sun_path);
    self->device = made.st_dev;
    self->inode = made.st_ino;
    if (!give(self, owner, why, size))
        return false;
    if (listen(self->fd, SOMAXCONN) != 0)
        return fails(why, size, "%s: cannot listen: %s", address->sun_path, strerror(errno));
    return true;
}

bool listener_is_at(const listener *self, const char *path)
{
    return self->path == NULL || is_its_file(self, AT_FDCWD, path);
}

bool listener_give(const listener *self, uid_t owner, char *why, size_t why_size)
{
    return self->path == NULL || give(self, owner, why, why_size);
}

/* Opens the folder of @p path and waits until no other process is making a socket there; but not for long, as whoever
 * may read the folder may hold its lock. */
static int lock_folder(const char *path)
{
    int fd = open_folder(path);
    if (fd < 0)
        return -1;
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
    }
    close(fd);
    errno = EBUSY;
    return -1;
}

static bool make_socket(listener *self, const char *path, uid_t owner, char *why, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return fails(why, size, "%s: the path of a socket has at most %zu bytes", path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);

    self->path = strdup(path);
    self->fd = new_socket();
    if (self->path == NULL || self->fd < 0)
        return fails(why, size, "socket: %s", strerror(errno));
    int lock = lock_folder(path);
    if (lock < 0)
        return fails(why, size, "%s: cannot lock its folder: %s", path, strerror(errno));
    bool done = remove_stale(&address, lock, why, size) && listen_at(self, &address, owner, why, size);
    close(lock);
    return done;
}

/* ---------------------------------------------------------------------------------------------- life */

static listener *new_listener(const listener_calls *calls, void *user, char *why, size_t size)
{
    listener *self = calloc(1, sizeof *self);
    if (self == NULL) {
        (void)fails(why, size, "no memory");
        return NULL;
    }
    self->fd = -1;
    self->calls = calls;
    self->user = user;
    return self;
}

static void close_socket(listener *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

/* Removed before it is closed: another process would find it stale, and may put its own there in the moment between our
 * look and the removal. Without a descriptor for the folder, or its lock, ours is given back first. */
static void give_up_socket(listener *self)
{
    if (self->path == NULL)
        return;
    int folder = lock_folder(self->path);
    if (folder < 0) {
        close_socket(self);
        folder = open_folder(self->path);
    }
    const char *name = name_of(self->path);
    if (folder >= 0 && is_its_file(self, folder, name))
        (void)unlinkat(folder, name, 0);
    if (folder >= 0)
        close(folder);
    close_socket(self);
    free(self->path);
    self->path = NULL;
}

static bool watch(listener *self, uv_loop_t *loop, char *why, size_t size)
{
    int error = uv_poll_init(loop, &self->poll, self->fd);
    if (error != 0)
        return fails(why, size, "cannot watch the socket: %s", uv_strerror(error));
    uv_timer_init(loop, &self->again);
    self->poll.data = self->again.data = self;
    self->handles = 2;
    listener_resume(self);
    return true;
}

listener *listener_open(uv_loop_t *loop, const char *path, uid_t owner, const listener_calls *calls, void *user,
                        char *why, size_t why_size)
{
    listener *self = new_listener(calls, user, why, why_size);
    if (self == NULL)
        return NULL;
    if (make_socket(self, path, owner, why, why_size) && watch(self, loop, why, why_size))
        return self;
    give_up_socket(self);
    free(self);
    return NULL;
}

listener *listener_adopt(uv_loop_t *loop, int fd, const listener_calls *calls, void *user, char *why, size_t why_size)
{
    listener *self = new_listener(calls, user, why, why_size);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    if (watch(self, loop, why, why_size))
        return self;
    free(self);
    return NULL;
}

static void on_closed(uv_handle_t *handle)
{
    listener *self = handle->data;
    if (--self->handles == 0)
        free(self);
}

void listener_close(listener *self)
{
    /* libuv has forgotten the descriptor when uv_close() returns; only the handles themselves live on. */
    uv_close((uv_handle_t *)&self->poll, on_closed);
    uv_close((uv_handle_t *)&self->again, on_closed);
    give_up_socket(self);
}

bool listener_peer(int fd, uid_t *uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    *uid = peer.uid;
    return true;
}
