"""Prevented incidents times unit costs, with the uncertainty of both carried by simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.estimate.inference import COPIES, rank_kept
from areaeffect.results import Floats
from areaeffect.value.costs import UnitCost

#: Simulated values are at least this many: each placebo draw with several draws of the costs.
SIMULATIONS = 20_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stream:
    """The avoided incidents of one outcome in one group."""

    outcome: str  # its name
    observed: float  # incidents counted after the start
    estimate: float  # the effect, as a log ratio
    #: (n_draws,), effects that the placebo test would not reject, in proportion: the estimate less scale
    #: times each placebo's statistic; NaN where a draw gave none.
    effects: Floats
    kept: float  # share of the stream that is left after discounting
    mix: Mapping[str, float]  # item of the unit costs to its share of the incidents


def avoided(observed: float, effect: Floats | float) -> Floats:
    """Incidents that did not happen: the counterfactual less what was observed.

    An effect, as a log ratio, says observed = counterfactual x exp(effect).
    """
    return np.asarray(observed * np.expm1(-np.asarray(effect)))


def cost_draws(
    costs: Mapping[str, UnitCost],
    factors: Mapping[str, float],
    cost_range: float,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Draw each item's cost, in the prices asked for.

    Parameters
    ----------
    costs : by item; those without a value are left out.
    factors : item to what its price is multiplied with.
    cost_range : share by which a cost without a range of its own may be off.
    shape : (repeats, n_draws).
    rng : one stream of numbers; items are drawn in the order of their names.

    Returns
    -------
    dict of Floats
        Item to draws of `shape`: triangular from low over value to high; a constant where a cost
        has no range.
    """
    drawn = {}
    for item in sorted(costs):
        cost = costs[item]
        if cost.value is None:
            continue
        uniform = rng.random(shape)  # drawn even where constant: another item's range moves none
        low, high = ends(cost, cost_range)
        drawn[item] = factors[item] * _triangular(uniform, low, cost.value, high)
    return drawn


def ends(cost: UnitCost, cost_range: float) -> tuple[float, float]:
    """Return the range of a cost at its own prices: its own, else the one assumed."""
    value = cost.value or 0.0
    if cost.low is None and cost.high is None:
        return value * (1 - cost_range), value * (1 + cost_range)
    return (value if cost.low is None else cost.low, value if cost.high is None else cost.high)


def _triangular(uniform: Floats, low: float, mode: float, high: float) -> Floats:
    """Invert the triangular distribution function."""
    width = high - low
    if width <= 0:
        return np.full(uniform.shape, mode)
    cut = (mode - low) / width
    below = low + np.sqrt(uniform * width * (mode - low))
    above = high - np.sqrt((1 - uniform) * width * (high - mode))
    return np.where(uniform < cut, below, above)


def repeats_for(n_draws: int) -> int:
    """Return how often the placebo draws are gone through."""
    return -(-SIMULATIONS // max(1, n_draws))


def simulate(
    streams: Sequence[Stream], unit_cost: Callable[[Stream], tuple[float, Floats]]
) -> tuple[float, Floats]:
    """Value several streams together.

    Parameters
    ----------
    streams : of one group; the same placebo draw is used for all, so that what they share in
        luck is kept.
    unit_cost : of a stream, its central cost an incident and draws of it (repeats, n_draws).

    Returns
    -------
    The value at the estimates and central costs, and the simulated values (n,), of the draws that
    every stream has.
    """
    centre, values = 0.0, np.zeros(1)
    for stream in streams:
        cost, drawn = unit_cost(stream)
        centre += float(avoided(stream.observed, stream.estimate)) * stream.kept * cost
        values = values + avoided(stream.observed, stream.effects) * stream.kept * drawn
    flat = values.ravel()
    return centre, flat[np.isfinite(flat)]


def interval(values: Floats, repeats: int) -> tuple[float, float]:
    """Return the two-sided 95% interval of simulated values, (n_draws * repeats,).

    Its ends stand where those of the effect's placebo interval do among the draws (`infer`): with
    costs that are exact it is that interval, turned into money.
    """
    ordered = np.sort(values)
    k = rank_kept(len(values), (1 - LEVEL) / 2, copies=COPIES * repeats)
    if k < 0:
        return float("nan"), float("nan")
    return float(ordered[k]), float(ordered[-k - 1])


def share_above(values: Floats, threshold: float) -> float:
    """Return the share of simulated values above a threshold."""
    return float((values > threshold).mean())
