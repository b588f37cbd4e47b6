/* SPDX-License-Identifier: MIT */
/* What systemd hands to a service and hears from it. Its protocols are small and stable: no library is needed. */
#include "systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

enum { FIRST_FD = 3, MOST = 4096 };

static bool has_value(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

static bool is_listening(int fd)
{
    return has_value(fd, SO_DOMAIN, AF_UNIX) && has_value(fd, SO_TYPE, SOCK_STREAM) && has_value(fd, SO_ACCEPTCONN, 1);
}

/* How many were handed to this process, not to the one that it was started by. */
static long count_handed_over(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return strtol(count, NULL, 10);
}

static bool keep(systemd_socket **sockets, size_t count, int fd, const char *name)
{
    systemd_socket *grown = realloc(*sockets, (count + 1) * sizeof **sockets);
    if (grown == NULL)
        return false;
    *sockets = grown;
    grown[count] = (systemd_socket){.fd = fd, .name = strdup(name)};
    return grown[count].name != NULL;
}

size_t systemd_sockets_take(systemd_socket **out)
{
    const char *names = getenv("LISTEN_FDNAMES");
    char *left = strdup(names != NULL ? names : "");
    char *next = left;
    long handed_over = count_handed_over();
    size_t count = 0;
    *out = NULL;
    for (int i = 0; i < handed_over && i < MOST; i++) {
        const char *name = next != NULL ? strsep(&next, ":") : "";
        if (is_listening(FIRST_FD + i) && fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC) == 0 &&
            keep(out, count, FIRST_FD + i, name)) {
            count++;
        } else {
            log_line(LOG_WARNING, "descriptor %d, handed over as \"%s\", is no listening Unix stream socket",
                     FIRST_FD + i, name);
            close(FIRST_FD + i);
        }
    }
    free(left);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return count;
}

void systemd_sockets_free(systemd_socket *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close(sockets[i].fd);
        free(sockets[i].name);
    }
    free(sockets);
}

void systemd_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (path[0] == '@') /* the abstract name space */
        address.sun_path[0] = '\0';

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, length) < 0)
        log_line(LOG_WARNING, "the service manager does not hear \"%s\": %s", state, strerror(errno));
    close(fd);
}
