"""Several tasks in one network: each task's tensors put in, one after another, and what the others took away.

The frozen weights are drawn once and never written again. Forgetting is measured: a task's test images are answered
before and after all other tasks were in the network, and the logits are compared bit by bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from core.data.batches import Batches
from core.engine.choice import Engine, make_engine
from core.network.builder import Network
from core.network.freezing import draw_network
from core.network.scores import Scores, Window, tally
from core.trained.capsule import Capsule, frozen_digest


@dataclass(frozen=True)
class Answers:
    """How well a network answered test images, and the SHA-256 of the bits of all its logits."""

    scores: Scores
    logits: str


@dataclass(frozen=True)
class KeptTask:
    """A task before and after the others were in the network; `others`: how well their γ and β answer its images, in
    the order of the pack, the own ones among them; None: not measured."""

    before: Answers
    after: Answers
    others: tuple[Scores, ...] | None

    @property
    def forgotten(self) -> float:
        """The loss of test accuracy, in 0..1."""
        return self.before.scores.top1 - self.after.scores.top1

    @property
    def identical(self) -> bool:
        """Whether all logits are the same to the bit."""
        return self.before.logits == self.after.logits


class SharedNetwork:
    """One random network, drawn once, and the capsules of the tasks that can be put into it; core.run.pack.check says
    which can."""

    def __init__(self, capsules: Sequence[Capsule], device: torch.device) -> None:
        self.capsules, self.device = capsules, device
        first = capsules[0]
        self.network = _drawn(first, device)
        self.engine: Engine = make_engine(self.network, first.spec, device)
        self._own = self.network.state_dict()

    @property
    def frozen(self) -> str:
        """The digest of the shared weights as they are now."""
        return frozen_digest(self.network, self.capsules[0].tensors)

    @torch.no_grad()
    def put_in(self, number: int) -> None:
        """Make the network that of task `number`."""
        for name, tensor in self.capsules[number].tensors.items():
            self._own[name].copy_(tensor)

    def answers(self, data: Batches) -> Answers:
        """How the network, as it is, answers the test images of `data`."""
        window, digest = Window(self.device), hashlib.sha256()
        for images, labels in data.test():
            logits = self.engine.evaluate(images)
            digest.update(logits.float().cpu().contiguous().numpy().tobytes())
            window.add(tally(logits, labels), len(labels))
        return Answers(window.mean().scores, digest.hexdigest())


def forgetting(
    shared: SharedNetwork, data: Callable[[Capsule], Batches], *, across: bool = False
) -> Iterator[KeptTask]:
    """What became of each task. Between its two tests every other task is in the network once, and
    with `across` answers its images, too. Raises DataUnavailable."""
    numbers = range(len(shared.capsules))
    for number in numbers:
        images = data(shared.capsules[number])
        shared.put_in(number)
        before = shared.answers(images)
        found: list[Scores] = []
        for other in numbers:
            shared.put_in(other)
            if across:
                found.append(shared.answers(images).scores)
        shared.put_in(number)
        yield KeptTask(before, shared.answers(images), tuple(found) if across else None)


def _drawn(capsule: Capsule, device: torch.device) -> Network:
    network, _ = draw_network(capsule.spec)
    network.to(device).to(memory_format=torch.channels_last)
    return network.requires_grad_(False).eval()
