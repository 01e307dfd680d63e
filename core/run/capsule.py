"""A capsule's header: its spec, its result, where it was made, and which tensors it must hold. Imports no torch.

core/trained/capsule.py reads the whole file. `checked` checks one that came from outside without building a network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from math import prod

import numpy as np
from pydantic import Field, ValidationError

from core.catalog.model import Model
from core.machine.files import CAPSULE_FORMAT
from core.machine.processor import MAX_LENGTH
from core.run.events import Finished
from core.run.layout import Slot, layout
from core.run.parameters import Floats, read_tensors
from core.run.problems import explain
from core.run.spec import STORED, RunSpec
from core.run.tensorfile import BadTensorFile, Header, read_header

VERSION = "1"
DAMAGED = "is damaged: its tensors do not match its result (their digests differ)"
NOT_FINITE, NEGATIVE = "a value that is not a finite number", "a negative variance"


class Origin(Model):
    """Where a capsule was made: what can make the last bits of an evaluation differ elsewhere.

    `device` is that of each of its `processes`. `processor` and `engine` (what computed, in words) are empty in
    capsules from before they were recorded. `torch` is "none" where a browser made it.
    """

    torch: str
    device: str
    threads: int = Field(ge=1, le=1024)
    processes: int = Field(1, ge=1, le=4096)
    processor: str = Field("", max_length=MAX_LENGTH)
    engine: str = Field("", max_length=MAX_LENGTH)

    @property
    def in_browser(self) -> bool:
        """Whether a browser trained it."""
        return self.torch == "none"


@dataclass(frozen=True)
class CapsuleHeader:
    """What the header of a capsule says; `carried` and `frozen` as in Capsule. `stated` is the JSON of the spec,
    `more` the names of what else it says."""

    spec: RunSpec
    result: Finished
    origin: Origin
    carried: tuple[str, ...]
    frozen: str
    stated: str
    more: frozenset[str]


def stated_in(header: Header) -> CapsuleHeader:
    """What `header` says, if it is that of a capsule. Raises BadTensorFile."""
    told = header.metadata
    if told.get("format") != CAPSULE_FORMAT:
        raise BadTensorFile("is a safetensors file, but not a capsule of OnlyBN")
    if told.get("version") != VERSION:
        raise BadTensorFile(
            f"is a capsule of version {told.get('version', 'unknown')[:20]}; this program reads version {VERSION}"
        )
    missing = [key for key in ("spec", "result", "origin", "frozen") if key not in told]
    if missing:
        raise BadTensorFile(f"is a capsule without {' and '.join(missing)}")
    try:
        spec = RunSpec.model_validate_json(told["spec"], context=STORED)
    except ValidationError as error:
        raise BadTensorFile(f"holds a spec that cannot be run here: {explain(error)}") from error
    try:
        result, origin = Finished.model_validate_json(told["result"]), Origin.model_validate_json(told["origin"])
        carried = json.loads(told.get("carried", "[]"))
    except (ValueError, RecursionError) as error:
        raise BadTensorFile("holds a result that cannot be read") from error
    if not (isinstance(carried, list) and all(isinstance(name, str) for name in carried)):
        raise BadTensorFile("holds a list of frozen tensors that cannot be read")
    return CapsuleHeader(spec, result, origin, tuple(carried), told["frozen"], told["spec"], frozenset(told))


def slots_of(spec: RunSpec, carried: tuple[str, ...]) -> tuple[Slot, ...]:
    """The tensors that a capsule of `spec` holds. Raises BadTensorFile."""
    whole = {name for name, trained in spec.trains.items() if trained.how == "whole"}
    known = {parameter.name for parameter in spec.plan.parameters} - whole
    strange = [name for name in carried if name not in known]
    if strange or len(set(carried)) != len(carried):
        raise BadTensorFile(f"carries frozen tensors that {spec.architecture} does not have: {', '.join(strange[:3])}")
    return layout(spec, carried)


def check_groups(header: Header, slots: tuple[Slot, ...]) -> None:
    """Raises BadTensorFile if the tensors of a capsule are not those of its `slots`."""
    wanted: dict[str, int] = {}
    for slot in slots:
        wanted[slot.group] = wanted.get(slot.group, 0) + prod(slot.shape)
    missing, extra = sorted(wanted.keys() - header.entries.keys()), sorted(header.entries.keys() - wanted.keys())
    if missing:
        raise BadTensorFile(f"is a capsule without the tensors that its spec requires: {', '.join(missing)}")
    if extra:
        raise BadTensorFile(f"is a capsule with tensors that its spec does not have: {', '.join(extra[:5])[:200]}")
    for name, entry in header.entries.items():
        if (entry.dtype, entry.shape) != ("F32", (wanted[name],)):
            raise BadTensorFile(
                f"holds {name} as {entry.dtype} of shape {list(entry.shape)}; its spec requires F32 of shape "
                f"[{wanted[name]}]"
            )


def checked(content: bytes) -> CapsuleHeader:
    """The header of the capsule in `content`, whose tensors are those of its spec, usable, and the ones that its result
    names. Raises BadTensorFile."""
    header = read_header(BytesIO(content), len(content))
    stated = stated_in(header)
    check_groups(header, slots_of(stated.spec, stated.carried))
    tensors = read_tensors(content, stated.spec)
    for name, values in tensors.items():
        if problem := _unusable(name, values):
            raise BadTensorFile(f"holds {problem}, in {name}")
    if (
        _digest({name: values for name, values in tensors.items() if name not in stated.carried})
        != stated.result.digest
    ):
        raise BadTensorFile(DAMAGED)
    return stated


def _unusable(name: str, values: Floats) -> str | None:
    if not np.isfinite(values).all():
        return NOT_FINITE
    return NEGATIVE if name.endswith("running_var") and (values < 0).any() else None


def _digest(tensors: dict[str, Floats]) -> str:
    """As core/network/tensors.py has it."""
    total = hashlib.sha256()
    for name, values in sorted(tensors.items()):
        total.update(name.encode())
        total.update(values.tobytes())
    return total.hexdigest()
