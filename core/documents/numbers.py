"""How documents write numbers. Each function here is a filter of the templates; None becomes a dash.

Knows no HTML and no documents.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

NONE = "–"


def percent(share: float | None) -> str:
    """0.5125 -> 51.25%"""
    return NONE if share is None else f"{100 * share:.2f}%"


def rounded(share: float | None) -> str:
    """0.2195 -> 22.0%; half a digit is rounded up, as a person does."""
    if share is None:
        return NONE
    return f"{(100 * Decimal(str(share))).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def fixed(number: float | None, digits: int) -> str:
    """0.5 -> 0.500"""
    return NONE if number is None else f"{number:.{digits}f}"


def signed(number: float | None, digits: int) -> str:
    """0.5 -> +0.50"""
    return NONE if number is None else f"{number:+.{digits}f}"


def grouped(number: float, digits: int = 0) -> str:
    """1234567 -> 1,234,567"""
    return f"{number:,.{digits}f}"


def significant(number: float, digits: int = 6) -> str:
    """97.50 -> 97.5; 31400000.0 -> 3.1e+07 with two digits"""
    return f"{number:.{digits}g}"


def duration(seconds: float) -> str:
    """In the largest unit of which there are at least two: 7200.0 -> about 2 hours"""
    for unit, size in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"about {seconds / size:,.0f} {unit}"
    return f"about {seconds:.0f} seconds"


def moment(unix: float) -> str:
    """0.0 -> 1970-01-01 00:00:00 UTC"""
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S} UTC"


FILTERS: dict[str, Callable[..., str]] = {
    made.__name__: made for made in (percent, rounded, fixed, signed, grouped, significant, duration, moment)
}
