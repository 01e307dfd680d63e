"""A run whose γ and β are computed: its teacher trains, then least squares gives γ and β of its own random network."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from core.data.batches import Batches, batches
from core.draws.versions import drawn
from core.network.freezing import draw_network
from core.network.group import Group
from core.network.scores import Window
from core.network.tensors import digest_of
from core.run.computation import IMAGES, Computed, ComputedLayer, most_images
from core.run.events import Event, Finished, Measured, Point, Warned
from core.run.findings import Findings
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, rebuilt
from core.trained.computed import compute
from core.trained.evaluation import evaluating
from core.training.checkpoint import State
from core.training.failures import Diverged
from core.training.learner import Learner
from core.training.training import Training

CPU = torch.device("cpu")


class Computing(Training):
    """Its steps are those of the teacher; its curves, snapshots and result are those of its own network, the student.

    The student is tested at the start and at the end. Its train point is measured once, at the end: on all training
    images, without augmentation and in evaluation mode. A checkpoint has the teacher, until γ and β are computed.
    """

    def __init__(
        self,
        spec: RunSpec,
        folder: Path | None,
        data_folder: Path,
        device: torch.device,
        attempt: int,
        group: Group | None = None,
    ) -> None:
        super().__init__(spec, folder, data_folder, device, attempt, group)
        if not self.group.part.alone or spec.teacher is None:
            raise ValueError("one process computes γ and β, where the spec asks for it")
        self.teacher = Learner(spec.teacher, data_folder, device, self.group, Path(), self.batches)
        self.computed: Computed | None = None

    @property
    def at_work(self) -> Learner:
        return self.learner if self.computed else self.teacher

    def run(
        self, should_stop: Callable[[], bool], checkpoint_every_s: float, analyses: bool = False
    ) -> Iterator[Event]:
        yield from self._begin()
        if self.computed is None:
            if not (yield from self._teach(should_stop, checkpoint_every_s)):
                yield from self._stop()
                return
            recipe = self.spec.recipe.model_copy(update={"augmentation": "none"})
            plain = batches(self.spec.model_copy(update={"recipe": recipe}), self.data_folder, self.learner.device)
            if not (yield from self._compute(plain, should_stop)):
                yield from self._stop()
                return
            yield from self._train_point(plain)
            yield from self._snapshot(due=True)
            yield from self._test(self.learner.test())
        yield from self._end(should_stop, analyses)

    def _teach(self, should_stop: Callable[[], bool], checkpoint_every_s: float) -> Generator[Event, None, bool]:
        """Train and test the teacher; False if asked to stop before the end."""
        teacher, steps = self.teacher, self.spec.steps_per_epoch
        while teacher.step < self.spec.total_steps:
            epoch, first = divmod(teacher.step, steps)
            began = time.monotonic()
            for index, (images, labels) in enumerate(self.batches.train(epoch, first), start=first):
                if should_stop():
                    return False
                teacher.train_step(images, labels, began)
                last = index == steps - 1
                if last or teacher.step % self.stride == 0:
                    if teacher.take_window(epoch_ends=last).scores.loss is None:
                        raise Diverged(teacher.step, self.spec.recipe)
                    if teacher.step < self.spec.total_steps and self._is_due(checkpoint_every_s):
                        yield from self._save()
                yield from self._progress()
                if message := self.batches.warning():
                    yield Warned(step=self.step, message=message)
                began = time.monotonic()
        for tested in teacher.test():
            yield from self._progress(tested=tested)
        return True

    def _compute(self, plain: Batches, should_stop: Callable[[], bool]) -> Generator[Event, None, bool]:
        """Compute γ, β and running statistics from `plain` training images; False if asked to stop before the end.

        All of it happens on the CPU.
        """
        result = {name: tensor.detach().cpu() for name, tensor in self.teacher.result().items()}
        teacher, (student, _) = rebuilt(self.teacher.spec, result), draw_network(self.spec)
        images, layers = self._images(plain), []
        draw = drawn(self.spec.draw, self.spec.seeds.order, "compute")
        for fit in compute(teacher, student, images, draw):
            layers.append(ComputedLayer(name=fit.layer, channels=fit.channels, used=fit.used, explained=fit.explained))
            if should_stop():
                return False
            yield from self._progress()
        values = student.state_dict()
        with torch.no_grad():
            for name, own in self.learner.result().items():
                own.copy_(values[name])
        self.learner.step = self.teacher.step
        self.computed = Computed(
            teacher=self.teacher.spec.architecture,
            teacher_digest=digest_of(result),
            teacher_top1=self.teacher.tested.scores.top1,
            images=len(images),
            layers=tuple(layers),
        )
        return True

    def _images(self, plain: Batches) -> Tensor:
        """The first training images of the first epoch, as many as are used: (N, C, H, W), on the CPU."""
        count = min(IMAGES, most_images(self.teacher.plan, self.plan), self.spec.images[0])
        parts: list[Tensor] = []
        for images, _ in plain.train(0, 0):
            parts.append(images.cpu())
            if sum(map(len, parts)) >= count:
                break
        return torch.cat(parts)[:count].contiguous()

    def _train_point(self, plain: Batches) -> Iterator[Event]:
        window = Window(self.learner.device)
        for _ in evaluating(self.learner.engine, plain.train(0, 0), window):
            yield from self._progress()
        self.last_train = scores = window.mean().scores
        if scores.loss is None:
            raise Diverged(self.step, self.spec.recipe)
        yield Measured(point=Point(self.step, self.learner.epoch, "train", **scores._asdict()))

    def _capsule(self, result: Finished) -> Capsule:
        assert self.computed is not None
        teacher = f"{self.computed.teacher} {self.computed.teacher_digest[:12]}"
        return replace(super()._capsule(result), computed=f"computed by least squares from {teacher}, not trained")

    def _analyses(self, whole: Batches) -> Generator[float, None, Findings]:
        found = yield from super()._analyses(whole)
        return found.model_copy(update={"computed": self.computed})

    def _state(self) -> State:
        return replace(super()._state(), computed=self.computed)

    def _fits(self, state: State) -> bool:
        learner = self.learner if state.computed else self.teacher
        return 0 <= state.step <= self.spec.total_steps and learner.accepts(state.tensors)

    def _restore(self, state: State) -> None:
        self.computed = state.computed
        super()._restore(state)
