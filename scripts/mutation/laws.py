# SPDX-License-Identifier: MIT
"""Which law is the only one that notices which mutant: the corpus with the laws switched off one at a time."""

from . import mutant


def _needed_by(judging, one):
    """(the law that kills, the laws without which the mutant lives); laws only, no model."""
    own = one.build_flavour(judging.work, judging.asan)
    verdict = judging.corpus.tape(own)
    alone = []
    if verdict['killed']:
        alone = [law for law in laws_of(judging) if not judging.corpus.tape(own, ['--off', law])['killed']]
    one.clean(judging.work)
    return verdict.get('law', '-'), alone


def laws_of(judging):
    return [law for law in judging.corpus.laws if law != 'model']


def run(judging, mutants):
    """Prints a table of the laws. Returns an exit status: 1 if a law is not the only killer of any mutant, or a patch is none."""
    patches, mutants = mutants, judging.compile(mutants)
    found = judging.each('laws', lambda one: _needed_by(judging, one), mutants)
    missing = []
    print(f'{"law":17} only killer of')
    for number, law in enumerate(laws_of(judging)):
        names = [one.name for one, (_, alone) in zip(mutants, found) if law in alone]
        print(f'{number:2} {law:14} {" ".join(names) if names else "-"}')
        if not names:
            missing.append(law)
    shared = [f'{one.name} ({law})' for one, (law, alone) in zip(mutants, found) if law != '-' and not alone]
    print(f'by several: {" ".join(shared) or "-"}')
    print(f'by no law: {" ".join(one.name for one, (law, _) in zip(mutants, found) if law == "-") or "-"}')
    wrong = mutant.no_mutants(patches)
    wrong += [f'{one.name} says "Only: {" ".join(one.only)}", not so' for one, (_, alone) in zip(mutants, found)
              if any(laws_of(judging)[int(number)] not in alone for number in one.only)]
    print('\n'.join(wrong), end='\n' if wrong else '')
    needed = len(laws_of(judging)) - len(missing)
    print(f'laws: {needed} are the only killer of a mutant, {len(missing)} are not{": " if missing else ""}{" ".join(missing)}')
    return 1 if missing or wrong else 0
