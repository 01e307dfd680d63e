"""Ends a child process when its parent dies: the trainer of a worker, the worker of a web server, the processes of a
run that torchrun started, and the processes that open a trainer's images."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 1.0
ASKED_AFTER, ENDED_AFTER = 0.75, 0.9
"""After which shares of its lease a process is asked to stop, so that it can save its work, and ended."""


def die_with_parent(lease_s: float | None = None, *, first: bool = True) -> None:
    """End this process at once when its parent dies, however the parent dies.

    The parent must give this process a pipe as standard input and keep its other end open: when the parent
    dies, the pipe ends (on every system). On Linux the kernel also kills this process, even if it is suspended.

    `lease_s`: the parent writes lines with the monotonic time at which it last knew that this process may work. If
    the newest is older than the lease, somebody else may do that work, so this process ends before. Of several
    processes with one pipe the `first` one reads them.
    """
    _be_killed_with_parent()
    follow: Callable[[], None]
    if lease_s is None:
        follow = _exit_at_end_of_input
    else:
        follow = partial(_exit_after_lease, lease_s) if first else _exit_at_hang_up
    threading.Thread(target=follow, name="lifeline", daemon=True).start()


def die_with_launcher() -> None:
    """The same for a parent that gives no pipe, such as torchrun. Outside Linux it takes up to LOOK_EVERY_S."""
    launcher = os.getppid()
    _be_killed_with_parent()
    threading.Thread(target=_exit_after, args=(launcher,), name="launcher", daemon=True).start()


def die_with_starter() -> None:
    """The same in a process of `multiprocessing`: it has a pipe from its starter, even if another process forked it."""
    starter = multiprocessing.parent_process()
    if starter is None:
        return
    if starter.pid == os.getppid():
        _be_killed_with_parent()
    threading.Thread(target=_exit_after_process, args=(starter,), name="starter", daemon=True).start()


def _be_killed_with_parent() -> None:
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)


def _exit_after(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)


def _exit_after_process(starter: multiprocessing.process.BaseProcess) -> None:
    starter.join()
    os._exit(1)


def _exit_at_end_of_input() -> None:
    # os.read, not sys.stdin: a buffered reader would hold a lock at interpreter exit.
    while os.read(0, 1024):
        pass
    os._exit(1)


def _exit_at_hang_up() -> None:
    """Like `_exit_at_end_of_input`, and leaves what is written to others."""
    waiting = select.poll()
    waiting.register(0, 0)
    waiting.poll()
    os._exit(1)


def _exit_after_lease(lease_s: float) -> None:
    known, asked, rest = time.monotonic(), False, b""
    while True:
        if select.select([0], [], [], min(LOOK_EVERY_S, lease_s / 20))[0]:
            chunk = os.read(0, 1 << 16)
            if not chunk:
                os._exit(1)
            *lines, rest = (rest + chunk).split(b"\n")
            known = max([known, *map(float, lines)])
        silent_s = time.monotonic() - known
        if silent_s > ENDED_AFTER * lease_s:
            os._exit(1)
        if silent_s > ASKED_AFTER * lease_s and not asked:
            asked = True
            os.kill(os.getpid(), signal.SIGTERM)
