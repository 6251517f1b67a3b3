"""What a cell of a table means: an area's code, a number, or a mark for what is missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.panel import REASONS
from areaeffect.results import Bools, Floats, Strings

#: Marks for a number that is missing, and why it is: those of the Government Statistical
#: Service (with and without brackets) and those that older tables and other programs use.
MARKERS: Mapping[str, str] = {
    **dict.fromkeys(("c", "*", "**", "s", "supp", "suppressed", "~"), "suppressed"),
    **dict.fromkeys(
        (":", "..", "…", ".", "-", "–", "—", "x", "z", "u", "k", "low", "w", "b", "e", "n/a", "na"),
        "not_published",
    ),
    **dict.fromkeys(
        ("null", "none", "<na>", "n.a.", "#n/a", "#null!", "not available", "missing"), "not_published"
    ),
}
_BELOW = re.compile(r"(?:<|less than|under|fewer than)\s*(\d{1,3})")
_RANGE = re.compile(r"(\d{1,3})\s*(?:-|–|to)\s*(\d{1,3})")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}([, '’\u00a0\u202f]\d{3})+(\.\d+)?")
_MARKED = re.compile(r"\s*[\[(](?:p|r|e|b|u|provisional|revised|estimated?|notes? ?\d+)[\])]$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?")
#: A code with its name; a second code behind it is another area, and no name.
_CODE = r"[EWSNKJLM]\d{8}"
_ONS = re.compile(
    rf"({_CODE})(?!.*{_CODE})(?:\s*[:\-–|,]\s*|\s+)\S.*"
    rf"|(?!.*{_CODE}.*{_CODE})\S.*?(?:\s*[:\-–|,(\[]\s*|\s+)({_CODE})[)\]]?",
    re.IGNORECASE,
)
_ONS_ALONE = re.compile(r"[ewsnkjlm]\d{8}")
#: Letters of other alphabets that look like Latin ones in a code.
_LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХІЅАаеорсухАΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # noqa: RUF001
    "ABEKMHOPCTYXISAaeopcyxABEZHIKMNOPTYX",
)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column read as numbers."""

    values: Floats  # (n,), NaN where there is none
    #: (n,), position in `panel.REASONS` of why there is none; 0 where there is a number, or a text that is
    #: neither number nor mark.
    reasons: npt.NDArray[np.uint8]
    most: Floats  # (n,), what a hidden number can be at most; NaN where the cell does not say it.
    marks: Mapping[str, int]  # marks met, with how many cells each

    @property
    def missing(self) -> Bools:
        """Cells that say they hold no number."""
        return self.reasons > 0

    @property
    def wrong(self) -> Bools:
        """Cells with a text that is neither a number nor a mark."""
        return np.isnan(self.values) & ~self.missing


def plain_text(text: str) -> str:
    """Return a text without what cannot be seen: spaces around it, zero-width characters."""
    text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(text.split())


def plain_code(text: str) -> str:
    """Return an area's code: 'E01000001' of ' e01000001 : City of London 001A'."""
    text = plain_text(text)
    if named := _ONS.fullmatch(text):
        text = named[1] or named[2]
    return text.upper() if _ONS_ALONE.fullmatch(text.lower()) else text


def same_spelling(texts: Iterable[str]) -> dict[str, str]:
    """Return texts that differ from an earlier or more usual one in case only, with that one."""
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(text.casefold(), text)
    return {t: found[t.casefold()] for t in texts if found[t.casefold()] != t}


def lookalike(code: str, codes: Collection[str]) -> str:
    """Return the code that one with letters of another alphabet looks like; '' where none."""
    if code.isascii():
        return ""
    plain = code.translate(_LOOKALIKES)
    return plain if plain != code and plain in codes else ""


def read_codes(column: pd.Series) -> tuple[pd.Series, tuple[str, ...]]:
    """Return a column of codes as they are compared, and what was done to them."""
    texts = list(dict.fromkeys(column))
    plain = {t: plain_code(t) for t in texts}
    usual = column.map(plain).value_counts(sort=True)
    order = sorted(usual.index, key=lambda c: (-int(usual[c]), c))
    folded = same_spelling(order)
    notes = []
    named = [t for t in texts if _ONS.fullmatch(plain_text(t))]
    hidden = [t for t in texts if t.strip() != plain[t] and t not in named]
    hidden = [t for t in hidden if t.strip().upper() != plain[t]]
    if named:
        notes.append(f"'{named[0]}' is taken as the area {plain[named[0]]}")
    if hidden:
        notes.append(f"{len(hidden)} codes hold characters that cannot be seen; they were taken out")
    if folded:
        one, other = next(iter(sorted(folded.items())))
        notes.append(f"'{one}' is taken as '{other}': codes are compared without case")
    meant = {t: folded.get(p, p) for t, p in plain.items()}
    return column.map(meant), tuple(notes)


def read_numbers(column: pd.Series, declared: Mapping[str, str] | None = None) -> Numbers:
    """Read a column as numbers: separators of thousands, marks for what is missing.

    Parameters
    ----------
    column : (n,), text, or numbers with NaN where there is none.
    declared : further marks, in lower case, with the reason of `panel.REASONS`.
    """
    no_row = np.uint8(REASONS.index("no_row"))
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=np.float64)
        reasons = np.where(np.isnan(values), no_row, 0).astype(np.uint8)
        return Numbers(values, reasons, np.full(len(values), np.nan), {})
    code, texts = pd.factorize(column)
    read = [_cell(str(t), declared or {}) for t in texts]
    values = np.array([v for v, _, _ in read], dtype=np.float64)
    reasons = np.array([REASONS.index(r) for _, r, _ in read], dtype=np.uint8)
    most = np.array([m for _, _, m in read], dtype=np.float64)
    counts = np.bincount(code, minlength=len(texts))
    marks = {
        str(t).strip(): int(n)
        for t, n, (_, reason, _) in zip(texts, counts, read, strict=True)
        if reason and str(t).strip()
    }
    return Numbers(values[code], reasons[code], most[code], marks)


def _cell(text: str, declared: Mapping[str, str]) -> tuple[float, str, float]:
    """Return the number, the reason why there is none, and what it can be at most."""
    plain = plain_text(text).lower().replace("−", "-")
    if plain in declared:
        return np.nan, declared[plain], np.nan
    bare = plain[1:-1].strip() if re.fullmatch(r"\[.+\]|\(.+\)", plain) else plain
    if not bare:
        return np.nan, "no_row", np.nan
    if reason := MARKERS.get(bare):
        return np.nan, reason, np.nan
    if below := _BELOW.fullmatch(bare):
        return np.nan, "suppressed", float(below[1]) - 1
    if (within := _RANGE.fullmatch(bare)) and int(within[1]) < int(within[2]):
        return np.nan, "suppressed", float(within[2])
    plain = _MARKED.sub("", plain)
    if _THOUSANDS.fullmatch(plain):
        plain = re.sub(r"[, '’\u00a0\u202f]", "", plain)
    return (float(plain) if _NUMBER.fullmatch(plain) else np.nan), "", np.nan


def compared(column: Strings | pd.Series) -> npt.NDArray[np.str_]:
    """Return texts as they are compared with a study's values: no case, 3.0 is 3."""
    code, texts = pd.factorize(pd.Series(column))
    plain = [compared_text(str(t)) for t in texts]
    return np.array(plain, dtype=np.str_)[code] if plain else np.array([], dtype=np.str_)


def compared_text(text: str) -> str:
    """Return one text as it is compared."""
    plain = plain_text(text).casefold()
    return plain[:-2] if re.fullmatch(r"-?\d+\.0", plain) else plain


def picked(column: Strings | pd.Series, asked: Iterable[str], name: str, where: str) -> Bools:
    """Return which rows hold one of the values that a study lists, compared as areas are.

    3 is 3.0, case and spaces do not count. A value that no row holds is refused, with the nearest.
    """
    plain = compared(pd.Series(column).astype(str))
    held = dict(zip(plain.tolist(), map(str, column), strict=True))
    wanted = {text: compared_text(text) for text in asked}
    problems = [
        Problem(
            f"no row has '{text}' in '{name}'.",
            where,
            did_you_mean(text, held.values())
            or f"It holds: {', '.join(sorted(filter(None, set(held.values())))[:20])}.",
        )
        for text, meant in wanted.items()
        if meant not in held
    ]
    if problems:
        raise DataError(problems)
    return np.isin(plain, list(wanted.values()))
