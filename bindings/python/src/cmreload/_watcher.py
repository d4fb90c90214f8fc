"""The library's watcher as an object that threads share, and what the library calls.

What the library calls are a few functions of this module, made once: ctypes frees a callback with
its last reference, even while it runs. Their context is the number of a configuration, which is
looked up among those that live; one that is gone hears nothing.
"""

from __future__ import annotations

import atexit
import ctypes
import logging
import math
import os
import threading
import time
import weakref
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any

from . import _declarations as c
from ._library import check, library, milliseconds
from .errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .live import Live

log = logging.getLogger("cmreload")

configs: weakref.WeakValueDictionary[int, Live] = weakref.WeakValueDictionary()

EXIT_SECONDS = 1.0
"""How long the end of the interpreter waits for a callback that runs."""

_SLICE_SECONDS = 0.1

_thread = threading.local()


def in_slices(call: Callable[[int], int], timeout: float | None) -> int:
    """The status of a call that waits for so many milliseconds; it is called again until the time
    is up, so that a signal's handler runs meanwhile."""
    left = math.inf if timeout is None else timeout
    deadline = time.monotonic() + left
    while True:
        status = call(milliseconds(min(left, _SLICE_SECONDS)))
        left = deadline - time.monotonic()
        if status != c.CMR_E_TIMEOUT or left <= 0:
            return status


class Watcher:
    """A ``cmr_watcher *`` that may be closed while other threads are about to call it.

    ``with watcher as pointer:`` lends the pointer for calls. The watcher is destroyed by whoever
    leaves last after it was closed.
    """

    def __init__(self) -> None:
        pointer = c_void_p()
        check(library.cmr_watcher_create(byref(pointer)))
        self._pointer = pointer
        self._lock = threading.RLock()  # a signal's handler may come in the middle of __enter__
        self._inside: list[int] = []  # threads between __enter__ and __exit__
        self.closed = False

    def __enter__(self) -> c_void_p:
        with self._lock:
            if self.closed:
                raise StateError("the configuration was closed")
            self._inside.append(threading.get_ident())
        return self._pointer

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside.remove(threading.get_ident())
            last = self.closed and not self._inside
        if last:
            library.cmr_watcher_destroy(self._pointer)

    def is_inside(self) -> bool:
        """Whether this thread is one of Python's that calls the watcher."""
        with self._lock:
            return threading.get_ident() in self._inside

    def close(self, timeout: float | None = None) -> None:
        """Stops watching and waits for a callback that runs, unless inside a callback.

        When the time is up first, the watcher is stopped, and never destroyed.
        """
        try:
            with self as pointer:
                self.closed = True
                stop = library.cmr_watcher_stop
                if timeout is not None:  # what is idle needs a moment to stop
                    timeout = max(timeout, _SLICE_SECONDS)
                if in_slices(lambda wait: stop(pointer, wait), timeout) == c.CMR_E_TIMEOUT:
                    self._inside.append(0)  # nobody's: never the last to leave
        except StateError:
            return

    def after_fork_in_child(self) -> None:
        """Forgets the threads that the child does not have, and a lock that one of them held."""
        self._lock = threading.RLock()
        self._inside = [ident for ident in self._inside if ident == threading.get_ident()]


def inside_callback() -> bool:
    """Whether this thread is in a callback of the library's."""
    return getattr(_thread, "depth", 0) > 0


class _ThreadStates:
    """Keeps the thread states of the library's threads, each until its thread ends.

    A thread that Python does not know gets a new state in each callback, which costs 9 µs; one more
    "ensure" than "release" keeps the first one, and a function that the thread calls at its end
    gives it back. The interpreter may have ended by then: in front of that function is a lock that
    :meth:`close` takes for good.
    """

    _LOCKED = 0  # PyGILState_LOCKED: what is given back is still needed, by this very call

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None)
        self._gate = ctypes.create_string_buffer(64)  # a pthread_rwlock_t
        self._give_back = ctypes.CFUNCTYPE(None, c_void_p)(self._ends)
        # Threads come here after Python has freed what nobody refers to.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._gate))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._give_back))
        try:
            self._at_thread_exit = getattr(self._libc, "__cxa_thread_atexit_impl")
            self._pass = self._libc.pthread_rwlock_rdlock
        except AttributeError:  # a libc that is not glibc
            self._at_thread_exit = None

    def keep(self) -> None:
        """On a thread of the library's, in its first callback."""
        if self._at_thread_exit is None:
            return
        ctypes.pythonapi.PyGILState_Ensure()
        # Called in the opposite order. The last argument is an address in what stays loaded.
        self._at_thread_exit(self._give_back, None, self._pass)
        self._at_thread_exit(self._pass, self._gate, self._pass)

    def _ends(self, _: int) -> None:
        self._libc.pthread_rwlock_unlock(self._gate)
        ctypes.pythonapi.PyGILState_Release(self._LOCKED)

    def close(self) -> None:
        """The interpreter ends: a thread that ends from now on stops in front of the lock."""
        # Waits, without the interpreter's lock, for those that have passed.
        ctypes.CDLL(None).pthread_rwlock_wrlock(self._gate)

    def after_fork_in_child(self) -> None:
        """A thread that the child does not have may have passed."""
        ctypes.memset(self._gate, 0, len(self._gate))


_thread_states = _ThreadStates()


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    """What each call from the library goes through: finds the configuration, lets nothing out."""

    def trampoline(context: int, *arguments: Any) -> Any:
        live = configs.get(context)
        if live is None or live.closed:
            return c.CMR_E_STATE
        if not hasattr(_thread, "depth"):
            _thread.depth = 0
            if not live._watcher.is_inside():
                _thread_states.keep()
        _thread.depth += 1
        try:
            return function(live, *arguments)
        except BaseException as problem:
            _keep(problem)
            return c.CMR_E_STATE
        finally:
            _thread.depth -= 1

    return trampoline


class CallsBack:
    """Around a call in which the library calls back on this thread: raises what a callback may not
    raise into the library, KeyboardInterrupt say."""

    def __enter__(self) -> None:
        _thread.problems = []

    def __exit__(self, *_: object) -> None:
        problems = _thread.__dict__.pop("problems")
        if problems:
            raise problems[0]


def _keep(problem: BaseException) -> None:
    problems = getattr(_thread, "problems", None)
    if problems is None:
        log.critical("a callback failed", exc_info=problem)
    else:
        problems.append(problem)


told = c.cmr_event_fn(_called(lambda live, event: live._told(event.contents, live._by_thread)))
told_manually = c.cmr_event_fn(
    _called(lambda live, event: live._told(event.contents, live._by_hand))
)
told_of_drain = c.cmr_event_fn(_called(lambda live, event: live._told_of_drain(event.contents)))
validate = c.cmr_validate_fn(
    _called(lambda live, candidate, error: live._validate(candidate, error.contents))
)
parse = c.cmr_parse_fn(
    _called(
        lambda live, key, content, size, sink, error: live._parse(
            key.decode(), ctypes.string_at(content, size), sink, error.contents
        )
    )
)

_LEVELS = {
    c.CMR_LOG_ERROR: logging.ERROR,
    c.CMR_LOG_WARN: logging.WARNING,
    c.CMR_LOG_INFO: logging.INFO,
    c.CMR_LOG_DEBUG: logging.DEBUG,
}


def _log(context: int, level: int, message: bytes, size: int) -> None:
    log.log(_LEVELS.get(level, logging.DEBUG), "%s", message.decode(errors="replace"))


_logged = c.cmr_log_fn(_log)


_logging = False


def log_to_logging() -> None:
    """Sends the library's log to the logger "cmreload", from its level at the first call on."""
    global _logging
    if not _logging:
        _logging = True
        levels = [level for level, known in _LEVELS.items() if log.isEnabledFor(known)]
        library.cmr_set_log_handler(_logged, None, max(levels, default=c.CMR_LOG_ERROR))


@atexit.register
def _end() -> None:
    """Ends all callbacks before the interpreter does: none may enter it any more after that."""
    deadline = time.monotonic() + EXIT_SECONDS
    for live in list(configs.values()):
        live._watcher.close(max(0.0, deadline - time.monotonic()))
    library.cmr_set_log_handler(c.cmr_log_fn(), None, 0)
    _thread_states.close()


def _after_fork_in_child() -> None:
    _thread_states.after_fork_in_child()
    inherited = list(configs.values())
    for live in inherited:
        live._after_fork_in_child()
    if inherited and library.cmr_after_fork_child():
        log.info("the configuration is not followed in a process forked inside a callback")


os.register_at_fork(after_in_child=_after_fork_in_child)
