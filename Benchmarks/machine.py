"""The machine that measures: waits until it is idle, says what it is and when it was not, and counts
the CPU time that one process uses. It never decides what a good figure is: that is report.py.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CPUACCT = "/sys/fs/cgroup/cpuacct"
TICKS = os.sysconf("SC_CLK_TCK")


def read(path, otherwise=""):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return otherwise


def busy_seconds():
    """CPU seconds that the whole machine has spent on anything, stolen time left out."""
    times = list(map(int, read("/proc/stat").split("\n")[0].split()[1:8]))
    idle_and_waiting = times[3] + times[4]
    return (sum(times) - idle_and_waiting) / TICKS


def process_seconds(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def versions(*packages):
    """Of what is measured and of what it is measured with, as far as they are there; packages are
    Python's."""
    def said(*command):
        try:
            return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout.strip().split("\n")[0]
        except OSError:
            return ""

    found = {"system": said("sh", "-c", ". /etc/os-release; echo $PRETTY_NAME"),
             "glibc": os.confstr("CS_GNU_LIBC_VERSION").split()[-1],
             "swift": said("sh", "-c", "swift --version | grep -o '[0-9.]*[0-9]'"),
             "gcc": said("gcc", "-dumpfullversion"),
             "go": said("go", "env", "GOVERSION").removeprefix("go"),
             "python": platform.python_version()}
    for package in ("libsimdjson-dev", "libyaml-dev", "golang-github-fsnotify-fsnotify-dev",
                    "golang-github-spf13-viper-dev"):
        name = package.removeprefix("golang-github-").removesuffix("-dev").rpartition("-")[2]
        found[name] = said("dpkg-query", "-W", "-f", "${Version}", package)
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return {name: version for name, version in found.items() if version}


def commit():
    """What `git describe --always --dirty` says of the tree, or nothing where it cannot: what is
    measured is not another tree because results are written into it."""
    def git(*arguments):
        try:
            return subprocess.run(["git", "-C", ROOT, *arguments], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError:
            return None

    told = git("describe", "--always")
    if not told or told.returncode:
        return ""
    changed = git("diff", "--quiet", "HEAD", "--", ".", ":(exclude)Benchmarks/results").returncode
    return told.stdout.strip() + "-dirty" * bool(changed)


def description():
    model = [line.partition(":")[2].strip()
             for line in read("/proc/cpuinfo").split("\n") if line.startswith("model name")]
    return {
        "cpu": model[0] if model else os.uname().machine,
        "cpus": os.cpu_count(),
        "kernel": os.uname().release,
        "when": time.strftime("%Y-%m-%d %H:%M:%S"),
        "load": round(os.getloadavg()[0], 2),
    }


class Conditions:
    """Under which a part measures: of which commit, on what, for how long, and which of its runs found
    the machine busy. A run waits as long as `patience`, in seconds, all together ten times as long."""

    IDLE_CPUS, TIMES = 0.1, 10

    def __init__(self, patience):
        self.patience, self.left = patience, self.TIMES * patience
        self.commit, self.machine, self.start = commit(), description(), time.monotonic()
        self.runs, self.busy = 0, []
        self.only = None  # the run that is the whole part, when it began, and what was used until then

    def await_idle(self):
        """Waits until next to no CPU is busy; says whether that came."""
        start = time.monotonic()
        deadline = start + min(self.patience, self.left)
        while True:
            before, begun = busy_seconds(), time.monotonic()
            time.sleep(0.4)
            now = time.monotonic()
            idle = (busy_seconds() - before) / (now - begun) < self.IDLE_CPUS
            if idle or now > deadline:
                self.left = max(0, self.left - (now - start))
                return idle

    def count(self, run, idle):
        """One run that counts."""
        self.runs += 1
        if not idle:
            self.busy.append(run)
            print(f"{run}: measured, though the machine is not idle", file=sys.stderr)

    def begin(self, part):
        """A part that is all one run, which goes on until `kept`."""
        self.only = (part, self.await_idle(), time.monotonic(), self.others_seconds())

    def others_seconds(self):
        """What everybody has used but this process and the children that it has waited for."""
        return busy_seconds() - sum(os.times()[:4])

    def kept(self):
        """For report.keep, when all is measured."""
        if self.only:
            part, idle, begun, used = self.only
            cpus = (self.others_seconds() - used) / (time.monotonic() - begun)
            self.count(part, idle and cpus < self.IDLE_CPUS)
        return dict(machine=self.machine, commit=self.commit, runs=self.runs, busy=self.busy,
                    took_seconds=round(time.monotonic() - self.start))


class Account:
    """The CPU time of one process in nanoseconds: a cpuacct cgroup of its own where that may be
    made (exact, children included), else the process's CPU clock."""

    def __init__(self, name):
        self.pid = None
        self.group = f"{CPUACCT}/cmreload-{os.getpid()}-{name}"
        try:
            os.mkdir(self.group)
        except OSError:
            self.group = None

    def enter(self):
        """Called by the process to be counted, before it becomes the program."""
        if self.group:
            with open(self.group + "/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))

    def nanoseconds(self):
        if self.group:
            return int(read(self.group + "/cpuacct.usage", "0"))
        return time.clock_gettime_ns((~self.pid << 3) | 2)  # the clock of a process: time.h

    def close(self):
        """After the process has ended: the kernel lets go of the group a moment later."""
        deadline = time.monotonic() + 2
        while self.group and time.monotonic() < deadline:
            try:
                os.rmdir(self.group)
                return
            except OSError:
                time.sleep(0.01)
