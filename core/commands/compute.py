"""`python -m core compute TEACHER --architecture NAME --out FILE`: γ and β by least squares, as a capsule.

Exit codes: 0 done, 2 a bad file or bad arguments.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from core.commands.arguments import BadArguments
from core.commands.capsule import REFUSALS as CAPSULE_REFUSALS
from core.commands.capsule import capsule_of
from core.commands.console import decimal
from core.commands.exit_codes import DONE
from core.data.batches import Batch, batches
from core.data.memory import DataUnavailable
from core.draws.versions import drawn
from core.engine.choice import make_engine
from core.machine.files import datasets_folder, write_atomically
from core.network.builder import Network
from core.network.devices import device_title
from core.network.freezing import draw_network, running_statistics
from core.network.scores import Scores, Window
from core.network.tensors import digest_of
from core.run.computation import Unlike, check, most_images
from core.run.events import DISABLED_BELOW, Finished
from core.run.problems import explain
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, frozen_digest, origin_here, pack, rebuild
from core.trained.computed import Fit, compute
from core.trained.evaluation import evaluating
from core.trained.last_layer import compute_last

REFUSALS = (*CAPSULE_REFUSALS, Unlike)
"""What can be wrong with a file or with what was asked; the messages are for a person."""
CPU = torch.device("cpu")
BATCH = 128


def run(arguments: argparse.Namespace) -> int:
    """Compute the student, save it, and print how good it is. Raises one of REFUSALS."""
    teacher = capsule_of(arguments.teacher)
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    spec = _spec(teacher, arguments)
    try:
        whole = batches(spec, datasets_folder(), CPU)
        images, labels = _gathered(whole.train(0, 0))
        tested = list(whole.test())
    except DataUnavailable as error:
        raise BadArguments(str(error)) from error
    began = time.monotonic()
    network, trains = draw_network(spec)
    other = rebuild(teacher)
    if not arguments.json:
        print(f"{'layer':<24}{'channels':>13}{'explained':>11}{'seconds':>9}")
    theirs = _scores(other, teacher.spec, tested)
    draw = drawn(spec.draw, spec.seeds.order, "compute")
    fits = compute_last(other, network, images) if arguments.last_only else compute(other, network, images, draw)
    for fit in fits:
        print(json.dumps({"event": "layer", **asdict(fit)}) if arguments.json else _row(fit), flush=True)
    network = network.to(memory_format=torch.channels_last).requires_grad_(False).eval()
    engine = make_engine(network, spec, CPU)
    seconds = time.monotonic() - began
    here = [(x, y) for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True)]
    train, test = _scores(network, spec, here), _scores(network, spec, tested)
    tensors = {**{name: tensor.detach() for name, tensor in trains.items()}, **running_statistics(network)}
    gammas = torch.cat([tensor for name, tensor in trains.items() if name.endswith("weight")])
    result = Finished(
        step=0,
        epoch=0,
        **test._asdict(),
        train_top1=train.top1,
        train_loss=train.loss or 0.0,
        trainable=sum(tensor.numel() for tensor in trains.values()),
        disabled=float((gammas.abs() < DISABLED_BELOW).float().mean()),
        digest=digest_of(tensors),
        seconds=round(seconds, 3),
    )
    what = "the last layer computed" if arguments.last_only else "computed"
    words = f"{what} by least squares from {teacher.spec.architecture} {teacher.result.digest[:12]}, not trained"
    origin = origin_here(device_title(CPU), 1, engine.words)
    capsule = Capsule(spec, result, origin, tensors, (), frozen_digest(network, tensors), computed=words)
    try:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.out, pack(capsule))
    except OSError as error:
        raise BadArguments(f"cannot write {arguments.out}: {error.strerror}") from error
    told = {"student": test._asdict(), "teacher": theirs._asdict(), "images": len(images), "seconds": round(seconds, 1)}
    print(json.dumps({"event": "computed", **told}) if arguments.json else _sentence(spec, test, theirs, seconds))
    return DONE


def _spec(teacher: Capsule, arguments: argparse.Namespace) -> RunSpec:
    """The student's spec: the teacher's but for what is computed. Raises BadArguments, Unlike."""
    there = teacher.spec
    changes: dict[str, Any] = {
        "architecture": arguments.architecture,
        "policy": "batchnorm",
        "epochs": 1,
        "start": None,
        "recipe": {**there.recipe.model_dump(), "augmentation": "none", "batch_size": BATCH},
        "name": None,
    }
    if arguments.replicate is not None:
        changes |= {"replicate": arguments.replicate, "seeds": None}
    if arguments.test_examples is not None:
        changes["test_examples"] = arguments.test_examples
    try:
        spec = RunSpec.model_validate({**there.model_dump(), **changes})
        check(there.plan, spec.plan)
        most = min(arguments.images, most_images(there.plan, spec.plan, last_only=arguments.last_only), spec.images[0])
        return RunSpec.model_validate({**spec.model_dump(), "train_examples": most})
    except ValidationError as error:
        raise BadArguments(explain(error).replace("train_examples", "images")) from error


def _gathered(train: Iterator[Batch]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*train, strict=True)
    return torch.cat(images).contiguous(), torch.cat(labels)


def _scores(network: Network, spec: RunSpec, images: list[Batch]) -> Scores:
    window = Window(CPU)
    for _ in evaluating(make_engine(network, spec, CPU), images, window):
        pass
    return window.mean().scores


def _row(fit: Fit) -> str:
    return f"{fit.layer:<24}{f'{fit.used:,} of {fit.channels:,}':>13}{fit.explained:>11.1%}{fit.seconds:>9.1f}"


def _sentence(spec: RunSpec, test: Scores, theirs: Scores, seconds: float) -> str:
    return (
        f"{spec.dataset}: test top-1 {test.top1:.2%}, loss {decimal(test.loss)}; the teacher's {theirs.top1:.2%}; "
        f"{seconds:.0f} s, nothing trained"
    )
