"""Corrupted views: each does what its definition says, the same for an image wherever it comes, on any data set."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from core.catalog.corruptions import CORRUPTIONS, WORST
from core.catalog.datasets import DATASETS
from core.catalog.registry import UnknownName
from core.data.augmentation import normalise, pixels
from core.data.corruptions import corrupted
from core.data.memory import load

SHAPES = ((1, 8, 8), (3, 32, 32), (3, 20, 30))
SEVERITIES = range(1, WORST + 1)


def images(count: int, shape: tuple[int, int, int]) -> Tensor:
    """Made up, with every pixel value."""
    values = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
    return torch.from_numpy(values)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    return load("digits", tmp_path_factory.mktemp("none"))[1].images


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_the_stored_images_stay_and_a_view_is_the_same_each_time(name: str, shape: tuple[int, int, int]) -> None:
    stored = images(5, shape)
    before = stored.clone()
    for severity in SEVERITIES:
        view = corrupted(stored, name, severity, range(5), 3)
        assert view.dtype == torch.uint8 and view.shape == stored.shape and not torch.equal(view, before)
        assert torch.equal(view, corrupted(stored, name, severity, range(5), 3))
    clean = corrupted(stored, name, 0, range(5), 3)
    assert torch.equal(clean, before) and torch.equal(stored, before)
    clean.zero_()
    assert torch.equal(stored, before), "severity 0 is a copy, too"


@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_an_image_has_its_own_noise_and_turn_whatever_comes_with_it(name: str) -> None:
    stored = images(6, (1, 8, 8))
    whole = corrupted(stored, name, 4, range(6), 0)
    some = corrupted(stored[[4, 1]], name, 4, [4, 1], 0)
    assert torch.equal(some, whole[[4, 1]])


def test_another_seed_gives_other_noise_and_other_turns() -> None:
    stored = images(40, (1, 8, 8))
    for name in ("gaussian-noise", "rotation"):
        first, second = (corrupted(stored, name, 3, range(40), seed) for seed in (0, 1))
        assert not torch.equal(first, second)
    for name in ("blur", "contrast", "brightness"):
        first, second = (corrupted(stored, name, 3, range(40), seed) for seed in (0, 1))
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_each_severity_is_further_from_the_clean_image_than_the_one_before(name: str, digits: Tensor) -> None:
    away = [
        (corrupted(digits[:100], name, severity, range(100), 0).float() - digits[:100].float()).square().mean().sqrt()
        for severity in range(WORST + 1)
    ]
    assert away[0] == 0 and all(less < more for less, more in pairwise(away)), away


def test_noise_has_the_deviation_that_it_says() -> None:
    grey = torch.full((200, 1, 8, 8), 128, dtype=torch.uint8)
    for severity in (1, 2, 3):  # stronger noise is cut off at 0 and 255
        noise = corrupted(grey, "gaussian-noise", severity, range(200), 0).float() - 128
        assert noise.std().item() == pytest.approx(255 * CORRUPTIONS["gaussian-noise"].at(severity), rel=0.03)
        assert abs(noise.mean().item()) < 1


def test_brightness_and_contrast_to_the_pixel() -> None:
    image = torch.tensor([[[[0, 100], [200, 255]]]], dtype=torch.uint8)
    # Severity 1 adds a tenth of 255, which is 25.5: halves are rounded to even.
    assert corrupted(image, "brightness", 1, [0], 0).flatten().tolist() == [26, 126, 226, 255]
    # The mean is 138.75, and severity 2 halves the distance from it.
    assert corrupted(image, "contrast", 2, [0], 0).flatten().tolist() == [69, 119, 169, 197]


def test_blur_keeps_an_even_image_and_spreads_a_point_by_its_filter() -> None:
    even = torch.full((1, 3, 32, 32), 77, dtype=torch.uint8)
    assert torch.equal(corrupted(even, "blur", 5, [0], 0), even)
    point = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    point[0, 0, 16, 16] = 255
    deviation = CORRUPTIONS["blur"].at(4) * 32**0.5
    away = np.arange(-5, 6)
    weights = np.exp(-(away**2) / (2 * deviation**2))
    weights /= weights.sum()  # five pixels are just over three deviations, where the filter ends
    expected = np.rint(255 * np.outer(weights, weights))
    found = corrupted(point, "blur", 4, [0], 0)[0, 0, 11:22, 11:22].numpy()
    assert np.abs(found - expected).max() <= 1


def test_a_rotation_turns_about_the_middle_to_either_side_and_lets_black_in() -> None:
    white = torch.full((60, 1, 33, 33), 255, dtype=torch.uint8)
    turned = corrupted(white, "rotation", 4, range(60), 0)
    assert (turned[:, 0, 16, 16] == 255).all() and (turned[:, 0, 0, 0] == 0).all()
    line = torch.zeros(60, 1, 33, 33, dtype=torch.uint8)
    line[:, :, 4:16, 15:18] = 255  # straight up from the middle; 45 degrees are severity 4
    left = corrupted(line, "rotation", 4, range(60), 0)[:, 0, 9, 9].float()
    right = corrupted(line, "rotation", 4, range(60), 0)[:, 0, 9, 23].float()
    assert ((left > 200) ^ (right > 200)).all() and 15 < (left > 200).sum() < 45
    wide = torch.zeros(1, 1, 21, 41, dtype=torch.uint8)
    wide[:, :, 9:12, 20:] = 255
    lit = corrupted(wide, "rotation", 4, [0], 0)[0, 0].float()
    assert max(lit[4, 26], lit[16, 26]) > 200, "an oblong image is turned, not sheared"


def test_a_normalised_image_goes_back_to_its_pixels() -> None:
    for name in ("digits", "cifar-10"):
        data = DATASETS[name]
        stored = images(4, data.shape)
        assert torch.equal(pixels(normalise(stored, data), data), stored)


def test_an_unknown_corruption_is_refused_in_words() -> None:
    with pytest.raises(UnknownName, match=r"unknown corruption 'fog'.*gaussian-noise"):
        corrupted(images(1, (1, 8, 8)), "fog", 1, [0], 0)
