"""The arguments of the command line: their parser, and the RunSpec that they mean. Imports no torch."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.catalog.architectures import FEATURED
from core.catalog.corruptions import CORRUPTIONS
from core.catalog.datasets import DATASETS
from core.catalog.model import first_fault
from core.catalog.policies import POLICIES
from core.catalog.presets import PRESETS
from core.catalog.registry import UnknownName
from core.catalog.tasks.tasks import TASKS
from core.commands import studies
from core.run.adaptation import Adaptation
from core.run.problems import explain
from core.run.recipe import Recipe
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile, header_of
from core.run.torchvision_names import misfit

FIELDS = ("architecture", "policy", "dataset", "task", "epochs", "replicate", "train_examples", "test_examples")
"""The fields of a spec that have an option of their own on the command line."""


class BadArguments(ValueError):
    """What was asked cannot be done; the message says what would be right."""


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m core train|count|capsule|compute|studies`."""
    top = argparse.ArgumentParser(
        prog="python -m core", description="Train random networks in which only some parameters train."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="train|count|capsule|compute|studies")

    train = commands.add_parser(
        "train",
        help="train one network; the same command resumes it",
        description="Train one network. --out gets spec.json, events.jsonl, checkpoints and final.safetensors; "
        "the same command with the same --out resumes it after a stop.",
    )
    train.add_argument("--architecture", metavar="NAME", help=f"e.g. {', '.join(FEATURED[:5])}, wrn-14-4")
    train.add_argument("--policy", metavar="NAME", help=f"what trains: {', '.join(POLICIES)}")
    train.add_argument("--dataset", metavar="NAME", help=", ".join(DATASETS))
    train.add_argument("--task", metavar="NAME", help=f"a variant of the data set: {', '.join(TASKS)}, permuted-N")
    train.add_argument("--epochs", metavar="N", help="passes over the training images; the paper's recipe: 160")
    train.add_argument("--replicate", metavar="N", help="index from which all seeds are derived (default 0)")
    train.add_argument("--train-examples", metavar="N", help="train on N images only (default: all)")
    train.add_argument("--test-examples", metavar="N", help="test on N images only (default: all)")
    train.add_argument("--name", help="a label for the run")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other field: --set lr=0.05, --set seeds.init=7",
    )
    train.add_argument(
        "--preset",
        metavar="NAME",
        help="; ".join(f"{preset.name}: {preset.title}, {preset.source}" for preset in PRESETS.values()),
    )
    train.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="start from the tensors of a capsule or a safetensors state dict, ours or torchvision's",
    )
    train.add_argument("--spec", type=Path, metavar="FILE", help="read the whole spec from a JSON file instead")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of this run")
    train.add_argument("--events", choices=["-"], help="-: one JSON event per line on standard output")
    train.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda, cuda:1")
    train.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    train.add_argument("--no-analysis", action="store_true", help="skip the analyses of the trained network at the end")
    train.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    train.add_argument("--attempt", type=int, default=1, help=argparse.SUPPRESS)
    train.add_argument("--lifeline", action="store_true", help=argparse.SUPPRESS)
    train.add_argument("--lease", type=float, help=argparse.SUPPRESS)

    count = commands.add_parser("count", help="count parameters and multiply-adds without building the network")
    count.add_argument("--architecture", required=True, metavar="NAME")
    count.add_argument("--policy", required=True, metavar="NAME")
    count.add_argument("--classes", type=int, default=10, metavar="N", help="default 10")
    count.add_argument("--channels", type=int, default=3, metavar="N", help="of the images; default 3")
    count.add_argument("--size", type=int, default=32, metavar="PIXELS", help="side of the images; default 32")
    count.add_argument("--json", action="store_true", help="print JSON")
    _capsule(commands.add_parser("capsule", help="look at, evaluate or verify a trained network's file"))
    _compute(commands.add_parser("compute", help="compute γ and β of a wide random network by least squares"))
    studies.add_to(commands)
    return top


def _compute(compute: argparse.ArgumentParser) -> None:
    compute.description = (
        "Compute γ and β of a random network, layer by layer by least squares, so that it answers like a trained one "
        "with fewer channels, its teacher. Nothing is trained; --out is a capsule like that of a run."
    )
    compute.add_argument("teacher", type=Path, metavar="FILE", help="the capsule of a finished run of resnet or wrn")
    compute.add_argument("--architecture", required=True, metavar="NAME", help="the student's, such as wrn-14-4")
    compute.add_argument("--out", type=Path, required=True, metavar="FILE", help="the student's capsule")
    compute.add_argument("--replicate", type=int, metavar="N", help="of the student's seeds (default: the teacher's)")
    compute.add_argument("--images", type=int, default=2048, metavar="N", help="training images; default 2048")
    compute.add_argument(
        "--test-examples", type=int, metavar="N", help="test on N images only (default: as the teacher)"
    )
    compute.add_argument("--last-only", action="store_true", help="leave all norm layers but the last as drawn")
    compute.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    compute.add_argument("--json", action="store_true", help="print JSON, one object for each layer and the result")


def _capsule(capsule: argparse.ArgumentParser) -> None:
    capsule.description = (
        "A capsule is the file final.safetensors of a run: its spec, its seeds and its trained values, from which the "
        "whole network is rebuilt. show: its contents; evaluate: its test accuracy; verify: whether the rebuilt "
        "network reproduces the stored result (exit code 1 if not); surgery: the accuracy without some of its "
        "features, as JSON lines; adapt: the accuracy on corrupted test images, as trained, with their statistics, and "
        "with γ and β adapted to them without labels (TENT); link: the network itself as a link, with 8 bits a number; "
        "qr: that link as a QR code; open: a link as a capsule; pack: several tasks over one random network in one "
        "file, which show and evaluate take, too; unpack: the capsules of a pack."
    )
    actions = ["show", "evaluate", "verify", "surgery", "adapt", "link", "qr", "open", "pack", "unpack"]
    capsule.add_argument("action", choices=actions)
    capsule.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="one; for pack two or more; surgery -: requests as lines on standard input; open: a link, a file with "
        "one, or - for standard input",
    )
    capsule.add_argument("--dataset", metavar="NAME", help="evaluate on another data set of the same shape")
    capsule.add_argument("--task", metavar="NAME", help="evaluate on another task, such as rotated-1")
    capsule.add_argument(
        "--across", action="store_true", help="evaluate a pack: every task’s γ and β on every task, too"
    )
    capsule.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="what to write; pack: the file; unpack: the folder; qr: the SVG picture; open: the capsule",
    )
    capsule.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda")
    capsule.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: as many as trained it)")
    capsule.add_argument("--json", action="store_true", help="print JSON")
    capsule.add_argument(
        "--request",
        type=Path,
        metavar="FILE",
        help='surgery, link, qr: a JSON file with what to edit, such as {"edits": [{"action": "zero", "below": 0.01}]}',
    )
    _adapt(capsule)
    group = capsule.add_argument_group("link, qr, open")
    group.add_argument("--site", metavar="URL", help="the site whose player opens the link (without it: its text only)")
    group.add_argument("--no-measure", action="store_true", help="skip measuring what the 8 bits cost")


def _adapt(capsule: argparse.ArgumentParser) -> None:
    group = capsule.add_argument_group("adapt")
    group.add_argument(
        "--corruption", action="append", metavar="NAME", help=f"{', '.join(CORRUPTIONS)}; repeatable (default: all)"
    )
    group.add_argument(
        "--severity", action="append", metavar="N", help="1 to 5, 0: the clean images; repeatable (default: 3)"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another setting: --set lr=0.0001, --set batch_size=200, --set optimizer=sgd, --set images=1000, "
        "--set seed=1",
    )
    group.add_argument("--csv", action="store_true", help="print CSV")


def adaptation_of(arguments: argparse.Namespace) -> Adaptation:
    """What a `capsule adapt` command line asks for. Raises BadArguments."""
    fields: dict[str, Any] = {}
    if arguments.corruption:
        fields["corruptions"] = arguments.corruption
    if arguments.severity:
        fields["severities"] = [_number(text) for text in arguments.severity]
    for assignment in arguments.set:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise BadArguments(f"--set takes KEY=VALUE, got {assignment!r}")
        fields[key] = _number(value)
    try:
        return Adaptation.model_validate(fields)
    except ValidationError as error:
        raise BadArguments(first_fault(error)) from error


def one_file(arguments: argparse.Namespace) -> Path:
    """The only file of a `capsule` command line. Raises BadArguments."""
    if len(arguments.files) > 1:
        raise BadArguments(f"capsule {arguments.action} takes one file, got {len(arguments.files)}")
    return arguments.files[0]


def check_threads(arguments: argparse.Namespace) -> None:
    """Raises BadArguments if the number of CPU threads is out of range."""
    if arguments.threads is not None and not 1 <= arguments.threads <= 1024:
        raise BadArguments(f"threads must be 1..1024, got {arguments.threads}")


def spec_of(arguments: argparse.Namespace) -> RunSpec:
    """The spec that a `train` command line means. Raises BadArguments."""
    try:
        if arguments.spec:
            _refuse_beside_spec(arguments)
            return _with_start(RunSpec.model_validate_json(arguments.spec.read_bytes()), arguments.start)
        fields = _preset(arguments.preset)
        fields |= {key: _number(value) for key in FIELDS if (value := getattr(arguments, key)) is not None}
        if arguments.name is not None:
            fields["name"] = arguments.name
        for assignment in arguments.set:
            _assign(fields, assignment)
        return _with_start(RunSpec.model_validate(fields), arguments.start)
    except ValidationError as error:
        raise BadArguments(explain(error)) from error
    except OSError as error:
        raise BadArguments(f"cannot read {arguments.spec}: {error.strerror}") from error


def _preset(name: str | None) -> dict[str, Any]:
    """The fields that preset `name` sets; the other arguments override them."""
    if name is None:
        return {}
    try:
        preset = PRESETS[name]
    except UnknownName as error:
        raise BadArguments(str(error)) from error
    epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
    return {**epochs, "recipe": dict(preset.recipe)}


def _refuse_beside_spec(arguments: argparse.Namespace) -> None:
    """Raises BadArguments for arguments that --spec would silently ignore, because its file has the whole spec."""
    given = [key for key in (*FIELDS, "name", "preset") if getattr(arguments, key) is not None]
    words = [f"--{key.replace('_', '-')}" for key in given] + [f"--set {assignment}" for assignment in arguments.set]
    if words:
        raise BadArguments(f"--spec has the whole spec; leave out {', '.join(words)}, or change {arguments.spec}")


def _with_start(spec: RunSpec, file: Path | None) -> RunSpec:
    """`spec` with `file` as its start, if there is one."""
    if file is None:
        return spec
    try:
        header = header_of(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except BadTensorFile as error:
        raise BadArguments(f"{file} {error}") from error
    except OSError as error:
        raise BadArguments(f"cannot read {file}: {error.strerror}") from error
    if problem := misfit(header.shapes, spec.plan):
        raise BadArguments(f"{file} {problem}")
    return RunSpec.model_validate({**spec.model_dump(), "start": digest})


def _number(text: str) -> Any:
    """`text` as JSON (a number, a list, null, true), or itself where it is a word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _assign(fields: dict[str, Any], assignment: str) -> None:
    """Put `key=value` into `fields`; `key` may be dotted (recipe.lr), and the recipe's own fields need no prefix."""
    key, equals, value = assignment.partition("=")
    if not equals or not key:
        raise BadArguments(f"--set takes KEY=VALUE, got {assignment!r}")
    path = key.split(".")
    if len(path) == 1 and key in Recipe.model_fields:
        path = ["recipe", key]
    for part in path[:-1]:
        inner = fields.setdefault(part, {})
        if not isinstance(inner, dict):
            raise BadArguments(f"--set {key}: {part} has no parts")
        fields = inner
    fields[path[-1]] = _number(value)
