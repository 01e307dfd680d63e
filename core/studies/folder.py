"""The folder of a study on disk: `study.json`, and one folder a run below `runs/`, named by the run's digest.

A run that a study in a neighbouring folder has finished is read from there and not trained again. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from core.machine.files import write_atomically
from core.run.events import EVENT, Analysed, Event, Failed, Finished, Started
from core.run.spec import STORED, RunSpec
from core.studies.records import Record
from core.studies.spec import Member, StudySpec

TOLD = ("started", "analysed", "finished", "failed")


class OtherStudy(ValueError):
    """The folder holds another study; the message says which."""


class StudyFolder:
    """The runs of `study` that are in `folder`, finished or not."""

    def __init__(self, folder: Path, study: StudySpec) -> None:
        self.folder, self.study = folder, study

    @classmethod
    def read(cls, folder: Path) -> StudyFolder | None:
        """The study that lies in `folder`; None if there is none. Raises OtherStudy where it cannot be read."""
        path = folder / "study.json"
        if not path.exists():
            return None
        try:
            return cls(folder, StudySpec.model_validate_json(path.read_bytes(), context=STORED))
        except ValidationError as error:
            raise OtherStudy(f"{path} is not the spec of a study; name another folder with --out") from error

    def open(self) -> None:
        """Create the folder, or check that it holds this study. Raises OtherStudy or OSError."""
        there = self.read(self.folder)
        if there is None:
            write_atomically(self.folder / "study.json", self.study.model_dump_json(indent=2).encode() + b"\n")
        elif there.study.model_dump_json() != self.study.model_dump_json():
            raise OtherStudy(
                f"{self.folder} holds another study ({there.study.study}, scale {there.study.scale}, or other "
                "settings); name another folder with --out"
            )

    def path(self, member: Member) -> Path:
        """Where the run of `member` is trained."""
        return self.folder / "runs" / member.digest[:16]

    def record(self, member: Member) -> Record | None:
        """The finished run of `member`, here or in a study beside this one."""
        return next((record for _, record in self._found(member)), None)

    def finished_in(self, member: Member) -> Path | None:
        """The folder of the finished run of `member`."""
        return next((path for path, _ in self._found(member)), None)

    def _found(self, member: Member) -> Iterator[tuple[Path, Record]]:
        name = member.digest[:16]
        for path in (self.path(member), *sorted(self.folder.parent.glob(f"*/runs/{name}"))):
            told = _told(path)
            finished = next((event for event in told if isinstance(event, Finished)), None)
            if finished and _digest(path) == member.digest:
                analysed = next((event for event in told if isinstance(event, Analysed)), None)
                how = [(event.processes, event.engine) for event in told if isinstance(event, Started)][-1:]
                findings = analysed.findings if analysed else None
                yield path, Record(member.spec, finished, findings, *(how[0] if how else ()))

    def records(self) -> list[Record]:
        """All finished runs of the study."""
        return [record for member in self.study.members if (record := self.record(member))]

    def failure(self, member: Member) -> str | None:
        """Why the last attempt at `member` failed, in words."""
        return next((event.message for event in _told(self.path(member)) if isinstance(event, Failed)), None)


def _told(path: Path) -> list[Event]:
    """What a run's journal says about its attempts, findings and end. It skips the curves without parsing them."""
    try:
        lines = (path / "events.jsonl").read_text().splitlines()
    except OSError:
        return []
    told: list[Event] = []
    for line in lines:
        if line.startswith(tuple(f'{{"event":"{name}"' for name in TOLD)):
            try:
                told.append(EVENT.validate_json(line))
            except ValidationError:
                return told
    return told


def _digest(path: Path) -> str | None:
    try:
        return RunSpec.model_validate_json((path / "spec.json").read_bytes(), context=STORED).digest
    except (OSError, ValidationError):
        return None
