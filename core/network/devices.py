"""The device that computes: a CPU or a GPU, by the name that a person gives it."""

from __future__ import annotations

import torch

from core.machine.part import ALONE, Part


class NoDevice(ValueError):
    """A device that does not exist here, or not for this process; the message says what to choose."""


def device_of(name: str, part: Part = ALONE) -> torch.device:
    """The device `name`: auto (a GPU where there is one), auto:1 (that one of several), cpu, cuda or cuda:1. Raises
    NoDevice.

    `part`: which of the processes this is, where several train one run; with CUDA each takes a GPU of its own.
    """
    gpus = torch.cuda.device_count()
    here = ["cpu", *(["cuda"] if gpus else []), *(f"cuda:{index}" for index in range(gpus))]
    chosen, _, index = name.partition(":")
    if chosen == "auto":
        name = "cpu" if not gpus else f"cuda:{index}" if index else "cuda"
    if name not in here:
        raise NoDevice(f"device {name!r} is not available here. Allowed: auto, {', '.join(here)}")
    if part.alone or name == "cpu":
        return torch.device(name)
    if name != "cuda":
        raise NoDevice(f"--device {name} is for one process; with several, each takes its own GPU: --device cuda")
    if part.local >= gpus:
        raise NoDevice(
            f"there are {gpus} GPUs here, too few for {part.local + 1} processes: start as many processes as GPUs, or "
            "choose --device cpu"
        )
    torch.cuda.set_device(part.local)
    return torch.device("cuda", part.local)


def device_title(device: torch.device) -> str:
    """The GPU's name, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
