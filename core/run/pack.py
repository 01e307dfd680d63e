"""A pack: the capsules of several tasks over one random network, in one safetensors file. Imports no torch.

The network is drawn once from the seed; a task is its γ and β, its running statistics and, where it trained, its output
layer: kilobytes. The capsules lie in the pack as they were, so unpacking gives back the same bytes. Tensor `gamma` of
capsule 2 is `2.gamma`; the metadata have the headers of the capsules, in order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from pydantic import ValidationError

from core.catalog.plan import AFFINE, OUTPUT
from core.machine.files import CAPSULE_FORMAT
from core.run.layout import layout
from core.run.problems import explain
from core.run.spec import STORED, RunSpec
from core.run.tensorfile import BadTensorFile, Header, read_header

PACK_FORMAT = "onlybn-pack"
"""The value of `format` in a pack's metadata."""
VERSION = "1"
FEWEST, MOST = 2, 64
"""Capsules of a pack."""
MAX_BYTES = 64 << 20
SWAPPED = AFFINE | OUTPUT
"""What a task may have trained; everything else is the shared network."""


class BadPack(ValueError):
    """A file that is not a valid pack, or capsules that make none; the message says why."""


@dataclass(frozen=True)
class Packed:
    """A capsule as its file has it: its name for a person, its bytes, its header, where the header's text ends, and
    its spec."""

    name: str
    content: bytes
    header: Header
    end: int
    spec: RunSpec

    @property
    def title(self) -> str:
        """Its task, for a person: `Digits, rotated by 90°`."""
        return self.spec.data.title

    @property
    def kept_bytes(self) -> int:
        """The bytes of what belongs to its task alone: what trained, and the running statistics."""
        return len(self.content) - self.end


def packed(name: str, content: bytes) -> Packed:
    """The capsule in `content`, called `name` in messages. Raises BadPack."""
    file = BytesIO(content)
    try:
        header = read_header(file, len(content))
        if header.metadata.get("format") != CAPSULE_FORMAT:
            pack = header.metadata.get("format") == PACK_FORMAT
            raise BadTensorFile("is a pack: unpack it first" if pack else "is not a capsule of OnlyBN")
        spec = RunSpec.model_validate_json(header.metadata.get("spec", ""), context=STORED)
    except BadTensorFile as error:
        raise BadPack(f"{name} {error}") from error
    except ValidationError as error:
        raise BadPack(f"{name} holds a spec that cannot be run here: {explain(error)}") from error
    return Packed(name, content, header, file.tell(), spec)


def pack(capsules: Sequence[Packed]) -> bytes:
    """The file of these capsules, in their order. Raises BadPack where they are not tasks of one network."""
    check(capsules)
    rows: dict[str, object] = {}
    reached = 0
    for number, capsule in enumerate(capsules):
        for name, entry in capsule.header.entries.items():
            place = [reached + entry.begin, reached + entry.end]
            rows[f"{number}.{name}"] = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": place}
        reached += capsule.kept_bytes
    headers = [capsule.content[8 : capsule.end].decode() for capsule in capsules]
    metadata = {"format": PACK_FORMAT, "version": VERSION, "capsules": json.dumps(headers, ensure_ascii=False)}
    text = json.dumps({"__metadata__": metadata, **rows}, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(capsule.content[capsule.end :] for capsule in capsules)


def unpack(name: str, content: bytes) -> list[Packed]:
    """The capsules of the pack in `content`, called `name` in messages, byte by byte as they were. Raises BadPack."""
    file = BytesIO(content)
    try:
        header = read_header(file, len(content))
        headers = _headers(header)
    except BadTensorFile as error:
        raise BadPack(f"{name} {error}") from error
    found, reached = [], file.tell()
    for number, text in enumerate(headers):
        size = sum(e.end - e.begin for key, e in header.entries.items() if key.startswith(f"{number}."))
        written = text.encode()
        data = content[reached : reached + size]
        found.append(packed(f"{name}: capsule {number}", len(written).to_bytes(8, "little") + written + data))
        reached += size
    check(found)
    if pack(found) != content:
        raise BadPack(f"{name} is damaged: its tensors are not those that its capsules name")
    return found


def is_pack(header: Header) -> bool:
    return header.metadata.get("format") == PACK_FORMAT


def check(capsules: Sequence[Packed]) -> None:
    """Raises BadPack where `capsules` are not tasks of one random network, each another one."""
    if not FEWEST <= len(capsules) <= MOST:
        raise BadPack(f"a pack has from {FEWEST} to {MOST} capsules, got {len(capsules)}")
    first = capsules[0]
    for capsule in capsules:
        _check_trained(capsule)
    for capsule in capsules[1:]:
        for what, here, there in zip(SHARED, _shared(capsule.spec), _shared(first.spec), strict=True):
            if here != there:
                raise BadPack(f"{capsule.name} has another {what} ({here}) than {first.name} ({there})")
        if capsule.header.metadata.get("frozen") != first.header.metadata.get("frozen"):
            raise BadPack(f"{capsule.name} has other frozen weights than {first.name}")
    seen: dict[object, Packed] = {}
    for capsule in capsules:
        if (other := seen.setdefault(_task(capsule.spec), capsule)) is not capsule:
            raise BadPack(f"{capsule.name} has the same task as {other.name}, {capsule.title}: a pack has each once")


SHARED = (
    *("architecture", "normalisation", "policy", "initialisation", "weight seed"),
    *("version of the draw", "shape of images", "number of classes"),
)
"""What the capsules of a pack have in common, in words, in the order of `_shared`."""


def _shared(spec: RunSpec) -> tuple[object, ...]:
    norm, shape = spec.norm.title, " × ".join(map(str, spec.data.shape))
    return (
        *(spec.architecture, norm, spec.policy, f"{spec.init.weights}, {spec.init.norm}", spec.seeds.init),
        *(spec.draw, shape, len(spec.data.classes)),
    )


def swappable(spec: RunSpec) -> bool:
    """Whether a run of `spec` trains what a pack can swap, and nothing else."""
    return bool(layout(spec)) and not _unswappable(spec)


def together(specs: Sequence[RunSpec]) -> list[list[int]]:
    """Which of `specs` are tasks of one random network: groups of their places, of each task the first, largest groups
    first."""
    groups: dict[str, dict[object, int]] = {}
    for place, spec in enumerate(specs):
        if swappable(spec) and spec.start is None:
            groups.setdefault(repr(_shared(spec)), {}).setdefault(_task(spec), place)
    found = [list(tasks.values())[:MOST] for tasks in groups.values() if len(tasks) >= FEWEST]
    return sorted(found, key=len, reverse=True)


def _task(spec: RunSpec) -> object:
    """What no two capsules of a pack may have in common."""
    return (spec.dataset, spec.copy_of_data, spec.contents, spec.task)


def _unswappable(spec: RunSpec) -> list[str]:
    roles = {parameter.name: parameter.role for parameter in spec.plan.parameters}
    return [name for name, trained in spec.trains.items() if trained.how != "whole" or roles[name] not in SWAPPED]


def _check_trained(capsule: Packed) -> None:
    spec = capsule.spec
    if others := _unswappable(spec):
        raise BadPack(
            f"{capsule.name} trained {others[0]} (policy {spec.policy}): a pack swaps γ, β and the output layer, all "
            "other weights are those of the one random network"
        )
    if capsule.header.metadata.get("carried"):
        raise BadPack(f"{capsule.name} started from a file whose weights no seed gives back: a pack cannot share them")
    if not layout(spec):
        raise BadPack(f"{capsule.name} trained nothing: there is nothing to swap")


def _headers(header: Header) -> list[str]:
    told = header.metadata
    if not is_pack(header):
        capsule = told.get("format") == CAPSULE_FORMAT
        raise BadTensorFile(
            "is a capsule, not a pack" if capsule else "is a safetensors file, but not a pack of OnlyBN"
        )
    if told.get("version") != VERSION:
        raise BadTensorFile(
            f"is a pack of version {told.get('version', 'unknown')[:20]}; this program reads version {VERSION}"
        )
    try:
        headers = json.loads(told.get("capsules", ""))
    except (ValueError, RecursionError) as error:
        raise BadTensorFile("holds a list of capsules that cannot be read") from error
    if not (isinstance(headers, list) and all(isinstance(text, str) for text in headers)):
        raise BadTensorFile("holds a list of capsules that cannot be read")
    return headers
