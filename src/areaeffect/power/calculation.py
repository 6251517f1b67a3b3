"""`areaeffect power`: the smallest effect a study could see, before it looks.

Placebo programmes are drawn and designed as `evaluate` does, with every start moved back so far
that the follow-up ends before the real start (`backtest`). Their spread says what effect would be
seen in 80% of such studies at 5%, for as many neighbourhoods and as long a follow-up as asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

from areaeffect.document.chart_tables import rounded_number
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import MIN_PLACEBOS, infer
from areaeffect.findings.case import Case, Group, groups_of, named_group
from areaeffect.findings.cohorts import ClaimCohorts, spread_of
from areaeffect.findings.conclude import InferredCase, judge
from areaeffect.findings.describe import too_few_places
from areaeffect.findings.plan import Plan
from areaeffect.findings.refusals import refused
from areaeffect.panel import Measure
from areaeffect.placebo.programmes import Machine, Spread, count_disjoint
from areaeffect.placebo.workers import run_all
from areaeffect.power.backtest import Backtest, Horizon, NoiseGrowth, backtests, fit_growth, horizon_of
from areaeffect.results import Floats
from areaeffect.streams import Use, generator
from areaeffect.study.model import Study

#: Numbers of neighbourhoods that the curve is drawn through.
SIZES = (1, 3, 5, 10, 20, 30, 50)
#: Placebo draws at each, or as many as the study asks for if those are fewer.
DRAWS = 399
_MOST_DISJOINT = 60
_LEAST_DRAWN = 0.8
_RISE = 1.1  # a smaller rise of the curve can be chance


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRow:
    """The smallest effect one outcome could show with some neighbourhoods and follow-up."""

    #: outcome, label, family, claim, form, better, threshold: as in a finding
    outcome: str
    label: str
    family: str
    claim: str
    form: str
    better: str
    threshold: float
    group: str  # the initiative whose own neighbourhoods these are; empty for a point of the curve.
    n: int  # neighbourhoods
    years: float | None = None  # follow-up in steps (years); None for a level, which has its latest year.
    as_planned: bool = False  # whether each place is followed for as long as the study follows it
    basis: str = "not estimable"  # 'measured', 'extrapolated' or 'not estimable'
    mde: float | None = None  # smallest effect seen in 80% of studies at 5%, signed: fractions for ratios
    deviation: float | None = None  # of the placebo effects, on the log scale for ratios
    p_little: float | None = None  # probability of `little difference` if nothing had changed
    draws: int = 0  # placebo programmes behind it
    #: growth, growth_is_fitted: the power by which the deviation was made to grow with the follow-up, where
    #: it is extrapolated
    growth: float | None = None
    growth_is_fitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReport:
    """What a study could see."""

    title: str  # of the study
    step: str  # what a step of follow-up is: 'year', 'period', or '4 periods'
    #: history, planned, measured: steps before the first start, of the longest follow-up, and of follow-up
    #: that fits before the start, where it can be measured
    history: int
    planned: int
    measured: int
    left_out: tuple[int, ...]  # numbers of neighbourhoods that the pool holds too few placebos of
    rows: tuple[PowerRow, ...]  # by outcome, number and length
    refused: tuple[str, ...] = ()  # why outcomes of initiatives cannot be estimated; they have no row.

    @property
    def real(self) -> list[PowerRow]:
        """The planned study itself: one row an initiative and outcome."""
        return [r for r in self.rows if r.group and r.as_planned]

    def curve(self, outcome: str) -> list[PowerRow]:
        """The smallest effect by number of neighbourhoods, followed as planned."""
        found = [r for r in self.rows if r.outcome == outcome and r.as_planned and not r.group]
        return sorted(found, key=lambda r: r.n)

    @property
    def rises_from(self) -> int | None:
        """The fewest neighbourhoods from which on more of them would see less; None: nowhere."""
        found = []
        for outcome in dict.fromkeys(r.outcome for r in self.rows):
            rows = [(r.n, abs(r.mde)) for r in self.curve(outcome) if r.mde is not None]
            found += [n for (n, mde), (_, after) in pairwise(rows) if after > _RISE * mde]
        return min(found, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A number of neighbourhoods, and the real ones that stand as patterns for them."""

    patterns: tuple[int, ...]  # positions of the study's neighbourhoods, repeated where more are asked for
    group: str = ""  # the initiative that has just these; empty for a point of the curve.


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What the placebos of one size and length say of one outcome, on the statistic's scale."""

    mde: float  # smallest effect that would be seen, signed
    deviation: float  # standard deviation of the placebo estimates
    p_little: float  # share of placebos that would be called 'little difference'
    draws: int  # placebos behind it


def power_of(
    study: Study,
    measures: Sequence[Measure],
    plan: Plan,
    threads: int,
    tell: Callable[[str, int, int], None],
    *,
    curve: bool = True,
    most_draws: int = DRAWS,
) -> PowerReport:
    """Measure and extrapolate the smallest effects of a planned study.

    Without `curve`, of the study as it is only: not of other numbers of neighbourhoods.
    """
    changes = [m for m, o in zip(measures, study.outcome, strict=True) if o.claim == "change"]
    horizon = horizon_of(changes or measures, plan.units)
    n_draws = min(study.analysis.placebos, most_draws)
    rows: list[PowerRow] = []
    left_out = []
    sizes = [s for s in sizes_of(plan, study) if curve or s.group]
    arms = backtests(plan.arms, horizon)  # all sizes share their cohorts
    for done, size in enumerate(sizes):
        tell("placebo programmes", done * n_draws, len(sizes) * n_draws)
        machine = machine_of(plan, arms, size)
        apart = count_disjoint(machine.banks, len(machine.eligible), _MOST_DISJOINT)
        positions = 1 + len(measures) * (1 + horizon.measured)
        nothing = np.full((1, len(size.patterns), positions, cf.N_TOTALS), np.nan)
        drawn = nothing
        if arms and apart[0]:
            drawn = run_all(machine, n_draws, threads, lambda _n: None)
        if arms and np.isfinite(drawn).any(axis=(1, 2, 3)).mean() < _LEAST_DRAWN:
            left_out.append(len(size.patterns))
            drawn = nothing
        rows += _rows(study, measures, plan, arms, size, horizon=horizon, drawn=drawn, apart=apart)
    lacking = [r for r in refused(study, plan, measures) if not r.is_early]
    groups = [group.name for group in groups_of(plan.units)]
    some = ["", *(size.group for size in sizes if size.group not in groups)]
    out = {(r.group, r.outcome) for r in lacking}
    out |= {
        (one, o.name) for o in study.outcome if all((g, o.name) in out for g in groups)
        for one in some
    }  # fmt: skip
    return PowerReport(
        title=study.study.title,
        step=horizon.name,
        history=horizon.history,
        planned=horizon.planned,
        measured=horizon.measured,
        left_out=tuple(sorted(set(left_out))),
        rows=tuple(r for r in rows if (r.group, r.outcome) not in out),
        refused=tuple(map(str, lacking)),
    )


def sizes_of(plan: Plan, study: Study) -> list[Size]:
    """Return the points of the curve, and each initiative and named group as it is.

    A programme with one set of weights has no curve: its neighbourhoods are not distinguished.
    """
    some = [found for one in study.group if (found := named_group(plan.units, one))]
    real = [Size(group.units, group.name) for group in (*groups_of(plan.units), *some)]
    if study.design.unit == "programme":
        return real
    n = len(plan.units)
    rng = generator(Use.POWER_ORDER, plan.machine.seed)
    repeats = -(-SIZES[-1] // n)
    order = np.concatenate([rng.permutation(n) for _ in range(repeats)])
    curve = [Size(tuple(int(g) for g in order[:size])) for size in SIZES]
    return curve + real


def machine_of(plan: Plan, arms: Sequence[ClaimCohorts], size: Size, use: Use = Use.POWER_PLACEBO) -> Machine:
    """Return what draws programmes of a size with every start moved back."""
    units = tuple(plan.units[g] for g in size.patterns)
    banks = tuple(plan.machine.banks[g] for g in size.patterns)
    mine = tuple(replace(arm, units=units) for arm in arms)
    spread = plan.machine.spread
    if spread is not None and (len(units) == 1 or not arms):
        spread = None
    elif spread is not None and size.group:
        spread = spread_of(plan.leading.panel, units, banks)
    elif spread is not None:
        centres = tuple(spread.centres[g] for g in size.patterns)
        spread = Spread(centres, spread.target, spread.radius)
    positions = [p for arm in mine for p in arm.outcomes]
    n_outcomes = 1 + max(positions, default=-1)
    return replace(
        plan.machine, arms=mine, banks=banks, n_outcomes=n_outcomes, n_bins=0, spread=spread, use=use
    )


def measure_points(
    cases: Sequence[Case],
    drawn: Floats,
    positions: Sequence[int],
    counts: Sequence[float | None],
    grown: float = 1.0,
) -> list[Point | None]:
    """Hold no effect against the placebos of every outcome at one length; None where too few.

    The smallest effect is that of the verdict: outcomes that are judged together are held together.

    Parameters
    ----------
    cases : the findings to be, of one programme.
    drawn : (n_draws, n_units, n_positions, n_totals).
    positions : of each case's outcome and length.
    counts : what each scale is predicted from: of the real programme before its earlier start;
        None for the placebos' median.
    grown : by how much the placebo effects grow with a longer follow-up than was measured.
    """
    tried = []
    for case, position, count in zip(cases, positions, counts, strict=True):
        totals = drawn[:, :, position]
        placebos, own = grown * case.statistic(totals), case.counts(totals)
        good = np.isfinite(placebos)
        found = None
        if good.sum() >= MIN_PLACEBOS:
            typical = float(np.median(own[good])) if count is None else count
            found = infer(0.0, placebos, own, typical, case.places)
        tried.append(InferredCase(case, "", found))
    judged = judge(tried)
    return [_point(t, judged[k].critical) if k in judged else None for k, t in enumerate(tried)]


def _point(tried: InferredCase, critical: tuple[float, float]) -> Point | None:
    case, found = tried.case, tried.found
    if found is None:
        return None
    at = found.scale * found.drawn
    low, high = at - found.scale * critical[1], at - found.scale * critical[0]
    if case.is_ratio:
        low, high = np.expm1(low), np.expm1(high)
    limit = case.measure.smallest
    little = float(((low > -limit) & (high < limit)).mean())
    if too_few_places(case.places):
        little = 0.0
    return Point(found.detectable(case.better, critical), found.deviation, little, found.n_draws)


def _rows(
    study: Study,
    measures: Sequence[Measure],
    plan: Plan,
    arms: Sequence[Backtest],
    size: Size,
    *,
    horizon: Horizon,
    drawn: Floats,
    apart: tuple[int, int],
) -> list[PowerRow]:
    units = tuple(range(len(size.patterns)))
    n_places = sum(len(plan.machine.banks[g].pieces) for g in size.patterns)
    cases = [
        Case(
            group=Group(name="", units=units),
            position=o,
            outcome=outcome,
            measure=measures[o],
            units=units,
            disjoint=apart,
            n_places=n_places,
            outcome_is_primary=plan.primary[o],
        )
        for o, outcome in enumerate(study.outcome)
    ]

    @cache
    def points(k: int, grown: float) -> list[Point | None]:
        at = [case.position + len(measures) * k for case in cases]
        counts = [own_count(plan, arms, size, c, p) for c, p in zip(cases, at, strict=True)]
        return measure_points(cases, drawn, at, counts, grown)

    rows = []
    for o, (case, outcome) in enumerate(zip(cases, study.outcome, strict=True)):

        def point(k: int, grown: float = 1.0, o: int = o) -> Point | None:
            return points(k, grown)[o]

        bare = PowerRow(
            outcome=outcome.name, label=outcome.title, family=outcome.family, claim=outcome.claim,
            form=case.form, better=outcome.better,
            threshold=measures[o].smallest, group=size.group, n=len(size.patterns),
        )  # fmt: skip
        spans = _spans(plan, measures[o], size, horizon)
        rows += _followed(bare, case, point, horizon, spans)
    return rows


def _followed(
    bare: PowerRow,
    case: Case,
    point: Callable[..., Point | None],
    horizon: Horizon,
    spans: tuple[float, float],
) -> list[PowerRow]:
    """One row a length of follow-up: measured as far as the history reaches, then extrapolated."""
    last = horizon.measured
    if case.outcome.claim == "level":
        return [replace(_filled(bare, case, point(last), None, None), as_planned=True)]
    measured = [point(k) for k in range(last)]
    growth = fit_growth([p.deviation if p else np.nan for p in measured])
    rows = [_filled(bare, case, p, k + 1.0, None) for k, p in enumerate(measured)]
    for k in range(last + 1, horizon.planned + 1):
        further = point(last - 1, growth.factor(k / last)) if last else None
        rows.append(_filled(bare, case, further, float(k), growth))
    asked, fits = spans
    if not asked and measured:  # no period after the start yet
        return [*rows, replace(rows[last - 1], as_planned=True)]
    if not fits or asked == fits:
        planned = _filled(bare, case, point(last) if fits else None, asked, None)
    else:
        planned = _filled(bare, case, point(last, growth.factor(asked / fits)), asked, growth)
    return [*rows, replace(planned, as_planned=True)]


def _filled(
    bare: PowerRow, case: Case, point: Point | None, years: float | None, growth: NoiseGrowth | None
) -> PowerRow:
    """Fill a row; `growth` where the length does not fit before the start."""
    if point is None:
        return replace(bare, years=rounded_number(years))
    return replace(
        bare,
        years=rounded_number(years),
        basis="measured" if growth is None else "extrapolated",
        mde=rounded_number(case.printed(point.mde)),
        deviation=rounded_number(point.deviation),
        p_little=rounded_number(point.p_little),
        draws=point.draws,
        growth=None if growth is None else rounded_number(growth.power),
        growth_is_fitted=growth is not None and growth.is_fitted,
    )


def _spans(plan: Plan, measure: Measure, size: Size, horizon: Horizon) -> tuple[float, float]:
    """Mean follow-up of the places in steps, as planned and as far as it fits before the start."""
    per_step = (measure.periods.kind.per_year or horizon.step) if horizon.is_year else horizon.step
    asked = []
    for g in size.patterns:
        _, after = measure.periods.split(plan.units[g].start, plan.units[g].start_kind)
        asked.append((measure.periods.n - after.start) / per_step)
    fits = [min(a, float(horizon.measured)) for a in asked]
    return float(np.mean(asked)), float(np.mean(fits))


def own_count(plan: Plan, arms: Sequence[Backtest], size: Size, case: Case, position: int) -> float | None:
    """Return the initiative's own events before its earlier start; None for a curve's point."""
    arm = next((a for a in arms if position in a.outcomes), None)
    if arm is None or not size.group or not case.is_ratio or case.base != cf.OBSERVED_PRE:
        return None
    found = 0.0
    for g in size.patterns:
        sums = arm.sums(g, plan.units[g].areas).get(position)
        found += float(sums.pre[plan.units[g].areas].sum()) if sums is not None else 0.0
    return found or None
