# SPDX-License-Identifier: MIT
"""Command lines: wrong use is one line, and exit status 2."""

import argparse


class Parser(argparse.ArgumentParser):
    def __init__(self, prog, description, epilog=None):
        super().__init__(prog=prog, description=description, epilog=epilog,
                         formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        self.exit(2, f'{self.prog}: {message}; see scripts/{self.prog} --help\n')


def number_from(least):
    """The type of an argument that is a whole number, no less than that."""
    def number(text):
        if not (text.isascii() and text.isdigit()) or int(text) < least:
            raise argparse.ArgumentTypeError(f'"{text}" is no number from {least}')
        return int(text)
    return number
