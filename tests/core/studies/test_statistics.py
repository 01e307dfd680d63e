"""Means and intervals against SciPy and against values worked out by hand."""

from __future__ import annotations

import pytest

from core.studies.statistics import paired, summary, t_quantile, welch

FREEDOMS = (1, 1.5, 2, 2.7, 4, 11, 60)
QUANTILES = {
    0.9: (6.3137515147, 3.7051808201, 2.9199855804, 2.4638889363, 2.1318467863, 1.7958848187, 1.6706488649),
    0.95: (12.7062047362, 6.0166631044, 4.3026527297, 3.3921483832, 2.7764451052, 2.2009851601, 2.0002978220),
    1 - 0.05 / 3: (38.1884592970, 12.6561247805, 7.6488039379, 5.3454192099, 3.9607864828, 2.8200336999, 2.4629531825),
}
"""By confidence, for each of FREEDOMS: scipy.stats.t.ppf((1 + confidence) / 2, freedom) of SciPy 1.17.1."""


@pytest.mark.parametrize("confidence", QUANTILES)
def test_quantiles_of_students_t(confidence: float) -> None:
    ours = [t_quantile(confidence, freedom) for freedom in FREEDOMS]
    assert ours == pytest.approx(QUANTILES[confidence], rel=1e-6)


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
    # scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95) of SciPy 1.17.1
    assert told and (told.low, told.high) == pytest.approx((3.51187364878, 11.35479301789), rel=1e-6)
    assert (one := welch([1.0], [2.0, 3.0])) and one.low is None
    assert (same := welch([2.0, 2.0], [1.0, 1.0])) and (same.low, same.high) == (1.0, 1.0)
