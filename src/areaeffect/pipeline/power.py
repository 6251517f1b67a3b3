"""`areaeffect power`: the smallest effect a study could see, before it looks.

Placebo programmes are drawn and designed as `evaluate` does, with every start moved back so far
that the follow-up ends before the real start (`backtest`). Their spread says what effect would be
seen in 80 % of such studies at 5 %, for as many neighbourhoods and as long a follow-up as asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.growth import Growth, fit_growth
from areaeffect.estimate.inference import MIN_PLACEBOS, infer
from areaeffect.estimate.verdict import placebos_carry
from areaeffect.falsify.placebo import Machine, count_disjoint
from areaeffect.falsify.spread import Spread
from areaeffect.pipeline.backtest import Horizon, backtests, horizon_of
from areaeffect.pipeline.candidates import spread_of
from areaeffect.pipeline.describe import Case, Group, groups_of
from areaeffect.pipeline.workers import run_all
from areaeffect.report.power_text import PowerReport, PowerRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from areaeffect.panel import Measure
    from areaeffect.pipeline.plan import Plan
    from areaeffect.results import Floats
    from areaeffect.study import Study

#: Numbers of neighbourhoods that the curve is drawn through.
SIZES = (1, 3, 5, 10, 20, 30, 50)
#: Placebo draws at each, or as many as the study asks for if those are fewer.
DRAWS = 399
_MOST_DISJOINT = 20
_LEAST_DRAWN = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A number of neighbourhoods, and the real ones that stand as patterns for them.

    Parameters
    ----------
    patterns : positions of the study's neighbourhoods, repeated where more are asked for.
    group : the initiative that has just these; empty for a point of the curve.
    """

    patterns: tuple[int, ...]
    group: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What the placebos of one size and length say of one outcome, on the statistic's scale.

    Parameters
    ----------
    mde : smallest effect that would be seen, signed.
    deviation : standard deviation of the placebo estimates.
    p_little : share of placebos that would be called 'little difference'.
    draws : placebos behind it.
    """

    mde: float
    deviation: float
    p_little: float
    draws: int


def power_of(
    study: Study,
    measures: Sequence[Measure],
    plan: Plan,
    threads: int,
    tell: Callable[[str, int, int], None],
) -> PowerReport:
    """Measure and extrapolate the smallest effects of a planned study."""
    changes = [m for m, o in zip(measures, study.outcome, strict=True) if o.claim == "change"]
    horizon = horizon_of(changes or measures, plan.units)
    n_draws = min(study.analysis.placebos, DRAWS)
    rows: list[PowerRow] = []
    left_out = []
    sizes = sizes_of(plan)
    for done, size in enumerate(sizes):
        tell("placebo programmes", done * n_draws, len(sizes) * n_draws)
        machine = machine_of(plan, size, horizon)
        apart = count_disjoint(
            machine.banks, len(machine.eligible),
            np.random.default_rng([machine.seed, 5]), _MOST_DISJOINT,
        )  # fmt: skip
        drawn = run_all(machine, n_draws, threads, lambda _n: None) if machine.arms else None
        if drawn is None or np.isfinite(drawn).any(axis=(1, 2, 3)).mean() < _LEAST_DRAWN:
            left_out.append(len(size.patterns))
            continue
        rows += _rows(study, measures, plan, size, horizon, drawn, apart)
    return PowerReport(
        title=study.study.title,
        step="year" if horizon.is_year else f"{horizon.step} periods",
        history=horizon.history,
        planned=horizon.planned,
        measured=horizon.measured,
        left_out=tuple(left_out),
        rows=tuple(rows),
    )


def sizes_of(plan: Plan) -> list[Size]:
    """Return the points of the curve, and each initiative as it is."""
    n = len(plan.units)
    rng = np.random.default_rng([plan.machine.seed, 4])
    repeats = -(-SIZES[-1] // n)
    order = np.concatenate([rng.permutation(n) for _ in range(repeats)])
    curve = [Size(tuple(int(g) for g in order[:size])) for size in SIZES]
    return curve + [Size(group.units, group.name) for group in groups_of(plan.units)]


def machine_of(plan: Plan, size: Size, horizon: Horizon) -> Machine:
    """Return what draws programmes of a size with every start moved back."""
    units = tuple(plan.units[g] for g in size.patterns)
    banks = tuple(plan.machine.banks[g] for g in size.patterns)
    arms = tuple(replace(arm, units=units) for arm in backtests(plan.machine.arms, horizon))
    spread = plan.machine.spread
    if spread is not None and len(units) == 1:
        spread = None
    elif spread is not None and size.group:
        spread = spread_of(plan.machine.arms[0].panel, units, banks, plan.machine.seed)
    elif spread is not None:
        centres = tuple(spread.centres[g] for g in size.patterns)
        spread = Spread(centres, spread.target, spread.radius)
    n_outcomes = len(arms[0].measures) * (horizon.measured + 1) if arms else 0
    return replace(
        plan.machine, arms=arms, banks=banks, n_outcomes=n_outcomes, n_bins=0, spread=spread
    )


def measure_point(case: Case, drawn: Floats, position: int, count: float | None) -> Point | None:
    """Hold no effect against the placebos of one outcome and length; None where they are too few.

    Parameters
    ----------
    case : the finding to be.
    drawn : (n_draws, n_units, n_positions, n_totals).
    position : of the outcome and length.
    count : the real programme's events before its earlier start; None for the placebos' median.
    """
    totals = drawn[:, :, position]
    placebos, counts = case.statistic(totals), case.counts(totals)
    good = np.isfinite(placebos)
    if good.sum() < MIN_PLACEBOS:
        return None
    typical = float(np.median(counts[good])) if count is None else count
    found = infer(0.0, placebos, counts, typical, case.outcome.better, case.widen)
    at = found.statistics[good] * found.scale
    low, high = (
        np.array([case.printed(x) for x in at + end]) for end in (found.low_90, found.high_90)
    )
    limit = case.outcome.smallest_effect_of_interest
    carried = placebos_carry(case.n_units, *case.disjoint)
    little = float(((low > -limit) & (high < limit)).mean()) if carried else 0.0
    return Point(found.mde, found.deviation, little, int(good.sum()))


def _rows(
    study: Study,
    measures: Sequence[Measure],
    plan: Plan,
    size: Size,
    horizon: Horizon,
    drawn: Floats,
    apart: tuple[int, int],
) -> list[PowerRow]:
    rows = []
    for o, outcome in enumerate(study.outcome):
        units = tuple(range(len(size.patterns)))
        is_ratio = outcome.kind == "count"
        case = Case(Group("", units), o, outcome, measures[o], is_ratio, units, apart)
        positions = [o + len(measures) * k for k in range(horizon.measured + 1)]
        if outcome.claim == "level":
            positions = positions[-1:]
        points = [
            measure_point(case, drawn, p, own_count(plan, size, horizon, case, p))
            for p in positions
        ]
        growth = fit_growth([p.deviation if p else np.nan for p in points[:-1]])
        bare = PowerRow(
            outcome=outcome.name, label=outcome.title, family=outcome.family, claim=outcome.claim,
            form="ratio" if is_ratio else "additive", better=outcome.better,
            threshold=outcome.smallest_effect_of_interest, group=size.group, n=len(size.patterns),
        )  # fmt: skip
        rows += _followed(bare, case, points, horizon, growth, _spans(plan, size, horizon))
    return rows


def _followed(
    bare: PowerRow,
    case: Case,
    points: Sequence[Point | None],
    horizon: Horizon,
    growth: Growth,
    spans: tuple[float, float],
) -> list[PowerRow]:
    """One row a length of follow-up: measured as far as the history reaches, then extrapolated."""
    rows = []
    is_level = case.outcome.claim == "level"
    lengths = [] if is_level else [float(k) for k in range(1, horizon.planned + 1)]
    last = points[horizon.measured - 1] if horizon.measured and not is_level else None
    for k in lengths:
        inside = k <= horizon.measured
        point = points[int(k) - 1] if inside else last
        longer = 1.0 if inside or not horizon.measured else k / horizon.measured
        rows.append(_filled(bare, case, point, k, longer, growth))
    asked, fits = spans
    longer = asked / fits if fits and not is_level else 1.0
    planned = _filled(bare, case, points[-1], None if is_level else asked, longer, growth)
    return [*rows, replace(planned, as_planned=True)]


def _filled(
    bare: PowerRow, case: Case, point: Point | None, years: float | None, longer: float,
    growth: Growth,
) -> PowerRow:  # fmt: skip
    if point is None:
        return replace(bare, years=years, basis="not estimable")
    is_measured = longer == 1.0
    factor = growth.factor(longer)
    return replace(
        bare,
        years=years,
        basis="measured" if is_measured else "extrapolated",
        mde=case.printed(point.mde * factor),
        deviation=point.deviation * factor * case.per,
        p_little=point.p_little if is_measured else None,
        draws=point.draws,
        growth=growth.power,
        growth_is_fitted=growth.is_fitted,
    )


def _spans(plan: Plan, size: Size, horizon: Horizon) -> tuple[float, float]:
    """Mean follow-up of the places in steps, as planned and as far as it fits before the start."""
    measure = plan.machine.arms[0].measures[0]
    per_step = (measure.periods.kind.per_year or horizon.step) if horizon.is_year else horizon.step
    asked = []
    for g in size.patterns:
        _, after = measure.periods.split(plan.units[g].start, plan.units[g].start_kind)
        asked.append((measure.periods.n - after.start) / per_step)
    fits = [min(a, float(horizon.measured)) for a in asked]
    return float(np.mean(asked)), float(np.mean(fits))


def own_count(
    plan: Plan, size: Size, horizon: Horizon, case: Case, position: int
) -> float | None:  # fmt: skip
    """Return the initiative's own events before its earlier start; None for a curve's point."""
    if not size.group or not case.is_ratio or case.base != cf.OBSERVED_PRE:
        return None
    arm = next((a for a in backtests(plan.machine.arms, horizon) if position in a.outcomes), None)
    if arm is None:
        return None
    found = 0.0
    for g in size.patterns:
        sums = arm.sums(g, plan.units[g].areas).get(position)
        found += float(sums.pre[plan.units[g].areas].sum()) if sums is not None else 0.0
    return found or None
