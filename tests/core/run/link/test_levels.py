"""Numbers in 8 bits: near, exact where they must be, and refused where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from core.run.link.levels import Floats, Levels, NotFinite


def floats(*values: float) -> Floats:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    "numbers",
    [
        np.random.default_rng(1).normal(0, 1, 200).astype(np.float32),
        np.random.default_rng(2).uniform(1e-4, 3e-4, 50).astype(np.float32),
        np.random.default_rng(3).uniform(-3e4, 9e5, 50).astype(np.float32),
        floats(0.25, 0.5, 1000.0),
        floats(-5.0, -4.5),
    ],
)
def test_each_number_is_at_most_a_step_off_and_comes_back_from_its_bytes(numbers: Floats) -> None:
    levels = Levels.of(numbers)
    step = max((numbers.max() - numbers.min()) / 254, np.abs(numbers).max() / 32767)
    assert levels.scale <= 1.001 * step + 6e-8, "a float16 is no finer"
    assert np.abs(levels.numbers - numbers).max() <= 0.5001 * levels.scale
    packed = levels.pack()
    assert len(packed) == len(numbers) + 4
    assert np.array_equal(Levels.unpack(packed).numbers, levels.numbers)


def test_a_number_that_is_0_stays_0() -> None:
    numbers = np.random.default_rng(4).normal(0.3, 1, 64).astype(np.float32)
    numbers[[3, 9]] = 0
    found = Levels.of(numbers).numbers
    assert found[3] == found[9] == 0


@pytest.mark.parametrize("value", [0.0, 1.0, -0.3, 1e-7, 12345.0])
def test_a_layer_of_one_number_keeps_it(value: float) -> None:
    found = Levels.of(floats(value, value)).numbers
    assert found == pytest.approx([value, value], rel=2e-3, abs=6e-8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(NotFinite, match="not finite"):
        Levels.of(floats(1.0, value, 2.0))


def test_too_far_apart_is_refused() -> None:
    with pytest.raises(NotFinite, match="too large"):
        Levels.of(floats(-3e38, 3e38))


def test_bytes_with_a_scale_that_is_no_number_are_refused() -> None:
    with pytest.raises(NotFinite, match="scale"):
        Levels.unpack(np.array((np.inf, 0), "<f2,<i2").tobytes() + b"\0")
