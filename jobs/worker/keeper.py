"""Keeps the data folder of one worker small: deletes what is too old, makes room within a budget, shortens logs."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.machine.files import CAPSULE
from jobs.quotas import MEGABYTE
from jobs.settings import WorkerSettings
from jobs.store.records import TERMINAL
from jobs.store.store import Store

DAY_S = 86400.0
RESUMABLE_FOR_S = 30 * DAY_S
"""How long the checkpoints of a run that was cancelled or has failed are kept."""
AT_ONCE = 20
"""How many runs make room before the folder is measured again."""
FULL, ROOM = 0.9, 0.75
"""From which share of its budget a folder makes room, since runs go on writing meanwhile; and how much of it is
left in use then, so that not every further run makes others go."""
LOG_BYTES, LOG_KEPT_BYTES = 1 << 20, 64 << 10
"""Above which size the log of a trainer whose run has ended is cut, and how much of its end stays."""
STRAY_AFTER_S = DAY_S

logger = logging.getLogger("onlybn.keeper")


@dataclass
class Keeper:
    """Looks after the data folder of `settings`. `now`: Unix seconds."""

    settings: WorkerSettings
    store: Store
    now: Callable[[], float] = time.time

    def tidy(self) -> None:
        """Do everything once. May take seconds; several workers may do so at once."""
        self._expire()
        self._look_at_folders()
        self.store.artefacts.sweep(self.now(), RESUMABLE_FOR_S)
        freed = self._make_room()
        if freed or self.settings.budget_mb:
            self.store.keeping.give_back()

    def _expire(self) -> None:
        settings = self.settings
        days = settings.keep_days, settings.keep_failed_days
        gone = self.store.keeping.expire(self.now(), days[0] * DAY_S, days[1] * DAY_S)
        for run_id in gone:
            shutil.rmtree(settings.runs_folder / run_id, ignore_errors=True)
        self.store.artefacts.clear(gone)
        if gone:
            logger.info("%d runs were older than the limit and were deleted.", len(gone))

    def _look_at_folders(self) -> None:
        """Delete what is useless in the folders of runs that have ended, and note how large they are."""
        folders = {path.name: path for path in self.settings.runs_folder.glob("*") if path.is_dir()}
        runs = self.store.keeping.standing(list(folders))
        ended = {run_id: folders[run_id] for run_id, run in runs.items() if run.state in TERMINAL}
        for run_id in [run_id for run_id in ended if runs[run_id].evicted_at is not None]:
            shutil.rmtree(ended.pop(run_id), ignore_errors=True)
        for run_id, folder in ended.items():
            run = runs[run_id]
            forgotten = run.finished_at is not None and self.now() - run.finished_at > RESUMABLE_FOR_S
            if run.state == "finished" or forgotten:
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            _shorten(folder / "trainer.log")
        self._drop_capsules(ended)
        sizes = {run_id: size_of(folder) for run_id, folder in ended.items()}
        self.store.keeping.measure({key: size for key, size in sizes.items() if size != runs[key].disk_bytes})

    def _drop_capsules(self, ended: dict[str, Path]) -> None:
        """Delete the trained networks that are too large to be kept without being asked for."""
        most = self.settings.keep_capsule_mb * MEGABYTE
        if not most:
            return
        here = {run_id: _bytes(folder / CAPSULE) for run_id, folder in ended.items()}
        sizes = self.store.artefacts.large(most) | {run_id: size for run_id, size in here.items() if size > most}
        for run_id in self.store.keeping.unasked(list(sizes)):
            if run_id in ended:
                (ended[run_id] / CAPSULE).unlink(missing_ok=True)
            self.store.artefacts.forget(run_id, "capsule")
            self.store.keeping.say_dropped(run_id, sizes[run_id])

    def _make_room(self) -> int:
        """Evict the oldest runs while the data folder is too full, then forget the oldest of these. Returns how many
        runs had to go."""
        budget, freed = self.settings.budget_mb * MEGABYTE, 0
        if not budget or self.used() <= FULL * budget:
            return 0
        while self.used() > ROOM * budget:
            gone = self._strays() or self.store.keeping.evict(self.store.keeping.oldest(AT_ONCE), self.now())
            if not gone:
                gone = self.store.keeping.forget(AT_ONCE * 10)
            if not gone:
                logger.warning(
                    "The data folder takes %s MB of its budget of %s MB, and nothing more may be deleted.",
                    f"{self.used() / MEGABYTE:,.0f}",
                    f"{self.settings.budget_mb:,}",
                )
                break
            for run_id in gone:
                shutil.rmtree(self.settings.runs_folder / run_id, ignore_errors=True)
            self.store.artefacts.clear(gone)
            freed += len(gone)
            self.store.keeping.give_back()
        if freed:
            logger.warning(
                "The data folder came near its budget of %s MB: %d runs lost their curves and networks, the oldest "
                "first.",
                f"{self.settings.budget_mb:,}",
                freed,
            )
        return freed

    def _strays(self) -> list[str]:
        """The names of old folders of runs that the database does not know, at most AT_ONCE."""
        old = [
            path.name
            for path in self.settings.runs_folder.glob("*")
            if path.is_dir() and time.time() - path.stat().st_mtime > STRAY_AFTER_S
        ]
        known = self.store.keeping.standing(old)
        return [name for name in old if name not in known][:AT_ONCE]

    def used(self) -> int:
        """The bytes of the data folder, and of the artefacts that are elsewhere."""
        return size_of(self.settings.data) + self.store.artefacts.size()


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder, also of those that vanish meanwhile as they were."""
    return sum(_bytes(path) for path in folder.rglob("*"))


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    except OSError:
        return 0


def _shorten(log: Path) -> None:
    """Leave only the end of a long log."""
    try:
        if log.stat().st_size <= LOG_BYTES:
            return
        with log.open("rb") as file:
            file.seek(-LOG_KEPT_BYTES, 2)
            end = file.read().partition(b"\n")[2]
        log.write_bytes(b"[...]\n" + end)
    except OSError:
        return
