"""What a further question may read once a study has its findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from areaeffect.results import Annex, Found, Result

if TYPE_CHECKING:
    from areaeffect.assembly.assemble import Assembled
    from areaeffect.document.blocks import Section
    from areaeffect.findings.case import Evidence
    from areaeffect.study.file import StudyFile


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Finished:
    """The data, evidence and findings that a further step may read."""

    #: file, data: the study and its panel
    file: StudyFile
    data: Assembled
    evidence: Evidence  # the sealed plan, real and placebo totals
    result: Result  # the findings, and the annexes of the steps before
    threads: int  # worker processes it may use
    tell: Callable[[str, int, int], None]  # called with (step, done, of) as the work goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Further(Generic[Found]):
    """A further question of a study: one row of the registry."""

    name: str  # of its annex, lower case and underscores
    found: type[Found]  # the record that its step returns and its section prints
    section: Callable[[Result, Annex[Found]], Section]  # its part of the report
    #: answers the question, or returns None where the study does not ask it. A question without a step has a
    #: command of its own.
    step: Callable[[Finished], Annex[Found] | None] | None = None
    #: reads, before the long work begins, what the step will read, and refuses what the step could not read.
    #: Without data, which then have faults of their own, it checks what it can. Returns remarks.
    check: Callable[[StudyFile, Assembled | None], tuple[str, ...]] | None = None
