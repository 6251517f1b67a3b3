"""Strength of evidence: balance, and the gap in the last year before the start, held out.

Exact calibration on the whole history makes the gap before the start zero by construction, so it
says nothing. A second design leaves the last year out; the gap it then finds there is a forecast
that could have failed (docs/rules.md, rule 4).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.inference import MIN_PLACEBOS, infer
from areaeffect.outcomes import BEST_GRADE

if TYPE_CHECKING:
    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.findings.describe import Case, Evidence
    from areaeffect.results import Floats

#: Largest standardised difference of a group from its benchmark areas for grade 3 (Stuart 2010,
#: doi 10.1214/09-STS313, section 4.1).
BALANCED = 0.25
#: A gap in the held-out span with a smaller p-value warns.
ALPHA = 0.05
#: The held-out year is tested where at least this share of neighbourhoods has it without gaps.
_MOST = 0.75
_MATCHED, _BEFORE_AND_AFTER = BEST_GRADE["level"], BEST_GRADE["change"]


@dataclass(frozen=True, slots=True)
class Grade:
    """Grade on the Maryland scale in What Works Growth's wording, and why not higher.

    Parameters
    ----------
    maryland : 2 or 3.
    held_out : gap in the held-out year, on the finding's scale; None where not estimable.
    held_out_p : its two-sided placebo p-value.
    caveats : reasons for 2.
    """

    maryland: int
    held_out: float | None
    held_out_p: float | None
    caveats: tuple[str, ...]


def grade(evidence: Evidence, case: Case) -> Grade:
    """Grade a finding."""
    if case.outcome.claim == "level":
        return Grade(_MATCHED, None, None, ())
    held = held_out(evidence, case)
    gap = case.printed(held.gap) if held else None
    p_value = held.inference.p_value if held else None
    span = "year" if case.measure.periods.kind.per_year else "third of the history"
    caveats = []
    if gap is None or p_value is None:
        caveats.append(
            "Graded 2 on the Maryland scale: the history is too short, or has too many gaps, to "
            f"leave its last {span} out, so whether the comparison held before the start is not "
            "tested."
        )
    elif p_value <= ALPHA:
        caveats.append(
            f"Graded 2 on the Maryland scale: by a design that does not see the last {span} before "
            f"the start, the places had already parted from their benchmark areas in that {span}."
        )
    name, worst = _worst_balance(evidence, case)
    if worst > BALANCED:
        caveats.append(
            f"Graded 2 on the Maryland scale: the places still differ from their benchmark areas "
            f"in {name.replace('_', ' ')}, by {worst:.2f} standard deviations."
        )
    maryland = _MATCHED if caveats else _BEFORE_AND_AFTER
    if held and held.tested < case.n_units:
        caveats.append(
            f"The held-out {span} is tested on {held.tested} of {case.n_units} neighbourhoods: the "
            "others have gaps in it."
        )
    return Grade(maryland, gap, p_value, tuple(caveats))


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The held-out refit of one finding.

    Parameters
    ----------
    gap : in the held-out span, on the scale of the statistic.
    inference : held against placebo programmes.
    tested : neighbourhoods that have the span without gaps.
    """

    gap: float
    inference: PlaceboInference
    tested: int


def held_out(evidence: Evidence, case: Case) -> HeldOut | None:
    """Return the gap in the held-out span; None where it cannot be tested."""
    position = len(evidence.measures) + case.position
    real, drawn = evidence.real[:, position], evidence.drawn[:, :, position]
    tested = tested_on(case, real)
    if tested is None:
        return None
    gap, placebos = float(tested.statistic(real)), tested.statistic(drawn)
    if not np.isfinite(gap) or np.isfinite(placebos).sum() < MIN_PLACEBOS:
        return None
    count = float(tested.counts(real))
    found = infer(gap, placebos, tested.counts(drawn), count, case.outcome.better, tested.taken)
    return HeldOut(gap, found, tested.n_units)


def tested_on(case: Case, real: Floats) -> Case | None:
    """Keep the neighbourhoods that a refit could estimate; None where they are too few.

    Parameters
    ----------
    case : whose.
    real : (n_units of the study, ...), NaN where a neighbourhood could not be estimated.
    """
    sides = [
        tuple(g for g in side if np.isfinite(real[g]).all()) for side in (case.units, case.against)
    ]
    tested = replace(case, units=sides[0], against=sides[1])
    if tested.n_units < _MOST * case.n_units or not sides[0] or len(sides[1]) < bool(case.against):
        return None
    return tested


def _worst_balance(evidence: Evidence, case: Case) -> tuple[str, float]:
    """Return the characteristic in which a group differs most from its benchmark areas.

    Neighbourhoods are weighted by their areas: what is too high in one and too low in another
    does not lean the group's effect.
    """
    size = {
        (evidence.plan.units[g].initiative, evidence.plan.units[g].name): len(
            evidence.plan.units[g].areas
        )
        for g in (*case.units, *case.against)
    }
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in evidence.plan.balance:
        n = size.get((row.initiative, row.neighbourhood), 0)
        if n and row.claim == case.outcome.claim:
            sums[row.covariate][0] += n * row.smd_after
            sums[row.covariate][1] += n
    total = sum(size.values())
    shares = {name: abs(s / total) for name, (s, _) in sums.items()}
    if not shares:
        return "", 0.0
    worst = max(sorted(shares), key=lambda name: shares[name])
    return worst, shares[worst]
