"""What every check is given, and the shapes its answers take."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from areaeffect.findings.conclude import cases_of
from areaeffect.findings.grading import tested_on
from areaeffect.results import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.checks.refits import Refits
    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.findings.case import Case, Evidence
    from areaeffect.placebo.programmes import Job
    from areaeffect.results import Finding, Floats
    from areaeffect.study.model import Study

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


#: Placebo programmes that a refit is held against, or as many as the study's findings: a check,
#: not an estimate.
DRAWS = 199
NO_FINDING = "the finding itself could not be estimated"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A finding that carries the report, with the case it was made from."""

    finding: Finding
    case: Case

    @property
    def is_estimated(self) -> bool:
        """Whether there is an effect to try."""
        return self.finding.estimate is not None

    @property
    def row(self) -> tuple[str, str]:
        """The first cells of its row in every table."""
        return self.finding.group, self.finding.outcome

    @property
    def excludes_zero(self) -> bool:
        """Whether the printed interval leaves zero out."""
        return leaves_zero_out(self.finding.low, self.finding.high)

    def answer(self, status: Status, **numbers: Number) -> Answer:
        """Answer with numbers."""
        f = self.finding
        return Answer(f.group, f.outcome, f.claim, f.form, status, numbers)

    def silent(self, why: str) -> Answer:
        """Answer that nothing can be said, and why."""
        f = self.finding
        return Answer(f.group, f.outcome, f.claim, f.form, Status.NOT_ESTIMABLE, {}, why)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a check may read.

    Parameters
    ----------
    study, data, evidence : see there.
    subjects : the findings of whole groups, in the form that leads.
    refits : designs that do not see the last years before the start, shared by several checks.
    run : puts placebo programmes through a job: (job, draws) to totals; no more than the study's
        own number of them.
    """

    study: Study
    data: Assembled
    evidence: Evidence
    subjects: tuple[Subject, ...]
    refits: Refits | None
    run: Callable[[Job, int], Floats]

    def changes(self) -> tuple[Subject, ...]:
        """Return the findings about change: what was before the start is open to question."""
        return tuple(s for s in self.subjects if s.finding.claim == "change")


def subjects_of(evidence: Evidence, findings: Sequence[Finding]) -> tuple[Subject, ...]:
    """Pair the leading findings of whole groups with the cases they were made from."""
    by_key = {(f.group, f.outcome, f.form): f for f in findings if f.neighbourhood is None}
    found = []
    for case in cases_of(evidence):
        finding = by_key.get((case.group.name, case.outcome.name, case.form))
        if not case.group.against and finding is not None:
            found.append(Subject(finding, case))
    return tuple(found)


def leaves_zero_out(low: float | None, high: float | None) -> bool:
    """Whether an interval lies on one side of zero."""
    return low is not None and high is not None and (low > 0 or high < 0)


def held_against(case: Case, real: Floats, drawn: Floats) -> tuple[float, PlaceboInference] | None:
    """Hold an effect of a refit against those of placebo programmes.

    Neighbourhoods that the refit cannot estimate are left out, where they are few.

    Parameters
    ----------
    case : whose.
    real : (n_units of the study, N_TOTALS).
    drawn : (n_draws, n_units of the study, N_TOTALS).

    Returns
    -------
    The estimate on the scale of the statistic and its inference; None where there is none.
    """
    tested = tested_on(case, real)
    if tested is None:
        return None
    found = tested.infer(real, drawn)
    return None if found is None else (found.estimate, found)


GROUP = Column("group", "string", "initiative, or group of initiatives, that the finding is of")
OUTCOME = Column("outcome", "string", "outcome of the finding")
EFFECT = "a fraction for ratios (-0.2: 20% fewer), else in the outcome's unit"


def table(
    name: str,
    title: str,
    columns: Mapping[str, tuple[str, str]],
    rows: Sequence[tuple[Number, ...]],
) -> DataTable:
    """Return a check's table: group, outcome, then columns given as name: (type, meaning)."""
    own = tuple(Column(key, kind, words) for key, (kind, words) in columns.items())
    return DataTable(f"check_{name}", title, (GROUP, OUTCOME, *own), tuple(rows))
