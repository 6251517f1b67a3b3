"""London: programmes placed by the laws on a real panel, through `evaluate`'s own path.

Total recorded crime from 2008 to 2016 in places of five areas; work 'begins' in January of 2012,
2013 and 2014 in turn. Nothing was done, so every verdict is wrong. Every area of the panel may be
treated, and every other one may be drawn for a placebo programme: the boroughs that the licensing
study leaves out are in, because places drawn from areas that its reference set lacks would measure
that and not the law. The programmes of a law and start share no area; what they share, they share
by borough, and errors are clustered by the borough that holds a programme's first place. A law has
as many programmes as it has places for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.findings.conclude import conclude
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.placebo.workers import single_threaded
from areaeffect.register.registered import Registered
from areaeffect.study.file import read_study
from benchmarks.worlds.generate import LAWS, CannotPlace, grown, place, traits_of
from benchmarks.worlds.rig import evaluated

if TYPE_CHECKING:
    from areaeffect.results import Finding, Ints
    from areaeffect.study.file import StudyFile

STUDY = Path(__file__).resolve().parents[2] / "studies" / "london_licensing" / "study.toml"
STARTS = tuple(12 * year for year in (2012, 2013, 2014))
#: Most programmes of a law, size and start, and of a law and size.
_MOST_A_START = 60
MOST = _MOST_A_START * len(STARTS)
_AREAS = 5
_SEED = 20130101


@cache
def city() -> tuple[StudyFile, Assembled]:
    """Read the study and its panel, with no boroughs left out or as placebos, and no checks."""
    file = read_study(STUDY)
    analysis = file.study.analysis.model_copy(
        update={"placebos": 199, "placebo_neighbourhoods": "", "checks": False}
    )
    design = file.study.design.model_copy(update={"exclude": ()})
    study = file.study.model_copy(update={"analysis": analysis, "design": design})
    with single_threaded():
        return replace(file, study=study), assemble(file)


@cache
def programmes(law: str, n: int, start: int) -> tuple[tuple[Ints, ...], ...]:
    """Return programmes of a law and start that share no area, as many as have places."""
    _, data = city()
    panel = data.panel
    measure = next(iter(panel.measures.values()))
    before, _ = measure.periods.split(start, PeriodKind.MONTH)
    free = measure.observed.all(axis=1) & np.isfinite(panel.covariates).all(axis=1)
    past, persons = np.where(free[:, None], measure.values[:, before], 0.0), panel.covariates[:, 0]
    traits = traits_of(past, persons, -panel.covariates[:, 1])
    names = panel.attributes["london.borough"]
    borough = np.unique(names, return_inverse=True)[1].astype(np.int64)
    assert panel.contiguity is not None
    rng = np.random.default_rng([_SEED, LAWS.index(law), n, start])
    around = [
        [a for a in panel.contiguity.of(i).tolist() if free[a]] if free[i] else [] for i in range(len(free))
    ]
    options = grown(rng, around, rng.permutation(np.flatnonzero(free)).tolist(), _AREAS)
    found: list[tuple[Ints, ...]] = []
    while len(found) < _MOST_A_START:
        try:
            found.append(place(rng, law, n, options, around, borough, traits))
        except CannotPlace:
            break
        free[np.concatenate(found[-1])] = False
        options = [p for p in options if free[p].all()]
    return tuple(found)


def study_of(law: str, n: int, number: int) -> tuple[StudyFile, Assembled, tuple[Ints, ...]]:
    """Return the study of one programme, its panel, and the places of the programme.

    Raises
    ------
    CannotPlace
        Where the law has no more.
    """
    start = STARTS[number % len(STARTS)]
    some = programmes(law, n, start)
    if number // len(STARTS) >= len(some):
        raise CannotPlace(law)
    chosen = some[number // len(STARTS)]
    file, data = city()
    places = tuple(
        Neighbourhood(
            initiative="London",
            name=f"Place {g + 1:03d}",
            areas=areas,
            start=start,
            start_kind=PeriodKind.MONTH,
            resident_led=None,
        )
        for g, areas in enumerate(chosen)
    )
    seeded = file.study.study.model_copy(update={"seed": _SEED + number})
    file = replace(file, study=file.study.model_copy(update={"study": seeded}))
    return file, Assembled(data.panel, Registered(neighbourhoods=places), None), chosen


def evaluate_one(law: str, n: int, number: int) -> tuple[str, tuple[Finding, ...]]:
    """Evaluate one programme; return the borough of its first place, and its findings."""
    file, data, chosen = study_of(law, n, number)
    home = data.panel.attributes["london.borough"][chosen[0][0]]
    return str(home), conclude(evaluated(file, data, held_out=0)[1])[0]
