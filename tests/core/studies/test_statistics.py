"""Means and intervals against SciPy and against values worked out by hand."""

from __future__ import annotations

import pytest
from scipy import stats

from core.studies.statistics import paired, summary, t_quantile, welch


@pytest.mark.parametrize("confidence", [0.9, 0.95, 1 - 0.05 / 3])
@pytest.mark.parametrize("freedom", [1, 1.5, 2, 2.7, 4, 11, 60])
def test_quantiles_of_students_t(confidence: float, freedom: float) -> None:
    assert t_quantile(confidence, freedom) == pytest.approx(stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-6)


def test_a_quantile_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\)"):
        t_quantile(1.0, 3)


def test_summary() -> None:
    told = summary([47.0, 48.0, 49.0])
    assert told and (told.n, told.mean, told.sd) == (3, 48.0, 1.0)
    assert told.high == pytest.approx(48 + 4.302653 / 3**0.5, abs=1e-5), "t of two degrees of freedom: 4.303"
    assert told.low == pytest.approx(96 - told.high)
    alone = summary([3.0])
    assert alone and (alone.mean, alone.sd, alone.low) == (3.0, None, None)
    assert summary([]) is None


def test_paired_takes_the_replicates_that_both_have() -> None:
    told = paired({0: 5.0, 1: 7.0, 2: 9.0}, {0: 4.0, 2: 6.0, 3: 100.0})
    assert told and (told.n, told.mean) == (2, 2.0)


def test_welch_as_scipy_has_it() -> None:
    a, b = [70.1, 71.9, 70.8], [64.0, 66.5, 60.2, 63.3]
    told = welch(a, b)
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (
        told and told.low == pytest.approx(theirs.low, rel=1e-6) and told.high == pytest.approx(theirs.high, rel=1e-6)
    )
    assert (one := welch([1.0], [2.0, 3.0])) and one.low is None
    assert (same := welch([2.0, 2.0], [1.0, 1.0])) and (same.low, same.high) == (1.0, 1.0)
