"""Unit costs, each with a price year, a source and a status, and prices of one year in another's."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.results import Floats, Ints
from areaeffect.study.analysis import ALL_CRIME, NOT_VALUED
from areaeffect.tables.user_table import read_user_table, require_file

COLUMNS = ("item", "category", "label", "value", "low", "high", "currency", "price_year", "status", "source")
#: How far a line was checked, and the words for it.
STATUSES: Mapping[str, str] = {
    "verified": "checked against its source",
    "read": "read in a report of its source, not in the source itself",
    "own": "the user's own",
    "to be verified": "to be verified",
    "none": "no unit cost",
}
#: A cost with this status is never multiplied: nobody has read where it comes from.
UNVERIFIED = "to be verified"
ANTISOCIAL_BEHAVIOUR = "antisocial_behaviour"
NOT_CRIME = frozenset({ANTISOCIAL_BEHAVIOUR, "empty_homes"})
_PRICE_YEAR = re.compile(r"(19|20)\d{2}(/\d{2})?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCost:
    """What one incident costs."""

    #: item, category, label: its name, the police.uk category it belongs to, its name in print
    item: str
    category: str
    label: str
    value: float | None  # in `currency` at prices of `price_year`; None where no cost is known.
    #: low, high: its range; None where none is published.
    low: float | None
    high: float | None
    currency: str
    price_year: str
    #: status, source: how far it was checked, and where it stands
    status: str
    source: str

    @property
    def counts(self) -> bool:
        """Whether there is a cost, and somebody has read where it comes from."""
        return self.value is not None and self.status != UNVERIFIED

    @property
    def ends(self) -> tuple[float, float]:
        """Its range; the cost itself where none is published."""
        value = self.value or 0.0
        return (value if self.low is None else self.low, value if self.high is None else self.high)


@dataclass(frozen=True, slots=True)
class CostTable:
    """Unit costs by item, in the order of their file."""

    costs: Mapping[str, UnitCost]
    currency: str

    @property
    def categories(self) -> tuple[str, ...]:
        """Every category, `all_crime` first, that an outcome may be valued as."""
        return (ALL_CRIME, *dict.fromkeys(c.category for c in self.costs.values()))

    def items(self, category: str) -> tuple[str, ...]:
        """Return the items of a category, or of one item's name."""
        if category == ALL_CRIME:
            return tuple(i for i, c in self.costs.items() if c.category not in NOT_CRIME)
        own = tuple(i for i, c in self.costs.items() if c.category == category)
        return own or tuple(i for i in self.costs if i == category)


def read_costs(path: Path) -> CostTable:
    """Read a table of unit costs.

    Raises
    ------
    DataError
        With every fault: missing columns, values that are no numbers or negative, a cost without
        a price year, an unknown status, ranges upside down, items twice, several currencies.
    """
    require_file(path, "file of unit costs", "")
    frame = read_user_table(path, None, COLUMNS).frame
    missing = [c for c in COLUMNS if c not in frame.columns]
    if missing:
        fix = f"Columns: {', '.join(COLUMNS)}; leave cells empty where nothing is known."
        raise DataError([Problem(f"there is no column '{c}'.", f"{path}, line 1", fix) for c in missing])
    faults: list[Problem] = []
    costs: dict[str, UnitCost] = {}
    currencies: set[str] = set()
    for line, *cells in frame[list(COLUMNS)].itertuples(name=None):
        row = {k: cell.strip() for k, cell in zip(COLUMNS, cells, strict=True)}
        cost, wrong = _cost(row)
        if cost.item in costs:
            wrong.append((f"'{cost.item}' is there twice.", "One line an item."))
        faults += [Problem(what, f"{path}, line {line}", fix) for what, fix in wrong]
        costs[cost.item] = cost
        currencies.add(cost.currency)
    if len(currencies) > 1:
        what = f"the costs are in {' and '.join(sorted(currencies))}."
        faults.append(Problem(what, str(path), "Use one currency."))
    if faults:
        raise DataError(faults)
    return CostTable(costs, currencies.pop())


def _cost(row: Mapping[str, str]) -> tuple[UnitCost, list[tuple[str, str]]]:
    """Read one line, with every fault in it: what is wrong, and what to do."""
    wrong: list[tuple[str, str]] = []
    item, status, year = row["item"], row["status"], row["price_year"]
    numbers: dict[str, float | None] = {}
    for name in ("value", "low", "high"):
        text = row[name].replace(",", "").removeprefix("£").strip()
        try:
            number = float(text) if text else None
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            wrong.append((f"'{row[name]}' in {name} is not a number.", ""))
            number = None
        elif number is not None and number < 0:
            wrong.append((f"{name} is negative ({number:g}).", "A cost is 0 or more."))
            number = None
        numbers[name] = number
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if not _NAME.fullmatch(item) or item in {ALL_CRIME, NOT_VALUED}:
        wrong.append((f"'{item}' is not a name of an item.", "Lower case, digits and _."))
    if status not in STATUSES:
        fix = f"{did_you_mean(status, STATUSES)} Allowed: {', '.join(STATUSES)}.".strip()
        wrong.append((f"'{status}' is not a status.", fix))
    if status == "none" and value is not None:
        wrong.append(("status 'none' has a value.", "Leave `value` empty."))
    elif status != "none":
        if not row["value"]:
            wrong.append(("there is no value.", "Or write status 'none'."))
        if not _PRICE_YEAR.fullmatch(year):
            what = f"'{year}' is not a price year." if year else f"the cost of {item} has no price year."
            fix = "Write '2024' or the financial year '2015/16': a cost without one means nothing."
            wrong.append((what, fix))
        if not row["source"]:
            wrong.append((f"the cost of {item} has no source.", "Name it."))
    cost = UnitCost(
        item=item,
        category=row["category"] or item,
        label=row["label"] or item.replace("_", " "),
        value=value,
        low=low,
        high=high,
        currency=row["currency"] or "GBP",
        price_year=year,
        status=status,
        source=row["source"],
    )
    start, end = cost.ends
    if value is not None and not start <= value <= end:
        wrong.append((f"{value:g} does not lie from {start:g} to {end:g}.", ""))
    return cost, wrong


DEFLATED = "GBP"
#: A financial year, April to March, has three quarters in its first calendar year.
_FIRST_YEAR_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Deflator:
    """A price index by calendar year."""

    #: title, status, attribution: what it is, how far it was checked, and its licence line
    title: str
    status: str
    attribution: str
    index: Mapping[int, float]  # year to level

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
            f"prices of {from_year} in {currency} cannot be brought to {to_year}: the deflator "
            "is that of the United Kingdom.",
            where,
            "Give costs in the prices of `price_year`.",
        )
    index = deflator()
    levels = [(year, index.level(year)) for year in (from_year, to_year)]
    unknown = [year for year, level in levels if level is None]
    if unknown:
        raise StudyError(
            f"there is no deflator for {' and '.join(unknown)}.",
            where,
            f"Years from {min(index.index)} to {max(index.index)} are known; a financial year "
            "such as 2015/16 needs both of its years.",
        )
    return float(levels[1][1] or 0.0) / float(levels[0][1] or 1.0)


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
