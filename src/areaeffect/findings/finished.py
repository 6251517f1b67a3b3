"""What a further question of a study may read once its findings are there."""

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
    """What a further step may read.

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
    step : asks the question; None where the study does not ask it. Without a step, a command of
        its own asks.
    section : what the report says of it.
    check : reads before the long work begins what the step will read, and refuses what it could
        not; without data, which then have faults of their own, as far as it can. Returns remarks.
    """

    name: str
    found: type[Found]
    section: Callable[[Result, Annex[Found]], Section]
    step: Callable[[Finished], Annex[Found] | None] | None = None
    check: Callable[[StudyFile, Assembled | None], tuple[str, ...]] | None = None
