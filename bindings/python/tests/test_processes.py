"""Threads, forks and the end of the interpreter: each story in a process of its own, repeated.

``make check`` tells each 200 times; here a few do.
"""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

from cmreload.testing import ConfigMap

REPETITIONS = int(os.environ.get("CMRELOAD_REPETITIONS", "4"))
AT_ONCE = 2  # processes; more of them only wait for each other
LIMIT_SECONDS = 60 + REPETITIONS  # of one process; none should come near

PRELUDE = """
import contextlib, gc, multiprocessing, os, signal, sys, threading, time, warnings
import cmreload
import cmreload._watcher
from cmreload.testing import write_mount
path, repetitions = sys.argv[1], int(sys.argv[2])
cmreload._watcher.EXIT_SECONDS = 0.05
PATIENCE = 20

def write(value):
    write_mount(path, {"KEY": value, "features.json": {"n": value}})

def wait_for(value, config):
    deadline = time.monotonic() + PATIENCE
    while config["KEY"] != value:
        # After the version that was looked at: the next one may be there by now, and the last one.
        looked_at = config.snapshot
        if looked_at["KEY"] != value:
            config.wait(looked_at.version, timeout=deadline - time.monotonic())
"""


def run(program, repetitions=1):
    with ConfigMap({"KEY": "first", "features.json": {"n": "first"}}) as mounted:
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", program, mounted.path, str(repetitions)],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )


def tell(story, expected="", repetitions=REPETITIONS):
    """Runs a story so often in a process of its own, which must end by itself and say nothing but
    what is expected."""
    program = PRELUDE + textwrap.dedent(story)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in pool.map(run, [program] * repetitions):
            assert ended.stderr == ""
            assert ended.stdout == expected
            assert ended.returncode == 0


def tell_in_one(story, expected=""):
    """Runs a story as often in one process."""
    body = textwrap.indent(textwrap.dedent(story), "    ")
    loop = "\nwrite('first')\nfor _ in range(repetitions):\n    story()\n    write('first')\n"
    ended = run(f"{PRELUDE}\ndef story():\n{body}\n{loop}", REPETITIONS)
    assert ended.stderr == ""
    assert ended.stdout == expected * REPETITIONS
    assert ended.returncode == 0


def test_exits_without_close():
    tell("""
        config = cmreload.watch(path)
        assert config["KEY"] == "first"
    """)


def test_exits_without_close_while_versions_come():
    tell("""
        config = cmreload.watch(path)
        config.on_change()(lambda event: None)
        def churn():
            for turn in range(1000000):
                write(str(turn))
        threading.Thread(target=churn, daemon=True).start()
        config.wait(1, timeout=PATIENCE)
    """)


def test_exits_while_a_handler_runs():
    tell("""
        config = cmreload.watch(path)
        running = threading.Event()
        @config.on_change()
        def busy(event):
            running.set()
            while True:
                sum(range(1000))
        write("second")
        assert running.wait(PATIENCE)
    """)


def test_exits_while_a_handler_waits():
    tell("""
        config = cmreload.watch(path)
        running = threading.Event()
        @config.on_change()
        def waiting(event):
            running.set()
            threading.Event().wait()
        write("second")
        assert running.wait(PATIENCE)
    """)


def test_exits_while_a_handler_sleeps_and_wakes_too_late():
    tell("""
        config = cmreload.watch(path)
        running = threading.Event()
        @config.on_change()
        def sleeping(event):
            running.set()
            for _ in range(1000):
                time.sleep(0.001)
        write("second")
        assert running.wait(PATIENCE)
    """)


def test_exits_while_a_thread_waits_for_a_version():
    tell(
        """
        config = cmreload.watch(path)
        def wait(waiting):
            with contextlib.suppress(cmreload.StateError):
                waiting()
        for waiting in (config.wait, config.reload):
            threading.Thread(target=wait, args=[waiting], daemon=True).start()
    """,
        repetitions=2,
    )


def test_exits_on_an_exception_without_close():
    tell(
        """
        config = cmreload.watch(path)
        os.write(1, b"")
        raise SystemExit(0)
    """,
        repetitions=2,
    )


def test_closes_inside_a_handler():
    tell_in_one(
        """
        config = cmreload.watch(path)
        closed = threading.Event()
        @config.on_change()
        def close(event):
            config.close()
            closed.set()
        write("second")
        assert closed.wait(PATIENCE)
        assert config.closed and config["KEY"] == "second"
        try:
            config.reload()
        except cmreload.StateError:
            print("closed")
    """,
        expected="closed\n",
    )


def test_closes_while_another_thread_uses_it():
    tell_in_one(
        """
        config = cmreload.watch(path)
        ended = threading.Event()
        def use():
            while not ended.is_set():
                try:
                    config.reload(); config.stats; config.pin().release()
                except cmreload.StateError:
                    return
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads: thread.start()
        for turn in range(20): write(str(turn))
        config.close()
        for thread in threads: thread.join(PATIENCE)
        print(any(thread.is_alive() for thread in threads))
    """,
        expected="False\n",
    )


def test_a_configuration_that_is_forgotten_is_closed_with_a_warning():
    tell_in_one(
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            config = cmreload.watch(path)
            config.on_change()(lambda event: None)
            del config
            gc.collect()
        print([warning.category.__name__ for warning in caught], len(cmreload._watcher.configs))
    """,
        expected="['ResourceWarning'] 0\n",
    )


def test_a_configuration_in_a_cycle_is_collected_while_versions_come():
    tell(
        """
        warnings.simplefilter("ignore")
        ended = threading.Event()
        def churn():
            turn = 0
            while not ended.is_set():
                turn += 1
                write(str(turn))
        writer = threading.Thread(target=churn)
        writer.start()
        for _ in range(20):
            config = cmreload.watch(path)
            config.on_change()(lambda event, config=config: config["KEY"])
            version = config.version
            config.wait(version, timeout=PATIENCE)
            del config
            gc.collect()
        ended.set()
        writer.join()
        # Whoever is being told of a version keeps the configuration until that has ended.
        deadline = time.monotonic() + PATIENCE
        while cmreload._watcher.configs and time.monotonic() < deadline:
            gc.collect()
        print(len(cmreload._watcher.configs))
    """,
        expected="0\n",
        repetitions=2,
    )


def test_a_forked_child_follows_on_its_own():
    tell_in_one(
        """
        config = cmreload.watch(path)
        write("second")
        wait_for("second", config)
        child = os.fork()
        if child == 0:
            try:
                assert config["KEY"] == "second"
                write("of the child")
                wait_for("of the child", config)
                heard = threading.Event()
                config.on_change("KEY")(lambda event: heard.set())
                write("once more")
                assert heard.wait(PATIENCE)
            except BaseException:
                import traceback; traceback.print_exc()
                os._exit(1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        wait_for("once more", config)
        print(status)
    """,
        expected="0\n",
    )


def test_forks_while_a_handler_runs():
    tell_in_one(
        """
        config = cmreload.watch(path)
        running, go_on = threading.Event(), threading.Event()
        @config.on_change()
        def slow(event):
            running.set()
            go_on.wait()
        write("second")
        assert running.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            config.remove(slow)
            write("third")
            wait_for("third", config)
            config.close()
            os._exit(0)
        go_on.set()
        print(os.waitpid(child, 0)[1])
        config.close()
    """,
        expected="0\n",
    )


def test_forks_inside_a_handler():
    tell_in_one(
        """
        config = cmreload.watch(path)
        result = []
        done = threading.Event()
        @config.on_change()
        def fork(event):
            child = os.fork()
            if child == 0:
                os._exit(0 if config["KEY"] == event.snapshot["KEY"] else 1)
            result.append(os.waitpid(child, 0)[1])
            done.set()
        write("second")
        assert done.wait(PATIENCE)
        print(result)
        config.close()
    """,
        expected="[0]\n",
    )


def test_forks_while_versions_come():
    tell(
        """
        config = cmreload.watch(path)
        ended = threading.Event()
        def churn():
            turn = 0
            while not ended.is_set():
                turn += 1
                write(str(turn))
        writer = threading.Thread(target=churn)
        writer.start()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                snapshot = config.snapshot
                if snapshot["KEY"] != snapshot["features.json"]["n"]:
                    os._exit(1)
                config.reload()
                config.close()
                os._exit(0)
            if os.waitpid(child, 0)[1] != 0:
                print("failed")
        ended.set()
        writer.join()
    """,
        repetitions=2,
    )


def test_multiprocessing_by_fork():
    tell_in_one(
        """
        config = cmreload.watch(path)
        def read():
            sys.exit(0 if config["KEY"] == "first" and config.reload() else 1)
        worker = multiprocessing.get_context("fork").Process(target=read)
        worker.start()
        worker.join(PATIENCE)
        print(worker.exitcode)
        config.close()
    """,
        expected="0\n",
    )


def test_multiprocessing_by_spawn():
    tell_in_one(
        """
        config = cmreload.watch(path)
        worker = multiprocessing.get_context("spawn").Process(target=len, args=[config.snapshot])
        worker.start()
        worker.join(PATIENCE)
        print(worker.exitcode)
        config.close()
    """,
        expected="0\n",
    )


def test_a_signal_asks_for_a_reload():
    tell(
        """
        config = cmreload.watch(path)
        config.reload_on(signal.SIGHUP)
        before = config.stats.reloads_unchanged
        os.kill(os.getpid(), signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while config.stats.reloads_unchanged == before and time.monotonic() < deadline:
            os.sched_yield()
        print(config.stats.reloads_unchanged - before)
        config.close()
        os.kill(os.getpid(), signal.SIGHUP)
    """,
        expected="1\n",
        repetitions=2,
    )


def test_a_signal_may_come_at_any_moment():
    tell(
        """
        config = cmreload.watch(path)
        config.reload_on(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        ended = time.monotonic() + 1
        while time.monotonic() < ended:
            for _ in range(100):
                config.pin().release()
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("ended")
    """,
        expected="ended\n",
        repetitions=2,
    )


def test_memory_does_not_grow_with_versions():
    tell(
        """
        def kilobytes():
            gc.collect()
            with open("/proc/self/smaps_rollup") as file:
                line = next(line for line in file if line.startswith("Private_Dirty"))
                return int(line.split()[1])
        config = cmreload.watch(path)
        config.on_change()(lambda event: None)
        def publish(count):
            for turn in range(count):
                write("x" * 1000 + str(turn))
                config.reload()
        publish(300)
        before = kilobytes()
        publish(1500)
        grown = kilobytes() - before
        print(grown < 1000 or grown)
    """,
        expected="True\n",
        repetitions=1,
    )


def test_an_interrupt_inside_a_handler_reaches_who_started_it():
    tell(
        """
        config = cmreload.Config(path)
        @config.on_change()
        def interrupted(event):
            raise KeyboardInterrupt
        try:
            config.start()
        except KeyboardInterrupt:
            print("interrupted")
    """,
        expected="interrupted\n",
        repetitions=2,
    )


def test_an_update_right_after_watch_is_never_lost():
    tell(
        """
        for turn in range(50):
            with cmreload.watch(path) as config:
                write(str(turn))
                wait_for(str(turn), config)
    """,
        repetitions=2,
    )


def test_threads_keep_their_state_between_callbacks():
    tell(
        """
        config = cmreload.watch(path)
        seen, heard = set(), threading.Semaphore(0)
        local = threading.local()
        @config.on_change()
        def note(event):
            local.calls = getattr(local, "calls", 0) + 1
            seen.add(local.calls)
            heard.release()
        for turn in range(200):  # a round that takes long is the last one of its thread
            write(str(turn))
            assert heard.acquire(timeout=PATIENCE)
            if max(seen) > 1:
                break
        print(max(seen) > 1)
    """,
        expected="True\n",
        repetitions=2,
    )
