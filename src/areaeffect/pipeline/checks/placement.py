"""Whether the programme is placed by a rule that its placebo programmes do not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.falsify.check import Check, Status
from areaeffect.falsify.placebo import programme_of
from areaeffect.falsify.placement import (
    Placement,
    feature_names,
    percentiles,
    placement,
    profile,
)
from areaeffect.pipeline.checks.ground import NO_FINDING, table
from areaeffect.pipeline.checks.history import LEVEL, RISE, scores_of
from areaeffect.pipeline.cohorts import ClaimCohorts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.falsify.check import Answer, Number
    from areaeffect.pipeline.checks.ground import Ground, Subject
    from areaeffect.results import Floats, Ints

#: Placebo programmes that the real one's place is compared with; drawn without a design, so cheap.
DRAWS = 399
_FEWEST = 39

COLUMNS = {
    "feature": ("string", "what is compared"),
    "real": ("number", "of the real neighbourhoods: mean percentile, kilometres or share"),
    "placebo_median": ("number", "median over placebo programmes"),
    "p_value": ("number", "two-sided rank p-value among placebo programmes"),
    "joint_p": ("number", "for all features at once"),
}


def placement_check(ground: Ground) -> Check:
    """Compare where the programme is with where its placebo programmes are."""
    found: dict[tuple[int, ...], Placement | None] = {}
    answers, rows = [], []
    traits = _traits(ground)
    programmes = _programmes(ground) if any(s.is_estimated for s in ground.subjects) else []
    for s in ground.subjects:
        if s.is_estimated and s.case.units not in found:
            found[s.case.units] = _placed(ground, traits, programmes, s.case.units)
        place = found.get(s.case.units)
        if place is None:
            why = "too few placebo programmes could be drawn" if s.is_estimated else NO_FINDING
            answers.append(s.silent(why))
            continue
        answers.append(_answer(s, place))
        rows += _rows(s, place)
    return Check(
        "placement",
        "Where the neighbourhoods were put",
        "Placebo programmes speak only for placement like theirs. Are the real neighbourhoods "
        "placed in a way that hardly any placebo programme is?",
        tuple(answers),
        table("placement", "The programme's place and its placebo programmes'", COLUMNS, rows),
    )


def _traits(ground: Ground) -> tuple[tuple[str, ...], list[Floats]]:
    """Return names, and for each unit (n_areas, q) percentiles among all areas."""
    plan, panel = ground.evidence.plan, ground.data.panel
    arm = plan.machine.arms[0]
    better = [outcome.better for outcome in ground.study.outcome]
    singles = list(np.arange(len(panel.areas))[:, None])
    changes = arm if isinstance(arm, ClaimCohorts) and arm.claim == "change" else None
    made: dict[int, Floats] = {}
    for g, unit in enumerate(plan.units):
        if unit.start in made:
            continue
        columns = [percentiles(column) for column in panel.covariates.T]
        if changes is not None:
            for kind in (LEVEL, RISE):
                scores = scores_of(changes, better, g, kind, singles)
                columns.append(_mean_percentile(scores))
        shape = (len(panel.areas), len(columns))
        made[unit.start] = np.array(columns, dtype=np.float64).reshape(shape[::-1]).T
    names = tuple(f"percentile of {name}" for name in panel.covariate_names)
    if changes is not None:
        names += ("percentile of the level before", "percentile of the latest rise")
    return names, [made[u.start] for u in plan.units]


def _mean_percentile(scores: Floats) -> Floats:
    """Mean percentile over outcomes, (n_areas,); NaN where there is no outcome."""
    if not scores.shape[1]:
        return np.full(len(scores), np.nan)
    return np.asarray(np.mean([percentiles(column) for column in scores.T], axis=0))


def _programmes(ground: Ground) -> list[list[Ints]]:
    """Draw placebo programmes."""
    drawn = (
        programme_of(ground.evidence.plan.machine, number)
        for number in range(min(DRAWS, ground.study.analysis.placebos))
    )
    return [programme for programme in drawn if programme is not None]


def _placed(
    ground: Ground,
    traits: tuple[tuple[str, ...], list[Floats]],
    programmes: list[list[Ints]],
    units: tuple[int, ...],
) -> Placement | None:
    plan, panel = ground.evidence.plan, ground.data.panel
    names, of_units = traits
    districts = _districts(ground)
    own = [of_units[g] for g in units]

    def described(members: Sequence[Ints]) -> Floats:
        return profile(members, own, panel.centres, districts)

    drawn = [described([programme[g] for g in units]) for programme in programmes]
    if len(drawn) < _FEWEST:
        return None
    every = feature_names(names, centres=panel.centres is not None, districts=districts is not None)
    return placement(every, described([plan.units[g].areas for g in units]), np.array(drawn))


def _districts(ground: Ground) -> Ints | None:
    """Return a number for the larger area of each, where the study names one for its placebos."""
    reference = ground.study.analysis.placebo_neighbourhoods
    if not reference:
        return None
    return np.unique(ground.data.panel.attributes[reference], return_inverse=True)[1].ravel()


def _answer(s: Subject, place: Placement) -> Answer:
    if not place.names:
        return s.silent("nothing is known of the areas before the start")
    k = int(np.argmin(place.p_values))
    return s.answer(
        Status.WARNS if place.is_unlike else Status.HOLDS,
        joint_p=place.joint_p,
        feature=place.oddest,
        real=float(place.values[k]),
        placebo_median=float(place.medians[k]),
        p_value=float(place.p_values[k]),
    )


def _rows(s: Subject, place: Placement) -> list[tuple[Number, ...]]:
    cells = zip(place.names, place.values, place.medians, place.p_values, strict=True)
    return [(*s.row, n, float(v), float(m), float(p), place.joint_p) for n, v, m, p in cells]
