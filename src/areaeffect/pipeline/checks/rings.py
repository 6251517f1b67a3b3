"""Distance rings: whether what was gained here turned up, or got lost, next door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.multiplicity import max_t
from areaeffect.falsify.check import Check, Status
from areaeffect.falsify.rings import RingJob
from areaeffect.geography.neighbours import bands
from areaeffect.pipeline.checks.ground import (
    EFFECT,
    NO_FINDING,
    held_against,
    table,
)
from areaeffect.pipeline.cohorts import ClaimCohorts
from areaeffect.pipeline.grading import ALPHA

if TYPE_CHECKING:
    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.falsify.check import Answer, Number
    from areaeffect.pipeline.checks.ground import Ground, Subject
    from areaeffect.results import Floats

#: Placebo programmes whose rings are drawn: each is as large as several programmes.
DRAWS = 99
NO_BOUNDARIES = "without boundaries no distance is known"
NO_ROOM = "too few areas with data lie in any ring, or outside all of them to compare with"

COLUMNS = {
    "from_km": ("number", "inner edge of the ring, from the nearest treated area"),
    "to_km": ("number", "outer edge of the ring"),
    "areas": ("integer", "areas in the ring"),
    "estimate": ("number", f"effect in the ring: {EFFECT}"),
    "low": ("number", "95% placebo interval, lower end"),
    "high": ("number", "95% placebo interval, upper end"),
    "p_value": ("number", "two-sided placebo p-value"),
    "p_adjusted": ("number", "the same for all rings at once (max-T)"),
    "placebo_centre": (
        "number",
        "mean over the rings of placebo programmes; the interval allows for it",
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Rings:
    """Totals of the rings.

    Parameters
    ----------
    edges : kilometres, from 0.
    n_areas : (n_rings, n_units).
    real : (n_units, n_rings * n_outcomes, n_totals).
    drawn : (n_draws, n_units, n_rings * n_outcomes, n_totals).
    """

    edges: tuple[float, ...]
    n_areas: tuple[tuple[int, ...], ...]
    real: Floats
    drawn: Floats


def rings_check(ground: Ground) -> Check:
    """Estimate the effect in rings around the neighbourhoods, each with its own benchmark areas."""
    rings = _rings(ground) if any(s.is_estimated for s in ground.changes()) else None
    made = [_answer(ground, rings, s) for s in ground.changes()]
    return Check(
        "rings",
        "What happened around the neighbourhoods",
        "Did the places around them change too: worse, as if things had been pushed next door, "
        "or in the same direction, as if the work had spread?",
        tuple(answer for answer, _ in made),
        table(
            "rings",
            "Effects by distance",
            COLUMNS,
            [row for _, rows in made for row in rows],
        ),
    )


def _rings(ground: Ground) -> _Rings | None:
    plan, boundaries = ground.evidence.plan, ground.data.boundaries
    arm = plan.machine.arms[0]
    if boundaries is None or not isinstance(arm, ClaimCohorts):
        return None
    edges = ground.study.analysis.rings_km
    near, band = bands(boundaries, tuple(1000 * edge for edge in edges))
    allowed = np.array([r == "" or r.startswith("within ") for r in plan.pool.reasons])
    only = replace(arm, draws=None)
    machine = replace(plan.machine, arms=(only,), n_outcomes=len(ground.evidence.measures))
    job = RingJob(machine, near, band, len(edges), allowed)
    real, n_areas = job.around([u.areas for u in plan.units])
    return _Rings((0.0, *edges), n_areas, real, ground.run(job, DRAWS))


def _answer(
    ground: Ground, rings: _Rings | None, s: Subject
) -> tuple[Answer, list[tuple[Number, ...]]]:
    if not s.is_estimated or s.finding.estimate is None:
        return s.silent(NO_FINDING), []
    if rings is None:
        return s.silent(NO_BOUNDARIES), []
    n, printed = len(ground.evidence.measures), s.case.printed
    found: dict[int, tuple[float, PlaceboInference]] = {}
    for r in range(len(rings.edges) - 1):
        position = r * n + s.case.position
        held = held_against(s.case, rings.real[:, position], rings.drawn[:, :, position])
        if held is not None and any(rings.n_areas[r][g] for g in s.case.units):
            found[r] = held
    if not found:
        return s.silent(NO_ROOM), []
    joint = max_t([inferred for _, inferred in found.values()])
    adjusted = dict(zip(found, (float(p) for p in joint.p_adjusted), strict=True))
    rows: list[tuple[Number, ...]] = [
        (
            *(*s.row, rings.edges[r], rings.edges[r + 1]),
            sum(rings.n_areas[r][g] for g in s.case.units),
            *(printed(v) for v in (estimate, inferred.low, inferred.high)),
            *(inferred.p_value, adjusted[r], printed(inferred.centre)),
        )
        for r, (estimate, inferred) in found.items()
    ]
    r = min(found, key=lambda ring: (adjusted[ring], found[ring][1].p_value))
    estimate, inferred = found[r]
    p_adjusted = adjusted[r]
    value = printed(estimate)
    same = value is not None and value * s.finding.estimate > 0
    answer = s.answer(
        Status.WARNS if p_adjusted <= ALPHA else Status.HOLDS,
        rings=len(found),
        from_km=rings.edges[r],
        to_km=rings.edges[r + 1],
        estimate=value,
        low=printed(inferred.low),
        high=printed(inferred.high),
        p_value=inferred.p_value,
        p_adjusted=p_adjusted,
        direction="same" if same else "opposite",
    )
    return answer, rows
