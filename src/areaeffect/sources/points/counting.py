"""Incidents to areas and periods: read, dated, located and counted piece by piece.

Each text of a date is read once, and one decision is made on whether the day comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError
from areaeffect.geography.overlay import MOST_DEGREES, Locator, projected, within_box
from areaeffect.periods import months_of_date
from areaeffect.sources.points.account import PLACE, Account, CoordinateSigns, Reason, Repeats, Rows
from areaeffect.sources.points.files import ROWS_AT_ONCE, Piece, pieces_of
from areaeffect.tables.cells import picked

if TYPE_CHECKING:
    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.geography.overlay import Box
    from areaeffect.periods import Periods
    from areaeffect.results import Bools, Floats, Ints
    from areaeffect.study.source_kinds import PointsSource

#: No column of dates holds more texts: a century of days, written in five ways.
_MOST_TEXTS = 200_000
#: No date has more characters; the patterns below would take minutes over a cell of a hundred thousand.
_LONGEST = 100
_TIME = re.compile(
    r"[ t]+\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?"
    r"( ?(z|utc|gmt|[+-]\d{2}(:?\d{2})?))?$",
    re.IGNORECASE,
)
#: Where a text has its day of the month: year first, compact, day named first.
_YEAR_FIRST = re.compile(r"\d{4}[-/.]\d\d?[-/.](\d\d?)")
_COMPACT = re.compile(r"\d{6}(\d\d)")
_NAMED = re.compile(r"(\d\d?)[-/. ][^\W\d]+\W?[-/. ]?\d+")
_MONTH_NAMED_FIRST = re.compile(r"([^\W\d]+)\.? (\d\d?),? (\d{4})")
_EITHER = re.compile(r"(\d\d?)([-/.])(\d\d?)\2\d{4}")
NONE = -1


def without_time(text: str) -> str:
    """Return a date without its time of day; the date is taken as it is written."""
    if len(text) > 13 and text[13] == ":" and text[10] in " T":  # noqa: PLR2004
        return text[:10]
    text = text.strip()
    has_time = len(text) <= _LONGEST and (":" in text or "." in text)
    return _TIME.sub("", text) if has_time else text


class Numbering(dict[str, int]):
    """Gives every new text the next number."""

    def __missing__(self, text: str) -> int:
        self[text] = code = len(self)
        return code


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Decided:
    """What each text was taken as."""

    #: months, days: (n_texts,); `NONE` where it is no date, or not known.
    months: Ints
    days: Ints
    ambiguous: Bools  # (n_texts,), texts that may be two dates
    both: Ints  # (n_texts, 2), the months of each text with the day first and with the month first
    texts: tuple[str, ...]  # the texts
    note: str  # what was decided, where texts alone did not say it


class DateTexts:
    """The different dates of the files of a source.

    Their form is 'day first', 'month first', or None where the texts are to show it.
    """

    def __init__(self, form: str | None) -> None:
        self._form = form
        self._codes = Numbering()
        self._read: list[tuple[tuple[int, int], tuple[int, int]]] = []

    def codes(self, texts: list[str], where: str) -> Ints:
        """Return the number of each text without its time; refuse far more texts than there are days."""
        codes = self._codes
        found = np.array([codes[without_time(t)] for t in texts], dtype=np.int64)
        if len(codes) > _MOST_TEXTS:
            some = list(codes)[-1]
            what = f"the column of dates holds over {_MOST_TEXTS:,} different texts, as '{some}'."
            raise DataError(what, where, "Name the column with the date of the incident.")
        return found

    def texts(self) -> list[str]:
        """Return the texts in the order of their numbers."""
        return list(self._codes)

    def readings(self) -> tuple[Ints, Ints]:
        """Return what the texts met so far mean: months and days, (n_texts, 2) each.

        Months are counted from year 0 and days from year 1, with the day first and with the month
        first; `NONE` where it is no date, or the day is not known.
        """
        texts = self.texts()
        self._read += [_read(t) for t in texts[len(self._read) :]]
        both = np.array(self._read, dtype=np.int64).reshape(-1, 2, 2)
        if self._form is not None:
            both = both[:, [int(self._form == "month first")] * 2]
        return both[:, :, 0], both[:, :, 1]

    def decide(self) -> Decided:
        """Say for every text which date it is, from all of them.

        A column whose texts all can be read in one way only, such as '25/12/2012' with the day
        first, is read so throughout; where that does not settle it, a text with two readings is
        ambiguous.
        """
        (months, days), texts = self.readings(), self.texts()
        is_open = months[:, 0] != months[:, 1]
        has = months != NONE
        only = [np.flatnonzero(has[:, i] & ~has[:, 1 - i]) for i in (0, 1)]
        firsts = all(re.match(r"0?1\D", texts[i]) for i in np.flatnonzero(is_open))
        way = None
        if is_open.any() and not (len(only[0]) and len(only[1])):
            way = 0 if len(only[0]) else 1 if len(only[1]) else 0 if firsts else None
        taken = np.where(has[:, 0], 0, 1) if way is None else np.full(len(texts), way)
        note = ""
        if way is not None:
            shown = texts[only[way][0]] if len(only[way]) else texts[int(is_open.argmax())]
            named = ("the day first", "the month first")[way]
            note = f"dates are read with {named}, as '{shown}' is written."
        every = np.arange(len(texts))
        return Decided(
            months=months[every, taken],
            days=days[every, taken],
            ambiguous=is_open & has.all(axis=1) & (way is None),
            both=months,
            texts=tuple(texts),
            note=note,
        )


def _read(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return month and day of a text with the day first, and with the month first."""
    if len(text) > _LONGEST:
        return (NONE, NONE), (NONE, NONE)
    text = _MONTH_NAMED_FIRST.sub(r"\2 \1 \3", text)  # 'January 8, 2020'
    first, second = months_of_date(text)
    either = _EITHER.fullmatch(text)
    if either:
        return _dated(first, int(either[1])), _dated(second, int(either[3]))
    one = next((m for p in (_YEAR_FIRST, _COMPACT, _NAMED) if (m := p.fullmatch(text))), None)
    found = _dated(first, int(one[1]) if one else None)
    return found, found


def _dated(month: int | None, day: int | None) -> tuple[int, int]:
    if month is None or day is None:
        return NONE if month is None else month, NONE
    try:
        return month, date(month // 12, month % 12 + 1, day).toordinal()
    except ValueError:  # 31 April
        return NONE, NONE


#: Metres: what published coordinates are rounded to, and more than projecting moves a border.
SLACK = 1.0
#: More categories than this are no categories.
_MOST_CATEGORIES = 50_000
_PENDING = 4_000_000
#: Signs that are easily mistaken.
_SIGNS = ((-1, 1), (1, -1), (-1, -1))
#: The box of the areas is looked at with so much of its size around it.
_AROUND = 0.25


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counted:
    """Incidents counted."""

    account: Account  # of every row
    seen: dict[str, CoordinateSigns]  # of the coordinates, by reference system
    repeats: Repeats  # what is there more than once
    categories: list[str]  # texts of the categories, by number
    dates: Decided  # what the dates were taken as
    notes: tuple[str, ...]  # how files were read
    _keys: Ints
    _counts: Ints

    def of(self, category: Sequence[str], n_areas: int, periods: Periods, where: str) -> Floats:
        """Return (n_areas, n_periods) counts of some categories; none means all incidents."""
        place, code = np.divmod(self._keys, _MOST_CATEGORIES)
        use = np.ones(len(place), dtype=bool)
        if category:
            use = np.isin(
                code, np.flatnonzero(picked(np.array(self.categories), category, "category", where))
            )
        total = np.bincount(place[use], self._counts[use], minlength=n_areas * periods.n)
        return total.reshape(n_areas, periods.n).astype(np.float64)


def count_points(
    paths: Sequence[Path],
    source: PointsSource,
    boundaries: Boundaries,
    periods: Periods,
    rows: int = ROWS_AT_ONCE,
) -> Counted:
    """Read files of incidents and count them by area, period and category.

    A point on a border belongs to the first of the `boundaries`. `rows` are read at once; nothing
    that is returned depends on it.
    """
    counter = _Counter(source, boundaries, periods)
    with ThreadPoolExecutor(1) as worker:  # a piece is located while the next is read
        waiting: tuple[Rows, Future[Ints]] | None = None
        pieces = ((i, piece) for i, path in enumerate(paths) for piece in pieces_of(path, source, rows))
        for file, piece in pieces:
            read = counter.read(file, piece, str(paths[file]))
            future = worker.submit(counter.locate, read, piece.crs)
            if waiting is not None:
                counter.settle(waiting[0], waiting[1].result())
            waiting = (read, future)
        if waiting is not None:
            counter.settle(waiting[0], waiting[1].result())
    return counter.counted()


class _Counter:
    """Rows on their way to counts."""

    def __init__(self, source: PointsSource, boundaries: Boundaries, periods: Periods) -> None:
        import shapely

        self._periods = periods
        self._first = periods.kind.first_month(periods.first)
        self._last = periods.kind.first_month(periods.first + periods.n) - 1
        self._period_of = np.repeat(np.arange(periods.n), periods.kind.months)
        self._dates, self._categories = DateTexts(source.dates), Numbering()
        self._locator, self._crs = Locator(boundaries.outlines, SLACK), boundaries.crs
        west, south, east, north = map(float, shapely.total_bounds(boundaries.outlines))
        self._bounds = (west, south, east, north)
        self._boxes: dict[str, tuple[Box, bool]] = {}
        self._seen: dict[str, CoordinateSigns] = {}
        self._account = Account()
        self._open: list[Rows] = []
        self._pending: list[Ints] = []
        self._keys, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._notes: dict[str, None] = {}
        self._repeats = Repeats()

    def read(self, file: int, piece: Piece, where: str) -> Rows:
        """Number a piece's dates and categories, and take out the rows that are no rows."""
        self._notes.update(dict.fromkeys(piece.notes))
        for line, n in piece.ragged:
            self._account.add_ragged(file, line, n)
        categories = self._categories
        codes = np.array([categories[c] for c in piece.categories], dtype=np.int64)
        if len(categories) > _MOST_CATEGORIES:
            what = f"the column of categories holds over {_MOST_CATEGORIES:,} different texts."
            raise DataError(what, where, "Name another column, or none.")
        dates = self._dates.codes(piece.dates, where)
        place = np.zeros(len(dates), dtype=np.int64)
        return Rows(
            file=file, lines=piece.lines, dates=dates, categories=codes, place=place, x=piece.x, y=piece.y
        )

    def locate(self, rows: Rows, crs: str) -> Ints:
        """Return the area of each row, or below zero why it has none."""
        if crs not in self._boxes:
            self._boxes[crs] = _box_in(self._bounds, self._crs, crs)
            self._seen[crs] = CoordinateSigns()
        box, is_degrees = self._boxes[crs]
        points = np.column_stack([rows.x, rows.y])
        none = np.isnan(points).any(axis=1)
        if not within_box(np.zeros((1, 2)), box)[0]:
            none |= (points == 0).all(axis=1)  # how many files write an unknown place
        place = np.full(len(points), PLACE[Reason.OUTSIDE_AREAS])
        place[none] = PLACE[Reason.NO_COORDINATES]
        wrong = np.asarray(~none & np.isinf(points).any(axis=1))
        place[wrong] = PLACE[Reason.UNREADABLE_COORDINATES]
        given = ~none & ~wrong
        swapped = given & within_box(points[:, ::-1], box) & ~within_box(points, box)
        beyond = np.asarray(given & (np.abs(points) > MOST_DEGREES).any(axis=1))
        mirrored = np.any([within_box(points * signs, box) for signs in _SIGNS], axis=0)
        seen = self._seen[crs]
        seen.given += int(given.sum())
        seen.add("swapped", points, swapped)
        seen.add("beyond", points, beyond & ~swapped)
        seen.add("mirrored", points, given & mirrored & ~within_box(points, box))
        seen.add("small", points, given & ~beyond)
        seen.add("given", points, given)
        seen.add("outside", points, given & ~within_box(points, box))
        if is_degrees:
            place[beyond] = PLACE[Reason.NO_DEGREES]
            place[swapped] = PLACE[Reason.SWAPPED]
        here = np.flatnonzero(given & within_box(points, box))
        if len(here):
            # published points are snapped to a map and repeat: each is looked for once
            different, which = np.unique(points[here] @ [1, 1j], return_inverse=True)
            at = projected(np.column_stack([different.real, different.imag]), crs, self._crs)
            found = self._locator.areas(at)[which]
            place[here] = np.where(found < 0, PLACE[Reason.OUTSIDE_AREAS], found)
        return place

    def settle(self, rows: Rows, place: Ints) -> None:
        """Count the rows whose date can be read in one way; keep the others until the end."""
        rows = replace(rows, place=place)
        months, days = self._dates.readings()
        is_open = (months[:, 0] != months[:, 1])[rows.dates]
        if is_open.any():
            self._open.append(rows.of(is_open))
            rows = rows.of(~is_open)
        self._settle(rows, months[:, 0], days[:, 0], np.zeros(len(months), dtype=bool))

    def _settle(self, rows: Rows, months: Ints, days: Ints, ambiguous: Bools) -> None:
        texts = self._dates.texts()
        month, day = months[rows.dates], days[rows.dates]
        blank = np.array([not t for t in texts], dtype=bool)[rows.dates]
        place = rows.place.copy()
        outside = (month < self._first) | (month > self._last)
        place[outside] = PLACE[Reason.OUTSIDE_WINDOW]
        place[month == NONE] = PLACE[Reason.UNREADABLE_DATE]
        place[blank] = PLACE[Reason.NO_DATE]
        unclear = ambiguous[rows.dates]
        place[unclear] = PLACE[Reason.AMBIGUOUS_DATE]
        month, day = np.where(unclear, NONE, month), np.where(unclear, NONE, day)
        self._account.add(rows, month, day, place, texts)
        kept = place >= 0
        self._repeats.add(rows.of(kept), month[kept])
        period = self._period_of[month[kept] - self._first]
        key = (place[kept] * self._periods.n + period) * _MOST_CATEGORIES + rows.categories[kept]
        self._pending.append(key)
        if sum(map(len, self._pending)) > _PENDING:
            self._fold()

    def _fold(self) -> None:
        keys = np.concatenate([self._keys, *self._pending])
        counts = np.concatenate([self._counts, np.ones(len(keys) - len(self._keys), dtype=np.int64)])
        self._keys, where = np.unique(keys, return_inverse=True)
        self._counts = np.bincount(where, counts, minlength=len(self._keys)).astype(np.int64)
        self._pending = []

    def counted(self) -> Counted:
        """Decide what dates with two readings mean, and add everything up."""
        decided = self._dates.decide()
        for rows in self._open:
            self._settle(rows, decided.months, decided.days, decided.ambiguous)
        self._fold()
        return Counted(
            account=self._account,
            seen=self._seen,
            repeats=self._repeats,
            categories=list(self._categories),
            dates=decided,
            notes=tuple(self._notes),
            _keys=self._keys,
            _counts=self._counts,
        )


def _box_in(bounds: Box, crs: str, own: str) -> tuple[Box, bool]:
    """Return the box of the areas, with some of its size around it, in the points' own system."""
    from pyproj import CRS, Transformer

    moved = Transformer.from_crs(crs, own, always_xy=True).transform_bounds(*bounds)
    west, south, east, north = moved
    wide, high = _AROUND * (east - west), _AROUND * (north - south)
    box = (west - wide, south - high, east + wide, north + high)
    return box, bool(CRS.from_user_input(own).is_geographic)
