"""A child process that must not outlive its parent: the trainer of a worker, the worker of a web server."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """End this process at once when its parent dies, however the parent dies.

    The parent must give this process a pipe as standard input and keep its other end open: when the parent
    dies, the pipe ends (every system). On Linux the kernel also kills it, which works in a process that is stopped.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)
    threading.Thread(target=_exit_at_end_of_input, name="lifeline", daemon=True).start()


def _exit_at_end_of_input() -> None:
    # os.read, not sys.stdin: a buffered reader would hold a lock at interpreter exit.
    while os.read(0, 1024):
        pass
    os._exit(1)
