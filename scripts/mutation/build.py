# SPDX-License-Identifier: MIT
"""
Builds the programs once, and of each mutant only what it has changed.

A flavour is a compiler with its options. Its programs are built by meson, and linked once more against the library as a
shared object; a mutant is then a shared object of its own, which the dynamic linker finds in its place.
"""

import json
import os
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor

from common.building import ROOT, configure
from common.process import Trouble, must, run

LIBRARY = 'libnpjob.so'
LIB = os.path.join(ROOT, 'lib')


class Flavour:
    def __init__(self, build, name, compilers, options, programs):
        self.name, self.options, self.programs = name, options, programs
        self.folder = os.path.join(build, name)
        self.base = os.path.join(build, 'base', name)
        self.compilers, self.compiler = compilers, compilers[0]
        self.commands = {}

    def configure(self):
        """Sets the folder up, anew if the options have changed; what it knows of the sources is of now."""
        self._set_up()
        must(['ninja', '-C', self.folder, 'build.ninja'], f'meson in {self.folder}')
        self._read_commands()

    def prepare(self, jobs):
        """Builds, and links the programs against the shared object of the unchanged library."""
        targets = self._targets()
        must(['ninja', '-C', self.folder, f'-j{jobs}', *targets], f'the build in {self.folder}')
        shutil.rmtree(self.base, ignore_errors=True)
        os.makedirs(self.base)
        with ThreadPoolExecutor(jobs) as pool:
            for wrong in pool.map(lambda name: self.compile(LIB, name, self.base), sorted(self.commands)):
                if wrong:
                    raise Trouble(f'the library does not compile: {wrong}')
        self.link(self.base, self.base)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(self._link_program, self.programs))

    def _set_up(self):
        configure(self.folder, self.options, self.compilers)

    def _targets(self):
        listed = must(['ninja', '-C', self.folder, '-t', 'targets', 'all'], 'ninja')
        seeds = [line.split(':')[0] for line in listed.splitlines() if line.startswith('corpus/tape/')]
        self._drop_other_seeds({os.path.basename(seed) for seed in seeds})
        return [*self.programs, *seeds, 'lib/libnpjob.a']

    def _drop_other_seeds(self, names):
        """A seed that is no longer of the corpus must kill nothing."""
        folder = os.path.join(self.folder, 'corpus', 'tape')
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name not in names:
                os.remove(os.path.join(folder, name))

    def _read_commands(self):
        """How the library compiles each of its sources, as words without the source and the object. Others may do so too."""
        with open(os.path.join(self.folder, 'compile_commands.json'), encoding='utf-8') as file:
            entries = json.load(file)
        for entry in entries:
            source = os.path.normpath(os.path.join(self.folder, entry['file']))
            if entry['output'].startswith('lib/') and os.path.dirname(source) == LIB:
                self.commands[os.path.basename(source)] = self._words(shlex.split(entry['command']))
        if not self.commands:
            raise Trouble(f'{self.folder} compiles no file of lib/')

    def _words(self, words):
        """Without dependencies and warnings; folders named from the root; lib/ is found as the current folder."""
        kept, at = [words[0]], 1
        while at < len(words):
            word = words[at]
            if word in ('-MQ', '-MF', '-o', '-c'):
                at += 2
                continue
            at += 1
            if word in ('-MD', '-g') or word.startswith('-W'):
                continue
            if word.startswith('-I'):
                path = os.path.normpath(os.path.join(self.folder, word[2:]))
                if not path.startswith(os.path.join(ROOT, 'include')):
                    continue
                word = '-I' + path
            kept.append(word)
        return kept + ['-w']

    def compile(self, lib, name, into):
        """Compiles one source of a copy of lib/. Returns the compiler's words if that fails."""
        target = os.path.join(into, name[:-2] + '.o')
        outcome = run([*self.commands[name], '-o', target, '-c', name], cwd=lib, timeout=60)
        return '' if outcome.status == 0 else outcome.err or 'the compiler died'

    def objects(self, own):
        """The objects of a mutant: its own, and of the unchanged library what it has not."""
        paths = []
        for name in sorted(self.commands):
            mine = os.path.join(own, name[:-2] + '.o')
            paths.append(mine if os.path.exists(mine) else os.path.join(self.base, name[:-2] + '.o'))
        return paths

    def link(self, own, into):
        sanitize = [word for word in self.commands['job.c'] if word.startswith('-fsanitize')]
        must([self.compiler, '-shared', '-Wl,-Bsymbolic', f'-Wl,-soname,{LIBRARY}', *sanitize,
              '-o', os.path.join(into, LIBRARY), *self.objects(own)], 'linking')

    def program(self, name):
        return os.path.join(self.base, name.replace('/', '-'))

    def link_command(self, name, objects, out):
        """The command that links a program, with @objects in place of the library."""
        words = shlex.split(must(['ninja', '-C', self.folder, '-t', 'commands', '-s', name], 'ninja').splitlines()[-1])
        words = [part for word in words for part in (objects if word == 'lib/libnpjob.a' else [word])]
        words[words.index('-o') + 1] = out
        return words

    def _link_program(self, name):
        library = os.path.join(self.base, LIBRARY)
        must(self.link_command(name, [library], self.program(name)), f'linking {name}', cwd=self.folder)


def clang_asan(build):
    options = ['-Dtests=disabled', '-Dtools=disabled', '-Dtestkit=enabled', '-Dfuzz=enabled', '-Doptimization=1',
               '-Ddebug=false', '-Db_sanitize=address,undefined', '-Db_lundef=false',
               '-Dc_args=-fno-sanitize-recover=all']
    return Flavour(build, 'asan', ('clang-19', 'clang++-19'), options, ['fuzz/tape_verdict', 'fuzz/fuzz_path'])


def gcc_plain(build):
    options = ['-Dauto_features=enabled', '-Doptimization=2', '-Ddebug=false']
    return Flavour(build, 'plain', ('gcc', 'g++'), options, ['tools/npj'])


def copy_library(into):
    """lib/ of the day, to be changed."""
    shutil.copytree(LIB, into, ignore=lambda _, names: [n for n in names if n[-2:] not in ('.c', '.h')])
