# SPDX-License-Identifier: MIT
"""
mutants/equivalent.txt: the systematic mutants that change nothing a host can observe, each with its reason.

An entry is a file and a function, then the lines before (-) and after (+) the change, one pair for each mutant, then the
reason. Numbers of lines play no part. Entries are separated by empty lines; a line that begins with # is a comment.
"""

import os

from common.building import ROOT
from common.process import Trouble


class Entry:
    def __init__(self, file, function, before, after, reason):
        self.key = (file, function, before, after)
        self.reason, self.matched = reason, []


def _block(path, number, lines):
    """The entries of one block of lines."""
    words = lines[0].split()
    pairs, reason = [], []
    for line in lines[1:]:
        text = ' '.join(line[2:].split())
        if line.startswith('- '):
            pairs.append([text, None])
        elif line.startswith('+ '):
            if not pairs or pairs[-1][1] is not None:
                raise Trouble(f'{path}:{number}: a line + without its line -')
            pairs[-1][1] = text
        else:
            reason.append(line.strip())
    if len(words) != 2 or not pairs or not reason or any(after is None for _, after in pairs):
        raise Trouble(f'{path}:{number}: an entry is FILE FUNCTION, pairs of lines - and +, and a reason')
    return [Entry(*words, before, after, ' '.join(reason)) for before, after in pairs]


def read():
    path = os.path.join(ROOT, 'mutants', 'equivalent.txt')
    entries, block, first = {}, [], 0
    if not os.path.exists(path):
        return entries
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate([*file, ''], 1):
            line = line.rstrip('\n')
            if line.startswith('#'):
                continue
            if line.strip():
                first = first if block else number
                block.append(line)
            elif block:
                for entry in _block(path, first, block):
                    if entry.key in entries:
                        raise Trouble(f'{path}:{first}: listed twice: {entry.key[2]}')
                    entries[entry.key] = entry
                block = []
    return entries


def key_of(one):
    return (one.change.source.name, one.change.function, *one.change.lines())


def settle(mutants, complete):
    """Gives survivors that are listed their fate. Returns what is wrong with the list, line by line."""
    entries, wrong = read(), []
    made = [one for one in mutants if not one.hand_written]
    listed = set()
    for one in made:
        entry = entries.get(key_of(one))
        if not entry:
            continue
        entry.matched.append(one)
        if one.fate == 'survived':
            listed.add((one.twin or one).name)
        elif one.fate == 'killed':
            wrong.append(f'listed as equivalent, but killed: {one.name}')
        else:
            wrong.append(f'listed as equivalent, but no mutant ({one.fate}): {one.name}')
    for one in made:
        if one.fate == 'survived' and (one.twin or one).name in listed:
            one.fate = 'equivalent'
    if complete:
        wrong += [f'listed as equivalent, but not there: {" ".join(entry.key[:2])}: {entry.key[3]}'
                  for entry in entries.values() if not entry.matched]
    return wrong


def as_entry(one):
    """A survivor in the form of an entry without a reason."""
    file, function, before, after = key_of(one)
    return f'{file} {function}\n- {before}\n+ {after}'
