"""What every command on a study begins with: read, refuse what is wrong, plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.errors import Faults
from areaeffect.findings.looks import to_look
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.further.registry import further_inputs
from areaeffect.placebo.workers import version_of_code
from areaeffect.results import Release
from areaeffect.study.file import StudyFile
from areaeffect.value.valuation import cost_releases


def with_costs(data: Assembled, costs: tuple[Release, ...], notes: tuple[str, ...] = ()) -> Assembled:
    """Return the data with the files of unit costs among its releases, which the seal covers."""
    panel = data.panel
    every, said = (*panel.releases, *costs), (*panel.notes, *notes)
    return replace(data, panel=replace(panel, releases=every, notes=said))


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
    faults = Faults()
    data = faults.attempt(assemble, file, store)
    costs = faults.attempt(cost_releases, file)
    notes = faults.attempt(further_inputs, file, data)
    faults.raise_all()
    if data is None or costs is None or notes is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    data, look = to_look(file, with_costs(data, costs, notes))
    tell("design", 0, 1)
    return data, replace(make_plan(file, data, version_of_code()), look=look)
