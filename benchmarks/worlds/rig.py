"""Send a world through `evaluate`'s own path: plan, placebo programmes, findings.

The effects are put in afterwards. Only the treated counts after the start depend on them, so that
one plan and one set of placebo programmes serve every effect of a world; a test holds this against
a panel that has the effect in it from the beginning, with staggered starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.estimate.counterfactual import OBSERVED_POST
from areaeffect.findings.case import Evidence
from areaeffect.findings.conclude import conclude
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.geography.boundaries import graph_of
from areaeffect.panel import Measure, Neighbourhood, Panel
from areaeffect.periods import PeriodKind, Periods
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import run_all, single_threaded
from areaeffect.register.registered import Registered
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study
from benchmarks.worlds.generate import SMALLEST, Drawn, World, changed, draw

if TYPE_CHECKING:
    from areaeffect.results import Finding, Floats

FIRST = 2012 * 12
INITIATIVE = "World"


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """A world as an evaluation reads it: its study, its panel, and what neither may know."""

    file: StudyFile
    data: Assembled
    drawn: Drawn


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A world that is planned and has its placebo programmes, with nothing done."""

    drawn: Drawn
    plan: Plan
    evidence: Evidence


def studied(world: World, seed: int, placebos: int = 199) -> Studied:
    """Draw a world and write its study."""
    drawn = draw(world, seed)
    return Studied(study_of(drawn, seed, placebos), panel_of(drawn, world.smallest), drawn)


def ready(world: World, seed: int, placebos: int, held_out: int | None = None) -> Ready:
    """Plan the study of one world, and draw its placebo programmes; see `evaluated`."""
    made = studied(world, seed, placebos)
    return Ready(made.drawn, *evaluated(made.file, made.data, held_out))


def evaluated(file: StudyFile, data: Assembled, held_out: int | None = None) -> tuple[Plan, Evidence]:
    """Take the steps of `evaluate` from a panel to all that findings are drawn from.

    Parameters
    ----------
    file, data : as `evaluate` has them when it plans.
    held_out : placebo draws of the held-out year, which only grades rest on; None for as many as
        `evaluate` takes.
    """
    with single_threaded():
        plan = make_plan(file, data, "worlds")
        if held_out is not None:
            fewer = (a if a.draws is None else replace(a, draws=held_out) for a in plan.arms)
            arms = tuple(fewer)
            plan = replace(plan, arms=arms, machine=replace(plan.machine, arms=arms))
        real = run_programme(plan.machine, [u.areas for u in plan.units])
        draws = run_all(plan.machine, file.study.analysis.placebos, 1, lambda _n: None)
    measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
    return plan, Evidence(file.study, plan, measures, real, draws)


def findings(made: Ready, ratios: Floats, seed: int) -> tuple[Finding, ...]:
    """Return all findings, had the places changed the outcomes.

    Parameters
    ----------
    made : see `Ready`.
    ratios : (n_outcomes, n_places); 1 where nothing was done.
    seed : of the counts that the effects take away or add.
    """
    evidence, real = made.evidence, made.evidence.real.copy()
    rng = np.random.default_rng([seed, 1])
    places = {u.name: g for g, u in enumerate(made.plan.units)}
    for o in range(len(ratios)):
        extra = changed(made.drawn, o, ratios[o], rng) - made.drawn.counts[o]
        for g, areas in enumerate(made.drawn.places):
            real[places[name_of(g)], o, OBSERVED_POST] += np.nansum(extra[areas])
    return conclude(Evidence(evidence.study, evidence.plan, evidence.measures, real, evidence.drawn))[0]


def name_of(place: int) -> str:
    """Return the name of a treated place."""
    return f"Place {place + 1:03d}"


def panel_of(drawn: Drawn, smallest: float = SMALLEST) -> Assembled:
    """Bring a world onto the panel that an evaluation reads.

    Parameters
    ----------
    drawn : the world.
    smallest : effect that its study is interested in.
    """
    n_areas, n_months = drawn.counts.shape[1:]
    periods = Periods(PeriodKind.MONTH, FIRST, n_months)
    measures = {
        f"outcome_{o}": Measure(
            name=f"outcome_{o}",
            is_count=True,
            periods=periods,
            values=values,
            reasons=np.isnan(values).astype(np.uint8),
            exposure=drawn.population,
            smallest=smallest,
        )
        for o, values in enumerate(drawn.counts)
    }
    codes = np.array([f"W{i:06d}" for i in range(n_areas)])
    names = tuple(f"covariate_{k}" for k in range(drawn.covariates.shape[1]))
    both = np.concatenate([drawn.touching, drawn.touching[:, ::-1]])
    touching = graph_of(both[:, 0], both[:, 1], n_areas)
    panel = Panel(
        areas=codes,
        names=codes,
        measures=measures,
        covariates=drawn.covariates,
        covariate_names=names,
        covariate_as_of=("",) * len(names),
        attributes={"borough": np.array([f"B{b:02d}" for b in drawn.borough])},
        contiguity=touching,
        near=touching,
        gaps=(),
        releases=(),
        notes=(),
        centres=drawn.centres * 1000,
    )
    places = tuple(
        Neighbourhood(
            initiative=INITIATIVE,
            name=name_of(g),
            areas=areas,
            start=FIRST + start,
            start_kind=PeriodKind.MONTH,
            resident_led=None,
        )
        for g, (areas, start) in enumerate(zip(drawn.places, drawn.starts, strict=True))
    )
    return Assembled(panel, Registered(neighbourhoods=places), None)


def study_of(drawn: Drawn, seed: int, placebos: int) -> StudyFile:
    """Return the study that a user would write for the world."""
    study = Study.model_validate(
        {
            "study": {"title": "A world", "seed": seed,
                      "window": {"start": "2012-01", "end": "2030-12"}},
            "source": {"world": {"kind": "panel", "path": "world.csv", "area": "area"}},
            "initiative": [{"name": INITIATIVE, "areas": "areas.csv"}],
            "outcome": [
                {"name": f"outcome_{o}", "family": "crime", "source": "world",
                 "exposure": "world.population"}
                for o in range(len(drawn.counts))
            ],
            "analysis": {"placebos": placebos, "checks": False},
        }
    )  # fmt: skip
    return StudyFile(study, Path("world.toml"), f"seed {seed}", {})
