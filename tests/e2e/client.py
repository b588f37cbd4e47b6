#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A print client that does what it is told, write by write (smbclient chooses its writes itself).

usage: client.py PORT PROTOCOL PRINTER STEP...

PROTOCOL is NT1, SMB2_02 or SMB3_00; the client logs on as a guest. Each step prints one line: the step, the name of the
NTSTATUS that it was answered with, and for bytes how many of them the server has taken.

    open            opens the pipe PRINTER on IPC$
    send FILE SIZE  writes the whole file, SIZE bytes a write, until one fails
    write N         writes N bytes in one write
    flood N         writes up to N bytes, 32 KiB a write, until a write is not answered for a second
    reach FILE      makes an empty FILE: so far it has come
    await FILE      waits until there is a FILE, at most 30 s
    close           closes the pipe
    drop            lets go of the TCP connection without a word

Two words stand beside the NTSTATUS names: NO_CONNECTION, the server has ended it, and NO_ANSWER, none came in time. A step
that fails does not keep the next from being tried. The exit status is 0 if all steps were tried.
"""

import os
import socket
import sys
import time

from impacket import nmb, nt_errors, smb, smb3
from impacket.smb3structs import FILE_READ_DATA, FILE_WRITE_DATA, SMB2_DIALECT_002, SMB2_DIALECT_30
from impacket.smbconnection import SMBConnection, SessionError

DIALECTS = {'NT1': smb.SMB_DIALECT, 'SMB2_02': SMB2_DIALECT_002, 'SMB3_00': SMB2_DIALECT_30}
LARGEST_WRITE = {'NT1': 65535, 'SMB2_02': 65536, 'SMB3_00': 1 << 20}
ANSWER_S = 30
FLOOD_STEP = 32768


class Refused(Exception):
    """A request that did not end well; the text is the name of its NTSTATUS."""


def named(call, *arguments):
    """Calls, and turns each way in which impacket reports an error into Refused."""
    try:
        return call(*arguments)
    except (SessionError, smb.SessionError, smb3.SessionError) as error:
        code = error.getErrorCode() if isinstance(error, SessionError) else error.get_error_code()
        raise Refused(nt_errors.ERROR_MESSAGES.get(code, (f'{code:08X}',))[0].replace('STATUS_', '', 1)) from error
    except (nmb.NetBIOSTimeout, socket.timeout) as error:
        raise Refused('NO_ANSWER') from error
    except (nmb.NetBIOSError, OSError) as error:
        raise Refused('NO_CONNECTION') from error


class Client:
    """One connection, with at most one pipe open."""

    def __init__(self, port, protocol):
        self.protocol = protocol
        self.smb = named(lambda: SMBConnection('127.0.0.1', '127.0.0.1', sess_port=port, timeout=ANSWER_S,
                                               preferredDialect=DIALECTS[protocol]))
        self.server = self.smb.getSMBServer()
        named(self.smb.login, '', '')
        self.tree = named(self.smb.connectTree, 'IPC$')
        self.pipe = None

    def open(self, printer):
        self.pipe = named(lambda: self.smb.openFile(self.tree, printer, desiredAccess=FILE_READ_DATA | FILE_WRITE_DATA))

    def write(self, data):
        """One write; returns how many bytes the server has taken. Not more than LARGEST_WRITE, or it would be two; and
        none of no bytes over SMB3_00, where impacket counts its credits wrong then."""
        if self.protocol != 'NT1':
            return named(self.server.write, self.tree, self.pipe, data, 0, len(data))
        answer = smb.SMBCommand(named(self.server.write_andx, self.tree, self.pipe, data)['Data'][0])
        return smb.SMBWriteAndXResponse_Parameters(answer['Parameters'])['Count']

    def answer_within(self, seconds):
        self.smb.setTimeout(seconds)

    def close(self):
        named(self.smb.closeFile, self.tree, self.pipe)

    def drop(self):
        self.server.close_session()


class Steps:
    """The steps of the usage, each a method that takes its words and returns what is to be printed after the status."""

    def __init__(self, client, printer):
        self.client = client
        self.printer = printer
        self.taken = 0

    def open(self):
        self.client.open(self.printer)
        return ''

    def send(self, path, size):
        self.taken = 0
        with open(path, 'rb') as file:
            while piece := file.read(min(int(size), LARGEST_WRITE[self.client.protocol])):
                self.taken += self.client.write(piece)
        return self.taken

    def write(self, count):
        self.taken = 0
        self.taken = self.client.write(b'x' * int(count))
        return self.taken

    def flood(self, count):
        self.taken = 0
        self.client.answer_within(1)
        try:
            while self.taken < int(count):
                self.taken += self.client.write(b'x' * FLOOD_STEP)
        finally:
            self.client.answer_within(ANSWER_S)
        return self.taken

    @staticmethod
    def reach(path):
        with open(path, 'wb'):
            return ''

    @staticmethod
    def await_(path):
        end = time.monotonic() + ANSWER_S
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise Refused('NO_FILE')
            time.sleep(0.01)
        return ''

    def close(self):
        self.client.close()
        return ''

    def drop(self):
        self.client.drop()
        return ''


WORDS = {'open': 0, 'send': 2, 'write': 1, 'flood': 1, 'reach': 1, 'await': 1, 'close': 0, 'drop': 0}


def main(words):
    if len(words) < 3 or words[1] not in DIALECTS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        steps = Steps(Client(int(words[0]), words[1]), words[2])
    except Refused as refused:
        print('connect', refused, flush=True)
        return 1
    words = words[3:]
    while words:
        name, arguments = words[0], words[1:1 + WORDS[words[0]]]
        words = words[1 + len(arguments):]
        steps.taken = ''
        try:
            print(name, 'SUCCESS', getattr(steps, name + '_' * (name == 'await'))(*arguments), flush=True)
        except Refused as refused:
            print(name, refused, steps.taken, flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
