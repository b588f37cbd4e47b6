# SPDX-License-Identifier: MIT
"""libFuzzer from an empty corpus, once for each seed: after how many executions and seconds a mutant is found."""

import os
import re
import shutil
import statistics

from common.building import build_fuzzers, fuzzing
from common.process import Trouble, must, run

from .build import Flavour

BUDGET = 60  # seconds for a seed
FIRST = 5  # seconds for the unchanged library
MAX_LEN, _ = fuzzing()
QUIET = {'ASAN_OPTIONS': 'quarantine_size_mb=64:detect_leaks=0:symbolize=0', 'UBSAN_OPTIONS': 'symbolize=0'}


class FuzzFlavour(Flavour):
    """The build of scripts/fuzz-build, whose programs are linked anew for each mutant."""

    def __init__(self, build):
        super().__init__(build, 'fuzz', ('clang-19', 'clang++-19'), [], [])
        self.build = build

    def _set_up(self):
        self.folder = build_fuzzers(self.build, 'libfuzzer')

    def link(self, own, into):
        must(self.link_command('fuzz/fuzz_diff', self.objects(own), os.path.join(into, 'fuzzer')), 'linking a fuzzer',
             cwd=self.folder)


class Fuzzer:
    def __init__(self, flavour, seeds):
        self.flavour, self.seeds = flavour, seeds

    def _once(self, own, seed, budget=BUDGET):
        """(executions, seconds, law) of one seed; None if nothing was found."""
        folder = os.path.join(own, f'seed-{seed}')
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, 'empty'))
        outcome = run([os.path.join(own, 'fuzzer'), f'-seed={seed}', f'-max_len={MAX_LEN}', '-entropic=0', f'-max_total_time={budget}',
                       '-timeout=5', '-rss_limit_mb=2048', '-print_final_stats=1', f'-artifact_prefix={folder}/',
                       f'-dict={self.flavour.folder}/fuzz/tape.dict', os.path.join(folder, 'empty')],
                      timeout=2 * BUDGET, env=QUIET)
        kept = [name for name in os.listdir(folder) if name.startswith(('crash-', 'timeout-', 'oom-'))]
        shutil.rmtree(folder)
        if outcome.status in (0, None):
            return None
        executions = re.search(r'stat::number_of_executed_units:\s*(\d+)', outcome.err)
        match = re.search(r' breaks law \d+ \(([\w-]+)\)', outcome.err)
        law = match.group(1) if match else 'crash' if kept else outcome.death('the fuzzer')
        return int(executions.group(1)) if executions else 0, outcome.seconds, law

    def check_base(self):
        found = self._once(self.flavour.base, 1, FIRST)
        if found:
            raise Trouble(f'the fuzzer finds something in the unchanged library: {found[2]}')

    def judge(self, own):
        found, missed = [], 0
        for seed in range(1, self.seeds + 1):
            result = self._once(own, seed)
            if result:
                found.append(result)
            else:
                missed += 1
            if 2 * missed > self.seeds:
                break  # the median is beyond the budget, whatever the others come to
        column = {'killed': 2 * len(found) > self.seeds, 'found': len(found), 'of': len(found) + missed}
        if column['killed']:
            worst = [(float('inf'), float('inf'), '')] * missed
            column['executions'] = statistics.median_high([one[0] for one in found + worst])
            column['seconds'] = statistics.median_high([one[1] for one in found + worst])
            column['law'] = statistics.mode(one[2] for one in found)
        return column
