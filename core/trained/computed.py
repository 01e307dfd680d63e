"""γ and β that are computed, not trained: a wide random network is made to answer as a small trained one, its teacher.

What γ and β can do: scale and shift each channel, and by that choose how much of each random filter the next random
convolution adds up. They cannot turn a filter. So, layer by layer from the input on, each step being least squares in
γ and β with all weights frozen:

1. The *carriers*: for each channel of the teacher between its blocks, the student's one channel whose response
   correlates most with it. γ and β are the regression of the teacher's channel on it; all other channels get 0.
2. Within a block, all the student's channels between its two convolutions: γ and β such that the second convolution
   gives, in the carriers, what the teacher's block adds, corrected by what the student's shortcut lacks. With the
   ReLU's pattern held this is one linear system (least_squares.py).
3. The last norm layer, all channels: the same for the teacher's logits through the student's random output layer.

Wide between, narrow on the way, as in the constructions of Giannou, Rajput, Papailiopoulos (arXiv 2302.07937) and
Burkholz (ICLR 2024). Our reading: they prove that enough width makes it exact, some channels for each weight of the
target; their proofs are not these regressions. Teacher and student normalise by the statistics of the same images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.draws.draw import Draw
from core.network.builder import ConvolutionNorm, Network, UnitBlock
from core.trained.least_squares import BeforeConvolution, BeforeOutput, solve
from core.trained.regression import (
    CHUNK,
    Regression,
    affine,
    bias_of,
    convolved,
    gain,
    pairs,
    regress,
    set_norm,
    stride_of,
    weight_of,
)

EQUATIONS = 32
"""Equations for each unknown."""
PLACES = (512, 8192)
"""The least and the most places of a layer's output at which its equations are made."""


@dataclass(frozen=True)
class Fit:
    """One solved layer: how many of its channels are in use, and the share of the target's variance they explain."""

    layer: str
    channels: int
    used: int
    explained: float
    seconds: float


def compute(teacher: Network, student: Network, images: Tensor, draw: Draw) -> Iterator[Fit]:
    """Set γ, β and running statistics of all norm layers of `student`; yields each layer. core/run/computation.py has
    checked that the two fit.

    images: (N, C, H, W) float32, normalised. `draw` chooses the places where equations are made.
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
            set_norm(norm, torch.zeros(2, norm.num_features))
        wanted = affine(there.norm, convolved(there.conv, images))
        self.carriers, held = _carry(here, images, torch.arange(images.shape[1]), wanted)
        self.there, self.here = wanted.relu(), held.relu()
        yield Fit("stem.norm", _channels(here.norm), len(self.carriers), _explained(wanted, held), since(began))
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
            beyond = affine(other.shortcut.norm, convolved(other.shortcut.conv, self.there))
            self.carriers, skip = _carry(block.shortcut, self.here, before, beyond)
            fit = _explained(beyond, skip)
            channels = _channels(block.shortcut.norm)
            yield Fit(f"{name}.shortcut.norm", channels, len(self.carriers), fit, since(began))
            began = time.monotonic()
        parts, others = block._modules, other._modules
        conv1, norm1, conv2, norm2 = (parts[part] for part in ("conv1", "norm1", "conv2", "norm2"))
        assert isinstance(norm1, nn.BatchNorm2d) and isinstance(norm2, nn.BatchNorm2d)
        hidden = affine(others["norm1"], convolved(others["conv1"], self.there))
        inner = convolved(others["conv2"], hidden.relu())
        wanted = affine(others["norm2"], inner) + beyond
        lacking = wanted - skip

        # Between the convolutions.
        weights, stride = weight_of(conv1)[:, before], stride_of(conv1)
        source = self.here

        def response(rows: slice) -> Tensor:
            return F.conv2d(source[rows], weights, None, stride, weights.shape[-1] // 2)

        found = regress(response, hidden, len(weights))
        best = found.correlation.abs().argmax(1)
        values = found.line(best)
        scale = gain(others["norm2"], inner)
        problem = self._places(found, response, weight_of(conv2)[self.carriers], scale, lacking)
        values, explained = solve(problem, values)
        set_norm(norm1, values, found)
        yield Fit(f"{name}.norm1", len(weights), len(weights), explained, since(began))

        # After them.
        began = time.monotonic()
        rows2 = self.carriers if first is None else torch.arange(len(weight_of(conv2)))
        weights2 = weight_of(conv2)[rows2]
        gamma, beta = values

        def after(rows: slice) -> Tensor:
            passed = gamma[:, None, None] * found.normalised(response(rows)) + beta[:, None, None]
            return F.conv2d(passed.relu_(), weights2, None, 1, weights2.shape[-1] // 2)

        ended = regress(after, lacking, len(rows2), CHUNK // max(len(weights), len(rows2)) // hidden[0, 0].numel())
        if first is None:
            values2 = ended.line(torch.arange(len(rows2)))
            full = torch.zeros(2, len(norm2.weight))
            full[:, rows2] = values2
            set_norm(norm2, full, ended, rows2)
            response2 = torch.cat([ended.normalised(after(rows)) for rows in ended.chunks])
            held = values2[0][:, None, None] * response2 + values2[1][:, None, None] + skip
            explained = _explained(wanted, held)
            self.there, self.here = wanted.relu(), held.relu()
            yield Fit(f"{name}.norm2", len(norm2.weight), len(rows2), explained, since(began))
            return
        values2 = torch.stack([first[norm2].clone(), torch.zeros(len(rows2))])
        values2[:, self.carriers] = ended.line(torch.arange(len(self.carriers)), self.carriers)
        inputs = torch.cat([ended.normalised(after(rows)) for rows in ended.chunks]).flatten(2)
        added = torch.zeros_like(inputs)
        added[:, self.carriers] = skip.flatten(2)
        logits = self.teacher.output(wanted.relu().mean((2, 3))) - bias_of(self.student.output)
        values2, explained = solve(BeforeOutput(inputs, added, weight_of(self.student.output), logits), values2)
        set_norm(norm2, values2, ended)
        yield Fit(f"{name}.norm2", len(norm2.weight), len(rows2), explained, since(began))

    def _places(
        self, found: Regression, response: Callable[[slice], Tensor], weights: Tensor, scale: Tensor, targets: Tensor
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


def _carry(unit: ConvolutionNorm, source: Tensor, rows: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Choose the carriers of `wanted` among the unit's channels, and set them. Returns them and what they hold.

    `source` (N, R, H, W): its inputs, the channels `rows`; all others are 0.
    """
    weights, stride = weight_of(unit.conv)[:, rows], stride_of(unit.conv)
    padding = weights.shape[-1] // 2
    found = regress(lambda part: F.conv2d(source[part], weights, None, stride, padding), wanted, len(weights))
    chosen = pairs(found.correlation)
    values = found.line(torch.arange(len(chosen)), chosen)
    norm = unit.norm
    assert isinstance(norm, nn.BatchNorm2d)
    full = torch.zeros(2, len(norm.weight))
    full[:, chosen] = values
    set_norm(norm, full, found)
    gamma, beta = (part[:, None, None] for part in values)
    spread = (found.variance[chosen] + found.eps).rsqrt()[:, None, None]
    response = F.conv2d(source, weights[chosen], None, stride, padding)
    return chosen, gamma * (response - found.mean[chosen][:, None, None]) * spread + beta


def _explained(wanted: Tensor, held: Tensor) -> float:
    """The share of the wanted channels' variance that `held` has; below 0 where it is worse than their means."""
    power = (wanted - wanted.mean((0, 2, 3), keepdim=True)).double().square().sum()
    return float(1 - (wanted - held).double().square().sum() / power)


def _channels(norm: nn.Module) -> int:
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.num_features


def since(began: float) -> float:
    """Seconds since `began`."""
    return time.monotonic() - began
