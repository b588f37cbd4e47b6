# SPDX-License-Identifier: MIT
"""Builds the programs of bench/, runs them, and gathers what they print."""

import os
import re
import statistics
import sys

from common.building import build
from common.process import Progress, Trouble, must, run

from . import fuzzing
from .goals import LIMIT, ROWS

HERE = os.path.dirname(os.path.abspath(__file__))

# Which program does the works whose names begin so.
FAMILIES = {'cycle': 'cycle', 'socket': 'socket', 'events': 'scale', 'tick': 'scale', 'gone': 'scale', 'memory': 'memory'}
WORKS = [*FAMILIES, 'instructions', 'fuzz', 'npjobd']

# What callgrind counts: the work, the arguments of bench/count before the rounds, rounds of the two runs, items of a round.
COUNTED = [
    ('instructions-lend-1', ['lend', '512', '1'], (2000, 4000), 1),
    ('instructions-lend-64', ['lend', '512', '64'], (100, 200), 64),
    ('instructions-events-1000', ['events', '1000'], (2, 4), 4000),
    ('instructions-events-10000', ['events', '10000'], (2, 4), 40000),
]


class Samples:
    """All samples of a run: of each (work, side) its unit and values."""

    def __init__(self):
        self.units, self.values = {}, {}

    def add(self, work, side, unit, value):
        self.units[work, side] = unit
        self.values.setdefault((work, side), []).append(value)

    def median(self, key):
        return statistics.median(self.values[key])

    def quartiles(self, key):
        values = self.values[key]
        if len(values) < 2:
            return values[0], values[0]
        low, _, high = statistics.quantiles(values, n=4, method='inclusive')
        return low, high


def build_programs(folder, jobs):
    """A release build."""
    options = ['-Dauto_features=disabled', '-Dbench=enabled', '-Dhost=enabled', '-Dnpjobd=enabled', '-Dbuildtype=release']
    compilers = [os.environ.get('CC', 'gcc'), os.environ.get('CXX', 'g++')]
    build(folder, options, compilers, [f'-j{jobs}'])


def there_is(name):
    """Whether @name is a work of the table, or a family of them."""
    works = {row.ours[0] for row in ROWS}
    return name in WORKS or name in works


def counted(program, arguments):
    """The instructions of one run. Everything is counted, the loop that stands for the host too."""
    outcome = run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program, *arguments])
    found = re.search(r'Collected : (\d+)', outcome.err)
    if outcome.status != 0 or not found:
        sys.stderr.write(outcome.err)
        raise Trouble('callgrind has counted nothing')
    return int(found.group(1))


class Bench:
    """One run of everything that is wanted."""

    def __init__(self, folder, only, quick):
        runs, repeat, milliseconds, self.most = (1, 5, 3, 10**5) if quick else (5, 7, 20, 10**6)
        self.release, self.only, self.runs = os.path.join(folder, 'release'), only, runs
        self.options = ['--repeat', str(repeat), '--milliseconds', str(milliseconds), '--most', str(self.most)]
        self.samples, self.failed = Samples(), 0
        # Four more builds are not quick: only if they are asked for.
        self.fuzz = not quick or any(name.split('-')[0] == 'fuzz' for name in only or [])
        self.daemon = not quick or 'npjobd' in (only or [])
        self.megabytes = 64 if quick else 1024
        self.rates = fuzzing.Rates(folder, 1 if quick else 3)

    def wanted(self, work):
        """Whether one of --only names this work, or the family that it is of."""
        return not self.only or any(work == name or work.startswith(name + '-') for name in self.only)

    def left_out(self, work):
        """Whether --quick leaves out this work."""
        family, _, size = work.partition('-')
        left = {'fuzz': not self.fuzz, 'npjobd': not self.daemon}
        return size != '' and int(size) > self.most if family == 'events' else left.get(family, False)

    def _needed(self):
        """What is asked for by name, and the works that its rows are held against; or all families."""
        if not self.only:
            return WORKS
        against = [row.theirs[0] for row in ROWS if row.sort is not LIMIT and self.wanted(row.ours[0])]
        return [*self.only, *sorted({work for work in against if not self.wanted(work)})]

    def _timed(self):
        """Program and work of each timed step."""
        known = [name for name in self._needed() if name.split('-')[0] in FAMILIES and not self.left_out(name)]
        return [(FAMILIES[name.split('-')[0]], name) for name in known]

    def _engines(self):
        return [name for name in fuzzing.ENGINES if self.wanted(f'fuzz-{name}')] if self.fuzz else []

    def measure(self):
        """The programs take turns, run by run, so that a slow minute of the machine falls on all of them."""
        counted_works = [entry for entry in COUNTED if self.wanted(entry[0]) or entry[0] in self._needed()]
        steps = [step for _ in range(self.runs) for step in self._timed()]
        if self.daemon and self.wanted('npjobd'):
            steps += [('daemon', 'npjobd')] * self.runs
        engines = [engine for _ in range(min(self.runs, 3)) for engine in self._engines()]
        progress = Progress('bench', len(steps) + len(counted_works) + len(engines))
        for program, work in steps:
            self._attempt(work, self._run, program, work)
            progress.step(work)
        for entry in counted_works:
            self._attempt(entry[0], self._count, *entry)
            progress.step(entry[0])
        for engine in engines:
            self._attempt(engine, self._rate, engine)
            progress.step(engine)
        progress.end()
        return self.samples

    def _attempt(self, what, step, *arguments):
        """Minutes of other figures are not lost by a step that fails. Its rows may have those of other runs."""
        try:
            step(*arguments)
        except Trouble as trouble:
            self.failed += 1
            sys.stderr.write(f'\nbench: {what}: {trouble}\n')

    def _program(self, name):
        return os.path.join(self.release, 'bench', name)

    def _run(self, program, work):
        command = [self._program(program), *self.options, '--work', work]
        if program == 'daemon':
            command = [os.path.join(HERE, 'daemon.sh'), self.release, str(self.megabytes)]
        for line in must(command, program).splitlines():
            try:
                name, side, unit, value = line.split()
                self.samples.add(name, side, unit, float(value))
            except ValueError as error:
                raise Trouble(f'{program} prints what is no sample: {line}') from error

    def _rate(self, engine):
        for side in ('full', 'empty'):
            self.samples.add(f'fuzz-{engine}', side, 'executions/s', self.rates.rate(engine, side))

    def _count(self, work, arguments, rounds, items):
        few, many = (counted(self._program('count'), [*arguments, str(n)]) for n in rounds)
        self.samples.add(work, 'npjob', 'instructions', (many - few) / (rounds[1] - rounds[0]) / items)
