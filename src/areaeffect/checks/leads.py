"""Leads of the held-out design, and how much drift after the start the effect would stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.checks.base import (
    EFFECT,
    Answer,
    Check,
    CheckInputs,
    CheckStatus,
    EstimatePlot,
    Subject,
    p_words,
    span,
)
from areaeffect.checks.honest import Bound, breakdown, joint_p, relative_magnitude, smoothness
from areaeffect.checks.refits import AFTER, GAP, LEADS, Refits
from areaeffect.estimate.inference import MIN_PLACEBOS, around_zero
from areaeffect.findings.case import Case
from areaeffect.findings.grading import ALPHA, tested_on
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase

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


Found = Answer[Drift, Lead]


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


def _run(inputs: CheckInputs) -> list[Found]:
    """Test the leads jointly, and bound the effect by them."""
    return [_answer(inputs.refits, s) for s in inputs.changes()]


def _answer(refits: Refits | None, s: Subject) -> Found:
    if not s.is_estimated or refits is None:
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
    return s.answer(CheckStatus.WARNS if numbers.joint_p <= ALPHA else calm, numbers, *rows)


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


def _say(a: Found, n: Drift) -> str:
    key = "beyond" if n.breakdown is None else "at_once" if n.breakdown == 0 else "breaks"
    return phrase(
        f"check_leads.{key}",
        leads=phrase("check_leads.one" if n.n_leads == 1 else "check_leads.several", n=n.n_leads),
        p=p_words(n.joint_p),
        interval=span(n.low_at_1, n.high_at_1, a.finding.form),
        times=f"{n.breakdown or 0.0:.2f}",
    )


def _named(row: Lead) -> str:
    return f"{row.size:g}"


def _is_drawn(row: Lead) -> bool:
    return row.kind == "relative magnitude" and row.low is not None


LEADS_CHECK = Check(
    name="leads", row=Lead, run=_run, say=_say, drawn=EstimatePlot(name=_named, keeps=_is_drawn)
)
