"""A seed gives the same numbers everywhere: against a second implementation, kept digests, and other processors."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.draws.exact import Stream, exponential, logarithm, orthonormal, quantile
from core.draws.versions import drawn
from tests.core.draws import plain
from tests.core.draws.digests import digests

KEPT = Path(__file__).with_name("digests.json")


def first(count: int, *parts: object) -> list[int]:
    return list(islice(plain.words(7, *parts), count))


def test_the_words_are_philoxs() -> None:
    # Random123, kat_vectors, philox4x64 10: counter and key of all ones.
    ones = plain.MASK
    assert plain.philox((ones, ones, ones, ones), (ones, ones)) == (
        0x87B092C3013FE90B,
        0x438C3C67BE8D0224,
        0x9CC7D7C69CD777B6,
        0xA09CAEBF594F0BA0,
    )
    assert Stream(7, "a", 3).words(1003).tolist() == first(1003, "a", 3)


def test_a_stream_goes_on_where_it_was() -> None:
    whole, pieces = Stream(7).words(100), Stream(7)
    assert whole.tolist() == [*pieces.words(3).tolist(), *pieces.words(97).tolist()]


def test_all_numbers_are_those_of_the_second_implementation() -> None:
    count = 20_000  # more than a chunk
    uniform = [plain.uniform(word) for word in first(count, "x")]
    draw = drawn(2, 7, "x")
    assert draw.normal((200, 100), 0.3).tobytes() == plain.bits([plain.normal(u) * 0.3 for u in uniform])
    assert drawn(2, 7, "x").uniform((count,), -0.7, 0.2).tobytes() == plain.bits(
        [-0.7 + u * (0.2 - -0.7) for u in uniform]
    )
    words = first(60, "y")
    assert drawn(2, 7, "y").coins(60).tolist() == [bool(word >> 63) for word in words]
    assert drawn(2, 7, "y").below((3, 20), 9).flatten().tolist() == [plain.below(word, 9) for word in words]
    assert drawn(2, 7, "y").order(60).tolist() == plain.order(words)
    assert drawn(2, 7, "y").ranks(3, 20).tolist() == [plain.order(words[i : i + 20]) for i in (0, 20, 40)]


@pytest.mark.parametrize(("outputs", "fan_in"), [(5, 12), (12, 5), (7, 7), (1, 3), (3, 1)])
def test_orthogonal_numbers_are_those_of_the_second_implementation(outputs: int, fan_in: int) -> None:
    flat = [plain.normal(plain.uniform(word)) for word in first(outputs * fan_in, "o")]
    rows = [flat[i * fan_in : (i + 1) * fan_in] for i in range(outputs)]
    if outputs < fan_in:
        wanted = plain.orthonormal(rows)
    else:
        wanted = [list(row) for row in zip(*plain.orthonormal([list(c) for c in zip(*rows, strict=True)]), strict=True)]
    got = drawn(2, 7, "o").orthogonal(outputs, fan_in)
    assert got.tobytes() == plain.bits([x for row in wanted for x in row])


@pytest.mark.parametrize(("outputs", "fan_in", "count"), [(5, 12, 3), (4, 9, 1), (3, 4, 4)])
def test_sparse_numbers_are_those_of_the_second_implementation(outputs: int, fan_in: int, count: int) -> None:
    words = first(outputs * (fan_in + count), "s")
    ranked, rest = words[: outputs * fan_in], words[outputs * fan_in :]
    wanted = [0.0] * (outputs * fan_in)
    for row in range(outputs):
        places = plain.order(ranked[row * fan_in : (row + 1) * fan_in])[:count]
        for place, word in zip(places, rest[row * count : (row + 1) * count], strict=True):
            wanted[row * fan_in + place] = plain.normal(plain.uniform(word)) * 0.7
    assert drawn(2, 7, "s").sparse(outputs, fan_in, count, 0.7).tobytes() == plain.bits(wanted)


def test_the_functions_are_right() -> None:
    x = np.concatenate([Stream(1).uniform(5000), 2.0 ** -np.arange(1.0, 53), [1 - 2.0**-53]])
    assert np.allclose(logarithm(x), [math.log(v) for v in x], rtol=5e-16, atol=3e-16)
    assert np.allclose(quantile(x), [NormalDist().inv_cdf(v) for v in x], rtol=1e-14, atol=1e-15)
    assert [plain.logarithm(v) for v in x] == logarithm(x).tolist()
    assert [plain.normal(v) for v in x] == quantile(x).tolist()
    small = x - 0.5
    assert np.allclose(exponential(small), [math.exp(v) for v in small], rtol=4e-16)
    assert [plain.exponential(v) for v in small] == exponential(small).tolist()


def test_normal_numbers_are_normal() -> None:
    values = np.sort(drawn(2, 3, "normal").normal((400_000,), 2.0))
    gap = np.abs(
        np.searchsorted(values, [2 * NormalDist().inv_cdf(p / 100) for p in range(1, 100)]) / 4000 - np.arange(1, 100)
    )
    assert gap.max() < 0.3, "percent of the numbers below each percentile"
    assert abs(values.mean()) < 0.012 and abs(values.std() - 2) < 0.01


def test_orthogonal_is_orthogonal() -> None:
    for shape in ((64, 576), (64, 16), (256, 256)):
        matrix = drawn(2, 5, shape).orthogonal(*shape).astype(float)
        product = matrix @ matrix.T if shape[0] <= shape[1] else matrix.T @ matrix
        assert np.abs(product - np.eye(len(product))).max() < 1e-6
    assert np.abs(orthonormal(np.eye(3)) - np.eye(3)).max() == 0


def test_another_use_of_a_seed_is_another_stream() -> None:
    assert len({drawn(2, seed, part).normal((1,), 1.0).item() for seed in range(30) for part in "abc"}) == 90


def test_every_initialiser_keeps_its_numbers() -> None:
    kept = json.loads(KEPT.read_text())
    assert digests() == kept
    for name in (*WEIGHT_INITIALIZERS, *NORM_INITIALIZERS):
        assert any(key.startswith(f"{name} ") for key in kept), f"`python -m tests.core.draws.digests` adds {name}"


@pytest.mark.parametrize(
    "machine",
    [
        {"ATEN_CPU_CAPABILITY": "default", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4"},
        {"ATEN_CPU_CAPABILITY": "avx2", "OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "4"},
    ],
    ids=["no vectors", "avx2", "4 threads"],
)
def test_another_processor_draws_the_same(machine: dict[str, str]) -> None:
    quiet = {"PYTHONWARNINGS": "ignore"}  # NumPy says which of the features this processor has not anyway
    command = [sys.executable, "-m", "tests.core.draws.digests", "--print"]
    done = subprocess.run(command, env={**os.environ, **quiet, **machine}, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(KEPT.read_text())


def test_the_old_draw_is_pytorchs() -> None:
    """The numbers were printed by the code of version 0.2."""
    assert drawn(1, 7, "x").normal((50,), 0.5)[:2] == pytest.approx([0.3262, -0.6863], abs=1e-4)
    assert drawn(1, 7, 3).order(12).tolist() == [5, 0, 4, 7, 11, 6, 10, 3, 2, 8, 9, 1]
    assert drawn(1, 7, "x").ranks(2, 6).tolist() == [[4, 3, 5, 0, 1, 2], [1, 0, 4, 3, 5, 2]]
