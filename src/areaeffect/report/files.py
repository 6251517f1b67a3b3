"""Results as files, and back: JSON, CSV with metadata, and the page made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from areaeffect import wording
from areaeffect.document.chart_tables import json_text, read_table, rounded_number, write_table, write_text
from areaeffect.document.folders import RUN_FILE, write_again, write_whole
from areaeffect.errors import DataError
from areaeffect.further.registry import FURTHER
from areaeffect.records import Column, DataTable, Json, Row
from areaeffect.report.faces import CRATE_FILE, REPORT_FILE, crate, is_face, write_faces
from areaeffect.report.tables import DATA_FILES, TABLES
from areaeffect.results import (
    Annex,
    AreaStatus,
    BalanceRow,
    Better,
    Claim,
    Finding,
    Form,
    Gap,
    Interval,
    IntervalKind,
    NeighbourhoodDesign,
    PlaceboDraws,
    Release,
    Result,
    Seal,
    Series,
    Shape,
    Verdict,
)

METRES = 1  # decimals of outlines, in metres
FORMAT = 1
FINDINGS_FILE = "findings.json"


def write_result(result: Result, folder: Path) -> None:
    """Write a result into a folder that appears whole or not at all.

    Raises
    ------
    StudyError
        Where the folder holds something that this program did not write.
    """
    write_whole(folder, lambda aside: write_files(result, aside))


def write_files(result: Result, folder: Path) -> None:
    """Write every file of a result into an existing folder."""
    result = rounded(result)
    data = folder / "data"
    data.mkdir()
    contents = {
        FINDINGS_FILE: findings_content(result),
        "design.json": design_values(result),
        RUN_FILE: {
            "format": FORMAT,
            "title": result.title,
            "question": result.question,
            "plan": result.plan,
            "releases": [asdict(release) for release in result.releases],
            "gaps": [asdict(gap) for gap in result.gaps],
            "notes": result.notes,
            "versions": result.versions,
            "annexes": [_annex_header(annex) for annex in result.annexes],
            "series": [
                {"group": s.group, "outcome": s.outcome, "start": s.start, "gaps": s.gaps}
                for s in result.series
            ],
        },
    }
    for name, content in contents.items():
        write_text(folder / name, json_text(content, indent=1))
    for name, spec in TABLES.items():
        write_table(folder / DATA_FILES[name], spec.title, spec.columns, spec.rows(result))
    for annex in result.annexes:
        for table in annex.tables:
            write_table(_annex_file(folder, table), table.title, table.columns, table.records())
    outlines = [{"area": s.area, "rings": [ring.tolist() for ring in s.rings]} for s in result.shapes]
    write_text(data / "map.json", json_text({"unit": "metre", "shapes": outlines}))
    write_faces(result, folder)
    write_text(folder / CRATE_FILE, json_text(crate(result, folder), indent=1))


def design_values(result: Result) -> Json:
    """Return the seal and what it covers as plain JSON values."""
    return {
        "seal": asdict(result.seal),
        "designs": [asdict(design) for design in result.designs],
        "balance": [asdict(row) for row in result.balance],
        "areas": [asdict(area) for area in result.areas],
    }


def read_result(folder: Path) -> Result:
    """Rebuild a result from its files alone.

    Raises
    ------
    DataError
        Where a file is missing, cannot be read, or has another format.
    """
    findings, design, run = (_load(folder / name) for name in (FINDINGS_FILE, "design.json", RUN_FILE))
    if run.get("format") != FORMAT:
        what = f"the results have format {run.get('format')}; this program reads format {FORMAT}."
        raise DataError(what, str(folder / RUN_FILE), "Evaluate the study again.")
    outlines = _load(folder / "data" / "map.json")
    try:
        every = [read_finding(row) for row in findings["findings"]]
        return Result(
            title=run["title"],
            question=run["question"],
            findings=tuple(f for f in every if not f.attribute),
            by_attribute=tuple(f for f in every if f.attribute),
            seal=_record(Seal, design["seal"]),
            designs=tuple(_record(NeighbourhoodDesign, row) for row in design["designs"]),
            balance=tuple(_record(BalanceRow, row) for row in design["balance"]),
            series=_read_series(folder, run["series"]),
            placebos=_read_placebos(folder),
            areas=tuple(_record(AreaStatus, row) for row in design["areas"]),
            releases=tuple(_record(Release, row) for row in run["releases"]),
            gaps=tuple(_record(Gap, row) for row in run["gaps"]),
            notes=tuple(run["notes"]),
            plan=run["plan"],
            versions=run["versions"],
            shapes=tuple(
                Shape(s["area"], tuple(np.array(r, dtype=np.float64).reshape(-1, 2) for r in s["rings"]))
                for s in outlines["shapes"]
            ),
            annexes=tuple(_read_annex(folder, header) for header in run["annexes"]),
            neighbourhood_series=_read_neighbourhood_series(folder),
        )
    except (KeyError, TypeError, ValueError) as error:
        what = f"the results are not whole ({type(error).__name__}: {error})."
        raise DataError(what, str(folder), "Evaluate the study again.") from None


def findings_content(result: Result) -> Json:
    """Return what the file of findings holds: each with the sentence that says it."""
    rows = [f.to_dict() | {"sentence": wording.sentence(f)} for f in result.every_finding]
    return {"study": result.title, "seal": result.seal.sha256, "findings": rows}


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """Read the findings of a result alone.

    Raises
    ------
    DataError
        Where the file is missing or cannot be read.
    KeyError, TypeError, ValueError
        Where it holds something else than findings.
    """
    return tuple(read_finding(row) for row in _load(folder / FINDINGS_FILE)["findings"])


def rebuild_report(folder: Path) -> Path:
    """Write the faces of a folder again from its other files; return the path of the page."""
    result = read_result(folder)

    def write(made: Path) -> None:
        write_faces(result, made)
        write_text(made / CRATE_FILE, json_text(crate(result, made), indent=1))

    write_again(folder, write, is_face)
    return folder / REPORT_FILE


def rounded(result: Result) -> Result:
    """Return the result as files hold it: 12 digits, gaps as None."""
    held = replace(
        result,
        placebos=tuple(d for d in result.placebos if d.estimates),
        series=tuple(s for s in result.series if s.periods),
        neighbourhood_series=tuple(replace(s, start=()) for s in result.neighbourhood_series if s.periods),
    )
    return cast("Result", _rounded(held))


def _rounded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.round(value.astype(np.float64), METRES) + 0.0
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return rounded_number(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _rounded(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(_rounded(item) for item in value)
    return value


def _json_value(value: Any) -> Any:
    """Return a value of the plan as JSON will give it back: lists, text, plain numbers."""
    if isinstance(value, (tuple, list)):
        return [_json_value(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(item) for item in value)
    value = _rounded(value)
    is_plain = value is None or isinstance(value, (bool, int, float, dict)) or is_dataclass(value)
    return value if is_plain else str(value)


def _load(path: Path) -> Json:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(
            "the file is missing or cannot be read.", str(path), "Name a folder that `evaluate` wrote."
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not valid JSON: {error}.", str(path), "Evaluate the study again.") from None
    if not isinstance(content, dict):
        raise DataError("not a file of results.", str(path), "Evaluate the study again.")
    return content


def _annex_file(folder: Path, table: DataTable) -> Path:
    return folder / "data" / f"{table.name}.csv"


def _annex_header(annex: Annex[Any]) -> Json:
    """Return an annex without its rows, which its CSV files hold."""
    tables = [
        {"name": t.name, "title": t.title, "columns": [asdict(c) for c in t.columns]} for t in annex.tables
    ]
    return {"name": annex.name, "values": asdict(annex.found), "tables": tables}


def _read_annex(folder: Path, header: Json) -> Annex[Any]:
    tables = []
    for described in header["tables"]:
        columns = tuple(Column(**c) for c in described["columns"])
        bare = DataTable(described["name"], described["title"], columns, ())
        rows = read_table(_annex_file(folder, bare), columns)
        tables.append(replace(bare, rows=tuple(tuple(row.values()) for row in rows)))
    kind = {one.name: one.found for one in FURTHER}[header["name"]]
    return Annex(header["name"], TypeAdapter(kind).validate_python(header["values"]), tuple(tables))


def _table_rows(folder: Path, name: str) -> list[Row]:
    return read_table(folder / DATA_FILES[name], TABLES[name].columns)


def _record(kind: type[Any], row: Row) -> Any:
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def read_finding(row: Row) -> Finding:
    """Return a finding from its row of findings.json."""
    own = {f.name: row[f.name] for f in fields(Finding)}
    better = own["better"]
    special: dict[str, Any] = {
        "claim": Claim(own["claim"]),
        "form": Form(own["form"]),
        "better": None if better is None else Better(better),
        "verdict": Verdict(own["verdict"]),
        "companions": tuple(_interval(c) for c in own["companions"]),
        "caveats": tuple(own["caveats"]),
    }
    for name in ("interval", "single", "held_out_interval"):
        special[name] = None if own[name] is None else _interval(own[name])
    return Finding(**own | special)


def _interval(row: Row) -> Interval:
    return Interval(**{**row, "kind": IntervalKind(row["kind"])})


def _read_series(folder: Path, headers: Iterable[Json]) -> tuple[Series, ...]:
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in _table_rows(folder, "series"):
        rows.setdefault((row["group"], row["outcome"]), []).append(row)
    made = []
    for header in headers:
        own = rows[header["group"], header["outcome"]]
        made.append(
            Series(
                group=header["group"],
                outcome=header["outcome"],
                periods=tuple(row["period"] for row in own),
                observed=tuple(row["observed"] for row in own),
                counterfactual=tuple(row["benchmark"] for row in own),
                start=tuple(header["start"]),
                gaps=tuple(header["gaps"]),
                unit=own[0]["unit"],
            )
        )
    return tuple(made)


def _read_neighbourhood_series(folder: Path) -> tuple[Series, ...]:
    rows: dict[tuple[str, str, str], list[Row]] = {}
    for row in _table_rows(folder, "neighbourhood_series"):
        rows.setdefault((row["initiative"], row["neighbourhood"], row["outcome"]), []).append(row)
    return tuple(
        Series(
            group=initiative,
            outcome=outcome,
            periods=tuple(row["period"] for row in own),
            observed=tuple(row["observed"] for row in own),
            counterfactual=tuple(row["benchmark"] for row in own),
            start=(),
            gaps=tuple(row["period"] for row in own if row["observed"] is None),
            unit=own[0]["unit"],
            neighbourhood=neighbourhood,
        )
        for (initiative, neighbourhood, outcome), own in rows.items()
    )


def _read_placebos(folder: Path) -> tuple[PlaceboDraws, ...]:
    draws: dict[tuple[str, str, str, str], list[float]] = {}
    for row in _table_rows(folder, "placebo_draws"):
        key = (row["group"], row["outcome"], row["claim"], row["form"])
        draws.setdefault(key, []).append(row["estimate"])
    return tuple(PlaceboDraws(*key, tuple(values)) for key, values in draws.items())
