"""Which neighbourhoods are designed for: covered areas, merged programmes, honest covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.panel import Measure, Neighbourhood, Panel, Strings, is_enough
from areaeffect.period_texts import kind_of, parse_period
from areaeffect.periods import label
from areaeffect.register.neighbourhoods import shared_attributes
from areaeffect.results import Bools, Floats
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study
from areaeffect.wording.numbers import phrase

#: Areas named in a note.
_SHOWN = 3


def covered_units(
    study: Study, panel: Panel, measures: Sequence[Measure], found: Sequence[Neighbourhood]
) -> tuple[tuple[Neighbourhood, ...], list[str]]:
    """Leave treated areas with long gaps of their own out, and merge where one unit is asked.

    A period in which most areas of a neighbourhood have no value is a gap of the source; an
    area that lacks too many of the other periods (`is_enough`) is not covered. An outcome that
    a neighbourhood lacks altogether is not estimated there, and leaves the others alone.
    """
    kept, notes = [], []
    for unit in found:
        reasons = _left_out(panel, measures, unit)
        lacking = reasons != ""
        notes += _left_out_notes(panel, unit, reasons)
        if not lacking.all():
            kept.append(replace(unit, areas=unit.areas[~lacking], named=len(unit.areas)))
    if not kept:
        raise DataError(
            "no treated area can be used: " + " ".join(notes),
            "initiative",
            "Look at the gaps with `areaeffect check`, and at the numbers named.",
        )
    if study.design.unit == "programme":
        kept = _merge(kept)
    return tuple(kept), notes


def left_out_warning(given: Sequence[Neighbourhood], covered: Sequence[Neighbourhood]) -> tuple[str, ...]:
    """Say how many of the treated areas a study names are not in it."""
    named, used = (sum(len(u.areas) for u in units) for units in (given, covered))
    if named == used:
        return ()
    return (phrase("units.treated_areas", lost=named - used, named=named),)


def named_areas(given: Sequence[Neighbourhood]) -> dict[str, int]:
    """Count the treated areas that a study names, by initiative."""
    found: dict[str, int] = {}
    for unit in given:
        found[unit.initiative] = found.get(unit.initiative, 0) + unit.n_named
    return found


def _left_out(panel: Panel, measures: Sequence[Measure], unit: Neighbourhood) -> Strings:
    """Return why each treated area of a neighbourhood is left out; empty where it is not."""
    return why_left_out(
        [m.observed[unit.areas] for m in measures],
        [None if m.exposure is None else m.exposure[unit.areas] for m in measures],
        np.asarray(np.isfinite(panel.covariates[unit.areas]).all(axis=1), dtype=np.bool_),
        [m.name.replace("_", " ") for m in measures],
    )


def why_left_out(
    observed: Sequence[Bools], exposures: Sequence[Floats | None], known: Bools, names: Sequence[str]
) -> Strings:
    """Return why each area of a neighbourhood is left out; empty where it is not.

    Parameters
    ----------
    observed : for each outcome, (n_areas, n_periods).
    exposures : for each outcome, (n_areas,), or None.
    known : (n_areas,), whether every covariate is.
    names : of the outcomes.
    """
    uncovered = np.zeros(len(known), dtype=bool)
    reasons = np.full(len(known), "", dtype=object)
    is_known = False
    for seen, exposure, name in zip(observed, exposures, names, strict=True):
        common = seen.mean(axis=0) >= 0.5  # noqa: PLR2004
        if common.any():
            is_known = True
            missing = (~seen[:, common]).sum(axis=1)
            uncovered |= ~is_enough(missing, common.sum())
        if exposure is not None:
            without = ~(np.isfinite(exposure) & (exposure > 0))
            reasons[without] = f"have no exposure above zero for {name}"
    reasons[~known] = "lack a covariate, or it is infinite"
    reasons[uncovered | (not is_known)] = "are not covered throughout"
    return reasons.astype(str)


def _left_out_notes(panel: Panel, unit: Neighbourhood, reasons: Strings) -> list[str]:
    """Say which treated areas are left out, and why."""
    notes = []
    for reason in sorted({str(r) for r in reasons} - {""}):
        codes = panel.areas[unit.areas[reasons == reason]]
        notes.append(
            f"{unit.name}: {len(codes)} of {len(unit.areas)} treated areas {reason} and are left "
            f"out ({', '.join(codes[:_SHOWN])}{' …' if len(codes) > _SHOWN else ''})."
        )
    return notes


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
            named=sum(p.n_named for p in parts),
            attributes=shared_attributes([list(p.attributes.items()) for p in parts]),
            end=max((p.end for p in parts if p.end is not None), default=None),
            funding=None if any(p.funding is None for p in parts) else sum(p.funding or 0.0 for p in parts),
        )
        for (initiative, start), parts in found.items()
    ]


def refuse_late_covariates(file: StudyFile, as_of: Sequence[str], units: Sequence[Neighbourhood]) -> None:
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
            start = unit.start_kind.first_month(unit.start)
            if kind.first_month(ordinal + 1) > start:  # the period holds the start
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
