"""Trainings as a tab sends them: one that is made up, for tests that need no network, and a real one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from core.catalog.schedules import learning_rate
from core.run.capsule import Origin
from core.run.cost import counts, keeps_snapshot, point_stride
from core.run.events import BINS, QUANTILES, Finished
from core.run.layout import layout
from core.run.spec import RunSpec

SPEC = RunSpec(architecture="resnet-8", policy="batchnorm", dataset="digits", epochs=2, train_examples=512)
BROWSER = Origin(torch="none", device="cpu", threads=1, engine="browser, WebAssembly")


@dataclass(frozen=True)
class Sent:
    """What a tab sends: the file, and the events as JSON objects; the last one is the result."""

    capsule: bytes
    events: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.capsule).hexdigest()

    @property
    def body(self) -> bytes:
        return "\n".join(map(json.dumps, self.events)).encode()

    def having(self, place: int, **fields: Any) -> Sent:
        """The same with other fields in one event."""
        events = list(self.events)
        events[place] = {**events[place], **fields}
        return replace(self, events=tuple(events))


def made_up(
    spec: RunSpec = SPEC, origin: Origin = BROWSER, top1: float = 0.5, says: dict[str, str] | None = None
) -> Sent:
    """A training that nobody made; its numbers follow from the spec. `says`: of the metadata, what differs."""
    groups: dict[str, list[Any]] = {}
    total = hashlib.sha256()
    tensors = {slot.name: (slot.group, np.linspace(0, 1, prod(slot.shape), dtype="<f4")) for slot in layout(spec)}
    for group, values in tensors.values():
        groups.setdefault(group, []).append(values)
    for name, (_, values) in sorted(tensors.items()):
        total.update(name.encode() + values.tobytes())
    result = Finished(
        step=spec.total_steps,
        epoch=spec.epochs,
        top1=top1,
        loss=1.5,
        train_top1=0.75,
        train_loss=1.25,
        top5=0.875,
        trainable=counts(spec.plan, spec.trains).trainable,
        disabled=0.25,
        digest=total.hexdigest(),
        seconds=3.5,
    )
    said = {"spec": spec.model_dump_json(), "result": result.model_dump_json(), "origin": origin.model_dump_json()}
    said |= {"format": "onlybn-capsule", "version": "1", "frozen": "0" * 64, **(says or {})}
    return Sent(_file(said, groups), tuple(_events(spec, result)))


def _file(metadata: dict[str, str], groups: dict[str, list[Any]]) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata}
    data = b""
    for name, parts in sorted(groups.items()):
        content = np.concatenate(parts)
        header[name] = {
            "dtype": "F32",
            "shape": [content.size],
            "data_offsets": [len(data), len(data) + content.nbytes],
        }
        data += content.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def _events(spec: RunSpec, result: Finished) -> Iterable[dict[str, Any]]:
    ends, stride, last = spec.steps_per_epoch, point_stride(spec), spec.total_steps
    for step in range(last + 1):
        point = {"event": "point", "step": step, "epoch": step / ends}
        if step and (step % stride == 0 or step % ends == 0):
            lr = learning_rate(spec.recipe, step - 1, ends, last)
            end = {"loss": result.train_loss, "top1": result.train_top1} if step == last else {"loss": 2.0, "top1": 0.1}
            yield {**point, "split": "train", **end, "top5": None, "lr": lr}
        if step % ends == 0:
            end = {"loss": result.loss, "top1": result.top1} if step == last else {"loss": 2.25, "top1": 0.125}
            yield {**point, "split": "test", **end, "top5": 0.875, "lr": None}
        if (step % stride == 0 or step % ends == 0) and keeps_snapshot(spec, step):
            yield _snapshot(spec, step)
    yield result.model_dump()


def _snapshot(spec: RunSpec, step: int) -> dict[str, Any]:
    rows = [[norm.channels if i == BINS // 2 else 0 for i in range(BINS + 2)] for norm in spec.plan.norms]
    of = {"counts": rows, "quantiles": [[0.25] * len(QUANTILES) for _ in rows]}
    epoch, disabled = step / spec.steps_per_epoch, [0 for _ in rows]
    return {"event": "snapshot", "step": step, "epoch": epoch, "gamma": of, "beta": of, "disabled": disabled}


def real(folder: Path, spec: RunSpec = SPEC, gamma: float = 1.0) -> Sent:
    """A training that took place, as a browser would send it. `gamma`: times so much afterwards, by a forger who also
    writes the digest anew."""
    from core.network.tensors import digest_of
    from core.trained.capsule import Capsule, pack, read_capsule
    from core.training.loop import train

    events = [event.model_dump() for event in train(spec, folder, data_folder=folder, device="cpu", analyses=False)]
    found = read_capsule(folder / "final.safetensors")
    tensors = {
        name: tensor * gamma if name.endswith("norm.weight") else tensor for name, tensor in found.tensors.items()
    }
    result = found.result.model_copy(update={"digest": digest_of(tensors)})
    told = [event for event in events if event["event"] == "point"]
    told += [event for event in events if event["event"] == "snapshot" and keeps_snapshot(spec, event["step"])]
    forged = Capsule(found.spec, result, BROWSER, tensors, (), found.frozen)
    return Sent(pack(forged), (*told, result.model_dump()))
