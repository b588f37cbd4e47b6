# SPDX-License-Identifier: MIT
"""
Executions a second and core of the main fuzz target, and of an empty one that is built and run in the same way. Both are
given the same tapes of 64 records, which take the place of mutation.
"""

import os
import re
import shutil
import sys
import tempfile

from common.building import build, build_fuzzers, fuzzing
from common.process import Trouble, run

ENGINES = ['replay', 'libfuzzer-plain', 'libfuzzer', 'aflpp']
TAPE_BYTES = 16 + 64 * 4


def nothing_counted(engine, log):
    sys.stderr.write(log[-2000:])
    return Trouble(f'{engine} has counted nothing')


class Rates:
    def __init__(self, folder, seconds):
        self.folder, self.seconds = folder, seconds
        self.built = {}

    def rate(self, engine, side):
        if engine not in self.built:
            self.built[engine] = self._build_replay() if engine == 'replay' else build_fuzzers(self.folder, engine, 'fuzz-rate')
        program = os.path.join(self.built[engine], 'fuzz', f'rate_{side}')
        if engine == 'aflpp':
            return self._afl(program)
        arguments = [] if engine == 'replay' else [f'-max_len={TAPE_BYTES}', '-len_control=0', '-entropic=0', '-seed=1']
        return self._counted([program, *arguments], engine)

    def _build_replay(self):
        """Without an engine, and optimised like those with one."""
        folder = os.path.join(self.folder, 'fuzz-replay')
        options = ['-Dauto_features=disabled', '-Dfuzz=enabled', '-Dtestkit=enabled', '-Dbuildtype=debugoptimized']
        build(folder, options, ['clang-19', 'clang++-19'], ['fuzz-rate'])
        return folder

    def _counted(self, command, engine):
        """A target that counts by itself, in seconds of the processor."""
        outcome = run(command, env={'NPJOB_RATE_SECONDS': str(self.seconds)})
        found = re.search(r'^rate: (\d+)$', outcome.out, re.MULTILINE)
        if outcome.status != 0 or not found:
            raise nothing_counted(engine, outcome.err)
        return int(found.group(1))

    def _afl(self, program):
        """AFL++ counts, by the clock on the wall: its programs are started anew every so often. All of it on one core."""
        folder = tempfile.mkdtemp(prefix='npjob-bench.')
        try:
            seeds, out = os.path.join(folder, 'seeds'), os.path.join(folder, 'out')
            os.mkdir(seeds)
            with open(os.path.join(seeds, 'zeros'), 'wb') as seed:
                seed.write(bytes(TAPE_BYTES))
            env = {**fuzzing()[1], 'AFL_DISABLE_TRIM': '1', 'AFL_FAST_CAL': '1', 'AFL_CUSTOM_MUTATOR_ONLY': '1',
                   'AFL_CUSTOM_MUTATOR_LIBRARY': os.path.join(os.path.dirname(program), 'npjob-rate.so')}
            one_core = ['taskset', '-c', str(max(os.sched_getaffinity(0)))]
            outcome = run([*one_core, 'afl-fuzz', '-i', seeds, '-o', out, '-V', str(2 * self.seconds), '-G', str(TAPE_BYTES),
                           '-t', '10000', '-m', 'none', '--', program], env=env)
            stats = os.path.join(out, 'default', 'fuzzer_stats')
            if outcome.status != 0 or not os.path.exists(stats):
                raise nothing_counted('AFL++', outcome.out)
            with open(stats, encoding='utf-8') as file:
                found = re.search(r'^execs_per_sec\s*: ([\d.]+)$', file.read(), re.MULTILINE)
            if not found:
                raise nothing_counted('AFL++', outcome.out)
            return float(found.group(1))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
