/* SPDX-License-Identifier: MIT */
/** @file The daemon as a whole: from its configuration to its end by a signal. */
#ifndef NPJOBD_DAEMON_H
#define NPJOBD_DAEMON_H

/** The exit codes of npjobd. */
enum {
    DAEMON_DONE = 0,   /**< all is well */
    DAEMON_FAILED = 1, /**< a socket, or the system, would not do; the daemon was asked and did not answer */
    DAEMON_USAGE = 2   /**< the command line or the configuration is wrong */
};

/**
 * Serves all printers of the configuration file @p path, in the foreground, until SIGTERM or SIGINT has ended it.
 * SIGHUP reads the file again. All that it has is given back when it returns.
 *
 * @return an exit code; what was wrong is in the log.
 */
int daemon_run(const char *path);

#endif
