"""What surveys of residents say: groups compared, and single areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Place, Section
from areaeffect.document.chart_tables import Table
from areaeffect.outcomes import FAMILIES
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_DASH = "–"
_LOW_FIT, _HIGH_FIT = 0.05, 0.95


def survey_section(result: Result, annex: Annex) -> Section:
    """Build the section of all surveys."""
    intro = Paragraph(
        "Answers of residents, on a scale from 0 to 100. People in benchmark areas count with the "
        "weight of their area. The intervals are those of the sample: they hold for who happened "
        "to be asked, not for what else differs between the places, so they carry no verdict."
    )
    parts = tuple(_one(result, annex, name, v) for name, v in annex.values.items())
    return Section("survey", "What residents answered", (intro,), parts, Place.VOICES)


def _one(result: Result, annex: Annex, name: str, values: dict[str, Any]) -> Section:
    del result
    rows = [r for r in annex.table("survey_comparisons").records() if r["survey"] == name]
    blocks: list[Block] = [
        *(Paragraph(comparison_sentence(r, values)) for r in rows),
        Data(_comparison_table(rows, values), "survey_comparisons"),
        Bullets(tuple(_notes(values))),
    ]
    small = values["small_areas"]
    if small["reason"]:
        blocks.append(Paragraph(f"No estimates for single areas: {small['reason']}."))
    else:
        table = annex.table(f"survey_areas_{name}").records()
        blocks.append(Paragraph(_model_words(small)))
        blocks.append(
            Folded(
                f"Estimates for {small['areas']:,} single areas",
                (Data(_area_table(table), f"survey_areas_{name}"),),
                in_print=f"Estimates for single areas: data/survey_areas_{name}.csv.",
            )
        )
    family = FAMILIES[values["family"]].title
    return Section(f"survey-{name}", f"{values['label']} ({family})", tuple(blocks))


def comparison_sentence(row: dict[str, Any], values: dict[str, Any]) -> str:
    """Say what one comparison shows, or why there is none."""
    who = f"{row['group']}, {'change between waves' if row['claim'] == 'change' else 'level'}"
    if row["reason"]:
        return f"{who}: not estimable, {row['reason']}."
    more = "more" if row["estimate"] >= 0 else "less"
    if row["claim"] == "change":
        what = (
            f"the score moved by {_point(row['treated_mean'])} points from {values['before']} to "
            f"{values['after']}, and by {_point(row['benchmark_mean'])} in the benchmark areas: "
            f"{_point(abs(row['estimate']))} points {more}"
        )
    else:
        what = (
            f"people score {_point(row['treated_mean'])}, and {_point(row['benchmark_mean'])} in "
            f"the benchmark areas: {_point(abs(row['estimate']))} points {more}"
        )
    return f"{who}: {what} (95% interval {_span(row)})."


def _comparison_table(rows: list[dict[str, Any]], values: dict[str, Any]) -> Table:
    cells = tuple(
        (
            r["group"],
            r["claim"],
            *(_point(r[k]) for k in ("treated_mean", "benchmark_mean", "estimate")),
            _DASH if r["low"] is None else _span(r),
            _people(r["n_treated"]),
            _people(r["n_benchmark"]),
            f"{100 * r['covered']:.0f}%",
        )
        for r in rows
    )
    head = ("Group", "Claim", "Treated", "Benchmark", "Difference", "95% interval")
    asked = ("Asked, treated", "Asked, benchmark", "Benchmark weight with answers")
    title = f"Survey: {values['label']}"
    return Table(title, (*head, *asked), cells, frozenset(range(2, 9)))


def _notes(values: dict[str, Any]) -> list[str]:
    notes = [f"{values['respondents']:,} respondents count."]
    notes += [f"Left out: {n:,}, because {why}." for why, n in values["left_out"]]
    if values["alpha"] is not None:
        notes.append(
            f"The scale is the mean of {len(values['items'])} questions, each brought to 0 to 100; "
            f"Cronbach's alpha is {values['alpha']:.2f}."
        )
    if not values["is_weighted"]:
        notes.append("The file gives no survey weights: everyone asked counts the same.")
    notes.append("Groups with few respondents are not printed; counts from 1 to 7 read [c].")
    return notes


def _model_words(small: dict[str, Any]) -> str:
    shared = (
        ", ".join(c.replace("_", " ") for c in small["covariates"]) or "no characteristics of areas"
    )
    words = (
        f"Multilevel regression on {small['respondents']:,} answers with {shared} and the census "
        f"cells {', '.join(small['cells'])}, weighted up to the people the census counts. Areas "
        "with few answers lean on areas like them."
    )
    if not small["converged"]:
        words += (
            f" The fit did not settle (largest R-hat {small['worst_rhat']:.2f}, "
            f"{small['divergences']} divergent steps): do not use these estimates."
        )
    if not _LOW_FIT <= small["predictive_p"] <= _HIGH_FIT:
        words += (
            " Replicated surveys do not differ between areas as the real one does "
            f"(posterior predictive p {small['predictive_p']:.2f}): use with care."
        )
    return words


def _area_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "Single areas",
        ("Area", "Name", "Part", "Asked", "Their mean", "Estimate", "90% interval"),
        tuple(
            (
                r["area"],
                r["name"],
                r["role"],
                r["respondents"],
                _point(r["direct"]),
                _point(r["estimate"]),
                _span(r),
            )
            for r in rows
        ),
        frozenset(range(3, 7)),
    )


def _point(value: float | None) -> str:
    return _DASH if value is None else number(value, "additive")


def _span(row: dict[str, Any]) -> str:
    return f"{_point(row['low'])} to {_point(row['high'])}"


def _people(value: int | None) -> str:
    return "[c]" if value is None else f"{value:,}"
