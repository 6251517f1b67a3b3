"""A chart's companion: the same rows as a table of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from areaeffect.wording.numbers import known, number

if TYPE_CHECKING:
    from collections.abc import Mapping


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.results import Finding


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words: every cell is text already."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its table.

    Parameters
    ----------
    chart : an SVG element with a text alternative, as `svg.accessible` writes it.
    title : what it shows, or what it found.
    table : the same in words.
    data : name of the table of the result that holds its numbers.
    note : what a reader must know to read it.
    name : of its own files in `charts/`; empty: made from the section it stands in.
    rows : what was drawn, a frozen record a row, for its CSV; empty: none.
    """

    chart: str
    title: str
    table: Table
    data: str
    note: str = ""
    name: str = ""
    rows: tuple[Any, ...] = ()

    @property
    def svg(self) -> Markup:
        """The chart as markup: made by `svg.py`, which escapes every text in it."""
        return Markup(self.chart)


def effect_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of an effects chart as a table."""
    names = ("estimate", "low", "high", "threshold", "mde")
    head = (
        "Outcome",
        "Claim",
        "Unit",
        "Estimate",
        "Low",
        "High",
        "Counts as little",
        "Smallest detectable",
        "Verdict",
    )
    body = tuple(
        (
            row["label"],
            row["claim"],
            row["unit"],
            *(_drawn(row[name]) for name in names),
            row["verdict"],
        )
        for row in rows
    )
    return Table("What the chart shows", head, body, frozenset(range(3, 8)))


def trend_table(rows: Sequence[Mapping[str, Any]], unit: str, *, smooth: bool) -> Table:
    """Return the rows of a trend chart as a table."""
    names = [
        "observed",
        "benchmark",
        *(("observed_mean_12", "benchmark_mean_12") if smooth else ()),
        "expected_low",
        "expected_high",
    ]
    head = (
        "Period",
        "Observed",
        "Benchmark areas",
        *(("Observed, 12-month mean", "Benchmark, 12-month mean") if smooth else ()),
        "Interval, low",
        "Interval, high",
    )
    body = tuple(
        (
            row["period"],
            *("gap" if row[n] is None and row["is_gap"] else _drawn(row[n]) for n in names),
        )
        for row in rows
    )
    return Table(
        f"What the chart shows ({unit})" if unit else "What the chart shows",
        head,
        body,
        frozenset(range(1, len(head))),
    )


def panel_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of a neighbourhood's small charts as a table."""
    names = ("observed", "benchmark", "expected_low", "expected_high")
    head = (
        "Outcome",
        "Unit",
        "Year",
        "This place",
        "Benchmark areas",
        "Chance, low",
        "Chance, high",
    )
    body = tuple(
        (
            row["label"],
            row["unit"],
            row["period"],
            *("gap" if row["is_gap"] and n == "observed" else _drawn(row[n]) for n in names),
        )
        for row in rows
    )
    return Table("What the charts show", head, body, frozenset(range(3, 7)))


def placebo_table(rows: Sequence[Mapping[str, Any]], finding: Finding) -> Table:
    """Return the bins of a placebo histogram as a table."""
    unit = "per cent" if finding.form == "ratio" else finding.unit
    body = tuple((_drawn(r["low"], 2), _drawn(r["high"], 2), f"{r['draws']:,}") for r in rows)
    head = (f"From ({unit})", f"To ({unit})", "Placebo programmes")
    return Table("What the chart shows", head, body, frozenset({0, 1, 2}))


def balance_table(rows: Sequence[Mapping[str, Any]], claim: str) -> Table:
    """Return every covariate's imbalance, worst first."""
    head = ("Characteristic", "Before", "After", "Worst neighbourhood after", "Neighbourhoods")
    body = tuple(
        (
            r["covariate"],
            *(_drawn(r[n], 3) for n in ("before", "after", "worst_after")),
            str(r["neighbourhoods"]),
        )
        for r in rows
    )
    return Table(
        f"Mean absolute standardised differences, {claim} claims",
        head,
        body,
        frozenset({1, 2, 3, 4}),
    )


def _drawn(value: float | None, decimals: int = 1) -> str:
    return "–" if known(value) is None else number(value, "additive", decimals)


NONE_GIVEN = "not given"
