#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build folders, which are set up anew when their options have changed."""

import os
import shutil

from mutation.process import must


def build(root, folder, options, compilers, targets):
    """Builds @targets, arguments of ninja, in @folder, by these compilers of C and C++."""
    stamp, wanted = os.path.join(folder, 'npjob-options'), ' '.join(compilers + options)
    env = {'CC': compilers[0], 'CXX': compilers[1], 'CFLAGS': '', 'CXXFLAGS': '', 'CPPFLAGS': '', 'LDFLAGS': ''}
    if not os.path.exists(stamp) or open(stamp, encoding='utf-8').read() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        must(['meson', 'setup', folder, root, *options], 'meson setup', env=env)
        with open(stamp, 'w', encoding='utf-8') as file:
            file.write(wanted)
    must(['ninja', '-C', folder, *targets], f'the build in {folder}')
