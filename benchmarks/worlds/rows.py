"""What is measured: worlds of a kind, and the effects that are put into them."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.findings.plan import disjoint
from areaeffect.placebo.workers import single_threaded
from areaeffect.power.calculation import power_of
from benchmarks.worlds.generate import LAWS, CannotPlace, World
from benchmarks.worlds.london import MOST, evaluate_one
from benchmarks.worlds.rig import Ready, findings, name_of, ready

if TYPE_CHECKING:
    from areaeffect.results import Finding, Floats

PLACEBOS = 199
#: Effects of the grid of coverage, each as it is and with places that differ by this much.
EFFECTS, SPREADS = (-0.2, -0.1, 0.0, 0.1), (0.0, 0.15)
#: An effect for the mixes, and the fall that power by law is measured at.
SIZE_OF_MIX, FALL = -0.2, -0.1

LONDON = "London"
LAW_PLACES = (4, 10)

_BASE = World()
_ALIKE = replace(_BASE, field=0.0, force=0.0, step=0.0, trend=0.0)
_REGIONAL = replace(_BASE, trend=0.03, lean=0.01, reach=2.5, force=0.06, step=0.06)


@dataclass(frozen=True, slots=True)
class Row:
    """Worlds of one kind.

    Parameters
    ----------
    world : their knobs.
    scenarios : names of the effects that are put in; see `ratios_of`.
    grades : whether grades are looked at, so that the held-out year needs all its placebos.
    """

    world: World
    scenarios: tuple[str, ...] = ("nothing",)
    grades: bool = False


def rows() -> dict[str, Row]:
    """Return every row by name."""
    mixes = ("nothing", "mix 1", "mix half", "mix all", "printed", "fall")
    found = {
        "one outcome": Row(replace(_BASE, outcomes=1), mixes, grades=True),
        "three outcomes": Row(_BASE, mixes, grades=True),
        "six outcomes": Row(replace(_BASE, outcomes=6, areas=600), mixes, grades=True),
        "24 outcomes": Row(replace(_BASE, outcomes=24, areas=600, months=48, starts=(24,), places=10), mixes),
        "one place": Row(
            replace(_BASE, outcomes=1, places=1, areas=500, size=4, starts=(40,)),
            ("nothing", "printed", "fall"),
        ),
        "one place, alike": Row(replace(_ALIKE, outcomes=1, places=1, areas=500, size=4, starts=(40,))),
        "grades": Row(
            replace(
                _BASE,
                areas=700,
                places=12,
                size=4,
                per_month=40.0,
                smallest=0.1,
                area=0.06,
                field=0.03,
                force=0.02,
                step=0.02,
                trend=0.01,
            ),
            grades=True,
        ),
        "power": Row(replace(_BASE, outcomes=1, months=96, starts=(60, 66)), ("nothing", "planned")),
    }
    for m, areas in ((20, 100), (40, 190), (60, 280), (200, 880)):
        for places in (1, 4):
            world = replace(
                _BASE, outcomes=1, places=places, areas=areas, size=3, starts=(40,), per_month=8.0
            )
            found[f"M {m}, {places}"] = Row(world, ("nothing", "printed"))
    simulated = (("alike", _ALIKE), ("regional", _REGIONAL))
    for law in LAWS:
        for places in LAW_PLACES:
            for panel, base in simulated if places == LAW_PLACES[0] else ():
                world = replace(base, outcomes=1, places=places, areas=600, law=law)
                found[f"{panel}, {law}, {places}"] = Row(world, ("nothing", "fall"))
            found[f"{LONDON}, {law}, {places}"] = Row(replace(_BASE, law=law, places=places))
    scenarios = tuple(f"grid {e:g} {s:g}" for e in EFFECTS for s in SPREADS)
    for places in (1, 3, 10, 30):
        world = replace(_BASE, outcomes=1, places=places, areas=400 + 25 * places, per_month=8.0)
        found[f"grid, {places}"] = Row(world, scenarios)
    return found


def ratios_of(
    scenario: str, made: Ready, nothing: tuple[Finding, ...], rng: np.random.Generator
) -> Floats | None:
    """Return what each place does to each outcome, (n_outcomes, n_places); None for a row of none.

    Parameters
    ----------
    scenario : 'nothing'; 'mix' of so many outcomes at -20 %; 'printed', the smallest effect that
        the findings of nothing print; 'planned', what `power` prints from the years before; 'fall';
        'grid' with an effect and its spread over places.
    made, nothing : the world, and its findings when nothing is done.
    rng : of the spread.
    """
    ratios = np.ones((len(made.drawn.counts), len(made.drawn.places)))
    kind, *rest = scenario.split()
    if kind == "mix":
        share = {"1": 1, "half": len(ratios) // 2, "all": len(ratios)}[rest[0]]
        ratios[:share] = 1 + SIZE_OF_MIX
    elif kind == "printed":
        printed = {f.outcome: f.mde for f in nothing if _leads(f)}
        smallest = [printed.get(f"outcome_{o}") for o in range(len(ratios))]
        if any(s is None or not np.isfinite(s) for s in smallest):
            return None
        ratios *= 1 + np.array(smallest, dtype=float)[:, None]
    elif kind == "planned":
        planned = _planned(made)
        if planned is None:
            return None
        ratios *= 1 + planned
    elif kind == "fall":
        ratios *= 1 + FALL
    elif kind == "grid":
        effect, spread = map(float, rest)
        ratios *= np.exp(np.log1p(effect) + spread * rng.standard_normal(ratios.shape))
    return ratios


def _planned(made: Ready) -> float | None:
    """Return the smallest effect that `areaeffect power` prints from the years before."""
    with single_threaded():
        study, measures = made.evidence.study, made.evidence.measures
        report = power_of(study, measures, made.plan, 1, lambda *_: None, curve=False)
    return report.real[0].mde


def measure(name: str, seed: int) -> dict[str, object]:
    """Evaluate one world of a row under every scenario."""
    row = rows()[name]
    try:
        if name.startswith(LONDON):
            home, own = evaluate_one(row.world.law, row.world.places, seed - 1)
            found = {"nothing": [_record(f, 0.0) for f in own if f.form == "ratio"]}
            return {"row": name, "seed": seed, "cluster": home, "found": found}
        made = ready(row.world, seed, PLACEBOS, None if row.grades else 0)
    except CannotPlace:
        return {"row": name, "seed": seed, "refused": "no such places", "found": {}}
    places = disjoint(made.plan, tuple(range(len(made.plan.units))))[1]
    nothing = findings(made, np.ones((row.world.outcomes, row.world.places)), seed)
    found = {}
    for k, scenario in enumerate(row.scenarios):
        ratios = ratios_of(scenario, made, nothing, np.random.default_rng([seed, 2, k]))
        if ratios is not None:
            all_of = nothing if scenario == "nothing" else findings(made, ratios, seed)
            found[scenario] = [_record(f, _truth(f, made, ratios)) for f in all_of if _shown(f)]
    return {"row": name, "seed": seed, "places": places, "found": found}


def _shown(f: Finding) -> bool:
    return f.outcome.startswith("outcome_")


def _leads(f: Finding) -> bool:
    return _shown(f) and f.neighbourhood is None and f.form == "ratio"


def _truth(f: Finding, made: Ready, ratios: Floats) -> float:
    """Return the realised effect: what the places' expected counts were changed by."""
    o, drawn = int(f.outcome.rpartition("_")[2]), made.drawn
    whose = [g for g in range(len(drawn.places)) if f.neighbourhood is None or f.neighbourhood == name_of(g)]
    around = np.array([drawn.mean[o][drawn.places[g], drawn.starts[g] :].sum() for g in whose])
    return float(around @ ratios[o, whose] / around.sum() - 1)


def _record(f: Finding, truth: float) -> dict[str, object]:
    single = f.single
    return {
        "form": f.form, "outcome": f.outcome, "place": f.neighbourhood, "primary": f.primary,
        "truth": truth, "estimate": f.estimate, "mde": f.mde,
        "p": single.p_value if single else None,
        "alone": [single.low, single.high] if single else [None, None],
        "printed": [f.low, f.high],
        "held_back": bool(f.held_back),
        "threshold": f.threshold, "verdict": str(f.verdict), "grade": f.maryland,
    }  # fmt: skip


def _task(task: tuple[str, int]) -> dict[str, object]:
    return measure(*task)


def run(names: list[str], worlds: int, folder: Path, processes: int) -> None:
    """Measure what is not yet in the folder; a line a world, so that a run can be broken off."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    folder.mkdir(parents=True, exist_ok=True)
    tasks = []
    for name in names:
        kept = {(r["row"], r["seed"]) for r in read(folder, name)}
        most = MOST if name.startswith(LONDON) else worlds
        seeds = range(1, 1 + min(worlds, most))
        tasks += [(name, seed) for seed in seeds if (name, seed) not in kept]
    tasks.sort(key=lambda task: task[1])  # what is broken off has as many worlds of each row
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for found in pool.imap_unordered(_task, tasks, chunksize=4):
            with file_of(folder, str(found["row"])).open("a", encoding="utf-8") as out:
                out.write(json.dumps(found) + "\n")


def read(folder: Path, name: str) -> list[dict[str, object]]:
    """Return the worlds of a row in order of their seeds."""
    path = file_of(folder, name)
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(lines, key=lambda r: r["seed"])


def file_of(folder: Path, name: str) -> Path:
    """Return where a row is kept."""
    return folder / f"{name.replace(', ', '-').replace(' ', '_')}.jsonl"
