# SPDX-License-Identifier: MIT
"""Build folders, which are set up anew when their options have changed."""

import os

from .process import must

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # of the tree


def configure(folder, options, compilers):
    """A build folder, for these compilers of C and C++."""
    must([os.path.join(ROOT, 'scripts', 'configure'), folder, *options], 'scripts/configure',
         env={'CC': compilers[0], 'CXX': compilers[1]})


def build(folder, options, compilers, targets):
    """Configures, and builds @targets, arguments of ninja."""
    configure(folder, options, compilers)
    must(['ninja', '-C', folder, *targets], f'the build in {folder}')


def fuzzing():
    """What all that fuzzes does alike, as the scripts have it: max_len, and the environment of AFL++."""
    with open(os.path.join(ROOT, 'scripts', 'common', 'fuzzing.env'), encoding='utf-8') as file:
        known = dict(line.rstrip('\n').split('=', 1) for line in file if '=' in line and not line.startswith('#'))
    return int(known.pop('max_len')), known


def build_fuzzers(folder, engine, *target):
    """What scripts/fuzz-build makes below @folder. Returns where."""
    return must([os.path.join(ROOT, 'scripts', 'fuzz-build'), engine, *target], 'scripts/fuzz-build',
                env={'NPJOB_FUZZ_BUILD': folder}).strip()
