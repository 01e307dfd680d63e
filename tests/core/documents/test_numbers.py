"""How documents write numbers."""

from __future__ import annotations

import pytest

from core.documents import numbers


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (numbers.percent(0.5125), "51.25%"),
        (numbers.fixed(0.5, 3), "0.500"),
        (numbers.signed(0.5, 2), "+0.50"),
        (numbers.signed(-0.5, 2), "-0.50"),
        (numbers.grouped(1234567), "1,234,567"),
        (numbers.grouped(1234.56, 1), "1,234.6"),
        (numbers.significant(97.5, 4), "97.5"),
        (numbers.significant(0.001), "0.001"),
        (numbers.duration(119), "about 119 seconds"),
        (numbers.duration(7200), "about 2 hours"),
        (numbers.duration(3600), "about 60 minutes"),
        (numbers.duration(864_000_000), "about 10,000 days"),
        (numbers.moment(0), "1970-01-01 00:00:00 UTC"),
    ],
)
def test_a_number_is_written_the_same_everywhere(written: str, wanted: str) -> None:
    assert written == wanted


def test_what_is_not_known_is_a_dash() -> None:
    assert numbers.percent(None) == numbers.fixed(None, 3) == numbers.signed(None, 2) == numbers.NONE == "–"
