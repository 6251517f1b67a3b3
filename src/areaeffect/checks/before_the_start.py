"""Before the start: the held-out year, earlier starts, leads, and the drift that the effect stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from areaeffect.checks.base import (
    EFFECT,
    Answer,
    Check,
    CheckInputs,
    CheckStatus,
    EstimatePlot,
    Subject,
    effect,
    held_against,
    p_words,
    span,
)
from areaeffect.checks.honest import Bound, breakdown, joint_p, relative_magnitude, smoothness
from areaeffect.checks.refits import AFTER, GAP, LEADS, MOST_BACK, Refits
from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference, around_zero
from areaeffect.findings.case import Case
from areaeffect.findings.describe import ALPHA, held_out, tested_on
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase, plural

#: Multiples of what happened before the start (Rambachan & Roth 2023, section 6).
SIZES = (0.5, 1.0, 2.0)
#: A finding that leaves zero out and does not stand a drift as large as that before the start is
#: said to, and not warned of: one year's gap is mostly noise, and true effects seldom stand it.
ROBUST = 1.0
_FEWEST_LEADS = 3  # a change of slope needs three points


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead, or a bound of the effect under drift of some size."""

    kind: str = described("'lead', 'relative magnitude' or 'smoothness'")
    size: float = described(
        "of a lead its place, -1 the last before the start; of a bound Mbar, or M in standard "
        "deviations of the placebo programmes' second differences"
    )
    estimate: float | None = described(f"gap in the lead, by the held-out design: {EFFECT}", None)
    low: float | None = described("95% interval under the restriction, lower end", None)
    high: float | None = described("95% interval under the restriction, upper end", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The joint test of the leads, and the drift that the effect stands."""

    #: joint_p, n_leads: of the test, and how many leads it is of
    joint_p: float
    n_leads: int
    neighbourhoods: int  # that have all windows
    breakdown: float | None  # drift, times the largest before the start, at which zero comes in; None: never.
    #: low_at_1, high_at_1: ends of the effect if the places had drifted on as far as before
    low_at_1: float | None
    high_at_1: float | None


OfLeads = Answer[Drift, Lead]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Path:
    """One finding's leads and effect by the held-out design, on the scale of the statistic."""

    names: tuple[int, ...]  # windows, GAP and AFTER first
    real: Floats  # (n_windows,)
    drawn: Floats  # (n_draws, n_windows), around zero, complete rows only
    covariance: Floats  # (n_windows, n_windows), of the placebo programmes
    reach: float  # mean distance of the time after the start from the held-out span, in its length
    steps: int  # how many leads long the time after the start is
    n_units: int  # neighbourhoods that have all windows


def _leads_run(inputs: CheckInputs) -> list[OfLeads]:
    """Test the leads jointly, and bound the effect by them."""
    return inputs.each(lambda s: _leads_answer(inputs.refits, s), inputs.changes())


def _leads_answer(refits: Refits | None, s: Subject) -> OfLeads:
    if refits is None:
        return s.silent(phrase("check.no_finding"))
    path = _path(refits, s)
    if path is None:
        return s.silent(phrase("check_held_out.too_short"))
    printed = s.case.printed
    magnitudes = [_magnitude(path, size) for size in SIZES]
    bounds = [("relative magnitude", b) for b in magnitudes]
    unit = _bend(path)
    if unit is not None:
        bounds += [("smoothness", _bent(path, size, unit)) for size in SIZES]
    rows = [
        Lead(kind="lead", size=float(k - len(path.names)), estimate=printed(value))
        for k, value in enumerate(path.real[2:], start=2)
    ]
    rows += [Lead(kind=kind, size=b.size, low=printed(b.low), high=printed(b.high)) for kind, b in bounds]
    numbers = Drift(
        joint_p=joint_p(path.real[2:], path.drawn[:, 2:]),
        n_leads=len(path.names) - 2,
        neighbourhoods=path.n_units,
        breakdown=breakdown(lambda size: _magnitude(path, size)),
        low_at_1=printed(magnitudes[1].low),
        high_at_1=printed(magnitudes[1].high),
    )
    stands = numbers.breakdown
    weak = s.excludes_zero and stands is not None and stands < ROBUST
    calm = CheckStatus.INFORMATION if weak else CheckStatus.HOLDS
    answer = s.answer(numbers, *rows, warns=numbers.joint_p <= ALPHA)
    return answer if answer.status is CheckStatus.WARNS else replace(answer, status=calm)


def _path(refits: Refits, s: Subject) -> _Path | None:
    real, drawn, names = [], [], []
    both = np.stack([refits.window(w, s.case)[0] for w in (GAP, AFTER)], axis=1)
    case = tested_on(s.case, both)
    if case is None:
        return None
    for window in (GAP, AFTER, *LEADS):
        totals = refits.window(window, case)
        value = float(case.statistic(totals[0]))
        if np.isfinite(value):
            names.append(window)
            real.append(value)
            drawn.append(case.statistic(totals[1]))
        elif window in {GAP, AFTER}:
            return None
    stacked = np.column_stack(drawn)
    stacked = stacked[np.isfinite(stacked).all(axis=1)]
    if len(stacked) < MIN_PLACEBOS:
        return None
    stacked = around_zero(stacked, case.places.taken)
    covariance = stacked.T @ stacked / len(stacked)
    reach, steps = _distances(refits, case)
    n = case.n_units
    return _Path(
        names=tuple(names),
        real=np.array(real),
        drawn=stacked,
        covariance=covariance,
        reach=reach,
        steps=steps,
        n_units=n,
    )


def _distances(refits: Refits, case: Case) -> tuple[float, int]:
    """Return how far the time after the start reaches, in held-out spans and in leads."""
    reach, steps = [], []
    for g in case.units:
        areas = refits.leads.units[g].areas
        for o, (_, later) in refits.leads.used(g, areas).items():
            if o == case.position:
                found = refits.leads.windows(g, o, later)
                after, span = np.flatnonzero(found[AFTER]), found[GAP].sum()
                since = after - after[0]
                reach.append(float((1 + since // span).mean()))
                lead = next((found[w].sum() for w in LEADS if w in found), span)
                steps.append(int(1 + since[-1] // lead))
    return float(np.mean(reach)), max(steps)


def _magnitude(path: _Path, mbar: float) -> Bound:
    """Bound the effect, measured from the held-out span, by the step apart in that span."""
    turn = np.array([[-1.0, 1.0], [1.0, 0.0]])  # of (gap, after): effect from the span, step
    covariance = turn @ path.covariance[:2, :2] @ turn.T
    effect, step = turn @ path.real[:2]
    return relative_magnitude(float(effect), np.array([step]), covariance, path.reach, mbar)


def _bend(path: _Path) -> float | None:
    """Return the standard deviation of the placebo leads' second differences."""
    if len(path.names) - 2 < _FEWEST_LEADS:
        return None
    return float(np.diff(path.drawn[:, 2:], n=2, axis=1).std())


def _bent(path: _Path, size: float, unit: float) -> Bound:
    n = len(path.names) - 2
    times = np.arange(-n, 0, dtype=float)
    after = np.arange(path.steps, dtype=float)
    found = smoothness(float(path.real[1]), path.real[2:], path.covariance[1:, 1:], times, after, size * unit)
    return Bound(size, found.low, found.high)


def _leads_say(a: OfLeads, n: Drift) -> str:
    key = "beyond" if n.breakdown is None else "at_once" if n.breakdown == 0 else "breaks"
    return phrase(
        f"check_leads.{key}",
        leads=phrase("check_leads.one" if n.n_leads == 1 else "check_leads.several", n=n.n_leads),
        p=p_words(n.joint_p),
        interval=span(n.low_at_1, n.high_at_1, a.finding.form),
        times=f"{n.breakdown or 0.0:.2f}",
    )


LEADS_CHECK = Check(
    name="leads",
    row=Lead,
    run=_leads_run,
    say=_leads_say,
    drawn=EstimatePlot(
        name=lambda row: f"{row.size:g}",
        keeps=lambda row: row.kind == "relative magnitude" and row.low is not None,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStart:
    """The effect of a start that is pretended to be earlier."""

    spans_early: int = described(
        "how much earlier the start is pretended to be: years, or thirds of an undated history"
    )
    estimate: float | None = described(f"effect from the pretended start to the real one: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The pretended start that stands out most, among how many, in years where `dated`."""

    starts: int
    dated: bool
    worst: int
    estimate: float | None
    p_value: float
    p_adjusted: float


OfEarlier = Answer[Earlier, EarlierStart]


def _earlier_run(inputs: CheckInputs) -> list[OfEarlier]:
    """Refit with starts one to three years early; one year early is the held-out refit."""
    return inputs.each(lambda s: _earlier_answer(s, _earlier(inputs, s)), inputs.changes())


def _earlier(inputs: CheckInputs, s: Subject) -> dict[int, tuple[float, PlaceboInference]]:
    found = {}
    held = held_out(inputs.evidence, s.case)
    if held is not None:
        found[1] = (held.gap, held.inference)
    if inputs.refits is None:
        return found
    for back in range(2, MOST_BACK + 1):
        inferred = held_against(s.case, *inputs.refits.back(back, s.case))
        if inferred is not None:
            found[back] = inferred
    return found


def _earlier_answer(s: Subject, found: dict[int, tuple[float, PlaceboInference]]) -> OfEarlier:
    """Warn where the smallest of several p-values is too small for their number (Bonferroni)."""
    if not found:
        return s.silent(phrase("check_held_out.too_short"))
    rows = [
        EarlierStart(spans_early=back, **s.ends(estimate, inferred), p_value=inferred.p_value)
        for back, (estimate, inferred) in sorted(found.items())
    ]
    worst = min(rows, key=lambda row: row.p_value)
    numbers = Earlier(
        starts=len(rows),
        dated=s.case.measure.periods.kind.per_year is not None,
        worst=worst.spans_early,
        estimate=worst.estimate,
        p_value=worst.p_value,
        p_adjusted=min(1.0, worst.p_value * len(rows)),
    )
    warns = numbers.p_adjusted <= ALPHA
    return s.answer(numbers, *rows, warns=warns)


def _earlier_say(a: OfEarlier, n: Earlier) -> str:
    dated = plural(n.worst, "year")
    early = dated if n.dated else phrase("check_earlier.undated", n=n.worst)
    return phrase(
        f"check_earlier.{'one' if n.starts == 1 else 'several'}",
        starts=plural(n.starts, "earlier start"),
        early=early,
        effect=effect(n.estimate, a.finding.form),
        p=p_words(n.p_value),
        all=p_words(n.p_adjusted),
    )


EARLIER = Check(
    name="earlier",
    row=EarlierStart,
    run=_earlier_run,
    say=_earlier_say,
    drawn=EstimatePlot(name=lambda row: str(row.spans_early)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutGap:
    """The gap in the part of the history that the design did not see."""

    gap: float | None = described(f"effect in the held-out span, by a design that does not see it: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")
    neighbourhoods: int = described("neighbourhoods that have the span without gaps")


OfHeldOut = Answer[HeldOutGap, HeldOutGap]


def _held_out_run(inputs: CheckInputs) -> list[OfHeldOut]:
    """Show the held-out refit that also grades the findings."""
    return inputs.each(lambda s: _held_out_answer(inputs, s), inputs.changes())


def _held_out_answer(inputs: CheckInputs, s: Subject) -> OfHeldOut:
    held = held_out(inputs.evidence, s.case)
    if held is None:
        return s.silent(phrase("check_held_out.too_short"))
    found = HeldOutGap(
        gap=s.case.printed(held.gap),
        low=s.case.printed(held.inference.low),
        high=s.case.printed(held.inference.high),
        p_value=held.inference.p_value,
        neighbourhoods=held.tested,
    )
    return s.answer(found, found, warns=found.p_value <= ALPHA)


def _held_out_say(a: OfHeldOut, n: HeldOutGap) -> str:
    return phrase(
        f"check_held_out.{a.status}",
        gap=effect(n.gap, a.finding.form),
        interval=span(n.low, n.high, a.finding.form),
        p=p_words(n.p_value),
    )


HELD_OUT = Check(name="held_out", row=HeldOutGap, run=_held_out_run, say=_held_out_say)
