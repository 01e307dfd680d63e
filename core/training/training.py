"""One training as a stream of events: its steps, tests, checkpoints and end. Nothing here talks to the outside."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import torch
from torch import nn

from core.data.batches import Batches, batches
from core.machine.files import START
from core.network.builder import Network
from core.network.group import Group
from core.network.scores import Scores
from core.run.cost import adapted_images, analysed_images, jacobian_images, keeps_snapshot, point_stride
from core.run.events import Analysed, Event, Finished, Measured, Point, Stopped, Warned
from core.run.findings import Findings
from core.run.spec import RunSpec
from core.trained.analysis import Jacobians, analysing
from core.trained.capsule import Capsule, save_capsule
from core.trained.progress import scaled
from core.training.adaptation import adapting
from core.training.checkpoint import CheckpointFolder, State
from core.training.failures import Diverged, far_off
from core.training.learner import Learner
from core.training.messages import finished, progress, started
from core.training.snapshot import NormReader

PROGRESS_EVERY_S = 1.0
SNAPSHOT_EVERY_S = 0.5
CHECKPOINT_SHARE = 0.02
"""At most this share of the time goes into checkpoints, however large they are."""


class Training:
    """One training as a stream of events: a learner, its curves, its checkpoints, its end."""

    def __init__(
        self,
        spec: RunSpec,
        folder: Path | None,
        data_folder: Path,
        device: torch.device,
        attempt: int,
        group: Group | None = None,
    ) -> None:
        group = group or Group()
        self.spec, self.data_folder, self.attempt = spec, data_folder, attempt
        self.folder = folder if group.part.first else None
        self.learner = Learner(spec, data_folder, device, group, (folder or Path()) / START)
        self.group, self.batches, self.plan = group, self.learner.batches, self.learner.plan
        self.reader = NormReader(self.network, self.plan)
        self.checkpoints = CheckpointFolder(self.folder, spec.digest, attempt) if self.folder else None
        self.stride = point_stride(spec)
        self.last_train: Scores | None = None
        self.last_test = Scores(0.0, 0.0, 0.0)
        self.elapsed_before = 0.0
        self.began = time.monotonic()
        self.spoke = self.began
        self.looked = self.began
        self.saved = self.began
        self.saved_step: int | None = None

    @property
    def network(self) -> Network:
        return self.learner.network

    @property
    def trainable(self) -> dict[str, nn.Parameter]:
        return self.learner.trainable

    @property
    def at_work(self) -> Learner:
        """The learner whose steps are made and whose state checkpoints have."""
        return self.learner

    @property
    def step(self) -> int:
        return self.at_work.step

    # -- the training, top to bottom -------------------------------------------------------------------------

    def run(
        self, should_stop: Callable[[], bool], checkpoint_every_s: float, analyses: bool = False
    ) -> Iterator[Event]:
        """Everything from Started to Finished or Stopped."""
        yield from self._begin()
        while self.step < self.spec.total_steps:
            epoch, first = divmod(self.step, self.spec.steps_per_epoch)
            began = time.monotonic()
            for index, (images, labels) in enumerate(self.batches.train(epoch, first), start=first):
                if self.group.any(should_stop()):
                    yield from self._stop()
                    return
                self.learner.train_step(images, labels, began)
                last = index == self.spec.steps_per_epoch - 1
                if last or self.step % self.stride == 0:
                    yield self._measured(epoch_ends=last)
                    yield from self._snapshot(due=last)
                    if not last and self._is_due(checkpoint_every_s):
                        yield from self._save()
                yield from self._progress()
                if message := self.batches.warning():
                    yield Warned(step=self.step, message=message)
                began = time.monotonic()
            yield from self._test(self.learner.test())
            if self.step < self.spec.total_steps and self._is_due(min(checkpoint_every_s, 2.0)):
                yield from self._save()
        yield from self._end(should_stop, analyses)

    def _begin(self) -> Iterator[Event]:
        """Started; then the newest checkpoint, or how the network is before its first step."""
        found = self.group.share(self.checkpoints.load(self._fits) if self.checkpoints else None)
        if found:
            self._restore(found[0])
        yield started(self.learner, self.attempt, resumed_from=found[0].step if found else None)
        yield from self._notice()
        if found:
            yield found[1]
        else:
            yield from self._test(self.learner.test_at_start())
            yield from self._snapshot(due=True)

    # -- what it says ----------------------------------------------------------------------------------------

    def _notice(self) -> Iterator[Event]:
        """The engine's notice to people, if it has one."""
        if self.learner.engine.notice:
            yield Warned(step=self.step, message=self.learner.engine.notice)

    def _measured(self, *, epoch_ends: bool) -> Measured:
        self.last_train = scores = self.learner.take_window(epoch_ends=epoch_ends).scores
        if scores.loss is None:
            raise Diverged(self.step, self.spec.recipe)
        lr = self.learner.learning_rate(self.step - 1)
        return Measured(point=Point(self.step, self.learner.epoch, "train", **scores._asdict(), lr=lr))

    def _test(self, batches: Iterator[int]) -> Iterator[Event]:
        for tested in batches:
            yield from self._progress(tested=tested)
        self.last_test = self.learner.tested.scores
        yield Measured(point=Point(self.step, self.learner.epoch, "test", **self.last_test._asdict()))

    def _snapshot(self, *, due: bool) -> Iterator[Event]:
        """γ and β, if `due`, if the run keeps the snapshot of this step, or if the last one was a while ago."""
        now = time.monotonic()
        if not self.group.part.first:
            return
        if due or now - self.looked >= SNAPSHOT_EVERY_S or keeps_snapshot(self.spec, self.step):
            self.looked = now
            yield self.reader.snapshot(self.step, self.learner.epoch)

    def _progress(self, tested: int | None = None, analysed: tuple[float, float] | None = None) -> Iterator[Event]:
        """About once a second.

        `tested`: how many images the test under way has seen; `analysed`: share of the analyses, and their seconds.
        """
        now = time.monotonic()
        if now - self.spoke < PROGRESS_EVERY_S:
            return
        self.spoke = now
        yield progress(self.at_work, self._elapsed(), tested, analysed)

    def _elapsed(self) -> float:
        return self.elapsed_before + time.monotonic() - self.began

    def _end(self, should_stop: Callable[[], bool], analyses: bool) -> Iterator[Event]:
        """The capsule, the analyses, and Finished. A stop in between loses only the analyses."""
        assert self.last_train is not None
        if words := far_off(self.spec, self.last_train, self.last_test):
            yield Warned(step=self.step, message=words)
        result = finished(self.learner, self.last_train, self.last_test, self.reader.disabled_share(), self._elapsed())
        if self.folder:
            save_capsule(self.folder, self._capsule(result))
        if analyses:
            yield from self._save()
            if not (yield from self._analyse(should_stop)):
                yield Stopped(step=self.step)
                return
        yield result

    def _capsule(self, result: Finished) -> Capsule:
        return self.learner.capsule(result)

    def _analyse(self, should_stop: Callable[[], bool]) -> Generator[Event, None, bool]:
        """Analyse; False if asked to stop before the end. The first process of a group works, the others wait."""
        steps: Iterator[float] = iter(())
        if self.group.part.first:
            whole = self.batches if self.group.part.alone else batches(self.spec, self.data_folder, self.learner.device)
            steps = self._analyses(whole)
        began, more = time.monotonic(), True
        while more:
            if self.group.any(should_stop()):
                return False
            try:
                share = next(steps)
                yield from self._progress(analysed=(share, time.monotonic() - began))
            except StopIteration as done:
                more = False
                if done.value is not None:
                    yield Analysed(step=self.step, findings=done.value)
            more = self.group.any(more)
        return True

    def _analyses(self, whole: Batches) -> Generator[float, None, Findings]:
        """The findings on the `whole` test set; yields how much is done, 0..1."""
        jacobians = Jacobians(jacobian_images(self.spec), self.learner.beginning)
        images = analysed_images(self.spec)
        steps = analysing(self.learner.engine, self.network, self.plan, whole, images, jacobians)
        adaptation = self.spec.adapt
        if adaptation is None:
            return (yield from steps)
        found = yield from scaled(steps, 0, 2)
        adapted = adapting(self.network, self.spec, whole, adaptation, adapted_images(self.spec))
        return found.model_copy(update={"adapted": (yield from scaled(adapted, 1, 2))})

    # -- stop and resume -------------------------------------------------------------------------------------

    def _is_due(self, every_s: float) -> bool:
        return self.checkpoints is not None and time.monotonic() - self.saved >= every_s

    def _save(self) -> Iterator[Event]:
        if self.checkpoints is None or self.saved_step == self.step:
            return  # a second file of one step would push out that of an earlier step
        began, self.saved_step = time.monotonic(), self.step
        yield self.checkpoints.save(self._state())
        # A large checkpoint is written less often: the time to the next one is counted from later.
        self.saved = time.monotonic() + (time.monotonic() - began) / CHECKPOINT_SHARE

    def _state(self) -> State:
        return State(
            step=self.step,
            elapsed_s=self._elapsed(),
            window=self.at_work.window.mean(),
            passed=self.at_work.passed,
            train=self.last_train,
            test=self.last_test,
            tensors=self.at_work.tensors(),
        )

    def _stop(self) -> Iterator[Event]:
        if math.isfinite(self.at_work.window.mean().loss):
            yield from self._save()
        yield Stopped(step=self.step)

    def _fits(self, state: State) -> bool:
        """Whether the state is one of this training: its step, and the names, shapes and kinds of its tensors."""
        return 0 <= state.step <= self.spec.total_steps and self.at_work.accepts(state.tensors)

    def _restore(self, state: State) -> None:
        self.at_work.restore(state.step, state.window, state.passed, state.tensors)
        self.elapsed_before = state.elapsed_s
        self.last_train, self.last_test = state.train, state.test
