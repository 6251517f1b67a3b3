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

COLUMNS = (
    "item",
    "category",
    "label",
    "value",
    "low",
    "high",
    "fiscal_share",
    "currency",
    "price_year",
    "status",
    "source",
)
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
    fiscal_share: float | None  # part of it that falls on public services; None where not known.
    currency: str
    price_year: str
    #: status, source: how far it was checked, and where it stands
    status: str
    source: str

    @property
    def counts(self) -> bool:
        """Whether there is a cost, and somebody has read where it comes from."""
        return self.value is not None and self.status != UNVERIFIED


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


def own_costs(path: Path) -> CostTable:
    """Read a study's table of unit costs; raise DataError with every fault."""
    require_file(path, "file of unit costs", "")
    return read_costs(path, str(path))


def read_costs(path: Path, name: str) -> CostTable:
    """Read a table of unit costs; `name` is what messages call it.

    Raises
    ------
    DataError
        With every fault: missing columns, values that are no numbers or negative, a cost without
        a price year, an unknown status, ranges upside down, items twice, several currencies.
    """
    frame = read_user_table(path, None, COLUMNS).frame
    missing = [c for c in COLUMNS if c not in frame.columns]
    if missing:
        fix = f"Columns: {', '.join(COLUMNS)}; leave cells empty where nothing is known."
        raise DataError([Problem(f"there is no column '{c}'.", f"{name}, line 1", fix) for c in missing])
    problems: list[Problem] = []
    costs: dict[str, UnitCost] = {}
    currencies: set[str] = set()
    for line, *cells in frame[list(COLUMNS)].itertuples(name=None):
        where = f"{name}, line {line}"
        row = {k: cell.strip() for k, cell in zip(COLUMNS, cells, strict=True)}
        cost, faults = _cost(row, where)
        if cost.item in costs:
            faults.append(Problem(f"'{cost.item}' is there twice.", where, "One line an item."))
        problems += faults
        costs[cost.item] = cost
        currencies.add(cost.currency)
    if len(currencies) > 1:
        problems.append(
            Problem(f"the costs are in {' and '.join(sorted(currencies))}.", name, "Use one currency.")
        )
    if problems:
        raise DataError(problems)
    return CostTable(costs, currencies.pop())


def _cost(row: Mapping[str, str], where: str) -> tuple[UnitCost, list[Problem]]:
    """Read one line, with every fault in it."""
    problems: list[Problem] = []
    numbers = {k: _number(row, k, where, problems) for k in ("value", "low", "high")}
    share = _number(row, "fiscal_share", where, problems)
    if share is not None and share > 1:
        problems.append(Problem(f"fiscal_share is {share:g}.", where, "It is a share: 0 to 1."))
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if not _NAME.fullmatch(row["item"]) or row["item"] in {ALL_CRIME, NOT_VALUED}:
        problems.append(
            Problem(f"'{row['item']}' is not a name of an item.", where, "Lower case, digits and _.")
        )
    if row["status"] not in STATUSES:
        near = did_you_mean(row["status"], STATUSES)
        allowed = f"Allowed: {', '.join(STATUSES)}."
        problems.append(Problem(f"'{row['status']}' is not a status.", where, f"{near} {allowed}".strip()))
    problems += _of_value(row, value, where)
    if value is not None:
        ends = (low if low is not None else value, high if high is not None else value)
        if not ends[0] <= value <= ends[1]:
            problems.append(Problem(f"{value:g} does not lie from {ends[0]:g} to {ends[1]:g}.", where))
    cost = UnitCost(
        item=row["item"],
        category=row["category"] or row["item"],
        label=row["label"] or row["item"].replace("_", " "),
        value=value,
        low=low,
        high=high,
        fiscal_share=share,
        currency=row["currency"] or "GBP",
        price_year=row["price_year"],
        status=row["status"],
        source=row["source"],
    )
    return cost, problems


def _of_value(row: Mapping[str, str], value: float | None, where: str) -> list[Problem]:
    """Check that a value, a price year and a status belong together."""
    if row["status"] == "none":
        if value is None:
            return []
        return [Problem("status 'none' has a value.", where, "Leave `value` empty.")]
    problems = []
    if not row["value"]:
        problems.append(Problem("there is no value.", where, "Or write status 'none'."))
    if not _PRICE_YEAR.fullmatch(row["price_year"]):
        what = f"the cost of {row['item']} has no price year"
        if row["price_year"]:
            what = f"'{row['price_year']}' is not a price year"
        fix = "Write '2024' or the financial year '2015/16': a cost without one means nothing."
        problems.append(Problem(f"{what}.", where, fix))
    if not row["source"]:
        problems.append(Problem(f"the cost of {row['item']} has no source.", where, "Name it."))
    return problems


def _number(row: Mapping[str, str], name: str, where: str, problems: list[Problem]) -> float | None:
    text = row[name].replace(",", "").removeprefix("£").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems.append(Problem(f"'{row[name]}' in {name} is not a number.", where))
        return None
    if value < 0:
        problems.append(Problem(f"{name} is negative ({value:g}).", where, "A cost is 0 or more."))
        return None
    return value


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
