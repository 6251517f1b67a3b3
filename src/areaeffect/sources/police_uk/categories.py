"""The publisher's crime types and what they are called here: data, not code."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

from areaeffect.errors import DataError, Problem, did_you_mean

#: Offences only: anti-social behaviour is not a notifiable offence.
ALL_CRIME = "all-crime"
ANTISOCIAL_BEHAVIOUR = "anti-social-behaviour"


@dataclass(frozen=True, slots=True)
class Category:
    """One crime type, with the months in which it was published (empty: still is).

    The months before 2014 come from reports and were not checked on files.
    """

    label: str
    category: str
    valid_from: str
    valid_to: str


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


def months_published(category: str, months: tuple[str, ...]) -> tuple[bool, ...]:
    """Say for each month whether a category was published in it under one of its labels."""
    spans = [
        (c.valid_from, c.valid_to or "9999-12") for c in read_categories() if c.category == category
    ]
    return tuple(any(a <= m <= b for a, b in spans) for m in months)
