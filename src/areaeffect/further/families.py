"""The families a study has no outcome for, and the table of estimands in the documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from areaeffect.document.blocks import Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Table, in_words
from areaeffect.findings.case import Finished
from areaeffect.findings.refusals import missing_families
from areaeffect.outcomes import BEST_GRADE, FAMILIES, estimand
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex, Result
from areaeffect.wording.numbers import PHRASES, phrase

_HEAD = """\
# What each finding means, and what it needs

<!-- Written by `python docs/make_estimands.py` from `areaeffect/outcomes.py`. -->

Six families of outcomes, two kinds of claim. The grade is the best that a finding of that kind can
reach on the Maryland scale in What Works Growth's wording: a `level` claim is a difference between
places, never an effect, and cannot be graded above 2; a `change` claim is graded 3 only where the
places are alike before the start and the gap in the held-out year is shown to be small, else 2.
Counts are estimated as a ratio of totals, with the difference of rates beside it; scores (means on
a scale) as a difference. A family without an outcome in a study has its row in `findings.json` all
the same, with the verdict `not estimable` and the data it needs.
"""
_ASSUMES = """\
## What both kinds assume, and when they fail

- A `level` claim assumes that places alike in the covariates would stand alike without the
  initiative. It fails where the initiative went to places that were already different in ways that
  nobody measured; nothing in the data can show that.
- A `change` claim assumes that the benchmark areas show how the places would have moved. It fails
  where something else began there in the same years, where recording changed in one police force
  and not in another, or where places were chosen on a bad year (they improve by themselves).
- Both speak of these neighbourhoods in these periods. Neither says what another place would see.
"""


def missing_section(_result: Result, annex: Annex[WithoutOutcome]) -> Section:
    """Return what the report says of families without an outcome."""
    table = annex.table("families_without_outcome")
    n = len(table.rows)
    verb = "family has" if n == 1 else "families have"
    return Section(
        "families-without-outcome",
        "What this study does not cover",
        (
            Paragraph(phrase("families.outcome_outcome", n=n, n_2=len(FAMILIES), verb=verb)),
            Data(_without_commands(in_words(table, frozenset({"family"}))), table.name),
        ),
        place=SectionPlace.SAY,
    )


def _without_commands(table: Table) -> Table:
    """Return a table without the commands and keys in brackets, which are for whoever writes."""
    rows = tuple(tuple(re.sub(r" \(`[^`]*`\)", "", cell) for cell in row) for row in table.rows)
    return replace(table, head=_HEAD_IN_WORDS, rows=rows)


#: The columns of the table in print, which the file names by what they hold.
_HEAD_IN_WORDS = ("Family", "Published in 2023 as", "Data for a level", "Data for a change")


def estimands_page() -> str:
    """Return docs/estimands.md: estimand, measure, best grade and data of family and claim."""
    lines = [_HEAD]
    lines.append("| family | claim | measured by | estimand | best grade | data it needs |")
    lines.append("|---|---|---|---|---|---|")
    for family in FAMILIES.values():
        for claim in ("level", "change"):
            is_count = family.key not in {"environment", "social_relationships"}
            form, kind = ("ratio", "count") if is_count else ("additive", "score")
            star = " (as published in 2023)" if claim == family.published_claim else ""
            cells = (
                f"{family.title} (`{family.key}`)",
                f"`{claim}`{star}",
                family.measured_by,
                estimand(claim, form, kind),
                str(BEST_GRADE[claim]),
                family.data_for(claim),
            )
            lines.append(f"| {' | '.join(cells)} |")
    contrast = estimand("contrast", "ratio", "count")
    lines += ["", phrase("families.contrast_between", contrast=contrast), "", _ASSUMES]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class WithoutOutcome:
    """The families that a study has no outcome for."""

    families: tuple[str, ...]


def families_step(finished: Finished) -> Annex[WithoutOutcome] | None:
    """List the families without an outcome, and what data would make each estimable."""
    missing = missing_families([o.family for o in finished.file.study.outcome])
    if not missing:
        return None
    rows = tuple(
        (f.key, f.title, f.published_claim, f.level_data, f.change_data)
        for f in (FAMILIES[key] for key in missing)
    )
    title = PHRASES["families.families_without"]
    table = DataTable("families_without_outcome", title, _COLUMNS, rows)
    return Annex("families_without_outcome", WithoutOutcome(missing), (table,))


_COLUMNS = (
    Column("family", "string", "Outcome family"),
    Column("title", "string", "Its name in print"),
    Column("published_claim", "string", "The kind of claim the 2023 report made for it"),
    Column("level_data", "string", "Data that a claim of level needs"),
    Column("change_data", "string", "Data that a claim of change needs"),
)
