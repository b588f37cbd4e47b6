# SPDX-License-Identifier: MIT
"""Holds what was printed against what was sent."""

import os
import re
import sys
import threading

import plan

OUTCOME = re.compile(r'\bjob=\d+ printer=(\S+) .* job_id=(\d+) .* outcome=(scheduled|abandoned) ')
POLL_S = 0.1


class Judge(threading.Thread):
    """Looks at each job that comes out, while the soak runs. Ends when all has come out after finish()."""

    def __init__(self, seed, folder, block):
        super().__init__(daemon=True)
        self.seed = seed
        self.folder = folder
        self.block = block
        self.finishing = threading.Event()
        self.whole = set()  # the numbers of the jobs that have come out with all of their bytes
        self.part = set()  # of those that have come out with some
        self.ids = set()  # what the provider calls those that have come out
        self.expected = set()  # of those that nothing disturbed: they must come out
        self.bytes = 0
        self.mismatches = 0

    def wrong(self, what):
        self.mismatches += 1
        print(f'soak: mismatch: {what}', file=sys.stderr, flush=True)

    def expect(self, number):
        """The client of this job has seen nothing but success, its provider was well, and nobody disturbed it."""
        self.expected.add(number)

    def compare(self, name, content):
        """One job that came out: the very bytes that were sent, or those that were sent before the client let go."""
        self.ids.add(name)
        self.bytes += len(content)
        number = plan.number_of(content)
        if number is None:
            if not plan.is_begun(content):
                self.wrong(f'{name}: {len(content)} bytes that begin as no job does')
            return
        job = plan.plan(self.seed, number)
        sent = job.content(self.block)
        if number in self.whole or number in self.part:
            self.wrong(f'{name}: job {number} again')
        elif content == sent:
            self.whole.add(number)
        elif job.printer != 'ps' and sent.startswith(content):
            self.part.add(number)
        else:
            self.wrong(f'{name}: job {number} with other bytes, {len(content)} of {len(sent)}; {job}')

    def look(self):
        """Compares what has come out since the last look. Files appear here by renaming, so they are complete."""
        names = [name for name in os.listdir(self.folder) if not name.endswith('.part')]
        for name in names:
            path = os.path.join(self.folder, name)
            with open(path, 'rb') as file:
                content = file.read()
            os.unlink(path)
            self.compare(name, content)
        return len(names)

    def run(self):
        while self.look() or not self.finishing.wait(POLL_S):
            pass

    def finish(self):
        self.finishing.set()
        self.join()

    def verdict(self, log):
        """When all is over: what npjobd says was scheduled has come out, nothing else has, and no job is lost."""
        outcomes = {'scheduled': set(), 'abandoned': set()}
        with open(log, encoding='utf-8', errors='replace') as lines:
            for line in lines:
                match = OUTCOME.search(line)
                if match and match[1] != 'resident':
                    outcomes[match[3]].add(match[2])
        mine = {name for name in self.ids if not name.startswith('r')}
        for name in sorted(outcomes['scheduled'] - mine):
            self.wrong(f'JobId {name} was scheduled and has not come out')
        for name in sorted(mine - outcomes['scheduled']):
            self.wrong(f'JobId {name} has come out and was not scheduled')
        for number in sorted(self.expected - self.whole):
            self.wrong(f'job {number} was sent whole and has not come out so; {plan.plan(self.seed, number)}')
