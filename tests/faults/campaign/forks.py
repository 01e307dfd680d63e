"""Workers and trainings in forks of this process, which end themselves with SIGKILL at a chosen call of a function."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Doom:
    """Ends this process before or after the `number`th call of the functions that it wraps; 0: never."""

    def __init__(self, number: int = 0, *, after: bool = False) -> None:
        self.number, self.after, self.calls = number, after, 0

    def wrap(self, holder: Any, name: str, counts: Callable[..., bool] = lambda *_: True) -> None:
        """Replace `holder.name`. Only calls whose arguments pass `counts` are counted."""
        inner = getattr(holder, name)

        def doomed(*arguments: Any, **options: Any) -> Any:
            if not counts(*arguments):
                return inner(*arguments, **options)
            self.calls += 1
            mine = self.calls == self.number
            if mine and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = inner(*arguments, **options)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        setattr(holder, name, doomed)


def fork(work: Callable[[], None], log: Path, scratch: Path | None = None) -> int:
    """The number of a new process that does `work`, writes to `log` and ends."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        if scratch:
            os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(pid: int) -> bool:
    """Whether a fork is over. It is collected then, so ask no more."""
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def end(pid: int) -> None:
    """Kill a fork and collect it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
