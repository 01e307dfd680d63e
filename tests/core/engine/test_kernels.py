"""The compiled kernels against the same in torch's operators: statistics, outputs, gradients, in every mode."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from core.engine.compiled import CompiledKernels, compiled_kernels
from core.engine.eager import EagerKernels
from core.engine.values import ALPHA, DELTA, Affine, Kept, Relu, Running

EAGER = EagerKernels()
SHAPES = [(4, 16, 6, 6), (3, 16, 5, 5), (2, 32, 7, 3), (5, 48, 4, 4), (8, 64, 1, 1), (128, 16, 8, 8), (1, 160, 9, 9)]
"""Narrow and wide, odd and even, one pixel; channels that fill one, two and four vectors."""
DTYPES = [torch.float32, torch.bfloat16]


@pytest.fixture(scope="module")
def compiled() -> CompiledKernels:
    return compiled_kernels()


def images(shape: tuple[int, ...], seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (3 * values + 1).to(dtype).contiguous(memory_format=torch.channels_last)


def layer(channels: int, seed: int, *, bias: bool = False) -> tuple[Affine, Running]:
    draw = torch.Generator().manual_seed(seed)
    gamma, beta = torch.randn(2, channels, generator=draw)
    moved = torch.randn(channels, generator=draw) if bias else None
    return Affine(gamma, beta, moved), Running(torch.zeros(channels), torch.ones(channels), 0.1, 1e-5)


def close(a: Tensor, b: Tensor, dtype: torch.dtype = torch.float32) -> bool:
    """Alike but for rounding, relative to the largest value."""
    a, b = a.float(), b.float()
    scale = max(1e-6, float(b.abs().max()))
    return bool((a - b).abs().max() <= (2e-2 if dtype == torch.bfloat16 else 2e-5) * scale)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lean", [False, True])
def test_statistics(compiled: CompiledKernels, shape: tuple[int, ...], lean: bool) -> None:
    y = images(shape, 1)
    results = []
    for kernels in (compiled, EAGER):
        affine, running = layer(shape[1], 2, bias=True)
        results.append([kernels.statistics(y, affine, running, lean), running.mean, running.var])
    for own, reference in zip(*results, strict=True):
        assert close(own, reference)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("other", "scaled", "relu"), [(0, 0, 1), (0, 0, 0), (1, 0, 1), (1, 1, 1)])
def test_apply(compiled: CompiledKernels, shape: tuple[int, ...], other: int, scaled: int, relu: int) -> None:
    y, added = images(shape, 1), images(shape, 3) if other else None
    statistics = EAGER.statistics(y, *layer(shape[1], 2))
    added_statistics = EAGER.statistics(added, *layer(shape[1], 4)) if scaled and added is not None else None
    own, reference = (
        kernels.apply(y, statistics, added, added_statistics, bool(relu), keep_signs=True)
        for kernels in (compiled, EAGER)
    )
    assert close(own.out, reference.out)
    assert own.signs is not None and reference.signs is not None
    bits = (own.signs.int()[:, None] >> torch.arange(16)) & 1
    flat = reference.signs.permute(0, 2, 3, 1).reshape(-1, 16)
    assert (bits.bool() == flat).float().mean() > 0.9999, "a value that rounds to 0 may fall on either side"
    again = y.clone(memory_format=torch.preserve_format)
    written = compiled.apply(again, statistics, added, added_statistics, bool(relu), in_place=True)
    assert written.out.data_ptr() == again.data_ptr() and torch.equal(written.out, own.out)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_eight_bits_are_right_on_average(compiled: CompiledKernels, shape: tuple[int, ...]) -> None:
    y = images(shape, 1)
    statistics = compiled.statistics(y, *layer(shape[1], 2), lean=True)
    exact = compiled.statistics(y, *layer(shape[1], 2))
    normalised = y.float() * exact[ALPHA].view(1, -1, 1, 1) + exact[DELTA].view(1, -1, 1, 1)
    step = statistics[ALPHA].view(1, -1, 1, 1)
    total = torch.zeros_like(normalised)
    rounds = 64
    for seed in range(rounds):
        kept = compiled.apply(y, statistics, lean_seed=seed).bytes
        assert kept is not None
        assert ((kept.float() * step - normalised).abs() <= 1.001 * step).all(), "the next step, up or down"
        total += kept.float() * step
    bias = (total / rounds - normalised).mean() / step.mean()
    assert abs(float(bias)) < 6 * 0.5 / (rounds * y.numel()) ** 0.5 + 1e-3
    first, second = (compiled.apply(y, statistics, lean_seed=7) for _ in range(2))
    assert first.bytes is not None and second.bytes is not None and torch.equal(first.bytes, second.bytes)
    assert torch.equal(first.out, compiled.apply(y, statistics).out), "the forward pass is the same"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("relu", "lean", "two"), list(product(["none", "recompute", "mask"], [False, True], [0, 1])))
def test_backward(
    compiled: CompiledKernels, shape: tuple[int, ...], dtype: torch.dtype, relu: Relu, lean: bool, two: int
) -> None:
    if lean and relu == "recompute":
        return  # from eight bits nobody could tell the sign
    y, gradient = images(shape, 1), images(shape, 5, dtype)
    second = images(shape, 6, dtype) if two else None
    statistics = EAGER.statistics(y, *layer(shape[1], 2), lean=lean)
    done = [k.apply(y, statistics, keep_signs=True, lean_seed=3 if lean else None) for k in (compiled, EAGER)]
    values = done[0].bytes if lean else y
    assert values is not None
    results = []
    for kernels, signs in ((compiled, done[0].signs), (EAGER, done[1].signs)):
        kept, behind = Kept(values, statistics, signs), gradient.clone(memory_format=torch.preserve_format)
        sums, other = kernels.sums(kept, behind, second, relu, True, kept)
        assert other is not None and close(other.gamma, sums.gamma)
        back = kernels.input_gradient(kept, sums.factors, behind, "none", None)
        results.append([sums.beta, sums.gamma, sums.factors, behind, back])
        if second is None:  # the same without writing anything in between
            alone, _ = kernels.sums(kept, gradient, None, relu, False)
            assert close(alone.gamma, sums.gamma, dtype)
            assert close(kernels.input_gradient(kept, alone.factors, gradient, relu, None), back, dtype)
    for own, reference in zip(*results, strict=True):
        assert close(own, reference, dtype)


def test_the_number_of_threads_changes_no_bit(compiled: CompiledKernels) -> None:
    y, gradient = images((33, 32, 11, 11), 1), images((33, 32, 11, 11), 2)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            statistics = compiled.statistics(y, *layer(32, 2))
            kept = Kept(y, statistics)
            sums, _ = compiled.sums(kept, gradient, None, "recompute", False)
            back = compiled.input_gradient(kept, sums.factors, gradient, "recompute", None)
            found.append([statistics, compiled.apply(y, statistics).out, *sums, back])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_nan_stays_nan(compiled: CompiledKernels) -> None:
    y = images((2, 16, 4, 4), 1)
    y[0, 3, 0, 0] = float("nan")
    statistics = compiled.statistics(y, *layer(16, 2))
    assert compiled.apply(y, statistics).out[:, 3].isnan().all(), "a diverged training must not look like a dead ReLU"
