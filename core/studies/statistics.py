"""Means with their uncertainty over replicates: standard deviation, t-intervals, paired and Welch differences.

Plain Python: the web process needs one quantile of Student's t, and SciPy would cost it a quarter of a second and
25 MB. A test compares with numbers of SciPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import atan, cos, gamma, pi, sqrt, tan
from statistics import fmean, stdev, variance

from core.catalog.model import Model

CONFIDENCE = 0.95
NORMAL_95 = 1.959964
"""95% of a normal distribution is within so many standard deviations of its mean."""
INTERVALS = 400  # of Simpson's rule: good to six digits or more from one degree of freedom on


class Summary(Model):
    """`n` values: their mean, standard deviation (n - 1) and the t-interval of the mean.

    A single value has a mean and nothing else.
    """

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None


def summary(values: Sequence[float], confidence: float = CONFIDENCE) -> Summary | None:
    """The summary of `values`; None where there are none."""
    if not values:
        return None
    mean = fmean(values)
    if len(values) == 1:
        return Summary(n=1, mean=mean, sd=None, low=None, high=None)
    sd = stdev(values)
    half = t_quantile(confidence, len(values) - 1) * sd / sqrt(len(values))
    return Summary(n=len(values), mean=mean, sd=sd, low=mean - half, high=mean + half)


def floored(found: Summary | None, step: float) -> Summary | None:
    """`found` with an interval that reaches at least `step` to both sides: equal values of a few replicates prove no
    more than what one test image can show."""
    if found is None or found.low is None or found.high is None:
        return found
    low, high = min(found.low, found.mean - step), max(found.high, found.mean + step)
    return found.model_copy(update={"low": low, "high": high})


def paired(a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE) -> Summary | None:
    """The mean of a - b over the keys (replicates) that both have; `n` counts pairs."""
    return summary([a[key] - b[key] for key in sorted(a.keys() & b.keys())], confidence)


def welch(a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE) -> Summary | None:
    """The difference of two means without pairs and without equal variances (Welch 1947).

    `n` is the smaller number of values, `sd` the standard error of the difference times the root of `n`.
    """
    if not a or not b:
        return None
    mean, n = fmean(a) - fmean(b), min(len(a), len(b))
    if n == 1:
        return Summary(n=1, mean=mean, sd=None, low=None, high=None)
    parts = [variance(values) / len(values) for values in (a, b)]
    error = sqrt(sum(parts))
    if error == 0:
        return Summary(n=n, mean=mean, sd=0.0, low=mean, high=mean)
    freedom = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (a, b), strict=True))
    half = t_quantile(confidence, freedom) * error
    return Summary(n=n, mean=mean, sd=error * sqrt(n), low=mean - half, high=mean + half)


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share of which `right` of `count` were seen (Wilson 1927); `count` is at least 1."""
    square = NORMAL_95**2
    middle = (right + square / 2) / (count + square)
    half = NORMAL_95 / (count + square) * sqrt(right * (count - right) / count + square / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


@lru_cache(256)
def t_quantile(confidence: float, freedom: float) -> float:
    """The t for which Student's distribution has `confidence` of its mass in -t..t; `freedom` is at least 1.

    With t = sqrt(freedom) * tan(angle) the density becomes cos(angle) ** (freedom - 1), which is integrated by
    Simpson's rule and inverted by bisection.
    """
    if not 0 < confidence < 1 or freedom < 1:
        raise ValueError(f"confidence must be in (0, 1) and freedom at least 1, got {confidence} and {freedom}")
    freedom = min(freedom, 300.0)  # beyond, the gamma function overflows and t changes in the third digit only
    whole = sqrt(pi) * gamma(freedom / 2) / gamma((freedom + 1) / 2)
    low, high = 0.0, atan(1e9)
    for _ in range(60):
        middle = (low + high) / 2
        if 2 * _integral(middle, freedom - 1) / whole < confidence:
            low = middle
        else:
            high = middle
    return sqrt(freedom) * tan((low + high) / 2)


def _integral(end: float, power: float) -> float:
    """The integral of cos(x) ** power from 0 to `end`."""
    width = end / INTERVALS
    weights = [1, *([4, 2] * (INTERVALS // 2 - 1)), 4, 1]
    return width / 3 * sum(weight * cos(i * width) ** power for i, weight in enumerate(weights))
