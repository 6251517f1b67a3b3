"""London: programmes placed by the laws on a real panel, through `evaluate`'s own path.

Total recorded crime from 2008 to 2016 in places of five areas; work 'begins' in January 2013.
Nothing was done, so every verdict is wrong. The programmes of a law share no area, so that no place
counts twice; what they share, they share by borough, and errors are clustered by the borough that
holds a programme's first place. A law has as many programmes as it has places for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.findings.conclude import conclude
from areaeffect.findings.describe import Evidence
from areaeffect.findings.plan import make_plan
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import run_all, single_threaded
from areaeffect.register.registered import Registered
from areaeffect.study.file import StudyFile, read_study
from benchmarks.worlds.generate import LAWS, CannotPlace, grown, place, traits_of

if TYPE_CHECKING:
    from areaeffect.results import Ints

STUDY = Path(__file__).resolve().parents[2] / "studies" / "london_licensing" / "study.toml"
START = 2013 * 12
SIZES = (4, 10)
#: Most programmes of a law and size.
MOST = 60
_AREAS = 5
_SEED = 20130101


@cache
def city() -> tuple[StudyFile, Assembled]:
    """Read the study and its panel, with no placebo boroughs and no checks."""
    file = read_study(STUDY)
    analysis = file.study.analysis.model_copy(
        update={"placebos": 199, "placebo_neighbourhoods": "", "checks": False}
    )
    study = file.study.model_copy(update={"analysis": analysis})
    with single_threaded():
        return replace(file, study=study), assemble(file)


@cache
def programmes(law: str, n: int) -> tuple[tuple[Ints, ...], ...]:
    """Return programmes of a law that share no area, as many as there are places for."""
    _, data = city()
    panel = data.panel
    measure = next(iter(panel.measures.values()))
    before, _ = measure.periods.split(START, PeriodKind.MONTH)
    free = measure.observed.all(axis=1) & np.isfinite(panel.covariates).all(axis=1)
    past, persons = np.where(free[:, None], measure.values[:, before], 0.0), panel.covariates[:, 0]
    traits = traits_of(past, persons, -panel.covariates[:, 1])
    names = panel.attributes["london.borough"]
    borough = np.unique(names, return_inverse=True)[1].astype(np.int64)
    assert panel.contiguity is not None
    rng = np.random.default_rng([_SEED, LAWS.index(law), n])
    around = [
        [a for a in panel.contiguity.of(i).tolist() if free[a]] if free[i] else []
        for i in range(len(free))
    ]
    options = grown(rng, around, rng.permutation(np.flatnonzero(free)).tolist(), _AREAS)
    found: list[tuple[Ints, ...]] = []
    while len(found) < MOST:
        try:
            found.append(place(rng, law, n, options, around, borough, traits))
        except CannotPlace:
            break
        free[np.concatenate(found[-1])] = False
        options = [p for p in options if free[p].all()]
    return tuple(found)


def measure_one(law: str, n: int, number: int) -> dict[str, Any] | None:
    """Evaluate one programme; None where the law has no more."""
    some = programmes(law, n)
    if number >= len(some):
        return None
    file, data = city()
    places = tuple(
        Neighbourhood("London", f"Place {g + 1:03d}", areas, START, PeriodKind.MONTH, None)
        for g, areas in enumerate(some[number])
    )
    seeded = file.study.study.model_copy(update={"seed": _SEED + number})
    file = replace(file, study=file.study.model_copy(update={"study": seeded}))
    with single_threaded():
        plan = make_plan(file, Assembled(data.panel, Registered(places), None), "worlds")
        real = run_programme(plan.machine, [u.areas for u in plan.units])
        drawn = run_all(plan.machine, file.study.analysis.placebos, 1, lambda _n: None)
    measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
    findings = conclude(Evidence(file.study, plan, measures, real, drawn))[0]
    home = data.panel.attributes["london.borough"][some[number][0][0]]
    whole = next(f for f in findings if f.neighbourhood is None and f.form == "ratio")
    return {"home": str(home), "finding": whole}
