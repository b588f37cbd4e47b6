# SPDX-License-Identifier: MIT
"""What goes wrong around the jobs of a soak, at times and in an order drawn from its seed."""

import contextlib
import glob
import os
import random
import signal
import subprocess
import threading
import time

RAW_CASES = ('closes', 'garbage', 'huge', 'short', 'magic', 'level', 'half', 'torn', 'nothing')


class Faults(threading.Thread):
    """Does one thing after another, until the end. Whoever wants to know whether smbd went meanwhile asks epoch."""

    def __init__(self, seed, site):
        super().__init__(daemon=True)
        self.draw = random.Random(f'faults {seed}')
        self.site = site
        self.quiet = threading.Lock()  # held while nothing may happen
        self.count = 0
        self.epoch = 0  # odd while smbd is being restarted
        self.with_extra = False

    def run(self):
        kinds = {self.stranger: 5, self.kill_reader: 4, self.kill_resident: 3, self.reload: 3, self.reload_nonsense: 1,
                 self.restart_smbd: 1}
        while not self.site.failure:
            time.sleep(self.draw.uniform(1, 5))
            with self.quiet:
                try:
                    self.count += self.draw.choices(list(kinds), kinds.values())[0]()
                except (OSError, subprocess.SubprocessError) as error:
                    self.site.fail(f'a fault could not be made: {error}')

    @contextlib.contextmanager
    def none(self):
        """Within this nothing happens, and npjobd has its first settings."""
        with self.quiet:
            if self.with_extra:
                self.reload()  # takes the printer out again
            end = time.monotonic() + 30
            while self.site.has_printer('extra') and time.monotonic() < end:
                time.sleep(0.1)
            yield

    # Each of the following says whether anything has happened.

    def stranger(self):
        printer = os.path.join(self.site.folder, 'run/ncalrpc/np', self.draw.choice(('ok', 'ps', 'slow')))
        subprocess.run([os.path.join(self.site.tools, 'raw.py'), printer, self.draw.choice(RAW_CASES)],
                       stdout=subprocess.DEVNULL, check=True)
        return True

    def kill_reader(self):
        """The reader of one job of the printer "frail", if there is one."""
        for file in glob.glob(os.path.join(self.site.folder, 'frail/[0-9]*/pid')):
            try:
                with open(file, encoding='ascii') as pid:
                    os.kill(int(pid.read()), signal.SIGKILL)
                return True
            except (ValueError, FileNotFoundError, ProcessLookupError):
                continue  # that one has just ended
        return False

    def kill_resident(self):
        """All jobs of the printer "resident" lose their pipe; for a while AddJob has none, and then again."""
        self.site.call('resident_stop')
        time.sleep(self.draw.uniform(0, 3))
        self.site.call('resident_start')
        return True

    def reload(self):
        """One printer more, or one less; all others go on."""
        self.with_extra = not self.with_extra
        self.site.call('npjobd_configure', 'extra' if self.with_extra else '')
        self.site.signal_npjobd(signal.SIGHUP)
        return True

    def reload_nonsense(self):
        with open(os.path.join(self.site.folder, 'npjobd.conf'), 'w', encoding='ascii') as file:
            file.write('[global]\n    no such setting = yes\n')
        self.site.signal_npjobd(signal.SIGHUP)
        time.sleep(1)
        self.site.call('npjobd_configure', 'extra' if self.with_extra else '')
        return True

    def restart_smbd(self):
        self.epoch += 1
        self.site.call(self.draw.choice(('smbd_kill', 'smbd_stop')))
        self.site.call('smbd_restart')
        self.epoch += 1
        return True
