"""Attributes of neighbourhoods from a table of their own: one row a neighbourhood."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.register.rows import KNOWN, read_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.panel import Neighbourhood

_NAMES = ("neighbourhood", "area_name", "name")


def with_attributes(units: Sequence[Neighbourhood], path: Path) -> list[Neighbourhood]:
    """Return neighbourhoods with the further columns of their row; the file of areas wins.

    Parameters
    ----------
    units : as the file of areas gives them.
    path : CSV with a column `neighbourhood` (or `area_name`, `name`).

    Raises
    ------
    DataError
        No such column, a name in two rows, or a neighbourhood without a row.
    """
    table = read_records(path)
    columns, records = table.columns, table.records
    key = next((name for name in _NAMES if name in columns), None)
    if key is None:
        raise DataError(
            Problem(
                "no column says which neighbourhood a row is of.",
                f"{path}, line 1",
                f"Name one of: {', '.join(_NAMES)}.",
            )
        )
    rows: dict[str, dict[str, str]] = {}
    problems = []
    for record in records:
        name = record.values[key]
        if name in rows:
            problems.append(
                Problem(f"'{name}' is in two rows.", f"{path}, {record.place}", "Keep one.")
            )
        rows[name] = {k: v for k, v in record.values.items() if v and k not in (*KNOWN, key)}
    problems += [
        Problem(
            f"the neighbourhood '{unit.name}' has no row.",
            str(path),
            did_you_mean(unit.name, list(rows)) or "Add one; its cells may be empty.",
        )
        for unit in units
        if unit.name not in rows
    ]
    if problems:
        raise DataError(problems)
    return [replace(u, attributes={**rows[u.name], **u.attributes}) for u in units]
