#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of who noticed what, and the last line."""

import os

HEADINGS = ('mutant', 'fate', 'corpus: law', 'tape, event', 'events', 's', 'explorer: law', 'events', 's', 'tests')


def _cells(one):
    corpus, explorer, tests = (one.columns[name] for name in ('corpus', 'explorer', 'tests'))
    cells = [one.name, one.fate]
    if corpus and corpus['killed']:
        cells += [corpus['law'], f"{corpus['tape']}, {corpus['event']}", str(corpus['events']), f"{corpus['seconds']:.3f}"]
    else:
        cells += ['alive' if corpus else '-', '', '', '']
    if explorer and explorer['killed']:
        cells += [explorer['law'], str(explorer['events'] or ''), f"{explorer['seconds']:.2f}"]
    else:
        cells += ['alive' if explorer else '-', '', '']
    cells.append(tests['law'] if tests and tests['killed'] else 'alive' if tests else '-')
    return cells


def table(rows):
    """Rows of cells as lines with aligned columns."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def resolve(mutants):
    """A twin has the fate of the mutant whose object code it has."""
    for one in mutants:
        if one.twin:
            one.fate, one.columns = one.twin.fate, one.twin.columns


def write(judging, mutants):
    """Writes and prints the table. Returns the exit status."""
    resolve(mutants)
    lines = table([HEADINGS, *(_cells(one) for one in mutants)])
    path = os.path.join(judging.folder, 'matrix.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    print('\n'.join(lines))
    print(f'(also in {path})')
    count = {fate: sum(one.fate == fate for one in mutants) for fate in
             ('killed', 'survived', 'equivalent', 'same', 'invalid')}
    for one in mutants:
        if one.fate == 'survived':
            print(f'survived: {one.name}')
    print(f"no mutants: {count['same']} of the same object code, {count['invalid']} that do not compile")
    print(f"mutants: {count['killed']} killed, {count['survived']} survived, {count['equivalent']} equivalent")
    return 1 if count['survived'] else 0
