#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether afl-fuzz has each answer for the input that it gave (fuzz/afl_direct.c), also where it kills a target too late.

usage: afl_direct_test.py FUZZ_BUILD AFL_DIRECT_RUNS

FUZZ_BUILD is scripts/fuzz-build. First the test is afl-fuzz itself, AFL_DIRECT_RUNS times; then afl-fuzz is.
"""

import contextlib
import ctypes
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'scripts'))

from common.building import fuzzing  # what fuzzing is given by the scripts, the signal among it

CONTROL, STATUS = 198, 199  # FORKSRV_FD of AFL++, and the next
ENABLED, SHARED_INPUT = 0x80000001, 0x01000000  # FS_OPT_ENABLED, FS_OPT_SHDMEM_FUZZ
STOPPED = signal.SIGSTOP << 8 | 0x7F  # as waitpid() has it, of an input that is done
WAIT = 20  # seconds, for what should be there at once
MAX_INPUT, MAX_EDGES = 1 << 20, 1 << 24

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p


def share(size):
    """Shared memory that goes with its last process: its number, and where it is."""
    number = libc.shmget(0, size, 0o1600)  # IPC_PRIVATE, IPC_CREAT
    at = libc.shmat(number, None, 0)
    assert number >= 0 and at not in (None, ctypes.c_void_p(-1).value), 'no shared memory'
    libc.shmctl(number, 0, None)  # IPC_RMID
    return number, at


class Fuzzer:
    """What afl-fuzz is to a target."""

    def __init__(self, program, kill_signal):
        edges, _ = share(MAX_EDGES)
        shared, self.input = share(4 + MAX_INPUT)
        from_us, self.control = os.pipe()
        self.status, to_us = os.pipe()
        environment = {**os.environ, '__AFL_PERSISTENT': '1', '__AFL_DEFER_FORKSRV': '1',
                       '__AFL_SHM_ID': str(edges), '__AFL_SHM_FUZZ_ID': str(shared)}
        environment.pop('AFL_KILL_SIGNAL', None)
        if kill_signal:
            environment['AFL_KILL_SIGNAL'] = str(int(kill_signal))

        def give_pipes():
            os.dup2(from_us, CONTROL)
            os.dup2(to_us, STATUS)

        self.server = subprocess.Popen([program], env=environment, preexec_fn=give_pipes, close_fds=False,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(from_us)
        os.close(to_us)
        self.killed = 0
        assert self.word() & SHARED_INPUT
        os.write(self.control, struct.pack('I', ENABLED | SHARED_INPUT))

    def quiet(self, seconds):
        return not select.select([self.status], [], [], seconds)[0]

    def word(self):
        assert not self.quiet(WAIT), 'no answer'
        return struct.unpack('I', os.read(self.status, 4))[0]

    def begin(self, text):
        """Has an input run; returns the process that runs it."""
        ctypes.memmove(self.input, struct.pack('I', len(text)) + text, 4 + len(text))
        os.write(self.control, struct.pack('i', self.killed))
        self.killed = 0
        return self.word()

    def kill(self, process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        self.killed = 1

    def end(self):
        os.close(self.control)
        os.close(self.status)
        self.server.terminate()
        self.server.wait()


def status_of(process, field):
    with open(f'/proc/{process}/status', encoding='utf-8', errors='replace') as file:
        return next(line.split()[1] for line in file if line.startswith(field + ':'))


def wait_until(process, field, is_so):
    for _ in range(WAIT * 100):
        if is_so(status_of(process, field)):
            return
        select.select([], [], [], 0.01)
    raise AssertionError(f'{process}: {field} stays {status_of(process, field)}')


def is_default(caught):
    """Whether SIGTERM is not caught: a target that was only just forked has the fork server's handler, and exits by it."""
    return not int(caught, 16) >> (signal.SIGTERM - 1) & 1


def one_run(fuzzer, kind, before):
    """Returns the process that is there for the next run, or 0."""
    late = before and fuzzer.killed
    process = fuzzer.begin({'done': b'o', 'late': b'o', 'crash': b'a', 'hang': b'h'}[kind])
    assert before in (0, process), f'{process} runs, and {before} was there'
    if late:
        if kind == 'hang':
            fuzzer.kill(process)
        answer = fuzzer.word()
        assert answer == 0, f'{kind} behind one that was killed too late: {answer:#x} instead of an end'
        return 0
    if kind == 'hang':
        if not before:
            wait_until(process, 'SigCgt', is_default)
        assert fuzzer.quiet(0.005), 'what hangs has been answered'
        fuzzer.kill(process)
    answer = fuzzer.word()
    expected = {'done': STOPPED, 'late': STOPPED, 'crash': signal.SIGABRT, 'hang': signal.SIGTERM}[kind]
    assert answer & 0x7F == expected & 0x7F, f'{kind}: {answer:#x} instead of {expected:#x}'
    if kind == 'late':
        fuzzer.kill(process)
    return process if answer == STOPPED else 0


def in_any_order(program, runs):
    """Inputs that are done, crash, hang, or are killed when they are done: each is answered once, as what it is. (One
    that comes behind a kill that was too late is not run.)"""
    fuzzer, dice, process = Fuzzer(program, signal.SIGTERM), random.Random(226513), 0
    for _ in range(runs):
        process = one_run(fuzzer, dice.choice(['done', 'done', 'late', 'crash', 'hang']), process)
    assert process == 0 or fuzzer.word() == process, 'it is another process that is there'
    assert fuzzer.quiet(0.1), 'an answer too many'
    fuzzer.end()


def directly(program):
    """A target that is done waits for its next input where it is asked to, and is stopped where it is not."""
    for kill_signal, state in ((signal.SIGTERM, 'S'), (signal.SIGKILL, 'T'), (None, 'T')):
        fuzzer = Fuzzer(program, kill_signal)
        process = one_run(fuzzer, 'done', 0)
        assert one_run(fuzzer, 'done', process) == process
        wait_until(process, 'State', lambda found, wanted=state: found == wanted)
        if state == 'T':
            os.kill(process, signal.SIGKILL)
        fuzzer.end()


def untold(program):
    """A kill between two inputs is held for the process that waits, and ends it when the next is there, told of or not."""
    for told in (False, True):
        fuzzer = Fuzzer(program, signal.SIGTERM)
        process = one_run(fuzzer, 'done', 0)
        wait_until(process, 'State', lambda found: found == 'S')
        fuzzer.kill(process)
        select.select([], [], [], 0.05)
        assert status_of(process, 'State') == 'S', 'a kill that was too late has ended the process at once'
        fuzzer.killed = int(told)
        assert fuzzer.begin(b'h') == process
        answer = fuzzer.word()
        assert answer == (0 if told else signal.SIGTERM), f'{answer:#x} behind a kill between two inputs'
        fuzzer.end()


def with_afl_fuzz(program):
    """The crashes that afl-fuzz keeps are crashes, its hangs hang, and the rest does neither."""
    with tempfile.TemporaryDirectory(prefix='npjob-afl.') as folder:
        seeds, out = os.path.join(folder, 'seeds'), os.path.join(folder, 'out')
        os.mkdir(seeds)
        with open(os.path.join(seeds, 'done'), 'wb') as seed:
            seed.write(b'o')
        outcome = subprocess.run(['afl-fuzz', '-i', seeds, '-o', out, '-V', '3', '-t', '50', '-m', 'none', '--', program],
                                 env={**os.environ, **fuzzing()[1]}, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        assert outcome.returncode == 0, outcome.stdout[-2000:].decode(errors='replace')
        kept = {}
        for kind in ('crashes', 'hangs', 'queue'):
            kept[kind] = set()
            where = os.path.join(out, 'default', kind)
            for name in os.listdir(where):
                if name.startswith('id'):
                    with open(os.path.join(where, name), 'rb') as file:
                        kept[kind].add(file.read(1))
        assert kept['crashes'] == {b'a'}, kept
        assert kept['hangs'] <= {b'h'}, kept  # on a busy machine a hang may not be one again, when it is looked at twice
        assert kept['queue'] and not kept['queue'] & {b'a', b'h'}, kept


def main():
    fuzz_build, runs = sys.argv[1], int(sys.argv[2])
    built = subprocess.run([fuzz_build, 'aflpp', 'fuzz-tested'], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode == 77:
        print('1..0 # SKIP there is no AFL++')
        return 0
    built.check_returncode()
    program = os.path.join(built.stdout.strip(), 'fuzz', 'afl_direct_target')
    checks = [('a target is asked directly', lambda: directly(program)),
              ('each answer is that of its input', lambda: in_any_order(program, runs)),
              ('a kill between two inputs ends the process', lambda: untold(program)),
              ('afl-fuzz keeps each input for what it is', lambda: with_afl_fuzz(program))]
    failed = 0
    for number, (name, check) in enumerate(checks, 1):
        try:
            check()
            print(f'ok {number} - {name}')
        except (AssertionError, OSError, subprocess.SubprocessError) as wrong:
            failed += 1
            print(f'not ok {number} - {name}')
            print(wrong, file=sys.stderr)
    print(f'1..{len(checks)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
