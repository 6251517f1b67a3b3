"""Rows of a file of areas, one area of one neighbourhood each, and the neighbourhoods that they make."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean, number_of, repeated
from areaeffect.geography.codes import counterparts
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, kind_of, label, parse_period, read_periods
from areaeffect.tables.cells import plain_text, read_codes, same_spelling
from areaeffect.tables.user_table import Layout, read_user_table, require_file, rows_account

if TYPE_CHECKING:
    import pandas as pd

    from areaeffect.results import Strings
    from areaeffect.study.initiative import Initiative
    from areaeffect.study.parts import Window

_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0"}
_ONS_CODE = re.compile(r"[EWSN]\d{8}")
#: Columns with a meaning of their own; every other one is a free attribute.
KNOWN = ("area_code", "programme", "neighbourhood", "start_date", "end_date", "resident_led", "funding")
#: Columns that say where an entry is, otherwise than by code.
_PLACES = ("ward", "msoa", "postcode", "match_code", "authority", "lad_code")
_OTHER_NAMES_OF = {
    "area_code": r"(area|lsoa|lsoa\d\d|oa|oa\d\d|geography|geo|small_area)_?(code|cd)|code|lsoa\d*",
    "start_date": r"start|starts|started|date_started|starting_date|startdate",
    "end_date": r"end|ends|ended|date_ended|enddate",
    "postcode": r"post_code|pcds?|pcd\d?",
    "neighbourhood": r"neighborhood|neighbourhood_name|area_name|place|place_name",
}
_OTHER_NAMES = ("lsoa code", "lsoa21cd", "lsoa11cd", "area code", "post code", "pcds")
_SHOWN = 5
#: What separates areas that one cell lists: codes of the Office for National Statistics by
#: anything but letters, other codes by a semicolon or a bar.
_ONS = r"[EWSNKJLM]\d{8}"
_BETWEEN = re.compile(rf"\s*[;|]\s*|[\s,/&+]+(?={_ONS})|\s+and\s+(?={_ONS})", re.IGNORECASE)
_SEVERAL = re.compile(
    rf"{_ONS}((\s*[;,|/&+]\s*|\s+(and\s+)?){_ONS})+|[\w-]+(\s*[;|]\s*[\w-]+)+", re.IGNORECASE
)
_DATE = re.compile(r"\d\d?[-/.]\d\d?[-/.]\d{4}")


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a file: a line of a table, a feature of a map."""

    place: str  # where: 'line 4', "feature 2 ('Harcourt')"
    values: Mapping[str, str]  # text by column, stripped; '' where empty.


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """One area of one neighbourhood."""

    place: str  # its position in the file
    area: str  # its code
    programme: str
    neighbourhood: str
    start: str  # as written, as the end is; '' where not given
    end: str
    resident_led: bool | None  # None where not stated
    funding: float | None  # of the neighbourhood, pounds; None where not stated.
    attributes: tuple[tuple[str, str], ...]  # further columns of the file, in their order


@dataclass(frozen=True, slots=True)
class RecordTable:
    """A file of areas, as its rows have it."""

    columns: tuple[str, ...]  # in the order of the file, under the names that have a meaning here
    records: list[Record]  # one a row
    notes: tuple[str, ...]  # how the file was read: encoding, what was taken as what
    name: str  # of the file
    read: int  # rows of the file, repeated ones and totals included

    def account(self, lost: Collection[str] = ()) -> str:
        """Say how many rows were read, kept and left out; `lost` are the places of unused rows."""
        kept = {record.place for record in self.records} - set(lost)
        return rows_account(self.name, self.read, len(kept))


def read_records(path: Path) -> RecordTable:
    """Read a file of areas as text, with the line of each row; the order of day and month from all dates."""
    try:
        require_file(path, "file of areas", "")
    except DataError as error:
        raise StudyError(error.problems) from None
    table = read_user_table(path, layout=Layout((*KNOWN, *_PLACES, *_OTHER_NAMES), once=".*"))
    frame, notes = table.frame, list(table.notes)
    columns = [_meant(str(c), frame.columns) for c in frame.columns]
    if same := repeated(columns):
        both = [str(c) for c, meant in zip(frame.columns, columns, strict=True) if meant == same[0]]
        what = f"each of the columns {', '.join(both)} may be {same[0]}."
        raise DataError(what, str(path), f"Call the one that is meant {same[0]}.")
    notes += [
        f"{path.name}: the column '{c}' is taken as {meant}."
        for c, meant in zip(frame.columns, columns, strict=True)
        if c != meant
    ]
    frame = frame.set_axis(columns, axis=1).map(plain_text)
    read = len(frame) + len(table.left_out)
    if "area_code" in columns:
        several = frame["area_code"].map(lambda text: _SEVERAL.fullmatch(text) is not None)
        if several.any():
            listed = frame["area_code"].where(~several, frame["area_code"].str.split(_BETWEEN))
            frame = frame.assign(area_code=listed).explode("area_code")
            notes.append(
                f"{path.name}: {number_of(int(several.sum()), 'row lists', 'rows list')} several areas each."
            )
        codes, said = read_codes(frame["area_code"])
        frame["area_code"] = codes
        notes += [f"{path.name}: {note}." for note in said]
    frame, said = _with_plain_dates(frame, path)
    twice = frame.duplicated()
    if twice.any():
        lines = ", ".join(str(line) for line in frame.index[twice][:_SHOWN])
        notes.append(f"{path.name}: line {lines} repeats an earlier one and is left out.")
    frame = frame[~twice]
    if "neighbourhood" in columns:
        names, more = _one_spelling(frame["neighbourhood"], path)
        frame, said = frame.assign(neighbourhood=names), (*said, *more)
    records = [
        Record(f"line {line}", dict(zip(columns, map(str, cells), strict=True)))
        for line, *cells in frame.itertuples(name=None)
    ]
    return RecordTable(tuple(columns), records, (*notes, *said), path.name, read)


def _one_spelling(names: pd.Series, path: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Return names of neighbourhoods, those that differ in case only as one.

    Names that differ in punctuation only may be one neighbourhood or two, and are refused.
    """
    counts = names[names != ""].value_counts(sort=True)
    texts = sorted(map(str, counts.index), key=lambda n: (-int(counts[n]), n))
    folded = same_spelling(texts)
    bare: dict[str, str] = {}
    problems = []
    for text in texts:
        first = bare.setdefault(re.sub(r"[\W_]+", "", text).casefold() or text, text)
        if first.casefold() != text.casefold():
            line = names.index[names == text][0]
            what = f"'{text}' may be the same neighbourhood as '{first}'."
            problems.append(Problem(what, f"{path}, line {line}", "Write the name one way."))
    if problems:
        raise DataError(problems)
    notes = (f"{path.name}: '{a}' is taken as '{b}'." for a, b in folded.items())
    return names.replace(folded), tuple(notes)


def _meant(column: str, there: Collection[str]) -> str:
    """Return the name that a column has here: 'LSOA code' is area_code."""
    plain = re.sub(r"[\W_]+", "_", column.strip().lower()).strip("_")
    if plain in KNOWN or plain in _PLACES:
        return plain if plain not in there or plain == column else column
    meant = next((m for m, names in _OTHER_NAMES_OF.items() if re.fullmatch(names, plain)), None)
    return meant if meant and meant not in there else column


def _with_plain_dates(frame: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with dates such as '31/03/2012' written as 2012-03-31."""
    columns = [c for c in ("start_date", "end_date") if c in frame.columns]
    every = sorted({t for c in columns for t in frame[c]})
    spans = [t for t in every if kind_of(t) is PeriodKind.FINANCIAL_YEAR]
    notes = [f"{path.name}: '{t}' is taken as the financial year, April to March." for t in spans]
    texts = [t for t in every if _DATE.fullmatch(t)]
    if not texts:
        return frame, tuple(notes)
    read = read_periods(texts)
    if read.fault:
        fix = "Write 2012-03-31, or one date that can be read in one way only."
        raise DataError(f"{read.fault}.", str(path), fix)
    plain = {}
    for text, ordinal in zip(texts, read.ordinals, strict=True):
        first, second, year = re.split(r"\D", text)
        day = first if ordinal is not None and ordinal % 12 + 1 == int(second) else second
        if ordinal is not None:
            plain[text] = f"{int(year):04d}-{ordinal % 12 + 1:02d}-{int(day):02d}"
    frame = frame.assign(**{c: frame[c].replace(plain) for c in columns})
    example = f"{path.name}: '{texts[0]}' is taken as {plain.get(texts[0], texts[0])}."
    return frame, (*notes, example)


def grouped(rows: Iterable[AreaRow]) -> dict[tuple[str, str], list[AreaRow]]:
    """Return the rows of each neighbourhood, by programme and name, in the order of the file."""
    found: dict[tuple[str, str], list[AreaRow]] = {}
    for row in rows:
        found.setdefault((row.programme, row.neighbourhood), []).append(row)
    return found


def row_of(record: Record, area: str, initiative: Initiative, located_by: tuple[str, ...] = ()) -> AreaRow:
    """Return one area of an entry; the study's own entry fills what the file leaves out.

    `located_by` are columns that only say where the entry lies, and are no attributes.
    """
    values = record.values
    led = values.get("resident_led", "").lower()
    return AreaRow(
        place=record.place,
        area=area,
        programme=values.get("programme") or initiative.name,
        neighbourhood=values.get("neighbourhood") or initiative.name,
        start=initiative.start_instead or values.get("start_date") or initiative.start or "",
        end=values.get("end_date") or initiative.end or "",
        resident_led=True if led in _TRUE else False if led in _FALSE else initiative.resident_led,
        funding=pounds(values.get("funding", "")),
        attributes=tuple((k, v) for k, v in values.items() if k not in KNOWN and k not in located_by and v),
    )


def value_problems(records: list[Record], path: Path) -> list[Problem]:
    """Return what cannot be read in `resident_led` and `funding`."""
    problems = []
    for record in records:
        where = f"{path}, {record.place}"
        led, funding = record.values.get("resident_led", ""), record.values.get("funding", "")
        if led.lower() not in _TRUE | _FALSE | {""}:
            what = f"'{led}' in resident_led is neither true nor false."
            problems.append(Problem(what, where, "Write true, false or nothing."))
        if funding and pounds(funding) is None:
            fix = "Write pounds, such as 1000000, the same in every row of a neighbourhood."
            problems.append(Problem(f"'{funding}' in funding is not an amount.", where, fix))
    return problems


def unnamed(records: Sequence[Record], path: Path) -> list[Problem]:
    """Return the fault of entries without a neighbourhood in a file whose others name one."""
    bare = [r for r in records if not r.values.get("neighbourhood")]
    if not bare or len(bare) == len(records):
        return []
    what = f"{number_of(len(bare), 'entry names', 'entries name')} no neighbourhood, although others do."
    return [Problem(what, f"{path}, {bare[0].place}", "Name it in every row.")]


def contradictions(records: Sequence[Record], initiative: Initiative, path: Path) -> list[Problem]:
    """Return the fault of entries of one neighbourhood that say different things of it."""
    rows = [row_of(r, "", initiative) for r in records]
    if len({(r.start, r.end, r.resident_led, r.funding) for r in rows}) < 2:  # noqa: PLR2004
        return []
    what = f"the {number_of(len(rows), 'entry', 'entries')} of '{rows[0].neighbourhood}' differ in"
    fix = "Write the same values in every entry of a neighbourhood."
    where = f"{path}, {rows[0].place}"
    return [Problem(f"{what} start_date, end_date, resident_led or funding.", where, fix)]


def pounds(text: str) -> float | None:
    """Read an amount of money in pounds, 0 or more; None where there is none."""
    try:
        value = float(text.replace("£", "").replace(",", "").strip())
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def neighbourhoods_of(
    rows: Sequence[AreaRow], path: Path, areas: Strings, window: Window, found: Sequence[Problem] = ()
) -> list[Neighbourhood]:
    """Group rows of areas into neighbourhoods, by programme and name; raise all faults, `found` too.

    Refused are codes that the panel does not hold, an area in two neighbourhoods, starts that are
    missing, unreadable or outside the window, ends before them, and two of what one has once.
    """
    if not rows and not found:
        raise DataError("the file lists no areas.", str(path), "Give one row for each area.")
    position = {str(code): i for i, code in enumerate(areas)}
    problems = [*_area_problems(rows, position, path), *date_problems(rows, window, path), *found]
    if problems:
        raise DataError(problems)
    made = []
    for (programme, name), own in sorted(grouped(rows).items(), key=itemgetter(0)):
        kind, start, _ = _dates(own[0], window)
        if start is None:  # `date_problems` has refused it
            raise ValueError(own[0].start)
        made.append(
            Neighbourhood(
                initiative=programme,
                name=name,
                areas=np.array(sorted({position[r.area] for r in own}), dtype=np.int64),
                start=start,
                start_kind=kind,
                resident_led=own[0].resident_led,
                attributes=shared_attributes([r.attributes for r in own]),
                end=next((_dates(r, window)[2] for r in own if r.end), None),
                funding=next((r.funding for r in own if r.funding is not None), None),
            )
        )
    return made


def shared_attributes(parts: Sequence[Sequence[tuple[str, str]]]) -> dict[str, str]:
    """Return the attributes that every part has with the same value."""
    first, *others = (dict(p) for p in parts)
    return {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}


def start_kind(text: str, window: Window) -> PeriodKind:
    """Return what a start or an end counts, by how it is written."""
    return PeriodKind.NUMBER if window.kind is PeriodKind.NUMBER else kind_of(text) or PeriodKind.MONTH


def _dates(row: AreaRow, window: Window) -> tuple[PeriodKind, int | None, int | None]:
    """Return what a start counts, the start, and the last period of work; None where there is none."""
    kind, own = start_kind(row.start, window), start_kind(row.end, window)
    start, end = (parse_period(t, k) if t else None for t, k in ((row.start, kind), (row.end, own)))
    if end is not None and own is not kind:
        end = kind.holding(own.first_month(end + 1) - 1)
    return kind, start, end


def _area_problems(rows: Sequence[AreaRow], position: dict[str, int], path: Path) -> list[Problem]:
    problems = []
    unknown = [r for r in rows if r.area not in position]
    for row in unknown[:_SHOWN]:
        if not _ONS_CODE.fullmatch(row.area):
            fix = did_you_mean(row.area, position) or "Check the code."
        elif here := [c for c in counterparts(row.area) if c in position]:
            fix = f"It is a code of another census; the panel has {', '.join(here)} in its place."
        else:
            fix = "It may be of another census vintage, or outside the table's territory."
        problems.append(Problem(f"area '{row.area}' is not in the panel.", f"{path}, {row.place}", fix))
    if len(unknown) > _SHOWN:
        problems.append(Problem(f"{len(unknown) - _SHOWN} more areas are not in the panel.", str(path)))
    seen: dict[str, AreaRow] = {}
    for row in rows:
        first = seen.setdefault(row.area, row)
        if first is not row:
            where = f"'{first.neighbourhood}' ({first.place}) and in '{row.neighbourhood}'"
            fix = "An area belongs to one neighbourhood."
            problems.append(Problem(f"area '{row.area}' is in {where}.", f"{path}, {row.place}", fix))
    return problems


def date_problems(rows: Sequence[AreaRow], window: Window, path: Path) -> list[Problem]:
    """Return what is wrong with the starts and ends of neighbourhoods, by the first row of each."""
    begins, over = window.months
    starts, ends = list[Problem](), list[Problem]()
    for row in (own[0] for own in grouped(rows).values()):
        where, name = f"{path}, {row.place}", row.neighbourhood
        kind, start, _ = _dates(row, window)
        if start is None or kind is PeriodKind.NUMBER is not window.kind:
            what = f"'{row.start}' is not a start" if row.start else "there is no start_date"
            fix = "Write '2016-01-01', '2016-01' or, for numbered periods, the number."
            if re.fullmatch(r"[34]\d{4}", row.start):
                fix = "It looks like a spreadsheet's date: format the column as a date and save it."
            starts.append(Problem(f"{what} (neighbourhood '{name}').", where, fix))
        elif not begins < kind.first_month(start) < over:
            what = f"'{name}' starts at {row.start}, outside the window {window.start} to {window.end}."
            starts.append(Problem(what, where, "The window needs periods before and after every start."))
    for row in (own[0] for own in grouped(r for r in rows if r.end).values()):
        where, name = f"{path}, {row.place}", row.neighbourhood
        _, start, end = _dates(row, window)
        are_days = len(row.start) == len(row.end) == len("2016-01-01")
        if end is None:
            what = f"'{row.end}' is not an end (neighbourhood '{name}')."
            ends.append(Problem(what, where, "Write it like the start, or leave it blank."))
        elif start is not None and (end < start or (are_days and row.end < row.start)):
            what = f"'{name}' ends ({row.end}) before it starts ({row.start})."
            ends.append(Problem(what, where, "Correct one of the two dates."))
    return [*_once_problems(rows, window, path), *starts, *ends]


def _once_problems(rows: Sequence[AreaRow], window: Window, path: Path) -> list[Problem]:
    """Name neighbourhoods with two starts, two ends, two amounts, or led by residents and not."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        kind, ordinal, _ = _dates(row, window)
        said = {
            "start dates": row.start if ordinal is None else label(ordinal, kind),
            "end dates": row.end,
            "amounts of funding": "" if row.funding is None else f"{row.funding:,.0f}",
            "values of resident_led": "" if row.resident_led is None else str(row.resident_led),
        }
        for what, value in said.items():
            if value or what == "start dates":
                found.setdefault((row.programme, row.neighbourhood, what), set()).add(value)
    return [
        Problem(
            f"neighbourhood '{name}' has {len(values)} {what}: {', '.join(sorted(values))}.",
            str(path),
            "A neighbourhood starts once; split it where parts began at different times."
            if what == "start dates"
            else "Write the same value in every row of a neighbourhood.",
        )
        for (_, name, what), values in found.items()
        if len(values) > 1
    ]
