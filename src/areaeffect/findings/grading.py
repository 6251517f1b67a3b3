"""Strength of evidence: balance, and the gap in the last year before the start, held out.

Exact calibration on the whole history makes the gap before the start zero by construction, so that
gap is no test. A second design leaves the last year out and forecasts it. The forecast holds where
the 90% interval of its gap lies inside the smallest effect of interest (two one-sided tests at 5%:
Schuirmann 1987, doi 10.1007/BF01068419; for trends before a start: Hartman & Hidalgo 2018, doi
10.1111/ajps.12387). A gap that is merely not significant does not show this.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.estimate.inference import TWO_ONE_SIDED, PlaceboInference
from areaeffect.findings.case import Case, Evidence
from areaeffect.outcomes import BEST_GRADE
from areaeffect.results import Floats, Interval, IntervalKind
from areaeffect.wording.numbers import PHRASES, phrase

#: Largest standardised difference of a group from its benchmark areas for grade 3 (Stuart 2010,
#: doi 10.1214/09-STS313, section 4.1).
BALANCED = 0.25
#: A gap in the held-out span with a smaller p-value warns.
ALPHA = 0.05
#: Beyond this difference nothing untreated is like a group: a regression would have to be carried
#: further than the pool reaches.
NO_OVERLAP = 1.0
#: A finding mentions a larger imbalance than this after weighting, in standard deviations.
_LEFT_UNLIKE = 0.1
#: The held-out year is tested where at least this share of neighbourhoods has it without gaps.
_MOST = 0.75
_MATCHED, _BEFORE_AND_AFTER = BEST_GRADE["level"], BEST_GRADE["change"]


@dataclass(frozen=True, slots=True)
class Grade:
    """Grade on the Maryland scale in What Works Growth's wording, and why not higher."""

    maryland: int  # 2 or 3
    gap: float | None  # in the held-out year, on the finding's scale; None where not estimable.
    interval: Interval | None  # its 90% interval
    caveats: tuple[str, ...]  # reasons for 2, and what was corrected


def grade(evidence: Evidence, case: Case) -> Grade:
    """Grade a finding."""
    if case.outcome.claim == "level":
        return Grade(_MATCHED, None, None, ())
    held = held_out(evidence, case)
    gap = case.printed(held.gap) if held else None
    interval = held.interval(case) if held else None
    span = "year" if case.measure.periods.kind.per_year else "third of the history"
    reasons = [_why_not_held(case, interval, span), _unbalanced(evidence, case)]
    if case.is_one_place or case.is_inside:
        reasons.append("one place cannot say why it changed")
    caveats = [f"Graded 2 on the Maryland scale: {reason}." for reason in reasons if reason]
    maryland = _MATCHED if caveats else _BEFORE_AND_AFTER
    if held and held.tested < case.n_units:
        caveats.append(phrase("grading.held_out", span=span, tested=held.tested, n_units=case.n_units))
    return Grade(maryland, gap, interval, (*caveats, *_corrected(evidence, case)))


def _why_not_held(case: Case, interval: Interval | None, span: str) -> str:
    """Return why the held-out year does not support grade 3; empty where it does."""
    if interval is None or interval.low is None or interval.high is None:
        return phrase("grading.history_too", span=span)
    limit = case.measure.smallest
    if -limit < interval.low and interval.high < limit:
        return ""
    if interval.p_value is not None and interval.p_value <= ALPHA:
        return phrase("grading.design_does_see", span=span, span_2=span)
    return phrase("grading.design_does", span=span)


def _unbalanced(evidence: Evidence, case: Case) -> str:
    name, worst = worst_balance(evidence, case)
    if worst <= BALANCED:
        return ""
    return phrase("grading.places_still", what=name.replace("_", " "), worst=f"{worst:.2f}")


def _corrected(evidence: Evidence, case: Case) -> tuple[str, ...]:
    """Say whether weighting left imbalance, and that a regression corrects for it."""
    chosen = evidence.plan.benchmark_of(case.position)
    worst = max(
        float(np.abs(w.imbalance).max(initial=0.0))
        for g in (*case.units, *case.against)
        if (w := chosen[g]) is not None
    )
    if worst <= _LEFT_UNLIKE:
        return ()
    return (PHRASES["grading.weights_make"],)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The held-out refit of one finding."""

    gap: float  # in the held-out span, on the scale of the statistic
    inference: PlaceboInference  # of the gap, from placebo programmes
    tested: int  # neighbourhoods that have the span without gaps

    def interval(self, case: Case) -> Interval:
        """Return the 90% interval of the gap, on the finding's scale."""
        found = self.inference
        ends = found.ends(found.critical_at(TWO_ONE_SIDED), 1 - TWO_ONE_SIDED)
        return case.interval(IntervalKind.SINGLE, ends, found.p_value, TWO_ONE_SIDED)


def held_out(evidence: Evidence, case: Case) -> HeldOut | None:
    """Estimate the gap in the held-out span; None where it cannot be tested."""
    position = evidence.held_out_at(case.position)
    real, drawn = evidence.real[:, position], evidence.drawn[:, :, position]
    tested = tested_on(case, real)
    found = tested.infer(real, drawn) if tested else None
    if tested is None or found is None:
        return None
    return HeldOut(found.estimate, found, tested.n_units)


def tested_on(case: Case, real: Floats) -> Case | None:
    """Keep the neighbourhoods that a refit could estimate; None where they are too few.

    Parameters
    ----------
    real : (n_units of the study, ...), NaN where a neighbourhood could not be estimated.
    """
    sides = [tuple(g for g in side if np.isfinite(real[g]).all()) for side in (case.units, case.against)]
    lost = case.n_units - len(sides[0]) - len(sides[1])
    tested = replace(case, units=sides[0], against=sides[1], n_places=max(1, case.n_places - lost))
    if tested.n_units < _MOST * case.n_units or not sides[0] or len(sides[1]) < bool(case.against):
        return None
    return tested


def worst_balance(evidence: Evidence, case: Case, but: str = "") -> tuple[str, float]:
    """Return the characteristic in which a group differs most from its benchmark areas.

    Neighbourhoods are weighted by their areas: what is too high in one and too low in another
    does not bias the group's effect. `but` is a characteristic that is not looked at.
    """
    size = {
        (evidence.plan.units[g].initiative, evidence.plan.units[g].name): len(evidence.plan.units[g].areas)
        for g in (*case.units, *case.against)
    }
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in evidence.plan.balance:
        n = size.get((row.initiative, row.neighbourhood), 0)
        if n and row.claim == case.outcome.claim and row.covariate != but:
            sums[row.covariate][0] += n * row.smd_after
            sums[row.covariate][1] += n
    total = sum(size.values())
    shares = {name: abs(s / total) for name, (s, _) in sums.items()}
    if not shares:
        return "", 0.0
    worst = max(sorted(shares), key=lambda name: shares[name])
    return worst, shares[worst]
