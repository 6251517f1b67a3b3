"""Which neighbourhoods are designed for: covered areas, merged programmes, honest covariates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.panel import Neighbourhood
from areaeffect.periods import kind_of, label, parse_period
from areaeffect.pipeline.cohorts import MAX_MISSING
from areaeffect.register.neighbourhoods import shared_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Measure, Panel
    from areaeffect.results import Bools
    from areaeffect.study import Study
    from areaeffect.study_file import StudyFile


def covered_units(
    study: Study, panel: Panel, measures: Sequence[Measure], found: Sequence[Neighbourhood]
) -> tuple[tuple[Neighbourhood, ...], list[str]]:
    """Leave treated areas with long gaps of their own out, and merge where one unit is asked.

    A period in which most areas of a neighbourhood have no value is a gap of the source; an
    area that lacks more than `MAX_MISSING` of the other periods is not covered. An outcome that
    a neighbourhood lacks altogether is not estimated there, and leaves the others alone.
    """
    kept, notes = [], []
    for unit in found:
        lacking = np.zeros(len(unit.areas), dtype=bool)
        is_known = False
        for measure in measures:
            seen = measure.observed[unit.areas]
            common = seen.mean(axis=0) >= 0.5  # noqa: PLR2004
            if common.any():
                is_known = True
                lacking |= (~seen[:, common]).mean(axis=1) > MAX_MISSING
            if measure.exposure is not None:
                lacking |= ~(measure.exposure[unit.areas] > 0)
        lacking |= not is_known
        lacking |= ~np.isfinite(panel.covariates[unit.areas]).all(axis=1)
        if lacking.any():
            notes.append(_left_out_note(panel, unit, lacking))
        if not lacking.all():
            kept.append(replace(unit, areas=unit.areas[~lacking]))
    if not kept:
        raise DataError(
            Problem(
                "no treated area is covered: each lacks values in over 10 % of the window, or a "
                "covariate.",
                "initiative",
                "Look at the gaps with `areaeffect check`.",
            )
        )
    if study.design.unit == "programme":
        kept = _merge(kept)
    return tuple(kept), notes


def _left_out_note(panel: Panel, unit: Neighbourhood, lacking: Bools) -> str:
    """Say which treated areas are left out."""
    codes = panel.areas[unit.areas[lacking]]
    return (
        f"{unit.name}: {lacking.sum()} of {len(unit.areas)} treated areas are not covered "
        f"throughout and are left out ({', '.join(codes[:3])}{' …' if len(codes) > 3 else ''})."  # noqa: PLR2004
    )


def _merge(units: Sequence[Neighbourhood]) -> list[Neighbourhood]:
    """Join the neighbourhoods of each programme and start into one unit."""
    found: dict[tuple[str, int], list[Neighbourhood]] = {}
    for unit in units:
        found.setdefault((unit.initiative, unit.start), []).append(unit)
    return [
        replace(
            parts[0],
            name=initiative
            if len({s for i, s in found if i == initiative}) == 1
            else f"{initiative}, {label(start, parts[0].start_kind)}",
            areas=np.sort(np.concatenate([p.areas for p in parts])),
            attributes=shared_attributes([list(p.attributes.items()) for p in parts]),
            end=max((p.end for p in parts if p.end is not None), default=None),
            funding=None
            if any(p.funding is None for p in parts)
            else sum(p.funding or 0.0 for p in parts),
        )
        for (initiative, start), parts in found.items()
    ]


def refuse_late_covariates(
    file: StudyFile, as_of: Sequence[str], units: Sequence[Neighbourhood]
) -> None:
    """A covariate dated at or after a start may already hold the effect (honesty rule 1)."""
    problems = []
    for i, covariate in enumerate(file.study.design.covariates):
        kind = kind_of(as_of[i])
        ordinal = parse_period(as_of[i], kind) if kind else None
        for unit in units:
            if kind is None or ordinal is None:
                break
            both = {kind, unit.start_kind}
            if len(both) > 1 and "number" in both:
                continue
            scale = 12 // (kind.per_year or 12)
            start = unit.start * (12 // (unit.start_kind.per_year or 12))
            if (ordinal + 1) * scale > start:  # a year that holds the start is not before it
                problems.append(
                    Problem(
                        f"'{covariate.column}' describes {as_of[i]}, but '{unit.name}' "
                        f"starts at {label(unit.start, unit.start_kind)}.",
                        file.where(f"design.covariates.{i}"),
                        "Use an earlier edition: one from after the start may hold the effect.",
                    )
                )
                break
    if problems:
        raise DataError(problems)
