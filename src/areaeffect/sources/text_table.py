"""Reading a CSV or Parquet file as plain columns, whatever its encoding.

DuckDB reads; the encoding, the header and the delimiter are settled first, because an engine
that guesses the quoting can shift rows without an error.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from areaeffect.errors import DataError, Problem, did_you_mean, repeated

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

_SHOWN = 5
_NOT_TEXT = {"GEOMETRY", "BLOB"}
_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_NUMBERS |= {"UBIGINT", "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"}
_CSV_SUFFIXES = {".csv", ".tsv", ".txt"}


def read_text_table(
    path: Path, only: Collection[str] | None = None, as_text: Collection[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a file in file order: text columns, and Parquet's numbers as numbers.

    A missing text is the empty string, a missing number NaN.

    Parameters
    ----------
    path : CSV, TSV or Parquet.
    only : columns to keep where the file has them; None keeps all.
    as_text : columns that are codes or periods, even where they look like numbers.

    Returns
    -------
    frame, notes
        The table, and remarks on its encoding.

    Raises
    ------
    DataError
        Missing, empty or unreadable file; rows with too few or too many fields, by line.
    """
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise DataError(Problem("there is no such file.", str(path), near or "Check the path."))
    if path.suffix.lower() not in _CSV_SUFFIXES:
        return _load_parquet(path, only, as_text), ()
    raw = path.read_bytes()
    text, note = _decode(raw, path)
    header = next(csv.reader(io.StringIO(text.partition("\n")[0]), delimiter=_delimiter(text)), [])
    header = [column.strip() for column in header]
    if not any(header):
        raise DataError(Problem("the file is empty.", str(path), "It needs a header and rows."))
    twice = repeated(header)
    if twice:
        raise DataError(
            Problem(f"column '{twice[0]}' appears twice.", f"{path}, line 1", "Rename one.")
        )
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise DataError(Problem("there is a NUL byte.", f"{path}, line {line}", "Export it again."))
    if note == () and not raw.startswith(codecs.BOM_UTF8):
        return _load_csv(path, header, text, path), ()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "utf8.csv"
        copy.write_text(text, encoding="utf-8", newline="")
        return _load_csv(copy, header, text, path), note


def _decode(raw: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return raw.decode("utf-16"), (f"{path.name} is UTF-16; it was read as such.",)
        except UnicodeDecodeError:
            raise DataError(
                Problem("the file begins as UTF-16 but is not.", str(path), "Save it as UTF-8.")
            ) from None
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), (f"{path.name} is not UTF-8; it was read as Windows-1252.",)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            Problem("neither UTF-8 nor Windows-1252.", f"{path}, line {line}", "Save it as UTF-8.")
        ) from None


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _load_csv(file: Path, header: list[str], text: str, shown: Path) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")  # rows stay in file order
        columns = dict.fromkeys(header, "VARCHAR")
        query = (
            "SELECT * FROM read_csv($file, header = true, columns = $columns, delim = $delim, "
            "quote = '\"', escape = '\"', auto_detect = false, store_rejects = true)"
        )
        try:
            frame = connection.execute(
                query, {"file": str(file), "columns": columns, "delim": _delimiter(text)}
            ).df()
            rejects = connection.execute(
                "SELECT line, error_message FROM reject_errors ORDER BY line"
            ).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise DataError(Problem(f"the CSV cannot be read: {reason}", str(shown))) from None
    if rejects:
        first_of_line: dict[int, str] = {}
        for line, message in rejects:
            first_of_line.setdefault(line, message)
        raise DataError(
            [
                Problem(
                    f"{message.splitlines()[0].rstrip('.')}.",
                    f"{shown}, line {line}",
                    f"Every row needs {len(header)} fields.",
                )
                for line, message in list(first_of_line.items())[:_SHOWN]
            ]
        )
    if frame.empty:
        raise DataError(Problem("the file has a header but no rows.", str(shown)))
    return frame.fillna("").astype(str)


def _load_parquet(
    path: Path, only: Collection[str] | None, as_text: Collection[str]
) -> pd.DataFrame:
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
            raise DataError(Problem(f"not a readable Parquet file: {reason}", str(path))) from None
    texts = [c for c in frame.columns if frame[c].dtype.kind != "f"]
    for column in texts:
        frame[column] = frame[column].fillna("").astype(str)
    return frame
