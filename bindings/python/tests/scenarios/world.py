"""The verbs that change the disk and the machine.

A mount is staged key by key, then published whole by ``swap``, or by the steps of the kubelet's
atomic_writer.go one at a time, so that a story can stop between any two.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

from cmreload import _declarations as c
from cmreload._library import call, library

from .script import Failed, Skipped

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH, PR_SET_DUMPABLE = (
    0x20000, 0x1000, 0x4000, 0x40000, 2, 4,
)  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)

# Stops a process, does more in a mount than the kernel keeps notifications of, swaps, continues it.
STORM = """
import os, signal, sys
story, turns, mount = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.chdir(mount)
os.kill(story, signal.SIGSTOP)
while open(f"/proc/{story}/stat").read().rpartition(")")[2].split()[0] != "T":
    os.sched_yield()
for turn in range(turns):
    os.rename(*(("..one", "..other") if turn % 2 == 0 else ("..other", "..one")))
os.rename("..data_tmp", "..data")
os.kill(story, signal.SIGCONT)
"""


def must(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Staged:
    """What the ConfigMap behind a mount holds, and where the kubelet's steps have got to."""

    def __init__(self, path):
        self.path = path
        self.files = {}
        self.modes = {}
        self.fresh = self.old = ""


class World:
    def __init__(self, directory):
        self.directory = directory
        self.mounts = {}
        self.current = None
        self.serial = 0
        self.churning = None
        self.taken = []

    def path(self, relative):
        return self.directory / relative if relative else self.directory

    def perform(self, line):
        """Performs a line, if its verb is one of these."""
        verb = getattr(self, "do_" + line.verb, None)
        if verb is None:
            return False
        if line.verb in ("write", "mode", "remove", "swap", "kubelet") and self.current is None:
            raise Failed("no mount yet")
        verb(line)
        return True

    # ---- a mount ----

    def do_mount(self, line):
        path = self.path(line.text(1))
        path.mkdir(exist_ok=True)
        self.current = self.mounts.setdefault(path, Staged(path))

    def do_write(self, line):
        self.current.files[line.text(1)] = line.value(2)

    def do_mode(self, line):
        self.current.modes[line.text(1)] = int(line.text(2), 8)

    def do_remove(self, line):
        del self.current.files[line.text(1)]

    def do_swap(self, line):
        staged = self.current
        files = (c.cmr_file * len(staged.files))()
        for file, (key, content) in zip(files, staged.files.items()):
            file.key = key.encode(errors="surrogateescape")
            file.bytes = ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p)
            file.size = len(content)
            file.mode = staged.modes.get(key, 0o644)
        call(library.cmr_mount_write, os.fsencode(staged.path), files, len(files))

    def do_kubelet(self, line):
        step = getattr(self, "step_" + line.text(1), None)
        if step is None:
            raise Failed(f"the kubelet has no step {line.text(1)}")
        step(self.current)

    def step_directory(self, staged):  # step 5
        self.serial += 1
        staged.fresh = f"..2026_01_02_03_04_05.{self.serial:09}"
        (staged.path / staged.fresh).mkdir()

    def step_payload(self, staged):  # steps 6 and 7
        for key, content in staged.files.items():
            path = staged.path / staged.fresh / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(staged.modes.get(key, 0o644))

    def step_data_tmp(self, staged):  # step 8
        (staged.path / "..data_tmp").symlink_to(staged.fresh)

    def step_rename(self, staged):  # step 9
        data = staged.path / "..data"
        staged.old = os.readlink(data) if data.is_symlink() else ""
        (staged.path / "..data_tmp").rename(data)

    def step_links(self, staged):  # step 10; before the rename on older kubelets
        for name in {key.split("/")[0] for key in staged.files}:
            if not (staged.path / name).is_symlink():
                (staged.path / name).symlink_to(f"..data/{name}")

    def step_unlinks(self, staged):  # step 11
        wanted = {key.split("/")[0] for key in staged.files}
        for entry in list(staged.path.iterdir()):
            if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in wanted:
                entry.unlink()

    def step_remove_old(self, staged):  # step 12
        shutil.rmtree(staged.path / staged.old)

    # ---- plain files ----

    def do_directory(self, line):
        self.path(line.text(1)).mkdir(parents=True)

    def do_file(self, line):
        path = self.path(line.text(1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(line.value(2))

    def do_replace(self, line):
        beside = self.path(line.text(1) + "~")
        beside.write_bytes(line.value(2))
        beside.rename(self.path(line.text(1)))

    def do_overwrite(self, line):
        path, content = self.path(line.text(1)), line.value(2)
        before = path.stat()
        if before.st_size != len(content):
            raise Failed(f"{path.name} has {before.st_size} bytes, not {len(content)}")
        with path.open("r+b") as file:
            file.write(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def do_touch(self, line):
        os.utime(self.path(line.text(1)))

    def do_chmod(self, line):
        self.path(line.text(2)).chmod(int(line.text(1), 8))

    def do_move(self, line):
        self.path(line.text(1)).rename(self.path(line.text(2)))

    def do_delete(self, line):
        path = self.path(line.text(1))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def do_link(self, line):
        path, beside = self.path(line.text(1)), self.path("..link")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.symlink_to(line.text(2))
        beside.rename(path)

    def do_fifo(self, line):
        os.mkfifo(self.path(line.text(1)))

    def do_socket(self, line):
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.fspath(self.path(line.text(1))))

    # ---- what never rests ----

    def do_churn(self, line):
        path, ended = self.path(line.text(1)), threading.Event()

        def churn():
            turn = 0
            while not ended.wait(0.001):
                path.write_text(str(turn))
                turn += 1

        thread = threading.Thread(target=churn)
        thread.start()
        self.churning = thread, ended

    def do_calm(self, line):
        thread, ended = self.churning
        ended.set()
        thread.join()

    def do_storm(self, line):
        staged = self.current
        self.step_directory(staged)
        self.step_payload(staged)
        self.step_data_tmp(staged)
        (staged.path / "..one").touch()
        # Twice as many: a thread that stops a moment after the others takes some of them.
        turns = 2 * int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        words = [sys.executable, "-S", "-c", STORM, str(os.getpid()), str(turns), staged.path]
        subprocess.run(words, check=True)

    # ---- what the machine allows ----

    def do_environment(self, line):
        os.environ[line.text(1)] = line.text(2)

    def do_bind(self, line):
        source, target = (os.fsencode(self.path(line.text(index))) for index in (1, 2))
        must(libc.mount(source, target, None, MS_BIND, None))

    def do_overlay(self, line):
        """Mounts a directory with a layer over it that takes what is written."""
        below, path = (self.path(line.text(index)) for index in (1, 2))
        path.mkdir()
        must(libc.mount(b"none", os.fsencode(path), b"tmpfs", 0, None))
        (path / "upper").mkdir()
        (path / "work").mkdir()
        options = f"lowerdir={below},upperdir={path}/upper,workdir={path}/work"
        if libc.mount(b"none", os.fsencode(path), b"overlay", 0, os.fsencode(options)) != 0:
            raise Skipped("needs overlayfs")

    def do_unbind(self, line):
        must(libc.umount2(os.fsencode(self.path(line.text(1))), MNT_DETACH))

    def do_exhaust(self, line):
        if line.text(1) != "inotify":
            raise Failed("only inotify can be exhausted")
        while (taken := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
            self.taken.append(taken)

    def do_free(self, line):
        if line.text(1) != "inotify":
            raise Failed("only inotify can be freed")
        while self.taken:
            os.close(self.taken.pop())

    def do_needs(self, line):
        what = line.text(1)
        if what == "mounts":
            private = libc.unshare(CLONE_NEWNS) == 0
            if not private or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
                raise Skipped("needs the right to mount")
        elif what in ("unprivileged", "private-user"):
            self.become_nobody(what)
        elif what != "process":  # each story has one to itself here
            raise Failed(f"nothing is known about {what}")

    def become_nobody(self, what):
        if os.geteuid() != 0:
            if what == "private-user":
                raise Skipped("needs root, to become a user of its own")
            return
        user = 700000 + os.getpid()
        os.chown(self.directory, user, user)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        libc.prctl(PR_SET_DUMPABLE, 1)
