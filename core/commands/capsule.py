"""`python -m core capsule show|evaluate|verify FILE`: what is in a capsule, how good it is, and whether it is sound.

Exit codes: 0 done, 1 the capsule does not reproduce its result, 2 a bad file or bad arguments.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from core.catalog.copies import copy_of
from core.catalog.datasets import DATASETS
from core.catalog.tasks.tasks import WHOLE
from core.commands.arguments import BadArguments
from core.commands.console import decimal
from core.commands.exit_codes import DONE, FAILED
from core.data.batches import batches
from core.data.memory import DataUnavailable
from core.engine.choice import Engine, make_engine
from core.machine.files import datasets_folder
from core.machine.processor import processor
from core.network.devices import NoDevice, device_of, device_title
from core.network.scores import Scores, Window
from core.run.capsule import Origin
from core.run.cost import counts
from core.run.pack import BadPack
from core.run.problems import explain
from core.run.spec import RunSpec
from core.trained.capsule import BadCapsule, Capsule, read_capsule, rebuild
from core.trained.evaluation import evaluating
from core.trained.verification import verified

REFUSALS = (BadCapsule, BadPack, BadArguments, NoDevice)
"""What can be wrong with a file or with what was asked; the messages are for a person."""


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks. Raises one of REFUSALS."""
    capsule = capsule_of(arguments.file)
    torch.set_num_threads(arguments.threads or capsule.origin.threads)
    done: int = {"show": show, "evaluate": evaluate, "verify": verify}[arguments.action](arguments, capsule)
    return done


def capsule_of(path: Path) -> Capsule:
    """The capsule at `path`. Raises BadCapsule."""
    try:
        return read_capsule(path)
    except OSError as error:
        raise BadCapsule(f"cannot read {path}: {error.strerror}") from error


def show(arguments: argparse.Namespace, capsule: Capsule) -> int:
    """Print what the capsule says of itself."""
    spec, result = capsule.spec, capsule.result
    numbers = counts(spec.plan, spec.trains)
    if arguments.json:
        rows = {
            "spec": spec.model_dump(mode="json"),
            "result": result.model_dump(exclude={"event"}),
            "origin": capsule.origin.model_dump(),
            "counts": numbers.model_dump(),
            "size_bytes": capsule.size_bytes,
            "computed": capsule.computed or None,
            "linked": capsule.linked or None,
        }
        print(json.dumps(rows))
        return DONE
    seeds = ", ".join(f"{name} {seed}" for name, seed in spec.seeds.model_dump().items())
    _table(
        {
            "file": f"{arguments.file}, {capsule.size_bytes:,} bytes",
            "run": spec.name or f"{spec.architecture}, {spec.policy}, {spec.dataset}",
            "architecture": f"{spec.architecture} with {spec.norm.title}, {numbers.total:,} parameters",
            "computed" if capsule.computed else "trained": f"policy {spec.policy}, {numbers.trainable:,} parameters",
            "data set": f"{seen_as(spec)}, {_seen(capsule)}",
            "seeds": seeds,
            **({"from a link": capsule.linked} if capsule.linked else {}),
            "result": f"test top-1 {result.top1:.2%}, loss {decimal(result.loss)}, on {spec.images[1]:,} images",
            "disabled": f"{result.disabled:.1%} of the features",
            "digest": result.digest,
            "made with": _made_with(capsule.origin),
        }
    )
    return DONE


def _seen(capsule: Capsule) -> str:
    """How often the network saw how many images."""
    images = f"{capsule.spec.images[0]:,} images"
    return f"{images}; {capsule.computed}" if capsule.computed else f"{capsule.spec.epochs} epochs of {images}"


def _made_with(origin: Origin) -> str:
    device = origin.device if origin.processes == 1 else f"{origin.processes} × {origin.device}"
    each = "" if origin.processes == 1 else " each"
    how = f"; {origin.engine}" if origin.engine else ""
    where = f" ({origin.processor})" if origin.processor else ""
    return f"torch {origin.torch} on {device}{where}, {origin.threads} threads{each}{how}"


def evaluate(arguments: argparse.Namespace, capsule: Capsule) -> int:
    """Print the test accuracy of the rebuilt network, on its own data set or on another."""
    spec = _on_other_data(capsule.spec, arguments.dataset, arguments.task)
    scores = _scores(_engine(capsule, arguments.device), spec, arguments.device)
    rows = {"dataset": spec.dataset, "task": spec.task, "test_examples": spec.images[1], **scores._asdict()}
    if arguments.json:
        print(json.dumps(rows))
    else:
        print(f"{seen_as(spec)}: test top-1 {scores.top1:.2%}, top-5 {scores.top5:.2%}, loss {decimal(scores.loss)}")
    return DONE


def verify(arguments: argparse.Namespace, capsule: Capsule) -> int:
    """Rebuild and evaluate; say whether weights and result are those that the capsule claims."""
    engine = _engine(capsule, arguments.device)
    scores = _scores(engine, capsule.spec, arguments.device)
    why = elsewhere(device_title(device_of(arguments.device)), engine.words, capsule.origin)
    checks = verified(capsule, rebuild(capsule), scores, why)
    sound = all(check.passed for check in checks.values())
    if arguments.json:
        told = {name: asdict(check) for name, check in checks.items()}
        stored, measured = capsule.result.top1, scores._asdict()
        print(json.dumps({"sound": sound, "checks": told, "stored": stored, "measured": measured, "elsewhere": why}))
    else:
        rows = {"tensors": "as trained (their digest matches the result)"}
        rows |= {name: check.words for name, check in checks.items()}
        _table({**rows, "verdict": "sound" if sound else "DOES NOT reproduce its result"})
    return DONE if sound else FAILED


def elsewhere(here: str, engine: str, origin: Origin) -> str | None:
    """How the device `here` and `engine` differ from those that made the capsule, in words; None if they do not."""
    if here != origin.device:
        return f"it was trained on {origin.device}, and this is {here}"
    if here != "cpu":
        made, now = _format(origin.engine), _format(engine)
        return f"it was computed in {made}, here in {now}" if made and made != now else None
    if not origin.processor:
        return f"it does not name its processor, and this is {processor()}"
    if origin.processor != processor():
        return f"it was trained on another processor, {origin.processor}, and this is {processor()}"
    if origin.engine and origin.engine != engine:
        return f"it was computed differently ({origin.engine}) than here ({engine})"
    if origin.threads != torch.get_num_threads():
        return f"it was trained with {origin.threads} threads, and this process has {torch.get_num_threads()}"
    return None


def _format(engine: str) -> str:
    """The number format in an engine's words; on a GPU nothing else decides what a test gives."""
    found = re.search(r"\b(bf16|fp32)\b", engine)
    return found[0] if found else ""


def _engine(capsule: Capsule, device_name: str) -> Engine:
    """The engine that runs the rebuilt network."""
    device = device_of(device_name)
    return make_engine(rebuild(capsule, device), capsule.spec, device)


def _scores(engine: Engine, spec: RunSpec, device_name: str) -> Scores:
    """The scores of the network that `engine` runs, over the test images of `spec`."""
    device = device_of(device_name)
    try:
        window = Window(device)
        for _ in evaluating(engine, batches(spec, datasets_folder(), device).test(), window):
            pass
    except DataUnavailable as error:
        raise BadArguments(str(error)) from error
    except RuntimeError as error:
        raise BadArguments(f"cannot evaluate on {device_name}: {str(error).splitlines()[0]}") from error
    return window.mean().scores


def seen_as(spec: RunSpec) -> str:
    """The names of its data set and task: `digits`, `digits, rotated-1`."""
    return spec.dataset if spec.task == WHOLE else f"{spec.dataset}, {spec.task}"


def _on_other_data(spec: RunSpec, dataset: str | None, task: str | None) -> RunSpec:
    """`spec` with the test images of another data set, which must have the same channels and classes, or of another
    task."""
    if dataset is None and task is None:
        return spec
    dataset, task = dataset or spec.dataset, task or spec.task
    fields: dict[str, Any] = {
        **spec.model_dump(),
        "dataset": dataset,
        "task": task,
        "contents": None,
        "copy_of_data": copy_of(DATASETS[dataset]) if dataset in DATASETS else None,
        "train_examples": None,
        "test_examples": None,
    }
    try:
        other = RunSpec.model_validate(fields)
    except ValidationError as error:
        raise BadArguments(explain(error)) from error
    for noun, there, here in (
        ("classes", len(other.data.classes), len(spec.data.classes)),
        ("image channels", other.data.shape[0], spec.data.shape[0]),
    ):
        if there != here:
            raise BadArguments(f"{dataset} has {there} {noun}, the capsule's network was made for {here}")
    return other


def _table(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        print(f"{name:>15}  {value}")
