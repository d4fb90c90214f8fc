#!/usr/bin/env -S python3 -B
"""Fails the first, second, third … call of every system call that the library makes, each with the
errors that the kernel may answer, and sees that survivor.c lives through it. Needs strace.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# What may fail, and how. A call that this kernel or this library does not make is passed over, but
# for those that it cannot do without; one that is made and stands neither here nor in EXCUSED fails
# the test.
FAULTS = {
    "openat": ["EMFILE", "EACCES", "EINTR", "ENOMEM", "EPERM"],
    "openat2": ["ENOSYS", "EMFILE", "EAGAIN", "EPERM"],
    "read": ["EIO", "EINTR"],
    "pread64": ["EIO", "EINTR"],
    "getdents64": ["EIO"],
    "readlink,readlinkat": ["EIO", "EACCES"],
    "fstat,newfstatat,statx": ["EIO", "ENOMEM"],
    "fstatfs,statfs": ["EIO", "ENOSYS"],
    "inotify_init1": ["EMFILE"],
    "inotify_add_watch": ["ENOSPC", "ENOMEM", "ENOENT"],
    "inotify_rm_watch": ["EINVAL"],
    "poll,ppoll": ["EINTR"],
    "eventfd2": ["EMFILE"],
    "timerfd_create": ["EMFILE"],
    "dup3": ["EBUSY"],
    "clone,clone3": ["EAGAIN"],
    "mmap": ["ENOMEM"],
    "munmap": ["ENOMEM"],
    "mprotect": ["ENOMEM"],
    "madvise": ["EINVAL"],
    "getrandom": ["ENOSYS"],
    "mkdir,mkdirat": ["ENOSPC", "EACCES"],
    "write,pwrite64,writev": ["ENOSPC", "EINTR"],
    "rename,renameat,renameat2": ["EIO"],
    "symlink,symlinkat": ["ENOSPC"],
    "unlink,unlinkat,rmdir": ["EIO"],
    "fchmod,fchmodat,chmod": ["EPERM"],
    "prlimit64": ["EPERM"],
}
# What is made and does not fail.
EXCUSED = {
    "brk": "when it fails, glibc's malloc may crash by itself",
    "close": "the descriptor is closed whatever close(2) answers; strace's fault would leave it open",
    "futex": "with a word that is mapped it only fails in ways that glibc expects",
    "timerfd_settime": "with a timer and a time that are valid it cannot fail, timerfd_create(2)",
    "rt_sigprocmask": "with a set that is mapped it cannot fail, sigprocmask(2)",
    "rt_sigaction": "glibc's own, as a process ends",
    "lseek": "it only moves within a directory that the test lists",
    "wait4": "the test's own",
    "exit": "it does not return",
    "exit_group": "it does not return",
    "set_robust_list": "glibc's own, in a new thread",
    "rseq": "glibc's own, in a new thread",
    "restart_syscall": "the kernel's own",
    "gettid": "it cannot fail",
    "getpid": "it cannot fail",
    "sched_yield": "it cannot fail",
    "clock_gettime": "it cannot fail with these clocks",
    "sysinfo": "it cannot fail",
}
MUST_HAPPEN = ["openat", "getdents64", "inotify_init1", "inotify_add_watch", "clone,clone3", "mmap"]
# More calls of one kind than a life makes; reaching it means that something repeats for ever.
MOST_CALLS = 400


def calls_of_the_life(trace):
    """A trace without the loader's calls and those after the end, which are not the library's."""
    during = trace.partition('write(1, "ready')[2].partition("\n")[2]
    return during.rpartition('write(1, "done')[0]


def life(program, calls, error, nth):
    """Lives once with the n-th call failing: whether one did fail, and what went wrong, if anything."""
    with tempfile.TemporaryDirectory() as work:
        trace = pathlib.Path(work) / "trace"
        mount = pathlib.Path(work) / "mount"
        mount.mkdir()
        command = [
            "strace", "-f", "-qq", "-o", trace, "-e", f"trace={calls},write",
            "-e", f"inject={calls}:error={error}:when={nth}", program, mount,
        ]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired as expired:
            return True, f"hung; printed {expired.stdout!r}"
        text = trace.read_text(errors="replace")
        during = calls_of_the_life(text)
        if "ready" not in run.stdout or "(INJECTED)" not in during:
            return "(INJECTED)" in text, None
        if run.returncode != 0:
            reason = (run.stdout + run.stderr).strip().removeprefix("ready").strip()
            return True, reason or f"ended with status {run.returncode}"
        return True, None


def sweep(program, calls, error):
    """Every n of one call and error. Gives the number of calls that failed, and complaints."""
    complaints = []
    for nth in range(1, MOST_CALLS):
        happened, complaint = life(program, calls, error, nth)
        if complaint:
            complaints.append(f"call {nth}: {complaint}")
        if not happened or len(complaints) == 3:
            return nth - 1, complaints
    return MOST_CALLS, complaints + ["never comes to an end"]


def unknown(program):
    """The calls of a life that nobody thought of."""
    with tempfile.TemporaryDirectory() as work:
        trace, mount = pathlib.Path(work) / "trace", pathlib.Path(work) / "mount"
        mount.mkdir()
        subprocess.run(["strace", "-f", "-qq", "-o", trace, program, mount], check=True,
                       capture_output=True, timeout=60)
        during = calls_of_the_life(trace.read_text(errors="replace"))
    made = set(re.findall(r"^\d+ +(\w+)\(", during, re.M))
    return made - EXCUSED.keys() - {call for calls in FAULTS for call in calls.split(",")}


def build(prefix, folder):
    program = folder / "survivor"
    subprocess.run(
        ["cc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{prefix}/include",
         HERE / "survivor.c", "-o", program,
         f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-lcmreload", "-pthread"],
        check=True,
    )
    return program


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("prefix", nargs="?", type=pathlib.Path, default=ROOT / "build")
parser.add_argument("--only", metavar="SYSCALL")
arguments = parser.parse_args()
prefix, only = arguments.prefix.resolve(), arguments.only
if not shutil.which("strace"):
    sys.exit("strace is missing: sudo apt-get install strace")

with tempfile.TemporaryDirectory() as folder:
    program = build(prefix, pathlib.Path(folder))
    mount = pathlib.Path(folder) / "clean"
    mount.mkdir()
    clean = subprocess.run([program, mount], capture_output=True, text=True, timeout=60)
    if clean.returncode != 0:
        sys.exit(f"FAILED  a life without faults: {clean.stdout}{clean.stderr}\n0 passed, 1 failed")

    strange = unknown(program)
    passed, failed = int(not strange), int(bool(strange))
    print(f"{'FAILED ' if strange else 'ok     '} each call that is made fails here, or is excused",
          *sorted(strange))
    pairs = [(calls, error) for calls, errors in FAULTS.items() for error in errors]
    pairs = [pair for pair in pairs if only in (None, pair[0])]
    with ThreadPoolExecutor(2) as pool:
        swept = pool.map(lambda pair: sweep(program, *pair), pairs)
        for (calls, error), (count, complaints) in zip(pairs, swept):
            if count == 0 and calls not in MUST_HAPPEN:
                print(f"absent  {calls} is not called")
                continue
            if count == 0:
                complaints.append("is never called: nothing was tried")
            passed, failed = passed + (not complaints), failed + bool(complaints)
            word = "FAILED " if complaints else "ok     "
            print(f"{word} lives when {calls} answers {error} (each of {count} calls)", flush=True)
            for complaint in complaints:
                print(f"        {complaint}")

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
