"""Remarks a reader of the report needs: coverage, areas left out, what the placebos are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.estimate.linearised import (
    MIN_CLUSTERS,
    Compared,
    bootstrap,
    clustered_ratio,
    linearised_ratio,
)
from areaeffect.findings.case import Case, Evidence
from areaeffect.findings.plan import Plan
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.results import Claim, Interval, Ints
from areaeffect.streams import Use, generator
from areaeffect.study.file import StudyFile
from areaeffect.wording.numbers import PHRASES, phrase

#: Of a study that says so of itself, first among its notes.
EXPLORATORY = PHRASES["notes.exploratory_outcomes"]


def method_notes(file: StudyFile, data: Assembled, plan: Plan) -> list[str]:
    """Return the remarks, in the order of reading; outcomes after a start may be in them."""
    panel, grouping = data.panel, file.study.analysis.placebo_neighbourhoods
    full = np.logical_and.reduce([m.observed.all(axis=1) for m in panel.measures.values()])
    notes = [
        *([EXPLORATORY] if file.study.study.exploratory else []),
        phrase("notes.areas_value", whole=f"{full.sum():,}", n=f"{len(panel.areas):,}"),
        *_raw_changes(data, plan),
        *_left_unlike(plan),
    ]
    if len(plan.units) < MIN_CLUSTERS:
        notes.append(small_programme_note(len(plan.units), MIN_CLUSTERS))
    if grouping:
        n = len(plan.machine.banks[0].pieces[0])
        return [*notes, f"Placebo neighbourhoods are the {n} eligible groups of {grouping}."]
    if data.boundaries is None or file.study.design.unit == "programme":
        why = "The areas have no boundaries" if data.boundaries is None else "A programme is one unit"
        return [*notes, phrase("notes.placebo_programmes", why=why)]
    return [*notes, PHRASES["notes.placebo_neighbourhoods"]]


def _left_unlike(plan: Plan) -> list[str]:
    """Say where weighting could not make benchmark areas like the treated ones, and the remedy."""
    changes = [d for d in plan.designs if d.claim == "change"]
    left = [d for d in changes if not d.exact]
    if not left:
        return []
    return [
        phrase(
            "notes.neighbourhoods_weights",
            n=len(left),
            n_2=len(changes),
            most=f"{max(d.imbalance for d in left):.2f}",
        )
    ]


def _raw_changes(data: Assembled, plan: Plan) -> list[str]:
    """Say what leaving treated areas out does to the raw change of the first outcome."""
    measure = next(iter(data.panel.measures.values()))
    treated = np.concatenate([unit.areas for unit in plan.units])
    notes = []
    for place in data.neighbourhoods:
        kept = np.intersect1d(place.areas, treated)
        if len(kept) in (0, len(place.areas)):
            continue
        with_them, without = (_raw_change(measure, place, a) for a in (place.areas, kept))
        if with_them and without:
            notes.append(
                phrase(
                    "notes.raw_change",
                    group=place.name,
                    what=measure.name.replace("_", " "),
                    with_them=with_them,
                    without=without,
                )
            )
    return notes


def _raw_change(measure: Measure, place: Neighbourhood, areas: Ints) -> str:
    before, after = measure.periods.split(place.start, place.start_kind)
    cells = np.nan_to_num(measure.values[areas])
    pre = cells[:, before].sum() / max(1, before.stop - before.start)
    post = cells[:, after].sum() / max(1, after.stop - after.start)
    if pre == 0:
        return ""
    return f"{100 * (post / pre - 1):+.1f}%".replace("-", "\N{MINUS SIGN}")


_LINEARISED_LEVEL = 0.9


def companions(evidence: Evidence, case: Case, estimate: float) -> tuple[Interval, ...]:
    """Return the companions a study asks for and a finding can carry.

    Linearised, of any number of neighbourhoods, for ratios of change; from ten neighbourhoods on,
    cluster-robust for the same, and the bootstrap over neighbourhoods for every form. Where a kind
    is missing for want of neighbourhoods, `small_programme_note` says why.
    """
    asked = evidence.study.analysis
    found: list[Interval | None] = []
    is_change = case.is_ratio and case.claim is Claim.CHANGE
    parts = _parts(evidence, case) if asked.linearised and is_change else []
    if parts:
        found.append(linearised_ratio(parts, estimate, _LINEARISED_LEVEL, case.outcome.better))
    if is_change:
        found.append(clustered_ratio(evidence.real[list(case.units), case.position]))
    found.append(_bootstrap(evidence, case))
    return tuple(one for one in found if one is not None)


def small_programme_note(n_neighbourhoods: int, fewest: int) -> str:
    """Say why a small programme has no cluster-robust or bootstrap interval."""
    return phrase("notes.cluster_robust", fewest=fewest, n_neighbourhoods=n_neighbourhoods)


def _parts(evidence: Evidence, case: Case) -> list[Compared]:
    arm = evidence.plan.arm_of(case.position)
    values, found = case.measure.values, []
    for g in case.units:
        areas, chosen = evidence.plan.units[g].areas, evidence.plan.benchmark_of(case.position)[g]
        if chosen is None:
            return []
        used = np.flatnonzero(arm.used(g, areas)[case.position][1])
        found.append(
            Compared(
                members=areas,
                pool=chosen.pool,
                treated=values[np.ix_(areas, used)],
                outside=values[np.ix_(chosen.pool, used)],
                weights=chosen.weights,
                periods=used,
            )
        )
    return found


def _bootstrap(evidence: Evidence, case: Case) -> Interval | None:
    n, n_against = len(case.units), len(case.against)
    totals = evidence.real[[*case.units, *case.against], case.position]
    own = replace(case, units=tuple(range(n)), against=tuple(range(n, n + n_against)))
    sides = [n, n_against] if n_against else [n]
    rng = generator(Use.BOOTSTRAP, evidence.study.study.seed, case.position)
    return bootstrap(totals, sides, own.statistic, case.printed, rng)
