"""The signals that ask a process to stop in order."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

STOP = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
"""From a service manager, a keyboard, a terminal that is closed, and Slurm before a job's time is up. Not every system
has all of them."""


def stop_on(handle: Callable[[int, Any], None]) -> None:
    """Call `handle` on each of them. One that is ignored stays ignored, as nohup wants it."""
    for name in STOP:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)
