"""A capsule as a link, and a link as a capsule: what its 8 bits cost, measured, and said in words."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor

from core.data.batches import Batches
from core.engine.choice import make_engine
from core.network.builder import Network
from core.network.devices import device_title
from core.network.scores import Window
from core.network.tensors import digest_of
from core.run.edits import Edit
from core.run.events import DISABLED_BELOW, Finished
from core.run.link.levels import Floats
from core.run.link.link import Link, decode
from core.run.link.made import link_of
from core.run.link.words import LinkFacts
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, frozen_digest, origin_here, rebuilt
from core.trained.evaluation import Sample, evaluating
from core.trained.surgery import Operation, Patient, scoring

TRAIN_IMAGES = 2048
"""The training accuracy of a network out of a link is that on about so many of the images that it was trained on."""


def capsule_link(capsule: Capsule, edits: Sequence[Edit] = ()) -> bytes:
    """The bytes of the link of `capsule`'s network after `edits`. Raises NoLink."""
    return link_of(capsule.spec, _arrays(capsule), capsule.result.top1, edits)


def price(
    on: Operation, capsule: Capsule, edits: Sequence[Edit], images: int
) -> Generator[float, None, dict[str, Any]]:
    """The scores of the network of `on` after `edits`, and of the one that its link opens, on the same `images` test
    images. Yields how much is done, 0..1. Raises NoLink."""
    content = capsule_link(capsule, edits)
    opened = decode(content)
    patient, sample = Patient(on.network, on.spec.plan), Sample(on.batches, on.spec.plan, images)
    patient.operate(edits)
    exact = yield from scoring(on, sample, 0.0)
    patient.reset()
    network = rebuilt(opened.spec, _tensors(opened), on.device)
    there = Operation(network, on.spec, make_engine(network, on.spec, on.device), on.batches, on.device)
    link = yield from scoring(there, sample, 0.5)
    return {
        "exact": exact._asdict(),
        "link": link._asdict(),
        "size_bytes": len(content),
        "images": sample.count,
        "test_images": on.batches.test_images,
    }


def opened_capsule(link: Link, data: Batches, device: torch.device) -> Capsule:
    """The capsule of the network in `link`, whose result is measured on the images of `data`: all test images, and some
    training images."""
    began, spec, tensors = time.monotonic(), link.spec, _tensors(link)
    network = rebuilt(spec, tensors, device)
    frozen = frozen_digest(rebuilt(spec, tensors), tensors)
    engine = make_engine(network, spec, device)
    test, train = Window(device), Window(device)
    for _ in evaluating(engine, data.test(), test):
        pass
    for _ in evaluating(engine, data.train(0, 0), train):
        if train.seen >= TRAIN_IMAGES:
            break
    learned = train.mean().scores
    result = Finished(
        step=spec.total_steps,
        epoch=spec.epochs,
        **test.mean().scores._asdict(),
        train_top1=learned.top1,
        train_loss=learned.loss or 0.0,
        trainable=sum(trained.count for trained in spec.trains.values()),
        disabled=_disabled(network, spec),
        digest=digest_of(tensors),
        seconds=round(time.monotonic() - began, 3),
    )
    origin = origin_here(device_title(device), 1, engine.words)
    return Capsule(spec, result, origin, tensors, (), frozen, link.size_bytes, linked=_words(link.told, result.top1))


def _disabled(network: Network, spec: RunSpec) -> float:
    found = [network.get_parameter(f"{norm.name}.weight").detach().flatten() for norm in spec.plan.norms]
    return float((torch.cat(found).abs() < DISABLED_BELOW).float().mean()) if found else 0.0


def _words(told: LinkFacts, top1: float) -> str:
    what = "numbers in 8 bits, γ and β folded with the running statistics"
    if told.edited:
        what += f"; {told.edited:,} γ were edited after the training"
    if told.top1 is None:
        return what
    return (
        f"{what}; {(top1 - told.top1) * 100:+.2f} points against the {told.top1:.2%} of the run, which the link claims"
    )


def _arrays(capsule: Capsule) -> dict[str, Floats]:
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in capsule.tensors.items()}


def _tensors(link: Link) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in link.tensors.items()}
