"""Size of the placebo test for programmes in one district, with and without matching on spread.

A county of 1,600 areas on a grid, 48 months; after the middle of the window the log rate of every
area moves by a smooth random field (shocks that near places share) and nothing else. Programmes of
five contiguous neighbourhoods of four areas are drawn in one district, or anywhere; none does
anything. Each goes through the whole design, and so do its placebos.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from areaeffect.design.history import features
from areaeffect.design.programme import Cohort, Rules, make_cohort
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import infer, pool_share
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.neighbours import contiguity
from areaeffect.panel import Measure, Panel
from areaeffect.periods import PeriodKind, Periods
from areaeffect.placebo.places import grow
from areaeffect.placebo.programmes import (
    Candidates,
    Machine,
    count_disjoint,
    matched_spread,
    propose,
    run_draws,
    run_programme,
)
from areaeffect.placebo.spread import Spread, centre_of, mean_distance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.panel import Graph
    from areaeffect.results import Floats, Ints

SIDE, MONTHS, START, GROUPS, SIZE = 40, 48, 24, 5, 4
N = SIDE * SIDE
_SHOCK, _REACH = 0.1, 5000.0
LAWS = {"in one district": 5000.0, "anywhere": np.inf}
_NEAREST = 20


@dataclass(slots=True, eq=False)
class Arm:
    """One outcome, one start."""

    one: Cohort
    added: Mapping[int, cf.Sums]
    outcomes: tuple[int, ...] = (0,)
    draws: int | None = None
    is_adjusted: bool = False

    def cohort(self, _unit: int, _areas: Ints) -> Cohort:
        """Return the one cohort."""
        return self.one

    def sums(self, _unit: int, _areas: Ints) -> Mapping[int, cf.Sums]:
        """Return the one outcome."""
        return self.added


def county(seed: int, places: Floats) -> Arm:
    """Simulate counts: level by area, common seasons, a smooth shock after the start."""
    rng = np.random.default_rng([seed, 1])
    seeds = rng.uniform(0, 1000 * SIDE, size=(400, 2))
    reach = np.exp(-(((places[:, None] - seeds[None]) ** 2).sum(-1)) / (2 * _REACH**2))
    field = reach @ rng.normal(size=len(seeds))
    field *= _SHOCK / field.std()
    level = rng.gamma(4.0, 3.0, N)
    month = 1 + 0.1 * np.sin(np.arange(MONTHS) / 12 * 2 * np.pi)
    after = np.arange(MONTHS) >= START
    rate = level[:, None] * month * np.exp(np.where(after, field[:, None], 0.0))
    values = rng.poisson(rate).astype(float)
    none = np.zeros((N, MONTHS), dtype=np.uint8)
    measure = Measure("n", True, Periods(PeriodKind.MONTH, 0, MONTHS), values, none, None)
    areas = np.array([f"{i:04d}" for i in range(N)])
    panel = Panel(
        areas, areas, {"n": measure}, np.empty((N, 0)), (), (), {}, None, None, (), (), ()
    )
    everywhere = np.ones(N, dtype=bool)
    used = np.ones(MONTHS, dtype=bool)
    known = features(panel, [measure], [used], START, PeriodKind.MONTH, "12-month blocks")
    return Arm(
        make_cohort(known, everywhere, everywhere, _NEAREST), {0: cf.sums(measure, ~after, after)}
    )


def graph_and_centres() -> tuple[Graph, Floats]:
    """Squares of one kilometre that touch at borders and corners."""
    squares = [shapely.box(1000 * c, 1000 * r, 1000 * (c + 1), 1000 * (r + 1))
               for r in range(SIDE) for c in range(SIDE)]  # fmt: skip
    outlines = Boundaries(np.array(squares, dtype=object))
    return contiguity(outlines), outlines.centres


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counties", type=int, default=60)
    parser.add_argument("--programmes", type=int, default=25)
    parser.add_argument("--placebos", type=int, default=199)
    given = parser.parse_args()
    graph, centres = graph_and_centres()
    everywhere = np.ones(N, dtype=bool)
    pieces = tuple(grow(graph, everywhere, SIZE, np.random.default_rng(1)))
    banks = tuple(Candidates((pieces,)) for _ in range(GROUPS))
    middle = [centre_of(pieces, centres)] * GROUPS
    taken = pool_share(GROUPS, count_disjoint(banks, N, np.random.default_rng(2), N)[1])
    blank = Machine((), banks, everywhere, Rules(_NEAREST, common_support=False, near=None), 1, 0)
    print("| programmes | placebos | false alarms at 5 % | sd of placebos | sd of programmes |")
    print("|---|---|---|---|---|")
    for law, radius in LAWS.items():
        hits: dict[str, list[float]] = {"scattered": [], "as far apart": []}
        spreads: dict[str, list[float]] = {"scattered": [], "as far apart": []}
        effects: list[float] = []
        for number in range(given.counties):
            arm = county(number, centres)
            tests = _programmes(banks, middle, radius, number, given.programmes)
            target = float(np.mean([mean_distance(centre_of(p, centres)) for p in tests]))
            machine = replace(blank, arms=(arm,), seed=number)
            matched = replace(machine, spread=matched_spread(banks, N, middle, target, number))
            real = [_effect(run_programme(machine, programme)) for programme in tests]
            effects += real
            for name, own in (("scattered", machine), ("as far apart", matched)):
                drawn = run_draws(own, np.arange(given.placebos))
                placebos = cf.log_ratio(drawn[:, :, 0].sum(axis=1), "change")
                ones = np.ones(len(placebos))
                spreads[name].append(float(placebos.std()))
                hits[name] += [
                    float(infer(e, placebos, ones, 1.0, "lower", taken).p_value <= 0.05)
                    for e in real
                ]
        for name, found in hits.items():
            print(
                f"| {law} | {name} | {np.mean(found):.3f} | {np.mean(spreads[name]):.4f} "
                f"| {np.std(effects):.4f} |",
                flush=True,
            )


def _programmes(
    banks: tuple[Candidates, ...], middle: list[Floats], radius: float, seed: int, n: int
) -> list[list[Ints]]:
    """Draw programmes by the law: all neighbourhoods within a radius of a first one."""
    found: list[list[Ints]] = []
    number = 0
    while len(found) < n:
        rng = np.random.default_rng([seed, 2, number])
        number += 1
        picked = propose(banks, N, None, rng, Spread(tuple(middle), 1.0, radius))
        if picked is not None:
            found.append([b.pieces[0][i] for b, i in zip(banks, picked, strict=True)])
    return found


def _effect(totals: Floats) -> float:
    return float(cf.log_ratio(totals[:, 0].sum(axis=0), "change"))


if __name__ == "__main__":
    main()
