/* SPDX-License-Identifier: MIT */
/* What a configuration makes of the daemon, at the start and after SIGHUP. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "log.h"
#include "state.h"

enum { WHY = 256 };

/* What a job has open at once: its socket, and its pipe or the two outputs of a command. */
enum { JOB_DESCRIPTORS = 3 };

/* What the daemon has open besides: the loop, the standard streams, the control socket and those who ask there, files
 * that are being read or written, a command that is being started. */
enum { OWN_DESCRIPTORS = 40 };

/* A listener of the daemon's own found no descriptor for a connection. */
static void on_exhausted(void *user, int error)
{
    npjobd *self = user;
    self->service.exhausted(&self->service, error);
}

/* ---------------------------------------------------------------------------------------------- printers */

static const settings_printer *find_settings(const settings *of, const char *name)
{
    for (size_t i = 0; i < of->printer_count; i++)
        if (strcmp(of->printers[i].name, name) == 0)
            return &of->printers[i];
    return NULL;
}

static void put_first(npjobd *self, printer *one)
{
    one->next = self->printers;
    self->printers = one;
}

/* The printer of that name, which comes to be the first of the list; NULL: there is none. */
static printer *bring_forward(npjobd *self, const char *name)
{
    printer **link = &self->printers;
    while (*link != NULL && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    printer *one = *link;
    if (one == NULL)
        return NULL;
    *link = one->next;
    put_first(self, one);
    return one;
}

static int find_socket(const npjobd *self, const char *name)
{
    for (size_t i = 0; i < self->socket_count; i++)
        if (strcmp(self->sockets[i].name, name) == 0)
            return self->sockets[i].fd;
    return -1;
}

/* Those that the new settings do not name. One that has jobs stays in the list, closed, until the settings are read
 * again after their end: so it is told of, and so are they. */
static void remove_printers(npjobd *self, const settings *fresh)
{
    for (printer **link = &self->printers; *link != NULL;) {
        printer *one = *link;
        bool wanted = find_settings(fresh, one->name) != NULL;
        if (!wanted && one->listener != NULL) {
            log_line(LOG_NOTICE, "printer %s is removed; connections and jobs that go on: %ju", one->name,
                     (uintmax_t)one->live);
            printer_close(one);
        }
        if (wanted || one->live > 0) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        printer_free(one);
    }
}

static bool add_printer(npjobd *self, const settings_printer *wanted, const char *folder)
{
    char why[WHY];
    printer *one = printer_new(&self->service, wanted, folder, find_socket(self, wanted->name), why, sizeof why);
    if (one == NULL) {
        log_line(LOG_ERR, "printer %s: %s", wanted->name, why);
        return false;
    }
    put_first(self, one);
    return true;
}

/* What the settings have changed of a printer that is there. @return how many things could not be had. */
static size_t change_printer(npjobd *self, printer *one, const settings_printer *wanted, const char *folder)
{
    size_t failed = 0;
    char why[WHY];
    if (!printer_place(one, folder, find_socket(self, wanted->name), why, sizeof why)) {
        log_line(LOG_ERR, "printer %s %s: %s", wanted->name,
                 one->listener != NULL ? "keeps its old socket" : "is not there again", why);
        failed++;
    }
    if (!printer_renew(one, wanted, why, sizeof why)) {
        log_line(LOG_ERR, "printer %s keeps its old settings: %s", wanted->name, why);
        failed++;
    }
    return failed;
}

/* smbd waits for its handshake, and with it its client: the end of the connection tells both. */
static void turn_away(void *user, int fd)
{
    (void)user;
    close(fd);
}

/* Sockets that were handed over, and are of no printer. To close them is not enough: whoever handed them over has them
 * open as well. */
static void attend_idle_sockets(npjobd *self, const settings *fresh)
{
    static const listener_calls calls = {.accepted = turn_away, .exhausted = on_exhausted};
    char why[WHY];
    for (size_t i = 0; i < self->socket_count; i++) {
        systemd_socket *one = &self->sockets[i];
        bool configured = find_settings(fresh, one->name) != NULL;
        if (configured && find_socket(self, one->name) == one->fd)
            continue;
        log_line(LOG_WARNING, "a socket was handed over for printer %s, which %s", one->name,
                 configured ? "has another" : "is not configured");
        self->idle[i] = listener_adopt(&self->loop, one->fd, &calls, self, why, sizeof why);
        if (self->idle[i] == NULL)
            log_line(LOG_ERR, "printer %s: %s", one->name, why);
    }
}

static void close_idle_sockets(npjobd *self)
{
    for (size_t i = 0; i < self->socket_count; i++) {
        if (self->idle[i] != NULL)
            listener_close(self->idle[i]);
        self->idle[i] = NULL;
    }
}

/* The last first, each to the front: they come to stand as in the file. @return how many things could not be had. */
static size_t place_printers(npjobd *self, const settings *fresh, const char *folder)
{
    size_t failed = 0;
    for (size_t i = fresh->printer_count; i-- > 0;) {
        const settings_printer *wanted = &fresh->printers[i];
        printer *one = bring_forward(self, wanted->name);
        failed += one != NULL ? change_printer(self, one, wanted, folder) : !add_printer(self, wanted, folder);
    }
    return failed;
}

void daemon_close_printers(npjobd *self)
{
    close_idle_sockets(self);
    for (printer *one = self->printers; one != NULL; one = one->next)
        printer_close(one);
}

void daemon_free_printers(npjobd *self)
{
    while (self->printers != NULL) {
        printer *one = self->printers;
        self->printers = one->next;
        printer_free(one);
    }
}

/* ---------------------------------------------------------------------------------------------- folders */

/* Not by its path: the folder that a new one stands in may be that user's. */
static void give_folder(const char *path, uid_t owner)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchown(fd, owner, (gid_t)-1) != 0)
        log_line(LOG_WARNING, "%s: cannot be given to user %lu: %s", path, (unsigned long)owner, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* @return whether something is there. */
static bool make_folder(const char *path, mode_t mode, uid_t owner)
{
    mode_t before = umask(0);
    int error = mkdir(path, mode) == 0 ? 0 : errno;
    umask(before);
    if (error != 0 && error != EEXIST)
        log_line(LOG_WARNING, "%s: cannot be made: %s", path, strerror(error));
    if (error == 0 && owner != geteuid() && geteuid() == 0)
        give_folder(path, owner);
    return error == 0 || error == EEXIST;
}

/* smbd makes the first two when it starts, and refuses to if they are not like this; we may be there before it. The
 * third is made by systemd, but not by everybody. */
static void make_folders(const settings *fresh, const char *folder, uid_t smbd)
{
    char beside[SETTINGS_SOCKET_MAX + 1];
    snprintf(beside, sizeof beside, "%s", fresh->control_socket);
    char *slash = strrchr(beside, '/');
    if (slash != NULL && slash != beside) {
        *slash = '\0';
        (void)make_folder(beside, 0700, geteuid());
    }
    if (make_folder(fresh->ncalrpc_dir, 0755, smbd))
        (void)make_folder(folder, 0700, smbd);
}

/* ---------------------------------------------------------------------------------------------- descriptors */

/* Those of the printers, and those that were handed over, whoever they are for. */
static rlim_t sockets_open(const npjobd *self, const settings *fresh)
{
    rlim_t open = self->socket_count;
    for (size_t i = 0; i < fresh->printer_count; i++)
        open += find_socket(self, fresh->printers[i].name) < 0;
    return open;
}

/* As many connections as there are descriptors for their pipes as well, so that no job fails for want of one; and as
 * many descriptors as all that takes. */
static void make_room(npjobd *self, const settings *fresh)
{
    struct rlimit limit;
    rlim_t own = OWN_DESCRIPTORS + sockets_open(self, fresh);
    rlim_t wanted = own + (rlim_t)JOB_DESCRIPTORS * self->service.max_jobs;
    self->service.room = UINT32_MAX; /* max jobs is what counts */
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    rlim_t room = limit.rlim_cur > own ? (limit.rlim_cur - own) / JOB_DESCRIPTORS : 0;
    if (room < self->service.max_jobs) {
        self->service.room = room > 0 ? (uint32_t)room : 1;
        log_line(LOG_WARNING, "%ju descriptors suffice for %ju of %u jobs at once; the others wait",
                 (uintmax_t)limit.rlim_cur, (uintmax_t)self->service.room, (unsigned)self->service.max_jobs);
    }
}

/* ---------------------------------------------------------------------------------------------- all of it */

static bool same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

/* The old one is closed when the new one is there. */
static size_t open_control(npjobd *self, const settings *fresh)
{
    static const control_calls calls = {.tell = daemon_tell, .exhausted = on_exhausted};
    char why[WHY];
    if (self->control != NULL && control_is_at(self->control, fresh->control_socket))
        return 0;
    control *made = control_open(&self->loop, fresh->control_socket, &calls, self, why, sizeof why);
    if (made == NULL) {
        log_line(LOG_ERR, "control socket: %s", why);
        return 1;
    }
    if (self->control != NULL)
        control_close(self->control);
    self->control = made;
    return 0;
}

static void open_metrics(npjobd *self, const settings *fresh)
{
    if (self->metrics != NULL && same(self->settings->metrics_file, fresh->metrics_file)) {
        if (self->settings->metrics_interval != fresh->metrics_interval)
            metrics_every(self->metrics, fresh->metrics_interval);
        return;
    }
    if (self->metrics != NULL)
        metrics_close(self->metrics, false);
    self->metrics = NULL;
    if (fresh->metrics_file != NULL)
        self->metrics =
            metrics_open(&self->loop, fresh->metrics_file, fresh->metrics_interval, daemon_tell_metrics, self);
}

void daemon_close_files(npjobd *self)
{
    if (self->control != NULL)
        control_close(self->control);
    if (self->metrics != NULL)
        metrics_close(self->metrics, true);
    self->control = NULL;
    self->metrics = NULL;
}

size_t daemon_apply(npjobd *self, settings *fresh, uid_t smbd)
{
    bool starting = self->settings == NULL;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/np", fresh->ncalrpc_dir);
    self->service.smbd = smbd;
    self->service.handshake_time = fresh->handshake_timeout;
    self->service.max_jobs = fresh->max_jobs;
    pool_limit(&self->service.pool, fresh->max_memory, fresh->max_jobs);

    make_room(self, fresh);
    make_folders(fresh, folder, smbd);
    close_idle_sockets(self);
    remove_printers(self, fresh);
    size_t failed = open_control(self, fresh); /* where a printer was, or will be */
    /* A start that has failed may have found a daemon: nothing of that is tried, or written. */
    if (!starting || failed == 0)
        failed += place_printers(self, fresh, folder);
    attend_idle_sockets(self, fresh);
    if (!starting || failed == 0)
        open_metrics(self, fresh);

    settings_free(self->settings);
    self->settings = fresh;
    service_wait_for_room(&self->service); /* new sockets do, as the others */
    self->service.relieved(&self->service);
    return failed;
}

void daemon_reload(npjobd *self)
{
    systemd_notify("RELOADING=1");
    char wrong[LOAD_WRONG];
    uid_t smbd = 0;
    settings *fresh = load_settings(self->path, &smbd, wrong);
    if (fresh == NULL) {
        log_line(LOG_ERR, "reload: the old settings stay: %s", wrong);
    } else {
        size_t failed = daemon_apply(self, fresh, smbd);
        size_t printers = self->settings->printer_count;
        log_line(failed == 0 ? LOG_NOTICE : LOG_ERR, "reload: %zu printer%s, %zu failure%s", printers,
                 printers == 1 ? "" : "s", failed, failed == 1 ? "" : "s");
    }
    systemd_notify("READY=1");
}
