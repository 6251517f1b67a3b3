"""How much of an effect a study sees whose areas were only found by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.checks.base import Subject, subjects_of
from areaeffect.document.blocks import Bullets, Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import in_words
from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.findings.case import Evidence, Finished, value_of
from areaeffect.further.misplacement_model import Matched, Unlocated, draw_true_areas, share_seen
from areaeffect.panel import Neighbourhood, Panel
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex, Bools, Floats, Result
from areaeffect.streams import Use, generator
from areaeffect.study.file import StudyFile
from areaeffect.study.initiative import Approximate
from areaeffect.wording.numbers import PHRASES, phrase, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppositions:
    """What the simulation of approximate areas supposes."""

    initiative: str
    effect: float
    draws: int
    neighbourhoods: int
    may_be_wrong: int
    wrong_expected: float
    share_elsewhere: float
    too_large: int
    larger_than: float
    true_people: float
    unlocated: int


def misplacement_section(result: Result, annex: Annex[Suppositions]) -> Section:
    """Return what the simulation supposes, what it found, and what it is not."""
    said = annex.found
    (table,) = annex.tables
    labels = {f.outcome: f.label for f in result.findings}
    lines = [
        phrase(
            "misplacement.true_effect",
            group=r["group"],
            outcome=labels.get(r["outcome"], r["outcome"]),
            seen=f"{r['seen']:.0%}",
            seen_low=f"{r['seen_low']:.0%}",
            seen_high=f"{r['seen_high']:.0%}",
            treated_true=f"{r['treated_true']:.0%}",
            benchmark_true=f"{r['benchmark_true']:.0%}",
        )
        for r in table.records()
    ]
    return Section(
        "misplacement",
        "What approximate areas hide",
        (
            Paragraph(
                phrase(
                    "misplacement.areas_approximations", draws=f"{said.draws:,}", effect=f"{said.effect:+.0%}"
                )
            ),
            Bullets(tuple(lines)),
            Paragraph(_supposed(said)),
            Paragraph(PHRASES["misplacement.estimate_divided"], note=True),
            Data(in_words(table), table.name),
        ),
        place=SectionPlace.CHECKS,
    )


def _supposed(said: Suppositions) -> str:
    text = phrase(
        "misplacement.supposed_may",
        neighbourhoods=plural(int(said.neighbourhoods), "neighbourhood"),
        may_be_wrong=f"{said.may_be_wrong:.0f}",
        wrong_expected=f"{said.wrong_expected:.0f}",
        share_elsewhere=f"{said.share_elsewhere:.0%}",
        too_large=f"{said.too_large:.0f}",
        larger_than=f"{said.larger_than:,.0f}",
        true_people=f"{said.true_people:,.0f}",
    )
    if said.unlocated:
        text += phrase("misplacement.register_could", places=plural(int(said.unlocated), "place"))
    return text


_COLUMNS = (
    Column("group", "string", "Group of neighbourhoods"),
    Column("outcome", "string", "Short name of the outcome"),
    Column("claim", "string", "change or level"),
    Column("seen", "number", "share of a true effect that the study would see, mean of the draws"),
    Column("seen_low", "number", "the same, 5th percentile of the draws"),
    Column("seen_high", "number", "the same, 95th percentile"),
    Column("treated_true", "number", "share of the treated areas' part that is truly treated"),
    Column("benchmark_true", "number", "share of the benchmark areas' part that is treated too"),
)


def misplaced(finished: Finished) -> Annex[Suppositions] | None:
    """Simulate where the programme truly was; None where no initiative says it is approximate."""
    asked = next((i for i in finished.file.study.initiative if i.approximate), None)
    if asked is None or asked.approximate is None:
        return None
    says, data, evidence = asked.approximate, finished.data, finished.evidence
    true = _draws(says, data, asked.name, evidence.study.study.seed)
    rows = [
        _row(evidence, s, true, says.effect)
        for s in subjects_of(evidence, finished.result.findings)
        if s.is_estimated
    ]
    units = [u for u in data.neighbourhoods if u.initiative == asked.name]
    wrong = [says.wrong_in_part.get(value_of(u, says.attribute), 0.0) for u in units]
    residents = residents_of(data.panel, says)
    found = Suppositions(
        initiative=asked.name,
        effect=says.effect,
        draws=says.draws,
        neighbourhoods=len(units),
        may_be_wrong=sum(w > 0 for w in wrong),
        wrong_expected=float(sum(wrong)),
        share_elsewhere=says.share_elsewhere,
        too_large=sum(bool(np.isfinite(m.people)) for m in _matched(says, units, residents)),
        larger_than=says.larger_than,
        true_people=says.true_people,
        unlocated=len(data.registered.known.may_lie_in),
    )
    table = DataTable("misplacement", PHRASES["misplacement.share_true"], _COLUMNS, tuple(rows))
    return Annex("misplacement", found, (table,))


def check_misplaced(file: StudyFile, data: Assembled | None) -> tuple[str, ...]:
    """Refuse an approximation that cannot be simulated.

    Raises
    ------
    StudyError
        Without boundaries, with an attribute or value that no neighbourhood has, or with residents
        that are no numbers.
    """
    problems: list[Problem] = []
    for i, one in enumerate(file.study.initiative):
        says, where = one.approximate, f"initiative.{i}.approximate"
        if says is None or data is None:
            continue
        if data.panel.contiguity is None:
            problems.append(
                Problem(
                    "without boundaries it is not known which areas touch.",
                    file.where(where),
                    "Give `boundaries` to a source.",
                )
            )
        units = [u for u in data.neighbourhoods if u.initiative == one.name]
        held = sorted({value_of(u, says.attribute) for u in units})
        problems += [
            Problem(
                f"no neighbourhood has the {says.attribute} '{value}'.",
                file.where(where),
                did_you_mean(value, held) or f"There are: {', '.join(held)}.",
            )
            for value in (*says.certain, *says.wrong_in_part)
            if value not in held
        ]
        if not (residents_of(data.panel, says) > 0).any():
            problems.append(Problem(f"'{says.people}' holds no numbers over zero.", file.where(where)))
    if problems:
        raise StudyError(problems)
    return ()


def residents_of(panel: Panel, says: Approximate) -> Floats:
    """Return (n_areas,) residents; 0 where the column has no number."""
    texts = panel.attributes[says.people]
    numbers = [float(t) if t.replace(".", "", 1).isdigit() else 0.0 for t in map(str, texts)]
    return np.array(numbers)


def _draws(says: Approximate, data: Assembled, name: str, seed: int) -> Bools:
    """Return (n_draws, n_areas): where the programme truly was, draw by draw."""
    panel = data.panel
    if panel.contiguity is None:  # `check_misplaced` has refused it
        raise AssertionError
    residents = residents_of(panel, says)
    matched = _matched(says, [u for u in data.neighbourhoods if u.initiative == name], residents)
    unlocated = _unlocated(says, data)
    return np.array(
        [
            draw_true_areas(
                matched,
                unlocated,
                residents,
                panel.contiguity,
                says.share_elsewhere,
                generator(Use.TRUE_AREAS, seed, draw),
            )
            for draw in range(says.draws)
        ]
    )


def _matched(says: Approximate, units: list[Neighbourhood], residents: Floats) -> list[Matched]:
    found = []
    for unit in units:
        value = value_of(unit, says.attribute)
        large = float(residents[unit.areas].sum()) > says.larger_than
        shrinks = large and value not in says.certain
        people = says.true_people if shrinks else float("inf")
        found.append(Matched(unit.areas, says.wrong_in_part.get(value, 0.0), people))
    return found


def _unlocated(says: Approximate, data: Assembled) -> list[Unlocated]:
    """Return where each place that could not be found may begin: where known ones mostly do."""
    panel = data.panel
    treated = np.zeros(len(panel.areas), dtype=np.bool_)
    for unit in data.neighbourhoods:
        treated[unit.areas] = True
    weight = (~treated).astype(np.float64)
    weight[data.others] = 0.0
    if says.placed_like is not None:
        _, of, n = np.unique(panel.attributes[says.placed_like], return_inverse=True, return_counts=True)
        weight *= (np.bincount(of[treated], minlength=len(n)) / n)[of]
    found = []
    for areas in data.registered.known.may_lie_in:
        inside = areas if len(areas) else np.arange(len(panel.areas))
        if weight[inside].sum() > 0:
            chance = weight[inside] / weight[inside].sum()
            found.append(Unlocated(inside, chance, says.true_people))
    return found


def _row(evidence: Evidence, s: Subject, true: Bools, effect: float) -> tuple[str | float | int | None, ...]:
    own, expected = _parts(evidence, s, true.shape[1])
    seen = share_seen(true, own, expected, effect if s.case.is_ratio else None)
    low, high = np.quantile(seen, [0.05, 0.95])
    f = s.finding
    inside = float((true @ own / own.sum()).mean())
    beside = float((true @ expected / expected.sum()).mean())
    return (f.group, f.outcome, f.claim, float(seen.mean()), low, high, inside, beside)


def _parts(evidence: Evidence, s: Subject, n_areas: int) -> tuple[Floats, Floats]:
    """Return each area's part in the treated and in the expected total after the start."""
    plan, position = evidence.plan, s.case.position
    arm = plan.arm_of(position)
    own, expected = np.zeros(n_areas), np.zeros(n_areas)
    for g in s.case.units:
        areas = plan.units[g].areas
        chosen, sums = plan.benchmark_of(position)[g], arm.sums(g, areas).get(position)
        if chosen is None or sums is None:
            continue
        own[areas] += sums.post[areas] if s.case.is_ratio else 1.0
        beside = sums.post[chosen.pool] if s.case.is_ratio else 1.0
        expected[chosen.pool] += chosen.weights * beside
    return own, expected
