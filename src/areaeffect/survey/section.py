"""What surveys of residents say: groups compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document.blocks import Block, Bullets, Data, Paragraph, Place, Section
from areaeffect.document.chart_tables import Table
from areaeffect.outcomes import FAMILIES
from areaeffect.records import rows_of
from areaeffect.survey.step import ComparisonRow, SurveyFacts, Surveys
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_DASH = "–"


def survey_section(_result: Result, annex: Annex[Surveys]) -> Section:
    """Build the section of all surveys."""
    intro = Paragraph(
        "Answers of residents, on a scale from 0 to 100. People in benchmark areas count with the "
        "weight of their area. The intervals are those of the sample: they hold for who happened "
        "to be asked, not for what else differs between the places, so they carry no verdict."
    )
    parts = tuple(_one(annex, name, v) for name, v in annex.found.asked.items())
    return Section("survey", "What residents answered", (intro,), parts, Place.VOICES)


def _one(annex: Annex[Surveys], name: str, values: SurveyFacts) -> Section:
    rows = [r for r in rows_of(annex.table("survey_comparisons"), ComparisonRow) if r.survey == name]
    blocks: list[Block] = [
        *(Paragraph(comparison_sentence(r, values)) for r in rows),
        Data(_comparison_table(rows, values), "survey_comparisons"),
        Bullets(tuple(_notes(values))),
    ]
    family = FAMILIES[values.family].title
    return Section(f"survey-{name}", f"{values.label} ({family})", tuple(blocks))


def comparison_sentence(row: ComparisonRow, values: SurveyFacts) -> str:
    """Say what one comparison shows, or why there is none."""
    who = f"{row.group}, {'change between waves' if row.claim == 'change' else 'level'}"
    if row.reason or row.estimate is None:
        return f"{who}: not estimable, {row.reason}."
    more = "more" if row.estimate >= 0 else "less"
    if row.claim == "change":
        what = (
            f"the score moved by {_point(row.treated_mean)} points from {values.before} to "
            f"{values.after}, and by {_point(row.benchmark_mean)} in the benchmark areas: "
            f"{_point(abs(row.estimate))} points {more}"
        )
    else:
        what = (
            f"people score {_point(row.treated_mean)}, and {_point(row.benchmark_mean)} in "
            f"the benchmark areas: {_point(abs(row.estimate))} points {more}"
        )
    return f"{who}: {what} (95% interval {_span(row)})."


def _comparison_table(rows: list[ComparisonRow], values: SurveyFacts) -> Table:
    cells = tuple(
        (
            r.group,
            r.claim,
            *(_point(v) for v in (r.treated_mean, r.benchmark_mean, r.estimate)),
            _DASH if r.low is None else _span(r),
            _people(r.n_treated),
            _people(r.n_benchmark),
            f"{100 * r.covered:.0f}%",
        )
        for r in rows
    )
    head = ("Group", "Claim", "Treated", "Benchmark", "Difference", "95% interval")
    asked = ("SurveyFacts, treated", "SurveyFacts, benchmark", "Benchmark weight with answers")
    title = f"Survey: {values.label}"
    return Table(title, (*head, *asked), cells, frozenset(range(2, 9)))


def _notes(values: SurveyFacts) -> list[str]:
    notes = [f"{values.respondents:,} respondents count."]
    notes += [f"Left out: {n:,}, because {why}." for why, n in values.left_out]
    if values.alpha is not None:
        notes.append(
            f"The scale is the mean of {len(values.items)} questions, each brought to 0 to 100; "
            f"Cronbach's alpha is {values.alpha:.2f}."
        )
    if not values.is_weighted:
        notes.append("The file gives no survey weights: everyone asked counts the same.")
    notes.append("Groups with few respondents are not printed; counts from 1 to 7 read [c].")
    return notes


def _point(value: float | None) -> str:
    return _DASH if value is None else number(value, "additive")


def _span(row: ComparisonRow) -> str:
    return f"{_point(row.low)} to {_point(row.high)}"


def _people(value: int | None) -> str:
    return "[c]" if value is None else f"{value:,}"
