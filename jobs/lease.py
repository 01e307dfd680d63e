"""The rules of a run's lease: who a worker is, when it counts as gone, what becomes of its runs. No SQL.

A claim raises the run's attempt, the fencing token. Every later write must name that attempt, so a worker that lost a
run can no longer change it. The holder's heartbeat raises the run's beat; the reaper measures with its own monotonic
clock how long a beat has not changed, so no clock of another machine and no clock change matters.
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

MAX_CRASHES = 5
"""Crashes of the trainer in a row, without a newer checkpoint, after which a run is given up."""
WAITS_S = (0.0, 2.0, 10.0, 30.0)
"""How long a run waits after its first crash, its second one and so on: what kills it may pass."""
SHUN_S = 60.0
"""How much longer it waits for another worker, before the one on which it crashed may take it again."""
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
    """A worker process, distinct from every other one that ever ran.

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
        """True if this process ran here, since the last boot, and has ended. False also if that cannot be known."""
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
    """When process `pid` started; None if there is none, or only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
    return None if state in "ZX" else fields[18]


class Watch:
    """Remembers since when each running run's beat has not changed, on this process's monotonic clock."""

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
    """How often in a row a run's trainer crashed or its worker was lost, without a newer checkpoint than `step`."""

    crashes: int = 0
    losses: int = 0
    step: int | None = None

    def after(self, checkpoint_step: int | None, *, crash: bool = False, loss: bool = False) -> Troubles:
        """One more crash or loss, at a time when the newest checkpoint is `checkpoint_step`."""
        got_further = (checkpoint_step or 0) > (self.step or 0)
        before = Troubles() if got_further else self
        return Troubles(before.crashes + crash, before.losses + loss, checkpoint_step)

    @property
    def wait_s(self) -> float:
        """How long the run waits before its next attempt."""
        return WAITS_S[min(self.crashes, len(WAITS_S)) - 1] if self.crashes else 0.0

    def hopeless(self, max_crashes: int = MAX_CRASHES) -> bool:
        return self.crashes >= max_crashes or self.losses >= MAX_LOSSES


def next_state(
    troubles: Troubles, cancel_requested: bool, max_crashes: int = MAX_CRASHES
) -> Literal["queued", "failed", "cancelled"]:
    """The new state of a run whose holder is gone; a run that was cancelled does not run again."""
    if cancel_requested:
        return "cancelled"
    return "failed" if troubles.hopeless(max_crashes) else "queued"
