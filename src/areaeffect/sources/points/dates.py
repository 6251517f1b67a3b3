"""Dates of incidents: each text read once, and one decision on whether the day comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np

from areaeffect.errors import DataError
from areaeffect.periods import months_of_date
from areaeffect.results import Bools, Ints

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


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What each text means."""

    #: (n_texts, 2), counted from year 0, with the day first and with the month first; `NONE` where it is no
    #: date.
    months: Ints
    days: Ints  # (n_texts, 2), day of the calendar counted from year 1; `NONE` where only a month is known.

    @property
    def is_open(self) -> Bools:
        """(n_texts,): whether the two readings differ."""
        return np.asarray(self.months[:, 0] != self.months[:, 1])


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

    Parameters
    ----------
    form : 'day first', 'month first', or None where the texts are to show it.
    """

    def __init__(self, form: str | None) -> None:
        self._form = form
        self._codes = Numbering()
        self._read: list[tuple[tuple[int, int], tuple[int, int]]] = []

    def codes(self, texts: list[str], where: str) -> Ints:
        """Return the number of each text without its time.

        Raises
        ------
        DataError
            Where a column holds far more texts than there are days.
        """
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

    def readings(self) -> Readings:
        """Return what the texts met so far mean."""
        texts = self.texts()
        self._read += [_read(t) for t in texts[len(self._read) :]]
        both = np.array(self._read, dtype=np.int64).reshape(-1, 2, 2)
        if self._form is not None:
            both = both[:, [int(self._form == "month first")] * 2]
        return Readings(both[:, :, 0], both[:, :, 1])

    def decide(self) -> Decided:
        """Say for every text which date it is, from all of them.

        A column whose texts all can be read in one way only, such as '25/12/2012' with the day
        first, is read so throughout; where that does not settle it, a text with two readings is
        ambiguous.
        """
        read, texts = self.readings(), self.texts()
        months, days = read.months, read.days
        is_open = read.is_open
        has = months != NONE
        only = [np.flatnonzero(has[:, i] & ~has[:, 1 - i]) for i in (0, 1)]
        firsts = all(re.match(r"0?1\D", texts[i]) for i in np.flatnonzero(is_open))
        way = None
        if is_open.any() and not (len(only[0]) and len(only[1])):
            way = 0 if len(only[0]) else 1 if len(only[1]) else 0 if firsts else None
        one = np.where(has[:, 0], months[:, 0], months[:, 1])
        day = np.where(has[:, 0], days[:, 0], days[:, 1])
        if way is None:
            ambiguous = is_open & has.all(axis=1)
            return Decided(
                months=one, days=day, ambiguous=ambiguous, both=months, texts=tuple(texts), note=""
            )
        named = ("the day first", "the month first")[way]
        shown = texts[only[way][0]] if len(only[way]) else texts[int(is_open.argmax())]
        note = f"dates are read with {named}, as '{shown}' is written."
        none = np.zeros(len(texts), dtype=bool)
        return Decided(
            months=months[:, way],
            days=days[:, way],
            ambiguous=none,
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
