"""Prices of one year in those of another, and what a later year counts for today."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import Problem, StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.results import Floats, Ints

DEFLATED = "GBP"
#: A financial year, April to March, has three quarters in its first calendar year.
_FIRST_YEAR_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Deflator:
    """A price index by calendar year.

    Parameters
    ----------
    title, status, attribution : what it is, how far it was checked, and its licence line.
    index : year to level.
    """

    title: str
    status: str
    attribution: str
    index: Mapping[int, float]

    def level(self, year: str) -> float | None:
        """Return the level of '2016' or of the financial year '2015/16'; None where unknown."""
        first = int(year[:4])
        if "/" not in year:
            return self.index.get(first)
        both = self.index.get(first), self.index.get(first + 1)
        if both[0] is None or both[1] is None:
            return None
        return _FIRST_YEAR_SHARE * both[0] + (1 - _FIRST_YEAR_SHARE) * both[1]


@cache
def deflator() -> Deflator:
    """Return the GDP deflator of the United Kingdom that comes with the program."""
    text = (files("areaeffect.value") / "gdp_deflator.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    index = {int(year): float(level) for year, level in content["index"].items()}
    return Deflator(content["title"], content["status"], content["attribution"], index)


def uprate(from_year: str, to_year: str, currency: str, where: str) -> float:
    """Return what prices of one year are multiplied with to be those of another.

    Raises
    ------
    StudyError
        A year that the deflator does not hold, or another currency than pounds.
    """
    if from_year == to_year:
        return 1.0
    if currency != DEFLATED:
        raise StudyError(
            Problem(
                f"prices of {from_year} in {currency} cannot be brought to {to_year}: the deflator "
                "is that of the United Kingdom.",
                where,
                "Give costs in the prices of `price_year`.",
            )
        )
    index = deflator()
    levels = [(year, index.level(year)) for year in (from_year, to_year)]
    unknown = [year for year, level in levels if level is None]
    if unknown:
        raise StudyError(
            Problem(
                f"there is no deflator for {' and '.join(unknown)}.",
                where,
                f"Years from {min(index.index)} to {max(index.index)} are known; a financial year "
                "such as 2015/16 needs both of its years.",
            )
        )
    before, after = (float(level) for _, level in levels if level is not None)
    return after / before


def discounted(amounts: Floats, years: Ints, base_year: int, rate: float) -> float:
    """Return the share of a stream's total that is left after discounting, one number.

    Parameters
    ----------
    amounts : (n_years,), at least one above zero.
    years : (n_years,), calendar years.
    base_year : the year in which an amount counts in full.
    rate : a year: a year later an amount counts 1 / (1 + rate) (Green Book, annex A6).
    """
    factors = (1.0 + rate) ** -(years - base_year).astype(np.float64)
    return float(amounts @ factors / amounts.sum())
