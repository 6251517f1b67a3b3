"""What surveys of residents say: groups compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document.blocks import Block, Bullets, Data, Paragraph, Place, Section
from areaeffect.document.chart_tables import Table
from areaeffect.outcomes import FAMILIES
from areaeffect.records import rows_of
from areaeffect.survey.step import ComparisonRow, SurveyFacts, Surveys
from areaeffect.wording.numbers import number
from areaeffect.wording.terms import PHRASES, phrase

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_DASH = "–"


def survey_section(_result: Result, annex: Annex[Surveys]) -> Section:
    """Build the section of all surveys."""
    intro = Paragraph(PHRASES["survey.lead"])
    parts = tuple(_one(annex, name, v) for name, v in annex.found.asked.items())
    return Section("survey", PHRASES["survey.title"], (intro,), parts, Place.VOICES)


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
    if row.reason or row.estimate is None:
        return phrase(f"survey.no_{row.claim}", group=row.group, why=row.reason)
    return phrase(
        f"survey.{row.claim}",
        group=row.group,
        treated=_point(row.treated_mean),
        benchmark=_point(row.benchmark_mean),
        before=values.before,
        after=values.after,
        apart=_point(abs(row.estimate)),
        more="more" if row.estimate >= 0 else "less",
        interval=_span(row),
    )


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
    asked = ("Respondents, treated", "Respondents, benchmark", "Benchmark weight with answers")
    title = f"Survey: {values.label}"
    return Table(title, (*head, *asked), cells, frozenset(range(2, 9)))


def _notes(values: SurveyFacts) -> list[str]:
    notes = [phrase("survey.respondents", n=f"{values.respondents:,}")]
    notes += [phrase("survey.left_out", n=f"{n:,}", why=why) for why, n in values.left_out]
    if values.alpha is not None:
        notes.append(phrase("survey.scale", n=len(values.items), alpha=f"{values.alpha:.2f}"))
    if not values.is_weighted:
        notes.append(PHRASES["survey.unweighted"])
    return [*notes, PHRASES["survey.hidden"]]


def _point(value: float | None) -> str:
    return _DASH if value is None else number(value, "additive")


def _span(row: ComparisonRow) -> str:
    return f"{_point(row.low)} to {_point(row.high)}"


def _people(value: int | None) -> str:
    return "[c]" if value is None else f"{value:,}"
