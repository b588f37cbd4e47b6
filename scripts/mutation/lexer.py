# SPDX-License-Identifier: MIT
"""The tokens of a C source, with where they stand: what comments, directives and static assertions are not."""

import re

TOKEN = re.compile(r'''
    (?P<space>[ \t\r\n]+|\\\n|//[^\n]*|/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<char>'(?:\\.|[^'\\])+')
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[-+*/%&|^~!<>=?:;,.(){}\[\]\#])
''', re.VERBOSE | re.DOTALL)

CLOSING = {'(': ')', '[': ']', '{': '}'}


class Token:
    __slots__ = ('kind', 'text', 'start', 'end', 'partner')

    def __init__(self, kind, text, start):
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)
        self.partner = None  # of a bracket: the index of the other one

    def __repr__(self):
        return f'{self.text}@{self.start}'


def _raw(text, start, end):
    tokens, at = [], start
    while at < end:
        match = TOKEN.match(text, at, end)
        if not match:
            raise ValueError(f'no token at {text[at:at + 20]!r}')
        if match.lastgroup != 'space':
            tokens.append(Token(match.lastgroup, match.group(), at))
        at = match.end()
    return tokens


def pair(tokens):
    """Lets each bracket know its other one. Returns the tokens."""
    open_ones = []
    for at, token in enumerate(tokens):
        if token.text in CLOSING and token.kind == 'mark':
            open_ones.append(at)
        elif token.kind == 'mark' and token.text in CLOSING.values():
            if not open_ones or CLOSING[tokens[open_ones[-1]].text] != token.text:
                raise ValueError(f'a bracket without its other one: {token!r}')
            other = open_ones.pop()
            token.partner, tokens[other].partner = other, at
    if open_ones:
        raise ValueError(f'a bracket without its other one: {tokens[open_ones[-1]]!r}')
    return tokens


def _directives(text):
    """(start, end) of each directive, continued lines included."""
    for match in re.finditer(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', text, re.MULTILINE | re.DOTALL):
        yield match.start(), match.end()


def _without_assertions(tokens):
    kept, at = [], 0
    while at < len(tokens):
        if tokens[at].text == '_Static_assert':
            depth = 0
            while True:
                at += 1
                depth += {'(': 1, ')': -1}.get(tokens[at].text, 0)
                if depth == 0:
                    break
            at += 2  # the bracket and the semicolon
            continue
        kept.append(tokens[at])
        at += 1
    return kept


def blank_comments(text):
    """The text with comments as spaces, so that what looks like a directive in one is none."""
    def blank(match):
        if match.group().startswith('/'):
            return re.sub(r'[^\n]', ' ', match.group())
        return match.group()
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.DOTALL)


def code(text):
    """The tokens of the code, and a list (name, tokens) of the bodies of macros."""
    clean = blank_comments(text)
    main, macros, at = [], [], 0
    for start, end in _directives(clean):
        main += _raw(clean, at, start)
        at = end
        tokens = _raw(clean, start, end)
        if len(tokens) > 3 and tokens[1].text == 'define':
            body = 3
            if tokens[3].text == '(' and tokens[3].start == tokens[2].end:
                while tokens[body].text != ')':
                    body += 1
                body += 1
            if tokens[body:]:
                macros.append((tokens[2].text, pair(tokens[body:])))
    main += _raw(clean, at, len(clean))
    return pair(_without_assertions(main)), macros
