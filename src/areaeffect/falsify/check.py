"""What a falsification check returns, whichever it is: one answer for each finding it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.results import DataTable

Number = float | int | str | None


class Status(StrEnum):
    """What a check says; the worst of its findings' is its own."""

    WARNS = "warns"
    INFORMATION = "for information"
    HOLDS = "holds"
    NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check says of one finding.

    Parameters
    ----------
    group, outcome, claim, form : of the finding.
    status : see `Status`.
    numbers : what the sentence about it says, by name; effects on the finding's own scale.
    why : why it is not estimable, without a full stop; else empty.
    """

    group: str
    outcome: str
    claim: str
    form: str
    status: Status
    numbers: Mapping[str, Number] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One attempt to break the findings.

    Parameters
    ----------
    name : lower case and underscores.
    title : in print.
    question : what it asks, in plain words, with a question mark.
    answers : one for each finding it concerns.
    table : its numbers.
    why : why it concerns no finding, without a full stop.
    """

    name: str
    title: str
    question: str
    answers: tuple[Answer, ...]
    table: DataTable
    why: str = "no finding is about a change"

    @property
    def status(self) -> Status:
        """The worst of its findings': a warning outranks what holds, that what is not known."""
        found = {a.status for a in self.answers}
        return next((s for s in Status if s in found), Status.NOT_ESTIMABLE)
