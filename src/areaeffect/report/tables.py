"""The tables behind a report: columns with type and meaning, rows in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from areaeffect import wording
from areaeffect.records import Column, Row, columns_of
from areaeffect.report import charts
from areaeffect.results import AreaStatus, BalanceRow, Finding, Gap, Result
from areaeffect.tables.parquet import write_columns


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One CSV file: title, columns and how its rows come out of a result."""

    title: str
    columns: tuple[Column, ...]
    rows: Callable[[Result], list[Row]]


#: Columns of a finding that are no field of it: the ends of its intervals, and its words.
_FLAT = {
    "interval": (
        Column("low", "number", "Lower end of the printed interval, which the verdict is read from"),
        Column("high", "number", "Upper end of the printed interval"),
        Column("level", "number", "Level of the printed interval"),
        Column("p_value", "number", "Placebo p-value that goes with the printed interval (max-T)"),
    ),
    "single": (
        Column("single_low", "number", "Lower end of the interval of this outcome alone"),
        Column("single_high", "number", "Upper end of the interval of this outcome alone"),
        Column("single_p_value", "number", "Placebo p-value of this outcome alone"),
    ),
    "companions": (),
    "held_out_interval": (
        Column("held_out_low", "number", "Lower end of the 90% interval of that gap"),
        Column("held_out_high", "number", "Upper end of the 90% interval of that gap"),
        Column("held_out_p_value", "number", "Two-sided placebo p-value of that gap"),
    ),
    "caveats": (
        Column("sentence", "string", "The finding in words"),
        Column("caveats", "string", "Caveats, separated by ' | '"),
    ),
}
_AREA = Column("area", "string", "Area code")
_NAME = Column("name", "string", "Area name")
_INITIATIVE = Column("initiative", "string", "Initiative")
_NEIGHBOURHOOD = Column("neighbourhood", "string", "Neighbourhood")
_CLAIM = Column("claim", "string", "'change' or 'level': each has weights of its own")
_GROUP = Column("group", "string", "Group of neighbourhoods")
_OUTCOME = Column("outcome", "string", "Short name of the outcome")


_FINDINGS = columns_of(Finding, _FLAT)


def _findings(result: Result) -> list[Row]:
    return [_finding_row(finding) for finding in result.every_finding]


def _finding_row(finding: Finding) -> Row:
    """Lay a finding flat: its intervals become columns."""
    parts: Row = {"level": finding.level, "sentence": wording.sentence(finding)}
    for name, interval in (("single", finding.single), ("held_out", finding.held_out_interval)):
        ends = ("low", "high", "p_value")
        parts |= {f"{name}_{end}": getattr(interval, end) if interval else None for end in ends}
    row = finding.to_dict() | parts | {"caveats": " | ".join(finding.caveats)}
    return {column.name: row[column.name] for column in _FINDINGS}


def _series(result: Result) -> list[Row]:
    return [
        {"group": series.group, "outcome": series.outcome, "unit": series.unit} | asdict(row)
        for series in result.series
        for row in charts.trend_rows(series)
    ]


def _neighbourhood_series(result: Result) -> Iterator[tuple[object, ...]]:
    for s in result.neighbourhood_series:
        for path in zip(s.periods, s.observed, s.counterfactual, strict=True):
            yield s.group, s.neighbourhood, s.outcome, s.unit, *path


def _placebo_draws(result: Result) -> Iterator[tuple[object, ...]]:
    for d in result.placebos:
        for i, estimate in enumerate(d.estimates, 1):
            yield d.group, d.outcome, d.claim, d.form, i, estimate


def _benchmark_areas(result: Result) -> Iterator[tuple[object, ...]]:
    names = {area.area: area.name for area in result.areas}
    for design in result.designs:
        pairs = zip(design.benchmark_areas, design.weights, strict=True)
        for area, weight in sorted(pairs, key=lambda p: (-p[1], p[0])):
            yield design.initiative, design.neighbourhood, design.claim, area, names.get(area, ""), weight


def _of_cells(
    title: str, columns: tuple[Column, ...], cells: Callable[[Result], Iterator[tuple[object, ...]]]
) -> TableSpec:
    """Return a table from the cells of its rows, in the order of its columns."""
    names = [c.name for c in columns]
    return TableSpec(title, columns, lambda result: [dict(zip(names, r, strict=True)) for r in cells(result)])


def _of_records(title: str, kind: type[Any], name: str) -> TableSpec:
    """Return a table of the named part of a result, one row a record."""
    columns = columns_of(kind)
    return TableSpec(
        title,
        columns,
        lambda result: [{c.name: getattr(r, c.name) for c in columns} for r in getattr(result, name)],
    )


TABLES: dict[str, TableSpec] = {
    "findings": TableSpec("Findings", _FINDINGS, _findings),
    "series": TableSpec(
        "Observed and expected paths",
        (
            _GROUP,
            _OUTCOME,
            Column("unit", "string", "Unit of the values"),
            Column("period", "string", "Period"),
            Column("observed", "number", "Treated neighbourhoods; empty: a gap"),
            Column("benchmark", "number", "Benchmark areas, weighted"),
            Column("observed_mean_12", "number", "Mean of the twelve months up to this one"),
            Column("benchmark_mean_12", "number", "Mean of the twelve months up to this one"),
            Column("is_gap", "boolean", "Whether the period is drawn as a gap"),
        ),
        _series,
    ),
    "neighbourhood_series": _of_cells(
        "Observed and expected paths of single neighbourhoods, by year",
        (
            _INITIATIVE,
            _NEIGHBOURHOOD,
            _OUTCOME,
            Column("unit", "string", "Unit of the values"),
            Column("period", "string", "Year, or period of a yearly or numbered outcome"),
            Column("observed", "number", "The neighbourhood; empty: a gap"),
            Column("benchmark", "number", "Its benchmark areas, weighted"),
        ),
        _neighbourhood_series,
    ),
    "placebo_draws": _of_cells(
        "Placebo estimates",
        (
            _GROUP,
            _OUTCOME,
            _CLAIM,
            Column("form", "string", "'ratio' or 'additive'"),
            Column("draw", "integer", "Number of the placebo programme"),
            Column("estimate", "number", "Its estimate, on the scale of the finding"),
        ),
        _placebo_draws,
    ),
    "balance": _of_records("Balance", BalanceRow, "balance"),
    "areas": _of_records("Areas and the part each plays", AreaStatus, "areas"),
    "benchmark_areas": _of_cells(
        "Benchmark areas and weights",
        (_INITIATIVE, _NEIGHBOURHOOD, _CLAIM, _AREA, _NAME, Column("weight", "number", "Weight")),
        _benchmark_areas,
    ),
    "gaps": _of_records("Gaps in the data", Gap, "gaps"),
}

DATA_FILES: dict[str, str] = {name: f"data/{name}.csv" for name in TABLES}


_TYPES = {"number": "float64", "boolean": "boolean", "integer": "Int64"}  # all others are text


def write_parquet(result: Result, folder: Path) -> None:
    """Write every table of a result into a folder, `findings.parquet` and the others."""
    for name, spec in TABLES.items():
        _write(folder / f"{name}.parquet", spec.columns, list(spec.rows(result)))
    for annex in result.annexes:
        for table in annex.tables:
            _write(folder / f"{table.name}.parquet", table.columns, table.records())


def _write(path: Path, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    import pandas as pd

    cells = {}
    for column in columns:
        values = [row[column.name] for row in rows]
        kind = _TYPES.get(column.datatype, "str")
        texts = [None if v is None else str(v) for v in values] if kind == "str" else values
        cells[column.name] = pd.Series(texts, dtype=kind)
    write_columns(path, cells)
