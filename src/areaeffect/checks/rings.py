"""Distance rings: whether what was gained here turned up, or got lost, next door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

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
from areaeffect.design.programme import Rules, design_programme
from areaeffect.estimate.counterfactual import totals
from areaeffect.estimate.inference import PlaceboInference, max_t
from areaeffect.findings.describe import ALPHA
from areaeffect.geography.boundaries import bands
from areaeffect.panel import Graph
from areaeffect.placebo.programmes import Machine, programme_of
from areaeffect.records import described
from areaeffect.results import Bools, Floats, Ints
from areaeffect.wording.numbers import phrase, plural


@dataclass(frozen=True, slots=True, eq=False)
class RingJob:
    """Puts the rings of placebo programmes through design and estimate."""

    machine: Machine  # the study's, with one arm, that of changes
    near: Graph  # areas within the outermost ring of each other
    band: npt.NDArray[np.int8]  # (n_pairs,), the ring that each pair of `near` is in
    n_rings: int  # rings, from the nearest
    in_rings: Bools  # (n_areas,), areas that may be in a ring: eligible but for the buffer

    def prepare(self) -> None:
        """Make every cohort and sum, and search the nearest areas of all that may be asked for."""
        self.machine.prepare()
        every = np.flatnonzero(self.in_rings)
        for arm in self.machine.arms:
            for g, bank in enumerate(self.machine.banks):
                for areas in (a for options in bank.pieces for a in options):
                    cohort = arm.cohort(g, areas)
                    if cohort.nearest is not None:
                        cohort.nearest.of(every)

    def run(self, draws: npt.NDArray[np.int64]) -> Floats:
        """Return (n_draws, n_neighbourhoods, n_rings * n_outcomes, n_totals)."""
        machine = self.machine
        n_positions = self.n_rings * machine.n_outcomes
        found = np.full((len(draws), len(machine.banks), n_positions, machine.n_totals), np.nan)
        for d, number in enumerate(draws):
            programme = programme_of(machine, int(number))
            if programme is not None:
                found[d], _ = self.around(programme)
        return found

    def around(self, programme: Sequence[Ints]) -> tuple[Floats, tuple[tuple[int, ...], ...]]:
        """Design and add up the rings of one programme.

        Returns
        -------
        Totals as in `run`, for one draw, and how many areas each ring has of each neighbourhood.
        A neighbourhood without an area in a ring adds nothing to it; NaN where none has one.
        """
        machine, (arm,) = self.machine, self.machine.arms
        n = machine.n_outcomes
        found = np.full((len(programme), self.n_rings * n, machine.n_totals), np.nan)
        cohorts = [arm.cohort(g, areas) for g, areas in enumerate(programme)]
        rings, inside = rings_of(programme, self.near, self.band, self.n_rings)
        far = machine.eligible & ~inside
        rules = Rules(machine.rules.nearest, machine.rules.common_support, None, machine.rules.matching)
        sizes = []
        for r, ring in enumerate(rings):
            members = [
                areas[self.in_rings[areas] & cohort.usable[areas]]
                for areas, cohort in zip(ring, cohorts, strict=True)
            ]
            sizes.append(tuple(len(areas) for areas in members))
            there = [g for g, areas in enumerate(members) if len(areas)]
            if not there:
                continue
            found[:, r * n : (r + 1) * n] = 0.0
            designed = design_programme([cohorts[g] for g in there], [members[g] for g in there], far, rules)
            for g, chosen in zip(there, designed, strict=True):
                found[g, r * n : (r + 1) * n] = np.nan
                for o, sums in arm.sums(g, programme[g]).items():
                    if chosen is not None:
                        found[g, r * n + o] = totals(sums, members[g], chosen.pool, chosen.weights)
        return found, tuple(sizes)


def rings_of(
    programme: Sequence[Ints], near: Graph, band: npt.NDArray[np.int8], n_rings: int
) -> tuple[list[list[Ints]], Bools]:
    """Share the areas around a programme out to rings and neighbourhoods.

    Parameters
    ----------
    programme : the areas of each neighbourhood.
    near, band, n_rings : see `RingJob`.

    Returns
    -------
    For each ring, the areas nearest to each neighbourhood (an area as near to two belongs to the
    first); and (n_areas,), whether an area is in the programme or in any ring.
    """
    n_areas = len(near.indptr) - 1
    nearest = np.full(n_areas, n_rings, dtype=np.int8)
    owner = np.full(n_areas, -1)
    for g, areas in enumerate(programme):
        pairs = np.concatenate([np.arange(near.indptr[a], near.indptr[a + 1]) for a in areas])
        closest = np.full(n_areas, n_rings, dtype=np.int8)
        np.minimum.at(closest, near.indices[pairs], band[pairs])
        closer = closest < nearest
        nearest[closer], owner[closer] = closest[closer], g
    every = np.concatenate(programme)
    inside = nearest < n_rings
    inside[every] = True
    nearest[every] = n_rings
    rings = [
        [np.flatnonzero((nearest == r) & (owner == g)) for g in range(len(programme))] for r in range(n_rings)
    ]
    return rings, inside


#: Placebo programmes whose rings are drawn: each is as large as several programmes.
DRAWS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The effect in one ring around the neighbourhoods."""

    from_km: float = described("inner edge of the ring, from the nearest treated area")
    to_km: float = described("outer edge of the ring")
    areas: int = described("areas in the ring")
    estimate: float | None = described(f"effect in the ring: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")
    p_adjusted: float = described("the same for all rings at once (max-T)")
    placebo_centre: float | None = described(
        "mean over the rings of placebo programmes; the interval allows for it"
    )


@dataclass(frozen=True, slots=True)
class OutstandingRing:
    """The ring that stands out most, of how many, and whether it moved as the places did."""

    ring: Ring
    rings: int
    same: bool


OfRings = Answer[OutstandingRing, Ring]


@dataclass(frozen=True, slots=True, eq=False)
class _Rings:
    """Totals of the rings."""

    edges: tuple[float, ...]  # kilometres, from 0
    n_areas: tuple[tuple[int, ...], ...]  # (n_rings, n_units)
    real: Floats  # (n_units, n_rings * n_outcomes, n_totals)
    drawn: Floats  # (n_draws, n_units, n_rings * n_outcomes, n_totals)


def _run(inputs: CheckInputs) -> list[OfRings]:
    """Estimate the effect in rings around the neighbourhoods, each with its own benchmark areas."""
    rings = _rings(inputs) if any(s.is_estimated for s in inputs.changes()) else None
    return inputs.each(lambda s: _answer(inputs, rings, s), inputs.changes())


def _rings(inputs: CheckInputs) -> _Rings | None:
    plan, boundaries = inputs.evidence.plan, inputs.data.boundaries
    if boundaries is None:
        return None
    edges = inputs.study.analysis.rings_km
    near, band = bands(boundaries, tuple(1000 * edge for edge in edges))
    allowed = np.array([r == "" or r.startswith("within ") for r in plan.pool.reasons])
    only = replace(plan.leading, draws=None)
    machine = replace(plan.machine, arms=(only,), n_outcomes=len(inputs.evidence.measures))
    job = RingJob(machine, near, band, len(edges), allowed)
    real, n_areas = job.around([u.areas for u in plan.units])
    return _Rings((0.0, *edges), n_areas, real, inputs.run(job, DRAWS))


def _answer(inputs: CheckInputs, rings: _Rings | None, s: Subject) -> OfRings:
    if rings is None:
        return s.silent(phrase("check_rings.no_boundaries"))
    n = len(inputs.evidence.measures)
    found: dict[int, tuple[float, PlaceboInference]] = {}
    for r in range(len(rings.edges) - 1):
        position = r * n + s.case.position
        held = held_against(s.case, rings.real[:, position], rings.drawn[:, :, position])
        if held is not None and any(rings.n_areas[r][g] for g in s.case.units):
            found[r] = held
    if not found:
        return s.silent(phrase("check_rings.no_room"))
    joint = max_t([inferred for _, inferred in found.values()])
    rows = [
        Ring(
            from_km=rings.edges[r],
            to_km=rings.edges[r + 1],
            areas=sum(rings.n_areas[r][g] for g in s.case.units),
            **s.ends(estimate, inferred),
            p_value=inferred.p_value,
            p_adjusted=float(adjusted),
            placebo_centre=s.case.printed(inferred.centre),
        )
        for (r, (estimate, inferred)), adjusted in zip(found.items(), joint.p_adjusted, strict=True)
    ]
    most = min(rows, key=lambda ring: (ring.p_adjusted, ring.p_value))
    same = most.estimate is not None and most.estimate * s.effect > 0
    numbers = OutstandingRing(most, len(rows), same)
    return s.answer(numbers, *rows, warns=most.p_adjusted <= ALPHA)


def _say(a: OfRings, n: OutstandingRing) -> str:
    ring, form = n.ring, a.finding.form
    key = "holds" if a.status is not CheckStatus.WARNS else "same" if n.same else "other"
    return phrase(
        f"check_rings.{key}",
        where=f"{ring.from_km:g} to {ring.to_km:g} km away",
        effect=effect(ring.estimate, form),
        interval=span(ring.low, ring.high, form),
        p=p_words(ring.p_adjusted),
        rings=plural(n.rings, "ring"),
    )


RINGS = Check(
    name="rings",
    row=Ring,
    run=_run,
    say=_say,
    drawn=EstimatePlot(name=lambda row: f"{row.from_km:g}–{row.to_km:g}"),
)
