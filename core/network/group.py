"""One run by several processes that torchrun started: what they tell each other.

Each process trains on its share of every batch and the gradients are summed, which is what DistributedDataParallel
does. The sum is made here because DDP weighs all processes alike whatever the size of their share (the last batch of
an epoch seldom divides), because it refuses a network that trains nothing, and because what a policy trains is mostly
kilobytes, for which it gains nothing to communicate while the backward pass still runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous

from core.machine.part import ALONE, Part

PATIENCE = timedelta(minutes=10)
"""How long a process waits for another: longer than the writing of any checkpoint takes."""
BEGIN, FAILED = "onlybn/begin", "onlybn/failed"


class Group:
    """The processes of one run. Alone, every method returns at once.

    What is summed and spread has the same bits in every process, so they all keep the same parameters.
    """

    def __init__(self, part: Part = ALONE, store: Any = None) -> None:
        self.part, self._store = part, store

    def add(self, total: Tensor) -> Tensor:
        """`total` becomes, in place, the sum over all processes."""
        if not self.part.alone:
            distributed.all_reduce(total)
        return total

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum every gradient over all processes; one that is missing, where a process had no images, counts as 0."""
        if self.part.alone:
            return
        gradients = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        if gradients:
            _scatter(self.add(_flat(gradients)), gradients)

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the first one's values of `tensors`, in place."""
        listed = list(tensors)
        if self.part.alone or not listed:
            return
        flat = _flat(listed)
        distributed.broadcast(flat, src=0)
        _scatter(flat, listed)

    def any(self, mine: bool) -> bool:
        """Whether it is true in any process."""
        if self.part.alone:
            return mine
        flag = torch.tensor([mine], dtype=torch.uint8)  # on the CPU, so that nobody waits for a GPU
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag)

    def share(self, thing: Any) -> Any:
        """What the first process has as `thing`."""
        if self.part.alone:
            return thing
        box = [thing]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    # -- the end ---------------------------------------------------------------------------------------------

    def tell(self, failed: str) -> None:
        """Leave this process's Failed event, as JSON, where the others look when they miss it: before it ends."""
        if not self.part.alone:
            with suppress(RuntimeError):
                self._store.compare_set(FAILED, "", failed)

    def last_words(self) -> str | None:
        """The Failed event that another process left, if one did."""
        if self.part.alone:
            return None
        with suppress(RuntimeError):  # the launcher, which keeps the words, is gone too
            if self._store.check([FAILED]):
                return str(self._store.get(FAILED).decode())
        return None

    def wait(self) -> None:
        """Until every process is here. torchrun ends the others once one has left with a code but 0."""
        if not self.part.alone:
            with suppress(RuntimeError):
                distributed.barrier()

    def close(self) -> None:
        """Part in order, after `wait`."""
        if not self.part.alone:
            distributed.destroy_process_group()


def join(device: torch.device) -> Group | None:
    """The group of all processes that torchrun started with this one; None if the first said there is nothing to do.

    Raises RuntimeError where they do not find each other.
    """
    part, store = _meet()
    if part.first:
        store.set(BEGIN, "train")
    else:
        store.wait([BEGIN], PATIENCE)
        if store.get(BEGIN) != b"train":
            return None
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=part.rank, world_size=part.world, timeout=PATIENCE)
    return Group(part, store)


def dismiss() -> None:
    """Tell the other processes, as the first, that there is nothing to do."""
    _meet()[1].set(BEGIN, "done")


def _meet() -> tuple[Part, Any]:
    store, _, _ = next(rendezvous("env://"))
    return Part.of_this_process(), store


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


@torch.no_grad()
def _scatter(flat: Tensor, tensors: list[Tensor]) -> None:
    values = flat.split([tensor.numel() for tensor in tensors])
    # One kernel on a GPU: ResNet-866 has 1,700 of these tensors.
    torch._foreach_copy_(tensors, [value.view(tensor.shape) for value, tensor in zip(values, tensors, strict=True)])
