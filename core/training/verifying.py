"""Verifies a network that a browser trained: draws its frozen weights again, tests it, analyses it. Trains nothing.

It says what a training says at its end, so that a worker treats it as one: Started, the last snapshot and test, the
findings, and Finished with what was measured here. Training accuracy and seconds remain those of the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from core.machine.files import CAPSULE, write_atomically
from core.network.devices import device_of
from core.network.tensors import digest_of
from core.run.events import Event, Failed, Measured, Point, Stopped
from core.run.spec import RunSpec
from core.trained.capsule import BadCapsule, Capsule, read_capsule
from core.trained.verification import verified
from core.training.failures import failure
from core.training.messages import started
from core.training.training import Training

WHY = "a browser trained it, which rounds otherwise"


def verify(
    spec: RunSpec,
    file: Path,
    folder: Path,
    *,
    data_folder: Path,
    device: str = "auto",
    attempt: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Verify the capsule in `file` on the whole test set of `spec`, whose training it must be.

    Yields Started, Snapshot, Progress, Measured and Analysed, and at last Finished, with the capsule in `folder`;
    Failed, where it is not what it claims; or Stopped, once `should_stop()` is true. Nothing is saved in between.
    """
    try:
        yield from _Verification(spec, folder, data_folder, device_of(device), attempt).verify(file, should_stop)
    except Exception as error:
        if not (failed := failure(spec, spec.total_steps, error)):
            raise
        yield failed


class _Verification(Training):
    """A training whose network comes out of a capsule."""

    def verify(self, file: Path, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """Everything from Started to Finished, Failed or Stopped."""
        step = self.spec.total_steps
        try:
            capsule = read_capsule(file)
        except FileNotFoundError:
            yield _refused(step, "its capsule is no longer on this server; keep it once more from the tab")
            return
        except BadCapsule as error:
            yield _refused(step, f"the capsule {str(error).removeprefix(f'{file} ')}")
            return
        if capsule.spec.digest != self.spec.digest:
            yield _refused(step, "the capsule is of another spec than the run")
            return
        self._take(capsule)
        said = started(self.learner, self.attempt, resumed_from=step)
        yield said.model_copy(update={"verifies": True})
        yield from self._notice()
        for tested in self.learner.test():
            yield from self._progress(tested=tested)
            if should_stop():
                yield Stopped(step=step)
                return
        scores = self.learner.tested.scores
        checks = verified(capsule, self.network, scores, WHY)
        if wrong := [f"{name}: {check.words}" for name, check in checks.items() if not check.passed]:
            yield _refused(step, f"what the browser said is not what this server finds ({'; '.join(wrong)})")
            return
        yield from self._snapshot(due=True)
        yield Measured(point=Point(step, self.learner.epoch, "test", **scores._asdict()))
        if not (yield from self._analyse(should_stop)):
            yield Stopped(step=step)
            return
        assert self.folder
        write_atomically(self.folder / CAPSULE, file.read_bytes())
        measured = {**scores._asdict(), "disabled": self.reader.disabled_share()}
        measured |= {"digest": digest_of(self.learner.result())}
        yield capsule.result.model_copy(update=measured)

    def _take(self, capsule: Capsule) -> None:
        """Put what the browser trained into the network, which is after its last step then."""
        with torch.no_grad():
            for name, own in self.learner.result().items():
                own.copy_(capsule.tensors[name])
        self.learner.step = self.spec.total_steps


def _refused(step: int, why: str) -> Failed:
    return Failed(step=step, kind="unverified", message=f"Not verified, so this is not a result: {why}.")
