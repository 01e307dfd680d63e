"""The folder of a run on disk: `spec.json` and `events.jsonl`, from which the same command goes on after a stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from core.machine.files import write_atomically
from core.run.cost import keeps_snapshot
from core.run.events import EVENT, Analysed, Event, Finished, Measured, Progress, Snapshot, Started
from core.run.spec import RunSpec


class OtherRun(ValueError):
    """The folder holds a run of another spec; the message says what differs."""


class Journal:
    """Events of one run, one JSON object a line, in `folder`. Progress and the snapshots between are not kept."""

    def __init__(self, folder: Path, spec: RunSpec) -> None:
        self.folder, self.spec = folder, spec
        self.path = folder / "events.jsonl"

    def open(self) -> None:
        """Create the folder, or check that it holds this spec's run. Raises OtherRun or OSError."""
        path = self.folder / "spec.json"
        if path.exists():
            self._check(path)
            return
        write_atomically(path, self.spec.model_dump_json(indent=2).encode() + b"\n")

    def _check(self, path: Path) -> None:
        try:
            there = RunSpec.model_validate_json(path.read_bytes())
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
        """What was written, in order. A last line that a kill cut short is left out."""
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                yield EVENT.validate_json(line)
            except ValidationError:
                return

    def rewind(self, step: int | None) -> list[Event]:
        """Forget what came after `step` (None: everything): it will come again. Returns the curves that remain.

        So the journal of a resumed run has each point once, and a reader that missed the last of them before the
        stop can be told again.
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
    """Analyses are made again, even by a run that was stopped after its last step."""
    return getattr(event, "step", 0) <= step and not isinstance(event, Analysed)


def record(journal: Journal, events: Iterator[Event]) -> Iterator[Event]:
    """Pass `events` on, writing them to `journal`. After a resume the curves so far are passed on again first."""
    for event in events:
        if isinstance(event, Started):
            remaining = journal.rewind(event.resumed_from)
            journal.append(event)
            yield event
            yield from remaining
            continue
        journal.append(event)
        yield event
