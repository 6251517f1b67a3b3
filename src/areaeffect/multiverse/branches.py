"""Branches of the multiverse: which choices there are, and one of them carried out.

A task is one set of design choices; every form and estimator that can be read off its totals is
a branch. The real programme and the same placebo programmes go through each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np

from areaeffect.design.calibration import Matching
from areaeffect.design.programme import Weighted, design_programme
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.crosscheck import ESTIMATORS, cross_check
from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.findings.series import build_panel
from areaeffect.panel import Graph, Neighbourhood
from areaeffect.placebo.programmes import Machine, programme_of, run_programme
from areaeffect.placebo.workers import single_threaded
from areaeffect.results import Bools, Floats, Ints, NotEstimable
from areaeffect.study.model import Study
from areaeffect.wording.numbers import PHRASES

_DIGITS = 12
_NEAREST = 60
#: Samples of a library's own variance, which a placebo programme has no use for.
_FEWEST_SAMPLES = 2
TOTALS, MEAN = "total over neighbourhoods", "mean over neighbourhoods"
WHOLE, LATER_HALF = "whole history", "later half of the history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The design choices of one task; `library` names an estimator, or is empty for our own."""

    buffer_km: float
    common_support: bool
    calibration: str
    nearest: int
    ratio: int
    window: str
    library: str = ""

    @property
    def weighting(self) -> str:
        """How benchmark areas are chosen and weighted, in words."""
        if self.calibration == "none":
            return "nearest area" if self.ratio == 1 else f"{self.ratio} nearest areas"
        pool = f"{self.nearest} nearest" if self.nearest else "whole pool"
        return f"{self.calibration}, {pool}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveCase:
    """One finding whose branches are drawn as a curve: whose, of what.

    `units` are those that the study's own design can estimate; without any there is no curve.
    `taken` is the share of the study's own pool that they take up (`inference.Places`).
    """

    group: str
    outcome: str
    position: int
    units: tuple[int, ...]
    is_count: bool
    taken: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Universe:
    """What every task shares."""

    arm: ClaimCohorts
    machine: Machine  # of the study's own plan, its change arm alone
    members: tuple[Ints, ...]  # the treated areas of each real neighbourhood
    #: eligible, near: for each buffer in km, the pool and the areas within the buffer
    eligible: Mapping[float, Bools]
    near: Mapping[float, Graph | None]
    cases: tuple[CurveCase, ...]  # the curves
    n_draws: int  # placebo programmes that go through every branch
    key: str  # hash of the plan and the code


def grid(study: Study, buffers: Sequence[float]) -> list[Choice]:
    """List every combination of choices, the study's own settings among them.

    Parameters
    ----------
    study : its nearest areas, ratio and estimators.
    buffers : in km, the study's own first.
    """
    design = study.design
    near = design.nearest or _NEAREST
    weightings = [
        *product(("chi-square", "entropy"), (near, 0), (design.ratio,)),
        *(("none", near, ratio) for ratio in sorted({1, design.ratio, 5}, reverse=True)[:2]),
    ]
    choices = [
        Choice(
            buffer_km=buffer,
            common_support=support,
            calibration=calibration,
            nearest=nearest,
            ratio=ratio,
            window=window,
        )
        for buffer, support, (calibration, nearest, ratio), window in product(
            buffers, (True, False), weightings, (WHOLE, LATER_HALF)
        )
    ]
    own = own_choice(study, buffers[0])
    if own not in choices:
        choices.insert(0, own)
    libraries = [name for name in study.analysis.estimators if name in ESTIMATORS]
    return [*choices, *(replace(own, library=name) for name in libraries)]


def own_choice(study: Study, buffer_km: float) -> Choice:
    """Return the study's own settings as a choice."""
    design = study.design
    nearest = design.nearest
    if design.calibration == "none":
        nearest = design.nearest or _NEAREST
    return Choice(
        buffer_km=buffer_km,
        common_support=design.common_support,
        calibration=design.calibration,
        nearest=nearest,
        ratio=design.ratio,
        window=WHOLE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One finding in one branch, by one estimator and form: effects on the log scale for counts."""

    group: str
    outcome: str
    estimator: str
    form: str
    is_count: bool
    effect: float | None
    reason: str
    placebos: tuple[float | None, ...]


def name_of(universe: Universe, choice: Choice) -> str:
    """Return the name of a task's file: a hash of its plan."""
    plan = {"key": universe.key, "draws": universe.n_draws, "choice": asdict(choice)}
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:24]


def run_branch(universe: Universe, choice: Choice) -> str:
    """Put the real and every placebo programme through one set of choices.

    Returns
    -------
    JSON text, the same bytes wherever it is run: for each curve and each form and estimator, the
    effect and its placebos, on the log scale for counts; why it is missing where it is.
    """
    with single_threaded():
        machine = _machine(universe, choice)
        if choice.library:
            curves = _library_curves(universe, machine, choice.library)
        else:
            curves = _own_curves(universe, machine)
    content = {
        "plan": name_of(universe, choice),
        "choice": asdict(choice),
        "curves": [asdict(c) for c in curves],
    }
    return json.dumps(content, sort_keys=True, allow_nan=False) + "\n"


def _machine(universe: Universe, choice: Choice) -> Machine:
    base = universe.arm
    matching = Matching(choice.calibration, choice.ratio)
    eligible = universe.eligible[choice.buffer_km]
    arm = replace(
        base,
        eligible=eligible,
        nearest=matching.depth(choice.nearest),
        later_half=choice.window == LATER_HALF,
        _cohorts={},
        _sums={},
    )
    rules = replace(
        universe.machine.rules,
        nearest=choice.nearest,
        common_support=choice.common_support,
        near=universe.near[choice.buffer_km],
        matching=matching,
    )
    return replace(universe.machine, arms=(arm,), eligible=eligible, rules=rules)


def _own_curves(universe: Universe, machine: Machine) -> list[Curve]:
    machine.prepare()
    real = run_programme(machine, universe.members)
    drawn = machine.run(np.arange(universe.n_draws))
    found = []
    for case in universe.cases:
        if not case.units:
            continue
        estimators = (TOTALS, MEAN) if len(case.units) > 1 else (TOTALS,)
        forms = ("ratio", "additive") if case.is_count else ("additive",)
        for estimator, form in product(estimators, forms):
            effect = float(_effect(real, case, estimator, form))
            reason = "" if np.isfinite(effect) else _why(real, case, machine)
            placebos = _effect(drawn, case, estimator, form)
            found.append(_curve(case, estimator, form, effect, reason, placebos))
    return found


def _effect(totals: Floats, case: CurveCase, estimator: str, form: str) -> Floats:
    """Return one case's effect over any leading axes: log of a ratio, or points of a score.

    The additive effect on rates is expressed as a share of the rate that would have been, so that
    both forms of a count lie on one scale.
    """
    own = totals[..., list(case.units), case.position, :]
    if estimator == TOTALS:
        own = own.sum(axis=-2, keepdims=True)
    if form == "ratio":
        return np.asarray(cf.log_ratio(own, "change").mean(axis=-1))
    gap = cf.rate_difference(own, "change").mean(axis=-1)
    if not case.is_count:
        return np.asarray(gap)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (own[..., cf.OBSERVED_POST] / own[..., cf.EXPOSURE_POST]).mean(axis=-1)
        found = -np.log1p(-gap / rate)
    return np.where(np.isfinite(found), found, np.nan)


def _why(real: Floats, case: CurveCase, machine: Machine) -> str:
    """Say why the real programme has no effect in this branch."""
    lost = ~np.isfinite(real[list(case.units), case.position]).all(axis=-1)
    if lost.any():
        matched = machine.rules.matching.calibration == "none"
        what = "a treated area without a match" if matched else "no area left in the pool"
        return f"{int(lost.sum())} of {len(case.units)} neighbourhoods: {what}"
    return PHRASES["conclude.total_zero"]


def _library_curves(universe: Universe, machine: Machine, name: str) -> list[Curve]:
    machine.prepare()
    cases = [case for case in universe.cases if case.units]
    rows: list[list[float]] = [[] for _ in cases]
    for number in range(universe.n_draws):
        programme = programme_of(machine, number)
        weighted = [] if programme is None else _weigh(machine, programme)
        for case, row in zip(cases, rows, strict=True):
            row.append(
                np.nan if programme is None else _library(universe, case, name, programme, weighted)[0]
            )
    chosen, found = _weigh(machine, universe.members), []
    form, title = "ratio" if name == "poisson" else "additive", ESTIMATORS[name].title
    for case, row in zip(cases, rows, strict=True):
        effect, reason = _library(universe, case, name, universe.members, chosen)
        found.append(_curve(case, title, form, effect, reason, np.array(row)))
    return found


def _weigh(machine: Machine, programme: Sequence[Ints]) -> list[Weighted | None]:
    (arm,) = machine.arms
    cohorts = [arm.cohort(g, areas) for g, areas in enumerate(programme)]
    return design_programme(cohorts, programme, machine.eligible, machine.rules)


def _library(
    universe: Universe,
    case: CurveCase,
    name: str,
    programme: Sequence[Ints],
    weighted: Sequence[Weighted | None],
) -> tuple[float, str]:
    """Return a library's effect on one case, or NaN and why there is none."""
    arm = universe.arm
    places: list[Neighbourhood] = [arm.units[g] for g in case.units]
    panel = build_panel(
        arm.measure(case.position),
        places,
        [programme[g] for g in case.units],
        [weighted[g] for g in case.units],
        universe.machine.seed,
    )
    if isinstance(panel, NotEstimable):
        return np.nan, panel.reason
    found = cross_check(name, replace(panel, samples=_FEWEST_SAMPLES))
    if isinstance(found, NotEstimable):
        return np.nan, found.reason
    if not case.is_count:
        return found.estimate, ""
    if not found.estimate > -1:
        return np.nan, PHRASES["conclude.not_positive"]
    return float(np.log1p(found.estimate)), ""


def _curve(case: CurveCase, estimator: str, form: str, effect: float, reason: str, placebos: Floats) -> Curve:
    return Curve(
        group=case.group,
        outcome=case.outcome,
        estimator=estimator,
        form=form,
        is_count=case.is_count,
        effect=_number(effect),
        reason=reason,
        placebos=tuple(_number(float(x)) for x in placebos),
    )


def _number(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
