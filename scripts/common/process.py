# SPDX-License-Identifier: MIT
"""Programs that may not end, and the progress of long work."""

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time


SANITIZER = re.compile(r'AddressSanitizer: ([\w-]+)|runtime error: ([^\n]*)')
GRACE = 20  # seconds to put things away in
OWN_SIGNALS = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGTRAP)


class Trouble(Exception):
    """What ends the run with one line."""


class Outcome:
    """What a program came to: its exit status (negative: a signal; None: it did not end), what it said, how long. And who
    it was."""

    def __init__(self, status, out, err, seconds, pid):
        self.status, self.out, self.err, self.seconds, self.pid = status, out, err, seconds, pid

    def report(self):
        """What a sanitizer has said, in a few words."""
        match = SANITIZER.search(self.err)
        return (match.group(1) or match.group(2)) if match else ''

    def death(self, name):
        """How the program died of what it did: hang, sanitizer or crash. Any other end is none of its doing."""
        if self.status is None:
            return 'hang'
        if self.report():
            return 'sanitizer'
        if -self.status in OWN_SIGNALS:
            return 'crash'
        raise Trouble(f'{name} says nothing (exit status {self.status}): {self.err.strip()[-300:]}')


class Running:
    """The processes of now, of all threads; none is started once they have been ended."""

    def __init__(self):
        self.lock, self.processes, self.ended = threading.RLock(), set(), False

    def start(self, command, **keywords):
        with self.lock:
            if self.ended:
                raise Trouble('interrupted')
            process = subprocess.Popen(command, start_new_session=True, **keywords)
            self.processes.add(process)
            return process

    def forget(self, process):
        with self.lock:
            self.processes.discard(process)
            if self.ended:
                self._kill([process], signal.SIGKILL)

    def end(self):
        """What is interrupted may have something to put away; what does not end by itself is killed."""
        with self.lock:
            if self.ended:
                return
            self.ended = True
            self._kill(self.processes, signal.SIGTERM)
        timer = threading.Timer(GRACE, lambda: self._kill(self.processes, signal.SIGKILL))
        timer.daemon = True
        timer.start()

    def _kill(self, processes, number):
        with self.lock:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)


RUNNING = Running()


def end_on_signals():
    """What runs is ended, and puts away what it has made. A signal that was ignored, as by nohup, still is."""
    def end(number, _):
        RUNNING.end()
        sys.exit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)


def run(command, timeout=None, cwd=None, env=None, memory=None):
    """
    Runs a command without a terminal. The timeout, which ends all of its process group, is of the processor's time, so
    that a busy machine makes no hang; one that only waits has ten times as long.
    """
    if timeout or memory:
        seconds = math.ceil(timeout or 0)
        limits = ([f'--cpu={seconds}:{seconds + 2}'] if timeout else []) + ([f'--as={memory}'] if memory else [])
        command = ['prlimit', *limits, *command]
    whole = dict(os.environ, **env) if env else None
    began = time.monotonic()
    try:
        process = RUNNING.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                                env=whole)
    except FileNotFoundError as error:
        raise Trouble(f'there is no {error.filename} here') from error
    status = None
    try:
        out, err = process.communicate(timeout=10 * timeout if timeout else None)
        status = process.returncode if process.returncode != -signal.SIGXCPU else None
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        try:
            out, err = process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            out, err = b'', b''  # held by whoever has left the group
    except BaseException:
        RUNNING.end()
        process.communicate()
        raise
    finally:
        RUNNING.forget(process)
    return Outcome(status, out.decode(errors='replace'), err.decode(errors='replace'), time.monotonic() - began, process.pid)


def must(command, what, **keywords):
    """Runs a command that has to succeed. Returns what it printed."""
    outcome = run(command, **keywords)
    if outcome.status != 0:
        sys.stderr.write(outcome.out + outcome.err)
        raise Trouble(f'{what} failed (exit status {outcome.status})')
    return outcome.out


class Progress:
    """A line of how much is done and how long the rest will take; in a log, a line every half minute."""

    def __init__(self, what, total):
        self.what, self.total, self.done, self.note = what, total, 0, ''
        self.began = self.shown = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.lock = threading.Lock()

    def step(self, note=''):
        with self.lock:
            self.done += 1
            self.note = note or self.note
            now = time.monotonic()
            if now - self.shown >= (0.2 if self.terminal else 30):
                self.shown = now
                self._show(now, '\r' if self.terminal else '', '\033[K' if self.terminal else '\n')

    def _show(self, now, before, after):
        left = (now - self.began) / self.done * (self.total - self.done)
        sys.stderr.write(f'{before}{self.what}: {self.done}/{self.total}, {left:.0f} s to go {self.note}{after}')
        sys.stderr.flush()

    def end(self):
        seconds = time.monotonic() - self.began
        before, after = ('\r', '\033[K\n') if self.terminal else ('', '\n')
        sys.stderr.write(f'{before}{self.what}: {self.done}/{self.total}, {seconds:.0f} s{after}')
        sys.stderr.flush()
