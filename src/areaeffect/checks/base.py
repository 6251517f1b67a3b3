"""What every check is given, and the shapes its answers take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypedDict, TypeVar

import numpy as np

from areaeffect import wording
from areaeffect.assembly.assemble import Assembled
from areaeffect.checks.refits import Refits
from areaeffect.estimate.inference import PlaceboInference
from areaeffect.findings.case import Case, Evidence
from areaeffect.findings.conclude import cases_of
from areaeffect.findings.describe import tested_on
from areaeffect.placebo.workers import Job
from areaeffect.records import Column, DataTable, table_of
from areaeffect.results import Finding, Floats, Form
from areaeffect.study.model import Study
from areaeffect.wording.numbers import NOT_ESTIMABLE, PHRASES, known, number, phrase, plural

Numbers = TypeVar("Numbers")
Row = TypeVar("Row")


class Ends(TypedDict):
    """An effect and its interval, as cells of a table; None where one was not found."""

    estimate: float | None
    low: float | None
    high: float | None


#: What a sentence about a check may rest on.
Number = float | int | str | bool | None


class CheckStatus(StrEnum):
    """What a check says; the worst of its findings' is its own."""

    WARNS = "warns"
    INFORMATION = "for information"
    HOLDS = "holds"
    NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Numbers, Row]):
    """What one check says of one finding."""

    finding: Finding  # the one it concerns
    status: CheckStatus  # see `CheckStatus`
    #: what its sentence says, effects on the finding's own scale; None where it is silent.
    numbers: Numbers | None = None
    rows: tuple[Row, ...] = ()  # of the check's table
    why: str = ""  # why it is not estimable, without a full stop; else empty.


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatePlot(Generic[Row]):
    """How the rows of a check, which have an estimate and an interval, are drawn."""

    name: Callable[[Row], str]  # of each row
    keeps: Callable[[Row], bool] | None = None  # which rows are drawn; None for those with an estimate.


def any_study(_study: Study) -> bool:
    """Return that a check asks something of every study."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[Numbers, Row]):
    """One attempt to break the findings: a row of the registry."""

    name: str  # lower case and underscores
    row: type[Row]  # a record of one row of its table
    run: Callable[[CheckInputs], list[Answer[Numbers, Row]]]  # makes an answer for each finding it concerns
    say: Callable[[Answer[Numbers, Row], Numbers], str]  # makes the sentence of an answer from its numbers
    drawn: EstimatePlot[Row] | None = None  # how its rows are drawn; None without a chart.
    why: str = "no_change"  # phrase that says why it concerns no finding
    concerns: Callable[[Study], bool] = any_study  # whether it asks anything of a study

    def words(self, key: str) -> str:
        """Return one of its phrases: its title, question or caption, or what its chart shows."""
        return PHRASES[f"check_{self.name}.{key}"]


def _plain(numbers: Any, name: str = "") -> dict[str, Number]:
    """Return the numbers of an answer by name; those of a part under the part's name."""
    if numbers is None or not (is_dataclass(numbers) or isinstance(numbers, (dict, tuple))):
        return {name: numbers} if name else {}
    if is_dataclass(numbers) and not isinstance(numbers, type):
        numbers = asdict(numbers)
    parts = numbers.items() if isinstance(numbers, dict) else enumerate(numbers, 1)
    found: dict[str, Number] = {}
    for key, value in parts:
        found |= _plain(value, f"{name}_{key}" if name else str(key))
    return found


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check, and what it says of each finding it concerns."""

    check: Check[Any, Any]
    answers: tuple[Answer[Any, Any], ...]

    def reason(self, answer: Answer[Any, Any]) -> str:
        """Return one sentence: what it says of one finding, or why it can say nothing."""
        if answer.status is CheckStatus.NOT_ESTIMABLE:
            return phrase("check.not_estimable", why=answer.why)
        return self.check.say(answer, answer.numbers)

    def summary(self) -> CheckSummary:
        """Return what the report and the files keep of it."""
        return CheckSummary(
            name=self.check.name,
            title=self.check.words("title"),
            question=self.check.words("question"),
            why="" if self.answers else PHRASES[f"check.{self.check.why}"],
            findings=tuple(
                CheckedFinding(
                    group=a.finding.group,
                    outcome=a.finding.outcome,
                    label=a.finding.label,
                    form=a.finding.form,
                    status=a.status,
                    why=a.why,
                    reason=self.reason(a),
                    numbers=_plain(a.numbers),
                )
                for a in self.answers
            ),
        )

    def table(self) -> DataTable:
        """Return the rows of all its answers, with the group and the outcome of each."""
        cells = table_of(
            f"check_{self.check.name}",
            self.check.words("caption"),
            self.check.row,
            [row for a in self.answers for row in a.rows],
        )
        keys = [(a.finding.group, a.finding.outcome) for a in self.answers for _ in a.rows]
        rows = tuple((*key, *row) for key, row in zip(keys, cells.rows, strict=True))
        return replace(cells, columns=(GROUP, OUTCOME, *cells.columns), rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFinding:
    """What a check says of one finding, in one sentence, with the numbers the sentence rests on."""

    group: str
    outcome: str
    label: str
    form: Form
    status: CheckStatus
    why: str
    reason: str
    numbers: dict[str, Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """One check in words: what it asks, and what it says of each finding it concerns."""

    name: str
    title: str
    question: str
    why: str
    findings: tuple[CheckedFinding, ...]

    @property
    def status(self) -> CheckStatus:
        """The worst of its findings': a warning outranks what holds, that what is not known."""
        found = {f.status for f in self.findings}
        return next((s for s in CheckStatus if s in found), CheckStatus.NOT_ESTIMABLE)


@dataclass(frozen=True, slots=True)
class Checked:
    """Every check of a study, in the order of the registry."""

    checks: tuple[CheckSummary, ...]


#: Placebo programmes that a refit is compared with, or as many as the study's findings: a check,
#: not an estimate.
DRAWS = 199


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
    def effect(self) -> float:
        """The estimate; NaN where there is none."""
        return math.nan if self.finding.estimate is None else self.finding.estimate

    def ends(self, estimate: float, inferred: PlaceboInference) -> Ends:
        """Return an effect and its interval as cells of a table, in the finding's unit."""
        printed = self.case.printed
        return {"estimate": printed(estimate), "low": printed(inferred.low), "high": printed(inferred.high)}

    @property
    def excludes_zero(self) -> bool:
        """Whether the printed interval leaves zero out."""
        return leaves_zero_out(self.finding.low, self.finding.high)

    def answer(self, numbers: Numbers, *rows: Row, warns: bool | np.bool_) -> Answer[Numbers, Row]:
        """Answer with numbers, and with rows of the check's table."""
        status = CheckStatus.WARNS if warns else CheckStatus.HOLDS
        return Answer(finding=self.finding, status=status, numbers=numbers, rows=rows)

    def silent(self, why: str) -> Answer[Any, Any]:
        """Answer that nothing can be said, and why."""
        return Answer(finding=self.finding, status=CheckStatus.NOT_ESTIMABLE, why=why)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckInputs:
    """What a check may read."""

    #: study, data, evidence: see there
    study: Study
    data: Assembled
    evidence: Evidence
    subjects: tuple[Subject, ...]  # the findings of whole groups, in the form that leads
    refits: Refits | None  # designs that do not see the last years before the start, shared by several checks
    #: puts placebo programmes through a job: (job, draws) to totals; no more than the study's own number of
    #: them.
    run: Callable[[Job, int], Floats]

    def each(
        self, answer: Callable[[Subject], Answer[Numbers, Row]], subjects: Iterable[Subject]
    ) -> list[Answer[Numbers, Row]]:
        """Answer for each finding; without an estimate there is nothing to try."""
        none = phrase("check.no_finding")
        return [answer(s) if s.is_estimated else s.silent(none) for s in subjects]

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


SMALLEST_P = 0.001


def caveat(check: CheckSummary, finding: CheckedFinding) -> str:
    """Return the line that a finding carries where a check warns of it."""
    return f"{wording.CHECK_WARNS}‘{check.title}’ warns: {finding.reason}"


def summary(check: CheckSummary, *, example: bool = True) -> str:
    """Return one sentence on a check over all the findings it concerns, and an example of it."""
    if not check.findings:
        return phrase("check.not_estimable", why=check.why)
    tried = [a for a in check.findings if a.status is not CheckStatus.NOT_ESTIMABLE]
    if not tried:
        return phrase("check.not_estimable", why="; ".join(dict.fromkeys(a.why for a in check.findings)))
    warned = [a for a in tried if a.status is CheckStatus.WARNS]
    weak = [a for a in tried if a.status is CheckStatus.INFORMATION]
    shown = warned or weak or tried
    key = "warns" if warned else "weak" if weak else "holds_one" if len(tried) == 1 else "holds"
    said = phrase(f"check.{key}", n=len(shown), all=plural(len(tried), "finding"), tried=len(tried))
    return said + _first(shown, example=example)


def effect(value: float | None, form: str) -> str:
    """Write an effect with its sign; finer scales get the decimals they need."""
    finite = known(value)
    if form == "ratio" or finite is None:
        return number(finite, form)
    decimals = 1 if abs(finite) >= 1 or finite == 0 else 3
    return number(finite, form, decimals)


def p_words(value: float | None) -> str:
    """Write a p-value."""
    if value is None:
        return NOT_ESTIMABLE
    return f"under {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def span(low: float | None, high: float | None, form: str) -> str:
    """Write an interval of an effect; an end that was not found is said to be so."""
    ends = [PHRASES["check.no_end"] if known(end) is None else effect(end, form) for end in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def _first(findings: list[CheckedFinding], *, example: bool) -> str:
    if not example:
        return ""
    chosen = findings[0]
    group = f", {chosen.group}" if len({f.group for f in findings}) > 1 else ""
    lead = "check.example" if len(findings) > 1 else "check.only"
    return " " + phrase(lead, whose=f"{chosen.label}{group}", reason=chosen.reason)
