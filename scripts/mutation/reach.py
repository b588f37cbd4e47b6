# SPDX-License-Identifier: MIT
"""
Which functions of the library a program never calls, as gcov counts. A program without chance that never calls a function
of the unchanged library never calls it in one where only that function is changed: there is no need to run it.
"""

import gzip
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

from common.process import must

from .build import LIB, LIBRARY


def never_called(flavour, folder, command, jobs):
    """{(file, function)} of the functions that @command never calls, built in @folder without optimisation."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)

    def compile_one(name):
        words = [word for word in flavour.commands[name] if not word.startswith('-O')]
        must([*words, '-O0', '--coverage', '-o', os.path.join(folder, name[:-2] + '.o'), '-c', name], name, cwd=LIB)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(compile_one, sorted(flavour.commands)))
    objects = [os.path.join(folder, name[:-2] + '.o') for name in sorted(flavour.commands)]
    must([flavour.compiler, '-shared', '-Wl,-Bsymbolic', f'-Wl,-soname,{LIBRARY}', '--coverage',
          '-o', os.path.join(folder, LIBRARY), *objects], 'linking')
    must(command, command[0], env={'LD_LIBRARY_PATH': folder}, timeout=600)
    never = set()
    for name in sorted(flavour.commands):
        must(['gcov', '--json-format', '--object-file', name[:-2] + '.o', os.path.join(LIB, name)], 'gcov', cwd=folder)
    for entry in sorted(os.listdir(folder)):
        if entry.endswith('.gcov.json.gz'):
            with gzip.open(os.path.join(folder, entry), 'rt') as file:
                for source in json.load(file)['files']:
                    never |= {(os.path.basename(source['file']), function['name'])
                              for function in source['functions'] if function['execution_count'] == 0
                              and source['file'].endswith('.c')}
    return never
