"""The network that learns, with its optimiser and its batches: a training step, a test, and the state."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from core.catalog.schedules import learning_rate
from core.data.batches import Batches, batches
from core.engine.choice import make_engine
from core.machine.memory import used_bytes
from core.network.builder import Network, build
from core.network.devices import device_title
from core.network.freezing import freeze, running_statistics
from core.network.group import Group
from core.network.scores import Mean, Window, summed_loss, tally
from core.network.sync_batchnorm import synchronise
from core.run.events import Finished
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, frozen_digest, origin_here
from core.trained.evaluation import evaluating
from core.trained.start import Taken, start_from
from core.training.optimizers import OPTIMIZERS
from core.training.speed import Speed

OPTIMIZER = "optimizer/"


class Learner:
    """The network of `spec` before its first step. `start`: the file with the values that it begins with, if any;
    `shared`: the images, if another learner has the same.

    `window`: sums over what was trained on since the last `take_window`; `passed`: sums over the epoch before the
    window; `tested`: the sums of the last test. In a `group` each process has a learner, and all have the same
    parameters and the same sums.
    """

    def __init__(
        self,
        spec: RunSpec,
        data_folder: Path,
        device: torch.device,
        group: Group,
        start: Path,
        shared: Batches | None = None,
    ) -> None:
        self.spec, self.plan, self.device, self.group = spec, spec.plan, device, group
        be_deterministic()
        self.batches = shared or batches(spec, data_folder, device, group.part)
        self._start = start
        network, self.trainable, self.taken = self._begun()
        if spec.recipe.sync_batchnorm and not group.part.alone:
            synchronise(network)
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.engine = make_engine(self.network, spec, device, group)
        self.optimizer = OPTIMIZERS[spec.recipe.optimizer](self.trainable, spec.recipe)
        self.speed = Speed(spec)
        self.step = 0
        self.window = Window(device)
        self.passed = Mean()
        self.tested = Mean()

    def _begun(self) -> tuple[Network, dict[str, nn.Parameter], Taken | None]:
        """The network before its first step, its trainable tensors, and what it took from the file it starts from."""
        spec = self.spec
        network = build(self.plan, spec.init, spec.seeds.init, spec.draw)
        taken = start_from(network, self.plan, self._start, spec.start) if spec.start else None
        return network, freeze(network, spec.trains, spec.seeds.choice, spec.draw), taken

    def beginning(self, images: Tensor) -> Network:
        """The network before its first step once more, on the device. Running statistics that have seen nothing are
        those of `images`."""
        network, _, _ = self._begun()
        network.eval().to(self.device).to(memory_format=torch.channels_last)
        fresh = [norm for norm in network.modules() if isinstance(norm, nn.BatchNorm2d) and _saw_nothing(norm)]
        with torch.no_grad(), _taking_over(fresh):
            for norm in fresh:
                norm.train()
            network(images)
        return network.eval()

    def train_step(self, images: Tensor, labels: Tensor, began: float) -> None:
        """Train one step. `began`: when its images were requested; the wait for them counts as time of the step."""
        whole = self._batch_images(self.step)
        self.optimizer.clear_gradients()
        sums = torch.zeros(3, dtype=torch.float64, device=self.device)
        if len(labels) or self.spec.recipe.sync_batchnorm:
            sums = self._forward_backward(images, labels, whole)
        self.group.add_gradients(self.trainable.values())
        self.optimizer.step(self.learning_rate(self.step))
        self.step += 1
        self.window.add(self.group.add(sums), whole)
        self.speed.trained(time.monotonic() - began, whole)

    def _forward_backward(self, images: Tensor, labels: Tensor, whole: int) -> Tensor:
        """Compute the gradients of this share of the mean loss over all `whole` images. Returns the share's tally."""
        with torch.set_grad_enabled(bool(self.trainable)):
            logits = self.engine.train(images, self.step)
            loss = summed_loss(logits, labels, self.spec.recipe.label_smoothing)
        if self.trainable:
            (loss / whole).backward()
        return tally(logits, labels)

    def _batch_images(self, step: int) -> int:
        """How many images all processes together train on in `step`; the last batch of an epoch may be smaller."""
        index, size = step % self.spec.steps_per_epoch, self.spec.recipe.batch_size
        return min(size, self.spec.images[0] - index * size)

    @torch.no_grad()
    def test(self) -> Iterator[int]:
        """Test on all images; yields after each batch how many are done. The result is in `tested`."""
        self.group.spread(running_statistics(self.network).values())  # the first process's are used, as in DataParallel
        total, world, whole = Window(self.device), self.group.part.world, self.batches.test_images
        began = time.monotonic()
        for images in evaluating(self.engine, self.batches.test(), total):
            self.speed.tested(time.monotonic() - began, images * world)
            yield min(total.seen * world, whole)
            began = time.monotonic()
        self.group.add(total.sums)
        total.seen = whole
        self.tested = total.mean()

    def test_at_start(self) -> Iterator[int]:
        """As `test`, before the first step. Running statistics that have seen nothing would answer nonsense, so those
        of the first training batch take their place for this one test."""
        fresh = [norm for norm in self.network.modules() if isinstance(norm, nn.BatchNorm2d) and _saw_nothing(norm)]
        before = {name: values.clone() for name, values in running_statistics(self.network).items()}
        if fresh:
            images, _ = next(iter(self.batches.train(0, 0)))
            with torch.no_grad(), _taking_over(fresh):
                if len(images) or self.spec.recipe.sync_batchnorm:
                    self.engine.train(images, 0)
        yield from self.test()
        for name, values in running_statistics(self.network).items():
            values.copy_(before[name])

    def learning_rate(self, step: int) -> float:
        return learning_rate(self.spec.recipe, step, self.spec.steps_per_epoch, self.spec.total_steps)

    def take_window(self, *, epoch_ends: bool) -> Mean:
        """Sums over what was trained on since the last call; at the end of an epoch, over the whole epoch."""
        mean, self.window = self.window.mean(), Window(self.device)
        epoch = self.passed + mean
        self.passed = Mean() if epoch_ends else epoch
        return epoch if epoch_ends else mean

    # -- its state -------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> float:
        """Passes over the training images so far."""
        return round(self.step / self.spec.steps_per_epoch, 6)

    @property
    def device_title(self) -> str:
        return device_title(self.device)

    def memory(self) -> dict[str, int | None]:
        """The memory that this process uses, as fields of Progress."""
        now, most = used_bytes()
        taken = {"memory_bytes": now, "peak_bytes": most}
        if self.device.type == "cuda":
            taken["gpu_bytes"] = torch.cuda.memory_reserved(self.device)
            taken["gpu_peak_bytes"] = torch.cuda.max_memory_reserved(self.device)
        return taken

    def result(self) -> dict[str, Tensor]:
        """The result of the training: trained parameters and running statistics, by name."""
        return {**self.trainable, **running_statistics(self.network)}

    def capsule(self, result: Finished) -> Capsule:
        """The network as it is now, whose training ended with `result`."""
        tensors = self.result()
        origin = origin_here(self.device_title, self.group.part.world, self.engine.words)
        # Frozen tensors that no seed gives back: those that came from a file.
        state, changed = self.network.state_dict(), set(self.taken.changed if self.taken else ())
        carried = tuple(p.name for p in self.plan.parameters if p.name in changed - tensors.keys())
        return Capsule(self.spec, result, origin, {**state, **tensors}, carried, frozen_digest(self.network, tensors))

    def tensors(self) -> dict[str, Tensor]:
        """All that a checkpoint needs: the result, and the optimiser's state as `optimizer/...`."""
        return {**self.result(), **{f"{OPTIMIZER}{name}": tensor for name, tensor in self.optimizer.state.items()}}

    def accepts(self, tensors: dict[str, Tensor]) -> bool:
        """Whether `restore` can take `tensors`: the result as it is here, and the optimiser's state of it."""
        own = self.result()
        if own.keys() != {name for name in tensors if not name.startswith(OPTIMIZER)}:
            return False
        if any(t.shape != tensors[name].shape or t.dtype != tensors[name].dtype for name, t in own.items()):
            return False
        state = {name.removeprefix(OPTIMIZER): t for name, t in tensors.items() if name.startswith(OPTIMIZER)}
        return self.optimizer.accepts(state)

    def restore(self, step: int, window: Mean, passed: Mean, tensors: dict[str, Tensor]) -> None:
        """Continue at `step` with the `tensors()` and the sums of that step."""
        with torch.no_grad():
            for name, own in self.result().items():
                own.copy_(tensors[name])
        self.optimizer.restore({n.removeprefix(OPTIMIZER): t for n, t in tensors.items() if n.startswith(OPTIMIZER)})
        self.step, self.window, self.passed = step, Window(self.device, window), passed


def _saw_nothing(norm: nn.BatchNorm2d) -> bool:
    assert norm.running_mean is not None and norm.running_var is not None
    return not norm.running_mean.any() and bool((norm.running_var == 1).all())


@contextmanager
def _taking_over(norms: list[nn.BatchNorm2d]) -> Iterator[None]:
    """Within it, running statistics become those of the batch, and keep nothing of what they were."""
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 1.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def be_deterministic() -> None:
    """Let PyTorch refuse whatever would not give the same bits again."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it; without effect on a CPU
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms(True), without its import of inductor
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    # TF32 rounds as much as half a bfloat16: it flips ReLUs, and the gradient of a deep network loses its direction.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
