"""Remarks a reader of the report needs: coverage, areas left out, what the placebos are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.between import MIN_CLUSTERS
from areaeffect.findings.companions import small_programme_note

if TYPE_CHECKING:
    from areaeffect.assembly.assemble import Assembled
    from areaeffect.findings.plan import Plan
    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.results import Ints
    from areaeffect.study.file import StudyFile


#: Of a study that says so of itself, first among its notes.
EXPLORATORY = (
    "Exploratory: the outcomes were public, and could be looked at, before this was asked. "
    "Of 20 such questions about places where nothing was done, about one finds 'better' or 'worse' "
    "by chance alone. Take this as a reason to look closer, not as a test."
)


def method_notes(file: StudyFile, data: Assembled, plan: Plan) -> list[str]:
    """Return the remarks, in the order of reading; outcomes after a start may be in them."""
    panel, grouping = data.panel, file.study.analysis.placebo_neighbourhoods
    full = np.logical_and.reduce([m.observed.all(axis=1) for m in panel.measures.values()])
    notes = [
        *([EXPLORATORY] if file.study.study.exploratory else []),
        f"{full.sum():,} of {len(panel.areas):,} areas have a value in every period of the window.",
        *_raw_changes(data, plan),
        *_left_unlike(plan),
    ]
    if len(plan.units) < MIN_CLUSTERS:
        notes.append(small_programme_note(len(plan.units), MIN_CLUSTERS))
    if grouping:
        n = len(plan.machine.banks[0].pieces[0])
        return [*notes, f"Placebo neighbourhoods are the {n} eligible groups of {grouping}."]
    if data.boundaries is None or file.study.design.unit == "programme":
        why = (
            "The areas have no boundaries" if data.boundaries is None else "A programme is one unit"
        )
        return [
            *notes,
            f"{why}, so placebo programmes are draws of single areas: they do not carry what "
            "neighbouring areas share, and intervals may be too narrow.",
        ]
    return [
        *notes,
        "Placebo neighbourhoods are contiguous groups of areas grown from random seeds.",
    ]


def _left_unlike(plan: Plan) -> list[str]:
    """Say where weighting could not make benchmark areas like the treated ones, and the remedy."""
    changes = [d for d in plan.designs if d.claim == "change"]
    left = [d for d in changes if not d.exact]
    if not left:
        return []
    return [
        f"For {len(left)} of {len(changes)} neighbourhoods no weights make benchmark areas like "
        f"the treated ones in everything: a difference of at most "
        f"{max(d.imbalance for d in left):.2f} standard deviations is left. The change that such "
        "a difference goes with over the whole pool is taken off the effect, and off that of "
        "every placebo programme."
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
                f"{place.name}: raw change of {measure.name.replace('_', ' ')} per period, before "
                f"to after the start, {with_them} with the areas that are left out (missing "
                f"counted as nothing), {without} without."
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
