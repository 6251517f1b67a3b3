"""Frozen records as tables: what a row holds is written once, with its type and its meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: An object of JSON or TOML, as it is read or will be written.
Json = dict[str, Any]
#: A row of a table by the names of its columns, as CSV is read and written.
Row = dict[str, Any]
Record = TypeVar("Record", bound="DataclassInstance")
_DATATYPES = {float: "number", int: "integer", bool: "boolean"}
_UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, CSV on the Web datatype ('string', 'number', …) and what it holds."""

    name: str
    datatype: str
    description: str

    @property
    def title(self) -> str:
        """The name in print."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table with typed columns, written as CSV on the Web."""

    name: str  # of its file, without ending: lower case and underscores
    title: str  # in print
    columns: tuple[Column, ...]  # name, type and meaning of each
    #: one tuple a row, in the order of the columns; None is an empty cell.
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]

    def records(self) -> list[Row]:
        """Return the rows by column name."""
        names = [c.name for c in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def described(meaning: str, default: Any = _UNSET) -> Any:
    """Return a dataclass field with what it means, as the table's description says it."""
    options = {} if default is _UNSET else {"default": default}
    return field(metadata={"meaning": meaning}, **options)


def columns_of(kind: type[Any], flat: Mapping[str, tuple[Column, ...]] | None = None) -> tuple[Column, ...]:
    """Return the columns of a record, in the order of its fields.

    Parameters
    ----------
    kind : of the record, a dataclass.
    flat : by name of a field that is no single cell, the columns it is laid out in.

    Raises
    ------
    KeyError
        Where any other field is no text, number, whole number or truth value, or has no meaning.
    """
    hints, flat = get_type_hints(kind), flat or {}
    columns: list[Column] = []
    for f in fields(kind):
        if f.name in flat:
            columns += flat[f.name]
        else:
            columns.append(Column(f.name, _datatype(hints[f.name]), f.metadata["meaning"]))
    return tuple(columns)


def table_of(name: str, title: str, kind: type[Record], rows: Iterable[Record]) -> DataTable:
    """Return records as a table; the kind is named, so that a table without rows has columns."""
    columns = columns_of(kind)
    cells = tuple(tuple(getattr(row, c.name) for c in columns) for row in rows)
    return DataTable(name, title, columns, cells)


def rows_of(table: DataTable, kind: type[Record]) -> list[Record]:
    """Return a table's rows as records of a kind; columns that the kind has not are left out."""
    own = {f.name for f in fields(kind)}
    kept = [(i, c.name) for i, c in enumerate(table.columns) if c.name in own]
    return [kind(**{name: row[i] for i, name in kept}) for row in table.rows]


def _datatype(hint: Any) -> str:
    """Return the datatype of a field, whether or not it may be None; an enum of texts is text."""
    parts = [part for part in get_args(hint) if part is not NoneType]
    bare = parts[0] if parts else hint
    return "string" if isinstance(bare, type) and issubclass(bare, str) else _DATATYPES[bare]
