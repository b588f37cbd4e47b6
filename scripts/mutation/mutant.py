# SPDX-License-Identifier: MIT
"""A changed library: where the change comes from, what it has changed, and what became of it."""

import glob
import hashlib
import os
import re
import shutil

from common.building import ROOT
from common.process import Trouble, run

from .build import copy_library

LEAST = 40  # patches
ROWS = 32   # orders of events that have hurt real servers, of which each has its seeds in corpus/tape


class Stale(Exception):
    """A patch no longer applies."""


class Mutant:
    """What became of it, in the end: `fate` is killed, survived, equivalent, same (object code), invalid or stale."""

    hand_written = False
    place_of_change = None  # (file, function) if one function alone is changed

    def __init__(self, name, number):
        self.name, self.number = name, number
        self.changed = set()  # names of files
        self.affected = []    # names of the sources whose object code is another
        self.fate = self.why = ''
        self.twin = None      # an earlier mutant with the same object code
        self.columns = {'corpus': None, 'explorer': None, 'fuzz': None, 'tests': None}

    def apply(self, folder):
        """Changes the copy of lib/ in @folder/lib. Returns the names of the files changed."""
        raise NotImplementedError

    def place(self, work):
        return os.path.join(work, self.number)

    def build_plain(self, work, plain):
        """Applies and compiles. Returns a digest of the object code, or None where there is no mutant."""
        place = self.place(work)
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(os.path.join(place, plain.name))
        lib = os.path.join(place, 'lib')
        copy_library(lib)
        try:
            self.changed = self.apply(place)
        except Stale as why:
            self.fate, self.why = 'stale', str(why)
            return None
        digest = hashlib.sha256()
        for name in self.sources(plain):
            if plain.compile(lib, name, os.path.join(place, plain.name)):
                self.fate = 'invalid'
                return None
            same, content = self._compare(place, plain, name)
            digest.update(name.encode() + content)
            if not same:
                self.affected.append(name)
        if not self.affected:
            self.fate = 'same'
            return None
        return digest.hexdigest()

    @staticmethod
    def _compare(place, plain, name):
        """Drops an object that is as before, so that it does not make two mutants differ."""
        mine = os.path.join(place, plain.name, name[:-2] + '.o')
        with open(mine, 'rb') as own, open(os.path.join(plain.base, name[:-2] + '.o'), 'rb') as base:
            content = own.read()
            if content != base.read():
                return False, content
        os.remove(mine)
        return True, b''

    def sources(self, flavour):
        """What may have to be compiled: a changed header is in all."""
        if any(name.endswith('.h') for name in self.changed):
            return sorted(flavour.commands)
        return sorted(self.changed)

    def build_flavour(self, work, flavour):
        """Compiles and links for one flavour; build_plain() has compiled its own. Returns the folder of the result."""
        place = self.place(work)
        own = os.path.join(place, flavour.name)
        if not os.path.isdir(own):
            os.makedirs(own)
            for name in self.affected:
                wrong = flavour.compile(os.path.join(place, 'lib'), name, own)
                if wrong:
                    raise Trouble(wrong)
        flavour.link(own, own)
        return own

    def clean(self, work):
        shutil.rmtree(self.place(work), ignore_errors=True)

    def killed(self):
        """By the corpus, the explorer or a test: what a fuzzer finds with luck does not count."""
        return any(self.columns[name] and self.columns[name]['killed'] for name in ('corpus', 'explorer', 'tests'))


class Patch(Mutant):
    """A hand-written mutant: mutants/NAME.patch, whose words before the diff say what it does."""

    hand_written = True

    def __init__(self, path, number):
        super().__init__(os.path.basename(path)[:-len('.patch')], number)
        self.path = path
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.words = re.split(r'^(?:diff |--- )', text, maxsplit=1, flags=re.MULTILINE)[0].strip()
        self.only = [number for found in re.findall(r'^Only: *([0-9 ,]+)', self.words, re.MULTILINE)
                     for number in re.findall(r'[0-9]+', found)]
        self.rows = {int(number) for number in re.findall(r'^Row: *([0-9]+)', self.words, re.MULTILINE)}
        self.files = {os.path.basename(name) for name in re.findall(r'^\+\+\+ b/lib/(\S+)', text, re.MULTILINE)}
        if not self.files or len(self.files) != len(re.findall(r'^\+\+\+ ', text, re.MULTILINE)):
            raise Trouble(f'{path}: a patch is against files of lib/, as a/lib/NAME and b/lib/NAME')

    def apply(self, folder):
        outcome = run(['patch', '-p1', '--quiet', '--force', '--fuzz=0', '--no-backup-if-mismatch', '-d', folder,
                       '-i', self.path])
        if outcome.status != 0:
            raise Stale(f'{self.path} no longer applies: {" ".join(outcome.out.split())}')
        return self.files


def patches():
    """All of mutants/*.patch, which must be 40 or more, with one or more for each row of the scenarios."""
    paths = sorted(glob.glob(os.path.join(ROOT, 'mutants', '*.patch')))
    found = [Patch(path, f'patch-{at}') for at, path in enumerate(paths)]
    missing = sorted(set(range(1, ROWS + 1)) - set().union(*(one.rows for one in found)))
    if len(found) < LEAST or missing:
        raise Trouble(f'there are {len(found)} patches in mutants/; no one plants a fault of row {missing}')
    return found


def no_mutants(mutants):
    """What is wrong with patches that change nothing, a line for each."""
    return [one.why or f'a patch that is no mutant ({one.fate}): {one.name}' for one in mutants
            if one.hand_written and one.fate in ('stale', 'same', 'invalid')]
