"""The one exception family: what is wrong, where, what is allowed, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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

    def raise_all(self) -> None:
        """Raise every problem kept; wrong data outrank a wrong study."""
        if self.errors:
            worst = max(self.errors, key=lambda e: e.exit_code)
            raise type(worst)([p for e in self.errors for p in e.problems])


MAX_PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, with its place and the way out.

    Parameters
    ----------
    what : what is wrong, in one sentence.
    where : file, line, key or row; empty when the whole command is meant.
    fix : what is allowed or what to do.
    """

    what: str
    where: str = ""
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.fix}" if self.fix else "")

    def to_dict(self) -> dict[str, str]:
        """Return the fault as plain text fields."""
        return {"where": self.where, "what": self.what, "fix": self.fix}


class AreaEffectError(Exception):
    """Base of every error a user can cause; carries all problems found at once."""

    exit_code = 2

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
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


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the closest allowed word, or the empty string."""
    close = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"Did you mean '{close[0]}'?" if close else ""
