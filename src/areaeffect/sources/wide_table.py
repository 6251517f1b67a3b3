"""Tables with a column for each period, turned into rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.periods import read_periods

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

    from areaeffect.study.model import PanelSource

_ANNOTATIONS = re.compile(r"(.+ - )?annotations?(\.\d+)?", re.IGNORECASE)
_SHOWN = 5


def lengthen(
    frame: pd.DataFrame, source: PanelSource, keys: Collection[str], path: Path, *, numbered: bool
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a wide table with a row for each area and period, and the result for its columns.

    Every column is a period, a column that the study names (a key), a column whose name holds no
    figure and that is left out by name, or refused.

    Raises
    ------
    DataError
        No column is named like a period; a column with figures in its name is none.
    """
    others = [c for c in frame.columns if c not in keys and not _ANNOTATIONS.fullmatch(c)]
    others = [c for c in others if c not in source.leave_out]
    dated = [c for c in others if re.search(r"\d", c)]
    read = read_periods(dated, source.periods, numbered=numbered) if dated else None
    periods = (
        [c for c, o in zip(dated, read.ordinals, strict=True) if o is not None] if read else []
    )
    if not periods and not (read and read.fault):
        raise DataError(
            Problem(
                "no column is named like a period.",
                str(path),
                "Name them '2012-04', '2012' or '7'.",
            )
        )
    bad = [c for c in dated if c not in periods and (read and not read.fault)]
    if bad:
        some = ", ".join(f"'{c}'" for c in bad[:_SHOWN]) + (
            " and others" if len(bad) > _SHOWN else ""
        )
        raise DataError(
            Problem(
                f"{len(bad)} columns are not periods like '{periods[0]}': {some}.",
                str(path),
                "Write every period alike, or list what is not a period: leave_out = [...].",
            )
        )
    found = {o: c for c, o in zip(dated, read.ordinals, strict=True)} if read else {}
    if len(found) < len(dated) and read and not read.fault:
        one = next(c for c, o in zip(dated, read.ordinals, strict=True) if found[o] != c)
        other = found[read.ordinals[dated.index(one)]]
        what = f"columns '{one}' and '{other}' are the same period."
        raise DataError(Problem(what, str(path), "Keep one, or add them up."))
    left = [c for c in others if c not in dated]
    notes = []
    if left:
        some = ", ".join(f"'{c}'" for c in left)
        notes.append(f"{path.name}: columns that are not periods were left out: {some}.")
    kept = [c for c in frame.columns if c in keys]
    values = dated if read and read.fault else periods
    numbers = [c for c in values if frame[c].dtype.kind == "f"]
    if len(numbers) < len(values):  # a Parquet file with numbers in one column, text in another
        texts = {c: frame[c].map(lambda x: "" if x != x else f"{x:.17g}") for c in numbers}  # noqa: PLR0124
        frame = frame.assign(**texts)
    long = frame.melt(  # the index stays that of the file, for messages
        id_vars=kept,
        value_vars=values,
        var_name="period",
        value_name="value",
        ignore_index=False,
    )
    return long, tuple(notes)
