"""Which trainers live, run by run, as /proc tells; and how long two of one run lived together."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from pathlib import Path

LOOK_EVERY_S = 0.1


class Trainers(threading.Thread):
    """Watches the trainers of all data folders below `folder`. A process that is stopped is left over, but does not
    train beside another one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="trainers", daemon=True)
        self._mark = str(folder).encode()
        self._seen: dict[int, tuple[bytes, str | None]] = {}
        self._since: dict[str, float] = {}
        self._together: list[float] = []
        self._lock = threading.Lock()
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(LOOK_EVERY_S):
            self.now()

    def stop(self) -> None:
        self._end.set()
        self.join()

    def now(self) -> dict[str, list[int]]:
        """The numbers of the processes that train, by the id of their run."""
        with self._lock:
            found: dict[str, list[int]] = defaultdict(list)
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - ten times as fast
            self._seen = {pid: self._seen[pid] for pid in pids if pid in self._seen}
            for pid in pids:
                if run := self._run_of(pid):
                    found[run].append(pid)
            doubled = {run: crew for run, crew in found.items() if len(crew) > 1}
            self._note({run for run, crew in doubled.items() if sum(state(pid) != "T" for pid in crew) > 1})
            return dict(found)

    def overlaps(self, longer_than_s: float) -> list[float]:
        """For how many seconds two trainers of a run lived together, each time that it was longer than that."""
        with self._lock:
            return [seconds for seconds in self._together if seconds > longer_than_s]

    def longest_overlap(self) -> float:
        return max(self.overlaps(0.0), default=0.0)

    def _note(self, doubled: set[str]) -> None:
        now = time.monotonic()
        for run in [run for run in self._since if run not in doubled]:
            self._together.append(now - self._since.pop(run))
        for run in doubled:
            self._since.setdefault(run, now)

    def _run_of(self, pid: int) -> str | None:
        """The run that process `pid` trains; None if it trains none."""
        known = self._seen.get(pid)
        if known is None:
            self._seen[pid] = known = (b"", _out(pid, self._mark))
        return known[1] if known[1] and alive(pid) else None


def _out(pid: int, mark: bytes) -> str | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    if b"--out" not in words or b"--events" not in words:
        return None
    out = words[words.index(b"--out") + 1]
    name = Path(os.fsdecode(out)).name
    return name if mark in out and not name.startswith(".") else None


def alive(pid: int) -> bool:
    """Whether there is such a process, and no mere zombie."""
    return state(pid) not in ("", "Z", "X")


def state(pid: int) -> str:
    """The letter of its state, T for one that is stopped; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
