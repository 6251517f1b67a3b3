"""`areaeffect evaluate`: study file to findings and report, in the order of ARCHITECTURE.md."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import zip_longest
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.checks.registry import with_warnings
from areaeffect.document.folders import prepare
from areaeffect.errors import DataError, Faults, StudyError
from areaeffect.findings.case import Evidence, Finished
from areaeffect.findings.conclude import conclude, method_notes
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.findings.refusals import refuse_before_data
from areaeffect.findings.series import neighbourhood_series, series
from areaeffect.findings.units import to_look
from areaeffect.further.groups import by_attribute
from areaeffect.further.registry import further, further_inputs
from areaeffect.geography.boundaries import Boundaries
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import default_threads, run_all, single_threaded, version_of_code
from areaeffect.report.files import design_values, rounded, write_result
from areaeffect.results import AreaStatus, Release, Result, Shape, Strings
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.parts import resolve
from areaeffect.value.valuation import cost_releases

#: Packages whose versions can move a number.
NUMERIC = ("numpy", "scipy", "shapely", "pyproj", "duckdb", "pandas")
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
    file: StudyFile, data: Assembled, plan: Plan, threads: int, tell: Callable[[str, int, int], None]
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
    looked = [str(plan.look)] if plan.look else []
    findings, draws = conclude(evidence)
    result = replace(
        settled,
        findings=findings,
        by_attribute=by_attribute(evidence),
        series=series(evidence),
        neighbourhood_series=neighbourhood_series(evidence),
        placebos=draws,
        notes=(*looked, *data.panel.notes, *plan.notes, *kept, *method_notes(file, data, plan)),
    )
    return with_warnings(
        further(Finished(file=file, data=data, evidence=evidence, result=result, threads=threads, tell=tell))
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
        **{name: version(name) for name in NUMERIC},
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
        area = AreaStatus(area=str(code), name=str(name), role="left out", reason=reason)
        if unit is not None:
            own, place = unit.initiative, unit.name
            area = replace(area, role="treated", reason="", initiative=own, neighbourhood=place)
        elif weight[i] > 0:
            area = replace(area, role="benchmark", reason="", weight=float(weight[i]))
        elif reason == "treated":
            area = replace(area, reason="treated, but not covered")
        elif not reason:
            area = replace(area, role="not chosen", reason="eligible, not among the most alike")
        rows.append(area)
    return tuple(rows)


def map_shapes(boundaries: Boundaries | None, areas: Strings) -> tuple[Shape, ...]:
    """Return outlines as fine as a map shows them; nothing where there are none."""
    if boundaries is None:
        return ()
    import shapely

    west, south, east, north = shapely.total_bounds(boundaries.outlines)
    return boundaries.shapes(areas, max(east - west, north - south) / _MAP_PIXELS)


_SHOWN = 5
_SAME_WEIGHT = 1e-6
#: What two designs must share; the pool may grow or shrink without moving a weight.
_DESIGN = ("start", "areas", "benchmark_areas", "weights")


def compare_with_sealed(file: StudyFile, planned: Result) -> tuple[str, ...]:
    """Return a note that a plan is the one sealed before; nothing where the study names none.

    Code, releases and later periods may differ from those of the seal. Settings, neighbourhoods,
    benchmark areas and weights may not.

    Raises
    ------
    StudyError
        Where the plan differs from the sealed one, with what differs.
    DataError
        Where the sealed plan is not there, or is none.
    """
    if file.study.study.sealed is None:
        return ()
    path = resolve(file.study.study.sealed, file.folder)
    sealed = _read(path)
    now = json.loads(json.dumps(design_values(rounded(planned)) | {"plan": planned.plan}))
    given = file.study.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    gone: list[str] = []
    before = _still_known(sealed["plan"], file.study, "", gone)
    differing = [*_settings(before, now["plan"], given), *_designs(sealed, now)]
    added = file.added
    if added and added.seal != sealed["seal"]["sha256"]:
        differing.append(f"looks.toml belongs to the seal {added.seal}")
    if differing:
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise StudyError(
            f"this is not the plan that was sealed: {'; '.join(differing[:_SHOWN])}{more}.",
            str(path),
            "Restore the study file and the earlier data that the plan lists. "
            "Without `sealed` the study runs, and does not say that it kept to a plan.",
        )
    note = (
        "Settings, neighbourhoods, benchmark areas and weights are those of the plan sealed "
        f"before, with the seal {sealed['seal']['sha256']} ({path.name})."
    )
    more_notes = []
    if added:
        more_notes += [
            f"The looks were written beside that plan on {added.dated}, after its seal (looks.toml)."
        ]
    if gone:
        more_notes += [f"The sealed plan lists keys that a study no longer has: {', '.join(gone)}."]
    return note, *more_notes


def _read(path: Path) -> Any:
    fix = "Give the design.json that `areaeffect design` wrote, as `sealed` of [study]."
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in ("seal", "designs", "plan") if key not in found]
    except (OSError, ValueError):
        raise DataError("the sealed plan cannot be read.", str(path), fix) from None
    if missing:
        raise DataError(f"this is no sealed plan: it lacks {', '.join(missing)}.", str(path), fix)
    return found


def _still_known(sealed: Any, part: Any, name: str, gone: list[str]) -> Any:
    """Return sealed settings without keys that no study has any more; a study file cannot have given one."""
    if isinstance(part, BaseModel) and isinstance(sealed, dict):
        known = {field.alias or key: getattr(part, key) for key, field in type(part).model_fields.items()}
        gone += [f"{name}{key}" for key in sealed if key not in known]
        return {k: _still_known(v, known[k], f"{name}{k}.", gone) for k, v in sealed.items() if k in known}
    if isinstance(part, tuple) and isinstance(sealed, list):
        pairs = zip_longest(sealed, part[: len(sealed)])
        return [_still_known(one, own, f"{name}{i}.", gone) for i, (one, own) in enumerate(pairs)]
    if isinstance(part, dict) and isinstance(sealed, dict):
        return {k: _still_known(v, part.get(k), f"{name}{k}.", gone) for k, v in sealed.items()}
    return sealed


def _settings(sealed: Any, now: Any, given: Any) -> Iterator[str]:
    """Name the settings that changed, and those given now that the seal did not know."""
    before, after = dict(_leaves(sealed)), dict(_leaves(now))
    for key, value in before.items():
        if after.get(key) != value:
            yield f"`{key}` was {value!r} and is {after.get(key)!r}"
    for key, value in _leaves(given):
        if key not in before:
            yield f"`{key}` was not there and is {value!r}"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        at = f"{name}.{key}" if name else str(key)
        if isinstance(item, dict | list) and item:
            yield from _leaves(item, at)
        else:
            yield at, item


def _designs(sealed: Any, now: Any) -> Iterator[str]:
    """Name the neighbourhoods whose start, areas, benchmark areas or weights changed."""
    keys = ("initiative", "neighbourhood", "claim")
    before, after = (
        {tuple(d[k] for k in keys): {k: d[k] for k in _DESIGN} for d in one["designs"]}
        for one in (sealed, now)
    )
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            what = "not in the sealed plan" if one is None else "only in the sealed plan"
            yield f"{key[1]} ({key[2]}) is {what}"
        elif changed := [k.replace("_", " ") for k in _DESIGN if not _alike(one[k], other[k])]:
            yield f"{key[1]} ({key[2]}) has other {' and '.join(changed)}"


def _alike(one: Any, other: Any) -> bool:
    """Tell whether two values of a design are the same; weights but for a platform's last bits."""
    if isinstance(one, list) and len(one) == len(other) and one and isinstance(one[0], float):
        return all(isclose(a, b, abs_tol=_SAME_WEIGHT) for a, b in zip(one, other, strict=True))
    return bool(one == other)


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
