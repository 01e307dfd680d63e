"""`python -m core capsule surgery FILE --request REQUEST.json`: an edited network evaluated, one JSON object a line.

{"event": "progress", "share": 0..1} while it works, and last {"event": "result", ...}.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from core.capsule import Capsule, rebuild
from core.capsule_command import DONE, BadUse, capsule_of, device_of, device_title, elsewhere
from core.datasets.batches import batches
from core.datasets.memory import DataUnavailable
from core.edits import BadEdits, SurgeryRequest, check, evaluated_images
from core.engine.engine import make_engine
from core.processor import available_cores
from core.surgery import Operation, compare, show

SAY_EVERY_S = 0.2


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks. Raises BadCapsule, BadUse."""
    if arguments.request is None:
        raise BadUse("surgery needs --request FILE: what to edit and what to look at")
    began = time.monotonic()
    capsule = capsule_of(arguments.file)
    request = _request(arguments.request, capsule)
    torch.set_num_threads(arguments.threads or min(capsule.origin.threads, available_cores()))
    try:
        result = _result(_operation(capsule, arguments.device), request)
    except DataUnavailable as error:
        raise BadUse(str(error)) from error
    except RuntimeError as error:
        raise BadUse(f"cannot evaluate on {arguments.device}: {str(error).splitlines()[0]}") from error
    _say("result", **_where(capsule, arguments.device, result.pop("engine")), **result, seconds=_since(began))
    return DONE


def _request(path: Path, capsule: Capsule) -> SurgeryRequest:
    try:
        request = SurgeryRequest.model_validate_json(path.read_bytes())
        check(request, capsule.spec)
    except OSError as error:
        raise BadUse(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadUse(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except BadEdits as error:
        raise BadUse(str(error)) from error
    return request


def _operation(capsule: Capsule, device_name: str) -> Operation:
    device, spec = device_of(device_name), capsule.spec
    network = rebuild(capsule, device)
    folder = Path(os.environ.get("ONLYBN_DATA") or "data") / "datasets"
    return Operation(network, spec, make_engine(network, spec, device), batches(spec, folder, device), device)


def _result(on: Operation, request: SurgeryRequest) -> dict[str, Any]:
    if request.look:
        return {"engine": on.engine.words, **show(on, request.edits, request.look)}
    steps, spoke = compare(on, request.edits, evaluated_images(on.spec)), 0.0
    while True:
        try:
            share = next(steps)
        except StopIteration as done:
            return {"engine": on.engine.words, **done.value}
        if time.monotonic() - spoke >= SAY_EVERY_S:
            spoke = time.monotonic()
            _say("progress", share=round(share, 3))


def _where(capsule: Capsule, device_name: str, engine: str) -> dict[str, Any]:
    """What computed it, and why its last digits may differ from those of the training; null: they do not."""
    title = device_title(device_name)
    return {
        "device": title,
        "threads": torch.get_num_threads(),
        "engine": engine,
        "elsewhere": elsewhere(title, engine, capsule.origin),
    }


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)
