# SPDX-License-Identifier: MIT
"""
Makes the systematic mutants of a source: each is one change of its text.

Statements are found by a small parser that knows as much of C as lib/ uses; expressions by their tokens. A change that
is no C is harmless, as it does not compile and is counted as no mutant.
"""

import re
from bisect import bisect_right

from .lexer import code

FLIPPED = {'==': '!=', '!=': '==', '<': '>=', '>=': '<', '>': '<=', '<=': '>'}
SHIFTED = {'<': '<=', '<=': '<', '>': '>=', '>=': '>'}
LOGIC = {'&&': '||', '||': '&&'}
ARITHMETIC = {'+': '-', '-': '+', '*': '/', '/': '*', '%': '/', '+=': '-=', '-=': '+=', '*=': '/=', '++': '--', '--': '++',
              '<<': '>>', '>>': '<<', '<<=': '>>=', '>>=': '<<='}
FLAGS = {'&': '|', '|': '&', '^': '|'}
# Each status as another one that might have stood there.
STATUS = {'SUCCESS': 'PENDING', 'PENDING': 'SUCCESS', 'INVALID_HANDLE': 'INVALID_PARAMETER',
          'INVALID_PARAMETER': 'INVALID_HANDLE', 'INVALID_DEVICE_REQUEST': 'OBJECT_NAME_INVALID',
          'OBJECT_NAME_INVALID': 'INVALID_DEVICE_REQUEST', 'QUOTA_EXCEEDED': 'INSUFF_SERVER_RESOURCES',
          'INSUFF_SERVER_RESOURCES': 'INSUFFICIENT_RESOURCES', 'INSUFFICIENT_RESOURCES': 'INSUFF_SERVER_RESOURCES',
          'INVALID_PIPE_STATE': 'PIPE_CLOSING', 'PIPE_CLOSING': 'PIPE_BROKEN', 'PIPE_BROKEN': 'PIPE_DISCONNECTED',
          'PIPE_DISCONNECTED': 'PIPE_BROKEN', 'IO_TIMEOUT': 'CANCELLED', 'CANCELLED': 'IO_TIMEOUT',
          'INVALID_DEVICE_STATE': 'INVALID_PIPE_STATE', 'NOT_FOUND': 'INVALID_HANDLE',
          'SERVER_SHUTDOWN_IN_PROGRESS': 'PIPE_CLOSING'}
# The words of the transition table (macro TABLE), and its states that follow.
CELL = {'STAY': 'HANDLE', 'FAIL': 'STAY', 'CLEAN': 'STAY', 'HANDLE': 'STAY', 'STATE': 'STAY', 'CLOSED': 'STAY',
        'BROKEN': 'STAY', 'ABSENT': 'STAY'}
TYPES = {'const', 'static', 'struct', 'enum', 'union', 'unsigned', 'signed', 'int', 'char', 'bool', 'void', 'long', 'short'}
ASSIGNING = {'=', '+=', '-=', '*=', '/=', '|=', '&=', '^=', '<<=', '>>=', '%='}
NOTHING = 'deleted statement'


class Change:
    """One change of one file: text[start:end] becomes @new."""

    def __init__(self, source, start, end, new, kind):
        self.source, self.start, self.end, self.new, self.kind = source, start, end, new, kind
        self.line, self.column = source.place(start)
        self.function = source.function_at(start)

    @property
    def name(self):
        return f'{self.source.name}:{self.line}:{self.column} {self.kind}'

    def text(self):
        return self.source.text[:self.start] + self.new + self.source.text[self.end:]

    def lines(self):
        """(the lines that are changed, what they become), each with single spaces: how an equivalent one is named."""
        text = self.source.text
        first = text.rfind('\n', 0, self.start) + 1
        last = text.find('\n', self.end)
        last = len(text) if last < 0 else last
        before, after = text[first:last], text[first:self.start] + self.new + text[self.end:last]
        return ' '.join(before.split()), ' '.join(after.split())


class Source:
    """A file of lib/ and its changes."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.starts = [match.end() for match in re.finditer(r'^|\n', text)]
        self.functions = []  # (start, end, name)
        self.changes, self.seen = [], set()
        self.tokens, self.macros = code(text)
        self._find_functions()
        for start, end, _ in self.bodies:
            self.at = start
            self._statement(self.tokens, start)
        self._expressions(self.tokens)
        for name, tokens in self.macros:
            self._macro(name, tokens)
        self.changes.sort(key=lambda change: (change.start, change.kind))

    def place(self, offset):
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def function_at(self, offset):
        for start, end, name in self.functions:
            if start <= offset < end:
                return name
        return '-'

    def add(self, start, end, new, kind):
        if (start, end, new) not in self.seen:
            self.seen.add((start, end, new))
            self.changes.append(Change(self, start, end, new, kind))

    # ------------------------------------------------------------------------------------------------- functions

    def _find_functions(self):
        """At the outermost level a brace after a closing bracket begins a body."""
        self.bodies, at = [], 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text == '{':
                if self.tokens[at - 1].text == ')':
                    name = self.tokens[self.tokens[at - 1].partner - 1].text
                    self.bodies.append((at, token.partner, name))
                    self.functions.append((token.start, self.tokens[token.partner].end, name))
                at = token.partner
            at += 1
        for name, tokens in self.macros:
            self.functions.append((tokens[0].start, tokens[-1].end, name))

    # ------------------------------------------------------------------------------------------------ statements

    def _statement(self, tokens, at):
        """Reads the statement that begins with token @at. Returns the index behind it."""
        text = tokens[at].text
        if text == '{':
            inner = at + 1
            while inner < tokens[at].partner:
                inner = self._statement(tokens, inner)
            return tokens[at].partner + 1
        if text in ('if', 'while', 'switch'):
            if text != 'switch':
                self._condition(tokens, at + 2, tokens[at + 1].partner)
            at = self._statement(tokens, tokens[at + 1].partner + 1)
            if text == 'if' and at < len(tokens) and tokens[at].text == 'else':
                at = self._statement(tokens, at + 1)
            return at
        if text == 'for':
            self._for(tokens, at + 1)
            return self._statement(tokens, tokens[at + 1].partner + 1)
        if text == 'do':
            at = self._statement(tokens, at + 1) + 1
            end = tokens[at].partner
            if end > at + 2 or tokens[at + 1].text != '0':
                self._condition(tokens, at + 1, end)
            return end + 2
        if text in ('case', 'default'):
            while tokens[at].text != ':':
                at += 1
            return at + 1
        return self._simple(tokens, at)

    def _for(self, tokens, bracket):
        at, parts = bracket + 1, [bracket + 1]
        while at < tokens[bracket].partner:
            if tokens[at].text in ('(', '[', '{'):
                at = tokens[at].partner
            elif tokens[at].text == ';':
                parts.append(at + 1)
            at += 1
        if parts[2] - 1 > parts[1]:
            self._condition(tokens, parts[1], parts[2] - 1)

    def _simple(self, tokens, at):
        end = at
        while end < len(tokens) and tokens[end].text != ';':
            end = tokens[end].partner + 1 if tokens[end].text in ('(', '[', '{') else end + 1
        if end == at or end >= len(tokens):
            return end + 1
        first = tokens[at].text
        value = first == 'return' and end > at + 1
        if not value and not self._declares(tokens, at):
            self.add(tokens[at].start, tokens[end].end, ';', NOTHING)
        return end + 1

    @staticmethod
    def _declares(tokens, at):
        if tokens[at].kind != 'word' or tokens[at].text in ('return', 'break', 'continue', 'goto'):
            return False
        if tokens[at].text in TYPES or tokens[at + 1].kind == 'word':
            return True
        return tokens[at + 1].text == '*' and tokens[at + 2].kind == 'word' and tokens[at + 3].text in (';', '=', ',', '[')

    # ------------------------------------------------------------------------------------------------ conditions

    def _condition(self, tokens, first, end):
        """A condition is tokens[first:end]."""
        start, stop = tokens[first].start, tokens[end - 1].end
        text = self.text[start:stop]
        effects = any(token.text in ASSIGNING or token.text in ('++', '--') for token in tokens[first:end])
        self.add(start, stop, f'!({text})', 'negated condition')
        for value, word in (('1', 'true'), ('0', 'false')):
            self.add(start, stop, f'(({text}), {value})' if effects else value, f'condition {word}')

    def _choice(self, tokens, mark):
        """The condition before a question mark."""
        first = mark
        while first > 0:
            text = tokens[first - 1].text
            if text in (')', ']'):
                first = tokens[first - 1].partner
            elif text in ('(', '[', '{', ',', ';', '?', ':', 'return', '}') or text in ASSIGNING:
                break
            else:
                first -= 1
        # A cast of the whole choice is no part of its condition; nor is an empty one.
        if first < mark:
            self._condition(tokens, first, mark)

    # ----------------------------------------------------------------------------------------------- expressions

    def _macro(self, name, tokens):
        if tokens[0].text == 'do':
            self._statement(tokens, 0)
        if name == 'TABLE':
            self._table(tokens)
        self._expressions(tokens)

    def _table(self, tokens):
        for at, token in enumerate(tokens):
            if token.text != 'ROW':
                continue
            cells = [cell for cell in tokens[at + 2:tokens[at + 1].partner] if cell.kind == 'word']
            for cell in cells[1:-1]:
                self.add(cell.start, cell.end, CELL[cell.text], f'wrong cell {CELL[cell.text]}')
            last = 'BROKEN' if cells[-1].text == 'GONE' else 'GONE'
            self.add(cells[-1].start, cells[-1].end, last, f'wrong cell {last}')

    def _binary(self, token):
        """Whether an operator stands between two operands: then, and only then, there is space around it."""
        return self.text[token.start - 1].isspace() and self.text[token.end].isspace()

    def _expressions(self, tokens):
        for at, token in enumerate(tokens):
            text = token.text
            if token.kind == 'number' or token.kind == 'char':
                self._literal(token)
            elif token.kind == 'word' and text.startswith('NPJ_STATUS_') and text[11:] in STATUS:
                other = STATUS[text[11:]]
                self.add(token.start, token.end, 'NPJ_STATUS_' + other, f'wrong status {other}')
            elif token.kind == 'mark':
                self._operator(tokens, at)

    def _operator(self, tokens, at):
        token, text = tokens[at], tokens[at].text
        swap = lambda new, kind: self.add(token.start, token.end, new, kind)  # noqa: E731
        if text in FLIPPED:
            swap(FLIPPED[text], f'flipped comparison {FLIPPED[text]}')
        if text in SHIFTED:
            swap(SHIFTED[text], f'shifted comparison {SHIFTED[text]}')
        if text in LOGIC:
            swap(LOGIC[text], f'swapped {LOGIC[text]}')
        if text in ARITHMETIC and (text not in '+-*' or self._binary(token)):
            swap(ARITHMETIC[text], f'swapped arithmetic {ARITHMETIC[text]}')
        if text in FLAGS and self._binary(token):
            swap(FLAGS[text], f'swapped flags {FLAGS[text]}')
        if text in ('!', '~') and tokens[at + 1].text != '=':
            swap('', f'dropped {text}')
        if text == '?':
            self._choice(tokens, at)
        if text == '&=' and tokens[at + 1].text == '~':
            self.add(token.start, tokens[at + 1].end, '|=', 'flags set')
        if text == '|=':
            end = at
            while tokens[end].text != ';':
                end = tokens[end].partner + 1 if tokens[end].text in ('(', '[', '{') else end + 1
            value = self.text[tokens[at + 1].start:tokens[end - 1].end]
            self.add(token.start, tokens[end - 1].end, f'&= ~({value})', 'flags cleared')

    def _literal(self, token):
        if token.kind == 'char':
            for sign in '+-':
                self.add(token.start, token.end, f'({token.text} {sign} 1)', f'off by one {sign}1')
            return
        match = re.fullmatch(r'(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)', token.text)
        if not match:
            return
        digits, suffix = match.groups()
        value = int(digits, 0) if digits.startswith(('0x', '0X')) else int(digits)
        for sign, new in (('+', value + 1), ('-', value - 1)):
            if new >= 0:
                shown = f'0x{new:X}' if digits.startswith(('0x', '0X')) else str(new)
                self.add(token.start, token.end, shown + suffix, f'off by one {sign}1')
