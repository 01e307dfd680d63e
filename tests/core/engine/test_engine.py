"""Which engine a run gets, and in which number format its convolutions compute."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.engine import algorithms
from core.engine import choice as engine
from core.engine.algorithms import (
    FLOAT32,
    Algorithm,
    Dispatch,
    Shape,
    Trial,
    Work,
    choose_dispatch,
    decide,
    native_format,
    own_convolution,
)
from core.engine.choice import Engine, FusedEngine, kept_bytes, make_engine
from core.engine.compiled import compiled_kernels
from core.engine.convolutions import FusedConvolution
from core.engine.kernels import Kernels
from core.engine.modules import ModuleEngine
from core.engine.values import Unfinished
from core.kernels.library import Uncompiled
from core.machine import memory
from core.run.events import Finished, Started, Warned
from core.run.spec import RunSpec
from core.training.loop import train
from tests.core.engine.test_fused import network_of

SMALL, LARGE = Shape(16, 16, 3, 1, 32), Shape(64, 64, 3, 1, 8)
CPU = torch.device("cpu")


def spec(**changes: Any) -> RunSpec:
    run = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
    return RunSpec.model_validate({**run, "train_examples": 128, "test_examples": 64, **changes})


def made(run: RunSpec) -> Engine:
    return make_engine(network_of(run), run, CPU)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Measured times of this test's own; the compiled kernels stay where they are."""
    monkeypatch.setattr(algorithms, "cache_folder", lambda: tmp_path)
    algorithms._cache_file.cache_clear()
    yield tmp_path
    algorithms._cache_file.cache_clear()


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Uncompiled("no C compiler: it is not there")

    monkeypatch.setattr(engine, "compiled_kernels", fail)
    engine._kernels.cache_clear()
    yield
    engine._kernels.cache_clear()


def test_a_batchnorm_network_runs_fused_and_says_how() -> None:
    assert made(spec(recipe={"precision": "fp32"})).words == "fused (compiled kernels), fp32"
    assert made(spec()).words.startswith("fused (compiled kernels), fp32") and made(spec()).words.endswith("8 bits")
    assert "8 bits" not in made(spec(recipe={"lean": False})).words


@pytest.mark.parametrize("kind", ["instance", "group", "layer", "none"])
def test_other_norms_run_as_modules(kind: str) -> None:
    found = made(spec(norm={"kind": kind}))
    assert isinstance(found, ModuleEngine) and found.words == "torch, fp32 (fused for BatchNorm only)"


def test_without_a_compiler_it_trains_all_the_same_and_says_so(
    no_compiler: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = list(train(spec()))
    started, warned, finished = events[0], events[1], events[-1]
    assert isinstance(started, Started) and started.engine == "torch, fp32 (no compiled kernels)"
    assert isinstance(warned, Warned) and "no C compiler" in warned.message and "apt install gcc" in warned.message
    assert isinstance(finished, Finished)
    monkeypatch.setattr(engine, "memory_bytes", lambda: 1 << 20)
    lean = made(spec(recipe={"precision": "fp32"}))
    assert isinstance(lean, FusedEngine) and lean.words == "fused (torch kernels), fp32, kept in 8 bits"


B, F, W = Algorithm.BFLOAT16, Algorithm.FLOAT32, Algorithm.FUSED


HALF, FULL = torch.bfloat16, torch.float32


@pytest.mark.parametrize(
    ("dtype", "trial", "algorithm"),
    [
        (FULL, {F: 1.4, W: 2.0}, W),
        (FULL, {F: 1.3, W: 2.0}, F),  # torch's is clearly faster
        (FULL, {F: 2.0}, F),
        (HALF, {B: 1.4, F: 9.0, W: 2.0}, W),
        (HALF, {B: 1.3, F: 9.0, W: 2.0}, B),
        (HALF, {B: 1.4, F: 1.0}, B),
        (HALF, {B: 1.6, F: 1.0}, F),
        (HALF, {F: 1.0, W: 1.6}, F),  # bfloat16 is wrong, or hopeless
    ],
)
def test_the_usual_algorithm_is_taken_unless_another_is_clearly_faster(
    dtype: torch.dtype, trial: Trial, algorithm: Algorithm
) -> None:
    other = {B: 1.0, F: 9.0} if dtype is HALF else {F: 9.0, W: 1.0}
    found = decide({SMALL: trial, LARGE: other}, dtype)
    assert found.gradients == dtype
    assert found.exceptions.get(SMALL, B if dtype is HALF else F) is algorithm


def test_without_a_convolution_in_bfloat16_all_is_float32() -> None:
    assert decide({SMALL: {B: 9, F: 2}, LARGE: {B: 9, F: 2}}, HALF) == FLOAT32


def test_beside_own_kernels_weights_get_their_gradient_in_the_better_format() -> None:
    plan = spec().plan
    conv = next(c for c in plan.convolutions if own_convolution(Shape.of(c), compiled_kernels()))
    cases = ((HALF, {B: 2, F: 9, W: 1}, HALF), (HALF, {B: 16, F: 9, W: 1}, FULL), (HALF, {F: 9, W: 1}, FULL))
    for dtype, trial, wanted in (*cases, (FULL, {F: 9, W: 1}, FULL)):
        found = decide({Shape.of(conv): trial}, dtype)
        assert found.of(conv) is W and found.torch_format(conv) == wanted


@pytest.mark.parametrize(
    ("told", "dtype"),
    [("fma avx2 avx512f avx512_bf16", HALF), ("fp asimd bf16 i8mm", HALF), ("fma avx2 avx512bw", FULL), ("", FULL)],
)
def test_the_format_is_the_processors(monkeypatch: pytest.MonkeyPatch, told: str, dtype: torch.dtype) -> None:
    monkeypatch.setattr(algorithms, "abilities", lambda: told)
    assert native_format() == dtype


def test_ways_in_words() -> None:
    assert FLOAT32.words == "fp32" and Dispatch(torch.bfloat16).words == "fp32, gradients in bf16"
    assert Dispatch(HALF, {SMALL: F}).words == "fp32, gradients in bf16 (convolution shapes: 1 wholly in fp32)"
    assert Dispatch(torch.float32, {SMALL: W, LARGE: W}).words == "fp32 (convolution shapes: 2 in own kernels)"
    both = "fp32, gradients in bf16 (convolution shapes: 1 wholly in fp32, 1 in own kernels)"
    assert Dispatch(HALF, {SMALL: W, LARGE: F}).words == both


def test_each_shape_is_tried_once_on_a_machine(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = spec().plan
    kernels = compiled_kernels()
    first = choose_dispatch(plan, 128, kernels)
    (file,) = cache.glob("algorithms-*.json")
    assert len(json.loads(file.read_text())) == len({Shape.of(conv) for conv in plan.convolutions})

    def again(shape: Shape, batch: int, kernels: Kernels | None, dtype: torch.dtype) -> Trial:
        raise AssertionError(f"{shape} was tried before")

    monkeypatch.setattr(algorithms, "_trial", again)
    assert choose_dispatch(plan, 128, kernels) == first
    monkeypatch.undo()
    file.write_text("{broken")
    monkeypatch.setattr(algorithms, "cache_folder", lambda: cache)
    assert choose_dispatch(plan, 128, kernels).gradients in (torch.float32, torch.bfloat16), (
        "a damaged file is made anew"
    )


def test_without_a_place_to_keep_anything_it_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(algorithms, "cache_folder", homeless)
    assert choose_dispatch(spec().plan, 8, None).gradients in (torch.float32, torch.bfloat16)


def test_wrong_results_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = algorithms._forward_backward

    def wrong(shape: Shape, x: Tensor, weight: Tensor, between: torch.dtype, within: torch.dtype) -> list[Tensor]:
        y, gradient = right(shape, x, weight, between, within)
        return [y, 1.1 * gradient if within == HALF else gradient]

    class Rough(FusedConvolution):
        def backward(self, gradient: torch.Tensor | Unfinished, weight: torch.Tensor, size: torch.Size) -> torch.Tensor:
            return 1.001 * super().backward(gradient, weight, size)

    monkeypatch.setattr(
        algorithms, "_promising", lambda works, images: works
    )  # where bfloat16 is slow it would not be tried
    assert set(algorithms._trial(SMALL, 8, compiled_kernels(), HALF)) == {B, F, W}
    assert set(algorithms._trial(SMALL, 8, compiled_kernels(), FULL)) == {F, W}
    monkeypatch.setattr(algorithms, "_forward_backward", wrong)
    assert set(algorithms._trial(SMALL, 8, None, HALF)) == {F}
    kernels = compiled_kernels()
    monkeypatch.setattr(kernels, "convolution", lambda *which: Rough(kernels._library, *which))
    assert set(algorithms._trial(SMALL, 8, kernels, HALF)) == {F, W}, "so little is lost in the rounding"
    assert set(algorithms._trial(SMALL, 8, kernels, FULL)) == {F}


def test_a_hopeless_way_is_not_tried_further() -> None:
    calls: Counter[Algorithm] = Counter()

    def work(algorithm: Algorithm, seconds: float) -> Work:
        def take(images: int) -> list[torch.Tensor]:
            calls[algorithm] += 1
            time.sleep(seconds)
            return []

        return take

    assert list(algorithms._promising({B: work(B, 0.5), W: work(W, 0.01), F: work(F, 0.01)}, 1)) == [W, F]
    assert calls == {B: 2, W: 2, F: 2}
    assert list(algorithms._promising({F: work(F, 0.5), W: work(W, 0.01)}, 1)) == [F, W], (
        "torch's float32 is what all are compared with"
    )


def test_where_memory_would_not_suffice_it_is_lean_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run = spec(recipe={"precision": "fp32", "batch_size": 32})
    kept = kept_bytes(run.plan, 32)
    monkeypatch.setattr(engine, "memory_bytes", lambda: 2 * kept)
    roomy = made(run)
    assert not roomy.layers.lean and roomy.notice is None
    monkeypatch.setattr(engine, "memory_bytes", lambda: 2 * kept - 2)
    crowded = made(run)
    assert crowded.layers.lean and crowded.words.endswith("8 bits") and "lean mode" in crowded.notice
    asked = made(spec(recipe={"batch_size": 32}))
    assert asked.notice is None, "who asked for it need not be told"


def test_what_a_step_keeps_is_known_before() -> None:
    run = spec(recipe={"precision": "fp32", "batch_size": 32})
    made_engine, plan = made(run), run.plan
    stem = plan.stem.convolution
    images = torch.randn(32, stem.inputs, stem.size, stem.size).contiguous(memory_format=torch.channels_last)
    made_engine.train(images, 0)
    known = kept_bytes(plan, 32)
    assert known <= made_engine.saved_bytes <= 1.1 * known


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMITS", (limit, tmp_path / "absent"))
    limit.write_text("max\n")
    assert memory.memory_bytes() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit.write_text("1048576\n")
    assert memory.memory_bytes() == 1 << 20


def test_what_own_kernels_cannot_is_left_to_torch() -> None:
    for shape in (Shape(3, 16, 3, 1, 32), Shape(16, 32, 5, 1, 32), Shape(16, 32, 3, 4, 32), Shape(24, 32, 3, 1, 8)):
        assert own_convolution(shape, compiled_kernels()) is None
        assert W not in algorithms._trial(shape, 8, compiled_kernels(), FULL)


def test_fp32_asks_for_torchs_own_convolutions() -> None:
    found = made(spec(recipe={"precision": "fp32"}))
    assert isinstance(found, FusedEngine) and not any(unit.own for unit in found.layers.units)
