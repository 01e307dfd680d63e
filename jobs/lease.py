"""The rules of holding a run: who a worker is, when it counts as gone, what becomes of its runs. No SQL.

A claim raises the run's attempt, and every later write must name that attempt: a worker that lost a run can no
longer change it. A holder shows that it lives by counting up the run's beat; the reaper judges by its own
monotonic clock how long a beat has stood still, so no clock of another machine and no clock change matters.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAX_CRASHES = 3
"""Crashes of the trainer in a row, without a newer checkpoint, after which a run is given up."""
MAX_LOSSES = 10
"""The same for lost workers; more, because that is seldom the run's fault."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running run as the reaper sees it: who holds it and how often that one gave a sign of life."""

    id: str
    attempt: int
    worker: str
    beat: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker process, told apart from every other one that ever ran.

    `boot` names the running kernel and the process namespace in which `pid` means something; `born` is the time
    when process `pid` started, in the kernel's ticks. Both are None where the system does not say.
    """

    name: str
    host: str
    boot: str | None
    pid: int
    born: str | None

    @classmethod
    def of_this_process(cls) -> Identity:
        host, pid = socket.gethostname(), os.getpid()
        return cls(f"{host[:40]}-{pid}-{secrets.token_hex(3)}", host, _boot(), pid, _born(pid))

    def is_surely_dead(self) -> bool:
        """True if this process ran here, since the last boot, and is no more. False also where nobody can tell."""
        if self.boot is None or self.born is None or self.boot != _boot() or self.host != socket.gethostname():
            return False
        return _born(self.pid) != self.born


def _boot() -> str | None:
    if sys.platform != "linux":
        return None
    try:
        kernel = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers share the kernel but not the process numbers.
        return f"{kernel} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _born(pid: int) -> str | None:
    """When process `pid` started; None if there is none, or only what its parent has not yet collected."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
    return None if state in "ZX" else fields[18]


class Watch:
    """Remembers since when each running run's beat has stood still, on this process's monotonic clock."""

    def __init__(self, lease_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.lease_s, self.clock = lease_s, clock
        self._seen: dict[tuple[str, int], tuple[int, float]] = {}

    def expired(self, running: Iterable[Running]) -> list[Running]:
        """Those of `running` that gave no sign of life for `lease_s`. Called with all of them every few seconds."""
        now = self.clock()
        fresh = {}
        for run in running:
            key = (run.id, run.attempt)
            beat, since = self._seen.get(key, (None, now))
            fresh[key] = (run.beat, since if beat == run.beat else now)
        self._seen = fresh
        return [run for run in running if now - fresh[run.id, run.attempt][1] >= self.lease_s]


@dataclass(frozen=True, slots=True)
class Troubles:
    """How often in a row a run ended without its doing, since it last got to a newer checkpoint than `step`."""

    crashes: int = 0
    losses: int = 0
    step: int | None = None

    def after(self, checkpoint_step: int | None, *, crash: bool = False, loss: bool = False) -> Troubles:
        """One more crash or loss, at a time when the newest checkpoint is `checkpoint_step`."""
        got_further = (checkpoint_step or 0) > (self.step or 0)
        before = Troubles() if got_further else self
        return Troubles(before.crashes + crash, before.losses + loss, checkpoint_step)

    @property
    def hopeless(self) -> bool:
        return self.crashes >= MAX_CRASHES or self.losses >= MAX_LOSSES


def next_state(troubles: Troubles, cancel_requested: bool) -> Literal["queued", "failed", "cancelled"]:
    """What becomes of a run whose holder is gone: whoever cancelled it does not want to see it run again."""
    if cancel_requested:
        return "cancelled"
    return "failed" if troubles.hopeless else "queued"
