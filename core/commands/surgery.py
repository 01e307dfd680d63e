"""`python -m core capsule surgery FILE --request REQUEST.json`: evaluates an edited or adapted network, as JSON lines.

It prints {"event": "progress", "share": 0..1} while it works, and {"event": "result", ...} at the end. With `-` as FILE
it answers requests that come as lines on standard input, {"file": PATH, "request": {...}}, until the input ends: torch
and the network take seconds to load, and stay loaded for the next request. A bad request then gives
{"event": "refused", "message": ...}.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from core.catalog.model import first_fault
from core.commands.arguments import BadArguments
from core.commands.capsule import REFUSALS, capsule_of, elsewhere
from core.commands.exit_codes import DONE
from core.data.batches import batches
from core.data.memory import DataUnavailable
from core.engine.choice import make_engine
from core.machine.files import datasets_folder
from core.machine.lifeline import die_with_launcher
from core.machine.processor import available_cores
from core.network.devices import device_of, device_title
from core.run.adaptation import Adaptation, Adapted
from core.run.edits import BadEdits, SurgeryRequest, adapted_images, check, evaluated_images
from core.run.link.link import NoLink
from core.run.spec import RunSpec
from core.trained.capsule import BadCapsule, Capsule, rebuild
from core.trained.linked import price
from core.trained.sights import sights
from core.trained.surgery import Operation, compare, show
from core.training.adaptation import adapting

SAY_EVERY_S = 0.2


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks. Raises one of REFUSALS."""
    theatre = Theatre(arguments.device, arguments.threads)
    if str(arguments.file) == "-":
        return serve(theatre)
    if arguments.request is None:
        raise BadArguments("surgery needs --request FILE, which says what to edit and what to look at")
    try:
        content = arguments.request.read_bytes()
    except OSError as error:
        raise BadArguments(f"cannot read {arguments.request}: {error.strerror}") from error
    theatre.work(arguments.file, content)
    return DONE


def serve(theatre: Theatre) -> int:
    """Answer the requests on standard input, one after another."""
    die_with_launcher()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            theatre.work(Path(asked["file"]), json.dumps(asked["request"]).encode())
        except REFUSALS as error:
            theatre.clear()
            _say("refused", message=str(error))
    return DONE


@dataclass
class Theatre:
    """Where surgery is done: `device`, `threads` (None: as many as trained the network), and the last network."""

    device: str
    threads: int | None = None
    _last: tuple[str, Capsule, Operation] | None = None

    def clear(self) -> None:
        """Forget the network, because its evaluation failed or another one is next."""
        self._last = None

    def work(self, file: Path, content: bytes) -> None:
        """Print the result of the request `content` (JSON) on the capsule `file`. Raises one of REFUSALS."""
        began = time.monotonic()
        capsule, on = self._prepared(file)
        request = request_of(content, capsule.spec)
        try:
            result = _result(on, request, capsule)
        except DataUnavailable as error:
            raise BadArguments(str(error)) from error
        except RuntimeError as error:
            raise BadArguments(f"cannot evaluate on {self.device}: {str(error).splitlines()[0]}") from error
        where = _where(capsule, self.device, on.engine.words)
        _say("result", **where, **result, seconds=round(time.monotonic() - began, 3))

    def _prepared(self, file: Path) -> tuple[Capsule, Operation]:
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise BadCapsule(f"cannot read {file}: {error.strerror}") from error
        if self._last is None or self._last[0] != digest:
            self.clear()  # frees its memory before the next one needs it
            capsule = capsule_of(file)
            torch.set_num_threads(self.threads or min(capsule.origin.threads, available_cores()))
            try:
                self._last = digest, capsule, operation_on(capsule, self.device)
            except DataUnavailable as error:
                raise BadArguments(str(error)) from error
        return self._last[1:]


def request_of(content: bytes, spec: RunSpec) -> SurgeryRequest:
    """What `content` (JSON) asks of a network of `spec`. Raises BadArguments."""
    try:
        request = SurgeryRequest.model_validate_json(content)
        check(request, spec)
    except ValidationError as error:
        raise BadArguments(first_fault(error)) from error
    except BadEdits as error:
        raise BadArguments(str(error)) from error
    return request


def operation_on(capsule: Capsule, device_name: str) -> Operation:
    """The rebuilt network of `capsule` on a device, with its test images. Raises DataUnavailable."""
    device, spec = device_of(device_name), capsule.spec
    network = rebuild(capsule, device)
    data = batches(spec, datasets_folder(), device)
    return Operation(network, spec, make_engine(network, spec, device), data, device)


def _result(on: Operation, request: SurgeryRequest, capsule: Capsule) -> dict[str, Any]:
    if request.look:
        return show(on, request.edits, request.look)
    if request.sight:
        return sights(on, request.sight)
    if request.adapt:
        return _adapted(on, request.adapt, adapted_images(request.adapt, on.spec))
    if request.link:
        return _priced(on, request, capsule)
    result: dict[str, Any] = _saying(compare(on, request.edits, evaluated_images(on.spec)))
    return result


def _priced(on: Operation, request: SurgeryRequest, capsule: Capsule) -> dict[str, Any]:
    try:
        result: dict[str, Any] = _saying(price(on, capsule, request.edits, evaluated_images(on.spec)))
    except NoLink as error:
        raise BadArguments(str(error)) from error
    return result


def _adapted(on: Operation, adaptation: Adaptation, images: int) -> dict[str, Any]:
    rows: tuple[Adapted, ...] = _saying(adapting(on.network, on.spec, on.batches, adaptation, images))
    return {
        "adapted": [row.model_dump() for row in rows],
        "images": rows[0].images,
        "test_images": on.batches.test_images,
    }


def _saying(steps: Generator[float, None, Any]) -> Any:
    """The result of `steps`; tells the progress that they yield."""
    spoke = 0.0
    while True:
        try:
            share = next(steps)
        except StopIteration as done:
            return done.value
        if time.monotonic() - spoke >= SAY_EVERY_S:
            spoke = time.monotonic()
            _say("progress", share=round(share, 3))


def _where(capsule: Capsule, device_name: str, engine: str) -> dict[str, Any]:
    """What computed the result, and why its last digits may differ from those of the training; None: they do not."""
    title = device_title(device_of(device_name))
    return {
        "device": title,
        "threads": torch.get_num_threads(),
        "engine": engine,
        "elsewhere": elsewhere(title, engine, capsule.origin),
    }


def _say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)
