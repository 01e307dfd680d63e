"""How much may be asked for: who asks, the limits, and the sentences that refuse. Pure rules: numbers in, words out."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

PATIENCE_S = 60.0
"""When to try again, where that depends on when a run ends."""
HOUR_S = 3600.0
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: hashes of the token that a browser keeps, and of a network address. None: unknown, so not limited."""

    owner: str | None = None
    address: str | None = None


UNKNOWN = Asker()


@dataclass(frozen=True, slots=True)
class Portion:
    """The most of everything for one asker; 0: no limit. `uploads` and `kept` are bytes.

    `waiting` counts requests: a single run, or a study. `hourly` counts launches, also repeated ones. `webhooks` counts
    those that may still send something.
    """

    running: int = 0
    waiting: int = 0
    hourly: int = 0
    evaluations: int = 0
    uploads: int = 0
    kept: int = 0
    webhooks: int = 0

    def times(self, factor: int) -> Portion:
        """The share of `factor` askers together."""
        return Portion(*(factor * getattr(self, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a single run may cost; 0: no limit. Processor seconds, and bytes of memory and of disk."""

    processor_s: float = 0.0
    memory_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an installation. An address counts as `address_owners` owners; 0: addresses are not limited."""

    max_queued: int = 0
    owner: Portion = field(default_factory=Portion)
    address_owners: int = 0
    cap: Cap = field(default_factory=Cap)

    @property
    def address(self) -> Portion:
        """The share of all who ask from one address."""
        return self.owner.times(self.address_owners)


UNLIMITED = Limits()
"""No limits."""


class Refused(Exception):
    """Too much was asked for: a sentence with the limit and when to try again, and the seconds until then."""

    def __init__(self, reason: str, retry_s: float = PATIENCE_S) -> None:
        super().__init__(reason)
        self.retry_s = max(1, ceil(retry_s))


class TooExpensive(Exception):
    """A run costs more than this installation allows; the message says what would fit."""


def refuse_submission(waiting: int, max_queued: int) -> str | None:
    """Why nothing further may be queued while `waiting` requests wait; None if it may.

    A request is a single run or a study. A study takes one place, because its runs come after all single ones.
    """
    if max_queued == 0 or waiting < max_queued:
        return None
    return (
        f"The queue is full: {waiting} runs and studies are waiting; the limit is {max_queued}. Try again when some "
        "have finished, or cancel one of your waiting runs."
    )


def refuse_waiting(whose: str, waiting: int, most: int) -> str:
    """`whose`: words such as "of yours"."""
    return (
        f"{waiting} runs and studies {whose} are waiting; the limit is {most}. Try again when one of them has ended, "
        "or cancel one."
    )


def refuse_hourly(whose: str, launched: int, most: int, retry_s: float) -> str:
    return f"{launched} launches {whose} were made within an hour; the limit is {most}. Try again in {words(retry_s)}."


def refuse_kept(whose: str, kept: int, most: int) -> str:
    """`kept` and `most` are bytes."""
    return (
        f"Runs and files {whose} would take {kept / MEGABYTE:,.0f} MB here; the limit is {most / MEGABYTE:,.0f} MB. "
        "Delete runs that have ended, then try again."
    )


def refuse_uploads(whose: str, kept: int, most: int) -> str:
    return (
        f"Files to start from {whose} would take {kept / MEGABYTE:,.0f} MB; the limit for queued and running runs is "
        f"{most / MEGABYTE:,.0f} MB. Try again when one of those runs has ended."
    )


MAX_EVALUATIONS = 50
"""Evaluations that may wait at once: some minutes of one worker's work."""
MAX_EVALUATIONS_A_MINUTE = 120


def refuse_evaluation(waiting: int, last_minute: int) -> str | None:
    """Why no further evaluation may be queued; None if it may. `last_minute`: how many came within that time."""
    if waiting >= MAX_EVALUATIONS:
        return f"{waiting} evaluations are waiting; the limit is {MAX_EVALUATIONS}. Try again in a minute."
    if last_minute >= MAX_EVALUATIONS_A_MINUTE:
        return (
            f"{last_minute} evaluations were requested within a minute; the limit is {MAX_EVALUATIONS_A_MINUTE}. "
            "Try again in a minute."
        )
    return None


def refuse_evaluations(whose: str, waiting: int, most: int) -> str:
    return f"{waiting} evaluations {whose} are waiting; the limit is {most}. Try again in a minute."


def refuse_webhooks(whose: str, waiting: int, most: int) -> str:
    return (
        f"{waiting} webhooks {whose} wait for the end of a run or for their receiver; the limit is {most}. Launch "
        "without one, or delete an earlier one."
    )


def refuse_reports(reported: int, most: int) -> str:
    return f"{reported} reports came from your network address within an hour; the limit is {most}."


def words(seconds: float) -> str:
    """A time to wait, as a person says it: never too short."""
    if seconds <= 90:
        return f"{max(1, ceil(seconds))} seconds"
    return f"{ceil(seconds / 60)} minutes"
