"""Placebos as they lie, and around zero: wrong rejections where programmes share a county.

In each fresh county many programmes in which nothing was done are held against placebos of their
own. Every place is designed once, without regard to the other neighbourhoods of its programme, so
that a programme costs a sum: hundreds of programmes a county where `benchmarks.grid` has one. What
that leaves out is the buffer around a programme's other neighbourhoods.

    python -m benchmarks.overlap --first 9001 --counties 33   # goes on where it stopped
    python -m benchmarks.overlap --table                      # docs/validation/overlap.md
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from areaeffect.estimate.counterfactual import OBSERVED_PRE, log_ratio
from areaeffect.estimate.inference import around_zero, infer
from areaeffect.findings.candidates import traits_of
from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.places import ALIKE, GROWTHS, grow, mean_traits, most_alike
from areaeffect.placebo.programmes import (
    Candidates,
    Machine,
    draw_programme,
    matched_spread,
    run_programme,
)
from areaeffect.placebo.spread import centre_of, mean_distance
from areaeffect.placebo.workers import single_threaded
from benchmarks.fresh import County, fresh, place
from benchmarks.grid import SIZES, county

if TYPE_CHECKING:
    from areaeffect.panel import Panel
    from areaeffect.results import Bools, Floats, Ints

PROGRAMMES = {1: 40, 3: 30, 10: 12, 30: 4}
DRAWS = 199
FOLDER = Path("build/simulate/overlap")
_ALPHA = 0.05


@dataclass(eq=False)
class Shared:
    """What all programmes of one county share.

    Parameters
    ----------
    seed : of the county.
    county, panel, machine : as drawn; the machine has one arm, and no area is treated.
    places : what could be drawn as a neighbourhood, and `members` the same as (n, 3).
    totals : of every place asked for so far.
    """

    seed: int
    county: County
    panel: Panel
    machine: Machine
    arm: ClaimCohorts
    places: list[Ints]
    members: Ints
    totals: dict[bytes, Floats] = field(default_factory=dict)

    def total(self, areas: Ints) -> Floats:
        """Return the totals of one place, designed for itself alone."""
        key = areas.tobytes()
        if key not in self.totals:
            self.totals[key] = run_programme(self.machine, [areas])[0, 0]
        return self.totals[key]

    def measured(self, programme: list[Ints]) -> tuple[float, float]:
        """Return a programme's log effect and its events before the start."""
        total = np.sum([self.total(areas) for areas in programme], axis=0)
        return float(log_ratio(total, "change")), float(total[OBSERVED_PRE])


def shared(seed: int) -> tuple[Shared, np.random.Generator]:
    """Draw a county, and make ready what its programmes share."""
    like = replace(county(1), starts=(60,))
    drawn = fresh(like, seed, DRAWS)
    panel = drawn.data.panel
    machine = make_plan(drawn.file, drawn.data, "simulation").machine
    every = np.ones(len(panel.areas), dtype=bool)
    first = machine.arms[0]
    assert isinstance(first, ClaimCohorts)
    arm = replace(first, eligible=every, _cohorts={}, _sums={})
    machine = replace(machine, arms=(arm,), eligible=every, spread=None)
    rng = np.random.default_rng([seed, 5])
    assert panel.contiguity is not None
    places = grow(panel.contiguity, every, like.size, rng)
    return Shared(seed, like, panel, machine, arm, places, np.array(places)), rng


def one_county(seed: int) -> None:
    """Measure every size in one county, and keep (n_programmes, 2 + 2 DRAWS) arrays of it."""
    path = FOLDER / f"{seed}.npz"
    if path.exists():
        return
    with single_threaded():
        held, rng = shared(seed)
        assert held.panel.contiguity is not None
        found = {}
        for n, programmes in PROGRAMMES.items():
            like = replace(held.county, neighbourhoods=n)
            rows = []
            for r in range(programmes):
                units = place(held.panel.contiguity, held.panel.covariates[:, 0], like, rng)
                rows.append(_row(held, [u.areas for u in units], r))
            found[f"g{n}"] = np.array(rows)
        np.savez(path, **found)  # type: ignore[arg-type]


def _row(held: Shared, units: list[Ints], number: int) -> Floats:
    """Return effect and count of a programme, then those of its placebos."""
    n_areas, near = len(held.panel.areas), held.panel.near
    taken = np.zeros(n_areas, dtype=bool)
    every = np.concatenate(units)
    taken[every] = True
    if near is not None:
        taken[near.of_any(every)] = True
    banks = tuple(_bank(held, areas, ~taken[held.members].any(axis=1)) for areas in units)
    spread = None
    if len(units) > 1 and held.panel.centres is not None:
        centres = [centre_of(bank.pieces[0], held.panel.centres) for bank in banks]
        target = mean_distance(centre_of(units, held.panel.centres))
        spread = matched_spread(banks, n_areas, centres, target, held.seed * 100 + number)
    drawn = []
    for b in range(DRAWS):
        rng = np.random.default_rng([held.seed, len(units), number, b])
        programme = draw_programme(banks, n_areas, None, rng, spread)
        drawn.append((np.nan, np.nan) if programme is None else held.measured(programme))
    return np.concatenate([held.measured(units), *np.array(drawn).T])


def _bank(held: Shared, areas: Ints, free: Bools) -> Candidates:
    traits = traits_of(
        held.arm.cohort(0, areas), held.panel.covariates.shape[1], held.machine.eligible
    )
    options = [held.places[i] for i in np.flatnonzero(free)]
    means = mean_traits(options, traits)
    return Candidates(
        (tuple(most_alike(options, means, traits[areas].mean(axis=0), ALIKE * GROWTHS)),)
    )


# ---------------------------------------------------------------- the table


def rejected(effect: float, count: float, placebos: Floats, counts: Floats) -> list[bool]:
    """Whether each rule rejects: as they lie and around zero; no, fitted and shrunk slope.

    Around zero by the mean square alone, without the share of the pool (`grid` has both).
    """
    fitted, own = _fitted(placebos, counts, count)
    plain = [
        (effect, placebos),
        (effect / own, placebos / fitted),
        (effect, around_zero(placebos, 0.0)),
        (effect / own, around_zero(placebos / fitted, 0.0)),
    ]
    found = [_two_tailed(e, drawn) <= _ALPHA for e, drawn in plain]
    return [*found, infer(effect, placebos, counts, count, "lower", 0.0).p_value <= _ALPHA]


def _fitted(placebos: Floats, counts: Floats, count: float) -> tuple[Floats, float]:
    """Return scales by the slope as non-negative least squares gives it."""
    rarity = np.median(counts) / counts
    squares = (placebos - np.median(placebos)) ** 2
    (a, b), _ = nnls(np.column_stack([np.ones(len(counts)), rarity]), squares)
    return np.sqrt(a + b * rarity), float(np.sqrt(a + b * np.median(counts) / count))


def _two_tailed(effect: float, drawn: Floats) -> float:
    smaller = min((drawn <= effect).sum(), (drawn >= effect).sum())
    return min(1.0, 2 * (1 + int(smaller)) / (len(drawn) + 1))


def table(draws: int) -> list[str]:
    """Write wrong rejections and correlations by size, over the counties there are."""
    lines = [
        "| neighbourhoods | counties, programmes | as they lie, one scale | as they lie, fitted "
        "slope (the old rule) | around zero, one scale | around zero, fitted slope | around zero, "
        "shrunk slope (the rule) | among placebos r | with the real one q |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        shares, moments, programmes = [], [], 0
        for path in sorted(FOLDER.glob("*.npz")):
            with np.load(path) as held:
                rows = held[f"g{n}"]
            rows = rows[np.isfinite(rows).all(axis=1)]
            if not len(rows):
                continue
            programmes += len(rows)
            effects, counts = rows[:, 0], rows[:, 1]
            placebos = rows[:, 2 : 2 + DRAWS][:, :draws]
            theirs = rows[:, 2 + DRAWS :][:, :draws]
            each = zip(effects, counts, placebos, theirs, strict=True)
            shares.append(np.mean([rejected(*one) for one in each], axis=0))
            centre = placebos.mean(axis=1)
            between = (centre**2 - placebos.var(axis=1) / draws).mean()
            moments.append([(placebos**2).mean(), between, (effects * centre).mean()])
        if shares:
            mean, error = np.mean(shares, axis=0), np.std(shares, axis=0) / len(shares) ** 0.5
            square, r, q = np.mean(moments, axis=0)
            cells = " | ".join(f"{m:.3f} ({e:.3f})" for m, e in zip(mean, error, strict=True))
            lines.append(
                f"| {n} | {len(shares)}, {programmes} | {cells} | {r / square:+.3f} "
                f"| {q / square:+.3f} |"
            )
    return lines


def main() -> None:
    """Measure counties, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=9001)
    parser.add_argument("--counties", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if options.counties:
        FOLDER.mkdir(parents=True, exist_ok=True)
        seeds = range(options.first, options.first + options.counties)
        with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
            for _ in pool.imap_unordered(one_county, seeds):
                pass
    if options.table:
        for draws in (DRAWS, 79):
            print("\n".join([f"{draws} placebos", "", *table(draws), ""]))


if __name__ == "__main__":
    main()
