"""The one reader of every table a user brings: text, workbook or Parquet, as plain columns.

What is not a row of the table (notes above the header, totals and footnotes below it) is left out
by name; what could be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path

import duckdb
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean, first_few, number_of, repeated
from areaeffect.tables.cells import plain_text
from areaeffect.tables.text_rows import DELIMITERS, NumberedRow, read_text_rows, sheet_rows

_SHOWN = 5
_NOT_TEXT = {"GEOMETRY", "BLOB"}
_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_NUMBERS |= {"UBIGINT", "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_PARQUET = b"PAR1"
HEADER_WITHIN = 100
#: Labels of rows that add others up, or are for what has no area; only at the end of a table.
TOTALS = re.compile(
    r"\W*(grand |column |row |overall |sub-?)?totals?\W*|unknown|not (known|stated|recorded)"
    r"|all( areas| places| [lm]soas| wards| districts| regions| neighbourhoods)?|missing"
    r"|(overall |national |regional |area )?(average|mean|median)( of all( areas)?)?|unallocated"
    r"|(united kingdom|uk|great britain|england|wales|scotland|england (and|&) wales)"
    r"( total| average| mean)?",
    re.IGNORECASE,
)
#: In a table of countries these are areas; in one of places in the United Kingdom they are totals.
_NATIONS = frozenset({"united kingdom", "uk", "great britain", "england", "wales", "scotland"})
_COUNTRIES = frozenset({"france", "germany", "italy", "spain", "japan", "india", "china", "brazil"})
_DOTTED = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_NOTE = re.compile(
    r"(source|notes?|symbol|footnotes?|©|crown|copyright|in order to|this |these |figures |data "
    r"|\(?[a-z\d]\)|\d+\.|\*|\[)",
    re.IGNORECASE,
)
_FEWEST_WORDS = 4
_MOST_PATH = 200


@dataclass(frozen=True, slots=True, eq=False)
class UserTable:
    """A table as its file has it."""

    #: text columns, and Parquet's numbers as numbers; the index is the line of the file (the row of a sheet)
    #: of each row.
    frame: pd.DataFrame
    #: rows that are no part of the table (totals below it), with the reason
    left_out: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()  # what a reader must know: encoding, sheet, lines left out


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a file the table is, where the study says it."""

    #: names of which the header holds some: they find the header and the sheet
    header_has: Collection[str] = ()
    header: int | None = None  # number of its row; None to find it.
    sheet: str | None = None  # of a workbook; None to find it.
    once: str = r"(?!)"  # pattern of further column names that may be there once only, beside `header_has`


def rows_account(name: str, read: int, kept: int) -> str:
    """Say of an input file how many of its rows were read, kept and left out."""
    return f"{name}: {read:,} rows read, {kept:,} kept, {read - kept:,} left out."


def require_file(path: Path, what: str = "file", fix: str = "Check the path.") -> None:
    """Raise DataError, with the nearest name, where a file is not there or cannot be reached."""
    try:
        if path.is_file():
            return
        if path.is_dir():
            raise DataError(f"this is a folder, not a {what}.", str(path), "Name the file.")
        there = [p.name for p in path.parent.glob("*")]
    except OSError as error:
        short = str(path) if len(str(path)) < _MOST_PATH else f"{str(path)[:_MOST_PATH]}…"
        raise DataError(f"{what}: {error.strerror}.".lower(), short, fix) from None
    raise DataError(f"there is no such {what}.", str(path), did_you_mean(path.name, there) or fix)


def read_user_table(
    path: Path, only: Collection[str] | None = None, as_text: Collection[str] = (), layout: Layout = Layout()
) -> UserTable:
    """Read a file in file order: text columns, and Parquet's numbers as numbers.

    It is CSV in any dialect, a workbook (xlsx, xls, ods) or Parquet, recognised by content. A missing
    text is the empty string, a missing number NaN. All columns are kept unless the file has those of
    `only`; those of `as_text` are codes or periods, even where they look like numbers. Rows with too
    few or too many cells, open quotes, columns of one name and two tables in one file are refused.
    """
    require_file(path)
    names = {*layout.header_has, *(only or ()), *as_text}
    layout = replace(layout, header_has=names)
    keys = {key_of(n) for n in names}
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _PARQUET or path.suffix.lower() in {".parquet", ".geoparquet"}:
        return UserTable(_load_parquet(path, only, as_text))
    if magic.startswith(WORKBOOKS):
        rows, notes = sheet_rows(path, layout.sheet, keys)
        return _table(rows, [], layout, only, path, notes)
    text = read_text_rows(path, keys)
    table = _table(text.rows, text.blank, layout, only, path, text.notes)
    if text.delimiter in {",", "|"}:
        return table
    return _with_points(table, text.delimiter, as_text, path)


def key_of(name: str) -> str:
    """Return a header as it is compared: without case and runs of spaces."""
    return " ".join(name.split()).lower()


def _table(
    rows: Sequence[NumberedRow],
    blank: Sequence[int],
    layout: Layout,
    only: Collection[str] | None,
    path: Path,
    notes: tuple[str, ...],
) -> UserTable:
    """Find header and end of the table among the rows, and check every row between."""
    if not rows:
        raise DataError("the file is empty.", str(path), "It needs a header and rows.")
    at = header_at(rows, layout, path)
    line, cells = rows[at]
    header = [" ".join(part for line in cell.split("\n") if (part := line.strip())) for cell in cells]
    body = list(rows[at + 1 :])
    if body and len(header) > 2 and _filled(body[0][1]) == [0] and not body[0][1][0].isdigit():  # noqa: PLR2004
        _, (label, *_) = body.pop(0)  # Stat-Xplore names the areas' column in a row of its own
        names = {key_of(n) for n in layout.header_has}
        if key_of(label) in names or key_of(header[0]) not in names:
            header[0] = " ".join(label.split())
    if not header[-1]:
        last = max((found[-1] for _, c in body if (found := _filled(c))), default=-1)
        while len(header) > last + 1 and not header[-1]:
            header.pop()
    if at:
        notes += (f"{path.name}: {at} lines above the header (line {line}) were left out.",)
    body, left_out, below = _without_end(body, len(header), set(blank), path)
    notes += below
    body, again, more = _without_headers(body, header, path)
    left_out, notes = (*left_out, *again), (*notes, *more)
    _refuse_ragged(body, len(header), path)
    if not body:
        raise DataError("the file has a header but no rows.", str(path))
    positions = columns_at(header, layout, only, line, path)
    nameless = [i + 1 for i, name in enumerate(header) if not name]
    if nameless:
        some = ", ".join(map(str, nameless))
        notes += (f"{path.name}: column {some} has no name and was left out.",)
    texts = [row for _, row in body]
    frame = pd.DataFrame(
        {name: [*map(itemgetter(i), texts)] for name, i in positions.items()},
        index=pd.Index([n for n, _ in body]),
        dtype=object,
    )
    return UserTable(frame, left_out, notes)


def header_at(rows: Sequence[NumberedRow], layout: Layout, path: Path) -> int:
    """Return the position of the header: the row named, that with most names, or the first wide."""
    if layout.header is not None:
        at = next((i for i, (n, _) in enumerate(rows) if n == layout.header), None)
        if at is None:
            raise DataError(f"row {layout.header} is blank.", str(path), "Name the header.")
        return at
    first = rows[:HEADER_WITHIN]
    names = {key_of(n) for n in layout.header_has}
    held = [len({key_of(c) for c in cells} & names) for _, cells in first]
    if max(held):
        at = held.index(max(held))
        alone = at > 0 and len(_filled(first[at][1])) == 1 < len(_filled(first[at - 1][1]))
        return at - 1 if alone else at  # Stat-Xplore names the areas below the header
    widths = [len(_filled(cells)) for _, cells in first]
    wide = max(set(widths), key=lambda w: (widths.count(w), w))
    return next(i for i, w in enumerate(widths) if w >= wide)


def _filled(cells: Sequence[str]) -> list[int]:
    return [i for i, cell in enumerate(cells) if cell and not cell.isspace()]


def is_total(name: str, named: Collection[str]) -> bool:
    """Tell whether a row of this name, among others, is a total and no area."""
    if name.lower() in _NATIONS and not _COUNTRIES.isdisjoint(n.lower() for n in named):
        return False
    return TOTALS.fullmatch(name) is not None


def _without_end(
    body: list[NumberedRow], width: int, blank: set[int], path: Path
) -> tuple[list[NumberedRow], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """Part the table from totals and notes below it; refuse what looks like a second table."""
    end = len(body)
    for i, (line, cells) in enumerate(body):
        if len(cells) == width > 1 and cells[1] and cells[-1]:
            continue  # nearly every row: what follows takes time
        filled = _filled(cells)
        after_blank = line - 1 in blank
        is_note = len(filled) <= max(1, width // 3) and filled[:1] == [0] and width > 1
        is_note &= len(filled) == 1 or not _NUMBER.fullmatch(cells[0].strip())  # a sparse row
        words = cells[0].split() if is_note else []
        if (after_blank and len(cells) < width) or (
            is_note
            and (
                len(words) >= _FEWEST_WORDS
                or _NOTE.match(cells[0].strip())
                or (len(filled) == 1 and width > 2 and after_blank)  # noqa: PLR2004
            )
        ):
            end = i
            break
    table, below = body[:end], body[end:]
    for line, cells in below:
        if len(_filled(cells)) >= max(2, width) and width > 2:  # noqa: PLR2004
            what = f"a second table seems to begin after the notes in line {below[0][0]}."
            raise DataError(what, f"{path}, line {line}", "Save each table in a file of its own.")
    left_out = []
    named = {cells[0].strip() for _, cells in table}
    while table and is_total(table[-1][1][0].strip(), named):
        line, cells = table.pop()
        left_out.append((line, f"'{cells[0].strip()}' is a total, not an area"))
    notes = []
    if below:
        run = str(below[0][0]) + (f" to {below[-1][0]}" if len(below) > 1 else "")
        notes.append(f"{path.name}: the notes in line {run} below the table were left out.")
    if left_out:
        some = ", ".join(dict.fromkeys(reason.split("'")[1] for _, reason in reversed(left_out)))
        rows = number_of(len(left_out), "row", "rows")
        was = "was" if len(left_out) == 1 else "were"
        notes.append(f"{path.name}: {rows} of totals at the end ({some}) {was} left out.")
    return table, tuple(reversed(left_out)), tuple(notes)


def _without_headers(
    body: list[NumberedRow], header: Sequence[str], path: Path
) -> tuple[list[NumberedRow], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """Leave out rows that are the header again, as in files put one below the other."""
    names = [key_of(plain_text(name)) for name in header]
    begins = names[0][:1]  # nearly no text passes the first test, which takes no time
    first = {
        text
        for text in {c[0] for _, c in body}
        if (text.lstrip()[:1].lower() == begins or not text.isascii())
        and key_of(plain_text(text)) == names[0]
    }
    lines = [n for n, c in body if c[0] in first and [key_of(plain_text(v)) for v in c] == names]
    if not lines:
        return body, (), ()
    what = number_of(len(lines), "row repeats", "rows repeat")
    note = f"{path.name}: {what} the header (line {first_few([str(n) for n in lines])}) and is left out."
    kept = [(n, c) for n, c in body if n not in set(lines)]
    return kept, tuple((n, "the header again") for n in lines), (note,)


def _refuse_ragged(body: Sequence[NumberedRow], width: int, path: Path) -> None:
    bad = [
        (line, len(cells))
        for line, cells in body
        if len(cells) != width and (len(cells) < width or any(c.strip() for c in cells[width:]))
    ]
    if 1 < len(bad) == len(body) and {n for _, n in bad} == {width + 1}:
        what = f"every row has {width + 1} fields, and the header {width} names."
        fix = "R's row names have no header: write a name for the first column, or row.names = FALSE."
        raise DataError(what, str(path), fix)
    if bad:
        raise DataError(
            [
                Problem(
                    f"the row has too {'few' if n < width else 'many'} fields. Found: {n}.",
                    f"{path}, line {line}",
                    f"Every row needs {width} fields.",
                )
                for line, n in bad[:_SHOWN]
            ]
        )


def columns_at(
    header: Sequence[str], layout: Layout, only: Collection[str] | None, line: int, path: Path
) -> dict[str, int]:
    """Return the position of each column kept, under the name that was asked for."""
    named = layout.header_has
    asked = {key_of(n): n for n in named}
    used = {
        n for n in repeated([n for n in header if n]) if key_of(n) in asked or re.fullmatch(layout.once, n)
    }
    if used:
        raise DataError(
            f"the header has column '{min(used)}' more than once.", f"{path}, line {line}", "Rename one."
        )
    wanted = {key_of(n) for n in (only or ())}
    keep_all = only is None or not wanted <= {key_of(n) for n in header}
    found: dict[str, int] = {}
    for i, name in enumerate(header):
        if name and (keep_all or key_of(name) in wanted):
            found.setdefault(name if name in named else asked.get(key_of(name), name), i)
    return found


def _with_points(table: UserTable, delimiter: str, as_text: Collection[str], path: Path) -> UserTable:
    """Turn decimal commas into points; a comma that may be either is refused with both readings."""
    number = re.compile(r"-?\d+,\d+|-?\d{1,3}(\.\d{3})+,\d+")
    thousands = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+")
    found: dict[str, set[str]] = {}
    for column in table.frame.columns:
        if column not in as_text:
            texts = {t.strip() for t in table.frame[column].unique()}
            found[column] = {t for t in texts if number.fullmatch(t) or thousands.fullmatch(t)}
    every = set().union(*found.values()) if found else set()
    if not every or (delimiter == "\t" and all(thousands.fullmatch(t) for t in every)):
        return table
    if all(thousands.fullmatch(t) for t in every):
        text = min(every)
        plain = text.replace(",", "")
        what = f"'{text}' may be {plain} or {text.replace(',', '.', 1)}."
        fix = "Write numbers without a separator of thousands, or with a decimal point."
        raise DataError(what, str(path), fix)
    frame = table.frame.copy()
    for column, texts in found.items():
        dotted = {t for t in map(str.strip, frame[column].unique()) if _DOTTED.fullmatch(t)}
        pointed = {t: t.replace(".", "").replace(",", ".") for t in texts | dotted}
        if pointed:  # beside decimal commas a point separates thousands
            frame[column] = frame[column].str.strip().replace(pointed)
    text = min(every)
    name = DELIMITERS.get(delimiter, f"'{delimiter}'")
    note = f"{path.name}: cells are separated by {name} and '{text}' is read with a decimal comma."
    return replace(table, frame=frame, notes=(*table.notes, note))


def _load_parquet(path: Path, only: Collection[str] | None, as_text: Collection[str]) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        try:
            relation = connection.read_parquet(str(path))
            if only is not None and not set(only) <= set(relation.columns):
                only = None  # a column is missing: the message is to show those there are
            kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
            columns = [
                duckdb.ColumnExpression(name)
                .cast("DOUBLE" if kind in _NUMBERS and name not in as_text else "VARCHAR")
                .alias(name)
                for name, kind in kinds.items()
                if name in as_text or (kind not in _NOT_TEXT and (only is None or name in only))
            ]
            frame: pd.DataFrame = relation.select(*columns).df()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"not a readable Parquet file: {reason}", str(path)) from None
    texts = [c for c in frame.columns if frame[c].dtype.kind != "f"]
    for column in texts:
        frame[column] = frame[column].fillna("").astype(str)
    frame.index = frame.index + 2  # as a spreadsheet numbers its rows
    return frame
