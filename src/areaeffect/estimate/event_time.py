"""Event time: periods counted from each neighbourhood's own start, in bins with enough events.

Counts are added up inside a bin before a ratio is taken, so that no sparse count needs a logarithm
(Chen & Roth 2024, doi 10.1093/qje/qjad054: log(1 + y) has no scale of its own).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.periods import PeriodKind, Periods
from areaeffect.results import Floats, Ints


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal stretches of time before and after a start."""

    months: int  # length of one; periods that are longer, or a table's own numbers, are a bin each.
    #: leads, lags: number of bins before and from the start on
    leads: int
    lags: int

    @property
    def n(self) -> int:
        """Number of bins; the first `leads` lie before the start."""
        return self.leads + self.lags

    def length(self, kind: PeriodKind) -> int:
        """Return the periods of one bin."""
        return max(1, self.months * (kind.per_year or 0) // 12)

    def of(self, periods: Periods, start: int, start_kind: PeriodKind) -> Ints:
        """Return the bin of each period, (n_periods,); -1 where a start falls inside a period."""
        before, after = periods.split(start, start_kind)
        length = self.length(periods.kind)
        found = np.full(periods.n, -1, dtype=np.int64)
        if not self.n:
            return found
        found[before] = self.leads - 1 - (before.stop - 1 - np.arange(before.stop)) // length
        found[after] = self.leads + np.arange(after.stop - after.start) // length
        return found


NO_BINS = Bins(12, 0, 0)


def bins_over(months: int, periods: list[Periods], starts: list[tuple[int, PeriodKind]]) -> Bins:
    """Return bins that hold every period of every outcome around every start."""
    leads = lags = 0
    unit = Bins(months, 0, 0)
    for axis in periods:
        length = unit.length(axis.kind)
        for start, kind in starts:
            before, after = axis.split(start, kind)
            leads = max(leads, -(-before.stop // length))
            lags = max(lags, -(-(after.stop - after.start) // length))
    return Bins(months, leads, lags)


def path(totals: Floats, *, is_ratio: bool) -> Floats:
    """Return the effect in each event-time bin over the neighbourhoods that have it.

    Each bin is compared with the time before the start of the same neighbourhoods:

        ratio      log( sum_g Y_gb / sum_g Yhat_gb ) - log( sum_g Y_g,pre / sum_g Yhat_g,pre )
        additive   (Y_b - Yhat_b) / E_b - (Y_pre - Yhat_pre) / E_pre   of scores, sum_g likewise

    Parameters
    ----------
    totals : (..., n_neighbourhoods, cf.N_TOTALS + cf.N_PATH * n_bins).
    is_ratio : log ratio (counts) or difference of means (scores).

    Returns
    -------
    (..., n_bins); NaN where no neighbourhood has the bin, or a total is not positive.
    """
    binned = totals[..., cf.N_TOTALS :].reshape(*totals.shape[:-1], -1, cf.N_PATH)
    has = binned[..., cf.PATH_EXPOSURE] > 0
    base = np.where(has[..., None], totals[..., None, : cf.N_TOTALS], 0.0).sum(axis=-3)
    now = np.where(has[..., None], binned, 0.0).sum(axis=-3)
    observed, expected = now[..., cf.PATH_OBSERVED], now[..., cf.PATH_EXPECTED]
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_ratio:
            after = np.log(observed / expected)
            before = np.log(base[..., cf.OBSERVED_PRE] / base[..., cf.EXPECTED_PRE])
        else:
            after = (observed - expected) / now[..., cf.PATH_EXPOSURE]
            before = (base[..., cf.OBSERVED_PRE] - base[..., cf.EXPECTED_PRE]) / base[..., cf.EXPOSURE_PRE]
        found = after - before
    return np.asarray(np.where(np.isfinite(found), found, np.nan))


def path_counts(totals: Floats) -> Floats:
    """Return the events before the start of the neighbourhoods that have each bin, (..., n_bins).

    The standard error of a bin is predicted from them, see `inference.predicted_scale`.
    """
    binned = totals[..., cf.N_TOTALS :].reshape(*totals.shape[:-1], -1, cf.N_PATH)
    has = binned[..., cf.PATH_EXPOSURE] > 0
    return np.asarray(np.where(has, totals[..., cf.OBSERVED_PRE, None], 0.0).sum(axis=-2))


@dataclass(frozen=True, slots=True)
class Staggered:
    """An estimate with its standard errors."""

    estimate: float  # in units of the outcome
    #: standard error, net of the part of the variance of effects that history explains (their section 2.4)
    error: float
    conservative: float  # standard error without that (Neyman)
    beta: float  # the weight of the gaps before the starts


def random_timing(
    outcome: Floats, start: Ints, estimand: str = "simple", beta: float | None = None
) -> Staggered:
    """Estimate the effect of starting, over treated cells.

    Parameters
    ----------
    outcome : (n_units, n_periods).
    start : (n_units,), position of the first treated period; n_periods or more for never.
    estimand : how cells are weighted: 'simple' (each unit-period once), 'cohort' (each unit once)
        or 'calendar' (each period once).
    beta : 1 for Callaway and Sant'Anna, 0 for the difference in means; None for the best one.

    Raises
    ------
    ValueError
        Where a start has a single unit, which has no variance, or no cell can be compared.
    """
    starts, sizes = np.unique(start, return_counts=True)
    if sizes.min() < 2:  # noqa: PLR2004  # a variance needs two
        msg = "a start with a single unit has no variance"
        raise ValueError(msg)
    after, before = _contrasts(starts, sizes, outcome.shape[1], estimand)
    means = np.array([outcome[start == s].mean(axis=0) for s in starts])
    covariances = [np.cov(outcome[start == s], rowvar=False) for s in starts]
    variance = np.zeros((2, 2))  # of (theta_0, X)
    for s, both in enumerate(zip(after, before, strict=True)):
        rows = np.array(both)
        variance += rows @ covariances[s] @ rows.T / sizes[s]
    if beta is None:
        beta = float(variance[0, 1] / variance[1, 1]) if variance[1, 1] > 0 else 0.0
    direction = np.array([1.0, -beta])
    conservative = float(direction @ variance @ direction)
    effect = float(((after - beta * before) * means).sum())
    explained = _explained(after, covariances, int(starts[0]), int(sizes.sum()))
    return Staggered(
        effect, float(np.sqrt(max(conservative - explained, 0.0))), float(np.sqrt(conservative)), beta
    )


def _contrasts(starts: Ints, sizes: Ints, n_periods: int, estimand: str) -> tuple[Floats, Floats]:
    """Return the weights of each start's mean path in theta_0 and in X, (n_starts, n_periods)."""
    periods = np.arange(n_periods)
    cells = (starts[:, None] <= periods) & (periods < starts.max())  # treated, and some later left
    if not cells.any():
        msg = "no treated period has units that start later"
        raise ValueError(msg)
    weight = cells * sizes[:, None].astype(np.float64)
    if estimand == "calendar":
        used = weight.sum(axis=0)
        weight = np.divide(weight, used, out=np.zeros_like(weight), where=used > 0)
    elif estimand == "cohort":
        weight /= np.maximum(cells.sum(axis=1, keepdims=True), 1)
    weight /= weight.sum()
    after, before = np.zeros_like(weight), np.zeros_like(weight)
    for s, t in zip(*np.nonzero(cells), strict=True):
        later = np.where(starts > t, sizes, 0)
        share = weight[s, t] * later / later.sum()
        after[s, t] += weight[s, t]
        after[:, t] -= share
        if starts[s] > 0:
            before[s, starts[s] - 1] += weight[s, t]
            before[:, starts[s] - 1] -= share
    return after, before


def _explained(after: Floats, covariances: list[Floats], first: int, n_units: int) -> float:
    """Variance of effects that outcomes before the first start predict: a lower bound of it."""
    if first == 0:
        return 0.0
    total = np.zeros(first)
    for weights, covariance in zip(after, covariances, strict=True):
        total += np.linalg.pinv(covariance[:first, :first]) @ (covariance[:first] @ weights)
    mean = np.mean([c[:first, :first] for c in covariances], axis=0)
    return float(total @ mean @ total) / n_units
