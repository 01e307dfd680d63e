"""Trains one network as its spec says and tells what happens as events. Nothing here talks to the outside.

The same spec gives the same bits on the same machine with the same number of threads, whether or not the run was
stopped and resumed in between: data order and augmentation follow from (seed, epoch), points from the spec alone.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from core.architectures.builder import build
from core.checkpoint import CheckpointFolder, Mean, State, digest_of, save_final
from core.cost import counts, keeps_snapshot, point_stride
from core.datasets.augmentation import draw_shifts, normalise, shift
from core.datasets.memory import Split, load
from core.events import Event, Finished, Layer, Point, Progress, Started, Stopped
from core.failures import Diverged, failure
from core.freezing import freeze, running_statistics
from core.meters import Speed, Window
from core.optimizers import Sgd
from core.randomness import generator
from core.snapshot import NormReader
from core.spec import Recipe, RunSpec

TEST_BATCH = 500
PROGRESS_EVERY_S = 1.0
SNAPSHOT_EVERY_S = 0.5
CHECKPOINT_EVERY_S = 15.0
CHECKPOINT_SHARE = 0.02
"""At most this share of the time goes into checkpoints, however large they are."""


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """The learning rate of optimiser step number `step` (from 0); a drop holds from the first step at or after it."""
    drops = [math.ceil(fraction * total_steps - 1e-9) for fraction in recipe.lr_drops]
    return recipe.lr * recipe.lr_drop_factor ** bisect_right(drops, step)


def train(
    spec: RunSpec,
    folder: Path | None = None,
    *,
    data_folder: Path = Path("data/datasets"),
    device: str = "auto",
    attempt: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> Iterator[Event]:
    """Train `spec` to its end, from the newest checkpoint in `folder` if there is one.

    Yields Started, then Point, Snapshot, Progress and Checkpointed, and at last Finished, Failed, or Stopped (once
    `should_stop()` is true). Without a `folder` nothing is saved. Raises nothing that a user can cause.
    """
    step = 0
    try:
        training = _Training(spec, folder, data_folder, _device(device), attempt)
        for event in training.run(should_stop, checkpoint_every_s):
            step = getattr(event, "step", step)
            yield event
    except Exception as error:
        failed = failure(spec, step, error)
        if failed is None:
            raise
        yield failed


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


class _Training:
    """The moving parts of one training: network, optimiser, data, position."""

    def __init__(
        self, spec: RunSpec, folder: Path | None, data_folder: Path, device: torch.device, attempt: int
    ) -> None:
        self.spec, self.folder, self.device, self.attempt = spec, folder, device, attempt
        self.plan, self.data = spec.plan, spec.data
        _be_deterministic()
        train, test = load(spec.dataset, data_folder)
        self.train_split = train.first(spec.train_examples).to(device)
        self.test_split = test.first(spec.test_examples).to(device)
        network = build(self.plan, spec.init, spec.seeds.init)
        self.trainable = freeze(network, self.plan, spec.selection, spec.seeds.choice)
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.optimizer = Sgd(self.trainable, spec.recipe)
        self.reader = NormReader(self.network, self.plan)
        self.checkpoints = CheckpointFolder(folder, spec.digest, attempt) if folder else None
        self.stride = point_stride(spec)
        self.step = 0
        self.window = Window(device)
        self.last_train: tuple[float, float] | None = None
        self.last_test = (0.0, 0.0)
        self.elapsed_before = 0.0
        self.began = time.monotonic()
        self.spoke = self.began
        self.looked = self.began
        self.saved = self.began
        self.speed = Speed(spec)

    # -- the training, top to bottom -------------------------------------------------------------------------

    def run(self, should_stop: Callable[[], bool], checkpoint_every_s: float) -> Iterator[Event]:
        """Everything from Started to Finished or Stopped."""
        found = self.checkpoints.load() if self.checkpoints else None
        if found:
            self._restore(found[0])
        yield self._started(resumed_from=found[0].step if found else None)
        if found:
            yield found[1]
        else:
            yield from self._test()
            yield from self._snapshot(due=True)

        while self.step < self.spec.total_steps:
            epoch, first = divmod(self.step, self.spec.steps_per_epoch)
            order = torch.randperm(len(self.train_split), generator=generator(self.spec.seeds.order, epoch))
            shifts = draw_shifts(self.data, len(order), self.spec.seeds.augmentation, epoch)
            for index in range(first, self.spec.steps_per_epoch):
                if should_stop():
                    yield from self._stop()
                    return
                rows = slice(index * self.spec.recipe.batch_size, (index + 1) * self.spec.recipe.batch_size)
                chosen = order[rows].to(self.device)
                images = self.train_split.images[chosen]
                if self.spec.recipe.augmentation == "standard":
                    images = shift(images, shifts.at(rows).to(self.device), self.data.pad)
                self._train_step(normalise(images, self.data), self.train_split.labels[chosen])
                last = index == self.spec.steps_per_epoch - 1
                if last or self.step % self.stride == 0:
                    yield self._train_point()
                    yield from self._snapshot(due=last)
                    if not last and self._is_due(checkpoint_every_s):
                        yield from self._save()
                yield from self._progress("train")
            yield from self._test()
            if self.step < self.spec.total_steps and self._is_due(min(checkpoint_every_s, 2.0)):
                yield from self._save()
        yield self._finished()

    def _train_step(self, images: Tensor, labels: Tensor) -> None:
        began = time.monotonic()
        self.network.train()  # batch statistics under every policy, as the authors do
        with torch.set_grad_enabled(bool(self.trainable)):
            logits = self.network(images)
            loss = F.cross_entropy(logits, labels)
        if self.trainable:
            self.optimizer.clear_gradients()
            loss.backward()
            self.optimizer.step(learning_rate(self.spec.recipe, self.step, self.spec.total_steps))
        self.step += 1
        self.window.add(loss, logits, labels)
        self.speed.trained(time.monotonic() - began, len(labels))

    @torch.no_grad()
    def _evaluate(self) -> Generator[Event, None, Mean]:
        self.network.eval()
        total = Window(self.device)
        for images, labels in _batches(self.test_split, TEST_BATCH):
            began = time.monotonic()
            logits = self.network(normalise(images, self.data))
            total.add(F.cross_entropy(logits, labels), logits, labels)
            self.speed.tested(time.monotonic() - began, len(labels))
            yield from self._progress("test")
        return total.mean()

    # -- what it says ----------------------------------------------------------------------------------------

    @property
    def epoch(self) -> float:
        return round(self.step / self.spec.steps_per_epoch, 6)

    def _started(self, resumed_from: int | None) -> Started:
        train, test = self.spec.images
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        return Started(
            spec_digest=self.spec.digest,
            attempt=self.attempt,
            resumed_from=resumed_from,
            total_steps=self.spec.total_steps,
            steps_per_epoch=self.spec.steps_per_epoch,
            train_examples=train,
            test_examples=test,
            counts=counts(self.plan, self.spec.selection),
            layers=tuple(
                Layer(name=n.name, channels=n.channels, stage=n.stage, shortcut=n.shortcut) for n in self.plan.norms
            ),
            device=name,
            threads=torch.get_num_threads(),
            torch=torch.__version__,
        )

    def _train_point(self) -> Point:
        mean = self.window.mean()
        self.window = Window(self.device)
        loss, top1 = mean.loss / mean.seen, mean.correct / mean.seen
        if not math.isfinite(loss):
            raise Diverged(self.step, self.spec.recipe)
        self.last_train = (loss, top1)
        lr = learning_rate(self.spec.recipe, self.step - 1, self.spec.total_steps)
        return Point(step=self.step, epoch=self.epoch, split="train", loss=loss, top1=top1, lr=lr)

    def _test(self) -> Iterator[Event]:
        mean = yield from self._evaluate()
        loss, top1 = mean.loss / mean.seen, mean.correct / mean.seen
        if not math.isfinite(loss):
            raise Diverged(self.step, self.spec.recipe)
        self.last_test = (loss, top1)
        yield Point(step=self.step, epoch=self.epoch, split="test", loss=loss, top1=top1)

    def _snapshot(self, *, due: bool) -> Iterator[Event]:
        """γ and β, if `due`, if the run keeps this one, or if the last was a while ago."""
        now = time.monotonic()
        if due or now - self.looked >= SNAPSHOT_EVERY_S or keeps_snapshot(self.spec, self.step):
            self.looked = now
            yield self.reader.snapshot(self.step, self.epoch)

    def _progress(self, phase: str) -> Iterator[Event]:
        now = time.monotonic()
        if now - self.spoke < PROGRESS_EVERY_S:
            return
        self.spoke = now
        yield Progress(
            step=self.step,
            total_steps=self.spec.total_steps,
            phase="test" if phase == "test" else "train",
            images_per_s=round(self.speed.train_images_per_s, 1),
            elapsed_s=round(self._elapsed(), 1),
            eta_s=self.speed.eta_s(self.step),
        )

    def _elapsed(self) -> float:
        return self.elapsed_before + time.monotonic() - self.began

    def _finished(self) -> Finished:
        assert self.last_train is not None
        result = Finished(
            step=self.step,
            epoch=self.epoch,
            loss=self.last_test[0],
            top1=self.last_test[1],
            train_loss=self.last_train[0],
            train_top1=self.last_train[1],
            trainable=sum(p.numel() for p in self.trainable.values()),
            disabled=self.reader.disabled_share(),
            digest=digest_of(self._result_tensors()),
            seconds=round(self._elapsed(), 3),
        )
        if self.folder:
            save_final(self.folder, self._result_tensors(), self.spec.model_dump_json(), result.model_dump_json())
        return result

    # -- stop and resume -------------------------------------------------------------------------------------

    def _result_tensors(self) -> dict[str, Tensor]:
        return {**self.trainable, **running_statistics(self.network)}

    def _is_due(self, every_s: float) -> bool:
        return self.checkpoints is not None and time.monotonic() - self.saved >= every_s

    def _save(self) -> Iterator[Event]:
        if self.checkpoints is None:
            return
        began = time.monotonic()
        yield self.checkpoints.save(
            State(
                step=self.step,
                elapsed_s=self._elapsed(),
                window=self.window.mean(),
                train=self.last_train,
                test=self.last_test,
                tensors={
                    **self._result_tensors(),
                    **{f"momentum/{name}": buffer for name, buffer in self.optimizer.momentum.items()},
                },
            )
        )
        # A large checkpoint is written less often: the next one counts from later.
        self.saved = time.monotonic() + (time.monotonic() - began) / CHECKPOINT_SHARE

    def _stop(self) -> Iterator[Event]:
        if math.isfinite(self.window.mean().loss):
            yield from self._save()
        yield Stopped(step=self.step)

    def _restore(self, state: State) -> None:
        tensors = {name: tensor.to(self.device) for name, tensor in state.tensors.items()}
        with torch.no_grad():
            for name, own in self._result_tensors().items():
                own.copy_(tensors[name])
        for name, parameter in self.trainable.items():
            if f"momentum/{name}" in tensors:
                # Same memory layout as the parameter's, so that the update takes the same path to the bit.
                self.optimizer.momentum[name] = torch.empty_like(parameter.data).copy_(tensors[f"momentum/{name}"])
        self.step, self.elapsed_before = state.step, state.elapsed_s
        self.window = Window(self.device, state.window)
        self.last_train, self.last_test = state.train, state.test


def _be_deterministic() -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it; without effect on a CPU
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms(True), without its import of inductor
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def _batches(split: Split, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, len(split), size):
        yield split.images[first : first + size], split.labels[first : first + size]
