"""Rows of a file of areas: one area of one neighbourhood, and what is said of it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from areaeffect.study.initiative import Initiative

_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0"}
#: Columns with a meaning of their own; every other one is a free attribute.
KNOWN = (
    "area_code",
    "programme",
    "neighbourhood",
    "start_date",
    "end_date",
    "resident_led",
    "funding",
)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as it stands in a file: a line of a table, a feature of a map.

    Parameters
    ----------
    place : where: 'line 4', "feature 2 ('Harcourt')".
    values : text by column, stripped; '' where empty.
    """

    place: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One area of one neighbourhood.

    Parameters
    ----------
    place : where it stands in its file.
    area : its code.
    programme, neighbourhood : names.
    start, end : as written; '' where not given.
    resident_led : None where not stated.
    funding : of the neighbourhood, pounds; None where not stated.
    attributes : further columns of the file, in their order.
    """

    place: str
    area: str
    programme: str
    neighbourhood: str
    start: str
    end: str
    resident_led: bool | None
    funding: float | None
    attributes: tuple[tuple[str, str], ...]


def read_records(path: Path) -> tuple[tuple[str, ...], list[Record]]:
    """Read a small CSV as text: its columns, and its rows with their line numbers.

    UTF-8 (with or without BOM) or Windows-1252. Header names lose surrounding spaces.
    """
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise StudyError(Problem("there is no such file of areas.", str(path), near))
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    columns = tuple(name.strip() for name in reader.fieldnames or ())
    reader.fieldnames = list(columns)
    return columns, [
        Record(f"line {reader.line_num}", {k: (v or "").strip() for k, v in row.items() if k})
        for row in reader
    ]


def require_column(column: str, columns: tuple[str, ...], path: Path) -> None:
    """Refuse a table without a column, with what it has."""
    if column not in columns:
        raise DataError(
            Problem(
                f"there is no column '{column}'.",
                f"{path}, line 1",
                did_you_mean(column, columns) or f"Columns: {', '.join(columns) or 'none'}.",
            )
        )


def row_of(
    record: Record, area: str, initiative: Initiative, located_by: tuple[str, ...] = ()
) -> Row:
    """Return one area of an entry; the study's own entry fills what the file leaves out.

    Parameters
    ----------
    record : the entry.
    area : the code of one of its areas.
    initiative : its entry in the study.
    located_by : columns that only say where the entry lies.
    """
    values = record.values
    return Row(
        place=record.place,
        area=area,
        programme=values.get("programme") or initiative.name,
        neighbourhood=values.get("neighbourhood") or initiative.name,
        start=initiative.start_instead or values.get("start_date") or initiative.start or "",
        end=values.get("end_date") or initiative.end or "",
        resident_led=_truth(values.get("resident_led", ""), initiative.resident_led),
        funding=pounds(values.get("funding", "")),
        attributes=tuple(
            (k, v) for k, v in values.items() if k not in KNOWN and k not in located_by and v
        ),
    )


def value_problems(records: list[Record], path: Path) -> list[Problem]:
    """Return what cannot be read in `resident_led` and `funding`."""
    problems = []
    for record in records:
        where = f"{path}, {record.place}"
        led, funding = record.values.get("resident_led", ""), record.values.get("funding", "")
        if led.lower() not in _TRUE | _FALSE | {""}:
            problems.append(
                Problem(
                    f"'{led}' in resident_led is neither true nor false.",
                    where,
                    "Write true, false or nothing.",
                )
            )
        if funding and pounds(funding) is None:
            problems.append(
                Problem(
                    f"'{funding}' in funding is not an amount.",
                    where,
                    "Write pounds, such as 1000000, the same in every row of a neighbourhood.",
                )
            )
    return problems


def contradictions(records: Sequence[Record], initiative: Initiative, path: Path) -> list[Problem]:
    """Return the fault of entries of one neighbourhood that say different things of it."""
    rows = [row_of(r, "", initiative) for r in records]
    if len({(r.start, r.end, r.resident_led, r.funding) for r in rows}) < 2:  # noqa: PLR2004
        return []
    return [
        Problem(
            f"the {len(rows)} entries of '{rows[0].neighbourhood}' differ in start_date, end_date, "
            "resident_led or funding.",
            f"{path}, {rows[0].place}",
            "Write the same in every entry of a neighbourhood.",
        )
    ]


def pounds(text: str) -> float | None:
    """Read an amount of money in pounds, 0 or more; None where there is none."""
    try:
        value = float(text.replace("£", "").replace(",", "").strip())
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _truth(text: str, default: bool | None) -> bool | None:  # a parsed value
    word = text.lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else default
