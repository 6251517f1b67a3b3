"""The publisher's crime types, and which force published which month whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.outcomes import Break
from areaeffect.period_texts import parse_period
from areaeffect.periods import PeriodKind, label
from areaeffect.records import Json
from areaeffect.results import Bools
from areaeffect.sources.coverage import group_gaps

#: Offences only: anti-social behaviour is not a notifiable offence.
ALL_CRIME = "all-crime"
ANTISOCIAL_BEHAVIOUR = "anti-social-behaviour"


@dataclass(frozen=True, slots=True)
class Category:
    """One crime type of the publisher."""

    #: label, category: the publisher's name, and what it is called here
    label: str
    category: str
    #: valid_from, valid_to: months in which it was published; empty: it still is. Months before 2014 come
    #: from reports and were not checked on files.
    valid_from: str
    valid_to: str
    was_in: str  # the category that held its incidents before `valid_from`; empty where none did.


@cache
def read_categories() -> tuple[Category, ...]:
    """Read the table `categories.csv` beside this module."""
    text = files(__package__).joinpath("categories.csv").read_text(encoding="utf-8")
    return tuple(Category(**row) for row in csv.DictReader(text.splitlines()))


def choose(asked: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the categories an outcome adds up; none asked, or 'all-crime', is all but ASB.

    Raises
    ------
    DataError
        A category that is not in the table.
    """
    known = {c.category for c in read_categories()}
    crimes = known - {ANTISOCIAL_BEHAVIOUR}
    unknown = [a for a in asked if a not in known and a != ALL_CRIME]
    if unknown:
        allowed = sorted(known | {ALL_CRIME})
        raise DataError(
            [
                Problem(
                    f"there is no category '{a}'.",
                    where,
                    did_you_mean(a, allowed) or f"There are: {', '.join(allowed)}.",
                )
                for a in unknown
            ]
        )
    wide = not asked or ALL_CRIME in asked
    return tuple(sorted(set(asked) - {ALL_CRIME} | (crimes if wide else set())))


def months_published(asked: tuple[str, ...], months: tuple[str, ...]) -> tuple[bool, ...]:
    """Say for each month whether the sum of some categories was published in it.

    A category that was not yet, or no longer, published counts as published where the
    categories that held its incidents then are all in the sum.
    """
    return tuple(all(_is_in_sum(c, month, frozenset(asked)) for c in asked) for month in months)


@cache
def _is_in_sum(category: str, month: str, asked: frozenset[str]) -> bool:
    labels = [c for c in read_categories() if c.category == category]
    if any(c.valid_from <= month <= (c.valid_to or "9999-12") for c in labels):
        return True
    if month < min(c.valid_from for c in labels):
        before = labels[0].was_in
        return before in asked and _is_in_sum(before, month, asked)
    return _parts(category, max(c.valid_to for c in labels)) <= asked


def _parts(category: str, after: str) -> set[str]:
    """Return the categories that took incidents of another over after a month."""
    return {c.category for c in read_categories() if c.was_in == category and c.valid_from > after}


def breaks_of(asked: tuple[str, ...]) -> tuple[Break, ...]:
    """Return the months from which a sum of categories no longer means what it meant before.

    Parameters
    ----------
    asked : categories, from `choose`. All crimes together have no break: incidents only moved
        from one category to another.
    """
    known = read_categories()
    if {c.category for c in known} - {ANTISOCIAL_BEHAVIOUR} <= set(asked):
        return ()
    found: dict[str, list[str]] = {}
    for c in known:
        split = sorted(o.label for o in known if o.was_in == c.category)
        since = {o.valid_from for o in known if o.was_in == c.category and o.category not in asked}
        for month in since if c.category in asked else ():
            left = "', '".join(split)
            found.setdefault(month, []).append(
                f"incidents of '{c.label}' moved to categories of their own: '{left}'"
            )
        if c.valid_to and any(o.category == c.category and not o.valid_to for o in known):
            (new,) = (o for o in known if o.category == c.category and not o.valid_to)
            if c.category in asked:
                found.setdefault(new.valid_from, []).append(
                    f"'{c.label}' was replaced by '{new.label}', another list of offences"
                )
    return tuple(Break(month, "; ".join(why)) for month, why in sorted(found.items()))


def known_categories(asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a table's own categories that are the publisher's, by label or name."""
    names = {c.label.lower(): c.category for c in read_categories()}
    names |= {c.category: c.category for c in read_categories()}
    given = (names.get(" ".join(a.lower().split())) for a in asked)
    return tuple(sorted({c for c in given if c}))


#: A month of which more rows than this were rejected is not whole.
REJECTED_SHARE = 0.1
#: A category under this share of its trailing median was not published; falls are seldom so deep.
CATEGORY_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceMonth:
    """What one force's file of one month holds."""

    #: source, force, month: whose and when
    source: str
    force: str
    month: str
    status: str  # `complete`, `partial` (a residue, or many rows rejected) or `missing`
    #: rows_kept, rows_rejected: of the file that counts now; 0 where there is none.
    rows_kept: int = 0
    rows_rejected: int = 0
    not_located: int = 0  # rows kept that have no area
    why: str = ""  # why it is not complete; empty where it is.
    is_low: bool = False  # whether it is partial for its number of rows alone, which may be a real fall
    #: categories that the force has in its other months and all but lacks in this one
    lacks: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)


def force_months(manifest: Iterable[Json]) -> tuple[ForceMonth, ...]:
    """Derive the coverage table from the manifest's current files.

    A month that is absent between a force's first and last is missing; one under half of its
    trailing median is a residue; one that is whole but for a category lacks that category.
    """
    held: dict[tuple[str, str], dict[int, Json]] = {}
    for row in manifest:
        month = parse_period(str(row.get("month", "")), PeriodKind.MONTH)
        if row.get("status") == "current" and month is not None:
            held.setdefault((row["source"], row["force"]), {})[month] = row
    table = []
    for (source, force), months in sorted(held.items()):
        first, last = min(months), max(months)
        totals = np.full((1, last - first + 1), np.nan)
        for month, row in months.items():
            totals[0, month - first] = row["rows_kept"]
        residue = group_gaps(totals)[0]
        whole = {
            month: row for month, row in months.items() if not residue[month - first] and not _fault(row)
        }
        gaps = _category_gaps(whole, first, last)
        for month in range(first, last + 1):
            row = months.get(month, {})
            status, why = _fault(row) or ("complete", "")
            is_low = status == "complete" and bool(residue[month - first])
            if is_low:
                status, why = "partial", "under half of the months before"
            lacks = tuple(c for c, flagged in gaps.items() if flagged[month - first])
            table.append(
                ForceMonth(
                    source=source,
                    force=force,
                    month=label(month, PeriodKind.MONTH),
                    status=status,
                    rows_kept=row.get("rows_kept", 0),
                    rows_rejected=row.get("rows_rejected", 0),
                    not_located=row.get("not_located", 0),
                    why=f"without {', '.join(lacks)}" if lacks else why,
                    is_low=is_low,
                    lacks=lacks,
                )
            )
    return tuple(table)


def _fault(row: Json) -> tuple[str, str] | None:
    """Return status and reason of a month whose file says itself that it is not whole."""
    if not row:
        return "missing", "no file"
    kept, rejected = row["rows_kept"], row["rows_rejected"]
    if kept == 0:
        return "missing", "a file without a usable row"
    if rejected > REJECTED_SHARE * (kept + rejected):
        return "partial", f"{rejected} of {kept + rejected} rows were rejected"
    return None


def _category_gaps(whole: Mapping[int, Json], first: int, last: int) -> dict[str, Bools]:
    """Return for each category the months, from the first on, in which it was not published."""
    found = {}
    labels = tuple(label(month, PeriodKind.MONTH) for month in range(first, last + 1))
    for category in sorted({c for row in whole.values() for c in row["categories"]}):
        published = months_published((category,), labels)
        totals = np.full((1, len(labels)), np.nan)
        for month, row in whole.items():
            if published[month - first]:
                totals[0, month - first] = row["categories"].get(category, 0)
        found[category] = group_gaps(totals, CATEGORY_SHARE)[0]
    return found


def gaps_in(months: Iterable[ForceMonth]) -> str:
    """Write runs of months that are not whole: 'missing 2014-03 to 2014-05', 'without drugs …'."""
    runs = []
    for status, cells in groupby(months, lambda c: c.why if c.lacks else c.status):
        run = list(cells)
        if status != "complete":
            span = run[0].month if len(run) == 1 else f"{run[0].month} to {run[-1].month}"
            runs.append(f"{status} {span}")
    return "; ".join(runs) or "none"


def in_window(held: Sequence[ForceMonth], start: str, end: str) -> str:
    """Compare the months of a store with those of a study: 'YYYY-MM' both."""
    said = []
    for force, cells in groupby(held, lambda c: c.force):
        months = list(cells)
        first, last = months[0].month, months[-1].month
        inside = [c for c in months if start <= c.month <= end]
        lacks = []
        if not inside:
            lacks.append("nothing of the window")
        else:
            lacks += [f"nothing before {first}"] if start < first else []
            lacks += [f"nothing after {last}"] if end > last else []
            lacks += [gaps_in(inside)] if gaps_in(inside) != "none" else []
        said.append(f"{force} {first} to {last} ({'; '.join(lacks) or 'whole in the window'})")
    return ", ".join(said) or "of which the store holds nothing"
