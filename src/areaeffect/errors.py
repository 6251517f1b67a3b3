"""The one exception family: what is wrong, where, what is allowed, what to do."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Faults:
    """Collects the problems of independent steps, so that one run shows them all."""

    def __init__(self) -> None:
        self.errors: list[AreaEffectError] = []

    def attempt(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run a step; keep its problems and return None where it fails."""
        try:
            return step(*args, **kwargs)
        except AreaEffectError as error:
            self.errors.append(error)
            return None

    def stop(self) -> NoReturn:
        """Raise every problem kept, where there is one for certain."""
        self.raise_all()
        raise AssertionError

    def raise_all(self) -> None:
        """Raise every problem kept; wrong data outrank a wrong study."""
        if self.errors:
            worst = max(self.errors, key=lambda e: e.exit_code)
            every = (p for e in self.errors for p in e.problems)
            raise type(worst)(list(dict.fromkeys(every)))


#: Set to 1 to see where an unforeseen fault happened.
TRACEBACK_VARIABLE = "AREAEFFECT_TRACEBACK"
_OF_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, with its place and the way out."""

    what: str  # what is wrong, in one sentence
    where: str = ""  # file, line, key or row; empty when the whole command is meant.
    fix: str = ""  # what is allowed or what to do

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.fix}" if self.fix else "")

    def to_dict(self) -> dict[str, str]:
        """Return the fault as plain text fields."""
        return {"where": self.where, "what": self.what, "fix": self.fix}


class AreaEffectError(Exception):
    """Base of every error a user can cause: one problem, as `Problem` says it, or all found at once."""

    exit_code = 2

    def __init__(self, what: str | Problem | Sequence[Problem], where: str = "", fix: str = "") -> None:
        if isinstance(what, str):
            what = Problem(what, where, fix)
        self.problems = (what,) if isinstance(what, Problem) else tuple(what)
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self) -> tuple[type[AreaEffectError], tuple[tuple[Problem, ...]]]:
        """Keep the problems apart on the way from a worker process."""
        return type(self), (self.problems,)


class StudyError(AreaEffectError):
    """The study file or the command is wrong (exit code 2)."""

    exit_code = 2


class DataError(AreaEffectError):
    """The data are wrong or missing (exit code 3)."""

    exit_code = 3


class NothingEstimableError(AreaEffectError):
    """No finding of the study could be estimated (exit code 4)."""

    exit_code = 4


def explained(error: Exception) -> AreaEffectError:
    """Return any fault as one of this family: what failed, where, and what to do.

    A fault of reading, of too much or too deep data, and one that nobody foresaw, is one of the
    data (exit code 3); one of writing the output is one of the command (2).
    """
    if isinstance(error, AreaEffectError):
        return error
    if isinstance(error, OSError):
        named = error.filename
        where = shortened(os.fsdecode(named)) if isinstance(named, (str, bytes)) else ""
        what = f"{plain_reason(error)}."
        kind = StudyError if not where or error.errno in _OF_WRITING else DataError
        return kind(Problem(what, where, "Correct that, and give the command again."))
    if isinstance(error, MemoryError):
        what, fix = "there is not enough memory.", "Use fewer areas, or a larger machine."
    elif isinstance(error, RecursionError):
        what, fix = "something is nested too deeply.", "Look for brackets inside brackets."
    elif isinstance(error, UnicodeError):
        what, fix = f"a text cannot be read or written ({error}).", "Save the files as UTF-8."
    else:
        text = shortened(" ".join(str(error).split()))
        what = f"this cannot be done ({type(error).__name__}: {text})."
        fix = f"An input may be damaged. {TRACEBACK_VARIABLE}=1 shows where it happened."
    return DataError(what, "", fix)


def shortened(text: str, most: int = 300) -> str:
    """Return a text; one of thousands of characters by its two ends."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def plain_reason(error: OSError) -> str:
    """Return what the operating system says, in lower case: 'no space left on device'."""
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "a file is where a folder should be"
    text = error.strerror or str(error) or type(error).__name__
    return f"{text[0].lower()}{text[1:]}"


def repeated(words: Iterable[str]) -> list[str]:
    """Return the words that appear more than once, sorted."""
    return sorted(word for word, count in Counter(words).items() if count > 1)


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the closest allowed word, or the empty string."""
    if len(word) > _LONGEST_WORD:  # no key is as long as that, and the comparison is slow
        return ""
    close = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"Did you mean '{close[0]}'?" if close else ""


def number_of(count: int, one: str, many: str) -> str:
    """Write a count with its noun, and its verb where there is one: '1 row is', '1,204 rows are'."""
    return f"{count:,} {one if count == 1 else many}"


def first_few(names: Sequence[str], shown: int = 5) -> str:
    """Write the first of a list of names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
