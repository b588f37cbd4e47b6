/* SPDX-License-Identifier: MIT */
/* The control socket, both ends of it. */
#include "control.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "log.h"

enum { ASKING_AT_ONCE = 8, ASKED_WITHIN_MS = 5000, LONGEST_QUESTION = 32 };

/* One who asks. Lives from its connection until both of its handles are closed; in the list until it begins to close.
 */
typedef struct asker {
    struct control *control;
    struct asker *next;
    uv_pipe_t pipe;
    uv_timer_t limit;
    uv_write_t write;
    bool closing;
    size_t open_handles;
    size_t length; /* of the question so far */
    char question[LONGEST_QUESTION];
    char *answer;
    size_t unread; /* of it, when the limit began to run */
} asker;

struct control {
    uv_loop_t *loop;
    listener *listener;
    const control_calls *calls;
    void *user;
    asker *askers;
    size_t count; /* of askers whose memory has not gone: they point here */
    bool closing;
};

/* ---------------------------------------------------------------------------------------------- one who asks */

static void on_closed(uv_handle_t *handle)
{
    asker *self = handle->data;
    control *owner = self->control;
    if (--self->open_handles > 0)
        return;
    free(self->answer);
    free(self);
    if (--owner->count == 0 && owner->closing)
        free(owner);
}

static void end_asker(asker *self)
{
    if (self->closing)
        return;
    self->closing = true;
    for (asker **link = &self->control->askers; *link != NULL; link = &(*link)->next) {
        if (*link == self) {
            *link = self->next;
            break;
        }
    }
    uv_close((uv_handle_t *)&self->pipe, on_closed);
    uv_close((uv_handle_t *)&self->limit, on_closed);
}

/* What of the answer lies with us and in the socket, as the system counts that. We alone would not do: the socket takes
 * nothing more until three quarters of what it has are read. */
static size_t count_unread(asker *self)
{
    int fd = -1;
    int in_socket = 0;
    if (uv_fileno((uv_handle_t *)&self->pipe, &fd) == 0)
        (void)ioctl(fd, SIOCOUTQ, &in_socket);
    return uv_stream_get_write_queue_size((uv_stream_t *)&self->pipe) + (size_t)in_socket;
}

/* It runs anew as long as bytes of the answer are read. */
static void on_limit(uv_timer_t *timer)
{
    asker *self = timer->data;
    size_t unread = count_unread(self);
    if (unread >= self->unread)
        end_asker(self);
    self->unread = unread;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    end_asker(request->data);
}

static void answer(asker *self, bool json)
{
    size_t size = 0;
    FILE *out = open_memstream(&self->answer, &size);
    if (out == NULL) {
        end_asker(self);
        return;
    }
    self->control->calls->tell(self->control->user, out, json);
    bool whole = ferror(out) == 0;
    whole = fclose(out) == 0 && whole && size > 0;
    uv_timer_again(&self->limit);
    uv_buf_t bytes = uv_buf_init(self->answer, (unsigned)size + 1); /* with the null at the end of a stream in memory */
    if (!whole || uv_write(&self->write, (uv_stream_t *)&self->pipe, &bytes, 1, on_written) != 0)
        end_asker(self);
    else
        self->unread = count_unread(self);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    asker *self = handle->data;
    *room = uv_buf_init(self->question + self->length, (unsigned)(sizeof self->question - self->length));
}

/* A question is one of two lines. Whoever says anything else has nothing to be told. */
static void on_question(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    (void)room;
    asker *self = stream->data;
    if (count < 0) {
        end_asker(self);
        return;
    }
    self->length += (size_t)count;
    if (memchr(self->question, '\n', self->length) == NULL && self->length < sizeof self->question)
        return;
    uv_read_stop(stream);
    if (self->length == 7 && memcmp(self->question, "status\n", 7) == 0)
        answer(self, false);
    else if (self->length == 12 && memcmp(self->question, "status json\n", 12) == 0)
        answer(self, true);
    else
        end_asker(self);
}

static void listen_to(asker *self, int fd)
{
    control *owner = self->control;
    self->open_handles = 2;
    self->pipe.data = self;
    self->limit.data = self;
    self->write.data = self;
    uv_pipe_init(owner->loop, &self->pipe, 0);
    uv_timer_init(owner->loop, &self->limit);
    self->next = owner->askers;
    owner->askers = self;
    owner->count++;
    uv_timer_start(&self->limit, on_limit, ASKED_WITHIN_MS, ASKED_WITHIN_MS);
    if (uv_pipe_open(&self->pipe, fd) != 0) {
        close(fd);
        end_asker(self);
    } else if (uv_read_start((uv_stream_t *)&self->pipe, give_room, on_question) != 0) {
        end_asker(self);
    }
}

static void on_accepted(void *user, int fd)
{
    control *self = user;
    uid_t uid = 0;
    bool allowed = listener_peer(fd, &uid) && (uid == 0 || uid == geteuid());
    asker *one = allowed && self->count < ASKING_AT_ONCE ? calloc(1, sizeof *one) : NULL;
    if (!allowed)
        log_line(LOG_WARNING, "control: user %lu may not ask", (unsigned long)uid);
    if (one == NULL) {
        close(fd);
        return;
    }
    one->control = self;
    listen_to(one, fd);
}

static void on_exhausted(void *user, int error)
{
    control *self = user;
    self->calls->exhausted(self->user, error);
}

/* ---------------------------------------------------------------------------------------------- the socket */

control *control_open(uv_loop_t *loop, const char *path, const control_calls *calls, void *user, char *why,
                      size_t why_size)
{
    static const listener_calls heard = {.accepted = on_accepted, .exhausted = on_exhausted};
    control *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    self->loop = loop;
    self->calls = calls;
    self->user = user;
    self->listener = listener_open(loop, path, geteuid(), &heard, self, why, why_size);
    if (self->listener == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

bool control_is_at(const control *self, const char *path)
{
    return listener_is_at(self->listener, path);
}

void control_resume(control *self)
{
    listener_resume(self->listener);
}

void control_close(control *self)
{
    listener_close(self->listener);
    self->closing = true;
    while (self->askers != NULL)
        end_asker(self->askers);
    if (self->count == 0)
        free(self);
}

/* ---------------------------------------------------------------------------------------------- asking */

static bool fails(char *why, size_t size, const char *path, int error)
{
    const char *hint = error == ECONNREFUSED || error == ENOENT ? " (is npjobd running?)" : "";
    snprintf(why, size, "%s: %s%s", path, error == EAGAIN ? "no answer" : strerror(error), hint);
    return false;
}

static bool copy_answer(int fd, const char *question, FILE *out, int *error)
{
    char bytes[4096];
    bool whole = false;
    ssize_t count = send(fd, question, strlen(question), MSG_NOSIGNAL);
    while (!whole && (count > 0 || (count < 0 && errno == EINTR))) {
        count = recv(fd, bytes, sizeof bytes, 0);
        whole = count > 0 && bytes[count - 1] == '\0';
        if (count > 0)
            (void)fwrite(bytes, 1, (size_t)count - whole, out);
    }
    *error = count < 0 ? errno : ECONNRESET; /* an end within the answer; without one: we may not ask */
    return whole;
}

bool control_ask(const char *path, bool json, FILE *out, char *why, size_t why_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return fails(why, why_size, path, ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fails(why, why_size, path, errno);

    struct timeval limit = {.tv_sec = ASKED_WITHIN_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int error = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    bool told = error == 0 && copy_answer(fd, json ? "status json\n" : "status\n", out, &error);
    close(fd);
    return told || fails(why, why_size, path, error);
}
