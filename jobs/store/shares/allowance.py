"""How much an asker may still launch, said before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.quotas import Asker, Limits, Refused
from jobs.store.database import Database
from jobs.store.shares.admission import backlog, check_launch, launched, sides


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an asker may still launch: how many more may wait, and how many may follow within the hour; None: no limit.

    `refusal`: why nothing may be launched now, None if something may; `retry_s`: when to try again.
    """

    waiting_left: int | None = None
    hourly_left: int | None = None
    refusal: str | None = None
    retry_s: int | None = None


@dataclass(eq=False)
class Allowances:
    """Reads what is left."""

    database: Database

    def of(self, limits: Limits, by: Asker, disk_bytes: int = 0) -> Allowance:
        """What `by` may still launch; `disk_bytes`: what the next run will keep."""
        waiting, hourly = [], []
        with self.database.reading() as connection:
            for share, column, asker, _ in sides(limits, by):
                if share.waiting:
                    waiting.append(share.waiting - backlog(connection, column, asker))
                if share.hourly:
                    hourly.append(share.hourly - len(launched(connection, column, asker, share.hourly)))
            try:
                check_launch(connection, limits, by, disk_bytes)
            except Refused as refused:
                return Allowance(_least(waiting), _least(hourly), str(refused), refused.retry_s)
        return Allowance(_least(waiting), _least(hourly))


def _least(left: list[int]) -> int | None:
    return max(0, min(left)) if left else None
