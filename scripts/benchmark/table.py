# SPDX-License-Identifier: MIT
"""The table of a run, as text, as JSON and as a picture."""

import json
import os
import subprocess
import sys

from common.process import Trouble

from .goals import LIMIT, ROWS


class Figure:
    """A row with its figures; one that was not measured has none."""

    def __init__(self, row, samples):
        self.row = row
        limited = row.sort is LIMIT
        self.measured = row.ours in samples.values and (limited or row.theirs in samples.values)
        if not self.measured:
            return
        self.unit = samples.units[row.ours]
        self.ours, self.ours_between = samples.median(row.ours), samples.quartiles(row.ours)
        self.theirs = row.theirs if limited else samples.median(row.theirs)
        self.theirs_between = None if limited else samples.quartiles(row.theirs)
        self.ratio = row.ratio(self.ours, self.theirs)
        self.ahead = row.ahead(self.ours, self.theirs)
        self.met = None if self.ahead is None else self.ahead >= 1

    def json(self):
        entry = {'name': self.row.name, 'ours': self.ours, 'unit': self.unit, 'against': self.row.against,
                 'theirs': self.theirs, 'ratio': self.ratio}
        if self.row.goal is not None:
            entry.update(goal=self.row.goal_text(), met=self.met)
        return {**entry, 'ours_quartiles': self.ours_between, 'theirs_quartiles': self.theirs_between}


def figures(samples, wanted):
    """A row for each comparison that is wanted."""
    return [Figure(row, samples) for row in ROWS if wanted(row.ours[0])]


def number(value):
    return f'{value:.0f}' if value >= 100 else f'{value:.3g}'


def spread(value, between):
    """A median with its quartiles, which are left out where every sample is the same."""
    if not between or between[0] == between[1]:
        return number(value)
    return f'{number(value)} ({number(between[0])}-{number(between[1])})'


def cells(figure):
    row = figure.row
    if not figure.measured:
        return [row.name, 'not measured', '', row.against, '', '', row.goal_text(), '']
    verdict = {True: 'met', False: 'MISSED', None: ''}[figure.met]
    return [row.name, spread(figure.ours, figure.ours_between), figure.unit, row.against,
            spread(figure.theirs, figure.theirs_between), f'{figure.ratio:.3g}' if figure.ratio < 0.1 else f'{figure.ratio:.2f}', row.goal_text(), verdict]


def text(rows):
    """As Markdown, which a terminal shows as well."""
    head = ['work', 'npjob', 'unit', 'against', 'theirs', 'ratio', 'goal', '']
    lines = [head] + [cells(figure) for figure in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ['-' * width for width in widths])
    return '\n'.join('| ' + ' | '.join(cell.ljust(width) for cell, width in zip(line, widths)) + ' |' for line in lines)


def closing(rows):
    judged = [figure for figure in rows if figure.measured and figure.met is not None]
    met = sum(figure.met for figure in judged)
    missing = sum(not figure.measured for figure in rows)
    return f'bench: {met} goals met, {len(judged) - met} missed, {missing} rows not measured'


def try_to_write(path):
    """That the file cannot be written shows now, not after ten minutes. What was not there is not left behind."""
    there = os.path.lexists(path)
    with open(path, 'a', encoding='utf-8'):
        pass
    if not there:
        os.remove(path)


def write_json(path, rows, about):
    measured = [figure for figure in rows if figure.measured]
    whole = {'rows': [figure.json() for figure in measured if figure.met is not None],
             'without_goal': [figure.json() for figure in measured if figure.met is None], **about}
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(whole, file, indent=1)
        file.write('\n')


PLOT = """set terminal pngcairo size 1100,{height} font 'Helvetica,11'
set output '{path}'
set title 'npjob: how far each goal is exceeded (right of the line) or missed'
set logscale x 2
set xrange [{low}:{high}]
set yrange [-0.7:{top}]
set xlabel 'times better than the goal'
set grid x lc rgb '#dddddd'
set border 1
set tics nomirror
set ytics scale 0 noenhanced ({names})
set lmargin {margin}
set arrow from 1,-0.7 to 1,{top} nohead lw 2 lc rgb '#444444'
unset key
plot '-' using 1:2:3:(0):4 with vectors nohead lw 6 lc rgb variable, '' using 1:2:3 with points pt 7 ps 1.2 lc rgb variable
"""


def draw(path, rows):
    """A bar for each goal from 1 to how many times better it is met, or worse missed."""
    judged = [figure for figure in rows if figure.measured and figure.met is not None][::-1]
    colours = [0x3A9A5B if figure.met else 0xB3372B for figure in judged]
    ahead = [figure.ahead for figure in judged]
    names = ', '.join(f"'{figure.row.name} {figure.row.goal_text()}' {at}" for at, figure in enumerate(judged))
    script = PLOT.format(path=path.replace("'", "''"), height=120 + 22 * len(judged), low=min(0.5, *ahead) / 1.3,
                         high=max(2, *ahead) * 1.3, top=len(judged) - 0.3, names=names, margin=44)
    bars = '\n'.join(f'1 {at} {times - 1} {colour}' for at, (times, colour) in enumerate(zip(ahead, colours)))
    dots = '\n'.join(f'{times} {at} {colour}' for at, (times, colour) in enumerate(zip(ahead, colours)))
    done = subprocess.run(['gnuplot'], input=f'{script}{bars}\ne\n{dots}\ne\n', text=True, capture_output=True, check=False)
    if done.returncode != 0 or not os.path.exists(path):
        sys.stderr.write(done.stderr)
        raise Trouble('gnuplot draws nothing')
