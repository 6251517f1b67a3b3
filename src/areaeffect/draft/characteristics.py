"""What a table with one row an area says of the areas: residents, and what to be alike in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.draft.guess import EXPOSURE, Guess, area_column, is_numeric
from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

_RANKED = re.compile(r"rank|decile|quintile|year|date", re.IGNORECASE)
_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """Columns of a table of characteristics, and what was guessed of them."""

    area: str
    residents: str | None
    covariates: tuple[str, ...]
    said: tuple[str, ...]


def characteristics_of(frame: pd.DataFrame, codes: Collection[str], path: Path) -> Characteristics:
    """Say which columns hold residents, and which ones benchmark areas are made alike in.

    Parameters
    ----------
    frame : one row for each area.
    codes : of the areas that have outcomes.
    path : of the table, for messages.

    Raises
    ------
    DataError
        Where it is not clear which column holds the areas, or no column holds numbers.
    """
    area = area_column(frame, codes, path)
    numeric = [str(c) for c in frame.columns if c != area and is_numeric(frame[c])]
    residents = next((c for c in numeric if EXPOSURE.search(c)), None)
    covariates = [c for c in numeric if not _RANKED.search(c)][:_MOST]
    if not covariates:
        what = "no column of the characteristics holds numbers"
        raise DataError(Problem(f"{what}.", str(path), "Leave the file out, or add some."))
    said = [f"Benchmark areas are made alike in {', '.join(covariates)}."]
    if residents:
        said.append(f"Counts are divided by '{residents}'.")
    return Characteristics(area=area, residents=residents, covariates=tuple(covariates), said=tuple(said))


def every_guess(found: Guess, about: Characteristics | None) -> tuple[str, ...]:
    """Return each guess in one sentence; what characteristics settle is not said of the table."""
    settled = about is not None and about.residents is not None
    own = found.said if settled or not found.divided else (*found.said, found.divided)
    return (*own, *about.said) if about else own
