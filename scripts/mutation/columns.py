# SPDX-License-Identifier: MIT
"""
Who notices a mutant: the committed corpus, the explorer, and as a last resort the unit tests. A column is a dictionary:
`killed`, and if so `law`, `seconds` and what else is known; or None where the column was not asked.
"""

import contextlib
import json
import os
import re
import threading

from common.building import ROOT
from common.process import Trouble, must, run

from .reach import never_called

QUIET = {'ASAN_OPTIONS': 'detect_leaks=0:symbolize=0:abort_on_error=0', 'UBSAN_OPTIONS': 'symbolize=0'}
MEMORY = 4 << 30
VERDICT = re.compile(r'^tape_verdict: killed law=(\S+) tape=(\S+) event=(\d+) events=(\d+) seconds=(\S+) sentence=(.*)$',
                     re.MULTILINE)
VIOLATION = re.compile(r'^explore: violation law=(\S+) sentence=(.*?)(?: events=(\d+))?$', re.MULTILINE)
AT_ONCE = re.compile(r'^explore: .* violations=1 ', re.MULTILINE)  # without a tape
FULL = re.compile(r'no memory for more than (\d+) states')
SHORT_LOOK = 10000  # states of each scope
SHORT_TIME = 20  # seconds for it: ten times what it takes on a busy machine


def _environment(own):
    return dict(QUIET, LD_LIBRARY_PATH=own)


class Corpus:
    """The tapes under the driver with its laws, then with the model; for paths, their corpus as well."""

    def __init__(self, flavour):
        self.flavour = flavour
        self.tapes = os.path.join(flavour.folder, 'corpus', 'tape')
        self.paths = os.path.join(ROOT, 'corpus', 'path')
        self.laws = must([flavour.program('fuzz/tape_verdict'), '--laws'], 'tape_verdict',
                         env=_environment(flavour.base)).split()

    def tape(self, own, options=()):
        outcome = run([self.flavour.program('fuzz/tape_verdict'), *options, self.tapes], timeout=30,
                      env=_environment(own))
        if outcome.status == 0:
            return {'killed': False, 'seconds': outcome.seconds}
        match = VERDICT.search(outcome.out)
        if not match:
            return {'killed': True, 'law': outcome.death('tape_verdict'), 'seconds': outcome.seconds, 'tape': '',
                    'event': 0, 'events': 0, 'sentence': outcome.report()}
        law, tape, event, events, seconds, sentence = match.groups()
        return {'killed': True, 'law': law, 'tape': tape, 'event': int(event), 'events': int(events),
                'seconds': float(seconds), 'sentence': outcome.report() if law == 'sanitizer' else sentence}

    def path(self, own):
        outcome = run([self.flavour.program('fuzz/fuzz_path'), '--names', self.paths], timeout=10, env=_environment(own))
        if outcome.status == 0:
            return {'killed': False, 'seconds': outcome.seconds}
        played = outcome.out.splitlines()
        match = re.search(r'violated: (.*)', outcome.err)
        return {'killed': True, 'law': 'path' if match else outcome.death('fuzz_path'),
                'tape': os.path.basename(played[-1]) if played else '', 'event': 1, 'events': len(played),
                'seconds': outcome.seconds, 'sentence': match.group(1) if match else outcome.report()}

    def judge(self, own, changed):
        result = self.tape(own)
        if not result['killed'] and changed & {'path.c', 'utf.c', 'utf.h'}:
            result = self.path(own)
        if not result['killed']:
            result = self.tape(own, ['--model'])
        return result


class Explorer:
    """`npj explore --small`: all orders of events within a small scope."""

    def __init__(self, flavour):
        self.flavour = flavour
        self.program = flavour.program('tools/npj')
        self.base = flavour.base
        self.timeout, self.closing, self.never, self.states = 20, '', set(), 0

    def measure(self, folder, jobs):
        """The unchanged engine must close: the bound is what its last line says."""
        outcome = run([self.program, 'explore', '--small'], timeout=120, env=_environment(self.base))
        if outcome.status != 0:
            raise Trouble(f'npj explore --small finds something in the unchanged engine, or does not end: '
                          f'{outcome.out[-300:]}{outcome.err[-300:]}')
        lines = [line for line in outcome.out.splitlines() if line.startswith('explore:')]
        if not lines or not all(line.endswith('closed=yes') for line in lines):
            raise Trouble(f'npj explore --small does not close: {outcome.out[-300:]}')
        self.closing = '\n'.join(lines)
        self.states = max(int(count) for count in re.findall(r' states=(\d+)', self.closing))
        self.timeout = max(5, 5 * outcome.seconds)
        self.never = never_called(self.flavour, folder, [self.program, 'explore', '--small'], jobs)

    def judge(self, own, function, whole=False):
        """A look into the first states of each scope, in which nearly all are found that it finds at all; or all of it."""
        if function in self.never:
            return {'killed': False, 'seconds': 0}
        bound, time = ([], self.timeout) if whole else (['--max-states', str(SHORT_LOOK)], SHORT_TIME)
        outcome = run([self.program, 'explore', '--small', *bound], timeout=time, env=_environment(own), memory=MEMORY)
        if outcome.status == 0:
            return {'killed': False, 'seconds': outcome.seconds}
        match, full = VIOLATION.search(outcome.out), FULL.search(outcome.err)
        if match:
            law, sentence, events = match.groups()
        elif AT_ONCE.search(outcome.out):
            law, sentence, events = 'model', 'the engine does not begin', None
        elif full and int(full.group(1)) > self.states:
            law, sentence, events = 'hang', 'does not close within our memory', None
        else:
            law, sentence, events = outcome.death('npj explore'), outcome.err.strip()[-100:], None
        return {'killed': True, 'law': law, 'events': int(events or 0), 'seconds': outcome.seconds, 'sentence': sentence}


class Tests:
    """The tests of the build that are programs linked with the library; those that have killed most come first, then the quick."""

    def __init__(self, flavour):
        self.flavour = flavour
        listed = json.loads(must(['meson', 'introspect', '--tests', flavour.folder], 'meson'))
        self.commands = {}
        for test in listed:
            found = self._command(test['cmd'])
            if found and not any(suite.endswith(':fuzz') or suite == 'fuzz' for suite in test['suite']):
                self.commands[test['name']] = found
        if not self.commands:
            raise Trouble(f'{flavour.folder} has no unit tests')
        self.kills, self.seconds = {}, {}
        self.lock = threading.Lock()

    def _command(self, words):
        """(target, words after it), if the test is a program below the folder that the library is linked into. What a script
        is given, only the script knows how to run."""
        if os.path.basename(words[0]) == 'run-clean':
            words = words[1:]
        target = os.path.relpath(os.path.join(self.flavour.folder, words[0]), self.flavour.folder)
        if not target.startswith('tests' + os.sep):
            return None
        linking = run(['ninja', '-C', self.flavour.folder, '-t', 'commands', '-s', target])
        return (target, words[1:]) if linking.status == 0 and 'lib/libnpjob.a' in linking.out else None

    def _order(self, changed):
        with self.lock:
            def rank(name):
                return -sum(self.kills.get((file, name), 0) for file in changed), self.seconds.get(name, 0), name
            return sorted(self.commands, key=rank)

    def judge(self, own, changed):
        seconds = 0
        for name in self._order(changed):
            target, arguments = self.commands[name]
            fast = ['--fail-fast'] if any(word.startswith('--tap') for word in arguments) else []
            outcome = run([self.flavour.program(target), *arguments, *fast], timeout=30, env=_environment(own),
                          memory=MEMORY, cwd=self.flavour.folder)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f'/tmp/criterion_{outcome.pid}.sock')  # which Criterion leaves when it ends at a failure
            seconds += outcome.seconds
            self.seconds.setdefault(name, outcome.seconds)
            if outcome.status != 0:
                law = self._which(name, outcome)
                with self.lock:
                    for file in changed:
                        self.kills[file, name] = self.kills.get((file, name), 0) + 1
                return {'killed': True, 'law': law, 'seconds': seconds}
        return {'killed': False, 'seconds': seconds}

    @staticmethod
    def _which(name, outcome):
        """A test that fails says so on its standard output, all of it; what could not be run says nothing there."""
        match = re.search(r'^not ok \d* *-? *([^#\n(]*)', outcome.out, re.MULTILINE)
        if match:
            return f'{name}: {match.group(1).strip()}'
        return name if outcome.status == 1 and outcome.out else f'{name}: {outcome.death(name)}'
