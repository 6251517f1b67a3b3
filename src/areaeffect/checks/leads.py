"""Leads of the held-out design, and how much drift after the start the effect would stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, table
from areaeffect.checks.held_out import TOO_SHORT
from areaeffect.checks.honest import (
    Bound,
    breakdown,
    joint_p,
    relative_magnitude,
    smoothness,
)
from areaeffect.checks.refits import AFTER, GAP, LEADS
from areaeffect.estimate.inference import MIN_PLACEBOS, around_zero
from areaeffect.findings.grading import ALPHA, tested_on

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.checks.refits import Refits
    from areaeffect.findings.case import Case
    from areaeffect.results import Floats

#: Multiples of what happened before the start (Rambachan & Roth 2023, section 6).
SIZES = (0.5, 1.0, 2.0)
#: A finding that leaves zero out and does not stand a drift as large as that before the start is
#: said to, and not warned of: one year's gap is mostly noise, and true effects seldom stand it.
ROBUST = 1.0
_FEWEST_LEADS = 3  # a change of slope needs three points

COLUMNS = {
    "kind": ("string", "'lead', 'relative magnitude' or 'smoothness'"),
    "size": (
        "number",
        "of a lead its place, -1 the last before the start; of a bound Mbar, or M in standard "
        "deviations of the placebo programmes' second differences",
    ),
    "estimate": ("number", f"gap in the lead, by the held-out design: {EFFECT}"),
    "low": ("number", "95% interval under the restriction, lower end"),
    "high": ("number", "95% interval under the restriction, upper end"),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """One finding's leads and effect by the held-out design, on the scale of the statistic.

    Parameters
    ----------
    names : windows, GAP and AFTER first.
    real : (n_windows,).
    drawn : (n_draws, n_windows), around zero, complete rows only.
    covariance : (n_windows, n_windows), of the placebo programmes.
    reach : mean distance of the time after the start from the held-out span, in its length.
    steps : how many leads long the time after the start is.
    n_units : neighbourhoods that have all windows.
    """

    names: tuple[int, ...]
    real: Floats
    drawn: Floats
    covariance: Floats
    reach: float
    steps: int
    n_units: int


def leads_check(ground: Ground) -> Check:
    """Test the leads jointly, and bound the effect by them."""
    made = [_answer(ground.refits, s) for s in ground.changes()]
    rows = [row for _, own in made for row in own]
    return Check(
        "leads",
        "Drift before the start, carried on after it",
        "If the places had gone on drifting from their benchmark areas after the start as they "
        "did before it, or faster, would the finding stand?",
        tuple(answer for answer, _ in made),
        table("leads", "Leads, and intervals under bounded drift", COLUMNS, rows),
    )


def _answer(refits: Refits | None, s: Subject) -> tuple[Answer, list[tuple[Number, ...]]]:
    if not s.is_estimated or refits is None:
        return s.silent(NO_FINDING), []
    path = _path(refits, s)
    if path is None:
        return s.silent(TOO_SHORT), []
    p_value = joint_p(path.real[2:], path.drawn[:, 2:])
    magnitudes = [_magnitude(path, size) for size in SIZES]
    stands = breakdown(lambda size: _magnitude(path, size))
    unit = _bend(path)
    numbers: dict[str, Number] = {
        "joint_p": p_value,
        "n_leads": len(path.names) - 2,
        "neighbourhoods": path.n_units,
        "breakdown": stands,
        "stands_all": stands is None,
        "low_at_1": s.case.printed(magnitudes[1].low),
        "high_at_1": s.case.printed(magnitudes[1].high),
    }
    bounds = [("relative magnitude", b) for b in magnitudes]
    if unit is not None:
        bent = [_bent(path, size, unit) for size in SIZES]
        bounds += [("smoothness", b) for b in bent]
        numbers["breakdown_smooth"] = breakdown(lambda size: _bent(path, size, unit))
    weak = s.excludes_zero and stands is not None and stands < ROBUST
    calm = Status.INFORMATION if weak else Status.HOLDS
    status = Status.WARNS if p_value <= ALPHA else calm
    rows: list[tuple[Number, ...]] = [
        (*s.row, "lead", float(k - len(path.names)), s.case.printed(value), None, None)
        for k, value in enumerate(path.real[2:], start=2)
    ]
    rows += [
        (*s.row, kind, b.size, None, s.case.printed(b.low), s.case.printed(b.high))
        for kind, b in bounds
    ]
    return s.answer(status, **numbers), rows


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
    return _Path(tuple(names), np.array(real), stacked, covariance, reach, steps, n)


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
    found = smoothness(
        float(path.real[1]),
        path.real[2:],
        path.covariance[1:, 1:],
        times,
        after,
        size * unit,
    )
    return Bound(size, found.low, found.high)
