"""Whether the programme is placed by a rule that its placebo programmes do not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.falsify.check import Check, Status
from areaeffect.falsify.placebo import programme_of
from areaeffect.falsify.placement import (
    Placement,
    feature_names,
    harmful_tails,
    percentiles,
    placement,
    profile,
)
from areaeffect.pipeline.checks.ground import NO_FINDING, table
from areaeffect.pipeline.checks.history import LEVEL, RISE, scores_of
from areaeffect.pipeline.cohorts import ClaimCohorts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.falsify.check import Answer, Number
    from areaeffect.pipeline.checks.ground import Ground, Subject
    from areaeffect.results import Floats, Ints

_FEWEST = 39
_LEVEL, _RISE = "percentile of the level before", "percentile of the latest rise"

COLUMNS = {
    "feature": ("string", "what is compared"),
    "real": ("number", "of the real neighbourhoods: mean percentile, kilometres or share"),
    "placebo_median": ("number", "median over placebo programmes"),
    "p_value": ("number", "two-sided rank p-value among placebo programmes"),
    "counted_p": ("number", "over the tails that could do harm, which the warning counts; else 1"),
    "joint_p": ("number", "of the counted ones, for all features at once"),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Profiles:
    """Where a programme and its placebos are: (q,), (n, q), and the numbers of the n draws."""

    names: tuple[str, ...]
    real: Floats
    placebos: Floats
    numbers: Ints


def placement_check(ground: Ground) -> Check:
    """Compare where the programme is with where its placebo programmes are."""
    found: dict[tuple[int, ...], _Profiles | None] = {}
    answers, rows = [], []
    traits = _traits(ground)
    programmes = _programmes(ground) if any(s.is_estimated for s in ground.subjects) else {}
    for s in ground.subjects:
        if s.is_estimated and s.case.units not in found:
            found[s.case.units] = _profiles(ground, traits, programmes, s.case.units)
        profiles = found.get(s.case.units)
        if profiles is None:
            why = "too few placebo programmes could be drawn" if s.is_estimated else NO_FINDING
            answers.append(s.silent(why))
            continue
        effects = s.case.statistic(ground.evidence.drawn[profiles.numbers, :, s.case.position])
        tails = harmful_tails(profiles.names, profiles.placebos, effects, (_LEVEL, _RISE))
        place = placement(profiles.names, profiles.real, profiles.placebos, tails)
        answers.append(_answer(s, place))
        rows += _rows(s, place)
    return Check(
        "placement",
        "Where the neighbourhoods were put",
        "Placebo programmes speak only for placement like theirs. Are the real neighbourhoods "
        "placed in a way that hardly any placebo programme is, and that could do harm?",
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
        names += (_LEVEL, _RISE)
    return names, [made[u.start] for u in plan.units]


def _mean_percentile(scores: Floats) -> Floats:
    """Mean percentile over outcomes, (n_areas,); NaN where there is no outcome."""
    if not scores.shape[1]:
        return np.full(len(scores), np.nan)
    return np.asarray(np.mean([percentiles(column) for column in scores.T], axis=0))


def _programmes(ground: Ground) -> dict[int, list[Ints]]:
    """Draw the placebo programmes again, by number; without a design, so cheap."""
    drawn = {
        number: programme_of(ground.evidence.plan.machine, number)
        for number in range(len(ground.evidence.drawn))
    }
    return {number: programme for number, programme in drawn.items() if programme is not None}


def _profiles(
    ground: Ground,
    traits: tuple[tuple[str, ...], list[Floats]],
    programmes: Mapping[int, list[Ints]],
    units: tuple[int, ...],
) -> _Profiles | None:
    """Describe the places of some units and of the placebos drawn for them; None for too few."""
    plan, panel = ground.evidence.plan, ground.data.panel
    names, of_units = traits
    districts = _districts(ground)
    own = [of_units[g] for g in units]

    def described(members: Sequence[Ints]) -> Floats:
        return profile(members, own, panel.centres, districts)

    drawn = [described([programme[g] for g in units]) for programme in programmes.values()]
    if len(drawn) < _FEWEST:
        return None
    return _Profiles(
        feature_names(names, centres=panel.centres is not None, districts=districts is not None),
        described([plan.units[g].areas for g in units]),
        np.array(drawn),
        np.array(list(programmes)),
    )


def _districts(ground: Ground) -> Ints | None:
    """Return a number for the larger area of each, where the study names one for its placebos."""
    reference = ground.study.analysis.placebo_neighbourhoods
    if not reference:
        return None
    return np.unique(ground.data.panel.attributes[reference], return_inverse=True)[1].ravel()


def _answer(s: Subject, place: Placement) -> Answer:
    if not place.names:
        return s.silent("nothing is known of the areas before the start")
    k = place.names.index(place.oddest)
    return s.answer(
        Status.WARNS if place.is_unlike else Status.HOLDS,
        joint_p=place.joint_p,
        feature=place.oddest,
        real=float(place.values[k]),
        placebo_median=float(place.medians[k]),
        p_value=float(place.counted_p[k]),
    )


def _rows(s: Subject, place: Placement) -> list[tuple[Number, ...]]:
    numbers = np.column_stack([place.values, place.medians, place.p_values, place.counted_p])
    return [
        (*s.row, name, *own, place.joint_p)
        for name, own in zip(place.names, numbers.tolist(), strict=True)
    ]
