"""Warm start: puts the tensors of a file, a capsule or a state dict, into a network that was just drawn.

So BatchNorm alone can be trained on features that another run has learned, perhaps on another data set.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from core.catalog.plan import Plan
from core.machine.files import CAPSULE_FORMAT, START
from core.network.builder import Network
from core.network.freezing import FrozenWeight, running_statistics
from core.run.tensorfile import BadTensorFile, header_of
from core.run.torchvision_names import COUNTERS, OUTPUT, PREFIX, is_torchvision, misfit, own_name
from core.trained.capsule import BadCapsule, read_capsule, rebuild, unusable

LISTED = 5


class BadStart(ValueError):
    """A run cannot start from its file; the message says why."""


@dataclass(frozen=True)
class Taken:
    """What a network took from a file.

    `taken`: names of the network's tensors that it took; `changed`: those of them that differ from what was drawn;
    `unlike`: tensors that the file has in another shape; `missing`: tensors that the file does not have; `others`:
    names in the file that the network does not know. `classes`: how many the output layer of a torchvision file has
    (0: it has none) and how many the network's, where these differ.
    """

    taken: tuple[str, ...]
    changed: tuple[str, ...]
    unlike: tuple[str, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]
    classes: tuple[int, int] | None = None

    @property
    def sentence(self) -> str:
        """In words, for the log of a run."""
        whole = len(self.taken) + len(self.unlike) + len(self.missing)
        parts = [f"loaded {len(self.taken)} of {whole} tensors from its file"]
        if self.classes:
            there, here = self.classes
            has = f"has {there:,} classes in the file and {here:,} here" if there else "is not in the file"
            parts.append(f"the output layer {has}, so it is drawn from the seed")
        drawn = OUTPUT if self.classes else ()
        for names, words in (
            (self.unlike, "in the file with another shape, left random"),
            (self.missing, "not in the file, left random"),
            (self.others, "in the file, but not in this network"),
        ):
            names = tuple(name for name in names if name not in drawn)
            if names:
                more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
                parts.append(f"{words}: {', '.join(names[:LISTED])}{more}")
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."


def start_from(network: Network, plan: Plan, path: Path, digest: str) -> Taken:
    """Load what the file at `path` has for the `network` of `plan`, which nothing has frozen yet. Raises BadStart.

    It takes every tensor whose name and shape match; all others stay as they were drawn. A capsule is rebuilt first, so
    that its frozen weights are those of its seed. A file with torchvision's names must fit in all but the output layer.
    `digest`: the SHA-256 that the file must have.
    """
    tensors = _tensors(path, digest)
    foreign = is_torchvision(tensors)
    if foreign:
        tensors = _from_torchvision(tensors, plan)
    own = {**dict(network.named_parameters()), **running_statistics(network)}
    taken = [name for name, tensor in own.items() if name in tensors and tensors[name].shape == tensor.shape]
    if not taken:
        raise BadStart(
            f"no tensor in the file that this run starts from fits: it has {_some(tensors)}, "
            f"the network has {_some(own)}"
        )
    changed = []
    with torch.no_grad():
        for name in taken:
            if not torch.equal(own[name], tensors[name]):
                own[name].copy_(tensors[name])
                changed.append(name)
    left = [name for name in own if name not in taken]
    return Taken(
        tuple(taken),
        tuple(changed),
        tuple(name for name in left if name in tensors),
        tuple(name for name in left if name not in tensors),
        tuple(name for name in tensors if name not in own),
        _classes(tensors, own) if foreign else None,
    )


def _from_torchvision(tensors: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
    """The tensors by our names. Raises BadStart if they are not those of `plan`."""
    if problem := misfit({name: tuple(tensor.shape) for name, tensor in tensors.items()}, plan):
        raise BadStart(f"the file that this run starts from {problem}")
    return {own_name(name): tensor for name, tensor in tensors.items()}


def _classes(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> tuple[int, int] | None:
    """How many classes the output layer has in the file (0: it has no output layer) and here, where these differ."""
    weight, _ = OUTPUT
    there, here = len(tensors[weight]) if weight in tensors else 0, len(own[weight])
    return None if there == here else (there, here)


def _tensors(path: Path, digest: str) -> dict[str, Tensor]:
    """All floating-point tensors of the network in the file, as float32."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadStart(
            f"the file that this run starts from is not in its folder as {START} ({error.strerror}); "
            "name it with --start FILE"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise BadStart(f"{path.name} in the run's folder is not the file that it starts from: its SHA-256 differs")
    try:
        if header_of(path).metadata.get("format") == CAPSULE_FORMAT:
            return _network_of_capsule(path)
        tensors = load(content)
    except (BadTensorFile, SafetensorError) as error:
        raise BadStart(f"the file that this run starts from {error}") from error
    except BadCapsule as error:
        raise BadStart(str(error).replace(str(path), "the file that this run starts from")) from error
    found = {
        name.removeprefix(PREFIX): tensor.float()
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not name.endswith(COUNTERS)
    }
    if problem := unusable(found):
        raise BadStart(f"the file that this run starts from {problem}")
    return found


def _network_of_capsule(path: Path) -> dict[str, Tensor]:
    """The rebuilt network's tensors, with the weights that a layer uses in place of what they are made of."""
    network = rebuild(read_capsule(path))
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, module in network.named_modules():
        if isinstance(module, FrozenWeight):
            for part in ("values", "scores", "indices"):
                tensors.pop(f"{name}.{part}", None)
            tensors[f"{name}.weight"] = module.effective().detach()
    return {name: tensor.detach() for name, tensor in tensors.items() if tensor.is_floating_point()}


def _some(names: dict[str, Tensor]) -> str:
    listed = ", ".join(list(names)[:3])
    return f"{listed}, ..." if len(names) > 3 else listed or "no tensors"
