"""When a worker ends by itself, as `--until` says, and what it has done until then."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from jobs.store.records import TERMINAL, State

RUNS = re.compile(r"(\d{1,6})(?: ?runs?)?")
SPAN = re.compile(r"(?=\d)(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m(?:in)?)?(?:(\d{1,7})s)?")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
RULE = (
    "--until must be idle, a number of runs such as 5 runs, a duration such as 90s, 30m or 1h30m, a time such as 18:30 "
    "or a date and a time such as 2027-01-31T18:30"
)


Reason = Literal["stopped", "idle", "time", "runs", "unfit"]
"""Why a worker ended: a signal; nothing in the queue was for it; its time was over; as many runs as it may take have
ended; it cannot train."""
ENDS: dict[Reason, str] = {
    "stopped": "it was stopped",
    "idle": "nothing in the queue is for it",
    "time": "its time is over",
    "runs": "as many runs have ended here as it was to take",
    "unfit": "a trial training fails here, so it accepts no runs",
}


class BadUntil(ValueError):
    """Words after `--until` that say no end; the message says what would."""


@dataclass(frozen=True)
class Until:
    """The ends of a worker, of which the first one counts: `idle`, when nothing in the queue is for it; `at`, in Unix
    seconds; after so many `runs`. With none of them it works until it is stopped."""

    idle: bool = False
    at: float | None = None
    runs: int | None = None

    @property
    def limited(self) -> bool:
        return self != Until()

    def left_s(self, now: float) -> float:
        """The seconds that are left at `now`, in Unix seconds; never less than 0."""
        return float("inf") if self.at is None else max(0.0, self.at - now)


def read_until(given: Iterable[Iterable[str]], now: datetime) -> Until:
    """What all `--until` on a command line say together; `now`: the time, with its zone. Raises BadUntil."""
    idle, moments, runs = False, [], []
    for words in (" ".join(part).strip().lower() for part in given):
        if words == "idle":
            idle = True
        elif number := RUNS.fullmatch(words):
            runs.append(int(_positive(int(number[1]), words)))
        else:
            moments.append(_moment(words, now).timestamp())
    return Until(idle, min(moments, default=None), min(runs, default=None))


def _moment(words: str, now: datetime) -> datetime:
    if words and (span := SPAN.fullmatch(words)):
        days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return now + timedelta(seconds=_positive(length.total_seconds(), words))
    if clock := CLOCK.fullmatch(words):
        today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    try:
        moment = datetime.fromisoformat(words.upper())
    except ValueError:
        raise BadUntil(f"{RULE}; got {words[:60]!r}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise BadUntil(f"--until: {moment:%Y-%m-%d %H:%M} is over; it is {now:%Y-%m-%d %H:%M} now")
    return moment


def _positive(number: float, words: str) -> float:
    if number <= 0:
        raise BadUntil(f"{RULE}, above 0; got {words[:60]!r}")
    return number


class Ledger:
    """What became of the runs that a worker took, and whether it may begin another one. May be shared by threads.

    `most`: how many may come to their end here; None: any number. A run that goes back to the queue does not count.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._states: dict[str, State | None] = {}
        self._under_way = 0

    @property
    def full(self) -> bool:
        """Whether as many runs have ended as may."""
        with self._lock:
            return self.most is not None and self._ended() >= self.most

    def reserve(self) -> bool:
        """Whether another run may begin. If so, `free` must follow."""
        with self._lock:
            if self.most is not None and self._ended() + self._under_way >= self.most:
                return False
            self._under_way += 1
            return True

    def free(self) -> None:
        """What was reserved is over."""
        with self._lock:
            self._under_way -= 1

    def note(self, run_id: str, state: State | None) -> None:
        """The run was left in `state`; None: another worker has it."""
        with self._lock:
            self._states[run_id] = state

    def words(self) -> str:
        """What was done, in a sentence."""
        with self._lock:
            counts = Counter(state if state in TERMINAL else None for state in self._states.values())
        ended: tuple[State, ...] = ("finished", "failed", "cancelled")
        parts = [f"{counts[state]} {state}" for state in ended if counts[state]]
        parts += [f"{counts[None]} back in the queue"] * bool(counts[None])
        return f"Runs: {', '.join(parts)}." if parts else "It took no runs."

    def _ended(self) -> int:
        return sum(state in TERMINAL for state in self._states.values())


def lasted(began: float) -> str:
    """How long it is since `began`, on the monotonic clock: 42 s, 12 min or 3 h 5 min."""
    seconds = int(time.monotonic() - began)
    minutes = seconds // 60
    if minutes < 2:
        return f"{seconds} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
