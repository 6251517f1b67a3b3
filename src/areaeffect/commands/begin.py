"""What every command on a study begins with: read, refuse what is wrong, plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.further.registry import refuse_faulty_inputs
from areaeffect.placebo.workers import version_of_code
from areaeffect.value.valuation import cost_releases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from areaeffect.study.file import StudyFile


def with_costs(file: StudyFile, data: Assembled) -> Assembled:
    """Return the data with the files of unit costs among its releases, which the seal covers.

    Raises
    ------
    StudyError, DataError
        Where the study's values cannot be computed from its costs.
    """
    releases = (*data.panel.releases, *cost_releases(file))
    return replace(data, panel=replace(data.panel, releases=releases))


def begin(
    file: StudyFile, store: Path | None, tell: Callable[[str, int, int], None]
) -> tuple[Assembled, Plan]:
    """Read everything a study names and plan it; no outcome after a start is looked at.

    Raises
    ------
    StudyError, DataError
        With every problem found, those of surveys, stories and other further inputs too.
    """
    tell("reading", 0, 1)
    data = assemble(file, store)
    data = with_costs(file, data)
    refuse_faulty_inputs(file, data)
    tell("design", 0, 1)
    return data, make_plan(file, data, version_of_code())
