#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A print provider that is one resident process: it reads all jobs from one socket, and all of them end with it.

usage: resident.py JOBS

Its pipe is JOBS/resident. What a connection brings goes to JOBS/printed/rN when it ends.
"""

import os
import socket
import sys
import threading


def take(connection, path):
    with connection, open(path + '.part', 'wb', buffering=0) as out:
        while piece := connection.recv(65536):
            out.write(piece)
    os.rename(path + '.part', path)


def main(jobs):
    pipe = os.path.join(jobs, 'resident')
    if os.path.exists(pipe):
        os.unlink(pipe)
    server = socket.socket(socket.AF_UNIX)
    server.bind(pipe)
    server.listen(64)
    with open(os.path.join(jobs, 'resident.pid'), 'w', encoding='ascii') as file:
        print(os.getpid(), file=file)
    number = 0
    while True:
        connection, _ = server.accept()
        number += 1
        path = os.path.join(jobs, 'printed', f'r{os.getpid()}-{number}')
        threading.Thread(target=take, args=(connection, path), daemon=True).start()


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    main(sys.argv[1])
