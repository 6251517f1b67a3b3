"""Periods: the time axis of a panel, and how people write them, alone or in a column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt


class PeriodKind(StrEnum):
    """What one step of the time axis is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FINANCIAL_YEAR = "financial year"
    NUMBER = "number"

    @property
    def per_year(self) -> int | None:
        """Periods in twelve months; None for a table's own numbers."""
        return {"month": 12, "quarter": 4, "year": 1, "financial year": 1}.get(self.value)

    @property
    def months(self) -> int:
        """Length in months; 1 for a table's own numbers."""
        return 12 // (self.per_year or 12)

    def first_month(self, ordinal: int) -> int:
        """Return the month, counted from year 0, that a period begins in.

        A financial year is named by its first calendar year and begins in April.
        """
        return ordinal * self.months + (3 if self is PeriodKind.FINANCIAL_YEAR else 0)

    def holding(self, month: int) -> int:
        """Return the period of this kind that a month, counted from year 0, lies in."""
        return (month - self.first_month(0)) // self.months


@dataclass(frozen=True, slots=True)
class Periods:
    """A run of consecutive periods."""

    kind: PeriodKind  # what one period is
    first: int  # ordinal of the first period
    n: int  # number of periods

    @property
    def ordinals(self) -> npt.NDArray[np.int64]:
        """Ordinals, (n,)."""
        return np.arange(self.first, self.first + self.n, dtype=np.int64)

    @property
    def labels(self) -> tuple[str, ...]:
        """How each period is written."""
        return tuple(label(int(o), self.kind) for o in self.ordinals)

    @property
    def years_per_period(self) -> float:
        """Length of one period in years; 1 for a table's own numbers."""
        return 1.0 / (self.kind.per_year or 1)

    def split(self, start: int, start_kind: PeriodKind) -> tuple[slice, slice]:
        """Return the periods wholly before a start and those wholly from it on.

        A coarser period that the start falls inside belongs to neither side: a year
        that is treated from June is not a year before, nor a treated year.
        """
        if self.kind is PeriodKind.NUMBER or start_kind is PeriodKind.NUMBER:
            if self.kind is not start_kind:
                raise ValueError(f"a start given as a {start_kind} cannot split periods of kind {self.kind}")
            cut = int(np.clip(start - self.first, 0, self.n))
            return slice(0, cut), slice(cut, self.n)
        months = start_kind.first_month(start) - self.kind.first_month(self.first)
        pre = int(np.clip(months // self.kind.months, 0, self.n))
        post = int(np.clip(-(-months // self.kind.months), 0, self.n))
        return slice(0, pre), slice(post, self.n)


def label(ordinal: int, kind: PeriodKind) -> str:
    """Write one period: `2012-04`, `2012-Q2`, `2012`, `2012/13` or the number itself."""
    if kind is PeriodKind.FINANCIAL_YEAR:
        return f"{ordinal:04d}/{(ordinal + 1) % 100:02d}"
    if kind is PeriodKind.MONTH:
        return f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}"
    if kind is PeriodKind.QUARTER:
        return f"{ordinal // 4:04d}-Q{ordinal % 4 + 1}"
    return str(ordinal)


class PeriodForm(StrEnum):
    """How a whole column of periods is to be read; `periods` of a source names one."""

    MONTHS = "months"
    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"
    QUARTERS = "quarters"
    YEARS = "years"
    FINANCIAL_YEARS = "financial years"
    NUMBERS = "numbers"

    @property
    def kind(self) -> PeriodKind:
        """What one period is."""
        return _KIND_OF_FORM.get(self, PeriodKind.MONTH)


_KIND_OF_FORM = {
    PeriodForm.QUARTERS: PeriodKind.QUARTER,
    PeriodForm.YEARS: PeriodKind.YEAR,
    PeriodForm.FINANCIAL_YEARS: PeriodKind.FINANCIAL_YEAR,
    PeriodForm.NUMBERS: PeriodKind.NUMBER,
}
_MONTH_FORMS = (PeriodForm.MONTHS, PeriodForm.DAY_FIRST, PeriodForm.MONTH_FIRST)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MARK = re.compile(
    r"\s*(?:[(\[](?:p|r|e|provisional|revised|estimated?|notes? ?\d+)[)\]]|\*+)$"
    r"|(?<=\d)(?: ?[pr]| provisional| revised| estimated?)$"
)
#: Words before a period that say what its figures say already.
_WORDS = re.compile(
    r"^(?:calendar year|cy|mid-year|mid-?|year(?! ?(?:to|end))) ?(?=\d{4}$)|(?:quarter|qtr\.?) ?(?=[1-4]\b)"
)
_MIDNIGHT = re.compile(r"[ t]00:00(:00.*)?$")
#: Fewer successive spans of two years than this may as well be months.
_FEWEST_SPANS = 3


def _patterns() -> tuple[re.Pattern[str], ...]:
    """Return the ways to write a period; the groups say what each part is."""
    year, gap, month = r"(?P<y>1[89]\d\d|2\d\d\d)", "[-/. ]", r"(?P<m>0?[1-9]|1[0-2])"
    name = f"(?P<n>{_NAME})"
    span = rf"(?:fy ?|(?:financial|fiscal|tax) year )?{year} ?(?:[-/]|to) ?(?P<z>\d\d|\d{{4}})"
    quarter, day = "q(?P<q>[1-4])", r"(?:0?[1-9]|[12]\d|3[01])"
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"{year}[-/.]{month}(?:[-/.]{day})?",
            rf"{year}(?P<m>0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?",
            rf"{year} ?m{month}",
            rf"{month}[-/.]{year}",
            rf"(?:{day}{gap})?{name}{gap}?(?:{year}|(?P<short>\d\d))",
            rf"{year}{gap}?{name}",
            rf"{year}{gap}?{quarter}",
            rf"{year}-(?P<q>[1-4])",  # also a month: '2018-1'
            rf"{quarter}{gap}?{year}",
            rf"{span}{gap}?{quarter}",
            rf"{quarter}{gap}{span}",
            rf"{name} ?(?:-|to) ?(?P<last>{_NAME}) {year}",
            rf"(?:{day} )?{name} {year} ?(?:-|to) ?(?:{day} )?(?P<last>{_NAME}) (?P<of>\d{{4}})",
            span,
            r"fy ?(?P<short>\d\d) ?[-/] ?(?P<z>\d\d)",
            rf"{year}(?P<z>\d\d)",
            rf"(?:year|12 months) (?:ending|ended|to) (?:{day} )?(?P<end>{_NAME}) {year}",
            rf"(?:quarter|3 months|three months) (?:ending|ended|to) (?:{day} )?(?P<close>{_NAME}) {year}",
            rf"{year}(?:0000)?",
        )
    )


_PATTERNS = _patterns()
#: '2012.25' is the second quarter, and among such '2012' the first.
_QUARTER_OF_A_YEAR = re.compile(r"(1[89]\d\d|2\d\d\d)(\.0|\.25|\.50?|\.75)?")
_DAY = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(1[89]\d\d|2\d\d\d|(?<=[/.])\d\d)")


@dataclass(frozen=True, slots=True)
class PeriodReading:
    """What a column of periods is."""

    kind: PeriodKind | None  # of most of it; None where nothing of it is a period.
    ordinals: tuple[int | None, ...]  # one a text; None where the text is no period of that kind.
    note: str = ""  # what was taken as what, where that is not plain from the text; else empty.
    fault: str = ""  # why the column cannot be read although each text can; else empty.


def plain_period(text: str) -> str:
    """Return a period without what does not tell: spaces, marks of revision, midnight, '.0'."""
    plain = " ".join(unicodedata.normalize("NFKC", text).replace("\u2013", "-").lower().split())
    plain = _WORDS.sub(lambda m: "q" if m[0][0] == "q" else "", _MIDNIGHT.sub("", _MARK.sub("", plain)))
    return plain[:-2] if re.fullmatch(r"-?\d+\.0", plain) else plain


@lru_cache(maxsize=65_536)
def _readings(text: str) -> Mapping[PeriodForm, int]:
    """Return every way to read one text, with its ordinal; the first is the most usual."""
    plain = plain_period(text)
    read: dict[PeriodForm, int] = {}
    for pattern in _PATTERNS:
        if match := pattern.fullmatch(plain):
            for form, ordinal in _meaning(match.groupdict()):
                read.setdefault(form, ordinal)
    if match := _DAY.fullmatch(plain):
        first, second, year = int(match[1]), int(match[3]), _whole_year(match[4])
        both = {PeriodForm.DAY_FIRST: (first, second), PeriodForm.MONTH_FIRST: (second, first)}
        read |= {f: year * 12 + m - 1 for f, (d, m) in both.items() if 1 <= d <= 31 and 1 <= m <= 12}  # noqa: PLR2004
    if re.fullmatch(r"-?\d{1,9}", plain):
        read[PeriodForm.NUMBERS] = int(plain)
    return read


def _whole_year(text: str) -> int:
    """Return a year of four or two digits, as POSIX: 69 is 1969."""
    return int(text) + (0 if len(text) > 2 else 1900 if int(text) >= 69 else 2000)  # noqa: PLR2004


def _meaning(parts: Mapping[str, str | None]) -> list[tuple[PeriodForm, int]]:
    """Return what the parts of a written period say."""
    year = _whole_year(parts.get("short") or parts.get("y") or "0000")
    second, quarter, name = parts.get("z"), parts.get("q"), parts.get("n")
    if second and str(year + 1)[-len(second) :] != second:
        return []  # not two years that follow each other
    if quarter:  # the first quarter of a financial year is April to June
        return [(PeriodForm.QUARTERS, year * 4 + int(quarter) - (0 if second else 1))]
    if second:
        return [(PeriodForm.FINANCIAL_YEARS, year)]
    if end := parts.get("end"):
        ends = {"dec": (PeriodForm.YEARS, year), "mar": (PeriodForm.FINANCIAL_YEARS, year - 1)}
        return [ends[end[:3]]] if end[:3] in ends else []
    if close := parts.get("close"):
        quarter_of, rest = divmod(_MONTHS.index(close[:3]), 3)
        return [(PeriodForm.QUARTERS, year * 4 + quarter_of)] if rest == 2 else []  # noqa: PLR2004
    if name and (last := parts.get("last")):
        return _from_to(_MONTHS.index(name[:3]), _MONTHS.index(last[:3]), year, int(parts.get("of") or year))
    if name or parts.get("m"):
        month = _MONTHS.index(name[:3]) if name else int(parts["m"] or 0) - 1
        return [(f, year * 12 + month) for f in _MONTH_FORMS]
    return [(PeriodForm.YEARS, year)]


def _from_to(first: int, last: int, year: int, to: int) -> list[tuple[PeriodForm, int]]:
    """Return what runs from one month (0 to 11) of a year to another: a quarter, a year."""
    months = (to - year) * 12 + last - first + 1
    if months == 3 and first % 3 == 0:  # noqa: PLR2004
        return [(PeriodForm.QUARTERS, year * 4 + first // 3)]
    of_year = {(12, 0): PeriodForm.YEARS, (12, 3): PeriodForm.FINANCIAL_YEARS}.get((months, first))
    return [(of_year, year)] if of_year else []


def read_periods(
    texts: Sequence[str], form: PeriodForm | None = None, *, numbered: bool = False
) -> PeriodReading:
    """Read a column of periods, or a header of them, as a whole.

    Parameters
    ----------
    texts : the different texts.
    form : how they are to be read, where the study says it.
    numbered : whether they are a table's own numbers.
    """
    if form is None and numbered:
        form = PeriodForm.NUMBERS
    readings = [_readings(t) for t in texts]
    parts = [_QUARTER_OF_A_YEAR.fullmatch(plain_period(t)) for t in texts]
    if all(parts) and any(m and m[2] in (".25", ".75") for m in parts):
        readings = [{PeriodForm.QUARTERS: int(4 * float(f"{m[1]}{m[2] or ''}"))} for m in parts if m]
    forms = [form] if form else list(PeriodForm)
    if form is None and (spans := _years_spanned([plain_period(t) for t in texts])) > 1:
        what = f"'{texts[0]}' and others are spans of {spans + 1} years, which overlap"
        return PeriodReading(None, (None,) * len(texts), fault=what)
    whole = [f for f in forms if all(f in r for r in readings)]
    if not whole:
        best = max(forms, key=lambda f: sum(f in r for r in readings))
        ordinals = tuple(r.get(best) for r in readings)
        return PeriodReading(best.kind if any(o is not None for o in ordinals) else None, ordinals)
    chosen, fault = (whole[0], "") if form else _choice(whole, readings, texts)
    chosen_ordinals = tuple(r[chosen] for r in readings)
    note = "" if fault else _note(chosen, texts, chosen_ordinals)
    return PeriodReading(chosen.kind, chosen_ordinals, note, fault)


def _choice(
    whole: Sequence[PeriodForm], readings: Sequence[Mapping[PeriodForm, int]], texts: Sequence[str]
) -> tuple[PeriodForm, str]:
    """Choose among the forms that read everything; a fault where the choice would be a guess."""
    plain = [plain_period(t) for t in texts]
    is_run = _years_spanned(plain) == 1
    pairs = (
        (PeriodForm.MONTHS, PeriodForm.FINANCIAL_YEARS),
        (PeriodForm.MONTHS, PeriodForm.QUARTERS),
        (PeriodForm.DAY_FIRST, PeriodForm.MONTH_FIRST),
    )
    for first, second in pairs:
        one, other = ([r.get(f) for r in readings] for f in (first, second))
        if first not in whole or second not in whole or one == other:
            continue
        # a column of months with a slash holds others that are no span of two years
        if second is PeriodForm.FINANCIAL_YEARS and ("/" in plain[0] or is_run):
            return second, ""
        if second is PeriodForm.MONTH_FIRST and all(re.match(r"0?1\D", t) for t in plain):
            return first, ""  # every day is the first of its month
        return first, _either(texts, readings, first, second)
    if whole[0] is PeriodForm.FINANCIAL_YEARS and plain[0].isdigit():
        return whole[0], f"'{texts[0]}' may be a financial year or a school year"
    return whole[0], ""


def _either(
    texts: Sequence[str], readings: Sequence[Mapping[PeriodForm, int]], first: PeriodForm, second: PeriodForm
) -> str:
    i = next(i for i, r in enumerate(readings) if r[first] != r[second])
    one, other = (
        f"{'' if f.kind is PeriodKind.MONTH else 'the ' + f.kind + ' '}"
        f"{label(readings[i][f], f.kind)}"
        + (f" ({f})" if f in {PeriodForm.DAY_FIRST, PeriodForm.MONTH_FIRST} else "")
        for f in (first, second)
    )
    return f"'{texts[i].strip()}' may be {one} or {other}"


def _years_spanned(plain: Sequence[str]) -> int:
    """Return the years from first to last in texts like '2001-03', where all are alike; else 0."""
    ends = [re.fullmatch(r"(\d{4}) ?[-/] ?(\d\d)", t) for t in plain]
    found = sorted((int(m[1]), (int(m[2]) - int(m[1])) % 100) for m in ends if m)
    if len(found) < max(len(plain), _FEWEST_SPANS):
        return 0
    is_run = all(b[0] - a[0] == 1 for a, b in pairwise(found))
    return found[0][1] if is_run and len({d for _, d in found}) == 1 else 0


def _note(form: PeriodForm, texts: Sequence[str], ordinals: Sequence[int]) -> str:
    """Say what texts were taken as, where the text alone does not say it."""
    obvious = {
        PeriodForm.YEARS: r"\d{4}",
        PeriodForm.QUARTERS: r"\d{4}-?q\d",
        PeriodForm.NUMBERS: r"-?\d+",
    }.get(form, r"\d{4}-\d\d(-\d\d)?" if form.kind is PeriodKind.MONTH else "(?!)")
    odd = [i for i, t in enumerate(texts) if not re.fullmatch(obvious, plain_period(t))]
    if not odd:
        return ""
    i, kind = odd[0], form.kind
    what = f"'{texts[i].strip()}' is taken as the {kind} {label(ordinals[i], kind)}"
    if kind is PeriodKind.FINANCIAL_YEAR:
        return f"{what}, April to March"
    days_left_out = kind is PeriodKind.MONTH and form is not PeriodForm.MONTHS
    return what + (f" ({form})" if days_left_out else "")


def _one(text: str) -> tuple[PeriodKind, int] | str:
    """Read one text by itself, or say which readings it leaves open; '' where it has none."""
    readings = _readings(text)
    if PeriodForm.MONTHS in readings and PeriodForm.QUARTERS in readings:
        return _either([text], [readings], PeriodForm.MONTHS, PeriodForm.QUARTERS)
    is_span = PeriodForm.FINANCIAL_YEARS in readings
    if is_span and (PeriodForm.MONTHS not in readings or "/" in plain_period(text)):
        form: PeriodForm | None = PeriodForm.FINANCIAL_YEARS
    else:
        form = next(iter(readings), None)  # months before all else: '2004-05' is a month
    if form is None:
        return ""
    if form is PeriodForm.DAY_FIRST and PeriodForm.MONTH_FIRST in readings:
        _, fault = _choice([form, PeriodForm.MONTH_FIRST], [readings], [text])
        if fault:
            return fault
    return form.kind, readings[form]


def parse_period(text: str, kind: PeriodKind) -> int | None:
    """Return the ordinal of a period written as text, or None where it is not one.

    Months count from year 0 (2012-04 is 2012 * 12 + 3); a day of the month is dropped. A text
    that may be two periods, such as '03/04/2012', is none.
    """
    one = _one(text)
    if not isinstance(one, str) and one[0] is kind:
        return one[1]
    if isinstance(one, str) or kind not in {PeriodKind.NUMBER, PeriodKind.FINANCIAL_YEAR}:
        return None
    return next((o for form, o in _readings(text).items() if form.kind is kind), None)


def months_of_date(text: str) -> tuple[int | None, int | None]:
    """Return the months that a date may mean: with the day first, with the month first."""
    readings = _readings(text)
    return readings.get(PeriodForm.DAY_FIRST), readings.get(PeriodForm.MONTH_FIRST)


def kind_of(text: str) -> PeriodKind | None:
    """Return the kind of a period by how it is written (`2012-04`, `2012-Q2`, `2012/13`, `7`)."""
    one = _one(text)
    return None if isinstance(one, str) else one[0]


def why_ambiguous(text: str) -> str:
    """Return "'03/04/2012' may be 2012-04 (day first) or …"; '' where a text is not ambiguous."""
    one = _one(text)
    return one if isinstance(one, str) else ""
