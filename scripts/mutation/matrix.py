# SPDX-License-Identifier: MIT
"""The table of who noticed what, and the last line."""

import json
import os

from . import equivalent, mutant

HEADINGS = ('mutant', 'fate', 'corpus: law', 'tape, event', 'events', 's', 'explorer: law', 'events', 's', 'tests',
            'fuzz: law', 'found', 'executions', 's')


def _cells(one):
    corpus, explorer, tests, fuzz = (one.columns[name] for name in ('corpus', 'explorer', 'tests', 'fuzz'))
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
    if fuzz:
        cells += [fuzz.get('law', 'alive'), f"{fuzz['found']}/{fuzz['of']}", str(fuzz.get('executions', '')),
                  f"{fuzz['seconds']:.2f}" if fuzz['killed'] else '']
    else:
        cells += ['-', '', '', '']
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


def save(path, mutants):
    """All that is known, one object a line, for other programs."""
    with open(path, 'w', encoding='utf-8') as file:
        for one in mutants:
            known = {'name': one.name, 'fate': one.fate, 'twin': one.twin.name if one.twin else None, **one.columns}
            if not one.hand_written:
                known.update(zip(('before', 'after'), one.change.lines()), function=one.change.function)
            file.write(json.dumps(known) + '\n')


def slowest(mutants, name, label, limit):
    """A line about a column: how many it has killed, and which took longest."""
    killed = [one for one in mutants if one.columns[name] and one.columns[name]['killed'] and not one.twin]
    if not killed:
        return f'{label}: -'
    asked = sum(one.columns[name] is not None and not one.twin for one in mutants)
    last = max(killed, key=lambda one: one.columns[name]['seconds'])
    late = sum(one.columns[name]['seconds'] >= limit for one in killed)
    return (f"{label}: {len(killed)} of {asked} killed, {late} of them in {limit} s or more; the slowest in "
            f"{last.columns[name]['seconds']:.2f} s ({last.name})")


def _print_summary(judging, mutants):
    real = [one for one in mutants if one.fate in ('killed', 'survived', 'equivalent')]
    for name, label, limit in (('corpus', 'corpus', 1), ('explorer', 'explorer', 1), ('fuzz', 'fuzz, medians', 10)):
        print(slowest(real, name, label, limit))
    tests = sum(bool(one.columns['tests'] and one.columns['tests']['killed']) for one in real if not one.twin)
    print(f'tests: {tests} killed that corpus and explorer let live')
    print(f"the bound of the explorer:\n{judging.explorer.closing}")
    count = {fate: sum(one.fate == fate for one in mutants) for fate in ('same', 'invalid')}
    twins = sum(bool(one.twin) for one in real)
    print(f"made: {len(mutants)}; no mutants: {count['same']} of the unchanged object code, {count['invalid']} that do not "
          f"compile; {twins} of another's object code, which share its fate")


def write(judging, mutants, complete):
    """Writes and prints the table. Returns the exit status."""
    resolve(mutants)
    wrong = equivalent.settle(mutants, complete)
    wrong += mutant.no_mutants(mutants)
    wrong += [f'the {name} lets a hand-written mutant live: {one.name}' for one in mutants for name in ('corpus', 'explorer')
              if one.hand_written and one.columns[name] and not one.columns[name]['killed']]
    save(os.path.join(judging.folder, 'matrix.json'), mutants)
    rows = [(one, _cells(one)) for one in mutants if one.fate not in ('same', 'invalid', 'stale')]
    path = os.path.join(judging.folder, 'matrix.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(table([HEADINGS, *(cells for _, cells in rows)])) + '\n')
    print('\n'.join(table([HEADINGS, *(cells for one, cells in rows if one.hand_written or one.fate != 'killed')])))
    print(f'(all {len(rows)} rows: {path})')
    _print_summary(judging, mutants)
    survivors = [one for one in mutants if one.fate == 'survived']
    for one in survivors:
        print(f'survived: {one.name}')
        if not one.hand_written and not one.twin:
            print(equivalent.as_entry(one))
    for line in wrong:
        print(line)
    killed, equivalents = (sum(one.fate == fate for one in mutants) for fate in ('killed', 'equivalent'))
    print(f'mutants: {killed} killed, {len(survivors)} survived, {equivalents} equivalent')
    return 1 if survivors or wrong else 0
