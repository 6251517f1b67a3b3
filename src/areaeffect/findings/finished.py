"""What a further question may read once a study has its findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from areaeffect.results import Found

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.document.blocks import Section
    from areaeffect.findings.case import Evidence
    from areaeffect.results import Annex, Result
    from areaeffect.study.file import StudyFile


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Finished:
    """The data, evidence and findings that a further step may read.

    Parameters
    ----------
    file, data : the study and its panel.
    evidence : the sealed plan, real and placebo totals.
    result : the findings, and the annexes of the steps before.
    threads : worker processes it may use.
    tell : called with (step, done, of) as the work goes on.
    """

    file: StudyFile
    data: Assembled
    evidence: Evidence
    result: Result
    threads: int
    tell: Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Further(Generic[Found]):
    """A further question of a study: one row of the registry.

    Parameters
    ----------
    name : of its annex, lower case and underscores.
    found : the record that its step returns and its section prints.
    step : answers the question, or returns None where the study does not ask it. A question
        without a step has a command of its own.
    section : its part of the report.
    check : reads, before the long work begins, what the step will read, and refuses what the step
        could not read. Without data, which then have faults of their own, it checks what it can.
        Returns remarks.
    """

    name: str
    found: type[Found]
    section: Callable[[Result, Annex[Found]], Section]
    step: Callable[[Finished], Annex[Found] | None] | None = None
    check: Callable[[StudyFile, Assembled | None], tuple[str, ...]] | None = None
