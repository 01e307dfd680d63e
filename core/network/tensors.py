"""Tensors by name as bytes: what files and digests are made of."""

from __future__ import annotations

import hashlib

from torch import Tensor


def dense(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same values on the CPU, each without gaps and without its gradient."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def digest_of(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names and bits of `tensors`, in the order of their names."""
    total = hashlib.sha256()
    for name, tensor in sorted(dense(tensors).items()):
        total.update(name.encode())
        total.update(tensor.numpy().tobytes())
    return total.hexdigest()
