"""Which neighbourhoods are designed for, and at which planned looks they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.panel import REASONS, Measure, Neighbourhood, Panel, is_enough
from areaeffect.periods import Periods, kind_of, label, parse_period
from areaeffect.register.rows import shared_attributes
from areaeffect.results import LEVEL, Bools, Floats, Strings
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study
from areaeffect.wording.numbers import percent, phrase

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
        reasons = why_left_out(
            [m.observed[unit.areas] for m in measures],
            [None if m.exposure is None else m.exposure[unit.areas] for m in measures],
            np.asarray(np.isfinite(panel.covariates[unit.areas]).all(axis=1), dtype=np.bool_),
            [m.name.replace("_", " ") for m in measures],
        )
        for reason in sorted({str(r) for r in reasons} - {""}):
            codes = panel.areas[unit.areas[reasons == reason]]
            notes.append(
                f"{unit.name}: {len(codes)} of {len(unit.areas)} treated areas {reason} and are left "
                f"out ({', '.join(codes[:_SHOWN])}{' …' if len(codes) > _SHOWN else ''})."
            )
        lacking = reasons != ""
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


def why_left_out(
    observed: Sequence[Bools], exposures: Sequence[Floats | None], known: Bools, names: Sequence[str]
) -> Strings:
    """Return why each area of a neighbourhood is left out; empty where it is not.

    Parameters
    ----------
    observed : for each outcome, (n_areas, n_periods).
    exposures : for each outcome, (n_areas,), or None.
    known : (n_areas,), whether every covariate is.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One planned analysis of a study that is analysed more than once."""

    #: number, of: which look it is, from 1, and how many are planned; 0 where none is reached.
    number: int
    of: int
    period: str  # last period of its data; the first look's where none is reached.
    error: float  # two-sided error of the look
    spent: float  # error of all looks so far, this one included

    def __str__(self) -> str:
        """Say which look this is, at which level, and what is spent."""
        return phrase(
            "finding.look",
            number=self.number,
            of=self.of,
            period=self.period,
            level=percent(1 - self.error),
            error=share(self.error),
            spent=share(self.spent),
        )


def share(error: float) -> str:
    """Write an error as a percentage with two digits: 0.19%, 0.00000006%."""
    return f"{np.format_float_positional(100 * error, precision=2, fractional=False, trim='-')}%"


def spent(times: Sequence[float], error: float = 1 - LEVEL) -> Floats:
    """Return the two-sided error of each look: (n_looks,), summing to `error`.

    Parameters
    ----------
    times : follow-up at each look, ascending; the last is all of it.
    """
    from scipy.stats import norm  # heavy

    part = np.asarray(times, dtype=float) / times[-1]
    so_far = 2.0 * norm.sf(norm.isf(error / 2.0) / np.sqrt(part))
    return np.asarray(np.diff(so_far, prepend=0.0))


def to_look(file: StudyFile, data: Assembled) -> tuple[Assembled, Look | None]:
    """Return the data up to the last look that they reach, and that look.

    Later values wait for the next look: whoever runs a study between two looks gets the earlier
    one again, and no test that was not planned. A look is reached when an outcome that is judged has it.
    """
    if not file.looks:
        return data, None
    ends = [_month_after(text) for text in file.looks]
    begins = min(kind.first_month(at) for at, kind in (u.counted_from for u in data.neighbourhoods))
    window = file.study.study.window
    where = file.where("analysis.looks")
    if ends[0] <= begins or ends[-1] > _month_after(window.end):
        what = f"looks from {file.looks[0]} to {file.looks[-1]} do not lie between the start and the end."
        fix = f"Each comes after the first start, and none after {window.end}, the end of the window."
        raise StudyError(what, where, fix)
    measures = data.panel.measures
    judged = [o.name for o in file.study.outcome if o.primary is not False and o.should_move]
    known = [(_ends(m.periods), m.observed.any(axis=0)) for m in (measures[name] for name in judged)]
    reached = max((int(after[seen].max(initial=0)) for after, seen in known), default=0)
    number = sum(end <= reached for end in ends)
    if not number:
        return data, Look(number=0, of=len(ends), period=file.looks[0], error=0.0, spent=0.0)
    errors = spent([end - begins for end in ends])
    look = Look(
        number=number,
        of=len(ends),
        period=file.looks[number - 1],
        error=float(errors[number - 1]),
        spent=float(errors[:number].sum()),
    )
    kept = {name: _until(measure, ends[number - 1]) for name, measure in measures.items()}
    return replace(data, panel=replace(data.panel, measures=kept)), look


def _month_after(text: str) -> int:
    kind = kind_of(text)
    at = parse_period(text, kind) if kind else None
    if kind is None or at is None:  # `PeriodText` has refused it
        raise ValueError(text)
    return kind.first_month(at + 1)


def _ends(periods: Periods) -> Floats:
    return np.array([periods.kind.first_month(int(o) + 1) for o in periods.ordinals])


def _until(measure: Measure, end: int) -> Measure:
    """Return a measure as if nothing had been published after a look."""
    late = _ends(measure.periods) > end
    n = max(1, int((~late).sum()))  # one period without a value where the first edition comes later
    hidden = measure.hidden and replace(measure.hidden, cells=measure.hidden.cells[:, :n])
    return replace(
        measure,
        periods=replace(measure.periods, n=n),
        values=np.where(late, np.nan, measure.values)[:, :n],
        reasons=np.where(late, np.uint8(REASONS.index("no_row")), measure.reasons)[:, :n],
        hidden=hidden,
    )
