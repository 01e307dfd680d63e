"""A capsule: a trained network as its spec, its seeds and the few tensors that trained, in one safetensors file.

The frozen weights are not in it, because the seed gives them back; so ResNet-866 trained under `batchnorm` takes about
half a megabyte. Tensors of one kind lie behind each other in one flat float32 tensor (`gamma`, `beta`, `running_mean`,
...), in forward order: names and shapes follow from the spec, and would take more room than the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from core.machine.files import CAPSULE, CAPSULE_FORMAT, write_atomically
from core.machine.processor import processor
from core.network.builder import Network
from core.network.freezing import draw_network
from core.network.tensors import digest_of
from core.run.capsule import DAMAGED, NEGATIVE, NOT_FINITE, VERSION, Origin, check_groups, slots_of, stated_in
from core.run.events import Finished
from core.run.layout import Slot, layout
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile, Header, header_of, read_header

MAX_WORDS = 200


class BadCapsule(ValueError):
    """A file that is not a valid capsule; the message says what is wrong with it."""


def origin_here(device: str, processes: int, engine: str) -> Origin:
    """This process, as one of `processes`."""
    return Origin(
        torch=torch.__version__,
        device=device,
        threads=torch.get_num_threads(),
        processes=processes,
        processor=processor(),
        engine=engine,
    )


@dataclass(frozen=True)
class Capsule:
    """`tensors`: by name, what trained, the running statistics, and the frozen tensors that it must carry itself.

    `carried`: names of these last ones; only a run that started from a file has any. `frozen`: the digest of all
    frozen tensors of the network. `computed`: how γ and β were computed, in words, if nothing was trained. `linked`:
    what it lost, in words, if it came out of a link, whose numbers have 8 bits.
    """

    spec: RunSpec
    result: Finished
    origin: Origin
    tensors: dict[str, Tensor]
    carried: tuple[str, ...]
    frozen: str
    size_bytes: int = 0
    computed: str = ""
    linked: str = ""


def frozen_digest(network: nn.Module, trained: dict[str, Tensor]) -> str:
    """SHA-256 over the tensors of `network` that are not among `trained`."""
    return digest_of({name: tensor for name, tensor in network.state_dict().items() if name not in trained})


def pack(capsule: Capsule) -> bytes:
    """The bytes of the file."""
    groups: dict[str, list[Tensor]] = {}
    for slot in layout(capsule.spec, capsule.carried):
        groups.setdefault(slot.group, []).append(capsule.tensors[slot.name].detach().float().cpu().contiguous())
    metadata = {
        "format": CAPSULE_FORMAT,
        "version": VERSION,
        "spec": capsule.spec.model_dump_json(),
        "result": capsule.result.model_dump_json(),
        "origin": capsule.origin.model_dump_json(),
        "frozen": capsule.frozen,
    }
    if capsule.carried:
        metadata["carried"] = json.dumps(capsule.carried)
    if capsule.computed:
        metadata["computed"] = capsule.computed
    if capsule.linked:
        metadata["linked"] = capsule.linked
    return save({name: torch.cat([t.flatten() for t in parts]) for name, parts in groups.items()}, metadata=metadata)


def save_capsule(folder: Path, capsule: Capsule) -> None:
    """Write the capsule into the folder of its run, whole or not at all. Raises OSError."""
    write_atomically(folder / CAPSULE, pack(capsule))


def read_capsule(path: Path) -> Capsule:
    """The capsule at `path`, checked against its own spec. Raises BadCapsule, OSError.

    It reads only a bounded header until it knows that the sizes are those that the spec demands.
    """
    try:
        header = header_of(path)
    except BadTensorFile as error:
        raise BadCapsule(f"{path} {error}") from error
    return _capsule(str(path), header, path.read_bytes)


def capsule_in(content: bytes, name: str) -> Capsule:
    """The capsule whose file has this content, checked likewise; messages call it `name`. Raises BadCapsule."""
    try:
        header = read_header(BytesIO(content), len(content))
    except BadTensorFile as error:
        raise BadCapsule(f"{name} {error}") from error
    return _capsule(name, header, lambda: content)


def _capsule(name: str, header: Header, content: Callable[[], bytes]) -> Capsule:
    try:
        stated = stated_in(header)
        spec, result, carried = stated.spec, stated.result, stated.carried
        slots = slots_of(spec, carried)
        check_groups(header, slots)
        tensors = _unpacked(load(content()), slots)
    except (BadTensorFile, SafetensorError) as error:
        raise BadCapsule(f"{name} {error}") from error
    if problem := unusable(tensors):
        raise BadCapsule(f"{name} {problem}")
    if digest_of({name: tensor for name, tensor in tensors.items() if name not in carried}) != result.digest:
        raise BadCapsule(f"{name} {DAMAGED}")
    computed, linked = (header.metadata.get(key, "")[:MAX_WORDS] for key in ("computed", "linked"))
    return Capsule(spec, result, stated.origin, tensors, carried, stated.frozen, header.size_bytes, computed, linked)


def unusable(tensors: dict[str, Tensor]) -> str | None:
    """Which value in `tensors` cannot come from a training and would make every answer NaN; None: there is none."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            return f"holds {NOT_FINITE}, in {name}"
        if name.endswith("running_var") and (tensor < 0).any():
            return f"holds {NEGATIVE}, in {name}; a variance is 0 or more"
    return None


def _unpacked(groups: dict[str, Tensor], slots: tuple[Slot, ...]) -> dict[str, Tensor]:
    pieces: dict[str, Iterator[Tensor]] = {}
    for group, flat in groups.items():
        sizes = [prod(slot.shape) for slot in slots if slot.group == group]
        pieces[group] = iter(flat.split(sizes))
    return {slot.name: next(pieces[slot.group]).view(slot.shape) for slot in slots}


def rebuild(capsule: Capsule, device: torch.device | None = None) -> Network:
    """The trained network: drawn from the seed again, then the capsule's tensors. In evaluation mode.

    On the machine that trained it, it gives the same logits to the bit.
    """
    return rebuilt(capsule.spec, capsule.tensors, device)


def rebuilt(spec: RunSpec, tensors: Mapping[str, Tensor], device: torch.device | None = None) -> Network:
    """The network that the seeds of `spec` give, with `tensors` by name in place of what was drawn."""
    network, _ = draw_network(spec)
    own = network.state_dict()
    for name, tensor in tensors.items():
        own[name].copy_(tensor)
    network.to(device or torch.device("cpu")).to(memory_format=torch.channels_last)
    return network.requires_grad_(False).eval()


def has_its_seeds_weights(capsule: Capsule, network: nn.Module) -> bool:
    """Whether the frozen tensors of the rebuilt `network` are those that the run trained with."""
    trained = {name: tensor for name, tensor in capsule.tensors.items() if name not in capsule.carried}
    return frozen_digest(network, trained) == capsule.frozen
