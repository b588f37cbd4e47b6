#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Says the wrong things to a printer's socket, where smbd would give its handshake.

usage: raw.py SOCKET CASE

Prints what came back, in hexadecimal, and "end" when npjobd has closed the connection, or "open" if it has not within 10 s.

    nothing     says nothing and waits
    closes      closes at once
    garbage     64 KiB that are no handshake
    huge        a handshake that says it is 2 GiB long
    short       a handshake that says it is 3 bytes long
    magic       another word than NPAM
    level       level 99
    half        half of a good handshake, and waits
    torn        half of a good handshake, and closes for writing
"""

import socket
import struct
import sys

LENGTH = 600


def handshake(length=LENGTH, magic=b'NPAM', level=7):
    head = struct.pack('>I', length) + magic + struct.pack('<II', level, level) + b'\1\0\0\0'
    return head + bytes(LENGTH + 4 - len(head))


CASES = {
    'nothing': b'',
    'closes': b'',
    'garbage': bytes(range(1, 256)) * 257,
    'huge': handshake(length=1 << 31),
    'short': handshake(length=3),
    'magic': handshake(magic=b'NPAX'),
    'level': handshake(level=99),
    'half': handshake()[:LENGTH // 2],
    'torn': handshake()[:LENGTH // 2],
}


def main(path, case):
    talk = socket.socket(socket.AF_UNIX)
    talk.settimeout(10)
    talk.connect(path)
    try:
        talk.sendall(CASES[case])
        if case == 'closes':
            return 'end'
        if case == 'torn':
            talk.shutdown(socket.SHUT_WR)
        while answer := talk.recv(4096):
            print(answer.hex())
        return 'end'
    except (BrokenPipeError, ConnectionResetError):
        return 'end'
    except TimeoutError:
        return 'open'


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[2] not in CASES:
        sys.exit(__doc__.strip())
    print(main(*sys.argv[1:]))
