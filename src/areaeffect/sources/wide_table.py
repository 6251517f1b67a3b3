"""Tables with a column for each period, turned into rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.periods import kind_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from areaeffect.study.model import PanelSource


def lengthen(frame: pd.DataFrame, source: PanelSource, path: Path) -> pd.DataFrame:
    """Return a wide table with a row for each area and period.

    Raises
    ------
    DataError
        No column is named like a period.
    """
    periods = [c for c in frame.columns if c != source.area and kind_of(c) is not None]
    if not periods:
        raise DataError(
            Problem(
                "no column is named like a period.",
                str(path),
                "Name them '2012-04', '2012' or '7'.",
            )
        )
    kept = [c for c in frame.columns if c not in periods]
    numbers = [c for c in periods if frame[c].dtype.kind == "f"]
    if len(numbers) < len(periods):  # a Parquet file with numbers in one column, text in another
        texts = {c: frame[c].map(lambda x: "" if x != x else f"{x:.17g}") for c in numbers}  # noqa: PLR0124
        frame = frame.assign(**texts)
    return frame.melt(  # the index stays that of the file, for messages
        id_vars=kept,
        value_vars=periods,
        var_name="period",
        value_name="value",
        ignore_index=False,
    )
