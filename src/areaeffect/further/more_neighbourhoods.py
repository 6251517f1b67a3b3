"""What the study could see with more neighbourhoods, such as all of its programme."""

from __future__ import annotations

from dataclasses import dataclass, replace

from areaeffect.checks.base import Subject, subjects_of
from areaeffect.document.blocks import Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Table
from areaeffect.document.svg import printed, scaled
from areaeffect.estimate.counterfactual import NO_BINS
from areaeffect.findings.case import Finished, Group
from areaeffect.placebo.programmes import Machine, count_disjoint
from areaeffect.placebo.workers import run_all
from areaeffect.power.calculation import Point, Size, machine_of, measure_points
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex, Floats, Result
from areaeffect.streams import Use
from areaeffect.wording.numbers import PHRASES, phrase

_HEAD = ("Outcome", "Smallest detectable now", "With all", "Placebo programmes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedSize:
    """How many neighbourhoods the study has, and how many are supposed."""

    neighbourhoods: int
    supposed: int
    draws: int


def more_neighbourhoods_section(_result: Result, annex: Annex[SupposedSize]) -> Section:
    """Return the smallest effects with the study's neighbourhoods, and with those supposed."""
    said = annex.found
    (table,) = annex.tables
    rows = tuple(
        (
            r["label"],
            _size(r["mde"], r["form"], r["unit"]),
            _size(r["mde_with"], r["form"], r["unit"]),
            f"{r['draws']:,}",
        )
        for r in table.records()
    )
    text = phrase(
        "more_neighbourhoods.study_neighbourhoods",
        neighbourhoods=f"{said.neighbourhoods:,}",
        supposed=f"{said.supposed:,}",
    )
    if any(_is_no_smaller(r["mde"], r["mde_with"]) for r in table.records()):
        text += PHRASES["more_neighbourhoods.where_smaller"]
    shown = Table("Smallest detectable effect", _HEAD, rows, frozenset({1, 2, 3}))
    return Section(
        "more_neighbourhoods",
        f"What {said.supposed:,} neighbourhoods would show",
        (Paragraph(text), Data(shown, table.name)),
        place=SectionPlace.CHECKS,
    )


def _is_no_smaller(now: float | None, then: float | None) -> bool:
    return now is not None and then is not None and abs(then) >= abs(now)


def _size(value: float | None, form: str, unit: str) -> str:
    if value is None:
        return "not estimable"
    number = printed(scaled(abs(value), form), form)
    return number if form == "ratio" else f"{number} {unit}"


#: Placebo programmes of that size: each costs as many designs as it has neighbourhoods.
DRAWS = 199
_MOST_DISJOINT = 60
_COLUMNS = (
    Column("outcome", "string", "Short name of the outcome"),
    Column("label", "string", "Its name in print"),
    Column("form", "string", "ratio: fraction; additive: in `unit`"),
    Column("unit", "string", "Unit of additive numbers"),
    Column("neighbourhoods", "integer", "Neighbourhoods of the study"),
    Column("mde", "number", "Smallest effect that would be found with them in 80 of 100 cases"),
    Column("with_neighbourhoods", "integer", "Neighbourhoods supposed"),
    Column("mde_with", "number", "Smallest effect with those; empty: not estimable"),
    Column("draws", "integer", "Placebo programmes of that size behind it"),
    Column("disjoint", "integer", "Of that size, programmes that share no area (at most 60)"),
)


def more_neighbourhoods(finished: Finished) -> Annex[SupposedSize] | None:
    """Draw placebo programmes with as many neighbourhoods as the study supposes.

    The real ones stand as patterns, repeated; every programme goes through the whole design.
    None where the study does not ask (`analysis.also_with`).
    """
    analysis = finished.file.study.analysis
    if analysis.also_with is None:
        return None
    plan = finished.evidence.plan
    n = len(plan.units)
    patterns = tuple(i % n for i in range(analysis.also_with))
    arms = [replace(arm, bins=NO_BINS, _sums={}) for arm in plan.arms]
    machine = machine_of(plan, arms, Size(patterns), Use.MORE_PLACEBO)
    apart = count_disjoint(machine.banks, len(machine.eligible), _MOST_DISJOINT)
    drawn = _drawn(finished, machine, analysis.placebos) if apart[0] else None
    subjects = [
        s
        for s in subjects_of(finished.evidence, finished.result.findings)
        if s.finding.group == _largest(finished)
    ]
    units = tuple(range(len(patterns)))
    supposed = [
        replace(s.case, group=Group(name="", units=units), units=units, disjoint=apart, n_places=len(units))
        for s in subjects
    ]
    points: list[Point | None] = [None] * len(supposed)
    if drawn is not None:
        at = [case.position for case in supposed]
        points = measure_points(supposed, drawn, at, [None] * len(at))
    both = zip(subjects, points, strict=True)
    rows = [_row(s, n, len(patterns), point, apart[0]) for s, point in both]
    table = DataTable("more_neighbourhoods", "With more neighbourhoods", _COLUMNS, tuple(rows))
    found = SupposedSize(neighbourhoods=n, supposed=analysis.also_with, draws=DRAWS)
    return Annex("more_neighbourhoods", found, (table,))


def _largest(finished: Finished) -> str:
    """Return the group of the findings with most neighbourhoods."""
    whole = [f for f in finished.result.findings if f.neighbourhood is None]
    return max(whole, key=lambda f: f.n_neighbourhoods).group


def _drawn(finished: Finished, machine: Machine, placebos: int) -> Floats:
    n = min(DRAWS, placebos)
    drawn_so_far = 0

    def tick(done: int) -> None:
        nonlocal drawn_so_far
        drawn_so_far += done
        finished.tell("more neighbourhoods", drawn_so_far, n)

    finished.tell("more neighbourhoods", 0, n)
    return run_all(machine, n, finished.threads, tick)


def _row(
    s: Subject, n: int, n_supposed: int, point: Point | None, apart: int
) -> tuple[str | float | int | None, ...]:
    f = s.finding
    return (
        f.outcome,
        f.label,
        f.form,
        f.unit,
        n,
        f.mde,
        n_supposed,
        None if point is None else s.case.printed(point.mde),
        0 if point is None else point.draws,
        apart,
    )
