"""`areaeffect multiverse`: every defensible choice at once, with one joint placebo test."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.commands.begin import begin
from areaeffect.commands.evaluate import estimate
from areaeffect.document.folders import RUN_FILE, prepare, write_whole
from areaeffect.errors import Problem, StudyError
from areaeffect.estimate.inference import Places
from areaeffect.findings.case import groups_of
from areaeffect.findings.cohorts import claim_cohorts
from areaeffect.findings.plan import disjoint, pool_of
from areaeffect.geography.neighbours import within
from areaeffect.multiverse.branch_runs import run_tasks
from areaeffect.multiverse.branches import (
    TOTALS,
    Choice,
    CurveCase,
    Universe,
    grid,
    own_choice,
)
from areaeffect.multiverse.joint_test import around_zero_each, curve_band, joint_test, two_tailed
from areaeffect.multiverse.words import Branched
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import default_threads, single_threaded, version_of_code
from areaeffect.report.files import read_result, write_files
from areaeffect.results import Annex, Column, DataTable
from areaeffect.study.file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.findings.case import Group
    from areaeffect.findings.plan import Plan
    from areaeffect.results import Floats, Result
    from areaeffect.study.file import StudyFile
    from areaeffect.study.model import Outcome, Study

FOLDER = "branches"
#: Buffer of the second pool where the study's own is 0 km.
_SOME_BUFFER = 1.0

BRANCH_COLUMNS = (
    Column("group", "string", "initiative"),
    Column("outcome", "string", "outcome"),
    Column("rank", "integer", "place on the curve, from the lowest effect; empty where missing"),
    Column("effect", "number", "effect: fraction of the counterfactual, or points of a score"),
    Column("placebo_low", "number", "2.5% quantile of this branch's placebos, centred on zero"),
    Column("placebo_high", "number", "97.5% quantile of this branch's placebos, centred on zero"),
    Column("p_value", "number", "of this branch alone, twice the smaller placebo tail"),
    Column("band_low", "number", "2.5% quantile of placebo curves at this rank"),
    Column("band_high", "number", "97.5% quantile of placebo curves at this rank"),
    Column("buffer_km", "number", "buffer around treated areas, km"),
    Column("common_support", "boolean", "only areas within the treated range before the start"),
    Column("weighting", "string", "how benchmark areas are chosen and weighted"),
    Column("window", "string", "time before the start that is used"),
    Column("estimator", "string", "how neighbourhoods are brought together, or the library"),
    Column("form", "string", "functional form"),
    Column("is_study", "boolean", "the study's own choices"),
    Column("reason", "string", "why the branch could not be computed"),
)
JOINT_COLUMNS = (
    Column("group", "string", "initiative"),
    Column("outcome", "string", "outcome"),
    Column("unit", "string", "unit of the effects"),
    Column("n_branches", "integer", "branches that could be computed"),
    Column("n_missing", "integer", "branches that could not"),
    Column("lowest", "number", "lowest effect of a branch"),
    Column("median", "number", "median effect over the branches"),
    Column("highest", "number", "highest effect of a branch"),
    Column("share_below", "number", "share of branches below zero"),
    Column("n_placebos", "integer", "placebo programmes that went through the branches"),
    Column("median_low", "number", "2.5% quantile of the placebo programmes' medians"),
    Column("median_high", "number", "97.5% quantile of the placebo programmes' medians"),
    Column("median_p", "number", "of the median, twice the smaller placebo tail"),
    Column("share_p", "number", "of the share below zero, twice the smaller placebo tail"),
    Column("n_disjoint_placebos", "integer", "placebo programmes that share no area"),
)


def multiverse(
    path: Path,
    out: Path,
    draws: int,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    cluster: str | None = None,
) -> Result:
    """Put a study through every branch, and its results folder with the annex in place.

    A run that is broken off leaves its finished tasks in the folder and goes on from there.

    Parameters
    ----------
    path : the study file.
    out : a results folder of this very study, or a new one (the study is evaluated first).
    draws : placebo programmes that go through every branch.
    threads : worker processes; default one a processor. No number depends on it.
    progress : called with (step, done, of).
    store : folder of the store.
    cluster : address of a Dask scheduler that runs the branches instead.

    Raises
    ------
    StudyError
        Where the folder holds results of another plan, or no outcome makes a claim of change.
    """
    tell = progress or (lambda _step, _done, _of: None)
    n_threads = threads or default_threads()
    prepare(out, lambda *_: None)  # earlier results are added to
    with single_threaded():
        file = read_study(path)
        _refuse_levels(file)
        data, plan = begin(file, store, tell)
        if (out / RUN_FILE).is_file():
            result = _already_evaluated(out, plan)
        else:
            result = estimate(file, data, plan, n_threads, tell)
            write_whole(out, lambda aside: write_files(result, aside))
        universe, choices = make_universe(file.study, data, plan, draws)
        contents = run_tasks(
            universe,
            choices,
            out / FOLDER,
            n_threads,
            cluster,
            lambda done, of: tell("branches", done, of),
        )
        annex = _annex(universe, file.study, choices, contents, result)
        kept = tuple(a for a in result.annexes if a.name != annex.name)
        result = replace(result, annexes=(*kept, annex))
        tell("report", 0, 1)
        files = [f"{content['plan']}.json" for content in contents]
        write_whole(out, lambda aside: _write(result, files, out, aside))
    return result


def _already_evaluated(out: Path, plan: Plan) -> Result:
    result = read_result(out)
    if result.seal.sha256 != plan.seal.sha256:
        raise StudyError(
            Problem(
                "the folder holds results of another plan: its seal is not this study's.",
                str(out),
                "Evaluate the study into it again, or name a new folder.",
            )
        )
    return result


def _refuse_levels(file: StudyFile) -> None:
    if not any(o.claim == "change" for o in file.study.outcome):
        raise StudyError(
            Problem(
                "no outcome makes a claim of change, and only those have branches.",
                file.where("outcome"),
                'Give an outcome claim = "change".',
            )
        )


def _write(result: Result, branches: Sequence[str], out: Path, aside: Path) -> None:
    """Write the folder with the branch files of this run; those of another plan stay behind."""
    write_files(result, aside)
    (aside / FOLDER).mkdir()
    for name in branches:
        shutil.copyfile(out / FOLDER / name, aside / FOLDER / name)


def make_universe(
    study: Study, data: Assembled, plan: Plan, draws: int
) -> tuple[Universe, list[Choice]]:
    """Gather what every task shares, and list the tasks."""
    arm = claim_cohorts(plan.machine.arms)[0]
    members = tuple(u.areas for u in plan.units)
    real = run_programme(plan.machine, members)
    cases = tuple(
        _curve_case(plan, group, real[:, o], o, outcome)
        for group in groups_of(plan.units)
        for o, outcome in enumerate(study.outcome)
        if outcome.claim == "change"
    )
    pools = {
        km: (plan.pool.eligible, data.panel.near) if is_own else _pool(study, data, km)
        for km, is_own in _buffers(study, data)
    }
    bare = replace(
        data.panel, attributes={}, contiguity=None, near=None, gaps=(), releases=(), notes=()
    )
    light = replace(arm, panel=bare, _cohorts={}, _sums={})
    universe = Universe(
        replace(plan.machine, arms=(light,)),
        members,
        {km: eligible for km, (eligible, _) in pools.items()},
        {km: near for km, (_, near) in pools.items()},
        cases,
        draws,
        hashlib.sha256(f"{plan.seal.sha256} {version_of_code()}".encode()).hexdigest(),
    )
    return universe, grid(study, list(pools))


def _curve_case(
    plan: Plan, group: Group, real: Floats, position: int, outcome: Outcome
) -> CurveCase:
    units = tuple(g for g in group.units if np.isfinite(real[g]).all())
    taken = Places(len(units), disjoint(plan, group.units)[1]).taken
    is_count = outcome.kind == "count"
    return CurveCase(group.name, outcome.name, position, units, is_count, taken)


def _buffers(study: Study, data: Assembled) -> list[tuple[float, bool]]:
    """Return the buffers in km, and whether each is the study's own, which comes first."""
    own = study.register_.buffer_km
    if data.boundaries is None:
        return [(own, True)]
    return [(own, True), (2 * own if own else _SOME_BUFFER, False)]


def _pool(study: Study, data: Assembled, km: float) -> tuple[Any, Any]:
    near = within(data.boundaries, km * 1000) if data.boundaries is not None else None
    register = study.register_.model_copy(update={"buffer_km": km})
    other = study.model_copy(update={"register_": register})
    measures = tuple(data.panel.measures[o.name] for o in study.outcome)
    moved = replace(data, panel=replace(data.panel, near=near))
    return pool_of(other, moved, measures).eligible, near


def _annex(
    universe: Universe,
    study: Study,
    choices: Sequence[Choice],
    contents: Sequence[dict[str, Any]],
    result: Result,
) -> Annex[Branched]:
    own = own_choice(study, choices[0].buffer_km)
    rows: list[tuple[Any, ...]] = []
    joint: list[tuple[Any, ...]] = []
    for case in universe.cases:
        if not case.units:
            continue
        branches = [
            (choice, curve)
            for choice, content in zip(choices, contents, strict=True)
            for curve in content["curves"]
            if (curve["group"], curve["outcome"]) == (case.group, case.outcome)
        ]
        found = [b for b in branches if b[1]["effect"] is not None]
        missing = [b for b in branches if b[1]["effect"] is None]
        found.sort(key=lambda b: b[1]["effect"])
        effects = np.array([b[1]["effect"] for b in found], dtype=np.float64)
        drawn = np.array([b[1]["placebos"] for b in found], dtype=np.float64).T
        placebos = around_zero_each(drawn, case.taken)
        rows += _branch_rows(case, found, effects, placebos, own)
        rows += [
            (case.group, case.outcome, *(None,) * 7, *_chosen(c, curve, own), curve["reason"])
            for c, curve in missing
        ]
        joint.append(_joint_row(case, effects, placebos, len(missing), result))
    branched = Branched(
        n_branches=max((r[3] + r[4] for r in joint), default=0),
        n_placebos=universe.n_draws,
        without_branches=tuple(
            f"{c.outcome.replace('_', ' ')} ({c.group})" for c in universe.cases if not c.units
        ),
        buffers_km=tuple(universe.eligible),
        not_varied=() if len(universe.eligible) > 1 else ("buffer: the areas have no outlines",),
    )
    tables = (
        DataTable("multiverse", "Every branch of the multiverse", BRANCH_COLUMNS, tuple(rows)),
        DataTable("multiverse_joint", "All branches together", JOINT_COLUMNS, tuple(joint)),
    )
    return Annex("multiverse", branched, tables)


def _branch_rows(
    case: CurveCase,
    found: Sequence[tuple[Choice, dict[str, Any]]],
    effects: Floats,
    placebos: Floats,
    own: Choice,
) -> list[tuple[Any, ...]]:
    band = curve_band(placebos) if len(found) else None
    rows = []
    for rank, (choice, curve) in enumerate(found):
        drawn = placebos[np.isfinite(placebos[:, rank]), rank]
        low, high = np.quantile(drawn, (0.025, 0.975)) if len(drawn) else (None, None)
        rows.append(
            (
                case.group,
                case.outcome,
                rank + 1,
                _printed(case, effects[rank]),
                _printed(case, low),
                _printed(case, high),
                two_tailed(float(effects[rank]), drawn) if len(drawn) else None,
                _printed(case, band[0][rank]) if band else None,
                _printed(case, band[1][rank]) if band else None,
                *_chosen(choice, curve, own),
                "",
            )
        )
    return rows


def _chosen(choice: Choice, curve: dict[str, Any], own: Choice) -> tuple[Any, ...]:
    leading = curve["estimator"] == TOTALS and curve["form"] == (
        "ratio" if curve["is_count"] else "additive"
    )
    return (
        choice.buffer_km,
        choice.common_support,
        choice.weighting,
        choice.window,
        curve["estimator"],
        curve["form"],
        choice == own and leading,
    )


def _joint_row(
    case: CurveCase, effects: Floats, placebos: Floats, n_missing: int, result: Result
) -> tuple[Any, ...]:
    finding = next(
        f
        for f in result.findings
        if (f.group, f.outcome, f.neighbourhood) == (case.group, case.outcome, None)
    )
    about = (case.group, case.outcome, "fraction" if case.is_count else finding.unit)
    if not len(effects):
        return (*about, 0, n_missing, *(None,) * 4, 0, *(None,) * 4, finding.n_disjoint_placebos)
    test = joint_test(effects, placebos)
    return (
        *about,
        test.n_branches,
        n_missing,
        _printed(case, effects.min()),
        _printed(case, test.median),
        _printed(case, effects.max()),
        test.share_below,
        test.n_draws,
        _printed(case, test.median_low),
        _printed(case, test.median_high),
        test.median_p,
        test.share_p,
        finding.n_disjoint_placebos,
    )


def _printed(case: CurveCase, value: float | None) -> float | None:
    if value is None:
        return None
    return float(np.expm1(value)) if case.is_count else float(value)
