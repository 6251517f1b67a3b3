"""The joint test of a multiverse: all branches at once, against the same placebo programmes.

Simonsohn, Simmons & Nelson 2020, Specification curve analysis (doi 10.1038/s41562-020-0912-z,
'Inferential specification curve analysis'): the median effect over the branches, and the share
of branches on one side of zero, are each held against what they are for placebo programmes that
go through every branch too. Branches share data, so no branch is a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.inference import around_zero

if TYPE_CHECKING:
    from areaeffect.results import Floats

#: Fewer placebo programmes than this carry no joint test.
MIN_DRAWS = 39
#: A placebo programme counts where at least this share of the branches could be computed for it.
_MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """All branches of one finding against the same placebo programmes.

    Parameters
    ----------
    n_branches : branches that could be computed.
    n_draws : placebo programmes that count.
    median, share_below : median effect, and share of branches under zero.
    median_p, share_p : twice the smaller tail, with the +1 correction; None under `MIN_DRAWS`.
    median_low, median_high : the middle 95% of the placebo programmes' medians.
    """

    n_branches: int
    n_draws: int
    median: float
    share_below: float
    median_p: float | None
    share_p: float | None
    median_low: float | None
    median_high: float | None


def joint_test(effects: Floats, placebos: Floats) -> JointTest:
    """Test all branches of one finding together.

    Parameters
    ----------
    effects : (n_branches,), all finite, on one scale.
    placebos : (n_draws, n_branches), the same branches of each placebo programme; NaN where a
        branch could not be computed.
    """
    known = np.isfinite(placebos)
    counted = placebos[known.mean(axis=1) >= _MIN_SHARE]
    median, share = float(np.median(effects)), float((effects < 0).mean())
    if len(counted) < MIN_DRAWS:
        return JointTest(
            n_branches=len(effects),
            n_draws=len(counted),
            median=median,
            share_below=share,
            median_p=None,
            share_p=None,
            median_low=None,
            median_high=None,
        )
    medians = np.nanmedian(counted, axis=1)
    below = (counted < 0).sum(axis=1) / np.isfinite(counted).sum(axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return JointTest(
        n_branches=len(effects),
        n_draws=len(counted),
        median=median,
        share_below=share,
        median_p=two_tailed(median, medians),
        share_p=two_tailed(share, below),
        median_low=float(low),
        median_high=float(high),
    )


def around_zero_each(placebos: Floats, taken: float) -> Floats:
    """Hold the placebo programmes of each branch around zero, as those of a finding are.

    Parameters
    ----------
    placebos : (n_draws, n_branches), NaN where a branch could not be computed.
    taken : share of the pool that the programme takes up, see `inference.Places`.
    """
    moved = placebos.copy()
    for column in moved.T:
        known = np.isfinite(column)
        if known.any():
            column[known] = around_zero(column[known], taken)
    return moved


def two_tailed(value: float, placebos: Floats) -> float:
    """Twice the smaller tail among finite placebos, with the +1 correction, at most 1."""
    drawn = placebos[np.isfinite(placebos)]
    smaller = min(int((drawn <= value).sum()), int((drawn >= value).sum()))
    return min(1.0, 2 * (1 + smaller) / (len(drawn) + 1))


def curve_band(placebos: Floats) -> tuple[Floats, Floats] | None:
    """Return the middle 95% of placebo curves at each rank, (n_branches,) each.

    A placebo curve is sorted as the real one is. Only programmes with every branch count; None
    where they are under `MIN_DRAWS`.
    """
    whole = placebos[np.isfinite(placebos).all(axis=1)]
    if len(whole) < MIN_DRAWS:
        return None
    low, high = np.quantile(np.sort(whole, axis=1), (0.025, 0.975), axis=0)
    return np.asarray(low), np.asarray(high)
