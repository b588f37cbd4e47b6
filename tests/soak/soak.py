# SPDX-License-Identifier: MIT
"""The soak itself; scripts/soak has the usage, and sets the scene: smbd and npjobd run, and the environment says where.

usage: soak.py SECONDS SEED
"""

import json
import os
import random
import subprocess
import sys
import threading
import time

TOOLS = os.environ['here']
sys.path.insert(0, TOOLS)

import client  # noqa: E402
import faults  # noqa: E402
import judge  # noqa: E402
import plan  # noqa: E402

WORKERS = 12
PHASE_S = 15  # for so long a number of clients stays the same
RSS_BOUND_KIB = 4096


class Site:
    """The smbd and the npjobd of this soak, in the folder that tests/e2e/site.sh describes."""

    def __init__(self):
        self.tools = TOOLS
        self.folder = os.environ['site']
        self.port = int(os.environ['port'])
        self.failure = None

    def call(self, *words):
        """A function of tests/e2e/site.sh or support.sh."""
        script = '. "$here/site.sh"; . "$here/support.sh"; "$@"'
        subprocess.run(['bash', '-c', script, 'soak', *words], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=60)

    def fail(self, what):
        self.failure = self.failure or what

    def npjobd(self):
        with open(os.path.join(self.folder, 'npjobd.pid'), encoding='ascii') as pid:
            return int(pid.read())

    def signal_npjobd(self, number):
        os.kill(self.npjobd(), number)

    def status(self):
        said = subprocess.run([os.environ['npjobd'], 'status', '--config', os.path.join(self.folder, 'npjobd.conf'),
                               '--json'], check=True, capture_output=True, timeout=30).stdout
        return json.loads(said)

    def has_printer(self, name):
        return any(printer['name'] == name for printer in self.status()['printers'])

    def live(self):
        """Jobs and packets that npjobd has."""
        said = self.status()
        return said['live'] + sum(printer['packets_live'] for printer in said['printers'])

    def files(self):
        """The files that npjobd has open. One more is open for a moment when its status was asked for: so look twice."""
        counts = []
        for _ in range(5):
            counts.append(len(os.listdir(f'/proc/{self.npjobd()}/fd')))
            time.sleep(0.1)
        return min(counts)

    def rss_kib(self):
        with open(f'/proc/{self.npjobd()}/status', encoding='ascii') as status:
            return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:'))


class Worker(threading.Thread):
    """One client after another."""

    def __init__(self, soak, index):
        super().__init__(daemon=True)
        self.soak = soak
        self.index = index
        self.idle = threading.Event()
        self.file = os.path.join(soak.site.folder, f'job{index}')

    def run(self):
        try:
            while not self.soak.over.is_set():
                self.idle.clear()  # before the look, so that nobody takes it for idle who has seen that it may work
                if self.index < self.soak.clients:
                    self.one_job(self.soak.next_job())
                else:
                    self.idle.set()
                    time.sleep(0.05)
        except Exception as error:
            self.soak.site.fail(f'client {self.index}: {error!r}')
            self.idle.set()
            raise

    def one_job(self, job):
        epoch = self.soak.faults.epoch
        good = self.by_smbclient(job) if job.by_smbclient else self.by_client(job)
        quiet = epoch == self.soak.faults.epoch and epoch % 2 == 0
        if good and quiet and job.ending == 'close' and job.printer in plan.UNDISTURBED:
            self.soak.judge.expect(job.number)

    def by_smbclient(self, job):
        with open(self.file, 'wb') as file:
            file.write(job.content(self.soak.block))
        protocol, who = job.protocol, ['-N']
        if protocol == 'encrypted':
            protocol, who = 'SMB3_11', ['-U', os.environ['user'] + '%secret', '--client-protection=encrypt']
        try:
            done = subprocess.run(['smbclient', '-s', os.path.join(self.soak.site.folder, 'smb.conf'), '-p',
                                   str(self.soak.site.port), '-m', protocol, *who, '-t', '60', '//127.0.0.1/IPC$', '-c',
                                   f'put "{self.file}" {job.printer}'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            self.soak.site.fail(f'smbclient does not come back from {job}')
            return False
        return done.returncode == 0

    def by_client(self, job):
        content = job.content(self.soak.block)
        end = len(content) if job.ending == 'close' else len(content) // 2
        try:
            mine = client.Client(self.soak.site.port, job.protocol)
        except client.Refused:
            return False
        try:
            mine.open(job.printer)
            for start in range(0, end, job.write):
                mine.write(content[start:min(end, start + job.write)])
            time.sleep(job.pause)
            if job.ending != 'drop':
                mine.close()
            return True
        except client.Refused:
            return False
        finally:
            mine.drop()


class Soak:
    """Everything, and the figures."""

    def __init__(self, seconds, seed):
        self.seconds = seconds
        self.seed = seed
        self.site = Site()
        self.block = plan.block_of(seed)
        self.lock = threading.Lock()
        self.jobs = 0
        self.job_faults = 0
        self.clients = 0  # how many workers may work
        self.over = threading.Event()
        self.judge = judge.Judge(seed, os.path.join(self.site.folder, 'jobs/printed'), self.block)
        self.faults = faults.Faults(seed, self.site)
        self.workers = [Worker(self, index) for index in range(WORKERS)]

    def next_job(self):
        with self.lock:
            self.jobs += 1
            job = plan.plan(self.seed, self.jobs)
            self.job_faults += job.is_fault
            return job

    def fault_count(self):
        return self.job_faults + self.faults.count

    def rest(self):
        """What npjobd holds when no client works and nothing happens, once it has come to rest, or has not within two
        minutes: jobs and packets, files, memory."""
        self.clients = 0
        for worker in self.workers:
            worker.idle.wait(180)
        with self.faults.none():
            end = time.monotonic() + 120
            while self.site.live() and time.monotonic() < end:
                time.sleep(0.2)
            return self.site.live(), self.site.files(), self.site.rss_kib()

    def say(self, begun):
        passed = time.monotonic() - begun
        left = max(0, self.seconds - passed)
        print(f'soak: {passed / 60:.1f} min, {self.jobs} jobs, {self.jobs / passed:.1f} a second, '
              f'{self.judge.bytes / 1e6:.0f} MB compared, {self.fault_count()} faults, {left / 60:.1f} min left',
              flush=True)

    def phases(self, begun, until):
        """Another number of clients every few seconds."""
        draw = random.Random(f'clients {self.seed} {until}')
        while time.monotonic() < begun + until and not self.site.failure:
            self.clients = draw.choice((1, 2, 4, 4, 6, 8, WORKERS))
            time.sleep(min(PHASE_S, max(0, begun + until - time.monotonic())))
            self.say(begun)
            if not os.path.exists(f'/proc/{self.site.npjobd()}'):
                self.site.fail('npjobd has ended')

    def run(self):
        """The exit status."""
        begun = time.monotonic()
        self.judge.start()
        for worker in self.workers:
            worker.start()
        self.faults.start()
        # What npjobd takes once, it need not give back: it is measured after some work of all kinds.
        self.phases(begun, min(60, self.seconds / 4))
        _, files, rss = self.rest()
        self.phases(begun, self.seconds)
        live, files_after, rss_after = self.rest()
        self.over.set()
        self.judge.finish()
        self.judge.verdict(os.path.join(self.site.folder, 'npjobd.log'))
        if self.site.failure:
            print(f'soak: {self.site.failure}', file=sys.stderr)
        leaked, growth = files_after - files, rss_after - rss
        print(f'soak: {len(self.judge.whole)} jobs came out whole, {len(self.judge.expected)} of which had to, and '
              f'{len(self.judge.part)} in part', flush=True)
        print(f'soak: jobs={self.jobs} bytes={self.judge.bytes} faults={self.fault_count()} live={live} fd_leaked={leaked} '
              f'rss_growth_kib={growth} mismatches={self.judge.mismatches}', flush=True)
        grown = growth > RSS_BOUND_KIB and not os.environ.get('sanitize')
        return int(bool(self.site.failure or live or leaked or grown or self.judge.mismatches))


if __name__ == '__main__':
    try:
        sys.exit(Soak(float(sys.argv[1]), int(sys.argv[2])).run())
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f'soak: npjobd does not answer: {error}')
