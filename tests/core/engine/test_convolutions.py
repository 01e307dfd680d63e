"""Own convolutions against torch's in float64; what they do on the way against the passes that do it alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.engine.compiled import CompiledKernels
from core.engine.convolutions import FusedConvolution
from core.engine.values import Affine, Below, Found, Keeping, Kept, Relu, Residual, Running, Unapplied, Unfinished
from tests.core.engine.test_kernels import DTYPES, close, images, layer

SHAPES = [
    (4, 16, 16, 8, 8),
    (3, 16, 32, 5, 7),
    (2, 48, 16, 14, 14),
    (5, 32, 64, 7, 3),
    (2, 64, 32, 33, 2),
    (9, 16, 16, 2, 1),
]
"""Images, inputs, outputs, height, width: tiles that fill up and that do not, panels of one and two vectors."""
CONVOLUTIONS = [(3, 1), (3, 2), (1, 1), (1, 2)]
"""Kernel and stride."""


@pytest.fixture(params=CONVOLUTIONS, ids=lambda param: f"{param[0]}x{param[0]} stride {param[1]}")
def convolution(kernels: CompiledKernels, request: pytest.FixtureRequest) -> FusedConvolution:
    found = kernels.convolution(*request.param)
    assert found is not None
    return found


def weight_of(
    convolution: FusedConvolution,
    inputs: int,
    outputs: int,
    memory_format: torch.memory_format = torch.channels_last,
) -> Tensor:
    draw, kernel = torch.Generator().manual_seed(outputs), convolution.kernel
    weight = torch.randn(outputs, inputs, kernel, kernel, generator=draw) / (kernel**2 * inputs) ** 0.5
    return weight.contiguous(memory_format=memory_format)


def forward(convolution: FusedConvolution, x: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(x.double(), weight.double(), stride=convolution.stride, padding=convolution.kernel // 2)


def backward(convolution: FusedConvolution, gradient: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    image = x.double().requires_grad_()
    forward(convolution, image, weight).backward(gradient.double())
    assert image.grad is not None
    return image.grad


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_backward(convolution: FusedConvolution, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    count, inputs, outputs, height, width = shape
    for memory_format in (torch.channels_last, torch.contiguous_format):
        weight = weight_of(convolution, inputs, outputs, memory_format)
        x = images((count, inputs, height, width), 1)
        y = convolution.forward(x, weight)
        right = forward(convolution, x, weight)
        assert y.shape == right.shape and y.is_contiguous(memory_format=torch.channels_last)
        assert close(y, right)
        gradient = y.to(dtype)
        back = convolution.backward(gradient, weight, x.shape)
        assert back.dtype == dtype and close(back, backward(convolution, gradient, weight, x), dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lean", [False, True])
def test_the_statistics_of_the_output(
    kernels: CompiledKernels,
    convolution: FusedConvolution,
    shape: tuple[int, ...],
    lean: bool,
) -> None:
    count, inputs, outputs, height, width = shape
    weight, x = weight_of(convolution, inputs, outputs), images((count, inputs, height, width), 1)
    (affine, own), (_, alone) = layer(outputs, 2, bias=True), layer(outputs, 2)
    y, statistics = convolution.forward_to(x, weight, affine, own, lean)
    assert torch.equal(y, convolution.forward(x, weight)), "the output is the same"
    assert close(statistics, kernels.statistics(y, affine, alone, lean))
    assert close(own.mean, alone.mean) and close(own.var, alone.var)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_stands_before_is_done_on_the_way(
    kernels: CompiledKernels, convolution: FusedConvolution, shape: tuple[int, ...]
) -> None:
    count, inputs, outputs, height, width = shape
    weight, y = weight_of(convolution, inputs, outputs), images((count, inputs, height, width), 1)
    statistics = kernels.statistics(y, *layer(inputs, 2))
    applied = kernels.apply(y, statistics).out
    own = convolution.forward(Unapplied(y, statistics), weight)
    assert torch.equal(own, convolution.forward(applied, weight)), "applied alone, it has the same bits"


def winograd_of(kernels: CompiledKernels, inputs: int, outputs: int) -> tuple[FusedConvolution, Tensor]:
    """The convolution that stores on the way what others need, and a weight for it."""
    convolution = kernels.convolution(3, 1)
    assert convolution is not None
    return convolution, weight_of(convolution, inputs, outputs)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("scaled", "signs"), [(False, True), (True, True), (True, False)])
def test_a_residual_is_added_on_the_way(
    kernels: CompiledKernels, shape: tuple[int, ...], scaled: bool, signs: bool
) -> None:
    count, inputs, outputs, height, width = shape
    convolution, weight = winograd_of(kernels, inputs, outputs)
    y, other = (images((count, inputs, height, width), seed) for seed in (1, 3))
    statistics = kernels.statistics(y, *layer(inputs, 2))
    scale = kernels.statistics(other, *layer(inputs, 4)) if scaled else None
    alone = kernels.apply(y, statistics, other, scale, keep_signs=True)
    assert alone.signs is not None
    kept = torch.empty_like(alone.signs) if signs else None
    residual = Residual(other, scale, torch.empty_like(y))
    keeping = None if kept is None else Keeping(kept)
    own = convolution.forward(Unapplied(y, statistics, residual, keeping), weight)
    assert torch.equal(residual.out, alone.out), "whoever else needs it gets the same"
    assert kept is None or torch.equal(kept, alone.signs)
    assert torch.equal(own, convolution.forward(alone.out, weight))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("added", [False, True])
def test_what_lean_keeps_is_made_on_the_way(kernels: CompiledKernels, shape: tuple[int, ...], added: bool) -> None:
    count, inputs, outputs, height, width = shape
    convolution, weight = winograd_of(kernels, inputs, outputs)
    y, other = (images((count, inputs, height, width), seed) for seed in (1, 3))
    statistics = kernels.statistics(y, *layer(inputs, 2), lean=True)
    alone = kernels.apply(y, statistics, other if added else None, keep_signs=True, lean_seed=7)
    assert alone.signs is not None and alone.bytes is not None

    def on_the_way(seed: int) -> tuple[Tensor, Keeping]:
        keeping = Keeping(torch.zeros_like(alone.signs), torch.full_like(alone.bytes, 99), seed)
        residual = Residual(other, None, torch.empty_like(y)) if added else None
        return convolution.forward(Unapplied(y, statistics, residual, keeping), weight), keeping

    own, keeping = on_the_way(7)
    assert torch.equal(own, convolution.forward(alone.out, weight)), "lean or not, forward has the same bits"
    assert torch.equal(keeping.signs, alone.signs)
    assert keeping.bytes is not None
    exact = (y.float() - statistics[0].view(1, -1, 1, 1)) * (statistics[1] / statistics[4]).view(1, -1, 1, 1)
    for kept in (keeping.bytes, alone.bytes):
        away = kept.float() - exact
        assert away.abs().max() <= 1 + 1e-3, "one of the two nearest"
        assert away.mean().abs() < 5 * away.std() / away.numel() ** 0.5 + 1e-3, "on average right"
    _, again = on_the_way(7)
    _, differently = on_the_way(8)
    assert again.bytes is not None and differently.bytes is not None
    assert torch.equal(keeping.bytes, again.bytes), "the seed says how"
    assert not torch.equal(keeping.bytes, differently.bytes)


def signs_of(kernels: CompiledKernels, y: Tensor, statistics: Tensor, lean: bool) -> Kept:
    done = kernels.apply(y, statistics, keep_signs=True, lean_seed=3 if lean else None)
    return Kept(y if done.bytes is None else done.bytes, statistics, done.signs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("relu", "lean"), [("none", False), ("recompute", False), ("mask", False), ("mask", True)])
@pytest.mark.parametrize("two", [False, True])
def test_gradients_on_the_way(
    kernels: CompiledKernels,
    convolution: FusedConvolution,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    relu: Relu,
    lean: bool,
    two: bool,
) -> None:
    count, inputs, outputs, height, width = shape
    weight, below = weight_of(convolution, inputs, outputs), images((count, inputs, height, width), 2)
    out = forward(convolution, below, weight).shape
    y, gradient, second = images(out, 1), images(out, 3, dtype), images(below.shape, 4, dtype) if two else None
    upper = signs_of(kernels, y, kernels.statistics(y, *layer(outputs, 5), lean), lean)
    lower = signs_of(kernels, below, kernels.statistics(below, *layer(inputs, 6), lean), lean)
    other = lower if two else None
    found = kernels.sums(upper, gradient, None, relu, False)
    task = Unfinished(upper, found.own.factors, gradient, relu)

    finished = kernels.input_gradient(upper, found.own.factors, gradient, relu, None)
    alone = convolution.backward(finished, weight, below.shape)
    on_the_way = convolution.backward(task, weight, below.shape)
    assert close(on_the_way, alone, dtype)

    added = None if second is None else second.clone(memory_format=torch.preserve_format)
    values, on_the_way_too = convolution.backward_to(task, weight, below.shape, Below(lower, relu, added, other))
    reference = kernels.sums(lower, on_the_way, second, relu, True, other)
    assert close(values, on_the_way, dtype), "what is handed on is behind the ReLU"
    assert added is None or values.data_ptr() == added.data_ptr()
    # The sum of a gradient that came through a norm layer can be exactly 0: its rounding is as large as what it sums.
    summed = 0.01 * values.float().abs().sum((0, 2, 3)).max()
    for own, right in zip(flat(on_the_way_too), flat(reference), strict=True):
        assert close(torch.cat([own.flatten(), summed[None]]), torch.cat([right.flatten(), summed[None]]), dtype)


def flat(found: Found) -> list[Tensor]:
    return [*found.own, *(found.other or ())]


def test_the_number_of_threads_changes_no_bit(kernels: CompiledKernels, convolution: FusedConvolution) -> None:
    weight, y = weight_of(convolution, 32, 32), images((33, 32, 11, 11), 1)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            affine, running = layer(32, 2)
            out, statistics = convolution.forward_to(y, weight, affine, running, True)
            kept = Kept(out, statistics)
            gradient = out.flip(0)
            sums = kernels.sums(kept, gradient, None, "recompute", False)
            task, below = Unfinished(kept, sums.own.factors, gradient, "recompute"), Kept(y, statistics)
            back, found = convolution.backward_to(task, weight, y.shape, Below(below, "recompute"))
            results.append([out, statistics, running.mean, running.var, back, *flat(found)])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_many_lines_share_a_block(kernels: CompiledKernels) -> None:
    convolution = kernels.convolution(1, 1)
    assert convolution is not None
    weight, x = weight_of(convolution, 16, 16), images((40, 16, 41, 3), 1)
    (affine, own), (_, alone) = layer(16, 2), layer(16, 2)
    y, statistics = convolution.forward_to(x, weight, affine, own, True)
    assert close(y, forward(convolution, x, weight)) and close(statistics, kernels.statistics(y, affine, alone, True))


def test_batches_of_other_sizes_have_the_same_images(convolution: FusedConvolution) -> None:
    weight, x = weight_of(convolution, 16, 16), images((13, 16, 9, 9), 1)
    whole = convolution.forward(x, weight)
    parts = [part.contiguous(memory_format=torch.channels_last) for part in x.split(5)]
    apart = [convolution.forward(part, weight) for part in parts]
    assert torch.equal(torch.cat(apart), whole)


def test_a_mean_far_from_zero_costs_the_variance_nothing(convolution: FusedConvolution) -> None:
    weight, middle = torch.zeros(16, 16, convolution.kernel, convolution.kernel), convolution.kernel // 2
    weight[range(16), range(16), middle, middle] = 1.0
    x = (images((64, 16, 8, 8), 1) / 3 + 1000).contiguous(memory_format=torch.channels_last)
    affine = Affine(torch.ones(16), torch.zeros(16))
    running = Running(torch.zeros(16), torch.ones(16), 1.0, 0.0)
    y, _ = convolution.forward_to(x, weight, affine, running, False)
    exact = y.double().var((0, 2, 3))
    assert ((running.var - exact).abs() < 1e-4 * exact).all()


def test_a_frozen_weight_is_prepared_once_and_again_where_it_was_written_to(
    convolution: FusedConvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[bool] = []
    prepare = convolution._prepare

    def counted(weight: Tensor, back: bool, out: Tensor) -> Tensor:
        prepared.append(back)
        return prepare(weight, back, out)

    monkeypatch.setattr(convolution, "_prepare", counted)
    weight, x = weight_of(convolution, 16, 32), images((3, 16, 8, 8), 1)
    y = convolution.forward(x, weight)
    convolution.forward(x, weight)
    assert prepared == [False, False]
    assert convolution.freeze(weight, 0, back=True) == 0 and not convolution.frozen, "no room"
    assert convolution.freeze(weight, 1 << 20, back=True) == 2 * 4 * convolution._weights(weight, False).numel()
    assert convolution.frozen
    prepared.clear()
    for _ in range(3):
        assert torch.equal(convolution.forward(x, weight), y)
        convolution.backward(y, weight, x.shape)
    assert prepared == [True]
    weight.mul_(2)
    assert torch.equal(convolution.forward(x, weight), 2 * y)
    other = weight.clone()
    assert torch.equal(convolution.forward(x, other.div_(2)), y), "and where it is another one"


def test_nan_stays_nan(convolution: FusedConvolution) -> None:
    x = images((2, 16, 8, 8), 1)
    x[0, 3, 0, 0] = float("nan")
    affine, running = layer(16, 2)
    y, statistics = convolution.forward_to(x, weight_of(convolution, 16, 16), affine, running, False)
    assert y[0, :, 0, 0].isnan().all() and not y[1].isnan().any()
    assert statistics.isnan().any(1).all(), "a diverged training must not look like a good one"
