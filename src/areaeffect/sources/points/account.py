"""The account of incidents: rows read are rows kept and rejected, and those that are unusual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from areaeffect.errors import first_few, number_of
from areaeffect.geography.boundaries import Boundaries
from areaeffect.periods import PeriodKind, label
from areaeffect.results import Bools, Floats, Ints
from areaeffect.sources.panel_periods import RARE, periods_copied
from areaeffect.sources.police_uk.rows import shorten

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
        """Count rows of one file whose fate is settled.

        Months and days are below zero where not known; a place is an area, or below zero the reason.
        `texts` are of the dates, by number.
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
            reason, here = REASONS[-1 - int(where)], np.flatnonzero(place == where)
            self.rejected[rows.file, reason] += len(here)
            here = here[np.argsort(rows.lines[here], kind="stable")][:LISTED]
            found = []
            for i in here.tolist():
                at = [f"{v:.10g}" if np.isfinite(v) else "" for v in (rows.x[i], rows.y[i])]
                written = label(int(months[i]), PeriodKind.MONTH) if months[i] >= 0 else ""
                text = shorten(", ".join([texts[rows.dates[i]], *at]))
                found.append((rows.file, int(rows.lines[i]), written, text))
            self._list(reason, found)

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


#: Odd numbers that mix the bits of coordinates, dates and categories.
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
#: One point with this share of all incidents, and this number, is a substitute for unknown places.
_SHARE, _FEWEST = 0.05, 200
_ROUNDINGS = (0, 1, 2, 3)
_SAMPLE = 1000
#: Reasons for which an incident has no place; how much their share of a year may change.
_WITHOUT_PLACE = {
    PLACE[r]
    for r in (
        Reason.NO_COORDINATES, Reason.UNREADABLE_COORDINATES, Reason.NO_DEGREES, Reason.SWAPPED
    )
}  # fmt: skip
_DRIFT, _FEWEST_IN_A_YEAR = 0.1, 100
_METRES_A_DEGREE = 111_000.0


@dataclass(slots=True)
class CoordinateSigns:
    """What coordinates look like as a whole: rows with numbers, and of these the odd ones."""

    given: int = 0  # rows with two numbers
    #: rows that are no degrees, that look like degrees although in metres, and that lie where the areas are
    #: only with their coordinates exchanged, or with another sign
    odd: Counter[str] = field(default_factory=Counter)
    sample: dict[str, Floats] = field(default_factory=dict)  # the first of each kind, (n, 2)

    def add(self, kind: str, points: Floats, here: Bools) -> None:
        """Count odd points of a kind."""
        n = int(here.sum())
        self.odd[kind] += n
        if n and kind not in self.sample:
            self.sample[kind] = points[here][:: max(1, n // _SAMPLE)][:_SAMPLE]


@dataclass(slots=True)
class Repeats:
    """What repeats among the incidents counted, collected piece by piece."""

    _keys: list[Ints] = field(default_factory=list)
    _months: list[Ints] = field(default_factory=list)
    _spots: list[Ints] = field(default_factory=list)
    _at: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, rows: Rows, months: Ints) -> None:
        """Add incidents that are counted, and the month of each."""
        if not len(months):
            return
        x, y = (np.ascontiguousarray(v, dtype=np.float64).view(np.uint64) for v in (rows.x, rows.y))
        spot = (x * _MIX[0]) ^ (y * _MIX[1])
        when = rows.dates.astype(np.uint64) * _MIX[2] + rows.categories.astype(np.uint64)
        values, first, n = np.unique(spot, return_index=True, return_counts=True)
        most = int(n.argmax())
        at = first[most]
        self._at[int(values[most])] = (float(rows.x[at]), float(rows.y[at]))
        self._spots.append(spot.view(np.int64))
        self._keys.append((spot ^ (when * _MIX[0])).view(np.int64))
        self._months.append(months)

    def copied(self) -> tuple[str, bool]:
        """Name the months of which every incident is there several times; '' where none is.

        And whether others are not so: that is no way of counting, but a mistake.
        """
        months = np.concatenate(self._months)
        found = periods_copied(np.concatenate(self._keys), months)
        labels = [label(month, PeriodKind.MONTH) for month in found]
        return first_few(labels), 2 * len(found) < len(np.unique(months))

    def notes(self) -> list[str]:
        """Say how many incidents equal another, and where too many lie at one point."""
        keys, spots = np.concatenate(self._keys), np.concatenate(self._spots)
        again = len(keys) - len(np.unique(keys))
        notes = []
        if months := self.copied()[0]:
            notes.append(f"Every incident of {months} is there several times, and each is counted.")
        if 0 < again <= RARE * len(keys):
            notes.append(
                f"{number_of(again, 'incident has', 'incidents have')} the date, category and "
                "coordinates of another, and are "
                "counted: they may be copies."
            )
        values, n = np.unique(spots, return_counts=True)
        most = int(n.argmax())
        if n[most] >= max(_FEWEST, _SHARE * len(spots)):
            x, y = self._at.get(int(values[most].astype(np.uint64)), (np.nan, np.nan))
            notes.append(
                f"{n[most]:,} of {len(spots):,} incidents lie at one point ({x:g}, {y:g}): it may "
                "be a substitute for places that are not known."
            )
        return notes


def _rounding_note(sample: Floats, width: float, *, is_degrees: bool) -> list[str]:
    """Say that coordinates, (n, 2), are rounded to more than areas are wide; `width` in metres."""
    units = sample if is_degrees else sample / 1000.0
    for digits in _ROUNDINGS:
        steps = units * 10.0**digits
        if not np.allclose(steps, np.round(steps), rtol=0, atol=1e-6):
            continue
        metres = (_METRES_A_DEGREE if is_degrees else 1000.0) / 10.0**digits
        if metres <= width / 2:
            return []
        return [
            f"Coordinates are rounded to about {metres:,.0f} metres, and an area is about "
            f"{width:,.0f} metres wide: many incidents are counted in a neighbouring area."
        ]
    return []


def coordinate_notes(
    seen_by_crs: Mapping[str, CoordinateSigns],
    by_month: Mapping[tuple[int, int], int],
    boundaries: Boundaries,
) -> list[str]:
    """Say what of the coordinates makes counts too low, or puts incidents into wrong areas."""
    import shapely
    from pyproj import CRS

    notes = []
    width = float(np.median(np.sqrt(shapely.area(boundaries.outlines))))
    for crs, seen in sorted(seen_by_crs.items()):
        if "given" in seen.sample:
            is_degrees = bool(CRS.from_user_input(crs).is_geographic)
            notes += _rounding_note(seen.sample["given"], width, is_degrees=is_degrees)
        if seen.odd["mirrored"]:
            what = "incidents would lie among the areas with another sign of their coordinates"
            notes.append(f"{seen.odd['mirrored']:,} {what}; they are not counted.")
    by_year: dict[int, list[int]] = {}
    for (month, place), n in by_month.items():
        year = by_year.setdefault(month // 12, [0, 0])
        year[0] += n
        year[1] += n if place in _WITHOUT_PLACE else 0
    shares = {y: lost / n for y, (n, lost) in by_year.items() if n >= _FEWEST_IN_A_YEAR}
    if shares and max(shares.values()) - min(shares.values()) > _DRIFT:
        low, high = (f(shares, key=lambda y: (shares[y], y)) for f in (min, max))
        notes.append(
            f"{shares[high]:.0%} of incidents in {high} have no usable coordinates, and "
            f"{shares[low]:.0%} in {low}: counts change with it, not only with what happened."
        )
    return notes
