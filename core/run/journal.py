"""The folder of a run on disk: `spec.json` and `events.jsonl`, from which the same command resumes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from core.machine.files import write_atomically
from core.run.cost import keeps_snapshot
from core.run.events import EVENT, Analysed, Event, Finished, Measured, Progress, Snapshot, Started
from core.run.spec import STORED, RunSpec


class OtherRun(ValueError):
    """The folder holds a run of another spec; the message says what differs."""


class Journal:
    """Events of one run, one JSON object a line, in `folder`. It keeps no progress and only some of the snapshots."""

    def __init__(self, folder: Path, spec: RunSpec) -> None:
        self.folder, self.spec = folder, spec
        self.path = folder / "events.jsonl"

    def open(self) -> None:
        """Create the folder, or check that it holds this spec's run. Raises OtherRun or OSError."""
        path = self.folder / "spec.json"
        if path.exists() and path.stat().st_size > 0:  # an empty file is one whose writer had no more disk
            self._check(path)
            return
        write_atomically(path, self.spec.model_dump_json(indent=2).encode() + b"\n")

    def _check(self, path: Path) -> None:
        try:
            there = RunSpec.model_validate_json(path.read_bytes(), context=STORED)
        except ValidationError as error:
            raise OtherRun(f"{path} is not the spec of a run; name another folder with --out") from error
        if there.digest == self.spec.digest:
            return
        old, new = there.model_dump(exclude={"name", "seeds"}), self.spec.model_dump(exclude={"name", "seeds"})
        differing = [f"{key} is {old[key]} there, {new[key]} here" for key in new if old[key] != new[key]]
        reason = "; ".join(differing) or "its seeds differ"
        raise OtherRun(f"{self.folder} holds another run ({reason}); name another folder with --out")

    def finished(self) -> Finished | None:
        """The result, if this run is complete."""
        for event in self.events():
            if isinstance(event, Finished):
                return event
        return None

    def events(self) -> Iterator[Event]:
        """The events so far, in order. It leaves out lines that are damaged, as the last one is after a kill."""
        if not self.path.exists():
            return
        for line in self.path.read_bytes().split(b"\n"):
            with suppress(ValidationError):
                yield EVENT.validate_json(line)

    def rewind(self, step: int | None) -> list[Event]:
        """Delete the events after `step` (None: all): they will come again. Returns the curves that remain.

        So the journal of a resumed run has each point once, and a reader that missed the last points before the stop
        can get them again.
        """
        kept = [] if step is None else [event for event in self.events() if _remains(event, step)]
        lines = "".join(f"{event.model_dump_json()}\n" for event in kept)
        write_atomically(self.path, lines.encode())
        return [event for event in kept if isinstance(event, Measured | Snapshot)]

    def append(self, event: Event) -> None:
        """Write one event, visible to other processes at once."""
        if isinstance(event, Progress) or (isinstance(event, Snapshot) and not keeps_snapshot(self.spec, event.step)):
            return
        with self.path.open("a") as file:
            file.write(f"{event.model_dump_json()}\n")


def _remains(event: Event, step: int) -> bool:
    """Whether `event` stays after a return to `step`. Analyses do not: even a run that was stopped after its last step
    makes them again."""
    return getattr(event, "step", 0) <= step and not isinstance(event, Analysed)


def record(journal: Journal, events: Iterator[Event]) -> Iterator[Event]:
    """Write `events` to `journal` and pass them on. After a resume it first passes on the curves so far again."""
    for event in events:
        if isinstance(event, Started):
            remaining = journal.rewind(event.resumed_from)
            journal.append(event)
            yield event
            yield from remaining
            continue
        journal.append(event)
        yield event
