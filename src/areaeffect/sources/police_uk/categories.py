"""The publisher's crime types; read without NumPy, because `ingest` starts with them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.outcomes import Break

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
    """Return the categories an outcome adds up; none asked, or 'all-crime', is all but ASB."""
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
    after = max(c.valid_to for c in labels)
    took_over = {c.category for c in read_categories() if c.was_in == category and c.valid_from > after}
    return took_over <= asked


def breaks_of(asked: tuple[str, ...]) -> tuple[Break, ...]:
    """Return the months from which a sum of categories no longer means what it meant before.

    All crimes together have no break: incidents only moved from one category to another.
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
