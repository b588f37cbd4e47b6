/* SPDX-License-Identifier: MIT */
/* The daemon as a whole: start, signals, stop. What a new configuration changes is in reload.c. */
#include "daemon.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "load.h"
#include "log.h"
#include "state.h"

enum { LOOK_AGAIN_MS = 1000, SAY_AGAIN_MS = 60000 };

/* ---------------------------------------------------------------------------------------------- descriptors */

static void resume(npjobd *self)
{
    self->paused = false;
    uv_timer_stop(&self->look_again);
    for (printer *one = self->printers; one != NULL; one = one->next)
        if (one->listener != NULL)
            listener_resume(one->listener);
    for (size_t i = 0; i < self->socket_count; i++)
        if (self->idle[i] != NULL)
            listener_resume(self->idle[i]);
    if (self->control != NULL)
        control_resume(self->control);
}

static void on_look_again(uv_timer_t *timer)
{
    resume(timer->data);
}

/* A connection that ends is heard of; a descriptor that another process gives back is not: hence the timer. What is not
 * a printer's pauses by itself when it finds no descriptor. */
static void on_exhausted(service *shared, int error)
{
    npjobd *self = daemon_of(shared);
    uint64_t now = uv_now(&self->loop);
    self->paused = true;
    for (printer *one = self->printers; one != NULL; one = one->next)
        if (one->listener != NULL)
            listener_pause(one->listener);
    if (error != 0)
        uv_timer_start(&self->look_again, on_look_again, LOOK_AGAIN_MS, 0);
    if (self->said_exhausted != 0 && now - self->said_exhausted < SAY_AGAIN_MS)
        return;
    self->said_exhausted = now;
    log_line(LOG_WARNING, "connections wait: %s; connections and jobs that have not ended: %u",
             error != 0 ? strerror(error) : "no descriptors for more", (unsigned)shared->live);
}

/* ---------------------------------------------------------------------------------------------- stopping */

/* No job is left: the last report is written, and the loop runs until the engines have ended. */
static void close_handles(npjobd *self)
{
    self->closing = true;
    daemon_close_files(self);
    daemon_free_printers(self);
    uv_close((uv_handle_t *)&self->hangup, NULL);
    uv_close((uv_handle_t *)&self->terminate, NULL);
    uv_close((uv_handle_t *)&self->interrupt, NULL);
    uv_close((uv_handle_t *)&self->look_again, NULL);
    uv_close((uv_handle_t *)&self->stop_limit, NULL);
}

static void on_relieved(service *shared)
{
    npjobd *self = daemon_of(shared);
    if (self->paused && service_has_room(shared))
        resume(self);
    if (self->stopping && !self->closing && shared->live == 0)
        close_handles(self);
}

/* Each that is aborted may end at once; its neighbours stay. */
static void abort_all(npjobd *self, bool handshakes_only)
{
    connection *next = NULL;
    for (connection *one = self->service.connections; one != NULL; one = next) {
        next = one->next;
        if (!handshakes_only || one->job == NULL)
            connection_abort(one, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS, "npjobd stops");
    }
}

static unsigned count_good(const npjobd *self)
{
    unsigned count = 0;
    for (const connection *one = self->service.connections; one != NULL; one = one->next)
        count += one->failure == NPJ_STATUS_SUCCESS;
    return count;
}

static void on_stop_limit(uv_timer_t *timer)
{
    npjobd *self = timer->data;
    log_line(LOG_WARNING, "stop timeout: jobs that are abandoned: %u", count_good(self));
    abort_all(self, false);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    npjobd *self = handle->data;
    const char *name = number == SIGINT ? "SIGINT" : "SIGTERM";
    if (self->stopping) {
        log_line(LOG_NOTICE, "%s once more: jobs that are abandoned: %u", name, count_good(self));
        uv_timer_stop(&self->stop_limit);
        abort_all(self, false);
        return;
    }
    log_line(LOG_NOTICE, "%s: stopping within %ju s; connections and jobs that have not ended: %u", name,
             (uintmax_t)(self->settings->stop_timeout / 1000), (unsigned)self->service.live);
    systemd_notify("STOPPING=1");
    self->stopping = true;
    uv_timer_start(&self->stop_limit, on_stop_limit, self->settings->stop_timeout, 0);
    daemon_close_printers(self);
    abort_all(self, true);
    on_relieved(&self->service);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    npjobd *self = handle->data;
    if (!self->stopping)
        daemon_reload(self);
}

/* ---------------------------------------------------------------------------------------------- start */

static void start_handles(npjobd *self)
{
    uv_signal_init(&self->loop, &self->hangup);
    uv_signal_init(&self->loop, &self->terminate);
    uv_signal_init(&self->loop, &self->interrupt);
    uv_timer_init(&self->loop, &self->look_again);
    uv_timer_init(&self->loop, &self->stop_limit);
    self->hangup.data = self->terminate.data = self->interrupt.data = self;
    self->look_again.data = self->stop_limit.data = self;
}

/* Before any socket is opened, so that none is left behind. Whoever started us may have blocked some: SIGCHLD, without
 * which no command is seen to end. */
static bool listen_to_signals(npjobd *self)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk */
    return uv_signal_start(&self->hangup, on_hangup, SIGHUP) == 0 &&
           uv_signal_start(&self->terminate, on_stop_signal, SIGTERM) == 0 &&
           uv_signal_start(&self->interrupt, on_stop_signal, SIGINT) == 0;
}

/* An unsuccessful start is a stop: what was opened is closed in the same way. */
static int serve(npjobd *self, settings *fresh, uid_t smbd)
{
    start_handles(self);
    bool heard = listen_to_signals(self);
    bool well = daemon_apply(self, fresh, smbd) == 0 && heard;
    if (well) {
        log_line(LOG_NOTICE, "npjobd serves %zu printer%s", self->settings->printer_count,
                 self->settings->printer_count == 1 ? "" : "s");
        systemd_notify("READY=1");
    } else {
        self->stopping = true;
        daemon_close_printers(self);
        on_relieved(&self->service);
    }
    uv_run(&self->loop, UV_RUN_DEFAULT);
    return well ? DAEMON_DONE : DAEMON_FAILED;
}

/* Whoever started us may have closed the standard streams. A socket in their place would be taken for one. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int daemon_run(const char *path)
{
    npjobd self = {.path = path};
    self.service.loop = &self.loop;
    self.service.exhausted = on_exhausted;
    self.service.relieved = on_relieved;

    open_standard_streams();
    log_start();
    (void)mallopt(M_MMAP_THRESHOLD, POOL_BUFFER_BYTES); /* a buffer that is freed goes back to the system at once */
    char wrong[LOAD_WRONG];
    uid_t smbd = 0;
    settings *fresh = load_settings(path, &smbd, wrong);
    if (fresh == NULL) {
        log_line(LOG_ERR, "%s", wrong);
        return DAEMON_USAGE;
    }
    /* Before anything is opened: what is none of ours under these numbers is closed. */
    self.socket_count = systemd_sockets_take(&self.sockets);
    self.idle = calloc(self.socket_count + 1, sizeof(listener *));
    int error = self.idle != NULL ? uv_loop_init(&self.loop) : UV_ENOMEM;
    if (error != 0) {
        log_line(LOG_ERR, "no event loop: %s", uv_strerror(error));
        systemd_sockets_free(self.sockets, self.socket_count);
        free(self.idle);
        settings_free(fresh);
        return DAEMON_FAILED;
    }
    self.began = uv_now(&self.loop);

    int code = serve(&self, fresh, smbd);
    systemd_sockets_free(self.sockets, self.socket_count);
    free(self.idle);
    settings_free(self.settings);
    pool_end(&self.service.pool);
    uv_loop_close(&self.loop);
    log_line(LOG_NOTICE, "npjobd ends");
    return code;
}
