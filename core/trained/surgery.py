"""Surgery on a trained network: edits of its γ, its accuracy with and without them, and what it makes of one image.

Pure: takes a rebuilt network and returns what it found; `core/commands/surgery.py` reads and prints.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.datasets import DataSet
from core.catalog.plan import Plan
from core.catalog.tasks.tasks import TASKS, WHOLE, task
from core.data.augmentation import normalise, pixels
from core.data.batches import Batches, MemoryBatches
from core.data.tasks import seen
from core.engine.choice import Engine
from core.network.builder import Network
from core.network.scores import Scores, Window
from core.run.edited import edited
from core.run.edits import MAX_MAPS, Edit, Look
from core.run.spec import RunSpec
from core.trained.evaluation import Sample, evaluating

MAX_SIDE = 32
"""Larger feature maps are shrunk to this side, in pixels."""
LIKELIEST = 10
LEVELS = 127


class Patient:
    """The γ of a network, as trained and as edited."""

    def __init__(self, network: nn.Module, plan: Plan) -> None:
        self.gammas = {norm.name: network.get_parameter(f"{norm.name}.weight") for norm in plan.norms}
        self.trained = {name: gamma.detach().clone() for name, gamma in self.gammas.items()}

    def operate(self, edits: Sequence[Edit]) -> None:
        """Set γ as trained, then apply `edits` one after another."""
        trained = {name: gamma.cpu().numpy() for name, gamma in self.trained.items()}
        for name, gamma in edited(trained, edits).items():
            self.gammas[name].data.copy_(torch.from_numpy(gamma))

    def reset(self) -> None:
        """Set all γ as trained."""
        for name, gamma in self.gammas.items():
            gamma.data.copy_(self.trained[name])

    def off(self) -> int:
        """How many γ are 0."""
        return sum(int((gamma == 0).sum()) for gamma in self.gammas.values())

    def changed(self) -> int:
        """How many γ differ from the trained ones."""
        return sum(int((gamma != self.trained[name]).sum()) for name, gamma in self.gammas.items())


@dataclass(frozen=True)
class Operation:
    """All that an evaluation needs: the rebuilt `network` of `spec`, what runs it, and its test images."""

    network: Network
    spec: RunSpec
    engine: Engine
    batches: Batches
    device: torch.device


def compare(on: Operation, edits: Sequence[Edit], images: int) -> Generator[float, None, dict[str, Any]]:
    """Accuracy and loss of the network as trained and as edited, on the same `images` test images.

    Yields how much is done, 0..1.
    """
    patient, sample = Patient(on.network, on.spec.plan), Sample(on.batches, on.spec.plan, images)
    unedited = yield from scoring(on, sample, 0.0)
    patient.operate(edits)
    off, changed = patient.off(), patient.changed()
    edited = (yield from scoring(on, sample, 0.5)) if changed else unedited
    patient.reset()
    return {
        "unedited": unedited._asdict(),
        "edited": edited._asdict(),
        "off": off,
        "changed": changed,
        "images": sample.count,
        "test_images": on.batches.test_images,
    }


def scoring(on: Operation, sample: Sample, before: float) -> Generator[float, None, Scores]:
    """The scores of the network of `on` over `sample`, which is one half of the work. Yields how much is done, with
    `before` done earlier."""
    window = Window(on.device)
    for _ in evaluating(on.engine, sample, window):
        yield before + 0.5 * window.seen / sample.count
    return window.mean().scores


def show(on: Operation, edits: Sequence[Edit], look: Look) -> dict[str, Any]:
    """What the trained and the edited network make of one image, and the edited one's maps of a layer."""
    data = on.spec.data
    stored, label = _image(on, look)
    own = on.spec.variant if look.index is not None else TASKS[WHOLE]
    image = seen(stored, task(look.task) if look.task else own)
    images = normalise(image[None], data)
    patient = Patient(on.network, on.spec.plan)
    before = _likelihoods(on, images)
    patient.operate(edits)
    after = _likelihoods(on, images)
    maps = _maps(on, images, look)
    patient.reset()
    return {
        "image": {"shape": list(image.shape), "pixels": coded(image)},
        "label": label,
        "classes": _likeliest(data, before, after, label),
        "layer": look.layer,
        "first": look.first,
        **maps,
        **({"views": {name: coded(seen(stored, task(name))) for name in look.views}} if look.views else {}),
    }


def _image(on: Operation, look: Look) -> tuple[Tensor, int | None]:
    """(C, H, W) uint8 on the device, as it is stored, and the image's class where it is known."""
    raw = look.raw()
    if raw is not None:
        return torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(on.spec.data.shape).to(on.device), None
    assert look.index is not None
    if isinstance(on.batches, MemoryBatches):
        split = on.batches.test_split
        return split.images[look.index], int(split.labels[look.index])
    passed = 0
    for images, labels in on.batches.test():
        if look.index < passed + len(labels):
            place = look.index - passed
            return pixels(images[place], on.spec.data), int(labels[place])
        passed += len(labels)
    raise IndexError(f"image {look.index} of {passed}")


def _likelihoods(on: Operation, images: Tensor) -> Tensor:
    return on.engine.evaluate(images)[0].float().softmax(dim=0).nan_to_num()


def _likeliest(data: DataSet, before: Tensor, after: Tensor, label: int | None) -> list[dict[str, Any]]:
    """The classes that either network thinks likeliest, and the right one."""
    count = min(LIKELIEST, len(data.classes))
    places = {int(place) for each in (after, before) for place in each.topk(count).indices} | {label}
    rows = [
        {"class": place, "name": data.classes[place], "unedited": float(before[place]), "edited": float(after[place])}
        for place in places
        if place is not None
    ]
    return sorted(rows, key=lambda row: (-row["edited"], -row["unedited"]))


@torch.no_grad()
def _maps(on: Operation, images: Tensor, look: Look) -> dict[str, Any]:
    """The outputs of norm layer `look.layer`, before any ReLU, in 8 bits: -127..127 of `scale`, shrunk to MAX_SIDE."""
    found: list[Tensor] = []
    hook = on.network.get_submodule(look.layer).register_forward_hook(lambda _m, _i, out: found.append(out.detach()))
    on.network.eval()
    on.network(images)
    hook.remove()
    maps = found[0][0, look.first : look.first + MAX_MAPS].float()
    if max(maps.shape[1:]) > MAX_SIDE:
        maps = F.adaptive_avg_pool2d(maps, MAX_SIDE)
    scale = float(maps.abs().max())
    levels = (maps * (LEVELS / scale) if scale > 0 else maps).round().to(torch.int8)
    gamma = on.network.get_parameter(f"{look.layer}.weight").detach()[look.first : look.first + MAX_MAPS]
    return {
        "maps": {"shape": list(levels.shape), "levels": coded(levels), "scale": scale},
        "off": (gamma == 0).tolist(),
    }


def coded(tensor: Tensor) -> str:
    """Its bytes in base64, the last index running fastest."""
    return base64.b64encode(tensor.contiguous().cpu().numpy().tobytes()).decode()
