"""constraints.txt has one exact version of every package, which the requirements allow."""

from __future__ import annotations

import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.constraints import FILE, FREE, PYTHON, needed, requirements

LINES = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
PINS = {canonicalize_name(pin.name): pin for pin in map(Requirement, LINES)}


def test_every_line_is_one_exact_version_for_every_platform() -> None:
    assert len(PINS) == len(LINES)
    for pin in PINS.values():
        (one,) = pin.specifier
        assert one.operator == "==" and "*" not in one.version, pin
        assert not pin.url and not pin.extras and pin.marker is None, "pip takes no extra in a constraint"


def test_what_is_required_has_a_version_that_the_requirement_allows() -> None:
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        if not name.startswith(FREE):
            (pin,) = PINS[name].specifier
            assert requirement.specifier.contains(pin.version), requirement


def test_torch_and_what_comes_with_it_stay_free() -> None:
    """Which of them pip can have differs from platform to platform."""
    assert not [name for name in PINS if name.startswith(FREE)]
    assert {"torch", "torchvision"} <= {requirement.name for requirement in requirements()}


@pytest.mark.skipif(sys.version_info[:2] != PYTHON, reason="newer Pythons need other packages, too")
def test_what_comes_with_a_requirement_has_a_version_too() -> None:
    """Where this fails, `make constraints` is due."""
    assert {name for name in needed() if not name.startswith(FREE)} <= PINS.keys()
