"""Trains the missing runs of a study one after another, each as a child process. Imports no torch.

A child that fails or is killed does not affect the others, and one that was stopped resumes from its checkpoint.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Literal

from pydantic import ValidationError

from core.run.events import EVENT, Event, Failed, Finished, Progress, Stopped
from core.run.journal import Journal, OtherRun
from core.studies.folder import StudyFolder
from core.studies.spec import Member

TRAINER = (sys.executable, "-m", "core", "train")
KILL_AFTER_S = 30.0


@dataclass(frozen=True)
class Told:
    """What happened to a member: it was there already, began, is `share` through, finished, failed, or was stopped."""

    member: Member
    what: Literal["reused", "begun", "progress", "finished", "failed", "stopped"]
    share: float = 0.0
    message: str = ""


class Runner:
    """Trains the runs that `folder` lacks. `words` are further arguments of the trainer (`--threads 2`)."""

    def __init__(self, folder: StudyFolder, words: Sequence[str] = (), trainer: Sequence[str] = TRAINER) -> None:
        self.folder, self.words, self.trainer = folder, tuple(words), tuple(trainer)
        self._stopping = False
        self._child: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """Let the current run write its checkpoint and end, and begin no other. A second call kills the current run."""
        if self._child:
            with suppress(ProcessLookupError):
                self._child.kill() if self._stopping else self._child.terminate()
        self._stopping = True

    def run(self) -> Iterator[Told]:
        """Train, and tell what happens, until all is done or `stop` was called."""
        for member in self.folder.study.members:
            if self._stopping:
                return
            if record := self.folder.record(member):
                yield Told(member, "reused", 1.0, f"{record.result.top1:.1%}")
            else:
                yield Told(member, "begun")
                yield from self._train(member)

    def _train(self, member: Member) -> Iterator[Told]:
        path = self.folder.path(member)
        try:
            Journal(path, member.spec).open()
        except (OSError, OtherRun) as error:
            yield Told(member, "failed", message=str(error))
            return
        command = [*self.trainer, "--spec", str(path / "spec.json"), "--out", str(path), "--events", "-", "--lifeline"]
        with tempfile.TemporaryFile("w+") as errors:
            # A session of its own: Ctrl-C reaches this process only, which tells the child once. The pipe to its
            # standard input is its lifeline: it ends when this process dies.
            with subprocess.Popen(
                [*command, *self.words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            ) as self._child:
                assert self._child.stdout
                if self._stopping:
                    self._child.terminate()
                last: Event | None = None
                for line in self._child.stdout:
                    with suppress(ValidationError):  # a line that a kill cut short
                        last = EVENT.validate_json(line)
                        if isinstance(last, Progress):
                            yield Told(member, "progress", last.step / max(1, last.total_steps))
                code = self._child.wait(KILL_AFTER_S)
            self._child = None
            yield self._end(member, last, code, errors)

    def _end(self, member: Member, last: Event | None, code: int, errors: IO[str]) -> Told:
        match last:
            case Finished():
                return Told(member, "finished", 1.0, f"{last.top1:.1%}")
            case Failed():
                return Told(member, "failed", message=last.message)
            case Stopped():
                return Told(member, "stopped")
        if self._stopping:
            return Told(member, "stopped")
        errors.seek(0)
        said = errors.read().strip().splitlines()
        reason = said[-1].removeprefix("error: ") if said else f"the trainer ended with code {code}"
        return Told(member, "failed", message=reason)
