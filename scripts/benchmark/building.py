#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build folders, which are set up anew when their options have changed."""

from mutation.build import configure
from mutation.process import must


def build(root, folder, options, compilers, targets):
    """Builds @targets, arguments of ninja, in @folder, by these compilers of C and C++."""
    configure(root, folder, options, compilers)
    must(['ninja', '-C', folder, *targets], f'the build in {folder}')
