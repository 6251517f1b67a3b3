"""What every command on a study begins with: read, refuse what is wrong, plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.further.groups import check_groups
from areaeffect.further.misplacement import check_misplaced
from areaeffect.further.stories import check_stories
from areaeffect.placebo.workers import version_of_code
from areaeffect.survey.step import check_surveys
from areaeffect.value.valuation import cost_releases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from areaeffect.study.file import StudyFile


#: What each further step (`steps.py`) would refuse, asked before the long work begins.
CHECKS: tuple[Callable[[StudyFile, Assembled], None], ...] = (
    check_groups,
    check_misplaced,
    check_surveys,
    check_stories,
)


def refuse_faulty_inputs(file: StudyFile, data: Assembled) -> None:
    """Read the inputs of the further steps, so that a fault in one stops the study at once.

    Raises
    ------
    AreaEffectError
        Of the first step that cannot read its input, with every fault in it.
    """
    for check in CHECKS:
        check(file, data)


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
