"""The account of incidents: rows read are rows kept and rows rejected, each with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.periods import PeriodKind, label
from areaeffect.sources.police_uk.text import shorten

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats, Ints

#: Rows listed by file, line and reason, of each reason; every row is counted.
LISTED = 10_000


class Reason(Enum):
    """Why a row is not counted; the first that holds is its reason."""

    FIELDS = "the row has too few or too many fields"
    NO_DATE = "no date"
    UNREADABLE_DATE = "the date cannot be read"
    AMBIGUOUS_DATE = "ambiguous date"
    OUTSIDE_WINDOW = "outside the window"
    NO_COORDINATES = "no coordinates"
    UNREADABLE_COORDINATES = "the coordinates cannot be read"
    NO_DEGREES = "the coordinates are no longitude and latitude"
    SWAPPED = "longitude and latitude are swapped"
    OUTSIDE_AREAS = "outside all areas"


REASONS = tuple(Reason)
#: Place of a row that has no area, by reason: below zero, the areas being 0 and up.
PLACE = {reason: -1 - i for i, reason in enumerate(REASONS)}


def reason_at(place: int) -> Reason:
    """Return the reason of a place below zero."""
    return REASONS[-1 - place]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """Rows of one file, located."""

    file: int  # its position among the source's files
    #: lines, dates, categories: (n,), line of each, and numbers of its date and category
    lines: Ints
    dates: Ints
    categories: Ints
    place: Ints  # (n,), area, or below zero a reason
    #: x, y: (n,), as the file has them
    x: Floats
    y: Floats

    def of(self, here: Bools) -> Rows:
        """Return some of the rows."""
        return Rows(
            file=self.file,
            lines=self.lines[here],
            dates=self.dates[here],
            categories=self.categories[here],
            place=self.place[here],
            x=self.x[here],
            y=self.y[here],
        )


@dataclass(slots=True, kw_only=True)
class Account:
    """What became known of every row so far; the same in whatever order rows come."""

    kept: Counter[int] = field(default_factory=Counter)  # by file
    rejected: Counter[tuple[int, Reason]] = field(default_factory=Counter)  # by file and reason
    #: rows of the window's months with an area, and of each reason without; the month counted from year 0,
    #: and the place, 0 for any area.
    by_month: Counter[tuple[int, int]] = field(default_factory=Counter)
    of_month: Counter[int] = field(default_factory=Counter)  # rows with a date, by month, wherever they lie
    days: set[int] = field(default_factory=set)  # every day with an incident, counted from year 1
    _listed: dict[Reason, list[tuple[int, int, str, str]]] = field(default_factory=dict)

    def add_ragged(self, file: int, line: int, n: int) -> None:
        """Reject a row with the wrong number of fields."""
        self.rejected[file, Reason.FIELDS] += 1
        self._list(Reason.FIELDS, [(file, line, "", f"{n} fields")])

    def add(self, rows: Rows, months: Ints, days: Ints, place: Ints, texts: list[str]) -> None:
        """Count rows whose fate is settled.

        Parameters
        ----------
        rows : of one file.
        months, days : (n,), of each row; below zero where not known.
        place : (n,), area, or below zero the reason.
        texts : of the dates, by number.
        """
        self.kept[rows.file] += int((place >= 0).sum())
        dated = months >= 0
        for month, n in zip(*np.unique(months[dated], return_counts=True), strict=True):
            self.of_month[int(month)] += int(n)
        self.days.update(np.unique(days[days >= 0]).tolist())
        inside = dated & (place != PLACE[Reason.OUTSIDE_WINDOW])
        pairs = np.column_stack([months[inside], np.minimum(place[inside], 0)])
        for (month, where), n in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            self.by_month[int(month), int(where)] += int(n)
        for where in np.unique(place[place < 0]):
            reason, here = reason_at(int(where)), np.flatnonzero(place == where)
            self.rejected[rows.file, reason] += len(here)
            here = here[np.argsort(rows.lines[here], kind="stable")][:LISTED]
            self._list(reason, [_listed(rows, i, int(months[i]), texts) for i in here.tolist()])

    def _list(self, reason: Reason, found: list[tuple[int, int, str, str]]) -> None:
        listed = self._listed.setdefault(reason, [])
        listed += found
        if len(listed) > 2 * LISTED:
            listed.sort()
            del listed[LISTED:]

    def listed(self) -> list[tuple[int, int, str, str, Reason]]:
        """Return file, line, month, text and reason of rejected rows, the first of each reason."""
        return sorted(
            (*row, reason) for reason, rows in self._listed.items() for row in sorted(rows)[:LISTED]
        )


def _listed(rows: Rows, i: int, month: int, texts: list[str]) -> tuple[int, int, str, str]:
    at = [f"{v:.10g}" if np.isfinite(v) else "" for v in (rows.x[i], rows.y[i])]
    text = ", ".join([texts[rows.dates[i]], *at])
    written = label(month, PeriodKind.MONTH) if month >= 0 else ""
    return rows.file, int(rows.lines[i]), written, shorten(text)
