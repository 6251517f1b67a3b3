"""What a further question of a study may read once its findings are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.findings.describe import Evidence
    from areaeffect.results import Result
    from areaeffect.study.file import StudyFile


@dataclass(frozen=True, slots=True, eq=False)
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
