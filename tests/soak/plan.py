# SPDX-License-Identifier: MIT
"""What each job of a soak is to be: drawn from the soak's seed and the job's number alone, whoever runs it and when."""

import random
from dataclasses import dataclass

BLOCK_BYTES = 48 << 20
HEADER_BYTES = 40
LARGEST_WRITE = {'NT1': 65535, 'SMB2_02': 65536, 'SMB3_00': 1 << 20}
PS_HEAD = b'%!PS-Adobe-3.0\n'
PS_TAIL = b'\n%%EOF\n'

# Printers whose provider does its work, and those where it fails: tests/e2e/support.sh says what they are. The providers of
# "resident" and "frail" do it until the soak kills them.
GOOD = {'ok': 40, 'ps': 20, 'fifo': 12, 'slow': 6, 'resident': 8, 'frail': 8}
UNDISTURBED = GOOD.keys() - {'resident', 'frail'}
BAD = {'refuse': 2, 'later': 2, 'forbid': 1, 'hang': 1, 'rubbish': 2, 'wrong': 1, 'die': 3, 'nosuch': 1}


@dataclass(frozen=True)
class Job:
    """One job: who sends what to which printer, and how it ends."""
    number: int
    printer: str
    protocol: str  # as smbclient says it (with "encrypted"), or as client.py does
    by_smbclient: bool
    offset: int  # of its bytes in the block of random ones
    size: int
    write: int  # bytes a write, where that can be chosen
    ending: str  # close; drop: after half of it the connection is let go; half: after half of it a clean close
    pause: float  # seconds, before the ending

    @property
    def header(self):
        """The first bytes of a job, by which it is known again. PostScript has it after its own first line."""
        line = b'%%%%soak job %d' % self.number
        return (PS_HEAD if self.printer == 'ps' else b'') + line.ljust(HEADER_BYTES - 1) + b'\n'

    @property
    def is_fault(self):
        return self.printer in BAD or self.ending != 'close'

    def content(self, block):
        body = block[self.offset:self.offset + self.size]
        return b''.join((self.header, body, PS_TAIL if self.printer == 'ps' else b''))


def number_of(content):
    """The number of the job that begins so, or None where the first bytes are not all there."""
    if content.startswith(PS_HEAD):
        content = content[len(PS_HEAD):]
    words = content[:HEADER_BYTES].split()
    return int(words[2]) if len(words) == 3 and words[:2] == [b'%%soak', b'job'] and words[2].isdigit() else None


def is_begun(content):
    """Is this less than the first bytes of a job, but nothing else?"""
    word = b'%%soak job '
    return len(content) < HEADER_BYTES and content[:len(word)] == word[:len(content)]


def block_of(seed):
    """The bytes that jobs are cut from: they do not repeat themselves."""
    return random.Random(f'block {seed}').randbytes(BLOCK_BYTES)


def draw_size(draw):
    """Small jobs are many; but the sizes where buffers end come up as well, and now and then a large one."""
    kind = draw.random()
    if kind < 0.25:
        return max(0, draw.choice((4096, 32768, 65536, 131072, 262144, 1048576)) + draw.choice((-1, 0, 1)) - HEADER_BYTES)
    if kind < 0.97:
        return int(2 ** draw.uniform(0, 21))
    return int(2 ** draw.uniform(21, 24))


def plan(seed, number):
    draw = random.Random(f'job {seed} {number}')
    printers = GOOD if draw.random() < 0.9 else BAD
    printer = draw.choices(list(printers), printers.values())[0]
    size = draw_size(draw)
    if printer == 'slow':
        size = min(size, 1 << 20)
    by_smbclient = draw.random() < 0.5
    protocol = draw.choice(('NT1', 'SMB2_02', 'SMB3_11', 'encrypted') if by_smbclient else tuple(LARGEST_WRITE))
    write = 0 if by_smbclient else min(LARGEST_WRITE[protocol], max(1 + size // 300, int(2 ** draw.uniform(6, 20))))
    ending = 'close' if by_smbclient else draw.choices(('close', 'drop', 'half'), (80, 12, 8))[0]
    return Job(number=number, printer=printer, protocol=protocol, by_smbclient=by_smbclient,
               offset=draw.randrange(BLOCK_BYTES - size), size=size, write=write, ending=ending,
               pause=draw.choice((0, 0, 0, 0, draw.random() * 2)))
