"""γ and β that are computed, not trained: a wide random network is made to answer as a small trained one, its teacher.

What γ and β can do: scale and shift each channel, and by that choose how much of each random filter the next random
convolution adds up. They cannot turn a filter. So, layer by layer from the input on, every step being least squares in γ
and β with all weights frozen:

1. The *carriers*: for each channel of the teacher that stands on the way between blocks, the student's one channel whose
   response correlates most with it. γ and β are the regression of the teacher's channel on it; all others get 0.
2. Within a block, all the student's channels between its two convolutions: γ and β such that the second convolution
   gives, in the carriers, what the teacher's block adds, corrected by what the student's shortcut lacks. With the ReLU's
   pattern held this is one linear system (least_squares.py).
3. The last norm layer, all channels: the same for the teacher's logits through the student's random output layer.

Wide between, narrow on the way: the construction of Giannou, Rajput, Papailiopoulos (arXiv 2302.07937) and Burkholz
(ICLR 2024), who prove that it becomes exact once a layer has as many channels as the target layer has weights. That is
our reading; theirs is not layer-wise regression. Teacher and student normalise by the statistics of the same images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.plan import Plan
from core.draws.draw import Draw
from core.network.builder import ConvolutionNorm, Network, UnitBlock
from core.network.freezing import FrozenWeight
from core.trained.least_squares import BeforeConvolution, BeforeOutput, solve

CHUNK = 1 << 23
"""Numbers of a wide layer that are in memory at a time (32 MB)."""
HELD = 1 << 26
"""Numbers of a layer that stay in memory for all images (256 MB)."""
EQUATIONS = 32
"""Equations for each unknown."""
PLACES = (1024, 8192)
"""The least and the most places of a layer's output at which its equations are made."""

TINY = 1e-12
"""What a variance is divided by where it is 0."""


class Unlike(ValueError):
    """The student cannot be computed from this teacher; the message says why."""


@dataclass(frozen=True)
class Fit:
    """One solved layer: how many of its channels are in use, and the share of the target's variance they explain."""

    layer: str
    channels: int
    used: int
    explained: float
    seconds: float


def check(teacher: Plan, student: Plan) -> None:
    """Raises Unlike if the student is not the teacher with wider layers."""
    for plan in (teacher, student):
        kinds = {(unit.norm.kind, unit.norm.affine) for unit in plan.units()}
        plain = all(block.residual and len(block.units) == 2 and not block.pool for block in plan.blocks)
        if kinds != {("batch", True)} or not plain or plan.stem.convolution.kernel != 3:
            raise Unlike(f"{plan.architecture}: only resnet-N and wrn-14-N with BatchNorm can be computed")
    if teacher.input_shape != student.input_shape or teacher.output.classes != student.output.classes:
        raise Unlike("teacher and student must be for the same images and classes")
    if [bool(b.shortcut) for b in teacher.blocks] != [bool(b.shortcut) for b in student.blocks] or any(
        own.outputs < other.outputs for own, other in zip(student.convolutions, teacher.convolutions, strict=False)
    ):
        raise Unlike(
            f"{student.architecture} is not {teacher.architecture} with more channels: it needs as many blocks, and no "
            "fewer channels in any layer"
        )


def most_images(teacher: Plan, student: Plan) -> int:
    """How many images fit into memory."""
    narrow = max(conv.outputs * conv.size**2 for conv in teacher.convolutions)
    last = student.blocks[-1].units[-1].convolution
    return int(HELD // max(narrow, last.outputs * last.size**2))


def compute(teacher: Network, student: Network, images: Tensor, draw: Draw) -> Iterator[Fit]:
    """Set γ, β and running statistics of all norm layers of `student`, which `check` has accepted; yields each layer.

    images: (N, C, H, W) float32, normalised. `draw` chooses the places at which equations are made.
    """
    with torch.no_grad():
        yield from _Walk(teacher, student, draw).walk(images.contiguous())


class _Walk:
    """The way through both networks at once. `there` and `here`: what the teacher's channels and the student's carriers
    hold, (N, T, H, W); `carriers`: the student's channels, (T,)."""

    there: Tensor
    here: Tensor
    carriers: Tensor

    def __init__(self, teacher: Network, student: Network, draw: Draw) -> None:
        self.teacher, self.student, self.draw = teacher, student, draw

    def walk(self, images: Tensor) -> Iterator[Fit]:
        began = time.monotonic()
        there, here = self.teacher.stem, self.student.stem
        first = {norm: norm.weight.clone() for norm in self.student.modules() if isinstance(norm, nn.BatchNorm2d)}
        for norm in first:
            _set(norm, torch.zeros(2, norm.num_features))
        wanted = _affine(there.norm, _convolved(there.conv, images))
        self.carriers, held = _carry(here, images, torch.arange(images.shape[1]), wanted)
        self.there, self.here = wanted.relu(), held.relu()
        yield Fit("stem.norm", len(here.norm.weight), len(self.carriers), _explained(wanted, held), _since(began))
        blocks = [
            (f"{stage}.{name}", block, self.teacher.get_submodule(f"{stage}.{name}"))
            for stage in self.student.stages
            for name, block in self.student.get_submodule(stage).named_children()
        ]
        for name, block, other in blocks:
            assert isinstance(block, UnitBlock) and isinstance(other, UnitBlock)
            yield from self._block(name, block, other, first if name == blocks[-1][0] else None)

    def _block(
        self, name: str, block: UnitBlock, other: UnitBlock, first: dict[nn.BatchNorm2d, Tensor] | None
    ) -> Iterator[Fit]:
        """One block; `first`: the γ that the last block's free channels begin with."""
        began = time.monotonic()
        before, beyond, skip = self.carriers, self.there, self.here
        if block.shortcut is not None and other.shortcut is not None:
            beyond = _affine(other.shortcut.norm, _convolved(other.shortcut.conv, self.there))
            self.carriers, skip = _carry(block.shortcut, self.here, before, beyond)
            explained, norm = _explained(beyond, skip), block.shortcut.norm
            yield Fit(f"{name}.shortcut.norm", len(norm.weight), len(self.carriers), explained, _since(began))
            began = time.monotonic()
        parts, others = block._modules, other._modules
        conv1, norm1, conv2, norm2 = (parts[part] for part in ("conv1", "norm1", "conv2", "norm2"))
        assert isinstance(norm1, nn.BatchNorm2d) and isinstance(norm2, nn.BatchNorm2d)
        hidden = _affine(others["norm1"], _convolved(others["conv1"], self.there))
        inner = _convolved(others["conv2"], hidden.relu())
        wanted = _affine(others["norm2"], inner) + beyond
        lacking = wanted - skip

        # Between the convolutions.
        weights, stride = _weight(conv1)[:, before], _stride(conv1)
        source = self.here

        def response(rows: slice) -> Tensor:
            return F.conv2d(source[rows], weights, None, stride, weights.shape[-1] // 2)

        found = _regress(response, hidden, len(weights))
        best = found.correlation.abs().argmax(1)
        values = found.line(best)
        scale = _gain(others["norm2"], inner)
        problem = self._places(found, response, _weight(conv2)[self.carriers], scale, lacking)
        values, explained = solve(problem, values)
        _set(norm1, values, found)
        yield Fit(f"{name}.norm1", len(weights), len(weights), explained, _since(began))

        # After them.
        began = time.monotonic()
        rows2 = self.carriers if first is None else torch.arange(len(_weight(conv2)))
        weights2 = _weight(conv2)[rows2]
        gamma, beta = values

        def after(rows: slice) -> Tensor:
            passed = gamma[:, None, None] * found.normalised(response(rows)) + beta[:, None, None]
            return F.conv2d(passed.relu_(), weights2, None, 1, weights2.shape[-1] // 2)

        ended = _regress(after, lacking, len(rows2), CHUNK // max(len(weights), len(rows2)) // hidden[0, 0].numel())
        if first is None:
            values2 = ended.line(torch.arange(len(rows2)))
            full = torch.zeros(2, len(norm2.weight))
            full[:, rows2] = values2
            _set(norm2, full, ended, rows2)
            response2 = torch.cat([ended.normalised(after(rows)) for rows in ended.chunks])
            held = values2[0][:, None, None] * response2 + values2[1][:, None, None] + skip
            explained = _explained(wanted, held)
            self.there, self.here = wanted.relu(), held.relu()
            yield Fit(f"{name}.norm2", len(norm2.weight), len(rows2), explained, _since(began))
            return
        values2 = torch.stack([first[norm2].clone(), torch.zeros(len(rows2))])
        values2[:, self.carriers] = ended.line(torch.arange(len(self.carriers)), self.carriers)
        inputs = torch.cat([ended.normalised(after(rows)) for rows in ended.chunks]).flatten(2)
        added = torch.zeros_like(inputs)
        added[:, self.carriers] = skip.flatten(2)
        logits = self.teacher.output(wanted.relu().mean((2, 3))) - _bias(self.student.output)
        values2, explained = solve(BeforeOutput(inputs, added, _weight(self.student.output), logits), values2)
        _set(norm2, values2, ended)
        yield Fit(f"{name}.norm2", len(norm2.weight), len(rows2), explained, _since(began))

    def _places(
        self, found: _Regression, response: Callable[[slice], Tensor], weights: Tensor, scale: Tensor, targets: Tensor
    ) -> BeforeConvolution:
        """The equations at some places of the second convolution's output, in the order of the images."""
        outputs, channels, kernel, _ = weights.shape
        images, _, height, width = targets.shape
        count = min(max(PLACES[0], EQUATIONS * 2 * channels // outputs), PLACES[1], images * height * width)
        places = torch.from_numpy(self.draw.below((count,), images * height * width)).sort().values
        number, pixel = places // (height * width), places % (height * width)
        shifts = torch.arange(kernel) - kernel // 2
        rows = (pixel // width)[:, None, None] + shifts[:, None].expand(kernel, kernel)
        columns = (pixel % width)[:, None, None] + shifts.expand(kernel, kernel)
        inside = ((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)).flatten(1)
        rows, columns = rows.clamp(0, height - 1).flatten(1), columns.clamp(0, width - 1).flatten(1)
        pieces = []
        for chunk in found.chunks:
            here = (number >= chunk.start) & (number < chunk.stop)
            if here.any():
                values = found.normalised(response(chunk))
                pieces.append(values[(number[here] - chunk.start)[:, None], :, rows[here], columns[here]])
        seen = torch.cat(pieces).transpose(1, 2).contiguous()
        there = targets[number, :, pixel // width, pixel % width]
        return BeforeConvolution(seen, inside.float(), (weights * scale[:, None, None, None]).flatten(2), there)


@dataclass
class _Regression:
    """Statistics of a wide response over all images, (C,), and how it goes with what is wanted, (C, T)."""

    mean: Tensor
    variance: Tensor
    correlation: Tensor
    wanted_mean: Tensor
    wanted_deviation: Tensor
    eps: float
    chunks: list[slice]

    def normalised(self, response: Tensor) -> Tensor:
        return (response - self.mean[:, None, None]) * (self.variance + self.eps).rsqrt()[:, None, None]

    def line(self, best: Tensor, rows: Tensor | None = None) -> Tensor:
        """γ and β, (2, R): the regression of the wanted channel `best` (R,) on the normalised channel of each row."""
        rows = torch.arange(len(self.mean)) if rows is None else rows
        variance = self.variance[rows]
        widened = ((variance + self.eps) / variance.clamp_min(TINY)).sqrt()  # normalised, its deviation is not quite 1
        gamma = self.correlation[rows, best] * self.wanted_deviation[best] * widened
        return torch.stack([gamma, self.wanted_mean[best]])


def _regress(
    response: Callable[[slice], Tensor], wanted: Tensor, channels: int, size: int | None = None
) -> _Regression:
    """Go through all images once; `response(rows)` is (n, C, H, W), `wanted` (N, T, H, W)."""
    size = max(1, size or CHUNK // channels // wanted[0, 0].numel())
    chunks = [slice(begin, min(begin + size, len(wanted))) for begin in range(0, len(wanted), size)]
    total = wanted.numel() // wanted.shape[1]
    target_mean = wanted.double().mean((0, 2, 3))
    centred = wanted - target_mean.float()[:, None, None]
    target_variance = centred.double().square().mean((0, 2, 3))
    sums = torch.zeros(channels, dtype=torch.float64)
    squares, products = torch.zeros_like(sums), torch.zeros(channels, wanted.shape[1], dtype=torch.float64)
    base: Tensor | None = None  # about the mean, so that the squares do not cancel
    for rows in chunks:
        flat = response(rows).transpose(0, 1).flatten(1)
        base = flat.mean(1) if base is None else base
        flat = flat - base[:, None]
        sums += flat.sum(1, dtype=torch.float64)
        squares += flat.square().sum(1, dtype=torch.float64)
        products += (flat @ centred[rows].transpose(0, 1).flatten(1).T).double()
    assert base is not None
    mean = sums / total
    variance = (squares / total - mean.square()).clamp_min(0)
    covariance = products / total  # the wanted part is centred
    deviations = variance.sqrt()[:, None] * target_variance.sqrt()
    correlation = torch.where(deviations > 0, covariance / deviations.clamp_min(TINY), 0.0)
    return _Regression(
        (base + mean).float(),
        variance.float(),
        correlation.float(),
        target_mean.float(),
        target_variance.sqrt().float(),
        nn.BatchNorm2d(1).eps,
        chunks,
    )


def _carry(unit: ConvolutionNorm, source: Tensor, rows: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Choose the carriers of `wanted` among the unit's channels, and set them. Returns them and what they hold.

    `source` (N, R, H, W): its inputs, the channels `rows`; all others are 0.
    """
    weights, stride = _weight(unit.conv)[:, rows], _stride(unit.conv)
    padding = weights.shape[-1] // 2
    found = _regress(lambda part: F.conv2d(source[part], weights, None, stride, padding), wanted, len(weights))
    chosen = _pairs(found.correlation)
    values = found.line(torch.arange(len(chosen)), chosen)
    norm = unit.norm
    assert isinstance(norm, nn.BatchNorm2d)
    full = torch.zeros(2, len(norm.weight))
    full[:, chosen] = values
    _set(norm, full, found)
    gamma, beta = (part[:, None, None] for part in values)
    spread = (found.variance[chosen] + found.eps).rsqrt()[:, None, None]
    response = F.conv2d(source, weights[chosen], None, stride, padding)
    return chosen, gamma * (response - found.mean[chosen][:, None, None]) * spread + beta


def _pairs(correlation: Tensor) -> Tensor:
    """(C, T) -> (T,): for each wanted channel another row; the largest correlations first."""
    sizes, wanted = correlation.abs(), correlation.shape[1]
    chosen = torch.full((wanted,), -1)
    used = torch.zeros(len(correlation), dtype=torch.bool)
    for place in sizes.flatten().argsort(descending=True, stable=True).tolist():
        row, column = divmod(place, wanted)
        if chosen[column] < 0 and not used[row]:
            chosen[column], used[row] = row, True
            if (chosen >= 0).all():
                break
    return chosen


def _affine(norm: nn.Module | None, response: Tensor) -> Tensor:
    """The norm layer's output, by the statistics of these images."""
    assert isinstance(norm, nn.BatchNorm2d)
    return F.batch_norm(response, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)


def _gain(norm: nn.Module | None, response: Tensor) -> Tensor:
    """(T,): by how much the norm layer multiplies each channel."""
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.weight / (response.var((0, 2, 3), unbiased=False) + norm.eps).sqrt()


def _set(
    norm: nn.BatchNorm2d, values: Tensor, found: _Regression | None = None, rows: Tensor | None = None
) -> None:
    """Set γ and β, (2, C), and the running statistics of the channels `rows` (None: of all), if there are any."""
    assert norm.running_mean is not None and norm.running_var is not None
    norm.weight.copy_(values[0])
    norm.bias.copy_(values[1])
    if found is not None:
        where = torch.arange(len(norm.weight)) if rows is None else rows
        norm.running_mean[where], norm.running_var[where] = found.mean, found.variance


def _weight(layer: nn.Module | None) -> Tensor:
    weight = layer.effective() if isinstance(layer, FrozenWeight) else layer.weight if layer is not None else None
    assert isinstance(weight, Tensor)
    return weight.detach().contiguous()


def _bias(layer: nn.Module) -> Tensor:
    bias = layer.bias
    assert isinstance(bias, Tensor)
    return bias.detach()


def _stride(layer: nn.Module | None) -> int:
    stride = getattr(layer, "stride", None)
    assert isinstance(stride, tuple)
    return int(stride[0])


def _convolved(layer: nn.Module | None, images: Tensor) -> Tensor:
    weight = _weight(layer)
    return F.conv2d(images, weight, None, _stride(layer), weight.shape[-1] // 2)


def _explained(wanted: Tensor, held: Tensor) -> float:
    """The share of the wanted channels' variance that `held` has; below 0 where it is worse than their means."""
    power = (wanted - wanted.mean((0, 2, 3), keepdim=True)).double().square().sum()
    return float(1 - (wanted - held).double().square().sum() / power)


def _since(began: float) -> float:
    return time.monotonic() - began
