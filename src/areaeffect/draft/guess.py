"""What the columns of a table are, and the study drafted from them, each guess beside what it settled.

Every guess is said. Where two columns could be the same thing, the guess is refused and the
option that settles it is named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, first_few
from areaeffect.periods import PeriodKind, PeriodReading, kind_of, label, read_periods
from areaeffect.tables.cells import plain_code, read_numbers

if TYPE_CHECKING:
    from areaeffect.outcomes import FamilyName
    from areaeffect.results import Floats

#: A column holds areas where at least this share of the listed areas is in it.
_LEAST_SHARE = 0.5
_FEWEST_PERIODS, _FEWEST_ROWS = 3, 10
_MOST_CATEGORIES = 60
_AREA = re.compile(r"(lsoa|msoa|area|ward|lad|output.?area|geography|zone|district).*|.*code.*|id", re.I)
EXPOSURE = re.compile(r"population|residents|persons|people|dwellings|households|homes_all|stock", re.I)
_PLACE = re.compile(r"(lat|lon|long|latitude|longitude|easting|northing|x|y)", re.IGNORECASE)
#: Words in a column's name, and the family they speak of; the first that fits is taken.
_FAMILIES: tuple[tuple[str, FamilyName], ...] = (
    (r"\basb\b|anti.?social", "antisocial_behaviour"),
    (r"damage|arson|vandal", "criminal_damage"),
    (r"empty|vacant", "empty_homes"),
    (r"fly.?tip|litter|graffiti|environment|green", "environment"),
    (r"trust|belong|lonel|neighbour|cohesion", "social_relationships"),
    (r"crime|theft|burgl|robb|violen|offen[cs]e|incident|weapon|drug", "crime"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedOutcome:
    """One outcome of a drafted study: its column, and what is taken of it."""

    column: str
    name: str
    label: str
    family: FamilyName
    kind: Literal["count", "score"]
    better: Literal["lower", "higher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a table was taken for."""

    #: area, period: columns; no period where there is a column for each.
    area: str
    period: str | None
    category: str | None  # column whose values are added up; None where there is none.
    #: first, last: first and last period
    first: str
    last: str
    outcomes: tuple[GuessedOutcome, ...]  # what is measured
    exposure: str | None  # column with residents or dwellings; None: counts are compared as they are.
    divided: str  # what counts are divided by, in one sentence; empty for a column for each period.
    said: tuple[str, ...]  # every other guess in one sentence


def guess(frame: pd.DataFrame, listed: Collection[str], start: str, path: Path) -> Guess:
    """Say what the columns of a table are.

    Parameters
    ----------
    frame : the table, as text or numbers.
    listed : codes of the initiative's areas; may be empty where they are drawn.
    start : of the initiative, as written: its kind decides between numbers and years.
    path : of the table, for messages.

    Raises
    ------
    DataError
        Where no column, or more than one, could hold the areas, the periods or a number.
    """
    columns = [str(c) for c in frame.columns]
    area = area_column(frame, listed, path)
    wide = read_periods([c for c in columns if _is_period(c)])
    said = [f"'{area}' holds the areas."]
    if wide.kind is not None and len(wide.ordinals) >= _FEWEST_PERIODS:
        ordinals = [o for o in wide.ordinals if o is not None]
        ends = label(min(ordinals), wide.kind), label(max(ordinals), wide.kind)
        outcome = _outcome("value", path.stem, [frame[c] for c in columns if _is_period(c)])
        said.append(f"There is a column for each period, {ends[0]} to {ends[1]}.")
        return Guess(
            area=area, period=None, category=None, first=ends[0], last=ends[1],
            outcomes=(outcome,), exposure=None, divided="", said=(*said, _words(outcome)),
        )  # fmt: skip
    period, reading = _period_column(frame, area, start, path)
    ordinals = [o for o in reading.ordinals if o is not None]
    if reading.kind is None:  # `_period_column` has refused it
        raise AssertionError
    ends = label(min(ordinals), reading.kind), label(max(ordinals), reading.kind)
    said.append(f"'{period}' holds the periods, {ends[0]} to {ends[1]}.")
    rest = [c for c in columns if c not in {area, period} and not _PLACE.fullmatch(c)]
    numeric = [c for c in rest if is_numeric(frame[c])]
    exposure = next((c for c in numeric if EXPOSURE.search(c)), None)
    asked = {c: _no_measure(frame, c, area, period, listed) for c in numeric if not EXPOSURE.search(c)}
    said += [f"'{c}' {why}, so it is not measured." for c, why in asked.items() if why]
    values = [c for c, why in asked.items() if not why]
    if not values:
        what = "no column holds numbers to measure."
        raise _refused(what, path, columns)
    repeated = bool(frame.duplicated([area, period]).any())
    category = _category(frame, [c for c in rest if c not in numeric]) if repeated else None
    if category is not None:
        said.append(f"The numbers of each '{category}' are added up.")
    divided = "Nothing says how many people live there, so counts are compared as they are."
    if exposure is not None:
        divided = f"Counts are divided by '{exposure}'."
    outcomes = tuple(_outcome(c, c, [frame[c]]) for c in values)
    return Guess(
        area=area, period=period, category=category, first=ends[0], last=ends[1],
        outcomes=outcomes, exposure=exposure, divided=divided,
        said=(*said, *map(_words, outcomes)),
    )  # fmt: skip


def _no_measure(frame: pd.DataFrame, column: str, area: str, period: str, listed: Collection[str]) -> str:
    """Return why a column of numbers is no outcome; empty where it may be one."""
    numbers = pd.Series(_numbers(frame[column]), index=frame.index)
    if len(numbers) >= _FEWEST_ROWS and (numbers.diff().iloc[1:] > 0).all():
        return "numbers the rows"
    for key, other, what in ((area, period, "period of an area"), (period, area, "area in a period")):
        if (
            min(numbers.nunique(), frame[other].nunique()) > 1
            and (numbers.groupby(frame[key]).nunique(dropna=False) == 1).all()
        ):
            return f"is the same in every {what}"
    wanted = {plain_code(c).upper() for c in listed}
    marked = {plain_code(str(v)).upper() for v in frame[area][numbers == 1].unique()}
    if wanted and set(numbers.unique()) == {0.0, 1.0} and marked <= wanted:
        return "marks the areas of the list"
    return ""


def area_column(frame: pd.DataFrame, listed: Collection[str], path: Path) -> str:
    """Return the column that holds the areas: most of those listed, else the one named so.

    Raises
    ------
    DataError
        Where there is none, or more than one.
    """
    wanted = {plain_code(str(c)).upper() for c in listed}
    shares = {}
    for column in frame.columns:
        held = {plain_code(str(v)).upper() for v in frame[column].unique()}
        shares[str(column)] = len(wanted & held) / len(wanted) if wanted else 0.0
    best = max(shares.values(), default=0.0)
    named = [c for c in shares if _AREA.fullmatch(c)]
    chosen = next((c for c, share in shares.items() if best and share == best), "")
    # A spreadsheet drops zeros at the front of codes, and what is left may equal some counts.
    for column in named if wanted and chosen not in named else ():
        cut = {v: v.lstrip("0") for v in map(str, frame[column].unique()) if v.startswith("0")}
        if found := next((v for v, short in cut.items() if short in wanted), ""):
            what = f"'{cut[found]}' of the list seems to be '{found}' of '{column}' without its zeros."
            raise _refused(what, path, shares)
    if best >= _LEAST_SHARE:
        return chosen
    if wanted:
        what = f"no column holds the areas of the list ({first_few(sorted(wanted))})."
        raise _refused(what, path, shares)
    if len(named) != 1:
        what = "it is not clear which column holds the areas."
        raise _refused(what, path, shares)
    return named[0]


def _period_column(frame: pd.DataFrame, area: str, start: str, path: Path) -> tuple[str, PeriodReading]:
    """Return the column of periods with its reading; the one of the start's kind goes first."""
    asked = kind_of(start)
    found = []
    for column in (str(c) for c in frame.columns if str(c) != area):
        texts = sorted({str(v).strip() for v in frame[column].unique()} - {""})
        if len(texts) < _FEWEST_PERIODS:
            continue
        reading = read_periods(texts)
        if reading.kind is not None and not reading.fault and None not in reading.ordinals:
            found.append((column, reading))
    own = [f for f in found if f[1].kind == asked] or found
    named = [f for f in own if re.search(r"month|date|period|year|quarter|time", f[0], re.IGNORECASE)]
    chosen = named or own
    kinds = {reading.kind: column for column, reading in named or found}
    if asked is PeriodKind.MONTH and len(named) > 1 and set(kinds) == {PeriodKind.YEAR, PeriodKind.NUMBER}:
        both = f"'{kinds[PeriodKind.YEAR]}' and '{kinds[PeriodKind.NUMBER]}' hold the period together."
        raise DataError(both, str(path), "Join them into one column, such as 2013-04.")
    if len(chosen) != 1:
        several = "several columns could hold the periods."
        what = several if chosen else "no column holds periods."
        raise _refused(what, path, [str(c) for c in frame.columns])
    return chosen[0]


def _is_period(text: str) -> bool:
    return read_periods([text]).kind is not None and any(c.isdigit() for c in text)


def is_numeric(column: pd.Series) -> bool:
    """Tell whether every cell of a column is a number or a mark for what is missing."""
    if column.dtype.kind in "iuf":
        return True
    numbers = read_numbers(column)
    is_text = np.isnan(numbers.values) & (numbers.reasons == 0)
    return bool(np.isfinite(numbers.values).any() and not is_text.any())


def _category(frame: pd.DataFrame, texts: Sequence[str]) -> str | None:
    kinds = {c: len(frame[c].unique()) for c in texts}
    few = [c for c, n in kinds.items() if 1 < n <= _MOST_CATEGORIES]
    return min(few, key=kinds.__getitem__, default=None)


def _outcome(column: str, called: str, values: Sequence[pd.Series]) -> GuessedOutcome:
    numbers = np.concatenate([_numbers(v) for v in values])
    known = numbers[np.isfinite(numbers)]
    is_count = bool((known >= 0).all() and (known == np.rint(known)).all())
    plain = re.sub(r"[_\s]+", " ", called).strip()
    family: FamilyName = next(
        (f for words, f in _FAMILIES if re.search(words, plain, re.IGNORECASE)), "other"
    )
    is_better_high = not is_count and family in {"environment", "social_relationships"}
    return GuessedOutcome(
        column=column,
        name=_slug(called),
        label=plain,
        family=family,
        kind="count" if is_count else "score",
        better="higher" if is_better_high else "lower",
    )


def _numbers(column: pd.Series) -> Floats:
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64)
    return read_numbers(column).values


def _words(outcome: GuessedOutcome) -> str:
    kind = "a count" if outcome.kind == "count" else "a score"
    return f"'{outcome.name}' is {kind} of the family '{outcome.family}'; {outcome.better} is better."


def _slug(text: str) -> str:
    """Return a name that a study file takes: lower case, digits and underscores."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"outcome_{plain}".rstrip("_")


def _refused(what: str, path: Path, columns: Collection[str]) -> DataError:
    fix = "Write a study file (`areaeffect init`) and name the columns there."
    return DataError(f"{what} Columns: {', '.join(columns)}.", str(path), fix)


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
    """Say which columns hold residents, and which ones benchmark areas are matched on.

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
        raise DataError(f"{what}.", str(path), "Leave the file out, or add some.")
    said = [f"Benchmark areas are matched on {', '.join(covariates)}."]
    if residents:
        said.append(f"Counts are divided by '{residents}'.")
    return Characteristics(area=area, residents=residents, covariates=tuple(covariates), said=tuple(said))


def every_guess(found: Guess, about: Characteristics | None) -> tuple[str, ...]:
    """Return each guess in one sentence; what characteristics settle is not said of the table."""
    settled = about is not None and about.residents is not None
    own = found.said if settled or not found.divided else (*found.said, found.divided)
    return (*own, *about.said) if about else own
