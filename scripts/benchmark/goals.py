# SPDX-License-Identifier: MIT
"""What is compared with what, and how far npjob wants to be ahead: the rows of the table."""

FASTER, COST, LIMIT, RATE = 'faster', 'cost', 'limit', 'rate'


class Row:
    """
    One comparison. @ours and @theirs are (work, side) of the samples; @theirs of a LIMIT is a number.

    FASTER   the ratio is theirs / ours, and wants to be at least the goal
    COST     the ratio is ours / theirs, and wants to be at most the goal
    LIMIT    likewise, and what is ours is held against a number: the goal is 1

    RATE     the ratio is ours / theirs, and the goal is a number that what is ours wants to reach

    A row without a goal is there to be looked at.
    """

    def __init__(self, name, sort, ours, theirs, goal=None, against=None):
        self.name, self.sort, self.ours, self.theirs = name, sort, ours, theirs
        self.goal = 1 if sort is LIMIT else goal
        self.against = against or ('limit' if sort is LIMIT else theirs[1])

    def ratio(self, ours, theirs):
        return theirs / ours if self.sort is FASTER else ours / theirs

    def goal_text(self):
        if self.goal is None:
            return '-'
        if self.sort is RATE:
            return f'>= {self.goal:,}/s'
        return f'{">=" if self.sort is FASTER else "<="} {self.goal:g}'

    def ahead(self, ours, theirs):
        """How many times better than the goal: 1 meets it. None without a goal."""
        if self.goal is None:
            return None
        if self.sort is RATE:
            return ours / self.goal
        ratio = self.ratio(ours, theirs)
        return ratio / self.goal if self.sort is FASTER else self.goal / ratio


def pair(work, side, sort, goal, ours='npjob', suffix=''):
    return Row(f'{work}{suffix} / {side}', sort, (work, ours), (work, side), goal)


def cycle_rows():
    return [
        pair('cycle-copy-512', 'tevent', FASTER, 3),
        pair('cycle-copy-512', 'malloc', COST, 1.6),
        pair('cycle-copy-512', 'memcpy', COST, None),
        pair('cycle-copy-4096', 'tevent', FASTER, 2),
        # The C library gives 64 such blocks back to the system, and takes them again: that is what the goal was set against.
        pair('cycle-copy-4096', 'malloc', FASTER, 10),
        pair('cycle-copy-4096', 'malloc-kept', FASTER, None),
        pair('cycle-copy-4096', 'memcpy', COST, None),
        # The same call with the same work: a tenth is for what a clock sees of nothing.
        Row('cycle-lend: 1 MiB / 64 B', COST, ('cycle-lend', '1048576'), ('cycle-lend', '64'), 1.1, '64 B'),
        Row('cycle-lend: one pending / 64', COST, ('cycle-lend-one', 'npjob'), ('cycle-lend', '64'), None, '64 pending'),
        Row('instructions-lend-1 / 200', LIMIT, ('instructions-lend-1', 'npjob'), 200),
        Row('instructions-lend-64 / 200', LIMIT, ('instructions-lend-64', 'npjob'), 200),
    ]


def socket_rows():
    rows = []
    for length, uv, event, floor in ((64, 10, 2, 1.3), (512, 10, 2, 1.3), (4096, None, None, 1.2), (65536, None, None, 1.2)):
        work = f'socket-{length}'
        rows += [pair(work, 'libuv', FASTER, uv), pair(work, 'libevent', FASTER, event), pair(work, 'writev', COST, floor)]
        rows += [pair(work, 'libevent-whole', FASTER, None), pair(work, 'write', COST, None)]
        rows += [pair(work, 'writev', COST, None, 'npjob-copy', ' copied'), pair(work, 'libuv', FASTER, None, 'npjob-posix', ' host')]
    return rows


def scale_rows():
    rows = [pair(f'events-{jobs}', 'touch', COST, 2.5 if jobs == 10**6 else None) for jobs in (10**3, 10**4, 10**5, 10**6)]
    rows += [
        # A step that is O(jobs) would make an event of ten times as many jobs some thousand instructions longer.
        Row('event: 10^4 / 10^3 jobs', COST, ('instructions-events-10000', 'npjob'), ('instructions-events-1000', 'npjob'), 1.05,
            '10^3 jobs'),
        # In proportion: a job of many costs what one of few does, up to what the caches do. O(1): likewise.
        Row('gone-client: a job of many / of 100', COST, ('gone-client', 'of-many'), ('gone-client', 'of-100'), 2),
        Row('gone-provider: a job of many / of 100', COST, ('gone-provider', 'of-many'), ('gone-provider', 'of-100'), 2),
        Row('tick: of many / of 10^3 jobs', COST, ('tick', 'of-many'), ('tick', 'of-1000'), 1.5),
    ]
    return rows


def memory_rows():
    return [
        Row('memory-job / 256', LIMIT, ('memory-job', 'npjob'), 256),
        Row('memory-job, all / 256', LIMIT, ('memory-job', 'all'), 256),
        Row('memory-packet / 64', LIMIT, ('memory-packet', 'npjob'), 64),
        pair('memory-job', 'uv_pipe_t', COST, None),
        pair('memory-packet', 'uv_write_t', COST, None),
    ]


def fuzz_rows():
    goals = (('plain replay', 'replay', 10**6), ('libFuzzer', 'libfuzzer-plain', 200000),
             ('libFuzzer, ASan+UBSan', 'libfuzzer', 100000), ('AFL++', 'aflpp', 30000))
    return [Row(f'fuzz: {what}', RATE, (f'fuzz-{name}', 'full'), (f'fuzz-{name}', 'empty'), goal, 'empty target')
            for what, name, goal in goals]


# The goal holds a reader that keeps nothing against a copier into a file. The rows below it hold like against like.
DAEMON_ROWS = [Row('npjobd behind smbd / copier', COST, ('npjobd', 'npjobd'), ('npjobd', 'copier'), 1.05),
               Row('npjobd behind smbd, kept / copier', COST, ('npjobd', 'npjobd-file'), ('npjobd', 'copier')),
               Row('npjobd behind smbd / to nowhere', COST, ('npjobd', 'npjobd'), ('npjobd', 'copier-nowhere'))]

ROWS = cycle_rows() + socket_rows() + scale_rows() + memory_rows() + fuzz_rows() + DAEMON_ROWS
