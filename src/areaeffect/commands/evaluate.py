"""`areaeffect evaluate`: study file to findings and report, in the order of ARCHITECTURE.md."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.step import with_warnings
from areaeffect.commands.begin import begin
from areaeffect.commands.sealed import compare_with_sealed
from areaeffect.document.folders import prepare
from areaeffect.findings.case import Evidence
from areaeffect.findings.conclude import conclude
from areaeffect.findings.finished import Finished
from areaeffect.findings.notes import method_notes
from areaeffect.findings.refusals import refuse_before_data
from areaeffect.findings.series import neighbourhood_series, series
from areaeffect.further.groups import by_attribute
from areaeffect.further.registry import further
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import (
    default_threads,
    run_all,
    single_threaded,
    version_of_code,
)
from areaeffect.report.files import write_result
from areaeffect.results import AreaStatus, Result, Shape
from areaeffect.study.file import StudyFile, read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.findings.plan import Plan
    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings

#: Packages whose versions can move a number.
_NUMERIC = ("numpy", "scipy", "scikit-learn", "shapely", "pyproj", "duckdb", "pandas")
#: A map outline is simplified until it has about this many points an area side.
_MAP_PIXELS = 1200.0


def evaluate(
    path: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
) -> Result:
    """Evaluate one study.

    Parameters
    ----------
    path : the study file.
    threads : worker processes for the placebo draws; default one a processor. The result
        does not depend on it.
    progress : called with (step, done, of) as the work goes on.
    store : folder of the store; default `AREAEFFECT_STORE`, then the user's own.

    Raises
    ------
    StudyError, DataError
        With every problem found; nothing is written.
    """
    tell = progress or (lambda _step, _done, _of: None)
    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, store, tell)
        return estimate(file, data, plan, threads or default_threads(), tell)


def evaluate_into(
    path: Path,
    out: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
) -> Result:
    """Evaluate a study and write its results folder, which appears whole or not at all."""
    prepare(out, progress or (lambda _step, _done, _of: None))
    result = evaluate(path, threads, progress, store)
    if progress:
        progress("report", 0, 1)
    write_result(result, out)
    return result


def estimate(
    file: StudyFile,
    data: Assembled,
    plan: Plan,
    threads: int,
    tell: Callable[[str, int, int], None],
) -> Result:
    """Estimate a sealed plan: effects, placebo draws, findings and every further step."""
    study = file.study
    measures = tuple(data.panel.measures[o.name] for o in study.outcome)
    refuse_before_data(study, plan, measures, str(file.path))
    settled = planned(file, data, plan)
    kept = compare_with_sealed(file, settled)
    real = run_programme(plan.machine, [u.areas for u in plan.units])
    done = 0
    n_draws = study.analysis.placebos
    tell("placebo programmes", 0, n_draws)

    def tick(n: int) -> None:
        nonlocal done
        done += n
        tell("placebo programmes", done, n_draws)

    drawn = run_all(plan.machine, n_draws, threads, tick)
    tell("findings", 0, 1)
    evidence = Evidence(study, plan, measures, real, drawn)
    findings, draws = conclude(evidence)
    result = replace(
        settled,
        findings=findings,
        by_attribute=by_attribute(evidence),
        series=series(evidence),
        neighbourhood_series=neighbourhood_series(evidence),
        placebos=draws,
        notes=(*data.panel.notes, *plan.notes, *kept, *method_notes(file, data, plan)),
    )
    return with_warnings(
        further(
            Finished(
                file=file, data=data, evidence=evidence, result=result, threads=threads, tell=tell
            )
        )
    )


def planned(file: StudyFile, data: Assembled, plan: Plan) -> Result:
    """Return all that is settled before an outcome after a start is read; no findings."""
    study = file.study
    return Result(
        title=study.study.title,
        question=study.study.question,
        findings=(),
        seal=plan.seal,
        designs=plan.designs,
        balance=plan.balance,
        series=(),
        placebos=(),
        areas=_statuses(data, plan),
        releases=data.panel.releases,
        gaps=data.panel.gaps,
        notes=(*data.panel.notes, *plan.notes, *plan.warnings),
        plan=study.model_dump(mode="json", by_alias=True),
        versions=_versions(),
        shapes=map_shapes(data.boundaries, data.panel.areas),
    )


def _versions() -> dict[str, str]:
    return {
        "areaeffect": version_of_code(),
        "python": platform.python_version(),
        **{name: version(name) for name in _NUMERIC},
    }


def _statuses(data: Assembled, plan: Plan) -> tuple[AreaStatus, ...]:
    panel = data.panel
    owner = {int(a): u for u in plan.units for a in u.areas}
    weight = np.zeros(len(panel.areas))
    for weighted in plan.chosen[0]:
        if weighted is not None:
            weight[weighted.pool] += weighted.weights
    rows = []
    for i, (code, name) in enumerate(zip(panel.areas, panel.names, strict=True)):
        unit, reason = owner.get(i), plan.pool.reasons[i]
        if unit is not None:
            rows.append(
                AreaStatus(
                    area=str(code),
                    name=str(name),
                    role="treated",
                    reason="",
                    initiative=unit.initiative,
                    neighbourhood=unit.name,
                )
            )
        elif weight[i] > 0:
            rows.append(
                AreaStatus(
                    area=str(code), name=str(name), role="benchmark", weight=float(weight[i])
                )
            )
        elif reason == "treated":
            rows.append(
                AreaStatus(
                    area=str(code),
                    name=str(name),
                    role="left out",
                    reason="treated, but not covered",
                )
            )
        elif reason:
            rows.append(AreaStatus(area=str(code), name=str(name), role="left out", reason=reason))
        else:
            rows.append(
                AreaStatus(
                    area=str(code),
                    name=str(name),
                    role="not chosen",
                    reason="eligible, not among the most alike",
                )
            )
    return tuple(rows)


def map_shapes(boundaries: Boundaries | None, areas: Strings) -> tuple[Shape, ...]:
    """Return outlines as fine as a map shows them; nothing where there are none."""
    if boundaries is None:
        return ()
    import shapely

    west, south, east, north = shapely.total_bounds(boundaries.outlines)
    return boundaries.shapes(areas, max(east - west, north - south) / _MAP_PIXELS)
