"""Prevented incidents times unit costs, with the uncertainty of both carried by simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.estimate.inference import COPIES, rank_kept
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.value.costs import UnitCost

#: Simulated values are at least this many: each placebo draw with several draws of the costs.
SIMULATIONS = 20_000
LEVEL = 0.95
EVERY_OUTCOME = "all valued outcomes"


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
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Draw each item's cost, in the prices asked for.

    Parameters
    ----------
    costs, factors : by item, its cost and what its price is multiplied with.
    shape : (repeats, n_draws).
    rng : one stream of numbers; items are drawn in the order of their names.

    Returns
    -------
    dict of Floats
        Item to draws of `shape`: triangular from low over value to high; a constant where a cost
        has no range.
    """
    drawn = {}
    for item in sorted(factors):
        cost = costs[item]
        uniform = rng.random(shape)  # drawn even where constant: another item's range moves none
        low, high = cost.ends
        drawn[item] = factors[item] * _triangular(uniform, low, cost.value or 0.0, high)
    return drawn


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSettings:
    """What the amounts of a study rest on."""

    #: currency, price_year, discount_rate, base_year: of the amounts
    currency: str
    price_year: str
    discount_rate: float
    base_year: int | None
    deflator: str | None  # what prices were uprated with; None where none were.
    left_out: tuple[str, ...]  # costs that nobody has read, which are not multiplied


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What one outcome of a group may be worth, or all together; or why there is no amount."""

    group: str = described("Whose effect")
    outcome: str = described("What was avoided; all valued outcomes added up in one line")
    label: str = described("Its name in print")
    unit: str | None = described("What one incident is called", None)
    verdict: str | None = described("Verdict on the effect", None)
    avoided: float | None = described("Avoided incidents: expected less observed", None)
    kept: float | None = described("Share that is left after discounting", None)
    share_costed: float | None = described("Share of the incidents that carry a unit cost", None)
    value: float | None = described("Worth at the estimate and the central costs, recorded only", None)
    low: float | None = described("Low end of its 95% interval, by simulation", None)
    high: float | None = described("High end of its 95% interval, by simulation", None)
    funding: float | None = described("Funding in the same prices", None)
    per_pound: float | None = described("Worth for each unit of funding", None)
    per_pound_low: float | None = described("Low end of its 95% interval", None)
    per_pound_high: float | None = described("High end of its 95% interval", None)
    share_above_one: float | None = described("Share of the simulated values above the funding", None)
    note: str = described("Why there is no amount", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedCost:
    """A unit cost that a mix names, or the share that has none."""

    outcome: str = described("Outcome that is valued")
    item: str = described("Kind of incident")
    label: str = described("Its name in print")
    share: float = described("Share of the outcome's incidents, as the study assumes")
    cost: float | None = described("Unit cost as published", None)
    price_year: str | None = described("Year of those prices", None)
    cost_now: float | None = described("The same in the prices asked for", None)
    low: float | None = described("Low end used, in the prices asked for", None)
    high: float | None = described("High end used", None)
    status: str | None = described("How far the cost was checked", None)
    source: str | None = described("Where it stands", None)
