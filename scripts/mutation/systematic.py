# SPDX-License-Identifier: MIT
"""The systematic mutants of all of lib/, as mutants that can be built."""

import os

from .build import LIB
from .maker import Source
from .mutant import Mutant


def changes():
    found = []
    for name in sorted(os.listdir(LIB)):
        if name.endswith(('.c', '.h')):
            with open(os.path.join(LIB, name), encoding='utf-8') as file:
                found += Source(name, file.read()).changes
    return found


class Systematic(Mutant):
    def __init__(self, change, number):
        super().__init__(change.name, number)
        self.change = change
        self.place_of_change = change.source.name, change.function

    def apply(self, folder):
        path = os.path.join(folder, 'lib', self.change.source.name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.change.text())
        return {self.change.source.name}


def mutants():
    return [Systematic(change, f'made-{at}') for at, change in enumerate(changes())]
